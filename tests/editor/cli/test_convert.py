"""`attune convert`: what opening and exporting do, in a process of its own and in this one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from editor.__main__ import main
from editor.formats.files import open_file
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata

ROOT = Path(__file__).parents[3]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG with a place, a camera's name and a comment."""
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    path = tmp_path / "photo.jpg"
    pixels = np.add.outer(np.arange(20), np.arange(30)).astype(np.uint8) * 5
    picture = Image.fromarray(np.stack([pixels, pixels // 2, 255 - pixels], -1))
    picture.save(path, exif=exif, icc_profile=SRGB, quality=95, comment=b"by hand")
    return path


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A grey PNG of 16 bits."""
    path = tmp_path / "deep.png"
    Image.fromarray(np.arange(0, 60000, 100, dtype=np.uint16).reshape(20, 30)).save(path)
    return path


def converted(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert main(["convert", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path, status: int = 2) -> str:
    assert main(["convert", *map(str, arguments), "--json"]) == status
    captured = capsys.readouterr()
    error = json.loads(captured.out)["error"]
    assert error["status"] == status
    assert error["message"] in captured.err
    return error["message"]


def test_the_ending_says_the_format_in_a_process_of_its_own_elsewhere(photo: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "editor.py").write_text("raise SystemExit(9)")  # what lies there is not run
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for ending, kind in (
        ("png", "PNG"),
        ("tif", "TIFF"),
        ("webp", "WEBP"),
        ("avif", "AVIF"),
        ("jpeg", "JPEG"),
    ):
        found = subprocess.run(
            [sys.executable, "-P", "-m", "editor", "convert", "../photo.jpg", "-o", f"out.{ending}"],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert (found.returncode, found.stdout) == (0, f"out.{ending}\n"), found.stderr
        with Image.open(elsewhere / f"out.{ending}") as image:
            assert (image.format, image.size) == (kind, (30, 20))


def test_the_report_says_what_was_used_and_written(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "small.jpg"
    found = converted(capsys, photo, "-o", out, "--quality", "70", "--width", "15", "--profile", "srgb")
    assert found["outputs"] == [str(out)]
    assert (found["parameters"]["quality"], found["parameters"]["profile"]) == (70, "srgb")
    (one,) = found["files"]
    assert (one["format"], one["width"], one["height"], one["depth"]) == ("jpeg", 15, 10, 8)
    with Image.open(out) as image:
        assert image.size == (15, 10)
    assert out.stat().st_size < photo.stat().st_size


def test_the_place_and_everything_else_can_be_left_out(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("jpg", "png", "webp", "tif", "avif"):
        kept, placeless, bare = (tmp_path / f"{name}.{ending}" for name in ("kept", "placeless", "bare"))
        converted(capsys, photo, "-o", kept)
        converted(capsys, photo, "-o", placeless, "--no-location")
        converted(capsys, photo, "-o", bare, "--no-metadata")
        said = [_exif(path) for path in (kept, placeless, bare)]
        assert said == [(True, "Camera"), (False, "Camera"), (False, None)]


def test_depth_is_kept_or_asked_for(deep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, eight = tmp_path / "kept.tif", tmp_path / "eight.png"
    assert converted(capsys, deep, "-o", kept)["files"][0]["depth"] == 16
    assert converted(capsys, deep, "-o", eight, "--depth", "8")["files"][0]["depth"] == 8
    first, second = open_file(deep).state, open_file(kept).state
    assert (next(first.rasters()).raster.array() == next(second.rasters()).raster.array()).all()
    assert open_file(eight).state.depth == 8


def test_notes_are_on_standard_error(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(photo), "-o", str(tmp_path / "a.webp"), "--depth", "16"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'a.webp'}\n"
    assert "WebP holds 8 bits a channel." in captured.err
    assert "WebP has no place for the comment." in captured.err
    found = converted(capsys, photo, "-o", tmp_path / "a.png", "--quality", "5")
    assert found["notes"] == ["PNG has no quality: nothing is lost in it."]


def test_a_picture_is_not_replaced_by_itself_unasked(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()
    (tmp_path / "link.jpg").symlink_to(photo)
    assert "converted itself" in refused(capsys, photo, "-o", photo)
    assert "converted itself" in refused(capsys, photo, "-o", tmp_path / "link.jpg")
    assert "converted itself" in refused(capsys, photo, "-o", tmp_path)
    assert photo.read_bytes() == before
    converted(capsys, photo, "-o", photo, "--overwrite", "--no-location")
    assert photo.read_bytes() != before
    (tmp_path / "other.png").write_bytes(b"older")  # other files are replaced, as by other commands
    converted(capsys, photo, "-o", tmp_path / "other.png")
    assert open_file(tmp_path / "other.png").state.width == 30


class TestSeveral:
    def test_each_keeps_its_format_or_takes_the_one_asked_for(
        self, photo: Path, deep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Image.new("RGB", (3, 2)).save(tmp_path / "old.bmp")
        out = tmp_path / "out"
        out.mkdir()
        converted(capsys, photo, deep, tmp_path / "old.bmp", "-o", out)
        assert sorted(path.name for path in out.iterdir()) == ["deep.png", "old.png", "photo.jpg"]
        found = converted(capsys, photo, deep, "-o", out, "--format", "tiff")
        assert [Path(path).name for path in found["outputs"]] == ["photo.tif", "deep.tif"]

    def test_one_that_fails_does_not_stop_the_others(
        self, photo: Path, deep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "broken.png").write_bytes(deep.read_bytes()[:80])
        out = tmp_path / "out"
        out.mkdir()
        given = [photo, tmp_path / "broken.png", tmp_path / "none.png", deep]
        assert main(["convert", *map(str, given), "-o", str(out), "--json"]) == 2
        captured = capsys.readouterr()
        found = json.loads(captured.out)
        assert [Path(path).name for path in found["outputs"]] == ["photo.jpg", "deep.png"]
        assert [Path(one["input"]).name for one in found["errors"]] == ["broken.png", "none.png"]
        assert all(one["message"] in captured.err for one in found["errors"])

    def test_two_of_one_name_and_a_folder_that_is_none(
        self, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        twin = tmp_path / "photo.png"
        Image.new("RGB", (3, 2)).save(twin)
        out = tmp_path / "out"
        out.mkdir()
        assert "would both become" in refused(capsys, photo, twin, "-o", out, "--format", "webp")
        assert "is no folder" in refused(capsys, photo, twin, "-o", tmp_path / "nowhere")
        assert list(out.iterdir()) == []


class TestProjects:
    def test_layers_stay_and_what_is_seen_is_exported(
        self, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from editor.formats.files import save_project

        state = DocumentState.of_layer(Layer.of_pixels(name="red", pixels=_plain(200, 0, 0)))
        state = state.inserted([Layer.of_pixels(name="blue", pixels=_plain(0, 0, 200))])
        project, again, flat = tmp_path / "a.ora", tmp_path / "b.ora", tmp_path / "a.png"
        save_project(state, SourceMetadata(), project)
        converted(capsys, project, "-o", again)
        assert [layer.name for layer in open_file(again).state.layers] == ["red", "blue"]
        converted(capsys, again, "-o", flat)
        assert open_file(flat).state.layers[0].raster.array()[0, 0].tolist() == [0, 0, 200, 255]
        assert converted(capsys, photo, "-o", tmp_path / "photo.ora")["files"][0]["format"] == "openraster"

    @pytest.mark.parametrize("flag", [("--width", "9"), ("--no-location",), ("--depth", "8")])
    def test_nothing_is_changed_in_a_project(
        self, photo: Path, tmp_path: Path, flag: tuple[str, ...], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert flag[0].replace("no-", "") in refused(capsys, photo, "-o", tmp_path / "a.ora", *flag)
        assert not (tmp_path / "a.ora").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.png", "-o", "a.png"), "no file"),
        (("photo.jpg", "-o", "a.xyz"), "cannot write files with the ending"),
        (("photo.jpg", "-o", "a.png", "--format", "frob"), "cannot write “frob”"),
        (("photo.jpg", "-o", "none/a.png"), "no folder"),
        (("photo.jpg", "-o", "a.png", "--quality", "101"), "101"),
        (("photo.jpg", "-o", "a.png", "--width", "-3"), "-3"),
        (("photo.jpg", "-o", "a.png", "--width", "100000", "--height", "100000"), "too large"),
        (("photo.jpg", "-o", "a.png", "--depth", "12"), "12"),
        (("photo.jpg",), "-o"),
        (("-o", "a.png"), "IN"),
    ],
)
def test_what_makes_no_sense_is_told(
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(photo.parent)
    assert said in refused(capsys, *arguments)
    assert not Path("a.png").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_devices_are_not_written_to(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "device" in refused(capsys, photo, "-o", "/dev/full", "--format", "png")


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes are Linux's")
def test_names_that_are_no_utf_8(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    photo.rename(given)
    out = tmp_path / os.fsdecode("照片.png".encode("gbk"))
    converted(capsys, given, "-o", out)
    assert open_file(out).state.width == 30


def test_files_cut_anywhere_end_with_a_sentence(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut = photo.read_bytes(), tmp_path / "cut.jpg"
    for length in range(0, len(whole), 97):
        cut.write_bytes(whole[:length])
        status = main(["convert", str(cut), "-o", str(tmp_path / "out.png")])
        said = capsys.readouterr().err
        assert "went wrong inside" not in said
        assert (status == 0) == (tmp_path / "out.png").exists()
        assert said
        (tmp_path / "out.png").unlink(missing_ok=True)


def _exif(path: Path) -> tuple[bool, str | None]:
    """Whether there is a place, and who made the camera."""
    with Image.open(path) as image:
        exif = image.getexif()
        return bool(exif.get_ifd(0x8825)), exif.get(0x010F)


def _plain(red: int, green: int, blue: int) -> np.ndarray:
    pixels = np.empty((4, 5, 4), np.uint8)
    pixels[...] = (red, green, blue, 255)
    pixels.setflags(write=False)
    return pixels
