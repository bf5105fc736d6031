"""`python -m inference.miniworld train PART` trains a built-in model resumably, `report` measures it.

Denoisers may be trained in lanes: `torchrun --standalone --nproc-per-node 2 -m inference.miniworld train …`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DEFAULT_WORK: Final = Path.home() / ".cache" / "attune-training"
# Two lanes of one thread each beat one process with two threads on two cores.
FIRST: Final = (("vae4",), ("text",))
THEN: Final = (("mini-sdxl", "mini-sd1"), ("vae16", "detector", "mini-sd3"))
LAST: Final = (("decoder4",), ("decoder16",))


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.command == "report":
        return _report(options)
    if options.part == "all":
        return _train_all(options)
    if options.threads:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch

    from .fitting import join_lanes
    from .training import Workshop, train

    join_lanes()
    if options.threads:
        torch.set_num_threads(options.threads)
    shop = Workshop(
        work=options.work,
        models=options.models,
        minutes=options.minutes,
        goes_on=options.go_on,
        report=lambda line: print(line, flush=True),
    )
    train(options.part, shop)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m inference.miniworld", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a part; run again to resume")
    report = commands.add_parser("report", help="measure a finished model and write its card")
    report.add_argument("part", choices=("mini-sd1", "mini-sdxl", "mini-sd3", "detector"))
    report.add_argument("--hardware", default="not told", help="what it was trained on, for the card")
    for command in (train, report):
        command.add_argument("--work", type=Path, default=DEFAULT_WORK, help="checkpoints and logs")
        command.add_argument("--models", type=Path, default=ROOT / "resources" / "models")
    names = ("mini-sd1", "mini-sdxl", "mini-sd3", "all")
    parts = ("vae4", "vae16", "text", "detector", "decoder4", "decoder16")
    train.add_argument("part", choices=(*names, *parts))
    train.add_argument("--minutes", type=float, help="budget in minutes of wall-clock time")
    train.add_argument(
        "--go-on", action="store_true", help="train a finished denoiser or autoencoder further"
    )
    train.add_argument("--threads", type=int, help="CPU threads (default: all)")
    return parser


def _report(options: argparse.Namespace) -> int:
    from .reporting import report_detector, report_model

    if options.part == "detector":
        figures = report_detector(options.models, options.work, options.hardware)
    else:
        figures = report_model(options.part, options.models, options.work, options.hardware)
    print(json.dumps(figures, indent=2))
    return 0


def _train_all(options: argparse.Namespace) -> int:
    """Trains everything, two lanes of subprocesses side by side."""
    for lanes in (FIRST, THEN, LAST):
        running = [_lane(parts, options) for parts in lanes]
        codes = [process.wait() for process in running]
        if any(codes):
            return 1
    return 0


def _lane(parts: tuple[str, ...], options: argparse.Namespace) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "inference.miniworld", "train"]
    script = "import subprocess, sys\n" + "".join(
        f"subprocess.run({[*command, part, *_shared(options)]!r}, check=True)\n" for part in parts
    )
    return subprocess.Popen([sys.executable, "-c", script])


def _shared(options: argparse.Namespace) -> list[str]:
    minutes = [] if options.minutes is None else ["--minutes", str(options.minutes)]
    places = ["--work", str(options.work), "--models", str(options.models)]
    return [*places, "--threads", str(options.threads or 1), *minutes]


if __name__ == "__main__":
    sys.exit(main())
