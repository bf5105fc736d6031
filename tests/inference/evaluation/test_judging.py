"""What all evaluations share."""

from typing import Any

import pytest

from inference.content import Contents
from inference.errors import Cancelled, EditorError
from inference.evaluation.judging import Asking, refuse_none
from inference.operations import Generate
from inference.progress import Progress
from inference.request import Request, Result


class Runner:
    """Looks at what it is asked with."""

    def __init__(self) -> None:
        self.asked: list[tuple[Request, Contents, Progress]] = []

    def run(self, request: Request, contents: Contents, progress: Progress, /) -> Result:
        self.asked.append((request, contents, progress))
        progress.measured.denoiser_evaluations += 7
        return Result(request=request, images=(), maps={}, measured=progress.measured)

    def model_hash(self, model: str, progress: Progress) -> str:
        raise AssertionError(f"nobody asks what {model} is")


@pytest.fixture
def runner() -> Runner:
    return Runner()


def test_each_request_has_measurements_of_its_own(runner: Runner) -> None:
    whole = Progress()
    asking = Asking(runner=runner, model="mini-sd1", progress=whole)
    contents: dict[str, Any] = {"a": b"b"}
    first, second = (asking.ask("generate", Generate(prompt="a cat"), given) for given in (contents, {}))
    assert [one.measured.denoiser_evaluations for one in (first, second)] == [7, 7]
    assert whole.measured.denoiser_evaluations == 0
    assert [(one.operation, one.model) for one, _, _ in runner.asked] == [("generate", "mini-sd1")] * 2
    assert runner.asked[0][1] == contents


def test_the_whole_stops_what_runs_and_what_would_come(runner: Runner) -> None:
    whole = Progress()
    asking = Asking(runner=runner, model="mini-sd1", progress=whole)
    asking.ask("generate", Generate(prompt="a cat"))
    whole.cancel()
    with pytest.raises(Cancelled):
        runner.asked[0][2].check()
    with pytest.raises(Cancelled):
        asking.ask("generate", Generate(prompt="a cat"))
    assert len(runner.asked) == 1


@pytest.mark.parametrize("pairs", [0, -3])
def test_nothing_to_measure_is_said(pairs: int) -> None:
    refuse_none(1)
    with pytest.raises(EditorError, match="at least 1"):
        refuse_none(pairs)
