"""OpenRaster: what Krita, GIMP and MyPaint show as Attune does; the whole truth under `attune/`.

The archive holds `mimetype` (first, stored), `stack.xml`, `data/*.png`, `mergedimage.png`,
`Thumbnails/thumbnail.png`. OpenRaster knows no masks, clipping, adjustments or text: `stack.xml` has
stand-ins for them that look the same, and `attune/document.json` with `attune/*.png` has the real nodes,
which are read again as long as nobody changed `stack.xml` or its pictures.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from editor.colour import conversion as colour
from editor.formats import ExportOptions, Opened, Picture
from editor.formats.decoding import said_broken
from editor.formats.openraster import ours
from editor.formats.openraster.archive import Archive, Writer
from editor.formats.openraster.stack import read_stack
from editor.formats.openraster.stand_ins import stack_xml
from editor.layers.limits import check_document, check_file_size
from editor.system.atomic import atomic_write
from inference.messages import Message

MIME_TYPE = "image/openraster"
STACK = "stack.xml"
MERGED = "mergedimage.png"
THUMBNAIL = "Thumbnails/thumbnail.png"
THUMBNAIL_PX = 256


def write(picture: Picture, path: Path, options: ExportOptions) -> tuple[Message, ...]:
    """Write layers, composite and recipes.

    Raises:
        EditorError: the document is beyond the limits, or the file cannot be written.
    """
    del options
    check_document(picture.state)
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", MIME_TYPE)
        writer = Writer(archive, _profile_of(picture), picture.only_raster)
        stack = stack_xml(picture.state, writer)
        tree = ours.tree_of(picture.state, writer)
        writer.text(STACK, stack)
        writer.thumbnail(THUMBNAIL, picture, THUMBNAIL_PX)
        writer.picture(MERGED, picture)
        writer.text(ours.NAME, ours.document(picture, tree, stack, writer.checksums()))
    return ()


def _profile_of(picture: Picture) -> bytes:
    """What the pictures say; of 16 bits without a profile Krita would ask what they mean."""
    own = picture.state.icc_profile
    return own or (colour.built_in_profile("srgb") if picture.state.depth == 16 else b"")


def read(path: Path) -> Opened:
    """Read layers and, if Attune wrote the file, everything else.

    Raises:
        EditorError: no OpenRaster, damaged, or with parts of absurd size.
    """
    with said_broken(path.name), path.open("rb") as file, zipfile.ZipFile(file) as archive:
        return _read(Archive(archive))


def _read(archive: Archive) -> Opened:
    text = archive.text(STACK)
    notes: list[Message] = []
    known = ours.read(archive, text, notes)
    if known.state is not None:
        check_file_size("The picture", known.state.width, known.state.height)
        return Opened(state=known.state, source=known.source, is_project=True, notes=_once(notes))
    state = read_stack(archive, text, notes)
    state = ours.amended(state, known)
    return Opened(state=state, source=known.source, is_project=True, notes=_once(notes))


def _once(notes: list[Message]) -> tuple[Message, ...]:
    return tuple(dict.fromkeys(notes))
