"""Definitions of attributes: the prompt pairs that a delta is learnt from, one TOML file each.

    attribute = "age"
    subject = "person"                  # the first half of the delta's name; its words are in subjects.toml
    label = "Age"
    range = [-2.0, 2.0]                 # sensible α
    scale = 0.5                         # α = 1 is this share of the way from negative to positive
    prefixes = ["{,a photo of,a portrait of} a {,beautiful}"]

    [[pairs]]
    target = "man"
    positive = "old man"
    negative = "young man"

A brace group stands for each of its alternatives, an empty one included; the groups of a pair's three
phrases are expanded in step. The noun that all three share ends them, and is what is compared.
"""

import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from inference.errors import EditorError
from inference.messages import Message, listed
from inference.reasons import reason_of

_GROUP = re.compile(r"\{([^{}]*)\}")
_REQUIRED = ("attribute", "subject", "label", "prefixes", "pairs")
_KNOWN = {*_REQUIRED, "subjects", "range", "scale"}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Three phrases that end in the same `noun`."""

    target: str
    positive: str
    negative: str
    noun: str


@dataclass(frozen=True, kw_only=True)
class Definition:
    """See the module's text; prefixes and pairs are expanded already."""

    attribute: str
    subject: str
    label: str
    subjects: tuple[str, ...]
    range: tuple[float, float]
    scale: float
    prefixes: tuple[str, ...]
    pairs: tuple[Pair, ...]

    @property
    def name(self) -> str:
        return f"{self.subject}-{self.attribute}"


def expand(text: str) -> tuple[str, ...]:
    """All texts that the brace groups of `text` stand for, blanks tidied: "a {,red} car" → two."""
    pieces = _GROUP.split(text)
    choices = [piece.split(",") if index % 2 else [piece] for index, piece in enumerate(pieces)]
    texts = (" ".join("".join(chosen).split()) for chosen in itertools.product(*choices))
    return tuple(dict.fromkeys(texts))


def sentence(prefix: str, phrase: str) -> str:
    """The prompt of a prefix and a phrase; "a" before a vowel becomes "an"."""
    joined = f"{prefix} {phrase}".strip()
    return re.sub(r"\b(a)(?= [aeiou])", r"\1n", joined, flags=re.IGNORECASE)


def read_definition(path: Path, words: Mapping[str, tuple[str, ...]] | None = None) -> Definition:
    """Read one TOML file; `words` gives each kind's words (default: the shipped ones).

    Raises:
        EditorError: naming what is missing, unknown or inconsistent.
    """
    values = _read_toml(path)
    missing = [name for name in _REQUIRED if name not in values]
    unknown = sorted(set(values) - _KNOWN)
    if missing or unknown:
        raise EditorError(
            Message("The definition “{name}” lacks {missing}.", name=path.name, missing=listed(missing))
            if missing
            else Message(
                "The definition “{name}” has the unknown {unknown}.", name=path.name, unknown=listed(unknown)
            ),
            "It needs {required}.",
            required=listed(_REQUIRED),
        )
    subject = str(values["subject"])
    known = words if words is not None else subject_words(shipped_folder())
    try:
        return _definition(values, subject, known.get(subject, (subject,)))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EditorError(
            "The definition “{name}” is not right: {reason}.",
            "Compare it with deltas/README.md.",
            name=path.name,
            reason=reason_of(error),
        ) from error


def read_definitions(folder: Path) -> tuple[Definition, ...]:
    """All definitions in a folder, in the order of their names."""
    words = subject_words(folder.parent)
    found = [read_definition(path, words) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(found, key=lambda definition: definition.name))


def shipped_folder() -> Path:
    """The folder of the deltas and definitions that come with the application."""
    return Path(str(resources.files("deltas")))


def subject_words(folder: Path) -> dict[str, tuple[str, ...]]:
    """Which words each kind of subject goes by: {"person": ("man", "woman", …)}, from subjects.toml."""
    path = folder / "subjects.toml"
    if not path.is_file():
        return {}
    return {kind: tuple(str(word) for word in words) for kind, words in _read_toml(path).items()}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise EditorError(
            "“{path}” cannot be read: {reason}.",
            "It must be a TOML file in UTF-8.",
            path=path,
            reason=reason_of(error),
        ) from error


def _definition(values: Mapping[str, Any], subject: str, words: tuple[str, ...]) -> Definition:
    low, high = (float(bound) for bound in values.get("range", (-2.0, 2.0)))
    prefixes = tuple(text for prefix in values["prefixes"] for text in expand(prefix))
    pairs = tuple(pair for declared in values["pairs"] for pair in _pairs(declared))
    if not prefixes or not pairs or not low < high:
        raise ValueError("it needs a prefix, a pair, and a range from low to high")
    return Definition(
        attribute=str(values["attribute"]),
        subject=subject,
        label=str(values["label"]),
        subjects=tuple(str(word) for word in values.get("subjects", words)),
        range=(low, high),
        scale=float(values.get("scale", 0.5)),
        prefixes=prefixes,
        pairs=pairs,
    )


def _pairs(declared: Mapping[str, str]) -> list[Pair]:
    phrases = [expand(declared[name]) for name in ("target", "positive", "negative")]
    count = max(len(texts) for texts in phrases)
    if any(len(texts) not in (1, count) for texts in phrases):
        raise ValueError(f"the brace groups of {dict(declared)} do not go together")
    columns = [texts * count if len(texts) == 1 else texts for texts in phrases]
    return [_pair(*texts) for texts in zip(*columns, strict=True)]


def _pair(target: str, positive: str, negative: str) -> Pair:
    nouns = {text.split()[-1] for text in (target, positive, negative)}
    if len(nouns) != 1:
        raise ValueError(f"“{target}”, “{positive}” and “{negative}” do not end in the same noun")
    return Pair(target=target, positive=positive, negative=negative, noun=nouns.pop())
