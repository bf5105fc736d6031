"""Batches, measured: a thousand files, kills, several processes, a cluster, and against ImageMagick.

    python -m tests.benchmarks.batch --files 1000
    python -m tests.benchmarks.batch --kills 200 [--model]
    python -m tests.benchmarks.batch --three 90
    python -m tests.benchmarks.batch --ray 60
    python -m tests.benchmarks.batch --adjust 200 [--megapixels 24]
    python -m tests.benchmarks.batch --overhead 12
    python -m tests.benchmarks.batch --trouble
    python -m tests.benchmarks.batch --huge 4

Every part makes its own files, in a folder that is removed, and says what it found as JSON. `--ray` needs
`attune[ray]`; `--trouble` needs the right to mount a small drive.
"""

from __future__ import annotations

import argparse
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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WARM = {"adjustment": "white-balance", "settings": {"temperature": 20}}
CONTRAST = {"adjustment": "brightness-contrast", "settings": {"brightness": 5, "contrast": 15}}
SATURATED = {"adjustment": "hue-saturation", "settings": {"saturation": 10}}
_SILENT: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
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
    bad = mixed_folder(source, count)
    look = recipe(folder, SATURATED, SMALL)  # one adjustment: layers, too, round once then
    arguments = command(source, look, target, "--recursive", "--json")
    memory: list[tuple[int, int]] = []  # lines of the manifest, bytes
    started = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    done = threading.Event()
    watching = threading.Thread(target=_watch, args=(process.pid, target, memory, done), daemon=True)
    watching.start()
    out, said_aloud = process.communicate()
    done.set()
    watching.join()
    seconds = time.perf_counter() - started
    said = json.loads(out)
    first = [size for lines_, size in memory if 0 < lines_ <= 100]
    last = [size for lines_, size in memory if count - 100 <= lines_ < count]
    before, after = float(np.median(first)), float(np.median(last))
    again = subprocess.run(arguments, capture_output=True)
    report = {
        "files": said["total"],
        "done": said["done"],
        "failed": said["failed"],
        "expected": {"done": count - len(bad), "failed": len(bad)},
        "status": process.returncode,
        "status of a second run, and done by it": [again.returncode, json.loads(again.stdout)["done_now"]],
        "seconds": round(seconds, 1),
        "failed are the bad ones": sorted(one["path"] for one in said["failures"]) == sorted(bad),
        "every failure has a sentence": all(one["message"] for one in said["failures"]),
        "every failure is said aloud": all(f"attune: {name}: ".encode() in said_aloud for name in bad),
        "sentences": sorted({one["message"].replace(one["path"], "…") for one in said["failures"]}),
        "defects": [one for one in said["failures"] if "unexpected" in one["message"]],
        "differ from a single export": _wrong_results(source, target, look, bad)[:10],
        "memory MiB of the first and the last hundred": [round(before / 2**20, 1), round(after / 2**20, 1)],
        "last hundred / first hundred": round(after / before, 3),
        "peak MiB": round(max(size for _, size in memory) / 2**20, 1),
        "stray files": [name for name in results(target) if ".attune" in name],
    }
    for name in bad:
        (source / name).unlink()
    whole = subprocess.run(command(source, look, target, "--recursive"), capture_output=True)
    return report | {
        "status without the bad ones": whole.returncode,
        "summary": whole.stdout.decode().strip(),
    }


def mixed_folder(source: Path, count: int) -> list[str]:
    """A folder of all that people have; gives the paths of those that cannot be read."""
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
    for number in range(5):  # in another folder, and of another format
        noise(number, (96, 72)).save(source / "again" / f"IMG_{number + 20:05}.png")
        other = next(source.glob(f"IMG_{number + 40:05}.*"))
        noise(number, (96, 72)).save(other.with_suffix(".webp" if other.suffix != ".webp" else ".png"))
    # after the first hundreds: what it takes has to be given back
    noise(1, (12_000, 8_400)).save(source / f"IMG_{good // 5:05}-large.jpg", quality=85)
    bad: list[str] = []
    for number in range(20):
        ending = endings[number % 5]
        whole = source.parent / f"whole.{ending}"
        noise(number, (96, 72)).save(whole)
        start = whole.read_bytes()[:12]
        bad.append(f"damaged_{number:02}.{ending}")
        (source / bad[-1]).write_bytes(b"" if number == 0 else start + random.Random(number).randbytes(200))
    for number in range(5):
        bad.append(f"unreadable_{number}.jpg")
        (source / bad[-1]).symlink_to("nowhere")
    return bad


