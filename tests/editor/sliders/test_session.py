import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from editor.commands import ReplaceState, push
from editor.document.document import Document
from editor.layers.recipes import Recipe
from editor.sliders import precompute
from editor.sliders.session import AttributeInfo, AttributeSession, Slider
from inference.errors import EditorError
from inference.operations import Attribute, AttributeSweep
from inference.request import Pixels, Request
from inference.service import JobState, Priority
from tests.editor.samples import MAN, PROMPT, WOMAN, fake_service, flat, generated, recipe, session_of
from tests.helpers.fake_service import FakeService


@pytest.fixture
def service(qtbot: QtBot) -> FakeService:
    return fake_service()


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    return generated(MAN, WOMAN)


@pytest.fixture
def session(document: Document, service: FakeService) -> AttributeSession:
    made = session_of(document, service)
    made.add_attribute(0, "age")
    return made


def shown_level(document: Document) -> int:
    return int(document.composite()[0, 0, 0])


def layer_level(document: Document) -> int:
    return int(document.layers[0].pixels[0, 0, 0])


def texts(document: Document) -> list[str]:
    return [document.undo_stack.text(index) for index in range(document.undo_stack.count())]


def _faster_and_faster(request: Request) -> tuple[Pixels, ...]:
    parameters = request.parameters
    assert isinstance(parameters, Attribute)
    values = parameters.positions if isinstance(parameters, AttributeSweep) else (parameters.edits[0].value,)
    return tuple(flat(round(100 + 20 * value * abs(value))) for value in values)


