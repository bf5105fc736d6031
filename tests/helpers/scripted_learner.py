"""A runner that learns nothing but counts: its delta tells whether a step was lost or done twice."""

import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from inference.content import DefinitionFile, content_hash
from inference.definitions import definition_text
from inference.deltas import FILE_KEYS
from inference.errors import EditorError
from inference.messages import Message
from inference.methods.learning.kept import FORMAT
from inference.operations import LearnDelta
from inference.progress import Progress
from inference.request import Request, Result
from inference.weights.packed import packed, unpacked

STEP_S = 0.01
METADATA = {"attribute": "tired", "label": "Tired", "subjects": '["man"]', "model": "mini-sdxl"}
TOML = definition_text(
    attribute="tired",
    label="Tired",
    subject="person",
    prefixes=["a"],
    pairs=[("man", "tired man", "young man")],
).encode()


class ScriptedLearner:
    """`seed` 13 fails after three steps."""

    device = "cpu"

    def backbone(self, model: str, progress: Progress) -> Any:
        """One of which it is not known how much memory it needs."""
        from tests.helpers.stub_backbone import StubBackbone  # with torch

        return StubBackbone(model)

    def run(
        self,
        request: Request,
        contents: Mapping[str, Any],
        progress: Progress,
        resume: bytes | None = None,
    ) -> Result:
        parameters = request.parameters
        assert isinstance(parameters, LearnDelta)
        assert contents[parameters.definition.hash] == TOML
        done, total, value = 0, parameters.steps or 1, np.float32(1)
        if resume is not None:
            arrays, texts = unpacked(resume, Message("checkpoint"))
            done, value = int(texts["done"]), arrays["vectors.clip_l"][0]
        with progress.phase("learn"):
            while done < total:
                texts = {"format": FORMAT, "delta": json.dumps(METADATA), "done": str(done)}
                state = packed({"vectors.clip_l": np.full(96, value, np.float32)}, texts)
                progress.checkpoint(lambda state=state: state)
                if parameters.seed == 13 and done == 3:
                    raise EditorError("It diverged.", "Try less.")
                value = np.float32(value * np.float32(1.01) + np.float32(done))
                progress.measured.denoiser_evaluations += 1
                time.sleep(STEP_S)
                done += 1
                progress.step(done, total)
        artifact = packed({FILE_KEYS["clip_l"]: np.full(96, value, np.float32)}, METADATA)
        return Result(
            request=request, images=(), maps={}, measured=progress.measured, artifacts={"delta": artifact}
        )

    def preload(self, model: str, progress: Progress) -> None:
        """Nothing to load."""


def lesson(steps: int = 20, seed: int = 0, model: str = "mini-sdxl") -> tuple[Request, dict[str, Any]]:
    """A request and its contents."""
    name = content_hash(TOML)
    parameters = LearnDelta(definition=DefinitionFile(name), method="learned", steps=steps, seed=seed)
    return Request(operation="learn-delta", parameters=parameters, model=model), {name: TOML}


def learnt(steps: int = 20) -> bytes:
    """The delta of an undisturbed run."""
    request, contents = lesson(steps)
    return ScriptedLearner().run(request, contents, Progress()).artifacts["delta"]
