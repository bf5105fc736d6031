from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from pytestqt.qtbot import QtBot

from editor import commands
from editor.commands import (
    AddLayer,
    Command,
    DuplicateLayer,
    RemoveLayer,
    ReorderLayer,
    ReplaceLayerResult,
    ReplaceState,
    SetLayerProperty,
    SetSubjects,
    place_result,
    push,
)
from editor.document.document import Document, DocumentState
from editor.layers.layer import BlendMode, Layer
from editor.layers.recipes import Subject
from inference.errors import EditorError
from tests.editor.samples import MAN, PROMPT, WOMAN, flat, generated, noise, recipe


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    return generated(MAN)


def names(document: Document) -> list[str]:
    return [layer.name for layer in document.layers]


def add(document: Document, name: str, level: int = 50) -> str:
    layer = Layer.of_pixels(name=name, pixels=flat(level))
    push(document, AddLayer(document, layer))
    return layer.id


def state_bytes(state: DocumentState) -> tuple[object, ...]:
    """Everything of a state, pixels by their bytes."""
    layers = tuple((layer.id, layer.pixels.tobytes(), replace_pixels(layer)) for layer in state.layers)
    return (state.width, state.height, state.active, layers)


def replace_pixels(layer: Layer) -> tuple[object, ...]:
    fields = ("name", "x", "y", "visible", "opacity", "blend_mode", "locked", "recipe")
    return tuple(getattr(layer, name) for name in fields)


class TestLayers:
    def test_a_new_layer_comes_above_the_active_one_and_is_active(self, document: Document) -> None:
        first = document.layers[0].id
        add(document, "top")
        document.set_active(first)
        added = add(document, "middle")
        assert names(document) == ["Generated", "middle", "top"]
        assert document.active_layer is not None
        assert document.active_layer.id == added

    def test_deleting_selects_the_layer_below(self, document: Document) -> None:
        added = add(document, "top")
        push(document, RemoveLayer(document, added))
        assert names(document) == ["Generated"]
        assert document.active_layer is document.layers[0]
        document.undo_stack.undo()
        assert document.active_layer is not None
        assert document.active_layer.name == "top"

    def test_the_only_layer_stays(self, document: Document) -> None:
        with pytest.raises(EditorError, match="at least one layer"):
            RemoveLayer(document, document.layers[0].id)
        assert document.undo_stack.count() == 0

    def test_a_locked_layer_is_neither_deleted_nor_moved(self, document: Document) -> None:
        added = add(document, "top")
        push(document, SetLayerProperty(document, added, "locked", True))
        for make in (
            lambda: RemoveLayer(document, added),
            lambda: SetLayerProperty(document, added, "x", 3),
            lambda: ReplaceLayerResult(document, added, flat(1), None, "text"),
        ):
            with pytest.raises(EditorError, match="locked"):
                make()

    def test_a_copy_shares_its_pixels(self, document: Document) -> None:
        push(document, DuplicateLayer(document, document.layers[0].id))
        assert names(document) == ["Generated", "Generated copy"]
        assert document.layers[0].pixels is document.layers[1].pixels
        assert document.layers[0].id != document.layers[1].id

    @pytest.mark.parametrize(("index", "expected"), [(0, "cab"), (1, "acb"), (99, "abc"), (-5, "cab")])
    def test_reordering(self, document: Document, index: int, expected: str) -> None:
        push(document, SetLayerProperty(document, document.layers[0].id, "name", "a"))
        add(document, "b")
        moved = add(document, "c")
        push(document, ReorderLayer(document, moved, index))
        assert "".join(names(document)) == expected

    def test_an_unknown_layer_or_property_is_refused(self, document: Document) -> None:
        with pytest.raises(EditorError, match="no longer"):
            RemoveLayer(document, "nowhere")
        with pytest.raises(EditorError, match="no property “pixels”"):
            SetLayerProperty(document, document.layers[0].id, "pixels", None)

    @pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
    def test_opacity_out_of_range_is_refused(self, document: Document, opacity: float) -> None:
        with pytest.raises(EditorError, match="0 to 1"):
            SetLayerProperty(document, document.layers[0].id, "opacity", opacity)

    @pytest.mark.parametrize("canvas", [(16, 20), (4, 6)])
    def test_a_canvas_that_was_enlarged_or_cropped_stays(
        self, canvas: tuple[int, int], document: Document
    ) -> None:
        """With a slider of its only layer it fell back to the layer's size, and cut the layer off."""
        (layer,), (width, height) = document.layers, canvas
        moved = document.state.with_layer(layer.changed(x=3, y=-2))
        push(document, ReplaceState(document, replace(moved, width=width, height=height), "canvas"))
        push(document, place_result(document, layer.id, flat(50), layer.recipe, "edit"))
        assert (document.state.width, document.state.height) == canvas
        assert (document.layers[0].x, document.layers[0].y) == (3, -2)

    def test_a_result_of_another_size_resizes_a_document_of_one_layer(self, document: Document) -> None:
        push(document, ReplaceLayerResult(document, document.layers[0].id, flat(1, 16), None, "bigger"))
        assert (document.width, document.height) == (16, 16)
        document.undo_stack.undo()
        assert (document.width, document.height) == (8, 8)

    def test_subjects_outside_the_prompt_are_refused(self, document: Document) -> None:
        layer = document.layers[0].id
        with pytest.raises(EditorError, match="“dog” is not in the prompt"):
            SetSubjects(document, layer, [Subject(start=99, end=102, text="dog")])
        push(document, SetSubjects(document, layer, [MAN, WOMAN]))
        assert document.subjects == (MAN, WOMAN)
        assert document.prompt == PROMPT


