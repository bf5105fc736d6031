"""Guidance: one negative prompt for the whole run, or one for each step."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.guidance import guided
from inference.progress import Progress
from inference.prompt import Prompt
from inference.sampling import advance, begin, invert, move, sample
from tests.helpers.tiny_models import NAMES

STEPS = 4


def moved(prompt: Prompt, amount: float) -> Prompt:
    generator = torch.Generator().manual_seed(9)
    return prompt.with_embeddings(
        {
            encoder: value + amount * torch.randn(value.shape, generator=generator)
            for encoder, value in prompt.embeddings.items()
        }
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_same_prompt_for_each_step_gives_the_same_bytes_for_as_many_evaluations(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    prompts, negative = [backbone.encode_prompt("a man")] * 2, backbone.negative_prompt("")
    noise = torch.cat([backbone.initial_noise(seed, 64, 64) for seed in (1, 2)])
    levels = backbone.levels(STEPS, 64, 64)
    found: list[Tensor] = []
    for each in (negative, [negative] * STEPS, tuple([negative] * (STEPS + 3))):
        progress = Progress()
        backbone.measured = progress.measured
        found.append(sample(guided(backbone, prompts, each, 4.0), noise, levels))
        assert progress.measured.denoiser_evaluations == 4 * STEPS
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize("name", NAMES)
def test_each_step_has_its_own_negative_prompt(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    """The run is what steps by hand give, it can be stopped and gone on with, and every prompt counts."""
    backbone = tiny_backbones[name]
    prompt, empty = backbone.encode_prompt("a man"), backbone.negative_prompt("")
    negatives = [moved(empty, 0.3 * (index + 1)) for index in range(STEPS)]
    levels, noise = backbone.levels(STEPS, 64, 64), backbone.initial_noise(1, 64, 64)
    denoise = guided(backbone, [prompt], negatives, 4.0)
    whole = sample(denoise, noise, levels)
    latents = noise
    for index, (here, there) in enumerate(pairwise(levels)):
        with torch.no_grad():
            both = backbone.predict(latents.repeat(2, 1, 1, 1), here, [negatives[index], prompt])
        x0, eps = (value[:1] + 4.0 * (value[1:] - value[:1]) for value in both)
        latents = move(type(both)(x0, eps), here, there)
    assert torch.equal(latents, whole)
    stopped = advance(denoise, begin(noise), levels, stop=2)
    assert torch.equal(advance(denoise, stopped, levels).latents, whole)
    for index in range(STEPS):
        other = [empty if i == index else each for i, each in enumerate(negatives)]
        assert not torch.equal(sample(guided(backbone, [prompt], other, 4.0), noise, levels), whole)


def test_an_inversion_asks_for_the_same_step_as_the_run(tiny_backbones: dict[str, Backbone]) -> None:
    """The step between two levels has one number, in whichever direction it is walked."""
    backbone = tiny_backbones["tiny-sd1"]
    prompt, empty = backbone.encode_prompt("a man"), backbone.negative_prompt("")
    levels, noise = backbone.levels(STEPS, 64, 64), 0.2 * backbone.initial_noise(1, 64, 64)
    last = [empty] * (STEPS - 1) + [moved(empty, 0.5)]
    plain, other = (invert(guided(backbone, [prompt], each, 2.0), noise, levels) for each in (empty, last))
    assert not torch.equal(plain[STEPS - 1], other[STEPS - 1])  # the first step back is the run's last


def test_a_step_without_a_negative_prompt_is_told(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    prompt, levels = backbone.encode_prompt("a man"), backbone.levels(STEPS, 64, 64)
    denoise = guided(backbone, [prompt], [prompt] * 2, 4.0)
    with pytest.raises(ValueError, match="2 negative prompts, and none for step 2"):
        sample(denoise, backbone.initial_noise(1, 64, 64), levels)


@pytest.mark.parametrize("name", NAMES)
def test_an_unconditional_prompt_can_be_optimised_for_a_step(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    """As null-text inversion does: the embedding is learnt, so that the step leads to stored latents."""
    backbone = tiny_backbones[name]
    prompt, empty = backbone.encode_prompt("a man"), backbone.negative_prompt("")
    levels, latents = backbone.levels(STEPS, 64, 64), backbone.initial_noise(1, 64, 64)
    wanted = move(guided(backbone, [prompt], moved(empty, 0.5), 4.0)(latents, levels[0], 0), *levels[:2])
    learnt = {encoder: value.clone().requires_grad_() for encoder, value in empty.embeddings.items()}
    optimiser = torch.optim.Adam(learnt.values(), lr=0.05)
    losses: list[float] = []
    for _ in range(12):
        denoise = guided(backbone, [prompt], [empty.with_embeddings(learnt)], 4.0)
        loss = (move(denoise(latents, levels[0], 0), *levels[:2]) - wanted.detach()).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert not any(weight.grad is not None for weight in backbone.parts.denoiser.parameters())  # pyright: ignore


def test_embeddings_of_another_shape_are_refused(tiny_backbones: dict[str, Backbone]) -> None:
    prompt = tiny_backbones["tiny-sdxl"].encode_prompt("a man")
    with pytest.raises(ValueError, match=r"\(1, 76, 16\) do not fit the prompt's for clip_l"):
        prompt.with_embeddings({"clip_l": torch.zeros(1, 76, 16)})
    with pytest.raises(ValueError, match="for t5"):
        prompt.with_embeddings({"t5": torch.zeros(1, 256, 48)})
    with pytest.raises(ValueError, match="pooled"):
        prompt.with_embeddings({}, torch.zeros(1, 3))
    assert prompt.pooled is not None
    changed = prompt.with_embeddings({}, prompt.pooled + 1)
    assert changed.pooled is not None
    assert torch.equal(changed.pooled, prompt.pooled + 1)
    assert changed.embeddings == prompt.embeddings
    assert changed.offsets is prompt.offsets
