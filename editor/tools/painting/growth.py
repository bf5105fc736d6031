"""Rasters over a larger or smaller area that share the tiles they have in common."""

from __future__ import annotations

from editor.pixels.raster import TILE_PX, Area, Raster, Samples, frozen


def regridded(raster: Raster, old: Area, new: Area, fill: int = 0) -> Raster:
    """The raster that lies at `old`, cut and filled up to `new`.

    Args:
        new: its left and top lie whole tiles away from those of `old`, so that tiles can be shared.
        fill: the sample that new pixels have.
    """
    if old == new:
        return raster
    across, row_shift = divmod(new.x - old.x, TILE_PX), divmod(new.y - old.y, TILE_PX)
    if across[1] or row_shift[1]:
        raise ValueError(f"{new} is not whole tiles away from {old}")
    blank = Raster.filled(TILE_PX, TILE_PX, fill, channels=raster.channels, dtype=raster.dtype).tile(0, 0)
    rows: list[tuple[Samples, ...]] = []
    for top in range(0, new.height, TILE_PX):
        height = min(TILE_PX, new.height - top)
        row = top // TILE_PX + row_shift[0]
        rows.append(
            tuple(
                _tile(raster, left // TILE_PX + across[0], row, min(TILE_PX, new.width - left), height, blank)
                for left in range(0, new.width, TILE_PX)
            )
        )
    return Raster(new.width, new.height, rows)


def grown_area(own: Area, around: Area) -> Area:
    """The smallest area whole tiles to the left and top of `own` that covers both."""
    left = own.x - -(-max(0, own.x - around.x) // TILE_PX) * TILE_PX
    top = own.y - -(-max(0, own.y - around.y) // TILE_PX) * TILE_PX
    right, bottom = max(own.right, around.right), max(own.bottom, around.bottom)
    return Area(left, top, right - left, bottom - top)


def _tile(raster: Raster, column: int, row: int, width: int, height: int, blank: Samples) -> Samples:
    full = (height, width) == blank.shape[:2]
    if not (0 <= column < raster.columns and 0 <= row < raster.rows):
        return blank if full else blank[:height, :width]
    tile = raster.tile(column, row)
    if tile.shape[:2] == (height, width):
        return tile
    if tile.shape[0] >= height and tile.shape[1] >= width:
        return tile[:height, :width]
    filled = blank[:height, :width].copy()
    common = tile[:height, :width]
    filled[: common.shape[0], : common.shape[1]] = common
    return frozen(filled)
