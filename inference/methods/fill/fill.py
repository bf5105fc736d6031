"""A part of a picture drawn anew so that it goes with the rest: the operation "fill".

With a model for inpainting the denoiser sees, beside the latents, the mask and the picture without what is
masked (Rombach et al., arXiv:2112.10752, section 4.5 and appendix E.2.5). With any other model the latents
outside of the mask are the picture's at every step (Avrahami et al., Blended Latent Diffusion,
arXiv:2206.02779, algorithm 1, without its optimisation at the end).

The decoder shifts colours by little things that are seen as a seam. What it changed outside of the mask,
where the picture is known, is carried on into it and taken away (Poisson blending, Pérez et al., 2003, by a
smooth membrane).
"""

from contextlib import AbstractContextManager, nullcontext
from typing import cast

import numpy as np
import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.content import content_hash
from inference.inputs import Inputs
from inference.methods.fill.surroundings import carried_on
from inference.methods.generate import decoded, maps, prepare, rest
from inference.methods.redraw import Keeper, at_latents, begun_from, encoded, first_of, untouched
from inference.operations import Fill
from inference.progress import Progress
from inference.request import Output, Pixels

_GREY, _HALF = 128, 127


def fill(backbone: Backbone, parameters: Fill, inputs: Inputs, progress: Progress) -> Output:
    """The picture with what is masked drawn anew; with strength 0 it is returned untouched."""
    picture = inputs.pixels(parameters.image)
    run = prepare(backbone, parameters, inputs, progress)
    first = first_of(run, parameters.strength)
    if first == run.steps:
        return untouched(run, picture)
    mask = _whole(picture) if parameters.mask is None else inputs.pixels(parameters.mask)
    surroundings = _without(picture, mask)
    latents = encoded(run, f"{parameters.image.hash} {_name(mask)}", surroundings)
    begun, noise = begun_from(run, latents, first)
    keeper = Keeper(latents, noise, at_latents(mask, latents))
    with _seeing(backbone, picture, mask, latents):
        part = rest(run, begun, [run.prompt], around=keeper.around)
    (found,) = decoded(run, part.state.latents)
    return Output(images=(_joined(picture, found, mask),), maps=maps(part.heat))


def _seeing(
    backbone: Backbone, picture: Pixels, mask: Pixels, latents: Tensor
) -> AbstractContextManager[None]:
    """For a model that was made for this: what it shall draw, and what there is around it."""
    if not backbone.takes_surroundings:
        return nullcontext()
    grey = np.array(picture[..., :3])
    grey[mask > _HALF] = _GREY
    grey.setflags(write=False)
    return backbone.surrounded(at_latents(mask, latents), backbone.encode_image(grey))


def _without(picture: Pixels, mask: Pixels) -> Pixels:
    """RGB whose masked part is what surrounds it: nothing of what was there leaks into the new."""
    known = 1 - _plane(mask)
    filled = carried_on(_planes(picture[..., :3]), (known >= 1).float())
    return _pixels(filled)


def _joined(picture: Pixels, found: Pixels, mask: Pixels) -> Pixels:
    """The decoder's picture with its shift of colours taken away; opaque where it was drawn."""
    known = (_plane(mask) <= 0).float()
    new, old = _planes(found), _planes(picture[..., :3])
    shift = carried_on(new - old, known) if bool(known.any()) else torch.zeros_like(new)
    whole = _pixels(new - shift)
    if picture.shape[2] == 3:
        return whole
    joined = np.dstack([whole, np.maximum(picture[..., 3], mask)])
    joined.setflags(write=False)
    return joined


def _whole(picture: Pixels) -> Pixels:
    return np.full(picture.shape[:2], 255, np.uint8)


def _name(mask: Pixels) -> str:
    return content_hash(np.ascontiguousarray(mask))


def _plane(mask: Pixels) -> Tensor:
    return torch.tensor(mask, dtype=torch.float32)[None, None] / 255


def _planes(picture: Pixels) -> Tensor:
    return torch.tensor(np.ascontiguousarray(picture), dtype=torch.float32).permute(2, 0, 1)[None]


def _pixels(planes: Tensor) -> Pixels:
    found = planes[0].clamp(0, 255).round().permute(1, 2, 0).to(torch.uint8).numpy()
    found.setflags(write=False)
    return cast("Pixels", found)
