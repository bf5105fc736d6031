"""Writes trained parts as complete diffusers folders, with `attune.json`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import (
    AutoencoderKL,
    DiffusionPipeline,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from torch import Tensor, nn
from transformers import CLIPTextModel

from .conditioning import Family
from .denoisers import new_denoiser, new_scheduler
from .text_encoders import EncoderName, new_encoder, new_tokenizer
from .vae import encode, new_vae, pictures

LICENCE: Final = "CC0-1.0"
SAMPLE_PROMPT: Final = "a photo of a man and a woman"
GUIDANCE: Final[dict[Family, float]] = {"sd1": 5.0, "sdxl": 4.0, "sd3": 4.0}
DEFAULT_STEPS: Final = 30
T5_TOKENS: Final = 77  # captions are short; all 256 would make each step slower for the padding alone
MODEL_NAMES: Final[dict[Family, str]] = {"sd1": "mini-sd1", "sdxl": "mini-sdxl", "sd3": "mini-sd3"}


def build_pipeline(
    family: Family,
    denoiser: nn.Module,
    vae: AutoencoderKL,
    encoders: dict[EncoderName, Any],
) -> DiffusionPipeline:
    """The stock pipeline of the family around the given parts."""
    scheduler: Any = new_scheduler(family)
    clip_l, token_l = encoders["clip_l"], new_tokenizer("clip_l")
    plain = stock_attention(family, denoiser)
    if family == "sd1":
        return StableDiffusionPipeline(
            vae=vae,
            text_encoder=_without_projection(clip_l),
            tokenizer=token_l,
            unet=plain,
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    clip_g, token_g = encoders["clip_g"], new_tokenizer("clip_g")
    if family == "sdxl":
        return StableDiffusionXLPipeline(
            vae=vae,
            text_encoder=_without_projection(clip_l),
            text_encoder_2=clip_g,
            tokenizer=token_l,
            tokenizer_2=token_g,
            unet=plain,
            scheduler=scheduler,
            add_watermarker=False,
        )
    return StableDiffusion3Pipeline(
        transformer=plain,
        scheduler=scheduler,
        vae=vae,
        text_encoder=clip_l,
        tokenizer=token_l,
        text_encoder_2=clip_g,
        tokenizer_2=token_g,
        text_encoder_3=encoders["t5"],
        tokenizer_3=new_tokenizer("t5"),
    )


def export(
    family: Family,
    denoiser: nn.Module,
    vae: AutoencoderKL,
    encoders: dict[EncoderName, nn.Module],
    folder: Path,
) -> None:
    """Writes `folder` as a diffusers folder (float16 safetensors) with `attune.json`."""
    rgb = latent_to_rgb(vae)
    copies: dict[EncoderName, Any] = {name: copy.deepcopy(encoder) for name, encoder in encoders.items()}
    pipeline = build_pipeline(family, denoiser, copy.deepcopy(vae), copies)
    pipeline.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    for config in folder.glob("text_encoder*/config.json"):
        _load_as_float32(config)
    make_readable(folder)
    card = {
        "family": family,
        "sandbox": True,
        "licence": LICENCE,
        "latent_rgb": rgb,
        "default_steps": DEFAULT_STEPS,
        "default_guidance_scale": GUIDANCE[family],
        "sample_prompt": SAMPLE_PROMPT,
    }
    if family == "sd3":
        card["t5_tokens"] = T5_TOKENS
    (folder / "attune.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def export_untrained(family: Family, folder: Path) -> None:
    """A folder of the right layout with random weights, for tests of code that reads it."""
    torch.manual_seed(0)
    vae = new_vae(16 if family == "sd3" else 4).eval()
    names: tuple[EncoderName, ...] = ("clip_l", "clip_g", "t5")
    export(family, new_denoiser(family), vae, {name: new_encoder(name) for name in names}, folder)


def make_readable(folder: Path) -> None:
    """Lets everyone read the weights: safetensors writes them for the owner alone."""
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)


@torch.no_grad()
def latent_to_rgb(vae: AutoencoderKL, count: int = 64) -> dict[str, list[Any]]:
    """Least-squares fit from denoiser latents to RGB 0..1 of the 8 × 8 pixels they stand for."""
    batch = pictures(2_000, count)
    latents = encode(vae, batch)
    small = torch.nn.functional.avg_pool2d(batch, batch.shape[-1] // latents.shape[-1]) / 2 + 0.5
    inputs = latents.permute(0, 2, 3, 1).flatten(0, 2)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], 1)
    solved = torch.linalg.lstsq(inputs, small.permute(0, 2, 3, 1).flatten(0, 2)).solution
    return {"weight": _rounded(solved[:-1]), "bias": _rounded(solved[-1])}


def stock_attention(family: Family, denoiser: nn.Module) -> Any:
    """A copy of the denoiser without the training attention processors."""
    plain: Any = new_denoiser(family)
    if _config(plain) != _config(denoiser):
        plain = type(plain).from_config(_config(denoiser))
    plain.load_state_dict(denoiser.state_dict())
    return plain.eval()


def _load_as_float32(config: Path) -> None:
    # transformers loads in the dtype that the configuration names, diffusers in float32: they must agree.
    values = json.loads(config.read_text(encoding="utf-8"))
    values.pop("torch_dtype", None)
    values["dtype"] = "float32"
    config.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _config(model: nn.Module) -> dict[str, Any]:
    assert isinstance(model, UNet2DConditionModel | SD3Transformer2DModel)
    return dict(model.config)


def _without_projection(model: nn.Module) -> CLIPTextModel:
    plain = CLIPTextModel(model.config)  # pyright: ignore[reportArgumentType]
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("text_projection")}
    own = set(plain.state_dict())
    if not own >= set(state):  # some transformers versions nest the layers one level deeper
        state = {key.removeprefix("text_model."): value for key, value in state.items()}
    plain.load_state_dict(state)
    return plain


def _rounded(values: Tensor) -> list[Any]:
    return torch.round(values, decimals=5).tolist()
