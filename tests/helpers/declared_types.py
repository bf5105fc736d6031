"""Whether a value is what its declaration says, to the last leaf; written apart from the code that reads."""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any


def faults(value: Any, hint: Any, place: str = "value") -> list[str]:
    """Where a value is something else than `hint`; texts that no file can hold and odd numbers count, too."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return []
    if isinstance(hint, types.UnionType) or origin is typing.Union:
        found = [faults(value, one, place) for one in arguments]
        return [] if any(not one for one in found) else found[0]
    if hint in (None, type(None)):
        return [] if value is None else [f"{place}: {value!r:.60} is not None"]
    if hint in (bool, int, float, str, bytes):
        return _simple_faults(value, hint, place)
    if origin is tuple:
        return _tuple_faults(value, arguments, place)
    if origin is frozenset:
        return [fault for item in value for fault in faults(item, arguments[0], place)]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return [
            fault
            for key, item in value.items()
            for fault in (
                *faults(key, arguments[0], place),
                *faults(item, arguments[1], f"{place}[{key!r:.20}]"),
            )
        ]
    kind = origin or hint
    if not isinstance(kind, type):
        return [f"{place}: {hint!r} is not known here"]
    if not isinstance(value, kind):
        return [f"{place}: {value!r:.60} is no {kind.__name__}"]
    if isinstance(value, Enum | PurePath) or not dataclasses.is_dataclass(value):
        return []
    hints = typing.get_type_hints(type(value))
    return [
        fault
        for item in dataclasses.fields(value)
        for fault in faults(getattr(value, item.name), hints[item.name], f"{place}.{item.name}")
    ]


def _simple_faults(value: Any, hint: Any, place: str) -> list[str]:
    if type(value) is not hint:
        return [f"{place}: {value!r:.60} is no {hint.__name__}"]
    if hint is float and not math.isfinite(value):
        return [f"{place}: {value} is not finite"]
    if hint is int and abs(value) >= 2**63:
        return [f"{place}: an int beyond 64 bits"]
    if hint is str and any(0xD800 <= ord(character) < 0xE000 for character in value):
        return [f"{place}: {value!r:.60} has a lone surrogate"]
    return []


def _tuple_faults(value: Any, arguments: tuple[Any, ...], place: str) -> list[str]:
    if type(value) is not tuple:
        return [f"{place}: {value!r:.60} is no tuple"]
    kinds = [arguments[0]] * len(value) if len(arguments) == 2 and arguments[1] is Ellipsis else arguments
    if len(kinds) != len(value):
        return [f"{place}: {len(value)} items instead of {len(kinds)}"]
    return [
        fault
        for index, (item, kind) in enumerate(zip(value, kinds, strict=True))
        for fault in faults(item, kind, f"{place}[{index}]")
    ]
