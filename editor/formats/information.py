"""What is known of a picture beside its pixels, as (label, value) pairs for people to read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from editor.colour import conversion as colour
from editor.formats.metadata import exif, location, photoshop, xmp
from editor.formats.metadata import provenance as metadata
from editor.layers.state import DocumentState, SourceMetadata
from inference.parameters import N_

Facts = list[tuple[str, str]]

_PROMPT = N_("Information", "Prompt")
_WITHOUT = N_("Information", "Without")
_SIZE = N_("Information", "Size")
_DEPTH = N_("Information", "Bits per channel")
_RESOLUTION = N_("Information", "Resolution")
_PROFILE = N_("Information", "Colour profile")
_LOCATION = N_("Information", "Location")
_UNNAMED = N_("Information", "unnamed")
_CONTAINED = N_("Information", "contained")

_CAMERA: Mapping[int, str] = {
    0x010F: N_("Information", "Camera maker"),
    0x0110: N_("Information", "Camera"),
    0x0131: N_("Information", "Software"),
    0x013B: N_("Information", "Artist"),
    0x8298: N_("Information", "Copyright"),
}
_PHOTO: Mapping[int, str] = {
    0x9003: N_("Information", "Taken"),
    0xA434: N_("Information", "Lens"),
    0x829A: N_("Information", "Exposure"),
    0x829D: N_("Information", "Aperture"),
    0x8827: N_("Information", "ISO"),
    0x920A: N_("Information", "Focal length"),
}
_SETTING = re.compile(r'\s*([\w ()+\-/.]+):\s*("(?:\\.|[^"])*"|[^,]*)(?:,|$)')
_LONGEST = 2000


def facts_of(state: DocumentState, source: SourceMetadata) -> Facts:
    """Everything, labels in English under the translation context "Information"."""
    place = [(_LOCATION, _CONTAINED)] if has_location(source) else []
    making = made_by_others(source.text)
    return [*_picture(state), *_exif(source.exif), *place, *making, *_other_text(source.text)]


def has_location(source: SourceMetadata) -> bool:
    """Whether anything that a file carried says where its picture was taken."""
    tree = xmp.parsed(source.xmp)
    captions = photoshop.datasets(photoshop.captions(source.photoshop))
    return (
        exif.has_location(source.exif)
        or (tree is not None and bool(location.names_in_xmp(tree)))
        or any(key in location.IPTC_DATASETS for key, _ in captions)
        or any(location.is_place(key) for key in source.text)
    )


def made_by_others(text: Mapping[str, str]) -> Facts:
    """What other tools wrote under `parameters`: prompt, negative prompt, and each setting."""
    given = text.get(metadata.PARAMETERS_KEY, "").strip()[: 100 * _LONGEST]
    if not given:
        return []
    prompt, without, settings = split_parameters(given)
    facts = [(_PROMPT, prompt), (_WITHOUT, without), *settings]
    return [(label, _short(value)) for label, value in facts if value]


def split_parameters(text: str) -> tuple[str, str, Facts]:
    """(prompt, negative prompt, settings) of the text that image generators share.

    The last line has the settings if it names at least three of them; a line that begins with
    "Negative prompt:" begins the negative prompt.
    """
    lines = text.split("\n")
    settings = [(name.strip(), value.strip().strip('"')) for name, value in _SETTING.findall(lines[-1])]
    if len(settings) >= 3:
        lines.pop()
    else:
        settings = []
    marker = "Negative prompt:"
    start = next((place for place, line in enumerate(lines) if line.startswith(marker)), len(lines))
    without = "\n".join(lines[start:]).removeprefix(marker)
    return "\n".join(lines[:start]).strip(), without.strip(), settings


def _picture(state: DocumentState) -> Facts:
    facts = [(_SIZE, f"{state.width} × {state.height} px"), (_DEPTH, str(state.depth))]
    if state.dpi is not None:
        across, down = state.dpi
        both = f"{across:.4g}" if abs(across - down) < 0.01 else f"{across:.4g} × {down:.4g}"
        facts.append((_RESOLUTION, f"{both} ppi"))
    return [*facts, (_PROFILE, colour.profile_name(state.icc_profile) or _UNNAMED)]


def _exif(data: bytes) -> Facts:
    if not data:
        return []
    entries = exif.parsed(data)
    photo = entries.get_ifd(metadata.EXIF_FOLDER_TAG)
    facts = [(label, _worded(tag, entries.get(tag))) for tag, label in _CAMERA.items()]
    facts += [(label, _worded(tag, photo.get(tag))) for tag, label in _PHOTO.items()]
    return [(label, _short(value)) for label, value in facts if value]


def _worded(tag: int, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | bytes):
        text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value
        return text.strip("\0 ")
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return str(value)
    if tag == 0x829A:
        return f"1/{1 / number:.0f} s" if 0 < number < 0.4 else f"{number:g} s"
    return {0x829D: f"f/{number:g}", 0x920A: f"{number:g} mm"}.get(tag, f"{number:g}")


def _other_text(text: Mapping[str, str]) -> Facts:
    return [(key, _short(value)) for key, value in text.items() if key != metadata.PARAMETERS_KEY and value]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
