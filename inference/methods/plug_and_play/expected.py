"""What is told at which steps, and how much of it is kept, known before a model is loaded. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from inference.backbones.structures import structure_of
from inference.features import Structure
from inference.operations import Family, Translate

USUAL_STRUCTURE = 0.8
"""The value of `structure` at which the family's usual shares of the steps are told."""


@dataclass(frozen=True, kw_only=True)
class ToldSteps:
    """Steps: the `first` that is taken, and those before which features and attention are told."""

    first: int
    features: int
    attention: int

    @classmethod
    def of(cls, structure: Structure, parameters: Translate, steps: int) -> ToldSteps:
        strength = 0.0 if parameters.way == "redraw" else parameters.structure / USUAL_STRUCTURE
        is_on_path = parameters.way == "plug-and-play"
        features = 0.0 if structure.features_hold_noise and not is_on_path else structure.feature_share
        return cls(
            first=steps - round(parameters.appearance * steps),
            features=round(min(1.0, strength * features) * steps),
            attention=round(min(1.0, strength * structure.attention_share) * steps),
        )


def expected_bytes(
    family: Family, denoiser: Mapping[str, Any], parameters: Translate, steps: int, item_bytes: int
) -> int:
    """What keeping everything of a picture takes, of the area that the model was trained on.

    Args:
        denoiser: the values of the denoiser's `config.json`.
        item_bytes: of one number of the network.

    Raises:
        KeyError, TypeError, ValueError: the values are not those of such a denoiser.
    """
    side = int(denoiser["sample_size"])
    blocks = int(denoiser.get("num_layers", 0)) if family is Family.SD3 else 0
    structure = structure_of(family, blocks)
    features, attention = _transformer(denoiser) if family is Family.SD3 else _unet(denoiser)
    a_step = (
        _numbers(features, structure.features, side),
        2 * _numbers(attention, structure.attention, side),
    )
    told = ToldSteps.of(structure, parameters, steps)
    last = min(told.first + 1, steps) if parameters.way == "one-copy" else steps
    counts = (max(0, min(end, last) - told.first) for end in (told.features, told.attention))
    return item_bytes * sum(numbers * count for numbers, count in zip(a_step, counts, strict=True))


@dataclass(frozen=True)
class _Place:
    name: str
    stride: int
    channels: int


def _numbers(places: Sequence[_Place], patterns: Sequence[str], side: int) -> int:
    """How many numbers the named places have in one pass over latents of this side."""
    named = [one for one in places if any(fnmatchcase(one.name, pattern) for pattern in patterns)]
    return sum(one.channels * (-(-side // one.stride)) ** 2 for one in named)


def _unet(denoiser: Mapping[str, Any]) -> tuple[list[_Place], list[_Place]]:
    """Features and self attention of the decoder, as diffusers lays it out."""
    widths = [int(width) for width in denoiser["block_out_channels"]]
    count = len(widths)
    resnets = _each(denoiser["layers_per_block"], count)
    depths = _each(denoiser.get("transformer_layers_per_block", 1), count)
    features: list[_Place] = []
    attention: list[_Place] = []
    for block, kind in enumerate(denoiser["up_block_types"]):
        mirrored = count - 1 - block
        stride, width = 2**mirrored, widths[mirrored]
        for part in range(resnets[mirrored] + 1):
            name = f"up_blocks.{block}.resnets.{part}"
            features += [_Place(name, stride, width), _Place(f"{name}.conv2", stride, width)]
            if "CrossAttn" in str(kind):
                attention += [
                    _Place(
                        f"up_blocks.{block}.attentions.{part}.transformer_blocks.{one}.attn1", stride, width
                    )
                    for one in range(depths[mirrored])
                ]
    return features, attention


def _transformer(denoiser: Mapping[str, Any]) -> tuple[list[_Place], list[_Place]]:
    stride = int(denoiser["patch_size"])
    width = int(denoiser["attention_head_dim"]) * int(denoiser["num_attention_heads"])
    names = [f"transformer_blocks.{index}" for index in range(int(denoiser["num_layers"]))]
    features = [_Place(name, stride, width) for name in names]
    return features, [_Place(f"{name}.attn", stride, width) for name in names]


def _each(value: Any, count: int) -> list[int]:
    """One number for each block, where a single one stands for all."""
    several = isinstance(value, list | tuple)
    found = [int(one) for one in cast("Sequence[Any]", value)] if several else [int(value)] * count
    if len(found) != count:
        raise ValueError(f"{len(found)} values for {count} blocks")
    return found
