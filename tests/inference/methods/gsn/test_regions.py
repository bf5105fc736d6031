"""The region of a peak against a slow flood fill and a slow search for Otsu's threshold."""

import pytest
import torch
from torch import Tensor

from inference.methods.gsn.regions import around_peak, otsu


def slow_otsu(seen: Tensor) -> int:
    levels = [int(value * 255) for value in seen.flatten().tolist()]
    best, found = 0.0, 0
    for t in range(256):
        low, high = [x for x in levels if x <= t], [x for x in levels if x > t]
        if low and high:
            apart = sum(low) / len(low) - sum(high) / len(high)
            between = len(low) * len(high) * apart**2
            if between > best * (1 + 1e-12):
                best, found = between, t
    return found


def slow_region(seen: Tensor) -> set[tuple[int, int]]:
    height, width = seen.shape
    least = slow_otsu(seen) / 255
    peak = divmod(int(seen.argmax()), width)
    region, new = {peak}, [peak]
    while new:
        row, column = new.pop()
        for place in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            is_inside = 0 <= place[0] < height and 0 <= place[1] < width
            if is_inside and place not in region and float(seen[place]) >= least:
                region.add(place)
                new.append(place)
    return region


@pytest.mark.parametrize("size", [(1, 5), (4, 4), (7, 9), (16, 16)])
def test_regions_are_those_of_a_flood_fill(size: tuple[int, int]) -> None:
    seen = torch.rand(6, *size, generator=torch.Generator().manual_seed(0)).double()
    found = around_peak(seen)
    for one, region in zip(seen, found, strict=True):
        assert {(row, column) for row, column in region.nonzero().tolist()} == slow_region(one)
        assert 0 < len(slow_region(one)) <= one.numel()
    assert otsu(seen).tolist() == [slow_otsu(one) for one in seen]


def test_a_snake_is_followed_to_its_end() -> None:
    seen = torch.full((1, 6, 6), 0.02)
    seen[0, 5, 5] = 0.1  # the last level of the lower class
    path = [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (0, 4),
        (1, 4),
        (2, 4),
        (2, 3),
        (2, 2),
        (2, 1),
        (2, 0),
        (3, 0),
        (4, 0),
    ]
    for step, place in enumerate(path):
        seen[0, *place] = 0.9 - 0.01 * step
    seen[0, 4, 2] = 0.9 - 0.05  # beside it, without touching
    assert around_peak(seen)[0].nonzero().tolist() == sorted([row, column] for row, column in path)


def test_a_flat_map_is_one_region() -> None:
    assert around_peak(torch.full((1, 3, 3), 0.4)).all()
    assert otsu(torch.full((1, 3, 3), 0.4)).tolist() == [0]
