"""JPEG XL: pixels of every depth, what stands beside them, and JPEGs that were packed without loss."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from editor.formats.files import open_file
from editor.formats.jxl.header import CONTAINER, Header, header_of, parts_of
from inference.errors import EditorError

RANDOM = np.random.default_rng(5)


def samples(path: Path, data: bytes) -> Any:
    path.write_bytes(data)
    (layer,) = open_file(path).state.rasters()
    return layer.raster.array()


def jpeg(orientation: int = 1) -> bytes:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x010F], exif[0x0112] = "Camera", orientation
    picture = Image.fromarray(RANDOM.integers(0, 256, (40, 60, 3), np.uint8))
    picture.save(buffer, "JPEG", exif=exif, quality=87, comment=b"by hand")
    return buffer.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("container", [False, True])
def test_without_loss_every_sample_comes_back(
    tmp_path: Path, channels: int, bits: int, container: bool
) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    given = RANDOM.integers(0, 2**bits, (9, 14, channels)).astype(kind)
    data = imagecodecs.jpegxl_encode(
        given[..., 0] if channels == 1 else given, lossless=True, bitspersample=bits, usecontainer=container
    )
    found = samples(tmp_path / "a", data)
    top = 255 if bits == 8 else 65535
    scaled = np.round(given.astype(float) * top / (2**bits - 1))
    colours, alpha = scaled[..., : 3 if channels >= 3 else 1], scaled[..., -1] if channels in (2, 4) else top
    np.testing.assert_array_equal(found[..., :3], np.broadcast_to(colours, (9, 14, 3)))
    np.testing.assert_array_equal(found[..., 3], np.broadcast_to(alpha, (9, 14)))


@pytest.mark.parametrize("size", [(8, 8), (64, 128), (256, 256), (9, 16), (3, 600), (701, 2)])
def test_sizes_are_known_before_pixels(size: tuple[int, int]) -> None:
    data = imagecodecs.jpegxl_encode(np.zeros((*size, 3), np.uint8))
    header = header_of(parts_of(data).codestream)
    assert (header.height, header.width) == size


def test_light_says_its_colours_and_what_was_cut_off(tmp_path: Path) -> None:
    light = np.full((8, 9, 3), 0.25, np.float32)
    light[0, 0] = 4
    (tmp_path / "a").write_bytes(imagecodecs.jpegxl_encode(light, lossless=True))
    found = open_file(tmp_path / "a")
    assert any("cut off" in note for note in found.notes)
    assert found.state.icc_profile  # linear
    values = next(found.state.rasters()).raster.array()
    assert values[0, 0].tolist() == [65535] * 4
    assert values[3, 3, 0] == 16384


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_packed_jpeg_is_that_jpeg(tmp_path: Path, orientation: int) -> None:
    original = tmp_path / "a.jpg"
    original.write_bytes(jpeg(orientation))
    packed = tmp_path / "a.jxl"
    packed.write_bytes(imagecodecs.jpegxl_encode_jpeg(original.read_bytes(), usecontainer=True))
    one, other = open_file(original), open_file(packed)
    assert one.source == other.source
    np.testing.assert_array_equal(
        next(one.state.rasters()).raster.array(), next(other.state.rasters()).raster.array()
    )


@pytest.mark.parametrize("packed", [False, True])
def test_exif_and_xmp_stand_in_boxes(tmp_path: Path, packed: bool) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    tiff = exif.tobytes().removeprefix(b"Exif\0\0")
    codestream = parts_of(imagecodecs.jpegxl_encode(np.zeros((4, 5, 3), np.uint8))).codestream
    content = {b"Exif": b"\0\0\0\0" + tiff, b"xml ": b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'}
    boxes = [
        box(b"brob", kind + imagecodecs.brotli_encode(data)) if packed else box(kind, data)
        for kind, data in content.items()
    ]
    data = CONTAINER + box(b"ftyp", b"jxl \0\0\0\0jxl ") + b"".join(boxes) + box(b"jxlc", codestream)
    (tmp_path / "a").write_bytes(data)
    found = open_file(tmp_path / "a")
    assert b"Camera" in found.source.exif
    assert b"xmpmeta" in found.source.xmp


def test_a_box_that_unpacks_without_end_is_left_out() -> None:
    codestream = parts_of(imagecodecs.jpegxl_encode(np.zeros((4, 5, 3), np.uint8))).codestream
    bomb = box(b"brob", b"Exif" + imagecodecs.brotli_encode(bytes(2**25)))
    parts = parts_of(CONTAINER + bomb + box(b"jxlc", codestream))
    assert parts.exif == b""


def test_a_header_that_lies_is_refused_before_decoding(tmp_path: Path) -> None:
    # no eighths; 2^30 rows; no ratio; as many columns; the rest as usual
    bits = 0
    place = 0
    for value, count in ((0, 1), (3, 2), (2**30 - 1, 30), (0, 3), (3, 2), (2**30 - 1, 30), (1, 1)):
        bits |= value << place
        place += count
    data = b"\xff\x0a" + bits.to_bytes(12, "little")
    assert header_of(data) == Header(width=2**30, height=2**30)
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(EditorError, match="opens up to"):
        open_file(tmp_path / "a")


@pytest.mark.parametrize("length", [2, 4, 30, 200])
def test_a_part_of_a_file_is_damaged(tmp_path: Path, length: int) -> None:
    data = imagecodecs.jpegxl_encode(RANDOM.integers(0, 256, (40, 50, 3)).astype(np.uint8), lossless=True)
    (tmp_path / "a").write_bytes(data[:length])
    with pytest.raises(EditorError, match="damaged"):
        open_file(tmp_path / "a")
