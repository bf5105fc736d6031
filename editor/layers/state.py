"""What a document is at one moment: an immutable tree of nodes, free of Qt."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from editor.layers.layer import Group, Layer, Mask, Node
from editor.pixels.raster import Area
from inference.errors import EditorError

Nodes = tuple[Node, ...]
JPEG_SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")  # in the order of Pillow's numbers
_MOST_TABLES, _TABLE_LENGTH = 4, 64


@dataclass(frozen=True, kw_only=True)
class Guide:
    """A line to align to; `position` in pixels from the left (vertical) or the top."""

    vertical: bool
    position: float


@dataclass(frozen=True)
class Frame:
    """Which canvas this is: what began before a crop learns from it where its place went.

    Equal `canvas` are the same pixels, shifted: (`x`, `y`) is where the upper left corner lies in the first.
    Turned, mirrored and scaled pixels are another canvas.
    """

    canvas: str = ""
    x: int = 0
    y: int = 0

    @classmethod
    def new(cls) -> Self:
        return cls(canvas=uuid.uuid4().hex)

    def moved(self, dx: int, dy: int) -> Self:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, kw_only=True)
class DocumentState:
    """Everything that undo restores. `layers` are the nodes of the top level from bottom to top.

    Args:
        active: id of the node that commands act on, "" for none; `chosen` are further selected ones.
        selection: what painting, adjustments and methods are limited to; None is everything.
        dpi: pixels per inch across and down, if known.
        icc_profile: the colour space of all layers; b"" is sRGB.
        frame: tells canvases of one session apart; no file keeps it.
    """

    width: int
    height: int
    layers: Nodes = ()
    active: str = ""
    chosen: frozenset[str] = frozenset()
    selection: Mask | None = None
    guides: tuple[Guide, ...] = ()
    dpi: tuple[float, float] | None = None
    icc_profile: bytes = b""
    frame: Frame = Frame()

    @classmethod
    def of_layer(cls, layer: Layer) -> Self:
        """One layer and its size."""
        return cls(width=layer.width, height=layer.height, layers=(layer,), active=layer.id)

    @property
    def area(self) -> Area:
        return Area(0, 0, self.width, self.height)

    @property
    def depth(self) -> int:
        """Bits a channel: 16 as soon as one layer has them."""
        return max((layer.raster.dtype.itemsize * 8 for layer in self.rasters()), default=8)

    # reading the tree

    def nodes(self) -> Iterator[Node]:
        """Every node from bottom to top; a group comes before its children."""
        return _walk(self.layers)

    def rasters(self) -> Iterator[Layer]:
        """Every layer with pixels, at any depth, from bottom to top."""
        return (node for node in self.nodes() if isinstance(node, Layer))

    def find(self, node_id: str) -> Node | None:
        return next((node for node in self.nodes() if node.id == node_id), None)

    def node(self, node_id: str) -> Node:
        """The node of that id.

        Raises:
            EditorError: the document has no such node.
        """
        found = self.find(node_id)
        if found is None:
            raise EditorError("That layer is no longer in the document.")
        return found

    def layer(self, node_id: str) -> Layer:
        """The layer with pixels of that id.

        Raises:
            EditorError: there is none, or it is a group or an adjustment.
        """
        found = self.node(node_id)
        if not isinstance(found, Layer):
            raise EditorError(
                "“{name}” has no pixels of its own.", "Choose a layer with pixels.", name=found.name
            )
        return found

    def parent(self, node_id: str) -> Group | None:
        """The group that holds a node, or None at the top level."""
        for node in self.nodes():
            if isinstance(node, Group) and any(child.id == node_id for child in node.children):
                return node
        return None

    def parents(self, node_id: str) -> tuple[Group, ...]:
        """The groups around a node, the innermost first."""
        found: list[Group] = []
        parent = self.parent(node_id)
        while parent is not None:
            found.append(parent)
            parent = self.parent(parent.id)
        return tuple(found)

    def siblings(self, node_id: str) -> Nodes:
        """The nodes of the same group, itself among them, from bottom to top."""
        parent = self.parent(node_id)
        return parent.children if parent is not None else self.layers

    def index(self, node_id: str) -> int:
        """Position of a node among its siblings, 0 at the bottom.

        Raises:
            EditorError: the document has no such node.
        """
        self.node(node_id)
        return next(place for place, node in enumerate(self.siblings(node_id)) if node.id == node_id)

    # new trees

    def with_node(self, node: Node) -> Self:
        """The state with the node of the same id replaced."""
        self.node(node.id)
        return replace(self, layers=_replaced(self.layers, node))

    def with_layer(self, layer: Layer) -> Self:
        return self.with_node(layer)

    def without(self, node_ids: Iterable[str]) -> Self:
        """The state without those nodes and what they hold."""
        gone = frozenset(node_ids)
        return replace(self, layers=_without(self.layers, gone), chosen=self.chosen - gone)

    def inserted(self, nodes: Iterable[Node], *, parent: str = "", index: int | None = None) -> Self:
        """The state with nodes put into a group ("" is the top level) at `index` (None is the top).

        Raises:
            EditorError: `parent` is no group of the document.
        """
        given = tuple(nodes)
        if not parent:
            return replace(self, layers=_spliced(self.layers, given, index))
        group = self.node(parent)
        if not isinstance(group, Group):
            raise EditorError("“{name}” is no group.", name=group.name)
        return self.with_node(group.changed(children=_spliced(group.children, given, index)))


@dataclass(frozen=True, kw_only=True)
class JpegEncoding:
    """How a JPEG was encoded, so that an export can be encoded like it.

    Args:
        tables: one to four quantization tables, each 64 numbers of 1 to 255, row by row.
        subsampling: the colours' resolution, of `JPEG_SAMPLINGS`.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: str

    @property
    def is_usable(self) -> bool:
        """Whether a JPEG can be encoded so."""
        return (
            1 <= len(self.tables) <= _MOST_TABLES
            and all(len(table) == _TABLE_LENGTH for table in self.tables)
            and all(1 <= value <= 255 for table in self.tables for value in table)
            and self.subsampling in JPEG_SAMPLINGS
        )


