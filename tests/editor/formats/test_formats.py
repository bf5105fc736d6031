"""Contract tests of every format, then what each is for."""

import struct
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from editor.colour.conversion import built_in_profile
from editor.formats import (
    FORMATS,
    ExportOptions,
    FileFormat,
    Picture,
    export_formats,
    format_for_reading,
    format_for_writing,
)
from editor.formats.decoding import ORIENTATION_TAG, said_broken
from editor.formats.files import open_file
from editor.formats.metadata import provenance as metadata
from editor.layers import limits
from editor.layers.layer import Layer
from editor.layers.recipes import with_edits
from editor.layers.state import DocumentState, SourceMetadata
from inference.errors import EditorError
from inference.operations import SubjectEdit
from tests.editor.samples import MAN, flat, noise, recipe

WRITABLE = [item for item in FORMATS.values() if item.writable]
EDIT = SubjectEdit(start=13, end=16, attribute="age", value=0.64)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture_of(*layers: Layer, source: SourceMetadata | None = None) -> Picture:
    state = DocumentState(width=8, height=8, layers=layers, active=layers[-1].id)
    return Picture(state=state, source=source or SourceMetadata())


def photo(
    pixels: np.ndarray | None = None, icc_profile: bytes = b"", dpi: tuple[float, float] | None = None,
    **source: object,
) -> Picture:  # fmt: skip
    made = SourceMetadata(photo=True, **source)
    picture = picture_of(
        Layer.of_pixels(name="photo", pixels=flat(80) if pixels is None else pixels), source=made
    )
    state = replace(picture.state, icc_profile=icc_profile, dpi=dpi)
    return Picture(state=state, source=made)


def generated() -> Picture:
    made = with_edits(recipe(MAN, steps=30, width=8, height=8), (EDIT,))
    return picture_of(Layer.of_pixels(name="Generated", pixels=flat(120), recipe=made))


def written(picture: Picture, item: FileFormat, folder: Path, **options: object) -> Path:
    path = folder / f"picture{item.extensions[0]}"
    item.codec.write(picture, path, ExportOptions(**options))
    return path


def reread(path: Path) -> tuple[Layer, SourceMetadata]:
    opened = format_for_reading(path).codec.read(path)
    assert opened.notes == ()
    return opened.state.layers[0], opened.source


