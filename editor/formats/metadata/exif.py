"""EXIF between files: carried as it is, changed in place where an export says something else."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from PIL import Image

from editor.formats.decoding import ORIENTATION_TAG
from editor.formats.metadata import location
from editor.formats.metadata import provenance as metadata
from editor.formats.metadata.exif_block import (
    ASCII,
    EXIF,
    GPS,
    LONG,
    MAKER_NOTE,
    PREFIX,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Block,
    Folder,
)
from editor.formats.metadata.exif_tree import Read, Tree, Value, read_tree, written
from inference.messages import Message
from inference.process.version import version

GPS_TAG = GPS
MAKER_NOTE_TAG = MAKER_NOTE
LARGEST_JPEG_BYTES = 65_527  # one APP1 segment
MAKE, MODEL = 0x010F, 0x0110
IPTC, PHOTOSHOP, XMP = 33723, 34377, 700
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)
_ACROSS, _DOWN, _UNIT, _INCH = 282, 283, 296, 2
_LONG_BYTES = 1000

APART = frozenset({XMP, IPTC, PHOTOSHOP, 34675, 37724})
"""What a TIFF holds that is kept apart: XMP, IPTC, Photoshop's blocks and layers, the profile."""

LAYOUT = frozenset({
    *range(254, 267), 273, 274, 277, 278, 279, 280, 281, 284, *range(288, 294), 301, 317, *range(320, 327),
    330, 332, 334, 336, 338, 339, 340, 341, 347, *range(512, 522), 529, 530, 531, 532, 559,
})  # fmt: skip
"""Tags of a TIFF that say how its pixels lie."""

_PLACES_OF_PIXELS = frozenset({273, 279, 288, 289, 324, 325, 330, 347})

BROKEN = (ValueError, TypeError, struct.error, KeyError, AttributeError, OSError, SyntaxError, IndexError,
          RuntimeError, ArithmeticError, AssertionError)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What an export says in its EXIF beside what the source said.

    Args:
        size: width and height; those that the block names are set to it.
        comment: how the picture was made; it replaces the user's comment, and our name the software's.
        names: texts for tags of the first directory that have none yet.
        thumbnail: gives a JPEG for the place of the old one; None takes it out.
    """

    size: tuple[int, int]
    dpi: tuple[float, float] | None = None
    keeps_dpi: bool = False  # EXIF is the format's only place for it
    location: bool = True
    comment: str = ""
    names: Mapping[int, str]
    thumbnail: Callable[[], bytes] | None = None


def from_tiff(read: Read) -> tuple[bytes, dict[int, bytes]]:
    """EXIF of a TIFF file without what describes its pixels, and the bytes of what is kept apart.

    Both are empty if the file is broken.
    """
    try:
        order, tree = read_tree(read, LAYOUT)
    except BROKEN:
        return b"", {}
    apart = {tag: _whole_bytes(value, order) for tag, value in tree.items() if isinstance(value, Value)}
    kept: Tree = {tag: value for tag, value in tree.items() if tag not in APART}
    said = PREFIX + written(order, kept) if kept else b""
    return said, {tag: data for tag, data in apart.items() if tag in APART}


def _whole_bytes(value: Value, order: str) -> bytes:
    """IPTC that was declared as numbers of 32 bits lies in their order."""
    if value.kind != LONG or order == ">" or value.data[:1] == b"\x1c":
        return value.data
    count = len(value.data) // 4
    return struct.pack(f">{count}I", *struct.unpack(f"<{count}I", value.data))


def carried(data: bytes) -> bytes:
    """A block as a file has it; b"" if it is none."""
    block = block_of(data)
    return PREFIX + bytes(block.data) if block is not None and any(block.entries(block.main)) else b""


def block_of(data: bytes) -> Block | None:
    """The block for reading and changing; None if it is broken."""
    try:
        return Block(data)
    except (ValueError, struct.error):
        return None


def comment_of(data: bytes) -> str:
    """The text of UserComment, where other tools put how a picture was made."""
    block = block_of(data)
    if block is None:
        return ""
    return metadata.read_user_comment(block.value(block.photo, metadata.USER_COMMENT_TAG), block.order)


def name_in(data: bytes, tag: int) -> str:
    """A text of the first directory, "" for none."""
    block = block_of(data)
    found = block.value(block.main, tag) if block is not None else None
    return (found or b"").decode("utf-8", errors="replace").rstrip("\0 ")


def dpi_of(data: bytes) -> tuple[float, float] | None:
    """Pixels per inch across and down, if the block says them."""
    block = block_of(data)
    found = [block.value(block.main, tag) for tag in (_ACROSS, _DOWN)] if block is not None else []
    if block is None or any(value is None or len(value) != 8 for value in found):
        return None
    pairs = [struct.unpack(f"{block.order}II", value or b"") for value in found]
    if any(bottom == 0 for _, bottom in pairs):
        return None
    scale = 2.54 if block.whole(block.main, _UNIT) == 3 else 1
    across, down = (top / bottom * scale for top, bottom in pairs)
    return across, down


def parsed(data: bytes) -> Image.Exif:
    """The values for reading; empty if it is broken."""
    exif = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is damaged; it is left out
            exif.load(data)
            dict(exif)
            if metadata.EXIF_FOLDER_TAG in exif:
                exif.get_ifd(metadata.EXIF_FOLDER_TAG)
    except BROKEN:
        return Image.Exif()
    return exif


def for_export(data: bytes, wishes: Wishes) -> Block | None:
    """A source's block, upright, for a picture of another size, with our words; None if there are none."""
    block = block_of(data) if data else None
    says_dpi = wishes.keeps_dpi and wishes.dpi is not None
    if block is None:
        if not (wishes.comment or wishes.names or says_dpi):
            return None
        block = Block.empty()
    for folder in (block.main, block.thumbnail_folder):
        block.remove(folder, (ORIENTATION_TAG,))
    block.remove(block.main, APART, wiped=True)
    block.remove(block.main, _PLACES_OF_PIXELS)
    if not wishes.location:
        location.strip_exif(block)
    _put_size(block, wishes.size)
    if wishes.dpi is not None:
        _put_dpi(block, wishes.dpi, always=says_dpi)
    _put_thumbnail(block, wishes.thumbnail)
    if wishes.comment:
        _put_comment(block, wishes.comment)
    for tag, text in wishes.names.items():
        if not block.value(_main(block), tag):
            block.put(_main(block), tag, ASCII, text.encode() + b"\0")
    return block


