"""Trees that the tests of edits share."""

import numpy as np

from editor.adjustments.invert import Invert
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask
from editor.layers.state import DocumentState, Guide
from editor.pixels.raster import Raster

WIDTH, HEIGHT = 13, 9


def layer(
    name: str,
    seed: int,
    *,
    x: int = 0,
    y: int = 0,
    width: int = WIDTH,
    height: int = HEIGHT,
    **fields: object,
) -> Layer:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    return Layer.of_pixels(name=name, id=name, pixels=pixels, x=x, y=y, **fields)


def mask(seed: int = 1, *, x: int = 1, y: int = 2, outside: int = 0) -> Mask:
    values = np.random.default_rng(seed).integers(0, 256, (5, 6, 1), np.uint8)
    return Mask(raster=Raster.of(values), x=x, y=y, outside=outside)


def tree(**fields: object) -> DocumentState:
    """bottom, group(inner, clipped on it), invert with a mask, top; the top is active."""
    inner = layer("inner", 2, x=2, y=-1, width=7, height=5)
    clipped = layer("clipped", 3, clipped=True, opacity=0.5)
    group = Group(name="group", id="group", children=(inner, clipped), opacity=0.75)
    adjustment = Adjustment(name="invert", id="invert", settings=Invert(), mask=mask())
    top = layer("top", 4, x=-2, y=3, blend_mode=BlendMode.SCREEN)
    given = {"guides": (Guide(vertical=True, position=3.0), Guide(vertical=False, position=4.0))}
    return DocumentState(
        width=WIDTH, height=HEIGHT, layers=(layer("bottom", 1), group, adjustment, top), active="top",
        **(given | fields),  # type: ignore[arg-type]
    )  # fmt: skip


def names(state: DocumentState) -> str:
    """The tree in one line, groups in brackets."""

    def shown(nodes: tuple[object, ...]) -> str:
        return " ".join(
            f"{node.name}({shown(node.children)})" if isinstance(node, Group) else node.name  # type: ignore[attr-defined]
            for node in nodes
        )

    return shown(state.layers)
