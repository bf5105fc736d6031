"""Several nodes become one layer that looks like them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from editor.edits.nodes import outermost, put_in_place, refuse_locked
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Node
from editor.layers.limits import check_size
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite_samples, flatten
from inference.errors import EditorError

translate = QCoreApplication.translate

NOWHERE = Area(0, 0, 0, 0)


def merged_down(state: DocumentState, node_id: str) -> DocumentState:
    """A node and the one below it in its group as one layer, which keeps the lower one's name and blending.

    Raises:
        EditorError: there is nothing below, or it has no pixels, or one of the two is hidden or locked.
    """
    siblings, index = state.siblings(node_id), state.index(node_id)
    if index == 0:
        raise EditorError("There is nothing below to merge with.", "Choose a layer that lies above another.")
    lower, upper = siblings[index - 1], siblings[index]
    _refuse_hidden(lower, upper)
    if isinstance(lower, Adjustment):
        raise EditorError("“{name}” is an adjustment and has no pixels to merge into.", name=lower.name)
    refuse_locked(state, [lower.id, upper.id])
    merged = _one_layer(state, _apart(lower, upper), lower)
    kept = merged.changed(blend_mode=lower.blend_mode, clipped=lower.clipped, id=lower.id)
    return put_in_place(state, [lower.id, upper.id], kept)


def merged(state: DocumentState, ids: Sequence[str]) -> DocumentState:
    """The chosen nodes as one layer at the place of the topmost; hidden ones go."""
    ids = outermost(state, ids)
    if len(ids) < 2:
        raise EditorError("Only one layer is chosen.", "Choose two or more in the Layers panel.")
    refuse_locked(state, ids)
    nodes = [state.node(node_id) for node_id in ids]
    shown = [node for node in nodes if node.visible]
    if not any(node.area is not None for node in shown):
        raise EditorError("None of the chosen layers has pixels that show.")
    return put_in_place(state, ids, _one_layer(state, shown, nodes[-1]))


def merged_group(state: DocumentState, group_id: str) -> DocumentState:
    """A group as one layer with the group's name, opacity, blend mode and mask."""
    group = state.node(group_id)
    if not isinstance(group, Group):
        raise EditorError("“{name}” is no group.", "Choose a group in the Layers panel.", name=group.name)
    refuse_locked(state, [group_id])
    if not any(node.visible and node.area for node in group.children):
        raise EditorError("“{name}” has no pixels that show.", name=group.name)
    plain = group.changed(opacity=1.0, mask=None, blend_mode=BlendMode.NORMAL, clipped=False, visible=True)
    kept = _one_layer(state, [plain], group).changed(
        id=group.id, opacity=group.opacity, mask=group.mask, blend_mode=group.blend_mode,
        clipped=group.clipped, visible=group.visible,
    )  # fmt: skip
    return put_in_place(state, [group_id], kept)


def merged_visible(state: DocumentState) -> DocumentState:
    """What shows as one layer at the place of the topmost visible node; hidden nodes stay as they are."""
    shown = [node for node in state.layers if node.visible]
    if not shown:
        raise EditorError("Nothing is visible.", "Show a layer first.")
    refuse_locked(state, [node.id for node in shown])
    return put_in_place(state, [node.id for node in shown], _one_layer(state, shown, shown[-1], state.area))


def flattened(state: DocumentState) -> DocumentState:
    """The whole picture as one layer; hidden layers go."""
    refuse_locked(state, [node.id for node in state.layers])
    name = translate("Commands", "Flattened")
    layer = Layer(name=name, raster=flatten(state))
    return replace(state, layers=(layer,), active=layer.id, chosen=frozenset())


def stamped(state: DocumentState, above: str) -> DocumentState:
    """What shows as a new layer above a node; nothing else changes."""
    from editor.edits.tree import added

    return added(state, Layer(name=translate("Commands", "Visible"), raster=flatten(state)), above)


def _apart(lower: Node, upper: Node) -> list[Node]:
    """Both as they blend with each other alone: what both are clipped to is not there."""
    clipped = upper.clipped and not lower.clipped
    return [
        lower.changed(blend_mode=BlendMode.NORMAL, clipped=False),
        upper.changed(clipped=clipped),
    ]


def _one_layer(state: DocumentState, nodes: Sequence[Node], named: Node, area: Area | None = None) -> Layer:
    """The nodes over nothing; `area` is what they cover together if not given."""
    covered = area or _covered(nodes)
    if covered.is_empty:
        raise EditorError("These layers have no pixels that show.")
    check_size(covered.width, covered.height)
    raster = Raster.of(composite_samples(nodes, covered, state.depth))
    return Layer(name=named.name, raster=raster, x=covered.x, y=covered.y)


def _covered(nodes: Sequence[Node]) -> Area:
    covered = NOWHERE
    for node in nodes:
        covered = covered.united(node.area if node.area is not None else _of_children(node))
    return covered


def _of_children(node: Node) -> Area:
    return _covered(node.children) if isinstance(node, Group) else NOWHERE


def _refuse_hidden(*nodes: Node) -> None:
    for node in nodes:
        if not node.visible:
            raise EditorError(
                "“{name}” is hidden.", "Show it first: what is hidden is not merged.", name=node.name
            )
