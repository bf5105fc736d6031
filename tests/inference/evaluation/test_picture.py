"""The suite "picture": held-out renders and their true edited pictures, and all of it on a tiny model."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.errors import EditorError
from inference.evaluation.picture import (
    DEFAULT_WAY,
    OF_DEFAULT,
    OLD,
    RESAMPLED,
    TWO,
    UNRESTRICTED,
    YOUNG,
    cases,
    evaluate_picture,
    summarise,
)
from inference.metrics.psnr import psnr
from inference.miniworld.render import draw_masks
from inference.models import Catalogue
from inference.request import Pixels
from inference.runner import Runner


@dataclass(frozen=True)
class Found:
    kind: str
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    score: float = 1.0
    attributes: dict[str, float] = field(default_factory=dict)
    colours: dict[str, Any] = field(default_factory=dict)


REDRAWINGS = ("redraw 0.3", "redraw 0.5", "redraw 0.7")


def by_brightness(images: Sequence[Pixels]) -> list[list[Found]]:
    half = images[0].shape[1] // 2
    return [
        [
            Found("man", (0, 0, 0.5, 1), attributes={"age": float(image[:, :half].mean() / 255)}),
            Found("woman", (0.5, 0, 1, 1), attributes={"age": float(image[:, half:].mean() / 255)}),
        ]
        for image in images
    ]


def test_the_true_picture_differs_in_one_persons_age_alone() -> None:
    for case in cases(6):
        index = [one.kind for one in case.scene.subjects].index(case.edited)
        person = case.scene.subjects[index]
        changed = (case.truth != case.pixels).any(-1)
        assert changed.any()
        masks = draw_masks(case.scene, case.pixels.shape[0])
        assert changed[masks[1 - index]].mean() < 0.02
        assert case.is_aged == (abs(person.age - OLD) > abs(person.age - YOUNG))
        assert case.aged_prompt.count(" old " if case.is_aged else " young ") == 1
        assert psnr(case.truth, case.pixels) > 10


def test_both_people_and_both_orders_take_turns() -> None:
    found = cases(8)
    assert {case.edited for case in found} == {"man", "woman"}
    assert {case.prompt.index(case.edited) for case in found} >= {13}
    np.testing.assert_array_equal(found[3].pixels, cases(4)[3].pixels)


@pytest.fixture
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    library = DeltaLibrary((), shipped_folder() / "definitions")
    return Runner(catalogue, library, load=lambda entry, **_: tiny_backbones[entry.name])


def test_the_suite_measures_and_goes_on(
    runner: Runner, tmp_path: Path, tiny_backbones: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    monkeypatch.setattr(type(backbone), "encode_prompt", _short_enough(type(backbone).encode_prompt))
    from dataclasses import replace

    monkeypatch.setattr(backbone, "defaults", replace(backbone.defaults, steps=3))
    path = tmp_path / "out.json"
    arguments: dict[str, Any] = {"model": "tiny-sd1", "pictures": 1, "detect": by_brightness}
    arguments["ways"] = (DEFAULT_WAY, *OF_DEFAULT, "redrawn")
    values = evaluate_picture(runner=runner, json_path=path, **arguments)
    table = values["summary"]
    assert table["reconstruction"][DEFAULT_WAY]["lost_db"]["mean"] == pytest.approx(0, abs=0.01)
    assert table["sliders"].keys() == {DEFAULT_WAY, *OF_DEFAULT}
    assert table["truth"].keys() == {DEFAULT_WAY, *OF_DEFAULT, "nothing", RESAMPLED, *REDRAWINGS} - {TWO}
    assert table["sliders"][UNRESTRICTED]["share_of_unrestricted"] == pytest.approx(1)
    assert json.loads(path.read_text())["sliders"] == values["sliders"]
    again = evaluate_picture(runner=runner, json_path=path, **arguments)
    assert again["summary"] == table
    arguments["ways"] = (UNRESTRICTED,)
    alone = evaluate_picture(runner=runner, json_path=tmp_path / "alone.json", **arguments)["summary"]
    assert (alone["reconstruction"], alone["truth"].keys()) == ({}, {UNRESTRICTED})
    assert alone["sliders"] == {UNRESTRICTED: table["sliders"][UNRESTRICTED]}


def _short_enough(encode: Any) -> Any:
    """The tiny tokenizers spell most words letter by letter."""

    def encoded(self: Any, text: str, learnt: Any = (), **more: Any) -> Any:
        return encode(self, text[:70], learnt, **more)

    return encoded


def test_a_person_who_is_not_found_leaves_the_figures_of_the_others() -> None:
    lost = math.nan

    def slider(edited: float, error: float) -> dict[str, Any]:
        alphas = [-2.0, -1.0, 0.0, 1.0, 2.0]
        measured = {"edited": [edited] * 5, "other": [0.5] * 5, "background_db": [30.0] * 4}
        truth = {"position": 0.0, "db": 20.0, "age_error": error}
        return {"alphas": alphas, **measured, "evaluations": 9, "fit": 0.1, "truth": truth}

    shown = {"autoencoder_db": 30.0, "db": 29.0, "evaluations": 3, "fit_of_another": 0.1}
    redrawn = {"0": {"db": 20.0, "age_error": 0.2}, "1": {"db": 10.0, "age_error": lost}}
    values = {
        "reconstruction": {"noised": {"0": {**shown, "fit": 0.3}, "1": {**shown, "fit": lost}}},
        "sliders": {"noised": {"0": slider(0.5, 0.2), "1": slider(lost, lost)}},
        "redrawn": {"nothing": redrawn},
    }
    tables = summarise(values)
    assert tables["reconstruction"]["noised"]["fit"]["mean"] == 0.3
    for way in ("noised", "nothing"):
        assert tables["truth"][way]["age_error"]["mean"] == 0.2
    assert tables["truth"]["nothing"]["db"]["mean"] == 15.0


def test_what_is_refused(runner: Runner) -> None:
    with pytest.raises(EditorError, match="“magic” is no way to invert"):
        evaluate_picture(runner=runner, model="tiny-sd1", ways=("magic",))
    with pytest.raises(EditorError, match="at least 1"):
        evaluate_picture(runner=runner, model="tiny-sd1", pictures=0)
