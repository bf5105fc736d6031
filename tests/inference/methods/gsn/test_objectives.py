"""Losses of whole passes against slow computations in plain numbers, as the papers write them down."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from inference.methods.gsn.maps import TextMaps
from inference.methods.gsn.objectives import Targets, objective, targets_of
from inference.operations import RefineSubject
from tests.inference.methods.gsn.test_regions import slow_region

TEXT = "a photo of a man and a cat"
SUBJECTS = (RefineSubject(start=13, end=16), RefineSubject(start=23, end=26))
SIDE, TOKENS = 9, tuple(range(1, 76))
MAN, CAT = 4, 7  # their columns


def random_maps(prompt: Any, seed: int, sharpness: float) -> TextMaps:
    """Two samples; the larger `sharpness`, the more a word is seen at one place."""
    generator = torch.Generator().manual_seed(seed)
    part = torch.rand(2, SIDE, SIDE, len(TOKENS), generator=generator) * 0.02
    for row in range(2):
        part[row, 0:3, row : row + 3, MAN] += sharpness
        part[row, 6:9, 0:3, MAN] += 0.98 * sharpness  # seen at two places
        part[row, 3:6, 5:8, CAT] += sharpness
    places = (2, 2, SIDE * SIDE, 3)
    query, key = (2 * torch.randn(places, generator=generator) for _ in range(2))
    return TextMaps(prompt, (part,), ((("clip_l",), TOKENS),), ((query, key, 0.6), (key, query, 0.4)))


def slow_smoothed(seen: list[list[float]]) -> list[list[float]]:
    side = math.exp(-1)
    weights = [side / (1 + 2 * side), 1 / (1 + 2 * side), side / (1 + 2 * side)]

    def at(index: int) -> int:  # reflected
        return -index if index < 0 else 2 * (SIDE - 1) - index if index >= SIDE else index

    return [
        [
            sum(
                weights[i + 1] * weights[j + 1] * seen[at(row + i)][at(column + j)]
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
            )
            for column in range(SIDE)
        ]
        for row in range(SIDE)
    ]


def slow_excitation(maps: TextMaps, row: int, token: int) -> list[list[float]]:
    part = maps.parts[0][row].double().tolist()
    seen = [
        [math.exp(100 * place[token]) / sum(math.exp(100 * value) for value in place) for place in line]
        for line in part
    ]
    return slow_smoothed(seen)


def slow_focus(maps: TextMaps, row: int, place: int) -> list[list[float]]:
    """Softmax of one query's scores, the mean of heads and layers, smoothed."""
    total = [0.0] * (SIDE * SIDE)
    for query, key, scale in maps.focus:
        for head in range(2):
            scores = [
                scale * sum(a * b for a, b in zip(query[row, head, place].tolist(), one, strict=True))
                for one in key[row, head].tolist()
            ]
            whole = sum(math.exp(score) for score in scores)
            total = [x + math.exp(score) / whole / 4 for x, score in zip(total, scores, strict=True)]
    return slow_smoothed([total[i * SIDE : (i + 1) * SIDE] for i in range(SIDE)])


def slow_initno(maps: TextMaps, row: int) -> tuple[float, float, float]:
    """Neglect, conflict (none while the neglect is over one half), and what lies apart."""
    peaks, strays, focus = [], 0.0, []
    for token in (MAN, CAT):
        seen = slow_excitation(maps, row, token)
        flat = [value for line in seen for value in line]
        peaks.append(max(flat))
        region = slow_region(torch.tensor(seen, dtype=torch.float32))
        apart = [seen[i][j] for i in range(SIDE) for j in range(SIDE) if (i, j) not in region]
        if apart and max(apart) > min(seen[i][j] for i, j in region):
            strays += max(apart)
        focus.append(slow_focus(maps, row, flat.index(max(flat))))
    neglect = max(1 - peak for peak in peaks)
    pairs = [(a, b) for one, other in zip(*focus, strict=True) for a, b in zip(one, other, strict=True)]
    conflict = sum(min(a, b) for a, b in pairs) / sum(a + b for a, b in pairs)
    return neglect, 0.0 if neglect > 0.5 else conflict, strays


@pytest.fixture
def prompt(tiny_backbones: dict[str, Any]) -> Any:
    prompt = tiny_backbones["tiny-sd1"].encode_prompt(TEXT)
    assert [prompt.tokens(s.start, s.end)["clip_l"] for s in SUBJECTS] == [(MAN + 1,), (CAT + 1,)]
    return prompt


@pytest.mark.parametrize(
    ("seed", "sharpness", "minds_conflict"), [(0, 0.08, True), (1, 0.08, True), (2, 0.03, False)]
)
def test_initno_is_the_sum_of_its_three_losses(
    seed: int, sharpness: float, minds_conflict: bool, prompt: Any
) -> None:
    maps = random_maps(prompt, seed, sharpness)
    value = objective("initno", targets_of(prompt, SUBJECTS))(maps)
    for row in range(2):
        neglect, conflict, strays = slow_initno(maps, row)
        assert (neglect <= 0.5, conflict > 0) == (minds_conflict, minds_conflict)
        assert (strays > 0) or not minds_conflict
        assert value[row].item() == pytest.approx(neglect + conflict + strays, abs=1e-5)


def test_the_terms_of_a_loss_are_added_or_averaged(prompt: Any) -> None:
    """SAGA's learning rate belongs to the mean of neglect and overlap: the sum would go twice as far."""
    maps = random_maps(prompt, 3, 0.2)
    targets: Targets = targets_of(prompt, SUBJECTS)

    def gradient(**how: Any) -> Tensor:
        part = maps.parts[0].clone().requires_grad_()
        loss = objective("neglect+overlap", targets, **how)(TextMaps(prompt, (part,), maps.tokens))
        return torch.autograd.grad(loss.sum(), part)[0]

    seen = [[slow_excitation(maps, row, token) for token in (MAN, CAT)] for row in range(2)]
    for row, value in enumerate(objective("neglect+overlap", targets, averaged=True)(maps).tolist()):
        flat = [[x for line in one for x in line] for one in seen[row]]
        neglect = max(1 - max(one) for one in flat)
        overlap = sum(map(min, *flat)) / sum(map(sum, flat))
        assert value == pytest.approx((neglect + overlap) / 2, abs=1e-5)
    torch.testing.assert_close(gradient(), 2 * gradient(averaged=True))
    neglect = objective("neglect", targets)(maps)
    torch.testing.assert_close(objective("neglect", targets, averaged=True)(maps), neglect)
