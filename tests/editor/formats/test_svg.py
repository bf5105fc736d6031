"""SVG: pixels at any size, and nothing that fetches, runs or never ends."""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from editor.__main__ import main
from editor.formats.files import open_file
from editor.formats.svg.safe import cleaned
from inference.errors import EditorError

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
RED = '<rect width="40" height="20" fill="#ff0000"/>'


@pytest.fixture(autouse=True)
def _application(qtbot: QtBot) -> None:
    """Fonts want an application."""


def drawing(inside: str, size: str = 'width="40" height="20"') -> str:
    return f"{HEAD} {size}>{inside}</svg>"


def saved(folder: Path, text: str, name: str = "a.svg") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def pixels(path: Path) -> Any:
    (layer,) = open_file(path).state.rasters()
    return layer.raster.array()


def picture(colour: str = "#00ff00", kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def image(target: str, name: str = "xlink:href") -> str:
    return f'<image {name}="{target}" width="40" height="20" preserveAspectRatio="none"/>'


def test_its_own_size_and_any_other(tmp_path: Path) -> None:
    path = saved(tmp_path, drawing(RED))
    found = pixels(path)
    assert found.shape == (20, 40, 4)
    assert found[5, 5].tolist() == [255, 0, 0, 255]
    larger = open_file(path, lambda width, height: (width * 10, height * 10))
    assert (larger.state.width, larger.state.height) == (400, 200)
    assert "400 × 200" in larger.notes[0]


@pytest.mark.parametrize(
    ("size", "expected"),
    [('viewBox="0 0 30 60"', (30, 60)), ("", None), ('width="100%" height="100%" viewBox="0 0 8 8"', (8, 8))],
)
def test_a_size_is_found(tmp_path: Path, size: str, expected: tuple[int, int] | None) -> None:
    opened = open_file(saved(tmp_path, drawing(RED, size)))
    assert opened.is_drawing
    found = (opened.state.width, opened.state.height)
    assert expected is None or found == expected


@pytest.mark.parametrize("start", ["", '<?xml version="1.0"?>\n', "\ufeff", "<!-- made by hand -->", "\n  "])
def test_it_is_known_by_its_content(tmp_path: Path, start: str) -> None:
    assert (
        pixels(saved(tmp_path, start + drawing(RED), "a.txt" if start.strip() else "a.svg"))[5, 5, 0] == 255
    )


def test_packed(tmp_path: Path) -> None:
    path = tmp_path / "a.svgz"
    path.write_bytes(gzip.compress(drawing(RED).encode()))
    assert pixels(path)[5, 5].tolist() == [255, 0, 0, 255]
    path.write_bytes(gzip.compress(bytes(2**27)))
    with pytest.raises(EditorError, match="at most"):
        open_file(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_pictures_in_the_file_are_drawn(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path, drawing(image(f"data:image/{kind.lower()};base64,{picture(kind=kind)}")))
    assert pixels(path)[10, 20, 1] > 240
    assert len(open_file(path).notes) == 1


def test_nothing_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (8, 8), "#00ff00").save(secret)
    inner = base64.b64encode(drawing(image(secret.as_uri())).encode()).decode()
    targets = [
        str(secret), secret.as_uri(), "secret.png", f"file:{secret}", f"  {secret.as_uri()}",
        f"data:image/svg+xml;base64,{inner}", f"data:image/png;base64,{inner}",
        f"data:image/png;base64,*{inner}",
        "http://127.0.0.1:9/a.png", f"data:image/png,{secret}",
    ]  # fmt: skip
    for target in targets:
        for name in ("xlink:href", "href"):
            path = saved(tmp_path, drawing(RED + image(target, name)))
            found = open_file(path)
            values = next(found.state.rasters()).raster.array()
            assert values[10, 20].tolist() == [255, 0, 0, 255], target
            assert any("not fetched" in note for note in found.notes), target


@pytest.mark.parametrize(
    "inside",
    [
        "<style>@import url(http://127.0.0.1:9/a.css);</style>",
        '<style>@font-face{font-family:a;src:url("file:///etc/passwd")}</style>',
        '<rect width="4" height="4" style="fill:url(http://127.0.0.1:9/a#b)"/>',
        '<rect width="4" height="4" fill="url(other.svg#a)"/>',
        r"<style>.a{fill:u\rl(http://127.0.0.1:9/a)}</style>",
        '<use xlink:href="other.svg#a"/>',
    ],
)
def test_references_elsewhere_are_cut(inside: str) -> None:
    found = cleaned(drawing(inside).encode())
    assert found.fetched
    assert b"127.0.0.1" not in found.data
    assert b"passwd" not in found.data
    assert b"other" not in found.data


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<rect width="4" height="4" onload="alert(1)"/>',
        "<foreignObject><p>html</p></foreignObject>",
        '<rect width="4" height="4"><animate attributeName="x" from="0" to="9" dur="1s"/></rect>',
    ],
)
def test_nothing_runs(inside: str) -> None:
    found = cleaned(drawing(inside).encode())
    assert found.ran
    assert b"alert" not in found.data
    assert b"animate" not in found.data


