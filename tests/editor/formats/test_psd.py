"""Photoshop documents: psd-tools writes them, Attune reads them."""

import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import BlendMode as Theirs
from psd_tools.constants import EffectOSType, ProtectedFlags, Tag
from psd_tools.psd.effects_layer import EffectsLayer, SolidFillInfo

from editor.adjustments.black_and_white import BlackAndWhite
from editor.adjustments.brightness_contrast import BrightnessContrast
from editor.adjustments.curves import Curves
from editor.adjustments.hue_saturation import HueSaturation
from editor.adjustments.invert import Invert
from editor.adjustments.levels import Levels
from editor.adjustments.levels import apply as apply_levels
from editor.adjustments.posterise import Posterise
from editor.formats.files import open_file
from editor.formats.psd.adjustments import settings_of
from editor.formats.psd.layers import MODES
from editor.formats.psd.masks import softened
from editor.formats.psd.shapes import vector_mask
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Group, Layer, Mask
from editor.layers.state import Guide
from editor.pixels.raster import Area, Raster
from inference.errors import EditorError
from tests.editor.samples import noise

SIDE = 20


def add(parent: Any, seed: int, width: int = SIDE, height: int = SIDE, **fields: Any) -> Any:
    """A pixel layer of noise, transparency included."""
    pixels = noise(seed, width, height).astype(np.float32) / 255
    return parent.create_pixel_layer_from_array(pixels, **fields)


def saved(document: PSDImage, folder: Path) -> Path:
    """A file of it without a merged picture: psd-tools writes one without transparency."""
    path = folder / "their.psd"
    document.save(path)
    data = path.read_bytes()
    size = document.width * document.height * document.channels * document.depth // 8
    path.write_bytes(data[: document_end(data)] + bytes(2) + b"\xff" * size)
    return path


def document_end(data: bytes) -> int:
    """Where the merged picture begins."""
    place = 26
    for _ in range(3):
        place += 4 + int.from_bytes(data[place : place + 4], "big")
    return place


def test_layers_with_everything_that_both_have(tmp_path: Path) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    add(document, 1, name="below")
    layer = add(document, 2, 8, 6, name="clipped “ä”", top=3, left=-2, opacity=128)
    layer.blend_mode = Theirs.MULTIPLY
    layer.clipping = True
    layer.lock()  # makes the entry that the next call sets
    layer.lock(ProtectedFlags.TRANSPARENCY)
    hidden = add(document, 3, name="hidden")
    hidden.visible = False
    opened = open_file(saved(document, tmp_path))
    below, clipped, last = opened.state.layers
    assert opened.notes == ()
    assert not opened.is_project
    np.testing.assert_array_equal(below.pixels, noise(1, SIDE, SIDE))
    np.testing.assert_array_equal(clipped.pixels, noise(2, 8, 6))
    assert (clipped.name, clipped.x, clipped.y) == ("clipped “ä”", -2, 3)
    assert clipped.opacity == pytest.approx(128 / 255)
    assert (clipped.blend_mode, clipped.clipped, clipped.alpha_locked) == (BlendMode.MULTIPLY, True, True)
    assert not last.visible


def test_groups_isolated_and_passing_through(tmp_path: Path) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    isolated = document.create_group(name="isolated")
    isolated.blend_mode = Theirs.NORMAL
    add(isolated, 1, name="inside")
    passing = document.create_group(name="passing", blend_mode=Theirs.PASS_THROUGH)
    add(passing, 2, name="other")
    first, second = open_file(saved(document, tmp_path)).state.layers
    assert isinstance(first, Group)
    assert isinstance(second, Group)
    assert (first.name, first.isolated, second.isolated) == ("isolated", True, False)
    assert [child.name for child in second.children] == ["other"]


def test_masks_come_along(tmp_path: Path) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    layer = add(document, 1, name="masked")
    values = noise(5, 7, 9)[..., 0].copy()
    layer.create_mask(Image.fromarray(values), top=4, left=2)
    (node,) = open_file(saved(document, tmp_path)).state.layers
    assert node.mask is not None
    assert (node.mask.x, node.mask.y, node.mask.outside, node.mask.enabled) == (2, 4, 0, True)
    np.testing.assert_array_equal(node.mask.raster.array()[..., 0], values)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (SIDE, SIDE, 4), np.uint16)
    document = PSDImage.new("RGB", (SIDE, SIDE), depth=16)
    document.create_pixel_layer_from_array(samples.astype(np.float32) / 65535, name="deep")
    (node,) = open_file(saved(document, tmp_path)).state.layers
    assert isinstance(node, Layer)
    np.testing.assert_array_equal(node.raster.array(), samples)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_flat_document_is_one_layer(tmp_path: Path, mode: str) -> None:
    pixels = Image.fromarray(noise(1, SIDE, SIDE)).convert(mode)
    PSDImage.frompil(pixels).save(tmp_path / "flat.psd")
    opened = open_file(tmp_path / "flat.psd")
    (layer,) = opened.state.layers
    np.testing.assert_array_equal(layer.pixels[..., :3], np.asarray(pixels.convert("RGB")))
    assert layer.name == "flat"


