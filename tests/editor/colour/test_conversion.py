"""Conversions against LittleCMS and against the profiles' own definitions."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from editor.colour import conversion as colour
from editor.colour import icc
from editor.pixels.raster import Raster
from inference.errors import EditorError
from tests.editor.samples import noise

P3 = colour.built_in_profile("display-p3")
ADOBE = colour.built_in_profile("adobe-rgb")
SRGB = colour.built_in_profile("srgb")


def test_every_built_in_profile_is_one_that_littlecms_reads() -> None:
    for name in colour.PROFILES:
        profile = colour.built_in_profile(name)
        assert icc.is_rgb(profile)
        assert icc.shaper_of(profile) is not None
        assert colour.is_usable(profile)
        assert colour.profile_name(profile)
    with pytest.raises(EditorError, match="no colour profile"):
        colour.built_in_profile("nothing")


def test_primaries_of_display_p3_are_where_they_belong() -> None:
    red = colour.to_srgb(np.array([[[255, 0, 0, 7]]], np.uint8), P3)
    np.testing.assert_array_equal(red, [[[255, 0, 0, 7]]])  # out of sRGB's gamut: clipped
    inside = colour.from_srgb(np.array([[[255, 0, 0, 7]]], np.uint8), P3)
    assert np.abs(inside.astype(int) - [[[234, 51, 35, 7]]]).max() <= 1  # the known value


def test_nothing_happens_between_two_copies_of_one_profile() -> None:
    pixels = noise(1, 20, 20)
    assert colour.converted(pixels, SRGB, b"") is pixels
    assert colour.display_transform(b"", SRGB) is None
    assert colour.convert(raster := Raster.of(pixels), b"", SRGB) is raster


def test_the_screen_s_transform_keeps_alpha_and_agrees_with_littlecms() -> None:
    pixels = noise(2, 256, 256)
    transform = colour.display_transform(b"", P3)
    assert transform is not None
    shown = transform(pixels)
    profiles = [ImageCms.createProfile("sRGB"), ImageCms.getOpenProfile(io.BytesIO(P3))]
    expected = ImageCms.profileToProfile(
        Image.fromarray(pixels[..., :3].copy()), *profiles, renderingIntent=ImageCms.Intent(1)
    )
    assert np.abs(shown[..., :3].astype(int) - np.asarray(expected)).max() <= 1
    np.testing.assert_array_equal(shown[..., 3], pixels[..., 3])


def test_a_broken_screen_profile_counts_as_srgb() -> None:
    assert colour.display_transform(b"", b"no profile at all") is None
    assert not colour.is_usable(b"no profile at all")
    assert colour.profile_name(b"no profile at all") == ""
    with pytest.raises(EditorError, match="profile"):
        colour.to_srgb(noise(1), b"no profile at all")


@pytest.mark.parametrize(("source", "target"), [(SRGB, P3), (SRGB, ADOBE), (ADOBE, P3), (P3, ADOBE)])
def test_sixteen_bits_agree_with_littlecms_in_eight(source: bytes, target: bytes) -> None:
    pixels = noise(3, 64, 64)
    deep = colour.converted_deep(pixels.astype(np.uint16) * 257, source, target)
    eight = colour.converted(pixels, source, target)
    distance = np.abs(deep[..., :3] / 257 - eight[..., :3])
    assert distance.mean() < 0.3  # LittleCMS rounds to whole steps
    assert distance.max() < 2  # its fixed point is coarse near black
    np.testing.assert_array_equal(deep[..., 3] // 257, pixels[..., 3])


def test_sixteen_bits_survive_a_wider_space_and_back() -> None:
    samples = np.random.default_rng(4).integers(0, 65536, (64, 64, 4), np.uint16)
    there = colour.converted_deep(samples, SRGB, P3)
    back = colour.converted_deep(there, P3, SRGB)
    assert np.abs(back.astype(int) - samples).max() < 64  # a quarter of an 8-bit step, near black
    assert np.abs(back.astype(int) - samples).mean() < 2


def test_profiles_with_tables_go_through_a_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(5).integers(0, 65536, (32, 32, 4), np.uint16)
    exact = colour.converted_deep(samples, SRGB, P3)
    monkeypatch.setattr(icc, "shaper_of", lambda _profile: None)
    near = colour.converted_deep(samples, SRGB, P3)
    assert np.abs(near.astype(int) - exact).max() < 257  # less than one 8-bit step


def test_a_raster_keeps_its_depth_and_its_blank_tiles() -> None:
    raster = Raster.filled(600, 300).written(0, 0, noise(6, 50, 50))
    after = colour.convert(raster, b"", P3)
    assert after.is_blank(2, 0)
    assert not after.is_blank(0, 0)
    np.testing.assert_array_equal(after.array()[:50, :50], colour.from_srgb(raster.array(), P3)[:50, :50])
    deep = colour.convert(Raster.filled(20, 20, 40000, dtype=np.uint16), b"", P3)
    assert deep.dtype == np.uint16
    assert np.abs(deep.array().astype(int) - 40000).max() < 40  # grey stays grey


@pytest.mark.parametrize("place", [0, 12, 36, 128, 132, 140, 200, 300])
def test_a_damaged_profile_is_refused_or_used_but_never_crashes(place: int) -> None:
    damaged = bytearray(P3)
    damaged[place : place + 4] = b"\xff\xff\xff\xff"
    icc.shaper_of(bytes(damaged))
    colour.is_usable(bytes(damaged))
    colour.profile_name(bytes(damaged))
