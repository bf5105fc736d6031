"""The parts of a loaded model, and where they stay while others work."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from inference.models import MemoryMode


@dataclass(frozen=True, kw_only=True)
class Components:
    """What a model folder or a single file holds.

    Args:
        denoiser: UNet2DConditionModel or SD3Transformer2DModel.
        vae: AutoencoderKL.
        text_encoders: by name: "clip_l", "clip_g", "t5"; one that is not there is left out.
        tokenizers: by the same names, each with character offsets.
        scheduler_config: the values of scheduler_config.json.
        pipeline_config: the values of model_index.json.
        attune: the values of attune.json, which the built-in models have.
    """

    denoiser: Any
    vae: Any
    text_encoders: Mapping[str, Any]
    tokenizers: Mapping[str, Any]
    scheduler_config: Mapping[str, Any]
    pipeline_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    attune: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """All networks, the denoiser first."""
        return (self.denoiser, self.vae, *self.text_encoders.values())


class Residency:
    """Which networks are on the device.

    FULL keeps all of them there. MODEL and EIGHT_BIT bring each there when it is used, and send it back when
    another one is. GROUP does so too, but the denoiser's blocks come one at a time. SEQUENTIAL brings single
    layers. In these two no gradient can be taken: the weights are gone when the backward pass wants them.
    """

    def __init__(self, components: Components, device: torch.device, mode: MemoryMode) -> None:
        self._device = device
        self._moved: nn.Module | None = None
        self._by_turns: tuple[nn.Module, ...] = ()
        match mode:
            case MemoryMode.FULL:
                for network in components.networks:
                    _place(network, device)
            case MemoryMode.MODEL | MemoryMode.EIGHT_BIT:
                self._by_turns = components.networks
            case MemoryMode.GROUP:
                self._by_turns = components.networks[1:]
                _bring_when_used(components.denoiser, _blocks(components.denoiser), device)
            case MemoryMode.SEQUENTIAL:
                for network in components.networks:
                    _bring_when_used(network, _leaves(network), device)

    @contextmanager
    def using(self, network: nn.Module) -> Generator[None]:
        """Have `network` on the device."""
        if self._moved is not None and self._moved is not network:
            self._moved.to("cpu")
            self._moved = None
        if any(network is other for other in self._by_turns):
            _place(network, self._device)
            self._moved = network
        yield


def _place(network: nn.Module, device: torch.device) -> None:
    """Bring a network to a device, in the order of numbers that its convolutions are fastest with there."""
    network.to(device)
    halves = (torch.float16, torch.bfloat16)
    if device.type == "cuda" and any(weight.dtype in halves for weight in network.parameters()):
        # tensor cores take channels last; else every convolution turns its numbers round and back
        network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


class _Visitor:
    """A unit of a network whose weights are on the device only while it runs; their home stays on the CPU."""

    def __init__(self, unit: nn.Module, device: torch.device, *, whole: bool) -> None:
        self._device = device
        self._homes = [(weight, weight.data) for weight in unit.parameters(recurse=whole)]
        unit.register_forward_pre_hook(self._come)
        unit.register_forward_hook(self._go, always_call=True)

    def _come(self, *_: Any) -> None:
        for weight, home in self._homes:
            # elsewhere a copy that is still under way may be read
            weight.data = home.to(self._device, non_blocking=self._device.type == "cuda")

    def _go(self, *_: Any) -> None:
        for weight, home in self._homes:
            weight.data = home


def _bring_when_used(network: nn.Module, units: Sequence[nn.Module], device: torch.device) -> None:
    """Let each unit's weights come and go; all else, which is small, stays on the device."""
    whole = any(any(unit.children()) for unit in units)
    at_home = {id(weight) for unit in units for weight in unit.parameters(recurse=whole)}
    for weight in network.parameters():
        if id(weight) not in at_home:
            weight.data = weight.data.to(device)
    for module in network.modules():
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to(device))
    for unit in units:
        _Visitor(unit, device, whole=whole)


def _blocks(denoiser: nn.Module) -> list[nn.Module]:
    lists = ("down_blocks", "up_blocks", "transformer_blocks")
    found = [block for name in lists for block in getattr(denoiser, name, ())]
    middle = getattr(denoiser, "mid_block", None)
    return found if middle is None else [*found, middle]


def _leaves(network: nn.Module) -> list[nn.Module]:
    """The modules that have weights of their own."""
    return [module for module in network.modules() if any(True for _ in module.parameters(recurse=False))]
