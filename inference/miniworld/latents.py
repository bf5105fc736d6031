"""The cache of what denoisers train on: latents and subject masks of rendered scenes, keyed by seed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from .fitting import mixed_precision, training_device
from .mixed import training_scene
from .render import PICTURE_PX, draw_masks
from .vae import as_batch, encode

LATENT_SIZE: Final = 16
MAX_SUBJECTS: Final = 3
SHARD: Final = 1000
BATCH: Final = 20


@dataclass(frozen=True)
class Cached:
    """Scene `i` of the cache is `training_scene(i)`.

    latents: float16 [n, C, 16, 16], standardised; masks: uint8 [n, 3, 16, 16], 255 = all of that cell.
    """

    latents: Tensor
    masks: Tensor


def cache_latents(
    vae: AutoencoderKL, name: str, folder: Path, count: int, *, backwards: bool = False
) -> Cached:
    """Encodes the scenes 0..count-1 in shards, those that are not on disk yet, and loads all.

    A second process may help from the other end (`backwards`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = training_device()
    vae = vae.eval().to(device)
    paths = [folder / f"{name}-{first:06d}.pt" for first in range(0, count, SHARD)]
    indices = list(range(len(paths)))
    for index in reversed(indices) if backwards else indices:
        path = paths[index]
        if not path.is_file():
            partial = path.with_suffix(f".partial{os.getpid()}")
            torch.save(_encode_shard(vae, index * SHARD, device), partial)
            partial.replace(path)
    shards = [torch.load(path, weights_only=True) for path in paths]
    return Cached(
        torch.cat([shard["latents"] for shard in shards])[:count],
        torch.cat([shard["masks"] for shard in shards])[:count],
    )


def small_masks(seed: int) -> Tensor:
    """Masks of a scene at the latents' size, uint8 [3, 16, 16]; missing subjects are empty."""
    masks = draw_masks(training_scene(seed).scene)
    cell = PICTURE_PX // LATENT_SIZE
    shape = (len(masks), LATENT_SIZE, cell, LATENT_SIZE, cell)
    coverage = masks.reshape(shape).mean((2, 4))
    small = np.zeros((MAX_SUBJECTS, LATENT_SIZE, LATENT_SIZE), np.uint8)
    small[: len(masks)] = np.round(coverage * 255)
    return torch.from_numpy(small)


@torch.no_grad()
def _encode_shard(vae: AutoencoderKL, first: int, device: torch.device) -> dict[str, Tensor]:
    latents: list[Tensor] = []
    for start in range(first, first + SHARD, BATCH):
        batch = as_batch([training_scene(start + i).scene for i in range(BATCH)]).to(device)
        with mixed_precision(device):
            latents.append(encode(vae, batch).half().cpu())
    masks = torch.stack([small_masks(seed) for seed in range(first, first + SHARD)])
    return {"latents": torch.cat(latents), "masks": masks}
