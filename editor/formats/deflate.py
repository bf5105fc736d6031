"""Deflating rows of samples on all cores into one stream that every reader takes.

Bands are compressed apart and joined by empty stored blocks: the result is one ordinary zlib stream, a few
thousandths larger than in one piece.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

_ADLER_BASE = 65521
_SAMPLE_BYTES = 2**17

In = TypeVar("In")
Out = TypeVar("Out")


def in_order(work: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """`map` on all cores that reads at most two items a core ahead, so that memory stays bounded."""
    cores = os.cpu_count() or 1
    waiting: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(cores, thread_name_prefix="encode") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def piece(data: bytes, level: int, last: bool) -> bytes:
    """A part of a raw deflate stream, by the strategy that suits it.

    What is left of a photo after filtering hardly ever repeats: looking for runs alone is then faster and,
    because rare matches spoil the statistics, smaller, too.
    """
    packer = _packer(level, _strategy(data, level), -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


def whole(data: bytes, level: int) -> bytes:
    """A zlib stream by itself, by the strategy that suits it."""
    packer = _packer(level, _strategy(data, level), zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _strategy(data: bytes, level: int) -> int:
    middle = len(data) // 2
    sample = data[middle : middle + _SAMPLE_BYTES]
    sizes = {
        strategy: _packed_size(sample, level, strategy) for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE)
    }
    return min(sizes, key=lambda strategy: sizes[strategy])


def _packed_size(data: bytes, level: int, strategy: int) -> int:
    packer = _packer(level, strategy, -zlib.MAX_WBITS)
    return len(packer.compress(data)) + len(packer.flush())


def _packer(level: int, strategy: int, window_bits: int) -> Any:
    return zlib.compressobj(level, zlib.DEFLATED, window_bits, 9, strategy)


def joined_checksum(first: int, second: int, second_bytes: int) -> int:
    """Adler-32 of two pieces in a row from those of each."""
    low1, high1 = first & 0xFFFF, first >> 16
    low2, high2 = second & 0xFFFF, second >> 16
    low = (low1 + low2 - 1) % _ADLER_BASE
    high = (high1 + high2 + second_bytes * (low1 - 1)) % _ADLER_BASE
    return high << 16 | low
