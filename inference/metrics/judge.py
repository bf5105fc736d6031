"""The judge that knows what the built-in models paint: their detector, loaded once."""

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from inference.errors import EditorError
from inference.miniworld.detector import Detection, Detector
from inference.request import Pixels


def detections(images: Sequence[Pixels]) -> list[list[Detection]]:
    """What is in each picture (uint8 [H, W, 3 or 4], of any size).

    Raises:
        EditorError: the detector is not installed.
    """
    found: list[list[Detection]] = []
    for image in images:
        batch = torch.tensor(image[..., :3].astype(np.float32) / 255).permute(2, 0, 1)[None]
        found += _detector()(batch)
    return found


@lru_cache(maxsize=1)
def _detector() -> Detector:
    folder = Path(str(resources.files("resources"))) / "models" / "detector"
    if not folder.is_dir():
        raise EditorError("The detector is missing.", f"It belongs in {folder}; install Attune again.")
    return Detector.load(folder)
