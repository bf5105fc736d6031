"""What a method gives goes where something is selected, in the document's colours, and stays editable."""

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from editor.colour import conversion as colour
from editor.document.document import Document
from editor.generating.variations import VariationSession
from editor.layers.layer import Layer, Mask
from editor.pixels.arithmetic import mixed
from editor.pixels.raster import Raster
from editor.sliders.session import AttributeSession
from tests.editor.samples import (
    MAN,
    WOMAN,
    fake_service,
    flat,
    generated,
    known_attributes,
    noise,
    session_of,
)
from tests.helpers.fake_service import FakeService


@pytest.fixture
def service(qtbot: QtBot) -> FakeService:
    return fake_service()


def left_half(share: int = 255) -> Mask:
    values = np.zeros((8, 8), np.uint8)
    values[:, :4] = share
    return Mask(raster=Raster.of(values))


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    made = generated(MAN, WOMAN)
    made.swap_state(replace(made.state, selection=left_half()))
    return made


def columns(document: Document) -> list[int]:
    return document.composite()[0, [0, 7], 0].tolist()


def top(document: Document) -> Layer:
    layer = document.layers[-1]
    assert isinstance(layer, Layer)
    return layer


def test_a_slider_changes_what_is_selected_in_a_layer_above(document: Document, service: FakeService) -> None:
    session = session_of(document, service)
    original = document.layers[0]
    session.set_value(0, "age", 1.0, dragging=False)
    service.finish()
    assert len(document.layers) == 2
    above = top(document)
    assert above.mask is not None
    assert above.recipe is not None
    assert above.recipe.edits[0].value == 1.0
    assert (document.state.active, columns(document)) == (above.id, [120, 100])
    assert document.layers[0] is not original, "the slider was added to it at zero, nothing else"
    assert document.layers[0].pixels[0, 0, 0] == 100  # type: ignore[attr-defined]
    assert session.value(0, "age") == 0.0
    document.undo_stack.undo()
    assert (len(document.layers), columns(document)) == (1, [100, 100])


def test_the_new_layers_own_sliders_change_it_in_place(document: Document, service: FakeService) -> None:
    first = session_of(document, service)
    first.set_value(0, "age", 1.0, dragging=False)
    service.finish()
    session = AttributeSession(document, top(document).id, service, known_attributes)
    session.set_value(0, "age", 2.0, dragging=False)
    service.finish()
    assert len(document.layers) == 2
    assert columns(document) == [140, 100]


def test_a_drag_shows_only_where_something_is_selected(document: Document, service: FakeService) -> None:
    session = session_of(document, service)
    session.add_attribute(0, "age")
    session.set_value(0, "age", 1.0, dragging=True)
    service.finish()
    assert columns(document) == [120, 100]
    assert len(document.layers) == 1


def test_variations_go_to_one_layer_above(document: Document, service: FakeService) -> None:
    session = VariationSession(document, document.layers[0].id, service)
    session.start(2)
    service.finish()
    service.finish()
    session.choose(1)
    assert (len(document.layers), columns(document), session.current) == (2, [101, 100], 1)
    session.choose(2)
    assert (len(document.layers), columns(document), session.current) == (2, [102, 100], 2)


def test_results_are_converted_to_the_documents_profile(document: Document, service: FakeService) -> None:
    profile = colour.built_in_profile("adobe-rgb")
    document.swap_state(replace(document.state, selection=None, icc_profile=profile))
    session = VariationSession(document, document.layers[0].id, service)
    session.start(1)
    service.finish()
    session.choose(1)
    expected = colour.from_srgb(flat(101), profile)[0, 0].tolist()
    assert document.composite()[0, 0, :3].tolist() == expected
    assert session.variations[1].pixels is not None
    assert session.variations[1].pixels[0, 0].tolist() == [101] * 3
    own = session_of(document, service)
    own.set_value(0, "age", 1.0, dragging=True)
    service.finish()
    assert document.composite()[0, 0, :3].tolist() == colour.from_srgb(flat(121), profile)[0, 0].tolist()


def test_mixing_is_rounded_and_exact_at_both_ends() -> None:
    first, second = noise(1), noise(2)
    weights = np.random.default_rng(3).integers(0, 256, (8, 8), np.uint8)
    weights[0], weights[1] = 0, 255
    share = weights[..., None] / 255
    expected = first * (1 - share) + second * share
    result = mixed(first, second, weights)
    assert np.abs(result - expected).max() <= 0.5 + 1e-9
    assert np.array_equal(result[0], first[0])
    assert np.array_equal(result[1], second[1])
