"""One loop from noise to data, or back: every sampler is a way to use the same predictions.

The latents are always α·x₀ + σ·ε with the levels of the schedule; a sampler that others write in terms of
σ/α is the same rule here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.errors import EditorError
from inference.messages import listed
from inference.operations import SAMPLERS
from inference.progress import Progress
from inference.schedule import Level, Prediction

Denoise: TypeAlias = Callable[[Tensor, Level, int], Prediction]
Preview: TypeAlias = Callable[[Tensor], NDArray[np.uint8]]

# DPM-Solver++(2M) ends with a first-order step in runs shorter than this (arXiv:2211.01095).
_FEW_STEPS = 15


@dataclass(frozen=True, kw_only=True)
class SamplerState:
    """Everything that the rest of a run depends on, beside prompts and levels.

    Args:
        latents: [N, C, h, w] at `levels[index]`, float32.
        index: how many steps are done.
        previous_x0: x̂₀ of the step before, for multistep samplers.
        generator_states: one state per sample of the generators that draw noise (euler-a, ddpm, lcm).
    """

    latents: Tensor
    index: int = 0
    previous_x0: Tensor | None = None
    generator_states: tuple[Tensor, ...] = ()

    def repeated(self, count: int) -> "SamplerState":
        """The state of a run of one sample, for `count` runs that part here."""
        repeats = (count, 1, 1, 1)
        return replace(
            self,
            latents=self.latents.repeat(repeats),
            previous_x0=None if self.previous_x0 is None else self.previous_x0.repeat(repeats),
            generator_states=self.generator_states * count,
        )

    def sample(self, row: int) -> "SamplerState":
        """The state of one sample of a batch."""
        return replace(
            self,
            latents=self.latents[row : row + 1],
            previous_x0=None if self.previous_x0 is None else self.previous_x0[row : row + 1],
            generator_states=self.generator_states[row : row + 1],
        )

    @property
    def size_bytes(self) -> int:
        tensors = (self.latents, *((self.previous_x0,) if self.previous_x0 is not None else ()))
        return sum(tensor.numel() * tensor.element_size() for tensor in (*tensors, *self.generator_states))


def move(
    prediction: Prediction, level_from: Level, level_to: Level, *, noise: Tensor | None = None
) -> Tensor:
    """One step of DDIM from one level to another, in either direction (arXiv:2010.02502, eq. 12).

    x_s = α_s·x̂₀ + √(σ_s² - τ²)·ε̂ + τ·z.  Without noise τ = 0: DDIM, its inversion, Euler, and Euler for flow
    matching are all this rule.  With noise z [N, C, h, w] the step is ancestral (η = 1, DDPM, Euler a):
    τ² = σ_s²·(1 - (α_t·σ_s)² / (α_s·σ_t)²).
    """
    x0, eps = prediction
    if noise is None or level_to.sigma == 0:
        return level_to.alpha * x0 + level_to.sigma * eps
    kept = (level_from.alpha * level_to.sigma) / (level_to.alpha * level_from.sigma)
    fresh = (1 - kept**2) ** 0.5
    return level_to.alpha * x0 + level_to.sigma * (kept * eps + fresh * noise)


def begin(latents: Tensor, *, generators: Sequence[torch.Generator] | None = None) -> SamplerState:
    """The state before the first step; `generators`: one a sample, on the CPU, if the sampler draws noise."""
    states = tuple(generator.get_state() for generator in generators or ())
    return SamplerState(latents=latents.float(), generator_states=states)


@torch.no_grad()
def advance(
    denoise: Denoise,
    state: SamplerState,
    levels: Sequence[Level],
    *,
    sampler: str = "ddim",
    stop: int | None = None,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> SamplerState:
    """Run from `state` to step `stop` (default: to the end) and give the state there.

    Stopping at any step and going on from the state gives bit for bit what one run gives. `denoise` may
    enable gradients inside. Each step ends with a report, which is where a cancelled job stops.

    Raises:
        Cancelled: within one step of the cancellation.
    """
    progress = progress or Progress()
    total = len(levels) - 1
    last = total if stop is None else min(stop, total)
    step = _stepper(sampler)
    progress.check()
    while state.index < last:
        prediction = denoise(state.latents, levels[state.index], state.index)
        state = step(prediction, state, levels)
        shown = preview(prediction.x0) if preview is not None and progress.wants_preview else None
        progress.step(state.index, total, shown)
    return state


def sample(
    denoise: Denoise,
    latents: Tensor,
    levels: Sequence[Level],
    *,
    sampler: str = "ddim",
    start: int = 0,
    stop: int | None = None,
    state: SamplerState | None = None,
    generators: Sequence[torch.Generator] | None = None,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Tensor:
    """Latents [N, C, h, w] at `levels[stop]` (default: the last), from `latents` at `levels[start]`.

    With `state` the run goes on from there, and `latents` and `start` are not read. Use `begin` and `advance`
    where the state itself is wanted.
    """
    if state is None:
        state = replace(begin(latents, generators=generators), index=start)
    return advance(
        denoise, state, levels, sampler=sampler, stop=stop, progress=progress, preview=preview
    ).latents


@torch.no_grad()
def invert(
    denoise: Denoise,
    latents: Tensor,
    levels: Sequence[Level],
    *,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> tuple[Tensor, ...]:
    """The latents at every level of `levels` (noise to data) that lead to `latents` at the last one.

    The same rule with the levels reversed. The network is told the timestep that it moves *to*: that is what
    it will be asked when the path is run forwards (as DDIM inversion is commonly done).
    """
    progress = progress or Progress()
    path = [latents.float()]
    progress.check()
    for index in range(len(levels) - 1, 0, -1):
        here, there = levels[index], levels[index - 1]
        asked = replace(here, timestep=there.timestep)
        prediction = denoise(path[-1], asked, index - 1)
        path.append(move(prediction, here, there))
        shown = preview(prediction.x0) if preview is not None and progress.wants_preview else None
        progress.step(len(path) - 1, len(levels) - 1, shown)
    return tuple(reversed(path))


_Stepper: TypeAlias = Callable[[Prediction, SamplerState, Sequence[Level]], SamplerState]


def _stepper(sampler: str) -> _Stepper:
    steppers: dict[str, _Stepper] = {
        "ddim": _ddim_step,
        "euler": _ddim_step,  # the same rule in other units; only the levels differ
        "euler-a": _ancestral_step,  # at Euler's levels, ddpm's rule is Euler's ancestral one
        "dpm++2m": _dpm_step,
        "dpm++2m-karras": _dpm_step,
        "ddpm": _ancestral_step,
        "lcm": _consistency_step,
    }
    if sampler not in steppers:
        raise EditorError(
            "Unknown sampler “{sampler}”.",
            "Known are: {samplers}.",
            sampler=sampler,
            samplers=listed(SAMPLERS),
        )
    return steppers[sampler]


def _ddim_step(prediction: Prediction, state: SamplerState, levels: Sequence[Level]) -> SamplerState:
    here, there = levels[state.index], levels[state.index + 1]
    return replace(state, latents=move(prediction, here, there), index=state.index + 1)


def _dpm_step(prediction: Prediction, state: SamplerState, levels: Sequence[Level]) -> SamplerState:
    """DPM-Solver++(2M), midpoint (arXiv:2211.01095, algorithm 2): DDIM's step plus half of D₁.

    x_s = α_s·x̂₀ + σ_s·ε̂ + ½·(α_s - σ_s·α_t/σ_t)·D₁ with D₁ = (x̂₀ - x̂₀ of the step before)·h / h_before.
    """
    here, there = levels[state.index], levels[state.index + 1]
    latents = move(prediction, here, there)
    total = len(levels) - 1
    is_last = state.index == total - 1
    is_first_order = is_last and (there.sigma == 0 or total < _FEW_STEPS)
    if state.previous_x0 is not None and state.index > 0 and not is_first_order:
        h = there.half_log_snr - here.half_log_snr
        h_before = here.half_log_snr - levels[state.index - 1].half_log_snr
        D1 = (prediction.x0 - state.previous_x0) * (h / h_before)
        latents = latents + 0.5 * (there.alpha - there.sigma * here.alpha / here.sigma) * D1
    return replace(state, latents=latents, previous_x0=prediction.x0, index=state.index + 1)


def _ancestral_step(prediction: Prediction, state: SamplerState, levels: Sequence[Level]) -> SamplerState:
    here, there = levels[state.index], levels[state.index + 1]
    noise, generator_states = _drawn_noise(state)
    latents = move(prediction, here, there, noise=noise)
    return replace(state, latents=latents, generator_states=generator_states, index=state.index + 1)


def _consistency_step(prediction: Prediction, state: SamplerState, levels: Sequence[Level]) -> SamplerState:
    """Multistep consistency sampling (arXiv:2310.04378, algorithm 3): x_s = α_s·x̂₀ + σ_s·z, all noise fresh.

    The boundary condition's share of x_t is below 10⁻⁵ at every timestep that is visited, and left out.
    """
    there = levels[state.index + 1]
    if there.sigma == 0:
        return replace(state, latents=prediction.x0, index=state.index + 1)
    noise, generator_states = _drawn_noise(state)
    latents = there.alpha * prediction.x0 + there.sigma * noise
    return replace(state, latents=latents, generator_states=generator_states, index=state.index + 1)


def _drawn_noise(state: SamplerState) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Noise for every sample, each from its own generator on the CPU, and the generators' states after it."""
    count, *shape = state.latents.shape
    if len(state.generator_states) != count:
        raise ValueError(f"one generator per sample is needed: {len(state.generator_states)} for {count}")
    drawn: list[Tensor] = []
    states: list[Tensor] = []
    for generator_state in state.generator_states:
        generator = torch.Generator("cpu").set_state(generator_state)
        drawn.append(torch.randn((1, *shape), generator=generator))
        states.append(generator.get_state())
    return torch.cat(drawn).to(state.latents.device), tuple(states)
