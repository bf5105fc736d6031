"""A document: an immutable state, swapped as a whole by the commands on its undo stack."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QRect, Signal

from editor.colour.conversion import from_srgb
from editor.document.changes import dirty_area
from editor.document.export_options import ExportOptions
from editor.document.history import History
from editor.document.known_file import KnownFile
from editor.layers.layer import Layer, Node
from editor.layers.recipes import Subject
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.arithmetic import mixed, to_rgba
from editor.pixels.raster import Area
from editor.rendering.compositing import composite
from inference.errors import EditorError
from inference.request import Pixels

__all__ = ["Document", "DocumentState", "SourceMetadata", "dirty_rect"]


class Document(QObject):
    """The current state, its signals and its undo stack. Read only: commands change it by `swap_state`."""

    layers_changed = Signal()  # order, number, names, flags: anything a layer list shows
    layer_changed = Signal(str)  # one layer's fields or pixels
    pixels_changed = Signal(QRect)  # the composite inside this rectangle
    active_changed = Signal(str)
    target_changed = Signal()  # painting goes to the active node's mask now, or to its pixels again
    selection_changed = Signal()  # the selected area, for the marching ants
    guides_changed = Signal()
    subjects_changed = Signal()  # prompt or subjects of the active recipe
    path_changed = Signal()
    modified_changed = Signal(bool)
    history_dropped = Signal(int)  # so many oldest steps left the undo history to save memory

    def __init__(
        self,
        state: DocumentState,
        *,
        title: str = "",
        path: Path | None = None,
        source: SourceMetadata | None = None,
        is_new: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._title = title
        self._path = path
        self.known_file = KnownFile(path) if path is not None else None  # what saving knows of its file
        self._previews: dict[str, Node] = {}
        self._edits_mask = False
        first = self.recipe_layer if is_new else None
        # the operation that the history begins with; "" for what was opened, whatever has made its layers
        self.made_by = (
            first.recipe.request.operation if first is not None and first.recipe is not None else ""
        )
        self.source = source or SourceMetadata()
        self.last_export: tuple[Path, ExportOptions] | None = None  # what “Export again” repeats
        self.exported_file: KnownFile | None = None  # what was written there
        self.undo_stack = History(self.swap_state, self)
        self.undo_stack.dropped.connect(self.history_dropped)
        self.undo_stack.cleanChanged.connect(self._on_clean_changed)

    @classmethod
    def from_layer(cls, layer: Layer, *, title: str = "") -> "Document":
        """A document of one layer that has the layer's size."""
        return cls(DocumentState.of_layer(layer), title=title, is_new=True)

    @property
    def state(self) -> DocumentState:
        return self._state

    @property
    def width(self) -> int:
        return self._state.width

    @property
    def height(self) -> int:
        return self._state.height

    @property
    def rect(self) -> QRect:
        return QRect(0, 0, self.width, self.height)

    @property
    def layers(self) -> tuple[Node, ...]:
        """Nodes of the top level from bottom to top; `state` has the whole tree."""
        return self._state.layers

    @property
    def active_node(self) -> Node | None:
        """The layer, group or adjustment that commands act on."""
        return self._state.find(self._state.active)

    @property
    def active_layer(self) -> Layer | None:
        """The active node if it has pixels."""
        node = self.active_node
        return node if isinstance(node, Layer) else None

    @property
    def recipe_layer(self) -> Layer | None:
        """The layer whose subjects the window shows: the active one, else the topmost with a recipe."""
        active = self.active_layer
        if active is not None and active.recipe is not None:
            return active
        return next(
            (layer for layer in reversed(tuple(self._state.rasters())) if layer.recipe is not None), None
        )

    @property
    def prompt(self) -> str:
        layer = self.recipe_layer
        return layer.recipe.prompt if layer is not None and layer.recipe is not None else ""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        layer = self.recipe_layer
        return layer.recipe.subjects if layer is not None and layer.recipe is not None else ()

    @property
    def exif(self) -> bytes:
        return self.source.exif

    @property
    def icc_profile(self) -> bytes:
        return self._state.icc_profile

    @property
    def title(self) -> str:
        """What a tab shows: the file's name, or the given title."""
        return self._path.name if self._path is not None else self._title

    @property
    def path(self) -> Path | None:
        """The project file (.ora) that Save writes to, or the opened picture."""
        return self._path

    def set_path(self, path: Path | None, known: KnownFile | None = None) -> None:
        """It has another file from now on; `known` is what is known of that."""
        self._path = path
        self.known_file = known if known is not None or path is None else KnownFile(path)
        self.path_changed.emit()

    @property
    def undo_memory_bytes(self) -> int:
        """What the history may hold beyond the pixels that are shown."""
        return self.undo_stack.limit_bytes

    @undo_memory_bytes.setter
    def undo_memory_bytes(self, limit: int) -> None:
        self.undo_stack.limit_bytes = limit

    @property
    def modified(self) -> bool:
        return not self.undo_stack.isClean()

    def layer(self, layer_id: str) -> Layer:
        """The layer of that id, or an `EditorError`."""
        return self._state.layer(layer_id)

    def set_active(self, layer_id: str) -> None:
        """Select a layer; selecting is no step of the history."""
        self._state.node(layer_id)
        self.swap_state(replace(self._state, active=layer_id, chosen=frozenset()))

    def choose(self, active: str, others: Iterable[str] = ()) -> None:
        """Select several nodes; commands for one act on `active`. No step of the history."""
        self._state.node(active)
        chosen = frozenset(key for key in others if key != active and self._state.find(key) is not None)
        self.swap_state(replace(self._state, active=active, chosen=chosen))

    @property
    def edit_mask(self) -> bool:
        """Whether painting goes to the active node's mask; without a mask it never does."""
        node = self.active_node
        return self._edits_mask and node is not None and node.mask is not None

    def set_edit_mask(self, on: bool) -> None:
        """Paint on the active node's mask, or on its pixels.

        A mask that is made is painted on at first, another active node's pixels.
        """
        if on != self._edits_mask:
            self._edits_mask = on
            self.target_changed.emit()

    def set_preview(self, layer_id: str, pixels: Pixels | None) -> None:
        """Show `pixels` in place of a layer's own until the next preview or None; no step of the history.

        They are 8-bit sRGB, as methods give them; what is selected limits where they show.
        """
        layer = self._state.layer(layer_id)
        if pixels is None:
            self.clear_preview(layer_id)
        elif pixels.shape[:2] != layer.shape:
            raise EditorError("A preview must have the size of its layer.")
        else:
            self.preview_node(preview_of(self._state, layer, pixels))

    def preview_node(self, node: Node, dirty: Area | None = None) -> None:
        """Show `node` in place of the one of its id until `clear_preview`: a running stroke, a drag.

        `dirty` is where it differs from what was shown before, if the caller knows better than a comparison.
        """
        old = self.shown_state()
        self._previews[node.id] = node
        if dirty is None:
            dirty = dirty_area(old.layers, self.shown_state().layers, self._state.area)
        self.pixels_changed.emit(to_rect(dirty))

    def clear_preview(self, node_id: str) -> None:
        """Show a node itself again."""
        old = self.shown_state()
        if self._previews.pop(node_id, None) is not None:
            dirty = dirty_area(old.layers, self.shown_state().layers, self._state.area)
            self.pixels_changed.emit(to_rect(dirty))

    def preview(self, node_id: str) -> Node | None:
        """What is shown in place of a node, if anything."""
        return self._previews.get(node_id)

    def shown_state(self) -> DocumentState:
        """The state with running previews in place of their nodes."""
        state = self._state
        for node in self._previews.values():
            state = state.with_node(node)
        return state

    def composite(self, region: QRect | None = None) -> Pixels:
        """The visible layers over each other: read-only RGBA of `region` (default: the whole document)."""
        area = self._state.area if region is None else to_area(region)
        return composite(self.shown_state().layers, area, self._state.area)

    def swap_state(self, state: DocumentState) -> None:
        """Put `state` in place and tell what differs. Cannot fail; commands call it, nothing else should."""
        old, self._state = self._state, state
        kept = {node.id for node in state.nodes()}
        self._previews = {key: value for key, value in self._previews.items() if key in kept}
        self._announce(old, state)

    def _announce(self, old: DocumentState, new: DocumentState) -> None:
        before = {node.id: node for node in old.nodes()}
        changed = [node for node in new.nodes() if node.id in before and node is not before[node.id]]
        if old.layers != new.layers:
            self.layers_changed.emit()
        for layer in changed:
            self.layer_changed.emit(layer.id)
        dirty = dirty_rect(old, new)
        if not dirty.isEmpty():
            self.pixels_changed.emit(dirty)
        made = _mask_was_made(old, new)
        if made or old.active != new.active:
            self.set_edit_mask(made)
        if old.active != new.active or old.chosen != new.chosen:
            self.active_changed.emit(new.active)
        if old.selection is not new.selection:
            self.selection_changed.emit()
        if old.guides != new.guides:
            self.guides_changed.emit()
        if old.active != new.active or changed or old.layers != new.layers:
            self.subjects_changed.emit()

    def _on_clean_changed(self, clean: bool) -> None:
        self.modified_changed.emit(not clean)


