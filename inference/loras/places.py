"""Where in a model's networks the layers of a LoRA are, under the names that other programs have for them.

    targets = targets_of(network)                    # {"mid_block_attentions_0_proj_in": (Target(…),), …}

The original codes' names: U-Net of SD1 and SDXL (`input_blocks`, `middle_block`, `output_blocks`), SD3's
transformer (`joint_blocks`), in which queries, keys and values are one layer, and scale and shift of the last
norms lie the other way round.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from torch import nn


@dataclass(frozen=True)
class Target:
    """A layer of a network, by its module's name.

    Of an addition's outputs it takes the part `index` of `count` equal ones, halves exchanged if `swapped`.
    """

    module: str
    index: int = 0
    count: int = 1
    swapped: bool = False


_IN_RESNETS = (
    ("conv1", "in_layers_2"),
    ("time_emb_proj", "emb_layers_1"),
    ("conv2", "out_layers_3"),
    ("conv_shortcut", "skip_connection"),
)
_UNET_ENDS = {
    "conv_in": "input_blocks_0_0",
    "conv_out": "out_2",
    "time_embedding.linear_1": "time_embed_0",
    "time_embedding.linear_2": "time_embed_2",
    "add_embedding.linear_1": "label_emb_0_0",
    "add_embedding.linear_2": "label_emb_0_2",
}
_MIDDLE = {
    "mid_block.resnets.0": "middle_block_0",
    "mid_block.attentions.0": "middle_block_1",
    "mid_block.resnets.1": "middle_block_2",
}
_SD3_ENDS = {
    "pos_embed.proj": "x_embedder_proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder_mlp_0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder_mlp_2",
    "time_text_embed.text_embedder.linear_1": "y_embedder_mlp_0",
    "time_text_embed.text_embedder.linear_2": "y_embedder_mlp_2",
    "proj_out": "final_layer_linear",
    "norm_out.linear": "final_layer_adaLN_modulation_1",
}
_SD3_IN_BLOCKS = {
    "attn.to_q": "x_block_attn_qkv",
    "attn.to_k": "x_block_attn_qkv",
    "attn.to_v": "x_block_attn_qkv",
    "attn.add_q_proj": "context_block_attn_qkv",
    "attn.add_k_proj": "context_block_attn_qkv",
    "attn.add_v_proj": "context_block_attn_qkv",
    "attn2.to_q": "x_block_attn2_qkv",
    "attn2.to_k": "x_block_attn2_qkv",
    "attn2.to_v": "x_block_attn2_qkv",
    "attn.to_out.0": "x_block_attn_proj",
    "attn.to_add_out": "context_block_attn_proj",
    "attn2.to_out.0": "x_block_attn2_proj",
    "norm1.linear": "x_block_adaLN_modulation_1",
    "norm1_context.linear": "context_block_adaLN_modulation_1",
    "ff.net.0.proj": "x_block_mlp_fc1",
    "ff.net.2": "x_block_mlp_fc2",
    "ff_context.net.0.proj": "context_block_mlp_fc1",
    "ff_context.net.2": "context_block_mlp_fc2",
}


def targets_of(network: nn.Module) -> dict[str, tuple[Target, ...]]:
    """All layers of a network that can be added to, under every name that they go by."""
    found: dict[str, list[Target]] = {}
    names = [
        name
        for name, module in cast("Any", network).named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    for name in names:
        for alias in _own_names(name):
            found.setdefault(alias, [Target(name)])
    for alias, target in _original_names(network, names):
        places = found.setdefault(alias, [])
        if target not in places:
            places.append(target)
    return {alias: tuple(sorted(places, key=lambda one: one.index)) for alias, places in found.items()}


def _own_names(name: str) -> Iterator[str]:
    """diffusers' and transformers' own, which changed over time."""
    flat = name.replace(".", "_")
    yield flat
    if name.endswith(".to_out.0"):
        yield flat.removesuffix("_0")
    yield flat.removeprefix("text_model_") if flat.startswith("text_model_") else f"text_model_{flat}"


def _original_names(network: nn.Module, names: list[str]) -> Iterator[tuple[str, Target]]:
    config: Any = getattr(network, "config", None)
    if hasattr(network, "down_blocks"):
        for name in names:
            alias = _unet_name(name, int(config["layers_per_block"]), _attends(network))
            if alias:
                yield alias, Target(name)
    elif hasattr(network, "transformer_blocks"):
        last = int(config["num_layers"]) - 1
        for name in names:
            yield from _sd3_name(name, last)


def _attends(unet: Any) -> tuple[bool, ...]:
    """Of the blocks on the way up: whether they have attention."""
    return tuple(hasattr(block, "attentions") for block in unet.up_blocks)


def _unet_name(name: str, layers: int, attends: tuple[bool, ...]) -> str:
    if name in _UNET_ENDS:
        return _UNET_ENDS[name]
    for ours, theirs in _MIDDLE.items():
        if name.startswith(f"{ours}."):
            return f"{theirs}_{_inside(name[len(ours) + 1 :])}"
    found = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)", name)
    if found is not None:
        way, block, kind, layer, rest = found.groups()
        first = int(block) * (layers + 1) + int(layer) + (way == "down")
        start = "input_blocks" if way == "down" else "output_blocks"
        return f"{start}_{first}_{int(kind == 'attentions')}_{_inside(rest)}"
    found = re.fullmatch(r"down_blocks\.(\d+)\.downsamplers\.0\.conv", name)
    if found is not None:
        return f"input_blocks_{(int(found[1]) + 1) * (layers + 1)}_0_op"
    found = re.fullmatch(r"up_blocks\.(\d+)\.upsamplers\.0\.conv", name)
    if found is not None:
        # where a block has no attention its doubling stands one place earlier
        block = int(found[1])
        return f"output_blocks_{block * (layers + 1) + layers}_{2 if attends[block] else 1}_conv"
    return ""


def _inside(rest: str) -> str:
    for ours, theirs in _IN_RESNETS:
        if rest == ours:
            return theirs
    return rest.replace(".", "_")


def _sd3_name(name: str, last: int) -> Iterator[tuple[str, Target]]:
    if name in _SD3_ENDS:
        yield _SD3_ENDS[name], Target(name, swapped=name == "norm_out.linear")
        return
    found = re.fullmatch(r"transformer_blocks\.(\d+)\.(.+)", name)
    if found is None or found[2] not in _SD3_IN_BLOCKS:
        return
    alias = f"joint_blocks_{found[1]}_{_SD3_IN_BLOCKS[found[2]]}"
    if alias.endswith("_qkv"):
        index = next(index for index, letter in enumerate("qkv") if f"_{letter}" in found[2])
        yield alias, Target(name, index, 3)
    else:
        yield alias, Target(name, swapped=found[2] == "norm1_context.linear" and int(found[1]) == last)
