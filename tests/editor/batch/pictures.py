"""Small folders of pictures, and a stand-in for a model, for the tests of batches."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from editor.batch.needs import Needs
from editor.batch.plan import Selection, make_plan
from editor.batch.recipe import BatchRecipe, recipe_from_json
from editor.batch.running import BatchRun, Wishes
from inference.content import Contents
from inference.errors import EditorError
from inference.progress import Measurements
from inference.request import Request, Result

REDRAW = {"operation": "redraw", "parameters": {"prompt": "a painting of a man", "strength": 0.5}}
WARMER = {"adjustment": "white-balance", "settings": {"temperature": 30}}


def picture(seed: int, size: tuple[int, int] = (24, 16)) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise)


def folder_of(path: Path, count: int = 6) -> Path:
    """Pictures in several formats, one damaged, in a new folder."""
    path.mkdir()
    endings = ("png", "jpg", "tif", "webp")
    for number in range(count):
        picture(number).save(path / f"{number:03}.{endings[number % 4]}")
    return path


def damage(path: Path) -> Path:
    """A file that begins as a PNG and goes on as nothing."""
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"nothing" * 20)
    return path


def recipe(*steps: dict[str, Any], **fields: Any) -> BatchRecipe:
    given: dict[str, Any] = {"version": 1, "name": "Look", "steps": list(steps or (WARMER,))}
    if any("operation" in step for step in given["steps"]):
        given["model"] = "mini-sd1"
    return recipe_from_json(given | fields)


def written(path: Path, *steps: dict[str, Any], **fields: Any) -> Path:
    path.write_text(json.dumps(recipe(*steps, **fields).to_json()))
    return path


class Inverter:
    """Stands for a model: every picture inverted, plus the seed; remembers what it was asked."""

    def __init__(self, fail_at: int = -1) -> None:
        self.requests: list[Request] = []
        self._fail_at = fail_at

    def __call__(self, request: Request, contents: Contents) -> Result:
        self.requests.append(request)
        if len(self.requests) - 1 == self._fail_at:
            raise EditorError("The model does not like it.", "Try another one.")
        parameters: Any = request.parameters
        pixels: Any = contents[parameters.image.hash]
        image = 255 - pixels[..., :3] + np.uint8(parameters.seed % 7)
        measured = Measurements(seconds={"sample": 0.0}, denoiser_evaluations=2)
        return Result(request=request, images=(image,), maps={}, measured=measured)


def batch(
    source: Path,
    target: Path,
    look: BatchRecipe | None = None,
    carry_out: Any = None,
    *,
    selection: Selection | None = None,
    pattern: str = "{name}",
    model_hash: str = "",
    on_event: Any = None,
    **wishes: Any,
) -> BatchRun:
    look = look or recipe()
    needs = Needs(model=look.model, model_hash=model_hash)
    plan = make_plan(source, target, look, selection, pattern=pattern)
    asked = carry_out or Inverter()
    run = BatchRun(plan, look, needs, asked, wishes=Wishes(**{"cores": 1} | wishes), on_event=on_event)
    run.prepare()
    return run


def results(target: Path) -> dict[str, bytes]:
    """Everything in a folder but the manifest, by relative path; hidden files as well."""
    return {
        os.fsencode(path.relative_to(target)).decode(errors="backslashreplace"): path.read_bytes()
        for path in sorted(target.rglob("*"))
        if path.is_file() and path.name != "manifest.jsonl"
    }
