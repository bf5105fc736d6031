"""Each way against slow formulas of its own; all of them as one interface: identity, caches, parking."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from inference.backbones.base import Backbone
from inference.content import ConceptFile, content_hash
from inference.disk_cache import DiskCache
from inference.errors import Cancelled, EditorError, Parked
from inference.inputs import Inputs
from inference.methods.generate import Run
from inference.methods.inversion import null_text
from inference.methods.inversion.editing import Editing, carried_out, corrected_step
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.paths import step_noise
from inference.methods.inversion.ways import WAYS, inverted
from inference.models import MemoryMode
from inference.progress import Progress
from inference.prompts.learnt_words import LearntWord
from inference.prompts.prompt import Prompt
from tests.inference.methods.inversion.running import (
    FAMILIES,
    MODELS,
    PROMPT,
    SCALE,
    STEPS,
    model,
    picture_latents,
    run_of,
    slow_step,
)

FLOW = tuple(name for name, way in WAYS.items() if way.flow)
CASES = [
    *((way, "tiny-sd3") for way in WAYS),
    *((way, name) for way in ("direct", "noised") for name in ("tiny-sd1", "tiny-sdxl")),
    *((way, "tiny-sd1") for way in ("null-text", "edit-friendly")),
]


def invert(way: str, run: Run) -> Inverted:
    return inverted(run, way, "picture", picture_latents(run.backbone), Sofar(run))


def edit(run: Run, found: Inverted, prompt: Prompt, first: int = 0, **more: object) -> torch.Tensor:
    editing = Editing(run=run, inverted=found, prompts=[prompt], predict=run.backbone.predict, **more)  # type: ignore[arg-type]
    return carried_out(editing, WAYS[found.way].step(editing), first)


def close(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=2e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize("name", MODELS)
class TestDirect:
    def test_the_path_is_inverse_ddim_step_by_step(self, name: str, tiny_backbones: dict) -> None:
        run = run_of(model(name, tiny_backbones))
        found = invert("direct", run)
        latents = picture_latents(run.backbone)
        for index in range(STEPS, 0, -1):
            close(found.at(index), latents)
            here, there = run.levels[index], run.levels[index - 1]
            latents = slow_step(run.backbone, latents, here, there, run.prompt, timestep=there)
        close(found.at(0), latents)

    def test_the_picture_comes_back_exactly_at_any_guidance(self, name: str, tiny_backbones: dict) -> None:
        backbone = model(name, tiny_backbones)
        for scale in (1.0, 7.5):
            run = run_of(backbone, guidance_scale=scale)
            found = invert("direct", run)
            for first in (0, 2):
                close(edit(run, found, run.prompt, first), picture_latents(backbone))
            close(edit(run, found, run.prompt, implicit=True), picture_latents(backbone))

    def test_an_edit_is_the_slow_formula(self, name: str, tiny_backbones: dict) -> None:
        backbone = model(name, tiny_backbones)
        run, target = run_of(backbone), backbone.encode_prompt("a photo of an old cat")
        found = invert("direct", run)
        for source_scale in (None, 3.0):
            latents = found.at(1)
            for index in range(1, STEPS):
                here, there = run.levels[index], run.levels[index + 1]
                missed = found.at(index + 1) - slow_step(backbone, found.at(index), here, there, run.prompt)
                source, wanted, nothing = (
                    slow_step(backbone, latents, here, there, prompt)
                    for prompt in (run.prompt, target, run.negative)
                )
                of_source = SCALE if source_scale is None else source_scale
                guided_target = nothing + SCALE * (wanted - nothing)
                guided_source = nothing + of_source * (source - nothing)
                latents = source + missed + guided_target - guided_source
            close(edit(run, found, target, 1, source_scale=source_scale), latents)

    def test_evaluations(self, name: str, tiny_backbones: dict) -> None:
        backbone = model(name, tiny_backbones)
        run = run_of(backbone)
        found = invert("direct", run)
        measured = run.progress.measured
        looks = 5  # with the prompt and without at steps 1 and 2, with it at step 3
        assert measured.denoiser_evaluations == 2 * STEPS + looks
        edit(run, found, backbone.encode_prompt("a cat"), 1)
        assert measured.denoiser_evaluations == 2 * STEPS + looks + 2 * (STEPS - 1)


@pytest.mark.parametrize("name", MODELS)
def test_a_picture_under_one_noise_comes_back_and_costs_its_offsets_alone(
    name: str, tiny_backbones: dict
) -> None:
    backbone = model(name, tiny_backbones)
    latents = picture_latents(backbone)
    found = invert("noised", run_of(backbone, seed=1))
    assert torch.equal(found.path, invert("noised", run_of(backbone, seed=2)).path)
    assert torch.equal(found.reconstruction, latents.float())
    run = run_of(backbone)
    found = invert("noised", run)
    looks = 5
    assert run.progress.measured.denoiser_evaluations == STEPS + looks
    levels = run.levels
    noises = [
        (found.at(index) - levels[index].alpha * latents) / levels[index].sigma for index in range(STEPS)
    ]
    for noise in noises[1:]:
        close(noise, noises[0])
    for scale in (1.0, 7.5):
        for first in (0, 2):
            close(edit(run_of(backbone, guidance_scale=scale), found, run.prompt, first), latents)


@pytest.mark.parametrize("name", MODELS)
def test_negative_prompt_inversion_takes_the_source_for_the_unconditional_prompt(
    name: str, tiny_backbones: dict
) -> None:
    backbone = model(name, tiny_backbones)
    run, target = run_of(backbone), backbone.encode_prompt("a photo of an old cat")
    found = invert("negative-prompt", run)
    latents = found.at(0)
    for here, there in zip(run.levels[:-1], run.levels[1:], strict=True):
        source, wanted = (slow_step(backbone, latents, here, there, one) for one in (run.prompt, target))
        latents = source + SCALE * (wanted - source)
    close(edit(run, found, target), latents)


@pytest.fixture(scope="module", params=MODELS)
def done(request: pytest.FixtureRequest, tiny_backbones: dict) -> tuple[Run, Inverted]:
    """A null-text inversion, which costs many passes and is looked at from all sides."""
    run = run_of(model(request.param, tiny_backbones))
    return run, invert("null-text", run)


class TestNullText:
    def test_its_backward_passes_are_counted_and_the_weights_get_no_gradient(
        self, done: tuple[Run, Inverted]
    ) -> None:
        run, _ = done
        measured = run.progress.measured
        assert 1 <= measured.backward_evaluations <= 9 * STEPS
        # the path, and for each step the prompt's prediction and ten unconditional ones; then five looks
        assert measured.denoiser_evaluations <= (1 + 1 + 10) * STEPS + 5
        assert all(one.grad is None for one in run.backbone.parts.denoiser.parameters())  # type: ignore[attr-defined]

    def test_once_the_rate_has_faded_nothing_is_tried(
        self, tiny_backbones: dict, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a run of 999 steps that is nine in ten."""
        monkeypatch.setattr("inference.methods.inversion.null_text._RATE_FADES_OVER", 1)
        run = run_of(tiny_backbones["tiny-sd1"])
        invert("null-text", run)
        assert run.progress.measured.backward_evaluations <= 10

    @pytest.mark.parametrize(
        ("index", "missed", "goes_on"), [(0, 5e-6, False), (0, 2e-5, True), (2, 4e-5, False), (2, 6e-5, True)]
    )
    def test_a_step_that_misses_less_than_the_paper_asks_for_is_good_enough(
        self, index: int, missed: float, tiny_backbones: dict, *, goes_on: bool
    ) -> None:
        """10⁻⁵ + 2·10⁻⁵·i."""
        run = run_of(tiny_backbones["tiny-sd1"])
        latents, levels = picture_latents(run.backbone), (run.levels[index], run.levels[index + 1])
        nothing, wanted = (
            slow_step(run.backbone, latents, *levels, one) for one in (run.negative, run.prompt)
        )
        target = nothing + SCALE * (wanted - nothing) + missed**0.5
        before = run.progress.measured.backward_evaluations
        null_text._moved(run, latents, target, levels, run.negative, index)  # pyright: ignore[reportPrivateUsage]
        assert (run.progress.measured.backward_evaluations > before) == goes_on

    def test_a_step_begins_with_what_the_one_before_found(
        self, tiny_backbones: dict, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(null_text, "_GOOD_ENOUGH_GROWTH", 1e9)  # from the second step on all is good
        run = run_of(tiny_backbones["tiny-sd1"])
        first, *others = invert("null-text", run).negatives
        ((encoder, values),) = first.embeddings.items()
        assert not torch.equal(values, run.negative.embeddings[encoder])
        assert all(torch.equal(one.embeddings[encoder], values) for one in others)

    def test_it_comes_nearer_to_the_path_than_guidance_alone(self, done: tuple[Run, Inverted]) -> None:
        run, found = done
        plain = edit(run, replace(found, negatives=(run.negative,) * STEPS), run.prompt)
        latents = picture_latents(run.backbone)
        assert len(found.negatives) == STEPS
        assert (found.reconstruction - latents).norm() < (plain - latents).norm()

    def test_the_negatives_lead_along_the_path_that_it_keeps(self, done: tuple[Run, Inverted]) -> None:
        run, found = done
        latents = found.at(0)
        for index in range(STEPS):
            here, there = run.levels[index], run.levels[index + 1]
            nothing = slow_step(run.backbone, latents, here, there, found.negatives[index])
            wanted = slow_step(run.backbone, latents, here, there, run.prompt)
            latents = nothing + SCALE * (wanted - nothing)
            close(found.at(index + 1), latents)
        close(edit(run, found, run.prompt), found.reconstruction)


@pytest.mark.parametrize("name", MODELS)
def test_edit_friendly_keeps_what_ddpm_needs(name: str, tiny_backbones: dict) -> None:
    """x_s = μ(x_t) + τ·z with the paper's own coefficients."""
    backbone = model(name, tiny_backbones)
    run = run_of(backbone)
    found = invert("edit-friendly", run)
    assert found.offsets is not None
    source = picture_latents(backbone)
    for index in range(STEPS):
        here, there = run.levels[index], run.levels[index + 1]
        noised = here.alpha * source + here.sigma * step_noise(3, index, source)
        close(found.at(index), noised)
        with torch.no_grad():
            nothing, wanted = (backbone.predict(noised, here, [p]) for p in (run.negative, run.prompt))
        x0, eps = (n + SCALE * (w - n) for n, w in zip(nothing, wanted, strict=True))
        tau2 = there.sigma**2 * (1 - (here.alpha * there.sigma / (there.alpha * here.sigma)) ** 2)
        mean = there.alpha * x0 + max(there.sigma**2 - tau2, 0.0) ** 0.5 * eps
        close(found.offsets[index : index + 1], found.at(index + 1) - mean)
    close(edit(run, found, run.prompt), source)


class TestFlow:
    @pytest.fixture
    def run(self, tiny_backbones: dict) -> Run:
        return run_of(tiny_backbones["tiny-sd3"])

    def test_flow_align_is_the_slow_formula_and_keeps_an_unedited_picture(self, run: Run) -> None:
        found, backbone = invert("flow-align", run), run.backbone
        source, target = picture_latents(backbone), backbone.encode_prompt("a photo of an old cat")
        x = source
        for index in range(1, STEPS):
            s, ds = run.levels[index].sigma, run.levels[index + 1].sigma - run.levels[index].sigma
            q = (1 - s) * source + s * step_noise(3, index, source)
            p = x + q - source
            v = [
                flow(backbone, at, run, index, prompt)
                for at, prompt in ((p, run.prompt), (p, target), (q, run.prompt))
            ]
            v_p = v[0] + SCALE * (v[1] - v[0])
            x = x + ds * (v_p - v[2]) + 0.01 * ((q - s * v[2]) - (p - s * v_p))
        close(edit(run, found, target, 1), x)
        close(edit(run, found, run.prompt, 1), source)

    def test_flow_edit_is_the_slow_formula(self, run: Run) -> None:
        found, backbone = invert("flow-edit", run), run.backbone
        source, target = picture_latents(backbone), backbone.encode_prompt("a photo of an old cat")
        x, of_source = source, SCALE * 3.5 / 13.5
        assert of_source > 1
        for index in range(1, STEPS):
            s, ds = run.levels[index].sigma, run.levels[index + 1].sigma - run.levels[index].sigma
            q = (1 - s) * source + s * step_noise(3, index, source)
            p = x + q - source
            free = [flow(backbone, at, run, index, run.negative) for at in (q, p)]
            q_flow, p_flow = flow(backbone, q, run, index, run.prompt), flow(backbone, p, run, index, target)
            x = x + ds * (free[1] + SCALE * (p_flow - free[1]) - free[0] - of_source * (q_flow - free[0]))
        close(edit(run, found, target, 1), x)

    @pytest.mark.parametrize("way", FLOW)
    def test_other_models_are_refused(self, way: str, tiny_backbones: dict) -> None:
        with pytest.raises(EditorError, match=r"flow-(edit|align).*tiny-sd1"):
            invert(way, run_of(tiny_backbones["tiny-sd1"]))


def flow(backbone: Backbone, latents: torch.Tensor, run: Run, index: int, prompt: Prompt) -> torch.Tensor:
    with torch.no_grad():
        x0, eps = backbone.predict(latents, run.levels[index], [prompt])
    return eps - x0


@pytest.mark.parametrize(("way", "name"), CASES)
class TestEveryWay:
    def test_a_second_time_costs_nothing_in_memory_and_on_disk(
        self, way: str, name: str, tiny_backbones: dict, tmp_path: Path
    ) -> None:
        backbone, kept = model(name, tiny_backbones), DiskCache(tmp_path)
        inputs = Inputs(kept=kept)
        first = invert(way, run_of(backbone, inputs=inputs))
        for again_with in (inputs, Inputs(kept=kept)):
            run = run_of(backbone, inputs=again_with)
            again = invert(way, run)
            assert run.progress.measured.denoiser_evaluations == 0
            target = backbone.encode_prompt("an old cat")
            assert torch.equal(edit(run, first, target, 1), edit(run, again, target, 1))
            assert again.fit == first.fit
            assert again.heat.keys() == first.heat.keys() != set()

    def test_another_prompt_is_another_inversion(self, way: str, name: str, tiny_backbones: dict) -> None:
        inputs = Inputs()
        backbone = model(name, tiny_backbones)
        invert(way, run_of(backbone, inputs=inputs))
        run = run_of(backbone, inputs=inputs, prompt="a cat")
        invert(way, run)
        assert run.progress.measured.denoiser_evaluations > 0

    def test_parked_anywhere_it_ends_in_the_same_bytes(
        self, way: str, name: str, tiny_backbones: dict
    ) -> None:
        backbone = model(name, tiny_backbones)
        whole = invert(way, run_of(backbone)).to_arrays()
        state: bytes | None = None
        for _ in range(4):
            asked = iter((False, True))
            progress = Progress(park_requested=lambda asked=asked: next(asked))
            run = run_of(backbone, progress, inputs=Inputs(resume=state))
            try:
                invert(way, run)
            except Parked as parked:
                state = parked.state
            else:
                break
        assert state is not None or WAYS[way].flow  # those have nothing to park
        found = invert(way, run_of(backbone, inputs=Inputs(resume=state)))
        for array_name, array in found.to_arrays().items():
            np.testing.assert_array_equal(array, whole[array_name], err_msg=array_name)

    def test_cancelling_stops_within_a_step(self, way: str, name: str, tiny_backbones: dict) -> None:
        progress = Progress(lambda step: progress.cancel())
        run = run_of(model(name, tiny_backbones), progress)
        if WAYS[way].flow or way == "noised":  # no step of theirs is told: nothing is asked of the network
            progress.cancel()
        with pytest.raises(Cancelled):
            invert(way, run)
        assert progress.measured.denoiser_evaluations <= 3


@pytest.mark.parametrize("name", FAMILIES)
def test_several_prompts_are_edited_as_alone(name: str, tiny_backbones: dict) -> None:
    backbone = tiny_backbones[name]
    run = run_of(backbone)
    found = invert("direct", run)
    prompts = [backbone.encode_prompt(text) for text in ("a cat", "an old man")]
    editing = Editing(run=run, inverted=found, prompts=prompts, predict=backbone.predict)
    both = carried_out(editing, corrected_step(editing), 1)
    for row, prompt in enumerate(prompts):
        close(both[row : row + 1], edit(run, found, prompt, 1))


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: {"path": None},
        lambda whole: {"path": whole["path"] * np.nan},
        lambda whole: {"path": whole["path"][:1]},
        lambda whole: {"path": whole["path"][..., 1:]},
        lambda whole: {"offsets": whole["offsets"][1:]},
        lambda whole: {"offsets": np.full_like(whole["offsets"], np.inf)},
        lambda whole: {"heat/13-16": whole["heat/13-16"][:0]},
        lambda whole: {"heat/13-16": whole["heat/13-16"] * np.nan},
        lambda whole: {"negative/clip_l": np.zeros((STEPS, 1, 1), np.float32)},
    ],
)
def test_arrays_that_are_no_inversion_are_made_again(
    damage: Callable[[Any], dict[str, Any]], tiny_backbones: dict, tmp_path: Path
) -> None:
    backbone, kept = tiny_backbones["tiny-sd1"], DiskCache(tmp_path)
    whole = invert("direct", run_of(backbone, inputs=Inputs(kept=kept))).to_arrays()
    (file,) = tmp_path.glob("*.safetensors")
    left = {name: array for name, array in {**whole, **damage(whole)}.items() if array is not None}
    file.write_bytes(safetensors.numpy.save(left))
    run = run_of(backbone, inputs=Inputs(kept=kept))
    found = invert("direct", run).to_arrays()
    assert run.progress.measured.denoiser_evaluations > 0
    for name, array in found.items():
        np.testing.assert_array_equal(array, whole[name], err_msg=name)


