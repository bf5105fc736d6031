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

`beside = ["a photo of a * and a {dog,house}"]`, if given, are sentences in which the subject stands beside
others; the star is where a pair's phrase goes. A learned delta is taught there to leave the others alone.

Who learns from pictures needs the target alone; `positive` and `negative` may then be left out.

A brace group stands for each of its alternatives, an empty one included; the groups of a pair's three
phrases are expanded in step. The noun that all three share ends them, and is what is compared.
"""

import itertools
import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from inference.errors import EditorError
from inference.files import read_at_most
from inference.messages import Message, listed
from inference.operations import LEAST_CHANGE, MOST_CHANGE
from inference.reasons import reason_of
from inference.values import Bounds, fields, items, number, shown, text, typed, unknown_names

_T = TypeVar("_T")
MOST_TEXTS = 10_000  # that brace groups stand for
_LONGEST = 10_000  # characters of one text
LARGEST_FILE_BYTES = 2**20
_MOST_DOTS = 250  # in one line: a key of many parts costs their square

_GROUP = re.compile(r"\{([^{}]*)\}")
_REQUIRED = ("attribute", "subject", "label", "prefixes", "pairs")
_KNOWN = {*_REQUIRED, "subjects", "range", "scale", "beside"}
_OF_PAIR = ("target", "positive", "negative")
_PLACE = "*"
_COMPARE = Message("Compare it with deltas/README.md.")


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
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.subject}-{self.attribute}"

    @property
    def lacks_ends(self) -> bool:
        """Whether a pair says the same at both ends: its words alone teach nothing."""
        return any(pair.positive == pair.negative for pair in self.pairs)


def expand(text: str) -> tuple[str, ...]:
    """All texts that the brace groups of `text` stand for, blanks tidied: "a {,red} car" → two."""
    pieces = _GROUP.split(text)
    choices = [piece.split(",") if index % 2 else [piece] for index, piece in enumerate(pieces)]
    count = math.prod(len(choice) for choice in choices)
    if count > MOST_TEXTS:
        raise EditorError("“{text}” stands for {count} texts: allowed are {most}.",
                          text=shown(text), count=count, most=MOST_TEXTS)  # fmt: skip
    texts = (" ".join("".join(chosen).split()) for chosen in itertools.product(*choices))
    return tuple(dict.fromkeys(texts))


def sentence(prefix: str, phrase: str) -> str:
    """The prompt of a prefix and a phrase; "a" before a vowel becomes "an"."""
    return _with_articles(f"{prefix} {phrase}".strip())


def sentence_beside(template: str, pair: Pair, phrase: str) -> tuple[str, tuple[int, int]]:
    """The prompt of a sentence of `beside` with one of the pair's phrases, and the characters of its noun."""
    before, _, after = template.partition(_PLACE)
    start = _with_articles(f"{before}{phrase}")
    return f"{start}{after}", (len(start) - len(pair.noun), len(start))


def _with_articles(text: str) -> str:
    return re.sub(r"\b(a)(?= [aeiou])", r"\1n", text, flags=re.IGNORECASE)


def read_definition(path: Path, words: Mapping[str, tuple[str, ...]] | None = None) -> Definition:
    """Read one TOML file; `words` gives each kind's words (default: the shipped ones).

    Raises:
        EditorError: naming what is missing, unknown or inconsistent.
    """
    return definition_of(_read_toml(path), path.name, words)


def definition_from_bytes(content: bytes, name: str = "TOML") -> Definition:
    """The definition that a file of this content holds; `name` is what errors call it.

    Raises:
        EditorError: it is no TOML in UTF-8 or too long; as `read_definition`.
    """
    if len(content) > LARGEST_FILE_BYTES:
        raise EditorError("“{name}” is too large.", name=name)
    try:
        values = _parsed(content)
    except (ValueError, RecursionError) as error:
        raise _no_toml(name, error) from error
    return definition_of(values, name)


def definition_text(
    *,
    attribute: str,
    label: str,
    subject: str,
    prefixes: Sequence[str],
    pairs: Sequence[tuple[str, str, str]],
    subjects: Sequence[str] = (),
) -> str:
    """A definition as TOML; each of `pairs` is (target, positive, negative).

    `subjects` are the words that it applies to; none are those of the kind `subject`.

    Raises:
        EditorError: a text has control characters.
    """
    lines = [
        f"attribute = {_quoted(attribute)}",
        f"subject = {_quoted(subject)}",
        f"label = {_quoted(label)}",
        f"prefixes = [{', '.join(map(_quoted, prefixes))}]",
    ]
    if subjects:
        lines.append(f"subjects = [{', '.join(map(_quoted, subjects))}]")
    for phrases in pairs:
        lines += ["", "[[pairs]]"]
        lines += [
            f"{name} = {_quoted(phrase)}"
            for name, phrase in zip(("target", "positive", "negative"), phrases, strict=True)
        ]
    return "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """A basic string of TOML: JSON's, which escapes all that TOML does but the character 127."""
    if any(ord(one) < 32 or ord(one) == 127 for one in value):
        raise EditorError("“{text}” has control characters.", "Type it anew.", text=value[:40].strip())
    return json.dumps(value, ensure_ascii=False)


