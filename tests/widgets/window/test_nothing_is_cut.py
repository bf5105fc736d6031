"""Every dialog and panel has room for its texts, in both languages and at the usual scale factors."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QListWidget, QStackedWidget, QWidget

from editor.actions.forms import FORMS
from editor.words.translation import Translations
from tests.helpers.cut_texts import cut_texts
from tests.helpers.fake_application import generated, make_application, open_document
from widgets.window.main_window import SIZE, MainWindow

LANGUAGES = ("en", "zh_CN")
SCALES = ("1", "1.5", "2")
SCREEN = (1366, 768)  # of a small laptop, in Qt's pixels: the window lands inside of it
DIALOGS = (
    "new_picture", "new_canvas", "settings", "models", "export", "information", "shortcuts", "about",
    "contact_sheet", "step_search",
)  # fmt: skip


def measured(language: str, folder: Path) -> dict[str, list[str]]:
    """What is cut, by where it is."""
    translations = Translations()
    translations.choose(language)
    application = make_application(folder)
    window = MainWindow(application)
    window.show()
    window.resize(SIZE)  # a screen of tests may be smaller, and the window with it
    found = {"welcome": cut_texts(window)}
    document = open_document(application, generated())
    for name, panel in window.panels.items():
        panel.show()
        panel.raise_()
        found[f"panel {name}"] = cut_texts(panel)
    for tool in ("brush", "transform", "text", "wand", "crop"):
        application.tools.use(tool)
        found[f"options {tool}"] = cut_texts(window.tool_options)
    found["window"] = cut_texts(window)
    for name in DIALOGS:
        getattr(window.commands, f"show_{name}")()
        for shown in window.commands.open_dialogs():
            dialog = window.commands.dialog(shown)
            assert dialog is not None
            for page, place in pages(dialog):
                found[f"dialog {name} {page}"] = cut_texts(place)
        window.commands.close_dialogs()
    for name in FORMS:
        window.commands.show_form(name)
        dialog = window.commands.dialog(f"form-{name}")
        if dialog is not None:
            found[f"form {name}"] = cut_texts(dialog)
        window.commands.close_dialogs()
    document.undo_stack.setClean()
    window.close()
    window.deleteLater()
    translations.choose("en")
    return {where: texts for where, texts in found.items() if texts}


def pages(dialog: QWidget) -> Iterator[tuple[str, QWidget]]:
    """A dialog with each of its pages in turn."""
    stack, names = dialog.findChild(QStackedWidget), dialog.findChild(QListWidget)
    if stack is None or names is None or stack.count() != names.count():
        yield "", dialog
        return
    for row in range(names.count()):
        names.setCurrentRow(row)
        yield names.item(row).text(), dialog


@pytest.mark.parametrize("scale", SCALES)
def test_every_text_has_its_room(scale: str, tmp_path: Path) -> None:
    """In a process of its own: the scale factor is read once, when Qt starts, and so is the screen."""
    width, height = (round(side * float(scale)) for side in SCREEN)
    given = {"name": "laptop", "x": 0, "y": 0, "width": width, "height": height}
    dots = {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    screens = tmp_path / "screens.json"
    screens.write_text(json.dumps({"screens": [{**given, **dots}]}), encoding="utf-8")
    platform = f"offscreen:configfile={screens}"
    environment = {**os.environ, "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": platform}
    done = subprocess.run(
        [sys.executable, "-m", __name__], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {language: {} for language in LANGUAGES}


def _measure_all() -> None:
    qt = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        for name in ("CONFIG", "DATA", "CACHE", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = f"{folder}/{name}"
        found = {language: measured(language, Path(folder) / language) for language in LANGUAGES}
    print(json.dumps(found, ensure_ascii=False))
    sys.stdout.flush()
    del qt
    os._exit(0)


if __name__ == "__main__":
    _measure_all()
