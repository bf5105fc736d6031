"""Colour spaces that are declared otherwise than by a profile, and more than 8 bits of AVIF and HEIF."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from editor.colour import conversion as colour
from editor.formats.boxes import properties_of
from editor.formats.colour_space import of_code_points
from editor.formats.files import open_file
from tests.editor.formats.test_formats import chunks

GREY = np.array([[[128, 128, 128], [64, 128, 192]]], np.uint8)


def png(path: Path, *extra: tuple[bytes, bytes]) -> Path:
    header = struct.pack(">II5B", 2, 1, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + GREY.tobytes())
    path.write_bytes(chunks((b"IHDR", header), *extra, (b"IDAT", body), (b"IEND", b"")))
    return path


def seen(path: Path) -> np.ndarray:
    """The first layer's pixels in sRGB."""
    state = open_file(path).state
    (layer,) = state.rasters()
    return colour.to_srgb(np.ascontiguousarray(layer.pixels), state.icc_profile)[..., :3]


def chromaticities(*values: float) -> tuple[bytes, bytes]:
    return (b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


ADOBE = chromaticities(0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
SRGB = chromaticities(0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)


def gamma(value: float) -> tuple[bytes, bytes]:
    return (b"gAMA", struct.pack(">I", round(100_000 / value)))


def test_linear_light(tmp_path: Path) -> None:
    assert abs(int(seen(png(tmp_path / "a.png", gamma(1.0)))[0, 0, 0]) - 188) <= 1


@pytest.mark.parametrize("extra", [(), (gamma(2.2),), (gamma(2.2), SRGB), ((b"sRGB", b"\0"), gamma(1.0))])
def test_what_says_srgb_needs_no_profile(tmp_path: Path, extra: tuple[tuple[bytes, bytes], ...]) -> None:
    found = open_file(png(tmp_path / "a.png", *extra))
    assert found.state.icc_profile == b""
    assert found.notes == ()


def test_chromaticities_are_a_profile(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", gamma(2.2), ADOBE)
    expected = colour.to_srgb(GREY, colour.built_in_profile("adobe-rgb"))
    np.testing.assert_allclose(seen(path).astype(int), expected, atol=1)


def test_a_profile_counts_before_gamma_and_code_points_before_all(tmp_path: Path) -> None:
    profile = colour.built_in_profile("display-p3")
    embedded = (b"iCCP", b"a\0\0" + zlib.compress(profile))
    found = open_file(png(tmp_path / "a.png", embedded, gamma(1.0)))
    assert found.state.icc_profile == profile
    found = open_file(png(tmp_path / "b.png", (b"cICP", bytes((1, 13, 0, 1))), embedded))
    assert found.state.icc_profile == b""
    found = open_file(png(tmp_path / "c.png", (b"cICP", bytes((12, 13, 0, 1)))))
    assert colour.same_colours(found.state.icc_profile, profile)


@pytest.mark.parametrize(
    "extra",
    [
        (gamma(2.2), chromaticities(0.3127, 0.3290, 0.64, 0.33, 0.64, 0.33, 0.64, 0.33)),
        (gamma(2.2), chromaticities(0, 0, 0, 0, 0, 0, 0, 0)),
        ((b"gAMA", struct.pack(">I", 0)),),
        ((b"gAMA", struct.pack(">I", 2**31)),),
    ],
)
def test_nonsense_is_left_out_and_said(tmp_path: Path, extra: tuple[tuple[bytes, bytes], ...]) -> None:
    found = open_file(png(tmp_path / "a.png", *extra))
    assert found.state.icc_profile == b""
    assert "no sense" in found.notes[0]


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_said(tmp_path: Path, transfer: int, name: str) -> None:
    found = open_file(png(tmp_path / "a.png", (b"cICP", bytes((9, transfer, 0, 1)))))
    assert f"({name}, Rec. 2020)" in found.notes[0]
    assert found.state.icc_profile == b""


@pytest.mark.parametrize("primaries", [1, 2, 4, 5, 6, 7, 9, 11, 12])
@pytest.mark.parametrize("transfer", [1, 2, 4, 5, 6, 8, 13, 14, 15, 17])
def test_every_profile_of_code_points_can_be_used(primaries: int, transfer: int) -> None:
    notes: list[str] = []
    profile = of_code_points(primaries, transfer, notes)
    assert notes == []
    assert colour.is_usable(profile)
    assert (profile == b"") == (primaries in (1, 2) and transfer in (2, 13))


@pytest.mark.parametrize(("primaries", "transfer"), [(3, 13), (250, 13), (1, 250)])
def test_unknown_code_points_are_said(primaries: int, transfer: int) -> None:
    notes: list[str] = []
    assert of_code_points(primaries, transfer, notes) == b""
    assert "not known" in notes[0]


@pytest.mark.parametrize(
    ("space", "index", "adobe"),
    [(65535, "R03", True), (65535, "R98", False), (65535, "", False), (1, "R98", False), (2, "", True)],
)
def test_exif_s_colour_space(tmp_path: Path, space: int, index: str, adobe: bool) -> None:
    exif = Image.Exif()
    folder = exif.get_ifd(0x8769)
    folder[0xA001] = space
    if index:
        folder[0xA005] = {1: index}
    Image.fromarray(GREY.repeat(8, 0).repeat(8, 1)).save(tmp_path / "a.jpg", exif=exif, quality=100)
    profile = open_file(tmp_path / "a.jpg").state.icc_profile
    assert profile == (colour.built_in_profile("adobe-rgb") if adobe else b"")


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("channels", [3, 4])
def test_avif_keeps_its_bits(tmp_path: Path, bits: int, channels: int) -> None:
    top = 2**bits - 1
    random = np.random.default_rng(bits)
    kind = np.uint8 if bits == 8 else np.uint16
    data = random.integers(0, top + 1, (12, 20, channels), np.uint16).astype(kind)
    encoded = imagecodecs.avif_encode(data, level=100, bitspersample=bits, pixelformat="444")
    (tmp_path / "a.avif").write_bytes(encoded)
    assert properties_of(tmp_path / "a.avif").bits == bits
    found = open_file(tmp_path / "a.avif")
    (layer,) = found.state.rasters()
    full = 255 if bits == 8 else 65535
    assert layer.raster.dtype == (np.uint8 if bits == 8 else np.uint16)
    expected = np.round(data.astype(float) * full / top)
    np.testing.assert_allclose(layer.raster.array()[..., :channels], expected, atol=0 if bits > 8 else 1)


def test_avif_s_code_points(tmp_path: Path) -> None:
    data = np.full((8, 8, 3), 600, np.uint16)
    for name, values in {"p3": (12, 13), "pq": (9, 16), "none": (2, 2)}.items():
        encoded = bytearray(imagecodecs.avif_encode(data, level=100, bitspersample=10))
        at = encoded.index(b"colrnclx") + 8
        encoded[at : at + 4] = struct.pack(">HH", *values)
        (tmp_path / f"{name}.avif").write_bytes(encoded)
    assert colour.same_colours(
        open_file(tmp_path / "p3.avif").state.icc_profile, colour.built_in_profile("display-p3")
    )
    assert "PQ" in open_file(tmp_path / "pq.avif").notes[0]
    assert open_file(tmp_path / "none.avif").state.icc_profile == b""


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_heif_keeps_its_bits(tmp_path: Path, bits: int) -> None:
    library = pytest.importorskip("pillow_heif")
    ramp = np.linspace(0, 2**bits - 1, 64).round().astype(np.uint16)
    data = np.broadcast_to(ramp[:, None, None], (64, 64, 3)).copy()
    stored = data.astype(np.uint8) if bits == 8 else data << (16 - bits)
    file = library.from_bytes(mode="RGB" if bits == 8 else "RGB;16", size=(64, 64), data=stored.tobytes())
    library.options.SAVE_HDR_TO_12_BIT = bits == 12
    file.save(tmp_path / "a.heic", quality=-1)
    (layer,) = open_file(tmp_path / "a.heic").state.rasters()
    assert layer.raster.dtype == (np.uint8 if bits == 8 else np.uint16)
    full = 255 if bits == 8 else 65535
    expected = data.astype(float) / (2**bits - 1)
    np.testing.assert_allclose(layer.raster.array()[..., :3] / full, expected, atol=2 / 255)
