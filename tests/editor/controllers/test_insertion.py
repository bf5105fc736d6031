"""Layers of Insert and Translate are made from the picture below them, like those with sliders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.colour.conversion import built_in_profile
from editor.commands import ReplaceState, SetSelection, push
from editor.controllers import insertion
from editor.controllers.insertion import POSITIONS
from editor.document.document import Document
from editor.edits.geometry import cropped_to, flipped, turned
from editor.layers.layer import Layer, Mask
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite_samples
from editor.sliders.strengths import IDLE_MS
from inference.errors import EditorError
from inference.operations import Insert, InsertSweep, Translate
from inference.request import Pixels, Request
from tests.helpers.fake_application import make_application
from tests.helpers.fake_service import FakeService

PHOTO = np.random.default_rng(5).integers(0, 200, (60, 90, 3), np.uint8)
INSERTED = {"source_prompt": "a photo of a man", "prompt": "a photo of a cat"}


def brighter(picture: Pixels, strength: float) -> Pixels:
    """The rows from 30 on, by strength."""
    found = np.array(picture)
    found[30:, :, :3] += round(40 * strength)
    return found


@pytest.fixture
def application(qtbot: QtBot, tmp_path: Path) -> Iterator[Application]:
    made = make_application(tmp_path)
    service = made.service
    assert isinstance(service, FakeService)

    def pictures(request: Request) -> tuple[Pixels, ...]:
        kept = {name: blob for job in service.submitted for name, blob in job.contents.items()}
        parameters = request.parameters
        assert isinstance(parameters, Insert | Translate)
        found = kept[parameters.image.hash]
        assert isinstance(found, np.ndarray)
        if isinstance(parameters, InsertSweep):
            return tuple(brighter(found, strength) for strength in parameters.positions)
        return (brighter(found, parameters.strength if isinstance(parameters, Insert) else 1.0),)

    service.pictures = pictures
    heat = np.zeros((12, 18), np.float32)
    heat[6:] = 1
    service.maps = {"mask/change": heat}
    yield made
    made.shutdown()
    made.deleteLater()


def opened(application: Application, state: DocumentState | None = None) -> Document:
    document = Document(state or DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=PHOTO)))
    application.add_document(document)
    return document


def settle(application: Application, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not application.service.jobs() and not application.background.busy)


def inserted(application: Application, document: Document, qtbot: QtBot) -> Layer:
    count = len(document.layers)
    application.insertion.start(INSERTED, "mini-sdxl", in_selection=False)
    qtbot.waitUntil(lambda: len(document.layers) == count + 1)
    settle(application, qtbot)
    return document.layer(document.state.active)


def translated(application: Application, document: Document, qtbot: QtBot) -> Layer:
    count = len(document.layers)
    application.translation.start({"prompt": "a sad dog"})
    qtbot.waitUntil(lambda: len(document.layers) == count + 1)
    settle(application, qtbot)
    return document.layer(document.state.active)


def retouched(state: DocumentState) -> DocumentState:
    photo = state.layers[0]
    assert isinstance(photo, Layer)
    raster = photo.raster.written(0, 0, np.full((4, 4, photo.raster.array().shape[2]), 9, np.uint8))
    return state.with_layer(photo.changed(raster=raster))


@pytest.mark.parametrize("make", [inserted, translated])
def test_a_retouched_photo_makes_it_one_of_an_older_state(make, application, qtbot) -> None:  # type: ignore[no-untyped-def]
    document = opened(application)
    layer = make(application, document, qtbot)
    assert layer.recipe.from_below
    assert application.holds("from_below")
    older = application.older_states
    application.run(lambda: ReplaceState(document, retouched(document.state), "retouch"))
    qtbot.waitUntil(lambda: layer.id in older.of(document))
    document.set_active(layer.id)
    older.make_again()
    qtbot.waitUntil(lambda: layer.id not in older.of(document))
    settle(application, qtbot)
    again = document.layer(layer.id)
    assert again.recipe is not None
    assert again.recipe.from_below
    assert again.recipe.picture != layer.recipe.picture


def test_what_lies_above_its_place_is_not_drawn_into_it(application: Application, qtbot: QtBot) -> None:
    photo = Layer.of_pixels(name="photo", pixels=PHOTO)
    above = Layer.of_pixels(name="note", pixels=np.full((60, 90, 3), 255, np.uint8))
    state = DocumentState.of_layer(photo)
    state = replace(state.inserted([above], index=1), active=photo.id)
    document = opened(application, state)
    layer = inserted(application, document, qtbot)
    assert [node.name for node in document.layers] == ["photo", "Insert", "note"]
    assert layer.recipe is not None
    assert np.array_equal(layer.recipe.contents[layer.recipe.picture], PHOTO)
    assert layer.id not in application.older_states.of(document)


def test_a_photo_of_16_bits_keeps_its_samples_where_nothing_changes(
    application: Application, qtbot: QtBot
) -> None:
    samples = np.random.default_rng(7).integers(0, 40_000, (60, 90, 4), np.uint16)
    samples[..., 3] = 65_535
    state = DocumentState.of_layer(Layer(name="photo", raster=Raster.of(samples)))
    document = opened(application, replace(state, icc_profile=built_in_profile("display-p3")))
    layer = inserted(application, document, qtbot)
    for strength in (1.0, 0.5):
        application.insertion.set_strength(strength, dragging=False)
        now = document.layer(layer.id)
        assert np.array_equal(now.raster.array()[:30], samples[:30])
        assert (now.raster.array()[30:] != samples[30:]).any()
    application.insertion.set_strength(0.0, dragging=False)
    shown = composite_samples(document.layers, document.state.area, document.state.depth)
    assert np.array_equal(shown, samples), "at 0 the photo is as it was"


def test_made_again_it_keeps_its_picture_and_its_place(application: Application, qtbot: QtBot) -> None:
    document = opened(application)
    layer = inserted(application, document, qtbot)
    application.insertion.again({"seed": 8})
    qtbot.waitUntil(lambda: document.layer(layer.id).recipe.seed == 8)  # type: ignore[union-attr]
    settle(application, qtbot)
    again = document.layer(layer.id)
    assert layer.recipe is not None
    assert again.recipe is not None
    assert again.recipe.from_below
    assert again.recipe.picture == layer.recipe.picture
    assert (again.area, len(document.layers)) == (layer.area, 2)


@pytest.mark.parametrize("make", [inserted, translated])
@pytest.mark.parametrize("crop", [False, True])
def test_made_again_it_lies_where_it_was_moved_meanwhile(  # type: ignore[no-untyped-def]
    make, crop, application, qtbot
) -> None:
    document, service = opened(application), application.service
    layer = make(application, document, qtbot)
    service.fake_engine.automatic = False
    maker = application.insertion if make is inserted else application.operations
    count = len(service.submitted)
    if make is inserted:
        maker.again({"seed": 8})
    else:
        application.operations.make_again(layer.id)
    qtbot.waitUntil(lambda: len(service.submitted) > count)
    if crop:
        state = cropped_to(document.state, Area(20, 10, 40, 30))
    else:
        state = document.state.with_layer(document.layer(layer.id).moved(7, -4))
    application.run(lambda: ReplaceState(document, state, "move"))
    service.fake_engine.automatic = True
    service.finish()
    qtbot.waitUntil(lambda: not maker.busy and not application.background.busy)
    settle(application, qtbot)
    corner = (-20, -10) if crop else (7, -4)
    assert document.layer(layer.id).area == Area(*corner, 90, 60)


def test_a_drag_shows_the_colours_that_it_ends_in(application: Application, qtbot: QtBot) -> None:
    skin = np.full((60, 90, 3), (200, 120, 90), np.uint8)
    state = DocumentState.of_layer(Layer.of_pixels(name="photo", pixels=skin))
    document = opened(application, replace(state, icc_profile=built_in_profile("display-p3")))
    layer = inserted(application, document, qtbot)
    application.insertion.set_strength(0.5, dragging=True)
    dragged = document.preview(layer.id)
    assert isinstance(dragged, Layer)
    application.insertion.set_strength(0.5, dragging=False)
    ended = document.layer(layer.id).pixels
    assert np.abs(dragged.pixels[30:].astype(int) - ended[30:]).max() <= 1


def test_the_strength_of_a_cropped_layer_is_one_of_what_is_left(
    application: Application, qtbot: QtBot
) -> None:
    document = opened(application)
    layer = inserted(application, document, qtbot)
    area = Area(20, 20, 40, 30)
    application.run(lambda: ReplaceState(document, cropped_to(document.state, area), "crop"))
    assert document.layer(layer.id).recipe.lacks_picture  # type: ignore[union-attr]
    assert application.insertion.keyframes(document.layer(layer.id)) == {}
    application.insertion.set_strength(0.5, dragging=False)
    qtbot.waitUntil(lambda: document.layer(layer.id).recipe.request.parameters.strength == 0.5)  # type: ignore[union-attr]
    settle(application, qtbot)
    now = document.layer(layer.id)
    assert now.area == document.state.area
    assert now.recipe is not None
    assert np.array_equal(now.recipe.contents[now.recipe.picture], PHOTO[20:50, 20:60])


@pytest.mark.parametrize("again", [False, True])
def test_a_photo_that_is_turned_meanwhile_is_edited_as_it_is_then(
    application: Application, qtbot: QtBot, again: bool
) -> None:
    document = opened(application)
    if again:
        inserted(application, document, qtbot)
    service = application.service
    assert isinstance(service, FakeService)
    service.fake_engine.automatic = False
    count = len(service.submitted)
    if again:
        application.insertion.again({"seed": 8})
    else:
        application.insertion.start(INSERTED, "mini-sdxl", in_selection=False)
    qtbot.waitUntil(lambda: len(service.submitted) > count)
    application.run(lambda: ReplaceState(document, turned(document.state, 1), "turn"))
    service.fake_engine.automatic = True
    service.finish()
    qtbot.waitUntil(lambda: not application.insertion.busy and not application.background.busy)
    settle(application, qtbot)
    layer = document.layers[-1]
    assert isinstance(layer, Layer)
    assert len(document.layers) == 2
    assert layer.area == document.state.area
    assert layer.recipe is not None
    assert np.array_equal(layer.recipe.contents[layer.recipe.picture], np.rot90(PHOTO, -1))


def test_a_strength_in_hand_ends_when_another_picture_is_shown(
    application: Application, qtbot: QtBot
) -> None:
    document = opened(application)
    layer = inserted(application, document, qtbot)
    application.insertion.set_strength(0.5, dragging=True)
    other = opened(application)
    second = inserted(application, other, qtbot)
    application.insertion.set_strength(1.0, dragging=False)  # the key's pause is over
    assert document.preview(layer.id) is None
    assert document.layer(layer.id).recipe.request.parameters.strength == 0.5  # type: ignore[union-attr]
    assert other.layer(second.id).recipe.request.parameters.strength == 1.0  # type: ignore[union-attr]


def test_a_strength_in_hand_ends_with_its_layer(application: Application, qtbot: QtBot) -> None:
    """Brought back, the layer took that strength as soon as another one's was in hand."""
    document = opened(application)
    layer = inserted(application, document, qtbot)
    application.insertion.set_strength(0.5, dragging=True)
    document.undo_stack.undo()
    application.insertion.set_strength(0.5, dragging=False)
    document.undo_stack.redo()
    inserted(application, opened(application), qtbot)
    application.insertion.set_strength(0.25, dragging=True)
    assert document.layer(layer.id).recipe.request.parameters.strength == 1.0  # type: ignore[union-attr]


