"""Photoshop's image resources and the captions in them."""

import io
import struct

import pytest
from PIL import Image

from editor.formats.metadata import photoshop
from editor.formats.metadata.photoshop import Resource
from tests.editor.samples import flat

CAPTION = b"\x1c\x02\x78\x00\x05Hello" + b"\x1c\x02\x5a\x00\x04City"
LONG = b"\x1c\x02\x78\x80\x04\x00\x01\x00\x00" + bytes(65536)


def small_jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(flat(3, 20)).save(buffer, "JPEG")
    return buffer.getvalue()


def block() -> bytes:
    return photoshop.packed([
        Resource(number=photoshop.RESOLUTION, data=struct.pack(">I2HI2H", 300 << 16, 1, 1, 150 << 16, 1, 1)),
        Resource(number=photoshop.IPTC, data=CAPTION, name=b"odd"),
        Resource(number=photoshop.THUMBNAIL, data=b"old picture"),
        Resource(number=photoshop.DIGEST, data=bytes(16)),
        Resource(number=0x0422, data=b"EXIF of before"),
        Resource(number=2000, data=b"a path", name=b"Path 1"),
    ])  # fmt: skip


def exported(**keywords: object) -> dict[int, bytes]:
    given = {"dpi": None, "thumbnail": small_jpeg, **keywords}
    found = photoshop.exported(block(), **given)  # pyright: ignore[reportArgumentType]
    return {item.number: item.data for item in photoshop.resources(found)}


def test_resources_come_back_as_they_were() -> None:
    found = photoshop.resources(block())
    assert photoshop.packed(found) == block()
    assert [item.name for item in found][1::4] == [b"odd", b"Path 1"]
    assert photoshop.captions(block()) == CAPTION
    assert photoshop.dpi_of(block()) == (300, 150)


def test_an_export_changes_only_what_is_no_longer_true() -> None:
    kept = exported(dpi=(72.0, 96.5))
    assert 0x0422 not in kept
    assert kept[2000] == b"a path"
    assert kept[photoshop.IPTC] == CAPTION
    assert kept[photoshop.DIGEST] == bytes(16)
    assert photoshop.dpi_of(photoshop.packed([Resource(number=0x03ED, data=kept[0x03ED])])) == (72, 96.5)
    head = struct.unpack(">6I2H", kept[photoshop.THUMBNAIL][:28])
    assert head == (1, 20, 20, 60, 1200, len(small_jpeg()), 24, 1)
    assert Image.open(io.BytesIO(kept[photoshop.THUMBNAIL][28:])).size == (20, 20)


def test_captions_can_lose_some_datasets_and_their_digest() -> None:
    kept = exported(without={(2, 90)})
    assert kept[photoshop.IPTC] == CAPTION[:10]
    assert photoshop.DIGEST not in kept


def test_long_datasets_are_counted_with_their_own_size() -> None:
    assert photoshop.filtered(LONG + CAPTION, {(2, 120)}) == CAPTION[10:]


def test_a_document_s_captions_and_paths_come_along_without_what_is_of_its_layers() -> None:
    layers = Resource(number=1026, data=b"groups of layers")
    inside = block() + photoshop.packed([layers])
    data = bytes(26) + struct.pack(">I", 3) + b"abc" + struct.pack(">I", len(inside)) + inside + b"layers"
    found = photoshop.of_document(data)
    assert photoshop.captions(found) == CAPTION
    assert {item.number for item in photoshop.resources(found)} >= {2000, photoshop.RESOLUTION}
    assert b"groups of layers" not in found
    assert photoshop.of_document(data[:28]) == photoshop.of_document(data[:34]) == b""


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_cut_blocks_give_what_is_whole(cut: int) -> None:
    whole = photoshop.resources(block())
    found = photoshop.resources(block()[:cut])
    assert found == whole[: len(found)]
    assert photoshop.exported(block()[:cut], dpi=(72, 72), thumbnail=small_jpeg) is not None
