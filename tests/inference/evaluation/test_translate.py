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
from inference.evaluation.record import Record
from inference.evaluation.translate import EVERY, POINTS, RIVALS, UNMASKED, evaluate_translate
from inference.evaluation.translate_plot import plot_png
from inference.evaluation.translate_sets import FIRST_SCENE, FIRST_SCENE_OF_CHOICE, SETS, pairs
from inference.evaluation.translate_summary import GOALS, at_equal_fidelity, check_measured, summarise
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


def rows(*values: tuple[float, float], evaluations: int = 1) -> dict[str, Any]:
    """Fidelity and structure distance of pairs 0, 1 ..."""
    return {
        str(i): {
            "fidelity": fidelity,
            "structure": structure,
            "changed": 0.5,
            "evaluations": evaluations,
            "set": SETS[i % len(SETS)],
        }
        for i, (fidelity, structure) in enumerate(values)
    }


def summary_of(points: dict[str, Any], **more: Any) -> dict[str, Any]:
    return summarise({"points": points, **more}, RIVALS, UNMASKED)


def test_who_lies_better_in_both() -> None:
    points = {
        "plug-and-play": rows((0.5, 0.2), (0.7, 0.2)),
        "redraw 0.4": rows((0.7, 0.1), (0.8, 0.1)),
        "redraw 0.6": rows((0.9, 0.3), (0.9, 0.3)),
        "redraw 0.8": rows((0.7, 0.1), (0.6, 0.1)),  # better on average alone
        "prompt-to-prompt": rows((0.4, 0.3)),  # over the pair that both have
        "one copy": rows((0.9, 0.1), (0.9, 0.1)),  # no rival
    }
    summary = summary_of(points)
    assert summary["better_in_both"] == ["redraw 0.4", "redraw 0.8"]
    against = summary["against_default"]
    assert set(against) == {*points} - {"plug-and-play"}
    assert against["redraw 0.4"]["fidelity"] == pytest.approx(0.15)
    assert against["redraw 0.4"]["structure_interval"] == pytest.approx((-0.1, -0.1))
    surely = [name for name, found in against.items() if found["surely"]]
    assert surely == ["redraw 0.4", "one copy"]
    assert [name for name, found in against.items() if found["worse_in_both"]] == ["prompt-to-prompt"]
    assert against["prompt-to-prompt"]["pairs"] == 1
    assert summary["points"]["plug-and-play"]["fidelity"]["mean"] == pytest.approx(0.6)
    assert summary["points"]["plug-and-play"]["sets"]["classes"]["pairs"] == 1
    image = Image.open(io.BytesIO(plot_png(summary, "title")))
    colours = {colour for _, colour in image.convert("RGB").getcolors(1_000_000) or ()}
    assert {(38, 98, 196), (196, 82, 38)} <= colours  # ours and the rivals


def test_a_mask_is_held_against_the_unmasked_ways_at_the_same_fidelity() -> None:
    strong, weak = rows((0.4, 0.1), (0.6, 0.1)), rows((0.8, 0.3), (1.0, 0.3))
    between = at_equal_fidelity(rows((0.6, 0.15), (0.8, 0.15)), [weak, strong])
    assert between is not None
    assert between["difference"] == pytest.approx(0.15 - 0.2)
    assert between["lower"]
    beyond = at_equal_fidelity(rows((0.0, 0.2)), [weak, strong])
    assert beyond is not None
    assert beyond["pairs"] == 1
    assert beyond["difference"] == pytest.approx(0.2 - 0.1)  # that of the nearest end
    assert not beyond["lower"]
    assert at_equal_fidelity({}, [weak, strong]) is None
    assert at_equal_fidelity(rows((0.5, 0.1)), [weak]) is None


def test_what_the_goals_ask_for() -> None:
    points = {
        "plug-and-play": rows((0.5, 0.2), (0.5, 0.2), evaluations=200),
        "one copy": rows((0.5, 0.2), evaluations=125),
        "999 steps": rows((0.5, 0.3)),
    }
    identity = {"0": {"translated_db": 29.8, "autoencoder_db": 30.0}}
    summary = summary_of(points, further={"plug-and-play": {"0": 100, "1": 110}}, identity=identity)
    own = summary["evaluations"]["plug-and-play"]
    assert own["first"] == {"share": 200 / 2148, "goal": 0.1, "reached": True}
    assert own["further"] == {"share": 110 / 2148, "goal": 0.05, "reached": False}
    assert not summary["evaluations"]["one copy"]["first"]["reached"]
    assert summary["reference_setting"]["no_worse"]
    assert summary["reference_setting"]["difference"] == pytest.approx(-0.1)
    assert summary["identity"]["lost_db"]["mean"] == pytest.approx(0.2)
    assert summary["identity"]["reached"]
    without = summary_of({"redraw 0.4": rows((0.5, 0.2))})
    assert without["reference_setting"] is None
    assert without["identity"] is None
    assert without["against_default"] == {}


