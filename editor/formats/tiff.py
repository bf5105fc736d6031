"""TIFF: 8 or 16 bits, deflated or plain, read in nearly every layout that the standard knows.

`tifffile` with `imagecodecs` decodes what is stored, and `tiff_samples` says what it means. Fax and old-style
JPEG strips and subsampled YCbCr go through Pillow, whose libtiff knows them.
"""

from __future__ import annotations

import logging
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image, TiffImagePlugin

from editor.document.export_options import ExportOptions
from editor.formats import FORMATS, Opened, raster
from editor.formats.carried import Words, words_of
from editor.formats.decoding import out_of_grey, quiet, read_picture, said_broken, upright
from editor.formats.metadata import exif, photoshop
from editor.formats.metadata.exif_block import BYTE, RATIONAL, SHORT, UNDEFINED
from editor.formats.picture import Picture
from editor.formats.tiff_samples import CHANNELS, RGB, STRAIGHT_ALPHA, YCBCR, to_samples
from editor.formats.tiff_samples import Tags as Declared
from editor.formats.tiff_writer import Tags, write_tiff
from editor.layers.limits import check_file_size
from editor.pixels.raster import Samples, frozen
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.messages import NOTHING, Message

if TYPE_CHECKING:
    from tifffile import TiffPage

LARGEST_BYTES = 4 * 10**9  # classic TIFF counts bytes with 32 bits
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH, _CENTIMETRE = 282, 283, 296, 2, 3
_XMP, _PROFILE, _ORIENTATION, _INK_SET = 700, 34675, 274, 332
_DNG_VERSION = 50706
_SENSOR = (32803, 34892)  # colour filter array, linear raw
_NEXT_PICTURES = 1000  # directories that are looked at to say that there is more than one

_JPEG, _WEBP = 7, 50001
_OWN_COLOURS = (_JPEG, 34892, _WEBP, 50002, 52546)  # their decoders give RGB whatever was stored
_COMPRESSIONS = frozenset(
    (1, 5, 8, 32773, 32946, 33003, 33004, 33005, 34712, 34887, 34925, 34926, 50000, *_OWN_COLOURS)
)
_BY_PILLOW = frozenset((2, 3, 4, 6))  # fax of three kinds, and JPEG in its old style
_NAMES = {32809: "ThunderScan", 34676: "LogLuv (SGI Log)", 34677: "LogLuv (SGI Log 24)", 34661: "JBIG"}
_INTERPRETATIONS = {
    4: Message("transparency masks"),
    32844: Message("LogL brightness"),
    32845: Message("LogLuv colours"),
}


def read(path: Path) -> Opened:
    """The first picture of a file as a document of one layer, or a developed raw one; see `Codec.read`."""
    notes: list[Message] = []
    with said_broken(path.name), quiet():
        if _is_raw(path):
            return FORMATS["raw"].codec.read(path)
        with carrier_of(path) as image:
            samples = _samples(path, image, notes)
            return raster.as_opened(path, samples, image, notes)


def _samples(path: Path, carrier: Image.Image, notes: list[Message]) -> Samples:
    """Read-only RGBA samples [H, W, 4], upright; grey ones out of their profile."""
    from tifffile import TiffFile

    with TiffFile(path, _multifile=False) as file:
        page = file.pages.first
        check_file_size(path.name, page.imagewidth, page.imagelength)
        _note_others(file, notes)
        if _needs_pillow(page):
            return read_picture(path, ("TIFF",), notes)
        _refuse_unknown(page)
        if 0 in page.databytecounts:
            notes.append(Message("Parts of the picture are missing in the file; they were left black."))
        try:
            values = _values(page)
        except Exception:
            if page.bitspersample != 8 or page.sampleformat != 1:
                raise
            return read_picture(path, ("TIFF",), notes)  # libtiff forgives more, and is right with 8 bits
        samples = out_of_grey(to_samples(values, _declared(page), notes), carrier, notes)
        orientation = page.tags.valueof(_ORIENTATION, 1)
        return frozen(upright(samples, int(orientation) if isinstance(orientation, int) else 1))


def _is_raw(path: Path) -> bool:
    """Whether the first picture is but a preview of what a camera's sensor saw."""
    from tifffile import TiffFile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what is odd is ours to say
    with TiffFile(path, _multifile=False) as file:
        page = file.pages.first
        if _DNG_VERSION in page.tags or page.photometric in _SENSOR:
            return True
        inner: Any = page.pages if page.subifds else None
        return inner is not None and any(inner[at].photometric in _SENSOR for at in range(len(inner)))


def _values(page: TiffPage) -> Any:
    """What is stored, [H, W, S]."""
    stored = page.asarray(squeeze=False)  # planes, depth, height, width, channels
    return np.moveaxis(stored[:, 0, ..., 0], 0, -1) if page.planarconfig == 2 else stored[0, 0]


def _declared(page: TiffPage) -> Declared:
    photometric = int(page.photometric or 0)
    if photometric == YCBCR and int(page.compression) in _OWN_COLOURS and page.planarconfig == 1:
        photometric = RGB
    profile: Any = page.tags.valueof(_PROFILE)
    return Declared(
        photometric=photometric,
        bits=int(page.bitspersample),
        kind=int(page.sampleformat),
        extra=_extra(page),
        palette=page.colormap,
        ink_set=int(page.tags.valueof(_INK_SET, 1)),
        profile=bytes(profile) if isinstance(profile, bytes) else b"",
    )


