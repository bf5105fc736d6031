"""The record of a batch: one line a file that is done or failed, only ever added to.

See `docs/formats/manifest.md`.

Any number of processes, on any machines, may write to one; a line is added under a lock, and only after the
result that it tells of has its name. A line that a killed process left unfinished is dropped.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Self, cast

from editor.batch.plan import path_from_json, path_to_json
from editor.system.atomic import sync_file, sync_folder, writing_error
from editor.system.locks import take_lock
from inference.errors import EditorError
from inference.files import check_ordinary
from inference.messages import Message, short
from inference.reasons import reason_of
from inference.values import fields, mended, number, parsed_json, text, whole

NAME = "manifest.jsonl"
VERSION = 1
DONE, FAILED = "done", "failed"
_LONGEST_LINE_BYTES = 2**20
_LONGEST_WORD = 4096  # of the first line: names and hashes
_BEGINNING = b'{"manifest": '  # of every manifest, as `Header.to_json` is written
_MOST_NOTES = 20
_LONGEST_SENTENCE = 2000


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What tells a file that was edited from one that took its place: its size and when it was changed."""

    size_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Raises:
        OSError: there is none.
        """
        found = path.stat()
        return cls(size_bytes=found.st_size, changed_ns=found.st_mtime_ns)


class NewerManifestError(EditorError):
    """A later Attune wrote the manifest; its lines may mean what this one does not know."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first line: what all that follow were made with.

    Args:
        recipe: its name, `fingerprint` what it is.
        content: the recipe itself, to be read by people.
        pattern: of the results' names.
    """

    recipe: str
    fingerprint: str
    model: str
    model_hash: str
    pattern: str
    content: Mapping[str, Any]
    version: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "manifest": VERSION,
            "attune": self.version,
            "recipe": self.recipe,
            "fingerprint": self.fingerprint,
            "model": self.model,
            "model_hash": self.model_hash,
            "names": self.pattern,
            "content": dict(self.content),
        }

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Raises:
        EditorError: no first line of a manifest that this Attune knows.
        """
        given = fields(values, Message("The manifest's first line"))
        version = whole(given.get("manifest"), Message("The manifest's version"), 1)
        if version > VERSION:
            raise NewerManifestError(
                "The manifest has version {version}; this Attune reads up to {known}.",
                "Use a newer Attune.",
                version=version,
                known=VERSION,
            )
        return cls(
            recipe=text(given.get("recipe", ""), "recipe", _LONGEST_WORD),
            fingerprint=text(given.get("fingerprint"), "fingerprint", _LONGEST_WORD),
            model=text(given.get("model", ""), "model", _LONGEST_WORD),
            model_hash=text(given.get("model_hash", ""), "model_hash", _LONGEST_WORD),
            pattern=text(given.get("names"), "names", _LONGEST_WORD),
            content=fields(given.get("content", {}), "content"),
            version=text(given.get("attune", ""), "attune", _LONGEST_WORD),
        )


