"""Maps of attention led along the edges of a picture, against the filter written out pixel by pixel."""

import numpy as np
import torch
from numpy.typing import NDArray

from inference.methods.outlines import SMOOTHING, outlined


def scene(size: int) -> tuple[torch.Tensor, NDArray[np.bool_]]:
    """A coloured disc on ground of another colour, both a little noisy: [3, H, W], [H, W]."""
    rows, columns = np.mgrid[:size, :size]
    disc = (rows - 0.55 * size) ** 2 + (columns - 0.4 * size) ** 2 < (0.22 * size) ** 2
    planes = np.where(
        disc, np.array([0.8, 0.3, 0.2])[:, None, None], np.array([0.3, 0.6, 0.9])[:, None, None]
    )
    planes = planes + np.random.default_rng(0).normal(0, 0.01, planes.shape)
    return torch.tensor(planes, dtype=torch.float32), disc


def cells(shape: NDArray[np.bool_], count: int) -> torch.Tensor:
    step = len(shape) // count
    return torch.tensor(shape.reshape(count, step, count, step).mean((1, 3)), dtype=torch.float32)


def slow(rough: NDArray[np.float64], guide: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """The guided filter, a window at a time."""
    height, width = rough.shape
    slopes, rests = np.zeros((height, width, 3)), np.zeros((height, width))

    def window(row: int, column: int) -> tuple[slice, slice]:
        rows = slice(max(0, row - radius), row + radius + 1)
        return rows, slice(max(0, column - radius), column + radius + 1)

    for row in range(height):
        for column in range(width):
            colours = guide[:, *window(row, column)].reshape(3, -1)
            values = rough[window(row, column)].ravel()
            spread = np.cov(colours, bias=True) + SMOOTHING * np.eye(3)
            together = (colours * values).mean(1) - colours.mean(1) * values.mean()
            slopes[row, column] = np.linalg.solve(spread, together)
            rests[row, column] = values.mean() - slopes[row, column] @ colours.mean(1)
    found = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            slope = slopes[window(row, column)].reshape(-1, 3).mean(0)
            found[row, column] = slope @ guide[:, row, column] + rests[window(row, column)].mean()
    return found


def test_it_is_the_guided_filter() -> None:
    picture, disc = scene(32)
    seen = cells(disc, 8)
    rough = torch.nn.functional.interpolate(seen[None, None], size=(32, 32), mode="bilinear")[0, 0]
    expected = slow(rough.double().numpy(), picture.double().numpy(), radius=4)
    np.testing.assert_allclose(outlined(seen, picture).numpy(), expected, atol=1e-5)


def test_a_shape_of_few_cells_gets_the_outline_of_the_picture() -> None:
    """At the size of the windows, and where coefficients come from a smaller picture."""
    for size in (128, 384):
        picture, disc = scene(size)
        seen = cells(disc, 8)
        rough = torch.nn.functional.interpolate(seen[None, None], size=(size, size), mode="bilinear")[0, 0]

        def overlap(shape: NDArray[np.bool_], disc: NDArray[np.bool_] = disc) -> float:
            return float((shape & disc).sum() / (shape | disc).sum())

        assert overlap(outlined(seen, picture).numpy() > 0.5) > 0.97
        assert overlap(rough.numpy() > 0.5) < 0.93


def test_where_the_picture_has_no_edges_the_map_fades_as_it_did() -> None:
    seen = torch.zeros(4, 4)
    seen[1:3, 1:3] = 1
    found = outlined(seen, torch.full((3, 64, 64), 0.5))
    assert found[32, 32] > 0.5
    assert found[2, 2] < 0.2  # windows at the border see less of it
    assert float(found.diff(dim=0).abs().max()) < 0.1
