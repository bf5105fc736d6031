"""The mask of a layer that a method made from a picture: where its subjects are, by what the method saw.

Outside of it the picture below shows untouched, to the last bit and whatever its depth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from editor.layers.layer import Layer, Mask
from editor.layers.recipes import Recipe
from editor.pixels.raster import Area, Raster
from inference.operations import BY_TEXT

PREFIX = "mask/"
"""Maps with this name say where an edit may show: float32 [h, w] in 0..1 over the layer."""

_OWN = "own mask"  # a map by which a layer without others knows that its mask is the method's
_AROUND_CELLS = 2  # a change of one latent reaches that far in the decoded picture
_LEAST_SHARE = 0.1  # of a latent that changes: less of it cannot be seen


def automatic_mask(layer: Layer, maps: Mapping[str, NDArray[np.float32]]) -> Mask | None:
    """Where any edited subject is, with what the decoder spreads around it; None without such maps.

    Maps may be known of subjects whose sliders stand at zero: these are not edited, and stay untouched. Nor
    has a layer a mask that may change more than its subjects.
    """
    asked = None if layer.recipe is None else layer.recipe.request.parameters
    if not getattr(asked, "only_subject", True) or getattr(asked, "kept_by", "") == BY_TEXT:
        return None
    return _mask_of(layer, _of_moved(layer, maps) or _of_all(maps))


def _of_all(maps: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    return [values for name, values in sorted(maps.items()) if name.startswith(PREFIX)]


def _of_moved(layer: Layer, maps: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Those of the subjects that the layer's recipe changes."""
    edits = () if layer.recipe is None else layer.recipe.edits
    names = {f"{PREFIX}{edit.start}-{edit.end}" for edit in edits if edit.value}
    return [maps[name] for name in sorted(names) if name in maps]


def _mask_of(layer: Layer, shares: Sequence[NDArray[np.float32]]) -> Mask | None:
    if not shares:
        return None
    finest = max((one.shape for one in shares), key=lambda shape: shape[0] * shape[1])
    shares = [one for one in shares if one.shape == finest]  # files may hold others
    cells = np.where(np.maximum.reduce(shares) >= _LEAST_SHARE, 255, 0).astype(np.uint8)
    raster = _grown(cells.tobytes(), cells.shape[1], layer.width, layer.height)
    return Mask(raster=raster, x=layer.x, y=layer.y, outside=0)


@lru_cache(maxsize=4)  # of a large photo's layer it takes long, and is asked for again with each change
def _grown(cells: bytes, columns: int, width: int, height: int) -> Raster:
    """The whole subject, and soft only outside of it: where the method changed something it shows fully."""
    from PIL import Image, ImageFilter  # not at the window's start

    image = Image.fromarray(np.frombuffer(cells, np.uint8).reshape(-1, columns))
    grown = image.filter(ImageFilter.MaxFilter(2 * _AROUND_CELLS + 1))
    return Raster.of(np.asarray(grown.resize((width, height), Image.Resampling.BILINEAR))[..., None])


def with_mask(before: Layer, after: Layer) -> Layer:
    """`after`, a layer made from a picture, with its automatic mask, unless `before` has one of the user's.

    A mask that was painted on is no longer equal to the automatic one, and stays; so does it that there is
    none, where the user threw it away, or where what it was made from does not lie below. One that
    was switched off or unlinked is so afterwards.
    """
    recipe = after.recipe
    if recipe is None or recipe.request.declared.picture is None or before.mask is not after.mask:
        return after
    if before.mask is None:
        if automatic_mask(before, before.maps) is not None or not recipe.from_below:
            return after
    elif not _is_own(before) and not hides_all(before.mask):
        return after
    maps = {**_still_known(before, recipe), **after.maps}
    made = automatic_mask(after, maps)
    if made is None:  # it works everywhere, or the method says nothing of where
        return after.changed(mask=None)
    if before.mask is not None:
        made = made.changed(enabled=before.mask.enabled, linked=before.mask.linked)
    return after.changed(mask=made, maps=maps)


def reshaped_with_mask(before: Layer, after: Layer) -> Layer:
    """`after`, cut, scaled or turned, whose maps no longer fit: it knows a mask of the method's for one.

    Else that would be taken for one of the user's, and stay as it is when the layer is made again.
    """
    if after.mask is None or after.recipe is None or after.maps or not before.maps or not _is_own(before):
        return after
    return after.changed(maps={_OWN: _fingerprint(after.mask)})


def _is_own(layer: Layer) -> bool:
    """Whether its mask is the automatic one, and nobody painted on it."""
    mask = layer.mask
    if mask is None:
        return False
    if _OWN in layer.maps and np.array_equal(layer.maps[_OWN], _fingerprint(mask)):
        return True
    # a look at the whole mask, with each move of a slider, only where it is none of ours
    # (before it was so that those of all subjects were together)
    ours = (automatic_mask(layer, layer.maps), _mask_of(layer, _of_all(layer.maps)))
    return any(one is not None and _same(one, mask) for one in ours)


def _fingerprint(mask: Mask) -> NDArray[np.float32]:
    """[1, 32], as files keep maps; wherever the mask lies."""
    digest = hashlib.sha256(mask.raster.array().tobytes()).digest()
    return np.asarray(np.frombuffer(digest, np.uint8)[None] / 255, np.float32)


def _still_known(before: Layer, recipe: Recipe) -> dict[str, NDArray[np.float32]]:
    """The maps of masks that hold for a recipe: in another prompt the same characters are something else."""
    if before.recipe is None or before.recipe.origin != recipe.origin:
        return {}
    return {name: values for name, values in before.maps.items() if name.startswith(PREFIX)}


def nothing_of(area: Area) -> Mask:
    """The mask of a layer that changes nothing yet: the first change brings another."""
    return Mask(raster=Raster.filled(area.width, area.height, channels=1), x=area.x, y=area.y)


def hides_all(mask: Mask) -> bool:
    """Whether it is one of those."""
    raster = mask.raster
    tiles = [(column, row) for row in range(raster.rows) for column in range(raster.columns)]
    return not mask.outside and all(
        raster.is_blank(*place) or not raster.tile(*place).any() for place in tiles
    )


def _same(first: Mask, second: Mask) -> bool:
    if first.area != second.area:
        return False
    same = first.raster is second.raster
    return same or np.array_equal(first.read(first.area), second.read(second.area))