class TestSliders:
    def test_a_generated_layer_starts_without_sliders(self, document: Document, service: FakeService) -> None:
        made = session_of(document, service)
        assert made.sliders == ()
        assert (made.prompt, made.seed, made.model, made.subjects) == (PROMPT, 7, "mini-sdxl", (MAN, WOMAN))

    def test_adding_an_attribute_is_one_step_at_zero(
        self, session: AttributeSession, document: Document
    ) -> None:
        assert session.sliders == (Slider(subject=0, attribute="age", label="Age", value=0.0),)
        assert texts(document) == ["Add age to “man”"]
        assert layer_level(document) == 100

    def test_sliders_have_the_library_s_range_and_label(self, session: AttributeSession) -> None:
        session.add_attribute(1, "smile")
        smile = session.sliders[-1]
        assert (smile.subject, smile.label, smile.minimum, smile.maximum) == (1, "Smile", -1.0, 1.0)

    def test_what_has_a_slider_is_no_longer_offered(self, session: AttributeSession) -> None:
        assert session.available_attributes(0) == (("smile", "Smile"),)
        assert session.available_attributes(1) == (("age", "Age"), ("smile", "Smile"))

    def test_an_unknown_attribute_names_those_there_are(self, session: AttributeSession) -> None:
        with pytest.raises(EditorError, match=r"“height” for “man” on mini-sdxl.*age, smile"):
            session.add_attribute(0, "height")

    def test_removing_an_attribute_takes_its_effect_away(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        session.remove_attribute(0, "age")
        assert session.sliders == ()
        assert layer_level(document) == 100

    def test_a_word_becomes_a_subject_and_stops_being_one(
        self, session: AttributeSession, document: Document
    ) -> None:
        start = PROMPT.index("photo")
        session.toggle_subject(start, start + 5)
        assert [subject.text for subject in session.subjects] == ["photo", "man", "woman"]
        assert session.subjects[0].colour_index == 2
        session.toggle_subject(start, start + 5)
        assert session.subjects == (MAN, WOMAN)
        assert texts(document)[1:] == ["Choose “photo” as a subject", "Release “photo”"]

    def test_a_layer_without_a_recipe_has_no_session(self, document: Document, service: FakeService) -> None:
        document.swap_state(document.state.with_layer(document.layers[0].changed(recipe=None)))
        with pytest.raises(EditorError, match="no prompt"):
            session_of(document, service)


class TestDragging:
    def test_the_first_move_asks_for_the_exact_picture_at_once(
        self, session: AttributeSession, service: FakeService
    ) -> None:
        session.set_value(0, "age", 0.64, dragging=True)
        (job,) = service.jobs()
        assert job.priority is Priority.INTERACTIVE
        assert isinstance(job.request.parameters, Attribute)
        assert [edit.value for edit in job.request.parameters.edits] == [0.64]

    def test_shows_a_crossfade_between_the_two_nearest_pictures(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()  # pictures of 0 and 1 are known now
        seen: list[tuple[int, bool]] = []
        session.display_changed.connect(lambda shown: seen.append((int(shown.pixels[0, 0, 0]), shown.exact)))
        session.set_value(0, "age", 0.5, dragging=True)
        assert seen[-1] == (110, False)
        assert shown_level(document) == 110
        assert layer_level(document) == 120  # a preview, not the layer

    def test_a_known_position_is_shown_exactly_and_asks_for_nothing(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        session.set_value(0, "age", 0.0, dragging=True)
        assert shown_level(document) == 100
        assert service.jobs() == ()

    def test_a_moving_hand_does_not_starve_the_running_job(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        for value in (0.1, 0.2, 0.3):
            session.set_value(0, "age", value, dragging=True)
            service.start()
        assert [job.state for job in service.submitted] == [JobState.RUNNING]
        service.finish()
        assert shown_level(document) == 102  # the nearest that is known
        (job,) = service.jobs()  # and the newest value is asked for
        assert isinstance(job.request.parameters, Attribute)
        assert job.request.parameters.edits[0].value == 0.3

    def test_a_resting_hand_supersedes_the_running_job(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot
    ) -> None:
        session.set_value(0, "age", 0.1, dragging=True)
        service.start()
        session.set_value(0, "age", 0.3, dragging=True)
        qtbot.wait_until(lambda: len(service.submitted) == 2, timeout=2000)
        assert service.submitted[1].supersedes == service.submitted[0].supersedes
        qtbot.wait_until(lambda: service.submitted[0].state is JobState.CANCELLED, timeout=2000)

    def test_dragging_alone_makes_no_step(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 0.4, dragging=True)
        service.finish()
        assert texts(document) == ["Add age to “man”"]
        assert shown_level(document) == 108

    def test_values_are_held_within_the_range(self, session: AttributeSession) -> None:
        session.set_value(0, "age", 17.0, dragging=True)
        assert session.value(0, "age") == 2.0


class TestLettingGo:
    def test_gives_one_step_with_the_exact_picture(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        committed: list[str] = []
        session.committed.connect(committed.append)
        for value in (0.2, 0.4, 0.6):
            session.set_value(0, "age", value, dragging=True)
        session.set_value(0, "age", 0.64, dragging=False)
        assert session.busy
        service.finish()
        assert not session.busy
        assert committed == ["Set age of “man” to +0.64"]
        assert texts(document) == ["Add age to “man”", "Set age of “man” to +0.64"]
        assert layer_level(document) == shown_level(document) == 113
        assert document.preview(document.layers[0].id) is None
        made = document.layers[0].recipe
        assert made is not None
        assert [edit.value for edit in made.edits] == [0.64]

    def test_at_a_known_position_needs_no_job(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        session.set_value(0, "age", 0.0, dragging=False)
        assert service.jobs() == ()
        assert texts(document)[-1] == "Set age of “man” to 0.00"

    def test_where_it_began_is_no_step(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 0.5, dragging=True)
        session.set_value(0, "age", 0.0, dragging=False)
        assert texts(document) == ["Add age to “man”"]
        assert shown_level(document) == 100
        assert not session.busy
        assert service.jobs() == ()

    def test_two_sliders_in_quick_succession_are_two_steps_in_order(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.add_attribute(1, "age")
        session.set_value(0, "age", 1.0, dragging=False)
        session.set_value(1, "age", -0.5, dragging=True)
        session.set_value(1, "age", -0.5, dragging=False)
        service.finish()
        service.finish()
        assert texts(document)[-2:] == ["Set age of “man” to +1.00", "Set age of “woman” to −0.50"]
        assert layer_level(document) == 110
        document.undo_stack.undo()
        assert layer_level(document) == 120

    def test_the_same_slider_again_before_its_picture_is_one_step(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        session.set_value(0, "age", 1.5, dragging=False)
        service.finish()
        assert texts(document)[1:] == ["Set age of “man” to +1.50"]

    def test_a_failure_goes_back_and_says_why(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        errors: list[EditorError] = []
        session.failed.connect(errors.append)
        session.set_value(0, "age", 1.0, dragging=False)
        service.fail(EditorError("There is not enough memory."))
        assert [error.message for error in errors] == ["There is not enough memory."]
        assert session.value(0, "age") == 0.0
        assert (shown_level(document), session.busy) == (100, False)
        assert texts(document) == ["Add age to “man”"]

    def test_stopping_the_job_goes_back(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        service.cancel_all()
        assert session.value(0, "age") == 0.0
        assert not session.busy

    def test_a_locked_layer_refuses_and_says_why(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        errors: list[EditorError] = []
        session.failed.connect(errors.append)
        document.swap_state(document.state.with_layer(document.layers[0].changed(locked=True)))
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        assert "locked" in errors[0].message
        assert (session.value(0, "age"), shown_level(document)) == (0.0, 100)


class TestCache:
    def test_results_of_superseded_jobs_are_kept(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 0.5, dragging=True)
        service.start()
        session.set_value(0, "age", 1.0, dragging=False)  # supersedes; but the picture of 0.5 comes anyway
        service.finish()
        service.finish()
        session.set_value(0, "age", 0.5, dragging=False)
        assert service.jobs() == ()
        assert layer_level(document) == 110

    def test_keyframes_are_nine_and_fill_up(self, session: AttributeSession, service: FakeService) -> None:
        frames = session.keyframes(0, "age")
        assert [value for value, _ in frames] == [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]
        assert [value for value, pixels in frames if pixels is not None] == [0]
        news: list[tuple[int, str]] = []
        session.keyframes_changed.connect(lambda *which: news.append(which))
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        assert [value for value, pixels in session.keyframes(0, "age") if pixels is not None] == [0, 1]
        assert (0, "age") in news

    def test_requests_of_equal_looks_are_equal(self, session: AttributeSession, service: FakeService) -> None:
        session.add_attribute(1, "smile")
        session.set_value(1, "smile", 0.5, dragging=True)
        (job,) = service.jobs()
        assert isinstance(job.request.parameters, Attribute)
        assert [edit.attribute for edit in job.request.parameters.edits] == ["smile"]  # none at zero

    def test_pictures_of_another_prompt_are_not_mixed_up(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_prompt("a photo of a man on the beach", 7)
        assert service.running.label == "Change the prompt to “a photo of a man on the beach”"
        service.finish((flat(33),))
        assert layer_level(document) == 33
        assert [subject.text for subject in session.subjects] == ["man"]
        document.undo_stack.undo()
        assert (layer_level(document), session.prompt) == (100, PROMPT)
        assert session.keyframes(0, "age")[4][1].array()[0, 0, 0] == 100


class TestHistory:
    def test_undo_and_redo_move_the_sliders(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        moves: list[tuple[int, str, float]] = []
        session.value_changed.connect(lambda *move: moves.append(move))
        document.undo_stack.undo()
        assert (session.value(0, "age"), layer_level(document)) == (0.0, 100)
        document.undo_stack.redo()
        assert (session.value(0, "age"), layer_level(document)) == (1.0, 120)
        assert moves == [(0, "age", 0.0), (0, "age", 1.0)]
        assert service.jobs() == ()

    def test_undo_takes_back_what_is_still_computed(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        document.undo_stack.undo()  # of adding the slider
        assert session.sliders == ()
        assert service.jobs() == ()
        assert shown_level(document) == 100

    def test_reset_of_all_is_one_step(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.add_attribute(1, "smile")
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        session.set_value(1, "smile", 0.5, dragging=False)
        service.finish()
        session.reset()
        assert texts(document)[-1] == "Reset sliders"
        assert [slider.value for slider in session.sliders] == [0.0, 0.0]
        assert layer_level(document) == 100

    def test_reset_of_one_subject_leaves_the_other(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.add_attribute(1, "smile")
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        session.set_value(1, "smile", 0.5, dragging=False)
        service.finish()
        session.reset(0)
        service.finish()
        assert texts(document)[-1] == "Reset “man”"
        assert [slider.value for slider in session.sliders] == [0.0, 0.5]
        assert layer_level(document) == 110

    def test_seed_and_delay_are_steps(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        session.set_delay(0.4)
        service.finish()
        session.set_seed(9)
        service.finish()
        assert texts(document)[-2:] == ["Set delay to 0.40", "Set seed to 9"]
        assert (session.delay, session.seed, layer_level(document)) == (0.4, 9, 122)

    def test_delay_out_of_range_is_refused(self, session: AttributeSession) -> None:
        with pytest.raises(EditorError, match="0 to 1"):
            session.set_delay(1.5)


class TestLinking:
    def test_linked_sliders_move_together_in_one_step(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.add_attribute(1, "age")
        session.set_linked("age", True)
        session.set_value(0, "age", 0.5, dragging=True)
        session.set_value(0, "age", 1.0, dragging=False)
        assert [slider.value for slider in session.sliders] == [1.0, 1.0]
        service.finish()
        assert texts(document)[-1] == "Set age of “man” + “woman” to +1.00"
        assert layer_level(document) == 140

    def test_keep_their_distance_also_beyond_the_end(
        self, session: AttributeSession, service: FakeService
    ) -> None:
        session.add_attribute(1, "age")
        session.set_value(1, "age", 1.0, dragging=False)
        service.finish()
        session.set_linked("age", True)
        session.set_value(0, "age", 1.8, dragging=True)
        assert [slider.value for slider in session.sliders] == [1.8, 2.0]
        session.set_value(0, "age", 0.5, dragging=True)
        assert [slider.value for slider in session.sliders] == [0.5, 1.5]

    def test_crossfade_along_the_common_line(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.add_attribute(1, "age")
        session.set_linked("age", True)
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        session.set_value(0, "age", 0.5, dragging=True)
        assert shown_level(document) == 120


class TestIdleTime:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(precompute, "IDLE_MS", 1)

    def run_idle(self, service: FakeService, qtbot: QtBot) -> AttributeSweep:
        qtbot.wait_until(lambda: bool(service.jobs()), timeout=3000)
        job = service.running
        assert job.priority is Priority.IDLE
        parameters = job.request.parameters
        assert isinstance(parameters, AttributeSweep)
        service.finish()
        return parameters

    def test_sweeps_the_keyframes_nearest_first(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot
    ) -> None:
        session.set_precompute(True)
        first = self.run_idle(service, qtbot)
        assert set(first.positions) < {-1.0, -0.5, 0.5, 1.0}
        while any(pixels is None for _, pixels in session.keyframes(0, "age")):
            self.run_idle(service, qtbot)
        levels = [
            int(raster.array()[0, 0, 0]) for _, raster in session.keyframes(0, "age") if raster is not None
        ]
        assert levels == [60, 70, 80, 90, 100, 110, 120, 130, 140]

    def test_a_track_is_kept_with_the_layer_and_is_there_when_its_sliders_are_shown_again(
        self, session: AttributeSession, document: Document, service: FakeService, qtbot: QtBot
    ) -> None:
        service.pictures = _faster_and_faster
        session.set_precompute(True)
        while any(pixels is None for _, pixels in session.keyframes(0, "age")):
            self.run_idle(service, qtbot)
        track = session.track(0, "age")
        assert track.place_of(1.0) - track.place_of(0.0) < track.place_of(2.0) - track.place_of(1.0)
        session.close()
        saved = Recipe.from_json(document.layers[0].recipe.to_json())
        again = Document.from_layer(document.layers[0].changed(recipe=saved), title="again")
        reopened = session_of(again, service)
        assert reopened.track(0, "age") == track
        reopened.set_seed(8)
        assert reopened.track(0, "age") != track

    @pytest.mark.parametrize("ends", [(-0.02, 0.02), (0.001, 0.002)])
    def test_a_project_with_a_slider_of_a_hair_s_breadth_opens_again(
        self, ends: tuple[float, float], document: Document, service: FakeService, qtbot: QtBot
    ) -> None:
        known = (AttributeInfo(attribute="age", label="Age", minimum=ends[0], maximum=ends[1]),)
        session = AttributeSession(document, document.layers[0].id, service, lambda *_: known)
        session.add_attribute(0, "age")
        session.set_precompute(True)
        while any(pixels is None for _, pixels in session.keyframes(0, "age")):
            self.run_idle(service, qtbot)
        made = document.layers[0].recipe
        assert made is not None
        assert Recipe.from_json(made.to_json()).to_json() == made.to_json()

    def test_goes_on_to_the_other_sliders_and_then_rests(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot
    ) -> None:
        session.add_attribute(1, "smile")
        session.set_precompute(True)
        swept: set[str] = set()
        for _ in range(7):
            parameters = self.run_idle(service, qtbot)
            swept.add(parameters.edits[parameters.index].attribute)
        assert swept == {"age", "smile"}
        qtbot.wait(50)
        assert service.jobs() == ()

    def test_a_slider_that_was_just_added_comes_before_what_others_still_lack(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot
    ) -> None:
        session.set_value(0, "age", 0.5, dragging=False)
        service.finish()
        session.add_attribute(1, "smile")
        session.set_precompute(True)
        parameters = self.run_idle(service, qtbot)
        assert parameters.edits[parameters.index].attribute == "smile"

    def test_makes_room_for_the_hand_and_comes_back(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot
    ) -> None:
        session.set_precompute(True)
        qtbot.wait_until(lambda: bool(service.jobs()), timeout=3000)
        session.set_value(0, "age", 0.3, dragging=False)
        qtbot.wait_until(
            lambda: [job.priority for job in service.jobs()] == [Priority.INTERACTIVE], timeout=3000
        )
        service.finish()
        self.run_idle(service, qtbot)

    def test_is_not_asked_for_when_off_or_when_a_picture_takes_long(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        qtbot.wait(20)
        assert service.jobs() == ()
        monkeypatch.setattr(precompute, "SLOWEST_PICTURE_S", -1.0)
        session.set_precompute(True)
        qtbot.wait(20)
        assert service.jobs() == ()

    def test_where_a_picture_takes_long_nothing_is_said_to_be_on_its_way(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(precompute, "IDLE_MS", 10**6)
        session.set_precompute(True)
        assert session.prepares
        told: list[tuple[int, str]] = []
        session.keyframes_changed.connect(lambda *which: told.append(which))
        monkeypatch.setattr(precompute, "SLOWEST_PICTURE_S", 5.0)
        session._precompute.took(20.0)
        assert session.precompute
        assert not session.prepares
        assert told
        session._precompute.took(1.0)
        assert session.prepares

    def test_a_failure_is_quiet_and_ends_it(
        self, session: AttributeSession, service: FakeService, qtbot: QtBot
    ) -> None:
        errors: list[EditorError] = []
        session.failed.connect(errors.append)
        session.set_precompute(True)
        qtbot.wait_until(lambda: bool(service.jobs()), timeout=3000)
        service.fail(EditorError("There is not enough memory."))
        qtbot.wait(20)
        assert errors == []
        assert service.jobs() == ()


class TestMaps:
    def test_heat_comes_from_results_and_stays_with_the_layer(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        assert session.heat(0) is None
        service.maps = {"attention/13-16": np.ones((4, 4), np.float32)}
        session.set_value(0, "age", 1.0, dragging=False)
        service.finish()
        assert session.heat(0) is not None
        assert session.heat(1) is None
        assert session_of(document, service).heat(0) is not None

    def test_are_those_of_the_picture_that_is_shown(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        """One that is known already comes back without a job, after another one was seen."""
        for seed, seen in ((8, 1.0), (9, 0.5)):
            service.maps = {"attention/13-16": np.full((4, 4), seen, np.float32)}
            session.set_seed(seed)
            service.finish()
        session.set_seed(8)
        assert service.jobs() == ()
        heat = session.heat(0)
        assert heat is not None
        assert heat.max() == 1.0
        assert document.layers[0].maps["attention/13-16"].max() == 1.0
        session.set_prompt("a photo of a cat and a man", 8)
        assert session.heat(0) is None, "other words stand there"


def test_close_cancels_and_shows_the_layer(
    session: AttributeSession, document: Document, service: FakeService
) -> None:
    session.set_value(0, "age", 1.0, dragging=True)
    session.close()
    assert service.jobs() == ()
    assert document.preview(document.layers[0].id) is None


def test_a_closed_session_hears_nothing(
    session: AttributeSession, document: Document, service: FakeService
) -> None:
    session.set_value(0, "age", 1.0, dragging=False)
    service.finish()
    session.close()
    told: list[object] = []
    for signal in (session.value_changed, session.keyframes_changed, session.display_changed):
        signal.connect(lambda *news: told.append(news))
    service.submit(session.recipe.request)
    service.finish()
    document.undo_stack.undo()
    assert told == []


def test_an_exported_recipe_opens_with_its_slider(qtbot: QtBot, service: FakeService) -> None:
    document = generated(MAN)
    first = session_of(document, service)
    first.add_attribute(0, "age")
    first.set_value(0, "age", 1.25, dragging=False)
    service.finish()
    again = session_of(document, service)
    assert again.sliders == (Slider(subject=0, attribute="age", label="Age", value=1.25),)
    assert again.recipe != recipe(MAN)


class TestChangesWhileOneIsComputed:
    @pytest.mark.parametrize("started", [False, True])
    def test_a_second_seed_replaces_the_first(
        self, session: AttributeSession, service: FakeService, started: bool
    ) -> None:
        session.set_seed(9)
        first = service.jobs()[0]
        if started:
            service.start()
        session.set_seed(10)
        if started:
            service.stopped()
        assert first.state is JobState.CANCELLED
        assert session.seed == 10
        service.start()
        service.finish()
        assert not session.busy
        assert session.seed == 10

    def test_a_new_slider_keeps_the_value_that_is_still_computed(
        self, session: AttributeSession, service: FakeService
    ) -> None:
        session.set_value(0, "age", 1.0, dragging=False)
        session.add_attribute(1, "age")
        assert (session.value(0, "age"), session.value(1, "age")) == (1.0, 0.0)

    def test_discard_goes_back_to_what_the_layer_holds(
        self, session: AttributeSession, document: Document
    ) -> None:
        steps = document.undo_stack.count()
        session.set_value(0, "age", 1.0, dragging=False)
        assert session.busy
        session.discard()
        assert (session.busy, session.value(0, "age"), document.undo_stack.count()) == (False, 0.0, steps)


class TestDoubleClick:
    """A press puts the handle where it lies, the second click takes all of it back."""

    def test_takes_back_what_the_first_press_asked_for(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        before = texts(document)
        session.set_value(0, "age", 0.5, dragging=True)
        session.set_value(0, "age", 0.5, dragging=False)
        session.reset(0, "age")
        assert service.jobs() == ()
        assert not session.busy
        assert texts(document) == before
        assert (session.value(0, "age"), shown_level(document)) == (0.0, 100)

    def test_leaves_another_slider_that_waits_for_its_picture(
        self, session: AttributeSession, document: Document, service: FakeService
    ) -> None:
        session.add_attribute(1, "smile")
        session.set_value(1, "smile", 0.5, dragging=False)
        session.set_value(0, "age", 0.5, dragging=False)
        session.reset(0, "age")
        while service.jobs():
            service.finish()
        assert (session.value(0, "age"), session.value(1, "smile")) == (0.0, 0.5)
        assert layer_level(document) == shown_level(document)


def test_a_layer_that_is_painted_on_while_its_picture_is_computed_keeps_the_stroke(
    session: AttributeSession, document: Document, service: FakeService
) -> None:
    told: list[EditorError] = []
    session.failed.connect(told.append)
    session.set_value(0, "age", 1.0, dragging=False)
    service.start()
    layer = document.layers[0]
    painted = layer.changed(pixels=flat(7), recipe=None)
    push(document, ReplaceState(document, document.state.with_layer(painted), "Paint"))
    service.stopped()
    assert service.jobs() == ()
    assert layer_level(document) == shown_level(document) == 7
    assert document.layers[0].recipe is None
    document.undo_stack.undo()
    assert (session.value(0, "age"), layer_level(document)) == (0.0, 100)
    session.set_value(0, "age", 1.0, dragging=False)
    service.finish((flat(120),))
    assert layer_level(document) == 120
    assert not told
