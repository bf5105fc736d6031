"""The formats that are read alone: JPEG 2000, QOI, icons, TGA, PNM, Radiance, and camera raw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray
from PIL import Image

from editor.formats.files import open_file
from inference.errors import EditorError
from tests.helpers.corpus import exr
from tests.helpers.raw_pictures import dng

PIXELS = np.random.default_rng(3).integers(0, 256, (9, 14, 3), np.uint8)


def samples(path: Path) -> NDArray[Any]:
    (layer,) = open_file(path).state.rasters()
    return layer.raster.array()


@pytest.mark.parametrize("kind", ["BMP", "TGA", "PPM", "QOI", "JPEG2000"])
def test_eight_bits(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("a.tga" if kind == "TGA" else "a")
    Image.fromarray(PIXELS).save(path, kind)
    np.testing.assert_array_equal(samples(path)[..., :3], PIXELS)


def test_the_largest_of_an_icon(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).resize((64, 64)).save(tmp_path / "a.ico", sizes=[(16, 16), (64, 64)])
    assert samples(tmp_path / "a.ico").shape == (64, 64, 4)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("container", ["jp2", "j2k"])
def test_deep_jpeg_2000(tmp_path: Path, bits: int, channels: int, container: str) -> None:
    top = 2**bits - 1
    data = np.random.default_rng(bits).integers(0, top + 1, (9, 14, channels), np.uint16)
    encoded = imagecodecs.jpeg2k_encode(
        data.squeeze(), codecformat=container, bitspersample=bits, reversible=True, level=0
    )
    (tmp_path / "a").write_bytes(encoded)
    expected = np.broadcast_to(np.round(data.astype(float) * 65535 / top), (9, 14, 3))
    np.testing.assert_array_equal(samples(tmp_path / "a")[..., :3], expected)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("top", [256, 1023, 65535])
def test_deep_pnm(tmp_path: Path, plain: bool, channels: int, top: int) -> None:
    data = np.random.default_rng(top).integers(0, top + 1, (5, 7, channels), np.uint16)
    kind = (3 if channels == 3 else 2) if plain else (6 if channels == 3 else 5)
    content = " ".join(map(str, data.ravel())).encode() if plain else data.astype(">u2").tobytes()
    (tmp_path / "a").write_bytes(b"P%d\n# made by hand\n7 5\n%d\n" % (kind, top) + content)
    expected = np.broadcast_to(np.round(data.astype(float) * 65535 / top), (5, 7, 3))
    np.testing.assert_array_equal(samples(tmp_path / "a")[..., :3], expected)
    (tmp_path / "cut").write_bytes((b"P%d 7 5 %d\n" % (kind, top) + content)[:-9])
    with pytest.raises(EditorError, match="damaged"):
        open_file(tmp_path / "cut")


def test_radiance_light_is_encoded_and_said(tmp_path: Path) -> None:
    light = np.full((8, 10, 3), 0.25, np.float32)
    light[0, 0] = 4
    (tmp_path / "a").write_bytes(imagecodecs.rgbe_encode(light))
    found = open_file(tmp_path / "a")
    assert "cut off" in found.notes[0]
    values = samples(tmp_path / "a")
    assert values[0, 0].tolist() == [65535] * 4
    assert abs(int(values[3, 3, 0]) / 65535 - 0.5371) < 0.005  # a quarter of the light


class TestOpenExr:
    def test_light_is_encoded_and_coverage_divided_out(self, tmp_path: Path) -> None:
        light = np.zeros((4, 5, 4), np.float32)
        light[...] = (0.25, 0.1, 0.5, 0.5)  # colours are multiplied by the coverage
        light[0, 0] = (4, 0.2, np.nan, 1)
        (tmp_path / "a").write_bytes(exr(light))
        found = open_file(tmp_path / "a")
        assert found.state.depth == 16
        assert any("cut off" in note for note in found.notes)
        assert any("no numbers" in note for note in found.notes)
        values = samples(tmp_path / "a")
        np.testing.assert_allclose(values[0, 0] / 65535, [1, 0.4845, 0, 1], atol=0.001)
        expected = [0.7354, 0.4845, 1.0, 0.5]  # sRGB of 0.5, 0.2 and 1
        np.testing.assert_allclose(values[3, 3] / 65535, expected, atol=0.001)

    @pytest.mark.parametrize("compression", ["NO", "RLE", "ZIPS", "ZIP", "PIZ"])
    @pytest.mark.parametrize("kind", [np.float16, np.float32, np.uint32])
    def test_every_kind_of_number(self, tmp_path: Path, compression: str, kind: type) -> None:
        light = (PIXELS > 127).astype(kind)
        (tmp_path / "a").write_bytes(exr(light, "RGB", compression=compression))
        np.testing.assert_array_equal(samples(tmp_path / "a")[..., :3], (PIXELS > 127) * 65535)

    def test_brightness_alone_and_the_first_layer(self, tmp_path: Path) -> None:
        grey = np.full((3, 4, 1), 0.25, np.float32)
        (tmp_path / "a").write_bytes(exr(grey, "Y"))
        assert abs(int(samples(tmp_path / "a")[0, 0, 1]) - 0.5371 * 65535) < 40
        (tmp_path / "b").write_bytes(exr(grey, "Z"))  # depth
        assert samples(tmp_path / "b").shape == (3, 4, 4)
        light = np.concatenate([grey, grey * 2, grey * 4, grey], -1)
        header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
        names = ("diffuse.R", "diffuse.G", "diffuse.B", "zed.R")
        planes = {name: np.ascontiguousarray(light[..., place]) for place, name in enumerate(names)}
        with OpenEXR.File(header, planes) as file:
            file.write(str(tmp_path / "c.exr"))
        found = open_file(tmp_path / "c.exr")
        assert str(found.notes[0]) == "Further channels of the file were left out: zed.R."
        assert samples(tmp_path / "c.exr")[0, 0, 2] == 65535

    def test_the_window_that_is_shown(self, tmp_path: Path) -> None:
        box = (np.array([2, 1], np.int32), np.array([7, 4], np.int32))
        shown = (np.array([0, 0], np.int32), np.array([4, 9], np.int32))
        light = np.ones((4, 6, 3), np.float32)
        (tmp_path / "a").write_bytes(exr(light, "RGB", dataWindow=box, displayWindow=shown))
        values = samples(tmp_path / "a")
        assert values.shape == (10, 5, 4)
        assert (values[1:5, 2:, 3] == 65535).all()
        assert values[..., 3].astype(int).sum() == 12 * 65535

    def test_primaries_become_a_profile(self, tmp_path: Path) -> None:
        wide = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
        (tmp_path / "a").write_bytes(exr(np.ones((2, 2, 3), np.float32), "RGB", chromaticities=wide))
        assert len(open_file(tmp_path / "a").state.icc_profile) > 100

    @pytest.mark.parametrize("length", [3, 60, 300, 700])
    def test_a_part_of_a_file_is_damaged(self, tmp_path: Path, length: int) -> None:
        (tmp_path / "a").write_bytes(exr(np.ones((40, 50, 4), np.float32), compression="NO")[:length])
        with pytest.raises(EditorError):
            open_file(tmp_path / "a")


def test_a_raw_picture_is_developed_and_not_its_thumbnail(tmp_path: Path) -> None:
    found = open_file(dng(tmp_path / "a.dng"))
    assert (found.state.width, found.state.height) == (96, 64)
    assert "developed" in found.notes[0]
    assert found.state.depth == 16
    assert b"Testcam" in found.source.exif


def test_a_cut_raw_picture_is_refused(tmp_path: Path) -> None:
    data = dng(tmp_path / "a.dng").read_bytes()
    (tmp_path / "cut.dng").write_bytes(data[: len(data) // 2])
    with pytest.raises(EditorError, match="cut"):
        open_file(tmp_path / "cut.dng")


def test_what_only_gimp_reads_is_said_with_a_way(tmp_path: Path) -> None:
    (tmp_path / "a.xcf").write_bytes(b"gimp xcf v011\0" + bytes(40))
    with pytest.raises(EditorError, match="Open it in GIMP and export it as OpenRaster"):
        open_file(tmp_path / "a.xcf")