def test_a_place_that_was_mirrored_is_not_the_place_any_more(application: Application, qtbot: QtBot) -> None:
    document = opened(application)
    values = np.zeros((60, 90, 1), np.uint8)
    values[:, :20] = 255
    mask = Mask(raster=Raster.of(values), x=0, y=0, outside=0)
    push(document, SetSelection(document, mask, "Select"))
    application.insertion.start(INSERTED, "mini-sdxl", in_selection=True)
    qtbot.waitUntil(lambda: len(document.layers) == 2)
    settle(application, qtbot)
    application.run(lambda: ReplaceState(document, flipped(document.state, across=True), "flip"))
    told: list[str] = []
    application.message.connect(lambda text, *_: told.append(text))
    application.older_states.make_again()
    qtbot.waitUntil(lambda: bool(told))
    assert "no longer fits" in told[-1]


@pytest.mark.parametrize("fails", [False, True])
def test_a_strength_that_is_awaited_is_shown_until_its_picture_comes(
    application: Application, qtbot: QtBot, fails: bool
) -> None:
    document = opened(application)
    layer = inserted(application, document, qtbot)
    service, insertion = application.service, application.insertion
    assert isinstance(service, FakeService)
    service.fake_engine.automatic = False
    insertion.set_strength(0.6, dragging=True)
    insertion.set_strength(0.6, dragging=False)
    qtbot.waitUntil(lambda: insertion.busy)
    assert insertion.strength_of(document.layer(layer.id)) == 0.6
    assert document.preview(layer.id) is not None
    if fails:
        service.fail(EditorError("No."))
    else:
        service.finish()
    qtbot.waitUntil(lambda: not insertion.busy)
    assert document.preview(layer.id) is None
    now = document.layer(layer.id)
    assert insertion.strength_of(now) == (1.0 if fails else 0.6)
    assert (now.pixels[40, 40, :3] == brighter(PHOTO, 1.0 if fails else 0.6)[40, 40]).all()


