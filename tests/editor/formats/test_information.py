"""What people are told of a picture beside its pixels."""

from dataclasses import replace

import pytest
from PIL import Image

from editor.colour import conversion as colour
from editor.formats.information import facts_of, split_parameters
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from tests.editor.samples import flat

STATE = DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=flat(1)))


def test_size_depth_profile_and_resolution() -> None:
    state = replace(STATE, dpi=(300.0, 300.0), icc_profile=colour.built_in_profile("display-p3"))
    facts = dict(facts_of(state, SourceMetadata()))
    assert facts == {
        "Size": "8 × 8 px", "Bits per channel": "8", "Resolution": "300 ppi", "Colour profile": "Display P3",
    }  # fmt: skip


def test_the_camera_s_words() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    folder = exif.get_ifd(0x8769)
    folder[0x829A], folder[0x829D], folder[0x8827], folder[0x920A] = 0.004, 2.8, 400, 50.0
    exif.get_ifd(0x8825)[1] = "N"
    facts = dict(facts_of(STATE, SourceMetadata(exif=exif.tobytes())))
    assert (facts["Camera maker"], facts["Exposure"], facts["Aperture"]) == ("Maker", "1/250 s", "f/2.8")
    assert (facts["ISO"], facts["Focal length"], facts["Location"]) == ("400", "50 mm", "contained")


@pytest.mark.parametrize(
    "source",
    [
        SourceMetadata(xmp=b'<x xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="1,2N"/>'),
        SourceMetadata(photoshop=b"8BIM\x04\x04\0\0\0\0\0\x09\x1c\x02\x5a\0\x04City\0"),
        SourceMetadata(text={"exif:GPSInfo": "26"}),
    ],
)
def test_a_place_is_told_of_wherever_it_is(source: SourceMetadata) -> None:
    assert ("Location", "contained") in facts_of(STATE, source)
    assert ("Location", "contained") not in facts_of(STATE, SourceMetadata(xmp=b"<x/>"))


def test_other_tools_parameters_in_their_parts() -> None:
    text = (
        'a cat, (sitting:1.2)\non a mat\nNegative prompt: dog,\nblurry\n'
        'Steps: 20, Sampler: DPM++ 2M, CFG scale: 7.5, Seed: 5, Size: 512x512, Lora hashes: "a: 1, b: 2"'
    )  # fmt: skip
    prompt, without, settings = split_parameters(text)
    assert prompt == "a cat, (sitting:1.2)\non a mat"
    assert without == "dog,\nblurry"
    assert dict(settings) == {
        "Steps": "20", "Sampler": "DPM++ 2M", "CFG scale": "7.5", "Seed": "5", "Size": "512x512",
        "Lora hashes": "a: 1, b: 2",
    }  # fmt: skip
    facts = facts_of(STATE, SourceMetadata(text={"parameters": text, "Author": "me"}))
    assert ("Sampler", "DPM++ 2M") in facts
    assert facts[-1] == ("Author", "me")


@pytest.mark.parametrize("text", ["", "only a prompt", "a: b, c", "\n\n", "Negative prompt:", ":" * 5000])
def test_texts_without_settings_are_prompts(text: str) -> None:
    _, _, settings = split_parameters(text)
    assert settings == []


@pytest.mark.parametrize("damage", [b"", b"Exif\0\0", b"Exif\0\0MM\0*" + b"\xff" * 40])
def test_broken_exif_says_nothing(damage: bytes) -> None:
    assert next(label for label, _ in facts_of(STATE, SourceMetadata(exif=damage))) == "Size"
