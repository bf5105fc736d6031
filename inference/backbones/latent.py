"""What the three families share: latents, prompts one by one, previews, and taps on the denoiser."""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.attention import (
    AttentionStore,
    Forward,
    Layer,
    StoringTap,
    Tap,
    TextPart,
    Where,
    tapped,
)
from inference.backbones.additions import Addition, added
from inference.backbones.base import ModelDefaults, Prediction
from inference.backbones.components import Components, Residency
from inference.backbones.encoding import EncodingBackbone
from inference.backbones.finite import ensure_finite
from inference.backbones.layers import remember_signatures
from inference.backbones.previews import preview_factors
from inference.backbones.tiles import fitting
from inference.errors import EditorError
from inference.features import Feature, Structure
from inference.messages import Message
from inference.models import MemoryMode, ModelEntry
from inference.progress import Measurements
from inference.prompts.prompt import Prompt
from inference.request import Pixels
from inference.schedule import Level, Schedule


class LatentBackbone(EncodingBackbone):
    """A denoiser in the latent space of an `AutoencoderKL`.

    Args:
        entry: what the model is called and where it is from.
        components: its networks, in `dtype` (the VAE in float32 where it would overflow).
        model_hash: hash of the weights.
    """

    def __init__(
        self,
        entry: ModelEntry,
        components: Components,
        *,
        model_hash: str,
        device: torch.device,
        dtype: torch.dtype,
        memory_mode: MemoryMode = MemoryMode.FULL,
    ) -> None:
        self.name = entry.name
        self.sandbox = entry.sandbox
        self.model_hash = model_hash
        self.device = device
        self.dtype = dtype
        self.measured = Measurements()
        self.schedule = Schedule.from_config(components.scheduler_config)
        self.parts = components
        for network in components.networks:
            network.eval().requires_grad_(False)
        remember_signatures(components.denoiser)
        self._residency = Residency(components, device, memory_mode)
        self._memory_mode = memory_mode
        self._prompts = OrderedDict()
        self._without_words = (None, {})
        self._forward: Forward | None = None
        self._preview_factors = preview_factors(components.attune, self.family)
        self.vae_scale = 2 ** (len(components.vae.config["block_out_channels"]) - 1)
        self.defaults = self._model_defaults(entry)
        self._layers = self._find_layers()
        self._features = self._find_features()
        self.structure = self._find_structure()
        self._is_checkpointed = False
        self._open_taps = 0

    @property
    def made_by(self) -> tuple[str, ...]:
        in_eight_bits = ("8 bits",) if self._memory_mode is MemoryMode.EIGHT_BIT else ()
        return *super().made_by, *in_eight_bits

    # what a family says

    @abstractmethod
    def _find_layers(self) -> tuple[Layer, ...]: ...

    @abstractmethod
    def _standard_text_layers(self) -> Where:
        """The layers whose text attention is averaged."""

    @abstractmethod
    def _find_features(self) -> tuple[Feature, ...]: ...

    @abstractmethod
    def _find_structure(self) -> Structure: ...

    @abstractmethod
    def _raw(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Tensor:
        """The denoiser's output [N, C, h, w] for latents in its dtype."""

    @property
    def _patch(self) -> int:
        """Latents come in multiples of this."""
        return 1

    # latents and pictures

    @property
    def size_unit(self) -> int:
        return self.vae_scale * self._patch

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        unit = self.size_unit
        for name, size in ((Message("width"), width), (Message("height"), height)):
            if size < unit or size % unit:
                nearest = max(unit, round(size / unit) * unit)
                raise EditorError(
                    "The {name} is {size}: this model needs a multiple of {unit}.",
                    "The nearest is {nearest}.",
                    name=name,
                    size=size,
                    unit=unit,
                    nearest=nearest,
                )
        channels = int(self.parts.vae.config["latent_channels"])
        return channels, height // self.vae_scale, width // self.vae_scale

    def levels(self, steps: int, width: int, height: int, sampler: str = "ddim") -> tuple[Level, ...]:
        _, rows, columns = self.latent_shape(width, height)
        tokens = (rows // self._patch) * (columns // self._patch)
        return self.schedule.levels(steps, image_tokens=tokens, sampler=sampler)

    def encode_image(self, image: Pixels) -> Tensor:
        return self.encode_moments(image)[0]

    @torch.no_grad()
    def encode_moments(self, image: Pixels) -> tuple[Tensor, Tensor]:
        height, width = image.shape[:2]
        self.latent_shape(width, height)
        vae = self.parts.vae
        pixels = torch.tensor(np.array(image[..., :3], np.float32)).permute(2, 0, 1)[None]
        with self._residency.using(vae):
            given = (pixels / 127.5 - 1).to(self.device, vae.dtype)
            moments = fitting(lambda: vae.encode(given).latent_dist, vae, self.device, max(height, width))
        mean, factor = self._latent_mean_and_factor(moments.mode().float())
        return (moments.mode().float() - mean) * factor, moments.std.float() * factor

    @torch.no_grad()
    def decode(self, latents: Tensor) -> list[Pixels]:
        vae = self.parts.vae
        ensure_finite(latents, self.name, self.parts)
        pictures: list[Pixels] = []
        side = max(latents.shape[-2:]) * self.vae_scale
        with self._residency.using(vae):
            for row in self._unscaled(latents.float()):  # one by one: the decoder needs most memory of all
                given = row[None].to(self.device, vae.dtype)
                picture = fitting(partial(_decoded, vae, given), vae, self.device, side)
                ensure_finite(picture, self.name, self.parts)
                scaled = (picture.float() / 2 + 0.5).clamp(0, 1) * 255
                pictures.append(scaled.round().permute(1, 2, 0).to("cpu", torch.uint8).numpy())
        for picture in pictures:
            picture.setflags(write=False)
        return pictures

    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        weight, bias = (factor.to(latents.device) for factor in self._preview_factors)
        rgb = torch.einsum("chw,cr->hwr", latents[0].detach().float(), weight) + bias
        return (rgb.clamp(0, 1) * 255).round().to("cpu", torch.uint8).numpy()

    def _unscaled(self, latents: Tensor) -> Tensor:
        mean, factor = self._latent_mean_and_factor(latents)
        return latents / factor + mean

    def _latent_mean_and_factor(self, latents: Tensor) -> tuple[Tensor | float, Tensor | float]:
        config = self.parts.vae.config
        factor = float(config["scaling_factor"])
        if config.get("latents_mean") is not None and config.get("latents_std") is not None:
            mean = torch.tensor(config["latents_mean"]).to(latents).view(1, -1, 1, 1)
            return mean, factor / torch.tensor(config["latents_std"]).to(latents).view(1, -1, 1, 1)
        return float(config.get("shift_factor") or 0.0), factor

    # the denoiser

    def predict(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
        if len(prompts) != len(latents):
            raise ValueError(f"{len(prompts)} prompts for {len(latents)} latents")
        if self._is_checkpointed and self._open_taps and torch.is_grad_enabled():
            raise ValueError("a tap would be asked again when a checkpointed pass is computed again")
        height, width = latents.shape[-2:]
        self.measured.denoiser_evaluations += len(latents)
        read = self.of_one_length(*prompts)
        self._forward = Forward(tuple(prompts), level, height, width)
        try:
            with self._residency.using(self.parts.denoiser):
                raw = self._raw(latents.to(self.dtype), level, read)
        finally:
            self._forward = None
        return self.schedule.to_prediction(raw.to(latents.dtype), latents, level)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._layers

    @property
    def text_parts(self) -> Mapping[str, TextPart]:
        return self._text_parts()

    @property
    def allows_gradients(self) -> bool:
        return self._memory_mode in (MemoryMode.FULL, MemoryMode.MODEL, MemoryMode.EIGHT_BIT)

    @property
    def weight_bytes(self) -> int:
        return sum(
            weight.numel() * weight.element_size()
            for network in self.parts.networks
            for weight in network.parameters()
        )

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"denoiser": self.parts.denoiser, **self.parts.text_encoders}

    @property
    def home(self) -> torch.device:
        return self.device if self.allows_gradients else torch.device("cpu")

    @contextmanager
    def added(self, additions: Mapping[nn.Module, Addition], weights_hash: str) -> Generator[None]:
        before = self.model_hash
        with added(additions):
            self.model_hash = weights_hash
            try:
                yield
            finally:
                self.model_hash = before

    @property
    def features(self) -> tuple[Feature, ...]:
        return self._features

    def tapped(self, tap: Tap, where: Where) -> AbstractContextManager[None]:
        return self._tapped(tap, where, stop=False)

    def read(self, tap: Tap, where: Where, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> None:
        with self._tapped(tap, where, stop=True):
            self.predict(latents, level, prompts)

    @contextmanager
    def _tapped(self, tap: Tap, where: Where, *, stop: bool) -> Generator[None]:
        denoiser, layers, features = self.parts.denoiser, self._layers, self._features
        with tapped(denoiser, layers, features, tap, where, self._running, stop=stop):
            self._open_taps += 1
            try:
                yield
            finally:
                self._open_taps -= 1

    @contextmanager
    def checkpointed(self) -> Generator[None]:
        denoiser, before = self.parts.denoiser, self._is_checkpointed
        self._is_checkpointed = True
        denoiser.enable_gradient_checkpointing()
        try:
            yield
        finally:
            self._is_checkpointed = before
            if not before:
                denoiser.disable_gradient_checkpointing()

    @contextmanager
    def cross_attention_maps(self, prompt: Prompt, *more: Prompt) -> Generator[AttentionStore]:
        store = AttentionStore((prompt, *more), self._text_parts())
        with self.tapped(StoringTap(store), self._standard_text_layers()):
            yield store

    def _running(self) -> Forward:
        assert self._forward is not None, "hooks run inside predict"
        return self._forward

    def _timesteps(self, level: Level, count: int) -> Tensor:
        return torch.full((count,), level.timestep, dtype=torch.float32, device=self.device)

    def _model_defaults(self, entry: ModelEntry) -> ModelDefaults:
        size = int(self.parts.denoiser.config["sample_size"]) * self.vae_scale
        return ModelDefaults(
            width=size,
            height=size,
            steps=entry.default_steps,
            guidance_scale=entry.default_guidance_scale,
            sampler=self.schedule.default_sampler,
        )


def _decoded(vae: Any, latents: Tensor) -> Tensor:
    return vae.decode(latents, return_dict=False)[0][0]


def stacked(prompts: Sequence[Prompt], encoder: str) -> Tensor:
    """The embeddings of several prompts: [N, T, D]."""
    return torch.cat([prompt.embeddings[encoder] for prompt in prompts])


def stacked_pooled(prompts: Sequence[Prompt]) -> Tensor:
    """The pooled embeddings of several prompts: [N, D]."""
    pooled = [prompt.pooled for prompt in prompts]
    return torch.cat([row for row in pooled if row is not None])
