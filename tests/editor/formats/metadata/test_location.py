"""No format lets a place through when it is to be left out: the bytes of every written file are searched."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from editor.formats.files import ExportOptions, export_picture, open_file
from editor.formats.metadata import location, photoshop, raw_profiles, xmp
from editor.formats.metadata.exif import has_location
from editor.formats.metadata.exif_block import ASCII, GPS, RATIONAL, UNDEFINED, Block
from editor.formats.metadata.photoshop import Resource
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from tests.editor.samples import flat
from tests.helpers.exif_notes import NOTES, with_note

ENDINGS = ("png", "jpg", "webp", "tif", "avif")
DEGREES = struct.pack(">6I", 12_345, 1000, 54_321, 1000, 98_765, 1000)
SECRETS = (
    b"Exampleville",
    b"Example Street",
    b"Examplestan",
    b"12.3456789",
    b"98,45.9E",
    b"XMPL",
    DEGREES[:8],
)
KEPT = (b"Kept Caption", b"Kept Contact", b"Kept Title", b"Kept Maker")
STRUCTURES = ("iptcExt:LocationCreated", "iptcExt:LocationShown", "xmpDM:shotLocation", "dwc:Location")
PROPERTIES = tuple(
    f"{prefix}:{name}"
    for prefix, names in {
        "exif": "GPSLatitude GPSLongitude GPSAltitude GPSDestLatitude GPSAreaInformation",
        "dji": "GpsLatitude GpsLongitude GpsLongtitude AbsoluteAltitude",
        "iptcCore": "Location CountryCode",
        "photoshop": "City State Country",
        "geo": "lat long alt",
        "dwc": "locality decimalLatitude",
        "camera": "GPSXYAccuracy GeoTag Sublocation",
    }.items()
    for name in names.split()
)
SPACES = {
    "exif": "http://ns.adobe.com/exif/1.0/",
    "dji": "http://www.dji.com/drone-dji/1.0/",
    "iptcCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "iptcExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "dwc": "http://rs.tdwg.org/dwc/index.htm",
    "camera": "http://pix4d.com/camera/1.0",
    "xmpDM": "http://ns.adobe.com/xmp/1.0/DynamicMedia/",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def packet() -> bytes:
    """Every property once as an attribute or as an element, structures of places, and what is to stay."""
    attributes = " ".join(f'{name}="12.3456789"' for name in PROPERTIES[::2])
    elements = "".join(f"<{name}>Exampleville</{name}>" for name in PROPERTIES[1::2])
    inner = '<rdf:Description iptcExt:City="Exampleville"><exif:GPSLatitude>98,45.9E</exif:GPSLatitude>'
    places = "".join(
        f"<{name}><rdf:Bag><rdf:li>{inner}</rdf:Description></rdf:li></rdf:Bag></{name}>"
        for name in STRUCTURES
    )
    title = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Kept Title</rdf:li></rdf:Alt></dc:title>'
    contact = '<iptcCore:CreatorContactInfo iptcCore:CiAdrCity="Kept Contact"/>'
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{xmp.RDF}">'
        f'<rdf:Description rdf:about="" {spaces} {attributes}>{elements}{places}{title}{contact}'
        f"</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def captions() -> bytes:
    said = {(2, 120): b"Kept Caption", (2, 26): b"XMPL", (2, 27): b"Exampleville", (2, 90): b"Exampleville"}
    said |= {
        (2, 92): b"Example Street",
        (2, 95): b"Exampleville",
        (2, 100): b"XMPL",
        (2, 101): b"Examplestan",
    }
    return b"".join(struct.pack(">3BH", 0x1C, *key, len(value)) + value for key, value in said.items())


def block(order: str = ">") -> Block:
    made = Block.empty(order)

    def main():  # a directory that grows moves
        found = made.main
        assert found is not None
        return found

    made.put(main(), 0x010F, ASCII, b"Kept Maker\0")
    made.put(main(), 34737, ASCII, b"Exampleville|WGS 84|\0")
    gps = made.put_folder(main(), GPS)
    made.put(gps, 1, ASCII, b"N\0")
    made.put(made.put_folder(main(), GPS), 2, RATIONAL, DEGREES)
    made.put(made.put_folder(main(), GPS), 28, UNDEFINED, b"ASCII\0\0\0Example Street")
    return made


def source(**more: object) -> SourceMetadata:
    texts = {
        "Title": "Kept Title",
        "exif:GPSLatitude": "12.3456789",
        "City": "Exampleville",
        "Location": "XMPL",
    }
    return SourceMetadata(
        exif=b"Exif\0\0" + bytes(block().data),
        xmp=packet(),
        photoshop=photoshop.packed([Resource(number=photoshop.IPTC, data=captions())]),
        text=texts,
        **more,  # pyright: ignore[reportArgumentType]
    )


def exported(path: Path, given: SourceMetadata, *, location: bool) -> bytes:
    state = DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=flat(90)))
    export_picture(state, given, path, ExportOptions(location=location))
    return searched(path)


def searched(path: Path) -> bytes:
    """A file's bytes, and those that its texts pack."""
    data = path.read_bytes()
    if path.suffix == ".png":
        with Image.open(path) as image:
            packed = "\n".join(image.text.values())
            unpacked = (
                raw_profiles.decoded(text) for key, text in image.text.items() if key.startswith("Raw")
            )
            return data + packed.encode() + b"".join(unpacked)
    return data


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_carrier_of_place_is_left_out_of_every_format(tmp_path: Path, ending: str) -> None:
    data = exported(tmp_path / f"a.{ending}", source(), location=False)
    assert [secret for secret in SECRETS if secret in data] == []
    assert b"Kept Maker" in data
    assert b"Kept Title" in data
    assert b"Kept Contact" in data
    if ending in ("png", "jpg", "tif"):
        assert b"Kept Caption" in data
    seen = open_file(tmp_path / f"a.{ending}").source
    assert not has_location(seen.exif)


