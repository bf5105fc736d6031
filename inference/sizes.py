"""The size at which a model works on a picture, and the ways there and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from inference.cache import ByteCache
from inference.content import Mask, contents_in
from inference.errors import EditorError
from inference.kinds import Size, kind_of
from inference.request import Pixels, Request

if TYPE_CHECKING:
    from inference.backbones.base import Backbone
    from inference.content import Blob, Contents

LARGEST_SHARE = 2.0  # of the model's usual area
SMALLEST_SHARE = 0.25

MOST_ENLARGED_PIXELS = 200_000_000


def working_size(width: int, height: int, backbone: Backbone, *, usual_area: bool = False) -> tuple[int, int]:
    """(width, height) with the picture's proportions that the model likes.

    Both are multiples of the model's unit; the area stays between a quarter and twice that of the pictures
    that the model was trained on, outside of which it repeats or blurs things. With `usual_area` it is
    theirs: a picture that the model has to understand, it understands best there. No side is longer than the
    model can see.
    """
    unit, usual = backbone.size_unit, backbone.defaults.width * backbone.defaults.height
    area = min(max(width * height, SMALLEST_SHARE * usual), LARGEST_SHARE * usual)
    if usual_area:
        area = usual
    scale = math.sqrt(area / (width * height))
    if backbone.longest_side is not None:
        scale = min(scale, backbone.longest_side / max(width, height))
    return _fitting(width * scale, unit), _fitting(height * scale, unit)


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """A picture or mask at another size (Lanczos); itself if it has that size. Read-only."""
    if pixels.shape[:2] == (height, width):
        return pixels
    from PIL import Image  # not at the window's start, which makes the runner's partial

    found = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
    found.setflags(write=False)
    return found


def enlarged_size(pixels: Pixels, factor: float) -> tuple[int, int]:
    """(width, height) of a picture [H, W, C] at `factor` times its size."""
    height, width = pixels.shape[:2]
    return max(1, round(width * factor)), max(1, round(height * factor))


def enlarged(pixels: Pixels, factor: float) -> Pixels:
    """A picture resampled at `factor` times its size: what the operation "enlarge" goes out from."""
    return resized(pixels, *enlarged_size(pixels, factor))


def fitted(request: Request, contents: Contents, cache: ByteCache[Any]) -> dict[str, Any]:
    """The contents as a method sees them: pictures and masks at the size of the run.

    A photo is brought to that size once, however often its sliders are moved.

    Raises:
        EditorError: a mask of another shape than the picture, which would be stretched.
    """
    parameters = request.parameters
    width, height = getattr(parameters, "width", None), getattr(parameters, "height", None)
    declared = request.declared
    if declared.picture is None or declared.enlarges or width is None or height is None:
        return dict(contents)
    found = dict(contents)
    source = _source(request, contents)
    for item in parameters.declared():
        if item.declaration.hidden or kind_of(item).size is not Size.RUN:
            continue
        for content in contents_in(getattr(parameters, item.name)):
            if isinstance(content, Mask):
                _check_shape(contents[content.hash], source)
            key = ("fitted", content.hash, width, height)
            small = cast("Pixels | None", cache.get(key))
            if small is None:
                small = resized(cast("Pixels", contents[content.hash]), width, height)
                if small is not contents[content.hash]:
                    cache.put(key, small, small.nbytes)
            found[content.hash] = small
    return found


def _source(request: Request, contents: Contents) -> tuple[str, Pixels] | None:
    """The picture that the operation works on, with its hash."""
    declared = request.declared.picture
    content = getattr(request.parameters, declared.name) if declared is not None else None
    source = contents.get(content.hash) if content is not None else None
    return (content.hash, source) if content is not None and isinstance(source, np.ndarray) else None


def _check_shape(mask: Blob, source: tuple[str, Pixels] | None) -> None:
    if source is None or not isinstance(mask, np.ndarray):
        return
    (height, width), (rows, columns) = mask.shape[:2], source[1].shape[:2]
    # a smaller mask of the same picture has its sides rounded
    if min(abs(width - height * columns / rows), abs(height - width * rows / columns)) > 1:
        raise EditorError(
            "The mask is {width} × {height} pixels, the picture {columns} × {rows}.",
            "Give a mask of the picture's size.",
            width=width,
            height=height,
            columns=columns,
            rows=rows,
        )


def restored(
    request: Request, contents: Contents, seen: Contents, images: tuple[Pixels, ...]
) -> tuple[Pixels, ...]:
    """A run's pictures at the size of the picture that it worked on, with its details and transparency.

    Outside of the operation's mask they are that picture, bit for bit; so is one that the method handed back
    as it was, and every part that it left alone. `seen` are the contents as the method had them.
    """
    named = _source(request, contents)
    if named is None or request.declared.enlarges:
        return images
    name, source = named
    mask = next(
        (contents.get(one.hash) for one in contents_in(request.parameters) if isinstance(one, Mask)), None
    )
    height, width = source.shape[:2]
    found: list[Pixels] = []
    for image in images:
        if image is seen[name]:
            found.append(source)
            continue
        whole = _whole(source, cast("Pixels", seen[name]), image)
        if image.shape[2] == 4:  # of a method that decides on it
            whole = np.dstack([whole[..., :3], resized(np.ascontiguousarray(image[..., 3]), width, height)])
            whole.setflags(write=False)
        whole = _with_alpha_of(source, whole)
        found.append(
            whole if mask is None else _blended(source, whole, resized(cast("Pixels", mask), width, height))
        )
    return tuple(found)


def _whole(source: Pixels, seen: Pixels, image: Pixels) -> Pixels:
    """A method's picture at the size of its source; what a copy of another size lacked is given back."""
    height, width = source.shape[:2]
    if seen.shape[:2] == (height, width) or image.shape[:2] != seen.shape[:2]:
        return resized(image, width, height)
    from inference.details import brought_back  # with Pillow

    return brought_back(source[..., :3], seen[..., :3], image[..., :3])


def _blended(source: Pixels, image: Pixels, mask: Pixels) -> Pixels:
    """`image` where the mask is 255, `source` where it is 0."""
    share = mask[..., None].astype(np.float32) / 255
    found = np.rint(source * (1 - share) + image * share).astype(np.uint8)
    found.setflags(write=False)
    return found


def _with_alpha_of(source: Pixels, image: Pixels) -> Pixels:
    if source.shape[2] == 3 or image.shape[2] == 4:
        return image
    found = np.dstack([image, source[..., 3]])
    found.setflags(write=False)
    return found


def _fitting(size: float, unit: int) -> int:
    return max(unit, round(size / unit) * unit)
