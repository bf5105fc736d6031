"""What an inversion is: one value for every way to invert, with arrays there and back for files."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference.methods.generate import Heat
from inference.prompts.prompt import Prompt

Arrays = dict[str, NDArray[Any]]
_HEAT, _NEGATIVE = "heat/", "negative/"


@dataclass(frozen=True, kw_only=True)
class Inverted:
    """A picture as the model can come back to it.

    Args:
        way: the name of the way in `inference.methods.inversion.ways`.
        prompt: what the picture shows.
        path: latents [S + 1, C, h, w] at every level of the run, noise first, the picture's own last; or
            those alone, [1, C, h, w], of ways that invert nothing.
        offsets: [S, C, h, w], what a step from the path's latents misses the path's next ones by.
        bound: as `offsets`, for steps whose subjects read their own words alone (`methods.text_regions`).
        negatives: the unconditional prompt of each step that brings the picture back (null-text).
        heat: where the model sees each word of the prompt in this picture.
        fit: how much of the noise's error the prompt explains away, see `looking`; NaN if not looked at.
    """

    way: str
    prompt: Prompt
    path: Tensor
    offsets: Tensor | None = None
    bound: Tensor | None = None
    negatives: tuple[Prompt, ...] = ()
    heat: Heat = field(default_factory=dict[tuple[int, int], NDArray[np.float32]])
    fit: float = float("nan")

    def at(self, index: int) -> Tensor:
        """The unedited latents [1, C, h, w] after `index` steps."""
        place = min(index, len(self.path) - 1)
        return self.path[place : place + 1]

    @property
    def reconstruction(self) -> Tensor:
        """The latents [1, C, h, w] that the way comes back to without an edit."""
        return self.path[-1:]

    @property
    def size_bytes(self) -> int:
        return sum(array.nbytes for array in self.to_arrays().values())

    def to_arrays(self) -> Arrays:
        """All but the prompt; `from_arrays` gives the same value back, bit for bit."""
        arrays: Arrays = {"path": _array(self.path), "fit": np.array([self.fit], np.float64)}
        if self.offsets is not None:
            arrays["offsets"] = _array(self.offsets)
        if self.bound is not None:
            arrays["bound"] = _array(self.bound)
        arrays |= {f"{_HEAT}{start}-{end}": seen for (start, end), seen in self.heat.items()}
        if self.negatives:
            for encoder in self.negatives[0].embeddings:
                values = torch.cat([prompt.embeddings[encoder] for prompt in self.negatives])
                arrays[f"{_NEGATIVE}{encoder}"] = _array(values)
        return arrays

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], way: str, prompt: Prompt, negative: Prompt
    ) -> "Inverted":
        """Read `to_arrays`; `negative` is the prompt that the negatives of the steps are versions of.

        Raises:
            KeyError, ValueError: they are no inversion.
        """
        fit = arrays["fit"]
        others = [array for name, array in arrays.items() if name != "fit"]
        if fit.shape != (1,) or any(array.dtype != np.float32 for array in others):
            raise ValueError("these arrays are none that were kept")
        like = next(iter(prompt.embeddings.values()))
        by_encoder = {
            name.removeprefix(_NEGATIVE): torch.tensor(values).to(like)
            for name, values in arrays.items()
            if name.startswith(_NEGATIVE)
        }
        count = len(next(iter(by_encoder.values()))) if by_encoder else 0
        return cls(
            way=way,
            prompt=prompt,
            path=torch.tensor(arrays["path"]).to(like.device),
            offsets=torch.tensor(arrays["offsets"]).to(like.device) if "offsets" in arrays else None,
            bound=torch.tensor(arrays["bound"]).to(like.device) if "bound" in arrays else None,
            negatives=tuple(
                negative.with_embeddings({name: value[i : i + 1] for name, value in by_encoder.items()})
                for i in range(count)
            ),
            heat={_span(name): values for name, values in arrays.items() if name.startswith(_HEAT)},
            fit=float(fit[0]),
        )

    def check(self, steps: int, points: int, shape: tuple[int, ...]) -> None:
        """Whether it can be one of a run of so many steps, of latents [1, C, h, w] of this shape.

        Args:
            points: of its path.

        Raises:
            ValueError: it cannot.
        """
        path, size = self.path, shape[1:]
        is_path = path.shape == (points, *size) and bool(torch.isfinite(path).all())
        offsets = [one for one in (self.offsets, self.bound) if one is not None]  # NaN is not known yet
        are_offsets = all(one.shape == (steps, *size) and not bool(torch.isinf(one).any()) for one in offsets)
        negatives = [value for one in self.negatives for value in one.embeddings.values()]
        are_negatives = len(self.negatives) in (0, steps) and all(
            bool(torch.isfinite(value).all()) for value in negatives
        )
        is_heat = all(seen.ndim == 2 and seen.size and np.isfinite(seen).all() for seen in self.heat.values())
        if not (is_path and are_offsets and are_negatives and is_heat):
            raise ValueError("these arrays are no inversion of this run")

    def seen(self, heat: Heat, fit: float) -> "Inverted":
        """With what the model sees in the picture."""
        return replace(self, heat=heat, fit=fit)


def _array(value: Tensor) -> NDArray[Any]:
    return value.detach().float().cpu().numpy()


def _span(name: str) -> tuple[int, int]:
    start, _, end = name.removeprefix(_HEAT).partition("-")
    return int(start), int(end)
