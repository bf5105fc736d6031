"""The suite "leakage" on pictures of known ages: variants, shares, resuming, what is refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.content import DeltaFile, content_hash
from inference.deltas import Delta, DeltaInfo, delta_to_bytes
from inference.errors import EditorError
from inference.evaluation.leakage import VARIANTS, evaluate_leakage
from inference.operations import AttributeSweep
from inference.progress import Progress
from inference.request import Request, Result
from tests.helpers.stub_backbone import StubBackbone
from tests.inference.evaluation.test_attribute import detect, draw

DELTA = Delta(
    info=DeltaInfo(key="age", attribute="age", label="Age"),
    vectors={"clip_l": np.arange(6, dtype=np.float32), "clip_g": np.ones(8, np.float32)},
)


class Leaking:
    """A runner whose other person follows along by half, unless only the subject may change."""

    def __init__(self) -> None:
        self.runs = 0
        self.deltas: set[str] = set()

    def model_hash(self, model: str, progress: Progress) -> str:
        return "weights"

    def backbone(self, model: str, progress: Progress) -> Any:
        return StubBackbone()

    def run(self, request: Request, inputs: Mapping[str, Any], progress: Progress) -> Result:
        self.runs += 1
        parameters = request.parameters
        assert isinstance(parameters, AttributeSweep)
        edit = parameters.edits[0]
        edited = parameters.prompt[edit.start : edit.end]
        content = delta_to_bytes(DELTA)
        contents = {content_hash(content): content, **inputs}
        usual = DeltaFile(content_hash(content))
        pinned = tuple(replace(one, delta=one.delta or usual) for one in parameters.edits)
        self.deltas |= {one.delta.hash for one in pinned if one.delta}
        images = []
        for alpha in parameters.positions:
            image = draw(edited, alpha, missing=False)
            if not parameters.only_subject:
                place = (1, 8 if edited == "man" else 0)
                image[place] = image[place] + np.int16(20 * alpha)
            images.append(image)
        resolved = replace(request, parameters=replace(parameters, edits=pinned))
        return Result(
            request=resolved, images=tuple(images), maps={}, measured=progress.measured, contents=contents
        )


def run(runner: Leaking, **more: Any) -> dict[str, Any]:
    return evaluate_leakage(runner=runner, model="mini", detect=detect, pairs=4, **more)  # type: ignore[arg-type]


def test_every_variant_has_its_table() -> None:
    runner = Leaking()
    tables = run(runner)["summary"]
    assert tables.keys() == VARIANTS.keys()
    for name, table in tables.items():
        assert table["measured"] == 4
        assert table["other_to_edited"] == pytest.approx(0 if VARIANTS[name].only_subject else 0.5, abs=0.03)
        assert table["share_of_unrestricted"] == pytest.approx(1)
        assert table["spearman"]["mean"] == pytest.approx(1)


def test_orthogonal_directions_are_deltas_of_their_own() -> None:
    runner = Leaking()
    run(runner, variants=("whole picture",))
    assert len(runner.deltas) == 1
    run(runner, variants=("orthogonal",))
    assert len(runner.deltas) > 1


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    path, runner = tmp_path / "out.json", Leaking()
    values = run(runner, json_path=path, variants=("whole picture", "only subject"))
    assert runner.runs == 8
    assert json.loads(path.read_text()) == values
    run(runner, json_path=path, variants=("only subject",))
    assert runner.runs == 8


def test_what_is_refused() -> None:
    with pytest.raises(EditorError, match="“hope” is no way"):
        run(Leaking(), variants=("hope",))
    with pytest.raises(EditorError, match="at least 1"):
        evaluate_leakage(runner=Leaking(), model="mini", detect=detect, pairs=0)  # type: ignore[arg-type]
    with pytest.raises(EditorError, match="wit"):
        run(Leaking(), attribute="wit")