@dataclass(frozen=True, kw_only=True)
class SourceMetadata:
    """What an opened file carried beside its pixels and an export gives back.

    Args:
        exif: the block as it was, with the "Exif" prefix of JPEG.
        photoshop: Photoshop's image resources, IPTC-IIM among them.
        others: names of what other programs put into the file, which no export gives back.
        jpeg: how it was encoded, if it was a JPEG.
    """

    exif: bytes = b""
    text: Mapping[str, str] = field(default_factory=dict[str, str])
    xmp: bytes = b""
    photoshop: bytes = b""
    others: tuple[str, ...] = ()
    photo: bool = False  # the picture came from a file without a recipe
    jpeg: JpegEncoding | None = None


def _walk(nodes: Nodes) -> Iterator[Node]:
    for node in nodes:
        yield node
        if isinstance(node, Group):
            yield from _walk(node.children)


def _replaced(nodes: Nodes, new: Node) -> Nodes:
    return tuple(_with_replaced(node, new) for node in nodes)


def _with_replaced(node: Node, new: Node) -> Node:
    if node.id == new.id:
        return new
    if not isinstance(node, Group):
        return node
    children = _replaced(node.children, new)
    same = all(one is other for one, other in zip(children, node.children))
    return node if same else node.changed(children=children)


def _without(nodes: Nodes, gone: frozenset[str]) -> Nodes:
    kept: list[Node] = []
    for node in nodes:
        if node.id in gone:
            continue
        if isinstance(node, Group):
            children = _without(node.children, gone)
            changed = len(children) != len(node.children) or any(
                one is not other for one, other in zip(children, node.children)
            )
            kept.append(node.changed(children=children) if changed else node)
        else:
            kept.append(node)
    return tuple(kept)


def _spliced(nodes: Nodes, given: Nodes, index: int | None) -> Nodes:
    at = len(nodes) if index is None else max(0, min(index, len(nodes)))
    return nodes[:at] + given + nodes[at:]
