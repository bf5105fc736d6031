"""Images of areas of a document, with what lies below the changing layer kept from one image to the next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

import cv2
import numpy as np
from PySide6.QtGui import QImage

from editor.blending.backdrop import Backdrop, rounded
from editor.layers.layer import Node
from editor.layers.state import DocumentState
from editor.pixels.raster import TILE_PX, Area
from editor.rendering.compositing import pack, shared_mipmaps
from editor.rendering.kernel import Renderer, reach
from inference.request import Pixels

CACHE_BYTES = 192 * 2**20
_FEWEST = 2  # nodes below that are worth keeping


class LayersBelow:
    """Renders for the screen; used from several threads.

    While one layer is painted on or one slider is dragged, only it and those above it are composed anew.
    """

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._limit = cache_bytes
        self._held = 0
        self._canvases: OrderedDict[tuple[int, Area], tuple[tuple[Node, ...], Backdrop]] = OrderedDict()
        self._state: DocumentState | None = None
        self._changing: int | None = None  # index of the top-level node that changed last
        self._lock = threading.Lock()

    def image(
        self, state: DocumentState, level: int, area: Area, transform: Callable[[Pixels], Pixels] | None
    ) -> QImage:
        """An area of a level, inside one tile, as premultiplied ARGB32."""
        canvas = self._canvas(state, level, area)
        shown = _argb(canvas) if transform is None else _transformed(canvas, transform)
        layout = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(shown.data, area.width, area.height, area.width * 4, layout).copy()

    def _canvas(self, state: DocumentState, level: int, area: Area) -> Backdrop:
        renderer = Renderer(shared_mipmaps(), level)
        count = self._count_below(state)
        whole = Area(0, 0, -(-state.width >> level), -(-state.height >> level))
        if count < _FEWEST:
            return renderer.render(state.layers, area, whole)
        tile = _tile_around(whole, area)
        below = self._below(state.layers[:count], renderer, level, tile, whole)
        canvas = below.part(area.within(tile)).copy()
        renderer.compose(state.layers[count:], canvas, area)
        return canvas

    def _count_below(self, state: DocumentState) -> int:
        """How many nodes from the bottom have not changed and may be composed by themselves."""
        with self._lock:
            if self._state is not None and state is not self._state:
                self._changing = _first_difference(self._state.layers, state.layers, self._changing)
            self._state = state
            count = self._changing or 0
        while count > 0 and count < len(state.layers) and state.layers[count].clipped:
            count -= 1  # a clipping run stays together
        # blurs above look at pixels around the tile, which are not kept
        return 0 if reach(state.layers[count:]) else min(count, len(state.layers))

    def _below(
        self, nodes: tuple[Node, ...], renderer: Renderer, level: int, tile: Area, whole: Area
    ) -> Backdrop:
        key = (level, tile)
        with self._lock:
            kept = self._canvases.get(key)
            if kept is not None and _same(kept[0], nodes):
                self._canvases.move_to_end(key)
                return kept[1]
        canvas = renderer.render(nodes, tile, whole)
        with self._lock:
            old = self._canvases.pop(key, None)
            self._held += _bytes(canvas) - (_bytes(old[1]) if old is not None else 0)
            self._canvases[key] = (nodes, canvas)
            while self._held > self._limit and len(self._canvases) > 1:
                _, (_, oldest) = self._canvases.popitem(last=False)
                self._held -= _bytes(oldest)
        return canvas


def _argb(canvas: Backdrop) -> Pixels:
    """A canvas as ARGB32 lies in memory: blue, green, red, alpha, premultiplied."""
    colour = canvas.colour if canvas.opaque else canvas.colour * canvas.alpha
    red, green, blue = rounded(colour, np.dtype(np.uint8))
    alpha = rounded(canvas.alpha, np.dtype(np.uint8))
    return cast("Pixels", cv2.merge([blue, green, red, alpha]))


def _transformed(canvas: Backdrop, transform: Callable[[Pixels], Pixels]) -> Pixels:
    pixels = np.empty((*canvas.alpha.shape, 4), np.uint8)
    pack(canvas, pixels)
    pixels = transform(pixels)
    if not canvas.opaque:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2mRGBA)
    return cast("Pixels", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))


def _first_difference(old: tuple[Node, ...], new: tuple[Node, ...], otherwise: int | None) -> int | None:
    if len(old) != len(new):
        return None
    places = (index for index, (one, other) in enumerate(zip(old, new)) if one is not other)
    return next(places, otherwise)


def _same(one: tuple[Node, ...], other: tuple[Node, ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other))


def _bytes(canvas: Backdrop) -> int:
    return canvas.colour.nbytes + canvas.alpha.nbytes


def _tile_around(whole: Area, area: Area) -> Area:
    left, top = area.x - area.x % TILE_PX, area.y - area.y % TILE_PX
    return Area(left, top, TILE_PX, TILE_PX).intersected(whole)
