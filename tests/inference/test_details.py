"""What a smaller copy lacks comes back where nothing changed."""

import numpy as np
import pytest
from PIL import Image

from inference.details import MOST_GRAIN, _grain, brought_back, changes


def photo(width: int = 320, height: int = 240, grain: float = 3.0) -> np.ndarray:
    random = np.random.default_rng(4)
    coarse = Image.fromarray(random.integers(40, 216, (6, 8, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return np.clip(np.rint(smooth + random.normal(0, grain, smooth.shape)), 0, 255).astype(np.uint8)


def copy_of(pixels: np.ndarray, width: int = 64, height: int = 48) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("size", [(64, 48), (75, 50), (611, 450), (1100, 800)])
def test_in_blocks_it_is_what_the_whole_picture_says(size: tuple[int, int]) -> None:
    """result = picture + enlarged(edited - unedited) + change * (enlarged(unedited) - picture), by Pillow."""
    picture = photo(550, 411, grain=0.0)
    picture[200:260] = np.rint(picture[200:260] * 0.5)  # structure, and so no grain
    copy = copy_of(picture, *size)
    edited = copy.copy()
    edited[size[1] // 4 : size[1] // 2, size[0] // 3 :] = (30, 200, 60)

    def enlarged(values: np.ndarray) -> np.ndarray:
        planes = [
            Image.fromarray(np.ascontiguousarray(plane, np.float32)) for plane in np.moveaxis(values, 2, 0)
        ]
        return np.dstack([plane.resize((550, 411), Image.Resampling.BICUBIC) for plane in planes])

    share = np.clip(enlarged(changes(edited, copy)[..., None]), 0, 1)
    wanted = picture + enlarged(edited.astype(np.float32) - copy) + share * (enlarged(copy) - picture)
    found = brought_back(picture, copy, edited).astype(np.float32)
    assert np.abs(found - np.clip(wanted, 0, 255)).max() <= 0.51 + 4 * _grain(picture, copy)


def test_without_a_change_it_is_the_picture() -> None:
    picture = photo()
    copy = copy_of(picture)
    assert np.array_equal(brought_back(picture, copy, copy), picture)


@pytest.mark.parametrize("size", [(400, 304), (1280, 960)])
def test_of_a_larger_copy_only_what_it_changed_is_taken(size: tuple[int, int]) -> None:
    """Scaled up and down again a picture is not what it was."""
    picture = photo()
    copy = copy_of(picture, *size)
    assert np.array_equal(brought_back(picture, copy, copy), picture)
    edited = copy.copy()
    edited[: size[1] // 8, : size[0] // 8] = (250, 20, 20)
    found = brought_back(picture, copy, edited)
    assert np.array_equal(found[:, 160:], picture[:, 160:])
    assert np.array_equal(found[160:], picture[160:])
    assert (found[:10, :10] == (250, 20, 20)).all()


def test_what_is_far_from_a_change_is_the_picture_bit_for_bit() -> None:
    picture = photo()
    copy = copy_of(picture)
    edited = copy.copy()
    edited[10:20, 10:20] = (250, 20, 20)
    found = brought_back(picture, copy, edited)
    touched = np.asarray(Image.fromarray((changes(edited, copy) * 255).astype(np.uint8)).resize((320, 240)))
    assert np.array_equal(found[:, 160:], picture[:, 160:])
    assert np.array_equal(found[160:], picture[160:])
    assert (touched[:, 160:] == 0).all()
    inside = found[65:85, 65:85].astype(float)
    assert np.abs(inside.mean((0, 1)) - (250, 20, 20)).max() < 4


@pytest.mark.parametrize("grain", [0.0, 2.0, 5.0])
def test_what_was_changed_has_the_grain_of_the_picture(grain: float) -> None:
    flat = np.full((240, 320, 3), 128, np.float32)
    noise = np.random.default_rng(1).normal(0, grain, flat.shape[:2])[..., None]
    picture = np.clip(np.rint(flat + noise), 0, 255).astype(np.uint8)
    copy = copy_of(picture)
    edited = np.full_like(copy, 90)
    found = brought_back(picture, copy, edited)
    assert found.astype(float).mean(-1).std() == pytest.approx(grain, abs=0.35 + grain * 0.2)
    assert abs(found.astype(float).mean() - 90) < 0.5


def test_structure_is_no_grain() -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[::2] = 255
    copy = copy_of(picture)
    found = brought_back(picture, copy, np.full_like(copy, 40))
    assert found.astype(float).mean(-1).std() <= MOST_GRAIN * 1.1


def test_the_edge_of_a_change_on_flat_ground_shows_no_step() -> None:
    picture = np.full((240, 320, 3), 128, np.uint8)
    copy = copy_of(picture)
    edited = copy.astype(np.int16)
    edited[:, 30:] += 3  # below what counts as a change: as the autoencoder shifts colours
    found = brought_back(picture, copy, edited.astype(np.uint8)).astype(float)
    assert np.abs(np.diff(found.mean((0, 2)))).max() < 1.5
