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


def test_variation_is_the_mean_difference_down_and_to_the_right() -> None:
    # a square of ones, 4 of 8 wide: 8 of 56 neighbours differ in each direction
    seen = torch.zeros(1, 8, 8)
    seen[:, 2:6, 2:6] = 1
    assert losses.variation([seen]).tolist() == pytest.approx([1 - 16 / 56])
    assert losses.variation([seen, 0.5 * seen]).tolist() == pytest.approx([1 - 8 / 56])
    assert losses.variation([torch.zeros(1, 8, 8)]).tolist() == [1]
    # down: 0.8, 0; to the right: 0.7, 0.1
    assert losses.variation([A]).tolist() == pytest.approx([1 - 0.8 / 2 - 0.8 / 2])
    assert losses.variation([maps([[0.0, 1.0, 1.0]])]).tolist() == pytest.approx([0.5])


@pytest.mark.parametrize("size", [8, 16])
def test_the_gradient_of_variation_is_that_of_a_mean(size: int) -> None:
    """A peak inside changes the difference to its four neighbours, each one of size·(size - 1)."""
    seen = torch.zeros(1, size, size)
    seen[0, 3, 3] = 0.5
    seen.requires_grad_()
    (gradient,) = torch.autograd.grad(losses.variation([seen]).sum(), seen)
    assert gradient[0, 3, 3].item() == pytest.approx(-4 / (size * (size - 1)))


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
    # pairs are added up, of one subject and of several
    assert losses.agreement([[q, p, p]]).tolist() == pytest.approx([symmetric], rel=1e-5)
    assert losses.agreement([[q, q, p]]).tolist() == pytest.approx([2 * symmetric], rel=1e-5)
    assert losses.agreement([[q, p], [q, p]]).tolist() == pytest.approx([2 * symmetric], rel=1e-5)
    assert losses.agreement([[p], [q]]).tolist() == [0]


def test_separation_pushes_subjects_from_all_other_words() -> None:
    p, q = maps([[0.5, 0.5]]), maps([[0.75, 0.25]])
    symmetric = 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2) + 0.75 * math.log(1.5) - 0.25 * LOG2)
    assert losses.separation([[p], [q]], []).tolist() == pytest.approx([-2 * symmetric], rel=1e-5)
    # for the first: q and another p, for the second: p and p
    assert losses.separation([[p], [q]], [p]).tolist() == pytest.approx([-1.5 * symmetric], rel=1e-5)
    assert losses.separation([[p]], []).tolist() == [0]
    # two pairs (q, p) and an outer p: each has half of q's distance, and none of p's
    assert losses.separation([[q, q, p]], [p]).tolist() == pytest.approx([-symmetric], rel=1e-5)


def slow_divergence(a: list[float], b: list[float]) -> float:
    a, b = [x / sum(a) for x in a], [x / sum(b) for x in b]
    return sum(0.5 * (x - y) * math.log(x / y) for x, y in zip(a, b, strict=True))


def slow_syngen(groups: list[list[list[float]]], others: list[list[float]]) -> float:
    """arXiv:2306.08877, section 3.2, word by word: L_pos + L_neg in plain numbers."""
    total = 0.0
    for i, group in enumerate(groups):
        noun = group[-1]
        unmatched = [word for j, other in enumerate(groups) if j != i for word in other] + others
        for modifier in group[:-1]:
            total += slow_divergence(modifier, noun)
        for modifier in group[:-1] or [noun]:
            for word in unmatched:
                apart = 0.5 * (slow_divergence(modifier, word) + slow_divergence(word, noun))
                total -= apart / len(unmatched)
    return total


def test_syngen_adds_up_its_pairs() -> None:
    """Two modifiers that look elsewhere than their noun: +0.172, where means over pairs would give -0.018."""
    big, red, car = [0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.2, 0.6]
    grass = [0.1, 0.2, 0.7]
    value = losses.agreement([[maps([big]), maps([red]), maps([car])]])
    # to the noun: 0.4·ln 3 each
    assert value.item() == pytest.approx(0.8789, abs=1e-4)
    value = value + losses.separation([[maps([big]), maps([red]), maps([car])]], [maps([grass])])
    # to the other word: 0.25·ln 6 + 0.25·ln 3.5 = 0.7611, 0.05·ln 2 + 0.2·ln 3 + 0.25·ln 3.5 = 0.5676, and
    # the noun 0.05·ln 2 + 0.05·ln(7/6) = 0.0424, for each of the pairs
    by_hand = 0.8789 - 0.5 * (0.7611 + 0.0424) - 0.5 * (0.5676 + 0.0424)
    assert value.item() == pytest.approx(by_hand, abs=2e-4)
    assert value.item() == pytest.approx(slow_syngen([[big, red, car]], [grass]), abs=1e-6)
    assert value.item() == pytest.approx(0.1722, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_syngen_is_the_papers_sum_on_any_maps(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    sizes, count = [1 + seed % 3, 3, 1, 2], seed % 3
    groups = [[torch.rand(1, 3, 4, generator=generator) + 0.01 for _ in range(size)] for size in sizes]
    others = [torch.rand(1, 3, 4, generator=generator) + 0.01 for _ in range(count)]
    value = losses.agreement(groups) + losses.separation(groups, others)
    plain = [[word.flatten().tolist() for word in group] for group in groups]
    expected = slow_syngen(plain, [word.flatten().tolist() for word in others])
    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_strays_are_what_is_seen_apart_from_the_main_region() -> None:
    # levels 5, 25, 153, 204, 229 part after 25: the places of the peak, and the two at the right, reach that
    seen = maps([[0.9, 0.6, 0.02, 0.8], [0.02, 0.02, 0.02, 0.1]])
    assert losses.strays([seen]).tolist() == pytest.approx([0.8])
    assert losses.strays([seen, seen]).tolist() == pytest.approx([1.6])
    # weaker than the weakest place of the region: not minded
    weaker = maps([[0.9, 0.8, 0.02, 0.7], [0.02, 0.02, 0.02, 0.1]])
    assert losses.strays([weaker]).tolist() == [0]
    both = torch.cat([seen, weaker]).requires_grad_()
    (gradient,) = torch.autograd.grad(losses.strays([both]).sum(), both)
    assert gradient.nonzero().tolist() == [[0, 0, 3]]


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
        lambda a, b: losses.strays([a, b]),
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
