"""A runner whose prompt is its script, for tests of the service and its child process.

"steps 5" runs five steps of STEP_S; "long 5" does the same with a checkpoint before each; "fail" raises an
EditorError, "defect" a bug's exception, "crash" ends the process, "deaf" ignores its cancellation.
"""

import hashlib
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from inference.errors import EditorError
from inference.operations import Generate
from inference.progress import Progress
from inference.request import Request, Result

STEP_S = 0.01


class ScriptedRunner:
    device = "cpu"

    def run(
        self,
        request: Request,
        contents: Mapping[str, Any],
        progress: Progress,
        resume: bytes | None = None,
    ) -> Result:
        parameters = request.parameters
        assert isinstance(parameters, Generate)
        verb, _, count = parameters.prompt.partition(" ")
        if verb == "fail":
            raise EditorError("It failed.", "Try something else.")
        if verb == "defect":
            raise ZeroDivisionError("a bug")
        if verb == "crash":
            os._exit(3)
        if verb == "long":
            return self._long(request, int(count), progress, resume)
        preview = np.zeros((4, 4, 3), np.uint8)
        with progress.phase("sample"):
            for done in range(int(count or 1)):
                if verb != "deaf":
                    progress.step(done + 1, int(count or 1), preview if progress.wants_preview else None)
                time.sleep(STEP_S)
        image = np.full((8, 8, 3), parameters.seed % 256, np.uint8)
        if contents:
            image = next(iter(contents.values()))
        return Result(request=request, images=(image,), maps={}, measured=progress.measured)

    def _long(self, request: Request, count: int, progress: Progress, resume: bytes | None) -> Result:
        """A chain of hashes: one that was interrupted ends in the same bytes only if nothing was lost."""
        done, chain = 0, b"begin"
        if resume is not None:
            head, chain = resume.split(b":", 1)
            done = int(head)
        while done < count:
            state = f"{done}:".encode() + chain
            progress.checkpoint(lambda state=state: state)
            chain = hashlib.sha256(chain + f"{done}".encode()).digest()
            progress.measured.denoiser_evaluations += 1
            time.sleep(STEP_S)
            done += 1
            progress.step(done, count)
        return Result(
            request=request, images=(), maps={}, measured=progress.measured, artifacts={"report": chain}
        )

    def preload(self, model: str, progress: Progress) -> None:
        if model == "broken":
            raise EditorError("No such model.", "Add it first.")
        with progress.phase("load"):
            for done in range(20):
                progress.step(done + 1, 20)
                time.sleep(STEP_S)


def request(prompt: str, seed: int = 7, model: str = "mini") -> Request:
    return Request(operation="generate", parameters=Generate(prompt=prompt, seed=seed), model=model)
