"""The operation "refine-trial": the pictures of "refine", judged where they were made."""

from typing import Any

import numpy as np
import pytest

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.methods import score as module
from inference.methods.gsn.refine import refine
from inference.methods.refine_trial import refine_trial
from inference.metrics.judge import Judge
from inference.miniworld.detector import Detection
from inference.operations import Refine, RefineSubject, RefineTrial
from inference.progress import Progress

PROMPT = "a photo of a man and a cat"
VALUES: dict[str, Any] = {
    "prompt": PROMPT,
    "subjects": (RefineSubject(start=13, end=16), RefineSubject(start=23, end=26)),
    "method": "ours",
    "steps": 3,
    "seed": 3,
    "updates": 1,
    "pictures": 3,
    "map_steps": 0,
    "width": 64,
    "height": 64,
    "sampler": "ddim",
    "guidance_scale": 4.0,
}


def found(kind: str) -> Detection:
    box = (0, 0, 0.5, 1) if kind == "man" else (0.5, 0, 1, 1)
    return Detection(kind=kind, score=0.9, box=box, attributes={}, colours={})


def test_each_picture_is_judged(tiny_backbones: dict[str, Backbone], monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    plain = refine(backbone, Refine(**VALUES), Inputs(), Progress())
    judged: list[Any] = []

    def detect(images: Any) -> list[list[Detection]]:
        judged.extend(images)
        return [[found("man"), found("cat")], [found("cat"), found("cat")], [found("cat"), found("man")]]

    monkeypatch.setattr(module.judge, "for_photos", lambda model: Judge(detect, frozenset({"man", "cat"})))
    output = refine_trial(backbone, RefineTrial(**VALUES, detector="mine"), Inputs(), Progress())
    assert output.scores == {"right 0": 1.0, "right 1": 0.0, "right 2": 1.0}
    assert all(np.array_equal(a, b) for a, b in zip(judged, plain.images, strict=True))
    assert len(output.images) == 1
    assert np.array_equal(output.images[0], plain.images[0])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"detector": ""}, "Nothing here can tell"),
        ({"subjects": ()}, "no subject"),
        ({"subjects": (RefineSubject(start=2, end=7),)}, "does not know “photo”"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anything_is_drawn(
    changed: dict[str, Any],
    message: str,
    tiny_backbones: dict[str, Backbone],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blind = Judge(lambda images: [[] for _ in images], frozenset({"man", "cat"}))
    monkeypatch.setattr(module.judge, "for_photos", lambda model: blind)
    backbone, progress = tiny_backbones["tiny-sd1"], Progress()
    backbone.measured = progress.measured
    with pytest.raises(EditorError, match=message):
        refine_trial(backbone, RefineTrial(**{**VALUES, "detector": "mine", **changed}), Inputs(), progress)
    assert progress.measured.denoiser_evaluations == 0
