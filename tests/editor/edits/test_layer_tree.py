"""Moving several nodes, showing one alone."""

import pytest

from editor.edits.tree import moved, shown_alone
from editor.layers.layer import Group, Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from inference.errors import EditorError


def layer(name: str) -> Layer:
    return Layer(name=name, id=name, raster=Raster.filled(4, 4))


@pytest.fixture
def state() -> DocumentState:
    """bottom, outer [inner [a, b], c], top"""
    inner = Group(name="inner", id="inner", children=(layer("a"), layer("b")))
    outer = Group(name="outer", id="outer", children=(inner, layer("c")))
    return DocumentState(width=4, height=4, layers=(layer("bottom"), outer, layer("top")), active="top")


def ids(state: DocumentState) -> list[str]:
    return [node.id for node in state.nodes()]


def test_moved_nodes_lie_side_by_side_in_their_order(state: DocumentState) -> None:
    assert ids(moved(state, ["top", "a"], "", 0)) == ["a", "top", "bottom", "outer", "inner", "b", "c"]


def test_what_lies_in_a_moved_group_stays_in_it(state: DocumentState) -> None:
    after = moved(state, ["inner", "a"], "", 2)
    assert ids(after) == ["bottom", "outer", "c", "inner", "a", "b", "top"]
    assert [node.id for node in after.layers] == ["bottom", "outer", "inner", "top"]


@pytest.mark.parametrize("target", ["outer", "inner"])
def test_a_group_does_not_go_into_itself(state: DocumentState, target: str) -> None:
    with pytest.raises(EditorError, match="into itself"):
        moved(state, ["outer"], target, 0)


def test_one_alone_shows_its_groups_and_what_it_holds(state: DocumentState) -> None:
    alone = shown_alone(state, "inner")
    assert {node.id for node in alone.nodes() if node.visible} == {"outer", "inner", "a", "b"}
    again = shown_alone(alone, "inner")
    assert all(node.visible for node in again.nodes())


@pytest.mark.parametrize("locked", ["top", "outer", "c"])
def test_what_is_locked_is_not_dragged(state: DocumentState, locked: str) -> None:
    fixed = state.with_node(state.node(locked).changed(locked=True))
    with pytest.raises(EditorError, match="is locked"):
        moved(fixed, ["top", "c"], "", 0)
