"""One document's unsaved work on disk: packs of tiles, and a manifest that names what belongs to it.

A write adds the tiles that are new, puts them on the disk, and only then replaces the manifest by its
successor in one step; what nothing names any more goes last. Whenever the process dies, the manifest that is
there is whole, and so is all that it names.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from editor.document.known_file import FileMark
from editor.document.state_json import (
    LARGEST_SIDE_PX,
    LONGEST_NAME,
    source_from_json,
    source_to_json,
    state_from_json,
    state_to_json,
)
from editor.layers.state import DocumentState, SourceMetadata
from editor.recovery.packs import Packs
from editor.recovery.tiles import Keeper, Keys, Source
from editor.system.atomic import atomic_write, sync_folder, writing_error
from inference.errors import EditorError
from inference.files import read_at_most
from inference.messages import Message
from inference.reasons import reason_of
from inference.values import fields, mended_text, number, parsed_json, refused, whole

MANIFEST = "manifest.json"
THUMBNAIL = "thumbnail.png"
FORMAT = 1
LARGEST_MANIFEST_BYTES = 512 * 2**20
LATEST_SECONDS = 253402300799.0  # the year 9999, after which no calendar goes on


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A document at one moment; any thread may read it."""

    state: DocumentState
    source: SourceMetadata
    title: str
    path: Path | None
    mark: FileMark | None = None  # of the file at `path`, as it was opened or saved last


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is told of a leftover document before anything of it is read."""

    title: str
    path: Path | None
    saved_at: float  # seconds since 1970
    width: int
    height: int


class Store:
    """The folder of one document. Its methods run on one thread at a time, never on the GUI's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._keys = Keys()
        self._packs: Packs | None = None

    def save(self, snapshot: Snapshot, most_bytes: int) -> None:
        """Write what is new since the last time.

        Raises:
            WritingError: the disk is full, or the folder is gone or read-only; what was there stays.
            EditorError: it would take more than `most_bytes`.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(self._opened(), snapshot, most_bytes)
        except OSError as error:
            raise writing_error(self.folder, error) from error
        except EditorError:
            self._packs = None  # what is there is looked up again: somebody may have taken it away
            raise
        self._write_thumbnail(snapshot.state)

    def load(self) -> tuple[Snapshot, tuple[Message, ...]]:
        """The document and sentences on what could not be restored; later saves add to what is there.

        Raises:
            EditorError: the manifest is missing or broken.
        """
        values = _read_manifest(self.folder)
        notes: list[Message] = []
        try:
            source = Source(self._opened(), self._keys)
        except OSError as error:
            raise EditorError(
                "The recovery files cannot be read: {reason}.", reason=reason_of(error)
            ) from error
        state = state_from_json(values.get("document"), source, notes)
        self._opened().sweep(source.live)
        if source.damaged:
            notes.append(Message("{count} damaged parts of the picture are empty now.", count=source.damaged))
        summary = _summary(values)
        kept = source_from_json(values.get("source", {}))
        mark = FileMark.from_json(values.get("mark"))
        snapshot = Snapshot(state=state, source=kept, title=summary.title, path=summary.path, mark=mark)
        return snapshot, tuple(notes)

    def remove(self) -> None:
        """Delete everything; the manifest first, so that no half of it is ever offered."""
        with suppress(OSError):
            (self.folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._packs = None

    def moved(self, folder: Path) -> None:
        """Move everything to another place on the same disk.

        Raises:
            WritingError: it cannot be moved.
        """
        try:
            self.folder.rename(folder)
        except OSError as error:
            raise writing_error(folder, error) from error
        sync_folder(folder.parent)
        self.folder, self._packs = folder, None

    @property
    def nbytes(self) -> int:
        """Bytes of the pictures' data on disk."""
        return self._packs.nbytes if self._packs is not None else 0

    def _write(self, packs: Packs, snapshot: Snapshot, most_bytes: int) -> None:
        with packs.batch(most_bytes) as batch:
            keeper = Keeper(self._keys, batch)
            values = _manifest(snapshot, keeper)
            for key in packs.worth_moving(keeper.live):
                batch.put(key, packs.read(key))
        with atomic_write(self.folder / MANIFEST) as file:
            file.write(json.dumps(values).encode())
        packs.sweep(keeper.live)

    def _opened(self) -> Packs:
        """The packs; what no manifest names was perhaps never whole on the disk, and is forgotten."""
        named = self.folder.joinpath(MANIFEST).exists()
        if self._packs is None or not named:
            self._packs = Packs(self.folder)
        if not named:
            self._packs.sweep(())
        return self._packs

    def _write_thumbnail(self, state: DocumentState) -> None:
        from editor.recovery.thumbnail import thumbnail_png

        with suppress(OSError):  # the picture in the list of leftovers; nothing depends on it
            (self.folder / THUMBNAIL).write_bytes(thumbnail_png(state))


def summary_of(folder: Path) -> Summary:
    """What a document's folder holds.

    Raises:
        EditorError: the manifest is missing or broken.
    """
    return _summary(_read_manifest(folder))


def _manifest(snapshot: Snapshot, keeper: Keeper) -> dict[str, Any]:
    from inference.process.version import version  # not at the window's start

    return {
        "format": FORMAT,
        "software": f"Attune {version()}",
        "title": snapshot.title,
        "path": str(snapshot.path) if snapshot.path is not None else None,
        "mark": snapshot.mark,
        "saved_at": time.time(),
        "document": state_to_json(snapshot.state, keeper),
        "source": source_to_json(snapshot.source),
    }


def _read_manifest(folder: Path) -> Mapping[str, Any]:
    path = folder / MANIFEST
    try:
        values = parsed_json(read_at_most(path, LARGEST_MANIFEST_BYTES))
    except OSError as error:
        raise EditorError("“{path}” cannot be read: {reason}.", path=path, reason=reason_of(error)) from error
    except (ValueError, RecursionError) as error:
        raise EditorError("The recovery file is damaged: {reason}.", reason=reason_of(error)) from error
    if not isinstance(values, dict):
        raise EditorError("The recovery file is damaged: it holds no object.")
    found = cast("Mapping[str, Any]", values)
    if found.get("format") != FORMAT:
        raise EditorError("The recovery file was written by another version of Attune.")
    return found


def _summary(values: Mapping[str, Any]) -> Summary:
    path = values.get("path")
    document = fields(values.get("document"), Message("The document"))
    return Summary(
        title=mended_text(values.get("title"), "title", LONGEST_NAME),
        path=_path(path) if path is not None else None,
        saved_at=number(values.get("saved_at"), "saved_at", 0, LATEST_SECONDS),
        width=whole(document.get("width"), "width", 1, LARGEST_SIDE_PX),
        height=whole(document.get("height"), "height", 1, LARGEST_SIDE_PX),
    )


def _path(value: object) -> Path:
    """A file's name as Python gives it, with the surrogates that stand for bytes that are no UTF-8."""
    if not isinstance(value, str) or not value or "\0" in value or len(value) > LONGEST_NAME:
        raise refused("path", value, Message("expected the name of a file"))
    return Path(value)
