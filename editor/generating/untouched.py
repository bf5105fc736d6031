"""What a method's picture leaves of its source where there are no layers: in the terminal and in batches.

In the window a mask hides what a method does outside of its subjects (`editor.layers.subject_masks`). A
picture that is written as it is gets the same: outside of them it is the one that the method was given.
"""

from __future__ import annotations

from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.layers.subject_masks import automatic_mask
from editor.pixels.arithmetic import mixed, to_rgba
from inference.content import Mask, contents_in
from inference.request import Pixels, Result


def untouched_outside(result: Result, seen: Pixels) -> tuple[Pixels, ...]:
    """A result's pictures, equal to `seen` outside of what the method says that it edits.

    Where somebody gave a mask it has been kept to already.
    """
    parameters = result.request.parameters
    if not result.maps or any(isinstance(one, Mask) for one in contents_in(parameters)):
        return result.images
    layer = Layer.of_pixels(name="", pixels=to_rgba(seen), recipe=Recipe(request=result.request))
    mask = automatic_mask(layer, result.maps)
    if mask is None:
        return result.images
    weights = mask.read(layer.area)
    return tuple(
        mixed(seen, image, weights) if image.shape == seen.shape else image for image in result.images
    )
