"""Learning a direction from pictures instead of words (Baumann et al., arXiv:2403.17064, eq. 1).

One picture and its prompt P:   Δe = argmin E ‖ε - ε̂(x_t, t, P with Δe)‖²,  x_t = α_t·x₀ + σ_t·ε, any ε, t

What P does not say of the picture goes into Δe: on the tokens of the subject alone, or of the whole prompt.

A pair, before and after:       the same with P + Δe for the picture after, and P - Δe for the one before

with one noise for both, so that what the two share is in neither gradient's favour; the slider's position 1
is the picture after, -1 the one before, and what lies between is between.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.methods.learning.examples import Example
from inference.methods.learning.state import LearningState, Point
from inference.operations import LearnDelta
from inference.prompts.prompt import Prompt
from inference.prompts.words import words
from inference.request import Pixels
from inference.schedule import Level
from inference.sizes import resized

PAIR = "pair"
SIGNS = {"picture": (1.0,), PAIR: (-1.0, 1.0)}
"""The slider's position of each picture."""


def example_of(backbone: Backbone, prompt: str, noun: tuple[int, int], *, whole: bool) -> Example:
    """The prompt with the tokens that the direction is added to: the noun's, or every word's."""
    with torch.no_grad():
        encoded = backbone.encode_prompt(prompt)
    tokens: dict[str, tuple[int, ...]] = {}
    for start, end in [(word.start, word.end) for word in words(prompt)] if whole else [noun]:
        for encoder, indices in encoded.tokens(start, end).items():
            tokens[encoder] = tuple(dict.fromkeys((*tokens.get(encoder, ()), *indices)))
    return Example(target=encoded, positive=encoded, negative=encoded, tokens=tokens, span=noun)


@torch.no_grad()
def latents_of(backbone: Backbone, pictures: Sequence[Pixels]) -> Tensor:
    """Latents [N, C, h, w] of pictures at the model's usual size: the middle of each, never squashed.

    Raises:
        EditorError: two pictures have different sizes, or nothing to tell them apart.
    """
    sizes = {picture.shape[:2] for picture in pictures}
    if len(sizes) > 1:
        (first_height, first_width), (second_height, second_width) = (p.shape[:2] for p in pictures[:2])
        raise EditorError(
            "The pictures before and after have {first} and {second} pixels.",
            "They have to be of one size.",
            first=f"{first_width} × {first_height}",
            second=f"{second_width} × {second_height}",
        )
    if len(pictures) > 1 and np.array_equal(pictures[0], pictures[1]):
        raise EditorError(
            "The pictures before and after are the same.", "Choose two that differ in the attribute alone."
        )
    width, height = backbone.defaults.width, backbone.defaults.height
    return torch.cat([backbone.encode_image(_middle(picture, width, height)) for picture in pictures])


@dataclass(frozen=True, kw_only=True)
class NoisedPool:
    """Fills a state with points: the pictures, [N, C, h, w], with one noise at a random level."""

    latents: Tensor
    levels: Sequence[Level]

    @property
    def last(self) -> int:
        """The number of levels at which the network can be asked."""
        return len(self.levels) - 1

    def fill(self, state: LearningState, micro_steps_left: int) -> None:
        """One point."""
        del micro_steps_left
        index = int(torch.randint(self.last, (), generator=state.generator))
        noise = torch.randn((1, *self.latents.shape[1:]), generator=state.generator).to(self.latents)
        level = self.levels[index]
        noised = level.alpha * self.latents + level.sigma * noise
        state.points.append(Point(index=index, examples=(0,) * len(noised), latents=noised))


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """Adds the gradient of one point to a state."""

    backbone: Backbone
    parameters: LearnDelta
    example: Example
    latents: Tensor
    signs: Sequence[float]
    levels: Sequence[Level]

    @torch.enable_grad()
    def add(self, state: LearningState, point: Point, *, look: bool = False) -> NDArray[np.uint8] | None:
        """One micro-step: its loss and gradient go into `state`; x̂₀ side by side if wanted."""
        level = self.levels[point.index]
        noise = (point.latents - level.alpha * self.latents) / level.sigma
        vectors = {encoder: vector.clone().requires_grad_() for encoder, vector in state.vectors.items()}
        prompts: list[Prompt] = [self.example.shifted(vectors, sign) for sign in self.signs]
        with self.backbone.checkpointed() if self.parameters.low_memory else nullcontext():
            found = self.backbone.predict(point.latents, level, prompts)
            loss = (found.eps - noise).square().mean()
        gradients = torch.autograd.grad(
            loss, list(vectors.values()), allow_unused=True, materialize_grads=True
        )
        self.backbone.measured.backward_evaluations += len(prompts)
        for encoder, gradient in zip(vectors, gradients, strict=True):
            state.gradient[encoder] += gradient
        state.loss += float(loss.detach())
        state.micro += 1
        if not look:
            return None
        clean = found.x0.detach()
        return np.concatenate([self.backbone.preview(one) for one in clean.chunk(len(clean))], axis=1)


def _middle(picture: Pixels, width: int, height: int) -> Pixels:
    """The largest part in the middle with these proportions, at this size."""
    rows, columns = picture.shape[:2]
    share = min(columns / width, rows / height)
    wide, high = max(1, round(width * share)), max(1, round(height * share))
    left, top = (columns - wide) // 2, (rows - high) // 2
    return resized(np.ascontiguousarray(picture[top : top + high, left : left + wide, :3]), width, height)
