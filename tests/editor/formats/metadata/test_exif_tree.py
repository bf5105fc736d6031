"""EXIF and its neighbours out of TIFF files of both orders and sizes."""

import struct
from pathlib import Path

import pytest
from PIL import Image

from editor.formats.files import ExportOptions, export_picture
from editor.formats.metadata import exif, photoshop
from editor.formats.metadata.exif_block import ASCII, EXIF, LONG, MAKER_NOTE, SHORT, UNDEFINED, Block
from editor.formats.metadata.photoshop import Resource
from editor.layers.state import SourceMetadata
from tests.editor.formats.test_carried import CAPTIONS, state

NOTE = bytes(range(1, 201))
FAR = 500


def big_tiff(order: str) -> bytes:
    """A directory with a name, a number of 64 bits, and an Exif directory whose note lies at `FAR`."""
    name = b"Maker\0"
    photo_at, note_at = 300, FAR
    main = [
        (0x0100, SHORT, 1, struct.pack(f"{order}H", 5)),  # of the layout
        (0x010F, ASCII, len(name), name),
        (0x9999, 16, 1, struct.pack(f"{order}Q", 77)),
        (0x9998, 16, 1, struct.pack(f"{order}Q", 2**40)),  # has no place in a block
        (EXIF, 18, 1, struct.pack(f"{order}Q", photo_at)),
    ]
    photo = [(MAKER_NOTE, UNDEFINED, len(NOTE), struct.pack(f"{order}Q", note_at))]
    data = bytearray(FAR + len(NOTE))
    data[:16] = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HHHQ", 43, 8, 0, 16)
    for place, entries in ((16, main), (photo_at, photo)):
        lines = [
            struct.pack(f"{order}HHQ", tag, kind, n) + value.ljust(8, b"\0")
            for tag, kind, n, value in entries
        ]
        body = struct.pack(f"{order}Q", len(lines)) + b"".join(lines)
        data[place : place + len(body)] = body
    data[FAR:] = NOTE
    return bytes(data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_big_tiffs_become_classic_blocks_with_the_note_in_its_place(order: str) -> None:
    data = big_tiff(order)
    said, apart = exif.from_tiff(lambda place, size: data[place : place + size])
    block = Block(said)
    assert apart == {}
    assert block.order == order
    assert block.value(block.main, 0x010F) == b"Maker\0"
    assert block.whole(block.main, 0x9999) == 77
    assert block.find(block.main, 0x0100) is None
    assert block.find(block.main, 0x9998) is None
    note = block.find(block.photo, MAKER_NOTE)
    assert note is not None
    assert (note.value, block.bytes_of(note)) == (FAR, NOTE)


@pytest.mark.parametrize("order", ["<", ">"])
def test_captions_are_read_however_they_were_declared(order: str) -> None:
    """Some programs declare IPTC as numbers of 32 bits, and libtiff turns their bytes round."""
    padded = CAPTIONS.ljust(-(-len(CAPTIONS) // 4) * 4, b"\0")
    numbers = struct.unpack(f">{len(padded) // 4}I", padded)
    block = Block.empty(order)
    assert block.main is not None
    block.put(block.main, 33723, LONG, struct.pack(f"{order}{len(numbers)}I", *numbers))
    _, apart = exif.from_tiff(lambda place, size: bytes(block.data[place : place + size]))
    assert apart == {33723: padded}
    plain = Block.empty(order)
    assert plain.main is not None
    plain.put(plain.main, 33723, LONG, padded)  # and others do not
    _, apart = exif.from_tiff(lambda place, size: bytes(plain.data[place : place + size]))
    assert apart == {33723: padded}


def test_other_programs_find_what_a_tiff_of_ours_says(tmp_path: Path) -> None:
    block = photoshop.packed(
        [Resource(number=photoshop.IPTC, data=CAPTIONS), Resource(number=2000, data=b"path")]
    )
    export_picture(state(), SourceMetadata(photoshop=block, xmp=b"<x/>"), tmp_path / "a.tif", ExportOptions())
    with Image.open(tmp_path / "a.tif") as image:
        tags = image.tag_v2
        assert bytes(tags[33723]) == CAPTIONS
        assert photoshop.resources(bytes(tags[34377]))[0].number == 2000
        assert bytes(tags[700]) == b"<x/>"


@pytest.mark.parametrize("cut", range(0, 500, 37))
def test_cut_files_say_what_is_there(cut: int) -> None:
    data = big_tiff("<")[:cut]
    said, apart = exif.from_tiff(lambda place, size: data[place : place + size])
    assert apart == {}
    assert said == b"" or Block(said).main is not None
