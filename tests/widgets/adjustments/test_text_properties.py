"""The Properties panel of a text layer."""

import pytest

from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.layers.text import TextContent
from editor.pixels.raster import Raster
from editor.tools.typesetting import set_again
from tests.helpers.fake_application import open_document
from widgets.adjustments.properties_panel import PropertiesPanel
from widgets.adjustments.text_properties import TextProperties
from widgets.window.main_window import MainWindow


@pytest.fixture
def editor(window: MainWindow, application: Application) -> TextProperties:
    content = TextContent(text="Spring", x=10, y=60, size_px=24)
    layer = set_again(Layer(name="Spring", id="text", raster=Raster.filled(1, 1)), content)
    open_document(application, Document(DocumentState(width=200, height=100, layers=(layer,), active="text")))
    window.panels["properties"].show()
    window.panels["properties"].raise_()
    panel = window.panel("properties")
    assert isinstance(panel, PropertiesPanel)
    assert isinstance(panel.editor, TextProperties)
    return panel.editor


def content_of(application: Application) -> TextContent:
    assert application.current is not None
    text = application.current.state.layer("text").text
    assert text is not None
    return text


def test_typing_without_a_pause_is_one_step(editor: TextProperties, application: Application) -> None:
    assert application.current is not None
    width = application.current.state.layer("text").width
    editor.text.setPlainText("Springs")
    editor.text.setPlainText("Springtime")
    assert content_of(application).text == "Springtime"
    assert application.current.undo_stack.count() == 1
    assert application.current.state.layer("text").width > width
    application.undo()
    assert editor.text.toPlainText() == "Spring"


def test_look(editor: TextProperties, application: Application) -> None:
    editor.styles["bold"].click()
    editor.alignments["centre"].click()
    editor.numbers["size_px"].setValue(40)
    editor.colour.chosen.emit((200, 10, 10, 255))
    content = content_of(application)
    assert (content.bold, content.alignment, content.size_px) == (True, "centre", 40)
    assert content.colour == (200, 10, 10, 255)
    assert application.current is not None
    assert application.current.undo_stack.count() == 4


def test_a_locked_text_cannot_be_set(editor: TextProperties, application: Application) -> None:
    application.layers.toggle_locked()
    assert not editor.isEnabled()
