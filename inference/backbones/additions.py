"""Additions to the layers of networks: what a LoRA does, without touching a weight.

An addition is computed beside its layer: with the weights W it is y = W·x + up · (scales ∘ (down · x)), where
merging would compute (W + up · diag(scales) · down) · x (arXiv:2106.09685, equation 3). Nothing is written
into W, so that the weights stay bit for bit what they are in every memory mode and every dtype, a strength is
a number that costs nothing to change, and small additions are not lost in the rounding of half-precision
weights.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, eq=False, kw_only=True)
class Addition:
    """What is added to one layer.

    Args:
        down: [R, in], for convolutions [R, in, k, k] with the layer's own stride and padding.
        up: [out, R].
        scales: float32 [R]: strength · α / r of each row.

    The halves are in the layer's dtype; all are on the device or, where the weights come and go, on the CPU.
    """

    down: Tensor
    up: Tensor
    scales: Tensor

    def of(self, layer: nn.Module, given: Tensor) -> Tensor:
        """What is added to the layer's output for an input [..., in] or [N, in, h, w]."""
        down, up, scales = (
            part.to(given.device, non_blocking=given.device.type == "cuda")
            for part in (self.down, self.up, self.scales)
        )
        if isinstance(layer, nn.Conv2d):
            inner = functional.conv2d(given, down, None, layer.stride, layer.padding, layer.dilation)
            return functional.conv2d((inner * scales[:, None, None]).to(up.dtype), up[..., None, None])
        return functional.linear((functional.linear(given, down) * scales).to(up.dtype), up)


@contextmanager
def added(additions: Mapping[nn.Module, Addition]) -> Generator[None]:
    """Add to these layers while the context is open; afterwards nothing of it is left."""
    handles = [layer.register_forward_hook(_Hook(addition)) for layer, addition in additions.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Hook:
    def __init__(self, addition: Addition) -> None:
        self._addition = addition

    def __call__(self, layer: nn.Module, given: tuple[Any, ...], output: Tensor) -> Tensor:
        return output + self._addition.of(layer, given[0])
