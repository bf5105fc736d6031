"""Decoding by Pillow, with limits before and errors for people after; 16 bits where a file has them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin, UnidentifiedImageError

from editor.colour import conversion as colour
from editor.colour import icc
from editor.formats import deep
from editor.layers.limits import LARGEST_PIXELS, LARGEST_PROFILE_BYTES, MEGA, check_file_size
from editor.pixels.raster import Samples, frozen
from inference.errors import EditorError
from inference.messages import Message
from inference.reasons import reason_of
from inference.request import Pixels

# Pillow has limits of its own, below ours; `editor.layers.limits` refuses files before they are decoded.
Image.MAX_IMAGE_PIXELS = LARGEST_PIXELS
PngImagePlugin.MAX_TEXT_CHUNK = LARGEST_PROFILE_BYTES  # of colour profiles, too

_STRIP_ROWS = 64
ORIENTATION_TAG = 0x0112

_UNSUPPORTED = re.compile(r"unsupported|not supported|unknown|unrecogni[sz]ed|not implemented", re.IGNORECASE)
"""How decoders say that they do not read something, in contrast to that it is damaged."""


class BrokenFileError(EditorError):
    """What a decoder raised about a file, or a part of one, in words for people."""


@contextmanager
def quiet() -> Generator[None]:
    """Without the warnings about odd metadata that Pillow and others give; ours to ignore."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def opened(path: Path | BytesIO, formats: tuple[str, ...], name: str = "") -> Generator[Image.Image]:
    """A Pillow image, its size checked before anything is decoded; broken files become an `EditorError`."""
    called = path.name if isinstance(path, Path) else name or "picture"
    with said_broken(called), quiet(), Image.open(path, formats=formats) as image:
        check_file_size(called, image.width, image.height, _bounding_bytes(path, image))
        yield image


def _bounding_bytes(path: Path | BytesIO, image: Image.Image) -> int | None:
    """The file's size where it bounds the number of pixels; other formats hold a plain colour in nothing."""
    if image.format not in ("PNG", "JPEG", "MPO", "GIF", "BMP"):
        return None
    return path.stat().st_size if isinstance(path, Path) else len(path.getbuffer())


def read_picture(
    path: Path | BytesIO, formats: tuple[str, ...], notes: list[Message], name: str = ""
) -> Samples:
    """The samples of a file or of its bytes; see `opened` and `decoded`."""
    with opened(path, formats, name) as image:
        return decoded(image, reopener(path, formats), notes)


def reopener(path: Path | BytesIO, formats: tuple[str, ...]) -> Callable[[], Image.Image]:
    """Opens the same image once more."""

    def reopen() -> Image.Image:
        return Image.open(path if isinstance(path, Path) else BytesIO(path.getbuffer()), formats=formats)

    return reopen


@contextmanager
def said_broken(name: str) -> Generator[None]:
    """The boundary around decoders: make a `BrokenFileError` of whatever one raises about a file.

    Decoders raise nearly everything about damaged files, assertions and `AttributeError` included, so nothing
    is listed. What is damaged is told from what is not supported and from a disk that cannot be read.
    """
    try:
        yield
    except EditorError:
        raise
    except MemoryError as error:
        raise EditorError(
            "“{name}” does not fit into memory.", "Close other programs, or make it smaller.", name=name
        ) from error
    except Exception as error:
        raise _told(name, error) from error


def _told(name: str, error: Exception) -> BrokenFileError:
    """What a decoder's exception means to people; paths of the machine do not show."""
    if isinstance(error, OSError) and error.errno is not None:
        return BrokenFileError("“{name}” cannot be read: {reason}.", name=name, reason=reason_of(error))
    if isinstance(error, Image.DecompressionBombError):
        return BrokenFileError(
            "“{name}” has more pixels than Attune opens, which are {most} megapixels.",
            "Make it smaller with another program first.",
            name=name,
            most=LARGEST_PIXELS // MEGA,
        )
    # which key or index means nothing to people
    text = "" if isinstance(error, LookupError | UnidentifiedImageError) else str(error)
    reason = _without_places(text.strip().rstrip("."))
    if not reason and not isinstance(error, NotImplementedError):
        return BrokenFileError("“{name}” is damaged or incomplete.", "Get the file again.", name=name)
    reason = reason or type(error).__name__
    if isinstance(error, NotImplementedError) or _UNSUPPORTED.search(reason):
        return BrokenFileError(
            "“{name}” is of a kind that Attune does not read: {reason}.",
            "Save it in another way with another program.",
            name=name,
            reason=reason,
        )
    return BrokenFileError(
        "“{name}” is damaged or incomplete: {reason}.",
        "Get the file again.",
        name=name,
        reason=reason,
    )


