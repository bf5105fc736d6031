"""Stable Diffusion 3 (arXiv:2403.03206): flow matching, an MMDiT, two CLIPs and, optionally, T5."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from inference.attention import AttentionKind, Layer, TextPart, Where
from inference.backbones.kept import transformer_kept
from inference.backbones.latent import LatentBackbone, stacked, stacked_pooled
from inference.backbones.layers import transformer_features, transformer_layers
from inference.backbones.structures import structure_of
from inference.errors import EditorError
from inference.features import Feature, Structure
from inference.operations import Family
from inference.prompts.learnt_words import LearntWord
from inference.prompts.prompt import Prompt
from inference.prompts.weights import Weighted
from inference.schedule import Level

_CLIPS = ("clip_l", "clip_g")
# What the pipeline that the weights were published with pads T5 to, unless attune.json names `t5_tokens`.
_T5_TOKENS = 256


class Sd3Backbone(LatentBackbone):
    """See the module's text. The context is [CLIP-L | CLIP-G | zeros] for 77 tokens, then T5.

    Further pieces of a long text come after T5: so T5's columns are always the same. Attention among text
    without positions does not mind their order.
    """

    family = Family.SD3

    def _encode(self, text: Weighted, learnt: Sequence[LearntWord]) -> Prompt:
        encoded = {
            name: self._encoded_by(
                name,
                text,
                learnt,
                self._clip_tokens if name in _CLIPS else self._t5_tokens,
                penultimate=name in _CLIPS,
                in_pieces=name in _CLIPS,
            )
            for name in self.parts.text_encoders
        }
        pooled = [one.pooled for one in encoded.values() if one.pooled is not None]
        return self._prompt_of(text, encoded, torch.cat(pooled, -1))

    @property
    def _in_pieces(self) -> Collection[str]:
        return _CLIPS

    def _raw(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Tensor:
        return self.parts.denoiser(
            hidden_states=latents,
            timestep=self._timesteps(level, len(latents)),
            encoder_hidden_states=self._context(prompts),
            pooled_projections=stacked_pooled(prompts),
            return_dict=False,
        )[0]

    def _context(self, prompts: Sequence[Prompt]) -> Tensor:
        width = int(self.parts.denoiser.config["joint_attention_dim"])
        clip = torch.cat([stacked(prompts, name) for name in _CLIPS], dim=-1)
        clip = functional.pad(clip, (0, width - clip.shape[-1]))
        if "t5" in self.parts.text_encoders:
            t5 = stacked(prompts, "t5")
        else:  # the model was trained to do without: its place stays, with zeros
            t5 = clip.new_zeros(len(prompts), self._t5_tokens, width)
        first = self._clip_tokens
        return torch.cat([clip[:, :first], t5, clip[:, first:]], dim=1)

    @property
    def longest_side(self) -> int:
        return int(self.parts.denoiser.config["pos_embed_max_size"]) * self.size_unit

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        shape = super().latent_shape(width, height)
        most = self.longest_side
        if max(width, height) > most:
            raise EditorError(
                "{width} × {height} is too large for this model.",
                "It takes at most {most} × {most}.",
                width=width,
                height=height,
                most=most,
            )
        return shape

    @property
    def _patch(self) -> int:
        return int(self.parts.denoiser.config["patch_size"])

    @property
    def _t5_tokens(self) -> int:
        return int(self.parts.attune.get("t5_tokens", _T5_TOKENS))

    @property
    def _clip_tokens(self) -> int:
        return int(self.parts.tokenizers["clip_l"].model_max_length)

    def kept_numbers(self, height: int, width: int) -> int:
        text = self._clip_tokens + self._t5_tokens
        return transformer_kept(self.parts.denoiser, self._layers, height, width, text)

    def _find_layers(self) -> tuple[Layer, ...]:
        return transformer_layers(self.parts.denoiser)

    def _find_features(self) -> tuple[Feature, ...]:
        return transformer_features(self.parts.denoiser)

    def _find_structure(self) -> Structure:
        return structure_of(Family.SD3, len(self.features))

    def _standard_text_layers(self) -> Where:
        return Where(kinds={AttentionKind.JOINT})

    def _text_parts(self) -> Mapping[str, TextPart]:
        first = self._clip_tokens
        clip = TextPart(_CLIPS, 0, first=first, rest=first + self._t5_tokens)
        return {"clip": clip, "t5": TextPart(("t5",), first)}
