"""What the model sees in a picture: where each word is, and whether its prompt fits it at all.

The picture is noised to some levels of the run. What its prompt attends to at the later ones says where the
words are. At the earlier ones the network is asked with and without the prompt: how much better the prompt
explains the noise says whether it fits (a diffusion model as a classifier, arXiv:2303.16203):

    fit = 1 - |ε - ε̂(prompt)|² / |ε - ε̂(nothing)|²          summed over the levels

Positive where the prompt helps, near zero or below where it speaks of something else.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.methods.generate import Run, watched, what_is_said
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.paths import step_noise
from inference.prompts.prompt import Prompt
from inference.schedule import Level, Prediction

# Below this a prompt explains nothing of the picture; measured with `attune evaluate picture`.
LEAST_FIT = 0.0
COMPARED_AT = (0.3, 0.5)
_SEED = 0  # of its noise: what is seen does not depend on the run's


@torch.no_grad()
def looked_at(run: Run, found: Inverted) -> Inverted:
    """The inversion with heat and fit: at most six evaluations."""
    backbone, latents = run.backbone, found.reconstruction
    heat: dict[tuple[int, int], NDArray[np.float32]] = {}
    plain = backbone.negative_prompt("")
    compared = {int(share * run.steps) for share in COMPARED_AT}

    def asked(noised: Tensor, level: Level, index: int) -> Prediction:
        prompts = [run.prompt, plain] if index in compared else [run.prompt]
        return backbone.predict(noised.repeat(len(prompts), 1, 1, 1), level, prompts)

    denoise = watched(asked, run, run.prompt, heat)
    errors = np.zeros(2)
    for index in sorted(run.looked_at | compared):
        level, noise = run.levels[index], step_noise(_SEED, index, latents)
        eps = denoise(level.alpha * latents + level.sigma * noise, level, index).eps
        if index in compared:
            errors += (eps - noise).square().flatten(1).mean(1).double().cpu().numpy()
        run.progress.check()
    fit = 1 - float(errors[0] / errors[1]) if errors[1] > 0 else float("nan")
    return found.seen(heat, fit)


@torch.no_grad()
def fit_of(run: Run, prompt: Prompt, written: str, name: str, latents: Tensor) -> float:
    """How well a prompt fits a picture: four evaluations, and none a second time.

    Args:
        written: what the prompt was encoded from, with its marks of weights.
        name: the hash of the picture's content.
        latents: the picture's own, [1, C, h, w].
    """
    said = what_is_said(run, written, prompt.length)
    own = _error(run, (name, *said), latents, prompt)
    plain = _error(run, (name,), latents, run.backbone.negative_prompt(""))
    return 1 - own / plain if plain > 0 else float("nan")


def _error(run: Run, told: tuple[object, ...], latents: Tensor, prompt: Prompt) -> float:
    """What the network misses of the noise when it is told `prompt`, over the compared levels; kept.

    `told` are the picture and what the prompt is encoded from.
    """
    levels = {index: run.levels[index] for index in (int(share * run.steps) for share in COMPARED_AT)}
    backbone = run.backbone
    key = ("error", *backbone.made_by, told, tuple(latents.shape), run.steps, run.parameters.sampler)
    known = run.inputs.cache.get(key)
    if known is not None:
        return float(known)
    missed = 0.0
    for index, level in levels.items():
        noise = step_noise(_SEED, index, latents)
        eps = backbone.predict(level.alpha * latents + level.sigma * noise, level, [prompt]).eps
        missed += float((eps - noise).square().mean())
        run.progress.check()
    run.inputs.cache.put(key, missed, 64)
    return missed
