"""What SD1 and SDXL share: a U-Net with self and cross attention at several strides."""

from abc import abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from inference.attention import AttentionKind, Layer, Where
from inference.backbones.kept import unet_kept
from inference.backbones.latent import LatentBackbone
from inference.backbones.layers import unet_features, unet_layers
from inference.features import Feature
from inference.prompts.prompt import Prompt
from inference.schedule import Level

# Text attention is clearest at a 32nd of the picture's size (stride 4 in latents that are an 8th of it) …
_STANDARD_STRIDE = 4
# … as long as such maps have this many rows and columns.
_LEAST_ROWS = 8
_GREY = 128  # what models for inpainting see where they draw


class UNetBackbone(LatentBackbone):
    """A `UNet2DConditionModel`."""

    _around: Tensor | None = None  # [1, 1 + C, h, w]: mask and surroundings
    _nothing_around: Mapping[tuple[int, int], Tensor] = MappingProxyType({})

    @abstractmethod
    def _context(self, prompts: Sequence[Prompt]) -> Tensor:
        """What cross attention reads: [N, T, D]."""

    def _conditions(self, latents: Tensor, prompts: Sequence[Prompt]) -> dict[str, Tensor]:
        """What is added to the timestep's embedding."""
        del latents, prompts
        return {}

    @property
    def takes_surroundings(self) -> bool:
        return int(self.parts.denoiser.config["in_channels"]) > int(self.parts.vae.config["latent_channels"])

    @contextmanager
    def surrounded(self, mask: Tensor, latents: Tensor) -> Generator[None]:
        if not self.takes_surroundings:
            raise ValueError(f"{self.name} is no model for inpainting")
        before, self._around = self._around, torch.cat([mask.to(latents), latents], dim=1)
        try:
            yield
        finally:
            self._around = before

    def _with_surroundings(self, latents: Tensor) -> Tensor:
        """Latents with mask and surroundings beside them [N, 2·C + 1, h, w]; else all of it is drawn."""
        around, (height, width) = self._around, latents.shape[-2:]
        if around is None or around.shape[-2:] != latents.shape[-2:]:
            key = (height, width)
            if key not in self._nothing_around:
                size = (height * self.vae_scale, width * self.vae_scale, 3)
                grey = self.encode_image(np.full(size, _GREY, np.uint8))
                self._nothing_around = {key: torch.cat([torch.ones_like(grey[:, :1]), grey], dim=1)}
            around = self._nothing_around[key]
        return torch.cat([latents, around.to(latents).expand(len(latents), -1, -1, -1)], dim=1)

    def _raw(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Tensor:
        if self.takes_surroundings:
            latents = self._with_surroundings(latents)
        return self.parts.denoiser(
            latents,
            self._timesteps(level, len(latents)),
            encoder_hidden_states=self._context(prompts),
            added_cond_kwargs=self._conditions(latents, prompts),
            return_dict=False,
        )[0]

    def layer_numbers(self, height: int, width: int) -> int | None:
        return int(self.parts.denoiser.config["block_out_channels"][0]) * height * width

    def kept_numbers(self, height: int, width: int) -> int:
        return unet_kept(self.parts.denoiser, self._layers, self._features, height, width)

    def _find_layers(self) -> tuple[Layer, ...]:
        return unet_layers(self.parts.denoiser)

    def _find_features(self) -> tuple[Feature, ...]:
        return unet_features(self.parts.denoiser)

    def _standard_text_layers(self) -> Where:
        strides = {layer.stride for layer in self._layers if layer.kind is AttentionKind.CROSS}

        def standard(height: int, width: int) -> set[int]:
            least = -(-min(height, width) // _STANDARD_STRIDE)
            if _STANDARD_STRIDE in strides and least >= _LEAST_ROWS:
                return {_STANDARD_STRIDE}
            return {min(strides)}

        return Where(kinds={AttentionKind.CROSS}, strides=standard)
