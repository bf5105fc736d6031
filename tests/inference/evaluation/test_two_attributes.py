"""The suite "two": two sliders at once on pictures that hold what they show; resuming, what is refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import EditorError
from inference.evaluation.parts import Part
from inference.evaluation.two_attributes import (
    COUPLES,
    DRAWN,
    FIXED,
    GROUNDS,
    POSITIONS,
    RENDERED,
    TRUE,
    evaluate_two,
    wishes,
)
from inference.operations import AttributeSweep, EditSweep
from inference.progress import Progress
from inference.request import Pixels, Request, Result

PEOPLE = ("man", "woman")
OF_MODELS = (DRAWN, RENDERED)
LEAKED = 0.1  # of the moved slider, into all that the other person has


@dataclass(frozen=True)
class Found:
    kind: str
    box: tuple[float, float, float, float]
    attributes: Mapping[str, float]
    colours: Mapping[str, tuple[float, ...]]
    score: float = 1.0


class Drawings:
    """A runner whose pictures hold age, smile and the hair's place in the first rows, a half a person."""

    def __init__(self, leaked: float = LEAKED) -> None:
        self.leaked = leaked
        self.requests: list[Request] = []

    def model_hash(self, model: str, progress: Progress) -> str:
        return "weights"

    def run(self, request: Request, contents: Mapping[str, Any], progress: Progress) -> Result:
        self.requests.append(request)
        parameters = request.parameters
        assert isinstance(parameters, AttributeSweep | EditSweep)
        images = tuple(self._drawn(parameters, value) for value in parameters.positions)
        return Result(request=request, images=images, maps={}, measured=progress.measured)

    def _drawn(self, parameters: AttributeSweep | EditSweep, value: float) -> Pixels:
        image = np.full((16, 16, 3), 120, np.uint8)
        # the one that moves comes last, as what it does to the other person is to stay
        edits = sorted(enumerate(parameters.edits), key=lambda one: one[0] == parameters.index)
        for number, edit in edits:
            kind = PEOPLE.index(parameters.prompt[edit.start : edit.end])
            row = ("age", "smile", "hair-colour").index(edit.attribute)
            moved = value if number == parameters.index else edit.value
            image[row, 8 * kind] = 120 + 40 * moved
            if number == parameters.index:
                other = 8 * (1 - kind)
                image[:3, other] = image[:3, other] + np.int16(round(40 * self.leaked * value))
        return image


def detect(images: Sequence[Pixels]) -> list[list[Found]]:
    return [
        [
            Found(
                kind,
                (0.5 * place, 0, 0.5 + 0.5 * place, 1),
                {"age": image[0, 8 * place, 0] / 255, "smile": image[1, 8 * place, 0] / 255},
                {"hair": tuple(image[2, 8 * place] / 255)},
            )
            for place, kind in enumerate(PEOPLE)
        ]
        for image in images
    ]


def run(runner: Drawings, **more: Any) -> dict[str, Any]:
    return evaluate_two(
        runner=runner, model="mini", detect=detect, **{"pairs": 6, "grounds": OF_MODELS, **more}
    )  # type: ignore[arg-type]


def test_each_attribute_is_moved_while_the_other_one_stands() -> None:
    runner = Drawings(leaked=0.0)
    tables = run(runner)["summary"]
    assert tables.keys() == set(OF_MODELS)
    for table in tables.values():
        assert table["sliders"] == 12
        assert table["spearman"]["mean"] == pytest.approx(1)
        assert table["cross_talk"] == 0
        assert {name for couple in COUPLES for name in couple} <= table.keys()
    for request in runner.requests:
        parameters = request.parameters
        assert isinstance(parameters, AttributeSweep | EditSweep)
        moved, stands = parameters.edits[parameters.index], parameters.edits[1 - parameters.index]
        assert (moved.value, stands.value) == (0.0, FIXED)
        assert moved.attribute != stands.attribute
        assert moved.start != stands.start
        assert parameters.only_subject


def test_what_leaks_is_measured_by_the_other_sliders_own_change() -> None:
    tables = run(Drawings())["summary"]
    for table in tables.values():
        assert table["cross_talk"] == pytest.approx(LEAKED, abs=0.02)
        assert table["age"]["cross_talk"] > 0.05
        leaked = table["other_change"]["mean"]
        assert leaked == pytest.approx(table["cross_talk"] * table["edited_change"]["mean"])


def test_people_and_attributes_take_turns() -> None:
    for ground in GROUNDS:
        found = wishes(ground, 12)
        assert {wish.first[0] for wish in found} == {"man", "woman"}
        assert {(wish.first[1], wish.second[1]) for wish in found} == set(COUPLES)
        assert all(wish.first[0] in wish.prompt for wish in found)
        assert len({wish.key for wish in found}) == 12
        assert all((wish.pixels is None) == (ground == "generated") for wish in found)


def test_a_slider_that_cannot_be_better_is_measured_without_a_model() -> None:
    """What the judge makes of the world's own pictures: the other person never changes."""
    runner, read = Drawings(), list[Sequence[Pixels]]()

    def judge(images: Sequence[Pixels]) -> list[list[Found]]:
        read.append(images)
        return detect(images)

    evaluate_two(runner=runner, model="mini", detect=judge, pairs=6, grounds=(TRUE,))  # type: ignore[arg-type]
    assert not runner.requests
    assert [len(images) for images in read] == [len(POSITIONS)] * 12
    for wish, images in zip(wishes(TRUE, 6), read[::2], strict=True):
        (kind, attribute), (other, _) = wish.first, wish.second
        assert wish.scene is not None
        first, second = (one.x for one in wish.scene.subjects)
        middle = round((first + second) / 2 * images[0].shape[1] / 64)
        left = wish.scene.subjects[0].kind
        halves = {left: slice(None, middle), ({*PEOPLE} - {left}).pop(): slice(middle, None)}
        ends = images[0].astype(int) - images[-1]
        assert not ends[:, halves[other]].any()
        gray = (
            attribute == "hair-colour" and next(p for p in wish.scene.subjects if p.kind == kind).age > 0.85
        )
        assert gray or ends[:, halves[kind]].any()


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    path, runner = tmp_path / "out.json", Drawings()
    first = run(runner, json_path=path, pairs=2)
    done = len(runner.requests)
    told: list[tuple[int, int]] = []
    again = run(runner, json_path=path, pairs=2, report=lambda done, total, _: told.append((done, total)))
    assert len(runner.requests) == done == 8
    assert again["summary"] == first["summary"]
    assert json.loads(path.read_text())["summary"] == json.loads(json.dumps(first["summary"]))
    assert told[-1] == (4, 4)


def test_a_part_is_a_part_of_both_kinds_of_pictures() -> None:
    values = run(Drawings(), pairs=3, part=Part(2, 3))
    for ground in OF_MODELS:
        assert list(values[ground]) == [wishes(ground, 3)[1].key]


def test_what_is_refused() -> None:
    with pytest.raises(EditorError, match="“painted” are no pictures"):
        run(Drawings(), grounds=("painted",))
    with pytest.raises(EditorError, match="at least 1"):
        run(Drawings(), pairs=0)
