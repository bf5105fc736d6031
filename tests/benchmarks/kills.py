"""SIGKILL at random moments during editing, saving and autosaving: nothing breaks, and little is lost.

    python -m tests.benchmarks.kills [--kills 1000] [--seed 1] [--interval 0.4] [--window 0.6] [--keep FOLDER]

After each kill the project must open and hold a state that was saved, none before the last save that was
reported as done; recovery must open and hold a state that was; both together lose at most the interval (and
what a busy machine adds). Then the next process restores, and goes on. Figures to reach: 0 wrong of 1 000.
The interval is short here so that there is much to catch; that the setting's 30 s are kept is shown with a
turned clock in tests/editor/recovery/test_schedule.py.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["OMP_NUM_THREADS"] = "1"

from tests.helpers.editing_until_killed import edit_until_killed, judge

FRESH_AFTER = 25  # kills; then another document is begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--interval", type=float, default=0.4, help="seconds of work that may be lost")
    parser.add_argument("--window", type=float, default=0.6, help="a process lives for up to so many seconds")
    parser.add_argument("--most-lost", type=float, default=30.0, help="seconds; more is a failure")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        records = run(Path(folder), chosen)
    report(records, chosen.interval)
    lost = max(record["lost_s"] for record in records)
    return int(any(record["wrong"] for record in records) or lost > chosen.most_lost)


def run(base: Path, chosen: argparse.Namespace) -> list[dict[str, Any]]:
    chance = random.Random(chosen.seed)
    records: list[dict[str, Any]] = []
    for number in range(chosen.kills):
        folder = base / str(number // FRESH_AFTER)
        (folder / "out").mkdir(parents=True, exist_ok=True)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        killed_at = kill_one(folder, chance, chosen)
        record = in_child(lambda folder=folder, at=killed_at: judge(folder, at))
        records.append(record)
        if record["wrong"]:
            print(f"kill {number} (in {folder}): {record['wrong']}", flush=True)
        if (number + 1) % 100 == 0:
            print(f"{number + 1} kills", file=sys.stderr, flush=True)
    return records


def kill_one(folder: Path, chance: random.Random, chosen: argparse.Namespace) -> float:
    """Start a process that edits and kill it: while it starts, edits, or has just saved; the moment."""
    seed, alive_s = chance.randrange(2**31), chance.uniform(0, chosen.window)
    known = len(journal(folder))
    awaited = chance.choices((None, b"opened\t", b"saved\t"), (15, 60, 25))[0]
    child = os.fork()
    if child == 0:
        try:
            edit_until_killed(folder, seed, chosen.interval)
        except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
            traceback.print_exc()
        os._exit(1)
    while awaited is not None and awaited not in journal(folder)[known:]:
        time.sleep(0.002)
    time.sleep(alive_s)
    os.kill(child, signal.SIGKILL)
    killed_at = time.monotonic()
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise SystemExit("the editing process ended by itself")
    return killed_at


def journal(folder: Path) -> bytes:
    path = folder / "journal"
    return path.read_bytes() if path.exists() else b""


def in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of a function that runs in a fork, so that this process stays as it is."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            result = work()
        except BaseException:  # noqa: BLE001 - whatever it is, it is what the kill left
            result = {"wrong": [traceback.format_exc()], "lost_s": 0.0}
        with os.fdopen(writing, "w") as file:
            json.dump(result, file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text)


def report(records: list[dict[str, Any]], interval_s: float) -> None:
    lost = sorted(record["lost_s"] for record in records)
    wrong = sum(bool(record["wrong"]) for record in records)
    recovered = sum(record.get("recovered", False) for record in records)
    print(f"{len(records)} kills: {wrong} wrong; recovery held something after {recovered}")
    print(
        f"work lost: median {lost[len(lost) // 2]:.2f} s, p99 {lost[int(0.99 * len(lost))]:.2f} s, "
        f"most {lost[-1]:.2f} s, with an interval of {interval_s:g} s"
    )
    edits = sum(last["edits"] for last in _last_of_each(records))
    saves = sum(last["saves"] for last in _last_of_each(records))
    print(f"edits made: {edits}; saves finished: {saves}")
    print(
        f"most stray files beside the project: {most(records, 'strays')}; "
        f"largest recovery folder: {most(records, 'recovery_bytes') / 2**20:.1f} MiB"
    )


def most(records: list[dict[str, Any]], name: str) -> int:
    return max(record.get(name, 0) for record in records)


def _last_of_each(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last records of each folder: their counts are of the whole journal."""
    ends = [*range(FRESH_AFTER - 1, len(records), FRESH_AFTER)]
    if len(records) % FRESH_AFTER:
        ends.append(len(records) - 1)
    return [records[end] for end in ends if "edits" in records[end]]


if __name__ == "__main__":
    sys.exit(main())
