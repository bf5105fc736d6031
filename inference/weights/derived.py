"""What the tensors of a single checkpoint file tell of its networks. Free of torch.

Names and shapes give widths, depths and which blocks attend; the sizes of attention heads, activations and
normalisations are the same in every model of a family, as the published configurations have them.
"""

import re
from collections.abc import Mapping
from typing import Any

from inference.operations import Family
from inference.weights import few_steps
from inference.weights.headers import TensorPlace

Header = Mapping[str, TensorPlace]

DENOISER = "model.diffusion_model."
VAE = ("first_stage_model.", "vae.")
# Empty tensors by which files say that their network predicts v, and was trained down to no signal at all.
_SAYS_V, _SAYS_NO_SIGNAL = "v_pred", "ztsnr"
_HEAD = 64  # channels of an attention head: CLIP, T5, SD3, and U-Nets with linear projections
_SD1_HEADS = 8
_TIME_ID = 256  # each of SDXL's six size numbers
_SIZES = 6
_VAE_SCALES = {Family.SD1: 0.18215, Family.SDXL: 0.13025, Family.SD3: 1.5305}
_SD2_V_SIZE = 96
_LATENT_SIZES = {Family.SD1: 64, Family.SDXL: 128, Family.SD3: 128}
_BETAS = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
}
_SD2_EPSILON = re.compile(r"512|base|turbo|inpaint")


def parts_of(header: Header, family: Family) -> dict[str, dict[str, Any]]:
    """The values of each part's `config.json`; a part whose tensors are not there is left out."""
    names = _Names(header)
    found: dict[str, dict[str, Any] | None] = {"vae": _vae(names, family)}
    if family is Family.SD3:
        found["transformer"] = _transformer(names)
    else:
        found["unet"] = _unet(names, family)
    for part, place in _TEXT[family]:
        for prefix in place:
            found[part] = found.get(part) or _text(names, prefix, part, family)
    return {part: values for part, values in found.items() if values and _is_whole(values)}


def _is_whole(values: Mapping[str, Any]) -> bool:
    """Whether nothing is 0 wide: else tensors are missing by which networks are told, and it is none."""
    counted = [value for name, value in values.items() if not name.endswith(("token_id", "attention_layers"))]
    listed: list[list[Any]] = [value if isinstance(value, list) else [value] for value in counted]
    return not any(type(size) is int and size == 0 for sizes in listed for size in sizes)


def beside_of(header: Header, part: str, family: Family) -> dict[str, Any] | None:
    """The values of one part in a file of its own, under names without a prefix; None if it is another."""
    names = _Names(header)
    if part == "vae":
        return _vae(names, family)
    if part == "text_encoder_3":
        return _t5(names, "")
    return _clip(names, "text_model." if names.any("text_model.") else "", part)