def _extra(page: TiffPage) -> tuple[int, ...]:
    """What the channels beyond the colours are; where a file does not say, the first is taken for alpha."""
    said = tuple(int(item) for item in page.extrasamples)
    if not said and page.samplesperpixel > CHANNELS[int(page.photometric or 0)]:
        return (STRAIGHT_ALPHA,)
    return said


def _needs_pillow(page: TiffPage) -> bool:
    compression = int(page.compression)
    stored_as_ycbcr = page.photometric == YCBCR and compression not in _OWN_COLOURS
    return compression in _BY_PILLOW or stored_as_ycbcr


def _refuse_unknown(page: TiffPage) -> None:
    """Refuse what is no damage and not read either, by its name."""
    compression, photometric = int(page.compression), int(page.photometric or 0)
    what = NOTHING
    if compression not in _COMPRESSIONS:
        what = Message("the compression {name}", name=_NAMES.get(compression, compression))
    elif photometric not in CHANNELS:
        what = _INTERPRETATIONS.get(photometric, Message("colours of kind {kind}", kind=photometric))
    elif page.imagedepth != 1:
        what = Message("pictures with depth")
    elif page.dtype is None or page.dtype.kind not in "buif" or _bits_differ(page):
        what = Message("{bits} bits a channel", bits=page.bitspersample)
    if what:
        raise EditorError("TIFF with {what} is not supported.", "Save it in another way.", what=what)


def _bits_differ(page: TiffPage) -> bool:
    value: Any = page.tags.valueof(258, 1)
    bits = cast("tuple[int, ...]", value)[: page.samplesperpixel] if isinstance(value, tuple) else ()
    return len(set(bits)) > 1


def _note_others(file: Any, notes: list[Message]) -> None:
    """Say that there are more pictures, beside smaller copies and masks of the first."""
    for index in range(1, _NEXT_PICTURES):
        try:
            page = file.pages[index]
        except (IndexError, ValueError, RuntimeError, KeyError):
            return
        if not (page.is_reduced or page.is_mask):
            notes.append(Message("The file holds more than one picture; the first was opened."))
            return


def carrier_of(path: Path) -> Image.Image:
    """An image of Pillow with what the file says beside its pixels; an empty one where it cannot open it."""
    try:
        image = Image.open(path, formats=("TIFF",))
    except (OSError, ValueError, SyntaxError, ArithmeticError):
        return _empty_carrier(path)
    return image


def _empty_carrier(path: Path) -> Image.Image:
    image = Image.new("RGB", (1, 1))
    with path.open("rb") as file:
        head = file.read(8)
        if head[2:3] == b"\x2b" or head[3:4] == b"\x2b":  # BigTIFF
            head += file.read(8)
        directory = TiffImagePlugin.ImageFileDirectory_v2(head)
        start = directory.next
        file.seek(start)
        directory.load(file)
        exif = Image.Exif()
        exif.bigtiff = len(head) == 16
        exif.endian = ">" if directory.prefix == b"MM" else "<"
        exif.load_from_fp(file, start)
        dict(exif)  # read before it is said to be a classic one, which alone can be packed
        exif.bigtiff = False
        image.info["exif"] = exif.tobytes()
    for tag, name in ((_XMP, "xmp"), (_PROFILE, "icc_profile")):
        if isinstance(directory.get(tag), bytes):
            image.info[name] = directory[tag]
    across, down = directory.get(_X_RESOLUTION), directory.get(_Y_RESOLUTION)
    if across and down:
        scale = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(directory.get(_RESOLUTION_UNIT, _INCH))
        if scale is not None:
            image.info["dpi"] = (float(across) * scale, float(down) * scale)
    return image


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write the composite; see `Codec.write`.

    Raises:
        EditorError: more than 4 GB.
    """
    size = picture.width * picture.height * picture.depth // 8 * 4
    if size > LARGEST_BYTES:
        raise EditorError(
            "The picture has {size_gb} GB; TIFF holds up to 4 GB.",
            "Export it as PNG, or smaller.",
            size_gb=size // 10**9,
        )
    with atomic_write(path) as file:
        words = words_of(picture, options, "tiff")
        block = words.exif or exif.Block.empty("<")
        tags = tags_of(picture, words, block.order)
        write_tiff(file, picture, block, tags, compress=options.tiff_compression == "deflate")
    return ()


def tags_of(picture: Picture, words: Words, order: str) -> Tags:
    """What is said beside the pixels and EXIF, each as (type, bytes in the file's order)."""
    tags: Tags = {}
    captions = photoshop.captions(words.photoshop)
    others = photoshop.with_captions(words.photoshop, b"")
    for tag, kind, data in (
        (exif.XMP, BYTE, words.xmp),
        (exif.IPTC, UNDEFINED, captions),
        (exif.PHOTOSHOP, BYTE, others),
        (_PROFILE, UNDEFINED, picture.state.icc_profile),
    ):
        if data:
            tags[tag] = (kind, data)
    if picture.state.dpi is not None:
        for tag, value in zip((_X_RESOLUTION, _Y_RESOLUTION), picture.state.dpi, strict=True):
            tags[tag] = (RATIONAL, struct.pack(f"{order}II", *exif.ratio(value)))
        tags[_RESOLUTION_UNIT] = (SHORT, struct.pack(f"{order}H", _INCH))
    return tags
