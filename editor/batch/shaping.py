"""Steps that change a picture's frame, size or colour space, as values and as what they do."""

from __future__ import annotations

from dataclasses import dataclass

from editor.colour.conversion import PROFILES
from editor.document.export_options import RESAMPLINGS
from editor.edits.geometry import ANCHORS
from editor.layers.limits import LARGEST_SIDE_PX
from editor.pixels.raster import Area
from inference.errors import EditorError
from inference.messages import Message
from inference.parameters import N_, Parameters, param
from inference.values import refused

_MOST_RATIO = 100.0


@dataclass(frozen=True, kw_only=True)
class Size(Parameters):
    """Another number of pixels; what is 0 follows from the rest, so that nothing is stretched.

    `longest` is of the longer side and goes before width and height; `percent` holds where all are 0. With
    `enlarge` off, smaller pictures stay as they are.
    """

    longest: int = param(0, N_("Batch", "Longer side"), min=0, max=LARGEST_SIDE_PX)
    width: int = param(0, N_("Batch", "Width"), min=0, max=LARGEST_SIDE_PX)
    height: int = param(0, N_("Batch", "Height"), min=0, max=LARGEST_SIDE_PX)
    percent: float = param(100.0, N_("Batch", "Scale"), min=1, max=1000)
    enlarge: bool = param(False, N_("Batch", "Enlarge smaller pictures"))
    resampling: str = param("lanczos", N_("Batch", "Resampling"), choices=RESAMPLINGS)

    def of(self, width: int, height: int) -> tuple[int, int]:
        """The new (width, height) of a picture of that size; at least 1 × 1."""
        if self.longest:
            share = self.longest / max(width, height)
            new = (round(width * share), round(height * share))
        elif self.width and self.height:
            new = (self.width, self.height)
        elif self.width:
            new = (self.width, round(height * self.width / width))
        elif self.height:
            new = (round(width * self.height / height), self.height)
        else:
            new = (round(width * self.percent / 100), round(height * self.percent / 100))
        if not self.enlarge and new[0] * new[1] > width * height:
            return width, height
        return max(1, new[0]), max(1, new[1])


@dataclass(frozen=True, kw_only=True)
class Crop(Parameters):
    """The largest part with a ratio of sides, such as "3:2", at an anchor of the picture.

    With `turn` a picture that is higher than wide gets the ratio upright (2:3).
    """

    ratio: str = param("3:2", N_("Batch", "Ratio of sides"), most=20)
    anchor: str = param("centre", N_("Batch", "What stays"), choices=tuple(ANCHORS))
    turn: bool = param(True, N_("Batch", "Upright for upright pictures"))

    def __post_init__(self) -> None:
        super().__post_init__()
        _sides(self.ratio)

    def of(self, width: int, height: int) -> Area:
        """The part of a picture of that size; at least one pixel."""
        across, down = _sides(self.ratio)
        if self.turn and (width < height) != (across < down) and width != height:
            across, down = down, across
        ratio = across / down
        new = (width, round(width / ratio)) if width / height < ratio else (round(height * ratio), height)
        new = (min(max(1, new[0]), width), min(max(1, new[1]), height))
        right, low = ANCHORS[self.anchor]
        return Area(round((width - new[0]) * right), round((height - new[1]) * low), *new)


@dataclass(frozen=True, kw_only=True)
class Profile(Parameters):
    """The same look in one of the built-in colour spaces."""

    name: str = param("srgb", N_("Batch", "Colour profile"), choices=tuple(PROFILES))


def _sides(text: str) -> tuple[float, float]:
    """The two numbers of "3:2" or "1.91:1".

    Raises:
        EditorError: it is no ratio.
    """
    first, mark, second = text.partition(":")
    try:
        across, down = float(first), float(second)
    except ValueError:
        across = down = 0.0
    if not mark or not (across > 0 and down > 0 and 1 / _MOST_RATIO <= across / down <= _MOST_RATIO):
        raise EditorError(
            refused(N_("Batch", "Ratio of sides"), text, Message("it is no ratio of sides")).sentence,
            "Write it as 3:2, 1:1 or 16:9.",
        )
    return across, down