def scheduler_of(header: Header, family: Family, metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    """The values of `scheduler_config.json` for a file of this name; what its tensors say comes first."""
    said = few_steps.scheduler_of(name)
    if family is Family.SD3:
        return {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0}
    config: dict[str, Any] = dict(_BETAS)
    if family is Family.SD1:
        config |= {"_class_name": "PNDMScheduler"}
        if _is_sd2(header) and not _predicts_noise(metadata, name):
            config |= {"_class_name": "DDIMScheduler", "prediction_type": "v_prediction"}
    else:
        config |= {"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading"}
        if metadata.get("modelspec.predict_key") == "v":
            config |= {"prediction_type": "v_prediction"}
    return said_of_training({**config, **said}, header)


def latent_size(header: Header, family: Family, metadata: Mapping[str, str], name: str) -> int:
    """The side, in latents, of the pictures that a U-Net in a file of this name was trained on last."""
    few = few_steps.recognised(name)
    if few is not None and few.pixels:
        return few.pixels // 8
    if family is Family.SD1 and _is_sd2(header) and not _predicts_noise(metadata, name):
        return _SD2_V_SIZE  # the models that predict v are those for 768
    return _LATENT_SIZES[family]


def said_of_training(config: Mapping[str, Any], header: Mapping[str, Any]) -> dict[str, Any]:
    """The scheduler's configuration with what the file itself says of its training.

    A network that predicts v and was trained to a signal-to-noise ratio of zero is sampled from the last
    timestep on (arXiv:2305.08891, sections 3.1, 3.2 and 3.4).
    """
    said: dict[str, Any] = {}
    if _SAYS_V in header:
        said["prediction_type"] = "v_prediction"
    if _SAYS_NO_SIGNAL in header:
        said |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return {**config, **said}


def pipeline_of(family: Family) -> dict[str, Any]:
    """The values of `model_index.json` that backbones read."""
    return {"force_zeros_for_empty_prompt": True} if family is Family.SDXL else {}


class _Names:
    """A header by prefix; counting blocks asks for the same names many times."""

    def __init__(self, header: Header) -> None:
        self._header = header

    def __contains__(self, name: str) -> bool:
        return name in self._header

    def shape(self, name: str, axis: int = 0) -> int:
        """One dimension of a tensor, 0 where the tensor is not there or has too few."""
        place = self._header.get(name)
        return place.shape[axis] if place is not None and len(place.shape) > axis else 0

    def dimensions(self, name: str) -> int:
        place = self._header.get(name)
        return len(place.shape) if place is not None else 0

    def count(self, prefix: str) -> int:
        """One more than the largest number that follows `prefix`: what is missing in between is missing."""
        found = (
            int(number)
            for name in self._header
            if name.startswith(prefix)
            and (number := name[len(prefix) :].partition(".")[0]).isascii()
            and number.isdecimal()
            and len(number) < 5
        )
        return 1 + max(found, default=-1)

    def any(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self._header)


def _is_sd2(header: Header) -> bool:
    return any(name.startswith("cond_stage_model.model.") for name in header)


def _predicts_noise(metadata: Mapping[str, str], name: str) -> bool:
    """Whether a Stable Diffusion 2 file is of the smaller kind, which predicts ε; only names tell."""
    said = metadata.get("modelspec.predict_key", "")
    return said == "epsilon" if said else _SD2_EPSILON.search(name.lower()) is not None


def _unet(names: _Names, family: Family) -> dict[str, Any] | None:
    first = f"{DENOISER}input_blocks.0.0.weight"
    if first not in names:
        return None
    levels = (names.count(f"{DENOISER}input_blocks.") + 2) // 3
    attends: list[bool] = []
    depths: list[int] = []
    widths: list[int] = []
    for level in range(levels):
        block = f"{DENOISER}input_blocks.{3 * level + 1}."
        widths.append(names.shape(f"{block}0.out_layers.3.weight"))
        depth = names.count(f"{block}1.transformer_blocks.")
        attends.append(depth > 0)
        depths.append(max(depth, 1))
    attended = next((3 * level + 1 for level in range(levels) if attends[level]), 1)
    attention = f"{DENOISER}input_blocks.{attended}.1."
    linear = names.dimensions(f"{attention}proj_in.weight") == 2
    config: dict[str, Any] = {
        "sample_size": _LATENT_SIZES[family],
        "in_channels": names.shape(first, 1),
        "out_channels": names.shape(f"{DENOISER}out.2.weight"),
        "layers_per_block": 2,
        "block_out_channels": widths,
        "down_block_types": [_block("Down", one) for one in attends],
        "up_block_types": [_block("Up", one) for one in reversed(attends)],
        "cross_attention_dim": names.shape(f"{attention}transformer_blocks.0.attn2.to_k.weight", 1),
        "attention_head_dim": [max(width // _HEAD, 1) for width in widths] if linear else _SD1_HEADS,
        "transformer_layers_per_block": depths,
        "use_linear_projection": linear,
    }
    if family is Family.SDXL:
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": _TIME_ID,
            "projection_class_embeddings_input_dim": names.shape(f"{DENOISER}label_emb.0.0.weight", 1),
        }
    return config


def _block(way: str, attends: bool) -> str:
    return f"CrossAttn{way}Block2D" if attends else f"{way}Block2D"


def _vae(names: _Names, family: Family) -> dict[str, Any] | None:
    prefix = next((one for one in (*VAE, "") if names.any(f"{one}decoder.")), None)
    if prefix is None:
        return None
    levels = names.count(f"{prefix}encoder.down.")
    widths = [names.shape(f"{prefix}encoder.down.{level}.block.0.conv1.weight") for level in range(levels)]
    quantised = f"{prefix}quant_conv.weight" in names
    config: dict[str, Any] = {
        "in_channels": 3,
        "out_channels": 3,
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": names.count(f"{prefix}encoder.down.0.block."),
        "latent_channels": names.shape(f"{prefix}decoder.conv_in.weight", 1),
        "norm_num_groups": 32,
        "scaling_factor": _VAE_SCALES[family],
        "sample_size": 8 * _LATENT_SIZES[family],
        "use_quant_conv": quantised,
        "use_post_quant_conv": quantised,
    }
    if family is Family.SDXL:
        config["force_upcast"] = True
    elif family is Family.SD3:
        config["shift_factor"] = 0.0609
    return config


def _transformer(names: _Names) -> dict[str, Any] | None:
    prefix = DENOISER if names.any(f"{DENOISER}joint_blocks.") else ""
    first = f"{prefix}x_embedder.proj.weight"
    layers, width = names.count(f"{prefix}joint_blocks."), names.shape(first)
    if not layers or not width:
        return None
    blocks = [f"{prefix}joint_blocks.{layer}.x_block." for layer in range(layers)]
    return {
        "sample_size": _LATENT_SIZES[Family.SD3],
        "patch_size": names.shape(first, 2),
        "in_channels": names.shape(first, 1),
        "out_channels": names.shape(first, 1),
        "num_layers": layers,
        "attention_head_dim": _HEAD,
        "num_attention_heads": width // _HEAD,
        "joint_attention_dim": names.shape(f"{prefix}context_embedder.weight", 1),
        "caption_projection_dim": width,
        "pooled_projection_dim": names.shape(f"{prefix}y_embedder.mlp.0.weight", 1),
        "pos_embed_max_size": round(names.shape(f"{prefix}pos_embed", 1) ** 0.5),
        "dual_attention_layers": [i for i, one in enumerate(blocks) if f"{one}attn2.qkv.weight" in names],
        "qk_norm": "rms_norm" if f"{blocks[0]}attn.ln_q.weight" in names else None,
    }


_TEXT: Mapping[Family, tuple[tuple[str, tuple[str, ...]], ...]] = {
    Family.SD1: (
        (
            "text_encoder",
            (
                "cond_stage_model.transformer.text_model.",
                "cond_stage_model.transformer.",
                "cond_stage_model.model.",
            ),
        ),
    ),
    Family.SDXL: (
        (
            "text_encoder",
            ("conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.0.transformer."),
        ),
        ("text_encoder_2", ("conditioner.embedders.1.model.",)),
    ),
    Family.SD3: (
        ("text_encoder", ("text_encoders.clip_l.transformer.text_model.",)),
        ("text_encoder_2", ("text_encoders.clip_g.transformer.text_model.",)),
        ("text_encoder_3", ("text_encoders.t5xxl.transformer.",)),
    ),
}


def _text(names: _Names, prefix: str, part: str, family: Family) -> dict[str, Any] | None:
    if part == "text_encoder_3":
        return _t5(names, prefix)
    if f"{prefix}transformer.resblocks.0.ln_1.weight" in names:
        return _open_clip(names, prefix, family)
    return _clip(names, prefix, part)


def _clip(names: _Names, prefix: str, part: str) -> dict[str, Any] | None:
    table = f"{prefix}embeddings.token_embedding.weight"
    width = names.shape(table, 1)
    if not width:
        return None
    projection = prefix.removesuffix("text_model.") + "text_projection.weight"
    return _clip_values(
        vocabulary=names.shape(table),
        width=width,
        inner=names.shape(f"{prefix}encoder.layers.0.mlp.fc1.weight"),
        layers=names.count(f"{prefix}encoder.layers."),
        positions=names.shape(f"{prefix}embeddings.position_embedding.weight"),
        projection=names.shape(projection) or width,
        activation="gelu" if part == "text_encoder_2" else "quick_gelu",
    )


def _open_clip(names: _Names, prefix: str, family: Family) -> dict[str, Any]:
    """OpenCLIP's names. Stable Diffusion 2 uses the last but one layer's states, so it has no last layer."""
    table = f"{prefix}token_embedding.weight"
    layers = names.count(f"{prefix}transformer.resblocks.")
    return _clip_values(
        vocabulary=names.shape(table),
        width=names.shape(table, 1),
        inner=names.shape(f"{prefix}transformer.resblocks.0.mlp.c_fc.weight"),
        layers=layers - 1 if family is Family.SD1 else layers,
        positions=names.shape(f"{prefix}positional_embedding"),
        projection=names.shape(f"{prefix}text_projection", 1) or names.shape(table, 1),
        activation="gelu",
    )


def _clip_values(
    *, vocabulary: int, width: int, inner: int, layers: int, positions: int, projection: int, activation: str
) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": max(width // _HEAD, 1),
        "max_position_embeddings": positions,
        "projection_dim": projection,
        "hidden_act": activation,
        "layer_norm_eps": 1e-5,
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": vocabulary - 1 if activation == "quick_gelu" else 0,
    }


def _t5(names: _Names, prefix: str) -> dict[str, Any] | None:
    width = names.shape(f"{prefix}shared.weight", 1)
    if not width:
        return None
    block = f"{prefix}encoder.block.0.layer."
    bias = f"{block}0.SelfAttention.relative_attention_bias.weight"
    heads = max(names.shape(bias, 1), 1)
    return {
        "vocab_size": names.shape(f"{prefix}shared.weight"),
        "d_model": width,
        "d_kv": names.shape(f"{block}0.SelfAttention.q.weight") // heads,
        "d_ff": names.shape(f"{block}1.DenseReluDense.wi_0.weight"),
        "num_layers": names.count(f"{prefix}encoder.block."),
        "num_heads": heads,
        "relative_attention_num_buckets": names.shape(bias),
        "feed_forward_proj": "gated-gelu",
        "dropout_rate": 0.1,
        "layer_norm_epsilon": 1e-6,
        "pad_token_id": 0,
        "eos_token_id": 1,
    }
