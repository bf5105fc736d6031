"""Where a model sees a kind of thing in a photo, and whether it sees it at all."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from inference.backbones.base import Backbone
from inference.methods.concepts.photos import opaque
from inference.prompts.prompt import Prompt
from inference.request import Pixels
from inference.schedule import Level
from inference.sizes import resized, working_size

# Shares of the run from its noisy end: attention is clear late, and a prompt helps early (arXiv:2303.16203).
_LOOK_AT = (0.5, 0.65, 0.8)
_COMPARE_AT = (0.3, 0.5)
_STEPS = 50
_SEED = 0


@dataclass(frozen=True)
class Seen:
    """`heat` [h, w] says where the kind is; `fit` how much of the noise's error its name explains away.

    A fit near zero or below: the photo shows something else (see `inference.methods.inversion.looking`).
    """

    heat: NDArray[np.float32]
    fit: float


@torch.no_grad()
def look(backbone: Backbone, photo: Pixels, prompt: Prompt, span: tuple[int, int], plain: Prompt) -> Seen:
    """Look at a whole photo with its own proportions: four passes, six evaluations."""
    width, height = working_size(photo.shape[1], photo.shape[0], backbone, usual_area=True)
    latents = backbone.encode_image(resized(np.ascontiguousarray(opaque(photo)), width, height))
    levels = backbone.levels(_STEPS, width, height)
    generator = torch.Generator("cpu").manual_seed(_SEED)
    heat: NDArray[np.float32] | None = None
    errors = np.zeros(2)
    for share in sorted({*_LOOK_AT, *_COMPARE_AT}):
        level = levels[int(share * _STEPS)]
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        noised = level.alpha * latents + level.sigma * noise
        if share in _LOOK_AT:
            with backbone.cross_attention_maps(prompt) as store:
                eps = _asked(backbone, noised, level, [prompt, plain] if share in _COMPARE_AT else [prompt])
            seen = np.asarray(store.heat(*span), np.float32)
            heat = seen if heat is None else heat + seen
        else:
            eps = _asked(backbone, noised, level, [prompt, plain])
        if share in _COMPARE_AT:
            errors += (eps - noise).square().flatten(1).mean(1).double().cpu().numpy()
    assert heat is not None, "there are levels to look at"
    return Seen(heat, 1 - float(errors[0] / errors[1]) if errors[1] > 0 else float("nan"))


def _asked(backbone: Backbone, noised: torch.Tensor, level: Level, prompts: list[Prompt]) -> torch.Tensor:
    return backbone.predict(noised.repeat(len(prompts), 1, 1, 1), level, prompts).eps
