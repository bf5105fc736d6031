"""Whether Krita shows our OpenRaster files as Attune does, and GIMP our blend modes.

    python -m tests.benchmarks.other_programs [--trees 5]

Krita (with xvfb-run) opens a file with every blend mode, and random documents with masks, clipping,
adjustments and groups, and exports them. GIMP 2.10 reads OpenRaster by a plug-in in Python 2 that systems
have dropped, so its layer modes are set by a script as that plug-in sets them. Differences are in 8-bit
steps, over black and over white. A program that is not installed is left out.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from editor.formats.files import save_project
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Group, Layer, Node
from editor.layers.state import DocumentState, SourceMetadata
from editor.rendering.compositing import composite
from tests.editor.formats.test_openraster import Trees

CELL = 48
COLUMNS = 6
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
GIMP_MODES = {
    BlendMode.NORMAL: 28,
    BlendMode.MULTIPLY: 3,
    BlendMode.SCREEN: 4,
    BlendMode.OVERLAY: 23,
    BlendMode.DARKEN: 9,
    BlendMode.LIGHTEN: 10,
    BlendMode.COLOUR_DODGE: 16,
    BlendMode.COLOUR_BURN: 17,
    BlendMode.HARD_LIGHT: 18,
    BlendMode.SOFT_LIGHT: 19,
    BlendMode.DIFFERENCE: 6,
    BlendMode.COLOUR: 13,
    BlendMode.LUMINOSITY: 14,
    BlendMode.HUE: 11,
    BlendMode.SATURATION: 12,
    BlendMode.PLUS: 7,
}
"""The numbers of GIMP's layer modes, those of before 2.10 wherever its plug-in takes them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=5)
    trees = parser.parse_args().trees
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shutil.which("krita") and shutil.which("xvfb-run"):
            krita_modes(folder, opaque=True)
            krita_modes(folder, opaque=False)
            for seed in range(trees):
                krita_tree(folder, seed)
        if shutil.which("gimp"):
            gimp_modes(folder)


def krita_modes(folder: Path, *, opaque: bool) -> None:
    """Each mode in a cell of its own, in an isolated group."""
    random = np.random.default_rng(0)
    cells: list[Group] = []
    for index, mode in enumerate(BlendMode):
        x, y = index % COLUMNS * CELL, index // COLUMNS * CELL
        below, above = random.integers(0, 256, (2, CELL, CELL, 4), np.uint8)
        if opaque:
            below[..., 3] = 255
        layers = (
            Layer.of_pixels(name="below", pixels=below, x=x, y=y),
            Layer.of_pixels(name="above", pixels=above, x=x, y=y, blend_mode=mode),
        )
        cells.append(Group(name=mode.name, children=layers))
    height = -(-len(cells) // COLUMNS) * CELL
    state = DocumentState(width=COLUMNS * CELL, height=height, layers=tuple(cells), active=cells[0].id)
    distance = differences(composite(state.layers, state.area), by_krita(state, folder))
    for index, mode in enumerate(BlendMode):
        x, y = index % COLUMNS * CELL, index // COLUMNS * CELL
        say(
            f"Krita, {'opaque' if opaque else 'transparent'}, {mode.value}",
            distance[y : y + CELL, x : x + CELL],
        )


def krita_tree(folder: Path, seed: int) -> None:
    state = Trees(100 + seed).state()
    state = replace(state, layers=tuple(without_plus(node) for node in state.layers))
    say(f"Krita, document {seed}", differences(composite(state.layers, state.area), by_krita(state, folder)))


def without_plus(node: Node) -> Node:
    """Krita's addition is none of Porter and Duff's; `krita_modes` shows by how much it differs."""
    if isinstance(node, Group):
        node = node.changed(children=tuple(without_plus(child) for child in node.children))
    return node.changed(blend_mode=BlendMode.NORMAL) if node.blend_mode is BlendMode.PLUS else node


def by_krita(state: DocumentState, folder: Path) -> np.ndarray:
    project, picture = folder / "a.ora", folder / "a.png"
    save_project(state, SourceMetadata(), project)
    command = ["xvfb-run", "-a", "krita", "--export", "--export-filename", str(picture), str(project)]
    subprocess.run(command, env=os.environ | OFFSCREEN, capture_output=True, timeout=300, check=True)
    with Image.open(picture) as image:
        return np.asarray(image.convert("RGBA"))


def gimp_modes(folder: Path) -> None:
    random = np.random.default_rng(0)
    below, above = random.integers(0, 256, (2, CELL, CELL, 4), np.uint8)
    below[..., 3] = 255
    for name, pixels in (("below", below), ("above", above)):
        Image.fromarray(pixels).save(folder / f"{name}.png")
    script = " ".join(gimp_script(folder, mode) for mode in GIMP_MODES.values())
    command = ["gimp", "-i", "-b", script, "-b", "(gimp-quit 0)"]
    subprocess.run(command, capture_output=True, timeout=300, check=True)
    for mode, number in GIMP_MODES.items():
        layers = (
            Layer.of_pixels(name="below", pixels=below),
            Layer.of_pixels(name="above", pixels=above, blend_mode=mode),
        )
        state = DocumentState(width=CELL, height=CELL, layers=layers)
        with Image.open(folder / f"mode{number}.png") as image:
            seen = np.asarray(image.convert("RGBA"))
        say(f"GIMP, {mode.value}", differences(composite(state.layers, state.area), seen))


def gimp_script(folder: Path, mode: int) -> str:
    below, above, result = (folder / f"{name}.png" for name in ("below", "above", f"mode{mode}"))
    return (
        f'(let* ((i (car (gimp-file-load RUN-NONINTERACTIVE "{below}" "a")))'
        f' (l (car (gimp-file-load-layer RUN-NONINTERACTIVE i "{above}"))))'
        f" (gimp-image-insert-layer i l 0 0) (gimp-layer-set-mode l {mode})"
        f' (file-png-save RUN-NONINTERACTIVE i (car (gimp-image-flatten i)) "{result}" "a" 0 1 0 0 0 0 0)'
        " (gimp-image-delete i))"
    )


def differences(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Steps [H, W, 3] between two RGBA pictures, the larger one over black and over white."""
    seen = [
        [
            image[..., :3] * (image[..., 3:] / 255.0) + ground * (1 - image[..., 3:] / 255.0)
            for ground in (0, 255)
        ]
        for image in (ours, theirs)
    ]
    return np.abs(np.array(seen[0]) - np.array(seen[1])).max(axis=0)


def say(what: str, distance: np.ndarray) -> None:
    far = (distance > 3).mean()
    print(f"{what:44} max {distance.max():5.1f}  mean {distance.mean():6.3f}  beyond 3 {far:.4f}", flush=True)


if __name__ == "__main__":
    main()