@pytest.mark.parametrize("strength", [0.5, 0.6])
def test_the_history_tells_another_strength_from_another_picture(
    application: Application, qtbot: QtBot, strength: float
) -> None:
    """Whether its picture is known already (0.5) or not; all steps were called after the prompt."""
    document = opened(application)
    inserted(application, document, qtbot)
    assert document.undo_stack.undoText() == "Insert “a photo of a cat”"
    application.insertion.set_strength(strength, dragging=False)
    qtbot.waitUntil(lambda: document.undo_stack.undoText() == f"Strength {strength}")
    application.insertion.again({"prompt": "a photo of a dog"})
    qtbot.waitUntil(lambda: document.undo_stack.undoText() == "Insert “a photo of a dog”")


def test_the_last_strength_counts_while_pictures_are_awaited(application: Application, qtbot: QtBot) -> None:
    document = opened(application)
    layer = inserted(application, document, qtbot)
    service, insertion = application.service, application.insertion
    assert isinstance(service, FakeService)
    service.fake_engine.automatic = False
    for value in (0.6, 0.7):
        count = len(service.submitted)
        insertion.set_strength(value, dragging=False)
        qtbot.waitUntil(lambda: len(service.submitted) > count)  # noqa: B023
    assert [job.request.parameters.strength for job in service.jobs()] == [0.7]  # type: ignore[attr-defined]
    assert insertion.strength_of(document.layer(layer.id)) == 0.7
    insertion.set_strength(0.5, dragging=False)  # which is known
    qtbot.waitUntil(lambda: not service.jobs() and not insertion.busy)
    assert insertion.strength_of(document.layer(layer.id)) == 0.5


