"""The document on the screen: its composite in tiles at mip levels, computed on threads of its own.

A tile that is out of date is still given until the new one is there, so the picture never flickers. A change
of a few pixels recomputes those pixels of the tiles it touches.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from editor.layers.state import DocumentState
from editor.pixels.raster import TILE_PX, Area
from editor.rendering.tile_grid import Key, at_level, enlarged, grid, levels, patched, reduced, tile_area
from editor.rendering.tile_work import Job, Piece, TileRecord, Transform, taken

if TYPE_CHECKING:
    from editor.rendering.layers_below import LayersBelow

__all__ = ["TileCompositor", "grid", "levels"]

CACHE_BYTES = 256 * 2**20
FRAME_S = 0.04  # what takes longer to show is drafted from a smaller picture first …
REST_S = 0.15  # … and refined when nothing has changed for so long
EXACT_PX = 4 * TILE_PX**2  # so little is never drafted: a brush's strokes
MOST_REDUCED = 2  # levels that a draft may lie below its tile's
_TELLING_PX = 4096  # less work says little of the speed


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
        self._tiles: OrderedDict[Key, TileRecord] = OrderedDict()
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

    def _in_view(self) -> list[TileRecord | None]:
        """The tiles that are wanted; None for those beyond the document."""
        if self._state is None:
            return []
        return [self._known(self._state, key) for key in self._wanted]

    def _known(self, state: DocumentState, key: Key) -> TileRecord | None:
        tile = self._tiles.get(key)
        if tile is None:
            area = tile_area(state.width, state.height, key)
            if area.is_empty:
                return None
            tile = self._tiles[key] = TileRecord(area, Area(0, 0, area.width, area.height))
        return tile

    def _affordable(self) -> int:
        """How much smaller what is out of date must be composed to be there within a frame."""
        parts = [tile.dirty for tile in self._in_view() if tile is not None]
        pixels = sum(part.width * part.height for part in parts)
        seconds = pixels * self._pixel_s / (os.cpu_count() or 1)
        reduction = 0
        while pixels > EXACT_PX and reduction < MOST_REDUCED and seconds > FRAME_S:
            reduction, seconds = reduction + 1, seconds / 4
        return reduction

    def _next(self) -> Job | None:
        """The next work: first what is out of date, then, at rest, what is only drafted."""
        free = [
            (key, tile)
            for key, tile in zip(self._wanted, self._in_view())
            if tile is not None and not tile.rendering
        ]
        stale = [item for item in free if not item[1].dirty.is_empty]
        if stale:
            parent = stale[0][0].reduced(self._reduction)
            return self._job([item for item in stale if item[0].reduced(self._reduction) == parent])
        if time.monotonic() - self._changed_at < REST_S:
            return None
        drafted = [item for item in free if not item[1].rough.is_empty]
        return self._job(drafted[:1]) if drafted else None

    def _job(self, tiles: Sequence[tuple[Key, TileRecord]]) -> Job | None:
        if self._state is None or not tiles:
            return None
        reduction = 0 if tiles[0][1].dirty.is_empty else self._reduction
        pieces = tuple(Piece(key, tile.area, taken(tile, reduction)) for key, tile in tiles)
        level = tiles[0][0].level
        return Job(self._state, self._transform, self._generation, level, reduction, pieces)

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
            images: Sequence[QImage] = ()
            start = time.thread_time()  # other programs do not count
            try:
                images = self._images(job)
            except Exception as error:  # noqa: BLE001 - told like any defect; the next tile may well be fine
                thread = threading.current_thread()
                threading.excepthook(
                    threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
                )
            finally:
                self._deliver(job, images, time.thread_time() - start)

    def _images(self, job: Job) -> Sequence[QImage]:
        """One for each piece."""
        coarse = reduced(job.area, job.reduction)
        image = self._painter().image(job.state, job.level + job.reduction, coarse, job.transform)
        if not job.reduction:
            return [image]
        return enlarged(image, coarse, [piece.part for piece in job.pieces], job.reduction)

    def _painter(self) -> LayersBelow:
        if self._below is None:
            from editor.rendering.layers_below import LayersBelow  # brings the compositor's libraries

            self._below = LayersBelow()
        return self._below

    def _deliver(self, job: Job, images: Sequence[QImage], seconds: float) -> None:
        """Take the images in; none at all if the work failed."""
        with self._lock:
            self._learn(job, seconds)
            for index, piece in enumerate(job.pieces):
                tile = self._tiles.get(piece.key)
                if tile is None:
                    continue
                tile.rendering = False
                if job.generation != self._generation:  # of another picture or profile: again
                    tile.dirty = tile.whole
                elif images:
                    part = piece.part.moved(-tile.area.x, -tile.area.y)
                    tile.image = patched(tile.image, part, images[index])
                    self._tiles.move_to_end(piece.key)
            self._drop_oldest()
            self._work.notify_all()
            if self._closed or not images or job.generation != self._generation:
                return
        self.tiles_ready.emit(job.level, tuple((piece.key.column, piece.key.row) for piece in job.pieces))

    def _learn(self, job: Job, seconds: float) -> None:
        """How long a pixel takes."""
        area = reduced(job.area, job.reduction)
        pixels = area.width * area.height
        if pixels >= _TELLING_PX:
            self._pixel_s += (seconds / pixels - self._pixel_s) / 4
