"""What a format has no place for, named before a picture is exported into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from editor.document.export_options import ExportOptions
from editor.formats import carried
from editor.formats.metadata import exif, photoshop
from editor.formats.metadata import provenance as metadata
from editor.formats.png import is_keyword
from editor.layers.state import SourceMetadata
from inference.parameters import N_

CONTEXT = "Losses"
_COMMENT = N_("Losses", "the comment")
_TEXT = N_("Losses", "the text “{name}”")
_CAPTIONS = N_("Losses", "captions and keywords (IPTC)")
_PHOTOSHOP = N_("Losses", "Photoshop's own data")
_NOTES = N_("Losses", "the camera maker's notes")
_OTHERS = N_("Losses", "data of {name}")
_CAPTIONED = ("jpeg", "png", "tiff")


@dataclass(frozen=True)
class Loss:
    """A marked text under `CONTEXT` and the name that fills its gap."""

    text: str
    name: str = ""

    def said(self, translate: Callable[[str, str], str]) -> str:
        """In the language of `translate` (context, text)."""
        return translate(CONTEXT, self.text).format(name=self.name)


def what_would_be_lost(source: SourceMetadata, kind: str, options: ExportOptions) -> tuple[Loss, ...]:
    """What the opened file carried and an export as `kind`, a key of `FORMATS`, would leave out.

    Beside what the options leave out, which the user has chosen.
    """
    return tuple(_lost(source, kind)) if options.metadata else ()


def _lost(source: SourceMetadata, kind: str) -> Iterator[Loss]:
    yield from _texts(source, kind)
    if kind not in _CAPTIONED and photoshop.captions(source.photoshop):
        yield Loss(_CAPTIONS)
    if kind not in _CAPTIONED and photoshop.with_captions(source.photoshop, b""):
        yield Loss(_PHOTOSHOP)
    if kind == "jpeg" and exif.loses_notes(source.exif, exif.LARGEST_JPEG_BYTES):
        yield Loss(_NOTES)
    for name in source.others:
        yield Loss(_OTHERS, name)


def _texts(source: SourceMetadata, kind: str) -> Iterator[Loss]:
    """PNG holds texts of any name, JPEG one comment; EXIF has a place for how a picture was made."""
    in_exif = {metadata.PARAMETERS_KEY, *carried.WORKFLOW_KEYS}
    for key in source.text:
        if kind == "png" and is_keyword(key):
            continue
        if key == carried.COMMENT_KEY and kind != "png":
            if kind != "jpeg":
                yield Loss(_COMMENT)
        elif kind == "png" or key not in in_exif:
            yield Loss(_TEXT, key)