def test_entities_are_refused_with_a_way(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    with pytest.raises(EditorError, match="entities"):
        open_file(saved(tmp_path, bomb + drawing("<text>&b;</text>")))
    outside = '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(EditorError, match="entities"):
        open_file(saved(tmp_path, outside + drawing("<text>&a;</text>")))


def levels(tag: str, refer: str) -> str:
    """Twelve levels, each of which draws the next one ten times."""
    rows = [f'<{tag} id="n12" width="1" height="1"><rect width="1" height="1"/></{tag}>']
    for number in range(12):
        inside = refer.format(number + 1) * 10
        rows.append(f'<{tag} id="n{number}" width="1" height="1">{inside}</{tag}>')
    return "<defs>" + "".join(rows) + "</defs>" + refer.format(0)


@pytest.mark.parametrize(
    "inside",
    [
        levels("g", '<use xlink:href="#n{}"/>'),
        levels("pattern", '<rect width="9" height="9" fill="url(#n{})"/>'),
        levels("mask", '<rect width="9" height="9" style="mask:url(#n{})"/>'),
        '<g id="a"><use xlink:href="#a"/></g>',
        "<g>" * 5000 + "</g>" * 5000,
        "<g/>" * 300_000,
    ],
)
def test_what_would_never_end_is_refused_at_once(tmp_path: Path, inside: str) -> None:
    path = saved(tmp_path, drawing(inside))
    started = time.perf_counter()
    with pytest.raises(EditorError, match="SVG"):
        open_file(path)
    assert time.perf_counter() - started < 20


def test_sizes_beyond_the_limits_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, drawing(RED))
    for size in ((40_000, 10), (30_000, 30_000), (0, 5)):
        with pytest.raises(EditorError):
            open_file(path, lambda width, height, size=size: size)
    with pytest.raises(EditorError):
        open_file(saved(tmp_path, drawing(RED, 'width="1000000" height="1000000"')))


@pytest.mark.parametrize("text", ["<svg", "<svg>", f"{HEAD}><rect></svg>", '<?xml version="1.0"?><svg:x/>'])
def test_what_is_no_drawing_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(EditorError):
        open_file(saved(tmp_path, text))


def test_html_is_no_drawing(tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="no picture"):
        open_file(saved(tmp_path, "<!DOCTYPE html><html><body></body></html>"))


@pytest.mark.parametrize(
    ("given", "size"), [(("--width", "400"), (400, 200)), (("--percent", "300"), (120, 60)), ((), (40, 20))]
)
def test_on_the_command_line_it_is_drawn_at_that_size(
    tmp_path: Path, given: tuple[str, ...], size: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, drawing('<path d="M0 0L40 20" stroke="black"/>'))
    out = tmp_path / "a.png"
    assert main(["convert", str(path), "-o", str(out), "--json", *given]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["width"] == size[0]
    with Image.open(out) as found:
        assert found.size == size
    assert np.asarray(pixels(out))[..., 3].max() > 150
