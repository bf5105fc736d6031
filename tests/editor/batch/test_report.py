"""The report and the contact sheet of a batch."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from editor.batch.report import write_contact_sheet, write_report
from inference.errors import EditorError
from tests.editor.batch.pictures import batch, damage, folder_of, picture, recipe


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def target(tmp_path: Path) -> Path:
    source = folder_of(tmp_path / "in", 5)
    picture(8).save(source / "<script>alert(1)<script> & “x”.png")
    damage(source / "<b>.png")
    batch(source, tmp_path / "out", recipe(name="<img src=x onerror=alert(1)>")).run()
    return tmp_path / "out"


def test_a_page_without_scripts_on_everything(target: Path, tmp_path: Path) -> None:
    write_report(target, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.found
    assert tags.found.count("img") == 6
    for words in ("<script>alert(1)<script> & “x”.png", "<b>.png", "<img src=x", "Failed"):
        assert words in tags.text
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "default-src 'none'" in text


def test_a_sheet_of_all_results(target: Path, tmp_path: Path) -> None:
    (path,) = write_contact_sheet(target, tmp_path / "sheet.png")
    sheet = Image.open(path)
    assert sheet.width > 500
    colours = sheet.convert("RGB").getcolors(2**20)
    assert colours is not None
    assert len(colours) > 1000  # of noise, not only of paper and letters
    with pytest.raises(EditorError, match=r"\.png or \.jpg"):
        write_contact_sheet(target, tmp_path / "sheet.gif")


def test_a_folder_without_a_batch(tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="no batch"):
        write_report(tmp_path, tmp_path / "report.html")


def test_results_that_are_gone_are_left_out(target: Path, tmp_path: Path) -> None:
    for path in target.glob("00*"):
        path.unlink()
    write_report(target, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().count("<img alt") == 1
    assert write_contact_sheet(target, tmp_path / "sheet.jpg")
