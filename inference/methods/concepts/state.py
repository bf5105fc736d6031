"""All that learning a concept depends on beside its request, as bytes from which it goes on bit for bit.

A safetensors file in memory, as `inference.methods.learning.state`: rows, moments, the gradient so far, the
best rows, the random generator; its text "state" is JSON with all numbers.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.errors import EditorError
from inference.methods.concepts.kept import FORMAT, NAME, PICTURE
from inference.methods.concepts.photos import Crop
from inference.methods.learning.state import generator_in, taken
from inference.operations import MOST_CONCEPT_SAMPLES, MOST_PHOTOS
from inference.values import Bounds, json_object, typed
from inference.weights.packed import packed, unpacked

_BY_ENCODER = ("rows", "average", "square", "gradient", "best")


@dataclass(kw_only=True)
class ConceptState:
    """Where a run is.

    Attributes:
        rows: what stands in the token table's place, by encoder, float32 [n, D] on the CPU.
        average, square: AdamW's moments of the gradient.
        gradient: the sum over the passes of the change that is under way.
        best: the rows with the lowest held-out loss so far, after `best_step` changes.
        run: what names the run, so that none goes on from another's state.
        about: the texts of the concept, as JSON; `picture` a small picture of it.
        crops: the parts of the photos, as far as they are known.
        step: changes that are done; `micro` passes of the next one are; `used` samples were looked at.
        losses: the mean loss of each change; `loss` is the sum over the one under way.
        checks: (step, held-out loss).
    """

    rows: dict[str, Tensor]
    average: dict[str, Tensor]
    square: dict[str, Tensor]
    gradient: dict[str, Tensor]
    best: dict[str, Tensor]
    generator: torch.Generator
    run: str = ""
    about: str = ""
    picture: bytes = b""
    crops: list[Crop] = field(default_factory=list[Crop])
    step: int = 0
    micro: int = 0
    used: int = 0
    best_step: int = 0
    loss: float = 0.0
    losses: list[float] = field(default_factory=list[float])
    checks: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])

    def to_bytes(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {"generator": self.generator.get_state().numpy()}
        for kind in _BY_ENCODER:
            for encoder, rows in getattr(self, kind).items():
                arrays[f"{kind}.{encoder}"] = rows.numpy()
        if self.picture:
            arrays[PICTURE] = np.frombuffer(self.picture, np.uint8)
        numbers = _Numbers(
            step=self.step,
            micro=self.micro,
            used=self.used,
            best_step=self.best_step,
            loss=self.loss,
            losses=tuple(self.losses),
            checks=tuple(self.checks),
            crops=tuple(self.crops),
        )
        texts = {
            "format": FORMAT,
            "run": self.run,
            "concept": self.about,
            "state": json.dumps(dataclasses.asdict(numbers)),
        }
        return packed(arrays, texts)

    @classmethod
    def from_bytes(cls, content: bytes, shapes: Mapping[str, tuple[int, int]], run: str) -> "ConceptState":
        """Read `to_bytes`; `shapes` are [n, D] by encoder.

        Raises:
            EditorError: it is damaged, or of another run.
        """
        arrays, texts = unpacked(content, NAME)
        if texts.get("format") != FORMAT:
            raise EditorError("The checkpoint is of another kind.", "Begin again.")
        numbers = typed(_Numbers, json_object(texts.get("state", ""), NAME), "checkpoint")
        if texts.get("run") != run:
            raise EditorError("The checkpoint is of another run.", "Begin again.")
        by_encoder = {
            kind: {name: taken(arrays, f"{kind}.{name}", shape) for name, shape in shapes.items()}
            for kind in _BY_ENCODER
        }
        picture = arrays.get(PICTURE)
        return cls(
            **by_encoder,
            generator=generator_in(arrays),
            run=run,
            about=texts.get("concept", ""),
            picture=b"" if picture is None or picture.dtype != np.uint8 else picture.tobytes(),
            crops=list(numbers.crops),
            step=numbers.step,
            micro=numbers.micro,
            used=numbers.used,
            best_step=numbers.best_step,
            loss=numbers.loss,
            losses=list(numbers.losses),
            checks=list(numbers.checks),
        )


_STEPS = Bounds(min=0, max=MOST_CONCEPT_SAMPLES)


@dataclass(frozen=True, kw_only=True)
class _Numbers:
    step: int = field(metadata={"bounds": _STEPS})
    micro: int = field(metadata={"bounds": _STEPS})
    used: int = field(metadata={"bounds": _STEPS})
    best_step: int = field(metadata={"bounds": _STEPS})
    loss: float
    losses: tuple[float, ...] = field(metadata={"bounds": Bounds(most=MOST_CONCEPT_SAMPLES)})
    checks: tuple[tuple[int, float], ...] = field(
        metadata={"bounds": Bounds(min=0, most=MOST_CONCEPT_SAMPLES)}
    )
    crops: tuple[tuple[float, float, float], ...] = field(
        metadata={"bounds": Bounds(min=0, max=1, most=MOST_PHOTOS)}
    )
