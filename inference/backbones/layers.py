"""The attention layers and the features of the denoisers that diffusers has, by their modules' names."""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn

from inference.attention import AttentionKind, Layer
from inference.features import Feature

_BLOCK = re.compile(r"(down_blocks|up_blocks)\.(\d+)\.")


def unet_layers(unet: UNet2DConditionModel) -> tuple[Layer, ...]:
    """Self and cross attention of a U-Net. Block i works at stride 2^i; only the last one does not halve."""
    levels = len(unet.config["down_block_types"])
    modules = cast("Iterable[tuple[str, nn.Module]]", unet.named_modules())
    names = [name for name, _ in modules if name.endswith((".attn1", ".attn2"))]
    found = [
        Layer(name, _unet_kind(name), _unet_stride(name, levels), _width(unet.get_submodule(name)))
        for name in names
    ]
    # modules are registered down, up, mid
    return tuple(sorted(found, key=lambda layer: ("down", "mid_", "up_b").index(layer.name[:4])))


def remember_signatures(denoiser: nn.Module) -> None:
    """Have the signatures of a denoiser's attention processors at hand.

    diffusers asks for them at every attention of every pass, which costs a twentieth of a small model's pass,
    and of a large one's on a card, where starting kernels is what takes the time.
    """
    processors: Mapping[str, Any] = getattr(denoiser, "attn_processors", {})
    kinds: set[type[Any]] = {type(processor) for processor in processors.values()}
    for kind in kinds:
        call: Any = kind.__call__
        if getattr(call, "__signature__", None) is None:
            call.__signature__ = inspect.signature(call)


def transformer_layers(transformer: SD3Transformer2DModel) -> tuple[Layer, ...]:
    """Joint attention of an MMDiT, and the second, image-only attention that some blocks of SD3.5 have."""
    stride = int(transformer.config["patch_size"])
    found: list[Layer] = []
    for index, block in enumerate(transformer.transformer_blocks):
        first, second = block.attn, getattr(block, "attn2", None)
        found.append(Layer(f"transformer_blocks.{index}.attn", AttentionKind.JOINT, stride, _width(first)))
        if second is not None:
            found.append(
                Layer(f"transformer_blocks.{index}.attn2", AttentionKind.SELF, stride, _width(second))
            )
    return tuple(found)


# A resnet's output, its residual before the shortcut is added, and the output of a transformer.
_UNET_FEATURE = re.compile(
    r"(?:(down|up)_blocks\.(\d+)|mid_block)\.(?:resnets\.(\d+)(\.conv2)?|attentions\.(\d+))"
)


def unet_features(unet: UNet2DConditionModel) -> tuple[Feature, ...]:
    """Residuals and outputs of resnets, and outputs of transformers, in the order in which they run."""
    levels = len(unet.config["down_block_types"])
    modules = cast("Iterable[tuple[str, nn.Module]]", unet.named_modules())
    matches = [match for name, _ in modules if (match := _UNET_FEATURE.fullmatch(name)) is not None]
    return tuple(
        Feature(match[0], _unet_stride(match[0], levels), channels=_channels(unet.get_submodule(match[0])))
        for match in sorted(matches, key=_when)
    )


def transformer_features(transformer: SD3Transformer2DModel) -> tuple[Feature, ...]:
    """The image's half of each block's output; the text's comes first."""
    stride = int(transformer.config["patch_size"])
    count = len(transformer.transformer_blocks)
    width = int(transformer.config["attention_head_dim"]) * int(transformer.config["num_attention_heads"])
    return tuple(
        Feature(f"transformer_blocks.{index}", stride, output=1, channels=width) for index in range(count)
    )


def _width(attention: Any) -> int:
    return int(attention.to_q.out_features)


def _channels(module: Any) -> int:
    """What a resnet, its last convolution or a transformer puts out at each place."""
    return int(module.out_channels)


def _when(match: re.Match[str]) -> tuple[int, ...]:
    """Down, middle, up; in a block each resnet's residual, its output, then the transformer after it."""
    section, block, resnet, residual, transformer = match.groups()
    third = 2 if resnet is None else int(residual is None)
    return ("down", None, "up").index(section), int(block or 0), int(resnet or transformer or 0), third


def _unet_kind(name: str) -> AttentionKind:
    return AttentionKind.SELF if name.endswith(".attn1") else AttentionKind.CROSS


def _unet_stride(name: str, levels: int) -> int:
    block = _BLOCK.match(name)
    if block is None:  # mid_block
        return 2 ** (levels - 1)
    index = int(block[2])
    return 2**index if block[1] == "down_blocks" else 2 ** (levels - 1 - index)
