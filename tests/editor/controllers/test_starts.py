"""A blank canvas, samples, and files as layers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.controllers.starts import canvas_state, node_of
from editor.layers.layer import Group
from editor.layers.state import DocumentState
from inference.errors import EditorError
from tests.helpers.fake_application import generated, make_application, open_document


@pytest.fixture
def application(qtbot: QtBot, tmp_path: Path) -> Iterator[Application]:
    made = make_application(tmp_path)
    yield made
    made.shutdown()
    made.deleteLater()


@pytest.mark.parametrize("fill", [(255, 255, 255, 255), (0, 0, 0, 0), (10, 20, 30, 255)])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_canvas_is_filled(fill: tuple[int, int, int, int], depth: int) -> None:
    state = canvas_state(30, 20, fill=fill, depth=depth, dpi=300)
    layer = state.layer(state.active)
    assert (state.width, state.height, state.depth, state.dpi) == (30, 20, depth, (300, 300))
    assert (layer.pixels == fill).all()


@pytest.mark.parametrize(
    ("width", "height", "depth"), [(0, 10, 8), (300_001, 1, 8), (29_000, 29_000, 8), (9, 9, 12)]
)
def test_sizes_out_of_range_are_refused(width: int, height: int, depth: int) -> None:
    with pytest.raises(EditorError):
        canvas_state(width, height, depth=depth)


def test_a_new_canvas_opens_and_a_wrong_one_says_why(application: Application) -> None:
    messages: list[str] = []
    application.message.connect(lambda text, hint, level: messages.append(text))
    made = application.starts.new_canvas(64, 32)
    assert application.current is made
    assert application.starts.new_canvas(0, 32) is None
    assert messages == ["A picture cannot be 0 × 32 pixels."]


def test_a_file_becomes_a_layer_in_the_middle(application: Application, qtbot: QtBot, tmp_path: Path) -> None:
    document = open_document(application, generated())
    path = tmp_path / "sticker.png"
    Image.fromarray(np.full((10, 20, 3), 90, np.uint8)).save(path)
    application.starts.open_as_layers([path])
    qtbot.waitUntil(lambda: len(document.layers) == 2)
    layer = document.active_layer
    assert layer is not None
    assert (layer.name, layer.x, layer.y) == ("sticker", 22, 27)
    assert document.undo_stack.text(0) == "Open “sticker.png” as layer"
    application.undo()
    assert len(document.layers) == 1


def test_a_file_that_is_none_says_so(application: Application, qtbot: QtBot, tmp_path: Path) -> None:
    open_document(application, generated())
    with qtbot.waitSignal(application.message) as told:
        application.starts.open_as_layers([tmp_path / "gone.png"])
    assert told.args is not None
    assert told.args[2] == "error"


def test_several_layers_come_as_a_group_with_ids_of_their_own() -> None:
    opened = canvas_state(8, 8)
    layer = opened.layer(opened.active)
    opened = DocumentState(width=8, height=8, layers=(layer, layer.copy("two")))
    node = node_of("two", opened, canvas_state(16, 16))
    assert isinstance(node, Group)
    assert [child.name for child in node.children] == [layer.name, "two"]
    assert all(child.id != layer.id for child in node.children)
    assert node.area == (4, 4, 8, 8)
