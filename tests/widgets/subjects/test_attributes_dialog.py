"""What an attribute's file says is read before it is taken in."""

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from editor.application import Application
from inference.deltas import Delta, DeltaInfo, DeltaLibrary, write_delta
from widgets.subjects.attributes_dialog import AttributesDialog
from widgets.window.main_window import MainWindow


def delta(path: Path) -> Path:
    info = DeltaInfo(
        key="man-tired",
        attribute="tired",
        label="Tired",
        subjects=("man",),
        range=(-1.0, 3.0),
        model="somebody's model",
        model_hash="0123456789abcdef",
        family="sdxl",
        method="learned",
        licence="CC0",
        phrases=(("rested man", "tired man"),),
    )
    write_delta(Delta(info=info, vectors={"clip_l": np.ones(768, np.float32)}), path)
    return path


@pytest.fixture
def dialog(filled: MainWindow, application: Application, tmp_path: Path, qtbot: QtBot) -> AttributesDialog:
    application.library = DeltaLibrary((tmp_path / "library",))
    filled.commands.show_attributes()
    found = filled.commands.dialog("attributes")
    assert isinstance(found, AttributesDialog)
    return found


def test_a_file_is_looked_at_before_it_is_taken_in(
    dialog: AttributesDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog.offer(delta(tmp_path / "tired.safetensors"))
    qtbot.waitUntil(lambda: not dialog.take.isHidden())
    for said in ("Tired", "man", "somebody's model (0123456789)", "−1 … 3", "CC0", "rested man … tired man"):
        assert said in dialog.facts.text()
    assert dialog.list.count() == 0
    dialog.take.click()
    qtbot.waitUntil(lambda: dialog.list.count() == 1)
    assert "is among the attributes now" in dialog.answer.text()
    assert "CC0" in dialog.facts.text()
    assert dialog.save.isEnabled()


def test_what_is_no_attribute_is_said(dialog: AttributesDialog, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "photo.safetensors"
    path.write_bytes(b"nothing of the kind")
    dialog.offer(path)
    qtbot.waitUntil(lambda: "no attribute delta" in dialog.answer.text())
    assert dialog.take.isHidden()


def test_what_is_ones_own_is_deleted_by_a_second_click(
    dialog: AttributesDialog,
    application: Application,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    delta(shipped / "man-tired.safetensors")
    delta(own / "mine" / "man-tired.safetensors")
    application.library = DeltaLibrary((shipped, own))
    application.long_jobs.kept.emit(application.library.list()[1])  # the list is read again
    qtbot.waitUntil(lambda: dialog.list.count() == 2)
    forgotten: list[bool] = []
    monkeypatch.setattr(application.sessions, "forget_attributes", lambda: forgotten.append(True))
    dialog.list.setCurrentRow(0)  # what is one's own comes first
    dialog.remove.click()
    assert dialog.remove.text() == "Really?"
    dialog.list.setCurrentRow(1)
    assert not dialog.remove.isEnabled()
    dialog.list.setCurrentRow(0)
    assert dialog.remove.text() == "Delete", "the question was about another"
    dialog.remove.click()
    dialog.remove.click()
    qtbot.waitUntil(lambda: dialog.list.count() == 1)
    assert "was deleted" in dialog.answer.text()
    assert [path.parent.name for path in tmp_path.rglob("man-tired.safetensors")] == ["shipped"]
    assert forgotten, "one that is taught again under this name would have shown the pictures of this one"


def test_closed_while_a_file_is_read_it_says_nothing_more(
    dialog: AttributesDialog, application: Application, tmp_path: Path, qtbot: QtBot
) -> None:
    dialog.offer(delta(tmp_path / "tired.safetensors"))
    dialog.offer(tmp_path / "none.safetensors")
    dialog.close()
    qtbot.waitUntil(lambda: not isValid(dialog))
    qtbot.waitUntil(lambda: not application.background.busy)
