"""Style and background of a picture of the mini world, read by a linear probe.

The detector knows subjects only. The probe is fitted on renders that went through a model's autoencoder, so
that it reads what models draw, and tells its own errors on others. Deterministic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from inference.request import Pixels

from .render import draw_pixels
from .scene import BACKGROUNDS, STYLES, Scene, sample_scene

_CELLS = 12  # of the small copy, along each side
_LEVEL_STEP = 51  # of the paint's levels
_FIRST_SEED = 97_000_000
_RIDGE = 3.0

Through = Callable[[Pixels], Pixels]


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What a picture looks like: a name of `STYLES` and one of `BACKGROUNDS`."""

    style: str
    background: str


@dataclass(frozen=True)
class LookReader:
    """Weights [numbers, styles + backgrounds] of the probe, and the shares that it reads right."""

    weights: NDArray[np.float64]
    style_accuracy: float
    background_accuracy: float

    def __call__(self, picture: Pixels) -> Looks:
        scores = _numbers(picture) @ self.weights
        count = len(STYLES)
        return Looks(
            style=STYLES[int(scores[:count].argmax())],
            background=BACKGROUNDS[int(scores[count:].argmax())],
        )


def fitted(through: Through, count: int = 600, held_out: int = 150) -> LookReader:
    """A probe for pictures that come out of `through`, a model's autoencoder."""
    scenes = [_scene(number) for number in range(count + held_out)]
    pictures = [draw_pixels(scene) for scene in scenes]
    # one half as drawn, the other as models draw
    seen = [through(one) if i % 2 or i >= count else one for i, one in enumerate(pictures)]
    numbers = np.stack([_numbers(one) for one in seen])
    targets = np.stack([_target(scene) for scene in scenes])
    known, wanted = numbers[:count], targets[:count]
    square = known.T @ known + _RIDGE * np.eye(known.shape[1])
    weights = np.linalg.solve(square, known.T @ wanted)
    reader = LookReader(weights, 0.0, 0.0)
    read = [reader(one) for one in seen[count:]]
    others = scenes[count:]
    return LookReader(
        weights,
        _share([found.style == scene.style for found, scene in zip(read, others, strict=True)]),
        _share([found.background == scene.background for found, scene in zip(read, others, strict=True)]),
    )


def _scene(number: int) -> Scene:
    styles, backgrounds = len(STYLES), len(BACKGROUNDS)
    return sample_scene(
        _FIRST_SEED + number,
        style=STYLES[number % styles],
        background=BACKGROUNDS[number // styles % backgrounds],
    )


def _target(scene: Scene) -> NDArray[np.float64]:
    return np.array(
        [
            *(float(scene.style == name) for name in STYLES),
            *(float(scene.background == name) for name in BACKGROUNDS),
        ]
    )


def _numbers(picture: Pixels) -> NDArray[np.float64]:
    """Colours of a small copy, and what tells styles apart: saturation, levels of paint, edges."""
    rgb = torch.tensor(picture[..., :3].astype(np.float32)).permute(2, 0, 1)[None]
    small = torch.nn.functional.adaptive_avg_pool2d(rgb, (_CELLS, _CELLS)).numpy().ravel() / 255 - 0.5
    values = picture[..., :3].astype(np.float32)
    saturation = (values.max(-1) - values.min(-1)) / 255
    off_level = np.abs((values + _LEVEL_STEP / 2) % _LEVEL_STEP - _LEVEL_STEP / 2) / _LEVEL_STEP
    edges = np.abs(np.diff(values.mean(-1), axis=1)) / 255
    dark = values.mean(-1) < 100
    more = [
        saturation.mean(), saturation.std(), off_level.mean(), off_level.std(), np.median(off_level),
        edges.mean(), edges.std(), np.quantile(edges, 0.9), dark.mean(), values.std() / 255, 1.0,
    ]  # fmt: skip
    return np.concatenate([small, 4 * np.array(more, np.float64)])


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right)
