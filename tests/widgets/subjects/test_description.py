"""A picture without a prompt gets sliders as soon as somebody says what it shows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.commands import ReplaceState
from editor.document.document import Document
from editor.generating.region import region_of
from editor.layers.layer import Layer, Mask
from editor.layers.recipes import with_parameters
from editor.pixels.raster import Raster
from inference.content import content_hash
from inference.messages import Message
from inference.operations import Edit, Score
from inference.service import JobState
from tests.helpers.fake_service import FakeService
from widgets.generate.filmstrip import Filmstrip
from widgets.layers.layer_summary import recipe_summary
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow


@pytest.fixture
def panel(
    window: MainWindow, application: Application, service: FakeService, tmp_path: Path, qtbot: QtBot
) -> SubjectPanel:
    pixels = np.random.default_rng(2).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "照片.png")
    application.open_file(tmp_path / "照片.png")
    qtbot.waitUntil(lambda: application.current is not None)
    service.pictures = lambda request: (pixels,)
    found = window.panel("subjects")
    assert isinstance(found, SubjectPanel)
    return found


def describe_a_man(panel: SubjectPanel, application: Application, qtbot: QtBot) -> None:
    qtbot.keyClicks(panel.description.field, "a man")
    qtbot.keyClick(panel.description.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: application.session is not None)


def test_it_asks_what_the_picture_shows(panel: SubjectPanel, qtbot: QtBot) -> None:
    assert not panel.description.isHidden()
    assert not panel.description.start.isEnabled()
    panel.description.field.setPlainText("  \n ")
    assert not panel.description.start.isEnabled()


def test_the_answer_makes_a_layer_with_sliders(
    panel: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    document = application.current
    assert document is not None
    describe_a_man(panel, application, qtbot)
    photo, layer = document.layers
    assert isinstance(layer, Layer)
    assert isinstance(photo, Layer)
    assert layer.recipe is not None
    parameters = layer.recipe.request.parameters
    assert isinstance(parameters, Edit)
    assert parameters.prompt == "a man"
    kept = layer.recipe.contents[parameters.image.hash]
    assert content_hash(kept) == parameters.image.hash
    assert np.array_equal(kept, photo.pixels[..., :3])
    assert not Document(document.state).made_by, "the photo was opened, whatever lies above it"
    session = application.session
    assert session is not None
    session.toggle_subject(2, 5)
    session.add_attribute(0, "age")
    qtbot.waitUntil(lambda: not session.busy)
    assert panel.sections[0].rows.keys() == {"age"}


def select(application: Application, mask: Mask | None) -> None:
    document = application.current
    assert document is not None
    state = replace(document.state, selection=mask)
    application.run(lambda: ReplaceState(document, state, "Select"))


def square(x: int, y: int) -> Mask:
    return Mask(raster=Raster.of(np.full((8, 8), 255, np.uint8)), x=x, y=y)


def test_another_part_of_a_described_picture_gets_sliders_of_its_own(
    panel: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    document = application.current
    assert document is not None
    describe_a_man(panel, application, qtbot)
    panel.another.click()
    assert panel.description.isVisibleTo(panel)
    assert not panel.prompt.isVisibleTo(panel)
    assert panel.description.text == ""
    panel.back.click()
    assert panel.prompt.isVisibleTo(panel)
    assert not panel.description.isVisibleTo(panel)

    select(application, square(50, 10))
    panel.another.click()
    qtbot.keyClicks(panel.description.field, "a dog")
    qtbot.keyClick(panel.description.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(document.layers) == 3)
    assert document.prompt == "a dog"
    assert panel.prompt.isVisibleTo(panel)
    assert application.session is not None
    assert application.session.layer_id == document.state.active
    first, second = document.layers[1:]
    assert isinstance(first, Layer)
    assert isinstance(second, Layer)
    assert first.recipe is not None
    assert first.recipe.prompt == "a man"
    assert second.mask is not None

    application.run(lambda: ReplaceState(document, replace(document.state, active=first.id), "Choose"))
    assert panel.prompt.isVisibleTo(panel)
    panel.another.click()
    assert panel.description.text == "", "it is described already, in whichever layer"


def test_the_layer_shows_what_was_selected_when_it_was_asked_for(
    panel: SubjectPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    document, asked = application.current, square(4, 4)
    assert document is not None
    service.fake_engine.automatic = False
    for first, later, expected in (
        (asked, square(80, 50), asked),
        (None, asked, None),
        (square(-500, -500), None, None),  # nothing of the canvas: the whole picture was described
    ):
        select(application, first)
        application.operations.describe("a man")
        qtbot.waitUntil(lambda: len(service.jobs()) == 1)
        select(application, later)
        service.finish()
        qtbot.waitUntil(lambda: len(document.layers) == 2)
        layer = document.state.find(document.state.active)
        assert isinstance(layer, Layer)
        assert layer.recipe is not None
        assert (layer.mask and layer.mask.area) == (expected and expected.area)
        application.undo()


def test_closing_a_document_ends_what_is_made_for_it(
    panel: SubjectPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    service.fake_engine.automatic = False
    document = application.current
    assert document is not None
    application.operations.describe("a man")
    qtbot.waitUntil(lambda: len(service.jobs()) == 1)
    application.close(document)
    qtbot.waitUntil(lambda: not service.jobs())
    assert not application.operations.busy
    assert service.submitted[-1].state is JobState.CANCELLED


def test_what_was_typed_belongs_to_its_picture(
    panel: SubjectPanel, application: Application, tmp_path: Path, qtbot: QtBot
) -> None:
    first = application.current
    assert first is not None
    qtbot.keyClicks(panel.description.field, "a man")
    Image.new("RGB", (40, 30), "red").save(tmp_path / "other.png")
    application.open_file(tmp_path / "other.png")
    qtbot.waitUntil(lambda: application.current is not first)
    assert panel.description.text == ""
    assert not panel.description.start.isEnabled()
    qtbot.keyClicks(panel.description.field, "a wall")
    second = application.current
    application.set_current(first)
    assert panel.description.text == "a man"
    application.set_current(second)
    assert panel.description.text == "a wall"


def test_the_detector_looks_at_what_is_selected(
    panel: SubjectPanel, application: Application, service: FakeService, tmp_path: Path, qtbot: QtBot
) -> None:
    service.fake_engine.automatic = False
    first = application.current
    Image.fromarray(np.random.default_rng(4).integers(0, 256, (200, 300, 3), np.uint8)).save(
        tmp_path / "large.png"
    )
    application.open_file(tmp_path / "large.png")
    qtbot.waitUntil(lambda: application.current is not first)
    document = application.current
    assert document is not None
    whole = document.composite()
    for selection in (None, square(82, 50)):
        select(application, selection)
        area = region_of(document.state)
        assert (area == document.state.area) == (selection is None)
        rows, columns = slice(area.y, area.y + area.height), slice(area.x, area.x + area.width)
        application.descriptions.suggest()
        qtbot.waitUntil(lambda: len(service.jobs()) == 1)
        job = service.jobs()[0]
        assert isinstance(job.request.parameters, Score)
        seen = job.contents[job.request.parameters.image.hash]
        assert np.array_equal(seen, whole[rows, columns, :3])
        service.finish()
        qtbot.waitUntil(lambda: not service.jobs())


def test_a_seed_that_decides_nothing_is_neither_told_nor_offered(
    panel: SubjectPanel, application: Application, window: MainWindow, qtbot: QtBot
) -> None:
    application.operations.describe("a man")
    qtbot.waitUntil(lambda: application.session is not None)
    assert not application.holds("seed")
    assert not window.actions_by_id["generate.variations"].isEnabled()
    strip = window.panel("variations")
    assert isinstance(strip, Filmstrip)
    assert strip.make.isHidden()
    assert application.current is not None
    recipe = application.current.recipe_layer
    assert recipe is not None
    assert recipe.recipe is not None
    assert "seed" not in recipe_summary(recipe.recipe)
    drawing = with_parameters(recipe.recipe, inversion="edit-friendly")
    assert "seed 0" in recipe_summary(drawing)


def test_a_description_that_does_not_fit_is_said_once_when_a_slider_tells(
    panel: SubjectPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    application.operations.describe("a man")
    qtbot.waitUntil(lambda: application.session is not None)
    answer = service.result
    service.result = lambda request, images=None: replace(  # type: ignore[method-assign]
        answer(request, images), notes=(Message("It does not fit."),)
    )
    told: list[str] = []
    application.message.connect(lambda text, hint, level: told.append(f"{level}: {text}"))
    session = application.session
    assert session is not None
    session.toggle_subject(2, 5)
    session.add_attribute(0, "age")
    for value in (0.5, 0.8):
        session.set_value(0, "age", value, dragging=False)
        qtbot.waitUntil(lambda: not session.busy)
    assert told == ["warning: It does not fit."]


def test_what_is_typed_while_the_detector_looks_stays(
    panel: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    document = application.current
    description = panel.description
    description.suggestion_wanted.emit()
    description.field.setPlainText("a sleeping cat")
    application.descriptions.suggested.emit(document, "a photo of a man")
    assert description.text == "a sleeping cat"
    description.suggestion_wanted.emit()
    application.descriptions.suggested.emit(document, "a photo of a man")
    assert description.text == "a photo of a man"


def test_who_asks_for_sliders_or_a_word_is_answered_where_it_can_be_seen(
    panel: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    """They went into what was hidden while another part of the picture was being described."""
    application.operations.describe("a man")
    qtbot.waitUntil(lambda: application.session is not None)
    assert application.session is not None
    application.session.toggle_subject(2, 5)
    panel.another.click()
    panel.shelf.chosen.emit("<my-cat>")
    assert panel.description.text == "<my-cat>"
    assert not panel.prompt.is_editing
    for ask in (application.sessions.edit_recipe, lambda: panel.focus_subject(0)):
        panel.another.click()
        assert panel.description.isVisibleTo(panel)
        ask()
        assert panel.prompt.isVisibleTo(panel)
        assert not panel.description.isVisibleTo(panel)
    assert panel.description.text == "<my-cat>", "what was typed stays"
