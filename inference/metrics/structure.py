"""How far the layout of one picture is from that of another, whatever they look like (arXiv:2201.00424).

    S_ij = cos(k_i, k_j)            self-similarity of the features at all places of one picture
    distance = mean (S - S')²       0 for the same layout

The paper takes the keys of a vision transformer's last layer (DINO); where the user has none, the built-in
detector's features stand for them. Figures of different features cannot be compared.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from inference.metrics.judge_models import judge_folder, judge_network, refused_as
from inference.request import Pixels

Features: TypeAlias = Callable[[Pixels], NDArray[np.float32]]
"""A picture's features at its places, [places, D]; pictures of one size have the same places."""

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_VIT_PX = 224


def self_similarity(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines [places, places] between features [places, D]."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, 1e-12)
    return (unit @ unit.T).astype(np.float32)


def structure_distance(first: Pixels, second: Pixels, features: Features) -> float:
    """The distance of two pictures of one size; see the module's text."""
    similarities = [self_similarity(features(picture)) for picture in (first, second)]
    return float(np.mean((similarities[0] - similarities[1]) ** 2, dtype=np.float64))


class DinoKeys:
    """Keys of the last layer of a vision transformer, without the token of the whole picture."""

    def __init__(self, network: Any) -> None:
        self._network = network.eval().requires_grad_(False)
        self._key = _last_key(self._network)

    @classmethod
    def load(cls, model: str) -> "DinoKeys":
        """Read a folder, or a hub id from the hub's cache; nothing is downloaded.

        Raises:
            EditorError: it is not there, or no vision transformer.
        """
        from transformers import AutoModel

        network: Any = AutoModel
        folder = judge_folder(model, "DINO")
        with refused_as(model, "DINO"):
            return cls(judge_network(network, folder))

    @torch.no_grad()
    def __call__(self, picture: Pixels) -> NDArray[np.float32]:
        image = Image.fromarray(np.ascontiguousarray(picture[..., :3]))
        scaled = np.asarray(image.resize((_VIT_PX, _VIT_PX), Image.Resampling.BICUBIC), np.float32) / 255
        values = torch.tensor(((scaled - _MEAN) / _DEVIATION).astype(np.float32)).permute(2, 0, 1)[None]
        found: list[Tensor] = []

        def keep(_module: Any, _given: Any, output: Tensor) -> None:
            found.append(output)

        hook = self._key.register_forward_hook(keep)
        try:
            self._network(pixel_values=values)
        finally:
            hook.remove()
        keys = found[-1][0].float()
        patches = (_VIT_PX // int(self._network.config.patch_size)) ** 2
        return keys[-patches:].numpy()


class DetectorFeatures:
    """Features of a convolutional network's trunk at a quarter of its input's size."""

    def __init__(self, layers: Any, input_px: int) -> None:
        self._layers = layers
        self._input_px = input_px

    @torch.no_grad()
    def __call__(self, picture: Pixels) -> NDArray[np.float32]:
        values = torch.tensor(picture[..., :3].astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        size = (self._input_px, self._input_px)
        if tuple(values.shape[-2:]) != size:
            values = functional.interpolate(values, size, mode="bilinear", antialias=True)
        return self._layers(values)[0].flatten(1).T.contiguous().numpy()


def _last_key(network: Any) -> Any:
    """The projection of keys of the last attention; a ValueError where there is none."""
    names = [name for name, _ in network.named_modules() if name.endswith((".key", ".k_proj"))]
    if not names:
        raise ValueError("it has no projection of keys")
    return network.get_submodule(names[-1])
