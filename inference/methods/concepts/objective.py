"""The loss of a concept: how well the model, told its word, finds the noise in pictures of it.

    loss = |ε̂(α·x₀ + σ·ε, "a photo of a <it>") - ε|²         (arXiv:2208.01618, eq. 2)

with flow matching |v̂ - (ε - x₀)|², what such models were trained by. x₀ is drawn from the autoencoder's
posterior of a photo.

What is followed is the logarithm of that, ∇loss / loss. Between noise levels the loss differs a hundredfold,
and where it is largest, almost without noise, a word explains nothing of it: there the plain gradient is
noise, while what a thing looks like as a whole is decided where the loss is smallest. The logarithm asks of
each level which share of its own error the word takes away; it is the likelihood of errors whose size is
not known.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.methods.concepts.photos import Moments
from inference.methods.concepts.sentences import HELD_OUT
from inference.prompts.learnt_words import LearntWord
from inference.schedule import Level

HELD_OUT_SEED = 2**40  # of draws that are never learnt from
_NOTHING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Objective:
    """See the module's text.

    Args:
        photos: the moments of each photo, and of its mirror image if that is looked at.
        sentences: with a place for the word.
        word, kind: the concept's word, and what an encoder without rows of it reads.
    """

    backbone: Backbone
    photos: Sequence[Sequence[Moments]]
    sentences: Sequence[str]
    word: str
    kind: str
    low_memory: bool = False

    @property
    def learnt_in(self) -> tuple[str, ...]:
        return tuple(one for number, one in enumerate(self.sentences) if number % HELD_OUT == 0)

    @property
    def held_out(self) -> tuple[str, ...]:
        return tuple(one for number, one in enumerate(self.sentences) if number % HELD_OUT) or self.learnt_in

    @torch.enable_grad()
    def gradient(
        self, rows: Mapping[str, Tensor], first: int, batch: int, part: tuple[int, int], draw: torch.Generator
    ) -> tuple[float, dict[str, Tensor]]:
        """Loss, and gradient of its logarithm, of one pass with `batch` photos, from number `first` on.

        `part` (k, of n) says from which n-th of the noise levels this pass draws, so that a change has seen
        all of them.
        """
        learnt = {name: value.clone().requires_grad_() for name, value in rows.items()}
        sentence = _one_of(self.learnt_in, draw)
        share = (part[0] + float(torch.rand((), generator=draw))) / part[1]
        loss = self._loss(learnt, sentence, share, range(first, first + batch), draw)
        gradients = torch.autograd.grad(
            loss.clamp_min(_NOTHING).log(), list(learnt.values()), allow_unused=True, materialize_grads=True
        )
        self.backbone.measured.backward_evaluations += batch
        found = {name: value.detach() for name, value in zip(learnt, gradients, strict=True)}
        return float(loss.detach()), found

    @torch.no_grad()
    def held_out_loss(self, rows: Mapping[str, Tensor], samples: int, batch: int, seed: int) -> float:
        """The geometric mean of the losses of noise, levels and sentences that nothing is learnt from.

        They are the same at each call.
        """
        draw = torch.Generator("cpu").manual_seed(seed + HELD_OUT_SEED)
        fixed = {name: value.clone() for name, value in rows.items()}
        word = LearntWord(word=self.word, vectors=fixed, plain=self.kind)
        total, passes = 0.0, -(-samples // batch)
        for number in range(passes):
            count = min(batch, samples - number * batch)
            sentence = self.held_out[number % len(self.held_out)]
            photos = range(number * batch, number * batch + count)
            loss = self._loss(fixed, sentence, (number + 0.5) / passes, photos, draw, word=word)
            total += count * math.log(max(float(loss), _NOTHING))
        return math.exp(total / samples)

    def _loss(
        self,
        rows: Mapping[str, Tensor],
        sentence: str,
        share: float,
        numbers: Sequence[int],
        draw: torch.Generator,
        word: LearntWord | None = None,
    ) -> Tensor:
        clean = torch.cat([self._drawn(number, draw) for number in numbers])
        noise = torch.randn(clean.shape, generator=draw).to(clean)
        level = self._level(share)
        learnt = word or LearntWord(word=self.word, vectors=rows, plain=self.kind)
        with self.backbone.checkpointed() if self.low_memory else nullcontext():
            prompt = self.backbone.encode_prompt(sentence.format(self.word), [learnt])
            noised = level.alpha * clean + level.sigma * noise
            prediction = self.backbone.predict(noised, level, [prompt] * len(clean))
        if self.backbone.schedule.is_flow:
            return (prediction.eps - prediction.x0 - (noise - clean)).square().mean()
        return (prediction.eps - noise).square().mean()

    def _drawn(self, number: int, draw: torch.Generator) -> Tensor:
        sides = self.photos[number % len(self.photos)]
        side = sides[int(torch.randint(len(sides), (), generator=draw))]
        return side.drawn(draw)

    def _level(self, share: float) -> Level:
        """Levels as models are trained: evenly by timestep; with flow matching logit-normal ones.

        (arXiv:2403.03206, section 3.1.)
        """
        schedule = self.backbone.schedule
        last = schedule.train_timesteps - 1
        if schedule.is_flow:
            middle = math.sqrt(2) * float(torch.erfinv(torch.tensor(2 * min(max(share, 1e-3), 1 - 1e-3) - 1)))
            return schedule.level_at(max(1.0, schedule.train_timesteps / (1 + math.exp(-middle))))
        return schedule.level_at(min(last, int(share * (last + 1))))


def _one_of(sentences: Sequence[str], draw: torch.Generator) -> str:
    return sentences[int(torch.randint(len(sentences), (), generator=draw))]
