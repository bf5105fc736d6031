"""Disks that are full, folders that are read-only or gone: an error to read, and nothing is lost."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from editor import commands
from editor.application import Application
from editor.document.document import Document
from editor.formats import files
from editor.layers.layer import Layer
from inference import files as writing
from inference.reasons import reason_of
from tests.editor.samples import noise
from tests.helpers.fake_application import make_application, open_document


@contextmanager
def full_disk(bytes_left: int) -> Iterator[None]:
    """No file may become larger, as if the disk ended there; the writes themselves fail, in the system."""
    import resource

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    compiles, sys.dont_write_bytecode = (
        not sys.dont_write_bytecode,
        True,
    )  # Python does not notice half a file
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, old[1]))
    try:
        yield
    finally:
        sys.dont_write_bytecode = not compiles
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.fixture
def application(qtbot: QtBot, tmp_path: Path) -> Iterator[Application]:
    made = make_application(tmp_path / "config")
    yield made
    made.shutdown()
    made.deleteLater()


@pytest.fixture
def document(application: Application) -> Document:
    layer = Layer.of_pixels(name="a", pixels=noise(1, 300, 300))
    made = open_document(application, Document.from_layer(layer, title="a"))
    rename(made, "changed")
    return made


def rename(document: Document, name: str) -> None:
    commands.push(document, commands.SetLayerProperty(document, document.layers[0].id, "name", name))


def save(application: Application, document: Document, path: Path, qtbot: QtBot) -> tuple[str, str, str]:
    """The message of a save that fails."""
    with qtbot.waitSignal(application.message) as caught:
        application.save(document, path)
    return caught.args[0], caught.args[1], caught.args[2]


def well_saved(application: Application, document: Document, path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(application.saved):
        application.save(document, path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_full_disk(application: Application, document: Document, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "out" / "a.ora"
    path.parent.mkdir()
    well_saved(application, document, path, qtbot)
    old = path.read_bytes()
    rename(document, "changed again")
    with full_disk(50_000):
        text, hint, level = save(application, document, path, qtbot)
    assert level == "error"
    assert str(path) in text
    assert "space" in hint
    assert document.modified
    assert document.layers[0].name == "changed again"
    assert path.read_bytes() == old
    assert names(path.parent) == ["a.ora"]
    well_saved(application, document, path, qtbot)
    assert not document.modified


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_read_only_folder(
    application: Application, document: Document, tmp_path: Path, qtbot: QtBot, number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(writing.os, "open", refuse)
        text, hint, _ = save(application, document, tmp_path / "a.ora", qtbot)
    assert str(reason_of(OSError(number, ""))) in text
    assert "another folder" in hint
    assert document.modified
    assert document.path is None


def test_vanished_folder(application: Application, document: Document, tmp_path: Path, qtbot: QtBot) -> None:
    folder = tmp_path / "drive"
    folder.mkdir()
    well_saved(application, document, folder / "a.ora", qtbot)
    rename(document, "changed again")
    folder.rename(tmp_path / "gone")
    text, hint, _ = save(application, document, folder / "a.ora", qtbot)
    assert "could not be written" in text
    assert "drive connected" in hint
    assert document.modified
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_exports_fail_as_well(
    application: Application, document: Document, tmp_path: Path, qtbot: QtBot
) -> None:
    for name in ("a.png", "a.jpg", "a.webp", "a.tif"):
        (tmp_path / name).write_bytes(b"old")
        with full_disk(2000), qtbot.waitSignal(application.message) as caught:
            application.export(document, tmp_path / name, files.ExportOptions())
        assert caught.args[2] == "error"
        assert "could not be written" in caught.args[0]
        assert (tmp_path / name).read_bytes() == b"old"


def test_the_last_of_several_saves_stays(
    application: Application, document: Document, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "a.ora"
    saved: list[object] = []
    application.saved.connect(lambda document, path: saved.append(path))
    for number in range(6):
        rename(document, str(number))
        application.save(document, path)
    qtbot.waitUntil(lambda: len(saved) == 6)
    opened = files.open_file(path)
    assert opened.state.layers[0].name == "5"
    assert not document.modified


def test_a_guide_set_while_saving_is_not_forgotten(
    application: Application, document: Document, tmp_path: Path, qtbot: QtBot
) -> None:
    from dataclasses import replace

    from editor.layers.state import Guide

    with qtbot.waitSignal(application.saved):
        application.save(document, tmp_path / "a.ora")
        state = replace(document.state, guides=(Guide(vertical=True, position=3),))
        commands.push(document, commands.ReplaceState(document, state, "Guide"))
    assert document.modified
    assert np.array_equal(document.composite(), files.open_file(tmp_path / "a.ora").state.layers[0].pixels)
