"""The detector of the built-in models as a judge of pictures."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from inference.errors import EditorError
from inference.metrics.judge import Judge
from inference.metrics.structure import DetectorFeatures
from inference.metrics.tiam import Detection
from inference.request import Pixels

from .detector import INPUT_PX, Detector
from .scene import KINDS, PEOPLE

_STRUCTURE_LAYERS = 6  # three halvings: 16 × 16 places


def load() -> Judge:
    """The shipped detector.

    Raises:
        EditorError: it is not installed.
    """
    detector = _detector()

    def detect(images: Sequence[Pixels]) -> Sequence[Sequence[Detection]]:
        if len({image.shape[:2] for image in images}) == 1:  # one size, as from one run: all at once
            return detector(_batch(images))
        return [detector(_batch([image]))[0] for image in images]

    return Judge(detect, frozenset(KINDS), frozenset(PEOPLE))


def _detector() -> Detector:
    folder = Path(str(resources.files("resources"))) / "models" / "detector"
    if not folder.is_dir():
        raise EditorError(
            "The detector is missing.", "It belongs in {folder}; install Attune again.", folder=folder
        )
    return Detector.load(folder)


def structure_features() -> DetectorFeatures:
    """The shipped detector's features at an eighth of its input, for `inference.metrics.structure`.

    Raises:
        EditorError: it is not installed.
    """
    network = _detector().network
    return DetectorFeatures(network.trunk[:_STRUCTURE_LAYERS], INPUT_PX)


def _batch(images: Sequence[Pixels]) -> torch.Tensor:
    """Pictures of one size as float [N, 3, H, W] in 0..1."""
    stacked = np.stack([image[..., :3] for image in images]).astype(np.float32) / 255
    return torch.tensor(stacked).permute(0, 3, 1, 2)
