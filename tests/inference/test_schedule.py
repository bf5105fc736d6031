"""Levels, conventions, and the unified rule against diffusers' schedulers."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler, FlowMatchEulerDiscreteScheduler

from inference.errors import EditorError
from inference.operations import SAMPLERS
from inference.sampling import move
from inference.schedule import Level, PredictionType, Schedule
from tests.helpers.tiny_models import SD1_SCHEDULER, SD3_SCHEDULER, SDXL_SCHEDULER

CONFIGS = {"sd1": SD1_SCHEDULER, "sdxl": SDXL_SCHEDULER, "sd3": SD3_SCHEDULER}
TOLERANCE = 1e-6  # of the unified rule; float32 against the float64 of Python's numbers


def latents(seed: int) -> torch.Tensor:
    return torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("family", CONFIGS)
def test_levels_go_from_noise_to_data(family: str, sampler: str) -> None:
    schedule = Schedule.from_config(CONFIGS[family])
    levels = schedule.levels(20, sampler=sampler)
    assert len(levels) == 21
    assert all(a.sigma > b.sigma and a.alpha < b.alpha for a, b in pairwise(levels))
    assert levels[0].sigma > 0.99
    assert levels[-1].sigma < 0.03
    for level in levels:
        total = level.alpha + level.sigma if schedule.is_flow else level.alpha**2 + level.sigma**2
        assert total == pytest.approx(1, abs=1e-6)


def test_ddim_conventions_are_pinned() -> None:
    outdated = SD1_SCHEDULER | {"set_alpha_to_one": True, "steps_offset": 0, "clip_sample": True}
    levels = Schedule.from_config(outdated).levels(50)
    assert [level.timestep for level in levels[:2]] == [981, 961]
    assert levels[-2].timestep == 1
    table = DDIMScheduler.from_config(SD1_SCHEDULER).alphas_cumprod
    assert levels[-1] == Level(0, math.sqrt(table[0]), math.sqrt(1 - table[0]))


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_the_rule_reproduces_ddim_and_its_inversion(prediction_type: str) -> None:
    config = SD1_SCHEDULER | {"prediction_type": prediction_type}
    schedule = Schedule.from_config(config)
    levels = schedule.levels(50)
    forward = DDIMScheduler.from_config(config)
    backward = DDIMInverseScheduler.from_config(config)
    forward.set_timesteps(50)
    backward.set_timesteps(50)
    x, raw = latents(0), latents(1)
    for index in (0, 17, 49):
        here, there = levels[index], levels[index + 1]
        expected = forward.step(raw, int(here.timestep), x).prev_sample
        ours = move(schedule.to_prediction(raw, x, here), here, there)
        assert (ours - expected).abs().max() / expected.abs().max() < TOLERANCE
        expected = backward.step(raw, int(here.timestep), x).prev_sample
        ours = move(schedule.to_prediction(raw, x, there), there, here)
        assert (ours - expected).abs().max() / expected.abs().max() < TOLERANCE


def test_the_rule_reproduces_flow_matching_euler() -> None:
    schedule = Schedule.from_config(SD3_SCHEDULER)
    levels = schedule.levels(28)
    scheduler = FlowMatchEulerDiscreteScheduler.from_config(SD3_SCHEDULER)
    scheduler.set_timesteps(28)
    x = latents(0)
    for index, timestep in enumerate(scheduler.timesteps):
        raw = latents(index)
        ours = move(schedule.to_prediction(raw, x, levels[index]), levels[index], levels[index + 1])
        expected = scheduler.step(raw, timestep, x).prev_sample
        assert levels[index].timestep == float(timestep)
        assert (ours - expected).abs().max() / expected.abs().max() < TOLERANCE
        x = expected


@pytest.mark.parametrize("kind", PredictionType)
def test_both_parametrisations_hold_the_latents(kind: PredictionType) -> None:
    config = SD3_SCHEDULER if kind is PredictionType.FLOW else SD1_SCHEDULER | {"prediction_type": kind.value}
    schedule = Schedule.from_config(config)
    x, raw = latents(0), latents(1)
    for level in schedule.levels(5)[:-1]:
        x0, eps = schedule.to_prediction(raw, x, level)
        assert (level.alpha * x0 + level.sigma * eps - x).abs().max() < 1e-5


def test_a_true_noise_is_recovered_from_a_v_prediction() -> None:
    schedule = Schedule.from_config(SD1_SCHEDULER | {"prediction_type": "v_prediction"})
    x0, eps = latents(0), latents(1)
    level = schedule.level_at(500)
    found = schedule.to_prediction(
        level.alpha * eps - level.sigma * x0, level.alpha * x0 + level.sigma * eps, level
    )
    assert (found.x0 - x0).abs().max() < 1e-5
    assert (found.eps - eps).abs().max() < 1e-5


def test_zero_terminal_snr_is_finite() -> None:
    config = SD1_SCHEDULER | {
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    }
    schedule = Schedule.from_config(config)
    for sampler in SAMPLERS:
        first = schedule.levels(4, sampler=sampler)[0]
        assert first.alpha < 1e-3
        prediction = schedule.to_prediction(latents(0), latents(1), first)
        assert prediction.x0.isfinite().all()
        assert prediction.eps.isfinite().all()


def test_spacing_of_the_files_is_kept() -> None:
    """SD1.4 writes no spacing, so Euler takes its own; SDXL's file says "leading"."""
    sd1, sdxl = (Schedule.from_config(config) for config in (SD1_SCHEDULER, SDXL_SCHEDULER))
    assert sd1.levels(10, sampler="euler")[0].timestep == 999
    assert sdxl.levels(10, sampler="euler")[0].timestep == 901
    assert sd1.noise_scale("euler") == pytest.approx(14.6146 / math.hypot(14.6146, 1), abs=1e-5)
    assert sdxl.noise_scale("euler") == 1
    assert sd1.noise_scale("ddim") == 1


