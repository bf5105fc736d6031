"""Provenance: what a file says about how its picture was made, written and read.

Three voices of the same fact: our own JSON (restores the sliders), the `parameters` text that other tools
read, and IPTC's DigitalSourceType in XMP, which tells viewers and platforms that a picture is AI-made or
AI-edited.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from editor.formats.metadata import location as places
from editor.formats.metadata import xmp
from editor.layers.layer import BlendMode
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.messages import NOTHING, Message
from inference.operations import EditedParameters, SamplingParameters
from inference.process.version import version
from inference.values import flag, in_xml, json_object

KEY = "attune"  # PNG chunk keyword and XMP property
PARAMETERS_KEY = "parameters"
XMP_KEY = "XML:com.adobe.xmp"
USER_COMMENT_TAG = 0x9286
SOFTWARE_TAG = 0x0131
EXIF_FOLDER_TAG = 0x8769
VERSION = 1
LARGEST_PAYLOAD = 2**20  # characters of our own JSON in a picture

GENERATED = "trainedAlgorithmicMedia"
EDITED = "compositeWithTrainedAlgorithmicMedia"

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_OURS = "urn:attune:ns:1.0:"
_OURS_BEFORE = ("https://attune.example/ns/1.0/",)  # what earlier files say
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_PREFIXES = {_IPTC: "Iptc4xmpExt", _XMP: "xmp", _OURS: "attune", _TIFF: "tiff"}

_RECIPE_NAMES = tuple(f"{{{space}}}recipe" for space in (_OURS, *_OURS_BEFORE))

_SAMPLER_NAMES = {
    "ddim": "DDIM",
    "euler": "Euler",
    "euler-a": "Euler a",
    "dpm++2m": "DPM++ 2M",
    "dpm++2m-karras": "DPM++ 2M Karras",
    "ddpm": "DDPM",
    "lcm": "LCM",
}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What an export says of itself. `source_type` is an IPTC term, or "" if no model had a part in it."""

    payload: str  # JSON under `KEY`, "" for none
    parameters: str  # the text other tools read, "" for none
    source_type: str


def provenance_of(state: DocumentState, source: SourceMetadata) -> Provenance:
    """What is to be said of a flattened document."""
    recipes = [layer.recipe for layer in state.rasters() if layer.visible and layer.recipe is not None]
    if not recipes:
        return Provenance(payload="", parameters="", source_type="")
    only = len([node for node in state.nodes() if node.visible]) == 1 and _fills(state)
    payload: dict[str, Any] = {"version": VERSION, "software": f"Attune {version()}", "flattened": not only}
    payload["recipe"] = recipes[-1].to_json()
    photo = source.photo or any(layer.visible and layer.recipe is None for layer in state.rasters())
    return Provenance(
        payload=json.dumps(payload, ensure_ascii=False),
        parameters=parameters_text(recipes[-1]),
        source_type=EDITED if photo else GENERATED,
    )


def restored_recipe(payload: str) -> tuple[Recipe | None, Message]:
    """The recipe that makes a file's picture again, and a note for the user if it cannot be used.

    A picture that was flattened from several layers keeps its recipe for reading, but not for its sliders.
    """
    if not payload:
        return None, NOTHING
    try:
        values = json_object(payload, Message("description"), LARGEST_PAYLOAD)
        flattened = flag(values.get("flattened", False), "flattened")
        recipe = Recipe.from_json(values.get("recipe"))
    except EditorError as error:
        return None, Message("The picture's sliders cannot be restored: {reason}", reason=error.sentence)
    return (None if flattened else recipe), NOTHING


def parameters_text(recipe: Recipe) -> str:
    """The text under `parameters` as other tools write it: prompt, negative prompt, one line of settings."""
    given = recipe.request.parameters
    if not isinstance(given, SamplingParameters):
        return ""
    lines = [given.prompt]
    if given.negative_prompt:
        lines.append(f"Negative prompt: {given.negative_prompt}")
    pairs = [
        ("Steps", given.steps),
        ("Sampler", _SAMPLER_NAMES.get(given.sampler or "", given.sampler)),
        ("CFG scale", given.guidance_scale),
        ("Seed", given.seed),
        ("Size", f"{given.width}x{given.height}" if given.width and given.height else None),
        ("Model hash", recipe.request.model_hash[:10] or None),
        ("Model", recipe.request.model),
        *_attribute_pairs(recipe),
        ("Version", f"Attune {version()}"),
    ]
    lines.append(", ".join(f"{name}: {_plain(value)}" for name, value in pairs if value is not None))
    return "\n".join(lines)


