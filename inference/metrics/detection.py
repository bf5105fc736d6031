"""Detections in photos by a detection model of transformers that the user has (DETR, YOLOS and their like).

    PhotoDetector.load("facebook/detr-resnet-50")(images)

Pictures are scaled so that the shorter side is 800 pixels and normalised as ImageNet's, which these models
share; nothing is downloaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inference import checkpoints
from inference.errors import EditorError
from inference.messages import Message, listed
from inference.metrics.judge_models import judge_folder, judge_network, refused_as
from inference.metrics.tiam import overlap
from inference.request import Pixels

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# By the kind that their configuration names; nothing else is made, whatever it names.
_NETWORKS = {
    "conditional_detr": "ConditionalDetrForObjectDetection",
    "d_fine": "DFineForObjectDetection",
    "dab-detr": "DabDetrForObjectDetection",
    "deformable_detr": "DeformableDetrForObjectDetection",
    "detr": "DetrForObjectDetection",
    "lw_detr": "LwDetrForObjectDetection",
    "rt_detr": "RTDetrForObjectDetection",
    "rt_detr_v2": "RTDetrV2ForObjectDetection",
    "table-transformer": "TableTransformerForObjectDetection",
    "yolos": "YolosForObjectDetection",
}
_SHORTER_SIDE, _LONGEST_SIDE = 800, 1333
_LEAST_SCORE = 0.6
_SAME = 0.7  # boxes of one kind that overlap more than this are one thing
_MIDDLE = 0.25  # a thing's colour is read from the middle of its box, this share cut off on each side


@dataclass(frozen=True, kw_only=True)
class PhotoDetection:
    """One found thing. `box`: (x0, y0, x1, y1), 0..1; `colours`: {"colour": RGB 0..1 of its middle}."""

    kind: str
    score: float
    box: tuple[float, float, float, float]
    attributes: dict[str, float] = field(default_factory=dict[str, float])
    colours: dict[str, tuple[float, float, float]] = field(
        default_factory=dict[str, tuple[float, float, float]]
    )


class PhotoDetector:
    """A detection model with its labels; `least_score` is how sure it has to be."""

    def __init__(self, network: Any, *, least_score: float = _LEAST_SCORE) -> None:
        self._network = network.eval().requires_grad_(False)
        self._least_score = least_score
        self._names: dict[int, str] = {
            int(index): str(name) for index, name in network.config.id2label.items()
        }

    @classmethod
    def load(cls, model: str) -> "PhotoDetector":
        """Read a folder, or a hub id from the hub's cache.

        Raises:
            EditorError: it is not there, or no detection model.
        """
        folder = judge_folder(model, Message("detection"))
        with refused_as(model, Message("detection")):
            network = judge_network(_network_class(folder, model), folder)
        return cls(network)

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(self._names.values())

    @torch.no_grad()
    def __call__(self, images: Sequence[Pixels]) -> list[list[PhotoDetection]]:
        """What is in each picture, the surest first."""
        return [self._found(image) for image in images]

    def _found(self, image: Pixels) -> list[PhotoDetection]:
        output = self._network(pixel_values=_prepared(image))
        scores = self._scores(output.logits[0].float())
        best, kinds = scores.max(-1)
        found: list[PhotoDetection] = []
        for row in best.argsort(descending=True):
            if float(best[row]) < self._least_score:
                break
            box = _corners(output.pred_boxes[0, row].float())
            kind = self._names[int(kinds[row])]
            if any(one.kind == kind and overlap(one.box, box) > _SAME for one in found):
                continue
            colour = {"colour": _middle_colour(image, box)}
            found.append(PhotoDetection(kind=kind, score=float(best[row]), box=box, colours=colour))
        return found

    def _scores(self, logits: Tensor) -> Tensor:
        """Probabilities [queries, kinds]; models with a class for nothing (the last) use a softmax."""
        if logits.shape[-1] == len(self._names) + 1:
            return logits.softmax(-1)[..., :-1]
        return logits.sigmoid()


def _network_class(folder: str, model: str) -> Any:
    import transformers

    kind = str(checkpoints.read_json(Path(folder) / "config.json").get("model_type", ""))
    if kind not in _NETWORKS:
        raise EditorError(
            "“{model}” cannot be used as a detection model: it is of the kind “{kind}”.",
            "Known are: {known}.",
            model=model,
            kind=kind[:100],
            known=listed(_NETWORKS),
        )
    return getattr(transformers, _NETWORKS[kind])


def _prepared(image: Pixels) -> Tensor:
    height, width = image.shape[:2]
    scale = min(_SHORTER_SIDE / min(height, width), _LONGEST_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    scaled = Image.fromarray(np.ascontiguousarray(image[..., :3])).resize(size, Image.Resampling.BILINEAR)
    values = (np.asarray(scaled, np.float32) / 255 - _MEAN) / _DEVIATION
    return torch.tensor(values.astype(np.float32)).permute(2, 0, 1)[None]


def _corners(box: Tensor) -> tuple[float, float, float, float]:
    """(centre x, centre y, width, height) → (x0, y0, x1, y1), all 0..1."""
    x, y, width, height = (float(value) for value in box)
    corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    x0, y0, x1, y1 = (min(1.0, max(0.0, value)) for value in corners)
    return x0, y0, x1, y1


def _middle_colour(image: Pixels, box: Sequence[float]) -> tuple[float, float, float]:
    height, width = image.shape[:2]
    cut_x, cut_y = _MIDDLE * (box[2] - box[0]), _MIDDLE * (box[3] - box[1])
    left, right = int((box[0] + cut_x) * width), int((box[2] - cut_x) * width)
    top, bottom = int((box[1] + cut_y) * height), int((box[3] - cut_y) * height)
    left, top = min(left, width - 1), min(top, height - 1)
    part = image[top : max(bottom, top + 1), left : max(right, left + 1), :3]
    red, green, blue = (float(value) / 255 for value in np.median(part.reshape(-1, 3), axis=0))
    return red, green, blue