class TestTexts:
    def test_steps_say_what_they_did(self, document: Document) -> None:
        layer = document.layers[0].id
        push(document, SetLayerProperty(document, layer, "opacity", 0.5))
        push(document, SetLayerProperty(document, layer, "blend_mode", BlendMode.MULTIPLY))
        push(document, SetLayerProperty(document, layer, "name", "Sea"))
        assert [step.text for step in document.undo_stack.steps] == [
            "Opacity of “Generated” to 50 %",
            "Blend “Generated” as Multiply",
            "Rename layer to “Sea”",
        ]


class TestSignals:
    def test_a_change_tells_only_what_changed(self, document: Document, qtbot: QtBot) -> None:
        top = add(document, "top")
        told: list[object] = []
        document.layers_changed.connect(lambda: told.append("layers"))
        document.layer_changed.connect(told.append)
        document.pixels_changed.connect(told.append)
        document.active_changed.connect(lambda layer: told.append("active"))
        push(document, SetLayerProperty(document, top, "name", "sky"))
        assert told == ["layers", top]
        told.clear()
        push(document, SetLayerProperty(document, top, "x", 2))
        assert told == ["layers", top, QRect(0, 0, 8, 8)]

    def test_modified_follows_the_saved_step(self, document: Document) -> None:
        told: list[bool] = []
        document.modified_changed.connect(told.append)
        add(document, "top")
        document.undo_stack.setClean()
        document.undo_stack.undo()
        assert told == [True, False, True]
        assert document.modified

    def test_a_preview_is_shown_but_is_no_step(self, document: Document) -> None:
        layer = document.layers[0].id
        document.set_preview(layer, flat(9))
        assert document.composite()[0, 0].tolist() == [9, 9, 9, 255]
        assert document.undo_stack.count() == 0
        document.set_preview(layer, None)
        assert document.composite()[0, 0, 0] == 100
        with pytest.raises(EditorError, match="size"):
            document.set_preview(layer, flat(9, 4))


class TestMerging:
    def test_a_gesture_is_one_step_and_the_next_another(self, document: Document) -> None:
        layer = document.layers[0].id
        for gesture, values in (("one", (0.9, 0.8, 0.7)), ("two", (0.6, 0.5))):
            for value in values:
                push(document, SetLayerProperty(document, layer, "opacity", value, gesture))
        assert document.undo_stack.count() == 2
        document.undo_stack.undo()
        assert document.layers[0].opacity == 0.7
        document.undo_stack.undo()
        assert document.layers[0].opacity == 1.0

    def test_steps_without_a_key_never_merge(self, document: Document) -> None:
        layer = document.layers[0].id
        push(document, SetLayerProperty(document, layer, "opacity", 0.9))
        push(document, SetLayerProperty(document, layer, "opacity", 0.8))
        assert document.undo_stack.count() == 2


