"""The document's frame changes: crop, trim, canvas size, quarter turns and flips.

What concerns the whole document moves locked layers as well: they stay where they are in the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from editor.edits.nodes import mapped, mapped_node, refuse_fixed
from editor.edits.pixels import bounds, box_of, cropped
from editor.layers.layer import Layer, Mask
from editor.layers.limits import check_size
from editor.layers.recipes import reshaped
from editor.layers.state import DocumentState, Frame, Guide
from editor.layers.text import TextContent
from editor.pixels.raster import Area, Raster, Samples, frozen
from editor.rendering.compositing import composite
from inference.errors import EditorError
from inference.messages import listed

ANCHORS = {
    "top-left": (0.0, 0.0), "top": (0.5, 0.0), "top-right": (1.0, 0.0),
    "left": (0.0, 0.5), "centre": (0.5, 0.5), "right": (1.0, 0.5),
    "bottom-left": (0.0, 1.0), "bottom": (0.5, 1.0), "bottom-right": (1.0, 1.0),
}  # fmt: skip

Point = tuple[float, float]


def cropped_to(state: DocumentState, area: Area, *, keep_outside: bool = False) -> DocumentState:
    """The document shows `area` of what it showed; layers lose what lies outside unless `keep_outside`.

    Raises:
        EditorError: the area is empty, too large, or shares nothing with the document.
    """
    check_size(area.width, area.height)
    if area.intersected(state.area).is_empty:
        raise EditorError("That area lies outside the picture.", "Choose a part of the picture.")
    moved = framed(state, area)
    if keep_outside:
        return moved
    layers = mapped(
        moved.layers, lambda layer: _cut_layer(layer, moved.area), lambda mask: _cut_mask(mask, moved.area)
    )
    return replace(moved, layers=layers)


def cropped_to_selection(state: DocumentState) -> DocumentState:
    """The document becomes the box around the selection.

    Raises:
        EditorError: nothing is selected.
    """
    if state.selection is None:
        raise EditorError("Nothing is selected.", "Select the part to keep.")
    area = bounds(state.selection, state.area)
    if area.is_empty:
        raise EditorError("The selection lies outside the picture.", "Select a part of the picture.")
    return cropped_to(state, area)


def trimmed(state: DocumentState) -> DocumentState:
    """The document becomes the box around all that shows.

    Raises:
        EditorError: nothing shows.
    """
    area = box_of(composite(state.layers, state.area)[..., 3] > 0)
    if area.is_empty:
        raise EditorError("The picture is empty.", "There is nothing to trim it to.")
    return cropped_to(state, area)


def revealed(state: DocumentState) -> DocumentState:
    """The document becomes so large that all of every layer lies inside."""
    area = state.area
    for layer in state.rasters():
        area = area.united(layer.area)
    check_size(area.width, area.height)
    return framed(state, area)


def resized_canvas(state: DocumentState, width: int, height: int, anchor: str) -> DocumentState:
    """Another size of the canvas; the picture stays at the `anchor`, one of `ANCHORS`. Nothing is cut off."""
    check_size(width, height)
    if anchor not in ANCHORS:
        raise EditorError(
            "There is no anchor “{anchor}”.",
            "Choose one of: {anchors}.",
            anchor=anchor,
            anchors=listed(ANCHORS),
        )
    across, down = ANCHORS[anchor]
    x, y = round((state.width - width) * across), round((state.height - height) * down)
    return framed(state, Area(x, y, width, height))


def framed(state: DocumentState, area: Area) -> DocumentState:
    """The document shows `area`, which may reach beyond it; no pixel is lost."""
    dx, dy = -area.x, -area.y
    layers = state.layers
    if dx or dy:
        layers = mapped(
            layers, lambda layer: _moved_layer(layer, dx, dy), lambda mask: _moved_mask(mask, dx, dy)
        )
    return replace(
        state,
        width=area.width,
        height=area.height,
        layers=layers,
        frame=state.frame.moved(area.x, area.y),
        selection=None if state.selection is None else _moved_mask(state.selection, dx, dy),
        guides=tuple(
            replace(guide, position=guide.position + (dx if guide.vertical else dy)) for guide in state.guides
        ),
    )


def turned(state: DocumentState, quarters: int) -> DocumentState:
    """The picture turned clockwise by quarters of a turn, every layer, mask, guide and the selection."""
    result = state
    for _ in range(quarters % 4):
        result = _turned_once(result)
    return result


def flipped(state: DocumentState, *, across: bool) -> DocumentState:
    """The picture mirrored: left and right change places (`across`), or top and bottom."""
    size = state.width if across else state.height
    guides = tuple(
        replace(guide, position=size - guide.position) if guide.vertical == across else guide
        for guide in state.guides
    )
    turn = _flip_of(across, size)
    return _with_all(replace(state, guides=guides, frame=Frame.new()), turn)


def flipped_nodes(state: DocumentState, ids: Sequence[str], *, across: bool) -> DocumentState:
    """Nodes mirrored about the middle of what they cover.

    Raises:
        EditorError: one is locked, its position is, or none of them has pixels.
    """
    refuse_fixed(state, ids)
    covered = _covered(state, ids)
    twice = 2 * covered.x + covered.width if across else 2 * covered.y + covered.height
    turn = _flip_of(across, twice)
    result = state
    for node_id in ids:
        result = result.with_node(mapped_node(state.node(node_id), turn.layer, turn.mask))
    return result


def turned_nodes(state: DocumentState, ids: Sequence[str], quarters: int) -> DocumentState:
    """Nodes turned clockwise by quarters of a turn about the middle of what they cover."""
    refuse_fixed(state, ids)
    result = state
    for _ in range(quarters % 4):
        covered = _covered(result, ids)
        # the turned box has the same centre, to a whole pixel
        x = covered.x + (covered.width - covered.height) // 2
        y = covered.y + (covered.height - covered.width) // 2
        turn = _Turn(
            lambda a, c=covered, x=x, y=y: Area(x + c.bottom - a.bottom, y + a.x - c.x, a.height, a.width),
            lambda s: np.rot90(s, -1),
            lambda p, c=covered, x=x, y=y: (x + c.bottom - p[1], y + p[0] - c.x),
            90.0,
        )
        for node_id in ids:
            result = result.with_node(mapped_node(result.node(node_id), turn.layer, turn.mask))
    return result


class _Turn:
    """A way to map areas, samples and points; text keeps its content where it can be set at that angle."""

    def __init__(
        self,
        area: Callable[[Area], Area],
        samples: Callable[[Samples], Samples],
        point: Callable[[Point], Point] | None = None,
        angle: float = 0.0,
    ) -> None:
        self._area, self._samples, self._point, self._angle = area, samples, point, angle

    def layer(self, layer: Layer) -> Layer:
        place = self._area(layer.area)
        text, recipe = self._text(layer.text), reshaped(layer.recipe)  # it makes pixels that are not turned
        raster = self._raster(layer.raster)
        return layer.changed(raster=raster, x=place.x, y=place.y, text=text, recipe=recipe, maps={})

    def mask(self, mask: Mask) -> Mask:
        place = self._area(mask.area)
        return mask.changed(raster=self._raster(mask.raster), x=place.x, y=place.y)

    def _raster(self, raster: Raster) -> Raster:
        return Raster.of(frozen(np.ascontiguousarray(self._samples(raster.array()))))

    def _text(self, text: TextContent | None) -> TextContent | None:
        if text is None or self._point is None:
            return None
        x, y = self._point((text.x, text.y))
        return replace(text, x=x, y=y, angle=(text.angle + self._angle) % 360)


def _flip_of(across: bool, total: int) -> _Turn:
    """Mirroring where a point p goes to total - p."""
    if across:
        return _Turn(lambda a: Area(total - a.right, a.y, a.width, a.height), lambda s: s[:, ::-1])
    return _Turn(lambda a: Area(a.x, total - a.bottom, a.width, a.height), lambda s: s[::-1])


def _turned_once(state: DocumentState) -> DocumentState:
    height = state.height
    turn = _Turn(
        lambda a: Area(height - a.bottom, a.x, a.height, a.width),
        lambda s: np.rot90(s, -1),
        lambda p: (height - p[1], p[0]),
        90.0,
    )
    guides = tuple(
        Guide(
            vertical=not guide.vertical,
            position=guide.position if guide.vertical else height - guide.position,
        )
        for guide in state.guides
    )
    dpi = None if state.dpi is None else (state.dpi[1], state.dpi[0])
    turned = _with_all(state, turn)
    return replace(turned, width=state.height, height=state.width, guides=guides, dpi=dpi, frame=Frame.new())


def _with_all(state: DocumentState, turn: _Turn) -> DocumentState:
    selection = None if state.selection is None else turn.mask(state.selection)
    return replace(state, layers=mapped(state.layers, turn.layer, turn.mask), selection=selection)


def _covered(state: DocumentState, ids: Sequence[str]) -> Area:
    covered = Area(0, 0, 0, 0)
    for node_id in ids:
        covered = covered.united(state.node(node_id).area or Area(0, 0, 0, 0))
    if covered.is_empty:
        raise EditorError("The chosen layers have no pixels.", "Choose a layer with pixels.")
    return covered


def _moved_layer(layer: Layer, dx: int, dy: int) -> Layer:
    text = layer.text
    if text is not None:
        text = replace(text, x=text.x + dx, y=text.y + dy)
    return layer.changed(x=layer.x + dx, y=layer.y + dy, text=text)


def _moved_mask(mask: Mask, dx: int, dy: int) -> Mask:
    return mask.changed(x=mask.x + dx, y=mask.y + dy)


def _cut_layer(layer: Layer, frame: Area) -> Layer:
    common = layer.area.intersected(frame)
    if common == layer.area or layer.text is not None:  # a text is set again whole
        return layer
    if common.is_empty:
        raster = Raster.filled(1, 1, dtype=layer.raster.dtype)
        return layer.changed(raster=raster, x=0, y=0, recipe=reshaped(layer.recipe), maps={})
    raster = cropped(layer.raster, common.moved(-layer.x, -layer.y))
    return layer.changed(raster=raster, x=common.x, y=common.y, recipe=reshaped(layer.recipe), maps={})


def _cut_mask(mask: Mask, frame: Area) -> Mask:
    common = mask.area.intersected(frame)
    if common == mask.area:
        return mask
    if common.is_empty:
        return mask.changed(raster=Raster.filled(1, 1, mask.outside, channels=1), x=0, y=0)
    return mask.changed(raster=cropped(mask.raster, common.moved(-mask.x, -mask.y)), x=common.x, y=common.y)