def test_every_name_that_the_tables_read_is_a_point() -> None:
    assert {*GOALS, *EVERY, *RIVALS, *UNMASKED} <= {*POINTS}
    assert not {*RIVALS} & {*UNMASKED}


def test_what_is_unknown_is_told(tmp_path: Path) -> None:
    runner: Any = None
    with pytest.raises(EditorError, match="no point"):
        evaluate_translate(runner=runner, model="m", points=("magic",))
    with pytest.raises(EditorError, match="at least 1"):
        evaluate_translate(runner=runner, model="m", count=0)


GOOD = {"set": "drawings", "fidelity": 0.5, "changed": 1.0, "structure": 0.1, "evaluations": 200}


@pytest.mark.parametrize(
    ("section", "value", "named"),
    [
        ("points", [], "points is"),
        ("points", {"plug-and-play": []}, "points.plug-and-play is"),
        ("points", {"plug-and-play": {"x": GOOD}}, "number of a pair"),
        ("points", {"plug-and-play": {"-3": GOOD}}, "number of a pair"),
        ("points", {"plug-and-play": {"0": None}}, "points.plug-and-play.0 is"),
        ("points", {"plug-and-play": {"0": {}}}, "0.set"),
        ("points", {"plug-and-play": {"1": GOOD}}, "1.set is"),
        ("points", {"plug-and-play": {"0": {**GOOD, "fidelity": 1.5}}}, "0.fidelity is 1.5"),
        ("points", {"plug-and-play": {"0": {**GOOD, "changed": "1"}}}, "0.changed is"),
        ("points", {"plug-and-play": {"0": {**GOOD, "structure": float("nan")}}}, "structure"),
        ("points", {"plug-and-play": {"0": {**GOOD, "structure": -0.1}}}, "0.structure is"),
        ("points", {"plug-and-play": {"0": {**GOOD, "evaluations": 1.5}}}, "0.evaluations is"),
        ("further", {"plug-and-play": {"0": -1}}, "further.plug-and-play.0 is"),
        ("further", {"plug-and-play": 3}, "further.plug-and-play is"),
        ("identity", {"0": {"translated_db": 20.0}}, "identity.0.autoencoder_db is"),
        ("probe", 3, "probe is"),
    ],
)
def test_a_record_that_lies_is_told_and_kept(section: str, value: Any, named: str, tmp_path: Path) -> None:
    settings = {"suite": "translate"}
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({**settings, section: value}))
    before = path.read_bytes()
    with pytest.raises(EditorError) as error:
        Record(path, settings, ("points", "probe", "further", "identity"), check_measured)
    assert named in str(error.value)
    assert path.read_bytes() == before


def test_a_record_that_lacks_a_section_goes_on(tmp_path: Path) -> None:
    settings = {"suite": "translate"}
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({**settings, "points": {"plug-and-play": {"0": GOOD}}}))
    record = Record(path, settings, ("points", "probe", "further", "identity"), check_measured)
    assert record.values["points"]["plug-and-play"]["0"] == GOOD
    assert record.values["further"] == record.values["identity"] == {}
    path.write_text(path.read_text()[:-9])
    with pytest.raises(EditorError, match="is no evaluation"):
        Record(path, settings, ("points",), check_measured)


def test_all_of_it_on_a_tiny_model(
    tiny_folders: dict[str, Path],
    tiny_backbones: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(translate, "STEPS", 3)
    monkeypatch.setattr(translate, "EVERY", {"redraw 0.6": 2})
    monkeypatch.setattr(translate, "IDENTITY_PAIRS", 1)
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
    found = record["points"]
    assert [len(found[name]) for name in ("nothing", *points)] == [2, 2, 2, 1, 1, 2]
    assert found["plug-and-play"]["0"]["evaluations"] == 4 * 3
    assert found["nothing"]["0"]["structure"] == 0
    assert found["one copy"]["1"]["structure"] > 0
    assert record["further"] == {
        "plug-and-play": {"0": 2 * 3, "1": 2 * 3},
        "one copy": {"0": 2 * 3, "1": 2 * 3},
    }
    assert set(record["identity"]) == {"0"}
    asked: list[str] = []
    again = evaluate_translate(
        **given, count=2, detect=lambda images: asked.append("detect") or [[] for _ in images]
    )
    assert not asked
    assert again["summary"]["points"] == record["summary"]["points"]
