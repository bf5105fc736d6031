"""The document on the screen: its composite in tiles at mip levels, computed on threads of its own.

A tile that is out of date is still given until the new one is there, so the picture never flickers. A change
of a few pixels recomputes those pixels of the tiles it touches.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from editor.raster import Area
from editor.state import DocumentState
from editor.tile_grid import Key, at_level, enlarged, grid, levels, patched, reduced, tile_area
from inference.request import Pixels

if TYPE_CHECKING:
    from editor.layers_below import LayersBelow

__all__ = ["TileCompositor", "grid", "levels"]

CACHE_BYTES = 256 * 2**20
FRAME_S = 0.04  # what takes longer to show is drafted from a smaller picture first …
REST_S = 0.15  # … and refined when nothing has changed for so long
MOST_REDUCED = 2  # levels that a draft may lie below its tile's
NOWHERE = Area(0, 0, 0, 0)
_TELLING_PX = 4096  # less work says little of the speed

Transform: TypeAlias = Callable[[Pixels], Pixels]


@dataclass
class _Tile:
    """What is known of one tile. In its own pixels, `dirty` is out of date and `rough` only drafted."""

    area: Area  # at its level
    dirty: Area
    rough: Area = NOWHERE
    image: QImage | None = None
    rendering: bool = False
    refining: bool = False  # what is being rendered is there as a draft

    @property
    def whole(self) -> Area:
        return Area(0, 0, self.area.width, self.area.height)

    @property
    def is_shown(self) -> bool:
        """Whether the image shows the present state, if only as a draft."""
        return self.image is not None and self.dirty.is_empty and (not self.rendering or self.refining)

    @property
    def is_done(self) -> bool:
        return self.image is not None and self.dirty.is_empty and self.rough.is_empty and not self.rendering


@dataclass(frozen=True)
class _Job:
    """One tile's work, taken at one moment."""

    key: Key
    state: DocumentState
    transform: Transform | None
    area: Area
    part: Area
    generation: int
    reduction: int  # levels that the work is done below the tile's: a draft, if any


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
        self._changed_at = 0.0
        self._reduction = 0  # of what is out of date now
        self._pixel_s = 2e-8  # seconds a thread takes for a pixel, as measured last
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._below: LayersBelow | None = None

    def set_state(self, state: DocumentState, dirty: Area | None = None) -> None:
        """Show another state; `dirty` is where it differs from the last one, None is everywhere."""
        with self._lock:
            old, self._state = self._state, state
            if old is None or (old.width, old.height) != (state.width, state.height):
                self._forget()
            else:
                self._make_stale(state.area if dirty is None else dirty)
            self._changed_at = time.monotonic()
            self._reduction = self._affordable()
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
            self._reduction = self._affordable()
            self._start_threads()
            self._work.notify_all()

    def tile(self, level: int, column: int, row: int) -> QImage | None:
        """The newest finished image of a tile, perhaps of an older state."""
        with self._lock:
            found = self._tiles.get(Key(level, column, row))
            return found.image if found is not None else None

    def is_current(self, level: int, column: int, row: int) -> bool:
        """Whether the tile's image shows the present state, and not as a draft."""
        with self._lock:
            found = self._tiles.get(Key(level, column, row))
            return found is not None and found.is_done

    def is_shown(self) -> bool:
        """Whether everything that was asked for shows the present state, if only as a draft."""
        with self._lock:
            return all(tile is None or tile.is_shown for tile in self._in_view())

    def is_idle(self) -> bool:
        """Whether everything that was asked for is there."""
        with self._lock:
            return all(tile is None or tile.is_done for tile in self._in_view())

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
            part = at_level(dirty, key.level).intersected(tile.area).moved(-tile.area.x, -tile.area.y)
            if not part.is_empty:
                tile.dirty = tile.dirty.united(part)

    def _in_view(self) -> list[_Tile | None]:
        """The tiles that are wanted; None for those beyond the document."""
        if self._state is None:
            return []
        return [self._known(self._state, key) for key in self._wanted]

    def _known(self, state: DocumentState, key: Key) -> _Tile | None:
        tile = self._tiles.get(key)
        if tile is None:
            area = tile_area(state.width, state.height, key)
            if area.is_empty:
                return None
            tile = self._tiles[key] = _Tile(area, Area(0, 0, area.width, area.height))
        return tile

    def _affordable(self) -> int:
        """How much smaller what is out of date must be composed to be there within a frame."""
        parts = [tile.dirty for tile in self._in_view() if tile is not None]
        seconds = sum(part.width * part.height for part in parts) * self._pixel_s / (os.cpu_count() or 1)
        reduction = 0
        while reduction < MOST_REDUCED and seconds > FRAME_S:
            reduction, seconds = reduction + 1, seconds / 4
        return reduction

    def _next(self) -> _Job | None:
        """The next work: first what is out of date, then, at rest, what is only drafted."""
        if self._state is None:
            return None
        rests = time.monotonic() - self._changed_at >= REST_S
        drafted: tuple[Key, _Tile] | None = None
        for key, tile in zip(self._wanted, self._in_view(), strict=True):
            if tile is None or tile.rendering:
                continue
            if not tile.dirty.is_empty:
                return self._job(self._state, key, tile, self._reduction)
            if drafted is None and rests and not tile.rough.is_empty:
                drafted = key, tile
        return self._job(self._state, *drafted, 0) if drafted is not None else None

    def _job(self, state: DocumentState, key: Key, tile: _Tile, reduction: int) -> _Job:
        tile.refining = tile.dirty.is_empty
        part = tile.rough if tile.refining else tile.dirty
        tile.dirty = NOWHERE
        if reduction:
            tile.rough = tile.rough.united(part)
        elif part.contains(tile.rough):
            tile.rough = NOWHERE
        tile.rendering = True
        return _Job(key, state, self._transform, tile.area, part, self._generation, reduction)

    def _until_rest(self) -> float | None:
        """Seconds until drafts are refined; None if there are none."""
        if all(tile is None or tile.rough.is_empty for tile in self._in_view()):
            return None
        return max(0.001, self._changed_at + REST_S - time.monotonic())

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
            if key not in wanted and not tile.rendering:
                held -= tile.image.sizeInBytes() if tile.image is not None else 0
                del self._tiles[key]

    # on the worker threads

    def _run(self) -> None:
        while True:
            with self._lock:
                job = self._next()
                while job is None and not self._closed:
                    self._work.wait(self._until_rest())
                    job = self._next()
                if self._closed:
                    return
            assert job is not None, "the loop above waits for one"
            image, start = None, time.perf_counter()
            try:
                image = self._image(job)
            finally:
                self._deliver(job, image, time.perf_counter() - start)

    def _image(self, job: _Job) -> QImage:
        area, level = job.part.moved(job.area.x, job.area.y), job.key.level
        if not job.reduction:
            return self._painter().image(job.state, level, area, job.transform)
        coarse = reduced(area, job.reduction)
        image = self._painter().image(job.state, level + job.reduction, coarse, job.transform)
        return enlarged(image, coarse, area, job.reduction)

    def _painter(self) -> LayersBelow:
        if self._below is None:
            from editor.layers_below import LayersBelow  # brings the compositor's libraries

            self._below = LayersBelow()
        return self._below

    def _deliver(self, job: _Job, image: QImage | None, seconds: float) -> None:
        with self._lock:
            pixels = (job.part.width * job.part.height) >> (2 * job.reduction)
            if pixels >= _TELLING_PX:
                self._pixel_s += (seconds / pixels - self._pixel_s) / 4
            tile = self._tiles.get(job.key)
            if tile is None or job.generation != self._generation:
                if tile is not None:  # of another picture or profile: again
                    tile.rendering = False
                    tile.dirty = tile.whole
                    self._work.notify_all()
                return
            tile.rendering = False
            if image is None:
                return
            tile.image = patched(tile.image, job.part, image)
            self._tiles.move_to_end(job.key)
            self._drop_oldest()
            if not tile.is_done:
                self._work.notify()
            if self._closed:
                return
        self.tiles_ready.emit(job.key.level, ((job.key.column, job.key.row),))
