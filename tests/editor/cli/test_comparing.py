"""`attune deltas compare`: a sheet with a row for each comparison, and its measures."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editor.__main__ import main
from editor.cli.comparing import sheet
from inference.definitions import definition_text
from inference.deltas import Delta, DeltaInfo, DeltaLibrary, write_delta
from inference.evaluation.compare_deltas import Row, summarise
from inference.methods.learning.held_out import HeldOut
from inference.models import Catalogue
from inference.runner import Runner
from tests.inference.conftest import tiny_backbones, tiny_folders

__all__ = ["tiny_backbones", "tiny_folders"]  # fixtures

PROMPT = "a photo of a man"


@pytest.fixture
def deltas(tmp_path: Path, tiny_backbones: dict[str, Any]) -> list[str]:
    """One that does nothing, a weak one and a strong one."""
    found: list[str] = []
    widths = tiny_backbones["tiny-sd1"].token_widths
    direction = {e: np.random.default_rng(1).normal(size=w).astype(np.float32) for e, w in widths.items()}
    for name, size in (("none", 0.0), ("weak", 0.5), ("strong", 8.0)):
        vectors = {encoder: size * vector for encoder, vector in direction.items()}
        info = DeltaInfo(key=name, attribute="age", label="Age", widths=dict(widths))
        write_delta(Delta(info=info, vectors=vectors), tmp_path / f"{name}.safetensors")
        found.append(str(tmp_path / f"{name}.safetensors"))
    return found


@pytest.fixture(autouse=True)
def runner(
    tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    made = Runner(catalogue, DeltaLibrary(()), load=lambda entry, **_: tiny_backbones[entry.name])
    monkeypatch.setattr("editor.cli.comparing.runner_of", lambda arguments: made)


def arguments(*more: str) -> list[str]:
    return ["--prompt", PROMPT, "--subject", "man", "--steps", "4", "--model", "tiny-sd1", *more]


def test_figures_and_sheet(deltas: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sheet.png"
    wanted = arguments("--seeds", "1", "2", "--scales", "-1", "1", "2", "-o", str(path), "--json")
    assert main(["deltas", "compare", *deltas, *wanted]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["positions"] == [-1, 0, 1, 2]
    assert [(row["seed"], row["delta"]) for row in told["rows"]] == [
        (seed, name) for seed in (1, 2) for name in ("none", "weak", "strong")
    ]
    none, weak, strong = (told["summary"][name] for name in ("none", "weak", "strong"))
    assert none["change"]["mean"] == 0
    assert 0 < weak["change"]["mean"] < strong["change"]["mean"]
    assert none["pictures"] == 2
    assert told["outputs"] == [str(path)]
    with Image.open(path) as picture:
        assert picture.width >= 4 * 64
        assert picture.height >= 6 * 64


def test_a_table_without_a_sheet(deltas: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deltas", "compare", deltas[1], *arguments()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Delta", "Change", "Outside", "Reach", "Unevenness", "Evaluations"]
    assert lines[1].startswith("weak")


def test_the_loss_at_held_out_points(
    deltas: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.methods.learning import held_out as module

    monkeypatch.setattr(
        module,
        "HeldOut",
        lambda *given: HeldOut(*given, trajectories=1, points=2),  # a short one
    )
    path = tmp_path / "age.toml"
    path.write_text(
        definition_text(
            attribute="age",
            label="Age",
            subject="person",
            prefixes=["a"],
            pairs=[("man", "old man", "young man")],
        )
    )
    assert main(["deltas", "compare", *deltas, *arguments("--definition", str(path), "--json")]) == 0
    told = json.loads(capsys.readouterr().out)["summary"]
    assert told["none"]["held_out_loss"] == pytest.approx(1)
    assert told["weak"]["held_out_loss"] != told["strong"]["held_out_loss"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--scales", "0"], "no position beside 0"),
        (["-o", "sheet.jpeg"], "a .png file"),
        (["--attribute", "wit"], "cannot be measured"),
    ],
)
def test_what_is_refused(
    more: list[str], message: str, deltas: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deltas", "compare", deltas[0], *arguments(*more)]) != 0
    assert message in capsys.readouterr().err


def test_words_without_ends_are_no_measure(
    deltas: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every direction had lost nothing of what they say."""
    path = tmp_path / "beard.toml"
    path.write_text(
        definition_text(
            attribute="beard", label="Beard", subject="person", prefixes=["a"], pairs=[("man", "man", "man")]
        )
    )
    assert main(["deltas", "compare", deltas[0], *arguments("--definition", str(path))]) == 2
    assert "ends are the same" in capsys.readouterr().err


def test_names_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deltas", "compare", "nobody/nothing", *arguments()]) != 0
    assert "no file and no delta" in capsys.readouterr().err


def test_measures_of_even_and_uneven_steps() -> None:
    """The numbers under a row are those of its pictures."""
    from inference.evaluation import compare_deltas as module

    seen = np.zeros((4, 4), np.float32)
    seen[:, :2] = 1

    def row(*shades: int) -> Row:
        images = []
        for shade in shades:
            image = np.full((8, 8, 3), 100, np.uint8)
            image[:, :4] = shade
            image[:, 4:] = 100 + (shade - shades[1]) // 10
            images.append(image)
        return module._row("d", PROMPT, 0, (-1.0, 0.0, 1.0), images, seen, ())

    even, uneven = row(50, 100, 150), row(90, 100, 190)
    assert even.unevenness == pytest.approx(0, abs=1e-6)
    assert uneven.unevenness == pytest.approx(0.8)
    assert even.change == pytest.approx(50 / 255)
    assert even.outside == pytest.approx(0.1)
    assert even.reach == pytest.approx(100 / 255)
    measured = replace(even, values=(0.2, float("nan"), 0.9))
    assert measured.span == pytest.approx(0.7)
    assert summarise([measured])["d"]["span"]["mean"] == pytest.approx(0.7)
    assert summarise([even, uneven])["d"]["unevenness"]["mean"] == pytest.approx(0.4, abs=1e-6)
    assert sheet([even, uneven], (-1.0, 0.0, 1.0)).height > 2 * 8
