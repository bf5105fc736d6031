"""What travels beside the pixels: EXIF, GPS, XMP, comments, texts."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from editor.formats.files import ExportOptions, export_picture, open_file
from editor.formats.losses import what_would_be_lost
from editor.formats.metadata import exif, photoshop, raw_profiles, xmp
from editor.formats.metadata import provenance as metadata
from editor.formats.metadata.exif_block import ASCII, EXIF, INTEROP, SHORT, UNDEFINED, Block
from editor.formats.metadata.photoshop import Resource
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from tests.editor.samples import flat, recipe

GPS = exif.GPS_TAG
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:rights="mine" '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,51N">'
    b"<exif:GPSLongitude>2,21E</exif:GPSLongitude></rdf:Description></rdf:RDF></x:xmpmeta>"
)
FORMATS = ["png", "jpg", "webp", "tif", "avif"]


def photo_exif(maker_note: bytes = b"") -> bytes:
    made = Image.Exif()
    made[0x010F], made[0x0112] = "Maker", 6
    made.get_ifd(0x8769)[0x9003] = "2026:01:02 03:04:05"
    if maker_note:
        made.get_ifd(0x8769)[exif.MAKER_NOTE_TAG] = maker_note
    made.get_ifd(GPS)[1] = "N"
    return made.tobytes()


def state() -> DocumentState:
    return DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=flat(90)))


def exported(path: Path, source: SourceMetadata, **options: object) -> tuple[SourceMetadata, tuple[str, ...]]:
    notes = export_picture(state(), source, path, ExportOptions(**options))
    return open_file(path).source, notes


@pytest.mark.parametrize("ending", FORMATS)
def test_exif_and_xmp_survive_without_orientation(tmp_path: Path, ending: str) -> None:
    source = SourceMetadata(exif=photo_exif(), xmp=XMP, photo=True)
    seen, notes = exported(tmp_path / f"a.{ending}", source)
    kept = exif.parsed(seen.exif)
    assert notes == ()
    assert kept[0x010F] == "Maker"
    assert 0x0112 not in kept
    assert kept.get_ifd(0x8769)[0x9003] == "2026:01:02 03:04:05"
    assert exif.has_location(seen.exif)
    assert b"mine" in seen.xmp
    assert b"GPSLatitude" in seen.xmp
    assert b"Orientation" not in seen.xmp


@pytest.mark.parametrize("ending", FORMATS)
def test_location_can_be_left_out(tmp_path: Path, ending: str) -> None:
    source = SourceMetadata(exif=photo_exif(), xmp=XMP, photo=True)
    seen, _ = exported(tmp_path / f"a.{ending}", source, location=False)
    assert exif.parsed(seen.exif)[0x010F] == "Maker"
    assert not exif.has_location(seen.exif)
    assert b"mine" in seen.xmp
    assert b"GPS" not in seen.xmp
    assert b"48,51N" not in (tmp_path / f"a.{ending}").read_bytes()


@pytest.mark.parametrize("ending", FORMATS)
def test_all_can_be_left_out(tmp_path: Path, ending: str) -> None:
    source = SourceMetadata(exif=photo_exif(), xmp=XMP, text={"Author": "me"}, photo=True)
    seen, _ = exported(tmp_path / f"a.{ending}", source, metadata=False)
    assert (seen.exif, seen.xmp, seen.text) == (b"", b"", {})


def test_exif_too_long_for_a_jpeg_loses_the_maker_notes_and_says_so(tmp_path: Path) -> None:
    long = np.random.default_rng(0).integers(0, 256, 70_000, np.uint8).tobytes()
    seen, notes = exported(tmp_path / "a.jpg", SourceMetadata(exif=photo_exif(long)))
    assert "maker" in notes[0]
    assert exif.parsed(seen.exif)[0x010F] == "Maker"
    whole, notes = exported(tmp_path / "a.png", SourceMetadata(exif=photo_exif(long)))
    assert notes == ()
    assert exif.parsed(whole.exif).get_ifd(0x8769)[exif.MAKER_NOTE_TAG] == long


def test_other_long_entries_are_dropped_last(tmp_path: Path) -> None:
    made = Image.Exif()
    made[0x010F], made[0x9C9C] = "Maker", bytes(70_000)
    seen, notes = exported(tmp_path / "a.jpg", SourceMetadata(exif=made.tobytes()))
    assert "long EXIF entries" in notes[0]
    assert exif.parsed(seen.exif)[0x010F] == "Maker"


def test_xmp_too_long_for_one_segment_of_a_jpeg_goes_into_several(tmp_path: Path) -> None:
    long = XMP.replace(b"mine", b"m" * 200_000)
    seen, notes = exported(tmp_path / "a.jpg", SourceMetadata(xmp=long))
    assert notes == ()
    assert (b"m" * 200_000) in seen.xmp
    assert b"HasExtendedXMP" not in seen.xmp
    assert (tmp_path / "a.jpg").read_bytes().count(xmp.EXTENSION) == 4


def test_what_the_decoder_says_of_a_file_is_no_text_of_it(tmp_path: Path) -> None:
    Image.fromarray(flat(3)).save(tmp_path / "a.tif", compression="tiff_lzw")
    Image.fromarray(flat(3)).save(tmp_path / "a.gif")
    Image.fromarray(flat(3)).save(tmp_path / "a.jpg", comment=b"hello")
    assert open_file(tmp_path / "a.tif").source.text == {}
    assert open_file(tmp_path / "a.gif").source.text == {}
    assert open_file(tmp_path / "a.jpg").source.text == {"Comment": "hello"}


def test_a_tiff_s_layout_does_not_travel_as_exif(tmp_path: Path) -> None:
    Image.fromarray(flat(3)).save(tmp_path / "a.tif", compression="tiff_lzw", software="Scanner")
    kept = exif.parsed(open_file(tmp_path / "a.tif").source.exif)
    assert dict(kept) == {0x0131: "Scanner"}


@pytest.mark.parametrize(
    "damage", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + b"\xff" * 40]
)
def test_broken_exif_is_no_reason_not_to_export(tmp_path: Path, damage: bytes) -> None:
    for ending in FORMATS:
        exported(tmp_path / f"a.{ending}", SourceMetadata(exif=damage))


@pytest.mark.parametrize("key", ["", "x" * 80, "日本", "a\0b"])
def test_texts_that_png_cannot_name_are_left_out(tmp_path: Path, key: str) -> None:
    seen, _ = exported(tmp_path / "a.png", SourceMetadata(text={key: "value", "Author": "me"}))
    assert seen.text == {"Author": "me"}


def test_other_tools_parameters_are_read_from_png_and_jpeg(tmp_path: Path) -> None:
    text = "a cat\nSteps: 20, Sampler: Euler, Seed: 5"
    info = PngInfo()
    info.add_text("parameters", text)
    Image.fromarray(flat(3)).save(tmp_path / "a.png", pnginfo=info)
    made = Image.Exif()
    made.get_ifd(0x8769)[metadata.USER_COMMENT_TAG] = b"UNICODE\0" + text.encode("utf-16-be")
    Image.fromarray(flat(3)).save(tmp_path / "a.jpg", exif=made)
    for name in ("a.png", "a.jpg"):
        assert open_file(tmp_path / name).source.text["parameters"] == text


def test_recipes_under_the_earlier_namespace_are_read_and_replaced() -> None:
    said = metadata.Provenance(payload='{"a": 1}', parameters="", source_type=metadata.EDITED)
    packet = metadata.xmp_packet(said)
    assert b"urn:attune:ns:1.0:" in packet
    earlier = packet.replace(b"urn:attune:ns:1.0:", b"https://attune.example/ns/1.0/")
    assert metadata.read_xmp(earlier) == ('{"a": 1}', metadata.EDITED)
    again = metadata.xmp_packet(said, earlier)
    assert b"attune.example" not in again
    assert metadata.read_xmp(again) == ('{"a": 1}', metadata.EDITED)


@pytest.mark.parametrize("ending", FORMATS)
def test_sliders_come_back_from_every_format(tmp_path: Path, ending: str) -> None:
    made = recipe(steps=30, width=8, height=8)
    layer = Layer.of_pixels(name="Generated", pixels=flat(90), recipe=made)
    export_picture(DocumentState.of_layer(layer), SourceMetadata(), tmp_path / f"a.{ending}", ExportOptions())
    (again,) = open_file(tmp_path / f"a.{ending}").state.rasters()
    assert again.recipe == made


def test_an_absurd_resolution_is_none(tmp_path: Path) -> None:
    Image.fromarray(flat(3)).save(tmp_path / "a.png", dpi=(300, 300))
    data = (tmp_path / "a.png").read_bytes()
    place = data.index(b"pHYs")
    import zlib

    body = b"pHYs" + struct.pack(">IIB", 0, 0xFFFFFFFF, 1)
    changed = data[:place] + body + struct.pack(">I", zlib.crc32(body)) + data[place + 17 :]
    (tmp_path / "b.png").write_bytes(changed)
    assert open_file(tmp_path / "a.png").state.dpi == pytest.approx((300, 300), abs=0.1)
    assert open_file(tmp_path / "b.png").state.dpi is None


CAPTIONS = b"\x1c\x02\x78\x00\x05Hello\x1c\x02\x19\x00\x03key"
NOTE = bytes(range(256)) * 2


def camera_block(order: str) -> Block:
    """An EXIF block with a maker's note that lies where it must not move from, and an InteropIFD."""
    block = Block.empty(order)

    def main():  # a directory that grows moves
        assert block.main is not None
        return block.main

    block.put(main(), 0x010F, ASCII, b"Maker\0")
    block.put(main(), 0x0112, SHORT, struct.pack(f"{order}H", 6))
    block.put(block.put_folder(main(), EXIF), exif.MAKER_NOTE_TAG, UNDEFINED, NOTE)
    block.put(block.put_folder(main(), EXIF), 0xA002, SHORT, struct.pack(f"{order}H", 4000))
    block.put(block.put_folder(block.put_folder(main(), EXIF), INTEROP), 1, ASCII, b"R98\0")
    return block


