"""Sampling equals diffusers' own pipelines: the same noise in, the same latents out."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DiffusionPipeline,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
)

from inference.backbones.base import Backbone
from inference.guidance import guided
from inference.sampling import sample

# Both sides count in float32; what is left is the order of additions.
TOLERANCE = 1e-4
# Networks that know nothing of noise let the latents grow 15-fold; so they end as large as usual ones.
QUIET = 0.2
PROMPT = "a photo of an old man and a woman"
# diffusers' schedulers make NumPy arrays of tensors in a way that NumPy warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
UNETS = ("tiny-sd1", "tiny-sdxl")
MMDITS = ("tiny-sd3", "tiny-sd35")


@pytest.fixture(scope="module")
def pipelines(tiny_folders: dict[str, Path]) -> Iterator[dict[str, Any]]:
    logging.disable(logging.WARNING)
    found = {
        name: DiffusionPipeline.from_pretrained(folder, dtype=torch.float32, **_left_out(name))
        for name, folder in tiny_folders.items()
    }
    for pipeline in found.values():
        pipeline.set_progress_bar_config(disable=True)
    yield found
    logging.disable(logging.NOTSET)


def _left_out(name: str) -> dict[str, None]:
    return {"text_encoder_3": None, "tokenizer_3": None} if name == "tiny-sd35" else {}


def scheduler_of(pipeline: Any, sampler: str) -> Any:
    """The scheduler that a user of diffusers would make of the model's own configuration."""
    config = pipeline.scheduler.config
    if str(config["_class_name"]).startswith("FlowMatch"):
        if sampler != "dpm++2m":
            return type(pipeline.scheduler).from_config(config)
        return DPMSolverMultistepScheduler(
            use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=config["shift"]
        )
    if sampler == "dpm++2m-karras":
        return DPMSolverMultistepScheduler.from_config(config, use_karras_sigmas=True)
    schedulers = {
        "ddim": DDIMScheduler,
        "euler": EulerDiscreteScheduler,
        "euler-a": EulerAncestralDiscreteScheduler,
        "dpm++2m": DPMSolverMultistepScheduler,
        "ddpm": DDPMScheduler,
    }
    return schedulers[sampler].from_config(config)


def ours(backbone: Backbone, sampler: str, steps: int, scale: float, negative: str = "") -> torch.Tensor:
    prompt, unconditional = backbone.encode_prompt(PROMPT), backbone.negative_prompt(negative)
    width, height = backbone.defaults.width, backbone.defaults.height
    return sample(
        guided(backbone, [prompt], unconditional, scale),
        QUIET * backbone.initial_noise(3, width, height, sampler),
        backbone.levels(steps, width, height, sampler),
        sampler=sampler,
        generators=[torch.Generator().manual_seed(5)],
    )


def theirs(
    pipeline: Any, backbone: Backbone, sampler: str, steps: int, scale: float, negative: str | None = None
) -> torch.Tensor:
    original = pipeline.scheduler
    pipeline.scheduler = scheduler_of(pipeline, sampler)
    try:
        return pipeline(
            PROMPT,
            negative_prompt=negative,
            latents=QUIET * backbone.initial_noise(3, backbone.defaults.width, backbone.defaults.height),
            num_inference_steps=steps,
            guidance_scale=scale,
            generator=torch.Generator().manual_seed(5),
            output_type="latent",
        ).images
    finally:
        pipeline.scheduler = original


@pytest.mark.parametrize("sampler", ["ddim", "euler", "dpm++2m"])
@pytest.mark.parametrize("name", [*UNETS, *MMDITS])
def test_guided_sampling_equals_the_stock_pipeline(
    name: str, sampler: str, tiny_backbones: dict[str, Backbone], pipelines: dict[str, Any]
) -> None:
    expected = theirs(pipelines[name], tiny_backbones[name], sampler, 7, 5.0)
    difference = (ours(tiny_backbones[name], sampler, 7, 5.0) - expected).abs().max()
    assert difference <= TOLERANCE, f"{name} {sampler}: {difference:.2e}"


