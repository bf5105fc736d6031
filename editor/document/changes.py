"""Where two layer trees compose to different pixels."""

from collections.abc import Sequence

from editor.layers.layer import Adjustment, Group, Layer, Mask, Node
from editor.pixels.raster import Area

NOWHERE = Area(0, 0, 0, 0)


def dirty_area(old: Sequence[Node], new: Sequence[Node], everywhere: Area) -> Area:
    """An area (within `everywhere`) outside which both trees look the same.

    Nodes are told apart by identity: an unchanged subtree costs nothing, a stroke gives its tiles.
    """
    if len(old) == len(new) and all(one is other for one, other in zip(old, new)):
        return NOWHERE
    if [node.id for node in old] != [node.id for node in new]:
        return _of_reordered(old, new, everywhere)
    dirty = NOWHERE
    for one, other in zip(old, new, strict=True):
        if one is not other:
            dirty = dirty.united(_of_change(one, other, everywhere))
    return _spread(old, new, dirty, everywhere)


def _of_change(old: Node, new: Node, everywhere: Area) -> Area:
    if type(old) is not type(new) or not _alike(old, new):
        return _shown(old, everywhere).united(_shown(new, everywhere))
    dirty = NOWHERE
    if isinstance(old, Layer) and isinstance(new, Layer):
        dirty = _of_rasters(old, new)
    elif isinstance(old, Group) and isinstance(new, Group):
        dirty = dirty_area(old.children, new.children, everywhere)
    return dirty.united(_of_masks(old.mask, new.mask, everywhere)).intersected(everywhere)


def _alike(old: Node, new: Node) -> bool:
    """Whether nothing but pixels, children and mask can differ."""
    fields = ["visible", "opacity", "blend_mode", "clipped"]
    fields += ["x", "y"] if isinstance(old, Layer) else []
    fields += ["isolated"] if isinstance(old, Group) else []
    fields += ["settings"] if isinstance(old, Adjustment) else []
    return all(getattr(old, name) == getattr(new, name) for name in fields)


def _of_rasters(old: Layer, new: Layer) -> Area:
    if old.raster is new.raster:
        return NOWHERE
    same_form = (old.width, old.height, old.raster.dtype) == (new.width, new.height, new.raster.dtype)
    if not same_form:
        return old.area.united(new.area)
    return old.raster.difference(new.raster).moved(new.x, new.y)


def _of_masks(old: Mask | None, new: Mask | None, everywhere: Area) -> Area:
    if old is new:
        return NOWHERE
    if old is None or new is None or (old.enabled, old.outside) != (new.enabled, new.outside):
        return everywhere
    if old.area != new.area or old.raster.dtype != new.raster.dtype:
        return old.area.united(new.area)
    return old.raster.difference(new.raster).moved(new.x, new.y)


def _of_reordered(old: Sequence[Node], new: Sequence[Node], everywhere: Area) -> Area:
    """Added, removed and moved nodes: where they show."""
    before, after = {node.id: node for node in old}, {node.id: node for node in new}
    kept_before = [node.id for node in old if node.id in after]
    kept_after = [node.id for node in new if node.id in before]
    if kept_before != kept_after:
        return everywhere
    dirty = NOWHERE
    for node in (*old, *new):
        if (node.id in before) != (node.id in after):
            # what is clipped to it, or to what it now hides, changes too
            dirty = dirty.united(everywhere if node.clipped else _shown(node, everywhere))
    for node_id in kept_after:
        if before[node_id] is not after[node_id]:
            dirty = dirty.united(_of_change(before[node_id], after[node_id], everywhere))
    if any(node.clipped for node in (*old, *new)):
        return everywhere
    return _spread(old, new, dirty, everywhere)


def _spread(old: Sequence[Node], new: Sequence[Node], dirty: Area, everywhere: Area) -> Area:
    """Adjustments that look at neighbours carry a change further than it reached."""
    from editor.adjustments import reach_px

    if dirty.is_empty:
        return dirty
    reach = sum(reach_px(node.settings) for node in (*old, *new) if isinstance(node, Adjustment))
    return dirty.grown(reach).intersected(everywhere) if reach else dirty.intersected(everywhere)


def _shown(node: Node, everywhere: Area) -> Area:
    return everywhere if node.area is None else node.area.intersected(everywhere)
