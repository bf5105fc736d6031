from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from editor.actions import ACTIONS
from editor.adjustments import ADJUSTMENTS, kind_of
from editor.application import Application
from editor.commands import SetLayerProperty, SetSelection, push
from editor.document.document import Document
from editor.formats import ExportOptions
from editor.layers.layer import Adjustment, Mask
from editor.pixels.raster import Raster
from editor.system.settings import Settings
from inference.errors import EditorError
from inference.operations import Generate
from tests.editor.samples import ATTRIBUTES, MAN, PROMPT, fake_service, generated, noise
from tests.helpers.fake_service import FakeService


class FakeCatalogue:
    def find(self, model: str) -> Any:
        if model != "mini-sdxl":
            raise EditorError(f"There is no model “{model}”.", "There are: mini-sdxl.")
        return SimpleNamespace(name=model)


class FakeLibrary:
    def attributes(self, model: Any, subject: str) -> tuple[Any, ...]:
        return tuple(
            SimpleNamespace(attribute=item.attribute, label=item.label, range=(item.minimum, item.maximum))
            for item in ATTRIBUTES
        )


@pytest.fixture
def service(qtbot: QtBot) -> FakeService:
    return fake_service()


@pytest.fixture
def application(service: FakeService, tmp_path: Path) -> Iterator[Application]:
    settings = Settings(tmp_path / "config")
    made = Application(settings, service, FakeCatalogue(), FakeLibrary())  # pyright: ignore[reportArgumentType]
    made.told = []  # pyright: ignore[reportAttributeAccessIssue]
    made.message.connect(lambda *message: told(made).append(message))
    yield made
    made.shutdown()


def told(application: Application) -> list[tuple[str, str, str]]:
    return application.told  # pyright: ignore[reportAttributeAccessIssue]


@pytest.fixture
def document(application: Application, service: FakeService) -> Document:
    application.new_from_prompt(Generate(prompt=PROMPT, seed=7), "mini-sdxl", (MAN,))
    service.finish()
    assert application.current is not None
    return application.current


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(noise(1, channels=3)).save(path)
    return path


def settled(application: Application, qtbot: QtBot) -> None:
    qtbot.wait_until(lambda: not application.background.busy, timeout=5000)


class TestNewPictures:
    def test_a_document_opens_with_the_picture(self, document: Document, application: Application) -> None:
        assert application.documents == (document,)
        assert document.title == PROMPT
        (layer,) = document.layers
        assert (layer.name, layer.recipe is not None, document.subjects) == ("Generated", True, (MAN,))
        assert document.modified, "it is in no file yet"

    def test_the_session_of_its_layer_is_there(self, document: Document, application: Application) -> None:
        session = application.session
        assert session is not None
        assert session.available_attributes(0) == (("age", "Age"), ("smile", "Smile"))
        assert session.layer_id == document.layers[0].id

    @pytest.mark.parametrize(
        ("prompt", "model", "message"),
        [(" ", "mini-sdxl", "prompt is empty"), ("a cat", "huge", "no model “huge”")],
    )
    def test_what_is_wrong_is_said_and_nothing_starts(
        self, application: Application, service: FakeService, prompt: str, model: str, message: str
    ) -> None:
        assert application.new_from_prompt(Generate(prompt=prompt), model) is None
        assert message in told(application)[0][0]
        assert told(application)[0][2] == "error"
        assert service.jobs() == ()

    def test_a_failure_is_said(self, application: Application, service: FakeService) -> None:
        application.new_from_prompt(Generate(prompt="a cat"), "mini-sdxl")
        service.fail(EditorError("No memory.", "Close something."))
        assert told(application) == [("No memory.", "Close something.", "error")]
        assert application.documents == ()

    def test_stopping_it_is_quiet(self, application: Application, service: FakeService) -> None:
        application.new_from_prompt(Generate(prompt="a cat"), "mini-sdxl")
        assert application.holds("jobs")
        application.cancel_jobs()
        assert not application.holds("jobs")
        assert told(application) == []


