"""What the model sees in a picture: where each word is, and whether its prompt fits it at all.

The picture is noised to three levels in the middle of the run, and the network is asked twice at each: with
the prompt and without. The attention of the first says where the words are; how much better it explains the
noise says whether the prompt fits (a diffusion model as a classifier, arXiv:2303.16203):

    fit = 1 - |ε - ε̂(prompt)|² / |ε - ε̂(nothing)|²          summed over the levels

Positive where the prompt helps, near zero or below where it speaks of something else.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from inference.methods.generate import Run, watched
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.paths import step_noise
from inference.schedule import Level, Prediction

# Below this a prompt explains nothing of the picture; measured with `attune evaluate inversion`.
LEAST_FIT = 0.0
_SEED = 0  # of its noise: what is seen does not depend on the run's


@torch.no_grad()
def looked_at(run: Run, found: Inverted) -> Inverted:
    """The inversion with heat and fit: two evaluations at each of three levels."""
    backbone = run.backbone
    heat: dict[tuple[int, int], NDArray[np.float32]] = {}
    latents = found.reconstruction
    plain = backbone.negative_prompt("")

    def both(noised: torch.Tensor, level: Level, index: int) -> Prediction:
        del index
        return backbone.predict(noised.repeat(2, 1, 1, 1), level, [plain, run.prompt])

    denoise = watched(both, run, run.prompt, heat)
    errors = np.zeros(2)
    for index in sorted(run.looked_at):
        level = run.levels[index]
        noise = step_noise(_SEED, index, latents)
        eps = denoise(level.alpha * latents + level.sigma * noise, level, index).eps
        errors += (eps - noise).square().flatten(1).mean(1).double().cpu().numpy()
        run.progress.check()
    fit = 1 - float(errors[1] / errors[0]) if errors[0] > 0 else float("nan")
    return found.seen(heat, fit)
