"""One change of a concept's rows: directional textual inversion, and plain.

Directional (arXiv:2512.13672, algorithm 1). A row is e = m·v with a fixed length m and a unit vector v, which
moves on the sphere with a von Mises-Fisher prior around μ, the direction of the word that the concept is a
kind of. The paper takes for m the mean length of the table's rows. Ours is that of the kind's own rows: in
CLIP the same to a few per cent, and right where most of a table was never trained (the built-in models:
words 0.9, the mean 0.3):

    g = ∂loss/∂v - κ·μ                      the prior's pull
    g⊥ = g - (g·v)·v                        along the sphere
    v ← (v - rate·g⊥/|g⊥|) / |v - rate·g⊥/|g⊥||        each change turns by the same angle, arctan(rate)

Where a concept has more rows than its kind, those that began as the kind's keep near to it
(`near_their_kind`), which the paper, with one row, has no need of: they say what stands there, and the
others how it looks. Free to turn anywhere they come to mean nothing that a model draws, and the place is
left empty.

Plain (arXiv:2208.01618): AdamW on the rows themselves, β = (0.9, 0.999), decay 0.01. Its published rate is
for rows of CLIP, which are 0.4 long in 768 numbers; for other tables it is scaled with their numbers' size.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

KAPPA = 1e-4
NEAREST_COSINE = 0.9  # 26 degrees: of 0.8, 0.9 and 0.95 the best on subjects of development
BETAS, EPSILON, DECAY = (0.9, 0.999), 1e-8, 0.01
CLIP_NUMBER = 0.4 / math.sqrt(768)  # the usual size of one number of a row of CLIP's table
_NOTHING = 1e-12

Rows = Mapping[str, Tensor]


def row_lengths(rows: Tensor) -> Tensor:
    """[n, 1] of rows [n, D]."""
    return rows.double().square().sum(1, keepdim=True).sqrt().to(rows.dtype)


def directional_step(
    rows: Tensor, gradient: Tensor, prior: Tensor, length: float, rate: float, kappa: float = KAPPA
) -> Tensor:
    """New rows [n, D] of the length `length`; `prior` is μ [D], of length 1.

    A row whose gradient does not turn it stays.
    """
    directions = torch.nn.functional.normalize(rows.double(), dim=1)
    pull = gradient.double() * length - kappa * prior.double()
    along = pull - (pull * directions).sum(1, keepdim=True) * directions
    size = row_lengths(along)
    turned = directions - rate * torch.where(size > _NOTHING, along / size.clamp_min(_NOTHING), 0.0)
    return (torch.nn.functional.normalize(turned, dim=1) * length).float()


def near_their_kind(rows: Tensor, kind: Tensor, nearest: float = NEAREST_COSINE) -> Tensor:
    """Rows [n, D], of which the last k turn no further from the kind's [k, D] than its cone allows.

    With a free row before them only: else nothing but they could say how the concept looks. Lengths stay.

    Args:
        kind: the rows that they began as (`kept_of_kind`).
        nearest: the least cosine.
    """
    if len(kind) >= len(rows):
        return rows
    begun = torch.nn.functional.normalize(kind.double(), dim=1)
    theirs = torch.nn.functional.normalize(rows[-len(kind) :].double(), dim=1)
    cosines = (theirs * begun).sum(1, keepdim=True)
    aside = torch.nn.functional.normalize(theirs - cosines * begun, dim=1)
    edge = nearest * begun + math.sqrt(1 - nearest**2) * aside
    lengths = row_lengths(rows[-len(kind) :])
    near = torch.where(cosines < nearest, (edge * lengths).to(rows), rows[-len(kind) :])
    return torch.cat([rows[: -len(kind)], near])


def plain_step(
    rows: Tensor, gradient: Tensor, average: Tensor, square: Tensor, count: int, length: float, rate: float
) -> Tensor:
    """New rows [n, D]; the moments [n, D] are changed in place; `count` counts changes from 1.

    θ ← θ - rate·(decay·θ + m̂/(√v̂ + ε)) (arXiv:1711.05101, alg. 2); the decay is the rate's as published.
    """
    first, second = BETAS
    average.mul_(first).add_(gradient, alpha=1 - first)
    square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
    size = (square / (1 - second**count)).sqrt().add_(EPSILON)
    scaled = rate * (length / math.sqrt(rows.shape[1])) / CLIP_NUMBER
    return (rows * (1 - rate * DECAY)).addcdiv(average / (1 - first**count), size, value=-scaled)


def first_rows(
    kind: Tensor,
    count: int,
    length: float | None,
    generator: torch.Generator,
    neutral: Tensor | None = None,
) -> Tensor:
    """Where learning begins: [count, D] from the rows [k, D] of the word that the concept is a kind of.

    The rows of a word of several tokens in their order; if they are more than fit, the last one, which
    carries the meaning. Further rows stand before it, where words that describe it would: they are `neutral`,
    the row [1, D] of an adjective that says little, or else the kind's, a little turned, so that they can
    part. With `length` all are made so long.
    """
    kept = kept_of_kind(kind, count)
    more = (kept[-1:] if neutral is None else neutral).repeat(count - len(kept), 1)
    noise = torch.randn(more.shape, generator=generator)
    if len(more):
        noise = torch.nn.functional.normalize(noise, dim=1) * row_lengths(more)
    rows = torch.cat([more + 0.3 * noise, kept])
    if length is None:
        return rows
    return torch.nn.functional.normalize(rows, dim=1) * length


def kept_of_kind(kind: Tensor, count: int) -> Tensor:
    """What of the rows [k, D] of a kind is among the first `count` rows of a concept, at their end."""
    return kind if len(kind) <= count else kind[-1:]


def cosine_rate(rate: float, share: float) -> float:
    """The rate when `share` of the run is over: full for a half, then along half a cosine to a tenth."""
    late = min(max(2 * share - 1, 0.0), 1.0)
    return rate * (0.1 + 0.9 * (1 + math.cos(math.pi * late)) / 2)


def empty_moments(rows: Rows) -> tuple[dict[str, Any], dict[str, Any]]:
    """AdamW's moments at the beginning."""
    return (
        {name: torch.zeros_like(value) for name, value in rows.items()},
        {name: torch.zeros_like(value) for name, value in rows.items()},
    )
