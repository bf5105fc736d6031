"""Pixels under a transform: sharp when enlarged, averaged when reduced, never more than a band in floats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editor.layers.limits import check_size
from editor.pixels.raster import Area, Raster, Samples, frozen
from editor.selection.shapes import coverage
from editor.tools.transforming.form import Matrix
from inference.errors import EditorError

_BAND_ROWS = 256
_MARGIN_PX = 6  # Lanczos looks 4 pixels to each side
_PREVIEW_PIXELS = 500_000


def mapped_area(area: Area, matrix: Matrix) -> Area:
    """The box around where an area goes.

    Raises:
        EditorError: it would be larger than a picture can be.
    """
    corners = np.array(
        [[area.x, area.y], [area.right, area.y], [area.right, area.bottom], [area.x, area.bottom]], float
    )
    weights = corners @ matrix[2, :2] + matrix[2, 2]
    if not np.all(weights > 1e-9):
        raise EditorError("The corners were pulled too far.", "Pull them back a little.")
    points = mapped_points(corners, matrix)
    # what is a hair beyond a pixel's edge does not begin another one
    left, top = (math.floor(v + 1e-6) for v in points.min(axis=0))
    right, bottom = (math.ceil(v - 1e-6) for v in points.max(axis=0))
    width, height = max(1, right - left), max(1, bottom - top)
    check_size(width, height)
    return Area(left, top, width, height)


def mapped_points(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    """Where points [n, 2] go."""
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    return homogeneous[:, :2] / homogeneous[:, 2:]


def warped(raster: Raster, area: Area, matrix: Matrix, outside: int = 0) -> tuple[Raster, Area]:
    """A raster that lies at `area` under a transform, and where it lies then.

    Transparent pixels do not bleed their colours; samples beyond the edge are `outside`.

    Raises:
        EditorError: the result would be too large.
    """
    target = mapped_area(area, matrix)
    whole = _whole_steps(matrix)
    if whole is not None:
        return raster, area.moved(*whole)
    source, factor = _reduced(raster, _reduction(area, matrix), outside)
    inverse = np.asarray(np.linalg.inv(_between_indices(area, target, matrix, factor)), np.float64)
    outline = _outline(area, matrix)
    result: Samples = np.empty((target.height, target.width, raster.channels), raster.dtype)
    for top in range(0, target.height, _BAND_ROWS):
        band = Area(0, top, target.width, min(_BAND_ROWS, target.height - top))
        result[top : top + band.height] = _band(
            source, inverse, band, raster.dtype, outside, coverage(outline, band.moved(target.x, target.y))
        )
    return Raster.of(frozen(result)), target


class Proxy:
    """A small copy of a raster, for what is shown while a handle is dragged."""

    def __init__(self, raster: Raster, area: Area, outside: int = 0) -> None:
        import cv2  # with its first use, not with the window

        self._area = area
        pixels = area.width * area.height
        self._factor = max(1, math.ceil(math.sqrt(pixels / _PREVIEW_PIXELS)))
        size = (max(1, area.width // self._factor), max(1, area.height // self._factor))
        small: Any = cv2.resize(raster.array(), size, interpolation=cv2.INTER_AREA)
        self._small: Any = np.ascontiguousarray(small)
        self._channels = raster.channels
        self._border = (outside,) * raster.channels
        self._scale = (area.width / size[0], area.height / size[1])

    def warped(self, matrix: Matrix, within: Area) -> tuple[Raster, Area]:
        """The small copy under a transform, at full size, and where it lies; no larger than `within`."""
        import cv2  # with its first use, not with the window

        target = mapped_area(self._area, matrix).intersected(within)
        if target.is_empty:
            target = Area(within.x, within.y, 1, 1)
        across, down = self._scale
        own = np.diag([across, down, 1.0])
        own[0, 2], own[1, 2] = self._area.x + across / 2, self._area.y + down / 2
        shift = np.array([[1, 0, -target.x - 0.5], [0, 1, -target.y - 0.5], [0, 0, 1]], float)
        size = (target.width, target.height)
        large = cv2.warpPerspective(
            self._small, shift @ matrix @ own, size, flags=cv2.INTER_LINEAR, borderValue=self._border
        )
        shape = (target.height, target.width, self._channels)
        return Raster.of(frozen(np.asarray(large).reshape(shape))), target


def _whole_steps(matrix: Matrix) -> tuple[int, int] | None:
    """By how much a transform moves, if all it does is to move by whole pixels."""
    plain = np.eye(3)
    plain[:2, 2] = np.rint(matrix[:2, 2])
    if not np.allclose(matrix, plain, atol=1e-9):
        return None
    return int(plain[0, 2]), int(plain[1, 2])


def _reduction(area: Area, matrix: Matrix) -> tuple[int, int]:
    """By which whole factors the source is averaged beforehand, across and down."""
    middle = np.array([[area.x + area.width / 2, area.y + area.height / 2]])
    steps = middle + np.array([[0, 0], [1, 0], [0, 1]], float)
    mapped = mapped_points(steps, matrix)
    across, down = (float(np.hypot(*(mapped[i] - mapped[0]))) for i in (1, 2))
    largest = (area.width, area.height)
    return tuple(  # pyright: ignore[reportReturnType]
        max(1, min(math.floor(1 / max(scale, 1e-6) + 1e-6), side))
        for scale, side in zip((across, down), largest)
    )


def _reduced(raster: Raster, factor: tuple[int, int], outside: int) -> tuple[Samples | Any, tuple[int, int]]:
    """The raster's samples; averaged over cells, as premultiplied floats, if a factor is above 1."""
    if factor == (1, 1):
        return raster, factor
    across, down = factor
    width, height = -(-raster.width // across), -(-raster.height // down)
    small = np.empty((height, width, raster.channels), np.float32)
    rows = max(1, _BAND_ROWS // down)
    for top in range(0, height, rows):
        count = min(rows, height - top)
        y = top * down
        part = raster.read(Area(0, y, raster.width, min(count * down, raster.height - y)))
        cells = _premultiplied(part)
        padding = ((0, count * down - part.shape[0]), (0, width * across - part.shape[1]), (0, 0))
        if raster.channels == 1:
            cells = np.pad(cells, padding, constant_values=outside)
        else:
            cells = np.pad(cells, padding)
        shaped = cells.reshape(count, down, width, across, raster.channels)
        small[top : top + count] = shaped.mean(axis=(1, 3), dtype=np.float32)
    return small, factor


def _between_indices(area: Area, target: Area, matrix: Matrix, factor: tuple[int, int]) -> Matrix:
    """From indices of the (reduced) source to indices of the result."""
    own = np.diag([factor[0], factor[1], 1.0])
    own[0, 2], own[1, 2] = area.x + factor[0] / 2, area.y + factor[1] / 2
    shift = np.array([[1, 0, -target.x - 0.5], [0, 1, -target.y - 0.5], [0, 0, 1]], float)
    return shift @ matrix @ own


def _outline(area: Area, matrix: Matrix) -> list[tuple[float, float]]:
    """Where the corners of an area go; what is within a hair of a pixel's edge lies on it."""
    corners = [[area.x, area.y], [area.right, area.y], [area.right, area.bottom], [area.x, area.bottom]]
    points = mapped_points(np.array(corners, float), matrix)
    near = np.abs(points - np.rint(points)) < 1e-4
    return [(float(x), float(y)) for x, y in np.where(near, np.rint(points), points)]


def _band(
    source: Any, inverse: Matrix, band: Area, dtype: np.dtype[Any], outside: int, covered: NDArray[np.uint8]
) -> Samples:
    """Some rows of the result; the edge is cut by geometry, so that it is sharp where it was."""
    import cv2  # with its first use, not with the window

    is_raster = isinstance(source, Raster)
    width, height = (source.width, source.height) if is_raster else (source.shape[1], source.shape[0])
    channels = source.channels if is_raster else source.shape[2]
    corners = np.array(
        [[0, band.y], [band.width, band.y], [band.width, band.bottom], [0, band.bottom]], float
    )
    points = mapped_points(corners, inverse)
    low, high = np.floor(points.min(axis=0)) - _MARGIN_PX, np.ceil(points.max(axis=0)) + _MARGIN_PX
    left, top = (int(max(0, v)) for v in low)
    right, bottom = int(min(width, high[0])), int(min(height, high[1]))
    if right <= left or bottom <= top:
        return np.full((band.height, band.width, channels), outside, dtype)
    if is_raster:
        part = _premultiplied(source.read(Area(left, top, right - left, bottom - top)))
    else:
        part = np.ascontiguousarray(source[top:bottom, left:right])
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], float)
    down = np.array([[1, 0, 0], [0, 1, band.y], [0, 0, 1]], float)
    drawn = cv2.warpPerspective(
        part,
        shift @ inverse @ down,
        (band.width, band.height),
        flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    values = np.asarray(drawn, np.float32).reshape(band.height, band.width, channels)
    if covered.min() < 255:
        share = covered[..., None] * np.float32(1 / 255)
        values = (values * share + np.float32(outside) * (1 - share)).astype(np.float32)
    return _straight(values, dtype)


def _premultiplied(samples: Samples) -> NDArray[np.float32]:
    values = samples.astype(np.float32)
    if samples.shape[2] == 4:
        values[..., :3] *= values[..., 3:] * np.float32(1 / np.iinfo(samples.dtype).max)
    return values


def _straight(values: NDArray[np.float32], dtype: np.dtype[Any]) -> Samples:
    top = float(np.iinfo(dtype).max)
    if values.shape[2] == 4:
        alpha = np.clip(values[..., 3:], 0, top)
        values[..., :3] *= np.divide(top, alpha, out=np.zeros_like(alpha), where=alpha >= 0.5)
    return np.rint(np.clip(values, 0, top)).astype(dtype)
