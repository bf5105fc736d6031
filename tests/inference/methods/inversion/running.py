"""A run over a tiny model, and a slow guided prediction written anew from the raw network."""

import copy
from typing import Any

import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.inputs import Inputs
from inference.methods.generate import Run, prepare
from inference.operations import SamplingParameters
from inference.progress import Progress
from inference.prompts.prompt import Prompt
from inference.schedule import Level, Schedule
from tests.helpers.tiny_models import SD1_SCHEDULER

STEPS, SCALE, SIZE = 4, 4.0, 64
PROMPT = "a photo of a man and a woman"
FAMILIES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3")
MODELS = (*FAMILIES, "v-prediction")


def model(name: str, backbones: dict[str, Backbone]) -> Backbone:
    """A tiny model; "v-prediction" is SD1's network read as v."""
    if name in backbones:
        return backbones[name]
    changed = copy.copy(backbones["tiny-sd1"])
    changed.schedule = Schedule.from_config({**SD1_SCHEDULER, "prediction_type": "v_prediction"})
    return changed


def run_of(backbone: Backbone, progress: Progress | None = None, **more: Any) -> Run:
    inputs = more.pop("inputs", None) or Inputs()
    values: dict[str, Any] = {"prompt": PROMPT, "guidance_scale": SCALE, "seed": 3, **more}
    parameters = SamplingParameters(steps=STEPS, width=SIZE, height=SIZE, sampler="ddim", **values)
    progress = progress or Progress()
    backbone.measured = progress.measured
    return prepare(backbone, parameters, inputs, progress)


def picture_latents(backbone: Backbone) -> Tensor:
    shape = backbone.latent_shape(SIZE, SIZE)
    return torch.randn((1, *shape), generator=torch.Generator().manual_seed(11))


def slow_step(
    backbone: Backbone,
    latents: Tensor,
    here: Level,
    there: Level,
    prompt: Prompt,
    timestep: Level | None = None,
) -> Tensor:
    """DDIM's step in ε alone (flow: Euler's in u), without `move` and without x̂₀."""
    asked = Level((timestep or here).timestep, here.alpha, here.sigma)
    with torch.no_grad():
        x0, eps = backbone.predict(latents, asked, [prompt])
    if backbone.schedule.is_flow:
        return latents + (there.sigma - here.sigma) * (eps - x0)
    ratio = there.alpha / here.alpha
    return ratio * latents + (there.sigma - here.sigma * ratio) * eps
