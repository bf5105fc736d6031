"""Weights of words in a prompt, as other tools write them: `(cat:1.2)`, `((cat))`, `[cat]`.

    read("a (red:1.2) [car]")
    # a red car: 1.2 for the signs of "red", 1 / 1.1 for those of "car"

Round brackets multiply by 1.1, or by the number after the last colon; square ones divide by 1.1. They may
stand in each other. A backslash takes a bracket, or a backslash, as it is. Free of torch: the window shows
words and errors before anything is loaded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from inference.errors import EditorError
from inference.messages import short

STEP = 1.1
MOST_WEIGHT = 10.0
_OPEN, _CLOSE = {"(": ")", "[": "]"}, {")": "(", "]": "["}
_ESCAPED = frozenset("()[]\\")
_NUMBER = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*")
_MEANT_AS_NUMBER = re.compile(r"\s*(?:[-+.,]?\d.*)?", re.DOTALL)
_BRACKETS = str.maketrans("", "", "()[]")
_PROMPTS = ("source_prompt", "prompt", "negative_prompt")  # parameters of operations that are read so
_HIDDEN = "\u2060"  # takes no room


@dataclass(frozen=True)
class Weighted:
    """A prompt and what its marks say.

    Args:
        written: with its marks.
        weights: of each of its signs; None for those of marks.
    """

    written: str
    weights: tuple[float | None, ...]

    @cached_property
    def text(self) -> str:
        """The prompt with a space for each sign of a mark: every word stays at its place."""
        return self._with(" ")

    @cached_property
    def shown(self) -> str:
        """The same for people: marks take no room, where words would not run into each other."""
        signs = list(self._with(_HIDDEN))
        for first, last in _runs(self.weights):
            before, after = self.written[first - 1 : first], self.written[last : last + 1]
            if before.isalnum() and after.isalnum():
                signs[first] = " "
        return "".join(signs)

    @cached_property
    def superfluous(self) -> frozenset[int]:
        """Signs of `text` that are spaces beside other spaces, or at the ends."""
        found: set[int] = set()
        for first, last in _runs(self.weights):
            before, after = self.written[first - 1 : first], self.written[last : last + 1]
            parts = bool(before and after and not before.isspace() and not after.isspace())
            found |= set(range(first + parts, last))
        return frozenset(found)

    def weight(self, start: int) -> float:
        """Of the word that begins at a sign."""
        found = self.weights[start] if start < len(self.weights) else None
        return 1.0 if found is None else found

    def _with(self, mark: str) -> str:
        return "".join(
            mark if weight is None else sign for sign, weight in zip(self.written, self.weights, strict=True)
        )


def literal(text: str) -> Weighted:
    """A prompt that is taken as it is written."""
    return Weighted(text, (1.0,) * len(text))


def read(text: str) -> Weighted:
    """The prompt's words and their weights.

    Raises:
        EditorError: a bracket without its other half, a number that is no weight, or brackets in each other
            that come to more than `MOST_WEIGHT`.
    """
    weights: list[float | None] = [1.0] * len(text)
    opened: list[int] = []
    index = 0
    while index < len(text):
        sign = text[index]
        if sign == "\\" and text[index + 1 : index + 2] in _ESCAPED and index + 1 < len(text):
            weights[index] = None
            index += 1
        elif sign in _OPEN:
            opened.append(index)
        elif sign in _CLOSE:
            if not opened or text[opened[-1]] != _CLOSE[sign]:
                raise _alone(text, index, _CLOSE[sign])
            _close(text, weights, opened.pop(), index)
        index += 1
    if opened:
        raise _alone(text, opened[-1], _OPEN[text[opened[-1]]])
    for index, weight in enumerate(weights):
        if weight is not None and not weight <= MOST_WEIGHT:  # NaN as well
            raise EditorError(
                "The brackets around “{written}” multiply to a weight of more than {most}.",
                "Take some of them away, or write smaller numbers.",
                written=short(text[index:].translate(_BRACKETS).strip()),
                most=f"{MOST_WEIGHT:g}",
            )
    return Weighted(text, tuple(weights))


def check_marks(parameters: object) -> None:
    """Say before any work what is wrong with the marks of an operation's prompts, where it has weights.

    Raises:
        EditorError: as `read`.
    """
    if not getattr(parameters, "weighted", False):
        return
    for name in _PROMPTS:
        text = getattr(parameters, name, "")
        if isinstance(text, str):
            read(text)


def understood(text: str, *, weighted: bool) -> Weighted:
    """The prompt as it is read; as it is written where its marks are wrong, for looking at it only."""
    try:
        return read(text) if weighted else literal(text)
    except EditorError:
        return literal(text)


def _close(text: str, weights: list[float | None], first: int, last: int) -> None:
    """Give what is between two brackets its weight."""
    inside, factor = text[first + 1 : last], STEP
    end = last
    colon = inside.rfind(":")
    if colon >= 0 and weights[first + 1 + colon] is not None:
        number = inside[colon + 1 :]
        match = _NUMBER.fullmatch(number)
        if match is not None and text[first] == "(" and float(match[1]) <= MOST_WEIGHT:
            factor, end = float(match[1]), first + 1 + colon
        elif _MEANT_AS_NUMBER.fullmatch(number) is not None:
            raise _no_weight(text[first : last + 1], number, is_round=text[first] == "(")
    if text[first] == "[":
        factor = 1 / STEP
    for index in range(first + 1, end):
        weight = weights[index]
        weights[index] = None if weight is None else weight * factor
    for index in (first, *range(end, last + 1)):
        weights[index] = None


def _no_weight(written: str, number: str, *, is_round: bool) -> EditorError:
    if is_round:
        return EditorError(
            "“{number}” in “{written}” is no weight.",
            "Write a number from 0 to {most}, such as (word:1.2), or a backslash before each bracket.",
            number=short(number.strip()),
            written=short(written),
            most=f"{MOST_WEIGHT:g}",
        )
    return EditorError(
        "Square brackets take no number: “{written}”.",
        "Write (word:0.8) for less of a word, or a backslash before each bracket.",
        written=short(written),
    )


def _alone(text: str, index: int, missing: str) -> EditorError:
    return EditorError(
        "The “{bracket}” at sign {place} of the prompt has no “{missing}”: “{around}”.",
        "Close it, or write a backslash before it.",
        bracket=text[index],
        place=index + 1,
        missing=missing,
        around=short(text[max(0, index - 12) : index + 13]),
    )


def _runs(weights: tuple[float | None, ...]) -> Iterator[tuple[int, int]]:
    """Signs [first, end) of each run of marks."""
    first: int | None = None
    for index, weight in enumerate((*weights, 1.0)):
        if weight is None and first is None:
            first = index
        elif weight is not None and first is not None:
            yield first, index
            first = None
