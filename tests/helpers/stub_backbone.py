"""A backbone without networks, for tests of the runner and the methods' logic: everything is arithmetic.

The picture depends on the start noise, the prompts' embeddings and the guidance scale, so what should
change a picture does and what should not does not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inference.backbones.base import Backbone, ModelDefaults
from inference.operations import Family
from inference.progress import Measurements
from inference.prompts.learnt_words import LearntWord
from inference.prompts.prompt import Prompt
from inference.prompts.words import words
from inference.request import Pixels
from inference.schedule import Level, Prediction, Schedule

WIDTHS = {"clip_l": 6, "clip_g": 8}
TOKENS = 12
DEFAULTS = ModelDefaults(width=16, height=16, steps=10, guidance_scale=3.0, sampler="ddim")


class StubStore:
    def __init__(self) -> None:
        self.looks = 0

    def heat(self, start: int, end: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4) * (end - start)


class StubBackbone(Backbone):
    """`before_predict` is called at each prediction and may raise."""

    def __init__(self, name: str = "stub", sandbox: bool = True) -> None:
        self.family = Family.SDXL
        self.name = name
        self.model_hash = f"hash of {name}"
        self.sandbox = sandbox
        self.schedule = Schedule.from_config({"beta_schedule": "scaled_linear"})
        self.defaults = DEFAULTS
        self.device = torch.device("cpu")
        self.dtype = torch.float32
        self.measured = Measurements()
        self.before_predict: Callable[[int], None] = lambda count: None
        self.batches: list[int] = []
        self.looks = 0
        self._prompts: dict[tuple[str, str], Prompt] = {}

    @property
    def features(self) -> tuple[()]:
        return ()

    @property
    def layers(self) -> tuple[()]:
        return ()

    @property
    def text_parts(self) -> Mapping[str, Any]:
        return {}

    @property
    def allows_gradients(self) -> bool:
        return True

    @property
    def token_widths(self) -> Mapping[str, int]:
        return WIDTHS

    @property
    def token_norms(self) -> Mapping[str, float]:
        raise NotImplementedError

    def token_vectors(self, text: str) -> Mapping[str, Tensor]:
        raise NotImplementedError

    def encode_prompt(
        self, text: str, learnt: Sequence[LearntWord] = (), *, weighted: bool = False
    ) -> Prompt:
        """Start, one token a word, end and padding; a word's embedding depends on the words so far."""
        found = words(text)
        offsets = ((0, 0), *((word.start, word.end) for word in found))
        offsets = (*offsets, *((0, 0) for _ in range(TOKENS - len(offsets))))
        embeddings: dict[str, Tensor] = {}
        for encoder, width in WIDTHS.items():
            rows = [torch.zeros(width) for _ in range(TOKENS)]
            so_far = torch.zeros(width)
            for index, word in enumerate(found):
                generator = torch.Generator().manual_seed(sum(map(ord, word.text)))
                so_far = 0.5 * so_far + torch.randn(width, generator=generator)
                rows[index + 1] = so_far
            embeddings[encoder] = torch.stack(rows)[None]
        return self._prompts.setdefault(
            ("prompt", text),
            Prompt(text=text, embeddings=embeddings, pooled=None, offsets=dict.fromkeys(WIDTHS, offsets)),
        )

    def negative_prompt(
        self, text: str, learnt: Sequence[LearntWord] = (), *, weighted: bool = False
    ) -> Prompt:
        zeros = {encoder: torch.zeros(1, TOKENS, width) for encoder, width in WIDTHS.items()}
        made = self.encode_prompt(text)
        return Prompt(
            text=text, embeddings=zeros if not text else made.embeddings, pooled=None, offsets=made.offsets
        )

    def of_one_length(self, *prompts: Prompt) -> tuple[Prompt, ...]:
        return prompts

    size_unit = 8

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        return 4, height // 4, width // 4

    def levels(self, steps: int, width: int, height: int, sampler: str = "ddim") -> tuple[Level, ...]:
        return self.schedule.levels(steps, sampler=sampler)

    def encode_image(self, image: Pixels) -> Tensor:
        raise NotImplementedError

    def encode_moments(self, image: Pixels) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def decode(self, latents: Tensor) -> list[Pixels]:
        scaled = (latents[:, :3].clamp(-3, 3) + 3) / 6 * 255
        large = scaled.repeat_interleave(4, -1).repeat_interleave(4, -2)
        return [image.permute(1, 2, 0).to(torch.uint8).numpy() for image in large]

    def preview(self, latents: Tensor) -> Pixels:
        return np.zeros((4, 4, 3), np.uint8)

    def predict(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
        self.measured.denoiser_evaluations += len(latents)
        self.batches.append(len(latents))
        self.before_predict(len(latents))
        pulls = torch.stack([_pull(prompt) for prompt in prompts])
        raw = 0.9 * latents + 0.3 * torch.sin(pulls)[:, None, None, None]
        return Prediction(*self.schedule.to_prediction(raw, latents, level))

    def tapped(self, tap: Any, where: Any) -> Any:
        raise NotImplementedError

    def read(self, tap: Any, where: Any, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> None:
        raise NotImplementedError

    def checkpointed(self) -> Any:
        raise NotImplementedError

    @contextmanager
    def cross_attention_maps(self, prompt: Prompt, *more: Prompt) -> Iterator[StubStore]:  # type: ignore[override]
        self.looks += 1
        yield StubStore()


def _pull(prompt: Prompt) -> Tensor:
    """One number that every embedding and its place enter."""
    places = torch.linspace(0.5, 1.5, TOKENS)[:, None]
    return torch.stack([(embedding[0] * places).sum() for embedding in prompt.embeddings.values()]).sum()
