"""JPEG like the original: the same tables, the same resolution of colours, through projects as well."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editor.__main__ import main
from editor.document.state_json import source_from_json, source_to_json
from editor.formats.files import ExportOptions, export_picture, open_file, save_project
from editor.formats.metadata.jpeg_encoding import encoding_of, estimated_quality
from editor.layers.state import JpegEncoding, SourceMetadata

LIKE = ExportOptions(format="jpeg", like_original=True)


def photo(path: Path, mode: str = "RGB", **options: object) -> Path:
    random = np.random.default_rng(3).integers(0, 256, (6, 9, 3), np.uint8)
    Image.fromarray(random).resize((90, 60)).convert(mode).save(path, "JPEG", **options)
    return path


def encoding(path: Path) -> JpegEncoding | None:
    with Image.open(path) as image:
        return encoding_of(image)


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [35, 75, 88, 97])
def test_an_export_is_encoded_as_its_original(tmp_path: Path, quality: int, sampling: str) -> None:
    original = photo(tmp_path / "a.jpg", quality=quality, subsampling=sampling)
    opened = open_file(original)
    save_project(opened.state, opened.source, tmp_path / "a.ora")
    through = open_file(tmp_path / "a.ora")
    for number, found in enumerate((opened, through)):
        again = tmp_path / f"{number}.jpg"
        assert export_picture(found.state, found.source, again, LIKE) == ()
        assert encoding(again) == encoding(original)
        assert abs(again.stat().st_size / original.stat().st_size - 1) < 0.03
        with Image.open(original) as one, Image.open(again) as other:
            difference = np.abs(np.asarray(one).astype(int) - np.asarray(other))
        assert difference.mean() < 3


@pytest.mark.parametrize("quality", [1, 20, 50, 80, 92, 100])
def test_the_quality_is_estimated(tmp_path: Path, quality: int) -> None:
    found = encoding(photo(tmp_path / "a.jpg", quality=quality))
    assert found is not None
    assert estimated_quality(found) == quality


def test_tables_of_a_camera_are_kept_as_they_are(tmp_path: Path) -> None:
    tables = [[min(255, 3 + place // 3) for place in range(64)], [min(255, 5 + place) for place in range(64)]]
    original = photo(tmp_path / "a.jpg", qtables=tables)
    opened = open_file(original)
    export_picture(opened.state, opened.source, tmp_path / "b.jpg", LIKE)
    assert encoding(tmp_path / "b.jpg") == encoding(original)


def test_grey_stays_grey(tmp_path: Path) -> None:
    original = photo(tmp_path / "a.jpg", mode="L", quality=83)
    opened = open_file(original)
    for name, options in (("b.jpg", LIKE), ("c.jpg", ExportOptions())):
        export_picture(opened.state, opened.source, tmp_path / name, options)
        with Image.open(tmp_path / name) as image:
            assert image.mode == "L"
    assert encoding(tmp_path / "b.jpg") == encoding(original)


def test_a_grey_original_and_a_coloured_picture(tmp_path: Path) -> None:
    grey, coloured = open_file(photo(tmp_path / "a.jpg", mode="L")), open_file(photo(tmp_path / "b.jpg"))
    export_picture(coloured.state, grey.source, tmp_path / "c.jpg", LIKE)
    with Image.open(tmp_path / "c.jpg") as image:
        assert image.mode == "RGB"


def test_without_an_original_the_quality_holds_and_is_said(tmp_path: Path) -> None:
    opened = open_file(photo(tmp_path / "a.jpg"))
    source = replace(opened.source, jpeg=None)
    (note,) = export_picture(opened.state, source, tmp_path / "b.jpg", replace(LIKE, quality=71))
    assert "the quality is 71" in note
    found = encoding(tmp_path / "b.jpg")
    assert found is not None
    assert estimated_quality(found) == 71


@pytest.mark.parametrize(
    "values",
    [
        5,
        {"tables": [], "subsampling": "4:4:4"},
        {"tables": [[1] * 63], "subsampling": "4:4:4"},
        {"tables": [[0] * 64], "subsampling": "4:4:4"},
        {"tables": [[1.5] * 64], "subsampling": "4:4:4"},
        {"tables": [[1] * 64] * 5, "subsampling": "4:4:4"},
        {"tables": [[1] * 64], "subsampling": "4:1:1"},
        {"tables": [[1] * 64]},
    ],
)
def test_what_cannot_be_used_is_dropped_from_a_project(values: object) -> None:
    kept = SourceMetadata(jpeg=JpegEncoding(tables=((1,) * 64,), subsampling="4:4:4"))
    assert source_from_json(source_to_json(kept)) == kept
    assert source_from_json({**source_to_json(kept), "jpeg": values}).jpeg is None


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original = photo(tmp_path / "a.jpg", quality=61, subsampling="4:2:2")
    again = tmp_path / "b.jpg"
    assert main(["convert", str(original), "-o", str(again), "--quality", "original", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["like_original"] is True
    assert encoding(again) == encoding(original)
    assert main(["convert", str(original), "-o", str(tmp_path / "b.webp"), "--quality", "original"]) == 0
    assert "WebP cannot be encoded as a JPEG was." in capsys.readouterr().err
    assert main(["convert", str(original), "-o", str(again), "--quality", "best"]) == 2
