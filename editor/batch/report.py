"""What came of a batch, to look at: a page of HTML without scripts, and a contact sheet."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from editor.batch.captions import captions
from editor.batch.manifest import DONE, Header, Line, Manifest
from editor.formats.files import open_file
from editor.generating.contents import visible
from editor.layers.limits import LARGEST_PIXELS
from editor.rendering.compositing import composite
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.values import mended

THUMBNAIL_PX = 160
_CELL_PX = (184, 204)
_MARGIN_PX = 16
_MOST_ON_A_SHEET = 400
_PAPER, _INK, _WRONG = (24, 24, 26), (214, 214, 218), (230, 120, 110)

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .25rem .6rem; vertical-align: top; }
tr + tr { border-top: 1px solid #8884; } .failed { color: #c0392b; } code { word-break: break-all; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 1rem; padding: 0; }
.sheet li { list-style: none; font-size: .8rem; overflow-wrap: anywhere; }
.sheet img { display: block; max-width: 160px; max-height: 160px; margin-bottom: .3rem; }
"""


@dataclass(frozen=True, kw_only=True)
class _Result:
    line: Line
    thumbnail: Any  # Pillow's image, or None


def write_report(folder: Path, path: Path) -> None:
    """An HTML page on the batch whose results are in `folder`; everything is in the one file.

    Raises:
        EditorError: there is no manifest.
        WritingError: it cannot be written.
    """
    header, lines = _read(folder)
    results = [_Result(line=line, thumbnail=_thumbnail(folder, line)) for line in lines]
    text = _page(header, results)
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "xmlcharrefreplace"))


def write_contact_sheet(folder: Path, path: Path) -> tuple[Path, ...]:
    """Small pictures of all results with their names, as one PNG or JPEG, or several beside each other.

    Raises:
        EditorError: there is no manifest, or nothing is done.
        WritingError: it cannot be written.
    """
    kind = sheet_kind(path)
    _, lines = _read(folder)
    done = [line for line in lines if line.state == DONE]
    if not done:
        raise EditorError("Nothing is done yet, so there is nothing on the sheet.", "Run the batch first.")
    written: list[Path] = []
    for number, start in enumerate(range(0, len(done), _MOST_ON_A_SHEET), 1):
        part = done[start : start + _MOST_ON_A_SHEET]
        place = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        sheet = _sheet(folder, part)
        with atomic_write(place) as file:
            sheet.save(file, kind, quality=90)
        written.append(place)
    return tuple(written)


def sheet_kind(path: Path) -> str:
    """What a contact sheet of that name is written as: PNG or JPEG.

    Raises:
        EditorError: it has another ending.
    """
    kind = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}.get(path.suffix.lower())
    if kind is None:
        raise EditorError("A contact sheet is a .png or .jpg file, not “{name}”.", name=path.name)
    return kind


def _read(folder: Path) -> tuple[Header, list[Line]]:
    manifest = Manifest(folder)
    manifest.read()
    if manifest.header is None:
        raise EditorError("“{path}” holds no batch.", "Choose the folder of its results.", path=folder)
    return manifest.header, sorted(manifest.lines.values(), key=lambda line: str(line.path))


def _thumbnail(folder: Path, line: Line) -> Any:
    """A small picture of a result; None where there is none any more."""
    return None if line.state != DONE or line.target is None else thumbnail_of(folder / line.target)


def thumbnail_of(path: Path) -> Any:
    """A small picture of a file as an RGB image of Pillow; None where it cannot be read."""
    from PIL import Image

    try:
        small = _quickly(path)
        if small is None:
            state = open_file(path).state
            small = Image.fromarray(visible(composite(state.layers, state.area), state.icc_profile))
    except EditorError:
        return None
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    if small.mode == "RGB":
        return small
    paper = Image.new("RGB", small.size, (255, 255, 255))
    paper.paste(small, mask=small.getchannel("A"))
    return paper


def _quickly(path: Path) -> Any:
    """A large JPEG without a profile, decoded small; None for all else."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            plain = image.format == "JPEG" and image.mode == "RGB" and "icc_profile" not in image.info
            if not plain or image.width * image.height > LARGEST_PIXELS:
                return None
            image.draft("RGB", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
            return image.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def _page(header: Header, results: Sequence[_Result]) -> str:
    done = [one for one in results if one.line.state == DONE]
    failed = [one for one in results if one.line.state != DONE]
    seconds = sum(one.line.seconds for one in results)
    evaluations = sum(one.line.evaluations for one in results)
    facts = [
        ("Recipe", f"{header.recipe} ({header.fingerprint[:8]})"),
        ("Model", f"{header.model} ({header.model_hash[:8]})" if header.model else "none"),
        ("Done", str(len(done))),
        ("Failed", str(len(failed))),
        ("Seconds of work", f"{seconds:.1f}"),
        ("Denoiser evaluations", str(evaluations)),
        ("Attune", header.version),
    ]
    title = f"Batch: {header.recipe or 'recipe'}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:;'
        " style-src 'unsafe-inline'\">",
        f"<title>{_escaped(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_escaped(title)}</h1>",
        "<table>",
        *(f"<tr><th>{_escaped(name)}</th><td>{_escaped(value)}</td></tr>" for name, value in facts),
        "</table>",
    ]
    if failed:
        parts += ["<h2>Failed</h2><table>", "<tr><th>File</th><th>Why</th></tr>"]
        for one in failed:
            _, sentence, hint = one.line.error or ("", "", "")
            parts.append(
                f"<tr><td>{_escaped(str(one.line.path))}</td>"
                f'<td class="failed">{_escaped(f"{sentence} {hint}".strip())}</td></tr>'
            )
        parts.append("</table>")
    parts.append('<h2>Results</h2><ul class="sheet">')
    for one in done:
        picture = "" if one.thumbnail is None else f'<img alt="" src="{_data(one.thumbnail)}">'
        notes = "".join(f"<br>{_escaped(note)}" for note in one.line.notes)
        parts.append(
            f"<li>{picture}{_escaped(str(one.line.target))}<br>seed {one.line.seed},"
            f" {one.line.seconds:.1f} s{notes}</li>"
        )
    parts.append("</ul></body></html>\n")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return html.escape(mended(text))


def _data(image: Any) -> str:
    into = BytesIO()
    image.save(into, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(into.getvalue()).decode()}"


def _sheet(folder: Path, lines: Sequence[Line]) -> Any:
    from PIL import Image

    columns = max(1, min(20, math.ceil(math.sqrt(len(lines)))))
    rows = math.ceil(len(lines) / columns)
    width, height = _CELL_PX
    sheet = Image.new("RGB", (columns * width + 2 * _MARGIN_PX, rows * height + 2 * _MARGIN_PX), _PAPER)
    below = captions()
    for index, line in enumerate(lines):
        left = _MARGIN_PX + index % columns * width
        top = _MARGIN_PX + index // columns * height
        small = _thumbnail(folder, line)
        if small is None:
            below.draw(sheet, (left, top), "(missing)", THUMBNAIL_PX, _WRONG)
        else:
            place = left + (THUMBNAIL_PX - small.width) // 2, top + (THUMBNAIL_PX - small.height) // 2
            sheet.paste(small, place)
        below.draw(sheet, (left, top + THUMBNAIL_PX + 6), str(line.target), THUMBNAIL_PX, _INK)
    return sheet
