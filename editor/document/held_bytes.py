"""How much memory states hold, counted so that what they share counts once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster

Holding = Raster | NDArray[Any]


@dataclass(slots=True)
class _Count:
    holding: Holding  # kept, so that its identity stays its own
    times: int = 0


class HeldBytes:
    """Bytes of all buffers of the states that were added and not removed.

    Adding or removing a state costs a look at each of its rasters; only one that no other state has is
    looked into. A history of a thousand steps over large pictures so stays cheap to keep count of.
    """

    def __init__(self) -> None:
        self.total = 0
        self._holdings: dict[int, _Count] = {}
        self._buffers: dict[int, list[int]] = {}  # identity: [times, bytes]

    def add(self, state: DocumentState) -> None:
        for holding in holdings(state):
            count = self._holdings.setdefault(id(holding), _Count(holding))
            count.times += 1
            if count.times == 1:
                self._add_buffers(holding)

    def remove(self, state: DocumentState) -> None:
        """Take back one `add` of that state."""
        for holding in holdings(state):
            count = self._holdings[id(holding)]
            count.times -= 1
            if count.times == 0:
                self._remove_buffers(holding)
                del self._holdings[id(holding)]

    def _add_buffers(self, holding: Holding) -> None:
        for key, size in _buffers(holding):
            kept = self._buffers.setdefault(key, [0, size])
            kept[0] += 1
            if kept[0] == 1:
                self.total += size

    def _remove_buffers(self, holding: Holding) -> None:
        for key, size in _buffers(holding):
            kept = self._buffers[key]
            kept[0] -= 1
            if kept[0] == 0:
                self.total -= size
                del self._buffers[key]


def holdings(state: DocumentState) -> Iterator[Holding]:
    """Everything large of a state: the pixels of layers, masks and the selection, the maps of methods."""
    for node in state.nodes():
        if isinstance(node, Layer):
            yield node.raster
            yield from node.maps.values()
        if node.mask is not None:
            yield node.mask.raster
    if state.selection is not None:
        yield state.selection.raster


def _buffers(holding: Holding) -> Iterator[tuple[int, int]]:
    if isinstance(holding, Raster):
        return holding.buffers()
    return iter([(id(holding), holding.nbytes)])
