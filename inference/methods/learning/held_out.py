"""The loss of a direction at points that no learning run visits: what two directions are compared by."""

from collections.abc import Mapping

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.definitions import Definition
from inference.guidance import guided
from inference.methods.learning.examples import Examples
from inference.methods.learning.objective import Objective
from inference.methods.learning.state import Point
from inference.operations import LearnDelta
from inference.progress import Progress
from inference.sampling import move

# Learning draws the seeds of its noise below 2^31.
_FIRST_SEED = 2**33
_SHARES = (0.25, 0.5, 1.0)  # of the slider, in both directions


class HeldOut:
    """Points of some trajectories, with what the words do there.

    Args:
        trajectories: how many pictures are begun, each from another prompt of the definition.
        points: levels at which each is looked at, evenly over the noisiest `parameters.noisy_share`.
    """

    def __init__(
        self,
        backbone: Backbone,
        definition: Definition,
        parameters: LearnDelta,
        *,
        trajectories: int = 8,
        points: int = 4,
        progress: Progress | None = None,
    ) -> None:
        width, height = backbone.defaults.width, backbone.defaults.height
        levels = backbone.levels(parameters.sampling_steps, width, height)
        self._examples = Examples(backbone, definition)
        end = max(map(abs, definition.range))
        self._positions = [sign * share * end for share in _SHARES for sign in (-1, 1)]
        self._objective = Objective(
            backbone=backbone,
            parameters=parameters,
            examples=self._examples,
            levels=levels,
            unit=definition.scale,
            range=definition.range,
        )
        last = max(1, round((len(levels) - 1) * parameters.noisy_share))
        wanted = {round(place * (last - 1) / max(1, points - 1)) for place in range(points)}
        unconditional = backbone.negative_prompt("")
        self._points: list[tuple[Point, Tensor, Tensor]] = []
        with torch.no_grad():
            for number in range(trajectories):
                which = number * len(self._examples) // trajectories
                denoise = guided(
                    backbone, [self._examples[which].target], unconditional, parameters.guidance_scale
                )
                latents = backbone.initial_noise(_FIRST_SEED + number, width, height)
                for index in range(last):
                    if progress is not None:
                        progress.check()
                    if index in wanted:
                        point = Point(index=index, examples=(which,), latents=latents)
                        self._points.append((point, *self._objective.ends(point)))
                    latents = move(denoise(latents, levels[index], index), levels[index], levels[index + 1])

    @torch.no_grad()
    def loss(self, vectors: Mapping[str, Tensor]) -> float:
        """Mean square of what x̂₀ misses its target by, over points and positions; 1 is doing nothing."""
        missed, nothing = 0.0, 0.0
        for point, middle, difference in self._points:
            example = self._examples[point.examples[0]]
            prompts = [example.shifted(vectors, position) for position in self._positions]
            x0 = self._objective.x0(point.latents.repeat(len(prompts), 1, 1, 1), point, prompts)
            target = torch.cat([middle + position * difference for position in self._positions])
            missed += float((x0 - target).square().mean())
            nothing += float((middle - target).square().mean())
        return missed / nothing if nothing else 0.0
