"""What a learning run will cost, told before it starts. Free of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inference.methods.learning.presets import PRESETS

if TYPE_CHECKING:
    from inference.operations import LearnDelta

PUBLISHED_MICRO_STEP: Final = 61
"""Evaluations of the authors' loop: 25 guided steps on average, three ends, four scales there and back."""
_PICTURES: Final = {"picture": 1, "pair": 2}


def evaluations_of(parameters: LearnDelta) -> int:
    """Passes through the denoiser, each way counted as one; expected, as steps are drawn at random."""
    if parameters.method == "naive":
        return 0
    preset = PRESETS[parameters.preset]
    steps = preset.steps if parameters.steps is None else parameters.steps
    accumulation = preset.accumulation if parameters.accumulation is None else parameters.accumulation
    return round(steps * accumulation * _of_micro_step(parameters, steps * accumulation))


def _of_micro_step(parameters: LearnDelta, micro_steps: int) -> float:
    if parameters.method in _PICTURES:
        return 2.0 * _PICTURES[parameters.method]
    levels = max(1, round(parameters.sampling_steps * parameters.noisy_share))
    points = max(1, min(parameters.points, levels, micro_steps))
    # the last of so many levels drawn at random; a trajectory goes up to it
    reach = (levels + 1) * points / (points + 1) - 1
    guided = 2 if parameters.guidance_scale > 1 else 1
    # at all points but the last one the trajectory's own step has asked with the neutral prompt
    ends = 2 + 1 / points
    return parameters.batch * (guided * reach / points + ends + 2 * parameters.scales)
