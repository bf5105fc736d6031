"""How many pictures are in memory at once."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editor.batch import memory
from editor.batch.memory import Room, needed_bytes
from editor.system.process_memory import available_bytes
from inference.errors import Cancelled
from tests.editor.batch.pictures import batch, folder_of, picture

MIB = 2**20


def never() -> None:
    pass


def test_what_does_not_fit_waits_for_its_turn() -> None:
    room = Room(300 * MIB)
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with room.taken(200 * MIB, waits.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with room.taken(200 * MIB, never):
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_more_than_there_is_goes_alone_and_a_stop_ends_the_wait() -> None:
    room = Room(300 * MIB)

    def stop() -> None:
        raise Cancelled

    with room.taken(10**12, never), pytest.raises(Cancelled), room.taken(1, stop):
        pass
    with room.taken(300 * MIB, never):  # who was stopped holds nothing, and is in nobody's way
        pass


def test_a_header_tells_what_a_picture_takes(tmp_path: Path) -> None:
    picture(1, (200, 100)).save(tmp_path / "a.jpg")
    deep = Image.fromarray(np.zeros((100, 200), np.uint16))
    deep.save(tmp_path / "a.tif")
    deep.save(tmp_path / "a.png")
    usual = needed_bytes(tmp_path / "a.jpg")
    assert usual >= 200 * 100 * 12  # samples of four channels: decoded, before and after a step
    assert needed_bytes(tmp_path / "a.tif") == needed_bytes(tmp_path / "a.png") == 2 * usual
    (tmp_path / "b.raw").write_bytes(bytes(1000))
    assert needed_bytes(tmp_path / "b.raw") > 0
    assert needed_bytes(tmp_path / "gone") == 0
    assert (available_bytes() or 1) > 0


def test_a_batch_of_pictures_that_do_not_fit_is_done_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from editor.batch import run_one

    monkeypatch.setattr(memory, "_LEAST_BYTES", 1)
    at_work, most = 0, 0
    counting = threading.Lock()
    worked_on = run_one._worked_on  # pyright: ignore[reportPrivateUsage]

    def counted(*arguments: object) -> object:
        nonlocal at_work, most
        with counting:
            at_work += 1
            most = max(most, at_work)
        try:
            return worked_on(*arguments)  # type: ignore[arg-type]
        finally:
            with counting:
                at_work -= 1

    monkeypatch.setattr(run_one, "_worked_on", counted)
    found = batch(folder_of(tmp_path / "in", 8), tmp_path / "out", cores=4, memory_bytes=1).run()
    assert found.done == 8
    assert most == 1
