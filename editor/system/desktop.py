"""Attune in the start menu of a Linux desktop: installed for the user, and removed without a trace.

What was written is kept in a list with its hashes; removing deletes exactly that, unless it changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, cast

from editor.system.atomic import atomic_write, writing_error
from editor.system.folders import data_folder
from inference.errors import EditorError
from inference.files import read_at_most
from inference.values import parsed_json

APP_ID = "org.attune.Attune"
ICON_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
LIST_NAME = "desktop-files.json"
_LARGEST_LIST = 2**20
_RESERVED = " \t\n\"'\\><~|&;$*?#()`"  # characters that ask for quotes in an Exec line


def install() -> list[str]:
    """Write desktop entry, metainfo, icons and MIME type; sentences that say what was done.

    Raises:
        EditorError: not on Linux, or a folder cannot be written.
    """
    _check_system()
    base = _data_home()
    paths = [*(path for path, _ in _files(base)), _list_path()]
    new_folders = {str(folder) for path in paths for folder in _missing_parents(path, base)}
    kept = _read_list()
    wanted = dict(_files(base))
    caches = [str(path) for path in _caches(base) if not path.exists()]
    # first the list: what a failure halfway leaves behind can be removed by it
    _write(
        _list_path(),
        json.dumps(
            {
                "files": {**kept.get("files", {}), **{str(p): _hash(data) for p, data in wanted.items()}},
                "folders": sorted({*kept.get("folders", []), *new_folders}),
                "caches": sorted({*kept.get("caches", []), *caches}),
            },
            indent=1,
        ).encode(),
    )
    for path, content in wanted.items():
        _write(path, content)
    _update_caches(base)
    return [f"Attune is in the start menu now ({base / 'applications' / (APP_ID + '.desktop')})."]


def remove() -> list[str]:
    """Delete what `install` wrote, and the folders and caches that it made if nothing else is in them."""
    _check_system()
    listed = _read_list()
    if not listed:
        return ["Attune was not in the start menu."]
    messages = ["Attune was taken out of the start menu."]
    for name, digest in listed.get("files", {}).items():
        path = Path(name)
        if not path.is_file():
            continue
        if _hash(path.read_bytes()) == digest:
            path.unlink()
        else:
            messages.append(f"{path} was changed since and stays.")
    base = _data_home()
    _update_caches(base)
    _remove_caches(base, listed.get("caches", []))
    _list_path().unlink(missing_ok=True)
    for name in sorted(listed.get("folders", []), key=len, reverse=True):
        _remove_if_empty(Path(name))
    return messages


def command_line() -> str:
    """The Exec line's command: the `attune` beside this Python if there is one, else this Python."""
    script = Path(sys.executable).with_name("attune")
    if script.is_file():
        return _quoted(str(script))
    return f"{_quoted(sys.executable)} -P -m editor"


def _check_system() -> None:
    if not sys.platform.startswith("linux"):
        raise EditorError(
            "This is for Linux desktops.",
            "On Windows and macOS the installed package adds the shortcut itself.",
        )


def _data_home() -> Path:
    given = os.environ.get("XDG_DATA_HOME", "")
    return Path(given) if given and Path(given).is_absolute() else Path.home() / ".local" / "share"


def _files(base: Path) -> Iterator[tuple[Path, bytes]]:
    desktop = resources.files("resources") / "desktop"
    icons = resources.files("resources") / "icons"
    entry = (desktop / f"{APP_ID}.desktop.in").read_text(encoding="utf-8").replace("@EXEC@", command_line())
    yield base / "applications" / f"{APP_ID}.desktop", entry.encode()
    yield base / "metainfo" / f"{APP_ID}.metainfo.xml", (desktop / f"{APP_ID}.metainfo.xml").read_bytes()
    yield base / "mime" / "packages" / f"{APP_ID}.xml", (desktop / f"{APP_ID}.mime.xml").read_bytes()
    hicolor = base / "icons" / "hicolor"
    for size in ICON_SIZES:
        yield (
            hicolor / f"{size}x{size}" / "apps" / f"{APP_ID}.png",
            (icons / f"attune-{size}.png").read_bytes(),
        )
    yield hicolor / "scalable" / "apps" / f"{APP_ID}.svg", (icons / "attune.svg").read_bytes()
    symbolic = (icons / "attune-symbolic.svg").read_bytes()
    yield hicolor / "symbolic" / "apps" / f"{APP_ID}-symbolic.svg", symbolic


def _missing_parents(path: Path, base: Path) -> Iterator[Path]:
    for folder in path.parents:
        if folder == base.parent or folder.exists():
            return
        yield folder


def _caches(base: Path) -> tuple[Path, ...]:
    """What the desktop's own tools write beside our files."""
    return (base / "applications" / "mimeinfo.cache", base / "mime" / "mime.cache")


def _update_caches(base: Path) -> None:
    for tool, folder in (("update-desktop-database", "applications"), ("update-mime-database", "mime")):
        if shutil.which(tool) is not None and (base / folder).is_dir():
            subprocess.run([tool, str(base / folder)], check=False, capture_output=True)


def _remove_caches(base: Path, made: list[str]) -> None:
    """Delete caches that came with us, if nobody else's entries are in them now."""
    applications, mime = base / "applications", base / "mime"
    if str(applications / "mimeinfo.cache") in made and not list(applications.glob("*.desktop")):
        (applications / "mimeinfo.cache").unlink(missing_ok=True)
    ours = str(mime / "mime.cache") in made and (mime / "mime.cache").is_file()
    if ours and not list((mime / "packages").glob("*.xml")):
        shutil.rmtree(mime, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # something else is in it, or it is gone already


def _list_path() -> Path:
    return data_folder() / LIST_NAME


def _read_list() -> dict[str, Any]:
    try:
        values = parsed_json(read_at_most(_list_path(), _LARGEST_LIST))
    except (OSError, ValueError, RecursionError, EditorError):
        return {}
    return cast("dict[str, Any]", values) if isinstance(values, dict) else {}


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_error(path, error) from error
    with atomic_write(path) as file:
        file.write(content)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _quoted(argument: str) -> str:
    """An argument of an Exec line as the desktop entry specification quotes it; % is doubled."""
    argument = argument.replace("%", "%%")
    if not any(character in _RESERVED for character in argument):
        return argument
    for character in '\\"`$':
        argument = argument.replace(character, "\\" + character)
    return '"' + argument.replace("\\", "\\\\") + '"'