def test_other_colours_are_opened_flattened_and_said(tmp_path: Path) -> None:
    # stored the other way round, as Photoshop does
    PSDImage.frompil(Image.new("CMYK", (8, 8), (255, 0, 0, 255))).save(tmp_path / "print.psd")
    opened = open_file(tmp_path / "print.psd")
    assert "CMYK" in opened.notes[0]
    red, green, blue, _ = opened.state.layers[0].pixels[4, 4]
    assert red > 180 > 80 > max(green, blue)


def test_a_blend_mode_that_we_lack_is_said(tmp_path: Path) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    add(document, 1, name="grain").blend_mode = Theirs.DISSOLVE
    opened = open_file(saved(document, tmp_path))
    (note,) = opened.notes
    assert str(note) == "“grain” uses the blend mode “dissolve”, which is shown as normal."


def test_every_mode_of_theirs_but_dissolve_is_known() -> None:
    assert {mode.name for mode in Theirs} - set(MODES) == {"DISSOLVE", "PASS_THROUGH"}


@pytest.mark.parametrize("share", [0, 10, 25, 30, 100, 300, 0.5])
def test_a_truncated_document_is_an_error(tmp_path: Path, share: float) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    add(document, 1, name="a")
    whole = saved(document, tmp_path).read_bytes()
    (tmp_path / "cut.psd").write_bytes(whole[: int(share if share >= 1 else share * len(whole))])
    with pytest.raises(EditorError, match=r"cut\.psd|layers|flattened"):
        open_file(tmp_path / "cut.psd")


def test_an_absurd_size_is_refused(tmp_path: Path) -> None:
    whole = bytearray(saved(PSDImage.new("RGB", (8, 8)), tmp_path).read_bytes())
    whole[14:22] = b"\0\x03\0\0\0\x03\0\0"
    (tmp_path / "huge.psd").write_bytes(whole)
    with pytest.raises(EditorError, match="196608 × 196608"):
        open_file(tmp_path / "huge.psd")


def layer(kind: str, **fields: object) -> SimpleNamespace:
    return SimpleNamespace(kind=kind, name="top", **fields)


def test_adjustments_that_we_have() -> None:
    record = SimpleNamespace(input_floor=51, input_ceiling=204, output_floor=0, output_ceiling=255, gamma=150)
    notes: list[str] = []
    assert settings_of(layer("levels", data=[record]), notes) == Levels(combined=(0.2, 1.5, 0.8, 0.0, 1.0))
    assert settings_of(layer("invert"), notes) == Invert()
    assert settings_of(layer("posterize", posterize=6), notes) == Posterise(levels=6)
    flat = [((0, 0, 0, 0), (0, 0, 0))] * 6
    hue = layer(
        "huesaturation", data=flat, enable_colorization=0, master=(-30, 20, 5), colorization=(0, 25, 0)
    )
    assert settings_of(hue, notes) == HueSaturation(hue=-30, saturation=20, lightness=5)
    assert notes == []
    hue.enable_colorization, hue.colorization = 1, (200, 25, 0)
    assert settings_of(hue, notes) == HueSaturation(hue=-160, saturation=-50, colourise=True)
    assert settings_of(layer("exposure"), notes) is None


def test_adjustments_that_differ_say_so() -> None:
    notes: list[str] = []
    curve = SimpleNamespace(channel_id=2, points=[(0, 0), (200, 128), (255, 255)])
    found = settings_of(layer("curves", extra=[curve], data=None), notes)
    assert found == Curves(green=((0.0, 0.0), (128 / 255, 200 / 255), (1.0, 1.0)))
    bright = layer("brightnesscontrast", brightness=150, contrast=-20, use_legacy=False)
    assert settings_of(bright, notes) == BrightnessContrast(brightness=100, contrast=-20)
    grey = settings_of(layer("blackandwhite", red=40, green=40, blue=20, use_tint=False), notes)
    assert grey == BlackAndWhite(red=40, green=40, blue=20)
    assert len(notes) == 3


