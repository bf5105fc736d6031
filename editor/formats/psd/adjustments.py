"""Photoshop's adjustment layers as ours, where there is one; the table says how near they come.

* invert, posterise, levels: the same;
* curves: the same points; between them ours never overshoots;
* hue/saturation: the whole range; ranges of single hues are left out;
* brightness/contrast of the older kind: as levels, the same; else by the nearest of ours (Photoshop's newer
  kind spares highlights and shadows);
* black & white: red, green and blue, scaled so that grey stays grey; yellow, cyan and magenta are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from editor.adjustments.black_and_white import BlackAndWhite
from editor.adjustments.brightness_contrast import BrightnessContrast
from editor.adjustments.curves import STRAIGHT, Curves, Points
from editor.adjustments.hue_saturation import HueSaturation
from editor.adjustments.invert import Invert
from editor.adjustments.levels import NEUTRAL, SMALLEST_SPAN, Levels, Range
from editor.adjustments.posterise import Posterise
from inference.messages import NOTHING, Message
from inference.parameters import Parameters

_LEGACY_BRIGHTNESS = b"brit"
_CHANNELS = ("combined", "red", "green", "blue")


def settings_of(layer: Any, notes: list[Message], *, grey: bool = False) -> Parameters | None:
    """Our settings of an adjustment layer; None if it is none, or one that Attune lacks.

    In a `grey` document what is said of the second channel is of grey, not of red.
    """
    if str(layer.kind) == "pixel" and _LEGACY_BRIGHTNESS in layer.tagged_blocks:
        return _legacy_brightness(layer.tagged_blocks.get_data(_LEGACY_BRIGHTNESS))
    convert = _KINDS.get(str(layer.kind))
    if convert is None:
        return None
    settings, difference = convert(layer)
    if grey and isinstance(settings, Levels | Curves):
        settings = replace(settings, green=settings.red, blue=settings.red)
    if difference:
        notes.append(Message("Adjustment “{name}”: {difference}.", name=layer.name, difference=difference))
    return settings


def _levels(layer: Any) -> tuple[Parameters, Message]:
    ranges = [_range(record) for record in (layer.data or ())[:4]]
    return Levels(**dict(zip(_CHANNELS, ranges))), NOTHING


def _range(record: Any) -> Range:
    black = min(253, max(0, record.input_floor)) / 255
    white = max(black + 2 / 255, min(255, record.input_ceiling) / 255)
    gamma = max(0.1, min(10.0, record.gamma / 100))
    low, high = (min(255, max(0, value)) / 255 for value in (record.output_floor, record.output_ceiling))
    found = (black, gamma, min(1.0, white), low, high)
    return NEUTRAL if found == (0, 1, 1, 0, 1) else found


def _curves(layer: Any) -> tuple[Parameters, Message]:
    found: dict[str, Points] = {}
    items = layer.extra if layer.extra is not None else ()
    for item in items:
        if 0 <= item.channel_id < len(_CHANNELS):
            found[_CHANNELS[item.channel_id]] = _points(item.points)
    if not found and layer.data is not None:
        for name, points in zip(_CHANNELS, layer.data.data):
            found[name] = _points(points)
    return Curves(**found), Message("between its points the curve may differ a little")


def _points(points: list[Any]) -> Points:
    if points and isinstance(points[0], int):  # a table of 256 values
        pairs = [(place / 255, points[place] / 255) for place in range(0, 256, 15)]
    else:
        pairs = [(place / 255, value / 255) for value, place in points]
    by_place = {min(1.0, max(0.0, x)): min(1.0, max(0.0, y)) for x, y in pairs}
    return tuple(sorted(by_place.items())) or STRAIGHT


def _legacy_brightness(data: Any) -> Levels:
    """Photoshop's older kind: contrast about a middle, then so many levels brighter: as levels are."""
    contrast = max(-100, min(100, int(data.contrast)))
    middle = max(1, min(254, int(getattr(data, "mean", 127) or 127))) / 255
    slope = (100 + contrast) / 100 if contrast <= 0 else 100 / max(0.5, 100 - contrast)
    start = middle - slope * middle + int(data.brightness) / 255  # of 0; of 1 it is start + slope
    if slope <= 0:
        level = min(1.0, max(0.0, start))
        return Levels(combined=(0.0, 1.0, 1.0, level, level))
    black, white = max(0.0, -start / slope), min(1.0, (1 - start) / slope)
    if black >= 1 or white <= 0:
        level = 0.0 if black >= 1 else 1.0
        return Levels(combined=(0.0, 1.0, 1.0, level, level))
    white = min(1.0, max(white, black + SMALLEST_SPAN))
    black = min(black, white - SMALLEST_SPAN)
    low, high = (min(1.0, max(0.0, start + slope * place)) for place in (black, white))
    return Levels(combined=(black, 1.0, white, low, high))


def _brightness(layer: Any) -> tuple[Parameters, Message]:
    if layer.use_legacy:
        return _legacy_brightness(layer), NOTHING
    share = 1 / 1.5
    brightness = max(-100.0, min(100.0, layer.brightness * share))
    contrast = max(-100.0, min(100.0, float(layer.contrast)))
    return BrightnessContrast(brightness=brightness, contrast=contrast), Message(
        "it is computed a little differently"
    )


def _hue(layer: Any) -> tuple[Parameters, Message]:
    coloured = layer.data is not None and int(layer.enable_colorization) == 1
    hue, saturation, lightness = (layer.colorization if coloured else layer.master)[:3]
    if coloured:
        hue, saturation = (hue + 180) % 360 - 180, 2 * saturation - 100
    settings = HueSaturation(
        hue=float(max(-180, min(180, hue))),
        saturation=float(max(-100, min(100, saturation))),
        lightness=float(max(-100, min(100, lightness))),
        colourise=coloured,
    )
    ranges = any(any(values) for _, values in layer.data or ())
    return settings, Message("changes of single hues were left out") if ranges else NOTHING


def _black_and_white(layer: Any) -> tuple[Parameters, Message]:
    weights = [float(layer.red), float(layer.green), float(layer.blue)]
    total = sum(weights)
    weights = [weight * 100 / total for weight in weights] if total > 1 else [30.0, 59.0, 11.0]
    red, green, blue = (max(-200.0, min(300.0, weight)) for weight in weights)
    return (
        BlackAndWhite(red=red, green=green, blue=blue),
        Message("only its red, green and blue were taken, not its tint")
        if layer.use_tint
        else Message("only its red, green and blue were taken"),
    )


def _posterise(layer: Any) -> tuple[Parameters, Message]:
    return Posterise(levels=max(2, min(255, int(layer.posterize or 4)))), NOTHING


_KINDS: dict[str, Callable[[Any], tuple[Parameters, Message]]] = {
    "levels": _levels,
    "curves": _curves,
    "brightnesscontrast": _brightness,
    "huesaturation": _hue,
    "blackandwhite": _black_and_white,
    "invert": lambda _layer: (Invert(), NOTHING),
    "posterize": _posterise,
}
"""By psd-tools' names."""
