"""The gate's arithmetic, on a pipeline that always draws what it is told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.miniworld import evaluation
from inference.miniworld.cards import detector_card, model_card
from inference.miniworld.detector import Detection, find
from inference.miniworld.evaluation import Suite
from inference.miniworld.reporting import FIGURES_NAME, write_card
from inference.miniworld.scene import KINDS

SUITE = Suite(one=8, two=28, ages=4, colours=4, deltas=2, steps=1)
BOX = (0.0, 0.0, 1.0, 1.0)


def _person(kind: str, age: float) -> Detection:
    return Detection(kind, 0.9, BOX, {"age": age, "smile": 0.0}, {})


def _fake_detect(answer: Any) -> Any:
    return lambda pipeline, detector, prompts, steps: [answer(prompt) for prompt in prompts]


def test_presence_counts_what_the_prompt_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_men(prompt: str) -> list[Detection]:
        return [_person("man", 0.5)]

    monkeypatch.setattr(evaluation, "_detect", _fake_detect(only_men))
    nothing: Any = None
    assert evaluation.one_subject(nothing, nothing, SUITE) == 1 / len(KINDS)
    assert evaluation.two_subjects(nothing, nothing, SUITE) == 0


def test_age_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def old_men(prompt: str) -> list[Detection]:
        return [_person("man", 0.9), _person("woman", 0.1)]

    monkeypatch.setattr(evaluation, "_detect", _fake_detect(old_men))
    nothing: Any = None
    assert evaluation.age_order(nothing, nothing, SUITE) == 0.5


def test_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    def red_cars(prompt: str) -> list[Detection]:
        return [Detection("car", 0.9, BOX, {}, {"colour": (0.85, 0.17, 0.17)})]

    monkeypatch.setattr(evaluation, "_detect", _fake_detect(red_cars))
    nothing: Any = None
    share = evaluation.colours_bound(nothing, nothing, Suite(colours=60))
    assert 0.05 < share < 0.45


def test_find_takes_the_surest() -> None:
    weak = Detection("cat", 0.6, BOX, {}, {})
    sure = Detection("cat", 0.9, (0.5, 0.0, 1.0, 1.0), {}, {})
    assert find([weak, sure], "cat") is sure
    assert find([weak, sure], "dog") is None
    assert sure.centre == (0.75, 0.5)


def test_a_card_tells_goal_and_figure(tmp_path: Path) -> None:
    effect = {"edited": 0.5, "other": 0.02, "other_signed": 0.01, "measured": 2.0}
    figures = {
        "one_subject": 0.97,
        "two_subjects": 0.5,
        "age_order": 1.0,
        "colours_bound": 0.8,
        "delta_old_neutral": effect,
        "delta_old_young": effect,
        "vae_psnr": "28.1 ± 2.0 dB",
        "suite": {"one": 8, "two": 28, "ages": 4, "colours": 4, "deltas": 2, "steps": 1},
    }
    torch.save({"step": 7, "seconds": 60.0}, tmp_path / "mini-sd1.pt")
    card = model_card("mini-sd1", "sd1", figures, tmp_path, "one core")
    assert "7 steps of 16 (112 samples) in 1 minutes" in card
    assert "| both subjects present, 28 pictures | 45-75 % | 50 % |" in card
    assert "attention localisation from the exact masks" in card


def test_the_card_of_the_detector_has_a_column_for_each_kind_of_picture(tmp_path: Path) -> None:
    torch.save({"step": 7, "seconds": 60.0}, tmp_path / "detector.pt")
    figures = {"clean": {"presence": 1.0}, "autoencoded": {"presence": 0.97}, "distorted": {"presence": 0.95}}
    card = detector_card(figures, tmp_path, "one core")
    assert "| presence | 1 | 0.97 | 0.95 |" in card
    assert "30%, 35% and\n35% of them with one, two and three subjects" in card


def test_figures_are_kept_per_model(tmp_path: Path) -> None:
    path = tmp_path / "new" / FIGURES_NAME
    evaluation.write_figures(Path("a"), {"x": 1}, path)
    evaluation.write_figures(Path("b"), {"x": np.float64(2).item()}, path)
    with pytest.raises(KeyError):
        write_card("mini-sd1", tmp_path, path.parent, "one core")
