"""Refining layers through the window's own application, over a scripted service."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.commands import ReplaceNode, ReplaceState, SetSelection, push
from editor.controllers.refinement import attention, map_steps
from editor.document.document import Document
from editor.edits.geometry import cropped_to
from editor.generating.contact_sheet import ContactSheet, Place
from editor.generating.requests import refine_request
from editor.layers.layer import Layer, Mask
from editor.pixels.raster import Area, Raster
from editor.tools.painting.target import target_of
from inference.errors import EditorError
from inference.operations import Refine, Score
from inference.request import Request, Result
from tests.helpers.fake_application import PROMPT, generated, make_application
from tests.helpers.fake_service import FakeService

SPANS = ((13, 16), (23, 28))


@pytest.fixture
def application(tmp_path: Path, qtbot: QtBot) -> Iterator[Application]:
    made = make_application(tmp_path, automatic=False)
    made.told = []  # type: ignore[attr-defined]
    made.message.connect(lambda *message: made.told.append(message))  # type: ignore[attr-defined]
    yield made
    made.shutdown()


@pytest.fixture
def service(application: Application) -> FakeService:
    service = application.service
    assert isinstance(service, FakeService)
    service.pictures = lambda request: (np.full((64, 64, 3), len(repr(request)) % 251, np.uint8),)
    service.maps = {f"attention/13-16@{step}": np.eye(4, dtype=np.float32) for step in (3, 0, 7)}
    return service


@pytest.fixture
def document(application: Application) -> Document:
    made = generated()
    application.add_document(made)
    return made


def messages(application: Application) -> list[tuple[str, str, str]]:
    return application.told  # type: ignore[attr-defined]


def scores(**values: float) -> dict[str, float]:
    return {"subject 0": 1.0, "subject 1": 0.0, "full_prompt": 0.5, **values}


class TestRequest:
    def test_takes_the_picture_and_its_subjects(self, document: Document) -> None:
        layer = document.layers[0]
        assert isinstance(layer, Layer)
        request = refine_request(layer, "ours", {"updates": 3})
        parameters = request.parameters
        assert isinstance(parameters, Refine)
        assert (parameters.prompt, parameters.seed, parameters.method) == (PROMPT, 7, "ours")
        assert (parameters.updates, parameters.step) == (3, None)
        assert tuple((one.start, one.end) for one in parameters.subjects) == SPANS
        assert refine_request(layer, "ours", seed=9).parameters.seed == 9  # type: ignore[attr-defined]

    def test_needs_subjects(self, document: Document) -> None:
        layer = document.layers[0]
        assert isinstance(layer, Layer)
        assert layer.recipe is not None
        from dataclasses import replace

        with pytest.raises(EditorError, match="No subject is chosen"):
            refine_request(layer.changed(recipe=replace(layer.recipe, subjects=())), "ours")
        with pytest.raises(EditorError, match="no prompt"):
            refine_request(layer.changed(recipe=None), "ours")


class TestRefine:
    def test_the_result_stands_above_the_original(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.refinement.refine()
        assert application.refinement.busy
        assert service.running.request.operation == "refine"
        service.finish()
        assert not application.refinement.busy
        original, refined = document.layers
        assert isinstance(refined, Layer)
        assert document.state.active == refined.id
        assert refined.recipe is not None
        assert refined.recipe.request.operation == "refine"
        assert refined.recipe.subjects == original.recipe.subjects  # type: ignore[union-attr]
        document.undo_stack.undo()
        assert document.layers == (original,)

    def test_refining_a_refined_layer_changes_that_one(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.refinement.refine()
        service.finish()
        before = document.layers[1]
        application.refinement.set_method("syngen")
        application.refinement.refine()
        service.finish()
        assert len(document.layers) == 2
        after = document.layers[1]
        assert after.id == before.id
        assert after.recipe.request.parameters.method == "syngen"  # type: ignore[union-attr]

    def test_a_selection_becomes_the_mask(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        selection = Mask(raster=Raster.filled(8, 8, 255, channels=1))
        push(document, SetSelection(document, selection, "select"))
        application.refinement.refine()
        service.finish()
        assert document.layers[1].mask is not None
        assert document.layers[1].mask.raster is selection.raster

    def test_a_crop_meanwhile_takes_the_place_along(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.refinement.refine()
        area = Area(20, 12, 30, 40)
        push(document, ReplaceState(document, cropped_to(document.state, area), "crop"))
        service.finish()
        cut, refined = document.layers
        assert cut.area == Area(0, 0, 30, 40)
        assert refined.area == Area(-20, -12, 64, 64)

    def test_a_layer_that_was_moved_meanwhile_is_followed(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.refinement.refine()
        moved = document.state.with_layer(document.layers[0].moved(5, -3))  # type: ignore[arg-type]
        push(document, ReplaceState(document, moved, "move"))
        service.finish()
        assert document.layers[1].area == Area(5, -3, 64, 64)

    def test_a_failure_is_told_and_changes_nothing(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.refinement.refine()
        service.fail(EditorError("There is no such word.", "Choose another."))
        assert messages(application) == [("There is no such word.", "Choose another.", "error")]
        assert len(document.layers) == 1

    def test_a_layer_that_went_meanwhile_is_told(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        from editor.commands import AddLayer, RemoveLayer

        push(document, AddLayer(document, Layer(name="other", raster=Raster.filled(64, 64))))
        first = document.layers[0]
        application.refinement.refine()
        push(document, RemoveLayer(document, first.id))
        service.finish()
        assert "no longer there" in messages(application)[0][0]

    def test_options_belong_to_their_method(self, application: Application) -> None:
        refinement = application.refinement
        refinement.set_override("updates", 5)
        refinement.set_override("step", 3)
        refinement.set_override("step", None)
        assert refinement.overrides == {"updates": 5}
        refinement.set_method("ours")
        assert (refinement.method, refinement.overrides) == ("ours", {})

    def test_suggestions_are_added_to_what_is_chosen(
        self, application: Application, document: Document
    ) -> None:
        session = application.session
        assert session is not None
        session.toggle_subject(*SPANS[0])
        assert len(session.subjects) == 1
        application.refinement.suggest_subjects()
        assert sorted(subject.span for subject in session.subjects) == list(SPANS)


class TestAttention:
    def test_steps_with_maps_are_known(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        application.refinement.refine()
        service.finish()
        layer, session = document.layers[1], application.session
        assert isinstance(layer, Layer)
        assert session is not None
        assert map_steps(layer, SPANS[0]) == (0, 3, 7)
        assert map_steps(layer, SPANS[1]) == ()
        found = attention(session, 0, 3)
        assert found is not None
        assert np.array_equal(found, np.eye(4))
        assert attention(session, 1, 3) is None

    def test_a_map_is_exported_over_the_picture(
        self, application: Application, document: Document, service: FakeService, tmp_path: Path, qtbot: QtBot
    ) -> None:
        application.refinement.refine()
        service.finish()
        assert application.session is not None
        application.refinement.export_attention(application.session, 0, 3, (255, 0, 0), tmp_path / "map")
        qtbot.waitUntil(lambda: not application.background.busy)
        with Image.open(tmp_path / "map.png") as image:
            pixels = np.asarray(image.convert("RGB")).astype(int)
        assert pixels.shape == (64, 64, 3)
        assert pixels[4, 4, 0] - pixels[4, 4, 1] > 40  # the map's diagonal is tinted
        assert pixels[4, 60, 0] == pixels[4, 60, 1]


class TestScores:
    def test_a_picture_is_judged_once(
        self, application: Application, document: Document, service: FakeService, qtbot: QtBot
    ) -> None:
        layer = document.layers[0]
        assert isinstance(layer, Layer)
        judge = application.refinement.scores
        assert judge.of_layer(layer) is None
        qtbot.waitUntil(lambda: bool(service.jobs()))
        request = service.running.request
        assert isinstance(request.parameters, Score)
        result = Result(
            request=request, images=(), maps={}, measured=service.result(request).measured, scores=scores()
        )
        service.result = lambda request, images: result  # type: ignore[assignment, method-assign]
        service.finish()
        found = judge.of_layer(layer)
        assert found is not None
        assert (found.seen, found.all_seen) == ((True, False), False)
        assert found.similarities == {"full_prompt": 0.5}
        assert not service.jobs()

    def test_why_there_is_none_is_kept(
        self, application: Application, document: Document, service: FakeService, qtbot: QtBot
    ) -> None:
        layer = document.layers[0]
        assert isinstance(layer, Layer)
        application.refinement.scores.of_layer(layer)
        qtbot.waitUntil(lambda: bool(service.jobs()))
        service.fail(EditorError("Nobody can tell."))
        found = application.refinement.scores.of_layer(layer)
        assert found is not None
        assert str(found.problem) == "Nobody can tell."

    def test_another_detector_is_asked_again(
        self, application: Application, document: Document, service: FakeService, qtbot: QtBot
    ) -> None:
        layer = document.layers[0]
        assert isinstance(layer, Layer)
        scores = application.refinement.scores
        scores.of_layer(layer)
        qtbot.waitUntil(lambda: bool(service.jobs()))
        service.fail(EditorError("Name a detection model in Settings."))
        application.settings.set("detector", "owl")
        assert scores.of_layer(layer) is None
        qtbot.waitUntil(lambda: bool(service.jobs()))
        parameters = service.running.request.parameters
        assert isinstance(parameters, Score)
        assert parameters.detector == "owl"


class TestContactSheet:
    def sheet(self, application: Application, document: Document) -> ContactSheet:
        layer = document.layers[0]
        assert isinstance(layer, Layer)
        return ContactSheet(layer, application.service, application.refinement.scores)

    def test_every_method_meets_every_seed(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        sheet = self.sheet(application, document)
        sheet.start(("plain", "ours"), 2)
        asked: list[Request] = [job.request for job in service.jobs()]
        assert [(one.parameters.seed, one.parameters.method) for one in asked] == [  # type: ignore[attr-defined]
            (7, "plain"), (7, "ours"), (8, "plain"), (8, "ours"),
        ]  # fmt: skip
        assert sheet.done == (0, 4)
        service.finish()
        service.fail(EditorError("too large"))
        assert sheet.cell(Place("plain", 7)).result is not None  # type: ignore[union-attr]
        assert str(sheet.cell(Place("ours", 7)).error) == "too large"  # type: ignore[union-attr]
        assert sheet.done == (2, 4)
        sheet.stop()
        sheet.close()

    def test_what_is_there_stays_when_more_is_asked(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        sheet = self.sheet(application, document)
        sheet.start(("plain",), 1)
        service.finish()
        sheet.start(("plain", "saga"), 1)
        assert [job.request.parameters.method for job in service.jobs()] == ["saga"]  # type: ignore[attr-defined]
        sheet.close()

    def test_a_chosen_picture_becomes_a_layer(
        self, application: Application, document: Document, service: FakeService
    ) -> None:
        sheet = self.sheet(application, document)
        sheet.start(("ours",), 2)
        service.finish()
        service.finish()
        place = Place("ours", 8)
        recipe, cell = sheet.recipe(place), sheet.cell(place)
        assert cell is not None
        assert cell.result is not None
        application.refinement.place(document, document.layers[0].id, cell.result, recipe)
        assert document.layers[1].recipe.seed == 8  # type: ignore[union-attr]
        sheet.close()


def test_painting_on_a_generated_layer_takes_its_sliders_and_says_so(
    application: Application, document: Document
) -> None:
    layer = document.layers[0]
    assert isinstance(layer, Layer)
    target = target_of(document)
    painted = target.raster.written(0, 0, np.zeros((4, 4, 4), np.uint8))
    push(document, ReplaceNode(document, target.trimmed(painted, Area(0, 0, 4, 4)), "Brush"))
    assert document.layers[0].recipe is None
    assert application.session is None
    assert "changed by hand" in messages(application)[0][0]
    document.undo_stack.undo()
    assert application.session is not None
    assert len(messages(application)) == 1
