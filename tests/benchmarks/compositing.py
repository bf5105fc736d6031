"""Flattening and exporting a document of many layers, against Pillow and GIMP on the same pixels.

    python -m tests.benchmarks.compositing [--width 6000] [--height 4000] [--layers 20] [--without-gimp]

Each figure comes from a process of its own. Pillow composes normal layers only. GIMP opens the layers as
files, which is not counted; its modes are the nearest it has. All write PNG; Pillow and GIMP at level 6,
we at our default. Figures to reach: at most half the time of either; at most 1.5 × the memory of the pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from editor.layers.layer import BlendMode
from tests.benchmarks.layers import document

Size = tuple[int, int, int]  # width, height, layers

GIMP_MODES = {
    BlendMode.NORMAL: "NORMAL", BlendMode.MULTIPLY: "MULTIPLY", BlendMode.SCREEN: "SCREEN",
    BlendMode.OVERLAY: "OVERLAY", BlendMode.SOFT_LIGHT: "SOFTLIGHT", BlendMode.DARKEN: "DARKEN-ONLY",
    BlendMode.LIGHTEN: "LIGHTEN-ONLY", BlendMode.HARD_LIGHT: "HARDLIGHT", BlendMode.DIFFERENCE: "DIFFERENCE",
    BlendMode.COLOUR_DODGE: "DODGE", BlendMode.COLOUR_BURN: "BURN", BlendMode.EXCLUSION: "EXCLUSION",
    BlendMode.PLUS: "ADDITION", BlendMode.LINEAR_BURN: "LINEAR-BURN", BlendMode.HUE: "HSV-HUE",
    BlendMode.SATURATION: "HSV-SATURATION", BlendMode.COLOUR: "HSL-COLOR", BlendMode.LUMINOSITY: "LUMINANCE",
}  # fmt: skip


class Clock:
    """Seconds on the wall and of this process's processor time."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._wall, self._busy = time.perf_counter(), time.process_time()

    def lap(self) -> tuple[float, float]:
        taken = time.perf_counter() - self._wall, time.process_time() - self._busy
        self.restart()
        return taken


def ours(size: Size, mixed: bool, folder: Path) -> dict[str, object]:
    from editor.document.export_options import ExportOptions
    from editor.formats import png
    from editor.formats.picture import Picture
    from editor.layers.state import SourceMetadata
    from editor.rendering.compositing import flatten

    state = document(*size, mixed=mixed)
    held = sum(layer.raster.nbytes for layer in state.rasters())
    path = folder / "ours.png"
    clock = Clock()
    png.write(Picture(state=state, source=SourceMetadata()), path, ExportOptions())
    export = clock.lap()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    clock.restart()
    flatten(state)
    return {
        "export": export, "flatten": clock.lap(), "bytes": path.stat().st_size, "memory": peak / held,
    }  # fmt: skip


def pillow(size: Size, mixed: bool, folder: Path) -> dict[str, object]:
    if mixed:
        return {}
    layers = [Image.fromarray(layer.pixels) for layer in document(*size, mixed=False).rasters()]
    path = folder / "pillow.png"
    clock = Clock()
    picture = layers[0]
    for layer in layers[1:]:
        picture = Image.alpha_composite(picture, layer)
    flattened = clock.lap()
    picture.save(path, compress_level=6)
    saved = clock.lap()
    export = tuple(one + other for one, other in zip(flattened, saved, strict=True))
    return {"export": export, "flatten": flattened, "bytes": path.stat().st_size}


def gimp(size: Size, mixed: bool, folder: Path) -> dict[str, object]:
    """Marks on GIMP's error output say when it flattens and saves; its processor time is read from /proc."""
    lines: list[str] = []
    for layer in document(*size, mixed=mixed).rasters():
        path = folder / f"{layer.id}.tif"
        Image.fromarray(layer.pixels).save(path)
        mode = GIMP_MODES[layer.blend_mode]
        lines.append(f'(add "{path}" LAYER-MODE-{mode})')
    script = folder / "flatten.scm"
    result = folder / "gimp.png"
    script.write_text(_SCRIPT % (size[0], size[1], "\n".join(lines), result))
    command = ["gimp", "-i", "-d", "-f", "-b", f'(load "{script}")', "-b", "(gimp-quit 1)"]
    marks = _marks(command, folder)
    flattened, export = marks["flattened"], marks["saved"]
    return {"export": export, "flatten": flattened, "bytes": result.stat().st_size}


_SCRIPT = """
(define image (car (gimp-image-new %d %d RGB)))
(gimp-image-undo-disable image)
(define (add path mode)
  (let ((layer (car (gimp-file-load-layer RUN-NONINTERACTIVE image path))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-mode layer mode)))
%s
(gimp-message "MARK start")
(define flat (car (gimp-image-flatten image)))
(gimp-message "MARK flattened")
(file-png-save RUN-NONINTERACTIVE image flat "%s" "x" 0 6 0 0 0 0 0)
(gimp-message "MARK saved")
"""


def _marks(command: Sequence[str], folder: Path) -> dict[str, tuple[float, float]]:
    """Seconds (wall, processor) from the mark "start" to each other one."""
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    found: dict[str, tuple[float, float]] = {}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "MARK" in line:
                found[line.split("MARK ")[1].strip()] = (time.perf_counter(), _busy_s(process.pid))
    start = found.pop("start")
    return {name: (wall - start[0], busy - start[1]) for name, (wall, busy) in found.items()}


def _busy_s(pid: int) -> float:
    """Processor time of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


PARTS = {"ours": ours, "pillow": pillow, "gimp": gimp}


def measured(part: str, size: Size, mixed: bool) -> dict[str, object]:
    """One part's figures, from a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--part", part, *_arguments(size), *["--mixed"] * mixed]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def _arguments(size: Size) -> list[str]:
    return ["--width", str(size[0]), "--height", str(size[1]), "--layers", str(size[2])]


def report(size: Size, parts: Sequence[str]) -> None:
    print(f"{size[2]} layers of {size[0]} × {size[1]}; seconds on the wall (of processor time)")
    for mixed in (False, True):
        print("mixed modes" if mixed else "normal modes")
        found = {part: measured(part, size, mixed) for part in parts}
        for part, figures in found.items():
            if figures:
                print("  " + _line(part, figures, found["ours"]))


def _line(part: str, figures: dict[str, object], own: dict[str, object]) -> str:
    flat, export = figures["flatten"], figures["export"]
    text = f"{part:7} flatten {flat[0]:6.2f} ({flat[1]:.2f})  with PNG {export[0]:6.2f} ({export[1]:.2f})"
    text += f"  {figures['bytes'] / 2**20:.0f} MiB"
    if part == "ours":
        return text + f"  peak memory {figures['memory']:.2f} × pixels"
    shares = [mine / theirs for mine, theirs in zip(own["export"], export, strict=True)]
    return text + f"  ours takes {shares[0]:.2f} × ({shares[1]:.2f} ×)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=6000)
    parser.add_argument("--height", type=int, default=4000)
    parser.add_argument("--layers", type=int, default=20)
    parser.add_argument("--without-gimp", action="store_true")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--mixed", action="store_true")
    given = parser.parse_args()
    size = (given.width, given.height, given.layers)
    if given.part:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(PARTS[given.part](size, given.mixed, Path(folder))))
        return
    with_gimp = shutil.which("gimp") and not given.without_gimp
    report(size, [part for part in PARTS if part != "gimp" or with_gimp])


if __name__ == "__main__":
    main()
