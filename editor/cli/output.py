"""What the command line prints: progress on standard error, the result on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from inference.progress import Step

BAR_WIDTH = 28
PLAIN_INTERVAL_S = 5.0


def say(text: str) -> None:
    """A line on standard output."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """What is wrong, on standard error."""
    sys.stderr.write(f"attune: {text}\n")


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
            self._stream.write(f"{phase_text(step.phase)}: {step.done} of {step.total}\n")
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
        self._stream.write(f"\r\x1b[K{phase_text(step.phase):<12} {bar} {step.done}/{step.total}")
        self._stream.flush()
        self._bar_shown = True


def phase_text(phase: str) -> str:
    return _PHASES.get(phase, phase.capitalize() or "Working")


_PHASES = {
    "load": "Loading",
    "encode": "Reading",
    "sample": "Sampling",
    "refine": "Refining",
    "decode": "Decoding",
    "learn": "Learning",
}


def print_json(values: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(values, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def print_table(rows: list[tuple[str, ...]], headings: tuple[str, ...]) -> None:
    """Columns of text under headings."""
    table = [headings, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")
