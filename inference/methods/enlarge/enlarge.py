"""A picture at several times its size, with details that the model adds: the operation "enlarge".

The resampled picture is what SDEdit (arXiv:2108.01073) starts from, with one noise for the whole of it. Each
step denoises overlapping tiles of the model's own size and takes their mean, weighted so that a tile counts
nothing at its edge (MultiDiffusion, Bar-Tal et al., arXiv:2302.08113, eq. 5): neighbours agree at every step
instead of being blended when they differ. Only one tile is on the device at a time, also to and from latents.

A decoder shifts colours, and every tile by something else; and each tile may see in its part what the prompt
says of the whole. So means over a few pixels of the original are those of the resampled picture, as in
back-projection (Irani and Peleg, 1991): the model adds what is finer.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inference.backbones.base import Backbone, Prediction
from inference.guidance import guided
from inference.inputs import Inputs
from inference.methods.enlarge.windows import Windows
from inference.methods.fill.surroundings import carried_on
from inference.methods.generate import Run, prepare
from inference.operations import Enlarge
from inference.progress import Progress
from inference.request import Output, Pixels
from inference.sampling import Denoise, advance, begin
from inference.schedule import Level
from inference.sizes import SMALLEST_SHARE, enlarged, resized

_KEPT_PX = 3.0  # of the original along the side of an area whose mean colours stay
_ROUNDS = 4  # smooth corrections keep no means exactly, but each round twice as well as the one before
_FIXED_POINT = 256  # of sums in 16 bits


def enlarge(backbone: Backbone, parameters: Enlarge, inputs: Inputs, progress: Progress) -> Output:
    """The picture [H, W, 3 or 4] at `factor` times its size; with strength 0 it is only resampled."""
    picture = inputs.pixels(parameters.image)
    run = prepare(backbone, parameters, inputs, progress)
    whole = enlarged(picture, parameters.factor)
    first = run.steps - round(parameters.strength * run.steps)
    if first == run.steps:
        progress.step(run.steps, run.steps)
        return Output(images=(whole,))
    height, width = whole.shape[:2]
    seen = _seen(whole, backbone)
    areas = max(2, round(_KEPT_PX * parameters.factor * _work_scale(whole, backbone)))
    work = _Work(run, seen.shape[0], seen.shape[1], run.steps - first, areas)
    latents = work.denoised(work.encoded(seen), first)
    drawn = resized(np.ascontiguousarray(work.decoded(latents, seen)), *_share(seen, whole, backbone))
    found = drawn[:height, :width]
    if whole.shape[2] == 4:
        found = np.dstack([found, whole[..., 3]])
    found = np.ascontiguousarray(found)
    found.setflags(write=False)
    return Output(images=(found,))


def _work_scale(whole: Pixels, backbone: Backbone) -> float:
    """How much larger a model needs to see a picture that is small even when enlarged."""
    least = SMALLEST_SHARE * backbone.defaults.width * backbone.defaults.height
    return max(1.0, math.sqrt(least / (whole.shape[0] * whole.shape[1])))


def _seen(whole: Pixels, backbone: Backbone) -> Pixels:
    """RGB as the model gets it: what is transparent goes on with what is around, sides are its multiples."""
    colours = whole[..., :3]
    if whole.shape[2] == 4 and not whole[..., 3].all():
        planes = torch.tensor(np.ascontiguousarray(colours), dtype=torch.float32).permute(2, 0, 1)[None]
        known = torch.tensor(whole[..., 3] > 0, dtype=torch.float32)[None, None]
        colours = carried_on(planes, known)[0].round().permute(1, 2, 0).to(torch.uint8).numpy()
    scale, unit = _work_scale(whole, backbone), backbone.size_unit
    height, width = (math.ceil(side * scale) for side in whole.shape[:2])
    colours = resized(np.ascontiguousarray(colours), width, height)
    return np.pad(colours, ((0, -height % unit), (0, -width % unit), (0, 0)), mode="edge")


def _share(seen: Pixels, whole: Pixels, backbone: Backbone) -> tuple[int, int]:
    """(width, height) at which what was seen has the picture's scale again, its padding included."""
    scale = _work_scale(whole, backbone)
    return math.ceil(seen.shape[1] / scale), math.ceil(seen.shape[0] / scale)


