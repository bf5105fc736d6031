"""One change of a concept's rows against slow formulas of its own: angles and loops, no projections."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from inference.methods.concepts.steps import (
    cosine_rate,
    directional_step,
    first_rows,
    kept_of_kind,
    near_their_kind,
    plain_step,
)

Array = NDArray[np.float64]


def slow_directional(
    row: Array, gradient: Array, prior: Array, length: float, rate: float, kappa: float
) -> Array:
    """The step on the sphere as a rotation in the plane of v and the direction of steepest descent.

    v stays unit length; it turns by arctan(rate) towards where loss - κ·(μ·v) falls fastest.
    """
    v = row / math.sqrt(sum(x * x for x in row))

    def objective(direction: Array) -> float:
        # linear around v: the gradient in the row e = length·v, and the prior
        return sum(g * length * d - kappa * m * d for g, m, d in zip(gradient, prior, direction, strict=True))

    # steepest descent on the sphere, found coordinate by coordinate in a basis of the tangent plane
    basis: list[Array] = []
    for axis in np.eye(len(v)):
        rest = axis - (axis @ v) * v
        for other in basis:
            rest = rest - (rest @ other) * other
        if math.sqrt(rest @ rest) > 1e-9:
            basis.append(rest / math.sqrt(rest @ rest))
    slopes = [objective(one) for one in basis]
    size = math.sqrt(sum(slope * slope for slope in slopes))
    downhill = sum((-slope / size) * one for slope, one in zip(slopes, basis, strict=True))
    angle = math.atan(rate)
    return length * (math.cos(angle) * v + math.sin(angle) * downhill)


@pytest.mark.parametrize("rate", [0.01, 0.3])
@pytest.mark.parametrize("kappa", [0.0, 1e-4, 0.5])
def test_a_directional_step_is_a_rotation_downhill(rate: float, kappa: float) -> None:
    generator = np.random.default_rng(1)
    rows, gradient = generator.normal(size=(3, 12)), generator.normal(size=(3, 12)) * 1e-3
    prior = generator.normal(size=12)
    prior /= np.linalg.norm(prior)
    found = directional_step(
        torch.tensor(rows, dtype=torch.float32),
        torch.tensor(gradient, dtype=torch.float32),
        torch.tensor(prior, dtype=torch.float32),
        0.37,
        rate,
        kappa,
    ).numpy()
    for row, slope, new in zip(rows, gradient, found, strict=True):
        np.testing.assert_allclose(new, slow_directional(row, slope, prior, 0.37, rate, kappa), atol=2e-6)


def test_every_step_turns_by_the_same_angle_whatever_the_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(4, 32, generator=generator), dim=1) * 0.4
    for size in (1e-9, 1.0, 1e6):
        gradient = torch.randn(4, 32, generator=generator) * size
        new = directional_step(rows, gradient, torch.zeros(32), 0.4, 0.05)
        torch.testing.assert_close(new.norm(dim=1), torch.full((4,), 0.4))
        cosines = torch.nn.functional.cosine_similarity(rows.double(), new.double())
        torch.testing.assert_close(
            torch.acos(cosines), torch.full((4,), math.atan(0.05)).double(), atol=1e-4, rtol=1e-3
        )


def test_rows_that_began_as_the_kind_stay_in_its_cone() -> None:
    generator = torch.Generator().manual_seed(1)
    kind = torch.randn(2, 48, generator=generator)
    for far in (0.05, 0.4, 3.0):
        aside = torch.randn(4, 48, generator=generator)
        rows = torch.cat([aside[:2], kind + far * aside[2:]])
        found = near_their_kind(rows, kind, 0.9)
        torch.testing.assert_close(found.norm(dim=1), rows.norm(dim=1))
        assert torch.equal(found[:2], rows[:2]), "the others say how it looks, and are free"
        before = torch.cosine_similarity(rows[2:], kind).tolist()
        after = torch.cosine_similarity(found[2:], kind).tolist()
        for row in range(2):
            assert after[row] == pytest.approx(max(before[row], 0.9), abs=1e-6)
            # no further than needed: in the plane of the row and its kind
            plane = torch.stack([rows[2 + row], kind[row]], 1)
            answer = torch.linalg.lstsq(plane, found[2 + row, :, None]).solution
            torch.testing.assert_close((plane @ answer)[:, 0], found[2 + row], atol=1e-5, rtol=1e-5)


def test_without_a_row_of_its_own_a_concept_turns_freely() -> None:
    rows = torch.eye(2, 8)
    for count, kind in ((1, torch.ones(1, 8)), (2, torch.ones(2, 8)), (1, torch.ones(3, 8))):
        kept = kept_of_kind(kind, count)
        assert torch.equal(near_their_kind(rows[:count], kept), rows[:count])


def test_a_gradient_along_the_row_turns_nothing() -> None:
    rows = torch.eye(2, 8)
    torch.testing.assert_close(directional_step(rows, rows * 3, torch.zeros(8), 1.0, 0.1), rows)


def test_the_prior_pulls_towards_the_kind() -> None:
    rows, prior = torch.eye(1, 8), torch.eye(8)[3]
    new = directional_step(rows, torch.zeros(1, 8), prior, 1.0, 0.1)
    assert float(new[0, 3]) == pytest.approx(0.1 / math.sqrt(1.01))


def test_plain_steps_are_those_of_torch() -> None:
    """AdamW of torch with the published rate, for a table whose numbers are of CLIP's size."""
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(2, 768, generator=generator) * 0.01
    theirs = start.clone().requires_grad_()
    optimiser = torch.optim.AdamW([theirs], lr=2e-3, weight_decay=0.01)
    rows, average, square = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    for count in range(1, 6):
        gradient = torch.randn(2, 768, generator=generator)
        theirs.grad = gradient.clone()
        optimiser.step()
        rows = plain_step(rows, gradient, average, square, count, 0.4, 2e-3)
    torch.testing.assert_close(rows, theirs.detach(), atol=1e-7, rtol=1e-5)


