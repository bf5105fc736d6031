"""What Attune's operations cost at real size, beside plain diffusers: seconds, evaluations, peak memory.

    python -m tests.benchmarks.gpu --models sd1.5 sdxl sd3.5-medium --steps 30      # on a graphics card
    python -m tests.benchmarks.gpu --tiny --steps 4                                 # anywhere, to try it

Weights are random and made on the device: nothing is read or downloaded, pictures mean nothing, times do.
Each operation runs through the runner, as the window's do. The first run of each is a warm-up and does not
count.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)

from inference import memory
from inference.backbones.base import Backbone
from inference.backbones.components import Components
from inference.backbones.sd1 import Sd1Backbone
from inference.backbones.sd3 import Sd3Backbone
from inference.backbones.sdxl import SdxlBackbone
from inference.content import DefinitionFile, Picture, content_hash
from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.models import ModelEntry
from inference.operations import (
    Attribute,
    Edit,
    Family,
    Generate,
    LearnDelta,
    Refine,
    RefineSubject,
    SubjectEdit,
)
from inference.progress import Progress
from inference.request import Request
from inference.runner import Runner
from inference.weights import networks
from inference.weights.loading import choose_device, choose_dtype
from inference.weights.prediction import needed
from inference.weights.tokenizers import shipped_clip
from tests.helpers.real_sizes import REAL

PROMPT = "a photo of a man and a woman"
MAN, WOMAN = (13, 16), (23, 28)
_CLASSES = {Family.SD1: Sd1Backbone, Family.SDXL: SdxlBackbone, Family.SD3: Sd3Backbone}


class OneModel:
    """A catalogue of one model that is nowhere on the disk."""

    def __init__(self, entry: ModelEntry) -> None:
        self.entry = entry

    def locate(self, model: str) -> ModelEntry:
        assert model == self.entry.name
        return self.entry


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(REAL), choices=list(REAL))
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--size", type=int, default=0, help="of pictures; 0 is the model's own")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="tiny networks of the same layouts")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    device = choose_device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments.models:
            dtype = choose_dtype(arguments.dtype, device, 2**31)
            entry, backbone = tiny(model, Path(folder)) if arguments.tiny else random(model, device, dtype)
            for row in measured(entry, backbone, arguments):
                rows.append({"model": model, "dtype": str(backbone.dtype), **row})
                print(" ".join(f"{name}={value}" for name, value in rows[-1].items()), flush=True)
            del backbone
            memory.free(device)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    return 0


def random(name: str, device: torch.device, dtype: torch.dtype) -> tuple[ModelEntry, Backbone]:
    """A model of real size with random weights on the device."""
    family, configuration = REAL[name]
    made: dict[str, Any] = {}
    torch.manual_seed(0)
    for part, values in configuration.parts.items():
        kept = networks.vae_dtype(values, dtype) if part == "vae" else dtype
        network = networks.new_network(configuration, part, family)
        tensors = {
            key: torch.randn(tensor.shape, dtype=kept, device=device) * _deviation(key, tensor)
            if tensor.is_meta
            else tensor
            for key, tensor in network.state_dict().items()
        }
        made[part] = networks.filled(network, tensors, part, kept).to(device)
    entry = ModelEntry(name=name, family=family, path=Path("nowhere") / name, default_steps=30)
    encoders = {"clip_l": "text_encoder", "clip_g": "text_encoder_2"}
    components = Components(
        denoiser=made["transformer" if family is Family.SD3 else "unet"],
        vae=made["vae"],
        text_encoders={key: made[part] for key, part in encoders.items() if part in made},
        tokenizers={
            key: shipped_clip(pads_with_end=key == "clip_l") for key, part in encoders.items() if part in made
        },
        scheduler_config=configuration.scheduler,
    )
    return entry, _CLASSES[family](entry, components, model_hash=name, device=device, dtype=dtype)


def _deviation(name: str, tensor: torch.Tensor) -> float:
    """Small enough for numbers to stay in range through all layers."""
    if name.endswith("bias"):
        return 0.0
    return 1.0 if tensor.ndim == 1 else 0.7 / max(tensor[0].numel(), 1) ** 0.5


def tiny(name: str, folder: Path) -> tuple[ModelEntry, Backbone]:
    """The tiny model of the same layout."""
    from inference.models import Catalogue
    from inference.weights.loading import load_backbone
    from tests.helpers.tiny_models import save_tiny_models

    if not (folder / "tiny-sd1").exists():
        save_tiny_models(folder)
    found = {"sd1.5": "tiny-sd1", "sdxl": "tiny-sdxl", "sd3.5-medium": "tiny-sd35"}[name]
    entry = Catalogue(folder / "settings", built_in=folder).locate(found)
    return entry, load_backbone(entry, device="cpu")


def measured(entry: ModelEntry, backbone: Backbone, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each operation, and one for diffusers."""
    side = arguments.size or backbone.defaults.width
    runner = Runner(
        OneModel(entry),  # type: ignore[arg-type]
        DeltaLibrary((), shipped_folder() / "definitions"),
        load=lambda *_, **__: backbone,
    )
    common: dict[str, Any] = {"prompt": PROMPT, "steps": arguments.steps, "width": side, "height": side}
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    definition = (shipped_folder() / "definitions" / "person-age.toml").read_bytes()
    older = SubjectEdit(start=MAN[0], end=MAN[1], attribute="age", value=1.0)
    both = tuple(RefineSubject(start=start, end=end) for start, end in (MAN, WOMAN))
    contents = {content_hash(picture): picture, content_hash(definition): definition}

    def run(operation: str, parameters: Any) -> Any:
        request = Request(operation=operation, parameters=parameters, model=entry.name)
        return runner.run(request, contents, Progress())

    def restart(seed: int) -> Callable[[], Any]:
        run("generate", Generate(**common, seed=seed))
        return lambda: run("attribute", Attribute(**common, seed=seed, edits=(older,)))

    edit = Edit(image=Picture(content_hash(picture)), prompt=PROMPT, steps=arguments.steps, edits=(older,))
    learn = LearnDelta(
        definition=DefinitionFile(content_hash(definition)), method="learned", steps=2, accumulation=2
    )  # fmt: skip
    jobs: dict[str, Callable[[int], Callable[[], Any]]] = {
        "generate": lambda seed: lambda: run("generate", Generate(**common, seed=seed)),
        "slider restart": restart,
        "refine": lambda seed: lambda: run("refine", Refine(**common, seed=seed, subjects=both)),
        "invert and edit": lambda seed: lambda: run("edit", replace(edit, seed=seed)),
        "learn, 2 × 2 steps": lambda seed: lambda: run("learn-delta", replace(learn, seed=seed)),
    }
    rows: list[dict[str, Any]] = []
    for name, prepare in jobs.items():
        rows.append({"what": name, "side": side, **timed(prepare, backbone, runner, arguments.repeats)})
    pipeline = plain(entry.family, backbone)
    calls = {"prompt": PROMPT, "num_inference_steps": arguments.steps, "width": side, "height": side}

    def diffusers(seed: int) -> Callable[[], Any]:
        generator = torch.Generator("cpu").manual_seed(seed)
        return lambda: pipeline(
            **calls, guidance_scale=entry.default_guidance_scale, generator=generator, output_type="np"
        )

    rows.append({"what": "diffusers", "side": side, **timed(diffusers, backbone, None, arguments.repeats)})
    if entry.name in REAL:
        family, configuration = REAL[entry.name]
        needs = needed(configuration, family, side, side, backbone.dtype)
        predicted = sum(needs.weights.values()) + max(needs.denoising, needs.decoding)
        rows.append({"what": "predicted", "side": side, "peak_gb": round(predicted / 1e9, 2)})
    return rows


