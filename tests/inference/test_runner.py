"""The runner: defaults, deltas, caches, memory, and what stays after a failure."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.chosen_steps import store_step
from inference.content import Picture, content_hash
from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.errors import Cancelled, EditorError
from inference.inputs import Inputs
from inference.loras.library import LoraLibrary
from inference.models import MemoryMode, ModelEntry
from inference.operations import (
    OPERATIONS,
    Attribute,
    AttributeSweep,
    Family,
    Generate,
    Refine,
    Score,
    SubjectEdit,
)
from inference.parameters import Parameters
from inference.progress import Progress
from inference.request import Output, Request, Result
from inference.runner import Runner
from inference.weights.known_modes import Device, KnownModes
from inference.weights.modes import Asked
from inference.weights.prediction import Choice
from tests.helpers.stub_backbone import StubBackbone
from tests.inference.loras.test_files import _SDXL, pair, write

PROMPT = "a photo of a man and a woman"
MAN, WOMAN = (13, 16), (23, 28)


class StubCatalogue:
    def __init__(self) -> None:
        self.known = {
            name: ModelEntry(name=name, family=Family.SDXL, path=Path(name), sandbox=True)
            for name in ("stub", "other")
        }

    def locate(self, model: str) -> ModelEntry:
        if model not in self.known:
            raise EditorError(f"Unknown model “{model}”.", "Known are: stub.")
        return self.known[model]


class Loads:
    """A loader that records what it was asked for."""

    def __init__(self) -> None:
        self.modes: list[tuple[str, MemoryMode]] = []
        self.backbones: list[StubBackbone] = []
        self.prepare = lambda backbone: None

    def __call__(
        self, entry: ModelEntry, *, device: str, dtype: str, memory_mode: MemoryMode, progress: Progress
    ) -> StubBackbone:
        self.modes.append((entry.name, memory_mode))
        backbone = StubBackbone(entry.name)
        self.prepare(backbone)
        self.backbones.append(backbone)
        return backbone


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def runner(loads: Loads, tmp_path: Path) -> Runner:
    library = DeltaLibrary((tmp_path,), shipped_folder() / "definitions")
    return Runner(StubCatalogue(), library, load=loads)  # type: ignore[arg-type]


def run(runner: Runner, operation: str, parameters: Parameters, model: str = "stub") -> Result:
    return runner.run(Request(operation=operation, parameters=parameters, model=model), {}, Progress())


def edit(span: tuple[int, int] = MAN, attribute: str = "age", value: float = 1.0) -> SubjectEdit:
    return SubjectEdit(start=span[0], end=span[1], attribute=attribute, value=value)


def attribute(*edits: SubjectEdit, seed: int = 1, delay: float = 0.2, **more: object) -> Attribute:
    return Attribute(prompt=PROMPT, seed=seed, edits=edits, delay=delay, **more)  # type: ignore[arg-type]


class TestRequests:
    def test_defaults_and_hash_are_filled_in(self, runner: Runner) -> None:
        result = run(runner, "generate", Generate(prompt=PROMPT))
        parameters = result.request.parameters
        assert isinstance(parameters, Generate)
        assert (parameters.steps, parameters.width, parameters.sampler) == (10, 16, "ddim")
        assert parameters.guidance_scale == 3.0
        assert result.request.model_hash == "hash of stub"
        assert all(value is not None for value in parameters.to_json().values())
        assert result.images[0].shape == (16, 16, 3)

    def test_what_was_measured(self, runner: Runner) -> None:
        measured = run(runner, "generate", Generate(prompt=PROMPT)).measured
        assert measured.denoiser_evaluations == 20
        assert {"load", "encode", "sample", "decode"} <= set(measured.seconds)
        assert measured.peak_memory_bytes > 10 * 2**20

    def test_a_resolved_request_gives_the_same_from_the_cache(self, runner: Runner, loads: Loads) -> None:
        first = run(runner, "generate", Generate(prompt=PROMPT))
        again = runner.run(first.request, {}, Progress())
        assert again.cached
        assert again.measured.denoiser_evaluations == 0
        np.testing.assert_array_equal(first.images[0], again.images[0])

    def test_another_input_picture_is_another_result(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def mean(backbone: object, parameters: Parameters, inputs: Inputs, progress: Progress) -> Output:
            assert isinstance(parameters, Score)
            return Output(images=(), scores={"mean": float(inputs.pixels(parameters.image).mean())})

        monkeypatch.setattr("inference.runner._method", lambda operation: mean)

        def score(level: int) -> tuple[float, bool, str]:
            picture = np.full((8, 8, 3), level, np.uint8)
            content = Picture(content_hash(picture))
            request = Request(operation="score", parameters=Score(image=content, prompt=PROMPT), model="stub")
            result = runner.run(request, {content.hash: picture}, Progress())
            assert isinstance(result.request.parameters, Score)
            return result.scores["mean"], result.cached, result.request.parameters.image.hash

        first, other, again = score(10), score(200), score(10)
        assert (first[:2], other[:2], again[:2]) == ((10.0, False), (200.0, False), (10.0, True))
        assert first[2] == again[2] != other[2]

    def test_other_weights_are_noted(self, runner: Runner) -> None:
        first = run(runner, "generate", Generate(prompt=PROMPT))
        older = replace(first.request, model_hash="older", parameters=Generate(prompt=PROMPT, seed=5))
        assert "not those" in runner.run(older, {}, Progress()).notes[0]

    def test_what_is_said_of_a_request_is_not_said_of_another_one(self, runner: Runner) -> None:
        first = run(runner, "generate", Generate(prompt=PROMPT))
        older = replace(first.request, model_hash="older")
        again, plain = runner.run(older, {}, Progress()), runner.run(first.request, {}, Progress())
        assert again.cached
        assert plain.cached
        assert "not those" in again.notes[0]
        assert plain.notes == first.notes == ()

    def test_unknown_model(self, runner: Runner) -> None:
        with pytest.raises(EditorError, match="Unknown model"):
            run(runner, "generate", Generate(prompt=PROMPT), model="nope")

    def test_an_operation_of_other_families_is_refused(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        only_sd3 = replace(OPERATIONS["generate"], families=frozenset({Family.SD3}))
        monkeypatch.setitem(OPERATIONS, "generate", only_sd3)
        with pytest.raises(EditorError, match="does not work with stub"):
            run(runner, "generate", Generate(prompt=PROMPT))

    def test_another_model_takes_the_place_of_the_first(self, runner: Runner, loads: Loads) -> None:
        run(runner, "generate", Generate(prompt=PROMPT))
        run(runner, "generate", Generate(prompt=PROMPT), model="other")
        run(runner, "generate", Generate(prompt=PROMPT, seed=2), model="other")
        runner.preload("other", Progress())
        assert [name for name, _ in loads.modes] == ["stub", "other"]


class TestAttributes:
    def test_zero_is_the_generated_picture(self, runner: Runner) -> None:
        plain = run(runner, "generate", Generate(prompt=PROMPT, seed=1))
        zero = run(runner, "attribute", attribute(edit(value=0.0), edit(WOMAN, "smile", 0.0)))
        np.testing.assert_array_equal(plain.images[0], zero.images[0])

    def test_an_edit_moves_the_picture_and_edits_add_up(self, runner: Runner) -> None:
        pictures = [
            run(runner, "attribute", attribute(*edits)).images[0]
            for edits in ((), (edit(),), (edit(WOMAN),), (edit(), edit(WOMAN)))
        ]
        assert len({picture.tobytes() for picture in pictures}) == 4

    def test_steps_before_the_delay_are_shared(self, runner: Runner, loads: Loads) -> None:
        first = run(runner, "attribute", attribute(edit(value=1.0)))
        second = run(runner, "attribute", attribute(edit(value=2.0)))
        assert first.measured.denoiser_evaluations == 20 + 16  # all unedited, and edited after the delay
        assert second.measured.denoiser_evaluations == 16

    def test_a_drag_after_generating_starts_at_the_delay(self, runner: Runner) -> None:
        run(runner, "generate", Generate(prompt=PROMPT, seed=1))
        assert run(runner, "attribute", attribute(edit())).measured.denoiser_evaluations == 16
        assert run(runner, "attribute", attribute(edit(value=0.0))).measured.denoiser_evaluations == 0

    @pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' DPM tables
    def test_a_restart_gives_the_bytes_of_a_fresh_run(self, runner: Runner, tmp_path: Path) -> None:
        for sampler in ("ddim", "dpm++2m", "ddpm"):
            parameters = attribute(edit(value=1.5), sampler=sampler)
            run(runner, "attribute", attribute(edit(value=0.5), sampler=sampler))
            restarted = run(runner, "attribute", parameters)
            fresh_runner = Runner(
                StubCatalogue(),
                DeltaLibrary((tmp_path,), shipped_folder() / "definitions"),
                load=Loads(),  # type: ignore[arg-type]
            )
            fresh = run(fresh_runner, "attribute", parameters)
            assert restarted.measured.denoiser_evaluations == 16
            np.testing.assert_array_equal(restarted.images[0], fresh.images[0])

    def test_a_full_delay_changes_nothing(self, runner: Runner) -> None:
        plain = run(runner, "generate", Generate(prompt=PROMPT, seed=1))
        late = run(runner, "attribute", attribute(edit(value=2.0), delay=1.0))
        np.testing.assert_array_equal(plain.images[0], late.images[0])

    def test_every_word_and_subject_has_a_map(self, runner: Runner) -> None:
        plain = run(runner, "generate", Generate(prompt=PROMPT, seed=1))
        assert "attention/13-16" in plain.maps
        assert len(plain.maps) == 8
        two_words = run(runner, "attribute", attribute(edit((11, 16))))
        assert "attention/11-16" in two_words.maps
        masks = {name for name in two_words.maps if name.startswith("mask/")}
        assert masks == {"mask/11-16"}
        for name in two_words.maps.keys() - masks:
            heat = two_words.maps[name]
            assert (heat.dtype, float(heat.min()), float(heat.max())) == (np.float32, 0.0, 1.0)

    def test_a_subject_outside_the_prompt(self, runner: Runner) -> None:
        with pytest.raises(EditorError, match="not in the prompt"):
            run(runner, "attribute", attribute(edit((40, 50))))

    def test_unknown_attribute(self, runner: Runner) -> None:
        with pytest.raises(EditorError, match="“agee” for “man”"):
            run(runner, "attribute", attribute(edit(attribute="agee")))


class TestSweep:
    POSITIONS = (-2.0, -1.0, 0.0, 1.0, 2.0)

    def sweep(self, *edits: SubjectEdit, index: int = 0) -> AttributeSweep:
        return AttributeSweep(prompt=PROMPT, seed=1, edits=edits, index=index, positions=self.POSITIONS)

    def test_positions_are_those_of_single_runs_and_zero_is_exact(self, runner: Runner) -> None:
        swept = run(runner, "attribute-sweep", self.sweep(edit(value=0.7))).images
        for value, image in zip(self.POSITIONS, swept, strict=True):
            single = run(runner, "attribute", attribute(edit(value=value))).images[0]
            np.testing.assert_allclose(image.astype(int), single, atol=0 if value == 0 else 1)

    def test_shared_steps_and_batches(self, runner: Runner, loads: Loads) -> None:
        result = run(runner, "attribute-sweep", self.sweep(edit()))
        assert result.measured.denoiser_evaluations == 2 * (2 + 8 + 4 * 8)
        assert set(loads.backbones[0].batches) == {2, 8}

    def test_other_edits_stay(self, runner: Runner) -> None:
        swept = run(runner, "attribute-sweep", self.sweep(edit(), edit(WOMAN, "smile", 1.0), index=1)).images
        single = run(runner, "attribute", attribute(edit(), edit(WOMAN, "smile", 2.0))).images[0]
        np.testing.assert_allclose(swept[-1].astype(int), single, atol=1)

    def test_no_such_edit(self, runner: Runner) -> None:
        with pytest.raises(EditorError, match="no attribute number 1"):
            run(runner, "attribute-sweep", self.sweep(edit(), index=1))

    def test_no_positions(self, runner: Runner) -> None:
        assert run(runner, "attribute-sweep", AttributeSweep(prompt=PROMPT, edits=(edit(),))).images == ()


class TestMemory:
    def test_running_out_once_is_tried_again_tighter_and_said(self, runner: Runner, loads: Loads) -> None:
        def prepare(backbone: StubBackbone) -> None:
            if len(loads.backbones) == 0:
                backbone.before_predict = out_of_memory

        loads.prepare = prepare
        result = run(runner, "generate", Generate(prompt=PROMPT))
        # on a CPU 8 bits alone take less
        assert [mode for _, mode in loads.modes] == [MemoryMode.FULL, MemoryMode.EIGHT_BIT]
        assert "Memory ran out" in result.notes[0]

    def test_the_mode_is_chosen_before_a_model_is_loaded_and_said(self, loads: Loads, tmp_path: Path) -> None:
        asked: list[tuple[str, int, int]] = []

        def choose(entry: ModelEntry, _device: str, _dtype: str, wanted: Asked) -> Choice:
            asked.append((entry.name, wanted.width, wanted.height))
            return Choice(MemoryMode.GROUP, 9_000_000_000, 4_000_000_000)

        library = DeltaLibrary((tmp_path,), shipped_folder() / "definitions")
        runner = Runner(StubCatalogue(), library, load=loads, choose=choose)  # type: ignore[arg-type]
        result = run(runner, "generate", Generate(prompt=PROMPT, width=16, height=24))
        run(runner, "generate", Generate(prompt=PROMPT, seed=7))
        assert asked == [("stub", 16, 24)]
        assert loads.modes == [("stub", MemoryMode.GROUP)]
        assert "stub needs 9.0 GB of memory, 4.0 GB are free: one block is there" in str(result.notes[0])
        runner.preload("other", Progress())
        assert (asked[-1], loads.modes[-1][1]) == (("other", 0, 0), MemoryMode.GROUP)

    def test_what_asks_for_more_than_was_foreseen_is_foreseen_anew(
        self, loads: Loads, tmp_path: Path
    ) -> None:
        asked: list[Asked] = []

        def choose(_entry: ModelEntry, _device: str, _dtype: str, wanted: Asked) -> Choice:
            asked.append(wanted)
            tight = wanted.loras or len(wanted.texts[0]) > 100 if wanted.texts else False
            return Choice(MemoryMode.MODEL if tight else MemoryMode.FULL, 9_000_000_000, 4_000_000_000)

        loras = LoraLibrary(tmp_path / "settings")
        file = write(tmp_path / "one.safetensors", pair(_SDXL, 2048))
        use = replace(loras.add(file)[0].at(0.5), hash=loras.list()[0].hash)
        library = DeltaLibrary((tmp_path,), shipped_folder() / "definitions")
        runner = Runner(StubCatalogue(), library, load=loads, choose=choose, loras=loras)  # type: ignore[arg-type]
        runner.preload("stub", Progress())
        run(runner, "generate", Generate(prompt=PROMPT))
        assert [mode for _, mode in loads.modes] == [MemoryMode.FULL]
        count = len(asked)
        long = run(runner, "generate", Generate(prompt=f"{PROMPT}, {'a' * 120}"))
        assert [mode for _, mode in loads.modes] == [MemoryMode.FULL, MemoryMode.MODEL]
        assert "one network is there at a time" in str(long.notes[0])
        again = run(runner, "generate", Generate(prompt=f"{PROMPT}, {'b' * 120}"))
        assert (len(asked), again.notes) == (count + 1, ())
        with pytest.raises(EditorError, match="does not fit stub"):
            run(runner, "generate", Generate(prompt=PROMPT, loras=(use,)))
        assert asked[-1].loras == (file,)
        run(runner, "generate", Generate(prompt=PROMPT, loras=(replace(use, strength=0.0),), seed=3))
        assert asked[-1].loras == (file,)

    def test_every_tighter_mode_is_tried_and_the_one_that_fits_is_remembered(
        self, runner: Runner, loads: Loads
    ) -> None:
        def prepare(backbone: StubBackbone) -> None:
            if len(loads.backbones) < 4:
                backbone.device = torch.device("meta")  # not the CPU, where all modes take the same
                backbone.before_predict = out_of_memory

        loads.prepare = prepare
        result = run(runner, "generate", Generate(prompt=PROMPT))
        assert [mode for _, mode in loads.modes] == list(MemoryMode)
        assert "with one layer in memory at a time" in str(result.notes[-1])
        loads.prepare = lambda backbone: None
        run(runner, "generate", Generate(prompt=PROMPT), model="other")
        run(runner, "generate", Generate(prompt=PROMPT, seed=2))
        assert loads.modes[-1] == ("stub", MemoryMode.SEQUENTIAL)

    def test_the_next_start_begins_with_the_mode_that_worked(self, loads: Loads, tmp_path: Path) -> None:
        def starts(**more: object) -> Runner:
            library = DeltaLibrary((tmp_path,), shipped_folder() / "definitions")
            known = KnownModes(tmp_path / "modes.json", lambda: Device("card", 2**33))
            loads.modes.clear()
            loads.backbones.clear()
            return Runner(StubCatalogue(), library, load=loads, known_modes=known, **more)  # type: ignore[arg-type]

        def prepare(backbone: StubBackbone) -> None:
            if len(loads.backbones) < 3:
                backbone.device = torch.device("meta")  # not the CPU, where all modes but one take the same
                backbone.before_predict = out_of_memory

        loads.prepare = prepare
        run(starts(), "generate", Generate(prompt=PROMPT, width=1024, height=1024))
        loads.prepare = lambda backbone: None
        second = starts()
        small = run(second, "generate", Generate(prompt=PROMPT, width=256, height=256))
        assert not small.notes
        large = run(second, "generate", Generate(prompt=PROMPT, width=1024, height=1024))
        assert [mode for _, mode in loads.modes] == [MemoryMode.FULL, MemoryMode.GROUP]
        assert "Memory ran out with stub before: one block" in str(large.notes[0])
        wanted = starts(memory_mode="model")
        run(wanted, "generate", Generate(prompt=PROMPT, width=1024, height=1024))
        assert [mode for _, mode in loads.modes] == [MemoryMode.MODEL]

    def test_what_is_asked_for_is_taken(self, loads: Loads, tmp_path: Path) -> None:
        library = DeltaLibrary((tmp_path,), shipped_folder() / "definitions")
        for mode in MemoryMode:
            runner = Runner(StubCatalogue(), library, load=loads, memory_mode=mode.value)  # type: ignore[arg-type]
            run(runner, "generate", Generate(prompt=PROMPT))
            assert loads.modes[-1] == ("stub", mode)

    def test_a_method_that_needs_gradients_says_that_it_does_not_fit(
        self, runner: Runner, loads: Loads
    ) -> None:
        loads.prepare = out_of_memory_until(loads, 3)
        with pytest.raises(EditorError, match="not enough memory"):
            run(runner, "generate", Generate(prompt=PROMPT))

    def test_a_mode_in_which_a_method_cannot_work_is_not_begun_with_again(
        self, runner: Runner, loads: Loads
    ) -> None:
        loads.prepare = out_of_memory_until(loads, 1)
        with pytest.raises(EditorError, match="needs gradients"):
            run(runner, "generate", Generate(prompt=PROMPT))
        loads.prepare = lambda backbone: None
        run(runner, "generate", Generate(prompt=PROMPT))
        assert [mode for _, mode in loads.modes] == [MemoryMode.FULL, MemoryMode.MODEL, MemoryMode.FULL]

    def test_running_out_twice_is_an_error_and_serving_goes_on(self, runner: Runner, loads: Loads) -> None:
        loads.prepare = lambda backbone: setattr(backbone, "before_predict", out_of_memory)
        with pytest.raises(EditorError, match="not enough memory"):
            run(runner, "generate", Generate(prompt=PROMPT))
        assert len(loads.modes) == 2
        loads.prepare = lambda backbone: None
        loads.backbones[-1].before_predict = lambda count: None
        assert run(runner, "generate", Generate(prompt=PROMPT)).images

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"
            ),
            torch.OutOfMemoryError("CUDA out of memory."),
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        ],
    )
    def test_all_ways_to_say_it(self, runner: Runner, loads: Loads, error: Exception) -> None:
        def fail(count: int) -> None:
            raise error

        loads.prepare = lambda backbone: setattr(backbone, "before_predict", fail)
        with pytest.raises(EditorError, match="not enough memory"):
            run(runner, "generate", Generate(prompt=PROMPT))

    def test_a_defect_is_no_memory_problem(self, runner: Runner, loads: Loads) -> None:
        def fail(count: int) -> None:
            raise RuntimeError("shapes cannot be multiplied")

        loads.prepare = lambda backbone: setattr(backbone, "before_predict", fail)
        with pytest.raises(RuntimeError, match="multiplied"):
            run(runner, "generate", Generate(prompt=PROMPT))
        assert len(loads.modes) == 1


class TestCancelling:
    def test_at_every_step_and_the_next_run_is_unharmed(self, runner: Runner, loads: Loads) -> None:
        expected = run(runner, "attribute", attribute(edit(), seed=9)).images[0]
        for step in range(10):
            progress = Progress()
            left = [step]

            def count_down(count: int, left: list[int] = left, progress: Progress = progress) -> None:
                left[0] -= 1
                if left[0] < 0:
                    progress.cancel()

            loads.backbones[0].before_predict = count_down
            before = len(loads.backbones[0].batches)
            request = Request(
                operation="attribute", parameters=attribute(edit(), seed=100 + step), model="stub"
            )
            with pytest.raises(Cancelled):
                runner.run(request, {}, progress)
            assert len(loads.backbones[0].batches) - before == step + 1, "it went on after the cancellation"
        loads.backbones[0].before_predict = lambda count: None
        again = run(runner, "attribute", attribute(edit(), seed=9, negative_prompt="")).images[0]
        np.testing.assert_array_equal(expected, again)


def out_of_memory(count: int) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def out_of_memory_until(loads: Loads, count: int) -> Callable[[StubBackbone], None]:
    """Memory runs out in backbones until so many were loaded; that one refuses, as it allows no gradients."""

    def refuse(count: int) -> None:
        raise EditorError("This needs gradients.")

    def prepare(backbone: StubBackbone) -> None:
        backbone.device = torch.device("meta")
        backbone.before_predict = out_of_memory if len(loads.backbones) < count else refuse

    return prepare


def nothing(backbone: object, parameters: Parameters, inputs: Inputs, progress: Progress) -> Output:
    return Output(images=())


class TestChosenForTheModel:
    """What a request for a refinement leaves open, a model's own choices fill in."""

    @pytest.fixture
    def resolved(
        self, tmp_path: Path, loads: Loads, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., Refine]:
        own = {"step": 5, "steps": 10, "learning_rate": 0.5, "guidance_step_size": 2.0}
        model_hash = StubBackbone("stub").model_hash
        store_step(tmp_path / "steps.json", model_hash, "ours+", own)
        catalogue, library = StubCatalogue(), DeltaLibrary((), shipped_folder() / "definitions")
        runner = Runner(catalogue, library, load=loads, steps_file=tmp_path / "steps.json")  # type: ignore[arg-type]
        monkeypatch.setattr("inference.runner._method", lambda operation: nothing)

        def resolve(**values: object) -> Refine:
            parameters = Refine(prompt="a man", steps=20, **values)  # type: ignore[arg-type]
            request = Request(operation="refine", parameters=parameters, model="stub", model_hash=model_hash)
            found = runner.run(request, {}, Progress()).request.parameters
            assert isinstance(found, Refine)
            return found

        return resolve

    def test_step_and_sizes_are_filled_in(self, resolved: Callable[..., Refine]) -> None:
        found = resolved(method="ours+")
        assert (found.step, found.learning_rate, found.guidance_step_size) == (10, 0.5, 2.0)
        other = resolved(method="ours")
        assert (other.step, other.learning_rate, other.guidance_step_size) == (None, None, None)

    def test_what_is_named_stays(self, resolved: Callable[..., Refine]) -> None:
        found = resolved(method="ours+", step=3, guidance_step_size=9.0)
        assert (found.step, found.learning_rate, found.guidance_step_size) == (3, 0.5, 9.0)

    def test_sizes_belong_to_the_methods_own_losses(self, resolved: Callable[..., Refine]) -> None:
        found = resolved(method="ours+", refinement_loss="neglect", guidance_loss="neglect")
        assert (found.step, found.learning_rate, found.guidance_step_size) == (10, None, None)
