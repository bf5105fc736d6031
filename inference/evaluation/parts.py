"""One evaluation by several processes or machines: each measures a part, and the files are put together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from inference.errors import EditorError
from inference.evaluation.record import read_record
from inference.files import atomic_write

Item = TypeVar("Item")

_OF_ONE_RUN: Final = ("summary", "seconds", "ceiling", "probe")
"""What each file has of its own; the run that goes on from the whole makes it anew."""
_MOST: Final = 100_000


@dataclass(frozen=True)
class Part:
    """Every `count`-th case, the first being number `index` (from 1)."""

    index: int = 1
    count: int = 1

    def of(self, cases: Iterable[Item]) -> list[Item]:
        """Those of all the cases that are measured here."""
        return list(cases)[self.index - 1 :: self.count]


WHOLE: Final = Part()


def part_of(text: str) -> Part:
    """`3/16`: the third of sixteen parts.

    Raises:
        EditorError: the text is no part.
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
    index, count = (int(number) for number in found.groups()) if found else (0, 0)
    if not 1 <= index <= count <= _MOST:
        raise EditorError(
            "“{text}” is no part of an evaluation.", "Write 3/16 for the third of sixteen parts.", text=text
        )
    return Part(index, count)


def gather(into: Path, files: Sequence[Path]) -> None:
    """Put the measurements of `files` into one file, from which an evaluation goes on.

    Args:
        into: need not exist; what it has is kept.

    Raises:
        EditorError: a file cannot be read, or is of another suite, model or settings than the others.
    """
    sources = [*([into] if into.exists() else []), *files]
    whole: dict[str, Any] = {}
    first = sources[0]
    for path in sources:
        found = read_record(path)
        if not isinstance(found.get("suite"), str):
            raise EditorError("“{path}” is no evaluation.", "Name files that evaluations wrote.", path=path)
        for name in _OF_ONE_RUN:
            found.pop(name, None)
        if whole:
            _add(whole, found, path, first)
        else:
            whole = found
    content = json.dumps(whole, indent=1, ensure_ascii=False)
    with atomic_write(into) as file:
        file.write(content.encode())


def _add(whole: dict[str, Any], found: dict[str, Any], path: Path, first: Path) -> None:
    """Measurements lie in objects; all else decides them and has to be the same."""
    for name in {**whole, **found}:
        ours, theirs = whole.get(name), found.get(name)
        if name == "costs" and isinstance(ours, dict) and isinstance(theirs, dict):
            _add_up(cast("dict[str, Any]", ours), cast("dict[str, Any]", theirs))
        elif isinstance(ours, dict) and isinstance(theirs, dict) and name != "overrides":
            if "costs" in whole:
                _refuse_twice(cast("dict[str, Any]", ours), cast("dict[str, Any]", theirs), path)
            _merge(cast("dict[str, Any]", ours), cast("dict[str, Any]", theirs))
        elif ours != theirs:
            raise EditorError(
                "“{path}” and “{first}” measure different things: they differ in “{name}”.",
                "Gather files of one suite, model and settings.",
                path=path,
                first=first,
                name=name,
            )


def _merge(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Sections hold objects of measurements by case; what both have measured stays as it was first."""
    for key, value in theirs.items():
        known = ours.setdefault(key, value)
        if isinstance(known, dict) and isinstance(value, dict) and known is not value:
            _merge(cast("dict[str, Any]", known), cast("dict[str, Any]", value))


def _add_up(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Costs are sums over all that a cell has measured."""
    for cell, costs in theirs.items():
        known = ours.setdefault(cell, dict.fromkeys(costs, 0))
        for name, value in costs.items():
            known[name] = known.get(name, 0) + value


def _refuse_twice(ours: dict[str, Any], theirs: dict[str, Any], path: Path) -> None:
    """What two files have both measured would be in the costs twice."""
    for cell, measured in theirs.items():
        for case in measured:
            if case in ours.get(cell, {}):
                raise EditorError(
                    "“{path}” has measured what another file has measured too: {case}.",
                    "Gather each part once.",
                    path=path,
                    case=case,
                )
