"""The suite "insert": held-out edits with their true pictures, and the table made over a scripted runner."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.content import Contents
from inference.errors import EditorError
from inference.evaluation.insert import HEADINGS, evaluate_insert, summarise, table_rows, usual_rows
from inference.evaluation.insert_sets import KINDS, InsertCase, insert_cases
from inference.operations import INSERT_LOOPS, Insert
from inference.progress import Measurements, Progress
from inference.request import Pixels, Request, Result

CASES = insert_cases(len(KINDS) * 2)


@dataclass(frozen=True)
class Found:
    kind: str
    score: float = 1.0
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    attributes: dict[str, float] = field(default_factory=dict)
    colours: dict[str, Any] = field(default_factory=dict)


def test_the_kinds_take_turns_and_each_changes_its_picture_and_its_words() -> None:
    assert [case.kind for case in CASES[: len(KINDS)]] == list(KINDS)
    for case in CASES:
        assert (case.source != case.truth).any()
        assert case.source_prompt != case.prompt
    again = insert_cases(1, 13)[0]
    np.testing.assert_array_equal(again.source, CASES[13].source)
    assert again.prompt == CASES[13].prompt


def test_what_is_removed_is_inside_of_its_place_and_adding_is_the_way_back() -> None:
    for case in CASES:
        if case.place is not None:
            assert not (case.source != case.truth).any(-1)[~case.place].any()
    added, removed = (insert_cases(1, KINDS.index(name))[0] for name in ("add object", "delete object"))
    assert len(added.source_prompt) < len(added.prompt)
    assert len(removed.source_prompt) > len(removed.prompt)
    assert removed.gone
    assert set(removed.there) < set(added.there)


def test_success_is_what_the_detector_sees() -> None:
    case = next(one for one in CASES if one.kind == "content")
    person, thing = case.there

    def seen(smile: float, *more: Found) -> list[Any]:
        return [Found(person, attributes={"smile": smile}), *more]

    other = Found(thing)
    source, truth = seen(-0.9, other), seen(0.9, other)
    assert case.succeeded(case.truth, seen(0.5, other), source, truth)
    assert not case.succeeded(case.truth, seen(-0.2, other), source, truth)
    assert not case.succeeded(case.truth, seen(0.5), source, truth), "the other subject went"
    assert not case.succeeded(case.truth, [other], source, truth)
    # it does not see the other one in the true picture either
    assert case.succeeded(case.truth, seen(0.5), source, seen(0.9))
    background = next(one for one in CASES if one.kind == "background")
    assert background.succeeded(background.truth, [], [], [])
    assert not background.succeeded(background.source, [], [], [])


def test_pixels_judge_a_colour_that_the_detector_misreads_in_the_true_picture() -> None:
    case = next(one for one in CASES if one.kind == "colour")
    person, thing = case.there
    (drawn,) = case.drawn
    before = tuple(1 - value for value in drawn)

    def seen(colour: Any) -> list[Any]:
        return [Found(person), Found(thing, colours={"colour": colour})]

    # it knows the colour: its word counts, whatever the pixels
    assert case.succeeded(case.source, seen(drawn), seen(before), seen(drawn))
    assert not case.succeeded(case.truth, seen(before), seen(before), seen(drawn))
    # it sees the old one in the true picture
    assert case.succeeded(case.truth, seen(before), seen(before), seen(before))
    assert not case.succeeded(case.source, seen(drawn), seen(before), seen(before))
    assert not case.succeeded(case.truth, [Found(thing)], seen(before), seen(before)), "the person went"


class Scripted:
    """Gives the true picture for one loop, the source for all others."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.asked: list[Request] = []

    def model_hash(self, model: str, progress: Progress) -> str:
        return "0" * 32

    def backbone(self, model: str, progress: Progress) -> Any:
        return SimpleNamespace(
            schedule=SimpleNamespace(is_flow=False),
            encode_image=lambda image: image,
            decode=lambda one: [one],
        )

    def run(self, request: Request, contents: Contents, progress: Progress) -> Result:
        self.asked.append(request)
        parameters = request.parameters
        case = next(one for one in CASES if one.prompt == parameters.prompt)  # type: ignore[attr-defined]
        good = isinstance(parameters, Insert) and parameters.loop == self.good
        return Result(
            request=request,
            images=(case.truth if good else case.source,),
            maps={},
            measured=Measurements(denoiser_evaluations=90),
        )


def detect(images: Sequence[Pixels]) -> list[list[Any]]:
    """What the case's own pictures show."""
    found: list[list[Any]] = []
    for image in images:
        case: InsertCase = next(
            one for one in CASES if np.array_equal(image, one.source) or np.array_equal(image, one.truth)
        )
        true = np.array_equal(image, case.truth)
        kinds = (*case.there, *(() if true else case.gone))
        if not true and case.kind in ("add object", "change object"):
            kinds = tuple(kind for kind in kinds if f" {kind}" in case.source_prompt)
        sign = 1.0 if true else -1.0
        of_people = {"hair": (sign, 0, 0), "shirt": (sign, 0, 0)}
        values = {"smile": sign, "size": sign, "age": sign}
        found.append(
            [Found(kind, attributes=values, colours={**of_people, "colour": (0, sign, 0)}) for kind in kinds]
        )
    return found


def test_the_table_tells_success_beside_fidelity_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    runner = Scripted("h-edit")
    values: Any = evaluate_insert(runner=runner, model="scripted", json_path=path, cases=10, detect=detect)
    tables = values["summary"]
    assert set(tables) == set(usual_rows(is_flow=False))
    assert tables["h-edit"]["edited"]["value"] == 1
    assert tables["h-edit"]["truth_db"]["value"] == 100
    assert tables["nothing"]["edited"]["value"] == 0
    assert tables["nothing"]["background_db"]["value"] == 100
    assert tables["h-edit"]["removed"] == {**tables["h-edit"]["removed"], "hits": 1, "total": 1}
    assert tables["direct"]["evaluations"]["value"] == 90
    for row in values["rows"]["direct"].values():  # PIE's convention flatters by the background's share
        assert row["background_db"] is None or row["pie_db"] > row["background_db"]
    assert math.isclose(tables["direct"]["edited"]["value"], 0)
    assert json.loads(path.read_text())["summary"].keys() == tables.keys()
    asked = len(runner.asked)
    evaluate_insert(runner=runner, model="scripted", json_path=path, cases=10, detect=detect)
    assert len(runner.asked) == asked, "nothing is measured twice"
    rows = table_rows(summarise(values))
    assert all(len(row) == len(HEADINGS) for row in rows)


def test_the_app_gives_the_place_and_the_tables_rows_do_not(tmp_path: Path) -> None:
    runner = Scripted("direct")
    evaluate_insert(runner=runner, model="scripted", cases=4, rows=("app", "direct"), detect=detect)
    asked = [one.parameters for one in runner.asked if isinstance(one.parameters, Insert)]
    assert [one.kind for one in asked if one.mask is not None] == ["add", "remove"]
    assert all(one.loop is None for one in asked if one.mask is not None)
    assert all(not one.details for one in asked if one.loop == "direct")


def test_unknown_rows_and_no_case_are_refused() -> None:
    with pytest.raises(EditorError, match="no way to edit"):
        evaluate_insert(runner=Scripted(""), model="scripted", rows=("flow-align",), detect=detect)
    with pytest.raises(EditorError, match="at least 1"):
        evaluate_insert(runner=Scripted(""), model="scripted", cases=0, detect=detect)
    assert set(INSERT_LOOPS) <= set(usual_rows(is_flow=True))
