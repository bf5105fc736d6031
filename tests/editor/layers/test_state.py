"""The layer tree: finding, replacing, removing, inserting."""

import numpy as np
import pytest

from editor.adjustments.invert import Invert
from editor.layers.layer import Adjustment, Group, Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from inference.errors import EditorError


def layer(name: str, **fields: object) -> Layer:
    return Layer(name=name, raster=Raster.filled(8, 8, 100), **fields)  # type: ignore[arg-type]


@pytest.fixture
def tree() -> DocumentState:
    """bottom, [inner: a, b] in outer, adjustment, top"""
    inner = Group(name="inner", id="inner", children=(layer("a", id="a"), layer("b", id="b")))
    outer = Group(name="outer", id="outer", children=(inner, layer("c", id="c", x=4)))
    nodes = (layer("bottom", id="bottom"), outer, Adjustment(name="invert", id="invert", settings=Invert()))
    return DocumentState(width=8, height=8, layers=nodes, active="a")


class TestFinding:
    def test_nodes_come_from_bottom_to_top_groups_first(self, tree: DocumentState) -> None:
        assert [node.id for node in tree.nodes()] == ["bottom", "outer", "inner", "a", "b", "c", "invert"]
        assert [node.id for node in tree.rasters()] == ["bottom", "a", "b", "c"]

    def test_parents_and_places(self, tree: DocumentState) -> None:
        assert [group.id for group in tree.parents("b")] == ["inner", "outer"]
        assert tree.parent("bottom") is None
        assert (tree.index("b"), tree.index("c"), tree.index("invert")) == (1, 1, 2)

    def test_unknown_ids_are_refused(self, tree: DocumentState) -> None:
        with pytest.raises(EditorError, match="no longer in the document"):
            tree.node("gone")
        assert tree.find("gone") is None

    @pytest.mark.parametrize("node_id", ["outer", "invert"])
    def test_only_layers_have_pixels(self, tree: DocumentState, node_id: str) -> None:
        with pytest.raises(EditorError, match="no pixels of its own"):
            tree.layer(node_id)


class TestChanging:
    def test_a_replaced_node_shares_the_rest(self, tree: DocumentState) -> None:
        changed = tree.with_node(tree.node("a").changed(name="new"))
        assert changed.node("a").name == "new"
        assert changed.node("c") is tree.node("c")
        assert changed.node("bottom") is tree.node("bottom")
        assert tree.node("a").name == "a"

    def test_replacing_by_itself_changes_no_group(self, tree: DocumentState) -> None:
        assert tree.with_node(tree.node("a")).node("outer") is tree.node("outer")

    def test_a_removed_group_takes_its_children(self, tree: DocumentState) -> None:
        rest = tree.without(["inner", "invert"])
        assert [node.id for node in rest.nodes()] == ["bottom", "outer", "c"]
        assert rest.node("bottom") is tree.node("bottom")

    def test_nodes_are_put_into_groups(self, tree: DocumentState) -> None:
        changed = tree.inserted([layer("new", id="new")], parent="inner", index=1)
        assert [node.id for node in changed.siblings("a")] == ["a", "new", "b"]
        assert tree.inserted([layer("new", id="new")]).index("new") == 3
        with pytest.raises(EditorError, match="no group"):
            tree.inserted([layer("new")], parent="a")


class TestNodes:
    def test_a_groups_area_is_its_childrens(self, tree: DocumentState) -> None:
        assert tree.node("outer").area == Area(0, 0, 12, 8)
        assert tree.node("invert").area is None

    def test_a_pass_through_group_with_an_adjustment_shows_everywhere(self) -> None:
        invert = Adjustment(name="invert", settings=Invert())
        assert Group(name="g", children=(layer("a"), invert), isolated=False).area is None
        assert Group(name="g", children=(layer("a"), invert)).area == Area(0, 0, 8, 8)

    def test_moving_takes_linked_masks_along(self) -> None:
        mask = Mask(raster=Raster.filled(4, 4, 255, channels=1), x=1, y=1)
        moved = layer("a", mask=mask).moved(3, -2)
        assert (moved.x, moved.y, moved.mask.x, moved.mask.y) == (3, -2, 4, -1)  # type: ignore[union-attr]
        still = layer("a", mask=mask.changed(linked=False)).moved(3, -2)
        assert still.mask is not None
        assert (still.mask.x, still.mask.y) == (1, 1)

    def test_a_copied_group_shares_pixels_but_no_ids(self, tree: DocumentState) -> None:
        original, copy = tree.node("outer"), tree.node("outer").copy("copy")
        both = DocumentState(width=8, height=8, layers=(original, copy))
        assert len({node.id for node in both.nodes()}) == 10
        first, second = (list(group_rasters(node)) for node in (original, copy))
        assert all(one is other for one, other in zip(first, second, strict=True))

    def test_a_mask_answers_outside_its_raster(self) -> None:
        mask = Mask(raster=Raster.filled(2, 2, 200, channels=1), x=1, outside=9)
        expected = np.array([[9, 200, 200, 9], [9, 200, 200, 9], [9, 9, 9, 9]], np.uint8)
        assert np.array_equal(mask.read(Area(0, 0, 4, 3)), expected)

    @pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
    def test_opacity_has_its_range(self, opacity: float) -> None:
        with pytest.raises(EditorError, match="allowed is 0 to 1"):
            layer("a", opacity=opacity)

    def test_channels_are_checked(self) -> None:
        with pytest.raises(EditorError, match="four channels"):
            Layer(name="a", raster=Raster.filled(2, 2, channels=1))
        with pytest.raises(EditorError, match="one channel"):
            Mask(raster=Raster.filled(2, 2))


def group_rasters(node: object) -> list[Raster]:
    assert isinstance(node, Group)
    return [item.raster for item in DocumentState(width=8, height=8, layers=node.children).rasters()]


def test_an_isolated_group_reaches_as_far_as_its_layers_whatever_else_it_holds() -> None:

    layer = Layer(name="photo", raster=Raster.filled(5, 6), x=2, y=3)
    inner = Group(name="inner", isolated=False, children=(layer, Adjustment(name="top", settings=Invert())))
    assert inner.area is None
    assert Group(name="outer", children=(inner,)).area == layer.area
