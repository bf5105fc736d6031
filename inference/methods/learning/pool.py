"""Points (x_t, t) to learn at: trajectories from the neutral prompts, sampled with guidance up to a step.

Points lie at the noisiest levels, `noisy_share` of them: differences in x̂₀ are small at the others, and a
trajectory that need not reach them ends early. Not noised pictures: the latents are those that a run really
visits. A trajectory that stops at level i is asked at level i as well.

At each of its points but the last a trajectory's own next step has asked the network with the neutral prompt:
that answer is kept with the point, which saves the loss one of its evaluations.

Reuse. With K points a trajectory, `MIXED` trajectories are sampled and their points shuffled, so that an
update follows several pictures and prompts. With K = 1 each point has a trajectory of its own. No more is
sampled than the run can use.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.guidance import guided
from inference.methods.learning.examples import Examples
from inference.methods.learning.state import LearningState, Point, Walk
from inference.operations import LearnDelta
from inference.prompts.prompt import Prompt
from inference.sampling import move
from inference.schedule import Level, Prediction

MIXED = 4  # trajectories whose points are shuffled


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Fills a state with points; `unconditional` is the negative prompt of guidance."""

    backbone: Backbone
    parameters: LearnDelta
    examples: Examples
    levels: Sequence[Level]
    unconditional: Prompt

    @property
    def last(self) -> int:
        """The number of levels at which the network can be asked."""
        return len(self.levels) - 1

    def fill(self, state: LearningState, micro_steps_left: int) -> None:
        """One unit of work towards new points: begin a trajectory, or take one step of it."""
        if state.walk is None:
            if not state.to_come:
                state.to_come = self._trajectories(micro_steps_left)
            state.walk = self._begun(state, micro_steps_left)
        else:
            state.walk = self._advanced(state, state.walk)
        self._collect(state)

    @property
    def _noisy(self) -> int:
        """How many of the levels points are drawn from, from the noisiest on."""
        return max(1, round(self.last * self.parameters.noisy_share))

    def _trajectories(self, micro_steps_left: int) -> int:
        points = self._points(micro_steps_left)
        return 1 if points == 1 else min(MIXED, -(-micro_steps_left // points))

    def _points(self, micro_steps_left: int) -> int:
        return min(self.parameters.points, self._noisy, micro_steps_left)

    def _begun(self, state: LearningState, micro_steps_left: int) -> Walk:
        generator, batch = state.generator, self.parameters.batch
        order = torch.randperm(self._noisy, generator=generator)[: self._points(micro_steps_left)]
        examples = torch.randint(len(self.examples), (batch,), generator=generator)
        seeds = torch.randint(2**31, (batch,), generator=generator)
        width, height = self.backbone.defaults.width, self.backbone.defaults.height
        noise = [self.backbone.initial_noise(int(seed), width, height) for seed in seeds]
        return Walk(
            index=0,
            wanted=tuple(sorted(int(index) for index in order)),
            examples=tuple(int(number) for number in examples),
            latents=torch.cat(noise),
        )

    @torch.no_grad()
    def _advanced(self, state: LearningState, walk: Walk) -> Walk:
        examples = [self.examples[number] for number in walk.examples]
        found: list[Tensor] = []

        def predict(latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
            prediction = self.backbone.predict(latents, level, prompts)
            found.append(prediction.x0[-len(examples) :])  # the unconditional ones come first
            return prediction

        scale = self.parameters.guidance_scale
        denoise = guided(
            self.backbone, [one.target for one in examples], self.unconditional, scale, predict=predict
        )
        here, there = self.levels[walk.index], self.levels[walk.index + 1]
        # the places of several pictures' subjects are looked at one by one, by the loss
        beside = examples[0] if any(one.others for one in examples) else None
        if walk.index in walk.wanted and (beside is None or len(examples) == 1):
            looking = nullcontext() if beside is None else self.backbone.cross_attention_maps(beside.target)
            with looking as store:
                prediction = denoise(walk.latents, here, walk.index)
            size = walk.latents.shape[-2:]
            share = found[0].new_ones(len(examples), 1, *size)
            if beside is not None and store is not None:
                share = beside.share(store, size).to(share)
            state.points[-1].known = torch.cat([found[0], share], dim=1)
        else:
            prediction = denoise(walk.latents, here, walk.index)
        latents = move(prediction, here, there)
        return Walk(index=walk.index + 1, wanted=walk.wanted, examples=walk.examples, latents=latents)

    def _collect(self, state: LearningState) -> None:
        """Leave a point where one is wanted; shuffle them when the last trajectory has ended."""
        walk = state.walk
        assert walk is not None, "it was begun or advanced"
        if walk.index not in walk.wanted:
            return
        state.points.append(Point(index=walk.index, examples=walk.examples, latents=walk.latents))
        if walk.index < walk.wanted[-1]:
            return
        state.walk = None
        state.to_come -= 1
        if not state.to_come and len(state.points) > 1:
            order = torch.randperm(len(state.points), generator=state.generator)
            state.points = [state.points[int(index)] for index in order]
