"""Adjustments that stay editable: one file each, a settings class and a function; this table names them.

An adjustment takes and gives planes float32 [4, H, W]: straight RGBA in 0..1 of the document's colour space.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from editor.adjustments.black_and_white import BlackAndWhite
from editor.adjustments.brightness_contrast import BrightnessContrast
from editor.adjustments.curves import Curves
from editor.adjustments.gaussian_blur import GaussianBlur
from editor.adjustments.hue_saturation import HueSaturation
from editor.adjustments.invert import Invert
from editor.adjustments.levels import Levels
from editor.adjustments.posterise import Posterise
from editor.adjustments.sharpen import Sharpen
from editor.adjustments.white_balance import WhiteBalance
from inference.errors import EditorError
from inference.parameters import N_, Parameters

Planes: TypeAlias = NDArray[np.float32]
Apply: TypeAlias = Callable[[Parameters, Planes, float], Planes]


@dataclass(frozen=True, kw_only=True)
class AdjustmentKind:
    """One declared adjustment.

    Args:
        name: key in files.
        settings: the class whose fields the panel shows.
        module: has `apply(settings, planes, scale) -> planes`, where `scale` (≤ 1) is the size of the planes'
            pixels' picture as a share of the document's, and, for those that look at neighbours,
            `reach_px(settings) -> int` in pixels of the document.
        local: whether a pixel depends on itself alone.
        by_channel: whether even each of its channels does: then a table of all samples says everything.
    """

    name: str
    label: str
    settings: type[Parameters]
    module: str
    local: bool = True
    by_channel: bool = False


ADJUSTMENTS: dict[str, AdjustmentKind] = {
    kind.name: kind
    for kind in (
        AdjustmentKind(
            name="levels",
            label=N_("Adjustments", "Levels"),
            settings=Levels,
            module="editor.adjustments.levels",
            by_channel=True,
        ),
        AdjustmentKind(
            name="curves",
            label=N_("Adjustments", "Curves"),
            settings=Curves,
            module="editor.adjustments.curves",
            by_channel=True,
        ),
        AdjustmentKind(
            name="brightness-contrast",
            label=N_("Adjustments", "Brightness and contrast"),
            settings=BrightnessContrast,
            module="editor.adjustments.brightness_contrast",
            by_channel=True,
        ),
        AdjustmentKind(
            name="hue-saturation",
            label=N_("Adjustments", "Hue, saturation, lightness"),
            settings=HueSaturation,
            module="editor.adjustments.hue_saturation",
        ),
        AdjustmentKind(
            name="white-balance",
            label=N_("Adjustments", "White balance"),
            settings=WhiteBalance,
            module="editor.adjustments.white_balance",
            by_channel=True,
        ),
        AdjustmentKind(
            name="black-and-white",
            label=N_("Adjustments", "Black and white"),
            settings=BlackAndWhite,
            module="editor.adjustments.black_and_white",
        ),
        AdjustmentKind(
            name="invert",
            label=N_("Adjustments", "Invert"),
            settings=Invert,
            module="editor.adjustments.invert",
            by_channel=True,
        ),
        AdjustmentKind(
            name="posterise",
            label=N_("Adjustments", "Posterise"),
            settings=Posterise,
            module="editor.adjustments.posterise",
            by_channel=True,
        ),
        AdjustmentKind(
            name="gaussian-blur",
            label=N_("Adjustments", "Gaussian blur"),
            settings=GaussianBlur,
            module="editor.adjustments.gaussian_blur",
            local=False,
        ),
        AdjustmentKind(
            name="sharpen",
            label=N_("Adjustments", "Sharpen"),
            settings=Sharpen,
            module="editor.adjustments.sharpen",
            local=False,
        ),
    )
}

_BY_SETTINGS = {kind.settings: kind for kind in ADJUSTMENTS.values()}


def kind_of(settings: Parameters) -> AdjustmentKind:
    """The kind that a settings object belongs to.

    Raises:
        EditorError: it is no adjustment's.
    """
    kind = _BY_SETTINGS.get(type(settings))
    if kind is None:
        raise EditorError("There is no adjustment with “{kind}”.", kind=type(settings).__name__)
    return kind


def apply(settings: Parameters, planes: Planes, scale: float = 1.0) -> Planes:
    """The adjusted planes [4, H, W]; the given ones are not written to."""
    module = importlib.import_module(kind_of(settings).module)
    return cast("Apply", module.apply)(settings, planes, scale)


def reach_px(settings: Parameters) -> int:
    """How far, in pixels of the document, a pixel's change carries."""
    kind = kind_of(settings)
    if kind.local:
        return 0
    return int(importlib.import_module(kind.module).reach_px(settings))
