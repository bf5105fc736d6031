"""What every model family offers to the methods, and nothing more."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.attention import AttentionStore, Layer, Tap, TextPart, Where
from inference.backbones.additions import Addition
from inference.features import Feature, Structure
from inference.operations import Family
from inference.progress import Measurements
from inference.prompts.learnt_words import LearntWord
from inference.prompts.prompt import Prompt
from inference.request import Pixels
from inference.schedule import Level, Prediction, Schedule

__all__ = ["AttentionStore", "Backbone", "ModelDefaults", "Prediction"]


@dataclass(frozen=True, kw_only=True)
class ModelDefaults:
    """What a request leaves open."""

    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: str


class Backbone(ABC):
    """One loaded model. Methods are functions of a backbone and never ask which family it has."""

    family: Family
    structure: Structure  # where the denoiser holds the layout of what it draws
    name: str
    model_hash: str
    sandbox: bool  # one of the built-in models
    schedule: Schedule
    defaults: ModelDefaults
    device: torch.device
    dtype: torch.dtype
    measured: Measurements  # `predict` counts here; the runner points it at the running job's

    @property
    def made_by(self) -> tuple[str, ...]:
        """What a value that is kept for later depends on of the model: its weights, and how they are held.

        What 16 bits found is not what 8 bits would find.
        """
        return self.model_hash, str(self.dtype)

    @abstractmethod
    def encode_prompt(
        self, text: str, learnt: Sequence[LearntWord] = (), *, weighted: bool = False
    ) -> Prompt:
        """Embeddings and token offsets of `text` per encoder.

        CLIP reads 75 tokens at a time, between a start and an end. A longer text is read in as many pieces,
        whose embeddings follow each other; the pooled one is the first piece's. T5 reads what fits into its
        own length, which the prompt's `unread` words do not.

        Args:
            learnt: words that may stand in the text; gradients reach their vectors where these require them.
            weighted: whether brackets are weights (`prompts.weights`): the embeddings of words are
                multiplied by them, and of models with one text encoder the mean is restored.

        Raises:
            EditorError: the prompt is longer than is read (the message says which words fell off);
                marks of weights are wrong;
                a learnt word that stands there does not fit the model; it requires gradients, which are on,
                and the encoders are not all kept on the device.
        """

    @abstractmethod
    def negative_prompt(
        self, text: str, learnt: Sequence[LearntWord] = (), *, weighted: bool = False
    ) -> Prompt:
        """The unconditional prompt as the family's own pipeline has it (SDXL: zeros for "").

        Raises:
            EditorError: as `encode_prompt`.
        """

    @abstractmethod
    def of_one_length(self, *prompts: Prompt) -> tuple[Prompt, ...]:
        """The prompts with as many pieces as the longest: those that lack some get pieces without words.

        `predict` does so for the prompts of one batch. Call it where columns of two texts are compared, or
        embeddings are learnt.
        """

    @property
    @abstractmethod
    def size_unit(self) -> int:
        """Widths and heights of pictures are multiples of this."""

    @property
    def longest_side(self) -> int | None:
        """Widths and heights of pictures are this at most; None: any."""
        return None

    @abstractmethod
    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(C, h, w) of the latents of a picture; an `EditorError` if the size does not fit."""

    def initial_noise(self, seed: int, width: int, height: int, sampler: str = "ddim") -> Tensor:
        """The first latents [1, C, h, w] of a run with `sampler`.

        Drawn on the CPU in float32, so that a seed is the same everywhere; float32 whatever the network's
        dtype is, because the loop counts in it.
        """
        generator = torch.Generator("cpu").manual_seed(seed)
        noise = torch.randn((1, *self.latent_shape(width, height)), generator=generator)
        return noise.to(self.device) * self.schedule.noise_scale(sampler)

    @property
    @abstractmethod
    def features(self) -> tuple[Feature, ...]:
        """The places of the denoiser whose features can be tapped, in the order in which they run."""

    @property
    @abstractmethod
    def layers(self) -> tuple[Layer, ...]:
        """The denoiser's attention layers, in the order in which they run."""

    def layer_numbers(self, height: int, width: int) -> int | None:
        """How many numbers a layer at full resolution puts out for latents of this size; None: not known."""
        del height, width
        return None

    def kept_numbers(self, height: int, width: int) -> int | None:
        """About how many numbers a pass for one sample keeps for the backward pass, latents of this size.

        The weights need no gradients, so products with them keep nothing; norms, activations and attention
        do. None: not known.
        """
        del height, width
        return None

    @property
    def weight_bytes(self) -> int:
        """Bytes of all networks' weights."""
        return 0

    @property
    @abstractmethod
    def text_parts(self) -> Mapping[str, TextPart]:
        """The text columns of its attention that are looked at apart: {"clip": …, "t5": …}."""

    @property
    @abstractmethod
    def allows_gradients(self) -> bool:
        """Whether the denoiser's weights stay in place until a backward pass is over."""

    @property
    def allows_gradients_of_words(self) -> bool:
        """Whether the text encoders' weights do as well, so that words can be learnt."""
        return self.allows_gradients

    @abstractmethod
    def levels(self, steps: int, width: int, height: int, sampler: str = "ddim") -> tuple[Level, ...]:
        """`schedule.levels` for a picture of this size."""

    @abstractmethod
    def encode_image(self, image: Pixels) -> Tensor:
        """Latents [1, C, h, w] of a picture: the posterior's mean, scaled as the denoiser sees them."""

    @abstractmethod
    def encode_moments(self, image: Pixels) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [1, C, h, w] of a picture's latents, as the denoiser sees them."""

    @abstractmethod
    def decode(self, latents: Tensor) -> list[Pixels]:
        """Pictures of latents [N, C, h, w]: N arrays, RGB uint8 [H, W, 3]."""

    @abstractmethod
    def preview(self, latents: Tensor) -> NDArray[np.uint8]:
        """A cheap linear picture [h, w, 3] of the first sample's x0."""

    @abstractmethod
    def predict(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
        """One denoiser pass for latents [N, C, h, w] with one prompt each; counts N evaluations.

        Gradients reach the latents and the prompts' embeddings, where these require them and
        `allows_gradients`; the weights never get any. What shares a batch shares nothing else, unless a tap
        carries it over; but a sample's last bits may depend on how many there are.
        """

    @abstractmethod
    def checkpointed(self) -> AbstractContextManager[None]:
        """Let `predict` keep the blocks' inputs alone for the backward pass, which computes the rest again.

        For predictions that are made while the context is open; the backward pass may come later. The
        gradients are the same. Taps do not go with it: with one open, `predict` refuses (ValueError) where
        gradients are on.
        """

    @property
    def takes_surroundings(self) -> bool:
        """Whether the model was made for inpainting: it sees what is around what it draws."""
        return False

    def surrounded(self, mask: Tensor, latents: Tensor) -> AbstractContextManager[None]:
        """Let `predict` see what is around a hole while the context is open.

        Args:
            mask: [1, 1, h, w], 1 where the model draws.
            latents: [1, C, h, w] of the picture with grey there.

        Raises:
            ValueError: not `takes_surroundings`.
        """
        del mask, latents
        raise ValueError(f"{self.name} is no model for inpainting")

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """What can be added to: "denoiser", and the text encoders by their names."""
        return {}

    @property
    def home(self) -> torch.device:
        """Where additions lie: on the device, unless the weights come there only to work."""
        return self.device

    def added(
        self, additions: Mapping[nn.Module, Addition], weights_hash: str
    ) -> AbstractContextManager[None]:
        """Add to layers of `networks` while the context is open; `model_hash` is `weights_hash` until then.

        No weight is touched.
        """
        del additions, weights_hash
        raise ValueError(f"{self.name} has no layers to add to")

    @abstractmethod
    def tapped(self, tap: Tap, where: Where) -> AbstractContextManager[None]:
        """Let `tap` read or edit attention and features at `where` while the context is open.

        Raises:
            EditorError: nothing matches; on exit, a matching place was never reached.
        """

    @abstractmethod
    def read(self, tap: Tap, where: Where, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> None:
        """One pass for what `tap` sees at `where`; it ends after the last of these places.

        Counts as `predict` does, and gradients flow through what was read.

        Raises:
            EditorError: as `tapped`.
        """

    @abstractmethod
    def cross_attention_maps(self, prompt: Prompt, *more: Prompt) -> AbstractContextManager[AttentionStore]:
        """Collect text attention of the samples that carry `prompt` itself, or one of `more`.

        Identity decides, not equality; `more` are versions of the same text, such as with a delta added.
        """

    @property
    @abstractmethod
    def token_widths(self) -> Mapping[str, int]:
        """Width of the token embeddings per encoder: {"clip_l": 768, "clip_g": 1280}."""

    @property
    @abstractmethod
    def token_norms(self) -> Mapping[str, float]:
        """Mean length of the token table's rows per encoder; rows of zeros do not count."""

    @abstractmethod
    def token_vectors(self, text: str) -> Mapping[str, Tensor]:
        """The token table's rows that `text` is written with, per encoder: float32 copies [n, D].

        What a learnt word may start from. Start and end are not among them.
        """
