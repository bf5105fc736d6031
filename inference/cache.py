"""A least-recently-used cache that is bounded in bytes, for results and latents."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class ByteCache(Generic[Value]):
    """Keeps the values used last, as long as their sizes add up to at most `limit_bytes`.

    A value larger than the limit is not kept. For one thread.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        """The value at `key`, now the most recently used one, or None."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Value, size_bytes: int) -> None:
        """Keep `value`, dropping the values not used for longest until it fits."""
        self._drop(key)
        if size_bytes > self.limit_bytes:
            return
        self._values[key] = (value, size_bytes)
        self.used_bytes += size_bytes
        while self.used_bytes > self.limit_bytes:
            self._drop(next(iter(self._values)))

    def limit(self, limit_bytes: int) -> None:
        """Keep at most so much from now on."""
        self.limit_bytes = limit_bytes
        while self.used_bytes > self.limit_bytes:
            self._drop(next(iter(self._values)))

    def values(self) -> Iterator[Value]:
        """All that is kept, the least recently used first."""
        return (value for value, _ in self._values.values())

    def clear(self) -> None:
        self._values.clear()
        self.used_bytes = 0

    def _drop(self, key: Hashable) -> None:
        found = self._values.pop(key, None)
        if found is not None:
            self.used_bytes -= found[1]
