"""The loop: restarting, cancelling, counting, noise, inversion."""

import math

import pytest
import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.errors import Cancelled, EditorError
from inference.guidance import guided
from inference.operations import SAMPLERS
from inference.progress import Progress, Step
from inference.sampling import advance, begin, invert, sample
from inference.schedule import Level, Prediction, Schedule
from tests.helpers.tiny_models import NAMES, SD1_SCHEDULER, SD3_SCHEDULER

STEPS = 5


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_run_stopped_anywhere_goes_on_bit_for_bit(
    name: str, sampler: str, tiny_backbones: dict[str, Backbone]
) -> None:
    """Two prompts, the second from step 2 on: in one run, and from a stored state."""
    backbone = tiny_backbones[name]
    first, second = (backbone.encode_prompt(text) for text in ("a photo of a man", "a photo of an old cat"))
    negative = backbone.negative_prompt("")
    levels = backbone.levels(STEPS, 64, 64, sampler)
    before, after = (guided(backbone, [prompt] * 2, negative, 4.0) for prompt in (first, second))

    def switching(latents: Tensor, level: Level, index: int) -> Prediction:
        return (before if index < 2 else after)(latents, level, index)

    noise = torch.cat([backbone.initial_noise(seed, 64, 64, sampler) for seed in (1, 2)])
    start = begin(noise, generators=generators(7, 8))
    whole = advance(switching, start, levels, sampler=sampler)
    stopped = advance(before, start, levels, sampler=sampler, stop=2)
    unrelated = advance(before, stopped, levels, sampler=sampler)
    resumed = advance(after, stopped, levels, sampler=sampler)
    assert stopped.index == 2
    assert torch.equal(resumed.latents, whole.latents)
    assert not torch.equal(unrelated.latents, whole.latents)
    again = sample(switching, noise, levels, sampler=sampler, generators=generators(7, 8))
    assert torch.equal(again, whole.latents)
    assert torch.equal(sample(after, noise, levels, sampler=sampler, state=stopped), whole.latents)


