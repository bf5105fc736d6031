"""Who tells what is in a picture: the detector of the built-in models, or a detection model of the user."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from inference.errors import EditorError
from inference.metrics.detection import PhotoDetector
from inference.metrics.tiam import Detection
from inference.miniworld.detector import Detector
from inference.miniworld.scene import KINDS
from inference.request import Pixels


@dataclass(frozen=True)
class Judge:
    """`detect` finds things of `kinds` in pictures (uint8 [H, W, 3 or 4], of any size)."""

    detect: Callable[[Sequence[Pixels]], Sequence[Sequence[Detection]]]
    kinds: frozenset[str]


@lru_cache(maxsize=1)
def built_in() -> Judge:
    """The detector of the built-in models, loaded once.

    Raises:
        EditorError: it is not installed.
    """
    folder = Path(str(resources.files("resources"))) / "models" / "detector"
    if not folder.is_dir():
        raise EditorError(
            "The detector is missing.", "It belongs in {folder}; install Attune again.", folder=folder
        )
    detector = Detector.load(folder)

    def detect(images: Sequence[Pixels]) -> Sequence[Sequence[Detection]]:
        if len({image.shape[:2] for image in images}) == 1:  # one size, as from one run: all at once
            return detector(_batch(images))
        return [detector(_batch([image]))[0] for image in images]

    return Judge(detect, frozenset(KINDS))


@lru_cache(maxsize=1)
def for_photos(model: str) -> Judge:
    """A detection model of the user: a folder, or a name in the hub's cache; loaded once.

    Raises:
        EditorError: it is not there, or no detection model.
    """
    detector = PhotoDetector.load(model)
    return Judge(detector, detector.labels)


def _batch(images: Sequence[Pixels]) -> torch.Tensor:
    """Pictures of one size as float [N, 3, H, W] in 0..1."""
    stacked = np.stack([image[..., :3] for image in images]).astype(np.float32) / 255
    return torch.tensor(stacked).permute(0, 3, 1, 2)
