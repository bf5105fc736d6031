"""What the tile compositor knows of tiles, and the work that it hands to its threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from PySide6.QtGui import QImage

from editor.layers.state import DocumentState
from editor.pixels.raster import Area
from editor.rendering.tile_grid import Key
from inference.request import Pixels

NOWHERE = Area(0, 0, 0, 0)

Transform: TypeAlias = Callable[[Pixels], Pixels]


@dataclass
class TileRecord:
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


class Piece(NamedTuple):
    """A part, in pixels of the level, of one tile."""

    key: Key
    tile: Area
    part: Area


@dataclass(frozen=True)
class Job:
    """Work taken at one moment: one tile's, or a draft of neighbours that are one tile when reduced."""

    state: DocumentState
    transform: Transform | None
    generation: int
    level: int
    reduction: int  # levels that the work is done below the tiles': a draft, if any
    pieces: tuple[Piece, ...]

    @property
    def area(self) -> Area:
        """All pieces together, in pixels of the level."""
        united = NOWHERE
        for piece in self.pieces:
            united = united.united(piece.part)
        return united


def taken(tile: TileRecord, reduction: int) -> Area:
    """The part of a tile that is worked on from now, in pixels of its level."""
    tile.refining = tile.dirty.is_empty
    part = tile.rough if tile.refining else tile.dirty
    tile.dirty, tile.rendering = NOWHERE, True
    if reduction:
        tile.rough = tile.rough.united(part)
    elif part.contains(tile.rough):
        tile.rough = NOWHERE
    return part.moved(tile.area.x, tile.area.y)
