"""How well a slider moves one attribute of one subject and nothing else.

For one pair of prompt and seed, the pictures at positions α of a slider are compared with the one at
α = 0: the order of the measured attribute (Spearman), how far the other subject follows along, and how
much the rest of the picture changes (PSNR outside the edited subject's box).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.metrics.psnr import psnr
from inference.metrics.tiam import Detection
from inference.request import Pixels

Value: TypeAlias = Callable[[Detection], float]
FEWEST_POSITIONS = 5  # with fewer, a rank correlation says nothing


@dataclass(frozen=True, kw_only=True)
class Slider:
    """What was measured along one slider; NaN where the subject was not found.

    `edited`, `other`: the attribute at each α. `background_db`: PSNR against α = 0 at each α ≠ 0, NaN where
    the subject covers the picture.
    """

    alphas: tuple[float, ...]
    edited: tuple[float, ...]
    other: tuple[float, ...]
    background_db: tuple[float, ...]

    @property
    def present_at_zero(self) -> bool:
        """Whether both subjects were in the unedited picture: otherwise there is nothing to measure."""
        zero = self.alphas.index(0.0)
        return not (math.isnan(self.edited[zero]) or math.isnan(self.other[zero]))

    @property
    def lost(self) -> int:
        """At how many positions one of the two was no longer found."""
        return sum(math.isnan(a) or math.isnan(b) for a, b in zip(self.edited, self.other, strict=True))

    @property
    def spearman(self) -> float:
        """Rank correlation of the edited subject's attribute with α; 0 with too few positions left."""
        kept = [(a, v) for a, v in zip(self.alphas, self.edited, strict=True) if not math.isnan(v)]
        if len(kept) < FEWEST_POSITIONS:
            return 0.0
        return spearman([a for a, _ in kept], [v for _, v in kept])

    @property
    def edited_change(self) -> float:
        return _change(self.alphas, self.edited)

    @property
    def other_change(self) -> float:
        return _change(self.alphas, self.other)

    @property
    def mean_background_db(self) -> float:
        known = [value for value in self.background_db if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan

    def to_json(self) -> dict[str, Any]:
        return {
            "alphas": list(self.alphas),
            "edited": [_plain(value) for value in self.edited],
            "other": [_plain(value) for value in self.other],
            "background_db": [_plain(value) for value in self.background_db],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Slider":
        numbers = {
            name: tuple(math.nan if value is None else float(value) for value in values[name])
            for name in ("alphas", "edited", "other", "background_db")
        }
        return cls(**numbers)


def measure(
    images: Sequence[Pixels],
    found: Sequence[Sequence[Detection]],
    alphas: Sequence[float],
    *,
    edited: str,
    other: str,
    value: Value,
) -> Slider:
    """Measure one slider from its pictures and their detections.

    `edited` and `other` are kinds; `value` reads the attribute from a detection, NaN if it has none.
    """
    zero = list(alphas).index(0.0)
    at_edited = [_first(detections, edited) for detections in found]
    at_other = [_first(detections, other) for detections in found]
    background = tuple(
        _apart(image, images[zero], ~_boxes(image.shape, at_edited[index], at_edited[zero]))
        for index, image in enumerate(images)
        if index != zero
    )
    return Slider(
        alphas=tuple(alphas),
        edited=tuple(math.nan if one is None else value(one) for one in at_edited),
        other=tuple(math.nan if one is None else value(one) for one in at_other),
        background_db=background,
    )


def along(colour: Sequence[float], low: Sequence[float], high: Sequence[float]) -> float:
    """Where `colour` lies on the line from `low` (0) to `high` (1); all in RGB of one scale."""
    start, way = np.asarray(low, np.float64), np.subtract(high, low)
    return float((np.asarray(colour) - start) @ way / (way @ way))


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Rank correlation, ties sharing their mean rank; 0 if either is constant."""
    a, b = _ranks(first), _ranks(second)
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0


def summary(sliders: Sequence[Slider]) -> dict[str, Any]:
    """The table of an evaluation: means with spreads over the pairs, and what was left out and why.

    The change of a subject is its mean |attribute(α) - attribute(0)|; the ratio is of the sums over all
    pairs, so that pairs in which nothing moves cannot blow it up. Its spread is over pairs.
    """
    kept = [slider for slider in sliders if slider.present_at_zero]
    edited = np.array([slider.edited_change for slider in kept])
    other = np.array([slider.other_change for slider in kept])
    return {
        "pairs": len(sliders),
        "missing_at_zero": len(sliders) - len(kept),
        "measured": len(kept),
        "pictures_with_a_lost_subject": sum(slider.lost for slider in kept),
        "spearman": spread([slider.spearman for slider in kept]),
        "edited_change": spread(edited),
        "other_change": spread(other),
        "other_to_edited": float(other.sum() / edited.sum()) if edited.sum() > 0 else None,
        "other_to_edited_per_pair": spread(other[edited > 0] / edited[edited > 0]),
        "background_db": spread([db for slider in kept if not math.isnan(db := slider.mean_background_db)]),
        "by_alpha": _by_alpha(kept),
    }


def spread(values: "Sequence[float] | NDArray[np.float64]") -> dict[str, float | None]:
    """Mean, standard deviation, and the 5th, 50th and 95th percentile; None for nothing."""
    array = np.asarray(values, np.float64)
    if array.size == 0:
        return dict.fromkeys(("mean", "sd", "p5", "median", "p95"))
    low, middle, high = np.percentile(array, (5, 50, 95))
    return {
        "mean": float(array.mean()),
        "sd": float(array.std()),
        "p5": float(low),
        "median": float(middle),
        "p95": float(high),
    }


def _by_alpha(sliders: Sequence[Slider]) -> list[dict[str, Any]]:
    """Mean attribute of both subjects, and the background, at each position."""
    if not sliders:
        return []
    alphas = sliders[0].alphas
    edited = np.array([slider.edited for slider in sliders])
    other = np.array([slider.other for slider in sliders])
    background = np.array([_with_zero(slider) for slider in sliders])
    return [
        {
            "alpha": alpha,
            "edited": _nan_mean(edited[:, index]),
            "other": _nan_mean(other[:, index]),
            "background_db": _nan_mean(background[:, index]),
        }
        for index, alpha in enumerate(alphas)
    ]


def _with_zero(slider: Slider) -> list[float]:
    """`background_db` with a NaN in the place of α = 0."""
    zero = slider.alphas.index(0.0)
    return [*slider.background_db[:zero], math.nan, *slider.background_db[zero:]]


def _nan_mean(values: NDArray[np.float64]) -> float | None:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else None


def _change(alphas: Sequence[float], values: Sequence[float]) -> float:
    zero = values[list(alphas).index(0.0)]
    moves = [abs(v - zero) for a, v in zip(alphas, values, strict=True) if a != 0 and not math.isnan(v)]
    return float(np.mean(moves)) if moves else 0.0


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    below = (array[None, :] < array[:, None]).sum(1)
    equal = (array[None, :] == array[:, None]).sum(1)
    return below + (equal - 1) / 2


def _apart(first: Pixels, second: Pixels, mask: NDArray[np.bool_]) -> float:
    return psnr(first, second, mask) if mask.any() else math.nan


def _first(found: Sequence[Detection], kind: str) -> Detection | None:
    same = [detection for detection in found if detection.kind == kind]
    return max(same, key=lambda detection: detection.score) if same else None


def _boxes(shape: tuple[int, ...], *found: Detection | None) -> NDArray[np.bool_]:
    """[H, W], true inside any of the boxes."""
    height, width = shape[:2]
    inside = np.zeros((height, width), np.bool_)
    for detection in found:
        if detection is not None:
            x0, y0, x1, y1 = detection.box
            rows = slice(max(0, math.floor(y0 * height)), math.ceil(y1 * height))
            inside[rows, max(0, math.floor(x0 * width)) : math.ceil(x1 * width)] = True
    return inside


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
