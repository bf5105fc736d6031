"""Writes models as one file with the names that the original codes gave to their tensors."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
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
_OPEN_CLIP = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def save_as_one_file(folder: Path, path: Path) -> None:
    """Write the SD1 model in `folder` to `path`."""
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", low_cpu_mem_usage=False)
    vae = AutoencoderKL.from_pretrained(folder / "vae", low_cpu_mem_usage=False)
    text = {
        f"cond_stage_model.transformer.{_prefixed(name)}": tensor
        for name, tensor in load_file(folder / "text_encoder" / "model.safetensors").items()
    }
    save_file({**unet_tensors(unet), **vae_tensors(vae, "first_stage_model."), **text}, path)


def pipeline_tensors(pipeline: Any) -> dict[str, Tensor]:
    """All tensors of a Stable Diffusion pipeline of any family as its original single file has them."""
    if hasattr(pipeline, "transformer"):
        found = {
            **transformer_tensors(pipeline.transformer),
            **vae_tensors(pipeline.vae, "first_stage_model."),
            **clip_tensors(pipeline.text_encoder, "text_encoders.clip_l.transformer.", projected=False),
            **clip_tensors(pipeline.text_encoder_2, "text_encoders.clip_g.transformer."),
        }
        if pipeline.text_encoder_3 is not None:
            t5 = pipeline.text_encoder_3.state_dict().items()
            found |= {f"text_encoders.t5xxl.transformer.{name}": tensor for name, tensor in t5}
        return _contiguous(found)
    found = {**unet_tensors(pipeline.unet), **vae_tensors(pipeline.vae, "first_stage_model.")}
    if hasattr(pipeline, "text_encoder_2"):
        found |= clip_tensors(pipeline.text_encoder, "conditioner.embedders.0.transformer.")
        found |= open_clip_tensors(pipeline.text_encoder_2, "conditioner.embedders.1.model.")
    elif pipeline.text_encoder.config.hidden_act == "gelu":
        found |= open_clip_tensors(pipeline.text_encoder, "cond_stage_model.model.", more_layers=1)
    else:
        found |= clip_tensors(pipeline.text_encoder, "cond_stage_model.transformer.")
    return _contiguous(found)


def unet_tensors(unet: Any) -> dict[str, Tensor]:
    """A U-Net under its original names."""
    rules = tuple(_unet_rules(tuple(kind.startswith("Cross") for kind in unet.config["up_block_types"])))
    return _contiguous(
        {f"model.diffusion_model.{_unet_name(name, rules)}": one for name, one in unet.state_dict().items()}
    )


def vae_tensors(vae: Any, prefix: str) -> dict[str, Tensor]:
    """An autoencoder under its original names; its attention was convolutions of one pixel."""
    tensors: dict[str, Tensor] = {}
    levels = len(vae.config["block_out_channels"])
    for name, tensor in vae.state_dict().items():
        is_attention = "attentions" in name and tensor.ndim == 2
        tensors[f"{prefix}{_vae_name(name, levels)}"] = tensor[..., None, None] if is_attention else tensor
    return tensors


def clip_tensors(encoder: Any, prefix: str, *, projected: bool = True) -> dict[str, Tensor]:
    """A CLIP under the names that transformers gave it when these files were made."""
    return {
        prefix + (name if name.startswith("text_projection") else _prefixed(name)): tensor
        for name, tensor in encoder.state_dict().items()
        if projected or not name.startswith("text_projection")
    }


def open_clip_tensors(encoder: Any, prefix: str, more_layers: int = 0) -> dict[str, Tensor]:
    """A CLIP under OpenCLIP's names; `more_layers` copies of the last layer follow, which nothing reads."""
    own = {name.removeprefix("text_model."): tensor for name, tensor in encoder.state_dict().items()}
    found: dict[str, Tensor] = {
        "token_embedding.weight": own["embeddings.token_embedding.weight"],
        "positional_embedding": own["embeddings.position_embedding.weight"],
        "ln_final.weight": own["final_layer_norm.weight"],
        "ln_final.bias": own["final_layer_norm.bias"],
        "logit_scale": torch.tensor(4.6),
    }
    if "text_projection.weight" in own:
        found["text_projection"] = own["text_projection.weight"].T
    else:
        found["text_projection"] = torch.eye(len(own["final_layer_norm.bias"]))
    layers = int(encoder.config.num_hidden_layers)
    for layer in range(layers + more_layers):
        start, block = f"encoder.layers.{min(layer, layers - 1)}.", f"transformer.resblocks.{layer}."
        for kind in ("weight", "bias"):
            parts = [own[f"{start}self_attn.{one}_proj.{kind}"] for one in "qkv"]
            found[f"{block}attn.in_proj_{kind}"] = torch.cat(parts)
            for ours, theirs in _OPEN_CLIP.items():
                found[f"{block}{theirs}.{kind}"] = own[f"{start}{ours}.{kind}"]
    return {prefix + name: tensor for name, tensor in found.items()}


