"""What the flat formats share: decoding by Pillow with limits, and what a file carries beside its pixels."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from editor import metadata
from editor.formats import ExportOptions, Opened, Picture
from editor.layer import Layer
from editor.pixels import read_only, to_rgb
from editor.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.request import Pixels

LARGEST_PIXELS = 400_000_000  # 1.6 GB as RGBA; more is a mistake or an attack
ORIENTATION_TAG = 0x0112

_BROKEN = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    SyntaxError,  # Pillow's PNG reader
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)


def read(path: Path, formats: tuple[str, ...]) -> Opened:
    """The picture of a file as a document of one layer; the EXIF orientation is applied.

    Raises:
        EditorError: no picture, a truncated one, or one beyond `LARGEST_PIXELS`.
    """
    notes: list[str] = []
    with opened(path, formats) as image:
        source, payload = _source(image)
        profile, dpi = _profile(image), _dpi(image)
        pixels = decoded(image, notes)
    recipe, note = metadata.restored_recipe(payload)
    if note:
        notes.append(note)
    if recipe is None and not payload:
        source = _as_photo(source)
    layer = Layer.of_pixels(name=recipe_name(recipe is not None, path), pixels=pixels, recipe=recipe)
    state = replace(DocumentState.of_layer(layer), icc_profile=profile, dpi=dpi)
    return Opened(state=state, source=source, notes=tuple(notes))


@contextmanager
def opened(path: Path | BytesIO, formats: tuple[str, ...]) -> Generator[Image.Image]:
    """A Pillow image, its size checked before anything is decoded; broken files become an `EditorError`."""
    name = path.name if isinstance(path, Path) else "picture"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; ours to ignore
            with Image.open(path, formats=formats) as image:
                if image.width * image.height > LARGEST_PIXELS:
                    raise EditorError(
                        f"“{name}” has {image.width} × {image.height} pixels; Attune opens up to "
                        f"{LARGEST_PIXELS // 10**6} megapixels.",
                        "Make it smaller with another program first.",
                    )
                yield image
    except Image.DecompressionBombError as error:
        raise EditorError(f"“{name}” is too large to be opened: {error}.") from error
    except _BROKEN as error:
        raise EditorError(f"“{name}” is damaged or incomplete: {error}.", "Get the file again.") from error
    except MemoryError as error:
        raise EditorError(
            f"“{name}” does not fit into memory.", "Close other programs, or make it smaller."
        ) from error


def decoded(image: Image.Image, notes: list[str]) -> Pixels:
    """Read-only RGB or RGBA pixels of an image, upright."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        notes.append("The picture has more than 8 bits a channel; it was opened with 8.")
        upright = _from_deep(upright)
    elif upright.mode in ("CMYK", "LAB", "YCbCr"):
        notes.append(f"The picture was converted from {upright.mode} to sRGB.")
        upright = _to_srgb(upright)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    return read_only(np.asarray(upright.convert("RGBA" if has_alpha else "RGB")))


def flattened(picture: Picture) -> Pixels:
    """RGB pixels for a format without transparency: over white."""
    pixels = picture.pixels
    if (pixels[..., 3] == 255).all():
        return to_rgb(pixels)
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed = pixels[..., :3] * alpha + 255 * (255 - alpha) + 127
    return read_only((mixed // 255).astype(np.uint8))


def opaque_or_rgba(picture: Picture) -> Pixels:
    """RGB if nothing is transparent, else RGBA."""
    return to_rgb(picture.pixels) if (picture.pixels[..., 3] == 255).all() else picture.pixels


def exif_bytes(picture: Picture, comment: str) -> bytes:
    """The source's EXIF, upright, with our comment; b"" if there is nothing to say."""
    exif = Image.Exif()
    if picture.source.exif:
        exif.load(picture.source.exif)
        exif.pop(ORIENTATION_TAG, None)  # the pixels are upright already
    if comment:
        exif[metadata.SOFTWARE_TAG] = f"Attune {metadata.version()}"
        exif.get_ifd(metadata.EXIF_FOLDER_TAG)[metadata.USER_COMMENT_TAG] = metadata.user_comment(comment)
    return exif.tobytes() if len(exif) or comment else b""


def extras(picture: Picture) -> dict[str, Any]:
    """Pillow's keywords for the document's profile and resolution."""
    state = picture.state
    found: dict[str, Any] = {}
    if state.icc_profile:
        found["icc_profile"] = state.icc_profile
    if state.dpi is not None:
        found["dpi"] = state.dpi
    return found


def provenance_keywords(
    picture: Picture, options: ExportOptions, largest_xmp: int | None = None
) -> dict[str, Any]:
    """Pillow's `exif` and `xmp` for JPEG and WebP; nothing if the user wants no metadata."""
    if not options.metadata:
        return {}
    provenance = metadata.provenance_of(picture.state, picture.source)
    found: dict[str, Any] = {}
    exif = exif_bytes(picture, provenance.parameters)
    if exif:
        found["exif"] = exif
    packet = (
        metadata.xmp_packet(provenance, picture.source.xmp) if provenance.source_type else picture.source.xmp
    )
    if largest_xmp is not None and len(packet) > largest_xmp:  # the source's own is what can be missed
        packet = metadata.xmp_packet(provenance) if provenance.source_type else b""
    if packet:
        found["xmp"] = packet
    return found


def recipe_name(generated: bool, path: Path) -> str:
    return "Generated" if generated else path.stem


def _source(image: Image.Image) -> tuple[SourceMetadata, str]:
    """What the file carries, and our payload if it has one."""
    image.load()  # text chunks may follow the pixels
    exif = image.getexif()
    text = {
        key: value for key, value in image.info.items() if isinstance(key, str) and isinstance(value, str)
    }
    xmp = image.info.get("xmp") or text.get(metadata.XMP_KEY, "")
    packet = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    payload = text.get(metadata.KEY, "") or metadata.read_xmp(packet)[0]
    comment = exif.get_ifd(metadata.EXIF_FOLDER_TAG).get(metadata.USER_COMMENT_TAG)
    if metadata.PARAMETERS_KEY not in text and comment:
        text[metadata.PARAMETERS_KEY] = metadata.read_user_comment(comment)
    return (
        SourceMetadata(
            exif=exif.tobytes() if len(exif) else b"",
            text={key: value for key, value in text.items() if key not in (metadata.KEY, metadata.XMP_KEY)},
            xmp=packet,
        ),
        payload,
    )


def _profile(image: Image.Image) -> bytes:
    """The colour space of the pixels; one of grey or ink would not fit them, because they become RGB."""
    profile = bytes(image.info.get("icc_profile") or b"")
    return profile if profile[16:20] == b"RGB " else b""


def _as_photo(source: SourceMetadata) -> SourceMetadata:
    return replace(source, photo=True)


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info.get("dpi") or ())
    except (TypeError, ValueError):
        return None
    return (across, down) if across > 0 and down > 0 else None


def _from_deep(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if values.dtype.kind == "f":
        top = float(values.max(initial=0)) or 1.0
        scaled = np.clip(values / (top if top > 1 else 1.0), 0, 1) * 255
    else:
        scaled = np.clip(values.astype(np.int64), 0, 65535) / 257
    return Image.fromarray(np.round(scaled).astype(np.uint8), "L")


def _srgb_profile() -> Any:
    make = cast("Callable[[str], Any]", getattr(ImageCms, "createProfile"))  # noqa: B009 - untyped in Pillow
    return make("sRGB")


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        srgb = ImageCms.ImageCmsProfile(_srgb_profile())
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")