def note_place(block: Block) -> int:
    entry = block.find(block.photo, exif.MAKER_NOTE_TAG)
    assert entry is not None
    assert block.bytes_of(entry) == NOTE
    return entry.value


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ending", FORMATS)
def test_maker_notes_stay_where_they_are_in_every_format(tmp_path: Path, ending: str, order: str) -> None:
    block = camera_block(order)
    seen, notes = exported(tmp_path / f"a.{ending}", SourceMetadata(exif=b"Exif\0\0" + bytes(block.data)))
    again = Block(seen.exif)
    assert notes == ()
    assert again.order == order
    assert note_place(again) == note_place(block)
    assert again.value(again.inner(again.photo, INTEROP), 1) == b"R98\0"
    assert again.whole(again.photo, 0xA002) == 8  # the exported picture's width
    assert again.find(again.main, 0x0112) is None
    if ending == "tif":  # counted from the beginning of the file, as readers do
        assert (tmp_path / "a.tif").read_bytes()[note_place(block) :].startswith(NOTE)


@pytest.mark.parametrize("ending", FORMATS)
def test_recipes_go_into_a_camera_s_block_without_moving_it(tmp_path: Path, ending: str) -> None:
    block = camera_block("<")
    layer = Layer.of_pixels(name="Generated", pixels=flat(90), recipe=recipe(steps=30))
    source = SourceMetadata(exif=b"Exif\0\0" + bytes(block.data))
    export_picture(DocumentState.of_layer(layer), source, tmp_path / f"a.{ending}", ExportOptions())
    again = open_file(tmp_path / f"a.{ending}").source
    assert note_place(Block(again.exif)) == note_place(block)
    assert exif.comment_of(again.exif).startswith("a photo of a man")


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_captions_and_photoshop_s_data_survive(tmp_path: Path, ending: str) -> None:
    block = photoshop.packed([
        Resource(number=photoshop.IPTC, data=CAPTIONS), Resource(number=2000, data=b"a path", name=b"Path"),
    ])  # fmt: skip
    seen, _ = exported(tmp_path / f"a.{ending}", SourceMetadata(photoshop=block))
    assert photoshop.captions(seen.photoshop) == CAPTIONS
    assert photoshop.resources(seen.photoshop) == photoshop.resources(block)


