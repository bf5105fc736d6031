"""Weights kept in 8 bits and widened layer by layer as they are used: half of the memory, nearly the same.

Each output channel of a linear or convolutional layer has a scale of its own:

    int8     w ≈ s·q, q whole in -127…127, s = max|w| / 127
    float8   w ≈ s·q, q in float8 (e4m3), s = max|w| / 448

All is computed in the model's own dtype. First and last layers, what makes embeddings, norms and the whole
VAE stay exact: they are small, and errors there are seen (the same choice as diffusers' layerwise casting).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.weights.modes import FLOAT8, INT8

_LEAST = 256  # weights of a layer; smaller ones save nothing
_EXACT = ("conv_in", "conv_out", "proj_out", "pos_embed", "context_embedder")  # of the whole network
_EXACT_PARTS = ("time_embed", "time_text_embed", "add_embedding", "time_proj")
_MOST_INT8, _MOST_FLOAT8 = 127.0, 448.0
_SCALE_BYTES = 4
_GRADIENTS: Any = import_module("torch.nn.grad")  # whose types say less than it takes


def store(network: nn.Module, how: str) -> None:
    """Keep the weights of all large layers in 8 bits.

    Args:
        network: filled; its layers change in place.
        how: `INT8` or `FLOAT8`.
    """
    for module in _large_layers(network):
        _store_layer(module, how)


def stored_bytes(network: nn.Module) -> int:
    """Bytes of a network's parameters once they are stored; it may be on the meta device."""
    large = {id(module.weight): module.weight for module in _large_layers(network)}
    whole = sum(
        one.numel() * one.element_size()
        for name, one in network.named_parameters()
        if id(one) not in large and not name.startswith("encoder.embed_tokens.")  # T5's table, named twice
    )
    return whole + sum(one.numel() + one.shape[0] * _SCALE_BYTES for one in large.values())


def widened_bytes(network: nn.Module) -> int:
    """Bytes of the largest layer's weights while it is used."""
    return max((one.weight.numel() * one.weight.element_size() for one in _large_layers(network)), default=0)


def _large_layers(network: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    modules = cast("dict[str, nn.Module]", dict(cast("Any", network).named_modules()))
    return [
        module
        for name, module in modules.items()
        if isinstance(module, nn.Linear | nn.Conv2d)
        and type(module) in (nn.Linear, nn.Conv2d)
        and module.weight.numel() >= _LEAST
        and not _stays_exact(name)
    ]


def _stays_exact(name: str) -> bool:
    return name.split(".")[0] in _EXACT or any(part in name for part in _EXACT_PARTS)


def _store_layer(module: nn.Linear | nn.Conv2d, how: str) -> None:
    weight = module.weight.detach()
    codes, scale = coded(weight, how)
    made: Any = module
    del made.weight
    made.__class__ = _StoredLinear if isinstance(module, nn.Linear) else _StoredConv2d
    made.codes = nn.Parameter(codes, requires_grad=False)
    made.register_buffer("scale", scale)
    made.is_float8, made.dtype = how == FLOAT8, weight.dtype


def coded(weight: Tensor, how: str) -> tuple[Tensor, Tensor]:
    """Codes as int8 in the shape of a weight [N, …], and the scales [N, 1, …] in float32.

    float8 is kept by its bits, so that nobody takes its dtype for the network's.
    """
    values = weight.float()
    most = values.abs().amax(dim=tuple(range(1, values.ndim)), keepdim=True)
    scale = most.clamp(min=torch.finfo(torch.float32).tiny) / (_MOST_INT8 if how == INT8 else _MOST_FLOAT8)
    scaled = values / scale
    if how == INT8:
        return scaled.round().to(torch.int8), scale
    return scaled.to(torch.float8_e4m3fn).view(torch.int8), scale


def widened(codes: Tensor, scale: Tensor, *, is_float8: bool, dtype: torch.dtype) -> Tensor:
    """The weight again, in `dtype`."""
    values = codes.view(torch.float8_e4m3fn) if is_float8 else codes
    return values.to(dtype).mul_(scale.to(dtype))


class _Widened:
    """What both kinds of layers share: `weight` is made anew each time it is asked for."""

    codes: Tensor
    scale: Tensor
    is_float8: bool
    dtype: torch.dtype

    @property
    def weight(self) -> Tensor:
        return widened(self.codes, self.scale, is_float8=self.is_float8, dtype=self.dtype)


class _StoredLinear(_Widened, nn.Linear):  # pyright: ignore[reportIncompatibleVariableOverride]
    def forward(self, input: Tensor) -> Tensor:
        if not (torch.is_grad_enabled() and input.requires_grad):
            return functional.linear(input, self.weight, self.bias)
        return cast("Any", _Linear).apply(input, self)


class _StoredConv2d(_Widened, nn.Conv2d):  # pyright: ignore[reportIncompatibleVariableOverride]
    def forward(self, input: Tensor) -> Tensor:
        if not (torch.is_grad_enabled() and input.requires_grad):
            return self.convolved(input)
        return cast("Any", _Conv2d).apply(input, self)

    def convolved(self, input: Tensor) -> Tensor:
        """What the layer gives, with its weight widened once."""
        return self._conv_forward(input, self.weight, self.bias)


class _Linear(torch.autograd.Function):
    """Keeps the layer alone for the backward pass: else all widened weights would be there at once."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, layer: _StoredLinear) -> Tensor:  # pyright: ignore
        ctx.layer = layer
        return functional.linear(input, layer.weight, layer.bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        return gradient @ ctx.layer.weight, None


class _Conv2d(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, layer: _StoredConv2d) -> Tensor:  # pyright: ignore
        ctx.layer, ctx.shape = layer, input.shape
        return layer.convolved(input)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        layer: _StoredConv2d = ctx.layer
        found = _GRADIENTS.conv2d_input(
            ctx.shape, layer.weight, gradient, layer.stride, layer.padding, layer.dilation, layer.groups
        )
        return found, None