def test_what_was_left_to_defaults_is_not_passed_on() -> None:
    written = SD1_SCHEDULER | {"timestep_spacing": "leading", "_use_default_values": ["timestep_spacing"]}
    assert Schedule.from_config(written).levels(10, sampler="euler")[0].timestep == 999


def test_shift_follows_the_configuration() -> None:
    plain = Schedule.from_config(SD3_SCHEDULER | {"shift": 1.0}).levels(10)
    shifted = Schedule.from_config(SD3_SCHEDULER).levels(10)
    assert shifted[5].sigma > plain[5].sigma


def test_resolution_dependent_shift_grows_with_the_picture() -> None:
    schedule = Schedule.from_config(SD3_SCHEDULER | {"use_dynamic_shifting": True, "shift": 1.0})
    for sampler in SAMPLERS:
        small, large = (schedule.levels(10, image_tokens=n, sampler=sampler)[5].sigma for n in (256, 4096))
        assert small < large


@pytest.mark.parametrize(
    ("name", "sampler"),
    [("DDIMScheduler", "ddim"), ("PNDMScheduler", "ddim"), ("EulerDiscreteScheduler", "euler")],
)
def test_default_sampler_is_the_nearest(name: str, sampler: str) -> None:
    assert Schedule.from_config(SD1_SCHEDULER | {"_class_name": name}).default_sampler == sampler


@pytest.mark.parametrize("steps", [0, 1000, 5000])
def test_too_many_or_no_steps_are_refused(steps: int) -> None:
    with pytest.raises(EditorError, match=f"{steps} steps"):
        Schedule.from_config(SD1_SCHEDULER).levels(steps)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("family", CONFIGS)
def test_every_number_of_steps_that_is_allowed_works(family: str, sampler: str) -> None:
    schedule = Schedule.from_config(CONFIGS[family])
    for steps in (1, 2, 3, 333, 700):
        try:
            levels = schedule.levels(steps, sampler=sampler)
        except EditorError:
            assert steps > 500  # two levels would be the same
            continue
        assert len(levels) == steps + 1
        assert np.all(np.diff([level.sigma for level in levels]) < 0)


def test_unknown_sampler_and_prediction_type_name_what_there_is() -> None:
    with pytest.raises(EditorError, match="ddim"):
        Schedule.from_config(SD1_SCHEDULER).levels(10, sampler="heun")
    with pytest.raises(EditorError, match="v_prediction"):
        Schedule.from_config(SD1_SCHEDULER | {"prediction_type": "score"})


@pytest.mark.parametrize(
    "settings",
    [
        {"num_train_timesteps": 10**12},
        {"num_train_timesteps": 0},
        {"num_train_timesteps": "many"},
        {"num_train_timesteps": 1e3},
        {"beta_start": math.nan},
        {"beta_end": math.inf},
        {"beta_end": 7.0},
        {"beta_start": -0.5},
        {"beta_start": "small"},
        {"beta_schedule": "none that is known"},
        {"trained_betas": [2.0, 3.0]},
        {"trained_betas": "abc"},
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": -3.0},
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": "x"},
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 0},
        {
            "_class_name": "FlowMatchEulerDiscreteScheduler",
            "use_dynamic_shifting": True,
            "base_image_seq_len": 5,
            "max_image_seq_len": 5,
        },
    ],
)
def test_settings_that_no_noise_can_have(settings: dict[str, Any]) -> None:
    with pytest.raises(EditorError):
        Schedule.from_config(settings)
