"""The suite "concept": its judge on true renders, what it counts, and going on."""

import json
from collections.abc import Mapping
from importlib import import_module
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.errors import EditorError
from inference.evaluation.concept import METHODS, Judge, Wish, evaluate_concept, spread, wishes_of
from inference.evaluation.concept_insert import concept_cases
from inference.evaluation.judging import shipped_detector
from inference.metrics.colours import COLOURS
from inference.miniworld.characters import POSES, Character, for_tuning, held_out
from inference.miniworld.render import draw_pixels
from inference.operations import Generate, Insert, LearnConcept
from inference.progress import Progress
from inference.request import Request, Result

import_module("inference.runner")  # it makes the built-in models' detector known
BACKGROUNDS = {"on the beach": "beach", "in the snow": "snow", "at night": "night"}


def some() -> tuple[Character, ...]:
    everyone = held_out()
    return (*everyone[:3], everyone[-1])


class Painter:
    """Learns by heart, and paints the character itself, or always the first one; never anything else."""

    def __init__(self, *, always_first: bool = False, colour_blind: bool = False) -> None:
        self.always_first = always_first
        self.colour_blind = colour_blind  # its autoencoder
        self.learnt: list[LearnConcept] = []
        self.inserted: list[tuple[Insert, set[str]]] = []
        self._shown: Character | None = None

    def backbone(self, model: str, progress: Progress) -> Any:
        return SimpleNamespace(
            schedule=SimpleNamespace(is_flow=False),
            encode_image=lambda picture: picture,
            decode=lambda latents: (self._decoded(latents),),
        )

    def _decoded(self, latents: Any) -> Any:
        grey = latents.mean(-1, keepdims=True).astype(np.uint8)
        return np.broadcast_to(grey, latents.shape) if self.colour_blind else latents

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
        if isinstance(values, Insert):
            self.inserted.append((values, set(contents)))
            assert values.concepts[0].hash in contents
            image = contents[values.image.hash]
            return Result(request=request, images=(image,), maps={}, measured=progress.measured)
        assert isinstance(values, Generate)
        assert len(values.concepts) == 1
        assert self._shown is not None
        shown = some()[0] if self.always_first else self._shown
        background = next(
            (name for words, name in BACKGROUNDS.items() if values.prompt.endswith(words)), "grass"
        )
        picture = draw_pixels(shown.scene(300 + values.seed % 7, background))
        return Result(request=request, images=(picture,), maps={}, measured=progress.measured)


def test_what_the_autoencoder_makes_of_colours_bounds_what_is_recognised() -> None:
    record = evaluate_concept(
        runner=Painter(colour_blind=True),
        model="any",
        methods=("directional",),
        subjects=1,
        characters=held_out(),
    )
    assert record["ceiling"]["autoencoded"] < 0.5 < record["ceiling"]["recognised"]


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
    assert record["ceiling"]["recognised"] == record["ceiling"]["autoencoded"] > 0.9
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


def test_learnt_subjects_are_put_into_renders(tmp_path: Path) -> None:
    painter, path = Painter(), tmp_path / "out.json"

    def measure(painter: Painter) -> dict[str, Any]:
        return evaluate_concept(
            runner=painter,
            model="any",
            json_path=path,
            methods=(),
            rows=("nothing", "app"),
            scenes=2,
            characters=some(),
        )

    found = measure(painter)["summary"]["inserted"]
    assert set(found) == {"nothing", "app"}
    assert found["app"]["recognised"]["total"] == 8
    assert found["app"]["recognised"] == found["nothing"]["recognised"], "the picture was given back"
    assert found["app"]["truth_db"]["value"] == found["nothing"]["truth_db"]["value"]
    assert {values.method for values in painter.learnt} == {"directional"}
    assert len(painter.learnt) == 4, "each subject once"
    assert all(
        "<it>" in values.prompt and "<it>" not in values.source_prompt for values, _ in painter.inserted
    )
    again = Painter()
    measure(again)
    assert again.learnt == [], "nothing is learnt for what is measured"


def test_the_true_edit_has_the_subjects_looks_and_nothing_else_changes() -> None:
    judge = Judge(shipped_detector(), some())
    for index, one in enumerate(some()):
        for case in concept_cases(one, "<it>", 2, index):
            assert (case.source != case.truth).any()
            assert case.changed.mean() < 0.7
            told = judge.of(case.truth, one, Wish("", other=case.there[1]))
            assert told["found"], case.number
    numbers = [case.number for index in range(3) for case in concept_cases(some()[0], "<it>", 3, index)]
    assert len(set(numbers)) == 9


def test_an_unknown_row_and_no_scene() -> None:
    with pytest.raises(EditorError, match="no way"):
        evaluate_concept(runner=Painter(), model="any", methods=(), rows=("other",))
    with pytest.raises(EditorError, match="at least 1"):
        evaluate_concept(runner=Painter(), model="any", rows=("app",), scenes=0, characters=some())
    with pytest.raises(EditorError, match="at most 100"):
        evaluate_concept(runner=Painter(), model="any", rows=("app",), scenes=101, characters=some())


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