def test_one_state_continues_as_several(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    prompt, levels = backbone.encode_prompt("a man"), backbone.levels(STEPS, 64, 64, "dpm++2m")
    start = begin(backbone.initial_noise(1, 64, 64), generators=generators(3))
    stopped = advance(guided(backbone, [prompt], prompt, 1.0), start, levels, sampler="dpm++2m", stop=3)
    three = stopped.repeated(3)
    assert three.latents.shape[0] == 3
    assert len(three.generator_states) == 3
    assert three.size_bytes == 3 * stopped.size_bytes
    ends = advance(guided(backbone, [prompt] * 3, prompt, 1.0), three, levels, sampler="dpm++2m")
    alone = advance(guided(backbone, [prompt], prompt, 1.0), stopped, levels, sampler="dpm++2m")
    assert (ends.latents - alone.latents).abs().max() < 1e-4  # a batch may add up in another order
    assert torch.equal(ends.sample(1).latents, ends.latents[1:2])


def test_evaluations_are_counted_per_sample(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    prompt, levels = backbone.encode_prompt("a man"), backbone.levels(STEPS, 64, 64)
    noise = torch.cat([backbone.initial_noise(seed, 64, 64) for seed in (1, 2)])
    for scale, per_step in ((4.0, 4), (1.0, 2), (0.0, 2)):
        progress = Progress()
        backbone.measured = progress.measured
        sample(guided(backbone, [prompt] * 2, backbone.negative_prompt(""), scale), noise, levels)
        assert progress.measured.denoiser_evaluations == STEPS * per_step


def test_cancelling_stops_within_one_step(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    prompt, levels = backbone.encode_prompt("a man"), backbone.levels(STEPS, 64, 64)
    seen: list[Step] = []
    progress = Progress(seen.append)
    calls: list[int] = []
    plain = guided(backbone, [prompt], prompt, 1.0)

    def denoise(latents: Tensor, level: Level, index: int) -> Prediction:
        calls.append(index)
        if index == 2:
            progress.cancel()
        return plain(latents, level, index)

    with pytest.raises(Cancelled):
        sample(denoise, backbone.initial_noise(1, 64, 64), levels, progress=progress)
    assert calls == [0, 1, 2]
    assert [(step.done, step.total) for step in seen] == [(1, STEPS), (2, STEPS)]
    with pytest.raises(Cancelled):
        sample(denoise, backbone.initial_noise(1, 64, 64), levels, progress=progress)
    assert calls == [0, 1, 2]


def test_previews_are_made_only_when_wanted(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    prompt, levels = backbone.encode_prompt("a man"), backbone.levels(STEPS, 64, 64)
    denoise, noise = guided(backbone, [prompt], prompt, 1.0), backbone.initial_noise(1, 64, 64)
    seen: list[Step] = []
    sample(denoise, noise, levels, progress=Progress(seen.append), preview=backbone.preview)
    shown = [step.preview for step in seen if step.preview is not None]
    assert 1 <= len(shown) < STEPS
    assert shown[0].shape == (8, 8, 3)

    def unwanted(_: Tensor) -> None:
        raise AssertionError("nobody looks")

    sample(denoise, noise, levels, progress=Progress(), preview=unwanted)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("config", [SD1_SCHEDULER, SD3_SCHEDULER])
def test_ddpm_draws_from_the_distribution_of_the_data(config: dict[str, object]) -> None:
    """For data ~ N(m, s²) the best denoiser is known; ancestral sampling gives mean and deviation back."""
    mean, deviation = 1.5, 0.5
    levels = Schedule.from_config(config).levels(400, sampler="ddpm")

    def best(latents: Tensor, level: Level, index: int) -> Prediction:
        del index
        a, s = level.alpha, level.sigma
        x0 = mean + a * deviation**2 / (a**2 * deviation**2 + s**2) * (latents - a * mean)
        return Prediction(x0, (latents - a * x0) / s)

    noise = torch.randn(8, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    found = sample(best, noise, levels, sampler="ddpm", generators=generators(*range(1, 9)))
    error = deviation / math.sqrt(found.numel())
    assert float(found.mean()) == pytest.approx(mean, abs=8 * error)
    assert float(found.std()) == pytest.approx(deviation, rel=0.05)
    assert not torch.equal(found, sample(best, noise, levels, sampler="ddim"))


def test_ddpm_needs_a_generator_for_each_sample(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    prompt = backbone.encode_prompt("a man")
    with pytest.raises(ValueError, match="one generator per sample"):
        sample(
            guided(backbone, [prompt], prompt, 1.0),
            backbone.initial_noise(1, 64, 64),
            backbone.levels(2, 64, 64, "ddpm"),
            sampler="ddpm",
        )


@pytest.mark.parametrize("config", [SD1_SCHEDULER, SD3_SCHEDULER])
def test_inversion_is_undone_by_sampling(config: dict[str, object]) -> None:
    """With a denoiser that does not depend on the latents, inversion is exact."""
    levels = Schedule.from_config(config).levels(20)
    direction = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    asked: list[float] = []

    def constant(latents: Tensor, level: Level, index: int) -> Prediction:
        del index
        asked.append(level.timestep)
        return Prediction((latents - level.sigma * direction) / level.alpha, direction)

    data = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    usable = levels[1:]  # flow matching starts at pure noise, where no data is left to find
    path = invert(constant, data, usable)
    assert len(path) == len(usable)
    assert torch.equal(path[-1], data)
    assert asked == [level.timestep for level in reversed(usable[:-1])]
    assert (sample(constant, path[0], usable) - data).abs().max() < 1e-4


def test_unknown_samplers_are_refused() -> None:
    levels = Schedule.from_config(SD1_SCHEDULER).levels(2)
    with pytest.raises(EditorError, match=r"dpm\+\+2m"):
        sample(lambda x, level, index: Prediction(x, x), torch.zeros(1, 4, 8, 8), levels, sampler="heun")
