"""About how many numbers a pass of a denoiser keeps for a backward pass to its inputs, from its layers alone.

The weights are frozen: products with them keep nothing. What is kept, in units of channels × positions:

* a norm and an activation: what goes into them;
* attention: queries, keys, values and what comes out (keys and values of a text are small);
* a gated feed-forward of four times the channels: the gate, what it multiplies, and its activation, 4 each.
"""

from collections.abc import Sequence
from typing import Any

from torch import nn

from inference.attention import AttentionKind, Layer
from inference.features import Feature

_SELF = 1 + 4
_CROSS = 1 + 2
_FEED_FORWARD = 1 + 3 * 4  # once for each pair of self and cross attention
_RESNET = 4  # two norms, two activations
_JOINT = 2 + 2 + 4 + 2 + 2 + 4  # norms and their modulation, attention, norms of q and k, gates, feed-forward
_RESIDUAL = ".conv2"


def unet_kept(
    unet: nn.Module, layers: Sequence[Layer], features: Sequence[Feature], height: int, width: int
) -> int:
    """Of a U-Net for latents of this size."""
    kept = 0
    for layer in layers:
        share = _SELF if layer.kind is AttentionKind.SELF else _CROSS + _FEED_FORWARD
        kept += share * _channels(unet, layer.name) * _positions(layer.stride, height, width)
    for place in features:
        if place.name.endswith(_RESIDUAL):
            convolution: Any = unet.get_submodule(place.name)
            kept += _RESNET * int(convolution.out_channels) * _positions(place.stride, height, width)
    return kept


def transformer_kept(
    transformer: nn.Module, layers: Sequence[Layer], height: int, width: int, text_tokens: int
) -> int:
    """Of an MMDiT for latents of this size beside a text."""
    joint = [layer for layer in layers if layer.kind is AttentionKind.JOINT]
    return sum(
        _JOINT * _channels(transformer, layer.name) * (_positions(layer.stride, height, width) + text_tokens)
        for layer in joint
    )


def _channels(network: nn.Module, name: str) -> int:
    attention: Any = network.get_submodule(name)
    return int(attention.to_q.out_features)


def _positions(stride: int, height: int, width: int) -> int:
    return -(-height // stride) * -(-width // stride)
