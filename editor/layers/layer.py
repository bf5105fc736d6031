"""The nodes of a document's layer tree: frozen values whose pixels are never written to."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from editor.layers.blend_mode import BlendMode
from editor.layers.recipes import Recipe
from editor.layers.text import TextContent
from editor.pixels.arithmetic import to_rgba
from editor.pixels.raster import Area, Raster, Samples, to_eight_bits
from inference.errors import EditorError
from inference.parameters import Parameters
from inference.request import Pixels
from inference.values import mended

__all__ = ["Adjustment", "BlendMode", "Group", "Layer", "Mask", "Node", "new_layer_id"]

NOWHERE = Area(0, 0, 0, 0)


def new_layer_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True, eq=False)
class Mask:
    """How much of something shows: one channel at (`x`, `y`) of the document; `outside` (0..255) elsewhere.

    Masks of layers and the selection are of this class.
    """

    raster: Raster
    x: int = 0
    y: int = 0
    outside: int = 0
    enabled: bool = True
    linked: bool = True  # moves with its layer

    def __post_init__(self) -> None:
        if self.raster.channels != 1:
            raise EditorError("A mask has one channel, not {channels}.", channels=self.raster.channels)

    @property
    def area(self) -> Area:
        return Area(self.x, self.y, self.raster.width, self.raster.height)

    def changed(self, **fields: Any) -> Self:
        return replace(self, **fields)

    def read(self, area: Area) -> NDArray[np.uint8]:
        """The mask's 8-bit values [height, width] in any area of the document."""
        result = np.full((area.height, area.width), self.outside, np.uint8)
        common = self.area.intersected(area)
        if not common.is_empty:
            values = self.raster.read(common.moved(-self.x, -self.y))
            result[common.within(area)] = to_eight_bits(values)[..., 0]
        return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """What all nodes have.

    Args:
        opacity: 0..1.
        locked: nothing of it can be changed; `alpha_locked`: painting keeps its transparency;
            `position_locked`: it cannot be moved or transformed.
        clipped: shows only where the nearest unclipped sibling below shows, and blends with that one.
    """

    name: str
    id: str = field(default_factory=new_layer_id)
    visible: bool = True
    opacity: float = 1.0
    blend_mode: BlendMode = BlendMode.NORMAL
    locked: bool = False
    alpha_locked: bool = False
    position_locked: bool = False
    clipped: bool = False
    mask: Mask | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.opacity <= 1:
            raise EditorError("Opacity is {opacity:g}: allowed is 0 to 1.", opacity=self.opacity)
        object.__setattr__(self, "name", mended(self.name))  # no file could hold it

    @property
    def area(self) -> Area | None:
        """Where the node can show, in the document; None is everywhere."""
        raise NotImplementedError

    @property
    def recipe(self) -> Recipe | None:
        """How its pixels were made, if a method of the program made them."""
        return None

    def changed(self, **fields: Any) -> Self:
        """The same node (same id) with some fields replaced."""
        return replace(self, **fields)

    def moved(self, dx: int, dy: int) -> Self:
        """The node elsewhere, with the masks that are linked."""
        if self.mask is None or not self.mask.linked:
            return self
        return self.changed(mask=self.mask.changed(x=self.mask.x + dx, y=self.mask.y + dy))

    def copy(self, name: str) -> Self:
        """A new node with an id of its own over the same pixels."""
        return replace(self, id=new_layer_id(), name=name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer(Node):
    """A raster layer at (`x`, `y`) of its document.

    Args:
        raster: RGBA, straight alpha, 8 or 16 bits, in the document's colour space.
        made: how the pixels were made; a layer with a recipe is editable by its sliders.
        maps: what the run left beside the pixels, such as {"attention/4-7": float32 [h, w] in 0..1}.
        text: what the pixels were set from; the text tool edits it and renders the layer again.
    """

    raster: Raster
    x: int = 0
    y: int = 0
    made: Recipe | None = None
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    text: TextContent | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.raster.channels != 4:
            raise EditorError("A layer has four channels, not {channels}.", channels=self.raster.channels)

    @classmethod
    def of_pixels(cls, pixels: Pixels, *, recipe: Recipe | None = None, **fields: Any) -> Self:
        """A layer of 8-bit RGB or RGBA pixels [H, W, 3 or 4]."""
        return cls(raster=raster_of(pixels), made=recipe, **fields)

    @property
    def recipe(self) -> Recipe | None:
        return self.made

    @property
    def pixels(self) -> Pixels:
        """All pixels as read-only 8-bit RGBA [H, W, 4]; assembled or converted when needed, so keep it."""
        return to_eight_bits(self.raster.array())

    @property
    def width(self) -> int:
        return self.raster.width

    @property
    def height(self) -> int:
        return self.raster.height

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width)"""
        return self.height, self.width

    @property
    def area(self) -> Area:
        return Area(self.x, self.y, self.width, self.height)

    def changed(self, **fields: Any) -> Self:
        """The same layer (same id) with some fields replaced; `pixels` and `recipe` are taken too."""
        if "pixels" in fields:
            fields["raster"] = raster_of(fields.pop("pixels"))
        if "recipe" in fields:
            fields["made"] = fields.pop("recipe")
        return replace(self, **fields)

    def moved(self, dx: int, dy: int) -> Self:
        text = None if self.text is None else replace(self.text, x=self.text.x + dx, y=self.text.y + dy)
        return super().moved(dx, dy).changed(x=self.x + dx, y=self.y + dy, text=text)


@dataclass(frozen=True, kw_only=True, eq=False)
class Group(Node):
    """Nodes that are shown, moved and blended as one; `children` run from bottom to top.

    An isolated group is composed by itself and then blended; a pass-through one (`isolated=False`) leaves
    its children to blend with what is below the group, and shows that mix by its opacity and mask.
    """

    children: tuple[Node, ...] = ()
    isolated: bool = True

    @property
    def area(self) -> Area | None:
        if not self.isolated and any(child.area is None for child in self.children):
            return None
        return _reach(self.children)

    def moved(self, dx: int, dy: int) -> Self:
        return super().moved(dx, dy).changed(children=tuple(child.moved(dx, dy) for child in self.children))

    def copy(self, name: str) -> Self:
        """The children become copies of their own, too."""
        return replace(super().copy(name), children=tuple(child.copy(child.name) for child in self.children))


@dataclass(frozen=True, kw_only=True, eq=False)
class Adjustment(Node):
    """A change of what is below it in its group (clipped: of its base alone) that stays editable.

    Args:
        settings: one of the parameter classes of `editor.adjustments`; its class says which adjustment.
    """

    settings: Parameters

    @property
    def area(self) -> Area | None:
        return None


def _reach(nodes: tuple[Node, ...]) -> Area:
    """Where nodes show by themselves: over nothing an adjustment shows nothing."""
    united = NOWHERE
    for node in nodes:
        own = _reach(node.children) if isinstance(node, Group) else node.area
        united = united.united(own or NOWHERE)
    return united


def raster_of(pixels: Pixels | Samples) -> Raster:
    """A raster of RGB or RGBA samples [H, W, 3 or 4]; RGB becomes opaque RGBA."""
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or 0 in pixels.shape:
        raise EditorError("A layer cannot hold pixels of shape {shape}.", shape=pixels.shape)
    eight_bits = pixels.dtype == np.uint8
    return Raster.of(to_rgba(cast("Pixels", pixels)) if eight_bits else pixels)