@pytest.mark.parametrize("way", ["direct", "null-text"])
def test_learnt_words_count_where_they_stand_and_nowhere_else(way: str, tiny_backbones: dict) -> None:
    """Words of what a picture becomes are no reason to invert it again."""
    backbone, inputs = tiny_backbones["tiny-sd1"], Inputs()

    def evaluations(prompt: str, fill: float | None) -> int:
        words: dict[str, Any] = {}
        learnt: tuple[LearntWord, ...] = ()
        if fill is not None:
            rows = torch.full((1, backbone.token_widths["clip_l"]), fill)
            learnt = (LearntWord(word="<toy>", vectors={"clip_l": rows}),)
            words = {"concepts": (ConceptFile(content_hash(bytes(rows.numpy()))),)}
        run = run_of(backbone, prompt=prompt, inputs=replace(inputs, learnt=learnt), **words)
        invert(way, run)
        return run.progress.measured.denoiser_evaluations

    assert evaluations(PROMPT, None) > 0 == evaluations(PROMPT, 0.1)
    named = "a photo of a <toy> and a woman"
    assert evaluations(named, 0.1) > 0 < evaluations(named, 0.2)
    assert evaluations(named, 0.1) == 0


def test_what_16_bits_found_is_not_taken_for_what_8_bits_would_find(
    tiny_backbones: dict, tmp_path: Path
) -> None:
    backbone, inputs = tiny_backbones["tiny-sd1"], Inputs(kept=DiskCache(tmp_path))
    coarse = copy.copy(backbone)
    coarse._memory_mode = MemoryMode.EIGHT_BIT
    for one in (backbone, coarse):
        run = run_of(one, inputs=inputs)
        invert("direct", run)
        assert run.progress.measured.denoiser_evaluations > 0
