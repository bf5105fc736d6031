"""What is selected: pure functions on masks, no document and no history.

A selection is an `editor.layers.layer.Mask` with nothing outside of it; the state's `None` is everything.
"""

from editor.selection.combining import (
    ADD,
    INTERSECT,
    MODES,
    REPLACE,
    SUBTRACT,
    combine,
    from_mask,
    invert,
    moved,
    to_mask,
)
from editor.selection.growing import border, grow, shrink
from editor.selection.outline import outline
from editor.selection.shapes import ellipse, polygon, rectangle
from editor.selection.softening import feather, smooth
from editor.selection.sources import from_alpha, from_heatmap, from_luminosity, subject_map
from editor.selection.tiles import bounds, cropped, empty, everything, is_empty
from editor.selection.wand import colour_range, layer_reader, merged_reader, wand

__all__ = [
    "ADD",
    "INTERSECT",
    "MODES",
    "REPLACE",
    "SUBTRACT",
    "border",
    "bounds",
    "colour_range",
    "combine",
    "cropped",
    "ellipse",
    "empty",
    "everything",
    "feather",
    "from_alpha",
    "from_heatmap",
    "from_luminosity",
    "from_mask",
    "grow",
    "invert",
    "is_empty",
    "layer_reader",
    "merged_reader",
    "moved",
    "outline",
    "polygon",
    "rectangle",
    "shrink",
    "smooth",
    "subject_map",
    "to_mask",
    "wand",
]
