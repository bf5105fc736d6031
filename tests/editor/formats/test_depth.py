"""16-bit samples through files, byte for byte; readers and writers of others stand against ours."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PySide6.QtGui import QColorSpace, QImage

from editor.formats import ExportOptions, Picture
from editor.formats.deflate import joined_checksum
from editor.formats.files import export_picture, open_file
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster, Samples

DEEP = np.random.default_rng(0).integers(0, 65536, (23, 37, 4), np.uint16)


def state_of(samples: Samples) -> DocumentState:
    return DocumentState.of_layer(Layer(name="photo", raster=Raster.of(samples)))


def exported(samples: Samples, path: Path, **options: object) -> Path:
    export_picture(state_of(samples), SourceMetadata(), path, ExportOptions(**options))
    return path


def opened(path: Path) -> NDArray[np.uint16]:
    found = open_file(path)
    assert found.notes == ()
    (layer,) = found.state.rasters()
    return layer.raster.array()


def opaque(samples: NDArray[np.uint16]) -> NDArray[np.uint16]:
    result = samples.copy()
    result[..., 3] = 65535
    return result


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("samples", [DEEP, opaque(DEEP), DEEP[:1, :1], DEEP[:, :1]], ids=range(4))
def test_samples_come_back_unchanged(tmp_path: Path, ending: str, samples: Samples) -> None:
    once = opened(exported(samples, tmp_path / f"one.{ending}"))
    np.testing.assert_array_equal(once, samples)
    twice = opened(exported(once, tmp_path / f"two.{ending}"))
    np.testing.assert_array_equal(twice, samples)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_depth_can_be_chosen(tmp_path: Path, ending: str) -> None:
    eight = opened(exported(DEEP, tmp_path / f"a.{ending}", depth="8"))
    assert eight.dtype == np.uint8
    np.testing.assert_array_equal(eight, np.round(DEEP / 257))
    sixteen = opened(exported(eight, tmp_path / f"b.{ending}", depth="16"))
    np.testing.assert_array_equal(sixteen, eight.astype(np.uint16) * 257)


def test_qt_reads_what_we_write_and_we_read_what_qt_writes(tmp_path: Path) -> None:
    image = QImage(str(exported(DEEP, tmp_path / "ours.png")))
    assert image.format() == QImage.Format.Format_RGBA64
    image.setColorSpace(QColorSpace())
    rows = np.frombuffer(image.constBits(), np.uint16).reshape(image.height(), -1)
    np.testing.assert_array_equal(rows[:, : 37 * 4].reshape(23, 37, 4), DEEP)
    image.save(str(tmp_path / "theirs.png"))
    np.testing.assert_array_equal(opened(tmp_path / "theirs.png"), DEEP)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_grey_tiffs_of_every_compression(tmp_path: Path, compression: str) -> None:
    Image.fromarray(DEEP[..., 0].copy()).save(tmp_path / "grey.tif", compression=compression)
    found = opened(tmp_path / "grey.tif")
    np.testing.assert_array_equal(found[..., :3], np.repeat(DEEP[..., :1], 3, axis=-1))
    assert (found[..., 3] == 65535).all()


def tiff(samples: NDArray[np.uint16], order: str, tile_px: int = 0) -> bytes:
    """A plain TIFF made by hand, in strips or tiles."""
    stored = samples.astype(f"{order}u2")
    height, width, channels = stored.shape
    blocks = [stored.tobytes()]
    if tile_px:
        padded = np.zeros(
            (-(-height // tile_px) * tile_px, -(-width // tile_px) * tile_px, channels), f"{order}u2"
        )
        padded[:height, :width] = stored
        blocks = [
            padded[y : y + tile_px, x : x + tile_px].tobytes()
            for y in range(0, height, tile_px)
            for x in range(0, width, tile_px)
        ]  # fmt: skip
    entries = [(256, 3, [width]), (257, 3, [height]), (258, 3, [16] * channels), (259, 3, [1]), (262, 3, [2]),
               (277, 3, [channels])]  # fmt: skip
    if channels == 4:
        entries.append((338, 3, [2]))
    starts = np.cumsum([8, *map(len, blocks)])[:-1].tolist()
    sizes = [len(block) for block in blocks]
    if tile_px:
        entries += [(322, 3, [tile_px]), (323, 3, [tile_px]), (324, 4, starts), (325, 4, sizes)]
    else:
        entries += [(273, 4, starts), (278, 3, [height]), (279, 4, sizes)]
    body = b"".join(blocks)
    place = 8 + len(body)
    extra_at = place + 2 + 12 * len(entries) + 4
    table, extra = struct.pack(f"{order}H", len(entries)), b""
    for tag, kind, values in sorted(entries):
        packed = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, extra = struct.pack(f"{order}I", extra_at + len(extra)), extra + packed
        table += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", place) + body + table + bytes(4) + extra


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("tile_px", [0, 16])
def test_tiffs_of_both_byte_orders_in_strips_and_tiles(
    tmp_path: Path, order: str, channels: int, tile_px: int
) -> None:
    (tmp_path / "theirs.tif").write_bytes(tiff(DEEP[..., :channels], order, tile_px))
    np.testing.assert_array_equal(opened(tmp_path / "theirs.tif"), DEEP if channels == 4 else opaque(DEEP))


def png(kind: int, data: NDArray[np.uint16], *chunks: tuple[bytes, bytes]) -> bytes:
    height, width = data.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in data)
    header = struct.pack(">II5B", width, height, 16, kind, 0, 0, 0)
    result = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        checksum = zlib.crc32(name + content)
        result += struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
    return result


def test_grey_with_alpha(tmp_path: Path) -> None:
    (tmp_path / "grey.png").write_bytes(png(4, DEEP[..., :2]))
    found = opened(tmp_path / "grey.png")
    np.testing.assert_array_equal(found, DEEP[..., [0, 0, 0, 1]])


def test_a_transparent_colour_of_sixteen_bits_means_all_its_bits(tmp_path: Path) -> None:
    data = DEEP[..., :3].copy()
    data[0, 0], data[0, 1] = (1000, 2000, 3000), (1000, 2000, 3001)
    key = struct.pack(">3H", 1000, 2000, 3000)
    (tmp_path / "key.png").write_bytes(png(2, data, (b"tRNS", key)))
    assert opened(tmp_path / "key.png")[0, :2, 3].tolist() == [0, 65535]


def test_orientation_is_applied_to_sixteen_bits(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    (tmp_path / "turned.png").write_bytes(png(6, DEEP, (b"eXIf", block)))
    np.testing.assert_array_equal(opened(tmp_path / "turned.png"), np.rot90(DEEP, -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_as_pillow_turns_it(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = (DEEP[..., :3] >> 8).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(opened(tmp_path / "turned.png")[..., :3], expected)


def test_floating_numbers_are_scaled_and_said(tmp_path: Path) -> None:
    values = np.linspace(0, 2, 12, dtype=np.float32).reshape(3, 4)
    Image.fromarray(values).save(tmp_path / "float.tif")
    found = open_file(tmp_path / "float.tif")
    assert "scaled to 16 bits" in found.notes[0]
    (layer,) = found.state.rasters()
    np.testing.assert_array_equal(layer.raster.array()[..., 0], np.round(values.astype(float) / 2 * 65535))


def test_a_grey_profile_is_applied(tmp_path: Path) -> None:
    linear = ImageCms.ImageCmsProfile(io.BytesIO(grey_profile(1.0)))
    Image.fromarray(np.full((4, 4), 55, np.uint8)).save(tmp_path / "l.png", icc_profile=linear.tobytes())
    found = open_file(tmp_path / "l.png")
    assert "grey" in found.notes[0]
    (layer,) = found.state.rasters()
    assert abs(int(layer.pixels[0, 0, 0]) - 128) <= 1  # 55/255 of the light is 50 % in sRGB
    assert found.state.icc_profile == b""


def grey_profile(gamma: float) -> bytes:
    curve = struct.pack(">4s4xIH", b"curv", 1, round(gamma * 256)) + b"\0\0"
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    table = struct.pack(">I4sII4sII", 2, b"kTRC", 156, len(curve), b"wtpt", 156 + len(curve), len(white))
    size = 128 + len(table) + len(curve) + len(white)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + white[8:]
    return header.ljust(128, b"\0") + table + curve + white


@pytest.mark.parametrize("effort", ["fast", "normal", "small"])
def test_a_picture_of_many_bands_is_one_png(tmp_path: Path, effort: str) -> None:
    tall = np.random.default_rng(1).integers(0, 4, (1500, 700, 4), np.uint8)
    tall[..., 3] = 255
    with Image.open(exported(tall, tmp_path / "tall.png", effort=effort)) as image:
        image.verify()
    with Image.open(tmp_path / "tall.png") as image:
        assert image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image), tall[..., :3])


def test_large_pictures_are_composed_band_by_band(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editor.formats.picture.WHOLE_BYTES", 0)
    below = Layer(name="below", raster=Raster.of(opaque(np.tile(DEEP, (30, 1, 1)))))
    above = Layer(name="above", raster=Raster.of(np.tile(DEEP, (20, 1, 1))), x=5, y=40, opacity=0.5)
    state = DocumentState(width=37, height=690, layers=(below, above), active=above.id)
    export_picture(state, SourceMetadata(), tmp_path / "bands.png", ExportOptions())
    assert Picture(state=state, source=SourceMetadata()).is_opaque
    whole = Picture(state=state, source=SourceMetadata()).samples
    np.testing.assert_array_equal(opened(tmp_path / "bands.png"), whole)


@pytest.mark.parametrize("cut", [0, 1, 70_000, 199_999, 200_000])
def test_checksums_are_joined_as_zlib_counts_them(cut: int) -> None:
    data = np.random.default_rng(2).integers(0, 256, 200_000, np.uint8).tobytes()
    joined = joined_checksum(zlib.adler32(data[:cut]), zlib.adler32(data[cut:]), len(data) - cut)
    assert joined == zlib.adler32(data)
