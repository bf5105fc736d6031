"""Declaring the parameters of an operation once, for the panel, the command line and the files.

@dataclass(frozen=True, kw_only=True)
class Translate(Parameters):
    prompt: str = param("", N_("Operations", "Prompt"))
    injection: float = param(0.8, N_("Operations", "Feature injection"), min=0, max=1)
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, cast

from inference.errors import EditorError
from inference.messages import Marked, Message, listed
from inference.reasons import reason_of


def N_(context: str, text: str) -> str:  # noqa: N802 - the marker that lupdate is told of
    """Mark `text` for translation under `context`; whoever shows it translates it."""
    return Marked(context, text)


_KINDS: Final[dict[Any, Message]] = {
    int: Message("a whole number"),
    float: Message("a number"),
    bool: Message("yes or no"),
    str: Message("a text"),
}


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is known of one parameter beside its name and type."""

    label: str
    help: str = ""
    min: float | None = None
    max: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    multiline: bool = False
    advanced: bool = False
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class ParameterField:
    """One declared parameter of one `Parameters` class."""

    name: str
    type: Any
    optional: bool
    default: Any
    declaration: Declaration


def param(default: Any, label: str, **declared: Any) -> Any:
    """Declare one parameter; the keywords are the fields of `Declaration`."""
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
        hints = typing.get_type_hints(cls)
        return tuple(
            _declared_field(item, hints[item.name])
            for item in dataclasses.fields(cls)
            if "declaration" in item.metadata
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives the same parameters back."""
        return {item.name: _plain(getattr(self, item.name)) for item in self.declared()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read `to_json`'s values; an unknown name or a value out of range is an `EditorError`."""
        declared = {item.name: item for item in cls.declared()}
        unknown = sorted(set(values) - set(declared))
        if unknown:
            raise EditorError(
                "Unknown parameter {unknown}.",
                "Known are: {declared}.",
                unknown=listed(unknown),
                declared=listed(declared),
            )
        return cls(**{name: _revived(declared[name].type, value) for name, value in values.items()})


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
    if value is None:
        if declared.optional:
            return None
        raise _refused(declared, value, Message("a value is needed"))
    if declared.type is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if declared.type in (int, float, bool, str) and type(value) is not declared.type:
        raise _refused(declared, value, Message("expected {kind}", kind=_KINDS[declared.type]))
    if declared.type in (int, float):
        _check_range(declared, cast("float", value))
    choices = declared.declaration.choices
    if choices and value not in choices:
        raise _refused(declared, value, Message("choose one of: {choices}", choices=listed(choices)))
    return value


def _check_range(declared: ParameterField, value: float) -> None:
    low, high = declared.declaration.min, declared.declaration.max
    # written so that NaN, which compares false with everything, is refused as well
    inside = (low is None or value >= low) and (high is None or value <= high)
    if not inside or value != value:
        raise _refused(declared, value, _allowed(low, high))


def _allowed(low: float | None, high: float | None) -> Message:
    if low is None:
        return (
            Message("allowed is a number")
            if high is None
            else Message("allowed is up to {high:g}", high=high)
        )
    if high is None:
        return Message("allowed is {low:g} or more", low=low)
    return Message("allowed is {low:g} to {high:g}", low=low, high=high)


def _refused(declared: ParameterField, value: object, reason: Message) -> EditorError:
    return EditorError(
        "{label} is {value}: {reason}.", label=declared.declaration.label, value=repr(value), reason=reason
    )


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in typing.cast("tuple[Any, ...]", value)]
    return value


def _revived(hint: Any, value: Any) -> Any:
    """Turn JSON lists and objects back into the tuples and dataclasses that `hint` names."""
    if value is None or typing.get_origin(hint) is Literal:
        return value
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise EditorError("Expected a list, not {value}.", value=repr(value))
        items = typing.cast("list[Any]", value)
        arguments = typing.get_args(hint)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_revived(arguments[0], item) for item in items)
        if len(items) != len(arguments):
            raise EditorError(
                "Expected {needed} values, not {given}.", needed=len(arguments), given=len(items)
            )
        return tuple(_revived(kind, item) for kind, item in zip(arguments, items, strict=True))
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return _revived_dataclass(typing.cast("type[Any]", hint), typing.cast("Mapping[str, Any]", value))
    return value


def _revived_dataclass(cls: "type[Any]", values: Mapping[str, Any]) -> Any:
    hints = typing.get_type_hints(cls)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise EditorError(
            "Unknown field {unknown} in {name}.",
            "Known are: {hints}.",
            unknown=listed(unknown),
            name=cls.__name__,
            hints=listed(hints),
        )
    try:
        return cls(**{name: _revived(hints[name], value) for name, value in values.items()})
    except TypeError as error:
        raise EditorError(
            "{name} is incomplete: {reason}.", name=cls.__name__, reason=reason_of(error)
        ) from error
