"""XMP packets as XML trees, in any encoding, with the prefixes they came with; JPEG's long ones in parts.

tree = parsed(packet)
tree.drop({"{http://ns.adobe.com/tiff/1.0/}Orientation"})
packed(tree)
"""

from __future__ import annotations

import codecs
import hashlib
import itertools
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
NOTE = "http://ns.adobe.com/xmp/note/"
XML = "http://www.w3.org/XML/1998/namespace"
LARGEST_BYTES = 4 * 2**20
DEEPEST = 100
START = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_ABOUT = f"{{{RDF}}}about"
_EXTENDED = f"{{{NOTE}}}HasExtendedXMP"
_PART_BYTES = 65_000
_GUID_CHARACTERS = 32
_MARKS = (
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0<", "utf-16-be"),
    (b"<\0", "utf-16-le"),
)
_PREFIXES = {RDF: "rdf", META: "x", NOTE: "xmpNote", XML: "xml"}


@dataclass(frozen=True)
class Tree:
    """A packet's root element, and the prefix of each namespace."""

    root: ElementTree.Element
    prefixes: dict[str, str]

    @property
    def rdf(self) -> ElementTree.Element:
        """The element that holds the descriptions, made if it is not there."""
        if self.root.tag == f"{{{RDF}}}RDF":
            return self.root
        found = self.root.find(f".//{{{RDF}}}RDF")
        return found if found is not None else ElementTree.SubElement(self.root, f"{{{RDF}}}RDF")

    def names(self) -> set[str]:
        """Names of all properties, as elements or as attributes."""
        return {str(name) for element in self.root.iter() for name in (element.tag, *element.attrib)}

    def drop(self, names: Iterable[str]) -> None:
        """Take properties out, wherever they are, with all that they hold."""
        gone = set(names)
        for element in list(self.root.iter()):
            for name in gone & set(element.attrib):
                del element.attrib[name]
            for child in [child for child in element if child.tag in gone]:
                element.remove(child)

    def get(self, name: str) -> str:
        """A property as an element or as an attribute of a description; XMP allows both."""
        for element in self.root.iter():
            if element.tag == name:
                return (element.text or "").strip()
            if name in element.attrib:
                return element.attrib[name]
        return ""


def empty() -> Tree:
    """A packet that says nothing."""
    return Tree(ElementTree.Element(f"{{{META}}}xmpmeta"), {})


def in_utf8(packet: bytes) -> bytes:
    """A packet in UTF-8, whatever it was written in; unchanged if it is that already or cannot be read."""
    encoding = next((name for mark, name in _MARKS if packet.startswith(mark)), None)
    if encoding is None:
        return packet
    text = packet.decode(encoding, errors="replace").strip("\0\ufeff")
    return re.sub(r"^<\?xml[^>]*\?>", "", text).encode("utf-8", errors="replace")


def parsed(packet: bytes) -> Tree | None:
    """The packet's tree; None where it is none, or has entities, or is of absurd size or depth."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    text = in_utf8(packet).strip().rstrip(b"\0")
    if not text or len(text) > LARGEST_BYTES:
        return None
    prefixes: dict[str, str] = {}
    depth = 0
    try:
        events: Any = iterparse(BytesIO(text), events=("start-ns", "start", "end"))
        for event, what in events:
            if event == "start-ns":
                prefix, space = cast("tuple[str, str]", what)
                prefixes.setdefault(space, prefix)
                continue
            depth += 1 if event == "start" else -1
            if depth > DEEPEST:
                return None
        return Tree(events.root, prefixes)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        return None


def packed(tree: Tree, prefixes: dict[str, str] | None = None) -> bytes:
    """The packet of a tree; `prefixes` are of namespaces that it did not come with."""
    names = _chosen_prefixes(tree, {**_PREFIXES, **(prefixes or {})})
    parts: list[str] = []
    _write(tree.root, names, parts.append, declared=True)
    body = "".join(parts)
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}<?xpacket end="w"?>'.encode()


def joined(packet: bytes, segments: Iterable[bytes]) -> bytes:
    """A JPEG's packet with what its extension segments hold (Adobe XMP part 3, 1.1.3.1)."""
    tree = parsed(packet)
    guid = tree.get(_EXTENDED) if tree is not None else ""
    if tree is None or not guid:
        return packet
    more = parsed(_extension(guid.encode("ascii", "replace"), segments))
    tree.drop({_EXTENDED})
    for description in [item for item in tree.rdf if not len(item) and set(item.attrib) <= {_ABOUT}]:
        tree.rdf.remove(description)  # it said nothing else
    if more is not None:
        tree.rdf.extend(list(more.rdf))
        tree.prefixes.update(
            {space: name for space, name in more.prefixes.items() if space not in tree.prefixes}
        )
    return packed(tree)