def test_photoshop_s_block_goes_through_several_segments(tmp_path: Path) -> None:
    block = photoshop.packed([Resource(number=4000, data=bytes(range(256)) * 800)])
    seen, _ = exported(tmp_path / "a.jpg", SourceMetadata(photoshop=block))
    assert seen.photoshop == block


def test_a_jpeg_keeps_its_comment_and_the_resolution_of_photoshop_s_block(tmp_path: Path) -> None:
    data = struct.pack(">I2HI2H", 240 << 16, 1, 1, 240 << 16, 1, 1)
    block = photoshop.packed([Resource(number=photoshop.RESOLUTION, data=data)])
    seen, _ = exported(tmp_path / "a.jpg", SourceMetadata(photoshop=block, text={"Comment": "Grüße"}))
    assert seen.text == {"Comment": "Grüße"}
    assert open_file(tmp_path / "a.jpg").state.dpi == (240, 240)


@pytest.mark.parametrize("ending", FORMATS)
def test_resolution_comes_back_from_every_format(tmp_path: Path, ending: str) -> None:
    state_with = DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=flat(90)))
    state_with = replace(state_with, dpi=(300.0, 150.0))
    export_picture(state_with, SourceMetadata(), tmp_path / f"a.{ending}", ExportOptions())
    assert open_file(tmp_path / f"a.{ending}").state.dpi == pytest.approx((300, 150), abs=0.1)