def preview_of(state: DocumentState, layer: Layer, pixels: Pixels) -> Layer:
    """The layer as it looks with a method's pixels (sRGB) where something is selected of it."""
    own = to_rgba(from_srgb(pixels, state.icc_profile))
    limit = state.selection
    if limit is None or (layer.mask is not None and layer.mask.raster is limit.raster):
        return layer.changed(pixels=own)
    return layer.changed(pixels=mixed(layer.pixels, own, limit.read(layer.area)))


def to_rect(area: Area) -> QRect:
    return QRect(*area)


def to_area(rect: QRect) -> Area:
    return Area(rect.x(), rect.y(), rect.width(), rect.height())


def dirty_rect(old: DocumentState, new: DocumentState) -> QRect:
    """A rectangle outside which both states compose to the same pixels."""
    if (old.width, old.height) != (new.width, new.height) or old.icc_profile != new.icc_profile:
        return QRect(0, 0, max(old.width, new.width), max(old.height, new.height))
    return to_rect(dirty_area(old.layers, new.layers, old.area))


def _mask_was_made(old: DocumentState, new: DocumentState) -> bool:
    """Whether the active node got a mask, or is new and has nothing else to paint on.

    One that came with new pixels is a method's: nobody made it to paint on it.
    """
    node, before = new.find(new.active), old.find(new.active)
    if node is None or node.mask is None:
        return False
    if before is None:
        return not isinstance(node, Layer)
    with_pixels = isinstance(node, Layer) and isinstance(before, Layer) and node.raster is not before.raster
    return before.mask is None and not with_pixels
