"""An SVG without what could fetch, run or never end: only what stands in it itself is drawn.

It is taken apart and put together again, so that the renderer sees no byte that was not looked at: elements
and attributes of SVG alone, references to the file's own elements, and pixels that are in the file.
"""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote
from xml.etree import ElementTree

from inference.errors import EditorError

SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
LARGEST_BYTES: Final = 64 * 2**20
MOST_ELEMENTS: Final = 200_000
MOST_DRAWN: Final = 1_000_000  # elements, as often as they are drawn by way of <use>
DEEPEST: Final = 200

_LEFT_OUT = frozenset(
    {
        "script",
        "handler",
        "foreignObject",
        "iframe",
        "audio",
        "video",
        "canvas",
        "object",
        "embed",
        "listener",
    }
)
_MOVING = frozenset(
    {"animate", "animateColor", "animateMotion", "animateTransform", "set", "discard", "mpath"}
)
_DATA = re.compile(r"\s*data:[^,]*;\s*base64\s*,", re.IGNORECASE)
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_PICTURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"BM": "bmp"}
_PAINT = frozenset({"linearGradient", "radialGradient"})
_URL = re.compile(r"url\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^)\"']*))\s*\)?", re.IGNORECASE)
_RULE = re.compile(r"@(?:import|font-face|namespace|charset)[^;{}]*(?:;|\{[^}]*\}?)", re.IGNORECASE)
_PADDING = ("", "", "==", "=")  # of what is left of four letters; one alone is cut off
_ESCAPE = re.compile(r"\\")


@dataclass(frozen=True)
class Cleaned:
    """The file as it may be drawn, and what was left out of it."""

    data: bytes
    fetched: bool  # it names pictures or styles elsewhere
    ran: bool  # it has scripts, moving parts or other documents


