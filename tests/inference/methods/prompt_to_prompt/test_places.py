"""Places as latents and as pixels."""

import numpy as np
import torch

from inference.methods.prompt_to_prompt.places import shape_of, soft, whole_cells, widened


def test_the_pixels_mask_holds_each_latent_that_changes() -> None:
    mask = np.zeros((8, 8), np.float32)
    mask[2, 5] = 1
    found = soft(mask, (64, 64))
    assert found[16:24, 40:48].min() > 0.95
    assert found[:8].max() == 0
    assert found[40:].max() == 0


def test_a_shape_ends_at_the_pictures_edge() -> None:
    picture = np.full((128, 128, 3), (40, 120, 220), np.uint8)
    picture[40:100, 24:80] = (230, 90, 40)  # cuts the map's cells in two
    true = (picture == (230, 90, 40)).all(-1)
    seen = 0.7 * true.reshape(8, 16, 8, 16).mean((1, 3)).astype(np.float32)
    found = shape_of(seen, picture)
    assert found[44:96, 28:76].min() == 1
    assert found[:20].max() == found[:, 100:].max() == 0


def test_it_is_widened_by_a_share_of_the_maps_cell() -> None:
    shape = np.zeros((64, 64), np.float32)
    shape[32, 32] = 1
    assert widened(shape, cells=4).sum() == 25
    assert widened(shape, cells=8).sum() == 9
    assert widened(shape, cells=32).sum() == 9


def test_latents_that_hold_little_else_are_a_shapes() -> None:
    shape = np.zeros((16, 16), np.float32)
    shape[:8, :7], shape[8:, :5] = 1, 1
    found = whole_cells(shape, torch.zeros(1, 4, 2, 2))
    assert found.tolist() == [[[[1.0, 0.0], [0.0, 0.0]]]]
