"""An autoencoder that works tile by tile where the whole picture does not fit into memory."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from inference import memory

_T = TypeVar("_T")
_USUAL = 512  # pixels of a tile's side
_LEAST = 128
_OVERLAP = 0.25  # of a tile, over which neighbours fade into each other


def fitting(work: Callable[[], _T], vae: Any, device: torch.device, side: int) -> _T:
    """What `work` gives; where memory runs out it is done again in tiles, which look nearly the same.

    So a run is not lost whose last step is the largest.

    Args:
        work: encodes or decodes with `vae`.
        side: the picture's longer side in pixels.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not memory.is_out_of_memory(error) or side <= _LEAST:
            raise
    memory.free(device)  # outside of the clause: the exception holds tensors
    with _tiled(vae, max(min(_USUAL, side // 2), _LEAST)):
        return work()


@contextmanager
def _tiled(vae: Any, side: int) -> Generator[None]:
    scale = 2 ** (len(vae.config["block_out_channels"]) - 1)
    values = {
        "use_tiling": True,
        "tile_sample_min_size": side // scale * scale,
        "tile_latent_min_size": side // scale,
        "tile_overlap_factor": _OVERLAP,
    }
    before = {name: getattr(vae, name) for name in values}
    for name, value in values.items():
        setattr(vae, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(vae, name, value)
