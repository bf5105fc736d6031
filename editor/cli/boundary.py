"""The one boundary of the command line: whatever happens becomes a sentence, or JSON, and an exit status."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from editor.cli.output import OutputError, complain, finish_output, print_json
from editor.system.errors import FAILED, INTERRUPTED, WRONG_ARGUMENTS, WritingError
from inference.errors import EditorError, TooLittleMemoryError, UnreachableError
from inference.reasons import reason_of

TRACEBACK_VARIABLE = "ATTUNE_TRACEBACK"
"""Set to 1, unexpected errors are printed with where they happened."""


class WrongArgumentsError(EditorError):
    """The arguments cannot be parsed; `program` is the command that was meant, such as "attune models"."""

    def __init__(self, program: str, problem: str) -> None:
        super().__init__("{problem}.", "See {program} --help.", problem=problem, program=program)
        self.program = program

    def __reduce__(self) -> tuple[Any, ...]:
        return (WrongArgumentsError, (self.program, str(self.sentence.values["problem"])))


def guarded(run: Callable[[], int], *, as_json: bool) -> int:
    """Run a command; its exit status: 0 done, 1 failed, 2 wrong arguments, 130 interrupted.

    Args:
        as_json: an error is also one JSON object on standard output, {"error": {message, hint, status}}.

    Raises:
        SystemExit: what was asked for is printed (--help).
    """
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # from here on it can be said
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            status = run()
        except SystemExit:
            finish_output()
            raise
        finish_output()
        return status
    except KeyboardInterrupt:
        return _told(EditorError("interrupted."), INTERRUPTED, as_json)
    except OutputError as error:
        return FAILED if error.nobody_reads else _told(error, FAILED, as_json=False)
    except EditorError as error:
        return _told(error, status_of(error), as_json)
    except Exception as error:  # noqa: BLE001 - the boundary: nothing else may catch everything
        if os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exc()
        return _told(_unexpected(error), FAILED, as_json)


def status_of(error: EditorError) -> int:
    """The exit status that an error for people ends a command with."""
    failed = isinstance(error, WritingError | TooLittleMemoryError | UnreachableError)
    return FAILED if failed else WRONG_ARGUMENTS


def _told(error: EditorError, status: int, as_json: bool) -> int:
    program = error.program if isinstance(error, WrongArgumentsError) else "attune"
    try:
        if as_json:
            print_json({"error": {"message": error.message, "hint": error.hint, "status": status}})
            finish_output()
        complain(str(error), program)
    except (OutputError, KeyboardInterrupt):
        return FAILED
    return status


def _unexpected(error: Exception) -> EditorError:
    if isinstance(error, MemoryError):
        return TooLittleMemoryError("There is not enough memory.", "Close other programs.")
    if isinstance(error, OSError):
        reason = reason_of(error)
        if error.filename is None:
            return WritingError("The system refused: {reason}.", "", reason=reason)
        return WritingError("“{path}”: {reason}.", "", path=error.filename, reason=reason)
    return EditorError(
        "Something went wrong inside Attune ({kind}: {reason}).",
        "Nothing was written. Please report it; {variable}=1 shows where it happened.",
        kind=type(error).__name__,
        reason=next(iter(str(error).strip().splitlines()), ""),
        variable=TRACEBACK_VARIABLE,
    )


def close_gaps() -> None:
    """Give standard streams that were closed a place: a file opened later would become one of them."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def be_tolerant() -> None:
    """Let the terminal's encoding refuse no character: what it lacks is printed as its number."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