class _Work:
    """One run over all tiles of a picture of that height and width, in pixels; reports each tile.

    Means over squares of `areas` pixels stay.
    """

    def __init__(self, run: Run, height: int, width: int, steps: int, areas: int) -> None:
        self._run = run
        self._areas = areas
        across, down = run.parameters.width, run.parameters.height
        if across is None or down is None:
            raise ValueError("the runner resolves the defaults first")
        # of a tile: models have a largest size
        channels, rows, columns = run.backbone.latent_shape(across, down)
        scale = down // rows
        self._shape = 1, channels, height // scale, width // scale
        self._latents = Windows.covering(height // scale, width // scale, (rows, columns))
        self._pixels = self._latents.scaled(scale)
        self._done, self._total = 0, (steps + 2) * len(self._latents)

    def _tick(self, preview: Pixels | None = None) -> None:
        self._done += 1
        self._run.progress.step(self._done, self._total, preview)

    def encoded(self, picture: Pixels) -> Tensor:
        """Latents [1, C, h, w]."""
        backbone = self._run.backbone
        found = torch.zeros(self._shape, device=backbone.device)
        with self._run.progress.phase("encode"):
            for place, part in zip(self._latents, self._pixels, strict=True):
                tile = np.ascontiguousarray(picture[part.rows, part.columns])
                share = torch.as_tensor(place.share).to(found)
                found[..., place.rows, place.columns] += share * backbone.encode_image(tile)
                self._tick()
        return found

    def denoised(self, latents: Tensor, first: int) -> Tensor:
        """The latents after the steps from `first` on, from themselves with noise."""
        run, parameters = self._run, self._run.parameters
        sampler, backbone = parameters.sampler or "ddim", run.backbone
        # on the CPU, so that a seed is the same everywhere
        noise = torch.randn(self._shape, generator=torch.Generator("cpu").manual_seed(parameters.seed))
        level = run.levels[first]
        generator = torch.Generator("cpu").manual_seed(parameters.seed + 2**32)
        state = begin(level.alpha * latents + level.sigma * noise.to(latents), generators=[generator])
        denoise = self._tiled(guided(backbone, [run.prompt], run.negative, self._guidance))
        with run.progress.phase("sample"):
            state = advance(denoise, replace(state, index=first), run.levels, sampler=sampler)
        return state.latents

    @property
    def _guidance(self) -> float:
        """Without any words there is nothing to guide to."""
        parameters = self._run.parameters
        wordless = not parameters.prompt.strip() and not parameters.negative_prompt.strip()
        return 1.0 if wordless or parameters.guidance_scale is None else parameters.guidance_scale

    def _tiled(self, denoise: Denoise) -> Denoise:
        def tiled(latents: Tensor, level: Level, index: int) -> Prediction:
            x0, eps = torch.zeros_like(latents), torch.zeros_like(latents)
            for number, place in enumerate(self._latents, start=1):
                found = denoise(latents[..., place.rows, place.columns], level, index)
                share = torch.as_tensor(place.share).to(latents)
                x0[..., place.rows, place.columns] += share * found.x0
                eps[..., place.rows, place.columns] += share * found.eps
                shown = number == len(self._latents) and self._run.progress.wants_preview
                self._tick(self._run.backbone.preview(x0) if shown else None)
            return Prediction(x0, eps)

        return tiled

    def decoded(self, latents: Tensor, seen: Pixels) -> Pixels:
        """The picture [H, W, 3] of latents, with the colours of what was seen."""
        total: NDArray[np.uint16] = np.zeros(seen.shape, np.uint16)
        with self._run.progress.phase("decode"):
            for place, part in zip(self._latents, self._pixels, strict=True):
                (tile,) = self._run.backbone.decode(latents[..., place.rows, place.columns])
                values = _with_colours_of(seen[part.rows, part.columns], tile, self._areas)
                values *= part.share[..., None]
                total[part.rows, part.columns] += np.rint(values * _FIXED_POINT).astype(np.uint16)
                self._tick()
        # in place: pictures of hundreds of megapixels
        np.minimum(total, 255 * _FIXED_POINT, out=total)
        total += _FIXED_POINT // 2
        total //= _FIXED_POINT
        return total.astype(np.uint8)


def _with_colours_of(seen: Pixels, drawn: Pixels, areas: int) -> NDArray[np.float32]:
    """A drawn tile [h, w, 3], 0..255, whose means over squares of `areas` pixels are about those seen."""
    wanted, found = (
        torch.tensor(one, dtype=torch.float32).permute(2, 0, 1)[None]
        for one in (np.ascontiguousarray(seen), drawn)
    )
    height, width = seen.shape[:2]
    for _ in range(_ROUNDS):
        coarse = functional.avg_pool2d(wanted - found, areas, ceil_mode=True, count_include_pad=False)
        shift = functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
        found = (found + shift).clamp(0, 255)
    return cast("NDArray[np.float32]", found[0].permute(1, 2, 0).numpy())