class TestFiles:
    def test_a_photo_opens_beside_the_gui_thread(
        self, application: Application, photo: Path, qtbot: QtBot
    ) -> None:
        busy: list[str] = []
        application.busy_changed.connect(busy.append)
        application.open_file(photo)
        assert application.documents == ()
        settled(application, qtbot)
        (document,) = application.documents
        assert (document.title, document.path) == ("photo.png", None)
        assert busy == ["Opening photo.png…", ""]
        assert application.settings.recent_files == (str(photo),)
        assert application.session is None
        np.testing.assert_array_equal(document.composite()[..., :3], noise(1, channels=3))

    def test_what_is_no_picture_is_said(self, application: Application, tmp_path: Path, qtbot: QtBot) -> None:
        path = tmp_path / "letter.png"
        path.write_text("Dear Sir")
        application.open_file(path)
        settled(application, qtbot)
        assert "no picture that Attune reads" in told(application)[0][0]
        assert application.documents == ()

    def test_a_project_comes_back_with_its_sliders(
        self, application: Application, document: Document, service: FakeService, tmp_path: Path, qtbot: QtBot
    ) -> None:
        assert application.session is not None
        application.session.set_value(0, "age", 0.5, dragging=False)
        service.finish()
        path = tmp_path / "work.ora"
        application.save(document, path)
        settled(application, qtbot)
        assert (document.modified, document.path, document.title) == (False, path, "work.ora")
        application.close(document)
        application.open_file(path)
        settled(application, qtbot)
        assert application.session is not None
        assert application.session.value(0, "age") == 0.5
        assert application.current is not None
        assert application.current.path == path

    def test_an_open_project_is_not_opened_twice(
        self, application: Application, document: Document, tmp_path: Path, photo: Path, qtbot: QtBot
    ) -> None:
        application.save(document, tmp_path / "work.ora")
        application.open_file(photo)
        settled(application, qtbot)
        application.open_file(tmp_path / "work.ora")
        assert application.current is document
        assert len(application.documents) == 2

    def test_a_double_click_opens_one_document(
        self, application: Application, photo: Path, tmp_path: Path, qtbot: QtBot
    ) -> None:
        sample = tmp_path / "sample.png"
        sample.write_bytes(photo.read_bytes())
        for _ in range(2):
            application.open_file(photo)
            application.starts.open_copy(str(sample))
        settled(application, qtbot)
        assert len(application.documents) == 2  # the photo and the copy
        application.open_file(photo)  # afterwards it is another copy to work on
        settled(application, qtbot)
        assert len(application.documents) == 3

    def test_changes_made_while_saving_stay_unsaved(
        self, application: Application, document: Document, tmp_path: Path, qtbot: QtBot
    ) -> None:
        application.save(document, tmp_path / "work.ora")
        application.layers.duplicate()
        settled(application, qtbot)
        assert document.modified

    def test_an_export_is_said_and_a_failure_too(
        self, application: Application, document: Document, tmp_path: Path, qtbot: QtBot
    ) -> None:
        application.export(document, tmp_path / "out.jpg", ExportOptions(quality=80))
        settled(application, qtbot)
        assert told(application)[-1] == ("Exported out.jpg.", "", "info")
        application.export(document, tmp_path / "nowhere" / "out.jpg", ExportOptions())
        settled(application, qtbot)
        assert "could not be written" in told(application)[-1][0]

    def test_a_project_with_another_ending_is_refused(
        self, application: Application, document: Document, tmp_path: Path, qtbot: QtBot
    ) -> None:
        application.save(document, tmp_path / "work.png")
        settled(application, qtbot)
        assert "saved as .ora" in told(application)[-1][0]
        assert document.path is None

    def test_files_given_at_the_start(
        self, application: Application, photo: Path, service: FakeService, qtbot: QtBot
    ) -> None:
        application.start([photo])
        settled(application, qtbot)
        assert [item.title for item in application.documents] == ["photo.png"]
        assert service.preloaded == ["mini-sdxl"]


class TestDocuments:
    def test_closing_goes_to_the_neighbour(
        self, application: Application, document: Document, photo: Path, qtbot: QtBot
    ) -> None:
        application.open_file(photo)
        settled(application, qtbot)
        seen: list[object] = []
        application.current_changed.connect(seen.append)
        application.close(application.documents[1])
        assert seen == [document]
        application.close(document)
        assert seen == [document, None]
        assert application.session is None

    def test_each_document_keeps_its_session(
        self, application: Application, document: Document, photo: Path, qtbot: QtBot
    ) -> None:
        first = application.session
        application.open_file(photo)
        settled(application, qtbot)
        assert application.session is None
        application.set_current(document)
        assert application.session is first
        assert first is not None
        assert first.precompute

    def test_the_session_follows_the_active_layer(self, application: Application, document: Document) -> None:
        first = application.session
        application.layers.duplicate()
        assert application.session is not first
        application.layers.choose_below()
        assert application.session is first
        asked: list[object] = []
        application.recipe_requested.connect(asked.append)
        application.sessions.edit_recipe()
        assert asked == [first]

    def test_a_deleted_layer_s_session_goes_and_comes_back_with_undo(
        self, application: Application, document: Document
    ) -> None:
        application.layers.duplicate()
        gone = application.session
        application.layers.delete()
        assert application.session is not gone
        application.undo()
        assert application.session is not None
        assert application.session.layer_id == document.layers[1].id

    def test_undo_memory_follows_the_setting(self, application: Application, document: Document) -> None:
        application.settings.set("undo_memory_mib", 16)
        assert document.undo_memory_bytes == 16 * 2**20

    def test_dropped_history_is_said(self, application: Application, document: Document) -> None:
        document.history_dropped.emit(3)
        assert told(application)[-1][0] == "The 3 oldest steps left the history to save memory."


