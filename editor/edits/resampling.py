"""Other numbers of pixels: image size, and turning by any angle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from editor.edits.geometry import cropped_to
from editor.edits.nodes import mapped
from editor.layers.layer import Layer, Mask
from editor.layers.limits import check_size
from editor.layers.recipes import reshaped
from editor.layers.state import DocumentState, Frame
from editor.pixels.raster import Area, Raster, Samples, frozen
from inference.errors import EditorError
from inference.messages import listed
from inference.parameters import N_

METHODS = {
    "nearest": N_("Edits", "Nearest neighbour (hard edges)"),
    "bilinear": N_("Edits", "Bilinear"),
    "bicubic": N_("Edits", "Bicubic"),
    "lanczos": N_("Edits", "Lanczos (sharpest)"),
}
"""Ways to work out new pixels, and their labels."""

_PILLOW = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "lanczos": "LANCZOS",
}


def resized(state: DocumentState, width: int, height: int, method: str) -> DocumentState:
    """The picture with another number of pixels; layers, masks, guides, texts and the selection follow.

    Colours are weighted by their alpha, so that edges do not darken; shrinking averages.

    Raises:
        EditorError: no such method, or a size that a document cannot have.
    """
    check_size(width, height)
    _check_method(method)
    across, down = width / state.width, height / state.height

    def on_layer(layer: Layer) -> Layer:
        place, raster = _scaled(layer.raster, layer.area, across, down, method)
        text = layer.text
        if text is not None:
            same = math.isclose(across, down, rel_tol=0.02)
            size = text.size_px * down
            fits = same and 1 <= size <= 10_000
            text = replace(
                text, x=text.x * across, y=text.y * down, size_px=size, width_px=text.width_px * across
            ) if fits else None  # fmt: skip
        recipe = reshaped(layer.recipe)
        return layer.changed(raster=raster, x=place.x, y=place.y, text=text, recipe=recipe, maps={})

    def on_mask(mask: Mask) -> Mask:
        place, raster = _scaled(mask.raster, mask.area, across, down, method, mask.outside)
        return mask.changed(raster=raster, x=place.x, y=place.y)

    return replace(
        state,
        width=width,
        height=height,
        frame=Frame.new(),
        layers=mapped(state.layers, on_layer, on_mask),
        selection=None if state.selection is None else on_mask(state.selection),
        guides=tuple(
            replace(g, position=g.position * (across if g.vertical else down)) for g in state.guides
        ),
    )


def straightened(state: DocumentState, degrees: float, *, crop: bool = True) -> DocumentState:
    """The picture turned clockwise by an angle about its middle; `crop` cuts the empty corners off.

    Raises:
        EditorError: the angle is no number of -360 to 360.
    """
    if not -360 <= degrees <= 360:
        raise EditorError("The angle is {degrees:g}°: allowed is -360 to 360.", degrees=degrees)
    if degrees % 360 == 0:
        return state
    centre = (state.width / 2, state.height / 2)

    def on_layer(layer: Layer) -> Layer:
        place, raster = _rotated(layer.raster, layer.area, centre, degrees, 0)
        text = layer.text
        if text is not None:
            x, y = _turn_point((text.x, text.y), centre, degrees)
            text = replace(text, x=x, y=y, angle=(text.angle + degrees) % 360)
        recipe = reshaped(layer.recipe)
        return layer.changed(raster=raster, x=place.x, y=place.y, text=text, recipe=recipe, maps={})

    def on_mask(mask: Mask) -> Mask:
        place, raster = _rotated(mask.raster, mask.area, centre, degrees, mask.outside)
        return mask.changed(raster=raster, x=place.x, y=place.y)

    turned = replace(
        state,
        frame=Frame.new(),
        layers=mapped(state.layers, on_layer, on_mask),
        selection=None if state.selection is None else on_mask(state.selection),
    )
    if not crop:
        return turned
    # a pixel less on each side, where the turned edge fades, and as many on one side as on the other
    width, height = inscribed(state.width, state.height, degrees)
    left, top = (state.width - width + 1) // 2 + 1, (state.height - height + 1) // 2 + 1
    width, height = state.width - 2 * left, state.height - 2 * top
    return cropped_to(turned, Area(left, top, max(1, width), max(1, height)))


def inscribed(width: int, height: int, degrees: float) -> tuple[int, int]:
    """The largest upright rectangle inside a turned one of `width` × `height`, about the same middle."""
    angle = math.radians(degrees)
    sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
    long, short = max(width, height), min(width, height)
    if short <= 2 * sine * cosine * long or abs(sine - cosine) < 1e-10:
        half = short / 2
        wide, high = (half / sine, half / cosine) if width >= height else (half / cosine, half / sine)
    else:
        double = cosine * cosine - sine * sine
        wide = (width * cosine - height * sine) / double
        high = (height * cosine - width * sine) / double
    return max(1, math.floor(wide + 1e-6)), max(1, math.floor(high + 1e-6))


def _scaled(
    raster: Raster, area: Area, across: float, down: float, method: str, outside: int = 0
) -> tuple[Area, Raster]:
    """A raster at `area` of a document that is scaled: its new area in whole pixels, and its pixels there."""
    left, top = math.floor(area.x * across + 1e-9), math.floor(area.y * down + 1e-9)
    right, bottom = math.ceil(area.right * across - 1e-9), math.ceil(area.bottom * down - 1e-9)
    place = Area(left, top, max(1, right - left), max(1, bottom - top))
    check_size(place.width, place.height)
    # the part of the source, in its own pixels, that the new area shows; it may reach a little beyond
    box = _Box(
        left / across - area.x,
        top / down - area.y,
        place.right / across - area.x,
        place.bottom / down - area.y,
    )
    edge = outside / 255 * raster.top
    samples = _weighted(raster.array(), lambda plane: _resample(plane, place, box, method, edge))
    return place, Raster.of(frozen(samples))


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def moved(self, by: int) -> _Box:
        return _Box(self.left + by, self.top + by, self.right + by, self.bottom + by)

    def held(self, width: int, height: int) -> _Box:
        """Without what rounding carries beyond the picture."""
        return _Box(max(0.0, self.left), max(0.0, self.top), min(width, self.right), min(height, self.bottom))

    def margin(self, width: int, height: int) -> int:
        """Pixels by which it reaches beyond a picture, 0 if that is only rounding."""
        beyond = max(-self.left, -self.top, self.right - width, self.bottom - height)
        return math.ceil(beyond) if beyond > 1e-6 else 0


def _resample(
    plane: NDArray[np.float32], place: Area, box: _Box, method: str, edge: float
) -> NDArray[np.float32]:
    """One plane [H, W] in the new size; beyond it lies `edge`."""
    from PIL import Image

    margin = box.margin(plane.shape[1], plane.shape[0])
    if margin:
        plane = np.pad(plane, margin, constant_values=edge)
    held = box.moved(margin).held(plane.shape[1], plane.shape[0])
    size = (place.width, place.height)
    image = Image.fromarray(np.ascontiguousarray(plane)).resize(
        size, Image.Resampling[_PILLOW[method]], box=held
    )
    return np.asarray(image, np.float32)


def _rotated(
    raster: Raster, area: Area, centre: tuple[float, float], degrees: float, outside: int
) -> tuple[Area, Raster]:
    import cv2

    corners = [_turn_point(p, centre, degrees) for p in (
        (area.x, area.y), (area.right, area.y), (area.right, area.bottom), (area.x, area.bottom)
    )]  # fmt: skip
    left, top = (math.floor(min(c[i] for c in corners)) - 1 for i in (0, 1))
    right, bottom = (math.ceil(max(c[i] for c in corners)) + 1 for i in (0, 1))
    place = Area(left, top, right - left, bottom - top)
    check_size(place.width, place.height)
    angle = math.radians(degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    # where a new pixel's middle comes from: turn back about the centre, then into the raster's own pixels
    middle = (left + 0.5 - centre[0], top + 0.5 - centre[1])
    offset_x = cosine * middle[0] + sine * middle[1] + centre[0] - area.x - 0.5
    offset_y = -sine * middle[0] + cosine * middle[1] + centre[1] - area.y - 0.5
    matrix = np.array([[cosine, sine, offset_x], [-sine, cosine, offset_y]], np.float64)

    def turn(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        border = outside / 255 * raster.top if raster.channels == 1 else 0
        turned = cv2.warpAffine(
            plane, matrix, (place.width, place.height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT, borderValue=(border, border, border, border),
        )  # fmt: skip
        return cast("NDArray[np.float32]", turned)

    return place, Raster.of(frozen(_weighted(raster.array(), turn)))


def _turn_point(
    point: tuple[float, float], centre: tuple[float, float], degrees: float
) -> tuple[float, float]:
    angle = math.radians(degrees)
    x, y = point[0] - centre[0], point[1] - centre[1]
    return (
        centre[0] + x * math.cos(angle) - y * math.sin(angle),
        centre[1] + x * math.sin(angle) + y * math.cos(angle),
    )


def _weighted(samples: Samples, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Samples:
    """Each plane of samples [H, W, C] changed, colours weighted by alpha, rounded back to the same type."""
    top = float(np.iinfo(cast("np.dtype[Any]", samples.dtype)).max)

    def rounded(plane: NDArray[np.float32]) -> NDArray[Any]:
        return (np.clip(plane, 0, top) + np.float32(0.5)).astype(samples.dtype)

    if samples.shape[2] == 1:
        return rounded(change(samples[..., 0].astype(np.float32)))[..., None]
    alpha = samples[..., 3].astype(np.float32)
    shape_alpha = change(alpha)
    result = np.empty((*shape_alpha.shape, 4), samples.dtype)
    result[..., 3] = rounded(shape_alpha)
    for channel in range(3):
        colour = change(samples[..., channel] * alpha)
        straight = np.divide(colour, shape_alpha, out=np.zeros_like(colour), where=shape_alpha > 0.5)
        result[..., channel] = rounded(straight)
    return cast("Samples", result)


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise EditorError(
            "There is no method “{method}”.",
            "Choose one of: {methods}.",
            method=method,
            methods=listed(METHODS),
        )
