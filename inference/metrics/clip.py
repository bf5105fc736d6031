"""Similarities by a CLIP model of transformers that the user has (2301.13826, section 5)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from inference.errors import EditorError
from inference.metrics.similarity import Similarity
from inference.reasons import reason_of
from inference.request import Pixels

_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class ClipSimilarity:
    """A CLIP model with both halves and its tokenizer."""

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self._network = network.eval().requires_grad_(False)
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, model: str) -> "ClipSimilarity":
        """Read a folder, or a hub id from the hub's cache; nothing is downloaded.

        Raises:
            EditorError: it is not there, or no CLIP model.
        """
        from transformers import AutoTokenizer, CLIPModel

        network: Any = CLIPModel
        tokenizer: Any = AutoTokenizer
        try:
            return cls(
                network.from_pretrained(model, local_files_only=True),
                tokenizer.from_pretrained(model, local_files_only=True),
            )
        except (OSError, ValueError, ImportError) as error:
            raise EditorError(
                "“{model}” cannot be used as a CLIP model: {reason}",
                "Name a folder, or a model of the hub that is on this machine.",
                model=model,
                reason=reason_of(error),
            ) from error

    @torch.no_grad()
    def similarity(self, image: Pixels, prompt: str, subjects: Sequence[str], caption: str) -> Similarity:
        """The three cosines; `subjects` are one text each, `caption` says what the picture shows."""
        seen = self._image(image)
        texts = self._texts([prompt, caption, *subjects])
        of_image = (texts @ seen[0]).cpu()
        return Similarity(
            full_prompt=float(of_image[0]),
            least_subject=min((float(value) for value in of_image[2:]), default=0.0),
            text_text=float(texts[0] @ texts[1]),
        )

    def _image(self, image: Pixels) -> Tensor:
        """The embedding [1, D], of length 1, of the picture's middle square."""
        size = int(self._network.config.vision_config.image_size)
        height, width = image.shape[:2]
        scale = size / min(height, width)
        shape = max(size, round(width * scale)), max(size, round(height * scale))
        scaled = Image.fromarray(np.ascontiguousarray(image[..., :3])).resize(shape, Image.Resampling.BICUBIC)
        left, top = (shape[0] - size) // 2, (shape[1] - size) // 2
        square = np.asarray(scaled, np.float32)[top : top + size, left : left + size] / 255
        values = torch.tensor(((square - _MEAN) / _DEVIATION).astype(np.float32)).permute(2, 0, 1)[None]
        pooled = self._network.vision_model(pixel_values=values).pooler_output
        return functional.normalize(self._network.visual_projection(pooled).float(), dim=-1)

    def _texts(self, texts: Sequence[str]) -> Tensor:
        """The texts' embeddings [N, D] of length 1."""
        tokens = self._tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
        output = self._network.text_model(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        )
        return functional.normalize(self._network.text_projection(output.pooler_output).float(), dim=-1)
