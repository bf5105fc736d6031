"""A method's picture in documents of any depth, profile and transparency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from editor.colour.conversion import built_in_profile, from_srgb
from editor.generating.ground import Ground, brought, ground_of
from editor.generating.pictures_below import picture_at
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite_samples

RNG = np.random.default_rng(7)
PROFILES = {
    "srgb": b"",
    "display-p3": built_in_profile("display-p3"),
    "prophoto": built_in_profile("prophoto"),
}


def photo(depth: int, alpha: bool, height: int = 300, width: int = 280) -> Raster:
    kind = np.uint16 if depth == 16 else np.uint8
    samples = RNG.integers(0, np.iinfo(kind).max + 1, (height, width, 4), kind)
    if not alpha:
        samples[..., 3] = np.iinfo(kind).max
    return Raster.of(samples)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("depth", [8, 16])
def test_where_nothing_changed_it_is_the_document_to_the_last_bit(
    depth: int, profile: str, alpha: bool
) -> None:
    layer = Layer(name="photo", raster=photo(depth, alpha))
    state = replace(DocumentState.of_layer(layer), icc_profile=PROFILES[profile])
    area = Area(8, 4, 270, 290)
    picture = picture_at(state.layers, area, state.icc_profile, state.area)
    ground = ground_of(state, state.layers, area, picture)
    assert ground is not None
    changed = np.array(picture)
    changed[100:140, 100:150, :3] = 255 - changed[100:140, 100:150, :3]
    made = ground.brought(changed).array()
    own = composite_samples(state.layers, area, depth, bounds=state.area)
    kept = np.ones(made.shape[:2], bool)
    kept[100:140, 100:150] = False
    made = np.where(own[..., 3:] > 0, made, 0)  # colours without alpha are nobody's
    assert np.array_equal(made[kept], own[kept])
    assert (made[~kept][:, :3] != own[~kept][:, :3]).any(-1).mean() > 0.9


def test_a_change_keeps_the_depth_below_it() -> None:
    """A smooth ramp of 16 bits that gets brighter is as smooth as before, not 256 steps."""
    ramp = np.linspace(10_000, 14_000, 256).astype(np.uint16)
    samples = np.dstack([np.broadcast_to(ramp, (256, 256))] * 3 + [np.full((256, 256), 65535, np.uint16)])
    layer = Layer(name="ramp", raster=Raster.of(np.ascontiguousarray(samples)))
    state = DocumentState.of_layer(layer)
    picture = picture_at(state.layers, state.area, b"", state.area)
    ground = ground_of(state, state.layers, state.area, picture)
    assert ground is not None
    made = ground.brought((picture + 20).astype(np.uint8)).array()
    assert np.array_equal(made[..., :3], samples[..., :3] + 20 * 257)
    assert len(np.unique(made[0, :, 0])) == 256


def test_unchanged_tiles_are_the_document_s_own() -> None:
    layer = Layer(name="photo", raster=photo(16, alpha=False, height=600, width=600))
    state = DocumentState.of_layer(layer)
    picture = picture_at(state.layers, state.area, b"", state.area)
    ground = ground_of(state, state.layers, state.area, picture)
    assert ground is not None
    changed = np.array(picture)
    changed[:5, :5] ^= 255
    made = ground.brought(changed)
    assert made.difference(ground.original) == Area(0, 0, 256, 256)


def test_a_picture_that_no_longer_shows_there_is_no_ground_of_deep_documents() -> None:
    layer = Layer(name="photo", raster=photo(16, alpha=False))
    state = DocumentState.of_layer(layer)
    other = RNG.integers(0, 256, (300, 280, 3), np.uint8)
    assert ground_of(state, state.layers, state.area, other) is None
    assert ground_of(state, state.layers, state.area, other[:10]) is None
    assert np.array_equal(brought(None, other, b"").array()[..., :3], other)


def test_without_ground_colours_are_the_profile_s() -> None:
    result = RNG.integers(0, 256, (20, 20, 3), np.uint8)
    made = brought(None, result, PROFILES["display-p3"])
    assert np.array_equal(made.array()[..., :3], from_srgb(result, PROFILES["display-p3"]))


def test_a_result_of_another_size_stands_by_itself() -> None:
    picture = RNG.integers(0, 256, (20, 20, 3), np.uint8)
    ground = Ground(picture, Raster.of(np.dstack([picture, np.full((20, 20), 255, np.uint8)])))
    assert brought(ground, picture[:10], b"").height == 10
