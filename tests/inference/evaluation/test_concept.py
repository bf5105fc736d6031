"""The suite "concept": its judge on true renders, what it counts, and going on."""

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.errors import EditorError
from inference.evaluation.concept import METHODS, evaluate_concept, spread, wishes_of
from inference.metrics.colours import COLOURS
from inference.miniworld.characters import POSES, Character, for_tuning, held_out
from inference.miniworld.render import draw_pixels
from inference.operations import Generate, LearnConcept
from inference.progress import Progress
from inference.request import Request, Result

BACKGROUNDS = {"on the beach": "beach", "in the snow": "snow", "at night": "night"}


def some() -> tuple[Character, ...]:
    everyone = held_out()
    return (*everyone[:3], everyone[-1])


class Painter:
    """Learns by heart, and paints the character itself, or always the first one; never anything else."""

    def __init__(self, *, always_first: bool = False) -> None:
        self.always_first = always_first
        self.learnt: list[LearnConcept] = []
        self._shown: Character | None = None

    def model_hash(self, model: str, progress: Progress) -> str:
        return "0" * 32

    def run(self, request: Request, contents: Mapping[str, Any], progress: Progress) -> Result:
        values = request.parameters
        if isinstance(values, LearnConcept):
            self.learnt.append(values)
            first = contents[values.images[0].hash]
            self._shown = next(one for one in some() if np.array_equal(one.photos(1)[0], first))
            rows = np.full((1, 768), 0.01, np.float32)
            artifacts = {
                "concept": concept_file(Concept(word=values.token, vectors={"clip_l": rows})),
                "report": json.dumps(
                    {"samples": 1600, "losses": [1.0], "best_step": 1, "held_out": []}
                ).encode(),
            }
            return Result(
                request=request, images=(), maps={}, measured=progress.measured, artifacts=artifacts
            )
        assert isinstance(values, Generate)
        assert len(values.concepts) == 1
        assert self._shown is not None
        shown = some()[0] if self.always_first else self._shown
        background = next(
            (name for words, name in BACKGROUNDS.items() if values.prompt.endswith(words)), "grass"
        )
        picture = draw_pixels(shown.scene(300 + values.seed % 7, background))
        return Result(request=request, images=(picture,), maps={}, measured=progress.measured)


def test_what_is_right_is_counted(tmp_path: Path) -> None:
    painter = Painter()
    record = evaluate_concept(
        runner=painter,
        model="any",
        json_path=tmp_path / "out.json",
        methods=("directional",),
        characters=some(),
    )
    found = record["summary"]["directional"]
    assert (found["subjects"], found["pictures"], found["samples"]) == (4, 40, 1600)
    assert found["recognised"]["share"] > 0.9
    assert found["followed"]["share"] == pytest.approx(0.6, abs=0.05), (
        "places are right, nothing stands beside"
    )
    assert record["ceiling"]["recognised"] > 0.9
    assert {values.initialise_from for values in painter.learnt} == {one.kind for one in some()}
    again = Painter()
    evaluate_concept(
        runner=again,
        model="any",
        json_path=tmp_path / "out.json",
        methods=("directional",),
        characters=some(),
    )
    assert again.learnt == [], "what is measured is not measured again"


def test_somebody_else_is_not_recognised() -> None:
    record = evaluate_concept(
        runner=Painter(always_first=True), model="any", methods=("plain",), characters=some()
    )
    shares = record["summary"]["plain"]["recognised"]
    assert shares["share"] == pytest.approx(0.25, abs=0.05)
    assert shares["low"] < shares["share"] < shares["high"]


def test_an_unknown_way() -> None:
    with pytest.raises(EditorError, match="no way"):
        evaluate_concept(runner=Painter(), model="any", methods=("other",))
    assert METHODS == ("directional", "plain")


class TestCharacters:
    def test_there_are_thirty_and_all_differ(self) -> None:
        everyone = held_out()
        assert len({one.name for one in everyone}) == 30
        looks = [
            (one.kind, one.subject.hair_name, one.subject.shirt_rgb, one.subject.colour_rgb)
            for one in everyone
        ]
        assert all(one != other for one, other in combinations(looks, 2))

    def test_their_colours_were_never_used_in_training(self) -> None:
        """Training strays at most 12 in each channel from a named colour."""
        for one in (*held_out(), *for_tuning()):
            own = one.subject.shirt_rgb if one.subject.is_person else one.subject.colour_rgb
            for named in COLOURS.values():
                assert max(abs(a - b) for a, b in zip(own, named, strict=True)) > 12, one.name

    def test_poses_differ_and_looks_stay(self) -> None:
        one = held_out()[0]
        poses = one.photos()
        assert len(poses) == POSES
        assert all(not np.array_equal(a, b) for a, b in combinations(poses, 2))
        assert len({one.scene(number).subjects[0].shirt_rgb for number in range(4)}) == 1

    def test_some_are_spread_over_all_kinds(self) -> None:
        chosen = spread(held_out(), 6)
        assert len(chosen) == 6
        assert sum(one.subject.is_person for one in chosen) == 4
        assert spread(held_out(), 99) == list(held_out())

    def test_no_wish_names_the_kind_itself_beside(self) -> None:
        for kind in ("man", "dog", "tree"):
            assert kind not in {wish.other for wish in wishes_of(kind)}
