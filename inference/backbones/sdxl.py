"""Stable Diffusion XL (arXiv:2307.01952): two CLIPs side by side, a pooled embedding and time ids."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from inference.attention import TextPart
from inference.backbones.latent import stacked, stacked_pooled
from inference.backbones.structures import structure_of
from inference.backbones.unet import UNetBackbone
from inference.features import Structure
from inference.operations import Family
from inference.prompts.learnt_words import LearntWord
from inference.prompts.prompt import NO_CHARACTERS, Prompt
from inference.prompts.weights import Weighted

_ENCODERS = ("clip_l", "clip_g")


class SdxlBackbone(UNetBackbone):
    """See the module's text. Both encoders' last but one hidden states are the context."""

    family = Family.SDXL

    def _encode(self, text: Weighted, learnt: Sequence[LearntWord]) -> Prompt:
        length = int(self.parts.tokenizers["clip_l"].model_max_length)
        encoded = {name: self._encoded_by(name, text, learnt, length, penultimate=True) for name in _ENCODERS}
        return self._prompt_of(text, encoded, encoded["clip_g"].pooled)

    def _encode_negative(self, text: Weighted, learnt: Sequence[LearntWord]) -> Prompt:
        """Zeros, not the empty prompt, when there is no negative prompt: so the model was trained."""
        prompt = self._encode(text, learnt)
        if text.written or not self.parts.pipeline_config.get("force_zeros_for_empty_prompt", True):
            return prompt
        assert prompt.pooled is not None, "SDXL's second encoder pools"
        return replace(
            prompt,
            embeddings={name: torch.zeros_like(value) for name, value in prompt.embeddings.items()},
            pooled=torch.zeros_like(prompt.pooled),
            offsets={name: (NO_CHARACTERS,) * len(value) for name, value in prompt.offsets.items()},
            is_blank=True,
        )

    def _context(self, prompts: Sequence[Prompt]) -> Tensor:
        return torch.cat([stacked(prompts, name) for name in _ENCODERS], dim=-1)

    def _conditions(self, latents: Tensor, prompts: Sequence[Prompt]) -> dict[str, Tensor]:
        """The pooled embedding, and (original size, crop, target size) in pixels: the picture as it is."""
        height, width = (int(size) * self.vae_scale for size in latents.shape[-2:])
        ids = torch.tensor([[height, width, 0, 0, height, width]]).to(latents)
        return {"text_embeds": stacked_pooled(prompts), "time_ids": ids.repeat(len(latents), 1)}

    def _find_structure(self) -> Structure:
        return structure_of(Family.SDXL)

    def _text_parts(self) -> Mapping[str, TextPart]:
        return {"clip": TextPart(_ENCODERS, 0)}
