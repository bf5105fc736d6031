"""The Refine panel and the contact sheet over a scripted service."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.generating.contact_sheet import Place
from inference.errors import EditorError
from inference.operations import Score
from inference.request import Request, Result
from tests.helpers.fake_service import FakeService
from widgets.generate.contact_sheet_dialog import ContactSheetDialog
from widgets.generate.refine_panel import METHOD_LABELS, RefinePanel, method_label
from widgets.generate.sheet_dialog import PICTURE_PX
from widgets.window.main_window import MainWindow


@pytest.fixture
def panel(filled: MainWindow, service: FakeService) -> RefinePanel:
    answer = service.result

    def result(request: Request, images: object = None) -> Result:
        if not isinstance(request.parameters, Score):
            return answer(request, images)  # type: ignore[arg-type]
        told = {"subject 0": 1.0, "subject 1": 0.0, "full_prompt": 0.75, "least_subject": 0.5, "text_text": 1}
        return Result(request=request, images=(), maps={}, measured=answer(request, ()).measured, scores=told)

    service.result = result  # type: ignore[method-assign]
    heat = np.zeros((8, 8), np.float32)
    heat[2:6, :4] = 1
    service.maps = {"attention/13-16": heat, "attention/13-16@2": heat, "attention/13-16@9": heat.T}
    filled.show_edit("refine")
    found = filled.panel("refine")
    assert isinstance(found, RefinePanel)
    return found


def refine(panel: RefinePanel, application: Application, qtbot: QtBot) -> None:
    document = application.current
    assert document is not None
    count = len(document.layers)
    qtbot.mouseClick(panel.refine, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(document.layers) == count + 1)
    qtbot.waitUntil(lambda: not application.service.jobs())


def test_it_stays_in_front_when_something_was_refined(
    panel: RefinePanel, application: Application, filled: MainWindow, qtbot: QtBot
) -> None:
    refine(panel, application, qtbot)
    assert not filled.panel("refine").visibleRegion().isEmpty()
    assert filled.panels["subjects"].visibleRegion().isEmpty()


def test_it_names_the_subjects(panel: RefinePanel, application: Application) -> None:
    assert panel.subjects.text() == "man · woman"
    assert application.session is not None
    for subject in list(application.session.subjects):
        application.session.toggle_subject(*subject.span)
    assert not panel.refine.isEnabled()
    assert "Click the words" in panel.subjects.text()
    panel.suggest.click()
    assert panel.subjects.text() == "man · woman"
    assert panel.refine.isEnabled()


def test_every_method_is_offered(panel: RefinePanel, application: Application) -> None:
    assert {panel.method.itemData(row) for row in range(panel.method.count())} == set(METHOD_LABELS)
    panel.method.setCurrentIndex(panel.method.findData("saga"))
    panel.method.activated.emit(panel.method.currentIndex())
    assert application.refinement.method == "saga"


def test_details_change_the_request(
    panel: RefinePanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    panel.more.click()
    assert panel.details.isVisible()
    panel.details.changed.emit("updates", 7)
    refine(panel, application, qtbot)
    asked = next(job.request for job in service.submitted if job.request.operation == "refine")
    assert asked.parameters.updates == 7  # type: ignore[attr-defined]


def test_scores_stand_beside_each_other(panel: RefinePanel, application: Application, qtbot: QtBot) -> None:
    assert panel.scores.isHidden()
    refine(panel, application, qtbot)
    qtbot.waitUntil(lambda: any("there" in row for row in panel.scores.texts))
    texts = panel.scores.texts
    assert texts[0] == ["", "Before", "After"]
    assert ["man", "there", "there"] in texts
    assert ["woman", "missing", "missing"] in texts
    assert ["Fits the prompt", "0.75", "0.75"] in texts


def test_why_there_are_no_scores(
    panel: RefinePanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    service.fake_engine.automatic = False
    qtbot.mouseClick(panel.refine, Qt.MouseButton.LeftButton)
    service.finish()
    qtbot.waitUntil(lambda: bool(service.jobs()))
    service.fail(EditorError("Nobody can tell what this is."))
    assert panel.scores.note.text() == "Nobody can tell what this is."


def test_a_slider_goes_over_the_steps(
    panel: RefinePanel, filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    assert panel.attention.isHidden()
    refine(panel, application, qtbot)
    attention = panel.attention
    assert attention.isVisible()
    assert attention.slider.maximum() == 2
    asked: list[tuple[object, int]] = []
    attention.wished.connect(lambda *wish: asked.append(wish))
    attention.slider.setValue(2)
    assert asked[-1] == (0, 9)
    assert attention.step.text() == "step 10"
    view = filled.workspace.view
    assert view is not None
    assert view._scene.heat is not None
    attention.subject.setCurrentIndex(0)
    attention.subject.activated.emit(0)
    assert view._scene.heat is None


class TestContactSheet:
    @pytest.fixture
    def dialog(self, panel: RefinePanel, filled: MainWindow) -> ContactSheetDialog:
        panel.compare.click()
        found = filled.commands.dialog("contact sheet")
        assert isinstance(found, ContactSheetDialog)
        return found

    def test_it_fills_and_scores(self, dialog: ContactSheetDialog, qtbot: QtBot) -> None:
        dialog.seeds.setValue(2)
        qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
        assert set(dialog.cards) == {
            Place(method, seed) for method in ("plain", "ours", "ours+") for seed in (7, 8)
        }
        qtbot.waitUntil(lambda: not dialog.sheet.busy)
        qtbot.waitUntil(lambda: all(card.text() == "1 of 2" for card in dialog.cards.values()))
        assert dialog.start.text() == "Compare"

    def test_the_grid_follows_what_is_chosen(self, dialog: ContactSheetDialog, service: FakeService) -> None:
        assert dialog.methods.text() == "Methods: 3"
        for entry in dialog.methods.menu().actions():
            entry.setChecked(entry.text() == method_label("saga"))
        dialog.seeds.setValue(2)
        assert dialog.methods.text() == "Methods: 1"
        assert set(dialog.cards) == {Place("saga", 7), Place("saga", 8)}
        service.fake_engine.automatic = False
        dialog.start.click()
        assert service.jobs()[0].label == f"Compare: {method_label('saga')}, seed 7"
        dialog.seeds.setValue(1)
        assert len(dialog.cards) == 2, "what is under way stays in sight"
        dialog.start.click()
        assert set(dialog.cards) == {Place("saga", 7)}, "and what is chosen shows afterwards"

    def test_the_chosen_picture_stays_chosen_when_the_grid_follows(
        self, dialog: ContactSheetDialog, service: FakeService, qtbot: QtBot
    ) -> None:
        _compare_one_seed(dialog, qtbot)
        dialog.cards[Place("ours", 7)].click()
        service.fake_engine.automatic = False
        dialog.seeds.setValue(3)
        assert dialog.cards[Place("ours", 7)].isChecked()
        dialog.start.click()
        dialog.seeds.setValue(2)
        dialog.start.click()
        assert set(dialog.cards) == {
            Place(method, seed) for seed in (7, 8) for method in ("plain", "ours", "ours+")
        }
        assert dialog.cards[Place("ours", 7)].isChecked()
        assert dialog.add.isEnabled()

    def test_small_pictures_fill_their_places(
        self, dialog: ContactSheetDialog, service: FakeService, qtbot: QtBot
    ) -> None:
        service.pictures = lambda request: (np.zeros((32, 16, 3), np.uint8),)
        _compare_one_seed(dialog, qtbot)
        sizes = {card.icon().availableSizes()[0].toTuple() for card in dialog.cards.values()}
        assert sizes == {(PICTURE_PX // 2, PICTURE_PX)}

    def test_a_picture_becomes_a_layer(
        self, dialog: ContactSheetDialog, application: Application, qtbot: QtBot
    ) -> None:
        _compare_one_seed(dialog, qtbot)
        assert not dialog.add.isEnabled()
        dialog.cards[Place("ours", 7)].click()
        dialog.add.click()
        assert application.current is not None
        assert application.current.layers[1].recipe.request.parameters.method == "ours"  # type: ignore[union-attr]

    def test_it_can_be_stopped_and_closed(
        self, dialog: ContactSheetDialog, service: FakeService, qtbot: QtBot
    ) -> None:
        service.fake_engine.automatic = False
        assert all(card.text() == "" for card in dialog.cards.values())
        dialog.start.click()
        assert all(card.text() == "waiting…" for card in dialog.cards.values())
        assert dialog.start.text() == "Stop"
        dialog.start.click()
        assert not dialog.sheet.busy
        assert all(card.text() == "stopped" for card in dialog.cards.values())
        dialog.close()
        assert not service.jobs()


def _compare_one_seed(dialog: ContactSheetDialog, qtbot: QtBot) -> None:
    dialog.seeds.setValue(1)
    dialog.start.click()
    qtbot.waitUntil(lambda: not dialog.sheet.busy)