@pytest.mark.parametrize("ending", ENDINGS)
def test_without_asking_it_stays(tmp_path: Path, ending: str) -> None:
    data = exported(tmp_path / f"a.{ending}", source(), location=True)
    missing = {secret for secret in SECRETS if secret not in data}
    only_in_captions = {b"XMPL", b"Examplestan"}
    assert missing == (only_in_captions if ending in ("webp", "avif") else set())
    assert has_location(open_file(tmp_path / f"a.{ending}").source.exif)


@pytest.mark.parametrize("second", ENDINGS)
@pytest.mark.parametrize("first", ["png", "jpg", "tif"])
def test_through_two_exports_as_well(tmp_path: Path, first: str, second: str) -> None:
    """What was written and opened again is found by the same list."""
    exported(tmp_path / f"a.{first}", source(), location=True)
    again = open_file(tmp_path / f"a.{first}").source
    assert b"Exampleville" in again.xmp
    assert location.IPTC_DATASETS & {
        key for key, _ in photoshop.datasets(photoshop.captions(again.photoshop))
    }
    data = exported(tmp_path / f"b.{second}", again, location=False)
    assert [secret for secret in SECRETS if secret in data] == []


def test_raw_profiles_of_a_png_are_read_for_what_they_are(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("Raw profile type exif", raw_profiles.encoded("exif", b"Exif\0\0" + bytes(block().data)))
    info.add_text(
        "Raw profile type APP1", raw_profiles.encoded("APP1", b"http://ns.adobe.com/xap/1.0/\0" + packet())
    )
    info.add_text("Raw profile type iptc", raw_profiles.encoded("iptc", captions()), zip=True)
    Image.fromarray(flat(3)).save(tmp_path / "a.png", pnginfo=info)
    opened = open_file(tmp_path / "a.png").source
    assert has_location(opened.exif)
    assert b"Exampleville" in opened.xmp
    assert photoshop.captions(opened.photoshop) == captions()
    assert opened.text == {}
    for ending in ENDINGS:
        data = exported(tmp_path / f"b.{ending}", opened, location=False)
        assert [secret for secret in SECRETS if secret in data] == []


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("maker", NOTES)
def test_places_in_makers_notes_are_blanked_where_they_lie(maker: str, order: str) -> None:
    made, kept = with_note(block(order), maker, b"Example Street", b"Kept Caption")
    before = bytes(made.data)
    assert b"Example Street" in before
    location.strip_exif(made)
    assert [secret for secret in SECRETS if secret in made.data] == []
    assert made.data[kept : kept + 12] == b"Kept Caption"
    assert len(made.data) == len(before)
    assert not location.in_exif(made)


def test_what_is_a_place_and_what_is_none() -> None:
    places = (
        "exif:GPSInfo",
        "{urn:x}City",
        "drone-dji:GpsLongtitude",
        "LocationShown",
        "dc:Country",
        "Sublocation",
    )
    others = (
        "rdf:Alt",
        "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Alt",
        "CiAdrCity",
        "CreatorCountryX",
        "title",
    )
    assert all(location.is_place(name) for name in places)
    assert not any(location.is_place(name) for name in others)


def test_a_cropped_thumbnail_and_broken_captions_do_not_leak(tmp_path: Path) -> None:
    broken = photoshop.packed(
        [Resource(number=photoshop.IPTC, data=captions() + b"\x1c\x02\x5a\x00\xffExampleville")]
    )
    data = exported(tmp_path / "a.jpg", SourceMetadata(photoshop=broken), location=False)
    assert b"Exampleville" not in data
    assert b"Kept Caption" in data


def test_damaged_notes_are_no_reason_to_fail() -> None:
    dice = np.random.default_rng(3)
    for maker in NOTES:
        made, _ = with_note(block(), maker, b"Example Street", b"Kept Caption")
        for _ in range(100):
            damaged = bytearray(made.data)
            for place in dice.integers(8, len(damaged), 6):
                damaged[place] = dice.integers(256)
            try:
                found = Block(bytes(damaged))
            except ValueError:
                continue
            location.strip_exif(found)
