"""The refinement suite and the choice of a step, on pictures that a stand-in runner draws."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from defusedxml import ElementTree

from inference.content import Contents
from inference.errors import Cancelled, EditorError
from inference.evaluation.choose_step import StepCurve, candidates, choose_step, curve_svg
from inference.evaluation.refine import evaluate_refine, named_colour, table_rows
from inference.evaluation.refine_sets import PHOTO_KINDS, SETS, photo_world, prompts, seeds
from inference.operations import Refine
from inference.progress import Progress
from inference.request import Pixels, Request, Result


@dataclass(frozen=True)
class Found:
    kind: str
    score: float = 0.9
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    attributes: Mapping[str, float] = field(default_factory=dict)
    colours: Mapping[str, Any] = field(default_factory=dict)


class Drawings:
    """A runner whose pictures hold in their first pixel how many of their subjects are there."""

    def __init__(self) -> None:
        self.hash = "weights 1"
        self.requests: list[Refine] = []

    def model_hash(self, model: str, progress: Progress) -> str:
        return self.hash

    def run(self, request: Request, contents: Contents, progress: Progress) -> Result:
        progress.check()
        parameters = request.parameters
        assert isinstance(parameters, Refine)
        self.requests.append(parameters)
        progress.measured.denoiser_evaluations = 60 * parameters.pictures
        missing = parameters.method == "plain" or parameters.step == 0
        images = []
        for _ in range(parameters.pictures):
            image = np.zeros((4, 4, 3), np.uint8)
            image[0, 0] = len(parameters.subjects) - missing
            images.append(image)
            self.last = parameters
        return Result(request=request, images=tuple(images), maps={}, measured=progress.measured)

    def detect(self, images: Sequence[Pixels]) -> list[list[Found]]:
        text, subjects = self.last.prompt, self.last.subjects
        kinds = [text[one.start : one.end] for one in subjects]
        boxes = [(0.3 * place, 0.0, 0.3 * place + 0.2, 1.0) for place in range(len(kinds))]
        every = [Found(kind, box=box) for kind, box in zip(kinds, boxes, strict=True)]
        return [every[: int(image[0, 0, 0])] for image in images]


def run(runner: Drawings, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"prompts": 2, "seeds": 3, "sets": ("2", "3"), "methods": ("plain", "ours")}
    return evaluate_refine(runner=runner, model="mini", detect=runner.detect, **{**given, **more})


def test_the_table_of_methods_and_sets() -> None:
    summary = run(Drawings())["summary"]
    assert set(summary) == {"plain|2", "ours|2", "plain|3", "ours|3"}
    assert summary["plain|2"]["tiam"]["hits"] == 0
    assert summary["ours|3"]["tiam"] == {
        "value": 1.0,
        "interval_95": pytest.approx([0.61, 1.0], abs=0.01),
        "hits": 6,
        "total": 6,
    }
    assert summary["ours|3"]["one_each"] == summary["ours|3"]["tiam"]
    assert summary["plain|2"]["least_subject"]["mean"] == 0
    assert summary["plain|2"]["full_prompt"]["mean"] == pytest.approx(0.5**0.5)
    assert summary["ours|2"]["text_text"]["mean"] == pytest.approx(1)
    assert summary["ours|2"]["per_picture"]["denoiser_evaluations"] == 60
    rows = table_rows(summary)
    assert rows[0][:3] == ("2", "plain", "0.0 %")
    assert len(rows) == 4


def test_all_methods_get_the_same_prompts_and_seeds() -> None:
    runner = Drawings()
    run(runner)
    by_method = {
        method: [(one.prompt, one.seed) for one in runner.requests if one.method == method]
        for method in ("plain", "ours")
    }
    assert by_method["plain"] == by_method["ours"]
    assert all(one.pictures == 3 for one in runner.requests)


def test_it_goes_on_where_it_was_interrupted_and_with_more(tmp_path: Path) -> None:
    path, runner, progress = tmp_path / "out.json", Drawings(), Progress()

    def report(done: int, total: int, what: str) -> None:
        assert total == 8
        if done == 3:
            progress.cancel()

    with pytest.raises(Cancelled):
        run(runner, json_path=path, report=report, progress=progress)
    assert len(runner.requests) == 3
    run(runner, json_path=path)
    assert len(runner.requests) == 8
    run(runner, json_path=path, methods=("plain", "ours", "syngen"))
    assert len(runner.requests) == 12
    assert len(json.loads(path.read_text())["cells"]) == 6


def test_the_suite_is_reached_by_its_name(tmp_path: Path) -> None:
    runner = Drawings()
    values = evaluate_refine(runner=runner, model="mini", prompts=1, detect=runner.detect)
    assert {cell.partition("|")[2] for cell in values["summary"]} == set(SETS)


def test_reconstruction_and_another_judge_are_written() -> None:
    from inference.metrics.similarity import Similarity

    values = run(
        Drawings(),
        reconstruct=lambda images: [30.0 + i for i in range(len(images))],
        judge=lambda image, prompt, found: Similarity(full_prompt=0.3, least_subject=0.2, text_text=0.8),
    )
    table = values["summary"]["ours|2"]
    assert table["reconstruction_db"]["mean"] == pytest.approx(31)
    assert table["least_subject"]["interval_95"] == pytest.approx([0.2, 0.2])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"methods": ("theirs",)}, "There is no method “theirs”. There are: plain, ours"),
        ({"sets": ("4",)}, "There is no set “4”"),
        ({"prompts": 0}, "Prompts is 0"),
        ({"seeds": 0}, "Seeds is 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(EditorError, match=message):
        run(Drawings(), **values)


@pytest.mark.parametrize("name", SETS)
def test_prompts_for_choosing_and_reporting_share_nothing(name: str) -> None:
    chosen, reported = prompts(name, 1000, validation=True), prompts(name, 1000)
    assert len(reported) >= 96
    for one, other in ((chosen, reported), (reported, chosen)):
        assert len({prompt.text for prompt in one}) == len(one)
        combinations = {frozenset(prompt.kinds) for prompt in other}
        assert not any(frozenset(prompt.kinds) in combinations for prompt in one)
    for prompt in reported:
        assert [prompt.text[s.start : s.end] for s in prompt.subjects] == list(prompt.kinds)
        found = [[prompt.text[a:b] for a, b in subject.modifiers] for subject in prompt.subjects]
        assert found == [[colour] for colour in prompt.colours] or (not prompt.colours and not any(found))
    assert not set(seeds(0, 50)) & set(seeds(1, 50))
    assert not set(seeds(0, 50)) & set(seeds(0, 50, validation=True))


def test_photos_need_a_detector_that_knows_enough() -> None:
    world = photo_world({*PHOTO_KINDS[:6], "toaster"})
    assert world.kinds == PHOTO_KINDS[:6]
    assert prompts("3", 5, world=world)[0].kinds
    with pytest.raises(EditorError, match="knows 1 of the suite's subjects"):
        photo_world({"cat", "toaster"})


def test_colours_go_by_their_nearest_name() -> None:
    assert named_colour((0.85, 0.2, 0.2), "red")
    assert not named_colour((0.85, 0.2, 0.2), "blue")


def curve(**tiam: tuple[float, ...]) -> StepCurve:
    return StepCurve(method="ours", steps=10, tried=(0, 2, 4), tiam=tiam, pictures=8)


def test_the_step_with_the_largest_normalised_sum_is_chosen() -> None:
    found = curve(two=(0.8, 0.9, 0.85), three=(0.1, 0.2, 0.5))
    assert found.sums == pytest.approx((0, 1.25, 1.5))
    assert found.chosen == 4
    assert curve(two=(0.5, 0.5, 0.5)).chosen == 0
    assert curve(two=(0.5, 0.5, 0.5), three=(0.0, 1.0, 1.0)).chosen == 2


def test_every_second_step_of_the_first_half_is_tried() -> None:
    assert candidates(50) == tuple(range(0, 25, 2))
    assert candidates(30) == (0, 2, 4, 6, 8, 10, 12, 14)
    assert candidates(1) == (0,)


def test_choosing_measures_each_step_and_goes_on(tmp_path: Path) -> None:
    runner, path = Drawings(), tmp_path / "steps.json"
    given: dict[str, Any] = {"runner": runner, "model": "mini", "steps": 8, "detect": runner.detect}
    found = choose_step(**given, prompts=2, seeds=2, json_path=path)
    assert found.tried == (0, 2, 4)
    assert found.tiam == {"2": (0, 1, 1), "3": (0, 1, 1)}
    assert (found.chosen, found.pictures) == (2, 4)
    assert {one.seed for one in runner.requests} < set(range(600_000, 700_000))
    before = len(runner.requests)
    assert choose_step(**given, prompts=2, seeds=2, json_path=path) == found
    assert len(runner.requests) == before
    assert json.loads(path.read_text())["choice"]["step"] == 2


def test_a_method_without_one_refinement_has_no_step_to_choose() -> None:
    runner = Drawings()
    with pytest.raises(EditorError, match=r"no single refinement to move\. Choose of: ours, ours"):
        choose_step(runner=runner, model="mini", method="syngen", steps=8, detect=runner.detect)
    with pytest.raises(EditorError, match="Seeds is 0"):
        choose_step(runner=runner, model="mini", steps=8, seeds=0, detect=runner.detect)


def test_the_curve_is_a_picture() -> None:
    drawn = ElementTree.fromstring(curve_svg(curve(two=(0.8, 0.9, 0.85), three=(0.1, 0.2, 0.5)), "a < b"))
    lines = [one for one in drawn.iter() if one.tag.endswith("polyline")]
    assert [len(line.attrib["points"].split()) for line in lines] == [3, 3]
    assert any(one.text == "a < b" for one in drawn.iter())