def test_plain_steps_scale_with_the_table() -> None:
    rows, gradient = torch.zeros(1, 4), torch.ones(1, 4)
    small, large = (
        plain_step(rows, gradient, torch.zeros(1, 4), torch.zeros(1, 4), 1, length, 2e-3)
        for length in (1.0, 7.0)
    )
    torch.testing.assert_close(large, 7 * small)


class TestBeginning:
    kind = torch.arange(1.0, 9.0).reshape(2, 4)

    def test_a_word_of_one_token(self) -> None:
        rows = first_rows(self.kind[:1], 1, None, torch.Generator())
        torch.testing.assert_close(rows, self.kind[:1])

    def test_further_rows_are_a_little_turned(self) -> None:
        rows = first_rows(self.kind[:1], 3, 2.0, torch.Generator().manual_seed(0))
        torch.testing.assert_close(rows.norm(dim=1), torch.full((3,), 2.0))
        cosines = torch.nn.functional.cosine_similarity(rows, self.kind[:1].expand(3, 4))
        assert cosines.min() > 0.8
        assert not torch.equal(rows[0], rows[1])
        torch.testing.assert_close(cosines[2], torch.tensor(1.0))

    def test_further_rows_begin_at_a_word_that_says_little(self) -> None:
        neutral = torch.zeros_like(self.kind[:1])
        neutral[0, 0] = 3.0
        rows = first_rows(self.kind[:1], 3, None, torch.Generator().manual_seed(0), neutral)
        torch.testing.assert_close(rows[2:], self.kind[:1])
        assert not torch.equal(rows[0], rows[1]), "so that they can part"
        likeness = torch.nn.functional.cosine_similarity(rows[:2], neutral)
        assert (likeness > 0.9).all()

    def test_a_word_of_several_tokens(self) -> None:
        generator = torch.Generator().manual_seed(0)
        torch.testing.assert_close(first_rows(self.kind, 2, None, generator), self.kind)
        torch.testing.assert_close(first_rows(self.kind, 1, None, generator), self.kind[1:])


def test_the_rate_is_full_for_a_half_and_a_tenth_at_the_end() -> None:
    assert [cosine_rate(1.0, share) for share in (0, 0.5, 1, 2)] == pytest.approx([1, 1, 0.1, 0.1])
    assert 0.1 < cosine_rate(1.0, 0.75) < 1