class TestLayerActions:
    def test_each_is_a_step_and_can_be_undone(self, application: Application, document: Document) -> None:
        application.layers.duplicate()
        application.layers.move_down()
        application.layers.toggle()
        application.layers.move_up()
        application.layers.move_up()  # at the top already
        assert document.undo_stack.count() == 4
        while application.holds("can_undo"):
            application.undo()
        assert len(document.layers) == 1
        application.redo()
        assert len(document.layers) == 2

    def test_what_is_refused_is_said(self, application: Application, document: Document) -> None:
        application.layers.delete()
        assert "at least one layer" in told(application)[0][0]
        assert len(document.layers) == 1

    def test_nothing_happens_without_a_document(self, application: Application) -> None:
        application.undo()
        application.redo()
        for item in ACTIONS:
            controller, method = item.command.split(".")
            if controller in ("layers", "image", "selection", "filters", "sessions"):
                function = getattr(getattr(application, controller), method)
                function(*([item.argument] if item.argument else []))
        assert told(application) == []

    def test_conditions(self, application: Application, document: Document) -> None:
        holding = {name for name in ("document", "layer", "layers", "recipe", "can_undo", "jobs", "always")
                   if application.holds(name)}  # fmt: skip
        assert holding == {"document", "layer", "recipe", "always"}
        changed: list[None] = []
        application.enabled_changed.connect(lambda: changed.append(None))
        push(document, SetLayerProperty(document, document.layers[0].id, "visible", False))
        assert changed
        assert application.holds("can_undo")


class TestGestures:
    def test_a_gesture_is_not_lost_when_another_document_is_shown(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        assert application.session is not None
        application.session.add_attribute(0, "age")
        application.session.set_value(0, "age", 1.0, dragging=True)
        application.add_document(generated(MAN))
        service.finish()
        assert document.layers[0].recipe is not None
        assert document.layers[0].recipe.edits[0].value == 1.0
        assert document.undo_stack.undoText() == "Set age of “man” to +1.00"

    def test_a_gesture_on_a_deleted_layer_or_closed_document_ends_quietly(
        self, application: Application, document: Document
    ) -> None:
        application.layers.duplicate()
        assert application.session is not None
        application.session.set_value(0, "age", 1.0, dragging=True)
        application.layers.delete()
        assert len(document.layers) == 1
        assert application.session is not None
        application.session.set_value(0, "age", 1.0, dragging=True)
        application.close(document)
        assert application.session is None
        assert told(application) == []


class TestVariations:
    def test_are_asked_for_in_the_number_of_the_setting(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.settings.set("variations", 2)
        application.sessions.make_variations()
        assert application.variations is not None
        assert len(application.variations.variations) == 3
        assert len(service.jobs()) == 2

    def test_asking_again_starts_anew(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.settings.set("variations", 1)
        application.sessions.make_variations()
        first = application.variations
        application.sessions.make_variations()
        assert application.variations is not first
        assert len(service.jobs()) == 1


class TestFilters:
    @pytest.mark.parametrize("name", ADJUSTMENTS)
    def test_each_becomes_a_layer_above_the_active_one(
        self, application: Application, document: Document, name: str
    ) -> None:
        application.filters.add(name)
        added = document.active_node
        assert isinstance(added, Adjustment)
        assert kind_of(added.settings) is ADJUSTMENTS[name]
        assert (document.state.index(added.id), added.mask) == (1, None)
        document.undo_stack.undo()
        assert len(document.layers) == 1

    def test_a_selection_becomes_the_mask(self, application: Application, document: Document) -> None:
        selection = Mask(raster=Raster.filled(2, 2, 200, channels=1), x=1)
        push(document, SetSelection(document, selection, "select"))
        application.filters.add("invert")
        assert document.active_node is not None
        mask = document.active_node.mask
        assert mask is not None
        assert (mask.raster, mask.x, mask.outside) == (selection.raster, 1, 0)
