"""Reading `stack.xml` as any program may have written it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np

from editor.colour import conversion as colour
from editor.formats.decoding import BrokenFileError
from editor.formats.openraster.archive import Archive
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Group, Layer, Node
from editor.layers.limits import (
    LARGEST_OFFSET_PX,
    LARGEST_SIDE_PX,
    check_count,
    check_depth,
    check_file_size,
)
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import Message
from inference.parameters import N_
from inference.reasons import reason_of

_ALIASES = {
    "krita:linear_light": BlendMode.LINEAR_LIGHT,
    "svg:exclusion": BlendMode.EXCLUSION,
    "svg:dst-over": None,
    "svg:add": BlendMode.LINEAR_DODGE,
}
_NEARLY = {
    "krita:hard mix": BlendMode.HARD_MIX,  # dodges and burns; ours is Photoshop's
    "krita:hard_mix": BlendMode.HARD_MIX,
    "krita:hard_mix_softer_photoshop": BlendMode.HARD_MIX,
    "krita:soft_light": BlendMode.SOFT_LIGHT,
    "krita:soft_light_pegtop_delphi": BlendMode.SOFT_LIGHT,
    "krita:soft_light_ifs_illusions": BlendMode.SOFT_LIGHT,
}


def read_stack(archive: Archive, text: bytes, notes: list[Message]) -> DocumentState:
    """The document that `stack.xml` describes.

    Raises:
        EditorError: what is wrong with it.
    """
    image = parsed(text)
    width, height = _number(image, "w", 1, LARGEST_SIDE_PX), _number(image, "h", 1, LARGEST_SIDE_PX)
    check_file_size("The picture", width, height)
    stack = image.find("stack")
    if stack is None:
        raise EditorError("The file has no layers (stack.xml lacks a stack).")
    reader = _Reader(archive, notes)
    nodes = reader.inside(stack, 0, 0, 0)
    if not nodes and reader.broken is not None:
        raise reader.broken
    if not nodes:
        name = N_("Starts", "Background")
        nodes = (Layer(name=name, raster=Raster.filled(width, height)),)
    active = reader.selected or nodes[-1].id
    state = DocumentState(width=width, height=height, layers=nodes, active=active)
    return replace(state, icc_profile=reader.profile or b"", dpi=_dpi(image))


class _Reader:
    """Reads the nodes of a stack from bottom to top."""

    def __init__(self, archive: Archive, notes: list[Message]) -> None:
        self.selected = ""
        self.profile: bytes | None = None  # of the first picture; the others are converted to it
        self.broken: BrokenFileError | None = None  # what was wrong with the last layer that was left out
        self._archive = archive
        self._notes = notes
        self._count = 0

    def inside(self, stack: ElementTree.Element, x: int, y: int, depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        for element in reversed(list(stack)):
            self._count += 1
            check_count(self._count)
            check_depth(depth)
            try:
                node = self._node(element, x, y, depth)
            except BrokenFileError as error:
                self.broken = error
                name = element.get("name") or "Layer"
                self._notes.append(
                    Message("“{name}” was left out: {reason}", name=name, reason=error.sentence)
                )
                continue
            if node is None:
                self._notes.append(Message("A part of kind “{tag}” was left out.", tag=element.tag))
                continue
            if element.get("selected") == "true":
                self.selected = node.id
            found.append(node)
        return tuple(found)

    def _node(self, element: ElementTree.Element, x: int, y: int, depth: int) -> Node | None:
        x += _number(element, "x", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX, default=0)
        y += _number(element, "y", -LARGEST_OFFSET_PX, LARGEST_OFFSET_PX, default=0)
        if element.tag == "layer":
            source = element.get("src", "")
            if not source:
                raise BrokenFileError("The layer names no picture.")
            raster = self._raster(source)
            return Layer(raster=raster, x=x, y=y, **self._common(element, "Layer"))
        if element.tag == "stack":
            common = self._common(element, "Group")
            plain = common["opacity"] == 1 and common["blend_mode"] is BlendMode.NORMAL
            isolated = not (element.get("isolation") == "auto" and plain)
            return Group(children=self.inside(element, x, y, depth + 1), isolated=isolated, **common)
        return None

    def _common(self, element: ElementTree.Element, default: str) -> dict[str, Any]:
        name = element.get("name") or default
        return {
            "name": name,
            "visible": element.get("visibility", "visible") == "visible",
            "opacity": _opacity(element),
            "blend_mode": self._blend_mode(element, name),
            "locked": element.get("edit-locked") == "true",
        }

    def _raster(self, name: str) -> Raster:
        samples, profile = self._archive.picture(name, self._notes)
        if self.profile is None:
            self.profile = profile
        raster = self._archive.raster(name)
        if not colour.same_colours(profile, self.profile):
            self._notes.append(
                Message("Layers in another colour profile were converted to that of the lowest one.")
            )
            return colour.convert(Raster.of(samples), profile, self.profile)
        return raster

    def _blend_mode(self, element: ElementTree.Element, name: str) -> BlendMode:
        given = element.get("composite-op", BlendMode.NORMAL.value)
        if given in _NEARLY:
            label = _NEARLY[given].label
            self._notes.append(
                Message(
                    "“{name}” uses the blend mode “{given}”, which is shown as {label}.",
                    name=name,
                    given=given,
                    label=label.lower(),
                )
            )
            return _NEARLY[given]
        try:
            return _ALIASES.get(given) or BlendMode(given)
        except ValueError:
            self._notes.append(
                Message(
                    "“{name}” uses the blend mode “{given}”, which is shown as normal.",
                    name=name,
                    given=given,
                )
            )
            return BlendMode.NORMAL


def parsed(text: bytes) -> ElementTree.Element:
    """The root of an XML text; entities are refused.

    Raises:
        EditorError: no XML, or one with entities.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(text)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise EditorError(
            "The layers cannot be read (stack.xml): {reason}.", reason=reason_of(error)
        ) from error


def _number(element: ElementTree.Element, name: str, low: int, high: int, default: int | None = None) -> int:
    text = element.get(name)
    if text is None and default is not None:
        return default
    try:
        value = round(float(text or ""))
    except (ValueError, OverflowError) as error:
        raise EditorError(
            "“{name}” of a {tag} is {text}: a number is needed.", name=name, tag=element.tag, text=repr(text)
        ) from error
    if not low <= value <= high:
        raise EditorError(
            "“{name}” of a {tag} is {value}: allowed is {low} to {high}.",
            name=name,
            tag=element.tag,
            value=value,
            low=low,
            high=high,
        )
    return value


def _opacity(element: ElementTree.Element) -> float:
    try:
        value = float(element.get("opacity", "1").replace(",", "."))  # as programs write it in some languages
    except ValueError:
        return 1.0
    return float(np.clip(value, 0, 1)) if value == value else 1.0


def _dpi(image: ElementTree.Element) -> tuple[float, float] | None:
    try:
        across, down = float(image.get("xres", "")), float(image.get("yres", ""))
    except ValueError:
        return None
    return (across, down) if 1 <= across <= 1e6 and 1 <= down <= 1e6 else None