def timed(
    prepare: Callable[[int], Callable[[], Any]], backbone: Backbone, runner: Runner | None, repeats: int
) -> dict[str, Any]:
    """Median seconds of `repeats` runs after one that does not count, and the peak of memory."""
    seconds: list[float] = []
    peak = evaluations = 0
    for index in range(repeats + 1):
        if runner is not None:
            runner.forget()
        job = prepare(index + 1)
        memory.start_peak(backbone.device)
        settle(backbone)
        started = time.perf_counter()
        result = job()
        settle(backbone)
        took = time.perf_counter() - started
        if index:
            seconds.append(took)
            peak = max(peak, memory.peak_bytes(backbone.device))
            evaluations = getattr(getattr(result, "measured", None), "denoiser_evaluations", 0)
    return {
        "seconds": round(float(np.median(seconds)), 3),
        "evaluations": evaluations,
        "peak_gb": round(peak / 1e9, 2),
    }


def settle(backbone: Backbone) -> None:
    """Wait until the device has done what it was asked."""
    if backbone.device.type == "cuda":
        torch.cuda.synchronize(backbone.device)


def plain(family: Family, backbone: Backbone) -> Any:
    """diffusers' own pipeline of the same networks."""
    parts: Components = backbone.parts  # pyright: ignore
    encoders, tokenizers = parts.text_encoders, parts.tokenizers
    first = {"text_encoder": encoders["clip_l"], "tokenizer": tokenizers["clip_l"], "vae": parts.vae}
    config = dict(parts.scheduler_config)
    if family is Family.SD1:
        scheduler = DDIMScheduler.from_config({**config, "steps_offset": 1, "set_alpha_to_one": False})
        pipeline: Any = StableDiffusionPipeline(
            **first,
            unet=parts.denoiser,
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    elif family is Family.SDXL:
        pipeline = StableDiffusionXLPipeline(
            **first,
            text_encoder_2=encoders["clip_g"],
            tokenizer_2=tokenizers["clip_g"],
            unet=parts.denoiser,
            scheduler=EulerDiscreteScheduler.from_config(config),
            add_watermarker=False,
        )
    else:
        pipeline = StableDiffusion3Pipeline(
            **first,
            text_encoder_2=encoders["clip_g"],
            tokenizer_2=tokenizers["clip_g"],
            text_encoder_3=None,
            tokenizer_3=None,
            transformer=parts.denoiser,
            scheduler=FlowMatchEulerDiscreteScheduler.from_config(config),
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


if __name__ == "__main__":
    sys.exit(main())