def preparing(application: Application, qtbot: QtBot) -> tuple[Document, FakeService]:
    """A document with an edit whose strengths are being prepared."""
    document, service = opened(application), application.service
    assert isinstance(service, FakeService)
    service.fake_engine.automatic = False
    application.insertion.start(INSERTED, "mini-sdxl", in_selection=False)
    qtbot.waitUntil(lambda: bool(service.jobs()))
    service.finish()
    qtbot.waitUntil(lambda: [job.request.operation for job in service.jobs()] == ["insert-sweep"])
    return document, service


def test_the_pictures_of_strengths_are_begun_again_after_what_came_in_between(
    application: Application, qtbot: QtBot
) -> None:
    """Variations, or anything else that was asked for, cancelled them, and the track waited for ever."""
    document, service = preparing(application, qtbot)
    application.insertion.start(INSERTED, "mini-sdxl", in_selection=False)
    qtbot.waitUntil(lambda: [job.request.operation for job in service.jobs()] == ["insert"])
    service.fake_engine.automatic = True
    layer = document.layer(document.state.active)
    service.cancel_all()
    qtbot.waitUntil(lambda: set(application.insertion.keyframes(layer)) == set(POSITIONS))


def test_the_pictures_of_strengths_are_made_no_longer_than_their_document_is_open(
    application: Application, qtbot: QtBot
) -> None:
    document, service = preparing(application, qtbot)
    application.close(document)
    qtbot.waitUntil(lambda: not service.jobs())


