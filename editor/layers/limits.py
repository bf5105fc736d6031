"""How large documents may be: one set of numbers for growing, saving and opening.

A document is refused *before* it grows beyond them and again before it is saved, and files are refused by
the same numbers before they are decoded, so that whatever was saved opens again. Beyond them a file is a
mistake or an attack. Opening a file holds at most its samples twice (once as the decoder left them): 16 GB at
the very limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from editor.layers.layer import Group, Layer, Node
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster
from inference.errors import EditorError
from inference.messages import Message

LARGEST_PIXELS = 400_000_000  # of a document or a layer: 1.6 GB as 8-bit RGBA
LARGEST_SIDE_PX = 300_000
LARGEST_OFFSET_PX = 10_000_000  # how far from its document a layer may lie
LARGEST_TOTAL_PIXELS = 4 * LARGEST_PIXELS  # of all layers, masks and the selection together
MOST_LAYERS = 10_000  # groups and adjustments count
DEEPEST_GROUPS = 100  # groups around a node
LARGEST_PROFILE_BYTES = 2**24  # printers' profiles have up to a few MiB
LARGEST_TEXT_BYTES = 64 * 2**20  # XML and JSON of a project
LARGEST_CARRIED_BYTES = 2**24  # of EXIF, XMP or texts beside a picture

MOST_PIXELS_PER_BYTE = 8256
"""Of PNG: deflate packs 1032 bytes into one at best, each of 8 pixels at most. JPEG, GIF and BMP reach less.
A header that claims more is cut off or lies."""

MEGA = 10**6
_FEWER = Message("Merge or delete some layers first.")


def check_size(width: int, height: int) -> None:
    """Refuse what a document or a layer is to become.

    Raises:
        EditorError: no pixel, too long a side, or too many pixels.
    """
    if not (1 <= width <= LARGEST_SIDE_PX and 1 <= height <= LARGEST_SIDE_PX):
        raise EditorError(
            "A picture cannot be {width} × {height} pixels.",
            "Each side is 1 to {largest}.",
            width=width,
            height=height,
            largest=LARGEST_SIDE_PX,
        )
    if width * height > LARGEST_PIXELS:
        raise EditorError(
            "A picture of {width} × {height} pixels is too large.",
            "At most {most} megapixels are possible.",
            width=width,
            height=height,
            most=LARGEST_PIXELS // MEGA,
        )


def check_file_size(name: str | Message, width: int, height: int, file_bytes: int | None = None) -> None:
    """Refuse a picture by its header.

    Raises:
        EditorError: larger than the limits, or than a file of `file_bytes` can hold.
    """
    if width < 1 or height < 1:
        raise EditorError(
            "“{name}” has {width} × {height} pixels; that is no picture.",
            name=name,
            width=width,
            height=height,
        )
    if width * height > LARGEST_PIXELS or max(width, height) > LARGEST_SIDE_PX:
        raise EditorError(
            "“{name}” has {width} × {height} pixels; Attune opens up to {most} megapixels and "
            "{largest} pixels on a side.",
            "Make it smaller with another program first.",
            name=name,
            width=width,
            height=height,
            most=LARGEST_PIXELS // MEGA,
            largest=LARGEST_SIDE_PX,
        )
    if file_bytes is not None and width * height > file_bytes * MOST_PIXELS_PER_BYTE:
        raise EditorError(
            "“{name}” is damaged or incomplete: {bytes} bytes cannot hold {width} × {height} pixels.",
            "Get the file again.",
            name=name,
            bytes=file_bytes,
            width=width,
            height=height,
        )


def check_total(pixels: int) -> None:
    """Refuse layers that have too many pixels together.

    Raises:
        EditorError: more than `LARGEST_TOTAL_PIXELS`.
    """
    if pixels > LARGEST_TOTAL_PIXELS:
        raise EditorError(
            "The layers have {count} megapixels together; {most} are possible.",
            _FEWER,
            count=-(-pixels // MEGA),
            most=LARGEST_TOTAL_PIXELS // MEGA,
        )


def check_depth(groups: int) -> None:
    """Refuse a node inside too many groups.

    Raises:
        EditorError: more than `DEEPEST_GROUPS`.
    """
    if groups > DEEPEST_GROUPS:
        raise EditorError(
            "Groups lie more than {most} deep in each other.",
            "Move some of them out of the others.",
            most=DEEPEST_GROUPS,
        )


def check_count(layers: int) -> None:
    """Refuse too long a list of layers.

    Raises:
        EditorError: more than `MOST_LAYERS`.
    """
    if layers > MOST_LAYERS:
        raise EditorError("There are more than {most} layers.", _FEWER, most=MOST_LAYERS)


def check_profile(size: int) -> None:
    """Refuse a colour profile that no file could carry.

    Raises:
        EditorError: more than `LARGEST_PROFILE_BYTES`.
    """
    if size > LARGEST_PROFILE_BYTES:
        raise EditorError(
            "The colour profile has {size} MiB; {most} are possible.",
            "Choose another one.",
            size=-(-size // 2**20),
            most=LARGEST_PROFILE_BYTES // 2**20,
        )


def check_document(state: DocumentState) -> None:
    """Refuse to save what would be refused when it is opened.

    Raises:
        EditorError: the document is beyond one of the limits.
    """
    _check(_Extent.of(state), None)


def check_growth(before: DocumentState, after: DocumentState) -> None:
    """Refuse a change that takes a document beyond a limit; one that makes it smaller is always allowed.

    Raises:
        EditorError: `after` is beyond a limit, and further than `before`.
    """
    if before.layers is after.layers and before.selection is after.selection and before.area == after.area:
        if before.icc_profile is not after.icc_profile:
            check_profile(len(after.icc_profile))
        return
    extent = _Extent.of(after)
    if _is_beyond(extent):
        _check(extent, _Extent.of(before))


@dataclass(frozen=True, kw_only=True)
class _Extent:
    """What the limits are about."""

    sizes: frozenset[tuple[int, int]]  # of the document and of every raster
    furthest: int  # pixels from the document's corner
    pixels: int
    layers: int
    deepest: int
    profile: int

    @classmethod
    def of(cls, state: DocumentState) -> _Extent:
        rasters: dict[int, Raster] = {}
        furthest, layers, deepest = 0, 0, 0
        for node, depth in _walk(state.layers, 0):
            layers += 1
            deepest = max(deepest, depth)
            for raster, x, y in _held(node):
                rasters[id(raster)] = raster
                furthest = max(furthest, abs(x), abs(y))
        if state.selection is not None:
            rasters[id(state.selection.raster)] = state.selection.raster
        return cls(
            sizes=frozenset(
                {(state.width, state.height), *((one.width, one.height) for one in rasters.values())}
            ),
            furthest=furthest,
            pixels=sum(raster.width * raster.height for raster in rasters.values()),
            layers=layers,
            deepest=deepest,
            profile=len(state.icc_profile),
        )


def _walk(nodes: Sequence[Node], depth: int) -> Iterator[tuple[Node, int]]:
    for node in nodes:
        yield node, depth
        if isinstance(node, Group):
            yield from _walk(node.children, depth + 1)


def _held(node: Node) -> Iterator[tuple[Raster, int, int]]:
    if isinstance(node, Layer):
        yield node.raster, node.x, node.y
    if node.mask is not None:
        yield node.mask.raster, node.mask.x, node.mask.y


def _is_beyond(extent: _Extent) -> bool:
    try:
        _check(extent, None)
    except EditorError:
        return True
    return False


def _check(extent: _Extent, before: _Extent | None) -> None:
    """Refuse what is beyond a limit, unless it was there (or further) before."""
    for width, height in extent.sizes - (before.sizes if before is not None else frozenset()):
        check_size(width, height)
    if extent.furthest > max(LARGEST_OFFSET_PX, before.furthest if before is not None else 0):
        raise EditorError(
            "A layer lies {distance} pixels away from the picture.",
            "At most {most} are possible.",
            distance=extent.furthest,
            most=LARGEST_OFFSET_PX,
        )
    if before is None or extent.pixels > before.pixels:
        check_total(extent.pixels)
    if before is None or extent.layers > before.layers:
        check_count(extent.layers)
    if before is None or extent.deepest > before.deepest:
        check_depth(extent.deepest)
    if before is None or extent.profile > before.profile:
        check_profile(extent.profile)