def transformer_tensors(transformer: Any) -> dict[str, Tensor]:
    """SD3's transformer under its original names."""
    own: Mapping[str, Tensor] = transformer.state_dict()
    found = {
        "pos_embed": own["pos_embed.pos_embed"],
        **_pair(own, "pos_embed.proj", "x_embedder.proj"),
        **_pair(own, "time_text_embed.timestep_embedder.linear_1", "t_embedder.mlp.0"),
        **_pair(own, "time_text_embed.timestep_embedder.linear_2", "t_embedder.mlp.2"),
        **_pair(own, "time_text_embed.text_embedder.linear_1", "y_embedder.mlp.0"),
        **_pair(own, "time_text_embed.text_embedder.linear_2", "y_embedder.mlp.2"),
        **_pair(own, "context_embedder", "context_embedder"),
        **_pair(own, "proj_out", "final_layer.linear"),
        **_pair(own, "norm_out.linear", "final_layer.adaLN_modulation.1", swapped=True),
    }
    last = int(transformer.config["num_layers"]) - 1
    for layer in range(last + 1):
        start, block = f"transformer_blocks.{layer}.", f"joint_blocks.{layer}."
        for kind in ("weight", "bias"):
            for ours, theirs in (
                (("attn.to_q", "attn.to_k", "attn.to_v"), "x_block.attn.qkv"),
                (("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"), "context_block.attn.qkv"),
                (("attn2.to_q", "attn2.to_k", "attn2.to_v"), "x_block.attn2.qkv"),
            ):
                if f"{start}{ours[0]}.{kind}" in own:
                    found[f"{block}{theirs}.{kind}"] = torch.cat(
                        [own[f"{start}{one}.{kind}"] for one in ours]
                    )
        for ours, theirs in (
            ("attn.norm_q", "x_block.attn.ln_q"),
            ("attn.norm_k", "x_block.attn.ln_k"),
            ("attn.norm_added_q", "context_block.attn.ln_q"),
            ("attn.norm_added_k", "context_block.attn.ln_k"),
            ("attn2.norm_q", "x_block.attn2.ln_q"),
            ("attn2.norm_k", "x_block.attn2.ln_k"),
            ("attn.to_out.0", "x_block.attn.proj"),
            ("attn.to_add_out", "context_block.attn.proj"),
            ("attn2.to_out.0", "x_block.attn2.proj"),
            ("norm1.linear", "x_block.adaLN_modulation.1"),
            ("norm1_context.linear", "context_block.adaLN_modulation.1"),
            ("ff.net.0.proj", "x_block.mlp.fc1"),
            ("ff.net.2", "x_block.mlp.fc2"),
            ("ff_context.net.0.proj", "context_block.mlp.fc1"),
            ("ff_context.net.2", "context_block.mlp.fc2"),
        ):
            swapped = ours == "norm1_context.linear" and layer == last
            found |= _pair(own, start + ours, block + theirs, swapped=swapped)
    return {f"model.diffusion_model.{name}": tensor for name, tensor in found.items()}


def _pair(own: Mapping[str, Tensor], ours: str, theirs: str, *, swapped: bool = False) -> dict[str, Tensor]:
    """Weight and bias; where scale and shift were once the other way round they are swapped."""
    found: dict[str, Tensor] = {}
    for kind in ("weight", "bias"):
        if f"{ours}.{kind}" in own:
            tensor = own[f"{ours}.{kind}"]
            found[f"{theirs}.{kind}"] = torch.cat(tensor.chunk(2)[::-1]) if swapped else tensor
    return found


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies that share no memory, as files want them."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}


def _prefixed(name: str) -> str:
    return name if name.startswith("text_model.") else f"text_model.{name}"


_Rule = tuple[str, str | Callable[[re.Match[str]], str]]


def _unet_name(name: str, rules: tuple[_Rule, ...]) -> str:
    for pattern, replacement in rules:
        name, count = re.subn(pattern, replacement, name)
        if count:
            break
    if ".attentions." in name or "transformer_blocks" in name:
        return name
    for ours, theirs in _RESNET.items():
        name = name.replace(f".{ours}.", f".{theirs}.")
    return name


def _unet_rules(up_attends: tuple[bool, ...]) -> Iterator[_Rule]:
    """Three places per block going down and up: two layers and the halving; three layers."""
    yield r"^time_embedding\.linear_1\.", "time_embed.0."
    yield r"^time_embedding\.linear_2\.", "time_embed.2."
    yield r"^add_embedding\.linear_1\.", "label_emb.0.0."
    yield r"^add_embedding\.linear_2\.", "label_emb.0.2."
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
    # where a block has no attention its doubling stands one place earlier
    yield (
        r"^up_blocks\.(\d)\.upsamplers\.0\.conv\.",
        lambda m: f"output_blocks.{3 * int(m[1]) + 2}.{2 if up_attends[int(m[1])] else 1}.conv.",
    )


def _vae_name(name: str, levels: int) -> str:
    name = re.sub(r"^encoder\.down_blocks\.(\d)\.resnets\.", r"encoder.down.\1.block.", name)
    name = re.sub(r"^encoder\.down_blocks\.(\d)\.downsamplers\.0\.", r"encoder.down.\1.downsample.", name)
    name = re.sub(
        r"^decoder\.up_blocks\.(\d)\.resnets\.", lambda m: f"decoder.up.{levels - 1 - int(m[1])}.block.", name
    )
    name = re.sub(
        r"^decoder\.up_blocks\.(\d)\.upsamplers\.0\.",
        lambda m: f"decoder.up.{levels - 1 - int(m[1])}.upsample.",
        name,
    )
    name = re.sub(r"mid_block\.resnets\.(\d)\.", lambda m: f"mid.block_{int(m[1]) + 1}.", name)
    if "mid_block.attentions.0." in name:
        name = name.replace("mid_block.attentions.0.", "mid.attn_1.")
        for ours, theirs in _VAE_ATTENTION.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
    return name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
