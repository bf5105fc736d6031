"""Names of files proposed for pictures."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.words.file_names import LONGEST_NAME, free_path, proposed_stem


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("a cat w/ a hat", "a cat w a hat"),
        ("portrait, 35mm f/1.8", "portrait, 35mm f 1.8"),
        ("a photo of Mr. Smith and Dr. Who", "a photo of Mr. Smith and Dr. Who"),
        ("a man\nand a woman", "a man and a woman"),
        ("holiday.png", "holiday"),
        ("holiday.PNG", "holiday"),
        ("a very long prompt that was cut…", "a very long prompt that was cut"),
        ("..", "picture"),
        ("", "picture"),
        ("nul", "nul_"),
        ("海滩上的人", "海滩上的人"),
    ],
)
def test_a_prompt_becomes_a_name(title: str, stem: str) -> None:
    assert proposed_stem(title, {".png", ".ora"}, "picture") == stem


@given(st.text())
def test_every_name_is_one_part_of_a_path(title: str) -> None:
    stem = proposed_stem(title, {".png"}, "picture")
    assert 0 < len(stem.encode()) <= LONGEST_NAME + 1
    for kind in (PurePosixPath, PureWindowsPath):
        assert kind(f"{stem}.ora").name == f"{stem}.ora"


def test_a_free_name_replaces_nothing(tmp_path: Path) -> None:
    assert free_path(tmp_path, "photo", ".jpg") == tmp_path / "photo.jpg"
    (tmp_path / "photo.jpg").touch()
    (tmp_path / "photo-2.jpg").symlink_to("nowhere")
    assert free_path(tmp_path, "photo", ".jpg") == tmp_path / "photo-3.jpg"
