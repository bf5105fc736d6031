"""Values that came from a file, checked where they are read: types, ranges, counts.

    given = fields(json_object(text, "recipe"), "recipe")
    width = whole(given.get("width"), "width", 1, 65_535)
    edits = typed(tuple[SubjectEdit, ...], given["edits"], "edits", Bounds(most=64))

JSON knows fewer types than we do: a list stands for a tuple, an object for a dataclass, a whole number for
a float. Everything else has to be what is declared: no truth value is a number, no number is NaN or
infinite, no text has half a character (a lone surrogate, which no file can hold), and nothing is longer
than its bound. So what was read can be counted with and written again. Everything here raises
`EditorError` and nothing else.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, cast

from inference.content import Content
from inference.errors import EditorError
from inference.messages import Message, listed
from inference.reasons import NamedTwiceError, reason_of

LONGEST_TEXT = 100_000  # characters
MOST_ITEMS = 1000
LARGEST_WHOLE = 2**63 - 1
LARGEST_JSON_BYTES = 64 * 2**20
_SHOWN = 40  # characters of a value in an error
_WHOLE, _NUMBER = Message("a whole number"), Message("a number")
_NOT_IN_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
_FLAG, _TEXT = Message("yes or no"), Message("a text")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Smallest and largest number (of items, too), greatest number of items or characters, allowed texts."""

    min: float | None = None
    max: float | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()


NO_BOUNDS = Bounds()


def bounded(**bounds: Any) -> Any:
    """A field of a plain dataclass without a default, within `Bounds`."""
    return dataclasses.field(metadata={"bounds": Bounds(**bounds)})


def refused(name: str | Message, value: object, reason: Message) -> EditorError:
    """The error that names what was given and what is allowed."""
    return EditorError("{name} is {value}: {reason}.", name=name, value=shown(value), reason=reason)


