"""AVIF: read with up to 12 bits; written through Pillow with 8, lossy or nearly so, with EXIF and XMP."""

from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, features

from editor.document.export_options import ExportOptions
from editor.formats import Opened, raster
from editor.formats.boxes import properties_of
from editor.formats.carried import pillow_keywords, words_of
from editor.formats.colour_space import of_boxes
from editor.formats.decoding import eight_bits, said_broken
from editor.formats.deep import spread
from editor.formats.picture import Picture
from editor.pixels.raster import Samples
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.messages import Message

LARGEST_SIDE_PX = 65_535
_SPEEDS = {"fast": 9, "normal": 7, "small": 4}


def read(path: Path) -> Opened:
    """The picture of a file, with 16 bits where it has more than 8; see `Codec.read`."""
    _check_available()
    with said_broken(path.name):
        said, notes = properties_of(path), list[Message]()
        decode = partial(_deep, path, said.bits, notes) if said.bits > 8 else None
        return raster.read(path, ("AVIF",), notes, declared=partial(of_boxes, said), decode=decode)


def _deep(path: Path, bits: int, notes: list[Message], image: Image.Image) -> Samples:
    """Samples [H, W, 4] of 16 bits, not turned; Pillow gives 8 alone."""
    import imagecodecs

    if getattr(image, "n_frames", 1) != 1:  # of one of several it must not be asked
        notes.append(Message("The picture has more than 8 bits a channel; it was opened with 8."))
        return eight_bits(image, notes)
    values: Any = imagecodecs.avif_decode(path.read_bytes())
    if values.shape[:2] != (image.height, image.width):
        raise ValueError("its parts have different sizes")
    return spread(values, bits)


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`."""
    _check_available()
    words = words_of(picture, options, "avif")
    keywords = pillow_keywords(picture, words, [])
    keywords.pop("dpi", None)  # AVIF has no place for it
    if words.xmp:
        keywords["xmp"] = words.xmp
    sampling = "4:4:4" if options.lossless or options.subsampling == "auto" else options.subsampling
    image = raster.image_of(picture)
    with atomic_write(path) as file:
        image.save(
            file,
            "AVIF",
            quality=100 if options.lossless else options.quality,
            subsampling=sampling,
            speed=_SPEEDS[options.effort],
            **keywords,
        )
    return ()


def _check_available() -> None:
    if not features.check("avif"):
        raise EditorError("AVIF is not supported by this installation's Pillow.", "Choose WebP or JPEG.")
