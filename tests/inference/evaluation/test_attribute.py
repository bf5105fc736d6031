"""The evaluation suite on pictures that a stand-in runner draws: figures, resuming, what is refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from inference.content import Contents
from inference.errors import Cancelled, EditorError
from inference.evaluation.attribute import (
    POSITIONS,
    evaluate_attribute,
    one_subject,
    reading,
    slider_pairs,
    two_subjects,
)
from inference.operations import AttributeSweep, Generate
from inference.progress import Progress
from inference.request import Pixels, Request, Result


@dataclass(frozen=True)
class Found:
    kind: str
    box: tuple[float, float, float, float]
    attributes: Mapping[str, float]
    score: float = 1.0
    colours: Mapping[str, str] = ()  # type: ignore[assignment]


class Drawings:
    """A runner whose pictures hold what they show: kinds in the first row, ages below."""

    def __init__(self) -> None:
        self.hash = "weights 1"
        self.runs = 0
        self.missing_seed = -1

    def model_hash(self, model: str, progress: Progress) -> str:
        return self.hash

    def run(self, request: Request, contents: Contents, progress: Progress) -> Result:
        progress.check()
        self.runs += 1
        parameters = request.parameters
        if isinstance(parameters, AttributeSweep):
            edited = parameters.prompt[parameters.edits[0].start : parameters.edits[0].end]
            images = tuple(
                draw(edited, alpha, parameters.seed == self.missing_seed) for alpha in parameters.positions
            )
        else:
            assert isinstance(parameters, Generate)
            images = (draw("man", 0.0, False),)
        return Result(request=request, images=images, maps={}, measured=progress.measured)


def draw(edited: str, alpha: float, missing: bool) -> Pixels:
    image = np.zeros((16, 16, 3), np.uint8)
    image[0, 0] = 0 if missing else 1
    ages = {"man": 128, "woman": 128}
    ages[edited] += int(40 * alpha)
    image[1, 0], image[1, 8] = ages["man"], ages["woman"]
    return image


def detect(images: Sequence[Pixels]) -> list[list[Found]]:
    found: list[list[Found]] = []
    for image in images:
        man = Found("man", (0, 0, 0.5, 1), {"age": image[1, 0, 0] / 255})
        woman = Found("woman", (0.5, 0, 1, 1), {"age": image[1, 8, 0] / 255})
        found.append([man, woman] if image[0, 0, 0] else [man])
    return found


def run(runner: Drawings, **more: object) -> dict:
    return evaluate_attribute(runner=runner, model="mini", detect=detect, pairs=16, **more)  # type: ignore[arg-type]


def test_a_perfect_slider_has_perfect_figures() -> None:
    table = run(Drawings())["summary"]["age"]
    assert (table["pairs"], table["measured"], table["missing_at_zero"]) == (16, 16, 0)
    assert table["spearman"]["mean"] == pytest.approx(1)
    assert table["other_to_edited"] == 0
    assert table["background_db"]["mean"] == 100


def test_pictures_without_one_person_are_counted() -> None:
    runner = Drawings()
    runner.missing_seed = next(slider_pairs("age", 1)).seed
    table = run(runner)["summary"]["age"]
    assert (table["measured"], table["missing_at_zero"]) == (15, 1)


def test_tiam_counts_pictures_with_every_subject() -> None:
    summary = run(Drawings())["summary"]
    assert summary["tiam_one_subject"]["total"] == 16
    assert summary["tiam_one_subject"]["hits"] == 4  # man and woman are there, the other six kinds are not


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    runner, progress = Drawings(), Progress()

    def report(done: int, total: int, what: str) -> None:
        assert total == 48
        if done == 10:
            progress.cancel()

    with pytest.raises(Cancelled):
        run(runner, json_path=path, report=report, progress=progress)
    assert runner.runs == 10
    assert len(json.loads(path.read_text())["sliders"]) == 10
    values = run(runner, json_path=path)
    assert runner.runs == 48
    assert json.loads(path.read_text()) == values
    run(runner, json_path=path)
    assert runner.runs == 48, "everything was measured already"


def test_other_weights_start_afresh(tmp_path: Path) -> None:
    runner = Drawings()
    run(runner, json_path=tmp_path / "out.json")
    runner.hash = "weights 2"
    run(runner, json_path=tmp_path / "out.json")
    assert runner.runs == 96


def test_a_file_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text("my notes")
    with pytest.raises(EditorError, match="no evaluation"):
        run(Drawings(), json_path=path)
    assert path.read_text() == "my notes"


def test_too_few_pairs() -> None:
    with pytest.raises(EditorError, match="at least 1"):
        evaluate_attribute(runner=Drawings(), model="mini", detect=detect, pairs=0)


def test_only_what_the_detector_sees_is_measured() -> None:
    with pytest.raises(EditorError, match="age, smile, hair-colour, shirt-colour"):
        run(Drawings(), attributes=("age", "wit"))
    man = Found("man", (0, 0, 1, 1), {}, colours={"hair": (238 / 255, 205 / 255, 90 / 255)})  # type: ignore[dict-item]
    assert reading("hair-colour")(man) == pytest.approx(1)
    assert np.isnan(reading("shirt-colour")(man))


def test_the_work_takes_turns() -> None:
    pairs = list(slider_pairs("age", 200))
    assert len({pair.key for pair in pairs}) == 200
    assert sum(pair.edited == "man" for pair in pairs) == 104
    assert {pair.other for pair in pairs} == {"man", "woman"}
    assert len({kinds for _, _, kinds in two_subjects(28)}) == 28
    assert len({prompt for prompt, _, _ in one_subject(32)}) == 32
    assert 0.0 in POSITIONS
