"""One file of a batch: read, edited by the recipe, written beside its place.

The same on a thread of this machine, in a process of another one and on a cluster.

    done = run_one(item, job, draft)

Nothing here knows of manifests and leases; whoever calls gives the result its name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from editor.batch.editing import CarriesOut, Edited, edited, to_be_written
from editor.batch.manifest import DONE, FAILED, Line, Mark
from editor.batch.memory import Room, needed_bytes
from editor.batch.plan import Item
from editor.batch.recipe import BatchRecipe
from editor.formats import Opened
from editor.formats.files import open_file
from inference.content import Contents
from inference.errors import Cancelled, EditorError, WritingError
from inference.messages import Message, listed, untranslated
from inference.reasons import reason_of
from inference.request import Request, Result

Check: TypeAlias = Callable[[], None]

_PIECE_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all files of a batch have in common.

    Args:
        source: the folder that their paths are relative to.
        fingerprint: of the recipe with what it needs.
        check: raises `Cancelled` when the batch is stopped.
        cores: threads that a picture's own work may take.
        room: of the memory that files which are edited side by side share.
    """

    source: Path
    recipe: BatchRecipe
    model: str
    model_hash: str
    fingerprint: str
    carry_out: CarriesOut
    check: Check = lambda: None
    cores: int | None = None
    host: str = ""
    room: Room = field(default_factory=Room)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a file: the line for the manifest, and the sentence for people if it failed."""

    line: Line
    error: EditorError | None = None
    notes: tuple[Message, ...] = ()


def run_one(item: Item, job: Job, draft: Path) -> Outcome:
    """Edit one file; the result is at `draft` afterwards, unless the outcome says that it failed.

    Raises:
        Cancelled: the batch was stopped; nothing is left.
        WritingError: the result could not be written: that is no fault of the file.
    """
    started = time.perf_counter()
    path = job.source / item.path
    line = Line(
        path=item.path,
        fingerprint=job.fingerprint,
        model_hash=job.model_hash,
        seed=item.seed,
        state=FAILED,
        seconds=0.0,
        target=item.target,
        host=job.host,
        time=now(),
    )
    waited = _Waiting(job.carry_out)
    error: EditorError
    try:
        line = replace(line, mark=Mark.of(path), input_hash=hash_of(path))
        job.check()
        asked = time.perf_counter()
        with job.room.taken(needed_bytes(path), job.check):
            waited.seconds += time.perf_counter() - asked
            notes, evaluations = _worked_on(path, item, job, waited, draft)
        seconds = time.perf_counter() - started - waited.seconds
        line = replace(
            line,
            state=DONE,
            seconds=seconds,
            output_hash=hash_of(draft),
            evaluations=evaluations,
            notes=tuple(str(note) for note in notes),
            time=now(),
        )
        return Outcome(line=line, notes=notes)
    except WritingError:
        _remove(draft)
        raise
    except EditorError as problem:
        error = problem
    except OSError as problem:
        error = EditorError("“{name}” cannot be read: {reason}.", name=item.shown, reason=reason_of(problem))
        error.__cause__ = problem
    except Cancelled:
        _remove(draft)
        raise
    except MemoryError:
        error = EditorError("There is not enough memory.", "Close other programs, or use fewer cores.")
    except Exception as problem:  # noqa: BLE001 - a defect at one file must not cost the others
        detail = f"{type(problem).__name__}: {problem}".strip().splitlines()[0]
        error = EditorError(
            "An unexpected problem stopped this file ({detail}).", "Please report it.", detail=detail
        )
        error.__cause__ = problem
    _remove(draft)
    kind = type(error.__cause__ or error).__name__
    failed = replace(
        line,
        target=None,
        seconds=time.perf_counter() - started - waited.seconds,
        error=(kind, error.message, error.hint),
        time=now(),
    )
    return Outcome(line=failed, error=error)


def _worked_on(
    path: Path, item: Item, job: Job, waited: _Waiting, draft: Path
) -> tuple[tuple[Message, ...], int]:
    """Decode, edit and encode a file; gives sentences and the denoiser's evaluations.

    All that is large ends with this call, so that the memory is free for the next file.
    """
    opened = open_file(path)
    job.check()
    edit = _edited(opened, item, job, waited)
    job.check()
    return write_result(edit, opened, item, job.recipe, draft), edit.evaluations


def write_result(
    edit: Edited, opened: Opened, item: Item, recipe: BatchRecipe, draft: Path
) -> tuple[Message, ...]:
    """Write an edited picture as a single export would, with what its file carried; gives sentences.

    Raises:
        EditorError: the format cannot hold it.
        WritingError: the drive does not take it.
    """
    from editor.formats.losses import what_would_be_lost  # with the formats' libraries

    options = replace(recipe.export, format=item.format.name)
    picture = to_be_written(edit, opened.source, options, deep=item.format.deep)
    lost = what_would_be_lost(opened.source, item.format.name, options)
    notes = [*opened.notes, *edit.notes]
    if lost:
        names = listed(one.said(untranslated) for one in lost)
        notes.append(Message("{format} has no place for {names}.", format=item.format.label, names=names))
    notes += item.format.codec.write(picture, draft, options)
    return tuple(dict.fromkeys(notes))


def hash_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class _Waiting:
    """Carries requests out, and counts what was waited for others' turns: that is no work on this file."""

    def __init__(self, carry_out: CarriesOut) -> None:
        self._carry_out = carry_out
        self.seconds = 0.0

    def __call__(self, request: Request, contents: Contents) -> Result:
        started = time.perf_counter()
        result = self._carry_out(request, contents)
        worked = sum(result.measured.seconds.values())
        self.seconds += max(0.0, time.perf_counter() - started - worked)
        return result


def _edited(opened: Opened, item: Item, job: Job, waiting: _Waiting) -> Edited:
    return edited(
        opened.state,
        opened.source,
        job.recipe,
        seed=item.seed,
        model_hash=job.model_hash,
        carry_out=waiting,
        check=job.check,
        cores=job.cores,
    )


def _remove(draft: Path) -> None:
    draft.unlink(missing_ok=True)
