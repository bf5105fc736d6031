"""The mask of a layer that a method made from a picture: where its subjects are, by what the method saw.

Outside of it the picture below shows untouched, to the last bit and whatever its depth.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Layer, Mask
from editor.pixels.raster import Raster

PREFIX = "mask/"
"""Maps with this name say where an edit may show: float32 [h, w] in 0..1 over the layer."""

_AROUND_CELLS = 2  # a change of one latent reaches that far in the decoded picture
_LEAST_SHARE = 0.1  # of a latent that changes: less of it cannot be seen


def automatic_mask(layer: Layer, maps: Mapping[str, NDArray[np.float32]]) -> Mask | None:
    """Where any edited subject is, with what the decoder spreads around it; None without such maps."""
    shares = [values for name, values in sorted(maps.items()) if name.startswith(PREFIX)]
    if not shares:
        return None
    from PIL import Image, ImageFilter  # not at the window's start

    together = np.maximum.reduce(shares)
    # the whole subject, and soft only outside of it: where the method changed something it shows fully
    cells = Image.fromarray(np.where(together >= _LEAST_SHARE, 255, 0).astype(np.uint8))
    grown = cells.filter(ImageFilter.MaxFilter(2 * _AROUND_CELLS + 1))
    values = np.asarray(grown.resize((layer.width, layer.height), Image.Resampling.BILINEAR))
    return Mask(raster=Raster.of(values[..., None]), x=layer.x, y=layer.y, outside=0)


def with_mask(before: Layer, after: Layer) -> Layer:
    """`after`, a layer made from a picture, with its automatic mask, unless `before` has one of the user's.

    A mask that was painted on is no longer equal to the automatic one, and stays.
    """
    recipe = after.recipe
    if recipe is None or recipe.request.declared.picture is None or before.mask is not after.mask:
        return after
    if before.mask is not None:
        known = automatic_mask(before, before.maps)
        if known is None or not _same(known, before.mask):
            return after
    masks = {name: values for name, values in before.maps.items() if name.startswith(PREFIX)}
    maps = {**masks, **after.maps}
    made = automatic_mask(after, maps)
    return after if made is None else after.changed(mask=made, maps=maps)


def _same(first: Mask, second: Mask) -> bool:
    return first.area == second.area and np.array_equal(first.read(first.area), second.read(second.area))
