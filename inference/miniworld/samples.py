"""Sample sheets: a finished folder, loaded by the stock pipeline, draws fixed prompts with fixed seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import DiffusionPipeline
from numpy.typing import NDArray
from PIL import Image

from .export import GUIDANCE
from .fitting import mixed_precision

SHEET_PROMPTS: Final = (
    "a photo of a man",
    "a photo of a red car on the beach",
    "a photo of a very old man and a young woman",
    "a photo of a man and a woman",
    "a photo of a young smiling man and a very old sad woman on grass",
    "a photo of a blond blue-clad woman and a black cat",
    "a photo of a dog and a big yellow ball at night",
    "a photo of a green house and a tree in the snow",
)
SHEET_STEPS: Final = 20
SHEET_COLUMNS: Final = 8
SHEET_ROWS: Final = 2


def load(folder: Path) -> Any:
    """The stock pipeline of a folder, silent."""
    pipeline = DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def family_of(pipeline: Any) -> str:
    if hasattr(pipeline, "transformer"):
        return "sd3"
    return "sdxl" if hasattr(pipeline, "text_encoder_2") else "sd1"


@torch.no_grad()
def draw(
    pipeline: Any,
    prompts: Sequence[str],
    seeds: Sequence[int],
    *,
    steps: int = 30,
    guidance_scale: float | None = None,
    **conditions: Any,
) -> NDArray[np.float32]:
    """Pictures of `prompts`, one seed each: float32 [N, 128, 128, 3] in 0..1.

    Embeddings given in `conditions` (as the pipeline names them) take the prompts' place.
    """
    scale = GUIDANCE[family_of(pipeline)] if guidance_scale is None else guidance_scale
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    given = conditions or {"prompt": list(prompts)}
    # Short enough for SD3: the padding of T5 is a constant, its number hardly matters.
    if family_of(pipeline) == "sd3":
        given.setdefault("max_sequence_length", 77)
    with mixed_precision(torch.device("cpu")):
        return pipeline(
            **given,
            num_inference_steps=steps,
            guidance_scale=scale,
            generator=generators,
            output_type="np",
        ).images


def sample_sheet(folder: Path, path: Path) -> None:
    """Writes a grid of the fixed prompts, one column each, as PNG."""
    pipeline = load(folder)
    rows = [
        np.concatenate(list(draw(pipeline, SHEET_PROMPTS, [r] * SHEET_COLUMNS, steps=SHEET_STEPS)), 1)
        for r in range(SHEET_ROWS)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.concatenate(rows, 0) * 255).round().astype(np.uint8)).save(path)
