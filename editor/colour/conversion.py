"""Colour management: pixels from one profile to another, for files, methods and the screen.

8-bit pixels go through LittleCMS (Pillow's ImageCms). It takes no 16-bit RGB there, so 16-bit samples go
through the profile's own curves and matrix in NumPy, and, where a profile has look-up tables instead, through
a grid of colours that LittleCMS converts (good to half an 8-bit step).

A profile is its bytes; b"" is sRGB. Everything here may run on any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from editor.colour import icc
from editor.pixels.arithmetic import read_only
from editor.pixels.raster import Raster, Samples, frozen
from inference.errors import EditorError
from inference.messages import listed
from inference.parameters import N_
from inference.request import Pixels

if TYPE_CHECKING:
    from PIL import ImageCms

Transform: TypeAlias = Callable[[Pixels], Pixels]

GRID = 33  # colours along each side of the cube that stands in for a profile's tables
_D65 = (0.3127, 0.3290)

PROFILES = {
    "srgb": N_("Colour", "sRGB"),
    "display-p3": N_("Colour", "Display P3"),
    "adobe-rgb": N_("Colour", "Adobe RGB (compatible)"),
    "prophoto": N_("Colour", "ProPhoto RGB (compatible)"),
}
"""Profiles that Attune can make, and their labels."""


@cache
def built_in_profile(name: str) -> bytes:
    """The bytes of one of `PROFILES`."""
    from PIL import ImageCms

    if name == "srgb":
        make = cast("Callable[[str], Any]", getattr(ImageCms, "createProfile"))  # noqa: B009 - untyped
        return ImageCms.ImageCmsProfile(make("sRGB")).tobytes()
    if name == "display-p3":
        primaries = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
        return icc.matrix_profile("Display P3", primaries, _D65, icc.sampled_curve(_srgb_light))
    if name == "adobe-rgb":
        primaries = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
        return icc.matrix_profile("Compatible with Adobe RGB (1998)", primaries, _D65, icc.gamma_curve(2.2))
    if name == "prophoto":
        primaries = ((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105))
        curve = icc.gamma_curve(1.8)
        return icc.matrix_profile("Compatible with ProPhoto RGB", primaries, (0.345704, 0.358540), curve)
    raise EditorError(
        "There is no colour profile “{name}”.",
        "Choose one of: {profiles}.",
        name=name,
        profiles=listed(PROFILES),
    )


def profile_name(profile: bytes) -> str:
    """What a profile calls itself; "sRGB" for b"", "" if it says nothing."""
    from PIL import ImageCms

    if not profile:
        return "sRGB"
    try:
        name = ImageCms.getProfileDescription(_opened(profile)).strip()
    except (ImageCms.PyCMSError, EditorError):
        return ""
    return "sRGB" if name == "sRGB built-in" else name


def is_usable(profile: bytes) -> bool:
    """Whether RGB pixels can be converted from and to a profile."""
    if not profile:
        return True
    try:
        _transform(profile, b"", "RGB")
        _transform(b"", profile, "RGB")
    except EditorError:
        return False
    return True


def to_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """8-bit RGB or RGBA pixels [H, W, 3 or 4] of `profile` in sRGB.

    Raises:
        EditorError: the profile cannot be used.
    """
    return converted(pixels, profile, b"")


def from_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """8-bit sRGB pixels [H, W, 3 or 4] in `profile`."""
    return converted(pixels, b"", profile)


def converted(pixels: Pixels, source: bytes, target: bytes) -> Pixels:
    """8-bit pixels [H, W, 3 or 4] from one profile to another; the same array if nothing differs."""
    if same_colours(source, target):
        return pixels
    result = np.empty_like(pixels)
    for top in range(0, pixels.shape[0], 1024):  # bounds what Pillow copies
        result[top : top + 1024] = _applied(source, target, pixels[top : top + 1024])
    return read_only(result)


def converted_deep(samples: NDArray[np.uint16], source: bytes, target: bytes) -> NDArray[np.uint16]:
    """16-bit samples [H, W, 3 or 4] from one profile to another."""
    if same_colours(source, target):
        return samples
    shapers = (icc.shaper_of(source or _srgb()), icc.shaper_of(target or _srgb()))
    if shapers[0] is not None and shapers[1] is not None:
        return frozen(icc.convert_deep(samples, shapers[0], shapers[1]))
    return frozen(_by_grid(samples, _grid(source, target)))


def convert(raster: Raster, source: bytes, target: bytes) -> Raster:
    """A raster of RGBA from one profile to another, 8 or 16 bits; tiles that were shared stay shared.

    Raises:
        EditorError: a profile cannot be used.
    """
    if same_colours(source, target):
        return raster
    done: dict[int, Samples] = {}
    rows = [
        tuple(_tile(raster, column, row, source, target, done) for column in range(raster.columns))
        for row in range(raster.rows)
    ]
    return Raster(raster.width, raster.height, rows)


def display_transform(document_profile: bytes, screen_profile: bytes) -> Transform | None:
    """What takes 8-bit RGBA tiles of a document to the screen's colours; None if nothing is to be done.

    A screen profile that cannot be used counts as sRGB, as does a document's.
    """
    source = document_profile if is_usable(document_profile) else b""
    target = screen_profile if is_usable(screen_profile) else b""
    if same_colours(source, target):
        return None
    return lambda pixels: read_only(_applied(source, target, pixels))


@lru_cache(maxsize=32)
def same_colours(source: bytes, target: bytes) -> bool:
    """Whether a conversion changes no 8-bit colour by more than one step: two files of one profile."""
    if source == target:
        return True
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 27, 3)
    after = _applied(source, target, cube)
    return int(np.abs(after.astype(int) - cube).max()) <= 1


def _tile(
    raster: Raster, column: int, row: int, source: bytes, target: bytes, done: dict[int, Samples]
) -> Samples:
    tile = raster.tile(column, row)
    if raster.is_blank(column, row):
        return tile
    if id(tile) not in done:
        done[id(tile)] = _converted_samples(tile, source, target)
    return done[id(tile)]


def _converted_samples(samples: Samples, source: bytes, target: bytes) -> Samples:
    if samples.dtype == np.uint16:
        return converted_deep(cast("NDArray[np.uint16]", samples), source, target)
    return converted(cast("Pixels", samples), source, target)


def _srgb() -> bytes:
    return built_in_profile("srgb")


def _srgb_light(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    from PIL import ImageCms

    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile))
    except (OSError, ImageCms.PyCMSError, TypeError, ValueError) as error:
        raise EditorError("The colour profile is damaged.", "Choose another one.") from error


@lru_cache(maxsize=16)
def _transform(source: bytes, target: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    from PIL import ImageCms

    before, after = _opened(source or _srgb()), _opened(target or _srgb())
    try:
        return ImageCms.ImageCmsTransform(
            before,
            after,
            mode,
            mode,
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError, ValueError) as error:
        raise EditorError(
            "The colour profile cannot be used for RGB pixels.", "Choose another one."
        ) from error


def _applied(source: bytes, target: bytes, pixels: Pixels) -> Pixels:
    """The pixels in the other profile; Pillow carries alpha over."""
    from PIL import Image

    mode = "RGB" if pixels.shape[2] == 3 else "RGBA"
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(_transform(source, target, mode).apply(image))


@lru_cache(maxsize=2)
def _grid(source: bytes, target: bytes) -> NDArray[np.float32]:
    """The colours [GRID, GRID, GRID, 3] in 0..1 of an even grid of red, green and blue."""
    levels = np.round(np.linspace(0, 255, GRID)).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    after = _applied(source, target, cube.reshape(GRID, GRID * GRID, 3))
    return after.reshape(GRID, GRID, GRID, 3).astype(np.float32) / np.float32(255)


def _by_grid(samples: NDArray[np.uint16], grid: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Trilinear between the colours of a grid; positions follow the grid's own rounded levels."""
    levels = np.round(np.linspace(0, 255, GRID)) * 257
    place = np.interp(np.arange(65536), levels, np.arange(GRID)).astype(np.float32)
    position = place[samples[..., :3]]
    low = np.minimum(position.astype(np.int32), GRID - 2)
    share = position - low
    mixed = np.zeros((*samples.shape[:2], 3), np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(np.array(corner), share, 1 - share), axis=-1, keepdims=True)
        mixed += weight * grid[tuple(low[..., axis] + corner[axis] for axis in range(3))]
    result = samples.copy()
    result[..., :3] = np.clip(mixed, 0, 1) * np.float32(65535) + np.float32(0.5)
    return result
