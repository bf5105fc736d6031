"""Makers' notes as cameras write them, small: a directory with a text to be found and one to be kept."""

import struct

from editor.formats.metadata.exif_block import EXIF, MAKER_NOTE, UNDEFINED, Block

NOTES = ("Panasonic", "Leica", "Nikon", "Samsung", "Pentax", "Pentax, later", "Casio")
_HEADS = {
    "Panasonic": (b"Panasonic\0\0\0", 0x6B),
    "Leica": (b"LEICA\0\0\0", 0x69),
    "Nikon": (b"Nikon\0\x02\x10\0\0", 0x39),
    "Samsung": (b"", 0x30),
    "Pentax": (b"AOC\0MM", 0x23),
    "Pentax, later": (b"PENTAX \0II", 0x24),
    "Casio": (b"QVC\0\0\0", 0x3006),
}


def with_note(block: Block, maker: str, place_text: bytes, kept_text: bytes) -> tuple[Block, int]:
    """The block with a note that holds both texts, and where the kept one lies in the block."""
    photo = block.put_folder(_main(block), EXIF)
    block.put(photo, MAKER_NOTE, UNDEFINED, bytes(400))
    entry = block.find(block.photo, MAKER_NOTE)
    assert entry is not None
    head, tag = _HEADS[maker]
    order = block.order
    base = 0
    if maker == "Nikon":
        order, base = "<", entry.value + 10
        head += b"II*\0" + struct.pack("<I", 8)
    if maker == "Samsung":
        base, order = entry.value, "<"
    note = bytearray(400)
    note[: len(head)] = head
    if head.endswith((b"MM", b"II")):
        order = ">" if head.endswith(b"MM") else "<"
    first, second = 200, 300  # in the note
    lines = [(0x01, 7, 4, b"0100"), (tag, 7, len(place_text), first), (0x4000, 7, len(kept_text), second)]
    if maker == "Samsung":
        lines = [(0x01, 7, 4, b"0100"), *[(0x21 + n, 4, 1, b"\0\0\0\0") for n in range(4)], *lines[1:]]
    at = len(head)
    struct.pack_into(f"{order}H", note, at, len(lines))
    for index, (number, kind, count, value) in enumerate(lines):
        field = value if isinstance(value, bytes) else struct.pack(f"{order}I", entry.value + value - base)
        note[at + 2 + 12 * index : at + 14 + 12 * index] = (
            struct.pack(f"{order}HHI", number, kind, count) + field
        )
    note[first : first + len(place_text)] = place_text
    note[second : second + len(kept_text)] = kept_text
    block.data[entry.value : entry.value + 400] = note
    return block, entry.value + second


def _main(block: Block):
    found = block.main
    assert found is not None
    return found