def cleaned(data: bytes) -> Cleaned:
    """What may be drawn of an SVG file, packed with gzip or not.

    Raises:
        EditorError: no SVG, or one that is too large, too deep, or would be drawn too often.
        xml.etree.ElementTree.ParseError: no XML.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(_unpacked(data), forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise EditorError(
            "The SVG defines entities or refers to other files in its head.",
            "Save it as plain SVG with another program, such as Inkscape.",
        ) from error
    cleaner = _Cleaner()
    made = cleaner.element(root, 0)
    if made is None or made.tag != "svg":
        raise EditorError("The file holds no SVG picture.")
    cleaner.finish(made)
    made.set("xmlns", SVG)
    made.set("xmlns:xlink", _XLINK)
    return Cleaned(ElementTree.tostring(made, encoding="utf-8"), cleaner.fetched, cleaner.ran)


def _unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        data = zlib.decompressobj(31).decompress(data, LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise EditorError("An SVG file can have at most {most} MiB.", most=LARGEST_BYTES // 2**20)
    return data


class _Cleaner:
    def __init__(self) -> None:
        self.fetched = self.ran = False
        self._count = 0

    def element(self, given: ElementTree.Element, depth: int) -> ElementTree.Element | None:
        """The element with all that is in it; None if it is left out."""
        self._count += 1
        if depth > DEEPEST or self._count > MOST_ELEMENTS:
            raise EditorError(
                "The SVG has more than {most} elements, or they lie more than {deepest} deep.",
                "Simplify it with another program first.",
                most=MOST_ELEMENTS,
                deepest=DEEPEST,
            )
        name = _local(given.tag)
        if name is None or name in _LEFT_OUT or name in _MOVING:
            self.ran = self.ran or name is not None
            return None
        made = ElementTree.Element(name, self._attributes(name, given))
        made.text = self._style(given.text or "") if name == "style" else given.text
        if name == "image" and "xlink:href" not in made.attrib:
            return None
        for child in given:
            kept = self.element(child, depth + 1)
            if kept is not None:
                kept.tail = child.tail
                made.append(kept)
            elif child.tail:
                _append_text(made, child.tail)
        return made

    def _attributes(self, element: str, given: ElementTree.Element) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in given.attrib.items():
            space, _, name = key[1:].rpartition("}") if key.startswith("{") else ("", "", key)
            if name.lower().startswith("on") and not space:
                self.ran = True
            elif name == "href" and space in ("", _XLINK):
                target = self._target(element, value.strip())
                if target:
                    found["xlink:href"] = target
            elif space == _XML and name == "space":
                found["xml:space"] = value
            elif not space:
                found[name] = self._style(value) if "url" in value.lower() or name == "style" else value
        return found

    def _target(self, element: str, given: str) -> str:
        """What may be referred to; "" if nothing."""
        if given.startswith("#"):
            return given
        found = _pixels(given) if element == "image" else ""
        self.fetched = self.fetched or not (found or element == "a")
        return found

    def finish(self, root: ElementTree.Element) -> None:
        """What can only be seen in the whole: see `_check_drawn`; style sheets may name gradients alone."""
        named = _named(root)
        for sheet in root.iter("style"):
            sheet.text = _URL.sub(lambda found: _gradient(found, named), sheet.text or "")
        _check_drawn(root, named)

    def _style(self, text: str) -> str:
        """Declarations that refer to nothing outside of the file."""
        text = _ESCAPE.sub("", text)  # by which a word can be written so that it is not found
        without = _RULE.sub("", text)
        self.fetched = self.fetched or without != text

        def target(found: re.Match[str]) -> str:
            name = next((part for part in found.groups() if part is not None), "").strip()
            if name.startswith("#"):
                return f"url({name})"
            self.fetched = True
            return "none"

        return _URL.sub(target, without)


def _local(tag: object) -> str | None:
    """The name of an element of SVG; None of comments and of elements of other kinds."""
    if not isinstance(tag, str):
        return None
    if not tag.startswith("{"):
        return tag
    space, _, name = tag[1:].rpartition("}")
    return name if space == SVG else None


def _append_text(element: ElementTree.Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _pixels(given: str) -> str:
    """Pixels that stand in the file, written anew; "" if they are none: a drawing could fetch again."""
    start = _DATA.match(given)
    if start is None:
        return ""
    text = _NOT_BASE64.sub("", unquote(given[start.end() :]))
    left = len(text) % 4
    data = base64.b64decode(text[: len(text) - (left == 1)] + _PADDING[left])
    kind = next((name for magic, name in _PICTURES.items() if data.startswith(magic)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "webp"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}" if kind else ""


def _named(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    found: dict[str, ElementTree.Element] = {}
    for one in root.iter():
        found.setdefault(one.get("id", ""), one)
    return found


def _gradient(found: re.Match[str], named: dict[str, ElementTree.Element]) -> str:
    target = named.get((found[3] or "").strip()[1:])
    return found[0] if target is not None and target.tag in _PAINT else "none"


def _used(one: ElementTree.Element, named: dict[str, ElementTree.Element]) -> list[ElementTree.Element]:
    """The elements that are drawn where this one is."""
    names = [one.get("xlink:href", "")] if one.tag != "a" else []
    for value in one.attrib.values():
        if "url(" in value:
            names += [(found[3] or "").strip() for found in _URL.finditer(value)]
    targets = [named.get(name[1:]) for name in names if name.startswith("#")]
    return [target for target in targets if target is not None and target.tag not in _PAINT]


def _check_drawn(root: ElementTree.Element, named: dict[str, ElementTree.Element]) -> None:
    """Refuse what is drawn a million times over by elements that use each other.

    Raises:
        EditorError: it is, or one uses itself.
    """
    known: dict[ElementTree.Element, int] = {}
    busy: set[ElementTree.Element] = set()

    def drawn(one: ElementTree.Element, depth: int) -> int:
        if one in known:
            return known[one]
        if one in busy or depth > 2 * DEEPEST:
            raise EditorError("Parts of the SVG use themselves.", "Mend it with another program first.")
        busy.add(one)
        total = 1 + sum(drawn(part, depth + 1) for part in (*one, *_used(one, named)))
        busy.discard(one)
        if total > MOST_DRAWN:
            raise EditorError(
                "The SVG is drawn of more than {most} parts, which use each other.",
                "Simplify it with another program first.",
                most=MOST_DRAWN,
            )
        known[one] = total
        return total

    drawn(root, 0)
