from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.editor.controllers.receivers import Bench
from tests.editor.edits.trees import mask, names, tree


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[Bench]:
    made = Bench(tree(), tmp_path, qtbot)
    yield made
    made.close()


def select(bench: Bench) -> None:
    from dataclasses import replace

    bench.document.swap_state(replace(bench.state, selection=mask(5)))


def test_each_act_is_one_step(bench: Bench) -> None:
    layers = bench.application.layers
    layers.add()
    layers.add_group()
    layers.move_into("group")
    assert names(bench.state) == "bottom group(inner clipped Group 1()) invert top Layer 1"
    layers.ungroup()
    layers.duplicate()
    assert bench.steps() == [
        "New layer", "New group", "Move layers", "Ungroup", "Duplicate layer “clipped”",
    ]  # fmt: skip
    for _ in range(5):
        bench.application.undo()
    assert names(bench.state) == names(tree())


def test_several_chosen_nodes_go_together(bench: Bench) -> None:
    layers = bench.application.layers
    bench.document.choose("top", ["bottom"])
    layers.toggle()
    assert [bench.state.node(key).visible for key in ("bottom", "group", "top")] == [False, True, False]
    layers.toggle_locked("alpha_locked")
    assert bench.state.node("bottom").alpha_locked
    layers.move_to_bottom()
    assert names(bench.state) == "bottom top group(inner clipped) invert"
    layers.group()
    assert names(bench.state) == "Group 1(bottom top) group(inner clipped) invert"
    bench.document.choose("group", ["invert"])
    layers.delete()
    assert names(bench.state) == "Group 1(bottom top)"
    layers.choose_all()
    assert bench.state.chosen | {bench.state.active} == {n.id for n in bench.state.nodes()}


def test_control_e_merges_what_is_chosen(bench: Bench) -> None:
    layers = bench.application.layers
    bench.document.set_active("group")
    layers.merge_down()
    bench.settle()
    assert names(bench.state) == "bottom group invert top"
    layers.merge_down()
    bench.settle()
    assert names(bench.state) == "group invert top" or names(bench.state) == "bottom invert top"
    bench.document.choose(bench.state.layers[0].id, ["top"])
    layers.merge_down()
    layers.stamp_visible()
    layers.flatten()
    assert bench.steps() == [
        "Merge group", "Merge down", "Merge layers", "Visible as a new layer", "Flatten picture",
    ]  # fmt: skip


def test_what_is_selected_is_lifted_filled_and_cleared(bench: Bench) -> None:
    layers = bench.application.layers
    layers.copy_or_duplicate()
    select(bench)
    layers.copy_or_duplicate()
    bench.settle()
    bench.document.set_active("bottom")
    layers.cut_to_layer()
    layers.fill("foreground")
    layers.clear_or_delete()
    assert bench.steps() == [
        "Duplicate layer “top”", "Layer by copy", "Layer by cut", "Fill", "Clear",
    ]  # fmt: skip
    bench.application.selection.clear()
    count = len(list(bench.state.nodes()))
    layers.clear_or_delete()
    assert len(list(bench.state.nodes())) == count - 1


def test_a_mask_that_is_painted_on_is_filled(bench: Bench) -> None:
    bench.document.set_active("invert")
    bench.application.masks.edit()
    assert bench.document.edit_mask
    bench.application.layers.fill("background")
    bench.settle()
    found = bench.state.node("invert").mask
    assert found is not None
    assert found.read(bench.state.area).min() == 255
    bench.application.masks.edit()
    assert not bench.document.edit_mask


def test_masks_are_added_changed_and_applied(bench: Bench) -> None:
    masks = bench.application.masks
    masks.add_fitting()
    masks.invert()
    bench.settle()
    masks.toggle()
    masks.toggle_linked()
    masks.toggle()
    masks.apply()
    bench.settle()
    assert bench.state.node("top").mask is None
    select(bench)
    masks.add_fitting()
    bench.settle()
    found = bench.state.node("top").mask
    assert found is not None
    assert found.raster is bench.state.selection.raster  # type: ignore[union-attr]
    masks.delete()
    assert bench.steps() == [
        "Add mask", "Invert mask", "Disable mask", "Link or unlink mask", "Enable mask", "Apply mask",
        "Add mask", "Delete mask",
    ]  # fmt: skip


def test_turning_layers_and_what_is_refused(bench: Bench) -> None:
    layers = bench.application.layers
    layers.flip("across")
    layers.turn("1")
    bench.settle()
    layers.toggle_locked("position_locked")
    layers.turn("1")
    bench.settle()
    assert bench.told == ["The position of “top” is locked."]
    bench.document.set_active("invert")
    layers.toggle_pass_through()
    layers.rasterise()
    bench.document.set_active("group")
    layers.toggle_pass_through()
    assert not bench.state.node("group").isolated  # type: ignore[attr-defined]
    assert bench.steps()[-1] == "Let the group pass through, or not"
    assert len(bench.steps()) == 4


def test_a_place_that_it_has_already_is_no_step(bench: Bench) -> None:
    layers = bench.application.layers
    bench.document.set_active("top")
    layers.move_to_top()
    assert bench.steps() == []
    layers.move_to_bottom()
    layers.move_to_bottom()
    assert len(bench.steps()) == 1
