"""Photoshop documents: psd-tools writes them, Attune reads them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import BlendMode as Theirs
from psd_tools.constants import ProtectedFlags

from editor.adjustments.black_and_white import BlackAndWhite
from editor.adjustments.brightness_contrast import BrightnessContrast
from editor.adjustments.curves import Curves
from editor.adjustments.hue_saturation import HueSaturation
from editor.adjustments.invert import Invert
from editor.adjustments.levels import Levels
from editor.adjustments.posterise import Posterise
from editor.formats.files import open_file
from editor.formats.psd.adjustments import settings_of
from editor.formats.psd.layers import MODES
from editor.formats.psd.shapes import vector_mask
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Group, Layer
from inference.errors import EditorError
from tests.editor.samples import noise

SIDE = 20


def add(parent: Any, seed: int, width: int = SIDE, height: int = SIDE, **fields: Any) -> Any:
    """A pixel layer of noise, transparency included."""
    pixels = noise(seed, width, height).astype(np.float32) / 255
    return parent.create_pixel_layer_from_array(pixels, **fields)


def saved(document: PSDImage, folder: Path) -> Path:
    document.save(folder / "their.psd")
    return folder / "their.psd"


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
    mask.initial_fill_rule = 1
    assert vector_mask(mask, 40, 20).array()[10, 20, 0] == 0