def definition_of(
    values: Mapping[str, Any], name: str, words: Mapping[str, tuple[str, ...]] | None = None
) -> Definition:
    """The definition that a file called `name` holds as parsed values; see `read_definition`."""
    missing = [name for name in _REQUIRED if name not in values]
    unknown = unknown_names(values, _KNOWN)
    if missing or unknown:
        raise EditorError(
            Message("The definition “{name}” lacks {missing}.", name=name, missing=listed(missing))
            if missing
            else Message(
                "The definition “{name}” has the unknown {unknown}.", name=name, unknown=listed(unknown)
            ),
            "It needs {required}.",
            required=listed(_REQUIRED),
        )
    known = words if words is not None else subject_words(shipped_folder())
    try:
        subject = text(values["subject"], "subject", _LONGEST)
        return _definition(values, subject, known.get(subject, (subject,)))
    except EditorError as error:  # says what is wrong, not where
        raise EditorError(
            Message("The definition “{name}” is not right: {sentence}", name=name, sentence=error.sentence),
            error.advice or _COMPARE,
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, MemoryError) as error:
        raise EditorError(
            "The definition “{name}” is not right: {reason}.",
            _COMPARE,
            name=name,
            reason=_told(error),
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
        return _parsed(read_at_most(path, LARGEST_FILE_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_toml(path, error) from error


def _parsed(content: bytes) -> dict[str, Any]:
    """What a TOML file holds; its cost is bounded before it is parsed.

    Raises:
        EditorError: a line has more full stops than a definition could need.
        ValueError, RecursionError: it is no TOML in UTF-8.
    """
    most = max(line.count(b".") for line in content.split(b"\n"))
    if most > _MOST_DOTS:
        raise EditorError(
            "One line of the definition has {count} full stops: at most {most} are allowed.",
            "Write its texts in several lines.",
            count=most,
            most=_MOST_DOTS,
        )
    return tomllib.loads(content.decode())


def _no_toml(path: Path | str, error: Exception) -> EditorError:
    return EditorError(
        "“{path}” cannot be read: {reason}.",
        "It must be a TOML file in UTF-8.",
        path=path,
        reason=_told(error),
    )


def _told(error: Exception) -> Message:
    return Message("it is nested too deeply") if isinstance(error, RecursionError) else reason_of(error)


def _definition(values: Mapping[str, Any], subject: str, words: tuple[str, ...]) -> Definition:
    bounds = Bounds(min=-MOST_CHANGE, max=MOST_CHANGE)
    low, high = typed(tuple[float, float], values.get("range", (-2.0, 2.0)), "range", bounds)
    given = typed(tuple[str, ...], values["prefixes"], "prefixes", Bounds(most=_LONGEST))
    prefixes = _all_of(expand(prefix) for prefix in given)
    pairs = _all_of(_pairs(declared) for declared in items(values["pairs"], "pairs"))
    attribute = text(values["attribute"], "attribute", _LONGEST)
    if not attribute.strip() or not subject.strip():
        raise ValueError("it needs a subject and the attribute's name")
    beside = _all_of(
        expand(one)
        for one in typed(tuple[str, ...], values.get("beside", ()), "beside", Bounds(most=_LONGEST))
    )
    wrong = next((one for one in beside if one.count(_PLACE) != 1), None)
    if wrong is not None:
        raise EditorError("“{text}” needs one star, where the subject goes.", text=shown(wrong))
    if not prefixes or not pairs or not high - low >= LEAST_CHANGE:
        raise ValueError("it needs a prefix, a pair, and a range from low to high")
    scale = number(values.get("scale", 0.5), "scale", -MOST_CHANGE, MOST_CHANGE)
    if not scale:
        raise EditorError("With a scale of 0 the slider would change nothing.", "Usual is 0.5.")
    if (len(prefixes) + len(beside)) * len(pairs) > MOST_TEXTS:
        raise EditorError("It stands for more than {most} texts.", most=MOST_TEXTS)
    return Definition(
        attribute=attribute,
        subject=subject,
        label=text(values["label"], "label", _LONGEST),
        subjects=typed(tuple[str, ...], values.get("subjects", words), "subjects", Bounds(most=_LONGEST)),
        range=(low, high),
        scale=scale,
        prefixes=prefixes,
        pairs=pairs,
        beside=beside,
    )


def _all_of(parts: Iterable[Sequence[_T]]) -> tuple[_T, ...]:
    """The parts one after the other, as long as they are not too many together."""
    found: list[_T] = []
    for part in parts:
        found += part
        if len(found) > MOST_TEXTS:
            raise EditorError("It stands for more than {most} texts.", most=MOST_TEXTS)
    return tuple(found)


def _pairs(given: object) -> list[Pair]:
    declared = fields(given, Message("A pair"))
    unknown = unknown_names(declared, _OF_PAIR)
    if unknown:
        raise EditorError(
            "A pair has the unknown {unknown}.",
            "It may have {known}.",
            unknown=listed(unknown),
            known=listed(_OF_PAIR),
        )
    target = declared.get("target")
    phrases = [expand(text(declared.get(name, target), name, _LONGEST)) for name in _OF_PAIR]
    count = max(len(texts) for texts in phrases)
    if any(len(texts) not in (1, count) for texts in phrases):
        raise ValueError(f"the brace groups of {dict(declared)} do not go together")
    columns = [texts * count if len(texts) == 1 else texts for texts in phrases]
    return [_pair(*texts) for texts in zip(*columns, strict=True)]


def _pair(target: str, positive: str, negative: str) -> Pair:
    nouns = {(phrase.split() or [""])[-1] for phrase in (target, positive, negative)}
    if len(nouns) != 1 or "" in nouns:
        raise ValueError(f"“{target}”, “{positive}” and “{negative}” do not end in the same noun")
    return Pair(target=target, positive=positive, negative=negative, noun=nouns.pop())
