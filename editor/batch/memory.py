"""How many pictures of a batch may be in memory at once: as many as there is room for, and always one.

    with room.taken(needed_bytes(path), check):
        …                       # decode, edit, encode

A few huge pictures, each on a thread of its own, would otherwise take all the memory that there is, and the
system would end the batch or whatever else runs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from editor.layers.limits import LARGEST_PIXELS
from editor.system.process_memory import available_bytes

_SHARE = 0.5  # of what is free; the rest is for the models, and for other programs
_LEAST_BYTES = 2**28
_UNKNOWN_BYTES = 4 * 2**30  # what a system has that does not tell
_BYTES_A_PIXEL = 24  # decoded, before and after a step, and what a step and an encoder work with
_PIXELS_A_BYTE = 4  # of a file whose header is not read here, such as a camera's
_DEEP_MODES = ("I", "F")
_LOOK_S = 0.2  # how often somebody who waits looks whether the batch is stopped


class Room:
    """Memory that threads take parts of, in the order in which they ask for it.

    Args:
        total_bytes: None is half of what is free now.
    """

    def __init__(self, total_bytes: int | None = None) -> None:
        if total_bytes is None:
            total_bytes = int((available_bytes() or _UNKNOWN_BYTES) * _SHARE)
        self.total_bytes = max(_LEAST_BYTES, total_bytes)
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken_bytes = 0

    @contextmanager
    def taken(self, size_bytes: int, check: Callable[[], None]) -> Generator[None]:
        """Have so much; what is more than there is waits until it is alone.

        Args:
            check: raises to stop waiting.
        """
        size_bytes = min(size_bytes, self.total_bytes)
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                while self._waiting[0] is not turn or self._taken_bytes + size_bytes > self.total_bytes:
                    check()
                    self._changed.wait(_LOOK_S)
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
            self._taken_bytes += size_bytes
        try:
            yield
        finally:
            with self._changed:
                self._taken_bytes -= size_bytes
                self._changed.notify_all()


def needed_bytes(path: Path) -> int:
    """About how much memory editing a picture takes at most, by its header alone."""
    from PIL import Image

    # what opens pictures; the window's start does without
    from editor.formats.decoding import quiet
    from editor.formats.deep import raw_mode

    try:
        with quiet(), Image.open(path) as image:
            pixels = image.width * image.height
            deep = image.mode.startswith(_DEEP_MODES) or "16" in raw_mode(image)
    except Exception:  # noqa: BLE001 - what is wrong with the file is said when it is decoded
        try:
            pixels, deep = path.stat().st_size * _PIXELS_A_BYTE, False
        except OSError:
            return 0
    return min(pixels, LARGEST_PIXELS) * _BYTES_A_PIXEL * (2 if deep else 1)
