"""Sentences for people: a marked text and its values, put together and translated where they are shown.

    Message("{name} has {count} layers.", name=name, count=3)

The text is a literal, so that it can be found and translated; never an f-string. Braces in values stay as
they are, and a value may be a `Message` itself: a word of ours (`Message("width")`), several things
(`listed`), a label that `N_` marked under another context.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, LiteralString, Self, TypeAlias, cast

CONTEXT: Final = "Errors"
"""Where the translations of these texts are kept."""

Translate: TypeAlias = Callable[[str, str], str]  # (context, text) -> text


SHOWN: Final = 80
"""Characters of somebody's text that a message repeats."""


def short(text: str) -> str:
    """A prompt or the like as a message repeats it."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()}…"


def untranslated(context: str, text: str) -> str:
    """The text as the sources have it."""
    del context
    return text


class Message:
    """A text with named gaps (`str.format`) and what fills them. Immutable, hashable, survives pickling."""

    __slots__ = ("text", "values")

    def __init__(self, text: LiteralString, /, **values: object) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "values", {name: _kept(value) for name, value in values.items()})

    text: str
    values: Mapping[str, Any]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Message.{name} cannot be set")

    def said(self, translate: Translate = untranslated) -> str:
        """The sentence in the language of `translate`."""
        if not self.text:
            return ""
        text = translate(CONTEXT, self.text)
        if not self.values:
            return text
        return text.format(**{name: _said(value, translate) for name, value in self.values.items()})

    def __str__(self) -> str:
        return self.said()

    def __repr__(self) -> str:
        return f"Message({self.said()!r})"

    def __bool__(self) -> bool:
        return bool(self.text)

    def __contains__(self, part: str) -> bool:
        """Whether the sentence has `part`, in English."""
        return part in self.said()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.text, self.values) == (other.text, other.values)

    def __hash__(self) -> int:
        return hash((self.text, self.said()))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_made, (self.text, dict(self.values)))


NOTHING: Final = Message("")
"""No message: false, and empty in every language."""


class Marked(str):
    """A text that `inference.parameters.N_` marked, which knows the context it is translated under."""

    __slots__ = ("context",)

    context: str

    def __new__(cls, context: str, text: str) -> Self:
        made = super().__new__(cls, text)
        made.context = context
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return (Marked, (self.context, str(self)))


class Label(Message):
    """A marked text of another context, such as an operation's name; values that `N_` marked become one."""

    __slots__ = ("context",)

    context: str

    def __init__(self, context: str, text: str) -> None:
        super().__init__(cast("LiteralString", text))  # one that N_ marked
        object.__setattr__(self, "context", context)

    def said(self, translate: Translate = untranslated) -> str:
        return translate(self.context, self.text) if self.text else ""

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and isinstance(other, Label) and self.context == other.context

    __hash__ = Message.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return (Label, (self.context, self.text))


class Listed(Message):
    """Several things one after another, with the language's mark between them; see `listed`."""

    __slots__ = ()

    def __init__(self, items: Iterable[str | Message]) -> None:
        super().__init__("", **{str(index): item for index, item in enumerate(items)})

    def said(self, translate: Translate = untranslated) -> str:
        between = translate(CONTEXT, SEPARATOR)
        return between.join(str(_said(item, translate)) for item in self.values.values())

    def __bool__(self) -> bool:
        return bool(self.values)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Listed, (list(self.values.values()),))


SEPARATOR: Final = Message(", ").text
"""What stands between the things of a list."""


def listed(items: Iterable[str | Message]) -> Listed:
    """Such as “a, b, c” in the reader's language; false if there is nothing."""
    return Listed(items)


def _made(text: LiteralString, values: dict[str, object]) -> Message:
    return Message(text, **values)


def _kept(value: object) -> object:
    """Values that other processes can read: numbers, texts and messages; all else as its text."""
    if isinstance(value, Marked):
        return Label(value.context, str(value))
    return cast("object", value) if isinstance(value, str | int | float | Message) else str(value)


def _said(value: object, translate: Translate) -> object:
    return value.said(translate) if isinstance(value, Message) else value
