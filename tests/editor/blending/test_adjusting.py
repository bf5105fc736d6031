"""An adjustment under each mode, in figures by hand: what it covers is what its backdrop covers."""

import numpy as np
import pytest

from editor.adjustments.invert import Invert
from editor.blending.adjusting import adjust_onto
from editor.blending.backdrop import Backdrop
from editor.layers.layer import Adjustment, BlendMode, Layer, Mask
from editor.pixels.raster import Area, Raster
from editor.rendering.kernel import Renderer
from editor.rendering.mipmaps import Mipmaps

CB, CS = 0.6, 0.3
# colour and share of the backdrop's alpha that the W3C's equations give with both alphas 1 ...
WHOLE = {
    BlendMode.NORMAL: (CS, 1.0),
    BlendMode.MULTIPLY: (CB * CS, 1.0),
    BlendMode.PLUS: (CB + CS, 1.0),
    BlendMode.SOURCE_ATOP: (CS, 1.0),
    BlendMode.DESTINATION_IN: (CB, 1.0),
    BlendMode.DESTINATION_OUT: (None, 0.0),
    BlendMode.DESTINATION_ATOP: (CB, 1.0),
}
# ... and with the source's 0.5
HALF = {
    BlendMode.NORMAL: ((CB + CS) / 2, 1.0),
    BlendMode.MULTIPLY: (CB * (1 + CS) / 2, 1.0),
    BlendMode.PLUS: (CB + CS / 2, 1.0),
    BlendMode.SOURCE_ATOP: ((CB + CS) / 2, 1.0),
    BlendMode.DESTINATION_IN: (CB, 0.5),
    BlendMode.DESTINATION_OUT: (CB, 0.5),
    BlendMode.DESTINATION_ATOP: (CB, 0.5),
}


def backdrop(colour: float, alpha: float) -> Backdrop:
    return Backdrop(
        np.full((3, 1, 1), colour, np.float32), np.full((1, 1), alpha, np.float32), opaque=alpha == 1
    )


@pytest.mark.parametrize("as_plane", [False, True])
@pytest.mark.parametrize("alpha", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("mode", WHOLE, ids=lambda one: one.name)
@pytest.mark.parametrize(("strength", "expected"), [(1.0, WHOLE), (0.5, HALF)], ids=["whole", "half"])
def test_inside_the_coverage_both_are_opaque(
    mode: BlendMode,
    alpha: float,
    strength: float,
    expected: dict[BlendMode, tuple[float | None, float]],
    as_plane: bool,
) -> None:
    below = backdrop(CB, alpha)
    share = np.full((1, 1), strength, np.float32) if as_plane else np.float32(strength)
    adjust_onto(below, backdrop(CS, alpha), share, mode)
    colour, kept = expected[mode]
    assert below.alpha[0, 0] == pytest.approx(alpha * kept)
    if colour is not None and alpha:
        assert below.colour[:, 0, 0] == pytest.approx([colour] * 3)
    assert not below.opaque or below.alpha[0, 0] == 1


@pytest.mark.parametrize(
    ("mode", "colour", "alpha"),
    [
        # backdrop 0.4, adjusted 0.8: half of the adjusted picture has nothing below it
        (BlendMode.NORMAL, CS, 0.8),
        (BlendMode.MULTIPLY, (CB * CS + CS) / 2, 0.8),
        (BlendMode.PLUS, (CB + CS + CS) / 2, 0.8),
        (BlendMode.SOURCE_ATOP, CS, 0.4),
        (BlendMode.DESTINATION_IN, CB, 0.4),
        (BlendMode.DESTINATION_OUT, None, 0.0),
        (BlendMode.DESTINATION_ATOP, (CB + CS) / 2, 0.8),
    ],
    ids=lambda one: one.name if isinstance(one, BlendMode) else None,
)
def test_a_blur_reaches_beyond_the_coverage(mode: BlendMode, colour: float | None, alpha: float) -> None:
    below = backdrop(CB, 0.4)
    adjust_onto(below, backdrop(CS, 0.8), np.float32(1), mode)
    assert below.alpha[0, 0] == pytest.approx(alpha, abs=1e-7)
    if colour is not None:
        assert below.colour[:, 0, 0] == pytest.approx([colour] * 3)


def test_the_sum_ends_at_white() -> None:
    below = backdrop(0.9, 0.5)
    adjust_onto(below, backdrop(0.8, 0.5), np.float32(0.5), BlendMode.PLUS)
    assert below.colour[:, 0, 0] == pytest.approx([1.0] * 3)
    assert below.alpha[0, 0] == pytest.approx(0.5)


def flat(red: int, **fields: object) -> Layer:
    values = np.full((2, 2, 4), 255, np.uint8)
    values[..., 0] = red
    return Layer(name="flat", raster=Raster.of(values), **fields)  # type: ignore[arg-type]


def test_the_mask_of_an_adjustment_cuts_out_what_is_below() -> None:
    mask = Mask(raster=Raster.of(np.array([[[255], [0]], [[51], [255]]], np.uint8)))
    node = Adjustment(name="n", settings=Invert(), blend_mode=BlendMode.DESTINATION_IN, mask=mask)
    shown = Renderer(Mipmaps()).render([flat(51), node], Area(0, 0, 2, 2))
    assert shown.alpha.tolist() == pytest.approx(np.array([[1, 0], [0.2, 1]]))
    assert shown.colour[0][shown.alpha > 0] == pytest.approx([0.2] * 3)


@pytest.mark.parametrize(
    "mode", [BlendMode.DESTINATION_IN, BlendMode.DESTINATION_OUT, BlendMode.DESTINATION_ATOP]
)
def test_what_is_clipped_leaves_the_alpha_of_its_base(mode: BlendMode) -> None:
    """And what is clipped above it finds the base there."""
    eraser = flat(255, blend_mode=mode, clipped=True, opacity=0.25)
    over = flat(255, clipped=True, opacity=0.5)
    shown = Renderer(Mipmaps()).render([flat(51), eraser, over], Area(0, 0, 2, 2))
    assert (shown.alpha == 1).all()
    assert shown.colour[0] == pytest.approx(np.full((2, 2), 0.6))
