"""Where two prompts say something else of a picture: DiffEdit's mask (arXiv:2210.11427, section 3.2).

The picture is noised, and the network asked with both prompts. Where its predictions differ is what the
change is about: the mouth for "sad" and "smiling", the clothes for "red-clad" and "blue-clad", for "small"
and "big" the place that the bigger one takes. Attention of the words shows the whole man, where he is now.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from inference.methods.generate import Run
from inference.methods.inversion.paths import step_noise
from inference.prompts.prompt import Prompt

NOISED_AT = 0.3  # of the steps: earlier nothing has a place yet, later what is there is taken for granted
NOISES = 2
_SEED = 0  # where the change is does not depend on the run's seed


@torch.no_grad()
def noised_prediction(run: Run, prompt: Prompt, latents: Tensor) -> Tensor:
    """What a prompt predicts of a picture's latents [1, C, h, w] under each noise: ε̂ [`NOISES`, C, h, w]."""
    index = int(NOISED_AT * run.steps)
    level = run.levels[index]
    noises = torch.cat([step_noise(_SEED + number, index, latents) for number in range(NOISES)])
    noised = level.alpha * latents + level.sigma * noises
    return run.backbone.predict(noised, level, [prompt] * NOISES).eps.float()


@torch.no_grad()
def contrast(run: Run, ours: Tensor, targets: Sequence[Prompt], latents: Tensor) -> Tensor:
    """How much any of the targets differs from the source in each place of a picture: [h, w], at most 1.

    A prompt for each change: of a smile and another colour the smile is the smaller one, and would be lost.

    Args:
        ours: the source's `noised_prediction`.
        latents: the picture's own, [1, C, h, w]; an evaluation for each of `NOISES` and each prompt.
    """
    found: list[Tensor] = []
    for target in targets:
        differs = (noised_prediction(run, target, latents) - ours).abs().mean(dim=(0, 1))[None, None]
        smooth = functional.avg_pool2d(differs, 3, stride=1, padding=1, count_include_pad=False)[0, 0]
        found.append(smooth / smooth.amax().clamp(min=1e-12))
        run.progress.check()
    return torch.stack(found).amax(0)
