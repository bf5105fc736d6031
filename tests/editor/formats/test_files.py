"""Opening in steps, and what an export would be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editor.colour import conversion as colour
from editor.formats.files import (
    ExportOptions,
    export_picture,
    export_preview,
    open_file,
)
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster
from inference.errors import EditorError
from tests.editor.samples import flat, noise

SOURCE = SourceMetadata()


def state_of(pixels: np.ndarray) -> DocumentState:
    return DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=pixels))


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (64, 48)), ({"percent": 50.0}, (32, 24)), ({"width": 16}, (16, 12)), ({"height": 96}, (128, 96)),
        ({"width": 5, "height": 7}, (5, 7)), ({"percent": 1.0}, (1, 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "tiff", "avif"])
def test_scaling(tmp_path: Path, name: str, options: dict[str, object], size: tuple[int, int]) -> None:
    given = ExportOptions(format=name, **options)
    bytes_written, pixels, _ = export_preview(state_of(flat(90, 64)[:48]), SOURCE, given)
    export_picture(state_of(flat(90, 64)[:48]), SOURCE, tmp_path / "a", given)
    assert bytes_written == (tmp_path / "a").stat().st_size
    assert (pixels.shape[1], pixels.shape[0]) == size
    assert np.abs(pixels[..., :3].astype(int) - 90).max() <= 3


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_scaling_weighs_colours_by_alpha(tmp_path: Path, depth: int, method: str) -> None:
    top = 255 if depth == 8 else 65535
    samples = np.zeros((32, 32, 4), np.uint8 if depth == 8 else np.uint16)
    samples[:, 11:] = (top, 0, 0, top)  # transparent black beside red: no dark seam
    state = DocumentState.of_layer(Layer(name="edge", raster=Raster.of(samples)))
    export_picture(state, SOURCE, tmp_path / "a.png", ExportOptions(width=8, resampling=method))
    (layer,) = open_file(tmp_path / "a.png").state.rasters()
    seen = layer.raster.array()[layer.raster.array()[..., 3] > top // 8]
    assert (seen[:, 0] >= top * 0.98).all()


def test_conversion_to_srgb_changes_numbers_and_says_the_profile(tmp_path: Path) -> None:
    p3 = colour.built_in_profile("display-p3")
    pixels = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    state = replace(state_of(pixels), icc_profile=p3)
    export_picture(state, SOURCE, tmp_path / "keep.png", ExportOptions())
    export_picture(state, SOURCE, tmp_path / "srgb.png", ExportOptions(profile="srgb"))
    kept, converted = (open_file(tmp_path / name).state for name in ("keep.png", "srgb.png"))
    assert kept.icc_profile == p3
    assert colour.same_colours(converted.icc_profile, b"")
    np.testing.assert_array_equal(next(converted.rasters()).pixels[..., :3], colour.to_srgb(pixels, p3))


def test_options_survive_as_json_and_refuse_nonsense() -> None:
    options = ExportOptions(format="jpeg", quality=70, progressive=True, subsampling="4:2:2", location=False)
    assert ExportOptions.from_json(options.to_json()) == options
    for wrong in ({"quality": 0}, {"depth": "12"}, {"profile": "cmyk"}, {"percent": 0.0}, {"width": -1}):
        with pytest.raises(EditorError):
            ExportOptions(**wrong)


def test_jpeg_options_are_those_of_the_file(tmp_path: Path) -> None:
    state = state_of(noise(1, 64, 64))
    sizes = {}
    for sampling in ("4:4:4", "4:2:0"):
        path = tmp_path / "a.jpg"
        export_picture(state, SOURCE, path, ExportOptions(subsampling=sampling, progressive=True))
        with Image.open(path) as image:
            assert image.info["progressive"]
            sizes[sampling] = image.layer[0][1:3]
    assert sizes == {"4:4:4": (1, 1), "4:2:0": (2, 2)}
