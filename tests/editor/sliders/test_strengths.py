"""Two strengths that answer from known pictures, and become steps of the history when they are exact."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from editor.commands import ReplaceState, push
from editor.document.document import Document
from editor.edits.geometry import cropped_to
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.pixels.raster import Area
from editor.sliders import strengths
from editor.sliders.strengths import Frames, Strength, StrengthSession
from inference.content import Picture, content_hash
from inference.errors import EditorError
from inference.operations import Translate
from inference.request import Pixels, Request
from tests.helpers.fake_service import FakeService

SIZE = 32
SOURCE = np.full((SIZE, SIZE, 3), 10, np.uint8)


def flat(value: int) -> Pixels:
    return np.full((SIZE, SIZE, 4), value, np.uint8)


def drawn(request: Request) -> tuple[Pixels, ...]:
    parameters = request.parameters
    assert isinstance(parameters, Translate)
    return (np.full((SIZE, SIZE, 3), round(200 * parameters.structure), np.uint8),)


@pytest.fixture
def service(qtbot: QtBot) -> FakeService:
    made = FakeService()
    made.pictures = drawn
    return made


@pytest.fixture
def session(service: FakeService) -> Any:
    name = content_hash(SOURCE)
    parameters = Translate(
        image=Picture(name), prompt="a dog", steps=4, width=SIZE, height=SIZE, guidance_scale=2.0
    )
    request = Request(operation="translate", parameters=parameters, model="mini-sd1", model_hash="x")
    recipe = Recipe(request=request, from_below=True, contents={name: SOURCE})
    layer = Layer.of_pixels(name="Translate", pixels=flat(160), recipe=recipe)
    document = Document(DocumentState.of_layer(layer))
    found = StrengthSession(document, layer.id, service)
    yield found
    found.close()


def shown(session: StrengthSession) -> int:
    node = session.document.shown_state().layer(session.layer_id)
    return int(node.pixels[0, 0, 0])


def test_frames_mix_along_one_slider() -> None:
    frames = Frames()
    frames.put(Strength(0.4, 1.0), flat(40))
    frames.put(Strength(0.8, 1.0), flat(80))
    found = frames.shown(Strength(0.5, 1.0))
    assert found is not None
    assert int(found[0, 0, 0]) == 50
    nearest = frames.shown(Strength(0.9, 0.9))
    assert nearest is not None
    assert int(nearest[0, 0, 0]) == 80
    assert frames.exact(Strength(0.5, 1.0)) is None
    assert Frames().shown(Strength(0.5, 1.0)) is None


def test_frames_are_kept_as_far_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of a large photo is a hundred megabytes; those that are prepared at a place always stay."""
    frames = Frames()
    monkeypatch.setattr(strengths, "_FRAMES_BYTES", 20 * flat(1).nbytes)
    for number in range(30):
        frames.put(Strength(number / 100, 1.0), flat(number))
    assert [strength.structure for strength in frames.strengths()] == [n / 100 for n in range(10, 30)]
    monkeypatch.setattr(strengths, "_FRAMES_BYTES", 0)
    frames.put(Strength(0.5, 0.5), flat(1))
    assert len(frames) > 2 * len(strengths.KEYFRAMES)


def test_no_appearance_is_the_picture_itself(session: StrengthSession, service: FakeService) -> None:
    session.set_value("appearance", 0.0, dragging=False)
    assert not service.submitted
    layer = session.document.layer(session.layer_id)
    assert int(layer.pixels[0, 0, 0]) == 10
    assert layer.recipe is not None
    assert layer.recipe.request.parameters.appearance == 0.0  # type: ignore[attr-defined]


def test_a_drag_shows_at_once_and_its_end_is_one_step(
    session: StrengthSession, service: FakeService, qtbot: QtBot
) -> None:
    document, before = session.document, session.document.undo_stack.count()
    session.set_value("appearance", 0.5, dragging=True)
    assert shown(session) == 85  # between the picture and the layer
    assert not service.submitted
    session.set_value("appearance", 1.0, dragging=True)
    session.set_value("structure", 0.5, dragging=False)
    assert len(service.submitted) == 1
    assert session.busy
    service.start()
    service.finish()
    qtbot.waitUntil(lambda: not session.busy)
    assert document.undo_stack.count() == before + 1
    assert shown(session) == 100
    document.undo_stack.undo()
    assert session.strength == Strength(0.8, 1.0)
    assert shown(session) == 160
    document.undo_stack.redo()
    assert session.strength == Strength(0.5, 1.0)
    session.set_value("structure", 0.8, dragging=False)  # known: no job
    assert len(service.submitted) == 1
    assert shown(session) == 160


def test_a_later_end_takes_the_place_of_an_earlier_one(
    session: StrengthSession, service: FakeService, qtbot: QtBot
) -> None:
    before = session.document.undo_stack.count()
    session.set_value("structure", 0.5, dragging=False)
    session.set_value("structure", 0.3, dragging=False)
    assert [job.request.parameters.structure for job in service.jobs()] == [0.3]  # type: ignore[attr-defined]
    service.start()
    service.finish()
    qtbot.waitUntil(lambda: not session.busy)
    assert session.document.undo_stack.count() == before + 1
    assert shown(session) == 60


def test_a_failure_shows_the_layer_as_it_was(
    session: StrengthSession, service: FakeService, qtbot: QtBot
) -> None:
    told: list[EditorError] = []
    session.failed.connect(told.append)
    session.set_value("structure", 0.5, dragging=False)
    service.start()
    service.fail(EditorError("No."))
    qtbot.waitUntil(lambda: bool(told))
    assert session.strength == Strength(0.8, 1.0)
    assert shown(session) == 160


def test_keyframes_are_prepared_when_nothing_else_is_to_be_done(
    session: StrengthSession, service: FakeService, qtbot: QtBot
) -> None:
    session.set_precompute(True)
    qtbot.waitUntil(lambda: len(service.submitted) == 1)
    first = service.submitted[0].request.parameters
    assert isinstance(first, Translate)
    assert (first.structure, first.appearance) in {(0.6, 1.0), (1.0, 1.0), (0.8, 0.8)}
    service.start()
    service.finish()
    qtbot.waitUntil(lambda: len(service.submitted) == 2)
    assert service.submitted[1].request != service.submitted[0].request


def test_another_kind_of_layer_is_refused(service: FakeService) -> None:
    document = Document(DocumentState.of_layer(Layer.of_pixels(name="Plain", pixels=flat(1))))
    with pytest.raises(EditorError, match="not translated"):
        StrengthSession(document, document.state.active, service)


def test_strengths_are_kept_within_their_range() -> None:
    assert Strength(0.5, 0.5).with_("structure", 1.7) == Strength(1.0, 0.5)
    assert Strength.of(replace(Translate(image=Picture("0" * 64)), structure=0.123)) == Strength(0.12, 1.0)


def test_a_cropped_layer_gets_no_picture_of_what_was_cut_off(
    session: StrengthSession, service: FakeService, qtbot: QtBot
) -> None:
    document = session.document
    session.set_value("structure", 0.5, dragging=False)
    service.start()
    service.finish()
    qtbot.waitUntil(lambda: not session.busy)
    push(document, ReplaceState(document, cropped_to(document.state, Area(8, 8, 16, 16)), "crop"))
    session.set_value("structure", 0.8, dragging=False)  # was known of the whole picture
    layer = document.layer(session.layer_id)
    assert layer.shape == (16, 16)
    assert layer.recipe is None or layer.recipe.lacks_picture
