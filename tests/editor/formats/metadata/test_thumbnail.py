"""The small JPEG inside EXIF is of the exported picture, not of the one before."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editor.formats import picture
from editor.formats.files import ExportOptions, export_picture
from editor.formats.metadata import exif, thumbnail
from editor.formats.metadata.exif_block import Block
from editor.formats.picture import Picture
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from tests.editor.formats.metadata.test_exif_block import THUMBNAIL, sample


def red(width: int, height: int, alpha: int = 255) -> DocumentState:
    pixels = np.full((height, width, 4), (255, 0, 0, alpha), np.uint8)
    return DocumentState.of_layer(Layer.of_pixels(name="red", pixels=pixels))


@pytest.mark.parametrize(("width", "height"), [(1600, 900), (3, 2000), (10, 10)])
def test_is_small_and_has_the_picture_s_shape(width: int, height: int) -> None:
    data = thumbnail.jpeg_of(Picture(state=red(width, height), source=SourceMetadata()))
    with Image.open(io.BytesIO(data)) as image:
        assert max(image.size) <= thumbnail.SIDE_PX
        assert image.width / image.height == pytest.approx(width / height, rel=0.05, abs=0.01)
        assert image.getpixel((0, 0)) == pytest.approx((254, 0, 0), abs=4)
    assert len(data) <= thumbnail.MOST_BYTES


def test_large_pictures_are_sampled_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "WHOLE_BYTES", 1)
    shown = Picture(state=red(700, 900, alpha=0), source=SourceMetadata())
    with Image.open(io.BytesIO(thumbnail.jpeg_of(shown))) as image:
        assert image.getpixel((5, 5)) == pytest.approx((255, 255, 255), abs=2)  # over white
    assert "samples" not in shown.__dict__


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_takes_the_place_of_the_one_before(tmp_path: Path, ending: str) -> None:
    source = SourceMetadata(exif=b"Exif\0\0" + bytes(sample("<").data))
    export_picture(red(400, 300), source, tmp_path / f"a.{ending}", ExportOptions())
    with Image.open(tmp_path / f"a.{ending}") as image:
        block = Block(image.info["exif"])
    folder = block.thumbnail_folder
    assert folder is not None
    start, size = block.thumbnail_range(folder)
    with Image.open(io.BytesIO(bytes(block.data[start : start + size]))) as small:
        assert small.size == (160, 120)
        assert small.getpixel((0, 0)) == pytest.approx((254, 0, 0), abs=4)
    assert THUMBNAIL not in block.data


def test_a_tiff_has_no_second_picture_because_of_it(tmp_path: Path) -> None:
    source = SourceMetadata(exif=b"Exif\0\0" + bytes(sample(">").data))
    export_picture(red(8, 8), source, tmp_path / "a.tif", ExportOptions())
    with Image.open(tmp_path / "a.tif") as image:
        assert image.n_frames == 1
    assert THUMBNAIL not in (tmp_path / "a.tif").read_bytes()
    assert exif.has_location(source.exif)
