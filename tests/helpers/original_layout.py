"""Writes an SD1 folder as one file with the names that the original code gave to its tensors."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def save_as_one_file(folder: Path, path: Path) -> None:
    """Write the SD1 model in `folder` to `path`."""
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", low_cpu_mem_usage=False)
    vae = AutoencoderKL.from_pretrained(folder / "vae", low_cpu_mem_usage=False)
    tensors: dict[str, Tensor] = {}
    for name, tensor in unet.state_dict().items():
        tensors[f"model.diffusion_model.{_unet_name(name)}"] = tensor.contiguous()
    for name, tensor in vae.state_dict().items():
        is_attention = "attentions" in name and tensor.ndim == 2
        tensors[f"first_stage_model.{_vae_name(name)}"] = tensor[..., None, None] if is_attention else tensor
    for name, tensor in load_file(folder / "text_encoder" / "model.safetensors").items():
        tensors[f"cond_stage_model.transformer.{_prefixed(name)}"] = tensor
    save_file(tensors, path)


def _prefixed(name: str) -> str:
    return name if name.startswith("text_model.") else f"text_model.{name}"


def _unet_name(name: str) -> str:
    for pattern, replacement in _unet_rules():
        name, count = re.subn(pattern, replacement, name)
        if count:
            break
    if ".attentions." in name or "transformer_blocks" in name:
        return name
    for ours, theirs in _RESNET.items():
        name = name.replace(f".{ours}.", f".{theirs}.")
    return name


def _unet_rules() -> Iterator[tuple[str, str | Callable[[re.Match[str]], str]]]:
    """Three places per block going down and up: two layers and the halving; three layers."""
    yield r"^time_embedding\.linear_1\.", "time_embed.0."
    yield r"^time_embedding\.linear_2\.", "time_embed.2."
    yield r"^conv_in\.", "input_blocks.0.0."
    yield r"^conv_norm_out\.", "out.0."
    yield r"^conv_out\.", "out.2."
    yield r"^mid_block\.resnets\.0\.", "middle_block.0."
    yield r"^mid_block\.attentions\.0\.", "middle_block.1."
    yield r"^mid_block\.resnets\.1\.", "middle_block.2."
    yield r"^down_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f"input_blocks.{3 * int(m[1]) + int(m[2]) + 1}.0."
    yield (
        r"^down_blocks\.(\d)\.attentions\.(\d)\.",
        lambda m: f"input_blocks.{3 * int(m[1]) + int(m[2]) + 1}.1.",
    )
    yield r"^down_blocks\.(\d)\.downsamplers\.0\.conv\.", lambda m: f"input_blocks.{3 * int(m[1]) + 3}.0.op."
    yield r"^up_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f"output_blocks.{3 * int(m[1]) + int(m[2])}.0."
    yield r"^up_blocks\.(\d)\.attentions\.(\d)\.", lambda m: f"output_blocks.{3 * int(m[1]) + int(m[2])}.1."
    # the first block going up has no attention, so its doubling stands one place earlier
    yield r"^up_blocks\.0\.upsamplers\.0\.conv\.", "output_blocks.2.1.conv."
    yield r"^up_blocks\.(\d)\.upsamplers\.0\.conv\.", lambda m: f"output_blocks.{3 * int(m[1]) + 2}.2.conv."


def _vae_name(name: str) -> str:
    name = re.sub(r"^encoder\.down_blocks\.(\d)\.resnets\.", r"encoder.down.\1.block.", name)
    name = re.sub(r"^encoder\.down_blocks\.(\d)\.downsamplers\.0\.", r"encoder.down.\1.downsample.", name)
    name = re.sub(
        r"^decoder\.up_blocks\.(\d)\.resnets\.", lambda m: f"decoder.up.{3 - int(m[1])}.block.", name
    )
    name = re.sub(
        r"^decoder\.up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"decoder.up.{3 - int(m[1])}.upsample.", name
    )
    name = re.sub(r"mid_block\.resnets\.(\d)\.", lambda m: f"mid.block_{int(m[1]) + 1}.", name)
    if "mid_block.attentions.0." in name:
        name = name.replace("mid_block.attentions.0.", "mid.attn_1.")
        for ours, theirs in _VAE_ATTENTION.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
    return name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
