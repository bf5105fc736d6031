"""The parts of a loaded model, and where they stay while others work."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers.hooks.group_offloading import apply_group_offloading
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

    FULL keeps all of them there. MODEL brings each there when it is used, and sends it back when another one
    is. GROUP does so too, but the denoiser's blocks come one at a time. SEQUENTIAL brings single layers.
    """

    def __init__(self, components: Components, device: torch.device, mode: MemoryMode) -> None:
        self._device = device
        self._moved: nn.Module | None = None
        self._by_turns: tuple[nn.Module, ...] = ()
        match mode:
            case MemoryMode.FULL:
                for network in components.networks:
                    network.to(device)
            case MemoryMode.MODEL:
                self._by_turns = components.networks
            case MemoryMode.GROUP:
                self._by_turns = components.networks[1:]
                _offload(components.denoiser, device, "block_level")
            case MemoryMode.SEQUENTIAL:
                for network in components.networks:
                    _offload(network, device, "leaf_level")

    @contextmanager
    def using(self, network: nn.Module) -> Generator[None]:
        """Have `network` on the device."""
        if self._moved is not None and self._moved is not network:
            self._moved.to("cpu")
            self._moved = None
        if any(network is other for other in self._by_turns):
            network.to(self._device)
            self._moved = network
        yield


def _offload(network: nn.Module, device: torch.device, granularity: str) -> None:
    apply_group_offloading(
        network,
        onload_device=device,
        offload_device=torch.device("cpu"),
        offload_type=granularity,
        num_blocks_per_group=1 if granularity == "block_level" else None,
    )
