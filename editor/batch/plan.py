"""Which files of a folder are edited, and what their results are called; known before all work."""

from __future__ import annotations

import base64
import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from editor.batch.recipe import BatchRecipe, check_format
from editor.formats import FORMATS, FileFormat, format_for_reading, format_for_writing, readable_extensions
from inference.errors import EditorError
from inference.messages import listed
from inference.reasons import reason_of
from inference.values import mended

NAMES = ("name", "original", "recipe", "seed")
USUAL_PATTERN = "{name}"
LONGEST_NAME_BYTES = 255  # that usual file systems allow
_GAP = re.compile(r"\{([^{}]*)\}")
_NOT_IN_NAMES = re.compile(r'[/\\\x00-\x1f\x7f<>:"|?*]')


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of a folder is taken.

    Args:
        recursive: sub-folders as well; results lie in the same ones.
        only, without: patterns such as "*.jpg", for names and for relative paths; without any `only`, all
            that
            have the ending of a picture.
    """

    recursive: bool = False
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def takes(self, relative: PurePosixPath) -> bool:
        if relative.name.startswith("."):
            return False
        if any(_fits(relative, pattern) for pattern in self.without):
            return False
        if self.only:
            return any(_fits(relative, pattern) for pattern in self.only)
        return relative.suffix.lower() in _ENDINGS


@dataclass(frozen=True, kw_only=True)
class Item:
    """One file: where it lies, what its result is called; both relative to the folders.

    Paths hold the surrogates that stand for bytes that are no UTF-8.
    """

    path: PurePosixPath
    target: PurePosixPath
    format: FileFormat
    seed: int

    @property
    def shown(self) -> str:
        return mended(str(self.path))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that is to be done, in the order of the paths."""

    source: Path
    target: Path
    pattern: str
    items: tuple[Item, ...]


def make_plan(
    source: Path,
    target: Path,
    recipe: BatchRecipe,
    selection: Selection | None = None,
    *,
    pattern: str = USUAL_PATTERN,
) -> Plan:
    """What a recipe makes of a folder.

    Raises:
        EditorError: no folder, an empty one, one inside the other, a pattern that cannot be used, or two
            files
            whose results would get one name.
    """
    selection = selection or Selection()
    check_folders(source, target)
    check_format(recipe.export.format)
    check_pattern(pattern)
    found = sorted(_walk(source, selection), key=os.fsencode)
    if not found:
        raise EditorError(
            "“{path}” has no pictures.",
            "Choose another folder, look into sub-folders as well, or change what is taken.",
            path=source,
        )
    items = tuple(_item(source, path, recipe, pattern) for path in found)
    _check_names(items)
    _check_places(source, target, items)
    return Plan(source=source, target=target, pattern=pattern, items=items)


def first_paths(source: Path, selection: Selection, count: int) -> list[PurePosixPath]:
    """Some pictures of a folder, from its beginning, middle and end.

    Raises:
        EditorError: it cannot be looked into.
    """
    found = sorted(_walk(source, selection), key=os.fsencode)
    if len(found) <= count:
        return found
    return [found[round(place * (len(found) - 1) / max(1, count - 1))] for place in range(count)]


def check_folders(source: Path, target: Path) -> None:
    """Refuse folders that are none, or of which one holds the other.

    Raises:
        EditorError: which, and why.
    """
    if not source.exists():
        raise EditorError("There is no folder “{path}”.", "Check the name.", path=source)
    if not source.is_dir():
        raise EditorError("“{path}” is no folder.", "Name the folder that it lies in.", path=source)
    if target.exists() and not target.is_dir():
        raise EditorError("“{path}” is no folder.", "Choose another one for the results.", path=target)
    inside, outside = _real(source), _real(target)
    if inside == outside:
        raise EditorError(
            "Results cannot go into the folder of the pictures itself, “{path}”.",
            "Choose another one for the results.",
            path=source,
        )
    if outside in inside.parents:
        raise EditorError(
            "“{source}” lies inside of “{target}”, where the results would go.",
            "Choose another folder for the results.",
            source=source,
            target=target,
        )
    if inside in outside.parents:
        raise EditorError(
            "“{target}”, where the results would go, lies inside of “{source}”.",
            "Choose a folder beside it for the results.",
            source=source,
            target=target,
        )


def check_pattern(pattern: str) -> None:
    """Refuse a pattern of names that cannot be filled.

    Raises:
        EditorError: an unknown gap, or a sign that no name may have.
    """
    unknown = [name for name in _GAP.findall(pattern) if name not in NAMES]
    rest = _GAP.sub("", pattern)
    if unknown or "{" in rest or "}" in rest or _NOT_IN_NAMES.search(rest) or not pattern.strip(". "):
        raise EditorError(
            "“{pattern}” is no pattern of names.",
            "Write the name without ending; {gaps} are filled in.",
            pattern=pattern,
            gaps=listed(f"{{{name}}}" for name in NAMES),
        )


