"""Photoshop's layers as nodes; a note for everything that does not come along."""

from __future__ import annotations

from typing import Any

import numpy as np

from editor.formats.decoding import BrokenFileError, said_broken
from editor.formats.psd.adjustments import settings_of
from editor.formats.psd.masks import softened
from editor.formats.psd.pixels import Budget, layer_samples, mask_raster
from editor.formats.psd.shapes import fill_colour, vector_mask
from editor.layers.blend_mode import BlendMode
from editor.layers.layer import Adjustment, Group, Layer, Mask, Node
from editor.layers.limits import check_count, check_depth
from editor.pixels.raster import Area, Raster, frozen
from inference.messages import Message

MODES = {
    "NORMAL": BlendMode.NORMAL,
    "DARKEN": BlendMode.DARKEN,
    "MULTIPLY": BlendMode.MULTIPLY,
    "COLOR_BURN": BlendMode.COLOUR_BURN,
    "LINEAR_BURN": BlendMode.LINEAR_BURN,
    "DARKER_COLOR": BlendMode.DARKER_COLOUR,
    "LIGHTEN": BlendMode.LIGHTEN,
    "SCREEN": BlendMode.SCREEN,
    "COLOR_DODGE": BlendMode.COLOUR_DODGE,
    "LINEAR_DODGE": BlendMode.LINEAR_DODGE,
    "LIGHTER_COLOR": BlendMode.LIGHTER_COLOUR,
    "OVERLAY": BlendMode.OVERLAY,
    "SOFT_LIGHT": BlendMode.SOFT_LIGHT,
    "HARD_LIGHT": BlendMode.HARD_LIGHT,
    "VIVID_LIGHT": BlendMode.VIVID_LIGHT,
    "LINEAR_LIGHT": BlendMode.LINEAR_LIGHT,
    "PIN_LIGHT": BlendMode.PIN_LIGHT,
    "HARD_MIX": BlendMode.HARD_MIX,
    "DIFFERENCE": BlendMode.DIFFERENCE,
    "EXCLUSION": BlendMode.EXCLUSION,
    "SUBTRACT": BlendMode.SUBTRACT,
    "DIVIDE": BlendMode.DIVIDE,
    "HUE": BlendMode.HUE,
    "SATURATION": BlendMode.SATURATION,
    "COLOR": BlendMode.COLOUR,
    "LUMINOSITY": BlendMode.LUMINOSITY,
}
_GROUPS = ("group", "artboard")
_GREY = 1
_AS_PIXELS = ("type", "smartobject", "shape")


