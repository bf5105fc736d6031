"""Stable Diffusion 1.x and the models with its layout (2.x too): one CLIP, a U-Net, 4 latent channels."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from inference.attention import TextPart
from inference.backbones.latent import stacked
from inference.backbones.structures import structure_of
from inference.backbones.unet import UNetBackbone
from inference.features import Structure
from inference.operations import Family
from inference.prompts.learnt_words import LearntWord
from inference.prompts.prompt import Prompt
from inference.prompts.weights import Weighted


class Sd1Backbone(UNetBackbone):
    """See the module's text. The text encoder's last hidden state, normalised, is the context."""

    family = Family.SD1

    def _encode(self, text: Weighted, learnt: Sequence[LearntWord]) -> Prompt:
        (encoder,) = self.parts.text_encoders
        length = int(self.parts.tokenizers[encoder].model_max_length)
        encoded = self._encoded_by(encoder, text, learnt, length, penultimate=False)
        return self._prompt_of(text, {encoder: encoded}, None)

    def _context(self, prompts: Sequence[Prompt]) -> Tensor:
        (encoder,) = self.parts.text_encoders
        return stacked(prompts, encoder)

    def _find_structure(self) -> Structure:
        return structure_of(Family.SD1)

    def _text_parts(self) -> Mapping[str, TextPart]:
        return {"clip": TextPart(tuple(self.parts.text_encoders), 0)}
