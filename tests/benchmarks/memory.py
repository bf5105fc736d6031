"""How much memory stays behind when the same is done again and again in a window.

    python -m tests.benchmarks.memory [documents] [edits] [dialogs] [gestures] [--share 1.0] [--trace N]

200 documents opened and closed, 2 000 edits of a picture of 400 × 400 with 64 MiB for undo, 200 export
dialogs, 500 gestures with a slider, each in a process of its own with the real event loop. Figure to reach:
less than 20 KiB a time. `--trace N` prints the N lines of code that hold most of what was added.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from PySide6.QtCore import qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from tests.helpers.repeated_work import Desk, desk, growth

LIMIT_BYTES = 20 * 1024
MIB = 2**20

PARTS: dict[str, tuple[int, int, Callable[[Desk], None], Callable[[Desk], None]]] = {
    "documents": (200, 30, lambda one: None, Desk.open_and_close_a_document),
    "edits": (2000, 400, Desk.open_a_picture, Desk.edit),
    "dialogs": (200, 30, Desk.open_a_picture, Desk.open_and_close_the_export_dialog),
    "gestures": (500, 150, Desk.open_a_generated_picture, Desk.drag_a_slider),
}
"""Times, times to fill bounded caches, what comes first, what is done."""


def measure(name: str, share: float, trace: int) -> dict[str, object]:
    times, warm_up, first, action = PARTS[name]
    times, warm_up = max(10, round(times * share)), max(5, round(warm_up * share))
    qInstallMessageHandler(lambda kind, context, text: None)  # the offscreen platform says what it cannot do
    qt = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = folder
        with desk(Path(folder)) as place:
            first(place)
            begun = time.perf_counter()
            if trace:
                for _ in range(warm_up):
                    action(place)
                tracemalloc.start(12)
                before = tracemalloc.take_snapshot()
            slope, held = growth(lambda: action(place), times, warm_up=0 if trace else warm_up)
            if trace:
                for line in tracemalloc.take_snapshot().compare_to(before, "lineno")[:trace]:
                    print(line)
            seconds = time.perf_counter() - begun
    del qt
    return {
        "times": times,
        "bytes_each": round(slope),
        "held_mib": [round(value / MIB, 1) for value in held],
        "seconds": round(seconds, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="of the times")
    parser.add_argument("--trace", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true", help="measure here, and print figures only")
    given = parser.parse_args()
    parts = given.parts or list(PARTS)
    if given.json:
        print(json.dumps(measure(parts[0], given.share, given.trace)))
        return 0
    missed = False
    # what many threads leave in as many heaps of their own is bounded, and would hide what is not
    environment = os.environ | {"MALLOC_ARENA_MAX": "1"}
    for name in parts:
        command = [sys.executable, "-m", __spec__.name, name, "--json", "--share", str(given.share)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        found = json.loads(run.stdout.splitlines()[-1])
        missed = missed or found["bytes_each"] > LIMIT_BYTES
        print(
            f"{name:10} {found['times']:5} × {found['bytes_each'] / 1024:8.1f} KiB  {found['held_mib']} MiB"
        )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
