"""The operation "score" over the shipped detector."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from editor.formats.files import sample_picture
from inference.content import Picture, content_hash
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.methods import score as module
from inference.methods.score import score
from inference.metrics.judge import BUILT_IN, Judge, register
from inference.metrics.tiam import Wanted, all_right, matched
from inference.miniworld import judging
from inference.miniworld.detector import Detection
from inference.operations import Score
from inference.progress import Progress
from inference.prompts.subjects import subjects_of
from tests.helpers.stub_backbone import StubBackbone

PROMPT = "a photo of a red car and a man and a car"
PICTURE = np.zeros((16, 16, 4), np.uint8)
NAME = content_hash(PICTURE)
RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9)


def found(kind: str, colour: tuple[float, float, float] = RED, sure: float = 0.9) -> Detection:
    return Detection(kind=kind, score=sure, box=(0, 0, 1, 1), attributes={}, colours={"colour": colour})


def scores(monkeypatch: pytest.MonkeyPatch, *detections: Detection, prompt: str = PROMPT) -> dict[str, float]:
    judge = Judge(lambda images: [list(detections)], frozenset({"car", "man"}))
    monkeypatch.setattr(module.judge, "built_in", lambda: judge)
    backbone = StubBackbone()
    backbone.sandbox = True
    parameters = Score(image=Picture(NAME), prompt=prompt, subjects=subjects_of(prompt))
    return dict(score(backbone, parameters, Inputs(contents={NAME: PICTURE}), Progress()).scores)


def test_each_subject_needs_a_detection_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scores(monkeypatch, found("car", RED), found("man"))
    assert [told[f"subject {index}"] for index in range(3)] == [1.0, 1.0, 0.0]
    told = scores(monkeypatch, found("car", BLUE), found("car", RED), found("man"))
    assert [told[f"subject {index}"] for index in range(3)] == [1.0, 1.0, 1.0]
    assert told["full_prompt"] > 0.9


def test_a_wrong_colour_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    told = scores(monkeypatch, found("car", BLUE), found("man"), prompt="a red car and a man")
    assert [told["subject 0"], told["subject 1"]] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("prompt", "seen"),
    [
        ("a car and a car", [found("car")]),
        ("a red car and a man", [found("car", BLUE), found("man")]),
        ("a car and a man", [found("car")]),
    ],
)
def test_a_picture_that_lacks_something_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, prompt: str, seen: list[Detection]
) -> None:
    told = scores(monkeypatch, *seen, prompt=prompt)
    assert 0.0 in {value for name, value in told.items() if name.startswith("subject")}
    assert told["full_prompt"] < 0.95
    assert told["text_text"] < 0.95
    assert told["least_subject"] == 0


def test_matching_agrees_with_tiam() -> None:
    wanted = [Wanted(kind="car"), Wanted(kind="car", colours={"colour": "red"})]
    same: dict[str, Any] = {"is_colour": lambda seen, name: seen == RED}
    same["one_each"] = True
    assert matched([found("car", RED), found("car", BLUE)], wanted, **same) == (True, True)
    assert matched([found("car", RED)], wanted, **same) == (False, True)
    assert not all_right([found("car", RED)], wanted, **same)


def test_models_of_users_are_judged_by_their_own_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def for_photos(model: str) -> Judge:
        asked.append(model)
        return Judge(lambda images: [[found("cat")]], frozenset({"cat"}))

    monkeypatch.setattr(module.judge, "for_photos", for_photos)
    backbone = StubBackbone()
    backbone.sandbox = False
    parameters = Score(image=Picture(NAME), prompt="a cat", subjects=subjects_of("a cat"), detector="my/detr")
    told = score(backbone, parameters, Inputs(contents={NAME: PICTURE}), Progress()).scores
    assert (asked, told["subject 0"]) == (["my/detr"], 1.0)


def test_the_shipped_detector_knows_the_sample() -> None:
    sample = sample_picture()
    assert sample is not None
    with Image.open(sample) as image:
        found_kinds = [one.kind for one in judging.load().detect([np.asarray(image.convert("RGBA"))])[0]]
    assert found_kinds == ["man", "woman"]


@pytest.mark.parametrize(
    ("prompt", "sandbox", "message"),
    [
        ("a unicorn", True, "does not know “unicorn”"),
        ("a red car", False, "Nothing here can tell"),
        ("", True, "no subject to look for"),
    ],
)
def test_what_cannot_be_judged_is_refused(prompt: str, sandbox: bool, message: str) -> None:
    register(BUILT_IN, judging.load)
    backbone = StubBackbone()
    backbone.sandbox = sandbox
    parameters = Score(image=Picture(NAME), prompt=prompt, subjects=subjects_of(prompt))
    with pytest.raises(EditorError, match=message):
        score(backbone, parameters, Inputs(contents={NAME: PICTURE}), Progress())
