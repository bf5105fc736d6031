"""What comes from files is shown as it is: no markup is rendered, no ampersand underlines a letter."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtGui import QAction, QTextDocument
from PySide6.QtGui import Qt as Guess
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QMessageBox,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

import widgets
from editor import commands
from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.recipes import Subject
from editor.words.wording import plain
from inference.operations import Generate
from tests.helpers.fake_application import generated, open_document
from tests.helpers.fake_service import FakeService
from widgets.actions.recent_menu import RecentMenu
from widgets.forms.replacing import may_replace
from widgets.look.plain_text import Label, PlainMessageBox, set_tip, tip_text, unmarked
from widgets.window.main_window import MainWindow

_ROOT = QModelIndex()
MARKUP = "<b>Tom</b> & <i>Jerry</i>"
IMAGE = '<img src="file:///etc/hostname">'


def rendered(text: str) -> str:
    """What Qt shows of a text where it guesses whether it is markup."""
    if not Guess.mightBeRichText(text):
        return text
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText()


@pytest.mark.parametrize(
    "text", ["plain", "two\nlines", MARKUP, IMAGE, f"{MARKUP}\n{IMAGE}", "a < b", "&lt;b>"]
)
def test_tips_show_what_was_given(qapp: QApplication, text: str) -> None:
    assert rendered(tip_text(text)) == text


def test_widgets_and_actions_take_tips(qtbot: QtBot) -> None:
    widget, action = QWidget(), QAction()
    qtbot.addWidget(widget)
    for shown in (widget, action):
        set_tip(shown, MARKUP)
        assert rendered(shown.toolTip()) == MARKUP


def test_labels_and_questions_are_plain(qtbot: QtBot) -> None:
    label, box = Label(MARKUP), PlainMessageBox()
    qtbot.addWidget(label)
    qtbot.addWidget(box)
    assert label.textFormat() == box.textFormat() == Qt.TextFormat.PlainText


def test_unmarked_text_keeps_its_ampersands() -> None:
    assert plain(unmarked("Tom & Jerry && Co")) == "Tom & Jerry && Co"


def test_nothing_else_makes_labels_tips_and_questions() -> None:
    """Who makes a label of Qt's own, or gives a tip directly, forgets that texts come from files."""
    forbidden = re.compile(
        r"\bQLabel\(|\bQLabel,|import QLabel|\.setToolTip\(|QToolTip\.|\bQMessageBox\(|"
        r"QMessageBox\.(question|warning|information|critical|about)\(|setHtml|RichText|setWhatsThis"
    )
    root = Path(widgets.__file__).parent
    found = [
        f"{path.relative_to(root)}: {hit[0]}"
        for path in root.rglob("*.py")
        if path.name != "plain_text.py"
        for hit in forbidden.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


# a window full of hostile names


def hostile_document() -> Document:
    """One whose prompt, subject and title are markup."""
    prompt = f"{IMAGE} {MARKUP} and a man"
    made = generated(prompt)
    (layer,) = made.layers
    assert isinstance(layer, Layer)
    assert layer.recipe is not None
    start = prompt.index(MARKUP)
    subject = Subject(start=start, end=start + len(MARKUP), text=MARKUP, colour_index=1)
    recipe = replace(layer.recipe, subjects=(*layer.recipe.subjects, subject))
    return Document.from_layer(layer.changed(recipe=recipe, name=f"{MARKUP} {IMAGE}"), title=f"{MARKUP}.png")


@pytest.fixture
def hostile(window: MainWindow, application: Application, service: FakeService) -> MainWindow:
    """Markup in the prompt, the subjects, layers, steps, jobs, the title and the recent files."""
    service.fake_engine.automatic = False
    document = open_document(application, hostile_document())
    for panel in window.panels.values():
        panel.show()
        panel.raise_()
        assert panel.content is not None
    commands.push(
        document, commands.SetLayerProperty(document, document.state.active, "name", f"{IMAGE}{MARKUP}")
    )
    application.layers.duplicate()
    application.settings.add_recent_file(Path(f"/pictures/{MARKUP}.png"))
    application.new_from_prompt(Generate(prompt=f"{MARKUP} {IMAGE}"), "mini-sdxl")
    application.message.emit(MARKUP, IMAGE, "error")
    return window


def tips(window: MainWindow) -> Iterator[str]:
    for widget in window.findChildren(QWidget):
        yield widget.toolTip()
        if isinstance(widget, QTabBar):
            yield from (widget.tabToolTip(index) for index in range(widget.count()))
        if isinstance(widget, QAbstractItemView | QComboBox):
            yield from item_tips(widget.model())
    yield from (action.toolTip() for action in window.findChildren(QAction))


def item_tips(model: QAbstractItemModel, parent: QModelIndex = _ROOT) -> Iterator[str]:
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        yield str(index.data(Qt.ItemDataRole.ToolTipRole) or "")
        yield from item_tips(model, index)


def marked_texts(window: MainWindow) -> Iterator[str]:
    """Texts in which an ampersand marks a letter."""
    for widget in window.findChildren(QWidget):
        if isinstance(widget, QAbstractButton):
            yield widget.text()
        if isinstance(widget, QTabBar):
            yield from (widget.tabText(index) for index in range(widget.count()))
    yield from (action.text() for action in window.findChildren(QAction))


def test_no_label_renders_markup(hostile: MainWindow) -> None:
    labels = hostile.findChildren(QLabel)
    assert any(MARKUP in label.text() for label in labels)
    # a form makes its own labels, of our words only
    guessing = [label.text() for label in labels if label.textFormat() != Qt.TextFormat.PlainText]
    assert [text for text in guessing if "Tom" in text or Guess.mightBeRichText(text)] == []


def test_no_tool_tip_renders_markup(hostile: MainWindow) -> None:
    found = [text for text in tips(hostile) if "Tom" in text or "etc/hostname" in text]
    assert len(found) > 5  # subject, layers, steps, the tab, its button, jobs
    assert [text for text in found if not re.search("<b>Tom|<img", rendered(text))] == []


def test_no_ampersand_is_swallowed(hostile: MainWindow) -> None:
    for menu in hostile.findChildren(RecentMenu):
        menu.fill()
    found = [text for text in marked_texts(hostile) if "Tom" in text]
    assert found
    assert [text for text in found if "</b> & <i>" not in plain(text)] == []


def test_the_window_shows_the_whole_name(window: MainWindow, application: Application) -> None:
    document = Document.from_layer(generated().layers[0], title="a[*]b")
    open_document(application, document)
    assert "a[*]b" in window.windowTitle().replace("[*][*]", "[*]")
    assert window.windowTitle().count("[*]") == 3  # one of the name, doubled, and the place of the mark


def test_the_question_before_closing_is_plain(
    hostile: MainWindow, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[QMessageBox] = []

    def answered(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.append(box)
        assert (MARKUP in box.text(), box.textFormat()) == (True, Qt.TextFormat.PlainText)
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "exec", answered)
    hostile.commands.close_document()
    assert len(asked) == 1


def test_the_question_before_replacing_is_plain(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parent, path = QWidget(), tmp_path / "a <u>b.png"
    path.touch()
    qtbot.addWidget(parent)
    formats: list[Qt.TextFormat] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: formats.append(box.textFormat()))
    may_replace(parent, path)
    assert formats == [Qt.TextFormat.PlainText]
