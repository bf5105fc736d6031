"""The names of the tensors in LoRA files, as the programs that write them have it. Free of torch.

    layer, role = parsed("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight")
    # Place("denoiser", "mid_block_attentions_0_proj_in"), "down"

Known are kohya's names ("lora_unet_…", "lora_te1_…"), those of diffusers' attention processors
("unet.….processor.to_q_lora.down.weight", "….lora.up.weight") and PEFT's ("unet.….lora_A.weight"), each over
the names of diffusers' networks or of the original codes. Points and underscores are the same here: kohya
writes only the latter.
"""

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

from inference.messages import Message

Role: TypeAlias = Literal["down", "up", "mid", "alpha"]
Part: TypeAlias = Literal["denoiser", "te1", "te2", "te3"]


class Place(NamedTuple):
    """A layer: the network it is of, and its name there with underscores for points."""

    part: Part
    name: str


# what stands after a layer's name
_ENDING: Final = re.compile(
    r"(?:"
    r"\.lora_(?P<kohya>down|up|mid)\.weight"
    r"|\.lora_(?P<peft>A|B)(?:\.[^.]+)?\.weight"
    r"|(?:[._]lora|\.lora_linear_layer)\.(?P<diffusers>down|up)\.weight"
    r"|(?:[._]lora|\.lora_linear_layer)?\.(?P<alpha>alpha|network_alpha)"
    r")$"
)
_PEFT: Final[dict[str, Role]] = {"A": "down", "B": "up"}
_WRAPPERS: Final = ("base_model.model.", "module.", "model.diffusion_model.", "lycoris.")
# the longer ones first
_PREFIXES: Final[tuple[tuple[str, Part], ...]] = (
    ("lora_transformer_", "denoiser"),
    ("lora_unet_", "denoiser"),
    ("lora_te1_", "te1"),
    ("lora_te2_", "te2"),
    ("lora_te3_", "te3"),
    ("lora_te_", "te1"),
    ("text_encoders.clip_l.transformer.", "te1"),
    ("text_encoders.clip_g.transformer.", "te2"),
    ("text_encoders.t5xxl.transformer.", "te3"),
    ("text_encoder_3.", "te3"),
    ("text_encoder_2.", "te2"),
    ("text_encoder.", "te1"),
    ("diffusion_model.", "denoiser"),
    ("transformer.", "denoiser"),
    ("unet.", "denoiser"),
    ("text_model.", "te1"),
)
_UNET_STARTS: Final = (
    *("down_blocks_", "mid_block_", "up_blocks_", "input_blocks_", "middle_block_", "output_blocks_"),
    *("time_embedding_", "time_embed_", "add_embedding_", "label_emb_", "conv_in", "conv_out", "out_2"),
)
_SD3: Final = re.compile(
    r"transformer_blocks_\d+_(attn|attn2|ff|ff_context|norm1|norm1_context)_"
    r"|joint_blocks_\d+_(x|context)_block_|(context_embedder|proj_out|pos_embed_proj)$"
    r"|(x_embedder|t_embedder|y_embedder|final_layer|time_text_embed|norm_out)_"
)
# names of very old files of diffusers: the projections of CLIP as those of its own attention
_OLD_CLIP: Final = (
    ("_self_attn_to_q", "_self_attn_q_proj"),
    ("_self_attn_to_k", "_self_attn_k_proj"),
    ("_self_attn_to_v", "_self_attn_v_proj"),
    ("_self_attn_to_out", "_self_attn_out_proj"),
)
# parts of names by which what is no LoRA of these models is known; the first that is found names it
_OTHER_METHODS: Final[tuple[tuple[str, Message], ...]] = (
    (".hada_", Message("a LoHa (a LyCORIS)")),
    (".lokr_", Message("a LoKr (a LyCORIS)")),
    (".dora_scale", Message("a DoRA")),
    ("lora_magnitude_vector", Message("a DoRA")),
    (".oft_", Message("an OFT")),
    (".boft_", Message("a BOFT")),
    (".on_input", Message("an IA³ (a LyCORIS)")),
    (".a1.weight", Message("a GLoRA (a LyCORIS)")),
    ("lora_prior_", Message("a LoRA for Stable Cascade")),
    ("distilled_guidance_layer", Message("a LoRA for Chroma")),
    ("single_transformer_blocks", Message("a LoRA for FLUX or AuraFlow")),
    ("double_stream_blocks", Message("a LoRA for HiDream")),
    ("double_blocks", Message("a LoRA for FLUX or Hunyuan")),
    ("single_blocks", Message("a LoRA for FLUX or Hunyuan")),
    ("img_mlp", Message("a LoRA for Qwen-Image")),
    ("txt_mlp", Message("a LoRA for Qwen-Image")),
    ("noise_refiner", Message("a LoRA for Lumina or Z-Image")),
    ("caption_projection", Message("a LoRA for PixArt or Sana")),
    ("temporal", Message("a LoRA for a video model")),
    ("motion_modules", Message("a LoRA for a video model")),
    ("cross_attn", Message("a LoRA for Wan or another video model")),
    ("control_model", Message("a ControlNet")),
    ("lllite", Message("a ControlNet")),
    ("ip_adapter", Message("an IP-Adapter")),
    ("image_proj", Message("an IP-Adapter")),
    ("emb_params", Message("a textual inversion: import it with “attune concepts import”")),
    ("tokenwise_delta", Message("an attribute: import it with “attune deltas import”")),
    ("model.diffusion_model.input_blocks.0.0.weight", Message("a whole model")),
    ("first_stage_model", Message("a whole model")),
    ("cond_stage_model", Message("a whole model")),
)


def parsed(key: str) -> tuple[Place, Role] | None:
    """The layer and the role of a tensor; None if the name is none of a LoRA's for a known network."""
    found = _ENDING.search(key)
    if found is None:
        return None
    place = _place(key[: found.start()])
    if place is None:
        return None
    if found["alpha"]:
        return place, "alpha"
    if found["peft"]:
        return place, _PEFT[found["peft"]]
    return place, "mid" if found["kohya"] == "mid" else _down_or_up(found["kohya"] or found["diffusers"])


def _down_or_up(name: str) -> Role:
    return "down" if name == "down" else "up"


def _place(stem: str) -> Place | None:
    for wrapper in _WRAPPERS:
        stem = stem.removeprefix(wrapper)
    part: Part | None = None
    for prefix, meant in _PREFIXES:
        if stem.startswith(prefix):
            part = meant
            stem = stem if prefix == "text_model." else stem[len(prefix) :]
            break
    name = stem.replace(".", "_").replace("_processor_", "_")
    if part in (None, "denoiser"):
        return Place("denoiser", name) if is_unet(name) or is_sd3(name) else None
    for old, new in _OLD_CLIP:
        if name.endswith(old):
            name = name.removesuffix(old) + new
    return Place(part, name)


def is_unet(name: str) -> bool:
    """Whether a denoiser's layer is one of a U-Net."""
    return name.startswith(_UNET_STARTS)


def is_sd3(name: str) -> bool:
    """Whether a denoiser's layer is one of SD3's transformer."""
    return _SD3.match(name) is not None


def other_kind(keys: Iterable[str]) -> Message | None:
    """What a file is instead of a LoRA for these models, as far as its tensors' names tell."""
    everything = list(keys)
    for part, what in _OTHER_METHODS:
        if any(part in key for key in everything):
            return what
    return None
