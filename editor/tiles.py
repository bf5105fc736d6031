"""The document on the screen: its composite in tiles at mip levels, computed on threads of its own.

A tile that is out of date is still given until the new one is there, so the picture never flickers. A change
of a few pixels recomputes those pixels of the tiles it touches.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from editor.raster import TILE_PX, Area
from editor.state import DocumentState
from inference.request import Pixels

if TYPE_CHECKING:
    from editor.layers_below import LayersBelow

CACHE_BYTES = 256 * 2**20
NOWHERE = Area(0, 0, 0, 0)

Transform: TypeAlias = Callable[[Pixels], Pixels]


class Key(NamedTuple):
    level: int
    column: int
    row: int


@dataclass
class _Tile:
    """What is known of one tile. `dirty` is the part of it, in its own pixels, that is out of date."""

    area: Area  # at its level
    dirty: Area
    image: QImage | None = None
    rendering: bool = False


@dataclass(frozen=True)
class _Job:
    """One tile's work, taken at one moment."""

    key: Key
    state: DocumentState
    transform: Transform | None
    area: Area
    part: Area
    generation: int


class TileCompositor(QObject):
    """Keeps tiles of one document's composite for the canvas. All public methods are for the GUI thread.

    Level L shows the document at 2^-L; a tile covers 256 × 256 pixels of its level, less at the edges.
    """

    tiles_ready = Signal(int, object)  # level, tuple of (column, row): new images are there

    def __init__(self, parent: QObject | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(parent)
        self._limit = cache_bytes
        self._state: DocumentState | None = None
        self._transform: Transform | None = None
        self._generation = 0  # counts changes of size and colour transform: older results are of no use
        self._tiles: OrderedDict[Key, _Tile] = OrderedDict()
        self._wanted: list[Key] = []
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._below: LayersBelow | None = None

    def set_state(self, state: DocumentState, dirty: Area | None = None) -> None:
        """Show another state; `dirty` is where it differs from the last one, None is everywhere."""
        with self._lock:
            old, self._state = self._state, state
            if old is None or (old.width, old.height) != (state.width, state.height):
                self._forget()
            elif dirty is None:
                self._make_stale(state.area)
            else:
                self._make_stale(dirty)
            self._work.notify_all()

    def set_colour_transform(self, transform: Transform | None) -> None:
        """Show tiles through a function of straight RGBA pixels [H, W, 4]: document profile to screen."""
        with self._lock:
            if transform is self._transform:
                return
            self._transform = transform
            self._generation += 1
            if self._state is not None:
                self._make_stale(self._state.area)
            self._work.notify_all()

    def request(self, level: int, tiles: Sequence[tuple[int, int]]) -> None:
        """What is in view, most wanted first; replaces the last request."""
        with self._lock:
            self._wanted = [Key(level, column, row) for column, row in tiles]
            self._start_threads()
            self._work.notify_all()

    def tile(self, level: int, column: int, row: int) -> QImage | None:
        """The newest finished image of a tile, perhaps of an older state."""
        with self._lock:
            found = self._tiles.get(Key(level, column, row))
            return found.image if found is not None else None

    def is_current(self, level: int, column: int, row: int) -> bool:
        """Whether the tile's image shows the present state."""
        with self._lock:
            found = self._tiles.get(Key(level, column, row))
            return found is not None and found.image is not None and _is_done(found)

    def is_idle(self) -> bool:
        """Whether everything that was asked for is there."""
        with self._lock:
            return all(not self._needs_work(key) and not self._is_rendering(key) for key in self._wanted)

    def close(self) -> None:
        """Stop the threads; nothing is delivered afterwards."""
        with self._lock:
            self._closed = True
            self._work.notify_all()
        for thread in self._threads:
            thread.join()

    # with the lock held

    def _forget(self) -> None:
        self._generation += 1
        self._tiles.clear()

    def _make_stale(self, dirty: Area) -> None:
        for key, tile in self._tiles.items():
            part = _at_level(dirty, key.level).intersected(tile.area).moved(-tile.area.x, -tile.area.y)
            if not part.is_empty:
                tile.dirty = tile.dirty.united(part)

    def _needs_work(self, key: Key) -> bool:
        tile = self._tiles.get(key)
        return tile is None or (not tile.rendering and not tile.dirty.is_empty)

    def _is_rendering(self, key: Key) -> bool:
        tile = self._tiles.get(key)
        return tile is not None and tile.rendering

    def _next(self) -> _Job | None:
        if self._state is None:
            return None
        for key in self._wanted:
            if not self._needs_work(key):
                continue
            tile = self._tiles.get(key)
            if tile is None:
                area = _tile_area(self._state, key)
                if area.is_empty:
                    continue
                tile = self._tiles[key] = _Tile(area, Area(0, 0, area.width, area.height))
            part, tile.dirty, tile.rendering = tile.dirty, NOWHERE, True
            return _Job(key, self._state, self._transform, tile.area, part, self._generation)
        return None

    def _start_threads(self) -> None:
        if self._threads or self._closed:
            return
        for _ in range(os.cpu_count() or 1):
            thread = threading.Thread(target=self._run, name="tiles", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _drop_oldest(self) -> None:
        wanted = set(self._wanted)
        held = sum(tile.image.sizeInBytes() for tile in self._tiles.values() if tile.image is not None)
        for key in list(self._tiles):
            if held <= self._limit:
                break
            tile = self._tiles[key]
            if key not in wanted and not tile.rendering and tile.image is not None:
                held -= tile.image.sizeInBytes()
                del self._tiles[key]

    # on the worker threads

    def _run(self) -> None:
        while True:
            with self._lock:
                job = self._next()
                while job is None and not self._closed:
                    self._work.wait()
                    job = self._next()
                if self._closed:
                    return
            assert job is not None, "the loop above waits for one"
            image = None
            try:
                image = self._image(job)
            finally:
                self._deliver(job, image)

    def _image(self, job: _Job) -> QImage:
        return self._painter().image(
            job.state, job.key.level, job.part.moved(job.area.x, job.area.y), job.transform
        )

    def _painter(self) -> LayersBelow:
        if self._below is None:
            from editor.layers_below import LayersBelow  # brings the compositor's libraries

            self._below = LayersBelow()
        return self._below

    def _deliver(self, job: _Job, image: QImage | None) -> None:
        with self._lock:
            tile = self._tiles.get(job.key)
            if tile is None or job.generation != self._generation:
                if tile is not None:  # of another picture or profile: again
                    tile.rendering = False
                    tile.dirty = Area(0, 0, tile.area.width, tile.area.height)
                    self._work.notify_all()
                return
            tile.rendering = False
            if image is None:
                return
            tile.image = _patched(tile, job.part, image)
            self._tiles.move_to_end(job.key)
            self._drop_oldest()
            if not tile.dirty.is_empty:
                self._work.notify()
            if self._closed:
                return
        self.tiles_ready.emit(job.key.level, ((job.key.column, job.key.row),))


def levels(width: int, height: int) -> int:
    """How many levels make sense for a document: until the longer side fits into one tile."""
    longer, count = max(width, height), 1
    while longer > TILE_PX:
        longer, count = -(-longer // 2), count + 1
    return count


def grid(width: int, height: int, level: int) -> tuple[int, int]:
    """Columns and rows of tiles of a document at a level."""
    across, down = _level_size(width, height, level)
    return -(-across // TILE_PX), -(-down // TILE_PX)


def _level_size(width: int, height: int, level: int) -> tuple[int, int]:
    return -(-width >> level), -(-height >> level)


def _tile_area(state: DocumentState, key: Key) -> Area:
    whole = Area(0, 0, *_level_size(state.width, state.height, key.level))
    return Area(key.column * TILE_PX, key.row * TILE_PX, TILE_PX, TILE_PX).intersected(whole)


def _at_level(area: Area, level: int) -> Area:
    """All pixels of a level that an area of the document touches."""
    left, top = area.x >> level, area.y >> level
    right, bottom = -(-area.right >> level), -(-area.bottom >> level)
    if level and not area.is_empty:
        # layers may lie a fraction of a reduced pixel beside the grid, so their neighbours change too
        return Area(left - 1, top - 1, right - left + 2, bottom - top + 2)
    return Area(left, top, right - left, bottom - top)


def _is_done(tile: _Tile) -> bool:
    return tile.dirty.is_empty and not tile.rendering


def _patched(tile: _Tile, part: Area, image: QImage) -> QImage:
    """The tile's image with a part replaced: a new one, since the old may just be painted."""
    if tile.image is None or (part.width, part.height) == (tile.area.width, tile.area.height):
        return image
    from PySide6.QtGui import QPainter

    whole = tile.image.copy()
    painter = QPainter(whole)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    painter.drawImage(part.x, part.y, image)
    painter.end()
    return whole
