"""Learning: the loop of the paper, bit for bit after any interruption, and what may go wrong."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from inference.content import DefinitionFile, content_hash
from inference.definitions import definition_from_bytes, definition_text, shipped_folder
from inference.deltas import DeltaLibrary, read_delta_file
from inference.errors import EditorError, Parked
from inference.methods.learning import learn_delta as module
from inference.methods.learning.examples import Examples
from inference.methods.learning.held_out import HeldOut
from inference.methods.learning.kept import delta_file_of
from inference.methods.learning.learn_delta import learning_rate
from inference.methods.learning.objective import Objective
from inference.methods.learning.pool import Pool
from inference.methods.learning.state import LearningState, Point
from inference.methods.naive_delta import learn_naive
from inference.models import Catalogue, MemoryMode, ModelEntry
from inference.operations import MOST_LEARNING_STEPS, LearnDelta, read_by
from inference.progress import Progress
from inference.request import Request, Result
from inference.runner import Runner
from inference.weights.loading import load_backbone
from inference.weights.packed import packed, unpacked
from tests.helpers.stub_backbone import StubBackbone

NAMES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3")
TOML = definition_text(
    attribute="age",
    label="Age",
    subject="person",
    prefixes=["{,a photo of} a"],
    pairs=[("man", "old man", "young man"), ("woman", "old woman", "young woman")],
).encode()
SHORT = {
    "method": "learned",
    "steps": 3,
    "accumulation": 2,
    "sampling_steps": 4,
    "points": 2,
    "noisy_share": 1.0,
    "seed": 3,
}


@pytest.fixture(scope="module")
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    return Runner(catalogue, DeltaLibrary((), shipped_folder() / "definitions"), device="cpu", load=load)


def request(model: str = "tiny-sd1", **values: Any) -> Request:
    parameters = LearnDelta(definition=DefinitionFile(content_hash(TOML)), **{**SHORT, **values})
    return Request(operation="learn-delta", parameters=parameters, model=model)


def learn(
    runner: Runner, asked: Request, progress: Progress | None = None, resume: bytes | None = None
) -> Result:
    runner.forget()
    contents = {content_hash(TOML): TOML}
    return runner.run(asked, contents, progress or Progress(), resume)


def parked_after(runner: Runner, asked: Request, units: int, resume: bytes | None = None) -> bytes:
    asked_for = 0

    def park() -> bool:
        nonlocal asked_for
        asked_for += 1
        return asked_for > units

    with pytest.raises(Parked) as parked:
        learn(runner, asked, Progress(park_requested=park), resume)
    return parked.value.state


@pytest.mark.parametrize("name", NAMES)
def test_a_run_parked_before_every_unit_ends_in_the_same_bytes(name: str, runner: Runner) -> None:
    asked = request(name)
    undisturbed = learn(runner, asked)
    state: bytes | None = None
    parks = 0
    while True:
        try:
            state = parked_after(runner, asked, 1, state)
        except BaseException as error:
            if "DID NOT RAISE" not in str(error):
                raise
            break
        parks += 1
    again = learn(runner, asked, resume=state)
    assert parks > 10
    assert dict(again.artifacts) == dict(undisturbed.artifacts)


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_every_part_and_lowers_the_loss(name: str, runner: Runner, tmp_path: Path) -> None:
    result = learn(runner, request(name, steps=5, accumulation=2, points=4))
    path = tmp_path / "person-age.safetensors"
    path.write_bytes(result.artifacts["delta"])
    delta = read_delta_file(path)
    assert dict(delta.info.widths) == dict(runner.backbone(name, Progress()).token_widths)
    assert (delta.info.method, delta.info.label, delta.info.model) == ("learned", "Age", name)
    assert all(np.abs(vector).max() > 0 for vector in delta.vectors.values())
    losses = json.loads(result.artifacts["report"])["losses"]
    assert len(losses) == 5
    assert all(map(math.isfinite, losses))
    assert result.scores["loss"] == pytest.approx(losses[-1])


def test_the_t5_part_can_be_left_out(runner: Runner, tmp_path: Path) -> None:
    result = learn(runner, request("tiny-sd3", t5=False))
    path = tmp_path / "age.safetensors"
    path.write_bytes(result.artifacts["delta"])
    assert set(read_delta_file(path).vectors) == {"clip_l", "clip_g"}


def test_its_file_says_what_it_took(runner: Runner, tmp_path: Path) -> None:
    result = learn(runner, request(steps=4, accumulation=4, points=4))
    path = tmp_path / "person-age.safetensors"
    path.write_bytes(result.artifacts["delta"])
    took = result.measured.denoiser_evaluations + result.measured.backward_evaluations
    assert read_delta_file(path).info.evaluations == took


@pytest.mark.parametrize("points", [1, 4])
def test_what_a_run_costs(points: int, runner: Runner) -> None:
    """Points at every level of a four-step trajectory: three guided steps lead to the last of them."""
    result = learn(runner, request(steps=2, accumulation=4, points=points))
    micro_steps = 8
    loss = micro_steps * (3 + 4)
    if points == 4:
        # of four points of a trajectory three were asked the neutral prompt by the trajectory itself
        assert result.measured.denoiser_evaluations == loss + 2 * 3 * 2 - 2 * 3
    else:
        assert loss < result.measured.denoiser_evaluations <= loss + micro_steps * 3 * 2
    assert result.measured.backward_evaluations == micro_steps * 4


def test_points_lie_at_the_noisiest_levels(runner: Runner) -> None:
    """Two of four levels: one guided step leads from the first to the second."""
    result = learn(runner, request(steps=2, accumulation=4, points=4, noisy_share=0.5))
    assert result.measured.denoiser_evaluations == 8 * 7 + 4 * 2 - 4


def test_it_begins_where_words_end(runner: Runner) -> None:
    """Without a step in any direction the delta is the naive one, or nothing."""
    naive = learn(runner, request(method="naive")).artifacts["delta"]
    arrays = unpacked(naive, "delta")[0]
    warm, cold = (
        unpacked(learn(runner, request(learning_rate=0.0, warm_start=warm)).artifacts["delta"], "delta")[0]
        for warm in (True, False)
    )
    for name, vector in arrays.items():
        np.testing.assert_array_equal(warm[name], vector)
        assert not cold[name].any()


def test_weight_decay_draws_back_to_the_beginning(runner: Runner) -> None:
    """So strong that nothing else counts."""
    held = learn(runner, request(learning_rate=0.001, weight_decay=1000.0, steps=2))
    naive = unpacked(learn(runner, request(method="naive")).artifacts["delta"], "delta")[0]
    for name, vector in unpacked(held.artifacts["delta"], "delta")[0].items():
        assert np.abs(vector - naive[name]).max() <= 0.002


@pytest.mark.parametrize("name", NAMES)
def test_beside_others_only_the_subjects_place_is_to_change(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    definition = replace(definition_from_bytes(TOML), beside=("a photo of a * and a cat",))
    examples = Examples(backbone, definition)
    last = len(examples) - 1
    assert len(examples) == 6
    assert examples[last].target.text == "a photo of a woman and a cat"
    assert examples[last].span == (13, 18)
    assert examples[last].others == ((25, 28),)
    parameters = request().parameters
    assert isinstance(parameters, LearnDelta)
    levels = backbone.levels(4, 64, 64)
    objective = Objective(backbone=backbone, parameters=parameters, examples=examples, levels=levels)
    noise = backbone.initial_noise(1, 64, 64)
    point = Point(index=1, examples=(last,), latents=noise)
    _, kept = objective.ends(point)
    ends = [examples[last].positive, examples[last].negative]
    with torch.no_grad():
        x0 = objective.x0(noise.repeat(2, 1, 1, 1), point, ends)
    free = x0[:1] - x0[1:]
    share = (kept / free).mean(1)
    assert float(share.min()) > -1e-3
    assert float(share.max()) < 1 + 1e-3
    assert float(share.max() - share.min()) > 0.1


@pytest.mark.parametrize("template", ["a * and a man", "a * and a Man.", "a (man), a *"])
def test_a_subject_is_not_taught_beside_another_of_its_name(template: str) -> None:
    """They could not be told apart."""
    definition = definition_from_bytes(TOML)
    alone = len(definition.prefixes) * len(definition.pairs)
    assert {pair.noun for pair in definition.pairs} == {"man", "woman"}
    assert len(Examples(StubBackbone(), replace(definition, beside=(template,)))) == alone + 1


@pytest.mark.parametrize("beside", [(), ("a photo of a * and a cat",)])
def test_what_a_trajectory_found_at_its_points_is_what_the_loss_would_ask(
    beside: tuple[str, ...], tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    definition = replace(definition_from_bytes(TOML), beside=beside)
    parameters = replace(request().parameters, points=3, noisy_share=1.0)
    assert isinstance(parameters, LearnDelta)
    examples = Examples(backbone, definition)
    levels = backbone.levels(4, 64, 64)
    objective = Objective(backbone=backbone, parameters=parameters, examples=examples, levels=levels)
    pool = Pool(
        backbone=backbone,
        parameters=parameters,
        examples=examples,
        levels=levels,
        unconditional=backbone.negative_prompt(""),
    )
    known = 0
    for seed in range(6):  # examples alone and beside others
        state = LearningState.new({}, seed)
        while state.walk is not None or state.to_come or not state.points:
            pool.fill(state, 3)
        assert [point.known is None for point in state.points].count(True) == 1  # the trajectory's last
        for point in state.points:
            known += point.known is not None
            for one, other in zip(
                objective.ends(point), objective.ends(replace(point, known=None)), strict=True
            ):
                torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    assert known == 12


def test_held_out_points_tell_directions_apart(tiny_backbones: dict[str, Any]) -> None:
    backbone, definition = tiny_backbones["tiny-sd1"], definition_from_bytes(TOML)
    parameters = request().parameters
    assert isinstance(parameters, LearnDelta)
    held_out = HeldOut(backbone, definition, parameters, trajectories=2, points=2)
    naive = {name: torch.tensor(v) for name, v in learn_naive(backbone, definition).vectors.items()}
    nothing = {name: torch.zeros_like(vector) for name, vector in naive.items()}
    assert held_out.loss(nothing) == pytest.approx(1)
    assert held_out.loss(naive) < 1
    assert held_out.loss({name: -vector for name, vector in naive.items()}) > 1


def test_a_run_whose_memory_ran_out_goes_on_from_its_last_checkpoint(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.progress.CHECKPOINT_INTERVAL_S", 0.0)
    expected = dict(learn(runner, request()).artifacts)
    original: Callable[..., Any] = Objective.add
    steps: list[int] = []

    def full_once(self: Objective, state: LearningState, *given: Any, **more: Any) -> Any:
        steps.append(state.step)
        if state.step == 2 and steps.count(2) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(self, state, *given, **more)

    monkeypatch.setattr(module.Objective, "add", full_once)
    found = learn(runner, request(), Progress(on_checkpoint=lambda _: None))
    assert dict(found.artifacts) == expected
    assert steps == [0, 0, 1, 1, 2, 2, 2]


def test_no_more_is_sampled_than_the_run_can_use(runner: Runner) -> None:
    result = learn(runner, request(steps=1, accumulation=1, points=50))
    assert result.measured.denoiser_evaluations <= 2 * 3 + 7


def test_the_update_is_that_of_pytorch(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    gradients: list[torch.Tensor] = []
    original: Callable[..., Any] = module._Run._adamw

    def noted(self: Any, state: Any, encoder: str, gradient: torch.Tensor, rate: float) -> None:
        gradients.append(gradient.clone())
        original(self, state, encoder, gradient, rate)

    monkeypatch.setattr(module._Run, "_adamw", noted)
    state = LearningState.new({"clip_l": torch.zeros(16)}, 0)
    expected = torch.zeros(16, requires_grad=True)
    optimiser = torch.optim.AdamW([expected], lr=0.1, betas=(0.5, 0.8), weight_decay=0.333)
    run = object.__new__(module._Run)
    run.parameters = LearnDelta(definition=DefinitionFile(content_hash(TOML)))
    for seed in range(5):
        expected.grad = torch.randn(16, generator=torch.Generator().manual_seed(seed))
        optimiser.step()
        run._adamw(state, "clip_l", expected.grad, 0.1)
        state.step += 1
    torch.testing.assert_close(state.vectors["clip_l"], expected.detach())


def test_low_memory_gives_the_same_gradient(runner: Runner) -> None:
    """Scale by scale and with checkpoints: the same sums in another order."""
    usual, low = (learn(runner, request(steps=1, low_memory=low)) for low in (False, True))
    losses = [json.loads(result.artifacts["report"])["losses"] for result in (usual, low)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert usual.measured.denoiser_evaluations == low.measured.denoiser_evaluations


@pytest.mark.parametrize("batch", [1, 3])
def test_batches_have_their_own_examples(batch: int, runner: Runner) -> None:
    result = learn(runner, request(steps=1, accumulation=1, points=1, batch=batch, sampling_steps=1))
    assert result.measured.denoiser_evaluations == 7 * batch


def test_seed_and_method_decide(runner: Runner) -> None:
    first, other = (learn(runner, request(seed=seed)).artifacts["delta"] for seed in (1, 2))
    naive = learn(runner, request(method="naive"))
    assert first != other
    assert naive.measured.denoiser_evaluations == 0
    assert set(naive.artifacts) == {"delta"}


def test_each_method_reads_its_own_parameters() -> None:
    every = {item.name for item in LearnDelta.declared()}
    assert read_by("naive") == {"definition", "method"}
    assert every - read_by("learned") == {"images", "picture_prompt", "whole_prompt"}
    assert {"images", "steps", "learning_rate"} <= read_by("pair") == read_by("picture")
    assert not {"scales", "warm_start", "points"} & read_by("pair")


def test_the_learning_rate_is_annealed_along_half_a_cosine() -> None:
    asked = request(steps=100, schedule="cosine", learning_rate=0.4, final_learning_rate=0.2).parameters
    assert isinstance(asked, LearnDelta)
    assert learning_rate(asked, 0) == pytest.approx(0.4)
    assert learning_rate(asked, 50) == pytest.approx(0.3)
    assert learning_rate(asked, 100) == pytest.approx(0.2)
    assert learning_rate(replace(asked, schedule="constant"), 70) == 0.4


def test_presets_fill_what_is_left_open(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[LearnDelta] = []

    def noted(backbone: Any, parameters: LearnDelta, inputs: Any, progress: Progress) -> Any:
        seen.append(parameters)
        raise EditorError("enough")

    monkeypatch.setattr(module, "learn_delta", noted)
    with pytest.raises(EditorError, match="enough"):
        learn(runner, request(preset="cosine-1000x5", steps=7, accumulation=None))
    assert (seen[0].steps, seen[0].accumulation, seen[0].schedule) == (7, 5, "cosine")


def test_a_run_that_diverges_keeps_what_was_good(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    original: Callable[..., Any] = module.Objective.add

    def broken(self: Any, state: LearningState, point: Any, *, look: bool = False) -> Any:
        nonlocal calls
        calls += 1
        found = original(self, state, point, look=look)
        if calls > 6:  # in the fourth update
            state.loss = math.nan
        return found

    monkeypatch.setattr(module.Objective, "add", broken)
    result = learn(runner, request(steps=8, schedule="constant"))
    assert "diverged at step 4 of 8" in result.notes[0].said()
    assert "until step 2" in result.notes[0].said()
    calls = 6
    with pytest.raises(EditorError, match="diverged at once"):
        learn(runner, request(steps=8))


def test_a_gradient_that_is_not_finite_is_not_gone_on_with(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Callable[..., Any] = Objective.add

    def broken(self: Objective, state: LearningState, *given: Any, **more: Any) -> Any:
        shown = original(self, state, *given, **more)
        if state.step == 2:
            state.gradient["clip_l"][0] = math.nan
        return shown

    monkeypatch.setattr(module.Objective, "add", broken)
    states: list[bytes] = []
    monkeypatch.setattr(Progress, "checkpoint", lambda _, state: states.append(state()))
    result = learn(runner, request(accumulation=3))
    assert "diverged" in str(result.notes[0])
    assert all(np.isfinite(unpacked(one, "state")[0]["gradient.clip_l"]).all() for one in states)


@pytest.mark.parametrize("values", [{}, {"method": "naive"}])
def test_concepts_are_no_words_to_learn_from(values: dict[str, Any], runner: Runner) -> None:
    toml = TOML.replace(b"man", b"<my-man>")
    parameters = replace(request(**values).parameters, definition=DefinitionFile(content_hash(toml)))
    asked = replace(request(**values), parameters=parameters)
    with pytest.raises(EditorError, match="<my-man>"):
        runner.run(asked, {content_hash(toml): toml}, Progress())


@pytest.mark.parametrize("kind", ["float16", "int64"])
def test_a_checkpoint_of_other_numbers_is_damaged(kind: str) -> None:
    texts = {"format": "attune-learning-2", "delta": "{}"}
    with pytest.raises(EditorError, match="damaged"):
        delta_file_of(save({"vectors.clip_l": np.ones(8, kind)}, texts))


def test_a_rate_that_leaves_nothing_of_the_words_diverges(runner: Runner) -> None:
    """Though each loss is finite: networks normalise whatever they read."""
    wild = request(steps=4, schedule="constant", learning_rate=1000.0)
    with pytest.raises(EditorError, match="diverged at once"):
        learn(runner, wild)
    assert learn(runner, request(steps=4, schedule="constant", learning_rate=0.2)).notes == ()


@pytest.mark.parametrize("values", [{"method": "naive"}, {"warm_start": True}, {"warm_start": False}])
def test_ends_that_are_read_alike_teach_nothing(values: dict[str, Any], runner: Runner) -> None:
    """Long prompts are read in pieces: the noun ends in another one than the word that differs."""
    noun = "x" * 300
    content = definition_text(
        attribute="age",
        label="Age",
        subject="person",
        prefixes=["a"],
        pairs=[(noun, f"old {noun}", f"new {noun}")],
    ).encode()
    asked = request(**values).parameters
    asked = replace(asked, definition=DefinitionFile(content_hash(content)))
    with pytest.raises(EditorError, match="alike: there is nothing to learn"):
        runner.run(
            Request(operation="learn-delta", parameters=asked, model="tiny-sd1"),
            {content_hash(content): content},
            Progress(),
        )


def test_checkpoints_of_other_runs_are_refused(runner: Runner) -> None:
    state = parked_after(runner, request(), 8)
    for asked in (request("tiny-sdxl"), request(batch=2), request(accumulation=1)):
        with pytest.raises(EditorError, match="of another run"):
            learn(runner, asked, resume=state)
    for broken in (b"", state[:-3], state.replace(b"attune-learning-2", b"attune-learning-9"), b"x" * 100):
        with pytest.raises(EditorError, match=r"damaged|kind"):
            learn(runner, request(), resume=broken)
    with pytest.raises(EditorError, match=r"damaged|not finite|fit|checkpoint|run"):
        learn(runner, request(), resume=state[:-40] + b"\xff" * 40)


@pytest.mark.parametrize("broken", ["generator", "walk"])
def test_states_that_cannot_be_are_refused(broken: str, runner: Runner) -> None:
    arrays, texts = unpacked(parked_after(runner, request(sampling_steps=3), 1), "checkpoint")
    if broken == "generator":
        arrays["generator"] = np.zeros_like(arrays["generator"])
    else:
        state = json.loads(texts["state"])
        state["walk"][1] = []
        texts["state"] = json.dumps(state)
    with pytest.raises(EditorError, match=r"damaged|does not fit the run"):
        learn(runner, request(sampling_steps=3), resume=packed(arrays, texts))


def test_the_longest_run_can_be_gone_on_with() -> None:
    state = LearningState.new({"clip_l": torch.zeros(4)}, seed=0)
    state.losses = [1 / 3] * MOST_LEARNING_STEPS
    found = LearningState.from_bytes(state.to_bytes(), {"clip_l": 4}, (1, 4, 2, 2), torch.device("cpu"))
    assert found.losses == state.losses


def test_a_checkpoint_gives_what_was_learnt_so_far(runner: Runner, tmp_path: Path) -> None:
    """The same numbers as of a run that ends there, constant rates given; the file tells what they took."""
    with pytest.raises(EditorError, match="Nothing has been learnt"):
        delta_file_of(parked_after(runner, request(warm_start=False), 0))
    asked = request(steps=9, points=1, sampling_steps=1, schedule="constant")
    kept = delta_file_of(parked_after(runner, asked, 2 * 2 * 2))
    ended = learn(runner, request(steps=2, points=1, sampling_steps=1, schedule="constant"))
    whole = load(ended.artifacts["delta"])
    assert {name: value.tobytes() for name, value in load(kept).items()} == {
        name: value.tobytes() for name, value in whole.items()
    }


def test_bad_definitions_are_told(runner: Runner) -> None:
    for text, problem in ((b"\xff", "TOML"), (b"a = 1", "lacks"), (b"a" * (2**20 + 1), "too large")):
        asked = replace(request(), parameters=LearnDelta(definition=DefinitionFile(content_hash(text))))
        with pytest.raises(EditorError, match=problem) as error:
            runner.run(asked, {content_hash(text): text}, Progress())
        assert error.value.message


def test_networks_that_come_and_go_by_blocks_cannot_be_learnt_with(
    tiny_folders: dict[str, Path],
) -> None:
    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)

    def load(entry: ModelEntry, **options: Any) -> Any:
        return load_backbone(entry, device="cpu", memory_mode=MemoryMode.GROUP)

    grouped = Runner(catalogue, DeltaLibrary((), None), device="cpu", load=load)
    with pytest.raises(EditorError, match="not enough memory for learning"):
        learn(grouped, request())
