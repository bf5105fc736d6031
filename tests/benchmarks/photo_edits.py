"""Edits of photos by a built-in model: seams at the mask's edge, and seconds at 24 megapixels.

    python -m tests.benchmarks.photo_edits [--model mini-sdxl] [--count 12] [--large]

The photos are held-out renders, enlarged four times. For each document (8 and 16 bits, sRGB and Display P3,
opaque and with alpha) it tells the mean step of colour, of 255, across the outer edge of the layer's mask on
ground that is flat there, with the largest mean of a picture, and how many pixels outside of it are others.
`--large` times the first and the next positions of a slider on 6000 × 4000 pixels instead.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from editor.colour.conversion import built_in_profile
from editor.generating.ground import ground_of
from editor.generating.pictures_below import picture_at
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.layers.subject_masks import automatic_mask
from editor.pixels.raster import Raster
from editor.rendering.compositing import composite_samples
from inference.content import Picture, content_hash
from inference.deltas import DeltaLibrary
from inference.evaluation.picture import Case, cases
from inference.models import Catalogue
from inference.operations import Edit, SubjectEdit
from inference.progress import Progress
from inference.prompts.words import find_subject
from inference.request import Pixels, Request, Result
from inference.runner import Runner

ENLARGED = 4
VALUE = 1.5
FLAT = 1.5  # standard deviation, of 255, of ground that is called flat
EDGE_PX = 3  # on both sides of the mask's outer edge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="mini-sdxl")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--large", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Catalogue(Path(folder)), DeltaLibrary.standard(Path(folder)), device="cpu")
        if chosen.large:
            large(runner, chosen.model)
        else:
            seams(runner, chosen.model, chosen.count)


def large(runner: Runner, model: str) -> None:
    case = cases(1)[0]
    pixels = enlarged(case.pixels, 6000, 4000)
    runner.preload(model, Progress())
    edited(runner, model, case, case.pixels, 1.0)  # warm: the delta is learnt, kernels are chosen
    for name, value in (("first", 1.0), ("next", 1.5), ("next", -1.0)):
        started = time.perf_counter()
        result = edited(runner, model, case, pixels, value)
        seconds = {phase: round(spent, 2) for phase, spent in result.measured.seconds.items()}
        evaluations = result.measured.denoiser_evaluations
        print(f"{name} position: {time.perf_counter() - started:.2f} s, {evaluations} evaluations, {seconds}")


def seams(runner: Runner, model: str, count: int) -> None:
    steps: dict[tuple[str, ...], list[float]] = {}
    others = dict.fromkeys(product(("8", "16"), ("srgb", "display-p3"), ("opaque", "alpha")), 0)
    for case in cases(count):
        small = enlarged(case.pixels, case.pixels.shape[1] * ENLARGED, case.pixels.shape[0] * ENLARGED)
        result = edited(runner, model, case, small, VALUE)
        for kind in others:
            before, after, share = composed(small, result, kind)
            others[kind] += int((before[share == 0] != after[share == 0]).any(-1).sum())
            step = step_at_edge(before, after, share)
            if step is not None:
                steps.setdefault(kind, []).append(step)
    for kind, found in steps.items():
        figures = f"mean step {np.mean(found):.3f} (sd {np.std(found):.3f}, largest {max(found):.3f})"
        print(f"{' '.join(kind)}: {figures} on {len(found)} of {count}, outside {others[kind]} pixels differ")


def enlarged(pixels: Pixels, width: int, height: int) -> Pixels:
    found = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
    found.setflags(write=False)
    return found


def edited(runner: Runner, model: str, case: Case, pixels: Pixels, value: float) -> Result:
    start, end = find_subject(case.prompt, case.edited)
    parameters = Edit(
        image=Picture(content_hash(pixels)),
        prompt=case.prompt,
        edits=(SubjectEdit(start=start, end=end, attribute="age", value=value),),
    )
    request = Request(operation="edit", parameters=parameters, model=model)
    return runner.run(request, {parameters.image.hash: pixels}, Progress())


def composed(pixels: Pixels, result: Result, kind: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """A document before and after the edit, samples of its depth, and the mask of the layer."""
    depth, profile, alpha = kind
    samples = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    if alpha == "alpha":
        samples[..., 3] = np.linspace(90, 255, pixels.shape[1]).astype(np.uint8)
    if depth == "16":
        samples = samples.astype(np.uint16) * 257
    below = Layer(name="photo", raster=Raster.of(samples))
    icc = b"" if profile == "srgb" else built_in_profile(profile)
    state = replace(DocumentState.of_layer(below), icc_profile=icc)
    seen = picture_at(state.layers, state.area, icc, state.area)
    ground = ground_of(state, state.layers, state.area, seen)
    assert ground is not None
    change = result.images[0][..., :3].astype(np.int16) - pixels  # on the colours that this document shows
    made = np.clip(seen[..., :3] + change, 0, 255).astype(np.uint8)
    made = made if seen.shape[2] == 3 else np.dstack([made, seen[..., 3]])
    layer = Layer(name="edit", raster=ground.brought(made), clipped=alpha == "alpha")
    mask = automatic_mask(layer, result.maps)
    assert mask is not None
    nodes = (below, layer.changed(mask=mask))
    before = composite_samples(state.layers, state.area, int(depth))
    return before, composite_samples(nodes, state.area, int(depth)), mask.read(state.area)


def step_at_edge(before: Any, after: Any, share: Any) -> float | None:
    """The mean of |after - before| just inside of the mask's edge, where what was there is flat."""
    scale = 255 / np.iinfo(before.dtype).max
    inside = (share > 0).astype(np.uint8)
    ring = inside - cv2.erode(inside, np.ones((2 * EDGE_PX + 1,) * 2, np.uint8))
    grey = before[..., :3].astype(np.float32).mean(-1) * scale
    mean, squares = (cv2.blur(values, (9, 9)) for values in (grey, grey * grey))
    flat = np.sqrt(np.maximum(squares - mean * mean, 0)) < FLAT
    where = (ring > 0) & flat
    if where.sum() < 50:
        return None
    moved = np.abs(after[where][:, :3].astype(np.float32) - before[where][:, :3]) * scale
    return float(moved.mean())


if __name__ == "__main__":
    main()
