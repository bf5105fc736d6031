"""What every operation promises, for every family it declares: a new one is tested by existing."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.content import DefinitionFile, Picture, content_hash
from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.errors import Cancelled
from inference.metrics import judge
from inference.models import Catalogue, ModelEntry
from inference.operations import EXAMPLE_PROMPT, OPERATIONS, SAMPLERS, Family, Operation, SubjectEdit
from inference.parameters import Parameters
from inference.progress import Progress, Step
from inference.request import Request, Result
from inference.runner import Runner

STEPS = 4
STRONG = 30.0
MOMENTS = 6  # of a run at which it is cancelled, the first and the last report among them
# Every declaration brings its neutral and its effective example; these stand for what it leaves open.
COMMON: Mapping[str, Any] = {"prompt": EXAMPLE_PROMPT, "steps": STEPS, "seed": 5}
OLDER = SubjectEdit(start=13, end=16, attribute="age", value=1.5)
AT_ZERO = replace(OLDER, value=0.0)
CASES = [
    pytest.param(name, family, id=f"{name}-{family.value}")
    for name, operation in OPERATIONS.items()
    for family in sorted(operation.families, key=lambda family: family.value)
]
TINY = {Family.SD1: "tiny-sd1", Family.SDXL: "tiny-sdxl", Family.SD3: "tiny-sd3"}


@pytest.fixture(scope="module")
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    """A runner over the tiny models, which are loaded once for all tests."""

    def load(entry: ModelEntry, **options: object) -> Any:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    return Runner(catalogue, DeltaLibrary((), shipped_folder() / "definitions"), device="cpu", load=load)


@pytest.fixture(autouse=True)
def stand_in_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """A detection model of the user that finds nothing in any picture."""
    blind = judge.Judge(lambda images: [[] for _ in images], frozenset({"man", "woman"}))
    monkeypatch.setattr(judge, "for_photos", lambda model: blind)


def pictures(operation: Operation) -> dict[str, Any]:
    """A picture, mask or file for each parameter that takes one, by the parameter's name."""
    generator = np.random.default_rng(3)
    made: dict[str, Any] = {}
    for item in operation.parameters.declared():
        if item.type is Picture or (item.type == tuple[Picture, ...] and item.required):
            made[item.name] = generator.integers(0, 256, (24, 40, 3), np.uint8)
        elif item.type is DefinitionFile:
            made[item.name] = (shipped_folder() / "definitions" / "person-age.toml").read_bytes()
    return made


def contents_of(operation: Operation) -> dict[str, Any]:
    """The content type of each of them, named."""
    types = {item.name: item.type for item in operation.parameters.declared()}
    given = {name: content_hash(blob) for name, blob in pictures(operation).items()}
    return {
        name: (Picture(one),) if types[name] == tuple[Picture, ...] else types[name](one)
        for name, one in given.items()
    }


def given_pixels(operation: Operation) -> list[Any]:
    if operation.artifact:
        return []
    return [blob for blob in pictures(operation).values() if not isinstance(blob, bytes)]


def made_by(result: Result) -> list[bytes]:
    """Pictures and artifacts, as bytes."""
    return [*(image.tobytes() for image in result.images), *result.artifacts.values()]


def strongly(values: Mapping[str, Any]) -> dict[str, Any]:
    """An example with its sliders far out: a random network hardly reads its text, and what is less than half
    a step of colour at the picture's size is no change."""
    found = dict(values)
    if "edits" in found:
        found["edits"] = tuple(replace(edit, value=STRONG * edit.value) for edit in found["edits"])
    if "positions" in found and "edits" in found:
        found["positions"] = tuple(STRONG * value for value in found["positions"])
    return found


def parameters(name: str, values: Mapping[str, Any]) -> Parameters:
    operation = OPERATIONS[name]
    values = strongly(values)
    declared = {item.name for item in operation.parameters.declared()}
    given = contents_of(operation)
    common = {item: value for item, value in COMMON.items() if item in declared}
    return operation.parameters(**{**common, **given, **values})


def has_seed(name: str) -> bool:
    return any(item.name == "seed" for item in OPERATIONS[name].parameters.declared())


def run(
    runner: Runner, name: str, family: Family, values: Mapping[str, Any], progress: Progress | None = None
) -> Result:
    runner.forget()
    request = Request(operation=name, parameters=parameters(name, values), model=TINY[family])
    contents = {content_hash(pixels): pixels for pixels in pictures(OPERATIONS[name]).values()}
    return runner.run(request, contents, progress or Progress())


# runs that several tests look at; that an example always gives the same is one of them
@cache
def effective(runner: Runner, name: str, family: Family) -> Result:
    """What the effective example gives at first; this run also learns the deltas that it needs."""
    return run(runner, name, family, OPERATIONS[name].effective)


@cache
def effective_again(runner: Runner, name: str, family: Family) -> tuple[Result, int]:
    """What it gives a second time, and how often that reports."""
    effective(runner, name, family)
    seen: list[Step] = []
    return run(runner, name, family, OPERATIONS[name].effective, Progress(seen.append)), len(seen)


@cache
def neutral(runner: Runner, name: str, family: Family) -> Result:
    return run(runner, name, family, OPERATIONS[name].neutral)


@cache
def generated(runner: Runner, family: Family) -> Result:
    """The picture of prompt and seed alone."""
    return run(runner, "generate", family, {})


