"""A denoiser whose latents are shifted first, at the steps that a plan names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inference.methods.generate import Run
from inference.methods.gsn.maps import MapReader
from inference.methods.gsn.objectives import NEEDS_FOCUS, Targets, neglect_and_conflict, objective
from inference.methods.gsn.plan import Plan
from inference.methods.gsn.procedures import (
    Guidance,
    LatentRefinement,
    MeanLearning,
    NoiseSearch,
    Refinement,
)
from inference.methods.gsn.threads import threads_for
from inference.methods.gsn.updates import Iterations, descended, learnt_mean, refined, searched
from inference.sampling import Denoise
from inference.schedule import Level, Prediction

# Far from the seeds that people use, so that no draw is another picture's noise.
_NOISE_SEED = 2**40


@dataclass
class Shifter:
    """Shifts the latents of one run.

    Args:
        offsets: each picture's seed is the run's plus this.
        early_exit: see `MapReader`; without it the same comes out, later.
    """

    run: Run
    plan: Plan
    targets: Targets
    offsets: Sequence[int]
    early_exit: bool = True
    _last: Prediction | None = field(default=None, init=False)

    def around(self, denoise: Denoise) -> Denoise:
        """`denoise`, with the latents shifted before."""

        def shifted(latents: Tensor, level: Level, index: int) -> Prediction:
            self._last = denoise(self._shift(latents, level, index), level, index)
            return self._last

        return shifted

    def _shift(self, latents: Tensor, level: Level, index: int) -> Tensor:
        refinement, guidance = self.plan.refinements.get(index), self.plan.guidance
        if index not in self.plan.guided:
            guidance = None
        if refinement is None and guidance is None:
            return latents
        with self.run.progress.phase("refine"), threads_for(self._numbers(latents)):
            latents = self._moved(latents, level, index, refinement, guidance)
        self.run.progress.check()
        return latents

    def _moved(
        self,
        latents: Tensor,
        level: Level,
        index: int,
        refinement: Refinement | None,
        guidance: Guidance | None,
    ) -> Tensor:
        step_size = self.plan.step_size(index) if guidance is not None else None
        if isinstance(refinement, LatentRefinement):
            then_step = step_size if guidance is not None and guidance.loss == refinement.loss else None
            work = self._work(refinement.loss, level)
            latents = refined(latents, level, refinement, work, then_step=then_step)
            if then_step is not None:
                return latents
        elif refinement is not None:
            latents = self._refined(latents, level, refinement)
        if guidance is not None and step_size is not None:
            latents = descended(latents, level, step_size, self._work(guidance.loss, level))
        return latents

    def _numbers(self, latents: Tensor) -> int | None:
        """How many numbers a layer of the denoiser puts out for a batch like this one."""
        alone = self.run.backbone.layer_numbers(*latents.shape[-2:])
        return None if alone is None else alone * len(latents)

    def _refined(self, latents: Tensor, level: Level, how: NoiseSearch | MeanLearning) -> Tensor:
        work = self._work(
            how.loss,
            level,
            with_focus=isinstance(how, NoiseSearch),
            averaged=isinstance(how, MeanLearning),
        )
        if isinstance(how, NoiseSearch):
            scale = latents.new_tensor(self.run.backbone.schedule.noise_scale(self._sampler))
            return searched(latents, level, how, work, lambda row, round_: scale * self._fresh(row, round_))
        return self._drawn(latents, level, how, work)

    def _drawn(self, latents: Tensor, level: Level, how: MeanLearning, work: Iterations) -> Tensor:
        """Pictures' latents from the learnt distribution; each picture keeps the noise that its seed drew."""
        backbone = self.run.backbone
        with torch.no_grad():
            x0 = backbone.predict(latents, level, [self.run.prompt] * len(latents)).x0
        groups = [range(len(latents))] if how.shared else [[row] for row in range(len(latents))]
        drawn: list[Tensor] = []
        for group in groups:
            own = x0[list(group)].mean(0, keepdim=True)
            start = own.mean((2, 3), keepdim=True).expand_as(own)
            noises = self._noise(group[0], how.noises * how.updates)
            most = level.alpha * x0[list(group)].std((2, 3), keepdim=True).mean(0, keepdim=True)
            mean = learnt_mean(start, noises, level, most, how, work)
            fresh = torch.cat([self._fresh(row, 0) for row in group])
            drawn.append(level.alpha * mean + level.sigma * fresh)
        return torch.cat(drawn)

    def _work(
        self, loss: str, level: Level, *, with_focus: bool = False, averaged: bool = False
    ) -> Iterations:
        run = self.run
        reader = MapReader(
            run.backbone,
            run.prompt,
            with_focus=with_focus or loss in NEEDS_FOCUS,
            early_exit=self.early_exit,
        )
        return Iterations(
            backbone=run.backbone,
            reader=reader,
            objective=objective(loss, self.targets, averaged=averaged),
            scores=lambda maps: neglect_and_conflict(maps, self.targets),
            told=self._teller(level),
        )

    def _teller(self, level: Level) -> Callable[[int, int, Tensor], None]:
        def tell(done: int, most: int, latents: Tensor) -> None:
            shown = None
            if self._last is not None and level.alpha > 0 and self.run.progress.wants_preview:
                # a look at x0 that costs no pass: the latents without the noise that was last predicted
                x0 = (latents[:1] - level.sigma * self._last.eps[:1]) / level.alpha
                shown = self.run.backbone.preview(x0)
            self.run.progress.step(done, most, shown)

        return tell

    @property
    def _sampler(self) -> str:
        return self.run.parameters.sampler or "ddim"

    def _fresh(self, row: int, round_: int) -> Tensor:
        """Noise [1, C, h, w] that belongs to a picture and a round; round 0 is not the picture's start."""
        return self._noise(row, 1, round_ + 1)

    def _noise(self, row: int, count: int, stream: int = 0) -> Tensor:
        run = self.run
        seed = run.parameters.seed + self.offsets[row]
        generator = torch.Generator("cpu").manual_seed(_NOISE_SEED * (stream + 1) + seed)
        shape = run.backbone.latent_shape(run.parameters.width or 0, run.parameters.height or 0)
        return torch.randn((count, *shape), generator=generator).to(run.backbone.device)
