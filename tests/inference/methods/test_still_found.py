"""Which subjects of edited pictures are still there, as the built-in models' detector says."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from inference.inputs import Inputs
from inference.methods.still_found import still_found
from inference.metrics import judge
from inference.operations import SubjectEdit

PROMPT = "a photo of a young man and a thing"
MAN = SubjectEdit(start=13, end=22, attribute="age", value=1.0)
THING = SubjectEdit(start=29, end=34, attribute="size", value=0.0)


@dataclass(frozen=True)
class Found:
    kind: str


@dataclass
class Model:
    sandbox: bool = True


PICTURES = [np.full((4, 4, 3), shade, np.uint8) for shade in (1, 0, 1)]


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finds a man in pictures that are not black."""
    seeing = judge.Judge(
        lambda pictures: [[Found("man")] if picture.any() else [] for picture in pictures],  # type: ignore[misc]
        frozenset({"man"}),
    )
    monkeypatch.setattr(judge, "built_in", lambda: seeing)


def scores(model: Any, *edits: SubjectEdit) -> dict[str, float]:
    return still_found(model, PROMPT, Inputs(), edits, PICTURES)


def test_a_subject_that_is_gone_is_told_by_picture() -> None:
    assert scores(Model(), MAN, THING) == {"seen/13-22/0": 1.0, "seen/13-22/1": 0.0, "seen/13-22/2": 1.0}


def test_what_nobody_can_judge_has_no_score() -> None:
    assert scores(Model(), THING) == {}
    assert scores(Model(sandbox=False), MAN) == {}