def _without_places(text: str) -> str:
    """A library's message without paths and addresses in memory."""
    text = re.sub(r"<[^<>]*\bat 0x[0-9a-f]+>", "the file", text)
    return re.sub(r"['\"]?(?:[A-Za-z]:\\|/)[^'\"\n]*[/\\][^'\"\n]*['\"]?", "the file", text)


def decoded(image: Image.Image, reopen: Callable[[], Image.Image], notes: list[Message]) -> Samples:
    """Read-only RGBA samples [H, W, 4] of an image, upright; 16 bits if the file has more than 8.

    `reopen` gives the same image again, not decoded.
    """
    samples = _samples(image, reopen, notes)
    return frozen(upright(samples, orientation_of(image)))  # Pillow turns TIFFs itself, and says so then


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, 1 (upright) to 8."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except (TypeError, ValueError):
        return 1


def upright(samples: Samples, orientation: int) -> Samples:
    """The samples as EXIF's orientation 1..8 wants them seen."""
    if orientation in (5, 6, 7, 8):
        samples = samples.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return samples


def _samples(image: Image.Image, reopen: Callable[[], Image.Image], notes: list[Message]) -> Samples:
    found = deep.samples_of(image, reopen, notes)
    if found is None:
        found = eight_bits(image, notes)
    return out_of_grey(found, image, notes)


def eight_bits(image: Image.Image, notes: list[Message]) -> Pixels:
    raw_mode = deep.raw_mode(image)
    image.load()
    _spread_transparency(image, raw_mode)
    if image.mode in ("CMYK", "LAB", "YCbCr"):
        notes.append(Message("The picture was converted from {mode} to sRGB.", mode=image.mode))
        image = to_srgb(image)
    has_alpha = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    return _rgba(image, "RGBA" if has_alpha else "RGB")


def _spread_transparency(image: Image.Image, raw_mode: str) -> None:
    """Pillow spreads grey of 1, 2 and 4 bits over 8, but not the value that is transparent."""
    step = {"1": 255, "L;2": 85, "L;4": 17}.get(raw_mode)
    value = image.info.get("transparency")
    if image.format == "PNG" and step is not None and isinstance(value, int):
        image.info["transparency"] = min(255, value * step)


def _rgba(image: Image.Image, mode: str) -> Pixels:
    """RGBA of an image that is converted to `mode` ("RGB" becomes opaque).

    Strip by strip: Pillow holds the interpreter's lock while it converts and copies, and the window waits.
    """
    width, height = image.size
    pixels = np.empty((height, width, 4), np.uint8)
    for top in range(0, height, _STRIP_ROWS):
        strip = image.crop((0, top, width, min(top + _STRIP_ROWS, height)))
        converted = strip if strip.mode == mode else strip.convert(mode)
        data = converted.tobytes("raw", "RGBA" if mode == "RGBA" else "RGBX")
        pixels[top : top + _STRIP_ROWS] = np.frombuffer(data, np.uint8).reshape(-1, width, 4)
    if mode == "RGB":
        pixels[..., 3] = 255
    return pixels


def out_of_grey(samples: Samples, image: Image.Image, notes: list[Message]) -> Samples:
    """Grey pixels become sRGB, so a grey profile has to be applied."""
    profile = bytes(image.info.get("icc_profile") or b"")
    if profile[16:20] != b"GRAY":
        return samples
    table = icc.grey_to_samples(profile, colour.built_in_profile("srgb"))
    if table is None:
        notes.append(Message("The picture's colour profile for grey cannot be read and was left out."))
        return samples
    notes.append(Message("The picture was converted from its colour profile for grey to sRGB."))
    result = samples.copy()
    if samples.dtype == np.uint16:
        result[..., :3] = table[samples[..., :3]]
    else:
        result[..., :3] = ((table[::257].astype(np.uint32) + 128) // 257).astype(np.uint8)[samples[..., :3]]
    return result


def to_srgb(image: Image.Image) -> Image.Image:
    """CMYK or Lab as RGB, by the image's own profile if it has a usable one."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        srgb = ImageCms.ImageCmsProfile(BytesIO(colour.built_in_profile("srgb")))
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")
