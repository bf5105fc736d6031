"""A layer that was made from the picture below it says so when that has changed, and is made again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.commands import ReplaceState
from editor.document.document import Document
from editor.edits.geometry import cropped_to, turned
from editor.formats.files import open_file
from editor.layers.layer import Layer
from editor.layers.state import DocumentState
from editor.pixels.raster import Area
from inference.operations import Edit
from inference.request import Pixels, Request
from tests.helpers.fake_service import FakeService
from widgets.layers.layer_model import OLDER_ROLE
from widgets.layers.layer_panel import LayerPanel
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow

PHOTO = np.random.default_rng(5).integers(0, 256, (60, 90, 3), np.uint8)


@pytest.fixture
def document(window: MainWindow, application: Application, service: FakeService, qtbot: QtBot) -> Document:
    """A photo and a layer made from it, with one subject and its slider."""

    def pictures(request: Request) -> tuple[Pixels, ...]:
        kept = {name: blob for job in service.submitted for name, blob in job.contents.items()}
        parameters = request.parameters
        assert isinstance(parameters, Edit)
        found = kept[parameters.image.hash]
        assert isinstance(found, np.ndarray)
        return (found,)

    service.pictures = pictures
    application.settings.set("precompute", False)
    made = Document.from_layer(Layer.of_pixels(name="photo", pixels=PHOTO))
    application.add_document(made)
    application.operations.describe("a man")
    qtbot.waitUntil(lambda: application.session is not None)
    session = application.session
    assert session is not None
    session.toggle_subject(2, 5)
    session.add_attribute(0, "age")
    qtbot.waitUntil(lambda: not session.busy)
    return made


@pytest.fixture
def panel(window: MainWindow) -> SubjectPanel:
    found = window.panel("subjects")
    assert isinstance(found, SubjectPanel)
    return found


def edited(document: Document) -> Layer:
    layer = document.layers[-1]
    assert isinstance(layer, Layer)
    return layer


def retouched(state: DocumentState) -> DocumentState:
    photo = state.layers[0]
    assert isinstance(photo, Layer)
    raster = photo.raster.written(0, 0, np.full((4, 4, 4), 9, np.uint8))
    return state.with_layer(photo.changed(raster=raster))


def change(application: Application, document: Document, state: DocumentState) -> None:
    application.run(lambda: ReplaceState(document, state, "change"))


def is_older(application: Application, document: Document) -> bool:
    return edited(document).id in application.older_states.of(document)


def test_a_retouched_photo_is_said_and_undone(
    document: Document, application: Application, panel: SubjectPanel, window: MainWindow, qtbot: QtBot
) -> None:
    said: list[str] = []
    application.message.connect(lambda text, hint, level: said.append(text))
    assert panel.older.isHidden()
    change(application, document, retouched(document.state))
    qtbot.waitUntil(lambda: is_older(application, document))
    assert said == ["“Attributes on a picture” was made from an older state of the picture below it."]
    assert panel.older.isVisible()
    assert panel.sections[0].isEnabled(), "the sliders go on with the picture that the layer has"
    layers = window.panel("layers")
    assert isinstance(layers, LayerPanel)
    assert layers.model.index_of(edited(document).id).data(OLDER_ROLE)
    application.undo()
    qtbot.waitUntil(lambda: not is_older(application, document))
    assert panel.older.isHidden()


def test_made_again_it_fits_with_its_subjects_and_sliders(
    document: Document, application: Application, panel: SubjectPanel, qtbot: QtBot
) -> None:
    change(application, document, retouched(document.state))
    qtbot.waitUntil(lambda: is_older(application, document))
    document.set_active(edited(document).id)
    assert application.holds("from_below")
    panel.older.again.click()
    qtbot.waitUntil(lambda: not is_older(application, document))
    layer = edited(document)
    assert np.array_equal(layer.pixels, document.layers[0].pixels)  # type: ignore[attr-defined]
    assert layer.recipe is not None
    assert [subject.text for subject in layer.recipe.subjects] == ["man"]
    assert panel.sections[0].rows.keys() == {"age"}


def test_the_keyboard_stays_out_of_what_comes_next(
    document: Document, application: Application, panel: SubjectPanel, qtbot: QtBot
) -> None:
    """It went to *Teach a concept…*, which Space would have pressed, and the panel scrolled to it."""
    change(application, document, retouched(document.state))
    qtbot.waitUntil(lambda: is_older(application, document))
    document.set_active(edited(document).id)
    panel.activateWindow()
    panel.older.again.setFocus()
    panel.older.again.click()
    qtbot.waitUntil(lambda: not is_older(application, document))
    qtbot.waitUntil(panel.older.isHidden)
    focused = QApplication.focusWidget()
    assert focused is None or not panel.isAncestorOf(focused)


def test_after_a_crop_the_sliders_wait_until_it_is_made_again(
    document: Document, application: Application, panel: SubjectPanel, qtbot: QtBot
) -> None:
    document.set_active(edited(document).id)
    change(application, document, cropped_to(document.state, Area(10, 10, 40, 30)))
    qtbot.waitUntil(lambda: is_older(application, document))
    assert not panel.sections[0].isEnabled()
    panel.older.again.click()
    qtbot.waitUntil(lambda: not is_older(application, document))
    layer = edited(document)
    assert (layer.area, panel.sections[0].isEnabled()) == (Area(0, 0, 40, 30), True)
    assert np.array_equal(layer.pixels[..., :3], PHOTO[10:40, 10:50])


def test_it_survives_saving_and_opening(
    document: Document, application: Application, tmp_path: Path, qtbot: QtBot
) -> None:
    change(application, document, retouched(document.state))
    qtbot.waitUntil(lambda: is_older(application, document))
    with qtbot.waitSignal(application.saved):
        application.save(document, tmp_path / "photo.ora")
    again = Document(open_file(tmp_path / "photo.ora").state)
    application.add_document(again)
    qtbot.waitUntil(lambda: is_older(application, again))


@pytest.mark.parametrize("way", ["crop", "turn"])
def test_a_canvas_that_changes_while_it_is_made_does_not_leave_it_at_the_old_place(
    way: str, window: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    service.fake_engine.automatic = False
    document = Document.from_layer(Layer.of_pixels(name="photo", pixels=PHOTO))
    application.add_document(document)
    application.operations.describe("a man")
    qtbot.waitUntil(lambda: len(service.jobs()) == 1)
    area = Area(20, 10, 50, 40)
    state = document.state
    change(application, document, cropped_to(state, area) if way == "crop" else turned(state, 1))
    service.finish((PHOTO,))
    if way == "turn":  # asked for once more
        qtbot.waitUntil(lambda: len(service.jobs()) == 1)
        service.finish((np.ascontiguousarray(np.rot90(PHOTO, -1)),))
    qtbot.waitUntil(lambda: len(document.layers) == 2)
    shown = document.composite()[..., :3]
    wanted = PHOTO[10:50, 20:70] if way == "crop" else np.rot90(PHOTO, -1)
    assert np.array_equal(shown, wanted)


def test_a_layer_with_a_selection_of_its_own_is_never_older(
    document: Document, application: Application, qtbot: QtBot
) -> None:
    """Above the layer it was made from, other things show than what its recipe began with."""
    layer = edited(document)
    assert layer.recipe is not None
    apart = layer.changed(recipe=replace(layer.recipe, from_below=False))
    change(application, document, retouched(document.state.with_layer(apart)))
    qtbot.wait(500)
    assert not is_older(application, document)
