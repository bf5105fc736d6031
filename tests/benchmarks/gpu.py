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
from collections.abc import Callable, Iterator
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
    LearnConcept,
    LearnDelta,
    Refine,
    RefineSubject,
    SubjectEdit,
    Translate,
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
    parser.add_argument("--repeats", type=int, default=2, help="that count; 0 lets the first run count")
    parser.add_argument(
        "--what", nargs="+", metavar="WORD", help="only rows whose names have one of these words"
    )
    parser.add_argument("--samples", type=int, default=0, help="of learning a concept; 0 is the usual number")
    parser.add_argument("--tiny", action="store_true", help="tiny networks of the same layouts")
    parser.add_argument("--compile", action="store_true", help="the denoiser as well; takes a minute or two")
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
                if arguments.json:  # as they come: the time on a lent card may end
                    arguments.json.write_text(json.dumps(rows, indent=1))
            del backbone
            memory.free(device)
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


def measured(
    entry: ModelEntry, backbone: Backbone, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """A row for each operation as soon as it is measured, and one for diffusers."""
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
    photos = [np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8) for seed in range(4)]
    contents = {content_hash(one): one for one in (picture, definition, *photos)}

    def run(operation: str, parameters: Any) -> Any:
        request = Request(operation=operation, parameters=parameters, model=entry.name)
        return runner.run(request, contents, Progress())

    def restart(seed: int) -> Callable[[], Any]:
        run("generate", Generate(**common, seed=seed))
        return lambda: run("attribute", Attribute(**common, seed=seed, edits=(older,)))

    edit = Edit(image=Picture(content_hash(picture)), prompt=PROMPT, steps=arguments.steps, edits=(older,))
    translate = Translate(image=Picture(content_hash(picture)), prompt=PROMPT, steps=arguments.steps)
    concept = LearnConcept(
        images=tuple(Picture(content_hash(one)) for one in photos),
        token="<it>",
        initialise_from="man",
        template="person",
        stop_early=False,
        crops=((0.5, 0.5, 1.0),) * len(photos),
        **({"samples": arguments.samples} if arguments.samples else {}),
    )
    learn = LearnDelta(
        definition=DefinitionFile(content_hash(definition)), method="learned", steps=2, accumulation=2
    )  # fmt: skip
    jobs: dict[str, Callable[[int], Callable[[], Any]]] = {
        "generate": lambda seed: lambda: run("generate", Generate(**common, seed=seed)),
        "slider restart": restart,
        "refine": lambda seed: lambda: run("refine", Refine(**common, seed=seed, subjects=both)),
        "invert and edit": lambda seed: lambda: run("edit", replace(edit, seed=seed)),
        "translate": lambda seed: lambda: run("translate", replace(translate, seed=seed)),
        "learn, 2 × 2 steps": lambda seed: lambda: run("learn-delta", replace(learn, seed=seed)),
        "learn, low memory, 2 × 2 steps": lambda seed: (
            lambda: run("learn-delta", replace(learn, seed=seed, low_memory=True))
        ),
        f"learn a concept, {concept.samples} samples": lambda seed: (
            lambda: run("learn-concept", replace(concept, seed=seed))
        ),
    }
    wanted = arguments.what or [""]
    for name, prepare in jobs.items():
        if any(word in name for word in wanted):
            yield {"what": name, "side": side, **timed(prepare, backbone, runner, arguments.repeats)}
    pipeline = plain(entry.family, backbone)
    calls = {"prompt": PROMPT, "num_inference_steps": arguments.steps, "width": side, "height": side}

    def diffusers(seed: int) -> Callable[[], Any]:
        generator = torch.Generator("cpu").manual_seed(seed)
        return lambda: pipeline(
            **calls, guidance_scale=entry.default_guidance_scale, generator=generator, output_type="np"
        )

    yield from (
        {"what": f"plan of learning{', low memory' if low else ''}", "plan_gb": plan_gb(backbone, learn, low)}
        for low in (False, True)
        if any(word in "learn" for word in wanted)
    )
    if any(word in "diffusers" for word in wanted):
        yield {"what": "diffusers", "side": side, **timed(diffusers, backbone, None, arguments.repeats)}
    if any(word in "denoiser" for word in wanted):
        yield from denoiser_rows(backbone, side, arguments)
    if entry.name in REAL:
        family, configuration = REAL[entry.name]
        needs = needed(configuration, family, side, side, backbone.dtype)
        predicted = sum(needs.weights.values()) + max(needs.denoising, needs.decoding)
        yield {"what": "predicted", "side": side, "peak_gb": round(predicted / 1e9, 2)}


def plan_gb(backbone: Backbone, learn: LearnDelta, low_memory: bool) -> float | None:
    """What is said before learning starts."""
    from inference.methods.learning.plan import memory_plan

    plan = memory_plan(backbone, replace(learn, low_memory=low_memory))
    return None if plan is None else round(plan.total / 1e9, 2)