def test_vector_masks_are_drawn() -> None:
    corners = [(0.25, 0.25), (0.25, 0.75), (0.75, 0.75), (0.75, 0.25)]  # (y, x) shares

    class Path(list[SimpleNamespace]):
        operation = 1

    square = Path(SimpleNamespace(preceding=c, anchor=c, leaving=c) for c in corners)
    mask = SimpleNamespace(paths=[square], initial_fill_rule=0, inverted=False)
    drawn = vector_mask(mask, 40, 20).array()[..., 0]
    assert (drawn[6:14, 12:28] == 255).all()
    assert (drawn[:4] == 0).all()
    assert (drawn[:, :9] == 0).all()
    assert abs(float(drawn.mean()) / 255 - 0.25) < 0.02
    square.operation = 2
    assert vector_mask(mask, 40, 20).array()[[10, 0], [20, 0], 0].tolist() == [0, 255]
    nothing = SimpleNamespace(paths=[], initial_fill_rule=1, inverted=False)
    assert (vector_mask(nothing, 4, 4).array() == 255).all()


UNION, SUBTRACT, INTERSECT, EXCLUDE, CONTINUED = 1, 2, 3, 0, -1


@pytest.mark.parametrize(
    ("operations", "shown"),
    [
        ((UNION, UNION), "left both right"),
        ((INTERSECT, INTERSECT), "both"),
        ((UNION, INTERSECT), "both"),
        ((UNION, SUBTRACT), "left"),
        ((SUBTRACT, SUBTRACT), "outside"),
        ((UNION, EXCLUDE), "left right"),
        ((UNION, CONTINUED), "left right"),  # one shape, and what lies twice inside is a hole
        ((SUBTRACT, CONTINUED), "outside both"),
    ],
)
def test_shapes_are_combined_as_photoshop_does(operations: tuple[int, int], shown: str) -> None:
    def rectangle(left: float, right: float, operation: int) -> Any:
        class Path(list[SimpleNamespace]):
            pass

        corners = [(0.0, left), (0.0, right), (1.0, right), (1.0, left)]
        path = Path(SimpleNamespace(preceding=c, anchor=c, leaving=c) for c in corners)
        path.operation = operation  # type: ignore[attr-defined]
        return path

    paths = [rectangle(0.2, 0.6, operations[0]), rectangle(0.4, 0.8, operations[1])]
    mask = SimpleNamespace(paths=paths, initial_fill_rule=0, inverted=False)
    drawn = vector_mask(mask, 50, 10).array()[5, :, 0]
    places = {"outside": 5, "left": 15, "both": 25, "right": 35}
    assert {name for name, x in places.items() if drawn[x]} == set(shown.split())


@pytest.mark.parametrize(
    ("brightness", "contrast", "expected"),
    [
        (0, 0, lambda v: v),
        (50, 0, lambda v: v + 50),
        (-80, 0, lambda v: v - 80),
        (0, 50, lambda v: (v - 127) * 2 + 127),
        (0, -40, lambda v: (v - 127) * 0.6 + 127),
        (30, 60, lambda v: (v - 127) * 2.5 + 127 + 30),
        (-100, -100, lambda v: v * 0 + 27),
    ],
)
def test_the_older_brightness_and_contrast_is_exact(
    brightness: int, contrast: int, expected: Callable[[Any], Any]
) -> None:
    data = SimpleNamespace(brightness=brightness, contrast=contrast, mean=127)
    blocks = type("Blocks", (dict,), {"get_data": dict.__getitem__})({b"brit": data})
    notes: list[str] = []
    settings = settings_of(layer("pixel", tagged_blocks=blocks), notes)
    assert isinstance(settings, Levels)
    assert notes == []
    values = np.arange(256, dtype=np.float32)
    planes = np.stack([values / 255] * 3 + [np.ones(256, np.float32)])[:, None]
    found = apply_levels(settings, planes, 1.0)[0, 0] * 255
    np.testing.assert_allclose(found, np.clip(expected(values), 0, 255), atol=0.6)


def test_tones_of_grey_documents_stay_grey() -> None:
    neutral = SimpleNamespace(input_floor=0, input_ceiling=255, output_floor=0, output_ceiling=255, gamma=100)
    dark = SimpleNamespace(input_floor=51, input_ceiling=204, output_floor=0, output_ceiling=255, gamma=100)
    found = settings_of(layer("levels", data=[neutral, dark]), [], grey=True)
    assert isinstance(found, Levels)
    assert found.red == found.green == found.blue == (0.2, 1.0, 0.8, 0.0, 1.0)
    curve = SimpleNamespace(channel_id=1, points=[(0, 0), (200, 128), (255, 255)])
    curves = settings_of(layer("curves", extra=[curve], data=None), [], grey=True)
    assert isinstance(curves, Curves)
    assert curves.red == curves.green == curves.blue != curves.combined


