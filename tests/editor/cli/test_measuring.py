"""`attune choose-step` with a curve that is known: what is printed, drawn and kept."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from editor.__main__ import main
from editor.cli import measuring as cli_refine
from editor.system.folders import data_folder
from inference.chosen_steps import STEPS_FILE, ChosenStep, chosen
from inference.evaluation.choose_step import StepCurve

CURVE = StepCurve(
    method="ours", steps=30, tried=(0, 2, 4), tiam={"2": (0.5, 0.9, 0.7), "3": (0.1, 0.1, 0.1)}, pictures=8
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the measurement was asked for."""
    given: dict[str, Any] = {}
    backbone = SimpleNamespace(model_hash="hash", defaults=SimpleNamespace(steps=30))
    runner = SimpleNamespace(backbone=lambda model, progress: backbone)
    monkeypatch.setattr(cli_refine, "runner_of", lambda arguments: runner)

    def measured(**values: Any) -> StepCurve:
        given.update(values)
        return CURVE

    monkeypatch.setattr(cli_refine, "measured_curve", measured)
    return given


def test_the_step_is_kept_for_this_user(asked: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["choose-step", "--model", "mini-sd1", "--pairs", "3"]) == 0
    assert "Step 2 of 30 is kept in" in capsys.readouterr().out
    assert (asked["prompts"], asked["seeds"], asked["steps"], asked["sets"]) == (3, 16, 30, ("2", "3"))
    kept = chosen(Path("nowhere"), "hash", "ours", data_folder() / STEPS_FILE).step
    assert kept == ChosenStep(2, 30)


def test_the_curve_is_drawn_and_printed(
    asked: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plot = tmp_path / "steps.json", tmp_path / "curve.svg"
    assert main(["choose-step", "--steps", "20", "--json", "-o", str(out), "--plot", str(plot)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["step"], printed["pictures_per_point"], asked["steps"]) == (2, 8, 20)
    assert json.loads(out.read_text())["hash"]["ours"]["step"] == 2
    assert plot.read_text().startswith("<svg")


def test_a_folder_that_is_not_there_is_told_before_the_work(asked: dict[str, Any], tmp_path: Path) -> None:
    assert main(["choose-step", "--plot", str(tmp_path / "none" / "curve.svg")]) == 2
    assert asked == {}
