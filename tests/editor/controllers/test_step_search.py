"""Choosing a step from the window: jobs one after another, kept on disk, stored with the model."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.controllers.step_search import RECORDS, Search, StepSearch
from inference.chosen_steps import STEPS_FILE, ChosenStep, chosen
from inference.errors import EditorError
from inference.methods.gsn.plan import movable_methods
from inference.operations import Family, RefineTrial
from inference.request import Request, Result
from inference.service import Priority
from tests.helpers.fake_application import FakeEntry, make_application
from tests.helpers.fake_service import FakeService

SEARCH = Search(model="mini-sd1", method="ours", steps=8, prompts=2, seeds=3)
HASH = "f00d" * 16
BEST = 2


@pytest.fixture
def application(tmp_path: Path, qtbot: QtBot) -> Iterator[Application]:
    made = make_application(tmp_path, automatic=False)
    yield made
    made.shutdown()


@pytest.fixture
def service(application: Application) -> FakeService:
    service = application.service
    assert isinstance(service, FakeService)
    plain = service.result

    def result(request: Request, images: object = None) -> Result:
        parameters = request.parameters
        assert isinstance(parameters, RefineTrial)
        right = parameters.pictures if parameters.step == BEST else 1
        scores = {f"right {index}": float(index < right) for index in range(parameters.pictures)}
        return replace(plain(request), request=replace(request, model_hash=HASH), scores=scores)

    service.result = result  # type: ignore[method-assign]
    return service


@pytest.fixture
def search(application: Application, service: FakeService, tmp_path: Path) -> StepSearch:
    return StepSearch(application.shell, application.catalogue, tmp_path / "data")


def run(search: StepSearch, service: FakeService, count: int = 1000) -> int:
    done = 0
    while search.busy and done < count:
        service.finish()
        done += 1
    return done


def settle(application: Application, qtbot: QtBot) -> None:
    application.background.wait()
    qtbot.waitUntil(lambda: not application.background.busy)


def test_only_methods_with_one_refinement_can_be_moved() -> None:
    assert movable_methods() == ("ours", "ours+", "saga", "saga+")


def test_it_asks_for_every_second_step_and_finds_the_best(search: StepSearch, service: FakeService) -> None:
    assert SEARCH.pictures == 3 * 2 * 2 * 3
    search.start(SEARCH)
    assert search.curve is None
    assert run(search, service) == 12
    asked = [job.request.parameters for job in service.submitted]
    assert {parameters.step for parameters in asked} == {0, 2, 4}
    assert {parameters.steps for parameters in asked} == {8}
    assert all(parameters.pictures == 3 and len(parameters.subjects) in (2, 3) for parameters in asked)
    assert {job.priority for job in service.submitted} == {Priority.IDLE}
    assert search.is_complete
    curve = search.curve
    assert curve is not None
    assert curve.chosen == BEST
    assert curve.tiam == {"2": pytest.approx((1 / 3, 1, 1 / 3)), "3": pytest.approx((1 / 3, 1, 1 / 3))}
    assert curve.pictures == 6


def test_the_curve_grows_with_the_trials(search: StepSearch, service: FakeService) -> None:
    search.start(SEARCH)
    assert search.seconds_left is None
    run(search, service, 4)
    curve = search.curve
    assert curve is not None
    assert curve.tried == (0, 2)
    assert search.done == (4, 12)
    assert search.seconds_left is not None


def test_it_is_stored_with_the_model(
    search: StepSearch, service: FakeService, application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    search.start(SEARCH)
    run(search, service)
    with qtbot.waitSignal(search.kept) as told:
        search.keep()
    assert told.args == [BEST]
    file = tmp_path / "data" / STEPS_FILE
    assert chosen(tmp_path, HASH, "ours", file).step == ChosenStep(BEST, 8)
    assert json.loads(file.read_text())[HASH]["ours"]["pictures_per_point"] == 6
    settle(application, qtbot)


def test_a_stopped_search_goes_on(search: StepSearch, service: FakeService) -> None:
    search.start(SEARCH)
    run(search, service, 5)
    service.start()
    search.stop()
    assert not search.busy
    assert search.done == (5, 12)
    search.start(SEARCH)
    service.stopped()  # the trial that was running
    assert run(search, service) == 7
    assert search.is_complete


def test_another_window_goes_on_from_the_record(
    search: StepSearch, service: FakeService, application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    search.start(SEARCH)
    run(search, service)
    settle(application, qtbot)
    again = StepSearch(application.shell, application.catalogue, tmp_path / "data")
    again.start(SEARCH)
    assert run(again, service) == 1  # which tells the weights' hash
    assert again.is_complete
    assert again.curve == search.curve
    more = replace(SEARCH, prompts=3)
    again.start(more)
    assert run(again, service) == 6


def test_a_damaged_record_is_measured_again(
    search: StepSearch, service: FakeService, application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / RECORDS
    folder.mkdir(parents=True)
    (folder / f"{HASH[:16]}-ours-8.json").write_text('{"0|2": [1, 2]}')
    search.start(SEARCH)
    assert run(search, service) == 12
    settle(application, qtbot)


def test_a_failure_ends_it_and_is_told(search: StepSearch, service: FakeService, qtbot: QtBot) -> None:
    search.start(SEARCH)
    with qtbot.waitSignal(search.failed) as told:
        service.fail(EditorError("Out of luck."))
    assert told.args[0].message == "Out of luck."
    assert not search.busy


def test_cancelling_its_job_stops_it(search: StepSearch, service: FakeService) -> None:
    search.start(SEARCH)
    service.cancel(service.running)
    service.stopped()
    assert not search.busy
    assert not search.is_complete


class TestModelsOfTheUser:
    @pytest.fixture(autouse=True)
    def photos(self, application: Application) -> None:
        application.catalogue._entries.append(  # type: ignore[attr-defined]
            FakeEntry("photos", Family.SDXL, sandbox=False)
        )

    def test_without_a_detection_model_nothing_starts(self, search: StepSearch) -> None:
        with pytest.raises(EditorError, match="Nothing here can tell"):
            search.start(replace(SEARCH, model="photos"))
        assert not search.busy

    def test_what_another_detector_judged_is_measured_again(
        self,
        search: StepSearch,
        service: FakeService,
        application: Application,
        qtbot: QtBot,
        tmp_path: Path,
    ) -> None:
        labels = {str(index): name for index, name in enumerate(("zebra", "bus", "boat", "bench", "fork"))}
        detectors = [tmp_path / name for name in ("one", "other")]
        for folder in detectors:
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps({"id2label": labels}))
        asked: list[int] = []
        for folder in (*detectors, detectors[0]):
            again = StepSearch(application.shell, application.catalogue, tmp_path / "data")
            again.start(replace(SEARCH, model="photos", prompts=1, detector=str(folder)))
            asked.append(run(again, service))
            settle(application, qtbot)
        assert asked[0] == asked[1] > asked[2] == 1  # which tells the weights' hash

    def test_its_kinds_make_the_prompts(
        self, search: StepSearch, service: FakeService, tmp_path: Path
    ) -> None:
        labels = {str(index): name for index, name in enumerate(("zebra", "bus", "boat", "bench", "fork"))}
        (tmp_path / "config.json").write_text(json.dumps({"id2label": labels}))
        search.start(replace(SEARCH, model="photos", detector=str(tmp_path)))
        parameters = service.running.request.parameters
        assert isinstance(parameters, RefineTrial)
        assert parameters.detector == str(tmp_path)
        named = {parameters.prompt[one.start : one.end] for one in parameters.subjects}
        assert named < {"zebra", "bus", "boat", "bench"}
        search.stop()
