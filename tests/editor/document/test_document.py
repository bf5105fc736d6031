"""What a document knows beside its state: several chosen nodes, and whether painting goes to the mask."""

from dataclasses import replace

import numpy as np

from editor.adjustments import ADJUSTMENTS
from editor.document.document import Document
from editor.layers.layer import Adjustment, Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Raster


def layer(name: str, *, mask: bool = False) -> Layer:
    own = Mask(raster=Raster.filled(4, 4, 255, channels=1)) if mask else None
    return Layer.of_pixels(name=name, id=name, pixels=np.zeros((4, 4, 4), np.uint8), mask=own)


def document(*layers: Layer) -> Document:
    return Document(DocumentState(width=4, height=4, layers=layers, active=layers[-1].id))


def test_choosing_several_nodes_leaves_out_those_that_are_gone() -> None:
    made = document(layer("a"), layer("b"), layer("c"))
    made.choose("a", ["a", "c", "gone"])
    assert made.state.active == "a"
    assert made.state.chosen == {"c"}
    assert made.undo_stack.count() == 0


def test_a_mask_is_painted_on_when_it_is_made() -> None:
    made = document(layer("a"), layer("b"))
    mask = layer("b", mask=True).mask
    made.swap_state(made.state.with_node(made.state.node(made.state.active).changed(mask=mask)))
    assert made.edit_mask


def test_a_new_adjustment_with_a_mask_is_painted_on_its_mask() -> None:
    """It has no pixels of its own; a copy of a masked layer has."""
    made = document(layer("a"))
    mask = layer("b", mask=True).mask
    for node, expected in (
        (Adjustment(name="c", settings=ADJUSTMENTS["invert"].settings(), mask=mask), True),
        (layer("d", mask=True), False),
    ):
        state = replace(made.state, layers=(*made.state.layers, node), active=node.id)
        made.swap_state(state)
        assert made.edit_mask == expected


def test_only_a_node_with_a_mask_has_its_mask_edited() -> None:
    made = document(layer("a"), layer("b", mask=True))
    told: list[bool] = []
    made.target_changed.connect(lambda: told.append(made.edit_mask))
    made.set_edit_mask(True)
    assert made.edit_mask
    made.set_active("a")
    assert not made.edit_mask
    made.set_active("b")
    assert not made.edit_mask
    assert told == [True, False]
    made.set_active("a")
    made.set_edit_mask(True)
    assert not made.edit_mask