def exported_xmp(provenance: Provenance, existing: bytes, *, location: bool) -> bytes:
    """A source's XMP with what is to be said now; without orientation, and without any place if asked.

    A packet of which nothing changes stays as it is, byte for byte.
    """
    if provenance.source_type:
        existing = xmp_packet(provenance, existing)
    tree = xmp.parsed(existing)
    if tree is None:
        return b""
    unwanted = {f"{{{_TIFF}}}Orientation"}
    if not location:
        unwanted |= places.names_in_xmp(tree)
    if not unwanted & tree.names():
        return existing
    tree.drop(unwanted)
    return xmp.packed(tree, _PREFIXES)


def xmp_packet(provenance: Provenance, existing: bytes = b"") -> bytes:
    """An XMP packet with the source type and, under our namespace, the payload; `existing` is kept in it."""
    tree = xmp.parsed(existing) or xmp.empty()
    tree.drop((f"{{{_IPTC}}}DigitalSourceType", *_RECIPE_NAMES, f"{{{_XMP}}}CreatorTool"))
    description = ElementTree.SubElement(tree.rdf, f"{{{xmp.RDF}}}Description", {f"{{{xmp.RDF}}}about": ""})
    _set(description, f"{{{_IPTC}}}DigitalSourceType", _SOURCE_TYPES + provenance.source_type)
    _set(description, f"{{{_XMP}}}CreatorTool", f"Attune {version()}")
    _set(description, f"{{{_OURS}}}recipe", provenance.payload)
    return xmp.packed(tree, _PREFIXES)


def read_xmp(packet: bytes) -> tuple[str, str]:
    """(payload, source type) of an XMP packet; both "" if it says nothing or is broken."""
    tree = xmp.parsed(packet)
    if tree is None:
        return "", ""
    payload = next((found for name in _RECIPE_NAMES if (found := tree.get(name))), "")
    return payload, tree.get(f"{{{_IPTC}}}DigitalSourceType").removeprefix(_SOURCE_TYPES)


def user_comment(text: str, order: str = ">") -> bytes:
    """EXIF's UserComment: its character code and the text, in the block's byte order."""
    if text.isascii():
        return b"ASCII\0\0\0" + text.encode()
    return b"UNICODE\0" + text.encode("utf-16-be" if order == ">" else "utf-16-le")


def read_user_comment(value: object, order: str = ">") -> str:
    """The text of a UserComment as `user_comment` and other tools write it.

    Some write UTF-16 in the wrong order, some UTF-8, and some leave the code away.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        return ""
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        return _wide(text, order).strip("\0\ufeff")
    if code == b"JIS\0\0\0\0\0":
        return text.decode("iso2022_jp", errors="replace").strip("\0 ")
    if code not in (b"ASCII\0\0\0", bytes(8)):
        text = value
    return text.decode("utf-8", errors="replace").strip("\0 ")


def _wide(text: bytes, order: str) -> str:
    """UTF-16 in the order that gives more common characters; that of the block if both are alike."""
    marks = {b"\xfe\xff": ">", b"\xff\xfe": "<"}
    order = marks.get(text[:2], order)
    names = ("utf-16-be", "utf-16-le") if order == ">" else ("utf-16-le", "utf-16-be")
    first, second = (text[: len(text) // 2 * 2].decode(name, errors="replace") for name in names)
    return second if _common(second) > _common(first) else first


def _common(text: str) -> int:
    """How many characters are such as prompts have: ASCII, or letters and signs that exist."""
    plain = sum(" " <= character <= "~" or character in "\n\r\t" for character in text)
    return 2 * plain + sum(character.isalnum() for character in text)


def _fills(state: DocumentState) -> bool:
    layer = next(layer for layer in state.rasters() if layer.visible)
    plain = layer.opacity == 1 and layer.mask is None and layer.blend_mode is BlendMode.NORMAL
    return plain and (layer.x, layer.y, layer.width, layer.height) == (0, 0, state.width, state.height)


def _attribute_pairs(recipe: Recipe) -> Sequence[tuple[str, Any]]:
    given = recipe.request.parameters
    if not isinstance(given, EditedParameters):
        return ()
    edits = [
        f"{recipe.prompt[edit.start : edit.end]}:{edit.attribute}={edit.value:g}"
        for edit in given.edits
        if edit.value
    ]
    return (("Attributes", '"' + "; ".join(edits) + '"'), ("Delay", given.delay)) if edits else ()


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _set(description: ElementTree.Element, name: str, value: str) -> None:
    if value:
        ElementTree.SubElement(description, name).text = in_xml(value)
