"""Batches, measured: a thousand files, kills, several processes, and against ImageMagick on the same cores.

    python -m tests.benchmarks.batch files [COUNT]
    python -m tests.benchmarks.batch kills [COUNT]
    python -m tests.benchmarks.batch three
    python -m tests.benchmarks.batch magick [PICTURES] [MEGAPIXELS]
    python -m tests.benchmarks.batch overhead [PICTURES]

Every part makes its own files, in a folder that is removed, and says what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WARM = {"adjustment": "white-balance", "settings": {"temperature": 20}}
CONTRAST = {"adjustment": "brightness-contrast", "settings": {"brightness": 5, "contrast": 15}}
SMALL = {"size": {"longest": 64}}
REDRAW = {"operation": "redraw", "parameters": {"prompt": "a painting of a man", "strength": 0.5}}


TONES_BEFORE = ("taskset", "-c", "0", "convert")
TONES = (
    *("-channel", "R", "-level", "0,90%", "-channel", "B", "-level", "0,110%", "+channel"),
    *("-brightness-contrast", "5x15", "-sampling-factor", "4:4:4", "-quality", "90"),
)
"""What `convert` does that is like `WARM` and `CONTRAST`."""


def recipe(folder: Path, *steps: dict[str, Any], **fields: Any) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps({"version": 1, "name": "Bench", "steps": list(steps), **fields}))
    return path


def noise(seed: int, size: tuple[int, int]) -> Image.Image:
    """Something like a picture: smooth with grain."""
    dice = np.random.default_rng(seed)
    small = dice.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    grain = dice.integers(-8, 9, smooth.shape, dtype=np.int16)
    return Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))


def command(source: Path, look: Path, target: Path, *flags: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "editor",
        "batch",
        str(source),
        "--recipe",
        str(look),
        "--out",
        str(target),
        *flags,
    ]


def results(target: Path) -> dict[str, bytes]:
    return {
        os.fsencode(path.relative_to(target)).decode(errors="backslashreplace"): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file() and path.name != "manifest.jsonl"
    }


def lines(target: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (target / "manifest.jsonl").read_bytes().splitlines()][1:]


def files(folder: Path, count: int = 1000) -> dict[str, Any]:
    """Mixed formats, 20 damaged, 5 unreadable, 10 names twice, odd names, one of 100 megapixels."""
    source, target = folder / "in", folder / "out"
    (source / "again").mkdir(parents=True)
    odd = ["日本語", "مرحبا", "naïve", "a b  c", "100%", "{name}", "'quoted'", "új & <új>", "🙂", "a\nb"]
    endings = ("png", "jpg", "tif", "webp", "bmp", "gif", "avif")
    good = count - 20 - 5 - 10 - 1
    for number in range(good):
        stem = odd[number] if number < len(odd) else f"IMG_{number:05}"
        ending = endings[number % len(endings)]
        place = os.fsencode(source / f"{stem}.{ending}")
        if number in (len(odd), len(odd) + 1):
            place = os.fsencode(source) + b"/caf\xe9" + str(number).encode() + b".jpg"
        noise(number, (96, 72)).save(os.fsdecode(place))
    for number in range(10):
        noise(number, (96, 72)).save(source / "again" / f"IMG_{number + 20:05}.png")
    for number in range(20):
        whole = folder / f"whole.{endings[number % 5]}"
        noise(number, (96, 72)).save(whole)
        data = bytearray(whole.read_bytes())
        place = source / f"damaged_{number:02}.{endings[number % 5]}"
        place.write_bytes(
            b"" if number == 0 else bytes(data[:12]) + bytes(random.Random(number).randbytes(200))
        )
    for number in range(5):
        (source / f"unreadable_{number}.jpg").symlink_to("nowhere")
    noise(1, (12_000, 8_400)).save(source / "large.jpg", quality=85)
    look = recipe(folder, WARM, {"adjustment": "hue-saturation", "settings": {"saturation": 10}}, SMALL)
    memory: list[int] = []
    started = time.perf_counter()
    process = subprocess.Popen(
        command(source, look, target, "--recursive", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            try:
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                return
            memory.append(pages * 4096)

    threading.Thread(target=watch, daemon=True).start()
    said = json.loads(process.communicate()[0])
    done.set()
    order = [line["path"] for line in lines(target)]
    after_large = order.index("large.jpg") if "large.jpg" in order else 0
    # memory by time: the first and last tenth without what the large picture took
    tenth = max(1, len(memory) // 10)
    usual = sorted(memory)[: max(1, int(len(memory) * 0.95))]
    first = float(np.median([one for one in memory[tenth : 2 * tenth] if one <= usual[-1]] or [0]))
    last = float(np.median([one for one in memory[-tenth:] if one <= usual[-1]] or [0]))
    again = subprocess.run(command(source, look, target, "--recursive", "--json"), capture_output=True)
    return {
        "files": said["total"],
        "done": said["done"],
        "failed": said["failed"],
        "expected": {"done": good + 10 + 1, "failed": 25},
        "status": process.returncode,
        "seconds": round(time.perf_counter() - started, 1),
        "every failure has a sentence": all(one["message"] for one in said["failures"]),
        "failures": sorted({one["class"] for one in said["failures"]}),
        "large picture at": after_large,
        "memory MiB in the second and the last tenth": [round(first / 2**20, 1), round(last / 2**20, 1)],
        "memory's change": round(last / first - 1, 3) if first else None,
        "peak MiB": round(max(memory) / 2**20, 1),
        "done by a second run": json.loads(again.stdout)["done_now"],
        "stray files": [name for name in results(target) if ".attune" in name or name.endswith(".part")],
    }


def kills(folder: Path, count: int = 200) -> dict[str, Any]:
    """SIGKILL at random moments over and over; the bytes of an undisturbed run, and no strays."""
    source, target, alone = folder / "in", folder / "out", folder / "alone"
    source.mkdir()
    dice = random.Random(0)
    pictures = max(40, count)
    for number in range(pictures):
        noise(number, (320, 240)).save(source / f"{number:04}.{('png', 'jpg', 'webp')[number % 3]}")
    look = recipe(folder, WARM, {"adjustment": "sharpen"}, SMALL)
    subprocess.run(
        command(source, look, alone), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    killed = finished = 0
    while killed < count:
        process = subprocess.Popen(
            command(source, look, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # from before it began to after a few files: the moment is anything but chosen
        known = len(list(target.glob("[0-9]*"))) if target.exists() else 0
        until = known + dice.randint(0, 3)
        waited = time.monotonic()
        while process.poll() is None and time.monotonic() - waited < 60:
            if target.exists() and len(list(target.glob("[0-9]*"))) >= until:
                break
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.03))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        else:
            finished += 1
            if finished == 1 or results(target) == results(alone):
                shutil.rmtree(target)  # it was faster: begin anew
        process.wait()
    status = subprocess.run(
        command(source, look, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode
    paths = [line["path"] for line in lines(target)]
    return {
        "kills": killed,
        "runs that ended before they were killed": finished,
        "status of the last run": status,
        "same bytes": results(target) == results(alone),
        "files": len(results(target)),
        "lines": len(paths),
        "written twice": len(paths) - len(set(paths)),
    }


def three(folder: Path, count: int = 90) -> dict[str, Any]:
    """Three processes on one folder, one of them killed in the middle."""
    source, target, alone = folder / "in", folder / "out", folder / "alone"
    source.mkdir()
    for number in range(count):
        noise(number, (640, 480)).save(source / f"{number:04}.png")
    look = recipe(
        folder, WARM, {"adjustment": "sharpen"}, {"adjustment": "gaussian-blur", "settings": {"radius": 8}}
    )
    subprocess.run(
        command(source, look, alone), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    processes = [
        subprocess.Popen(
            command(source, look, target, "--json"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for _ in range(3)
    ]
    while not target.exists() or len(list(target.glob("*.png"))) < count // 3:
        time.sleep(0.01)
    os.kill(processes[0].pid, signal.SIGKILL)
    said = [json.loads(process.communicate()[0] or "{}") for process in processes[1:]]
    processes[0].wait()
    paths = [line["path"] for line in lines(target)]
    return {
        "same bytes": results(target) == results(alone),
        "written twice": len(paths) - len(set(paths)),
        "files": len(paths),
        "done by the two that lived": [one.get("done_now") for one in said],
        "status": [process.returncode for process in processes],
    }


def magick(folder: Path, count: int = 20, megapixels: int = 24) -> dict[str, Any]:
    """Levels of brightness and warmth to JPEG against `convert`, one core each, in turns."""
    source = folder / "in"
    source.mkdir()
    width = round((megapixels * 1e6 * 1.5) ** 0.5)
    for number in range(count):
        noise(number, (width, round(width / 1.5))).save(source / f"{number:03}.jpg", quality=92)
    look = recipe(folder, WARM, CONTRAST, export={"quality": 90, "subsampling": "4:4:4"})
    seconds: dict[str, list[float]] = {"attune": [], "convert": []}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MAGICK_THREAD_LIMIT": "1"}
    for turn in range(2):
        target = folder / f"attune-{turn}"
        seconds["attune"].append(
            _cpu(lambda target=target: subprocess.run(
                ["taskset", "-c", "0", *command(source, look, target, "--cores", "1")],
                check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            ))
        )  # fmt: skip
        other = folder / f"convert-{turn}"
        other.mkdir()

        def convert(other: Path = other) -> None:
            for path in sorted(source.iterdir()):
                place = str(other / path.name)
                subprocess.run([*TONES_BEFORE, str(path), *TONES, place], check=True, env=environment)

        seconds["convert"].append(_cpu(convert))
        shutil.rmtree(target)
        shutil.rmtree(other)
    return {
        "pictures": count,
        "megapixels": megapixels,
        "processor seconds a picture": {
            name: [round(one / count, 3) for one in all_] for name, all_ in seconds.items()
        },
        "share": round(min(seconds["attune"]) / min(seconds["convert"]), 3),
    }


def _cpu(work: Callable[[], object]) -> float:
    """Processor seconds of the child processes that `work` starts."""
    before = os.times()
    work()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def overhead(folder: Path, count: int = 12) -> dict[str, Any]:
    """What a file of a batch takes beyond the operation itself, in one process, after a first run."""
    from editor.batch.needs import needs_of
    from editor.batch.plan import make_plan
    from editor.batch.recipe import read_recipe
    from editor.batch.running import BatchRun, OneThread, Wishes
    from editor.generating.contents import picture_of
    from editor.system.folders import config_folder, deltas_folder
    from inference.content import Picture, content_hash
    from inference.deltas import DeltaLibrary
    from inference.models import Catalogue
    from inference.operations import Redraw
    from inference.progress import Progress
    from inference.request import Request
    from inference.runner import make_runner

    source, target = folder / "in", folder / "out"
    source.mkdir()
    for number in range(count):
        noise(number, (128, 128)).save(source / f"{number:03}.png")
    look = read_recipe(recipe(folder, REDRAW, model="mini-sd1", seed=3))
    runner = make_runner(config_folder(), deltas_folder())
    needs = needs_of(look, Catalogue(config_folder()), DeltaLibrary.standard(deltas_folder()))

    def plain(seed: int) -> float:
        started = time.process_time()
        for path in sorted(source.iterdir()):
            pixels = picture_of(path)
            name = content_hash(pixels)
            parameters = Redraw(image=Picture(name), prompt="a painting of a man", strength=0.5, seed=seed)
            request = Request(operation="redraw", parameters=parameters, model="mini-sd1")
            runner.run(request, {name: pixels}, Progress())
        return time.process_time() - started

    def batched() -> float:
        thread_of_the_model = OneThread(lambda request, contents: runner.run(request, contents, Progress()))
        plan = make_plan(source, target, look)
        run = BatchRun(plan, look, needs, thread_of_the_model, wishes=Wishes(cores=1))
        run.prepare()
        started = time.process_time()
        thread = threading.Thread(target=run.run)
        thread.start()
        thread_of_the_model.serve(lambda: not thread.is_alive())
        seconds = time.process_time() - started
        assert run.summary().is_complete
        shutil.rmtree(target)
        return seconds

    plain(99)
    pairs = []
    for turn in range(3):
        runner.forget()
        one = plain(100 + turn)
        runner.forget()
        pairs.append((one, batched()))
    shares = [after / before - 1 for before, after in pairs]
    return {
        "pictures": count,
        "processor seconds a picture, plain and in a batch": [
            [round(one / count, 4) for one in pair] for pair in pairs
        ],
        "overhead, share": [round(share, 3) for share in shares],
        "median": round(float(np.median(shares)), 3),
    }


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "files": files,
    "kills": kills,
    "three": three,
    "magick": magick,
    "overhead": overhead,
}


def main() -> None:
    name, numbers = sys.argv[1], [int(one) for one in sys.argv[2:]]
    with tempfile.TemporaryDirectory(prefix="attune-batch-") as folder:
        print(json.dumps({name: PARTS[name](Path(folder), *numbers)}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
