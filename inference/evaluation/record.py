"""The JSON file of an evaluation, which grows with each measurement and from which a later run goes on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from inference.errors import EditorError
from inference.files import atomic_write, read_at_most, writing_error
from inference.reasons import reason_of
from inference.values import fields, parsed_json

_LARGEST_BYTES = 256 * 2**20


class Record:
    """Values in a JSON file; one of other settings or weights starts afresh, and stays beside the new one.

    Args:
        path: the file, or None to keep nothing.
        settings: what decides the measurements; "suite" names the evaluation.
        sections: names of the objects that measurements go into.
        check: fails for measurements of a file that are not what this evaluation writes, as what makes
            tables of them does.

    Raises:
        EditorError: the file is no JSON or something else, or its measurements are not what they have to be.
    """

    def __init__(
        self,
        path: Path | None,
        settings: Mapping[str, Any],
        sections: Sequence[str],
        check: Callable[[Mapping[str, Any]], object] | None = None,
    ) -> None:
        self._path = path
        self._is_of_another = False  # what lies there is, until something is written
        self.values: dict[str, Any] = {**settings, **{name: {} for name in sections}}
        if path is not None and path.is_file():
            found = read_record(path)
            if found.get("suite") != settings["suite"]:
                raise EditorError(
                    "“{path}” is no file of the evaluation “{suite}”.",
                    "Name another file, or move it away.",
                    path=path,
                    suite=str(settings["suite"]),
                )
            if all(found.get(name) == value for name, value in settings.items()):
                self.values = {**self.values, **found}  # a section may be missing
                self._check(path, sections, check)
            else:
                self._is_of_another = True

    def _check(
        self, path: Path, sections: Sequence[str], check: Callable[[Mapping[str, Any]], object] | None
    ) -> None:
        try:
            for name in sections:
                fields(self.values[name], name)
            if check is not None:
                check(self.values)
        except (EditorError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise EditorError(
                "“{path}” is damaged: {reason}",
                "Name another file, or move it away.",
                path=path,
                reason=reason_of(error),
            ) from error

    def write(self) -> None:
        """Put all values into the file, which is never half-written."""
        if self._path is not None:
            if self._is_of_another:
                _keep_aside(self._path)
                self._is_of_another = False
            content = json.dumps(self.values, indent=1, ensure_ascii=False)
            with atomic_write(self._path) as file:
                file.write(content.encode())


def _keep_aside(path: Path) -> None:
    """Hours of measuring go under another name: "figures.json" → "figures-earlier.json"."""
    names = (f"{path.stem}-earlier{'' if number == 1 else f'-{number}'}" for number in itertools.count(1))
    places = (path.with_name(f"{name}{path.suffix}") for name in names)
    free = next(place for place in places if not place.exists())
    try:
        path.rename(free)
    except OSError as error:
        raise writing_error(free, error) from error


def read_record(path: Path) -> dict[str, Any]:
    """What an evaluation wrote; empty where the file is something else.

    Raises:
        EditorError: it cannot be read, or is no JSON.
    """
    try:
        found: Any = parsed_json(read_at_most(path, _LARGEST_BYTES))
    except (OSError, ValueError, RecursionError, EditorError) as error:
        raise EditorError(
            "“{path}” exists and is no evaluation: {reason}.",
            "Name another file, or move it away.",
            path=path,
            reason=reason_of(error),
        ) from error
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