def test_a_reopened_layer_gets_the_pictures_of_its_strengths_unless_they_are_not_wanted(
    application: Application, qtbot: QtBot
) -> None:
    document = opened(application)
    layer = inserted(application, document, qtbot)
    application.insertion._known.clear()  # of another start
    application.settings.set("precompute", False)
    assert not application.insertion.prepares(layer)
    application.insertion.prepare()
    qtbot.wait(2 * IDLE_MS)
    assert not application.insertion.keyframes(layer)
    application.settings.set("precompute", True)
    qtbot.waitUntil(lambda: set(application.insertion.keyframes(layer)) == set(POSITIONS))


def test_strengths_beside_those_of_the_track_are_kept_as_far_as_there_is_room(
    application: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a large photo is tens of megabytes, and a hand asks for any number of them."""
    document = opened(application)
    monkeypatch.setattr(insertion, "_KEPT_BYTES", (len(POSITIONS) + 1) * PHOTO.nbytes)
    layer = inserted(application, document, qtbot)
    qtbot.waitUntil(lambda: set(application.insertion.keyframes(layer)) == set(POSITIONS))
    for value in (0.6, 0.7, 0.8):
        application.insertion.set_strength(value, dragging=False)
        qtbot.waitUntil(lambda: document.undo_stack.undoText() == f"Strength {value}")  # noqa: B023
    assert set(application.insertion.keyframes(layer)) == {*POSITIONS, 0.8}
    turned_photo = Layer.of_pixels(name="photo", pixels=np.rot90(PHOTO).copy())
    other = opened(application, DocumentState.of_layer(turned_photo))
    second = inserted(application, other, qtbot)
    qtbot.waitUntil(lambda: set(application.insertion.keyframes(second)) == set(POSITIONS))
    assert not application.insertion.keyframes(layer), "it gives way to the one in front"
    monkeypatch.setattr(insertion, "_KEPT_BYTES", 0)
    application.insertion.set_strength(0.6, dragging=False)
    qtbot.waitUntil(lambda: other.undo_stack.undoText() == "Strength 0.6")
    assert set(POSITIONS) < set(application.insertion.keyframes(second)), "or they would be made for ever"


def test_pictures_of_strengths_that_fail_are_not_waited_for(application: Application, qtbot: QtBot) -> None:
    document, service = preparing(application, qtbot)
    service.fail(EditorError("No memory."))
    assert not application.insertion.prepares(document.layer(document.state.active))


@pytest.mark.parametrize("operation", ["insert", "redraw"])
def test_a_stroke_on_a_layer_that_is_made_again_meanwhile_stays(
    application: Application, qtbot: QtBot, operation: str
) -> None:
    document, service = opened(application), application.service
    assert isinstance(service, FakeService)
    if operation == "insert":
        layer = inserted(application, document, qtbot)
    else:
        service.pictures = lambda request: (np.full((60, 90, 3), 77, np.uint8),)
        application.operations.start("redraw", {"prompt": "a cat"}, "mini-sdxl")
        qtbot.waitUntil(lambda: len(document.layers) == 2)
        layer = document.layer(document.state.active)
    service.fake_engine.automatic = False
    count = len(service.submitted)
    if operation == "insert":
        application.insertion.again({"seed": 8})
    else:
        application.operations.start("redraw", {"prompt": "a dog"}, "mini-sdxl", again=True)
    qtbot.waitUntil(lambda: len(service.submitted) > count)
    painted = document.layer(layer.id).changed(pixels=np.full((60, 90, 4), 9, np.uint8), recipe=None)
    push(document, ReplaceState(document, document.state.with_layer(painted), "paint"))
    service.finish()
    qtbot.waitUntil(lambda: len(document.layers) == 3)  # strengths are prepared then
    assert (document.layer(layer.id).pixels == 9).all()
    made = document.layer(document.state.active)
    assert made.recipe is not None
    assert document.layers[-1].id == made.id
