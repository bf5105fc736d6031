"""Photos as a concept is learnt from: parts that keep their proportions, and where a map says they are."""

import numpy as np
import pytest
import torch

from inference.methods.concepts.photos import (
    WHOLE,
    Moments,
    crop_of,
    crop_of_alpha,
    part_of,
    place_of,
)


def circle(width: int, height: int, x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    inside = (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
    return np.where(inside[..., None], 255, 40).astype(np.uint8).repeat(3, 2)


@pytest.mark.parametrize(("width", "height"), [(90, 60), (60, 90), (64, 64), (200, 31)])
@pytest.mark.parametrize("crop", [WHOLE, (0.0, 1.0, 0.5), (0.9, 0.1, 0.3), (0.5, 0.5, 0.01)])
def test_a_part_is_inside_and_of_the_models_shape(
    width: int, height: int, crop: tuple[float, float, float]
) -> None:
    left, top, right, bottom = place_of(width, height, crop, 1.0)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert right - left == bottom - top


def test_a_circle_stays_a_circle() -> None:
    part = part_of(circle(120, 60, 80, 30, 20), (80 / 120, 0.5, 1.0), 64, 64)
    inside = part[..., 0] > 128
    assert part.shape == (64, 64, 3)
    assert abs(int(inside.any(0).sum()) - int(inside.any(1).sum())) <= 1


def test_a_map_gives_the_part_around_its_peak_alone() -> None:
    heat = np.zeros((16, 32), np.float32)
    heat[4:8, 20:24] = 1
    heat[10:12, 2:4] = 0.9  # something else
    x, y, side = crop_of(heat, 320, 160, 1.0)
    assert (x, y) == pytest.approx((22 / 32, 6 / 16))
    assert side == pytest.approx(4 / 16 * 3)


@pytest.mark.parametrize("heat", [np.zeros((4, 4)), np.ones((4, 4)), np.eye(4) * 0.01 + 1])
def test_a_map_that_tells_no_place_gives_all(heat: np.ndarray) -> None:
    assert crop_of(heat.astype(np.float32), 100, 100, 1.0) == WHOLE


def test_transparency_says_what_the_subject_is() -> None:
    cut_out = np.zeros((100, 200, 4), np.uint8)
    cut_out[30:50, 120:140] = 255
    found = crop_of_alpha(cut_out, 1.0)
    assert found == pytest.approx((130 / 200, 40 / 100, 0.30), abs=0.01)
    assert part_of(cut_out, WHOLE, 10, 10).shape == (10, 10, 3)
    assert crop_of_alpha(np.full((4, 4, 4), 255, np.uint8), 1.0) is None
    assert crop_of_alpha(np.zeros((4, 4, 4), np.uint8), 1.0) is None


def test_moments_are_drawn_as_the_posterior_is() -> None:
    moments = Moments(torch.full((1, 1, 64, 64), 3.0), torch.full((1, 1, 64, 64), 0.5))
    drawn = moments.drawn(torch.Generator().manual_seed(0))
    assert float(drawn.mean()) == pytest.approx(3.0, abs=0.05)
    assert float(drawn.std()) == pytest.approx(0.5, abs=0.03)
    assert torch.equal(drawn, moments.drawn(torch.Generator().manual_seed(0)))
