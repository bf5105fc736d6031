"""The Insert panel over a scripted service: words in colour, the place, the layer, its strengths."""

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.commands import SetSelection, push
from editor.controllers.insertion import POSITIONS, between
from editor.layers.layer import Mask
from editor.layers.recipes import with_parameters
from editor.pixels.raster import Raster
from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.errors import EditorError
from inference.operations import INSERT_KINDS, LONGEST_PROMPT, Insert, InsertSweep
from inference.request import Pixels, Request
from tests.helpers.fake_application import SIZE_PX, generated, open_document
from tests.helpers.fake_service import FakeService
from widgets.forms.parameter_form import ParameterForm
from widgets.generate.insert_panel import KINDS, InsertPanel
from widgets.window.main_window import MainWindow


def grey(value: float) -> Pixels:
    return np.full((SIZE_PX, SIZE_PX, 3), round(value * 100), np.uint8)


@pytest.fixture
def panel(filled: MainWindow, service: FakeService) -> InsertPanel:
    others = service.pictures

    def pictures(request: Request) -> tuple[Pixels, ...]:
        parameters = request.parameters
        if isinstance(parameters, InsertSweep):
            return tuple(grey(value) for value in parameters.positions)
        return (grey(parameters.strength),) if isinstance(parameters, Insert) else others(request)

    service.pictures = pictures
    service.maps = {"mask/change": np.eye(8, dtype=np.float32)}
    filled.show_edit("insert")
    found = filled.panel("insert")
    assert isinstance(found, InsertPanel)
    return found


def to_a_cat(panel: InsertPanel) -> None:
    panel.wanted.setPlainText("a photo of a cat and a woman on the beach")


def inserted(panel: InsertPanel, application: Application, qtbot: QtBot) -> Insert:
    document = application.current
    assert document is not None
    count = len(document.layers)
    qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(document.layers) == count + 1)
    qtbot.waitUntil(lambda: not application.service.jobs())
    layer = application.insertion.layer
    assert layer is not None
    assert layer.recipe is not None
    parameters = layer.recipe.request.parameters
    assert isinstance(parameters, Insert)
    return parameters


def test_every_kind_is_a_segment() -> None:
    assert tuple(KINDS) == INSERT_KINDS


def test_it_begins_with_what_the_picture_was_made_from(panel: InsertPanel) -> None:
    assert panel.shown.toPlainText() == "a photo of a man and a woman on the beach"
    assert not panel.start.isEnabled()
    assert panel.differences.isHidden()
    to_a_cat(panel)
    assert panel.start.isEnabled()
    assert not panel.differences.isHidden()
    assert panel.differences.changed_spans == ((13, 16),)


def test_a_click_corrects_what_belongs_to_the_change(panel: InsertPanel) -> None:
    to_a_cat(panel)
    panel.differences.target.toggled.emit(23, 28)
    assert panel.differences.changed_spans == ((13, 16), (23, 28))
    panel.differences.target.toggled.emit(13, 16)
    panel.differences.source.toggled.emit(13, 16)
    values = panel.values()
    assert [(word.start, word.changes) for word in values["words"]] == [(13, False), (23, True)]
    assert [(word.start, word.changes) for word in values["source_words"]] == [(13, False)]
    panel.wanted.setPlainText("a photo of a dog and a woman on the beach")
    assert panel.values()["words"] == ()