def test_orientation_of_a_raw_profile_turns_once(tmp_path: Path) -> None:
    made = Image.Exif()
    made[0x0112] = 6
    info = PngInfo()
    info.add_text("Raw profile type exif", raw_profiles.encoded("exif", made.tobytes()))
    Image.fromarray(np.zeros((4, 8, 3), np.uint8)).save(tmp_path / "a.png", pnginfo=info)
    opened = open_file(tmp_path / "a.png")
    assert (opened.state.width, opened.state.height) == (4, 8)
    for ending in FORMATS:
        export_picture(opened.state, opened.source, tmp_path / f"b.{ending}", ExportOptions())
        again = open_file(tmp_path / f"b.{ending}")
        assert (again.state.width, again.state.height) == (4, 8)
        assert "Raw profile" not in "".join(again.source.text)


@pytest.mark.parametrize("ending", FORMATS)
def test_other_tools_parameters_go_through_every_format(tmp_path: Path, ending: str) -> None:
    said = "猫 a cat\nSteps: 20, Seed: 1"
    seen, _ = exported(tmp_path / f"a.{ending}", SourceMetadata(text={"parameters": said}))
    assert seen.text["parameters"] == said
    workflow = {"prompt": '{"3":{"class_type":"KSampler"}}', "workflow": '{"nodes":[]}'}
    seen, _ = exported(tmp_path / f"b.{ending}", SourceMetadata(text=workflow))
    assert seen.text == workflow


def test_latin_texts_stay_texts_that_other_tools_look_for(tmp_path: Path) -> None:
    exported(tmp_path / "a.png", SourceMetadata(text={"prompt": "{}", "name": "猫"}))
    data = (tmp_path / "a.png").read_bytes()
    assert b"tEXtprompt\0{}" in data
    assert b"iTXtname\0" in data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("code", "encoding"),
    [(b"UNICODE\0", "utf-16-le"), (b"UNICODE\0", "utf-16-be"), (bytes(8), "utf-8"), (b"", "utf-8")],
)
def test_comments_in_any_encoding(order: str, code: bytes, encoding: str) -> None:
    said = "猫 a cat\nSteps: 20"
    assert metadata.read_user_comment(code + said.encode(encoding), order) == said


def test_comments_of_one_script_go_by_the_block_s_order() -> None:
    for order in "<>":
        assert metadata.read_user_comment(metadata.user_comment("猫犬", order), order) == "猫犬"


def test_what_a_format_has_no_place_for_is_named() -> None:
    source = SourceMetadata(
        exif=b"Exif\0\0" + bytes(camera_block("<").data),
        photoshop=photoshop.packed(
            [Resource(number=photoshop.IPTC, data=CAPTIONS), Resource(number=2000, data=b"path")]
        ),
        text={"Comment": "a", "Title": "b", "parameters": "c", "日本": "d"},
        others=("FLIR",),
    )

    def named(kind: str, **options: object) -> list[str]:
        lost = what_would_be_lost(source, kind, ExportOptions(**options))
        return [item.said(lambda _, text: text) for item in lost]

    captions, data = "captions and keywords (IPTC)", "Photoshop's own data"
    assert named("png") == ["the text “日本”", "data of FLIR"]
    assert named("jpeg") == ["the text “Title”", "the text “日本”", "data of FLIR"]
    assert named("tiff") == ["the comment", "the text “Title”", "the text “日本”", "data of FLIR"]
    for kind in ("webp", "avif"):
        assert named(kind) == [*named("tiff")[:3], captions, data, "data of FLIR"]
    assert named("webp", metadata=False) == []


def test_notes_too_long_for_a_jpeg_are_named_before() -> None:
    long = SourceMetadata(exif=photo_exif(bytes(70_000)))
    assert [item.text for item in what_would_be_lost(long, "jpeg", ExportOptions())] == [
        "the camera maker's notes"
    ]
    assert what_would_be_lost(long, "png", ExportOptions()) == ()


def test_segments_of_other_programs_are_known_by_name(tmp_path: Path) -> None:
    extra = b"\xff\xe6\x00\x0aGoPro\0ab" + b"\xff\xe7\x00\x06abcd"
    Image.fromarray(flat(3)).save(tmp_path / "a.jpg", extra=extra)
    assert open_file(tmp_path / "a.jpg").source.others == ("GoPro", "APP7")