@pytest.mark.parametrize("name", [*UNETS, "tiny-sd3"])
def test_no_guidance_and_negative_prompts_equal_the_stock_pipeline(
    name: str, tiny_backbones: dict[str, Backbone], pipelines: dict[str, Any]
) -> None:
    backbone, pipeline = tiny_backbones[name], pipelines[name]
    plain = theirs(pipeline, backbone, "euler", 3, 1.0)
    assert (ours(backbone, "euler", 3, 1.0) - plain).abs().max() <= TOLERANCE
    with_negative = theirs(pipeline, backbone, "euler", 3, 4.0, "the dog")
    assert (ours(backbone, "euler", 3, 4.0, "the dog") - with_negative).abs().max() <= TOLERANCE
    assert (plain - with_negative).abs().max() > 0.01


@pytest.mark.parametrize("name", UNETS)
def test_long_multistep_runs_end_as_the_stock_scheduler_does(
    name: str, tiny_backbones: dict[str, Backbone], pipelines: dict[str, Any]
) -> None:
    """From 15 steps on, diffusers makes the last but one step of second order."""
    expected = theirs(pipelines[name], tiny_backbones[name], "dpm++2m", 16, 3.0)
    assert (ours(tiny_backbones[name], "dpm++2m", 16, 3.0) - expected).abs().max() <= TOLERANCE


@pytest.mark.parametrize("steps", [6, 16])
@pytest.mark.parametrize("name", UNETS)
def test_karras_spacing_equals_the_stock_pipeline(
    name: str, steps: int, tiny_backbones: dict[str, Backbone], pipelines: dict[str, Any]
) -> None:
    expected = theirs(pipelines[name], tiny_backbones[name], "dpm++2m-karras", steps, 5.0)
    assert (ours(tiny_backbones[name], "dpm++2m-karras", steps, 5.0) - expected).abs().max() <= TOLERANCE
    plain = ours(tiny_backbones[name], "dpm++2m", steps, 5.0)
    assert (plain - expected).abs().max() > 100 * TOLERANCE


@pytest.mark.parametrize("sampler", ["ddpm", "euler-a"])
@pytest.mark.parametrize("name", UNETS)
def test_the_same_noise_on_the_way_equals_the_stock_pipeline(
    name: str, sampler: str, tiny_backbones: dict[str, Backbone], pipelines: dict[str, Any]
) -> None:
    expected = theirs(pipelines[name], tiny_backbones[name], sampler, 6, 5.0)
    difference = (ours(tiny_backbones[name], sampler, 6, 5.0) - expected).abs().max()
    assert difference <= TOLERANCE, f"{name}: {difference:.2e}"


def test_v_prediction_equals_the_stock_pipeline(
    tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone], pipelines: dict[str, Any]
) -> None:
    from inference.schedule import Schedule

    backbone, pipeline = tiny_backbones["tiny-sd1"], pipelines["tiny-sd1"]
    config = dict(pipeline.scheduler.config) | {"prediction_type": "v_prediction"}
    epsilon, stock = backbone.schedule, pipeline.scheduler
    backbone.schedule = Schedule.from_config(config)
    pipeline.scheduler = DDIMScheduler.from_config(config)
    try:
        for sampler in ("ddim", "euler", "dpm++2m"):
            expected = theirs(pipeline, backbone, sampler, 5, 5.0)
            difference = (ours(backbone, sampler, 5, 5.0) - expected).abs().max()
            assert difference <= TOLERANCE, f"{sampler}: {difference:.2e}"
    finally:
        backbone.schedule, pipeline.scheduler = epsilon, stock


@pytest.mark.parametrize("name", [*UNETS, *MMDITS])
def test_pictures_and_latents_equal_the_stock_autoencoder(
    name: str, tiny_backbones: dict[str, Backbone], pipelines: dict[str, Any]
) -> None:
    backbone, pipeline = tiny_backbones[name], pipelines[name]
    latents = backbone.initial_noise(1, backbone.defaults.width, backbone.defaults.height)
    picture = backbone.decode(latents)[0]
    config = pipeline.vae.config
    with torch.no_grad():
        decoded = pipeline.vae.decode(latents / config.scaling_factor + (config.shift_factor or 0)).sample
    expected = pipeline.image_processor.postprocess(decoded, output_type="pil")[0]
    assert bytes(picture) == expected.tobytes()
    with torch.no_grad():
        moments = pipeline.vae.encode(torch.tensor(picture).permute(2, 0, 1)[None] / 127.5 - 1).latent_dist
    scaled = (moments.mode() - (config.shift_factor or 0)) * config.scaling_factor
    assert (backbone.encode_image(picture) - scaled).abs().max() <= 1e-5