class TestMemory:
    def replace_pixels(self, document: Document, level: int) -> None:
        text = f"level {level}"
        push(document, ReplaceLayerResult(document, document.layers[0].id, flat(level), None, text))

    def test_the_oldest_steps_go_when_the_limit_is_reached(self, document: Document) -> None:
        picture_bytes = 8 * 8 * 4
        document.undo_memory_bytes = 3 * picture_bytes
        dropped: list[int] = []
        document.history_dropped.connect(dropped.append)
        for level in range(10):
            self.replace_pixels(document, level)
        assert document.undo_stack.bytes <= document.undo_memory_bytes
        assert sum(dropped) == 10 - document.undo_stack.count()
        assert [step.text for step in document.undo_stack.steps] == ["level 7", "level 8", "level 9"]
        while document.undo_stack.canUndo():
            document.undo_stack.undo()
        assert document.layers[0].pixels[0, 0, 0] == 6
        while document.undo_stack.canRedo():
            document.undo_stack.redo()
        assert document.layers[0].pixels[0, 0, 0] == 9

    def test_the_newest_step_stays_whatever_it_holds(self, document: Document) -> None:
        document.undo_memory_bytes = 0
        self.replace_pixels(document, 1)
        self.replace_pixels(document, 2)
        assert [step.text for step in document.undo_stack.steps] == ["level 2"]
        document.undo_stack.undo()
        assert document.layers[0].pixels[0, 0, 0] == 1

    def test_what_was_saved_is_still_known(self, document: Document) -> None:
        document.undo_memory_bytes = 2 * 8 * 8 * 4
        self.replace_pixels(document, 1)
        self.replace_pixels(document, 2)
        document.undo_stack.setClean()
        self.replace_pixels(document, 3)
        assert document.modified
        document.undo_stack.undo()
        assert not document.modified
        document.undo_stack.redo()
        for level in (4, 5, 6):
            self.replace_pixels(document, level)
        while document.undo_stack.canUndo():
            document.undo_stack.undo()
            assert document.modified  # the saved state is out of reach

    def test_names_and_order_cost_nothing(self, document: Document) -> None:
        document.undo_memory_bytes = 0
        for index in range(20):
            push(document, SetLayerProperty(document, document.layers[0].id, "name", str(index)))
        assert document.undo_stack.count() == 20


# any commands, in any order, on whatever layers there are

INDEX = st.integers(0, 5)
ACTIONS = st.one_of(
    st.tuples(st.just("add"), INDEX, st.integers(0, 2**16)),
    st.tuples(st.just("remove"), INDEX),
    st.tuples(st.just("duplicate"), INDEX),
    st.tuples(st.just("reorder"), INDEX, INDEX),
    st.tuples(st.just("replace"), INDEX, st.integers(0, 2**16)),
    st.tuples(st.just("opacity"), INDEX, st.floats(0, 1)),
    st.tuples(st.just("visible"), INDEX, st.booleans()),
    st.tuples(st.just("blend_mode"), INDEX, st.sampled_from(BlendMode)),
    st.tuples(st.just("x"), INDEX, st.integers(-9, 9)),
    st.tuples(st.just("locked"), INDEX, st.booleans()),
    st.tuples(st.just("select"), INDEX),
    st.tuples(st.just("undo"), INDEX),
)


def make(document: Document, action: tuple[object, ...]) -> Command | None:
    kind, index, *rest = action
    layer = document.layers[int(str(index)) % len(document.layers)]
    value = rest[0] if rest else None
    match kind:
        case "add":
            return AddLayer(document, Layer.of_pixels(name="new", pixels=noise(int(str(value)))))
        case "remove":
            return RemoveLayer(document, layer.id)
        case "duplicate":
            return DuplicateLayer(document, layer.id)
        case "reorder":
            return ReorderLayer(document, layer.id, int(str(value)))
        case "replace":
            pixels = noise(int(str(value)))
            return ReplaceLayerResult(document, layer.id, pixels, recipe(seed=int(str(value))), "replace")
        case "select":
            document.set_active(layer.id)
        case "undo":
            document.undo_stack.undo()
        case _:
            return SetLayerProperty(document, layer.id, str(kind), value, merge_key=f"{kind}{layer.id}")
    return None


@given(st.lists(ACTIONS, max_size=60))
def test_any_commands_are_undone_and_redone_to_the_byte(actions: list[tuple[object, ...]]) -> None:
    document = Document.from_layer(Layer.of_pixels(name="first", pixels=noise(0)))
    original = document.state
    for action in actions:
        try:
            command = make(document, action)
        except EditorError:
            continue  # refused before anything was pushed
        if command is not None:
            push(document, command)
    while document.undo_stack.canRedo():
        document.undo_stack.redo()
    final, picture = document.state, document.composite()
    while document.undo_stack.canUndo():
        document.undo_stack.undo()
    assert state_bytes(replace(document.state, active=original.active)) == state_bytes(original)
    while document.undo_stack.canRedo():
        document.undo_stack.redo()
    assert state_bytes(replace(document.state, active=final.active)) == state_bytes(final)
    assert document.composite().tobytes() == picture.tobytes()


def test_pixels_cannot_be_written_to(document: Document) -> None:
    with pytest.raises(ValueError, match="read-only"):
        document.layers[0].pixels[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        document.composite()[0, 0, 0] = 1


def test_a_layer_refuses_pixels_of_another_shape() -> None:
    for shape in ((8, 8), (0, 8, 4), (8, 8, 2)):
        with pytest.raises(EditorError, match="shape"):
            Layer.of_pixels(name="odd", pixels=np.zeros(shape, np.uint8))


def test_every_command_class_takes_its_text_from_the_table() -> None:
    made = [item for item in vars(commands).values() if isinstance(item, type) and issubclass(item, Command)]
    assert {item.__name__ for item in made} >= {"AddLayer", "RemoveLayer", "SetLayerProperty", "SetSubjects"}