class Reader:
    """Reads one document from bottom to top."""

    def __init__(self, document: Any, notes: list[Message]) -> None:
        self._document = document
        self._notes = notes
        self._budget = Budget()
        self._count = 0
        self.lossy = False  # whether something is not shown as in Photoshop
        if document.depth == 32:
            notes.append(
                Message("The document has 32 bits a channel; it was opened with 16, brighter values cut off.")
            )

    def nodes(self) -> tuple[Node, ...]:
        return self._inside(self._document, 0)

    def _inside(self, parent: Any, depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        for layer in parent:
            self._count += 1
            check_count(self._count)
            check_depth(depth)
            try:
                with said_broken(str(layer.name)):
                    node = self._node(layer, depth)
            except BrokenFileError as error:
                self._notes.append(Message("A layer was left out: {reason}", reason=error.sentence))
                continue
            if node is not None:
                found.append(node)
        return tuple(found)

    def _node(self, layer: Any, depth: int) -> Node | None:
        kind = str(layer.kind)
        if kind in _GROUPS:
            return self._group(layer, kind, depth)
        settings = settings_of(layer, self._notes, grey=int(self._document.color_mode) == _GREY)
        if settings is not None:
            return Adjustment(settings=settings, **self._common(layer))
        samples = self._samples(layer)
        if samples is None and kind in ("solidcolorfill", "shape"):
            return self._fill(layer)
        if samples is None and kind not in ("pixel", "type", "smartobject"):
            self._say(
                Message(
                    "“{name}” is of a kind that Attune lacks ({kind}) and was left out.",
                    name=layer.name,
                    kind=kind,
                )
            )
            return None
        if kind in _AS_PIXELS:
            self._notes.append(_as_pixels(kind, layer.name))
        raster = Raster.of(samples) if samples is not None else Raster.filled(1, 1)
        return Layer(raster=raster, x=int(layer.left), y=int(layer.top), **self._common(layer))

    def _group(self, layer: Any, kind: str, depth: int) -> Group:
        if kind == "artboard":
            self._say(
                Message(
                    "“{name}” is an artboard and was opened as a group, without its background.",
                    name=layer.name,
                )
            )
        isolated = layer.blend_mode.name != "PASS_THROUGH"
        return Group(children=self._inside(layer, depth + 1), isolated=isolated, **self._common(layer))

    def _samples(self, layer: Any) -> Any:
        if not layer.has_pixels() or layer.width < 1 or layer.height < 1:
            return None
        self._budget.take(str(layer.name), int(layer.width), int(layer.height))
        return layer_samples(layer, self._document.depth)

    def _fill(self, layer: Any) -> Layer | None:
        """A colour over the whole document; its outline becomes the mask."""
        colour = fill_colour(layer)
        if colour is None:
            self._say(
                Message("“{name}” is a shape or fill that Attune lacks and was left out.", name=layer.name)
            )
            return None
        self._notes.append(Message("“{name}” was opened as pixels.", name=layer.name))
        width, height = self._document.width, self._document.height
        self._budget.take(str(layer.name), width, height)
        pixels = np.empty((height, width, 4), np.uint8)
        pixels[:] = colour
        return Layer(raster=Raster.of(frozen(pixels)), **self._common(layer))

    def _common(self, layer: Any) -> dict[str, Any]:
        self._note_effects(layer)
        locks = layer.locks
        return {
            "name": str(layer.name).strip("\0") or "Layer",  # Krita ends names with a zero
            "visible": bool(layer.visible),
            "opacity": self._opacity(layer),
            "blend_mode": self._mode(layer),
            "clipped": bool(layer._record.clipping),  # psd-tools says it of no group
            "mask": self._mask(layer),
            "locked": bool(locks is not None and (locks.complete or locks.composite)),
            "alpha_locked": bool(locks is not None and locks.transparency),
            "position_locked": bool(locks is not None and locks.position),
        }

    def _opacity(self, layer: Any) -> float:
        fill = int(getattr(layer, "fill_opacity", 255))
        return max(0.0, min(1.0, int(layer.opacity) / 255 * fill / 255))

    def _mode(self, layer: Any) -> BlendMode:
        name = layer.blend_mode.name
        if name == "PASS_THROUGH":
            return BlendMode.NORMAL
        if name not in MODES:
            self._say(
                Message(
                    "“{name}” uses the blend mode “{given}”, which is shown as normal.",
                    name=layer.name,
                    given=Message("dissolve") if name == "DISSOLVE" else name.lower(),
                )
            )
        return MODES.get(name, BlendMode.NORMAL)

    def _mask(self, layer: Any) -> Mask | None:
        """The painted mask and the vector mask as one."""
        painted = self._painted_mask(layer)
        outlined = self._vector_mask(layer)
        if painted is None or outlined is None:
            return painted or outlined
        if not (painted.enabled and outlined.enabled):
            return outlined if outlined.enabled else painted
        area = self._area
        both = painted.read(area).astype(np.uint16) * outlined.read(area) // 255
        return Mask(raster=Raster.of(frozen(both.astype(np.uint8))), enabled=painted.enabled)

    def _painted_mask(self, layer: Any) -> Mask | None:
        mask = layer.mask if layer.has_mask() else None
        if mask is None:
            return None
        outside = 255 if mask.background_color else 0
        enabled = not mask.disabled
        if mask.width < 1 or mask.height < 1:
            raster = Raster.filled(1, 1, outside, channels=1)
        else:
            self._budget.take(str(layer.name), int(mask.width), int(mask.height))
            values = layer.numpy("mask")
            if values is None:
                return None
            raster = mask_raster(values)
        painted = Mask(raster=raster, x=int(mask.left), y=int(mask.top), outside=outside, enabled=enabled)
        density, feather = _softness(mask, "user")
        return softened(painted, density, feather, self._area)

    def _vector_mask(self, layer: Any) -> Mask | None:
        if not layer.has_vector_mask():
            return None
        if layer.mask is not None and layer.mask.has_real():
            return None  # the painted mask holds it already
        raster = vector_mask(layer.vector_mask, self._document.width, self._document.height)
        density, feather = _softness(layer.mask, "vector") if layer.mask is not None else (255, 0.0)
        return softened(
            Mask(raster=raster, enabled=not layer.vector_mask.disabled), density, feather, self._area
        )

    @property
    def _area(self) -> Area:
        return Area(0, 0, int(self._document.width), int(self._document.height))

    def _note_effects(self, layer: Any) -> None:
        if layer.has_effects() or _has_older_effects(layer):
            self._say(Message("“{name}” has layer effects, which were left out.", name=layer.name))

    def _say(self, note: Message) -> None:
        """A note on something that is not shown as in Photoshop."""
        self.lossy = True
        self._notes.append(note)


def _has_older_effects(layer: Any) -> bool:
    """Whether it has the effects of Photoshop 5, and none of the newer kind, which stand for both."""
    blocks = layer.tagged_blocks
    found = blocks.get_data(b"lrFX")
    if found is None or any(blocks.get_data(key) is not None for key in (b"lfx2", b"lmfx", b"lfxs")):
        return False
    return any(bool(getattr(found[key], "enabled", 0)) for key in found)


def _as_pixels(kind: str, name: str) -> Message:
    if kind == "type":
        return Message("The text layer “{name}” was opened as pixels.", name=name)
    if kind == "smartobject":
        return Message("The smart object “{name}” was opened as pixels.", name=name)
    return Message("The shape “{name}” was opened as pixels.", name=name)


def _softness(mask: Any, kind: str) -> tuple[int, float]:
    """(density 0..255, feather in pixels) of the painted ("user") or the "vector" mask."""
    parameters = mask.parameters
    density = getattr(parameters, f"{kind}_mask_density", None)
    feather = getattr(parameters, f"{kind}_mask_feather", None)
    return 255 if density is None else int(density), float(feather or 0.0)
