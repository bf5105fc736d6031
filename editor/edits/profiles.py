"""The colour space of a document."""

from __future__ import annotations

from dataclasses import replace

from editor.colour import conversion as colour
from editor.edits.nodes import mapped
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.layers.text import TextContent
from inference.errors import EditorError


def converted(state: DocumentState, profile: bytes) -> DocumentState:
    """The same look in another profile (b"" is sRGB): the numbers of all pixels change.

    Raises:
        EditorError: a profile cannot be used.
    """
    _check(profile)

    def on_layer(layer: Layer) -> Layer:
        raster = colour.convert(layer.raster, state.icc_profile, profile)
        text = None if layer.text is None else _converted_text(layer.text, state.icc_profile, profile)
        return layer if raster is layer.raster else layer.changed(raster=raster, text=text)

    return replace(state, layers=mapped(state.layers, on_layer, lambda mask: mask), icc_profile=profile)


def assigned(state: DocumentState, profile: bytes) -> DocumentState:
    """The same numbers, understood in another profile: the look changes."""
    _check(profile)
    return replace(state, icc_profile=profile)


def _converted_text(text: TextContent, source: bytes, target: bytes) -> TextContent:
    import numpy as np

    pixel = np.asarray(text.colour, np.uint8).reshape(1, 1, 4)
    red, green, blue, alpha = (int(value) for value in colour.converted(pixel, source, target)[0, 0])
    return replace(text, colour=(red, green, blue, alpha))


def _check(profile: bytes) -> None:
    if profile and not colour.is_usable(profile):
        raise EditorError("That colour profile cannot be used.", "It is damaged, or not for RGB pictures.")