def _watch(pid: int, target: Path, memory: list[tuple[int, int]], done: threading.Event) -> None:
    """Write down how much memory a process has after so many lines."""
    seen = offset = 0
    while not done.wait(0.02):
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            with (target / "manifest.jsonl").open("rb") as file:
                file.seek(offset)
                new = file.read()
        except FileNotFoundError:
            continue
        except (OSError, IndexError):
            return
        seen, offset = seen + new.count(b"\n"), offset + len(new)
        memory.append((seen - 1, pages * os.sysconf("SC_PAGE_SIZE")))


def _wrong_results(source: Path, target: Path, look: Path, bad: list[str]) -> list[str]:
    """Results that are not what opening a file, adjusting, flattening, scaling and exporting it gives."""
    from editor.batch.on_document import applied
    from editor.batch.plan import Selection, make_plan
    from editor.batch.recipe import read_recipe
    from editor.formats.files import export_picture, open_file
    from editor.layers.layer import Layer
    from editor.layers.state import DocumentState
    from editor.pixels.raster import Raster
    from editor.rendering.compositing import composite

    def flat(state: Any) -> Any:
        pixels = composite(state.layers, state.area)
        return replace(DocumentState.of_layer(Layer(name="", raster=Raster.of(pixels))),
                       icc_profile=state.icc_profile, dpi=state.dpi)  # fmt: skip

    def nobody(request: Any, contents: Any) -> Any:
        raise AssertionError

    chosen, wrong = read_recipe(look), []
    for item in make_plan(source, target, chosen, Selection(recursive=True)).items:
        if str(item.path) in bad or "large" in item.path.name:  # the large one is as the small ones, and slow
            continue
        opened = open_file(source / item.path)
        state = opened.state
        for step in chosen.steps:
            alone = replace(chosen, steps=(step,))
            state = flat(applied(state, alone, seed=0, model_hash="", carry_out=nobody))
        place = source.parent / f"alone{item.target.suffix}"
        export_picture(state, opened.source, place, chosen.export)
        ours, other = (open_file(path).state for path in (target / item.target, place))
        pair = [composite(one.layers, one.area).astype(np.int16) for one in (ours, other)]
        # they scale by different code, and a codec makes more of the last bit; other pictures are tens away
        if pair[0].shape != pair[1].shape or np.abs(pair[0] - pair[1]).mean() > 2:
            wrong.append(item.shown)
    return wrong


def kills(folder: Path, count: int = 200, *, model: bool = False) -> dict[str, Any]:
    """SIGKILL at random moments over and over; the bytes of an undisturbed run, and no strays."""
    source, target, alone = folder / "in", folder / "out", folder / "alone"
    source.mkdir()
    dice = random.Random(0)
    pictures = 8 if model else max(12, count)
    size = (64, 64) if model else (320, 240)
    for number in range(pictures):
        noise(number, size).save(source / f"{number:04}.{('png', 'jpg', 'webp')[number % 3]}")
    if model:
        parameters = {**REDRAW["parameters"], "steps": 2}
        look = recipe(folder, {**REDRAW, "parameters": parameters}, WARM, model="mini-sd1", seed="path")
    else:
        look = recipe(folder, WARM, {"adjustment": "sharpen"}, SMALL)
    subprocess.run(command(source, look, alone), check=True, **_SILENT)
    tally = Tally()
    while tally.killed < count:
        process = subprocess.Popen(command(source, look, target), **_SILENT)
        # from before it began to after a few files: the moment is anything but chosen
        until = _known(target) + dice.randint(0, 1 if model else 3)
        waited = time.monotonic()
        while process.poll() is None and time.monotonic() - waited < 60:
            if target.exists() and _known(target) >= until:
                break
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.03))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            tally.killed += 1
            tally.look_at(target)
        else:
            tally.finished += 1
            tally.check(target, alone)
            shutil.rmtree(target)  # it was faster: begin anew
    status = subprocess.run(command(source, look, target), **_SILENT).returncode
    tally.check(target, alone)
    return {
        "kills": tally.killed,
        "runs that ended before they were killed": tally.finished,
        "kills with a draft, a lease, a torn line": [tally.drafts, tally.leases, tally.torn],
        "status of the last run": status,
        "same bytes at every end": not tally.differing,
        "differing": tally.differing[:10],
        "written twice": tally.twice,
        "files": len(results(target)),
    }


