"""What the command line prints: progress on standard error, the result on standard output."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from inference.errors import WritingError
from inference.progress import Step
from inference.reasons import reason_of

if TYPE_CHECKING:
    from inference.downloads.download import Download  # loads NumPy

BAR_WIDTH = 28
PLAIN_INTERVAL_S = 5.0
_TTY_INTERVAL_S = 0.05
_FIRST_LINE_S = 1.0  # what is done sooner needs no words
_LONGEST_PATH = 60
_LONGEST_LINE = 2000  # of what is wrong: arguments and names are repeated in it

_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069"
_OBEYED = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f{_TURNS}\ud800-\udfff]")
_OBEYED_IN_JSON = re.compile(f"[\\x7f-\\x9f{_TURNS}\ud800-\udfff]")


class OutputError(WritingError):
    """Standard output takes no more; `nobody_reads` when its reader has gone, as after `| head`."""

    nobody_reads = False


def say(text: str) -> None:
    """A line on standard output; control characters are shown by their numbers."""
    write(f"{plain(text)}\n")


def complain(text: str, program: str = "attune") -> None:
    """What is wrong, as a line on standard error; nothing if that cannot be written to."""
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison] - it was closed
        return
    try:
        sys.stderr.write(f"{program}: {plain(_shortened(text))}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        _let_go(sys.stderr)


def plain(text: str) -> str:
    """The text as it can be printed: names and texts out of files can hold what a terminal obeys.

    Control characters, marks that turn the direction of writing, and halves of characters become their
    numbers.
    """
    return _OBEYED.sub(lambda found: _number(found[0]), text)


def finish_output() -> None:
    """Hand standard output over now, where an error can still be told.

    Raises:
        OutputError: it cannot be written to.
    """
    write("")


def write(text: str) -> None:
    """Write to standard output and hand it over.

    Raises:
        OutputError: it cannot be written to.
    """
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - it was closed
        if text:
            raise OutputError("The output could not be written: standard output is closed.")
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        _let_go(sys.stdout)
        told = OutputError("The output could not be written: {reason}.", reason=reason_of(error))
        told.nobody_reads = isinstance(error, BrokenPipeError)
        raise told from error


def _let_go(stream: TextIO) -> None:
    """Lead a broken stream to nowhere: at the end Python would try again, and print a traceback."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _number(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_LINE:
        return text
    return f"{text[: _LONGEST_LINE // 2]} … {text[-_LONGEST_LINE // 2 :]}"


class ProgressPrinter:
    """Shows steps: a bar on a terminal, now and then a line elsewhere, nothing when `quiet`."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._tty = self._stream.isatty()
        self._quiet = quiet and not self._tty
        self._phase = ""
        self._next_line_s = 0.0
        self._bar_shown = False

    def __call__(self, step: Step) -> None:
        if self._quiet:
            return
        if self._tty:
            self._draw_bar(step)
            return
        now = time.monotonic()
        if step.phase != self._phase or now >= self._next_line_s:
            self._phase, self._next_line_s = step.phase, now + PLAIN_INTERVAL_S
            self._stream.write(f"{plain(phase_text(step.phase))}: {step.done} of {step.total}\n")
            self._stream.flush()

    def close(self) -> None:
        """Clear the bar's line."""
        if self._bar_shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._bar_shown = False

    def _draw_bar(self, step: Step) -> None:
        share = step.done / step.total if step.total else 0.0
        filled = round(BAR_WIDTH * share)
        bar = "━" * filled + " " * (BAR_WIDTH - filled)
        self._stream.write(f"\r\x1b[K{plain(phase_text(step.phase)):<12} {bar} {step.done}/{step.total}")
        self._stream.flush()
        self._bar_shown = True


class ChangingLine:
    """One line that changes on a terminal; now and then a line elsewhere."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False, first_s: float = 0.0) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._tty = self._stream.isatty()
        self._quiet = quiet and not self._tty
        self._next_line_s = time.monotonic() + first_s
        self._shown = False

    def due(self) -> bool:
        """Whether it is time for another one; then `show` it."""
        now = time.monotonic()
        if self._quiet or now < self._next_line_s:
            return False
        self._next_line_s = now + (_TTY_INTERVAL_S if self._tty else PLAIN_INTERVAL_S)
        return True

    def show(self, text: str) -> None:
        """Put this in the place of what is there."""
        self._stream.write(f"\r\x1b[K{plain(text)}" if self._tty else f"{plain(text)}\n")
        self._stream.flush()
        self._shown = self._tty

    def clear(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False


class DownloadPrinter:
    """Shows how far a download is: one line that changes on a terminal, now and then a line elsewhere."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._line = ChangingLine(stream, quiet=quiet)

    def __call__(self, state: Download) -> None:
        if not self._line.due():
            return
        text = f"{state.done_bytes / 1e9:.2f} of {state.total_bytes / 1e9:.2f} GB"
        if state.bytes_per_second > 0:
            text += f", {state.bytes_per_second / 1e6:.1f} MB/s"
        if state.seconds_left is not None:
            minutes, seconds = divmod(round(state.seconds_left), 60)
            text += f", {minutes}:{seconds:02} left"
        self._line.show(text)

    def close(self) -> None:
        """Clear the line."""
        self._line.clear()


class ScanPrinter:
    """Shows where `what` is looked for, as `DownloadPrinter` shows a download, once it takes long."""

    def __init__(
        self, folder: Path, what: str = "models", stream: TextIO | None = None, *, quiet: bool = False
    ) -> None:
        self._folder = folder
        self._what = what
        self._line = ChangingLine(stream, quiet=quiet, first_s=_FIRST_LINE_S)

    def __call__(self, here: Path, folders: int, found: int) -> None:
        if self._line.due():
            place = _end_of(str(here))
            self._line.show(
                f"looking through {self._folder}: {folders} folders, {found} {self._what}; now {place}"
            )

    def close(self) -> None:
        """Clear the line."""
        self._line.clear()


def _end_of(path: str) -> str:
    """So much of a path as fits on a line with other words."""
    return path if len(path) <= _LONGEST_PATH else f"…{path[1 - _LONGEST_PATH :]}"


def phase_text(phase: str) -> str:
    return _PHASES.get(phase, phase.capitalize() or "Working")


_PHASES = {
    "load": "Loading",
    "encode": "Reading",
    "sample": "Sampling",
    "refine": "Refining",
    "invert": "Inverting",
    "decode": "Decoding",
    "learn": "Learning",
    "batch": "Files",
}


def print_json(values: Mapping[str, Any]) -> None:
    """One JSON object on standard output; numbers that JSON lacks (NaN, infinity) are null.

    Raises:
        OutputError: it cannot be written to.
    """
    text = json.dumps(_in_json(values), ensure_ascii=False, indent=2, allow_nan=False)
    # what the terminal would obey, and halves of characters, can be written as their numbers
    text = _OBEYED_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(_in_json(values), indent=2, allow_nan=False)
    write(f"{text}\n")


def _in_json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _in_json(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_in_json(item) for item in cast("list[Any]", value)]
    return value


def print_table(rows: list[tuple[str, ...]], headings: tuple[str, ...]) -> None:
    """Columns of text under headings."""
    table = [tuple(plain(text) for text in row) for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        write(line.rstrip() + "\n")


def size_text(count: int) -> str:
    """So many bytes in MiB; of what is small as many digits as tell it from nothing."""
    mebibytes = count / 2**20
    return f"{mebibytes:.0f} MiB" if mebibytes >= 10 or not count else f"{max(mebibytes, 0.01):.2g} MiB"