def shown(value: object) -> str | Message:
    """A value as an error may name it: short, whatever it is."""
    if isinstance(value, Mapping):
        return "{…}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[…]"
    if isinstance(value, int) and not -(10**_SHOWN) < value < 10**_SHOWN:
        return Message("a number of many digits")  # which Python may refuse to write out
    text = repr(value[: _SHOWN + 1] if isinstance(value, str | bytes) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def json_object(
    text: str | bytes, name: str | Message, most_bytes: int = LARGEST_JSON_BYTES
) -> dict[str, Any]:
    """The object that a JSON text holds; `name` says in errors what it is."""
    if len(text) > most_bytes:
        raise EditorError("The {name} is too long: {count} bytes.", name=name, count=len(text))
    try:
        value: object = parsed_json(text)
    except (ValueError, RecursionError) as error:
        raise EditorError("The {name} is no JSON: {reason}.", name=name, reason=_why(error)) from error
    return dict(fields(value, name))


def parsed_json(content: str | bytes) -> Any:
    """What a JSON text holds.

    JSON leaves open which of two values of one name counts (RFC 8259, section 4), and programs differ: a text
    that has two says nothing that could be relied on.

    Raises:
        ValueError: it is no JSON, not in UTF-8, has a number of too many digits, or names something twice
            (`NamedTwiceError`).
        RecursionError: it is nested too deeply.
    """
    return json.loads(content, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        raise NamedTwiceError(next(name for name, _ in pairs if name in seen or seen.add(name)))
    return found


def _why(error: Exception) -> Message:
    if isinstance(error, RecursionError):
        return Message("it is nested too deeply")
    said = json.JSONDecodeError | UnicodeDecodeError | NamedTwiceError
    if not isinstance(error, said):  # digits that Python refuses to read
        return Message("it has a number of too many digits")
    return reason_of(error)


def fields(value: object, name: str | Message) -> Mapping[str, Any]:
    """An object's fields by their names."""
    if not isinstance(value, Mapping):
        raise refused(name, value, Message("expected an object"))
    return cast("Mapping[str, Any]", value)


def unknown_names(given: Iterable[object], known: Iterable[str]) -> list[str]:
    """Names that nobody reads, such as misspelt ones: the first five in order, and no more of each than 40
    signs, as they are shown.
    """
    return sorted(str(name)[:40] for name in set(given) - set(known))[:5]


def items(value: object, name: str | Message, most: int = MOST_ITEMS) -> list[Any]:
    """A list of at most so many items."""
    if not isinstance(value, list | tuple):
        raise refused(name, value, Message("expected a list"))
    found = cast("list[Any]", value)
    if len(found) > most:
        raise EditorError(
            "{name} has {count} items: allowed are {most}.",
            "Leave some of them out.",
            name=name,
            count=len(found),
            most=most,
        )
    return list(found)


def text(value: object, name: str | Message, most: int = LONGEST_TEXT) -> str:
    """A text that every file can hold."""
    if not isinstance(value, str):
        raise refused(name, value, Message("expected {kind}", kind=_TEXT))
    if len(value) > most:
        raise EditorError(
            "{name} has {count} characters: allowed are {most}.", name=name, count=len(value), most=most
        )
    if not is_whole_text(value):
        raise refused(name, value, Message("it has half a character"))
    return value


def is_whole_text(value: str) -> bool:
    """Whether there is no lone surrogate in it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def mended_text(value: object, name: str | Message, most: int = LONGEST_TEXT) -> str:
    """As `text`, with U+FFFD for lone surrogates: for names, which are better shown so than refused."""
    return text(mended(value) if isinstance(value, str) else value, name, most)


def mended(value: str) -> str:
    """The text with U+FFFD for lone surrogates; pairs of them become the character that they stand for."""
    if is_whole_text(value):
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def in_xml(value: str) -> str:
    """The text with U+FFFD for characters that no XML may hold, not even as numbers (XML 1.0, 2.2)."""
    return _NOT_IN_XML.sub("\ufffd", mended(value))


def flag(value: object, name: str | Message) -> bool:
    """True or False, and no number."""
    if not isinstance(value, bool):
        raise refused(name, value, Message("expected {kind}", kind=_FLAG))
    return value


def whole(value: object, name: str | Message, low: float | None = None, high: float | None = None) -> int:
    """A whole number in a range; without one, of 64 bits."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise refused(name, value, Message("expected {kind}", kind=_WHOLE))
    low = -LARGEST_WHOLE if low is None else low
    high = LARGEST_WHOLE if high is None else high
    if not low <= value <= high:
        raise refused(name, value, _range(low, high))
    return int(value)


def number(value: object, name: str | Message, low: float | None = None, high: float | None = None) -> float:
    """A finite number in a range; whole ones become floats."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise refused(name, value, Message("expected {kind}", kind=_NUMBER))
    try:
        found = float(value)
    except OverflowError as error:
        raise refused(name, value, _range(low, high)) from error
    inside = (low is None or found >= low) and (high is None or found <= high)
    if not inside or not math.isfinite(found):
        raise refused(name, found, _range(low, high))
    return found


def typed(hint: Any, value: object, name: str | Message, bounds: Bounds = NO_BOUNDS) -> Any:
    """The value as `hint` declares it, all that it holds included.

    Known are bool, int, float, str, contents, Literal, enums, optional ones, tuples,
    dataclasses and mappings of texts.
    A dataclass is made from an object without unknown or missing names. `bounds` of a tuple hold for its
    items.
    """
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return _optional(hint, value, name, bounds)
    simple = _SIMPLE.get(hint)
    if simple is not None:
        return simple(value, name, bounds)
    origin = typing.get_origin(hint)
    if origin is Literal:
        if not any(type(value) is type(allowed) and value == allowed for allowed in typing.get_args(hint)):
            raise refused(name, value, _one_of(typing.get_args(hint)))
        return value
    if origin is tuple:
        return _tuple(hint, value, name, bounds)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _, kind = typing.get_args(hint)
        given = fields(value, name)
        items(list(given), name, bounds.most or MOST_ITEMS)
        return {text(key, name): typed(kind, item, name) for key, item in given.items()}
    if isinstance(hint, type) and issubclass(hint, Content):
        return value if type(value) is hint else hint(text(value, name))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint, value, name)
    if isinstance(hint, type) and dataclasses.is_dataclass(cast("type[Any]", hint)):
        return _dataclass(cast("type[Any]", hint), value, name)
    raise TypeError(f"{hint!r} is no type that files hold")  # a declaration of ours is wrong


def _optional(hint: Any, value: object, name: str | Message, bounds: Bounds) -> Any:
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    if len(kinds) != 1:
        raise TypeError(f"{hint!r} is no type that files hold")
    return None if value is None else typed(kinds[0], value, name, bounds)


def _number(value: object, name: str | Message, bounds: Bounds) -> float:
    return number(value, name, bounds.min, bounds.max)


def _whole(value: object, name: str | Message, bounds: Bounds) -> int:
    return whole(value, name, bounds.min, bounds.max)


def _text(value: object, name: str | Message, bounds: Bounds) -> str:
    found = text(value, name, LONGEST_TEXT if bounds.most is None else bounds.most)
    if bounds.choices and found not in bounds.choices:
        raise refused(name, found, _one_of(bounds.choices))
    return found


def _flag(value: object, name: str | Message, bounds: Bounds) -> bool:
    del bounds
    return flag(value, name)


_SIMPLE: dict[Any, Any] = {bool: _flag, int: _whole, float: _number, str: _text}


def _tuple(hint: Any, value: object, name: str | Message, bounds: Bounds) -> tuple[Any, ...]:
    arguments = typing.get_args(hint)
    given = items(value, name, MOST_ITEMS if bounds.most is None else bounds.most)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(typed(arguments[0], item, name, bounds) for item in given)
    if len(given) != len(arguments):
        raise EditorError(
            "{name} has {count} items: expected {wanted}.", name=name, count=len(given), wanted=len(arguments)
        )
    return tuple(typed(kind, item, name, bounds) for kind, item in zip(arguments, given, strict=True))


def _enum(hint: type[Enum], value: object, name: str | Message) -> Enum:
    if isinstance(value, hint):
        return value
    found = next((item for item in hint if type(item.value) is type(value) and item.value == value), None)
    if found is None:
        raise refused(name, value, _one_of(tuple(item.value for item in hint)))
    return found


def _dataclass(cls: type[Any], value: object, name: str | Message) -> Any:
    hints, bounds, required = _declared(cls)
    if isinstance(value, cls):
        found: dict[str, Any] = {
            field: typed(hint, getattr(value, field), f"{name}.{field}", bounds[field])
            for field, hint in hints.items()
        }
        return value if all(found[field] == getattr(value, field) for field in hints) else cls(**found)
    given = fields(value, name)
    unknown = sorted(str(key)[:_SHOWN] for key in set(given) - set(hints))[:5]
    if unknown:
        raise EditorError(
            "Unknown field {unknown} in {name}.", "Known are: {known}.",
            unknown=listed(unknown), name=name, known=listed(hints),
        )  # fmt: skip
    missing = sorted(required - set(given))
    if missing:
        raise EditorError("{name} is incomplete: it lacks {missing}.", name=name, missing=listed(missing))
    return cls(**{
        field: typed(hints[field], item, f"{name}.{field}", bounds[field]) for field, item in given.items()
    })  # fmt: skip


@lru_cache(maxsize=256)
def _declared(cls: type[Any]) -> tuple[dict[str, Any], dict[str, Bounds], frozenset[str]]:
    """Types and bounds of a dataclass's fields, and the names of those without a default."""
    hints = typing.get_type_hints(cls)
    declared = [item for item in dataclasses.fields(cls) if item.init]
    missing = dataclasses.MISSING
    return (
        {item.name: hints[item.name] for item in declared},
        {item.name: item.metadata.get("bounds", NO_BOUNDS) for item in declared},
        frozenset(i.name for i in declared if i.default is missing and i.default_factory is missing),
    )


def _one_of(choices: tuple[object, ...]) -> Message:
    return Message("choose one of: {choices}", choices=listed(str(choice) for choice in choices))


def _range(low: float | None, high: float | None) -> Message:
    if (low, high) in ((None, None), (-LARGEST_WHOLE, LARGEST_WHOLE)):
        return Message("expected a number of at most 64 bits")
    low, high = _bound(low), _bound(high)
    if low is None:
        return Message("allowed is up to {high:.10g}", high=high)
    if high is None:
        return Message("allowed is {low:.10g} or more", low=low)
    return Message("allowed is {low:.10g} to {high:.10g}", low=low, high=high)


def _bound(value: float | None) -> float | None:
    return None if value is None or abs(value) == LARGEST_WHOLE else value
