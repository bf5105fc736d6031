from dataclasses import replace

import pytest

from editor.edits import tree as edits
from editor.edits.nodes import outermost, selected
from editor.layers.layer import Group
from inference.errors import EditorError
from tests.editor.edits.trees import names, tree


def test_what_is_selected_leaves_out_what_lies_inside() -> None:
    state = replace(tree(), active="clipped", chosen=frozenset({"group", "bottom"}))
    assert selected(state) == ("bottom", "group")
    assert outermost(state, ["top", "gone", "inner"]) == ("inner", "top")


def test_a_new_layer_stands_above_the_given_one_and_has_a_free_name() -> None:
    state = tree()
    first = edits.added(state, edits.new_layer(state), "inner")
    assert names(first) == "bottom group(inner Layer 1 clipped) invert top"
    assert edits.new_layer(first).name == "Layer 2"
    assert first.node(first.active).name == "Layer 1"


def test_grouping_keeps_order_and_takes_the_place_of_the_topmost() -> None:
    state = edits.grouped(tree(), ["top", "bottom", "inner"])
    assert names(state) == "group(clipped) invert Group 1(bottom inner top)"
    assert isinstance(state.node(state.active), Group)
    assert names(edits.grouped(tree(), ["inner"])) == "bottom group(Group 1(inner) clipped) invert top"
    assert names(edits.grouped(tree(), [])) == "bottom group(inner clipped) invert top Group 1()"


def test_ungrouping_puts_the_children_in_place() -> None:
    state = edits.ungrouped(tree(), "group")
    assert names(state) == "bottom inner clipped invert top"
    assert (state.active, state.chosen) == ("clipped", {"inner"})
    with pytest.raises(EditorError, match="no group"):
        edits.ungrouped(tree(), "top")


def test_nodes_move_together_into_groups_and_out() -> None:
    state = edits.moved(tree(), ["top", "bottom"], "group", 1)
    assert names(state) == "group(inner bottom top clipped) invert"
    assert names(edits.moved(state, ["clipped"], "", 0)) == "clipped group(inner bottom top) invert"
    with pytest.raises(EditorError, match="into itself"):
        edits.moved(tree(), ["group"], "group", 0)
    with pytest.raises(EditorError, match="no group"):
        edits.moved(tree(), ["bottom"], "top", 0)


@pytest.mark.parametrize(
    ("ids", "by", "expected"),
    [
        (["bottom"], 1, "group(inner clipped) bottom invert top"),
        (["top"], 1, "bottom group(inner clipped) invert top"),
        (["clipped"], 1, "bottom group(inner) clipped invert top"),
        (["inner"], -1, "bottom inner group(clipped) invert top"),
        (["invert", "top"], 1, "bottom group(inner clipped) invert top"),
        (["bottom", "group"], 1, "invert bottom group(inner clipped) top"),
        (["invert", "top"], -1, "bottom invert top group(inner clipped)"),
    ],
)
def test_one_place_up_or_down(ids: list[str], by: int, expected: str) -> None:
    assert names(edits.stepped(tree(), ids, by)) == expected


def test_removing_makes_a_neighbour_active() -> None:
    state = edits.removed(tree(), ["top"])
    assert (names(state), state.active) == ("bottom group(inner clipped) invert", "invert")
    state = edits.removed(replace(tree(), active="inner"), ["inner", "clipped"])
    assert (names(state), state.active) == ("bottom group() invert top", "group")
    with pytest.raises(EditorError, match="at least one"):
        edits.removed(tree(), ["bottom", "group", "invert", "top"])


def test_copies_stand_above_their_originals() -> None:
    state = edits.duplicated(tree(), ["bottom", "group"])
    assert names(state) == "bottom bottom copy group(inner clipped) group copy(inner clipped) invert top"
    ids = [node.id for node in state.nodes()]
    assert len(set(ids)) == len(ids)
    assert len(state.chosen) == 1


def test_locked_nodes_stay() -> None:
    locked = edits.with_field(tree(), ["inner"], "locked", True)
    for edit in (
        lambda: edits.removed(locked, ["group"]),
        lambda: edits.stepped(locked, ["inner"], 1),
        lambda: edits.moved(locked, ["inner"], "", 0),
        lambda: edits.with_field(locked, ["inner"], "clipped", True),
    ):
        with pytest.raises(EditorError, match="“inner” is locked"):
            edit()
    assert not edits.with_field(locked, ["inner"], "locked", False).node("inner").locked
