"""Whatever is done, in whatever order: undo of everything gives the start, redo the end, to the byte."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from editor.adjustments import ADJUSTMENTS
from editor.colour import conversion as colour
from editor.commands import (
    AddLayer,
    Command,
    DuplicateLayer,
    RemoveLayer,
    ReorderLayer,
    ReplaceNode,
    ReplaceState,
    SetLayerProperty,
    SetSelection,
    place_result,
    push,
)
from editor.document.document import Document
from editor.edits import floating, geometry, masks, merging, painting, profiles, resampling, tree
from editor.edits.nodes import selected
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask
from editor.layers.state import DocumentState, Guide
from editor.pixels.raster import Area, Raster
from inference.errors import EditorError
from tests.editor.edits.trees import tree as some_tree
from tests.editor.samples import noise, recipe

Edit = Callable[[DocumentState, random.Random], DocumentState]
SMALL = 48  # larger documents are cropped first: the point is the order of commands, not their size


def _random_mask(chance: random.Random) -> Mask:
    values = np.random.default_rng(chance.randrange(2**16)).integers(0, 256, (6, 8, 1), np.uint8)
    return Mask(raster=Raster.of(values), x=chance.randint(-3, 9), y=chance.randint(-3, 6))


def _area(state: DocumentState, chance: random.Random) -> Area:
    return Area(
        chance.randint(-3, state.width), chance.randint(-3, state.height),
        chance.randint(1, SMALL), chance.randint(1, SMALL),
    )  # fmt: skip


def _some_group(state: DocumentState, chance: random.Random) -> str:
    return chance.choice(["", *(node.id for node in state.nodes() if isinstance(node, Group))])


EDITS: dict[str, Edit] = {
    "new layer": lambda s, c: tree.added(s, tree.new_layer(s), s.active),
    "group": lambda s, c: tree.grouped(s, selected(s)),
    "ungroup": lambda s, c: tree.ungrouped(s, s.active),
    "duplicate": lambda s, c: tree.duplicated(s, selected(s)),
    "remove": lambda s, c: tree.removed(s, selected(s)),
    "step": lambda s, c: tree.stepped(s, selected(s), c.choice((-1, 1))),
    "move into": lambda s, c: tree.moved(s, selected(s), _some_group(s, c), c.randint(0, 4)),
    "merge down": lambda s, c: merging.merged_down(s, s.active),
    "merge": lambda s, c: merging.merged(s, selected(s)),
    "merge group": lambda s, c: merging.merged_group(s, s.active),
    "merge visible": lambda s, c: merging.merged_visible(s),
    "stamp": lambda s, c: merging.stamped(s, s.active),
    "flatten": lambda s, c: merging.flattened(s),
    "add mask": lambda s, c: masks.mask_added(s, s.active, c.choice(masks.MASKS)),
    "apply mask": lambda s, c: masks.mask_applied(s, s.active),
    "delete mask": lambda s, c: masks.mask_deleted(s, s.active),
    "invert mask": lambda s, c: masks.mask_inverted(s, s.active),
    "change mask": lambda s, c: masks.mask_changed(s, s.active, enabled=c.random() < 0.5),
    "fill": lambda s, c: painting.filled(s, s.active, (c.randrange(256), 80, 9, c.randrange(256))),
    "fill mask": lambda s, c: painting.filled(s, s.active, (c.randrange(256), 0, 0, 255), mask=True),
    "clear": lambda s, c: painting.cleared(s, s.active),
    "layer by copy": lambda s, c: painting.layer_by_copy(s, s.active),
    "layer by cut": lambda s, c: painting.layer_by_cut(s, s.active),
    "deselect": lambda s, c: painting.deselected(s),
    "crop": lambda s, c: geometry.cropped_to(s, _area(s, c), keep_outside=c.random() < 0.5),
    "crop to selection": lambda s, c: geometry.cropped_to_selection(s),
    "trim": lambda s, c: geometry.trimmed(s),
    "reveal": lambda s, c: geometry.revealed(s),
    "canvas": lambda s, c: geometry.resized_canvas(
        s, c.randint(1, SMALL), c.randint(1, SMALL), c.choice(sorted(geometry.ANCHORS))
    ),
    "turn": lambda s, c: geometry.turned(s, c.randint(1, 3)),
    "flip": lambda s, c: geometry.flipped(s, across=c.random() < 0.5),
    "flip nodes": lambda s, c: geometry.flipped_nodes(s, selected(s), across=c.random() < 0.5),
    "turn nodes": lambda s, c: geometry.turned_nodes(s, selected(s), c.randint(1, 3)),
    "flip what is selected": lambda s, c: floating.limited(
        s, selected(s), lambda state, ids: geometry.flipped_nodes(state, ids, across=True)
    ),
    "resize": lambda s, c: resampling.resized(
        s, c.randint(1, SMALL), c.randint(1, SMALL), c.choice(sorted(resampling.METHODS))
    ),
    "straighten": lambda s, c: resampling.straightened(s, c.uniform(-30, 30)),
    "convert": lambda s, c: profiles.converted(s, colour.built_in_profile("display-p3")),
    "assign": lambda s, c: profiles.assigned(s, b""),
    "guide": lambda s, c: replace(s, guides=(*s.guides[-3:], Guide(vertical=True, position=c.random() * 9))),
    "resolution": lambda s, c: replace(s, dpi=(c.uniform(72, 300), 72.0)),
    "flags": lambda s, c: tree.with_field(
        s, selected(s), c.choice(("visible", "clipped", "locked", "alpha_locked", "position_locked")),
        c.random() < 0.4,
    ),
}  # fmt: skip

Make = Callable[[Document, random.Random], Command]


def _paint(document: Document, chance: random.Random) -> Command:
    layer = document.state.layer(document.state.active)
    patch = noise(chance.randrange(2**16), 5, 4).astype(layer.raster.dtype)
    raster = layer.raster.written(chance.randint(-2, layer.width), chance.randint(-2, layer.height), patch)
    return ReplaceNode(document, layer.changed(raster=raster), "stroke", merge_key=chance.choice(("", "a")))


def _adjust(document: Document, chance: random.Random) -> Command:
    kind = ADJUSTMENTS[chance.choice(sorted(ADJUSTMENTS))]
    node = Adjustment(name=kind.name, settings=kind.settings(), mask=document.state.selection)
    return AddLayer(document, node)


def _property(document: Document, chance: random.Random) -> Command:
    name, value = chance.choice(
        [("opacity", chance.random()), ("blend_mode", chance.choice(list(BlendMode))), ("name", "n"),
         ("x", chance.randint(-5, 9)), ("y", chance.randint(-5, 9)), ("visible", chance.random() < 0.7)]
    )  # fmt: skip
    key = f"{name}:{document.state.active}"
    return SetLayerProperty(document, document.state.active, name, value, merge_key=key)


def _result(document: Document, chance: random.Random) -> Command:
    layer = document.state.layer(document.state.active)
    if layer.width * layer.height > SMALL * SMALL:
        raise EditorError("Too large for this test.")
    pixels = noise(chance.randrange(2**16), layer.width, layer.height, 3)
    return place_result(document, layer.id, pixels, recipe(seed=chance.randrange(99)), "result")


COMMANDS: dict[str, Make] = {
    "paint": _paint,
    "adjust": _adjust,
    "property": _property,
    "result": _result,
    "select": lambda d, c: SetSelection(d, _random_mask(c), "select"),
    "add": lambda d, c: AddLayer(d, Layer.of_pixels(name="new", pixels=noise(c.randrange(2**16)))),
    "remove one": lambda d, c: RemoveLayer(d, d.state.active),
    "duplicate one": lambda d, c: DuplicateLayer(d, d.state.active),
    "reorder": lambda d, c: ReorderLayer(d, d.state.active, c.randint(0, 4), _some_group(d.state, c)),
}


def perform(document: Document, kind: str, chance: random.Random) -> None:
    nodes = [node.id for node in document.state.nodes()]
    document.choose(
        chance.choice(nodes), chance.sample(nodes, k=chance.choice((0, 0, 1, min(2, len(nodes)))))
    )
    if kind in COMMANDS:
        push(document, COMMANDS[kind](document, chance))
        return
    after = EDITS[kind](document.state, chance)
    if max(after.width, after.height) > SMALL:
        after = geometry.cropped_to(after, Area(0, 0, min(after.width, SMALL), min(after.height, SMALL)))
    push(document, ReplaceState(document, after, kind))


def fingerprint(state: DocumentState) -> list[object]:
    """Every field, with pixels as bytes; which node is active is no part of what undo restores."""
    found: list[object] = [state.width, state.height, state.guides, state.dpi, state.icc_profile]
    found.append(_of_mask(state.selection))
    for node in state.nodes():
        fields: dict[str, object] = dict(vars(node)) | {"mask": _of_mask(node.mask)}
        if isinstance(node, Layer):
            fields["raster"] = (node.raster.array().tobytes(), node.raster.array().shape, node.raster.dtype)
        if isinstance(node, Group):
            fields["children"] = [child.id for child in node.children]
        found.append(fields)
    return found


def _of_mask(mask: Mask | None) -> object:
    if mask is None:
        return None
    return dict(vars(mask)) | {"raster": mask.raster.array().tobytes()}


def everything(kinds: Sequence[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return example(kinds=list(kinds), seed=1, limit_mib=64)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.lists(st.sampled_from(sorted({**EDITS, **COMMANDS})), min_size=200, max_size=200),
    seed=st.integers(0, 2**32),
    limit_mib=st.just(64),
)
@everything(sorted({**EDITS, **COMMANDS}) * 4)
def test_two_hundred_commands_of_all_kinds_are_undone_and_redone(
    kinds: list[str], seed: int, limit_mib: int
) -> None:
    document, chance = Document(some_tree()), random.Random(seed)
    document.undo_memory_bytes = limit_mib * 2**20
    start, start_picture = fingerprint(document.state), document.composite().tobytes()
    for kind in kinds:
        try:
            perform(document, kind, chance)
        except EditorError:
            continue  # refused before anything changed
        if chance.random() < 0.05:
            document.undo_stack.setIndex(document.undo_stack.index() - chance.randint(1, 3))
    assert document.undo_stack.bytes <= document.undo_memory_bytes
    document.undo_stack.setIndex(document.undo_stack.count())
    end, end_picture = fingerprint(document.state), document.composite().tobytes()
    while document.undo_stack.canUndo():
        document.undo_stack.undo()
    assert fingerprint(document.state) == start
    assert document.composite().tobytes() == start_picture
    while document.undo_stack.canRedo():
        document.undo_stack.redo()
    assert fingerprint(document.state) == end
    assert document.composite().tobytes() == end_picture


@pytest.mark.parametrize("kind", sorted({**EDITS, **COMMANDS}))
def test_every_kind_of_command_is_really_done(kind: str) -> None:
    """The sequences above are worth something only if no kind is refused every time."""
    for seed in range(200):
        document, chance = Document(some_tree()), random.Random(seed)
        state = document.state
        if seed % 2:
            top = state.layer("top").changed(mask=_random_mask(chance))
            document.swap_state(replace(state.with_node(top), selection=_random_mask(chance)))
        try:
            perform(document, kind, chance)
        except EditorError:
            continue
        assert document.undo_stack.count() == 1
        return
    pytest.fail(f"“{kind}” was refused every time")
