"""TIFF by its declared tags: every layout of samples, and what is refused by name."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from editor.formats import Opened
from editor.formats.files import open_file
from inference.errors import EditorError

HEIGHT, WIDTH = 19, 21  # neither a multiple of eight, of a tile, nor the same


def values(top: int, channels: int, kind: Any) -> NDArray[Any]:
    """Every height of value up to `top`, black and white among them."""
    random = np.random.default_rng(channels + top % 7)
    made = random.integers(0, top + 1, (HEIGHT, WIDTH, channels), np.uint64)
    made[0, 0], made[0, 1] = 0, top
    return made.astype(kind)


def written(path: Path, data: NDArray[Any], **options: Any) -> Path:
    tifffile.imwrite(path, data[..., 0] if data.shape[-1] == 1 else data, metadata=None, **options)
    return path


def samples(path: Path) -> NDArray[Any]:
    return only(open_file(path))


def only(found: Opened) -> NDArray[Any]:
    (layer,) = found.state.rasters()
    return layer.raster.array()


def scaled(data: NDArray[Any], top: int) -> NDArray[Any]:
    kind, full = (np.uint8, 255) if top <= 255 else (np.uint16, 65535)
    return np.round(data.astype(np.float64) * (full / top)).astype(kind)


def handmade(data: NDArray[Any], bits: int, order: str) -> bytes:
    """A plain TIFF of one strip; narrow values are packed, the highest bit first, each row to whole bytes."""
    height, width, channels = data.shape
    if bits == 16:
        body = data.astype(f"{order}u2").tobytes()
    else:
        each = (data.astype(np.uint32)[..., None] >> np.arange(bits)[::-1]) & 1
        body = np.packbits(each.reshape(height, -1).astype(np.uint8), axis=1).tobytes()
    body += bytes(len(body) % 2)
    place = 8 + len(body)
    entries = [(256, [width]), (257, [height]), (258, [bits] * channels), (259, [1]),
               (262, [1 if channels < 3 else 2]), (273, [8]), (277, [channels]), (278, [height]),
               (279, [len(body)])]  # fmt: skip
    extra_at = place + 2 + 12 * len(entries) + 4
    table, extra = struct.pack(f"{order}H", len(entries)), b""
    for tag, numbers in entries:
        packed = struct.pack(f"{order}{len(numbers)}H", *numbers)
        if len(packed) > 4:
            packed, extra = struct.pack(f"{order}I", extra_at + len(extra)), extra + packed
        table += struct.pack(f"{order}HHI", tag, 3, len(numbers)) + packed.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", place) + body + table + bytes(4) + extra


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_whole_numbers_of_every_width(tmp_path: Path, bits: int, channels: int, order: str) -> None:
    top = 2**bits - 1
    data = values(top, channels, np.uint16)
    (tmp_path / "a.tif").write_bytes(handmade(data, bits, order))
    found = open_file(tmp_path / "a.tif")
    assert found.notes == ()
    expected = np.broadcast_to(scaled(data, top), (HEIGHT, WIDTH, 3))
    np.testing.assert_array_equal(only(found)[..., :3], expected)
    assert (only(found)[..., 3] == np.iinfo(only(found).dtype).max).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_planes_tiles_and_compressions(
    tmp_path: Path, kind: Any, planar: str, compression: str | None, tile: tuple[int, int] | None
) -> None:
    data = values(int(np.iinfo(kind).max), 4, kind)
    stored = np.moveaxis(data, -1, 0) if planar == "separate" else data
    options: dict[str, Any] = {"photometric": "rgb", "planarconfig": planar, "extrasamples": ["unassalpha"]}
    path = written(tmp_path / "a.tif", stored, compression=compression, tile=tile, **options)
    np.testing.assert_array_equal(samples(path), data)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_white_is_zero(tmp_path: Path, kind: Any, order: str) -> None:
    top = np.iinfo(kind).max
    data = values(int(top), 1, kind)
    path = written(tmp_path / "a.tif", data, photometric="miniswhite", byteorder=order)
    np.testing.assert_array_equal(samples(path)[..., :3], np.repeat(top - data, 3, axis=-1))


def test_white_is_zero_of_floating_numbers(tmp_path: Path) -> None:
    data = np.array([[0, 0.25, 0.5, 1]], np.float32)[..., None]
    path = written(tmp_path / "a.tif", data, photometric="miniswhite")
    assert samples(path)[0, :, 0].tolist() == [65535, 49151, 32768, 0]


def test_integers_of_32_bits_span_their_whole_range(tmp_path: Path) -> None:
    data = np.array([[0, 2**30, 2**31, 2**32 - 1]], np.uint32)[..., None]
    path = written(tmp_path / "a.tif", data, photometric="minisblack")
    assert samples(path)[0, :, 0].tolist() == [0, 16384, 32768, 65535]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("predictor", [False, True])
def test_floating_colours_are_white_at_one(tmp_path: Path, kind: Any, predictor: bool) -> None:
    data = np.linspace(0, 1, HEIGHT * WIDTH * 3).reshape(HEIGHT, WIDTH, 3).astype(kind)
    options: dict[str, Any] = {"compression": "zlib", "predictor": True} if predictor else {}
    found = open_file(written(tmp_path / "a.tif", data, photometric="rgb", **options))
    assert found.notes == ()
    np.testing.assert_array_equal(only(found)[..., :3], np.round(data.astype(np.float64) * 65535))


def test_a_few_values_above_white_are_cut_off_and_it_is_said(tmp_path: Path) -> None:
    data = np.full((40, 40, 3), 0.5, np.float32)
    data[3, 3] = 9
    found = open_file(written(tmp_path / "a.tif", data, photometric="rgb"))
    assert "above white" in found.notes[0]
    assert only(found)[3, 3, 0] == 65535
    assert only(found)[0, 0, 0] == 32768


@pytest.mark.parametrize("said", [["unassalpha"], ["assocalpha"], ["unspecified"]])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_grey_and_a_second_channel(tmp_path: Path, said: list[str], kind: Any) -> None:
    top = int(np.iinfo(kind).max)
    data = np.array([[[0, top], [top // 4, top // 2], [0, 0]]], kind)
    path = written(
        tmp_path / "a.tif", data, photometric="minisblack", planarconfig="contig", extrasamples=said
    )
    found = open_file(path)
    grey, alpha = only(found)[0, :, 0].tolist(), only(found)[0, :, 3].tolist()
    if said == ["unspecified"]:
        assert "left out" in found.notes[0]
        assert alpha == [top] * 3
        return
    assert alpha == [top, top // 2, 0]
    expected = round(top // 4 / (top // 2) * top) if said == ["assocalpha"] else top // 4
    assert abs(grey[1] - expected) <= 1


@pytest.mark.parametrize("channels", [2, 4])
def test_a_channel_of_which_nothing_is_said_is_alpha(tmp_path: Path, channels: int) -> None:
    data = values(255, channels, np.uint8)
    (tmp_path / "a.tif").write_bytes(handmade(data, 8, "<"))
    np.testing.assert_array_equal(samples(tmp_path / "a.tif")[..., 3], data[..., -1])


@pytest.mark.parametrize("bits", [8, 16])
def test_palettes(tmp_path: Path, bits: int) -> None:
    palette = np.random.default_rng(1).integers(0, 65536, (3, 2**bits), np.uint16)
    data = values(2**bits - 1, 1, np.uint8 if bits == 8 else np.uint16)
    path = written(tmp_path / "a.tif", data, photometric="palette", colormap=palette)
    expected = np.moveaxis(palette[:, data[..., 0]], 0, -1)
    np.testing.assert_array_equal(samples(path)[..., :3], expected if bits == 16 else expected >> 8)


@pytest.mark.parametrize("bits", [8, 16])
def test_cmyk(tmp_path: Path, bits: int) -> None:
    top = 2**bits - 1
    data = np.zeros((4, 4, 4), np.uint8 if bits == 8 else np.uint16)
    data[..., 1:3] = top  # magenta and yellow
    found = open_file(written(tmp_path / "a.tif", data, photometric="separated"))
    assert any("CMYK" in note for note in found.notes)
    assert only(found)[0, 0].tolist() == [255, 0, 0, 255]


@pytest.mark.parametrize(
    ("photometric", "bits"), [("cielab", 8), ("cielab", 16), ("icclab", 8), ("icclab", 16)]
)
def test_lab(tmp_path: Path, photometric: str, bits: int) -> None:
    unit, kind = 2 ** (bits - 8), np.uint8 if bits == 8 else np.uint16
    top = 255 * unit if photometric == "icclab" else 2**bits - 1
    lightness = round(53.2408 / 100 * top)  # sRGB's red is L 54.29, a 80.81, b 69.89 under D50
    shift = 0 if photometric == "cielab" else 128
    red = [round(54.2917 / 100 * top), round((80.8125 + shift) * unit), round((69.8851 + shift) * unit)]
    grey = [lightness, shift * unit, shift * unit]
    data = np.array([[red, grey, [top, shift * unit, shift * unit]]]).astype(kind)
    found = open_file(written(tmp_path / "a.tif", data, photometric=photometric))
    assert "LAB" in found.notes[0]
    full = 255 if bits == 8 else 65535
    seen = only(found)[0, :, :3].astype(float) / full
    np.testing.assert_allclose(seen[0], [1, 0, 0], atol=0.012)
    np.testing.assert_allclose(seen[1], [127 / 255] * 3, atol=0.006)
    np.testing.assert_allclose(seen[2], 1, atol=0.002)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(tmp_path: Path, orientation: int) -> None:
    data = values(255, 3, np.uint8)
    tags = [(274, "H", 1, orientation, True)]
    path = written(tmp_path / "a.tif", data, photometric="rgb", extratags=tags)
    with Image.open(path) as image:
        image.load()  # Pillow turns TIFFs itself
        expected = np.asarray(image)
    found = open_file(path)
    np.testing.assert_array_equal(only(found)[..., :3], expected)


def test_big_files_of_other_layouts_keep_what_they_carry(tmp_path: Path) -> None:
    """A BigTIFF that Pillow cannot open: resolution, texts and profile come all the same."""
    from editor.colour import conversion as colour

    profile = colour.built_in_profile("adobe-rgb")
    data = values(4095, 3, np.uint16)
    path = written(
        tmp_path / "a.tif",
        data,
        photometric="rgb",
        bitspersample=12,
        bigtiff=True,
        resolution=(300, 300),
        resolutionunit="INCH",
        iccprofile=profile,
        extratags=[(315, "s", 0, "Ada", True), (700, "B", 7, b"<x:xmp>", True)],
    )
    found = open_file(path)
    assert found.state.dpi == (300, 300)
    assert found.state.icc_profile == profile
    assert found.source.xmp == b"<x:xmp>"
    assert b"Ada" in found.source.exif


@pytest.mark.parametrize(
    ("tag", "value", "what"),
    [
        (259, 34676, r"LogLuv \(SGI Log\)"),
        (259, 32809, "ThunderScan"),
        (259, 777, "compression 777"),
        (262, 32845, "LogLuv colours"),
        (262, 99, "colours of kind 99"),
    ],
)
def test_what_is_not_supported_is_named_and_not_called_damaged(
    tmp_path: Path, tag: int, value: int, what: str
) -> None:
    path = written(tmp_path / "a.tif", values(255, 3, np.uint8), photometric="rgb")
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages.first.tags[tag].overwrite(value)
    with pytest.raises(EditorError, match=what) as caught:
        open_file(path)
    assert "not supported" in str(caught.value)
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits"])
def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path, compression: str | None) -> None:
    """The directory stands before the pixels, as most programs write it."""
    path = written(
        tmp_path / "a.tif", values(65535, 3, np.uint16), photometric="rgb", compression=compression
    )
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EditorError, match=r"a\.tif” is damaged or incomplete"):
        open_file(path)


def test_further_pictures_are_said_and_smaller_copies_are_not(tmp_path: Path) -> None:
    small, large = values(255, 3, np.uint8)[:5, :5].copy(), values(255, 3, np.uint8)
    for name, kind in (("two.tif", 0), ("copy.tif", 1)):
        with tifffile.TiffWriter(tmp_path / name) as file:
            file.write(large, photometric="rgb", metadata=None)
            file.write(small, photometric="rgb", subfiletype=kind, metadata=None)
    assert any("more than one" in note for note in open_file(tmp_path / "two.tif").notes)
    assert open_file(tmp_path / "copy.tif").notes == ()
