"""ICC profiles of the matrix and curve kind, read and written: what 16-bit conversions are computed from.

Almost every RGB profile of a camera, scanner or screen is of this kind: a curve a channel to linear light,
then a matrix to XYZ. What a profile does by look-up tables instead is left to LittleCMS.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

CURVE_STEPS = 65536
INVERSE_STEPS = 1 << 17
LARGEST_TAGS = 200
_HEADER_BYTES = 128
_COLOURANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
_CURVES = (b"rTRC", b"gTRC", b"bTRC")

Table: TypeAlias = NDArray[np.float32]
Values: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shaper:
    """A matrix-and-curves profile.

    Args:
        decode: [3, 65536] linear light in 0..1 of every 16-bit sample.
        encode: [3, `INVERSE_STEPS`] samples in 0..1 at the squares of an even grid; over the root of the
            light the curve is nearly straight, so the nearest entry is exact to half a 16-bit step.
        matrix: linear RGB to XYZ under D50.
    """

    decode: Table
    encode: Table
    matrix: Values


def is_rgb(profile: bytes) -> bool:
    """Whether a profile describes RGB pixels."""
    return len(profile) > _HEADER_BYTES and profile[16:20] == b"RGB " and profile[36:40] == b"acsp"


@lru_cache(maxsize=8)
def shaper_of(profile: bytes) -> Shaper | None:
    """The curves and the matrix of a profile; None if it is of another kind or broken."""
    if not is_rgb(profile):
        return None
    try:
        tags = _tags(profile)
        if b"A2B0" in tags or b"A2B1" in tags or profile[20:24] != b"XYZ ":
            return None
        matrix = np.stack([_xyz(tags[name]) for name in _COLOURANTS], axis=1)
        decode = np.stack([np.maximum.accumulate(_curve(tags[name])) for name in _CURVES])
    except (KeyError, struct.error, ValueError, IndexError, OverflowError):
        return None
    if not np.isfinite(decode).all() or abs(np.linalg.det(matrix)) < 1e-6:
        return None
    grid = np.linspace(0, 1, INVERSE_STEPS) ** 2
    samples = np.linspace(0, 1, CURVE_STEPS)
    encode = np.stack([np.interp(grid, curve, samples) for curve in decode])
    return Shaper(decode.astype(np.float32), encode.astype(np.float32), matrix)


def convert_deep(samples: NDArray[np.uint16], source: Shaper, target: Shaper) -> NDArray[np.uint16]:
    """Samples [H, W, 3 or 4] from one profile to another; alpha stays, colours out of gamut clip."""
    matrix = (np.linalg.inv(target.matrix) @ source.matrix).astype(np.float32)
    linear = [source.decode[channel][samples[..., channel]] for channel in range(3)]
    result = samples.copy()
    for channel in range(3):
        light = sum(matrix[channel, index] * linear[index] for index in range(3))
        root = np.sqrt(np.clip(light, 0, 1))
        place = (root * np.float32(INVERSE_STEPS - 1) + np.float32(0.5)).astype(np.int32)
        result[..., channel] = target.encode[channel][place] * np.float32(65535) + np.float32(0.5)
    return result


def grey_to_samples(profile: bytes, target: bytes) -> NDArray[np.uint16] | None:
    """The 16-bit sample under `target`, an RGB profile, of every grey sample under `profile` (65536 of each).

    None if either is of another kind or broken.
    """
    into = shaper_of(target)
    if into is None or profile[16:20] != b"GRAY":
        return None
    try:
        light = np.clip(_curve(_tags(profile)[b"kTRC"]), 0, 1)
    except (KeyError, struct.error, ValueError, IndexError, OverflowError):
        return None
    place = np.round(np.sqrt(light) * (INVERSE_STEPS - 1)).astype(np.int64)
    samples = into.encode[1][place] * np.float32(65535) + np.float32(0.5)
    return cast("NDArray[np.uint16]", samples.astype(np.uint16))


def matrix_profile(
    name: str, primaries: tuple[tuple[float, float], ...], white: tuple[float, float], curve: bytes
) -> bytes:
    """A version 2 profile from chromaticities; `curve` is a whole `curv` or `para` element."""
    colourants = _adapted(primaries, white)
    tags: list[tuple[bytes, bytes]] = [
        (b"desc", _description(name)),
        (b"cprt", b"text\0\0\0\0No copyright, use freely\0"),
        (b"wtpt", _xyz_element(_D50)),
        *((tag, _xyz_element(colourants[:, index])) for index, tag in enumerate(_COLOURANTS)),
        *((tag, curve) for tag in _CURVES),
    ]
    return _assembled(tags)


def gamma_curve(gamma: float) -> bytes:
    return struct.pack(">4s4xIH", b"curv", 1, round(gamma * 256))


def sampled_curve(function: Callable[[Values], Values], points: int = 1024) -> bytes:
    values = np.round(function(np.linspace(0, 1, points)) * 65535).astype(">u2")
    return struct.pack(">4s4xI", b"curv", points) + values.tobytes()


_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _adapted(primaries: tuple[tuple[float, float], ...], white: tuple[float, float]) -> Values:
    """Columns XYZ of the three primaries, adapted from their white to D50."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    at_white = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    matrix = columns * np.linalg.solve(columns, at_white)
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ at_white)
    return np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD @ matrix


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, _HEADER_BYTES)
    if count > LARGEST_TAGS:
        raise ValueError(f"{count} tags")
    found: dict[bytes, bytes] = {}
    for index in range(count):
        name, start, size = struct.unpack_from(">4sII", profile, _HEADER_BYTES + 4 + 12 * index)
        found[name] = profile[start : start + size]
    return found