def fitted(block: Block, largest: int, notes: list[Message]) -> bytes:
    """The block's bytes; what does not fit into `largest` is dropped, and noted."""
    if len(block.data) <= largest:
        return bytes(block.data)
    order, tree = read_tree(_reader(block), ())
    data = written(order, tree)  # without the thumbnail
    photo = tree.get(EXIF)
    if len(data) > largest and isinstance(photo, dict) and photo.pop(MAKER_NOTE, None) is not None:
        notes.append(Message("The camera maker's own notes were left out: EXIF in a JPEG holds 64 KB."))
        data = written(order, tree)
    if len(data) > largest:
        _drop_long(tree)
        notes.append(Message("Some long EXIF entries were left out: EXIF in a JPEG holds 64 KB."))
        data = written(order, tree)
    return data if len(data) <= largest else b""


def has_location(data: bytes) -> bool:
    """Whether EXIF says where a picture was taken."""
    block = block_of(data) if data else None
    return block is not None and location.in_exif(block)


def loses_notes(data: bytes, largest: int) -> bool:
    """Whether a block has a note of the camera's maker that `fitted` would leave out."""
    block = block_of(data)
    if block is None or len(block.data) <= largest or block.find(block.photo, MAKER_NOTE) is None:
        return False
    return len(written(*read_tree(_reader(block)))) > largest


def _reader(block: Block) -> Read:
    return lambda place, size: bytes(block.data[place : place + size])


def _drop_long(tree: Tree) -> None:
    for tag, value in list(tree.items()):
        if isinstance(value, dict):
            _drop_long(value)
        elif len(value.data) > _LONG_BYTES:
            del tree[tag]


def _main(block: Block) -> Folder:
    found = block.main
    assert found is not None, "a block has a first directory"
    return found


def _put_size(block: Block, size: tuple[int, int]) -> None:
    """Where the block names the picture's size; it is not added."""
    for tags, value in zip((_WIDTHS, _HEIGHTS), size, strict=True):
        for folder, tag in zip((block.main, block.photo), tags, strict=True):
            if folder is not None and block.find(folder, tag) is not None:
                code, kind = ("H", SHORT) if value < 2**16 else ("I", LONG)
                block.put(folder, tag, kind, struct.pack(f"{block.order}{code}", value))


def _put_dpi(block: Block, dpi: tuple[float, float], *, always: bool) -> None:
    for tag, value in zip((_ACROSS, _DOWN), dpi, strict=True):
        if always or block.find(block.main, tag) is not None:
            block.put(_main(block), tag, RATIONAL, struct.pack(f"{block.order}II", *ratio(value)))
    if always or block.find(block.main, _UNIT) is not None:
        block.put(_main(block), _UNIT, SHORT, struct.pack(f"{block.order}H", _INCH))


def ratio(value: float) -> tuple[int, int]:
    """A number up to 1e6 as EXIF's rational."""
    found = Fraction(value).limit_denominator(1000)
    return found.numerator, found.denominator


def _put_thumbnail(block: Block, thumbnail: Callable[[], bytes] | None) -> None:
    folder = block.thumbnail_folder
    if folder is not None and thumbnail is not None and block.thumbnail_range(folder)[1]:
        block.put_thumbnail(thumbnail())
        block.remove(folder, (_WIDTHS[0], _HEIGHTS[0]))  # of the thumbnail before
    elif folder is not None:
        block.remove_thumbnail()


def _put_comment(block: Block, comment: str) -> None:
    software = f"Attune {version()}".encode() + b"\0"
    block.put(_main(block), metadata.SOFTWARE_TAG, ASCII, software)
    photo = block.put_folder(_main(block), EXIF)
    block.put(photo, metadata.USER_COMMENT_TAG, UNDEFINED, metadata.user_comment(comment, block.order))