def test_density_and_feather_are_worked_into_masks() -> None:
    values = np.zeros((40, 40, 1), np.uint8)
    values[:, 20:] = 255
    mask = Mask(raster=Raster.of(values), outside=0)
    document = Area(0, 0, 40, 40)
    assert softened(mask, 255, 0.0, document) is mask
    half = softened(mask, 128, 0.0, document)
    assert half.read(document)[5, [5, 35]].tolist() == [127, 255]
    assert half.outside == 127
    soft = softened(mask, 255, 3.0, document).read(document)[20]
    assert abs(int(soft[19]) + int(soft[20]) - 255) <= 2  # even about the edge
    assert 30 < soft[17] < 90
    assert soft[5] == 0


def chunk_of(key: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HH", key, 0) + struct.pack(">I", len(data)) + data + bytes(len(data) % 2)


def flat(planes: np.ndarray, resources: bytes = b"") -> bytes:
    """A document without layers of 8-bit planes [C, H, W] in RGB."""
    count, height, width = planes.shape
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, count, height, width, 8, 3)
    parts = (
        header,
        bytes(4),
        struct.pack(">I", len(resources)),
        resources,
        bytes(4),
        bytes(2),
        planes.tobytes(),
    )
    return b"".join(parts)


def test_a_saved_channel_is_no_transparency(tmp_path: Path) -> None:
    planes = np.stack([np.full((4, 4), value, np.uint8) for value in (10, 20, 30, 0)])
    (tmp_path / "a.psd").write_bytes(flat(planes))
    (only,) = open_file(tmp_path / "a.psd").state.layers
    assert only.pixels[0, 0].tolist() == [10, 20, 30, 255]


def test_broken_resources_cost_only_themselves(tmp_path: Path) -> None:
    resolution = struct.pack(">iHHiHH", 300 * 65536, 1, 1, 150 * 65536, 1, 1)
    guides = struct.pack(">IIII", 1, 576, 576, 2) + struct.pack(">iBiB", 64, 0, 32, 1)
    planes = np.full((3, 4, 4), 9, np.uint8)
    (tmp_path / "a.psd").write_bytes(flat(planes, chunk_of(1005, resolution) + chunk_of(1032, guides)))
    whole = open_file(tmp_path / "a.psd").state
    assert whole.dpi == (300, 150)
    assert whole.guides == (Guide(vertical=True, position=2), Guide(vertical=False, position=1))
    broken = chunk_of(1005, resolution) + chunk_of(1032, guides[:-4]) + chunk_of(2000, b"no path")
    (tmp_path / "b.psd").write_bytes(flat(planes, broken))
    opened = open_file(tmp_path / "b.psd")
    assert opened.state.dpi == (300, 150)
    assert opened.state.guides == ()


def test_an_unknown_blend_mode_becomes_normal_and_is_said(tmp_path: Path) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    add(document, 1, name="a").blend_mode = Theirs.MULTIPLY
    path = saved(document, tmp_path)
    data = path.read_bytes()
    assert data.count(b"8BIMmul ") == 1
    path.write_bytes(data.replace(b"8BIMmul ", b"8BIMzzzz"))
    opened = open_file(path)
    assert tuple(map(str, opened.notes)) == (
        "A layer uses the unknown blend mode “zzzz”, which is shown as normal.",
    )
    assert opened.state.layers[0].blend_mode is BlendMode.NORMAL


def test_photoshop_s_own_picture_is_offered_where_layers_look_different(tmp_path: Path) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    add(document, 1, name="a")
    path = saved(document, tmp_path)
    same = np.asarray(
        Image.alpha_composite(Image.new("RGBA", (SIDE, SIDE), "white"), Image.fromarray(noise(1, SIDE, SIDE)))
    )
    for picture, offered in ((same[..., :3], False), (same[::-1, :, :3], True)):
        data = path.read_bytes()
        planes = np.ascontiguousarray(np.moveaxis(picture, -1, 0)).tobytes()
        head = data[: document_end(data)]
        path.write_bytes(head + bytes(2) + planes)
        opened = open_file(path)
        assert bool(opened.notes) == offered
        if offered:
            group, merged = opened.state.layers
            assert (group.visible, merged.visible) == (False, True)
            assert isinstance(group, Group)
            assert [node.name for node in group.children] == ["a"]
            np.testing.assert_array_equal(merged.pixels[..., :3], picture)


@pytest.mark.parametrize("enabled", [True, False])
def test_effects_are_said_to_be_left_out(tmp_path: Path, enabled: bool) -> None:
    document = PSDImage.new("RGB", (SIDE, SIDE))
    effects = EffectsLayer()
    effects[EffectOSType.SOLID_FILL] = SolidFillInfo(enabled=int(enabled))
    add(document, 1, name="a").tagged_blocks.set_data(Tag.EFFECTS_LAYER, effects)
    notes = tuple(map(str, open_file(saved(document, tmp_path)).notes))
    assert notes == (("“a” has layer effects, which were left out.",) if enabled else ())
