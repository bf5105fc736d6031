from pathlib import Path

import pytest

from editor.recovery.packs import MOST_PACKS, Packs
from editor.system.errors import WritingError
from inference.errors import EditorError

MANY = 2**30


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def put(packs: Packs, *numbers: int, size: int = 100) -> None:
    with packs.batch(MANY) as batch:
        for number in numbers:
            batch.put(key(number), bytes([number % 256]) * size)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_put_is_read_also_by_the_next_process(tmp_path: Path) -> None:
    packs = Packs(tmp_path)
    put(packs, 1, 2)
    put(packs, 3)
    for reader in (packs, Packs(tmp_path)):
        assert [reader.read(key(number))[0] for number in (1, 2, 3)] == [1, 2, 3]
        assert key(4) not in reader
        assert reader.nbytes == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_an_empty_batch_makes_no_file(tmp_path: Path) -> None:
    put(Packs(tmp_path))
    assert files(tmp_path) == []


def test_every_truncation_is_survived(tmp_path: Path) -> None:
    put(Packs(tmp_path), 1, 2, size=5)
    path = tmp_path / files(tmp_path)[0]
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        packs = Packs(tmp_path)
        for number in (1, 2):
            if key(number) in packs:
                assert packs.read(key(number)) == bytes([number]) * 5


def test_a_failed_batch_leaves_nothing(tmp_path: Path) -> None:
    packs = Packs(tmp_path)

    def fail() -> None:
        with packs.batch(MANY) as batch:
            batch.put(key(1), b"x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert files(tmp_path) == []
    assert key(1) not in packs
    put(packs, 1)
    assert key(1) in packs


def test_more_than_allowed_is_refused(tmp_path: Path) -> None:
    packs = Packs(tmp_path)
    with packs.batch(150) as batch:
        batch.put(key(1), bytes(100))
        with pytest.raises(EditorError, match="more room"):
            batch.put(key(2), bytes(100))
    with pytest.raises(EditorError, match="more room"), packs.batch(50) as batch:
        batch.put(key(3), bytes(100))
    assert files(tmp_path) == ["000001.pack"]


def test_a_folder_that_went_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    packs = Packs(folder)
    folder.rmdir()
    with pytest.raises(WritingError, match="could not be written"):
        put(packs, 1)


def test_swept_files_go_when_nothing_in_them_is_alive(tmp_path: Path) -> None:
    packs = Packs(tmp_path)
    put(packs, 1)
    put(packs, 2, 3)
    packs.sweep({key(3)})
    assert files(tmp_path) == ["000002.pack"]
    assert key(2) not in packs
    packs.sweep(())
    assert files(tmp_path) == []
    assert packs.nbytes == 0


def test_waste_is_worth_moving(tmp_path: Path) -> None:
    packs = Packs(tmp_path)
    put(packs, 1, 2, 3)
    put(packs, 4)
    assert packs.worth_moving({key(1), key(2), key(4)}) == []
    assert packs.worth_moving({key(1), key(4)}) == [key(1)]


def test_the_number_of_files_stays_bounded(tmp_path: Path) -> None:
    packs = Packs(tmp_path)
    live: set[bytes] = set()
    for number in range(5 * MOST_PACKS):
        live.add(key(number))
        with packs.batch(MANY) as batch:
            batch.put(key(number), bytes([number]))
            for moved in packs.worth_moving(live):
                batch.put(moved, packs.read(moved))
        packs.sweep(live)
        assert len(files(tmp_path)) <= MOST_PACKS + 1
    assert all(packs.read(key(number)) == bytes([number]) for number in range(5 * MOST_PACKS))
