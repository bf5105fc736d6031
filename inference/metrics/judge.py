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
        raise EditorError("The detector is missing.", f"It belongs in {folder}; install Attune again.")
    detector = Detector.load(folder)

    def detect(images: Sequence[Pixels]) -> Sequence[Sequence[Detection]]:
        batches = (torch.tensor(image[..., :3].astype(np.float32) / 255) for image in images)
        return [detector(batch.permute(2, 0, 1)[None])[0] for batch in batches]

    return Judge(detect, frozenset(KINDS))


@lru_cache(maxsize=1)
def for_photos(model: str) -> Judge:
    """A detection model of the user: a folder, or a name in the hub's cache; loaded once.

    Raises:
        EditorError: it is not there, or no detection model.
    """
    detector = PhotoDetector.load(model)
    return Judge(detector, detector.labels)