def timed(
    prepare: Callable[[int], Callable[[], Any]], backbone: Backbone, runner: Runner | None, repeats: int
) -> dict[str, Any]:
    """Median seconds of `repeats` runs after one that does not count, and the peak of memory."""
    seconds: list[float] = []
    peak = evaluations = 0
    for index in range(min(1, repeats) + max(1, repeats)):
        if runner is not None:
            runner.forget()
        job = prepare(index + 1)
        memory.start_peak(backbone.device)
        settle(backbone)
        started = time.perf_counter()
        result = job()
        settle(backbone)
        took = time.perf_counter() - started
        if index or not repeats:
            seconds.append(took)
            peak = max(peak, memory.peak_bytes(backbone.device))
            evaluations = getattr(getattr(result, "measured", None), "denoiser_evaluations", 0)
    return {
        "seconds": round(float(np.median(seconds)), 3),
        "evaluations": evaluations,
        "peak_gb": round(peak / 1e9, 2),
    }


def denoiser_rows(backbone: Backbone, side: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Milliseconds of one guided evaluation (both halves at once), as it is and with what might speed it up.

    The floor is that of the chip's bfloat16 products, measured here with one large matrix.
    """
    denoiser: Any = backbone.parts.denoiser  # pyright: ignore
    inputs = denoiser_inputs(backbone, side)
    flops = evaluation_flops(denoiser, inputs)
    rows = [{"what": "denoiser: floor", "tflop": round(flops / 1e12, 3)}]
    if backbone.device.type == "cuda":
        rows[0]["milliseconds"] = round(1e3 * flops / fastest_products(backbone.device), 2)
    variants: dict[str, Callable[[], Any]] = {
        "denoiser": lambda: denoiser,
        "denoiser: channels first": lambda: denoiser.to(memory_format=torch.contiguous_format),
        "denoiser: channels last": lambda: denoiser.to(memory_format=torch.channels_last),
    }
    if backbone.device.type == "cuda":
        variants["denoiser: channels last, CUDA graph"] = lambda: Replayed(denoiser, inputs)
    if arguments.compile:
        variants["denoiser: channels last, compiled"] = lambda: torch.compile(denoiser)
    for name, made in variants.items():
        try:
            network = made()
            with torch.no_grad():
                for _ in range(3):
                    network(**inputs)
                settle(backbone)
                started = time.perf_counter()
                repeats = max(1, 10 * arguments.repeats)
                for _ in range(repeats):
                    network(**inputs)
                settle(backbone)
            rows.append(
                {"what": name, "milliseconds": round(1e3 * (time.perf_counter() - started) / repeats, 2)}
            )
        except Exception as error:  # noqa: BLE001 - a compiler may lack what it needs
            rows.append({"what": name, "failed": repr(error)[:200]})
    return rows


def denoiser_inputs(backbone: Backbone, side: int) -> dict[str, Any]:
    """Of both halves of a guided evaluation."""
    parts: Any = backbone.parts  # pyright: ignore
    config = parts.denoiser.config
    made = {"device": backbone.device, "dtype": backbone.dtype}
    factor = 2 ** (len(parts.vae.config.block_out_channels) - 1)
    latents = torch.randn(2, config.in_channels, side // factor, side // factor, **made)
    time_of = torch.full((2,), 500.0, **made)
    if backbone.family is Family.SD3:
        return {
            "hidden_states": latents, "timestep": time_of, "return_dict": False,
            "encoder_hidden_states": torch.randn(2, 77, config.joint_attention_dim, **made),
            "pooled_projections": torch.randn(2, config.pooled_projection_dim, **made),
        }  # fmt: skip
    inputs: dict[str, Any] = {
        "sample": latents, "timestep": time_of, "return_dict": False,
        "encoder_hidden_states": torch.randn(2, 77, config.cross_attention_dim, **made),
    }  # fmt: skip
    if backbone.family is Family.SDXL:
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        conditions = {"text_embeds": torch.randn(2, pooled, **made), "time_ids": torch.zeros(2, 6, **made)}
        inputs["added_cond_kwargs"] = conditions
    return inputs


def evaluation_flops(denoiser: Any, inputs: dict[str, Any]) -> int:
    """Floating-point operations of one evaluation."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        denoiser(**inputs)
    return int(counter.get_total_flops())


def fastest_products(device: torch.device) -> float:
    """Floating-point operations a second of one large product of bfloat16 matrices of random numbers."""
    one, two = (torch.randn(8192, 8192, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        one @ two
    torch.cuda.synchronize(device)
    started = time.perf_counter()
    for _ in range(20):
        one @ two
    torch.cuda.synchronize(device)
    return 20 * 2 * 8192**3 / (time.perf_counter() - started)


class Replayed:
    """A network whose kernels are recorded once and started together."""

    def __init__(self, network: Any, inputs: dict[str, Any]) -> None:
        self._graph = torch.cuda.CUDAGraph()
        with torch.no_grad():
            side_stream = torch.cuda.Stream()
            side_stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side_stream):
                network(**inputs)
            torch.cuda.current_stream().wait_stream(side_stream)
            with torch.cuda.graph(self._graph):
                self._output = network(**inputs)

    def __call__(self, **inputs: Any) -> Any:
        del inputs
        self._graph.replay()
        return self._output


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
