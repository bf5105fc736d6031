"""The loss of one micro-step (Baumann et al., arXiv:2403.17064), in x̂₀, without guidance.

    target = f(P) + s·c·m·(f(P+) - f(P-)),   prediction = f(P with s·Δe on the noun's tokens)

f is x̂₀ at one x_t and t; |s| is uniform in a range, its sign random. Differences in x̂₀ weigh early steps
most, which is where a picture is decided. c is the definition's `scale`, so that s is a position of the
slider and a position means what it means to the naive direction. Published is c = 1 and |s| up to 5, which
asks for pictures that no network draws: the error that is left there drowns the rest, so s goes as far as
the slider. m is 1; where the prompt has other subjects it is 1 at the noun's place and 0 at theirs.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.backbones.base import Backbone
from inference.methods.learning.examples import Example, Examples
from inference.methods.learning.state import LearningState, Point
from inference.operations import LearnDelta
from inference.prompts.prompt import Prompt
from inference.schedule import Level

_SHOWN_FROM = 0.3  # share of the steps after which x̂₀ looks like something


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Adds the gradient of one point to a state.

    Args:
        unit: c, what one step of the slider is of the way from the negative to the positive prompt.
        range: the slider's ends, for where the parameters do not say how far to go.
    """

    backbone: Backbone
    parameters: LearnDelta
    examples: Examples
    levels: Sequence[Level]
    unit: float = 1.0
    range: tuple[float, float] = (-5.0, 5.0)

    def add(self, state: LearningState, point: Point, *, look: bool = False) -> NDArray[np.uint8] | None:
        """One micro-step: its loss and gradient go into `state`; a strip of previews if wanted and clear.

        With `look` the strip [h, scales·w, 3] shows x̂₀ by rising strength; it costs no evaluation.
        """
        scales = self._scales(state)
        examples = [self.examples[number] for number in point.examples]
        middle, difference = self.ends(point)
        together = 1 if self.parameters.low_memory else len(scales)
        seen: dict[float, Tensor] = {}
        for start in range(0, len(scales), together):
            some = scales[start : start + together]
            x0 = self._one(state, point, examples, some, middle, difference, len(scales))
            seen.update(zip(some, x0.chunk(len(some)), strict=True))
        state.micro += 1
        if not look or point.index < _SHOWN_FROM * (len(self.levels) - 1):
            return None
        return np.concatenate([self.backbone.preview(seen[scale][:1]) for scale in sorted(seen)], axis=1)

    def _scales(self, state: LearningState) -> list[float]:
        """Random strengths; the generator is asked for sizes and signs alike, whatever they are."""
        count, generator = self.parameters.scales, state.generator
        largest = self.parameters.largest_scale
        if largest is None:
            largest = max(map(abs, self.range))
        low, high = sorted((self.parameters.smallest_scale, largest))
        sizes = low + (high - low) * torch.rand(count, generator=generator)
        signs = torch.randint(2, (count,), generator=generator) * 2 - 1
        return [float(scale) for scale in sizes * signs]

    @torch.no_grad()
    def ends(self, point: Point) -> tuple[Tensor, Tensor]:
        """f(P) and c·m·(f(P+) - f(P-)), each [B, C, h, w], in one batch; f(P) may be known of the point."""
        examples = [self.examples[number] for number in point.examples]
        if point.known is not None:
            middle, share = point.known[:, :-1], point.known[:, -1:]
            prompts = [*(one.positive for one in examples), *(one.negative for one in examples)]
            positive, negative = self.x0(point.latents.repeat(2, 1, 1, 1), point, prompts).chunk(2)
            return middle, self.unit * share * (positive - negative)
        if any(example.others for example in examples):
            latents = point.latents.chunk(len(point.latents))
            ends = [self._end_beside(*one, point) for one in zip(latents, examples, strict=True)]
            middles, differences = zip(*ends, strict=True)
            return torch.cat(middles), torch.cat(differences)
        prompts = [
            *(example.target for example in examples),
            *(example.positive for example in examples),
            *(example.negative for example in examples),
        ]
        x0 = self.x0(point.latents.repeat(3, 1, 1, 1), point, prompts)
        middle, positive, negative = x0.chunk(3)
        return middle, self.unit * (positive - negative)

    def _end_beside(self, latents: Tensor, example: Example, point: Point) -> tuple[Tensor, Tensor]:
        """The same for one example with other subjects, whose places the attention of f(P) tells."""
        prompts = [example.target, example.positive, example.negative]
        with self.backbone.cross_attention_maps(example.target) as store:
            x0 = self.x0(latents.repeat(3, 1, 1, 1), point, prompts)
        middle, positive, negative = x0.chunk(3)
        share = example.share(store, latents.shape[-2:])
        return middle, self.unit * share.to(middle) * (positive - negative)

    @torch.enable_grad()
    def _one(
        self,
        state: LearningState,
        point: Point,
        examples: Sequence[Example],
        scales: Sequence[float],
        middle: Tensor,
        difference: Tensor,
        of: int,
    ) -> Tensor:
        """Add loss and gradient of some of the `of` scales; x̂₀ [len(scales)·B, C, h, w], scale by scale."""
        vectors = {encoder: vector.clone().requires_grad_() for encoder, vector in state.vectors.items()}
        prompts = [example.shifted(vectors, scale) for scale in scales for example in examples]
        target = torch.cat([middle + scale * difference for scale in scales])
        low = self.backbone.checkpointed() if self.parameters.low_memory else nullcontext()
        with low:
            x0 = self.x0(point.latents.repeat(len(scales), 1, 1, 1), point, prompts)
            loss = (x0 - target).square().mean() * (len(scales) / of)
        gradients = torch.autograd.grad(
            loss, list(vectors.values()), allow_unused=True, materialize_grads=True
        )
        self.backbone.measured.backward_evaluations += len(prompts)
        for encoder, gradient in zip(vectors, gradients, strict=True):
            state.gradient[encoder] += gradient
        state.loss += float(loss.detach())
        return x0.detach()

    def x0(self, latents: Tensor, point: Point, prompts: Sequence[Prompt]) -> Tensor:
        """f: x̂₀ without guidance at the point's level."""
        return self.backbone.predict(latents, self.levels[point.index], prompts).x0
