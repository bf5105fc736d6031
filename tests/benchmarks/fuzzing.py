"""Damaged files over all formats: each must become an error for people or a document, within limits.

    python -m tests.benchmarks.fuzzing [--count 10000] [--seed 1] [--workers 2] [--keep FOLDER]
    python -m tests.benchmarks.fuzzing --values [--count 10000] [--seed 1]

Every file is opened in a worker process with 10 s and 4 GiB of address space; anything but an `EditorError`
or a document is a defect, as is any file that is written. With `--values`, parsed values are mutated instead
of bytes: recipes, projects, settings, models, headers of deltas, manifests; anything but an `EditorError` or
values as declared, which can be written again, is a defect. Exits with 1 if there was one.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.corpus import corpus
from tests.helpers.mutations import mutated
from tests.helpers.opening_worker import Outcome, Worker
from tests.helpers.value_boundaries import trials

GOOD = ("document", "error")
MEMORY_BYTES = 4 * 2**30
SECONDS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=None, help="where files that show a defect are kept")
    parser.add_argument("--values", action="store_true", help="mutate parsed values instead of bytes")
    chosen = parser.parse_args()
    if chosen.values:
        sys.exit(1 if parsed_values(chosen.count, chosen.seed) else 0)
    started = time.perf_counter()
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    peak = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, data, outcome in run(chosen.count, chosen.seed, chosen.workers, Path(folder)):
            counts[name, outcome.kind] += 1
            peak = max(peak, outcome.peak_bytes)
            if outcome.kind not in GOOD:
                show(name, data, outcome, chosen.keep)
    for (name, kind), count in sorted(counts.items()):
        print(f"{name:12} {kind:10} {count}")
    bad = sum(count for (_, kind), count in counts.items() if kind not in GOOD)
    seconds = time.perf_counter() - started
    print(f"{chosen.count} files, {bad} defects, peak {peak / 2**20:.0f} MiB, {seconds:.0f} s")
    sys.exit(1 if bad else 0)


def parsed_values(count: int, seed: int) -> int:
    """Print what became of so many mutations of parsed values; how many defects there were."""
    started = time.perf_counter()
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    for trial in trials(count, seed):
        counts[trial.boundary, trial.kind] += 1
        if trial.kind == "defect":
            print(f"--- {trial.boundary}\n{trial.details[-3000:]}", flush=True)
    for (name, kind), found in sorted(counts.items()):
        print(f"{name:12} {kind:10} {found}")
    bad = sum(found for (_, kind), found in counts.items() if kind == "defect")
    print(f"{count} mutations of parsed values, {bad} defects, {time.perf_counter() - started:.0f} s")
    return bad


def run(count: int, seed: int, workers: int, folder: Path) -> Iterator[tuple[str, bytes, Outcome]]:
    """(format, file, outcome) of every mutated file."""
    local = threading.local()
    started: list[Worker] = []

    def one(index: int, item: tuple[str, bytes]) -> tuple[str, bytes, Outcome]:
        if not hasattr(local, "worker"):
            local.worker = Worker(MEMORY_BYTES, SECONDS)
            started.append(local.worker)
        path = folder / f"file{index}"
        path.write_bytes(item[1])
        try:
            return *item, local.worker.open(path)
        finally:
            path.unlink()

    try:
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            files = enumerate(mutated(corpus(), count, seed))
            waiting: collections.deque[concurrent.futures.Future[tuple[str, bytes, Outcome]]] = (
                collections.deque()
            )
            for index, item in files:
                waiting.append(pool.submit(one, index, item))
                if len(waiting) > 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        for worker in started:
            worker.close()


def show(name: str, data: bytes, outcome: Outcome, keep: Path | None) -> None:
    print(f"--- {name}: {outcome.kind}\n{outcome.details[-1500:]}", flush=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{name}-{outcome.kind}-{hashlib.sha256(data).hexdigest()[:10]}").write_bytes(data)


if __name__ == "__main__":
    main()