def _extension(guid: bytes, segments: Iterable[bytes]) -> bytes:
    whole = bytearray()
    for segment in segments:
        body = segment.removeprefix(EXTENSION)
        if body[:_GUID_CHARACTERS] != guid or len(body) < _GUID_CHARACTERS + 8:
            continue
        length, place = struct.unpack_from(">II", body, _GUID_CHARACTERS)
        part = body[_GUID_CHARACTERS + 8 :]
        if length > LARGEST_BYTES or place + len(part) > length:
            return b""
        whole += bytes(max(0, length - len(whole)))
        whole[place : place + len(part)] = part
    return bytes(whole)


def in_parts(packet: bytes, short: bytes, largest: int) -> tuple[bytes, list[bytes]]:
    """(packet, extension segments) for a JPEG: one packet if it fits, else `short` and the rest in parts."""
    if len(packet) <= largest:
        return packet, []
    full, said = parsed(packet), parsed(short)
    if full is not None and said is not None:  # no property may be in both
        full.drop(name for name in said.names() if not name.startswith((f"{{{RDF}}}", f"{{{META}}}")))
        packet = packed(full)
    guid = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()
    tree = said or empty()
    description = ElementTree.SubElement(tree.rdf, f"{{{RDF}}}Description", {_ABOUT: ""})
    description.set(_EXTENDED, guid)
    if len(packed(tree)) > largest:
        return in_parts(packet, b"", largest)
    segments = [
        EXTENSION
        + guid.encode()
        + struct.pack(">II", len(packet), place)
        + packet[place : place + _PART_BYTES]
        for place in range(0, len(packet), _PART_BYTES)
    ]
    return packed(tree), segments


def _chosen_prefixes(tree: Tree, usual: dict[str, str]) -> dict[str, str]:
    """One prefix for each namespace that is used, no two the same."""
    chosen: dict[str, str] = {XML: "xml"}
    taken = {"xml"}
    for space in sorted(
        {name[1:].partition("}")[0] for name in tree.names() if name.startswith("{")} - {XML}
    ):
        wanted = tree.prefixes.get(space) or usual.get(space) or "ns"
        others = (f"{wanted}{number}" for number in itertools.count(1))
        prefix = next(name for name in itertools.chain((wanted,), others) if name not in taken)
        chosen[space] = prefix
        taken.add(prefix)
    return chosen


def _write(
    element: ElementTree.Element,
    names: dict[str, str],
    write: Callable[[str], object],
    *,
    declared: bool = False,
) -> None:
    name = _name(str(element.tag), names)
    write(f"<{name}")
    if declared:
        for space, prefix in _declared(names):
            write(f" xmlns:{prefix}={quoteattr(space)}")
    for key, value in element.attrib.items():
        write(f" {_name(key, names)}={quoteattr(value)}")
    if element.text or len(element):
        write(f">{escape(element.text or '')}")
        for child in element:
            _write(child, names, write)
        write(f"</{name}>")
    else:
        write("/>")
    write(escape(element.tail or "") if not declared else "")


def _declared(names: dict[str, str]) -> Iterator[tuple[str, str]]:
    return ((space, prefix) for space, prefix in names.items() if space != XML)


def _name(name: str, names: dict[str, str]) -> str:
    if not name.startswith("{"):
        return name
    space, _, local = name[1:].partition("}")
    return f"{names[space]}:{local}"
