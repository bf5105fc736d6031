"""Single files in their original layouts, with nothing beside them, against diffusers' own pipelines."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from inference.backbones.base import Backbone
from inference.guidance import guided
from inference.models import Catalogue, ModelEntry, model_hash
from inference.sampling import sample
from inference.schedule import Schedule
from inference.weights.configuration import of_file
from inference.weights.loading import load_backbone
from tests.helpers.original_layout import pipeline_tensors
from tests.helpers.published import NAMES, published

PROMPT, NEGATIVE = "a photo of an astronaut riding a horse", "blurred"
SIZE, STEPS, GUIDANCE = 64, 3, 4.0
SAMPLERS = {"sd1": "ddim", "sd2": "ddim", "sdxl": "euler", "sd3": "euler", "sd35": "euler"}


@cache
def tensors(name: str) -> dict[str, Tensor]:
    return pipeline_tensors(published(name))


def entry_of(path: Path) -> ModelEntry:
    return Catalogue(path.parent / "settings", built_in=path.parent / "none").locate(str(path))


def written(path: Path, name: str, change: Callable[[dict[str, Tensor]], object] | None = None) -> Path:
    """The model `name` as one file in float32, changed before."""
    own = dict(tensors(name))
    if change is not None:
        change(own)
    save_file(own, path)
    return path


def ours(backbone: Backbone, sampler: str, guidance: float = GUIDANCE, steps: int = STEPS) -> np.ndarray:
    denoise = guided(backbone, [backbone.encode_prompt(PROMPT)], backbone.negative_prompt(NEGATIVE), guidance)
    noise = backbone.initial_noise(3, SIZE, SIZE) * backbone.schedule.noise_scale(sampler)
    return backbone.decode(
        sample(denoise, noise, backbone.levels(steps, SIZE, SIZE, sampler), sampler=sampler)
    )[0]


def theirs(pipeline: Any, noise: Tensor) -> np.ndarray:
    from diffusers import DDIMScheduler

    if type(pipeline.scheduler).__name__ == "PNDMScheduler":
        pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, steps_offset=1)
    return pipeline(
        PROMPT,
        negative_prompt=NEGATIVE,
        width=SIZE,
        height=SIZE,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        latents=noise,
        output_type="np",
    ).images[0]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' Euler
@pytest.mark.parametrize("name", NAMES)
def test_a_file_alone_gives_the_picture_of_diffusers(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / "checkpoint.safetensors", name)
    report = Catalogue(tmp_path / "settings", built_in=tmp_path / "none").check(str(path))
    assert report["problems"] == []
    backbone = load_backbone(entry_of(path), device="cpu")
    found = ours(backbone, SAMPLERS[name])
    expected = theirs(published(name), backbone.initial_noise(3, SIZE, SIZE))
    assert expected.std() > 0.01
    assert np.abs(found / 255 - expected).max() < 1e-3 + 0.5 / 255


def test_encoders_and_autoencoder_may_lie_beside(tmp_path: Path) -> None:
    """As ComfyUI and A1111 keep them; without them it is said what to do."""
    folder = tmp_path / "models" / "checkpoints"
    folder.mkdir(parents=True)

    def bare(own: dict[str, Tensor]) -> None:
        for name in list(own):
            if name.startswith(("text_encoders.", "first_stage_model.")):
                del own[name]

    path = written(folder / "sd3.5_medium.safetensors", "sd35", bare)
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    (problem,) = catalogue.check(str(path))["problems"]
    assert "it has no autoencoder" in str(problem)
    whole = tensors("sd35")

    def apart(prefix: str, place: Path) -> None:
        place.parent.mkdir(exist_ok=True)
        save_file({k.removeprefix(prefix): v for k, v in whole.items() if k.startswith(prefix)}, place)

    apart("first_stage_model.", folder / "sd3.5_medium.vae.safetensors")
    (problem,) = catalogue.check(str(path))["problems"]
    assert "holds no text encoders. Use the file" in str(problem)
    before = model_hash(entry_of(path))
    apart("text_encoders.clip_l.transformer.", folder / "clip_l.safetensors")
    apart("text_encoders.clip_g.transformer.", folder.parent / "text_encoders" / "clip_g.safetensors")
    assert catalogue.check(str(path))["problems"] == []
    assert model_hash(entry_of(path)) != before
    one = load_backbone(entry_of(path), device="cpu")
    other = load_backbone(entry_of(written(tmp_path / "whole.safetensors", "sd35")), device="cpu")
    assert np.array_equal(ours(one, "euler", steps=1), ours(other, "euler", steps=1))


def test_files_of_weaker_numbers_load(tmp_path: Path) -> None:
    """float8 with the factors that some tools put beside it, bfloat16, moving averages, old names."""
    whole = tensors("sd1")
    scaled = next(name for name in whole if name.endswith("attn1.to_q.weight"))

    def weaker(own: dict[str, Tensor]) -> None:
        for name, tensor in list(own.items()):
            own[name] = tensor.bfloat16()
            if name.startswith("cond_stage_model."):
                own[name.replace("text_model.", "")] = own.pop(name)
        largest = whole[scaled].abs().max() / 448
        own[scaled] = (whole[scaled] / largest).to(torch.float8_e4m3fn)
        own[scaled.replace(".weight", ".scale_weight")] = largest
        own["model_ema.diffusion_modelinput_blocks00weight"] = torch.zeros(3)
        own["alphas_cumprod"] = torch.zeros(1000)

    paths = (written(tmp_path / "a.safetensors", "sd1"), written(tmp_path / "b.safetensors", "sd1", weaker))
    backbones = [load_backbone(entry_of(path), device="cpu") for path in paths]
    first, second = (backbone.parts.networks for backbone in backbones)  # pyright: ignore
    for one, other in zip(first, second, strict=True):
        for (name, exact), rounded in zip(one.named_parameters(), other.parameters(), strict=True):
            assert rounded.dtype == torch.float32
            assert (exact - rounded).abs().max() <= 0.07 * exact.abs().max(), name


@pytest.mark.parametrize(
    ("name", "file", "keys", "prediction", "spacing", "sampler", "usual"),
    [
        ("sd1", "plain", (), "epsilon", "leading", "ddim", (30, 7.5)),
        ("sd1", "own", ("v_pred",), "v_prediction", "leading", "ddim", (30, 7.5)),
        ("sdxl", "noobai", ("v_pred", "ztsnr"), "v_prediction", "trailing", "euler", (30, 5.0)),
        ("sd2", "v2-1_768-ema-pruned", (), "v_prediction", "leading", "ddim", (30, 7.5)),
        ("sd2", "v2-1_512-ema-pruned", (), "epsilon", "leading", "ddim", (30, 7.5)),
        ("sdxl", "sd_xl_turbo_1.0_fp16", (), "epsilon", "trailing", "ddpm", (4, 1.0)),
        ("sdxl", "DreamShaperXL_Turbo_v2", (), "epsilon", "trailing", "ddpm", (8, 2.0)),
        ("sdxl", "sdxl_lightning_4step", (), "epsilon", "trailing", "euler", (4, 1.0)),
        ("sdxl", "sdxl_lightning_1step_x0", (), "sample", "trailing", "euler", (1, 1.0)),
        ("sdxl", "Hyper-SDXL-8steps", (), "epsilon", "trailing", "ddim", (8, 1.0)),
        ("sd1", "dreamshaper_8LCM", (), "epsilon", "trailing", "lcm", (6, 1.5)),
        ("sd1", "dlcmix", (), "epsilon", "leading", "ddim", (30, 7.5)),
        ("sd35", "sd3.5_large_turbo", (), "flow_prediction", "leading", "euler", (4, 1.0)),
    ],
)
def test_how_a_file_is_sampled_follows_its_keys_and_its_name(
    name: str,
    file: str,
    keys: tuple[str, ...],
    prediction: str,
    spacing: str,
    sampler: str,
    usual: tuple[int, float],
    tmp_path: Path,
) -> None:
    def more(own: dict[str, Tensor]) -> None:
        for key in own:
            own[key] = own[key].half()
        own.update({key: torch.zeros(0) for key in keys})

    entry = entry_of(written(tmp_path / f"{file}.safetensors", name, more))
    assert (entry.default_steps, entry.default_guidance_scale) == usual
    schedule = Schedule.from_config(of_file(entry.path, entry.family).scheduler)
    assert schedule.prediction_type.value == prediction
    assert schedule.default_sampler == sampler
    assert schedule.config.get("timestep_spacing", "leading") == spacing
    if spacing == "trailing":  # from the last timestep on
        assert schedule.levels(4, sampler=sampler)[0].timestep == 999


@pytest.mark.parametrize(
    ("name", "file", "size"),
    [
        ("sd1", "plain", 512),
        ("sd2", "v2-1_768-ema-pruned", 768),
        ("sd2", "v2-1_512-ema-pruned", 512),
        ("sdxl", "sd_xl_base_1.0", 1024),
        ("sdxl", "sd_xl_turbo_1.0_fp16", 512),
        ("sdxl", "DreamShaperXL_Turbo_v2", 1024),
        ("sd3", "sd3_medium", 1024),
        ("sd35", "sd3.5_medium", 1024),
    ],
)
def test_the_usual_size_is_the_one_it_was_trained_for(
    name: str, file: str, size: int, tmp_path: Path
) -> None:
    def half(own: dict[str, Tensor]) -> None:
        own.update({key: tensor.half() for key, tensor in own.items()})

    entry = entry_of(written(tmp_path / f"{file}.safetensors", name, half))
    parts = of_file(entry.path, entry.family).parts
    assert (parts.get("unet") or parts["transformer"])["sample_size"] * 8 == size


def test_latent_consistency_visits_the_timesteps_of_diffusers() -> None:
    schedule = Schedule.from_config({"_class_name": "LCMScheduler", "beta_schedule": "scaled_linear"})
    visited = [level.timestep for level in schedule.levels(4, sampler="lcm")]
    assert visited == [999, 759, 499, 259, 0]
    assert len(schedule.levels(200, sampler="lcm")) == 201  # more than it was trained with


def test_loading_takes_no_more_memory_than_the_weights(tmp_path: Path) -> None:
    """In a process of its own: the peak while loading, beside what was there before."""

    def halve(own: dict[str, Tensor]) -> None:
        own.update({name: tensor.half() for name, tensor in own.items()})

    path = written(tmp_path / "half.safetensors", "sdxl", halve)
    code = (
        "import sys, gc, torch; from pathlib import Path; from inference import memory;"
        "from inference.models import Catalogue; from inference.weights.loading import load_backbone;"
        "import transformers, diffusers; from inference.weights.tokenizers import shipped_clip;"
        "shipped_clip(pads_with_end=True);"
        "p=Path(sys.argv[1]); e=Catalogue(p.parent/'s', built_in=p.parent/'n').locate(str(p));"
        "load_backbone(e, device='cpu', dtype='bfloat16'); gc.collect();"
        "d=torch.device('cpu'); s=lambda: int(open('/proc/self/statm').read().split()[1])*4096;"
        "before=s(); memory.start_peak(d); b=load_backbone(e, device='cpu', dtype='bfloat16');"
        "weights=sum(t.numel()*2 for n in b.parts.networks for t in n.parameters());"
        "print(memory.peak_bytes(d)-before, weights)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    peak, weights = map(int, run.stdout.split())
    assert peak <= 1.2 * weights + 12e6  # and what the allocator holds