@dataclass
class Tally:
    """What kills met, and what was left at the ends of runs that nobody killed."""

    killed: int = 0
    finished: int = 0
    drafts: int = 0
    leases: int = 0
    torn: int = 0
    differing: list[str] = field(default_factory=list[str])
    twice: int = 0

    def look_at(self, target: Path) -> None:
        """Count what a kill left."""
        place = target / ".attune-batch"
        left = [path.name for path in place.rglob("*")] if place.exists() else []
        self.leases += any(name.endswith(".lease") for name in left)
        self.drafts += any(name.endswith((".png", ".jpg", ".webp")) for name in left)
        written = target / "manifest.jsonl"
        data = written.read_bytes() if written.exists() else b""
        self.torn += bool(data) and not data.endswith(b"\n")

    def check(self, target: Path, alone: Path) -> None:
        """Compare with an undisturbed run: the same bytes, no strays, every file told of once."""
        one, other = results(target), results(alone)
        self.differing += sorted({name for name, _ in one.items() ^ other.items()})
        paths = [line["path"] for line in lines(target)]
        self.twice += len(paths) - len(set(paths))


def _known(target: Path) -> int:
    return len(list(target.glob("[0-9]*")))


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


def ray(folder: Path, count: int = 60) -> dict[str, Any]:
    """A cluster of two nodes on this machine, of which one is killed in the middle."""
    from ray.cluster_utils import Cluster

    source, target, alone = folder / "in", folder / "out", folder / "alone"
    source.mkdir()
    for number in range(count):
        noise(number, (1280, 960)).save(source / f"{number:04}.png")
    blur = {"adjustment": "gaussian-blur", "settings": {"radius": 8}}
    look = recipe(folder, WARM, {"adjustment": "sharpen"}, blur)
    subprocess.run(command(source, look, alone), check=True, **_SILENT)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        other = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        process = subprocess.Popen(
            command(source, look, target, "--json", "--on", cluster.address),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        killed_at = None
        while process.poll() is None:
            workers = len(list((target / ".attune-batch").glob("*.worker"))) if target.exists() else 0
            if workers > 1 and _known(target) >= count // 4:
                killed_at = _known(target)
                cluster.remove_node(other, allow_graceful=False)
                break
            time.sleep(0.01)
        out, problem = process.communicate()
        said = json.loads(out) if out.startswith(b"{") else {"problem": out.decode()[-2000:]}
    finally:
        cluster.shutdown()
    paths = [line["path"] for line in lines(target)]
    return {
        "status": process.returncode,
        "done": said.get("done"),
        "done by what was left to this process": said.get("done_now"),
        "files there when a node was killed": killed_at,
        "same bytes": results(target) == results(alone),
        "differing": sorted({name for name, _ in results(target).items() ^ results(alone).items()}),
        "written twice": len(paths) - len(set(paths)),
        "problem": said.get("problem") or (problem.decode()[-2000:] if process.returncode else None),
    }


def adjust(folder: Path, count: int = 20, megapixels: int = 24) -> dict[str, Any]:
    """Levels of brightness and warmth to JPEG against `convert`, one core each, in turns."""
    source = folder / "in"
    source.mkdir()
    width = round((megapixels * 1e6 * 1.5) ** 0.5)
    for number in range(count):
        noise(number, (width, round(width / 1.5))).save(source / f"{number:03}.jpg", quality=92)
    look = recipe(folder, WARM, CONTRAST, export={"quality": 90, "subsampling": "4:4:4"})
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MAGICK_THREAD_LIMIT": "1"}

    def attune(target: Path) -> None:
        asked = command(source, look, target, "--cores", "1")
        subprocess.run(["taskset", "-c", "0", *asked], check=True, env=environment, **_SILENT)

    def convert(target: Path) -> None:
        target.mkdir()
        for path in sorted(source.iterdir()):
            place = str(target / path.name)
            subprocess.run([*TONES_BEFORE, str(path), *TONES, place], check=True, env=environment)

    seconds: dict[str, list[tuple[float, float]]] = {"attune": [], "convert": []}
    for _ in range(2):
        for name, program in (("attune", attune), ("convert", convert)):
            target = folder / name
            started = time.perf_counter()
            processor = _cpu(lambda program=program, target=target: program(target))
            seconds[name].append((processor, time.perf_counter() - started))
            assert len(list(target.glob("*.jpg"))) == count
            shutil.rmtree(target)
    ours, theirs = (min(one[0] for one in seconds[name]) for name in ("attune", "convert"))
    return {
        "pictures": count,
        "megapixels": megapixels,
        "seconds a picture: processor, wall": {
            name: [[round(one / count, 3) for one in pair] for pair in all_] for name, all_ in seconds.items()
        },
        "attune / convert, processor": round(ours / theirs, 3),
    }


def trouble(folder: Path) -> dict[str, Any]:
    """A full drive, one that can only be read, a folder that is gone: what is said, how it goes on."""
    source, alone, drive = folder / "in", folder / "alone", folder / "drive"
    source.mkdir()
    drive.mkdir()
    for number in range(60):
        noise(number, (320, 240)).save(source / f"{number:03}.png")
    look = recipe(folder, WARM)
    subprocess.run(command(source, look, alone), check=True, **_SILENT)
    target = drive / "out"
    said: dict[str, Any] = {}

    def tried() -> dict[str, Any]:
        ended = subprocess.run(command(source, look, target, "--json"), capture_output=True)
        told = json.loads(ended.stdout)
        problem = told.get("problem") or told.get("error")
        return {
            "status": ended.returncode,
            "done": told.get("done"),
            "failed": told.get("failed"),
            "said": problem,
        }

    def mount(*options: str) -> None:
        subprocess.run(["mount", *options, str(drive)], check=True)

    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs")
    try:
        said["full"] = tried()
        mount("-o", "remount,size=64m,ro")
        said["read-only"] = tried()
        mount("-o", "remount,rw")
        source.rename(folder / "away")
        said["folder gone before"] = tried()
        (folder / "away").rename(source)
        said["mended"] = tried() | {"same bytes": results(target) == results(alone)}
        shutil.rmtree(target)
        for what, place in (("pictures", source), ("results", target)):
            process = subprocess.Popen(command(source, look, target, "--json"), stdout=subprocess.PIPE)
            while _known(target) < 10:
                time.sleep(0.005)
            place.rename(place.with_name("away"))
            told = json.loads(process.communicate()[0])
            said[f"{what} gone in the middle"] = {k: told[k] for k in ("status", "done", "failed", "problem")}
            if place.exists():
                said[f"{what} gone in the middle"]["left"] = len(results(place))
                shutil.rmtree(place)
            place.with_name("away").rename(place)
            said[f"{what} back"] = tried() | {"same bytes": results(target) == results(alone)}
            shutil.rmtree(target)
    finally:
        subprocess.run(["umount", str(drive)], check=False)
    return said


def huge(folder: Path, count: int = 3) -> dict[str, Any]:
    """Pictures of 100 megapixels, a thread each: how much memory they take with and without a budget."""
    source, target = folder / "in", folder / "out"
    source.mkdir()
    noise(1, (12_000, 8_400)).save(source / "0.jpg", quality=85)
    for number in range(1, count):
        shutil.copy(source / "0.jpg", source / f"{number}.jpg")
    look = recipe(folder, WARM, SATURATED)
    found: dict[str, Any] = {}
    for name, cores, budget in (("one after the other", 1, 2**40), ("at once", count, 2**40),
                                ("at once, a budget of 3 GiB", count, 3 * 2**30)):  # fmt: skip
        asked = [str(one) for one in (source, look, target, cores, budget)]
        ended = subprocess.run([sys.executable, "-c", _HUGE, *asked], check=True, capture_output=True)
        found[f"peak MiB, {name}"] = round(int(ended.stdout) / 1024)
        shutil.rmtree(target)
    return found


_HUGE = """
import resource, sys
from pathlib import Path
from editor.batch.needs import Needs
from editor.batch.plan import make_plan
from editor.batch.recipe import read_recipe
from editor.batch.running import BatchRun, Wishes
source, look, target = map(Path, sys.argv[1:4])
recipe = read_recipe(look)
wishes = Wishes(cores=int(sys.argv[4]), memory_bytes=int(sys.argv[5]))
run = BatchRun(make_plan(source, target, recipe), recipe, Needs(), None, wishes=wishes)
run.prepare()
assert run.run().is_complete
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


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
    "ray": ray,
    "adjust": adjust,
    "overhead": overhead,
    "trouble": trouble,
    "huge": huge,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    chosen = parser.add_mutually_exclusive_group(required=True)
    for name in PARTS:
        chosen.add_argument(f"--{name}", nargs="?", type=int, const=0, metavar="COUNT")
    parser.add_argument("--megapixels", type=int)
    parser.add_argument("--model", action="store_true")
    given = vars(parser.parse_args())
    name = next(name for name in PARTS if given[name] is not None)
    options = {key: given[key] for key in ("megapixels", "model") if given[key]}
    numbers = [given[name]] if given[name] else []
    with tempfile.TemporaryDirectory(prefix="attune-batch-") as folder:
        found = PARTS[name](Path(folder).resolve(), *numbers, **options)
        found |= {"load": [round(one, 1) for one in os.getloadavg()]}
        print(json.dumps({name: found}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
