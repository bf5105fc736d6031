"""The suite "translate": pairs, what is read of pictures, tables, plot, and all of it on a tiny model."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.errors import EditorError
from inference.evaluation import translate
from inference.evaluation.translate import better_in_both, evaluate_translate, summarise
from inference.evaluation.translate_plot import plot_png
from inference.evaluation.translate_sets import FIRST_SCENE, FIRST_SCENE_OF_CHOICE, SETS, pairs
from inference.miniworld import looks
from inference.models import Catalogue
from inference.runner import Runner


def test_the_sets_take_turns_and_every_pair_asks_for_something_new() -> None:
    found = pairs(36)
    assert [pair.set for pair in found[:4]] == [*SETS, SETS[0]]
    for pair in found:
        assert pair.prompt != pair.source_prompt
        assert pair.changed
        assert all(kind in pair.prompt for kind in pair.kinds)
        if pair.subject:
            assert pair.source_subject in pair.source_prompt
            assert pair.subject in pair.kinds
    assert {change for pair in found for change in pair.changed} == {
        "style",
        "kinds",
        "background",
        "colours",
    }
    np.testing.assert_array_equal(found[5].pixels, pairs(6)[5].pixels)
    assert FIRST_SCENE + 10_000 < FIRST_SCENE_OF_CHOICE
    assert not np.array_equal(pairs(1, FIRST_SCENE_OF_CHOICE)[0].pixels, found[0].pixels)


def test_style_and_background_are_read_of_renders() -> None:
    reader = looks.fitted(lambda picture: picture, 240, 60)
    assert reader.style_accuracy > 0.9
    assert reader.background_accuracy > 0.9


def test_who_lies_better_in_both() -> None:
    def rows(*values: tuple[float, float]) -> dict[str, Any]:
        return {
            str(i): {
                "fidelity": fidelity,
                "structure": structure,
                "changed": 0.5,
                "evaluations": 1,
                "set": SETS[i],
            }
            for i, (fidelity, structure) in enumerate(values)
        }

    points = {
        "plug-and-play": rows((0.5, 0.2), (0.7, 0.2)),
        "redraw 0.4": rows((0.7, 0.1), (0.7, 0.1)),
        "redraw 0.6": rows((0.9, 0.3), (0.9, 0.3)),
        "prompt-to-prompt": rows((0.4, 0.1)),  # on what both have it is worse
    }
    assert better_in_both(points) == ["redraw 0.4"]
    summary = summarise({"points": points})
    assert summary["points"]["plug-and-play"]["fidelity"]["mean"] == pytest.approx(0.6)
    assert summary["points"]["plug-and-play"]["sets"]["classes"]["pairs"] == 1
    image = Image.open(io.BytesIO(plot_png(summary, "title")))
    colours = {colour for _, colour in image.convert("RGB").getcolors(1_000_000) or ()}
    assert {(38, 98, 196), (196, 82, 38)} <= colours  # ours and the rivals


def test_what_is_unknown_is_told(tmp_path: Path) -> None:
    runner: Any = None
    with pytest.raises(EditorError, match="no point"):
        evaluate_translate(runner=runner, model="m", points=("magic",))
    with pytest.raises(EditorError, match="at least 1"):
        evaluate_translate(runner=runner, model="m", count=0)


def test_all_of_it_on_a_tiny_model(
    tiny_folders: dict[str, Path],
    tiny_backbones: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(translate, "STEPS", 3)
    monkeypatch.setattr(
        looks, "fitted", lambda _: looks.LookReader(np.zeros((12 * 12 * 3 + 11, 8)), 0.5, 0.4)
    )
    models = next(iter(tiny_folders.values())).parent
    runner = Runner(
        Catalogue(models / "settings", built_in=models),
        DeltaLibrary((), shipped_folder() / "definitions"),
        device="cpu",
        load=lambda entry, **_: tiny_backbones[entry.name],
    )
    path = tmp_path / "figures.json"
    points = ("plug-and-play", "one copy", "mask refinement", "redraw 0.6", "prompt-to-prompt")
    given: dict[str, Any] = {"runner": runner, "model": "tiny-sd1", "json_path": path, "points": points}
    record = evaluate_translate(**given, count=2, detect=lambda images: [[] for _ in images])
    assert json.loads(path.read_text())["summary"] == json.loads(json.dumps(record["summary"]))
    rows = record["points"]
    assert [len(rows[name]) for name in ("nothing", *points)] == [2, 2, 2, 1, 2, 2]
    assert rows["plug-and-play"]["0"]["evaluations"] == 4 * 3
    assert rows["nothing"]["0"]["structure"] == 0
    assert rows["one copy"]["1"]["structure"] > 0
    asked: list[str] = []
    again = evaluate_translate(
        **given, count=2, detect=lambda images: asked.append("detect") or [[] for _ in images]
    )
    assert not asked
    assert again["summary"]["points"] == record["summary"]["points"]
