"""Everything that a learning run depends on beside its request, as bytes from which it goes on bit for bit.

A safetensors file in memory: the direction, AdamW's moments, the gradient so far, the last good direction,
the random generator, the latents on the way; its text "state" is JSON with all numbers.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.errors import EditorError
from inference.messages import Message
from inference.methods.learning.kept import FORMAT
from inference.operations import MOST_LEARNING_STEPS
from inference.values import Bounds, json_object, typed
from inference.weights.packed import packed, unpacked

_MOST = 10**9
_NAME = Message("checkpoint")


@dataclass(kw_only=True)
class Point:
    """Noisy latents [B, C, h, w] at level `index` of the sampling run, and the examples they came from.

    `known` is what the trajectory's own step found there, if it went on from it: x̂₀ of the neutral prompts
    and, as one more channel, the share of the words' change that is wanted, [B, C + 1, h, w].
    """

    index: int
    examples: tuple[int, ...]
    latents: Tensor
    known: Tensor | None = None


@dataclass(kw_only=True)
class Walk:
    """A trajectory under way: latents [B, C, h, w] at level `index`; a point is left at each of `wanted`."""

    index: int
    wanted: tuple[int, ...]
    examples: tuple[int, ...]
    latents: Tensor


@dataclass(kw_only=True)
class LearningState:
    """Where a run is.

    Attributes:
        vectors: Δe by encoder, float32 [width] on the CPU.
        average, square: AdamW's moments of the gradient.
        gradient: the sum over the micro-steps of the update that is under way.
        start: Δe at the beginning, to which weight decay draws back.
        good: Δe at the last update whose micro-steps were all finite, and `good_step`, its number.
        run: what names the run, so that none goes on from another's state.
        about: the metadata of the delta's file as JSON.
        step: updates that are done; `micro` micro-steps of the next one are.
        losses: the mean loss of each update; `loss` is the sum over the one under way.
        points: what is left of the last trajectories, in the order in which it is used.
        walk: a trajectory that is being sampled, and how many more are to come before points are used.
    """

    vectors: dict[str, Tensor]
    average: dict[str, Tensor]
    square: dict[str, Tensor]
    gradient: dict[str, Tensor]
    start: dict[str, Tensor]
    good: dict[str, Tensor]
    generator: torch.Generator
    run: str = ""
    about: str = ""
    good_step: int = 0
    step: int = 0
    micro: int = 0
    loss: float = 0.0
    losses: list[float] = field(default_factory=list[float])
    points: list[Point] = field(default_factory=list[Point])
    walk: Walk | None = None
    to_come: int = 0

    @classmethod
    def new(cls, start: Mapping[str, Tensor], seed: int, run: str = "", about: str = "") -> "LearningState":
        """The beginning, at Δe = `start`, [width] for each encoder."""
        vectors, first, good = ({name: value.clone() for name, value in start.items()} for _ in range(3))
        average, square, gradient = (
            {name: torch.zeros_like(value) for name, value in start.items()} for _ in range(3)
        )
        return cls(
            vectors=vectors,
            average=average,
            square=square,
            gradient=gradient,
            start=first,
            good=good,
            generator=torch.Generator("cpu").manual_seed(seed),
            run=run,
            about=about,
        )

    def to_bytes(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {"generator": self.generator.get_state().numpy()}
        for kind in _BY_ENCODER:
            for encoder, vector in getattr(self, kind).items():
                arrays[f"{kind}.{encoder}"] = vector.numpy()
        for number, point in enumerate(self.points):
            arrays[f"point.{number}"] = point.latents.cpu().numpy()
            if point.known is not None:
                arrays[f"known.{number}"] = point.known.cpu().numpy()
        if self.walk is not None:
            arrays["walk"] = self.walk.latents.cpu().numpy()
        numbers = _Numbers(
            step=self.step,
            micro=self.micro,
            good_step=self.good_step,
            to_come=self.to_come,
            loss=self.loss,
            losses=tuple(self.losses),
            points=tuple((point.index, point.examples) for point in self.points),
            walk=None if self.walk is None else (self.walk.index, self.walk.wanted, self.walk.examples),
        )
        texts = {
            "format": FORMAT,
            "run": self.run,
            "delta": self.about,
            "state": json.dumps(dataclasses.asdict(numbers)),
        }
        return packed(arrays, texts)

    @classmethod
    def from_bytes(
        cls,
        content: bytes,
        widths: Mapping[str, int],
        shape: Sequence[int],
        device: torch.device,
        run: str = "",
    ) -> "LearningState":
        """Read `to_bytes`; `shape` is that of the latents [B, C, h, w].

        Raises:
            EditorError: it is damaged, or of another run.
        """
        arrays, texts = unpacked(content, _NAME)
        numbers = _numbers(texts)
        if texts.get("run") != run:
            raise EditorError("The checkpoint is of another run.", "Begin again.")
        by_encoder = {
            kind: {encoder: taken(arrays, f"{kind}.{encoder}", (width,)) for encoder, width in widths.items()}
            for kind in _BY_ENCODER
        }
        generator = generator_in(arrays)
        more = (shape[0], shape[1] + 1, *shape[2:])
        points = [
            Point(
                index=index,
                examples=examples,
                latents=taken(arrays, f"point.{number}", shape).to(device),
                known=taken(arrays, name, more).to(device) if (name := f"known.{number}") in arrays else None,
            )
            for number, (index, examples) in enumerate(numbers.points)
        ]
        walk = None
        if numbers.walk is not None:
            index, wanted, examples = numbers.walk
            latents = taken(arrays, "walk", shape).to(device)
            walk = Walk(index=index, wanted=wanted, examples=examples, latents=latents)
        return cls(
            **by_encoder,
            generator=generator,
            run=run,
            about=texts.get("delta", ""),
            good_step=numbers.good_step,
            step=numbers.step,
            micro=numbers.micro,
            loss=numbers.loss,
            losses=list(numbers.losses),
            points=points,
            walk=walk,
            to_come=numbers.to_come,
        )


_BY_ENCODER = ("vectors", "average", "square", "gradient", "start", "good")


@dataclass(frozen=True, kw_only=True)
class _Numbers:
    step: int = field(metadata={"bounds": Bounds(min=0, max=MOST_LEARNING_STEPS)})
    micro: int = field(metadata={"bounds": Bounds(min=0, max=_MOST)})
    good_step: int = field(metadata={"bounds": Bounds(min=0, max=MOST_LEARNING_STEPS)})
    to_come: int = field(metadata={"bounds": Bounds(min=0, max=_MOST)})
    loss: float
    losses: tuple[float, ...] = field(metadata={"bounds": Bounds(most=MOST_LEARNING_STEPS)})
    points: tuple[tuple[int, tuple[int, ...]], ...] = field(metadata={"bounds": Bounds(min=0, most=10_000)})
    walk: tuple[int, tuple[int, ...], tuple[int, ...]] | None = field(
        metadata={"bounds": Bounds(min=0, most=10_000)}
    )


def _numbers(texts: Mapping[str, str]) -> _Numbers:
    if texts.get("format") != FORMAT:
        raise EditorError("The checkpoint is of another kind.", "Begin again.")
    return typed(_Numbers, json_object(texts.get("state", ""), _NAME), "checkpoint")


def generator_in(arrays: Mapping[str, NDArray[Any]]) -> torch.Generator:
    """The random generator of a checkpoint.

    Raises:
        EditorError: it has none, or one that is damaged.
    """
    generator = torch.Generator("cpu")
    state = taken(arrays, "generator", tuple(generator.get_state().shape), np.uint8)
    try:
        generator.set_state(state)
    except RuntimeError as error:  # of the right length, but no state that a generator has
        raise EditorError("The {name} is damaged.", name=_NAME) from error
    return generator


def taken(
    arrays: Mapping[str, NDArray[Any]], name: str, shape: Sequence[int], dtype: type = np.float32
) -> Tensor:
    """One array of a checkpoint, finite and of that shape.

    Raises:
        EditorError: it is not.
    """
    array = arrays.get(name)
    if array is None or tuple(array.shape) != tuple(shape) or array.dtype != dtype:
        raise EditorError("The checkpoint does not fit the model.", "Begin again.")
    if dtype is np.float32 and not np.isfinite(array).all():
        raise EditorError("The checkpoint holds numbers that are not finite.", "Begin again.")
    return torch.tensor(array)