def _xyz(element: bytes) -> Values:
    if element[:4] != b"XYZ ":
        raise ValueError("no XYZ element")
    return np.array(struct.unpack_from(">3i", element, 8)) / 65536


def _curve(element: bytes) -> Values:
    """Linear light at every 16-bit sample."""
    samples = np.linspace(0, 1, CURVE_STEPS)
    if element[:4] == b"para":
        return _parametric(element, samples)
    if element[:4] != b"curv":
        raise ValueError("no curve")
    (count,) = struct.unpack_from(">I", element, 8)
    if count == 0:
        return samples
    if count == 1:
        return samples ** (struct.unpack_from(">H", element, 12)[0] / 256)
    values = np.frombuffer(element, ">u2", count, 12) / 65535
    return np.interp(samples, np.linspace(0, 1, count), values)


def _parametric(element: bytes, x: Values) -> Values:
    (kind,) = struct.unpack_from(">H", element, 8)
    number = (1, 3, 4, 5, 7)[kind]
    g, a, b, c, d, e, f = (*(v / 65536 for v in struct.unpack_from(f">{number}i", element, 12)), *[0.0] * 6)[
        :7
    ]
    if kind == 0:
        return x**g
    if kind in (1, 2):  # c is added everywhere in kind 2, and starts at -b/a
        c, d, e, f = 0.0, -b / a, (c if kind == 2 else 0.0), (c if kind == 2 else 0.0)
    power = np.maximum(a * x + b, 0) ** g + e
    return np.clip(np.where(x >= d, power, c * x + f), 0, 1)


def _xyz_element(values: Any) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(float(value) * 65536) for value in values))


def _description(name: str) -> bytes:
    text = name.encode("ascii") + b"\0"
    return struct.pack(">4s4xI", b"desc", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)


def _assembled(tags: list[tuple[bytes, bytes]]) -> bytes:
    start = _HEADER_BYTES + 4 + 12 * len(tags)
    table, body, places = b"", b"", dict[bytes, int]()
    for name, element in tags:
        if element not in places:
            places[element] = start + len(body)
            body += element + bytes(-len(element) % 4)
        table += struct.pack(">4sII", name, places[element], len(element))
    size = start + len(body)
    white = struct.pack(">3i", *(round(float(value) * 65536) for value in _D50))
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + white
    return header.ljust(_HEADER_BYTES, b"\0") + struct.pack(">I", len(tags)) + table + body
