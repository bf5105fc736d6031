"""Classifier-free guidance (arXiv:2207.12598)."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from torch import Tensor

from inference.prompts.prompt import Prompt
from inference.sampling import Denoise
from inference.schedule import Level, Prediction

if TYPE_CHECKING:
    from inference.backbones.base import Backbone

Predict: TypeAlias = Callable[[Tensor, Level, Sequence[Prompt]], Prediction]
"""`Backbone.predict`, or one that is watched or controlled."""


def guided(
    backbone: "Backbone",
    conditional: Sequence[Prompt],
    negative: Prompt | Sequence[Prompt],
    scale: float,
    *,
    predict: Predict | None = None,
) -> Denoise:
    """A denoiser for `sample`: ε̂ = ε̂(∅) + scale·(ε̂(c) - ε̂(∅)), and the same for x̂₀, which is linear in it.

    Both halves are one batch, in the order (uncond, cond). As in diffusers, a scale of 1 or less means no
    guidance: only the conditional half is run (models distilled for few steps ask for 0).

    Args:
        conditional: one prompt per sample.
        negative: the prompt of the unconditional half; or one for each step of the run, the step from
            `levels[i]` taking number i (null-text inversion, arXiv:2211.09794).
        scale: guidance scale, 0 or more.
        predict: a pass of the network that is more than `backbone.predict`.

    Raises:
        ValueError: at a step for which there is no negative prompt.
    """

    predict = predict or backbone.predict

    def plain(latents: Tensor, level: Level, index: int) -> Prediction:
        del index
        return predict(latents, level, conditional)

    def both(latents: Tensor, level: Level, index: int) -> Prediction:
        unconditional = negative if isinstance(negative, Prompt) else _at(negative, index)
        prompts = [*(unconditional for _ in conditional), *conditional]
        prediction = predict(latents.repeat(2, 1, 1, 1), level, prompts)
        return Prediction(*(_mixed(value, scale) for value in prediction))

    return both if scale > 1 else plain


def _at(prompts: Sequence[Prompt], index: int) -> Prompt:
    if index >= len(prompts):
        raise ValueError(f"{len(prompts)} negative prompts, and none for step {index}")
    return prompts[index]


def _mixed(value: Tensor, scale: float) -> Tensor:
    unconditional, conditional = value.chunk(2)
    return unconditional + scale * (conditional - unconditional)