def test_the_result_is_a_layer_with_its_recipe_and_mask(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    to_a_cat(panel)
    parameters = inserted(panel, application, qtbot)
    assert (parameters.kind, parameters.strength) == ("replace", 1.0)
    assert parameters.prompt == "a photo of a cat and a woman on the beach"
    assert panel.isVisible(), "the panel stays in front"
    layer = application.insertion.layer
    assert layer is not None
    assert layer.mask is not None
    assert set(application.insertion.keyframes(layer)) == set(POSITIONS)
    assert panel.start.text() == "Make again"


def test_the_selection_is_the_place(panel: InsertPanel, application: Application, qtbot: QtBot) -> None:
    document = application.current
    assert document is not None
    to_a_cat(panel)
    assert not panel.place.isEnabled()
    values = np.zeros((SIZE_PX, SIZE_PX, 1), np.uint8)
    values[:, :20] = 255
    mask = Mask(raster=Raster.of(values), x=0, y=0, outside=0)
    push(document, SetSelection(document, mask, "Select"))
    assert panel.place.isEnabled()
    panel.kinds.buttons()[INSERT_KINDS.index("remove")].click()
    assert panel.place.isChecked()
    parameters = inserted(panel, application, qtbot)
    assert parameters.kind == "remove"
    assert parameters.mask is not None


def test_the_strength_answers_from_what_is_known(
    panel: InsertPanel, application: Application, qtbot: QtBot, service: FakeService
) -> None:
    to_a_cat(panel)
    inserted(panel, application, qtbot)
    document, layer = application.current, application.insertion.layer
    assert document is not None
    assert layer is not None
    count = len(service.submitted)
    panel.strength.moved.emit(0.6, True)
    shown = document.preview(layer.id)
    assert shown is not None
    assert abs(int(shown.pixels[0, 0, 0]) - 60) <= 1  # type: ignore[union-attr]
    panel.strength.moved.emit(0.5, False)
    assert document.preview(layer.id) is None
    assert len(service.submitted) == count, "it was drawn before"
    assert application.insertion.layer is not None
    assert application.insertion.layer.pixels[0, 0, 0] == 50
    panel.strength.moved.emit(0.6, False)
    qtbot.waitUntil(lambda: application.insertion.layer.pixels[0, 0, 0] == 60)  # type: ignore[union-attr]
    document.undo_stack.undo()
    assert application.insertion.layer.pixels[0, 0, 0] == 50


def test_weights_of_the_words_that_change(panel: InsertPanel) -> None:
    to_a_cat(panel)
    item = panel.weights.itemAtPosition(0, 1)
    assert item is not None
    item.widget().setValue(250)  # type: ignore[union-attr]
    assert [(word.start, word.weight) for word in panel.values()["words"]] == [(13, 2.5)]


def test_signs_of_a_script_without_spaces_are_weighed(panel: InsertPanel) -> None:
    panel.shown.setPlainText("海滩上的狗")
    panel.wanted.setPlainText("海滩上的猫")
    item = panel.weights.itemAtPosition(0, 1)
    assert item is not None
    item.widget().setValue(250)  # type: ignore[union-attr]
    assert [(word.start, word.end, word.weight) for word in panel.values()["words"]] == [(4, 5, 2.5)]


def test_a_word_that_stands_there_twice_is_weighed_once(panel: InsertPanel) -> None:
    panel.shown.setPlainText("a photo of a man and a woman")
    panel.wanted.setPlainText("a photo of a cat and a cat")
    assert panel.weights.itemAtPosition(1, 1) is None
    item = panel.weights.itemAtPosition(0, 1)
    assert item is not None
    item.widget().setValue(250)  # type: ignore[union-attr]
    assert [(word.start, word.weight) for word in panel.values()["words"]] == [(13, 2.5), (23, 2.5)]


def test_what_was_weighed_keeps_its_slider(panel: InsertPanel) -> None:
    """It counts although the other sentence has the word by now."""
    to_a_cat(panel)
    item = panel.weights.itemAtPosition(0, 1)
    assert item is not None
    item.widget().setValue(250)  # type: ignore[union-attr]
    panel.shown.setPlainText("a photo of a cat and a man on the beach")
    shown = [panel.weights.itemAtPosition(row, 0) for row in range(2)]
    assert [one.widget().text() for one in shown if one is not None] == ["cat", "woman"]  # type: ignore[union-attr]


def test_marks_of_weights_are_no_words_of_the_change(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    panel.wanted.setPlainText("a photo of a (cat:1.4) and a woman on the beach")
    panel.details.editors["weighted"].click()  # type: ignore[attr-defined]
    label, slider = (panel.weights.itemAtPosition(0, column) for column in (0, 1))
    assert label is not None
    assert slider is not None
    assert label.widget().text() == "cat"  # type: ignore[union-attr]
    slider.widget().setValue(250)  # type: ignore[union-attr]
    made = inserted(panel, application, qtbot)
    assert (made.weighted, made.prompt) == (True, "a photo of a (cat:1.4) and a woman on the beach")
    assert [(word.start, word.end, word.weight) for word in made.words] == [(14, 17, 2.5)]


@pytest.mark.parametrize("kind", ["insert", "translate", "redraw"])
def test_edits_begin_with_the_setting_of_weights(
    kind: str, window: MainWindow, application: Application
) -> None:
    application.settings.set("weighted_prompts", True)
    again = MainWindow(application)
    again.show_edit(kind)
    panel: Any = again.edits if kind == "redraw" else again.panel(kind)
    forms = [form for form in panel.findChildren(ParameterForm) if "weighted" in form.editors]
    assert forms
    assert forms[-1].value("weighted") is True
    if kind == "insert":
        assert panel.values()["weighted"] is True
    again.retire()


def test_a_failure_is_said_and_the_panel_is_ready_again(
    panel: InsertPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    to_a_cat(panel)
    service.fail_next = EditorError("It does not fit.")
    with qtbot.waitSignal(application.message) as told:
        panel.start.click()
    assert told.args is not None
    assert "does not fit" in told.args[0]
    assert panel.start.isEnabled()


def test_between_two_known_pictures_there_is_a_crossfade() -> None:
    known = {0.0: grey(0), 1.0: grey(1)}
    found = between(known, 0.25)
    assert found is not None
    assert abs(int(found[0, 0, 0]) - 25) <= 1
    assert between(known, 3.0) is known[1.0]
    assert between({}, 1.0) is None


def test_any_number_of_learnt_words_leaves_the_panel_its_width(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    rows = np.full((1, 96), 0.01, np.float32)
    for number in range(12):
        word = f"<a-word-that-was-learnt-{number}>"
        learnt = Concept(word=word, vectors={"clip_l": rows}, kind="cat", family="sdxl", model="mini-sdxl")
        application.concepts.library.add(concept_file(learnt))
    with qtbot.waitSignal(application.concepts.changed):
        application.concepts.start()
    panel.wanted.setPlainText(f"a photo of a {'long-' * 12}cat and a woman on the beach")
    qtbot.wait(50)
    scroll = panel.findChild(QScrollArea)
    assert scroll is not None
    assert len(panel.concepts.widgets) == 12
    column = scroll.widget()
    assert column is not None
    assert column.width() == scroll.viewport().width()
    assert panel.draw.geometry().bottom() < panel.concepts.y(), "what is added wants a place"


def test_the_strength_comes_into_view_with_its_layer(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    panel.window().resize(1200, 700)
    to_a_cat(panel)
    scroll = panel.findChild(QScrollArea)
    assert scroll is not None
    inserted(panel, application, qtbot)
    qtbot.waitUntil(lambda: not panel.strength.visibleRegion().isEmpty())
    top = panel.strength.mapTo(scroll.viewport(), panel.strength.rect().topLeft()).y()
    assert 0 <= top <= scroll.viewport().height() - panel.strength.height()


def test_what_is_typed_while_a_layer_is_made_stays_for_the_next_one(
    panel: InsertPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    to_a_cat(panel)
    service.fake_engine.automatic = False
    count = len(service.submitted)
    panel.start.click()
    qtbot.waitUntil(lambda: len(service.submitted) > count)
    typed = "a photo of a dog and a woman on the beach"
    panel.wanted.setPlainText(typed)
    service.finish()
    qtbot.waitUntil(lambda: application.insertion.layer is not None)
    assert panel.wanted.toPlainText() == typed
    assert not panel.waiting.isHidden()
    document = application.current
    assert document is not None
    photo, made = (layer.id for layer in document.state.rasters())
    document.set_active(photo)
    document.set_active(made)
    assert panel.wanted.toPlainText() == "a photo of a cat and a woman on the beach"
    assert panel.waiting.isHidden()


def test_a_changed_weight_says_that_it_waits_and_outlives_another_strength(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    to_a_cat(panel)
    inserted(panel, application, qtbot)
    assert panel.waiting.isHidden()
    item = panel.weights.itemAtPosition(0, 1)
    assert item is not None
    item.widget().setValue(250)  # type: ignore[union-attr]
    assert not panel.waiting.isHidden()
    panel.strength.moved.emit(0.5, False)
    assert application.insertion.layer.recipe.request.parameters.strength == 0.5  # type: ignore[union-attr]
    assert [word.weight for word in panel.values()["words"]] == [2.5]
    panel.start.click()
    qtbot.waitUntil(lambda: bool(application.insertion.layer.recipe.request.parameters.words))  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: not application.insertion.busy)
    assert panel.waiting.isHidden()


def test_made_again_a_layer_keeps_what_was_said_of_its_words_and_its_details(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    panel.details.set_value("threshold", 0.5)
    panel.details.changed.emit("threshold", 0.5)
    to_a_cat(panel)
    panel.differences.target.toggled.emit(23, 28)
    first = inserted(panel, application, qtbot)
    assert first.threshold == 0.5
    document = application.current
    assert document is not None
    photo, made = (layer.id for layer in document.state.rasters())
    document.set_active(photo)
    panel.wanted.setPlainText("a photo of a dog and a woman on the beach")
    panel.details.set_value("threshold", 0.7)
    panel.details.changed.emit("threshold", 0.7)
    document.set_active(made)
    assert panel.details.value("threshold") == 0.5
    values = panel.values()
    assert (values["words"], values["threshold"]) == (first.words, 0.5)
    assert panel.differences.changed_spans == ((13, 16), (23, 28))
    document.set_active(photo)
    assert panel.values()["threshold"] == 0.7, "that of new layers"


def test_a_seed_that_decides_nothing_is_not_offered(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    """The way back to a picture draws nothing: variations took minutes for the same picture four times."""
    assert panel.seed.isEnabled()
    to_a_cat(panel)
    inserted(panel, application, qtbot)
    assert not panel.seed.isEnabled()
    assert not application.holds("seed")
    application.sessions.make_variations()
    assert application.variations is None
    next(one for one in panel.kinds.buttons() if one.property("kind") == "add").click()
    assert panel.seed.isEnabled(), "of another kind it may"
    assert panel.window().panel("variations").hint.text() == "This edit is the same with every seed."  # type: ignore[attr-defined]


def test_a_text_that_is_too_long_is_refused_and_does_not_stop_the_window(
    panel: InsertPanel, application: Application, qtbot: QtBot
) -> None:
    """Two logs that were pasted were compared word by word."""
    told: list[str] = []
    application.message.connect(lambda text, *_: told.append(text))
    for field in (panel.shown, panel.wanted):
        field.setPlainText("a man " * 100_000)
    assert len(panel._read(panel.wanted)) == LONGEST_PROMPT
    panel.wanted.setPlainText("a cat " * 100_000)
    panel.start.click()
    qtbot.waitUntil(lambda: any("10000" in text or "10 000" in text for text in told))


def test_words_that_the_model_cannot_draw_are_told_before(panel: InsertPanel) -> None:
    """A sentence in another language was edited for a minute, into nothing."""
    assert panel.unknown.isHidden()
    panel.wanted.setPlainText("a photo of a zebra and a <my-cat> on the beach")
    assert panel.unknown.text() == "This model cannot draw: zebra"
    assert panel.unknown.isVisible()
    panel.shown.setPlainText("一张照片")
    assert "zebra" in panel.unknown.text()
    assert "张" in panel.unknown.text()
    to_a_cat(panel)
    panel.shown.setPlainText("a photo of a man and a woman on the beach")
    assert panel.unknown.isHidden()


def test_sliders_of_words_say_what_they_are(panel: InsertPanel) -> None:
    assert panel.weights_label.isHidden()
    to_a_cat(panel)
    assert panel.weights_label.isVisible()


def test_an_untouched_suggestion_goes_with_its_picture(panel: InsertPanel, application: Application) -> None:
    open_document(application, generated("a photo of a dog", seed=3))
    assert panel.wanted.toPlainText() == panel.shown.toPlainText() == "a photo of a dog"
    panel.wanted.setPlainText("a photo of a cat")
    panel.shown.setPlainText("")
    application.documents[-1].set_active(application.documents[-1].layers[0].id)
    panel._show_layer()
    assert panel.wanted.toPlainText() == "a photo of a cat", "what was typed stays"


def test_a_weight_of_a_word_that_is_gone_is_no_change(panel: InsertPanel) -> None:
    to_a_cat(panel)
    item = panel.weights.itemAtPosition(0, 1)
    assert item is not None
    item.widget().setValue(250)  # type: ignore[union-attr]
    panel.wanted.setPlainText(panel.shown.toPlainText())
    assert not panel.start.isEnabled()


def test_as_another_kind_what_the_first_one_found_is_found_anew(
    panel: InsertPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    """Its way of editing, say: what replaces a subject removes none."""
    to_a_cat(panel)
    inserted(panel, application, qtbot)
    document, layer = application.current, application.insertion.layer
    assert document is not None
    assert layer is not None
    assert layer.recipe is not None
    found = {
        "loop": "direct",
        "cross_share": 0.4,
        "self_share": 0.9,
        "found_by": "words",
        "guidance_scale": 7.0,
    }
    recipe = with_parameters(layer.recipe, **found)
    document.swap_state(document.state.with_layer(layer.changed(recipe=recipe)))
    assert panel.details.value("loop") == "direct"
    next(one for one in panel.kinds.buttons() if one.property("kind") == "change").click()
    count = len(service.submitted)
    qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(service.submitted) > count)
    asked = service.submitted[count].request.parameters
    assert isinstance(asked, Insert)
    assert (asked.kind, asked.loop, asked.cross_share, asked.guidance_scale) == ("change", None, None, None)
    assert asked.self_share == 0.9, "it was chosen"


def test_a_button_that_cannot_be_pressed_says_why(panel: InsertPanel, application: Application) -> None:
    open_document(application, generated("a photo of a dog", seed=3))
    panel.shown.setPlainText("a photo of a dog")
    panel.wanted.setPlainText("a photo of a dog")
    assert not panel.start.isEnabled()
    assert "what is to be different" in panel.start.toolTip()
    panel.wanted.setPlainText("a photo of a cat")
    assert panel.start.isEnabled()
    assert panel.start.toolTip() == ""


def test_it_is_no_wider_than_the_panels_beside_it(panel: InsertPanel) -> None:
    window = panel.window()
    assert panel.minimumSizeHint().width() <= window.panels["subjects"].minimumWidth()  # type: ignore[attr-defined]
