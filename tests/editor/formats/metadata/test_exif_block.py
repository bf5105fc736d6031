"""Blocks are changed where they lie: what is kept stays where it was, byte for byte."""

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editor.formats.metadata.exif_block import (
    ASCII,
    EXIF,
    GPS,
    INTEROP,
    LONG,
    MAKER_NOTE,
    SHORT,
    UNDEFINED,
    Block,
    Folder,
)
from editor.formats.metadata.exif_tree import read_tree, written

NOTE = bytes(range(256))
THUMBNAIL = b"\xff\xd8" + bytes(500) + b"\xff\xd9"


def main(block: Block) -> Folder:
    found = block.main
    assert found is not None
    return found


def sample(order: str) -> Block:
    """All directories, a maker's note in the middle, and a thumbnail at the end."""
    block = Block.empty(order)
    block.put(main(block), 0x010F, ASCII, b"A maker\0")
    block.put(main(block), 0x0112, SHORT, struct.pack(f"{order}H", 6))
    photo = block.put_folder(main(block), EXIF)
    block.put(photo, MAKER_NOTE, UNDEFINED, NOTE)
    block.put(block.put_folder(main(block), EXIF), 0x9003, ASCII, b"2026:01:02 03:04:05\0")
    inner = block.put_folder(block.put_folder(main(block), EXIF), INTEROP)
    block.put(inner, 1, ASCII, b"R98\0")
    block.put(block.put_folder(main(block), GPS), 2, UNDEFINED, b"a secret place")
    place = len(block.data)
    block.data += struct.pack(f"{order}H", 2)
    block.data += struct.pack(f"{order}HHII", 0x0201, LONG, 1, place + 30)
    block.data += struct.pack(f"{order}HHII", 0x0202, LONG, 1, len(THUMBNAIL)) + bytes(4)
    block.data += THUMBNAIL
    count = struct.unpack_from(f"{order}H", block.data, main(block).place)[0]
    struct.pack_into(f"{order}I", block.data, main(block).place + 2 + 12 * count, place)
    return Block(bytes(block.data))


def note_place(block: Block) -> int:
    entry = block.find(block.photo, MAKER_NOTE)
    assert entry is not None
    assert block.bytes_of(entry) == NOTE
    return entry.value


@pytest.fixture(params=["<", ">"])
def block(request: pytest.FixtureRequest) -> Block:
    return sample(request.param)


def test_everything_is_found(block: Block) -> None:
    assert block.value(main(block), 0x010F) == b"A maker\0"
    assert block.whole(main(block), 0x0112) == 6
    assert block.value(block.photo, 0x9003) == b"2026:01:02 03:04:05\0"
    assert block.value(block.inner(block.photo, INTEROP), 1) == b"R98\0"
    folder = block.thumbnail_folder
    assert folder is not None
    start, size = block.thumbnail_range(folder)
    assert bytes(block.data[start : start + size]) == THUMBNAIL


def test_nothing_that_is_kept_moves(block: Block) -> None:
    before, length = note_place(block), len(block.data)
    block.remove(main(block), (0x0112,))
    block.remove_folder(main(block), GPS)
    block.put(main(block), 0x010F, ASCII, b"Short\0")
    assert len(block.data) == length
    block.put(main(block), 0x0131, ASCII, b"A new entry\0")
    block.put(main(block), 0x010F, ASCII, b"A much longer name than before\0")
    assert note_place(block) == before
    assert block.find(main(block), 0x0112) is None
    assert block.inner(main(block), GPS) is None
    assert b"secret" not in block.data
    assert block.value(main(block), 0x010F) == b"A much longer name than before\0"
    assert b"Short" not in block.data
    assert block.value(main(block), 0x0131) == b"A new entry\0"
    assert [entry.tag for entry in block.entries(main(block))] == [0x010F, 0x0131, EXIF]
    assert block.thumbnail_folder is not None


@pytest.mark.parametrize("size", [10, len(THUMBNAIL), 2000])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_thumbnails_are_put_in_place_of_the_old_one(block: Block, size: int, at_the_end: bool) -> None:
    if not at_the_end:
        block.data += b"more of the maker's"
    before, other = note_place(block), b"\xff\xd8" + bytes([7]) * (size - 2)
    block.put_thumbnail(other)
    folder = block.thumbnail_folder
    assert folder is not None
    start, length = block.thumbnail_range(folder)
    assert bytes(block.data[start : start + length]) == other
    assert note_place(block) == before
    assert at_the_end or b"more of the maker's" in block.data
    block.remove_thumbnail()
    assert block.thumbnail_folder is None
    assert other not in block.data


def test_written_anew_the_note_stays_in_its_place_and_all_values_are_there(block: Block) -> None:
    order, tree = read_tree(lambda place, size: bytes(block.data[place : place + size]))
    again = Block(written(order, tree))
    assert again.order == block.order
    assert note_place(again) == note_place(block)
    assert again.value(again.inner(again.photo, INTEROP), 1) == b"R98\0"
    assert again.value(again.inner(main(again), GPS), 2) == b"a secret place"
    assert len(again.data) < len(block.data)  # without the thumbnail


def test_costs_are_bounded_however_often_a_block_points_at_the_same_bytes() -> None:
    count, size, start = 2000, 2**23, 24_100
    lines = [struct.pack("<HHII", number, UNDEFINED, size, start) for number in range(count)]
    head = b"II*\0" + struct.pack("<IH", 8, count) + b"".join(lines)
    data = head.ljust(start, b"\0") + b"x" * size
    started = time.process_time()
    _, tree = read_tree(lambda place, length: data[place : place + length])
    assert len(tree) == 1
    block = Block(data)
    block.remove(block.main, range(count), wiped=True)
    assert not any(block.data[start:])
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "damage", [b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", bytes(40)]
)
def test_what_is_no_block_is_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match="EXIF"):
        Block(damage)


@settings(max_examples=300)
@given(data=st.data(), order=st.sampled_from("<>"))
def test_damaged_blocks_can_be_changed_without_an_exception(data: st.DataObject, order: str) -> None:
    damaged = bytearray(sample(order).data)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        block = Block(bytes(damaged))
    except ValueError:
        return
    block.remove_folder(block.main, GPS)
    block.remove(block.thumbnail_folder, (0x0112,))
    block.put_thumbnail(THUMBNAIL)
    block.remove_thumbnail()
    if block.main is not None:
        block.put(block.main, 0x0131, ASCII, b"Attune\0")
        assert block.value(block.main, 0x0131) == b"Attune\0"
