"""XMP packets: encodings, prefixes, long ones in parts, and what is refused."""

import pytest

from editor.formats.metadata import provenance, xmp

PACKET = (
    f'<x:xmpmeta xmlns:x="{xmp.META}"><rdf:RDF xmlns:rdf="{xmp.RDF}"><rdf:Description rdf:about="" '
    'xmlns:mine="urn:mine:" xmlns:mine2="urn:other:" mine:a="1 &amp; &quot;2&quot;" mine2:b="é">'
    '<mine:list><rdf:Bag><rdf:li xml:lang="en">one &lt; two</rdf:li></rdf:Bag></mine:list>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
).encode()

LONG = PACKET.replace(b"one", b"o" * 150_000).replace(b"urn:mine:", b"urn:long:")


def same(one: bytes, other: bytes) -> bool:
    first, second = xmp.parsed(one), xmp.parsed(other)
    assert first is not None
    assert second is not None
    described = [
        [(e.tag, sorted(e.attrib.items()), e.text) for e in tree.root.iter()] for tree in (first, second)
    ]
    return described[0] == described[1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-le"])
def test_every_encoding_is_read(encoding: str) -> None:
    packet = PACKET.decode().encode(encoding)
    assert same(packet, PACKET)
    assert xmp.in_utf8(packet) == PACKET


def test_what_is_written_again_keeps_its_prefixes_and_values() -> None:
    tree = xmp.parsed(PACKET)
    assert tree is not None
    again = xmp.packed(tree)
    assert same(again, PACKET)
    assert b'mine2:b="' in again
    assert b"ns0" not in again


def test_prefixes_that_clash_or_are_missing_are_chosen() -> None:
    packet = (
        f'<rdf:RDF xmlns:rdf="{xmp.RDF}"><rdf:Description><a xmlns="urn:one:"/><p:b xmlns:p="urn:two:"/>'
        '<p:c xmlns:p="urn:three:"/></rdf:Description></rdf:RDF>'
    ).encode()
    tree = xmp.parsed(packet)
    assert tree is not None
    assert same(xmp.packed(tree), packet)


def test_long_packets_go_through_a_jpeg_in_parts() -> None:
    long = PACKET.replace(b"one", b"o" * 150_000)
    packet, parts = xmp.in_parts(long, b"", 60_000)
    assert len(packet) < 1000
    assert max(len(part) for part in parts) < 65_200
    whole = xmp.joined(packet, parts[::-1])
    assert b"o" * 150_000 in whole
    assert b"HasExtendedXMP" not in whole
    assert xmp.in_parts(PACKET, b"", 60_000) == (PACKET, [])


def test_parts_of_another_packet_and_missing_ones_are_left_out() -> None:
    packet, parts = xmp.in_parts(PACKET.replace(b"one", b"o" * 150_000), PACKET, 60_000)
    assert b"urn:mine:" not in b"".join(parts)  # said already
    packet, parts = xmp.in_parts(LONG, PACKET, 60_000)
    other = [part.replace(part[len(xmp.EXTENSION) :][:32], b"0" * 32) for part in parts]
    assert same(xmp.joined(packet, other), PACKET)
    assert same(xmp.joined(packet, parts[:1]), PACKET)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no xml",
        b"<a>" * 200,
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        ("<a>" * 150 + "</a>" * 150).encode(),
        b"\xff\xfe<",
        b"<a>" + b" " * (xmp.LARGEST_BYTES + 1) + b"</a>",
    ],
)
def test_what_is_no_packet_is_none(packet: bytes) -> None:
    assert xmp.parsed(packet) is None


@pytest.mark.parametrize("prompt", ["a cat\x0cand a dog", "a\x01cat", "a cat\ufffe"])
def test_any_prompt_makes_a_packet_that_is_xml(prompt: str) -> None:
    packet = provenance.xmp_packet(
        provenance.Provenance(parameters="", payload=prompt, source_type="trainedAlgorithmicMedia")
    )
    payload, _ = provenance.read_xmp(packet)
    assert payload.startswith("a")
    assert len(payload) == len(prompt)
