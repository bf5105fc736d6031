"""What saves opens: over sizes, depths, numbers of layers and profiles, at limits that a test can reach."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from editor.colour import conversion as colour
from editor.commands.base import Command
from editor.document.document import Document
from editor.formats import ExportOptions, decoding
from editor.formats.files import export_picture, open_file, save_project
from editor.layers import limits
from editor.layers.layer import Group, Layer, Mask, Node
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster
from inference.errors import EditorError

SMALL = {
    "LARGEST_PIXELS": 600,
    "LARGEST_SIDE_PX": 40,
    "LARGEST_OFFSET_PX": 90,
    "LARGEST_TOTAL_PIXELS": 1500,
    "MOST_LAYERS": 6,
    "DEEPEST_GROUPS": 4,
}


@pytest.fixture(scope="module", autouse=True)
def small_limits() -> Iterator[None]:
    """The same limits, small enough that hypothesis goes beyond each of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(limits, name, value)
        patch.setattr("editor.formats.openraster.stack.LARGEST_SIDE_PX", SMALL["LARGEST_SIDE_PX"])
        patch.setattr("editor.formats.openraster.stack.LARGEST_OFFSET_PX", SMALL["LARGEST_OFFSET_PX"])
        yield


sides = st.integers(1, 45)
places = st.integers(-100, 100)


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    raster = Raster.filled(draw(sides), draw(sides), 120, channels=1)
    return Mask(raster=raster, x=draw(places), y=draw(places), outside=draw(st.sampled_from((0, 255))))


@st.composite
def layers(draw: st.DrawFn) -> Node:
    raster = Raster.filled(draw(sides), draw(sides), 200)
    node: Node = Layer(
        name="a", raster=raster, x=draw(places), y=draw(places), mask=draw(st.none() | masks())
    )
    for _ in range(draw(st.integers(0, 6))):
        node = Group(name="g", children=(node,), isolated=draw(st.booleans()))
    return node


@st.composite
def documents(draw: st.DrawFn) -> DocumentState:
    nodes = tuple(draw(st.lists(layers(), min_size=1, max_size=4)))
    return DocumentState(
        width=draw(sides),
        height=draw(sides),
        layers=nodes,
        active=nodes[-1].id,
        selection=draw(st.none() | masks()),
    )


@settings(max_examples=150, deadline=None)
@given(state=documents(), changed=st.booleans())
def test_what_saves_opens(
    state: DocumentState, changed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("saved") / "a.ora"
    try:
        save_project(state, SourceMetadata(), path)
    except EditorError:
        assert not path.exists()
        with pytest.raises(EditorError):
            limits.check_document(state)
        return
    opened = open_file(path)
    assert opened.notes == ()
    assert [node.area for node in opened.state.nodes()] == [node.area for node in state.nodes()]


@settings(max_examples=150, deadline=None)
@given(before=documents(), after=documents())
def test_no_command_grows_a_document_beyond_what_can_be_saved(
    before: DocumentState, after: DocumentState
) -> None:
    fits = _fits(after)
    try:
        limits.check_growth(before, after)
    except EditorError:
        assert not fits
        return
    assert fits or not _fits(before), "only a document that was beyond the limits may stay there"


def test_a_command_asks(qapp: object) -> None:
    layer = Layer(name="a", raster=Raster.filled(20, 20))
    document = Document(DocumentState.of_layer(layer))
    more = tuple(Layer(name="b", raster=Raster.filled(20, 20)) for _ in range(3))
    with pytest.raises(EditorError, match="megapixels together"):
        Command(document, "Add", document.state.inserted(more))
    assert document.state.layers == (layer,)


def test_shared_pixels_count_once() -> None:
    raster = Raster.filled(20, 20)
    nodes = tuple(Layer(name="a", raster=raster) for _ in range(5))
    limits.check_document(DocumentState(width=20, height=20, layers=nodes))


@pytest.mark.parametrize("name", ["a.ora", "a.png", "a.tif", "a.webp", "a.jpg", "a.avif"])
@pytest.mark.parametrize("size", [2**20 - 1, 2**20 + 1, 3 * 2**20])
def test_large_profiles_survive(tmp_path: Path, name: str, size: int) -> None:
    state = _with_profile(size)
    path = tmp_path / name
    if name.endswith(".ora"):
        save_project(state, SourceMetadata(), path)
    else:
        export_picture(state, SourceMetadata(), path, ExportOptions())
    opened = open_file(path)
    assert opened.state.icc_profile == state.icc_profile
    assert opened.notes == ()


def test_a_profile_that_no_file_could_carry_is_refused_before_saving(tmp_path: Path) -> None:
    state = _with_profile(limits.LARGEST_PROFILE_BYTES + 1)
    with pytest.raises(EditorError, match="profile has 17 MiB"):
        save_project(state, SourceMetadata(), tmp_path / "a.ora")
    assert list(tmp_path.iterdir()) == []


def test_pillow_s_own_limit_does_not_stand_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LARGEST_PIXELS", 400_000_000)
    monkeypatch.setattr(limits, "LARGEST_SIDE_PX", 300_000)
    assert Image.MAX_IMAGE_PIXELS == decoding.LARGEST_PIXELS
    path = tmp_path / "a.png"
    image = Image.new("1", (19_000, 10_000))  # 190 megapixels
    image.save(path)
    assert open_file(path).state.width == 19_000


def _fits(state: DocumentState) -> bool:
    try:
        limits.check_document(state)
    except EditorError:
        return False
    return True


def _with_profile(size: int) -> DocumentState:
    """A document whose profile has so many bytes, of which most do not deflate."""
    profile = bytearray(colour.built_in_profile("adobe-rgb"))
    profile += random.Random(3).randbytes(size - len(profile))
    profile[:4] = size.to_bytes(4, "big")
    pixels = np.full((8, 8, 4), 255, np.uint8)
    state = DocumentState.of_layer(Layer(name="a", raster=Raster.of(pixels)))
    return replace(state, icc_profile=bytes(profile))
