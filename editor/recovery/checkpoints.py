"""Long jobs that are not finished, each a file in a private folder: request, contents, state, and how far.

    with Checkpoints(folder).hold(name_of(request)) as held:
        held.write(checkpoint)                 # again and again
        held.remove()                          # when it is done

A file is called by what the request says, so the same request is one job. Whoever works on it holds its lock,
which ends with the process: what nobody holds was left by somebody. Free of Qt, of torch as well.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from editor.system.atomic import atomic_write, writing_error
from editor.system.locks import take_lock
from inference.content import Contents, content_hash
from inference.errors import EditorError
from inference.files import check_ordinary, read_at_most
from inference.messages import Message
from inference.progress import Measurements
from inference.reasons import reason_of
from inference.request import Request
from inference.values import json_object, number, text, typed, whole
from inference.weights.packed import packed, unpacked

FORMAT = "attune-checkpoint-1"
LARGEST_BYTES = 2**30
_ENDING, _LOCK, _DAMAGED = ".safetensors", ".lock", ".damaged"
_FILE, _PIXELS = "file.", "pixels."
_LONGEST_HEADER = 16 * 2**20
_LONGEST_LABEL = 1000
_NAME = Message("checkpoint")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A job as it was at one moment.

    Attributes:
        state: what its method goes on from; None before it said anything: from the beginning.
        done, total: how far it was.
        measured: what it cost until then.
    """

    request: Request
    label: str = ""
    done: int = 0
    total: int = 0
    state: bytes | None = field(default=None, repr=False)
    contents: Contents = field(default_factory=dict[str, Any], repr=False)
    measured: Measurements = field(default_factory=Measurements)
    saved_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """What a file says without its state and contents."""

    name: str
    request: Request
    label: str
    done: int
    total: int
    saved_at: float
    begun: bool  # there is a state


def name_of(request: Request) -> str:
    """What a job's file is called."""
    return hashlib.sha256(json.dumps(request.to_json(), sort_keys=True).encode()).hexdigest()[:32]


class Held:
    """One job's file, which no other process touches until `release`."""

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        self._path = path
        self._lock = lock

    @property
    def exists(self) -> bool:
        return self._path.exists()

    def write(self, checkpoint: Checkpoint) -> None:
        """Put another checkpoint in place of the last one, which stays if that fails.

        Raises:
            WritingError: the disk is full, or the folder cannot be written to.
        """
        with atomic_write(self._path, private=True, parents=True) as file:
            file.write(_to_bytes(checkpoint))

    def read(self) -> Checkpoint:
        """The last one that was written.

        Raises:
            EditorError: there is none, or it is damaged.
        """
        return _from_bytes(_content_of(self._path))

    def remove(self) -> None:
        """The job is finished, or discarded."""
        for path in (self._path, self._path.with_suffix(_LOCK)):
            with suppress(OSError):
                path.unlink()

    def release(self) -> None:
        """Leave it to whoever goes on."""
        self._lock.close()
        if not self.exists:
            self.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.release()


