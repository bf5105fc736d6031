"""What all evaluations need: who runs requests, who judges pictures, who is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from inference.content import Contents
from inference.progress import Progress
from inference.request import Pixels, Request, Result

if TYPE_CHECKING:
    from inference.metrics.tiam import Detection

Report: TypeAlias = Callable[[int, int, str], None]  # done, total, what
Detect: TypeAlias = "Callable[[Sequence[Pixels]], Sequence[Sequence[Detection]]]"


class Runs(Protocol):
    """What is needed of `inference.runner.Runner`."""

    def run(self, request: Request, contents: Contents, progress: Progress, /) -> Result: ...

    def model_hash(self, model: str, progress: Progress) -> str: ...


def shipped_detector() -> Detect:
    """The detector that comes with the built-in models."""
    import inference.runner  # noqa: F401 - makes the detector known, whoever asks first
    from inference.metrics.judge import built_in

    return built_in().detect