def path_to_json(path: PurePosixPath) -> dict[str, str]:
    """A relative path for a file of JSON: as text, and its bytes where they are no UTF-8."""
    text = str(path)
    plain = mended(text)
    if plain == text:
        return {"path": text}
    return {"path": plain, "path_bytes": base64.b64encode(os.fsencode(text)).decode()}


def path_from_json(text: str, data: str | None) -> PurePosixPath:
    """The path that `path_to_json` wrote.

    Raises:
        ValueError: the bytes cannot be read, or it is none inside of a folder.
    """
    plain = text if data is None else os.fsdecode(base64.b64decode(data, validate=True))
    path = PurePosixPath(plain)
    if path.is_absolute() or ".." in path.parts or "\0" in plain:
        raise ValueError(plain)
    if not path.parts or any(len(os.fsencode(part)) > LONGEST_NAME_BYTES for part in path.parts):
        raise ValueError(plain)
    return path


_ENDINGS = frozenset(readable_extensions())


def _fits(relative: PurePosixPath, pattern: str) -> bool:
    wanted = pattern.casefold()
    return fnmatch.fnmatchcase(relative.name.casefold(), wanted) or fnmatch.fnmatchcase(
        str(relative).casefold(), wanted
    )


def _walk(source: Path, selection: Selection) -> Iterator[PurePosixPath]:
    """Relative paths of what is taken; links to folders are not followed, those to files are.

    Raises:
        EditorError: a folder cannot be looked into.
    """

    def refuse(error: OSError) -> None:
        raise EditorError(
            "The folder “{path}” cannot be looked into: {reason}.",
            "Change its rights, or take it out.",
            path=error.filename or source,
            reason=reason_of(error),
        ) from error

    for folder, folders, files in os.walk(source, onerror=refuse):
        place = Path(folder).relative_to(source)
        for name in files:
            relative = PurePosixPath(place.as_posix()) / name
            if selection.takes(relative) and not _is_special(Path(folder) / name):
                yield relative
        if not selection.recursive:
            return
        folders[:] = [name for name in folders if not name.startswith(".")]


def _is_special(path: Path) -> bool:
    """Whether it is a pipe or a device, which never ends."""
    return path.exists() and not path.is_file()


def _item(source: Path, relative: PurePosixPath, recipe: BatchRecipe, pattern: str) -> Item:
    chosen = _format_of(source / relative, recipe.export.format)
    seed = recipe.seed_of(relative)
    values = {
        "name": relative.stem,
        "original": relative.suffix[1:],
        "recipe": _NOT_IN_NAMES.sub("_", recipe.name).strip(". ") or "recipe",
        "seed": str(seed),
    }
    stem = _GAP.sub(lambda gap: values[gap[1]], pattern)
    ending = relative.suffix if relative.suffix.lower() in chosen.extensions else chosen.extensions[0]
    name = f"{stem}{ending}"
    if len(os.fsencode(name)) > LONGEST_NAME_BYTES:
        raise EditorError(
            "The name “{name}” is too long.",
            "Choose one of at most {most} bytes.",
            name=mended(name)[:60],
            most=LONGEST_NAME_BYTES,
        )
    return Item(path=relative, target=relative.with_name(name), format=chosen, seed=seed)


def _format_of(path: Path, name: str) -> FileFormat:
    """The format that is asked for; else the file's own, or PNG where that is only read."""
    if name:
        return format_for_writing(path, name)
    try:
        found = format_for_reading(path)
    except (EditorError, OSError):  # said when its turn comes
        ending = path.suffix.lower()
        found = next((one for one in FORMATS.values() if ending in one.extensions), FORMATS["png"])
    return found if found.writable and not found.keeps_layers else FORMATS["png"]


def _check_names(items: Sequence[Item]) -> None:
    """Refuse two results of one name; many file systems take capitals for the same.

    Raises:
        EditorError: which.
    """
    seen: dict[str, Item] = {}
    for item in items:
        key = str(item.target).casefold()
        other = seen.get(key)
        if other is not None:
            raise EditorError(
                "“{first}” and “{second}” would both become “{target}”.",
                "Give the original ending a place in the names, such as {pattern}, or choose other files.",
                first=other.shown,
                second=item.shown,
                target=mended(str(item.target)),
                pattern="{name}-{original}",
            )
        seen[key] = item


def _check_places(source: Path, target: Path, items: Sequence[Item]) -> None:
    """Refuse sub-folders of the results that are links to the pictures: originals would be replaced.

    Raises:
        EditorError: which.
    """
    inside = _real(source)
    for place in sorted({item.target.parent for item in items}):
        real = _real(target / place)
        if inside == real or inside in real.parents:
            raise EditorError(
                "“{target}”, where the results would go, lies inside of “{source}”.",
                "Choose a folder beside it for the results.",
                source=source,
                target=target / place,
            )


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
