"""What all evaluations share: who runs requests, who judges pictures, who is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from inference.content import Contents
from inference.errors import EditorError
from inference.parameters import Parameters
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


_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Requests of one evaluation to one model; `progress` cancels them all."""

    runner: Runs
    model: str
    progress: Progress

    def ask(self, operation: str, parameters: Parameters, contents: Mapping[str, Any] = _NOTHING) -> Result:
        """The result of one request, whose evaluations, seconds and memory are its own."""
        request = Request(operation=operation, parameters=parameters, model=self.model)
        return self.runner.run(request, contents, self.own_progress())

    def own_progress(self) -> Progress:
        """Measurements of their own that stop with the whole.

        Raises:
            Cancelled: it has been cancelled.
        """
        self.progress.check()
        return Progress(cancel_requested=lambda: self.progress.is_cancelled)


def refuse_none(pairs: int) -> None:
    """
    Raises:
        EditorError: nothing would be measured.
    """
    if pairs < 1:
        raise EditorError("Pairs is {pairs}: at least 1 is needed.", pairs=pairs)


def shipped_detector() -> Detect:
    """The detector that comes with the built-in models."""
    import inference.runner  # noqa: F401 - makes the detector known, whoever asks first
    from inference.metrics.judge import built_in

    return built_in().detect