@dataclass(frozen=True, kw_only=True)
class Line:
    """One file that is done or failed.

    Args:
        input_hash: SHA-256 of the file; "" where it could not be read.
        error: class, sentence and hint of what went wrong.
        target, output_hash: the result, relative to the manifest, and the SHA-256 of it.
        seconds: of work on it, without waiting.
        evaluations: forward passes of the denoiser.
    """

    path: PurePosixPath
    fingerprint: str
    model_hash: str
    seed: int
    state: str
    seconds: float
    input_hash: str = ""
    mark: Mark | None = None
    target: PurePosixPath | None = None
    output_hash: str = ""
    evaluations: int = 0
    error: tuple[str, str, str] | None = None
    notes: tuple[str, ...] = ()
    host: str = ""
    time: str = ""

    def to_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            **path_to_json(self.path),
            "input": self.input_hash,
            "fingerprint": self.fingerprint,
            "model_hash": self.model_hash,
            "seed": self.seed,
            "state": self.state,
            "seconds": round(self.seconds, 4),
            "evaluations": self.evaluations,
        }
        if self.mark is not None:
            values |= {"input_bytes": self.mark.size_bytes, "input_changed_ns": self.mark.changed_ns}
        if self.target is not None:
            target = path_to_json(self.target)
            values |= {"output": target["path"], "output_hash": self.output_hash}
            if "path_bytes" in target:
                values["output_path_bytes"] = target["path_bytes"]
        if self.error is not None:
            kind, sentence, hint = (one[:_LONGEST_SENTENCE] for one in self.error)
            values["error"] = {"class": kind, "message": mended(sentence), "hint": mended(hint)}
        if self.notes:
            values["notes"] = [mended(note)[:_LONGEST_SENTENCE] for note in self.notes[:_MOST_NOTES]]
        return values | {"host": self.host, "time": self.time}

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Raises:
        EditorError, ValueError: no line that this Attune writes.
        """
        given = fields(values, Message("A line of the manifest"))
        error = given.get("error")
        size = given.get("input_bytes")
        output = given.get("output")
        state = text(given.get("state"), "state")
        if state not in (DONE, FAILED):
            raise ValueError(state)
        return cls(
            path=path_from_json(text(given.get("path"), "path"), given.get("path_bytes")),
            fingerprint=text(given.get("fingerprint"), "fingerprint"),
            model_hash=text(given.get("model_hash", ""), "model_hash"),
            seed=whole(given.get("seed", 0), "seed"),
            state=state,
            seconds=number(given.get("seconds", 0.0), "seconds"),
            input_hash=text(given.get("input", ""), "input"),
            mark=None
            if size is None
            else Mark(
                size_bytes=whole(size, "input_bytes"),
                changed_ns=whole(given.get("input_changed_ns"), "input_changed_ns"),
            ),
            target=None
            if output is None
            else path_from_json(text(output, "output"), given.get("output_path_bytes")),
            output_hash=text(given.get("output_hash", ""), "output_hash"),
            evaluations=whole(given.get("evaluations", 0), "evaluations"),
            error=None if error is None else _error(error),
            notes=tuple(text(note, "notes") for note in cast("list[Any]", given.get("notes", []))),
            host=text(given.get("host", ""), "host"),
            time=text(given.get("time", ""), "time"),
        )


class Manifest:
    """The file and what it says. For all threads of a process.

    `lines` are the newest of each path.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.header: Header | None = None
        self.lines: dict[PurePosixPath, Line] = {}
        self.dropped = 0  # lines that cannot be read
        self._offset = 0
        self._known = threading.RLock()

    def begin(self, header: Header) -> None:
        """Make the file, or go on with the one that is there.

        Raises:
            EditorError: another recipe or other names were used in it.
            WritingError: it cannot be written.
        """
        with self._known:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self._locked() as file:
                    self._read(file)
                    if self.header is None:
                        self._add(file, header.to_json())
                        self.header = header
            except OSError as error:
                raise writing_error(self.path, error) from error
            assert self.header is not None, "read or written just now"
            _refuse_other(self.header, header, self.path)

    def read(self) -> None:
        """Learn what is new in the file; a missing one says nothing.

        Raises:
            EditorError: it is no manifest, no ordinary file, or cannot be read.
        """
        with self._known:
            check_ordinary(self.path)
            try:
                with self.path.open("rb") as file:
                    self._read(file)
            except FileNotFoundError:
                return
            except OSError as error:
                raise EditorError(
                    "“{path}” cannot be read: {reason}.", path=self.path, reason=reason_of(error)
                ) from error

    def add(self, line: Line, *, unless: bool = True) -> bool:
        """Add a line and put it on the disk; False if somebody else has meanwhile said that it is done.

        Args:
            unless: look for that.

        Raises:
            WritingError: it cannot be written.
        """
        with self._known:
            try:
                with self._locked() as file:
                    self._read(file)
                    before = self.lines.get(line.path)
                    if unless and before is not None and before.state == DONE and same_work(before, line):
                        return False
                    self._add(file, line.to_json())
            except OSError as error:
                raise writing_error(self.path, error) from error
            self.lines[line.path] = line
            return True

    @contextmanager
    def locked(self) -> Generator[None]:
        """Nobody else changes leases or the manifest meanwhile.

        Raises:
            WritingError: the manifest is gone.
        """
        with self._known:
            try:
                with self._locked():
                    yield
            except OSError as error:
                raise writing_error(self.path, error) from error

    @contextmanager
    def _locked(self) -> Generator[BinaryIO]:
        check_ordinary(self.path)
        new = not self.path.exists()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self.path, flags, 0o666), "r+b") as file:
            with suppress(OSError):  # some network drives have none; there a line is still one write
                take_lock(file, wait=True)
            yield file
        if new:
            sync_folder(self.path.parent)

    def _add(self, file: BinaryIO, values: Mapping[str, Any]) -> None:
        """One more line, after the last whole one."""
        data = json.dumps(values, ensure_ascii=False).encode() + b"\n"
        end = file.seek(0, os.SEEK_END)
        if end > self._offset:  # what a killed process did not finish
            file.truncate(self._offset)
        file.seek(self._offset)
        file.write(data)
        file.flush()
        sync_file(file)
        self._offset += len(data)

    def _read(self, file: BinaryIO) -> None:
        size = file.seek(0, os.SEEK_END)
        if size < self._offset:  # it was replaced by a shorter one
            self._offset, self.header, self.lines = 0, None, {}
        file.seek(self._offset)
        for data in file:
            if not data.endswith(b"\n"):
                self._check_unfinished(data)
                return
            self._offset += len(data)
            self._take(data)

    def _check_unfinished(self, data: bytes) -> None:
        """Refuse a first line that no killed process left: it is somebody's file, and would be cut off.

        Raises:
            EditorError: it is.
        """
        ours = data.startswith(_BEGINNING) or _BEGINNING.startswith(data)
        # after a power cut a file may have its length and nothing in it
        if self.header is None and not ours and data.strip(b"\0"):
            raise self._is_none()

    def _is_none(self) -> EditorError:
        return EditorError(
            "“{path}” is no manifest of a batch that this Attune can go on with.",
            "Choose another folder for the results, or move that file away.",
            path=self.path,
        )

    def _take(self, data: bytes) -> None:
        try:
            values = parsed_json(data) if len(data) <= _LONGEST_LINE_BYTES else None
            if self.header is None:
                self.header = Header.from_json(values)
                return
            line = Line.from_json(values)
        except NewerManifestError as error:
            raise EditorError(
                error.sentence,
                "Go on with a newer Attune, or choose another folder for the results: it is “{path}”.",
                path=self.path,
            ) from error
        except (ValueError, RecursionError, EditorError, TypeError) as error:
            if self.header is None:
                raise self._is_none() from error
            self.dropped += 1
            return
        self.lines[line.path] = line


def same_work(one: Line, other: Line) -> bool:
    """Whether two lines tell of the same file, edited the same way."""
    return (one.path, one.fingerprint, one.seed, one.input_hash) == (
        other.path,
        other.fingerprint,
        other.seed,
        other.input_hash,
    )


def _refuse_other(known: Header, header: Header, path: Path) -> None:
    if known.fingerprint != header.fingerprint:
        raise EditorError(
            "“{path}” belongs to the recipe “{known}” ({known_mark}), not to “{name}” ({mark}).",
            "Choose another folder for the results, or go on with the same recipe and the same model.",
            path=path,
            known=short(known.recipe),
            known_mark=known.fingerprint[:8],
            name=short(header.recipe),
            mark=header.fingerprint[:8],
        )
    if known.pattern != header.pattern:
        raise EditorError(
            "“{path}” was begun with the names “{known}”, not with “{pattern}”.",
            "Choose another folder for the results, or the same names.",
            path=path,
            known=short(known.pattern),
            pattern=header.pattern,
        )


def _error(value: object) -> tuple[str, str, str]:
    given = fields(value, "error")
    return (
        text(given.get("class", ""), "class"),
        text(given.get("message", ""), "message"),
        text(given.get("hint", ""), "hint"),
    )
