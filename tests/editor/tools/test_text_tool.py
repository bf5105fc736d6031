"""The text tool: typing, composing, marking, editing again."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.text import TextContent
from editor.tools.overlay import Caret, Picture
from editor.tools.text import Text
from editor.tools.text_session import TextSession
from editor.tools.typesetting import Typeset, rendered
from tests.editor.tools.driving import Bench, drag, event

pytestmark = pytest.mark.usefixtures("qtbot")


@pytest.fixture
def bench() -> Bench:
    pixels = np.full((200, 400, 3), 255, np.uint8)
    return Bench(Document.from_layer(Layer.of_pixels(name="paper", pixels=pixels)))


def typed(bench: Bench, text: str, at: tuple[float, float] = (50, 80)) -> Text:
    tool = bench.tool(Text, size_px=30)
    drag(tool, [at])
    assert tool.takes_text
    for letter in text:
        assert tool.key("enter") if letter == "\n" else tool.type(letter)
    return tool


def test_typed_text_becomes_one_layer_in_one_step(bench: Bench) -> None:
    tool = typed(bench, "Hello\nthere")
    assert any(isinstance(shape, Picture) for shape in tool.overlay())
    assert bench.steps == 0
    tool.commit()
    layer = bench.document.active_layer
    assert layer.text.text == "Hello\nthere"
    assert layer.name == "Hello"
    assert layer.area.width > 40
    assert bench.steps == 1
    bench.document.undo_stack.undo()
    assert len(bench.document.layers) == 1


def test_chinese_comes_by_the_input_method(bench: Bench) -> None:
    tool = typed(bench, "a")
    for preedit in ("n", "ni", "ni h", "ni hao"):
        tool.compose(preedit)
    assert tool.session.shown.text == "ani hao"
    tool.type("你好")
    tool.compose("")
    assert tool.session.content.text == "a你好"
    tool.key("left")
    tool.type("们")
    tool.commit()
    assert bench.document.active_layer.text.text == "a你们好"


def test_a_click_on_a_text_edits_it(bench: Bench) -> None:
    typed(bench, "word").commit()
    layer = bench.document.active_layer
    bench.document.set_active(bench.document.layers[0].id)
    tool = bench.tool(Text, size_px=99)
    adjusted: list[object] = []
    tool.adjusted = adjusted.append
    drag(tool, [(layer.x + layer.width + 1, layer.y + 10)])
    assert bench.document.active_layer is layer
    assert tool.settings.size_px == 30
    assert adjusted
    tool.type("s")
    assert bench.document.shown_state().layer(layer.id).width > layer.width
    tool.commit()
    assert bench.document.active_layer.text.text == "words"
    assert len(bench.document.layers) == 2
    assert bench.steps == 2


def test_escape_leaves_everything(bench: Bench) -> None:
    typed(bench, "word").commit()
    state = bench.document.state
    layer = bench.document.active_layer
    tool = bench.tool(Text)
    drag(tool, [(layer.x + 2, layer.y + 10)])
    tool.type("xyz")
    assert tool.key("escape")
    assert bench.document.state is state
    assert bench.document.shown_state() is state
    other = typed(bench, "new", at=(200, 180))
    other.cancel()
    assert bench.document.state is state


def test_an_empty_text_adds_nothing(bench: Bench) -> None:
    typed(bench, " \n").commit()
    assert bench.steps == 0


def test_editing_keys(bench: Bench) -> None:
    tool = typed(bench, "one two\nthree")
    session = tool.session
    assert session.caret == 13
    tool.key("home")
    assert session.caret == 8
    tool.key("up")
    assert session.caret in (0, 1)
    tool.key("end")
    assert session.caret == 7
    tool.key("shift+ctrl+left")
    assert session.marked_text == "two"
    tool.key("ctrl+x")
    assert session.content.text == "one \nthree"
    assert QGuiApplication.clipboard().text() == "two"
    tool.key("ctrl+home")
    tool.key("delete")
    tool.key("ctrl+v")
    assert session.content.text == "twone \nthree"
    tool.key("backspace")
    tool.key("ctrl+z")
    assert session.content.text == "twone \nthree"
    tool.key("ctrl+a")
    tool.type("x")
    assert session.content.text == "x"
    assert not tool.key("f5")


def test_marking_by_pointer(bench: Bench) -> None:
    tool = typed(bench, "hello world")
    typeset = tool.session.typeset
    (x0, y0), (_, y1) = typeset.caret(0)
    (x5, _), _ = typeset.caret(5)
    middle = (y0 + y1) / 2
    drag(tool, [(x0, middle), (x5, middle)])
    assert tool.session.marked_text == "hello"
    tool.double_click(event(x5 + 20, middle))
    assert tool.session.marked_text == "world"
    assert sum(isinstance(shape, Caret) for shape in tool.overlay()) == 1


def test_settings_and_colour_restyle_the_text(bench: Bench) -> None:
    tool = typed(bench, "wide")
    narrow = tool.session.typeset.corners()[1][0]
    tool.configure(Text.Settings(size_px=60))
    bench.context.colours.set_foreground((255, 0, 0, 255))
    assert tool.session.typeset.corners()[1][0] > narrow + 20
    tool.commit()
    layer = bench.document.active_layer
    assert layer.text.size_px == 60
    shown = layer.pixels[layer.pixels[..., 3] == 255]
    assert (shown[:, :3] == (255, 0, 0)).all()


@pytest.mark.parametrize("angle", [0.0, 90.0, 200.0])
@pytest.mark.parametrize("alignment", ["left", "centre", "right"])
def test_carets_and_points_agree(angle: float, alignment: str) -> None:
    content = TextContent(text="ab cd\nefg\n\nh", x=40, y=30, size_px=21.5, angle=angle, alignment=alignment)
    typeset = Typeset(content)
    for index in range(len(content.text) + 1):
        (ax, ay), (bx, by) = typeset.caret(index)
        assert typeset.index_at((ax + bx) / 2, (ay + by) / 2) == index


def test_turned_text_is_the_upright_one_turned() -> None:
    content = TextContent(text="Type", x=100, y=100, size_px=40)
    upright, x, y = rendered(content)
    turned, tx, ty = rendered(replace(content, angle=90))
    assert abs(turned.width - upright.height) <= 1
    assert abs(turned.height - upright.width) <= 1
    assert abs((tx + turned.width) - (200 - y)) <= 1
    assert abs(ty - x) <= 1
    ink = [np.asarray(r.array()[..., 3], float).sum() for r in (upright, turned)]
    assert ink[0] == pytest.approx(ink[1], rel=0.02)


def test_sixteen_bit_documents_get_sixteen_bit_text() -> None:
    raster, _, _ = rendered(TextContent(text="x"), sixteen_bits=True)
    assert raster.dtype == np.uint16
    assert raster.array()[..., 3].max() == 65535


@pytest.mark.parametrize("text", ["😀a", "a😀b", "𠮷野家", "a👨‍👩‍👧b", "é😀\n𠮷x"])
def test_characters_beyond_sixteen_bits_are_edited_whole(text: str) -> None:
    session = TextSession(TextContent(text=text, x=10, y=100))
    places = [0]
    session.move_to(0)
    while (at := session.step(1)) != session.caret:
        session.move_to(at)
        places.append(at)
    assert places[-1] == len(text)
    back = []
    while session.caret:
        back.append(session.caret)
        session.delete(forward=False)
        assert session.content.text == text[: session.caret]
    assert [*reversed(back)] == places[1:]
    session = TextSession(TextContent(text=text, x=10, y=100))
    session.move_to(0)
    session.delete(forward=True)
    assert session.content.text == text[places[1] :]


@pytest.mark.parametrize("text", ["ab", "😀a", "a😀b", "𠮷野家"])
def test_the_caret_stands_where_the_text_ends(text: str) -> None:
    session = TextSession(TextContent(text=text, x=10, y=100))
    typeset = session.typeset
    (x, y), (_, bottom) = typeset.caret(len(text))
    assert x == pytest.approx(typeset.corners()[1][0], abs=1.5)
    assert typeset.index_at(x + 5, (y + bottom) / 2) == len(text)
    assert typeset.line_ends(1) == (0, len(text))
    (box,) = typeset.marked(0, len(text))
    assert box[1][0] == pytest.approx(x, abs=1.5)