class Checkpoints:
    """The folder; it is made when it is first written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hold(self, name: str) -> Held:
        """Take a job's file, whether it exists or not.

        Raises:
            EditorError: another process works on it; the folder cannot be made.
        """
        path = self.folder / f"{name}{_ENDING}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = path.with_suffix(_LOCK).open("a+b")
        except OSError as error:
            raise writing_error(path, error) from error
        try:
            take_lock(lock, wait=False)
        except OSError as error:
            lock.close()
            raise EditorError(
                "This is being worked on already.", "Wait until it is done, or stop it there."
            ) from error
        return Held(path, lock)

    def left(self) -> tuple[tuple[Leftover, ...], tuple[Message, ...]]:
        """What nobody works on, newest first, and sentences on what is damaged, which is set aside."""
        found: list[Leftover] = []
        problems: list[Message] = []
        with suppress(OSError):
            for path in sorted(self.folder.glob(f"*{_ENDING}")):
                with suppress(EditorError), self.hold(path.stem):
                    try:
                        found.append(_summary(path))
                    except EditorError as error:
                        problems.append(_set_aside(path, error))
        return tuple(sorted(found, key=lambda one: one.saved_at, reverse=True)), tuple(problems)


def _set_aside(path: Path, error: EditorError) -> Message:
    aside = path.with_suffix(_DAMAGED)
    with suppress(OSError):
        path.replace(aside)
    return Message(
        "A job of an earlier session cannot go on: {reason} It is kept as “{file}”.",
        reason=error.sentence,
        file=aside,
    )


def _to_bytes(checkpoint: Checkpoint) -> bytes:
    arrays: dict[str, NDArray[Any]] = {}
    for name, blob in checkpoint.contents.items():
        is_file = isinstance(blob, bytes)
        arrays[f"{_FILE if is_file else _PIXELS}{name}"] = np.frombuffer(blob, np.uint8) if is_file else blob
    if checkpoint.state is not None:
        arrays["state"] = np.frombuffer(checkpoint.state, np.uint8)
    measured = checkpoint.measured
    texts = {
        "format": FORMAT,
        "request": json.dumps(checkpoint.request.to_json()),
        "label": checkpoint.label,
        "progress": json.dumps(
            {
                "done": checkpoint.done,
                "total": checkpoint.total,
                "saved_at": checkpoint.saved_at or time.time(),
            }
        ),
        "measured": json.dumps(
            {
                "seconds": measured.seconds,
                "denoiser_evaluations": measured.denoiser_evaluations,
                "backward_evaluations": measured.backward_evaluations,
            }
        ),
        "state": hashlib.sha256(checkpoint.state or b"").hexdigest(),
    }
    return packed(arrays, texts)


def _content_of(path: Path) -> bytes:
    try:
        return read_at_most(path, LARGEST_BYTES)
    except OSError as error:
        raise EditorError(
            "“{name}” cannot be read: {reason}.", name=path.name, reason=reason_of(error)
        ) from error


def _from_bytes(content: bytes) -> Checkpoint:
    arrays, texts = unpacked(content, _NAME)
    said = _said("", texts)
    state = arrays["state"].tobytes() if "state" in arrays else None
    if hashlib.sha256(state or b"").hexdigest() != texts.get("state"):
        raise EditorError("The {name} is damaged.", name=_NAME)
    contents: dict[str, Any] = {}
    for name, array in arrays.items():
        kind, _, hash_ = name.partition(".")
        if f"{kind}." not in (_FILE, _PIXELS):
            continue
        blob: Any = array.tobytes() if f"{kind}." == _FILE else array
        if array.dtype != np.uint8 or content_hash(blob) != hash_:
            raise EditorError("The {name} is damaged.", name=_NAME)
        contents[hash_] = blob
    return Checkpoint(
        request=said.request,
        label=said.label,
        done=said.done,
        total=said.total,
        state=state,
        contents=contents,
        measured=_measured(json_object(texts.get("measured", "{}"), _NAME)),
        saved_at=said.saved_at,
    )


def _measured(given: Mapping[str, Any]) -> Measurements:
    return Measurements(
        seconds=dict(typed(Mapping[str, float], given.get("seconds", {}), _NAME)),
        denoiser_evaluations=whole(given.get("denoiser_evaluations", 0), _NAME, 0),
        backward_evaluations=whole(given.get("backward_evaluations", 0), _NAME, 0),
    )


def _summary(path: Path) -> Leftover:
    """Read the header alone."""
    check_ordinary(path)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > _LONGEST_HEADER:
                raise EditorError("The {name} is damaged.", name=_NAME)
            header = json_object(file.read(length), _NAME)
    except OSError as error:
        raise EditorError(
            "“{name}” cannot be read: {reason}.", name=path.name, reason=reason_of(error)
        ) from error
    texts = typed(Mapping[str, str], header.get("__metadata__", {}), _NAME)
    return _said(path.stem, texts, begun="state" in header)


def _said(name: str, texts: Mapping[str, str], *, begun: bool = False) -> Leftover:
    if texts.get("format") != FORMAT:
        raise EditorError("The checkpoint is of another kind.")
    progress = json_object(texts.get("progress", "{}"), _NAME)
    return Leftover(
        name=name,
        request=Request.from_json(json_object(texts.get("request", ""), _NAME)),
        label=text(texts.get("label", ""), "label", _LONGEST_LABEL),
        done=whole(progress.get("done", 0), "done", 0),
        total=whole(progress.get("total", 0), "total", 0),
        saved_at=number(progress.get("saved_at", 0.0), "saved_at", 0),
        begun=begun,
    )