def state(backbone: Any) -> str:
    """A hash of all weights, and of everything that a patch would leave on a module."""
    digest = hashlib.sha256()
    for network in backbone.parts.networks:
        for name, tensor in network.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.contiguous().view(-1).numpy().tobytes())
        for name, module in network.named_modules():
            hooks = [*module._forward_hooks, *module._forward_pre_hooks, *module._backward_hooks]
            processor = type(getattr(module, "processor", None)).__name__
            digest.update(f"{name} {type(module).__name__} {processor} {hooks}".encode())
            assert "forward" not in vars(module), f"{name} is patched"
    return digest.hexdigest()


@pytest.mark.parametrize(("name", "family"), CASES)
class TestEveryOperation:
    def test_neutral_parameters_change_nothing(self, runner: Runner, name: str, family: Family) -> None:
        """They give the picture that was put in, or that of the prompt and seed alone."""
        operation = OPERATIONS[name]
        if operation.artifact:
            pytest.skip("it makes no pictures")
        given = given_pixels(operation)
        plain = given[0] if given else generated(runner, family).images[0]
        for picture in neutral(runner, name, family).images:
            np.testing.assert_array_equal(picture, plain)

    def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
        self, runner: Runner, name: str, family: Family
    ) -> None:
        first, (again, _) = effective(runner, name, family), effective_again(runner, name, family)
        assert made_by(first) == made_by(again)
        assert not again.cached
        if has_seed(name):
            other = run(runner, name, family, {**OPERATIONS[name].effective, "seed": 6})
            assert made_by(first) != made_by(other)

    def test_effective_parameters_change_the_picture(self, runner: Runner, name: str, family: Family) -> None:
        operation = OPERATIONS[name]
        if operation.effective == operation.neutral:
            pytest.skip("it only looks")
        changed = effective(runner, name, family)
        plain = neutral(runner, name, family)
        assert made_by(changed) != made_by(plain)

    def test_the_result_is_as_large_as_the_picture(self, runner: Runner, name: str, family: Family) -> None:
        result = effective(runner, name, family)
        given = given_pixels(OPERATIONS[name])
        if given:
            factor = getattr(result.request.parameters, "factor", 1.0)
            height, width, channels = given[0].shape
            assert result.images[0].shape == (round(factor * height), round(factor * width), channels)
        elif hasattr(result.request.parameters, "width"):
            sampled = result.request.parameters
            assert result.images[0].shape == (sampled.height, sampled.width, 3)  # type: ignore[attr-defined]

    def test_cancelling_at_any_time_leaves_the_network_as_it_was(
        self, runner: Runner, name: str, family: Family, tiny_backbones: dict[str, Any]
    ) -> None:
        # after the first runs: transformers sets hooks of its own
        _, reports = effective_again(runner, name, family)
        before = state(tiny_backbones[TINY[family]])
        assert reports >= (STEPS if has_seed(name) and not pictures(OPERATIONS[name]) else 1)
        for moment in sorted({round(share * (reports - 1) / (MOMENTS - 1)) for share in range(MOMENTS)}):
            cancel_at(runner, name, family, moment)
        assert state(tiny_backbones[TINY[family]]) == before

    def test_declaration_and_result_survive_json(self, runner: Runner, name: str, family: Family) -> None:
        values = parameters(name, OPERATIONS[name].effective)
        assert type(values).from_json(values.to_json()) == values
        request = effective(runner, name, family).request
        assert Request.from_json(request.to_json()) == request


def cancel_at(runner: Runner, name: str, family: Family, moment: int) -> None:
    """Cancel with the report number `moment`; the next one must not come."""
    seen: list[Step] = []

    def on_step(step: Step) -> None:
        seen.append(step)
        if len(seen) > moment:
            progress.cancel()

    progress = Progress(on_step)
    with pytest.raises(Cancelled):
        run(runner, name, family, OPERATIONS[name].effective, progress)
    assert len(seen) == moment + 1


def test_an_edit_changes_the_picture_in_every_family(runner: Runner) -> None:
    for family in Family:
        plain = generated(runner, family).images[0]
        older = run(runner, "attribute", family, {"edits": (OLDER,), "delay": 0.0}).images[0]
        assert np.abs(plain.astype(int) - older).max() > 0, family


@pytest.mark.parametrize(("only_subject", "whole", "again"), [(False, 8, 4), (True, 13, 5)])
def test_every_sampler_restarts_exactly(only_subject: bool, whole: int, again: int, runner: Runner) -> None:
    """Two evaluations a step; the second half of four steps is edited, and is what a restart runs.

    An edit that keeps to its subject needs the whole unedited picture too, and one sample more that brings
    the plain text.
    """
    for sampler in SAMPLERS:
        values = {"edits": (OLDER,), "sampler": sampler, "delay": 0.5, "only_subject": only_subject}
        fresh = run(runner, "attribute", Family.SD1, values)
        runner.forget()
        for prompt_edits in ((AT_ZERO,), (OLDER,)):
            request = Request(
                operation="attribute",
                parameters=parameters("attribute", {**values, "edits": prompt_edits}),
                model=TINY[Family.SD1],
            )
            restarted = runner.run(request, {}, Progress())
        assert fresh.measured.denoiser_evaluations == whole, sampler
        assert restarted.measured.denoiser_evaluations == again, sampler
        np.testing.assert_array_equal(restarted.images[0], fresh.images[0])
