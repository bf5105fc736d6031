from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from tests.editor.controllers.receivers import Bench
from tests.editor.edits.trees import tree
from tests.editor.samples import MAN, WOMAN, generated


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[Bench]:
    made = Bench(tree(), tmp_path, qtbot)
    yield made
    made.close()


def selected(bench: Bench) -> np.ndarray | None:
    bench.settle()
    mask = bench.state.selection
    return None if mask is None else mask.read(bench.state.area)


def test_all_none_again_and_inverted(bench: Bench) -> None:
    selection = bench.application.selection
    selection.from_layer()
    covered = selected(bench)
    assert covered is not None
    selection.invert()
    assert np.array_equal(selected(bench), 255 - covered)  # type: ignore[arg-type]
    selection.clear()
    assert selected(bench) is None
    selection.again()
    assert np.array_equal(selected(bench), 255 - covered)  # type: ignore[arg-type]
    selection.all()
    assert (selected(bench) == 255).all()
    assert bench.steps()[-1] == "Select all"


def test_actions_hear_of_another_selection(bench: Bench) -> None:
    bench.application.layers.add()
    bench.application.layers.add()
    told: list[bool] = []
    bench.application.enabled_changed.connect(lambda: told.append(bench.application.holds("selection")))
    bench.application.selection.all()
    bench.settle()
    assert told[-1]
    bench.application.selection.clear()
    assert not told[-1]


def test_from_masks_brightness_and_back_to_a_mask(bench: Bench) -> None:
    selection = bench.application.selection
    bench.document.set_active("invert")
    selection.from_mask()
    mask = bench.state.node("invert").mask
    assert mask is not None
    assert np.array_equal(selected(bench), mask.read(bench.state.area))  # type: ignore[arg-type]
    selection.from_luminosity()
    assert selected(bench) is not None
    bench.document.set_active("top")
    selection.to_mask()
    bench.settle()
    assert bench.state.node("top").mask is not None
    assert bench.told == []


def test_what_would_select_nothing_is_refused(bench: Bench) -> None:
    selection = bench.application.selection
    selection.grow(2.0)
    selection.all()
    selection.invert()
    bench.document.set_active("bottom")
    bench.settle()
    selection.from_mask()
    bench.settle()
    assert bench.told == ["Nothing is selected.", "Nothing would be selected.", "“bottom” has no mask."]


def test_subjects_are_selected_by_where_the_model_saw_them(tmp_path: Path, qtbot: QtBot) -> None:
    state = generated(MAN, WOMAN).state
    layer = state.layer(state.active)
    maps = {f"attention/{s.start}-{s.end}": np.zeros((8, 8), np.float32) for s in (MAN, WOMAN)}
    maps[f"attention/{MAN.start}-{MAN.end}"][:, :2] = 1
    maps[f"attention/{WOMAN.start}-{WOMAN.end}"][:, 6:] = 1
    bench = Bench(replace(state, layers=(layer.changed(maps=maps),)), tmp_path, qtbot)
    bench.application.selection.subjects()
    found = selected(bench)
    assert found is not None
    assert found[4].tolist()[0] > 200
    assert found[4].tolist()[7] > 200
    assert found[4, 3:5].max() < 50
    bench.close()
