"""Opening and exporting a 24-megapixel photo, against plain Pillow.

python -m tests.benchmarks.opening [--repeats 5]

"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from editor.formats import ExportOptions
from editor.formats.files import export_picture, open_file, save_project
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster

WIDTH, HEIGHT = 6000, 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = photograph(folder)
        opening(folder / "photo.jpg", repeats)
        exporting(photo, folder, repeats)


def photograph(folder: Path) -> Image.Image:
    """Smooth colours with grain, as a camera's JPEG."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (60, 90, 3), np.uint8))
    smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).astype(np.int16)
    grain = random.normal(0, 3, smooth.shape).astype(np.int16)
    photo = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
    photo.save(folder / "photo.jpg", quality=90)
    return photo


def opening(path: Path, repeats: int) -> None:
    full = seconds(lambda: open_file(path), repeats)
    plain = seconds(lambda: plain_pillow(path), repeats)
    print(f"JPEG: {full:.2f} s; Pillow to an RGBA array {plain:.2f} s: {full / plain:.2f}")


def plain_pillow(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA"))


def exporting(photo: Image.Image, folder: Path, repeats: int) -> None:
    pixels = np.asarray(photo.convert("RGBA"))
    state = DocumentState.of_layer(Layer(name="photo", raster=Raster.of(pixels)))
    source = SourceMetadata()
    ours = seconds(lambda: export_picture(state, source, folder / "a.png", ExportOptions()), repeats)
    theirs = seconds(lambda: photo.save(folder / "b.png"), repeats)
    sizes = [os.path.getsize(folder / name) / 1e6 for name in ("a.png", "b.png")]  # noqa: PTH202
    print(
        f"PNG: {ours:.2f} s, {sizes[0]:.1f} MB; Pillow {theirs:.2f} s, {sizes[1]:.1f} MB: {ours / theirs:.2f}"
    )
    deep = DocumentState.of_layer(Layer(name="deep", raster=Raster.of(pixels.astype(np.uint16) * 257)))
    for ending in ("png", "tif"):
        path = folder / f"deep.{ending}"
        wrote = seconds(lambda path=path: export_picture(deep, source, path, ExportOptions()), 1)
        read = seconds(lambda path=path: open_file(path), 1)
        print(f"16-bit {ending}: written in {wrote:.2f} s, read in {read:.2f} s")
    save_project(state, source, folder / "a.ora")
    saving = seconds(lambda: save_project(state, source, folder / "a.ora"), repeats)
    opening_again = seconds(lambda: open_file(folder / "a.ora"), 1)
    print(f"OpenRaster: saved in {saving:.2f} s, opened in {opening_again:.2f} s")


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median of some runs."""
    taken: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
