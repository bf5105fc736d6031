"""Losses on small maps, computed by hand."""

import math

import pytest
import torch
from torch import Tensor

from inference.methods.gsn import losses
from inference.methods.gsn.maps import smoothed

LOG2 = math.log(2)


def maps(*rows: list[list[float]]) -> Tensor:
    """One map a sample: [N, h, w]."""
    return torch.tensor(rows)


A = maps([[0.8, 0.1], [0.0, 0.1]])
B = maps([[0.2, 0.5], [0.0, 0.3]])


def test_neglect_is_the_worst_subject() -> None:
    assert losses.neglect([A]).tolist() == pytest.approx([0.2])
    assert losses.neglect([A, B]).tolist() == pytest.approx([0.5])


def test_overlap_is_shared_mass_over_all_mass() -> None:
    # Σmin = 0.2 + 0.1 + 0 + 0.1, Σ(A + B) = 1 + 1
    assert losses.overlap([A, B]).tolist() == pytest.approx([0.4 / 2])
    assert losses.overlap([A, A]).tolist() == pytest.approx([0.5])
    assert losses.overlap([A]).tolist() == [0]
    none = maps([[0.0, 0.0], [1.0, 0.0]])
    # the mean over the pairs AB, A·none, B·none
    assert losses.overlap([A, B, none]).tolist() == pytest.approx([0.2 / 3])


def test_variation_of_a_rectangle_half_as_wide_and_high_is_zero() -> None:
    seen = torch.zeros(1, 8, 8)
    seen[:, 2:6, 2:6] = 1
    assert losses.variation([seen]).tolist() == pytest.approx([0])
    assert losses.variation([seen, 0.5 * seen]).tolist() == pytest.approx([0.5])
    assert losses.variation([torch.zeros(1, 8, 8)]).tolist() == [1]


def test_binding_is_the_jensen_shannon_divergence() -> None:
    left, right = maps([[1.0, 0.0]]), maps([[0.0, 1.0]])
    assert losses.binding([(left, right)]).tolist() == pytest.approx([LOG2])
    assert losses.binding([(left, 3 * left)]).tolist() == pytest.approx([0], abs=1e-6)
    # p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4)
    half = maps([[1.0, 1.0]])
    expected = 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2)) + 0.5 * math.log(4 / 3)
    assert losses.binding([(half, left)]).tolist() == pytest.approx([expected], abs=1e-6)
    assert losses.binding([(half, left), (left, left)]).tolist() == pytest.approx([expected / 2], abs=1e-6)


def test_agreement_is_the_symmetric_divergence_of_noun_and_modifiers() -> None:
    p, q = maps([[0.5, 0.5]]), maps([[0.75, 0.25]])
    symmetric = 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2) + 0.75 * math.log(1.5) - 0.25 * LOG2)
    assert losses.agreement([[q, p]]).tolist() == pytest.approx([symmetric], rel=1e-5)
    # two modifiers are averaged, two subjects added up
    assert losses.agreement([[q, p, p]]).tolist() == pytest.approx([symmetric / 2], rel=1e-5)
    assert losses.agreement([[q, p], [q, p]]).tolist() == pytest.approx([2 * symmetric], rel=1e-5)
    assert losses.agreement([[p], [q]]).tolist() == [0]


def test_separation_pushes_subjects_from_all_other_words() -> None:
    p, q = maps([[0.5, 0.5]]), maps([[0.75, 0.25]])
    symmetric = 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2) + 0.75 * math.log(1.5) - 0.25 * LOG2)
    assert losses.separation([[p], [q]], []).tolist() == pytest.approx([-2 * symmetric], rel=1e-5)
    # for the first: q and another p, for the second: p and p
    assert losses.separation([[p], [q]], [p]).tolist() == pytest.approx([-1.5 * symmetric], rel=1e-5)
    assert losses.separation([[p]], []).tolist() == [0]


def test_divergence_from_the_unit_normal() -> None:
    zeros = torch.zeros(1, 2, 1, 1)
    assert losses.divergence(zeros, zeros).tolist() == [0]
    mean = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    log_variance = torch.tensor([0.0, LOG2]).reshape(1, 2, 1, 1)
    assert losses.divergence(mean, log_variance).tolist() == pytest.approx([(0.5 + 0.5 * (1 - LOG2)) / 2])


def test_every_loss_is_one_number_a_sample_and_samples_do_not_mix() -> None:
    many = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0)) + 0.1
    other = many.flip(2)
    for loss in (
        lambda a, b: losses.neglect([a, b]),
        lambda a, b: losses.overlap([a, b]),
        lambda a, b: losses.variation([a, b]),
        lambda a, b: losses.binding([(a, b)]),
        lambda a, b: losses.agreement([[a, b]]),
        lambda a, b: losses.separation([[a], [b]], []),
    ):
        together = loss(many, other)
        assert together.shape == (3,)
        apart = torch.cat([loss(many[i : i + 1], other[i : i + 1]) for i in range(3)])
        torch.testing.assert_close(together, apart)


def test_the_kernel_has_the_published_weights() -> None:
    """σ = 0.5 in exp(-(x/2σ)²): e⁻¹ beside the middle, and reflection at the borders."""
    seen = torch.zeros(1, 5, 5)
    seen[0, 2, 2] = 1
    side, whole = math.exp(-1), 1 + 2 * math.exp(-1)
    line = torch.tensor([0, side / whole, 1 / whole, side / whole, 0])
    torch.testing.assert_close(smoothed(seen)[0], torch.outer(line, line))
    corner = torch.zeros(1, 3, 3)
    corner[0, 1, 1] = 1  # seen twice from each corner's two directions
    assert smoothed(corner)[0, 0, 0] == pytest.approx((2 * side / whole) ** 2)
    torch.testing.assert_close(smoothed(torch.ones(1, 3, 4)), torch.ones(1, 3, 4))