@pytest.mark.parametrize("item", WRITABLE, ids=lambda item: item.name)
class TestEveryFormat:
    def test_gives_the_picture_back(self, item: FileFormat, tmp_path: Path) -> None:
        layer, _ = reread(written(photo(), item, tmp_path, quality=100))
        assert layer.pixels.shape == (8, 8, 4)
        assert np.abs(layer.pixels[..., :3].astype(int) - 80).max() <= (3 if item.lossy else 0)
        assert (layer.pixels[..., 3] == 255).all()

    def test_restores_the_sliders_of_a_generated_picture(self, item: FileFormat, tmp_path: Path) -> None:
        layer, source = reread(written(generated(), item, tmp_path))
        assert layer.recipe == generated().state.layers[0].recipe
        assert not source.photo

    def test_says_nothing_when_asked_to(self, item: FileFormat, tmp_path: Path) -> None:
        if item.keeps_layers:
            pytest.skip("a project always keeps its recipes")
        path = written(generated(), item, tmp_path, metadata=False)
        assert reread(path)[0].recipe is None
        assert b"Attune" not in path.read_bytes()

    def test_keeps_profile_and_exif_of_a_photo(self, item: FileFormat, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x010F] = "Camera maker"
        exif.get_ifd(0x8769)[0x9003] = "2026:01:02 03:04:05"
        path = written(photo(exif=exif.tobytes(), icc_profile=SRGB, dpi=(300.0, 300.0)), item, tmp_path)
        opened = format_for_reading(path).codec.read(path)
        source, state = opened.source, opened.state
        kept = Image.Exif()
        kept.load(source.exif)
        assert kept[0x010F] == "Camera maker"
        assert kept.get_ifd(0x8769)[0x9003] == "2026:01:02 03:04:05"
        assert state.icc_profile == SRGB
        if item.name not in ("webp", "avif"):
            assert state.dpi == pytest.approx((300, 300), abs=0.1)

    def test_a_missing_folder_is_an_error_and_leaves_nothing(self, item: FileFormat, tmp_path: Path) -> None:
        with pytest.raises(EditorError, match="could not be written"):
            written(photo(), item, tmp_path / "nowhere")
        assert list(tmp_path.iterdir()) == []

    def test_an_old_file_survives_a_failure(
        self, item: FileFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = written(photo(), item, tmp_path)
        before = path.read_bytes()

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(EditorError, match="no space is left"):
            written(generated(), item, tmp_path)
        assert path.read_bytes() == before
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name]

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
    @given(data=st.data())
    def test_a_damaged_file_is_an_error_or_a_picture(
        self, item: FileFormat, tmp_path: Path, data: st.DataObject
    ) -> None:
        whole = written(photo(noise(1)), item, tmp_path).read_bytes()
        # places as shares of the length, which differs by a few bytes from run to run
        kept = data.draw(st.integers(1, 1000))
        damaged = bytearray(whole[: max(len(whole) * kept // 1000, 1)])
        for place, value in data.draw(
            st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=4)
        ):
            damaged[len(damaged) * place // 1000] = value
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        with suppress(EditorError):  # anything else, or a hang, is a defect
            assert format_for_reading(path).codec.read(path).state.layers


class TestChoosingAFormat:
    def test_by_the_first_bytes_whatever_the_name(self, tmp_path: Path) -> None:
        path = written(photo(), FORMATS["jpeg"], tmp_path).rename(tmp_path / "odd.png")
        assert format_for_reading(path).name == "jpeg"

    @pytest.mark.parametrize(
        ("content", "message"), [(b"", "is empty"), (b"hello, world", "is no picture that Attune reads")]
    )
    def test_what_is_no_picture_is_said(self, tmp_path: Path, content: bytes, message: str) -> None:
        path = tmp_path / "letter.txt"
        path.write_bytes(content)
        with pytest.raises(EditorError, match=message):
            format_for_reading(path)

    def test_a_missing_file_and_a_folder_are_said(self, tmp_path: Path) -> None:
        with pytest.raises(EditorError, match="There is no file"):
            format_for_reading(tmp_path / "nothing.png")
        with pytest.raises(EditorError, match="is a folder"):
            format_for_reading(tmp_path)

    def test_an_unknown_ending_names_those_there_are(self) -> None:
        with pytest.raises(EditorError, match=r"“a\.xyz”.*\.png, \.jpg"):
            format_for_writing(Path("a.xyz"))
        with pytest.raises(EditorError, match=r"cannot write"):
            format_for_writing(Path("a.gif"))
        assert format_for_writing(Path("a.JPG")).name == "jpeg"
        assert format_for_writing(Path("a.xyz"), "webp").name == "webp"

    def test_exports_are_flat(self) -> None:
        assert [item.name for item in export_formats()] == ["png", "jpeg", "webp", "tiff", "avif"]

    @pytest.mark.parametrize("kind", ["BMP", "GIF"])
    def test_other_pictures_open(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "picture"
        Image.fromarray(flat(40)).save(path, kind)
        layer, source = reread(path)
        assert (layer.pixels[..., :3] == 40).all()
        assert source.photo


def chunks(*items: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks."""
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in items
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class TestBoundary:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (OSError(5, "Input/output error"), "“a.png” cannot be read: the drive reports an error."),
            (NotImplementedError("tiles"), "“a.png” is of a kind that Attune does not read: tiles."),
            (OSError("Unsupported BMP header"), "“a.png” is of a kind that Attune does not read: "),
            (
                SyntaxError("cannot parse /home/ada/secret/a.png here"),
                "incomplete: cannot parse the file",
            ),
            (ValueError("bad <_io.BytesIO object at 0x7f00aa> x"), "damaged or incomplete: bad the file x"),
            (KeyError(3), "“a.png” is damaged or incomplete."),
            (AssertionError(), "“a.png” is damaged or incomplete."),
            (MemoryError(), "does not fit into memory"),
        ],
    )
    def test_damage_is_told_from_other_trouble_and_no_path_shows(self, error: Exception, said: str) -> None:
        with pytest.raises(EditorError) as caught, said_broken("a.png"):
            raise error
        assert said in caught.value.message
        assert ("again" in caught.value.hint) == ("damaged" in caught.value.message)

    def test_an_error_for_people_passes(self) -> None:
        with pytest.raises(EditorError, match=r"^Ours\.$"), said_broken("a.png"):
            raise EditorError("Ours.")

    @pytest.mark.parametrize(
        "name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp", "a.gif", "a.avif", "a.ora"]
    )
    def test_no_message_shows_the_path(self, tmp_path: Path, name: str) -> None:
        kind = {"jpg": "jpeg", "tif": "tiff"}.get(name[2:], name[2:])
        path = tmp_path / "secret place" / name
        path.parent.mkdir()
        if name == "a.ora":
            path.write_bytes(b"PK\3\4mimetypeimage/openraster")
        else:
            Image.fromarray(flat(40)).save(path, kind)
            path.write_bytes(path.read_bytes()[:40])
        with pytest.raises(EditorError) as caught:
            open_file(path)
        assert "secret place" not in str(caught.value)


class TestPng:
    def test_carries_what_other_tools_read(self, tmp_path: Path) -> None:
        path = written(generated(), FORMATS["png"], tmp_path)
        with Image.open(path) as image:
            image.load()
            text = image.text
        assert text["parameters"].startswith("a photo of a man and a woman\nSteps: 30, Seed: 7, Size: 8x8")
        assert metadata.GENERATED in text["XML:com.adobe.xmp"]
        assert b"tEXtparameters" in path.read_bytes()

    def test_keeps_other_tools_text(self, tmp_path: Path) -> None:
        path = written(
            photo(text={"Author": "Ä", "parameters": "a cat\nSteps: 20"}), FORMATS["png"], tmp_path
        )
        _, source = reread(path)
        assert source.text == {"Author": "Ä", "parameters": "a cat\nSteps: 20"}

    def test_transparency_survives(self, tmp_path: Path) -> None:
        pixels = noise(3)
        layer, _ = reread(written(photo(pixels), FORMATS["png"], tmp_path))
        np.testing.assert_array_equal(layer.pixels, pixels)

    def test_too_many_pixels_are_refused_before_decoding(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = written(photo(), FORMATS["png"], tmp_path)
        monkeypatch.setattr(limits, "LARGEST_PIXELS", 63)
        with pytest.raises(EditorError, match="8 × 8 pixels"):
            FORMATS["png"].codec.read(path)

    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_a_transparent_grey_of_few_bits(self, tmp_path: Path, bits: int) -> None:
        count = min(2**bits, 8)
        width = 8
        values = np.arange(width) % count
        each = (values[:, None] >> np.arange(bits)[::-1]) & 1
        row = b"\0" + np.packbits(each.astype(np.uint8)).tobytes()
        header = struct.pack(">II5B", width, 1, bits, 0, 0, 0, 0)
        for key in range(count):
            data = chunks(
                (b"IHDR", header),
                (b"tRNS", struct.pack(">H", key)),
                (b"IDAT", zlib.compress(row)),
                (b"IEND", b""),
            )
            path = tmp_path / "grey.png"
            path.write_bytes(data)
            found = reread(path)[0].pixels[0]
            assert (found[:, 3] == np.where(values == key, 0, 255)).all()
            assert (found[:, 0] == np.round(values * 255 / (2**bits - 1))).all()

    @pytest.mark.parametrize(
        ("name", "content", "sound"),
        [
            (b"tEXt", b"Title\0a cat", False),
            (b"zTXt", b"Title\0\0" + zlib.compress(bytes(20 * 2**20)), True),  # twenty MiB of text
            (b"iCCP", b"a\0\0" + zlib.compress(bytes(20 * 2**20)), True),
            (b"iTXt", b"Title\0\1\0\0\0" + zlib.compress(bytes(20 * 2**20)), True),
            (b"zzZz", b"", False),
        ],
    )
    def test_what_is_damaged_beside_the_pixels_is_left_out_and_said(
        self, tmp_path: Path, name: bytes, content: bytes, sound: bool
    ) -> None:
        path = written(photo(noise(3)), FORMATS["png"], tmp_path)
        data, extra = path.read_bytes(), chunks((name, content))[8:]
        if not sound:
            extra = extra[:-1] + bytes([extra[-1] ^ 1])  # the checksum
        path.write_bytes(data[:33] + extra + data[33:])
        opened = FORMATS["png"].codec.read(path)
        assert tuple(map(str, opened.notes)) == (
            f"Damaged or too long parts of the file beside its pixels were left out: {name.decode()}.",
        )
        np.testing.assert_array_equal(opened.state.layers[0].pixels, noise(3))

    def test_wrong_checksums_of_pixels_are_damage(self, tmp_path: Path) -> None:
        path = written(photo(noise(3)), FORMATS["png"], tmp_path)
        data = bytearray(path.read_bytes())
        data[29] ^= 1  # of the header
        path.write_bytes(data)
        with pytest.raises(EditorError, match="damaged"):
            FORMATS["png"].codec.read(path)

    def test_a_bomb_is_refused(self, tmp_path: Path) -> None:
        header = struct.pack(">II5B", 60_000, 60_000, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        path = tmp_path / "bomb.png"
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n\0\0\0\r"
            + chunk
            + struct.pack(">I", zlib.crc32(chunk))
            + b"\0\0\0\0IDAT5\xaf\x06\x1e"
        )
        with pytest.raises(EditorError, match="megapixels"):
            FORMATS["png"].codec.read(path)


class TestJpeg:
    def test_is_flattened_over_white(self, tmp_path: Path) -> None:
        pixels = np.zeros((8, 8, 4), np.uint8)
        layer, _ = reread(written(photo(pixels), FORMATS["jpeg"], tmp_path))
        assert (layer.pixels[..., :3] >= 253).all()

    def test_the_camera_s_orientation_is_applied_once(self, tmp_path: Path) -> None:
        path = tmp_path / "turned.jpg"
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = 6
        Image.fromarray(np.zeros((4, 12, 3), np.uint8)).save(path, exif=exif)
        layer, source = reread(path)
        assert (layer.width, layer.height) == (4, 12)
        again = tmp_path / "again.jpg"
        state = DocumentState.of_layer(layer)
        FORMATS["jpeg"].codec.write(Picture(state=state, source=source), again, ExportOptions())
        assert (reread(again)[0].width, reread(again)[0].height) == (4, 12)

    def test_cmyk_opens_as_srgb_with_a_note(self, tmp_path: Path) -> None:
        path = tmp_path / "print.jpg"
        Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(path)
        opened = FORMATS["jpeg"].codec.read(path)
        assert "CMYK" in opened.notes[0]
        red, green, blue, _ = opened.state.layers[0].pixels[4, 4]
        assert red > 180 > 80 > max(green, blue)

    def test_grey_stays_grey_unless_a_profile_is_of_colours(self, tmp_path: Path) -> None:
        for name, picture, mode in (
            ("grey", photo(flat(90)), "L"),
            ("colour", photo(noise(3)), "RGB"),
            ("profile", photo(flat(90), icc_profile=built_in_profile("display-p3")), "RGB"),
        ):
            folder = tmp_path / name
            folder.mkdir()
            with Image.open(written(picture, FORMATS["jpeg"], folder)) as image:
                assert image.mode == mode

    @pytest.mark.parametrize("progressive", [False, True])
    def test_a_truncated_file_opens_with_what_it_has(self, tmp_path: Path, progressive: bool) -> None:
        grainy = np.random.default_rng(2).integers(100, 140, (256, 64, 3), np.uint8)
        path = tmp_path / "cut.jpg"
        Image.fromarray(grainy).save(path, progressive=progressive)
        whole = reread(path)[0].pixels
        for cut in (2, 80):
            path.write_bytes(path.read_bytes()[:-cut])
            opened = FORMATS["jpeg"].codec.read(path)
            assert "ends early" in opened.notes[0]
            np.testing.assert_allclose(opened.state.layers[0].pixels[:16], whole[:16], atol=20)

    def test_a_file_without_any_pixels_is_damaged(self, tmp_path: Path) -> None:
        path = written(photo(noise(1, 64, 64)), FORMATS["jpeg"], tmp_path)
        path.write_bytes(path.read_bytes()[:150])
        with pytest.raises(EditorError, match="damaged or incomplete"):
            FORMATS["jpeg"].codec.read(path)


class TestWebp:
    def test_a_large_plain_picture_in_a_few_bytes_is_no_bomb(self, tmp_path: Path) -> None:
        path = tmp_path / "plain.webp"
        Image.new("RGB", (4000, 3000), (9, 8, 7)).save(path, lossless=True)
        assert path.stat().st_size < 1000
        layer, _ = reread(path)
        assert (layer.pixels == (9, 8, 7, 255)).all()

    def test_lossless_is_exact(self, tmp_path: Path) -> None:
        pixels = noise(4)
        layer, _ = reread(written(photo(pixels), FORMATS["webp"], tmp_path, lossless=True))
        np.testing.assert_array_equal(layer.pixels, pixels)

    def test_too_long_a_side_is_refused(self, tmp_path: Path) -> None:
        layer = Layer.of_pixels(name="wide", pixels=np.zeros((1, 16384, 3), np.uint8))
        picture = Picture(state=DocumentState.of_layer(layer), source=SourceMetadata())
        with pytest.raises(EditorError, match=r"16384 × 1.*16383"):
            FORMATS["webp"].codec.write(picture, tmp_path / "wide.webp", ExportOptions())


class TestProvenance:
    def test_an_edited_photo_is_said_to_be_composite(self) -> None:
        layers = (
            Layer.of_pixels(name="photo", pixels=flat(1)),
            Layer.of_pixels(name="Generated", pixels=flat(2), recipe=recipe()),
        )
        said = metadata.provenance_of(picture_of(*layers).state, SourceMetadata(photo=True))
        assert said.source_type == metadata.EDITED

    def test_a_picture_without_a_model_s_part_says_nothing(self) -> None:
        said = metadata.provenance_of(photo().state, SourceMetadata(photo=True))
        assert said == metadata.Provenance(payload="", parameters="", source_type="")

    def test_a_flattened_picture_does_not_pretend_to_have_sliders(self, tmp_path: Path) -> None:
        layers = (
            Layer.of_pixels(name="Generated", pixels=flat(2), recipe=recipe()),
            Layer.of_pixels(name="ink", pixels=noise(1)),
        )
        layer, source = reread(written(picture_of(*layers), FORMATS["png"], tmp_path))
        assert layer.recipe is None
        assert "a photo of a man" in source.text["parameters"]
        assert not source.photo

    @pytest.mark.parametrize("payload", ["{", "[]", "{}", '{"recipe": 3}', '{"recipe": {"version": 99}}'])
    def test_a_broken_payload_is_a_note(self, payload: str) -> None:
        found, note = metadata.restored_recipe(payload)
        assert found is None
        assert note

    @pytest.mark.parametrize("text", ["plain", "größer ☀ 海滩"])
    def test_user_comments_come_back(self, text: str) -> None:
        assert metadata.read_user_comment(metadata.user_comment(text)) == text

    def test_foreign_xmp_is_kept_and_amended(self) -> None:
        foreign = (
            b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:rights="mine"/>'
            b"</rdf:RDF></x:xmpmeta>"
        )
        said = metadata.Provenance(payload="{}", parameters="", source_type=metadata.EDITED)
        packet = metadata.xmp_packet(said, foreign)
        assert b"mine" in packet
        assert metadata.read_xmp(packet) == ("{}", metadata.EDITED)
        twice = metadata.xmp_packet(replace(said, source_type=metadata.GENERATED), packet)
        assert metadata.read_xmp(twice)[1] == metadata.GENERATED
        assert twice.count(b"DigitalSourceType>") == 2

    @pytest.mark.parametrize("packet", [b"", b"<", b"\0\0", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
    def test_broken_xmp_says_nothing(self, packet: bytes) -> None:
        assert metadata.read_xmp(packet) == ("", "")


def test_texts_that_no_project_could_carry_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.formats.raster.LARGEST_CARRIED_BYTES", 400)
    path = written(photo(text={"Title": "a cat", "Story": "x" * 200}), FORMATS["png"], tmp_path)
    opened = FORMATS["png"].codec.read(path)
    assert opened.source.text == {"Title": "a cat"}
    assert "left out" in opened.notes[0]
