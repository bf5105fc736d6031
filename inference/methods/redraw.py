"""A picture redrawn from a prompt (SDEdit, Meng et al., arXiv:2108.01073): the operation "redraw".

    x_t = α_t·x₀ + σ_t·ε        at the level where the share `strength` of the run is left

and from there the usual sampling. A mask keeps everything outside: at each step the latents there are those
of the picture at that level (eq. 5 of the paper); `inference.sizes` puts its own pixels there at the end.
"""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from inference.backbones.base import Backbone, Prediction
from inference.disk_cache import is_whole
from inference.inputs import Inputs
from inference.methods.generate import Part, Run, decoded, maps, prepare, rest, start
from inference.operations import Redraw
from inference.progress import Progress
from inference.request import Output, Pixels
from inference.sampling import Denoise
from inference.schedule import Level


def redraw(backbone: Backbone, parameters: Redraw, inputs: Inputs, progress: Progress) -> Output:
    """The picture again, as far from itself as `strength` says; with strength 0 it is returned untouched."""
    picture = inputs.pixels(parameters.image)
    run = prepare(backbone, parameters, inputs, progress)
    first = first_of(run, parameters.strength)
    if first == run.steps:
        return untouched(run, picture)
    latents = encoded(run, parameters.image.hash, picture)
    part, noise = begun_from(run, latents, first)
    mask = None if parameters.mask is None else inputs.pixels(parameters.mask)
    if mask is None:
        part = rest(run, part, [run.prompt])
    else:
        keeper = Keeper(latents, noise, at_latents(mask, latents))
        part = rest(run, part, [run.prompt], around=keeper.around)
    return Output(images=decoded(run, part.state.latents), maps=maps(part.heat))


def first_of(run: Run, strength: float) -> int:
    """The first step of a run of which the share `strength` is left."""
    return run.steps - round(strength * run.steps)


def untouched(run: Run, picture: Pixels) -> Output:
    """What a run of no steps hands back."""
    run.progress.step(run.steps, run.steps)
    return Output(images=(picture,))


def begun_from(run: Run, latents: Tensor, first: int) -> tuple[Part, Tensor]:
    """A run that starts at step `first` from latents [1, C, h, w] of a picture, and the noise put on them."""
    begun = start(run).state
    noise = begun.latents / run.backbone.schedule.noise_scale(run.parameters.sampler or "ddim")
    level = run.levels[first]
    state = replace(begun, latents=level.alpha * latents + level.sigma * noise, index=first)
    return Part(state=state, heat={}), noise


def encoded(run: Run, name: str, picture: Pixels) -> Tensor:
    """Latents [1, C, h, w] of the picture whose content is called `name`, kept for later runs."""
    key = ["latents", *run.backbone.made_by, name, *picture.shape]
    known = run.inputs.cache.get(tuple(key))
    if known is not None:
        return known
    kept, shape = run.inputs.kept, (1, *run.backbone.latent_shape(picture.shape[1], picture.shape[0]))
    arrays = kept.get(key) if kept is not None else None
    if arrays is not None and is_whole(arrays.get("latents"), shape):
        latents = torch.tensor(arrays["latents"]).to(run.backbone.device)
    else:
        with run.progress.phase("encode"):
            latents = run.backbone.encode_image(picture)
        if kept is not None:
            kept.put(key, {"latents": latents.cpu().numpy()})
    run.inputs.cache.put(tuple(key), latents, latents.numel() * latents.element_size())
    return latents


class Keeper:
    """Puts the picture's own latents back outside of a mask [1, 1, h, w] before each step."""

    def __init__(self, latents: Tensor, noise: Tensor, mask: Tensor) -> None:
        self._latents, self._noise, self._mask = latents, noise, mask

    def around(self, denoise: Denoise) -> Denoise:
        def kept(latents: Tensor, level: Level, index: int) -> Prediction:
            outside = level.alpha * self._latents + level.sigma * self._noise
            return denoise(torch.lerp(outside, latents, self._mask), level, index)

        return kept


def at_latents(mask: Pixels, latents: Tensor) -> Tensor:
    """A mask [H, W] as 0..1 [1, 1, h, w]: every place of the latents that the mask touches."""
    whole = torch.tensor(mask, dtype=torch.float32, device=latents.device)[None, None] / 255
    size = cast("tuple[int, int]", tuple(latents.shape[-2:]))
    return torch.nn.functional.adaptive_max_pool2d(whole, size).to(latents.dtype)
