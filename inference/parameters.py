"""Declaring the parameters of an operation once, for the panel, the command line and the files.

@dataclass(frozen=True, kw_only=True)
class Translate(Parameters):
    prompt: str = param("", N_("Operations", "Prompt"))
    injection: float = param(0.8, N_("Operations", "Feature injection"), min=0, max=1)
"""

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self, cast

from inference.content import Content
from inference.errors import EditorError
from inference.messages import Marked, Message, listed
from inference.values import Bounds, fields, refused, typed, unknown_names

REQUIRED: Any = dataclasses.MISSING
"""The default of a parameter that has none."""


def N_(context: str, text: str) -> str:  # noqa: N802 - the marker that lupdate is told of
    """Mark `text` for translation under `context`; whoever shows it translates it."""
    return Marked(context, text)


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is known of one parameter beside its name and type.

    `min` and `max` of a tuple hold for the numbers in it; `most` is its greatest number of items, or a text's
    of characters. `absent` is what a file means that was written before there was the parameter; None is
    the default. `flag` is what the command line calls it; "" is made from the name. `may_be_empty`: an empty
    text says something, too.
    """

    label: str
    help: str = ""
    min: float | None = None
    max: float | None = None
    most: int | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    multiline: bool = False
    advanced: bool = False
    hidden: bool = False
    absent: Any = None
    flag: str = ""
    may_be_empty: bool = False

    @property
    def bounds(self) -> Bounds:
        return Bounds(min=self.min, max=self.max, most=self.most, choices=self.choices)


@dataclass(frozen=True, kw_only=True)
class ParameterField:
    """One declared parameter of one `Parameters` class."""

    name: str
    type: Any
    optional: bool
    default: Any
    declaration: Declaration

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


def param(default: Any, label: str, **declared: Any) -> Any:
    """Declare one parameter; `default` may be `REQUIRED`, the keywords are the fields of `Declaration`."""
    return field(default=default, metadata={"declaration": Declaration(label=label, **declared)})


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Base of every operation's parameters: validated on construction, JSON both ways."""

    def __post_init__(self) -> None:
        for declared in self.declared():
            value = getattr(self, declared.name)
            checked = _checked(declared, value)
            if checked is not value:
                object.__setattr__(self, declared.name, checked)

    @classmethod
    def declared(cls) -> tuple[ParameterField, ...]:
        """The declared parameters, in the order of their declaration."""
        return _declared(cls)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same parameters back."""
        return {item.name: _plain(getattr(self, item.name)) for item in self.declared()}

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Read `to_json`'s values; files may hold anything.

        Raises:
            EditorError: no object, an unknown name, a value of another type or out of range, at any depth.
        """
        given = fields(values, cls.__name__)
        known = [item.name for item in cls.declared()]
        unknown = unknown_names(given, known)
        if unknown:
            raise EditorError(
                "Unknown parameter {unknown}.",
                "Known are: {known}.",
                unknown=listed(unknown),
                known=listed(known),
            )
        missing = sorted(item.name for item in cls.declared() if item.required and item.name not in given)
        if missing:
            raise EditorError("“{names}” is missing.", names=listed(missing))
        return cls(**{**cls._of_older_files(), **given})

    @classmethod
    def _of_older_files(cls) -> dict[str, Any]:
        absent = {item.name: item.declaration.absent for item in cls.declared()}
        return {name: value for name, value in absent.items() if value is not None}


@lru_cache(maxsize=256)
def _declared(cls: type[Parameters]) -> tuple[ParameterField, ...]:
    hints = typing.get_type_hints(cls)
    return tuple(
        _declared_field(item, hints[item.name])
        for item in dataclasses.fields(cls)
        if "declaration" in item.metadata
    )


def _declared_field(item: "dataclasses.Field[Any]", hint: Any) -> ParameterField:
    arguments = typing.get_args(hint)
    optional = isinstance(hint, types.UnionType) and type(None) in arguments
    base = next(a for a in arguments if a is not type(None)) if optional else hint
    return ParameterField(
        name=item.name,
        type=base,
        optional=optional,
        default=item.default,
        declaration=item.metadata["declaration"],
    )


def _checked(declared: ParameterField, value: Any) -> Any:
    label = declared.declaration.label
    if value is None:
        if declared.optional:
            return None
        raise refused(label, value, Message("a value is needed"))
    return typed(declared.type, value, label, declared.declaration.bounds)


def _plain(value: Any) -> Any:
    if isinstance(value, Content):
        return value.hash
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("tuple[Any, ...]", value)]
    return value
