"""Nodes, and what is selected of them, under a transform."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from editor.layers.layer import Group, Layer, Mask, Node
from editor.layers.recipes import reshaped
from editor.layers.state import DocumentState
from editor.layers.text import TextContent
from editor.pixels.raster import Area, Raster
from editor.selection import bounds
from editor.tools.painting.coverage import tiles_of
from editor.tools.painting.growth import grown_area, regridded
from editor.tools.painting.paint import Source, painted
from editor.tools.transforming.form import Matrix
from editor.tools.transforming.warp import mapped_points, warped
from editor.tools.typesetting import set_again
from inference.errors import EditorError


def translation(dx: float, dy: float) -> Matrix:
    matrix = np.eye(3)
    matrix[0, 2], matrix[1, 2] = dx, dy
    return matrix


def transformed_state(state: DocumentState, nodes: Sequence[Node], matrix: Matrix) -> DocumentState:
    """The document with nodes transformed, their linked masks too; if something is selected, that alone.

    Raises:
        EditorError: something would become too large, or nothing of the nodes is selected.
    """
    selection = state.selection
    if selection is None:
        for node in nodes:
            state = state.with_node(transformed(node, matrix))
        return state
    found = False
    for layer in layers_of(nodes):
        changed = with_selected_transformed(layer, selection, matrix)
        found = found or changed is not layer
        state = state.with_node(changed)
    if not found:
        raise EditorError("Nothing of the layer is selected.", "Deselect, or choose another layer.")
    return replace(state, selection=_mask(selection, matrix))


def transformed(node: Node, matrix: Matrix) -> Node:
    """A node with all it holds under a transform; texts stay texts where turning and scaling is all.

    Raises:
        EditorError: it would become too large.
    """
    if node.mask is not None and node.mask.linked:
        node = node.changed(mask=_mask(node.mask, matrix))
    if isinstance(node, Group):
        return node.changed(children=tuple(transformed(child, matrix) for child in node.children))
    if not isinstance(node, Layer):
        return node
    text = turned_text(node.text, matrix) if node.text is not None else None
    if text is not None:
        return set_again(node, text)
    raster, area = warped(node.raster, node.area, matrix)
    if raster is node.raster:
        return node.changed(x=area.x, y=area.y)
    # a recipe's pictures and maps have the old form
    recipe = reshaped(node.recipe)
    return node.changed(raster=raster, x=area.x, y=area.y, text=None, recipe=recipe, maps={})


def turned_text(text: TextContent, matrix: Matrix) -> TextContent | None:
    """The text under a transform that only moves, turns and scales evenly; None for any other."""
    (a, b), (c, d) = matrix[:2, :2]
    scale = math.hypot(a, c)
    similar = np.allclose([a, b], [d, -c], atol=1e-6 * scale) and np.allclose(
        matrix[2], [0, 0, 1], atol=1e-12
    )
    if not similar or not 1 <= text.size_px * scale <= 10_000:
        return None
    (x, y) = mapped_points(np.array([[text.x, text.y]]), matrix)[0]
    return replace(
        text,
        x=float(x),
        y=float(y),
        size_px=text.size_px * scale,
        letter_spacing_px=text.letter_spacing_px * scale,
        width_px=text.width_px * scale,
        angle=(text.angle + math.degrees(math.atan2(c, a))) % 360,
    )


def with_selected_transformed(layer: Layer, selection: Mask, matrix: Matrix) -> Layer:
    """What is selected of a layer, cut out, transformed, laid over the rest; the layer grows to hold it."""
    area = bounds(selection).intersected(layer.area)
    if area.is_empty:
        return layer
    rest, floating = _lifted(layer, selection, area)
    moved, place = warped(floating, area, matrix)
    whole = grown_area(layer.area, place)
    raster = regridded(rest, layer.area, whole)
    for _, inside in tiles_of(place.moved(-whole.x, -whole.y)):
        over = moved.read(inside.moved(whole.x - place.x, whole.y - place.y))
        if not over[..., 3].any():
            continue
        share = np.ones((inside.height, inside.width), np.float32)
        after = painted(raster.read(inside), share, Source.of_samples(over))
        raster = raster.written(inside.x, inside.y, after)
    # what was moved by hand is no longer what a recipe makes
    return layer.changed(raster=raster, x=whole.x, y=whole.y, text=None, recipe=None, maps={})


def layers_of(nodes: Sequence[Node]) -> list[Layer]:
    """The layers with pixels among nodes and what they hold."""
    found: list[Layer] = []
    for node in nodes:
        if isinstance(node, Layer):
            found.append(node)
        elif isinstance(node, Group):
            found += layers_of(node.children)
    return found


def _lifted(layer: Layer, selection: Mask, area: Area) -> tuple[Raster, Raster]:
    """(layer without what is selected, what is selected over `area`)."""
    inside = area.moved(-layer.x, -layer.y)
    rest, floating = layer.raster, Raster.filled(area.width, area.height, dtype=layer.raster.dtype)
    for _, part in tiles_of(inside):
        share = selection.read(part.moved(layer.x, layer.y)).astype(np.float32) * np.float32(1 / 255)
        if not share.any():
            continue
        before = layer.raster.read(part)
        lifted, left = before.copy(), before.copy()
        lifted[..., 3] = np.rint(before[..., 3] * share)
        left[..., 3] = before[..., 3] - lifted[..., 3]
        rest = rest.written(part.x, part.y, left)
        floating = floating.written(part.x - inside.x, part.y - inside.y, lifted)
    return rest, floating


def _mask(mask: Mask, matrix: Matrix) -> Mask:
    outside = mask.outside * (1 if mask.raster.top == 255 else 257)
    raster, area = warped(mask.raster, mask.area, matrix, outside)
    return mask.changed(raster=raster, x=area.x, y=area.y)
