"""The dialog that teaches a concept and the shelf that shows them, over scripted jobs."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from editor.application import Application
from editor.commands import SetSelection, push
from editor.controllers import concepts
from editor.controllers.concepts import crop_around, near
from editor.generating.contents import LONGEST_PHOTO_PX, as_photo
from editor.layers.layer import Mask
from editor.pixels.raster import Raster
from inference import worker
from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.concepts.library import ConceptLibrary, Kept
from inference.content import Picture, content_hash
from inference.errors import EditorError
from inference.messages import Message
from inference.methods.concepts.photos import place_of
from inference.operations import Generate, JudgePhotos, LearnConcept
from inference.request import Pixels, Request
from inference.service import Job, Priority
from tests.helpers.fake_service import FakeService
from widgets.dialogs.new_picture import NewPicture
from widgets.dialogs.rename_concept import RenameConcept
from widgets.subjects.concept_dialog import ConceptDialog
from widgets.subjects.concept_shelf import ConceptShelf, concept_icon
from widgets.subjects.photo_tiles import MOST
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow


def concept(word: str = "<my-cat>") -> Concept:
    rows = np.full((1, 96), 0.01, np.float32)
    return Concept(
        word=word, vectors={"clip_l": rows, "clip_g": rows}, kind="cat", family="sdxl", model="mini-sdxl"
    )


def photo(seed: int) -> Pixels:
    made = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)
    made.setflags(write=False)
    return made


@pytest.fixture
def dialog(filled: MainWindow, service: FakeService) -> ConceptDialog:
    service.fake_engine.automatic = False
    filled.commands.show_teach_concept()
    found = filled.commands.dialog("teach concept")
    assert isinstance(found, ConceptDialog)
    return found


@pytest.fixture
def described(dialog: ConceptDialog) -> ConceptDialog:
    dialog.add_photos(tuple(photo(number) for number in range(3)))
    dialog.name.setText("My cat")
    dialog.kind.setText("cat")
    return dialog


def asked_to(service: FakeService, kind: type) -> list[Job]:
    return [job for job in service.submitted if isinstance(job.request.parameters, kind)]


def started(dialog: ConceptDialog, qtbot: QtBot, application: Application) -> Job:
    dialog._judging.stop()
    dialog.start.click()
    qtbot.waitUntil(lambda: len(application.long_jobs.running) == 1, timeout=5000)
    return application.long_jobs.running[0]


def test_it_asks_for_what_is_shown_and_typed(
    described: ConceptDialog, qtbot: QtBot, application: Application
) -> None:
    assert described.word.text() == "In prompts: <My-cat>"
    job = started(described, qtbot, application)
    parameters = job.request.parameters
    assert isinstance(parameters, LearnConcept)
    assert (job.priority, job.label, job.request.model) == (Priority.LONG, "Teach <My-cat>: cat", "mini-sdxl")
    assert (parameters.token, parameters.initialise_from, parameters.method) == (
        "<My-cat>",
        "cat",
        "directional",
    )
    assert len(parameters.images) == len(parameters.crops) == len(job.contents) == 3
    assert not described.fields.isEnabled()


@pytest.mark.parametrize(
    ("name", "kind", "photos", "said"),
    [("My cat", "cat", 0, "no photos"), ("", "cat", 3, "cannot be the name"), ("My cat", " ", 3, "no word")],
)
def test_what_is_missing_is_said(
    name: str, kind: str, photos: int, said: str, dialog: ConceptDialog, application: Application
) -> None:
    dialog.add_photos(tuple(photo(number) for number in range(photos)))
    dialog.name.setText(name)
    dialog.kind.setText(kind)
    dialog.start.click()
    assert said in dialog.status.text()
    assert application.long_jobs.running == ()
    dialog.add_photos((photo(9),))
    assert dialog.status.text() == "", "it is being put right"


def test_a_name_that_is_taken_is_said(
    described: ConceptDialog, qtbot: QtBot, application: Application
) -> None:
    application.concepts.library.add(concept_file(concept("<my-cat>")))
    with qtbot.waitSignal(application.concepts.changed):
        application.concepts.start()
    described.start.click()
    assert "already" in described.status.text()


def test_photos_are_looked_at_before(described: ConceptDialog, qtbot: QtBot, service: FakeService) -> None:
    qtbot.waitUntil(lambda: bool(asked_to(service, JudgePhotos)), timeout=5000)
    (job,) = asked_to(service, JudgePhotos)
    described.photos.tiles[0]._set((0.2, 0.2, 0.5))
    described._judging.stop()
    crops = [[0.6, 0.5, 0.4]] * 3
    result = replace(
        service.result(job.request, ()),
        notes=(Message("Photo {number}: too dark.", number=1),),
        artifacts={"report": json.dumps({"crops": crops}).encode()},
    )
    service.start()
    service._on_reply(worker.Finished(job.id, result))
    assert described.advice.text() == "• Photo 1: too dark."
    assert described.photos.crops[0][2] == 0.5, "what the hand chose stays"
    assert described.photos.crops[1] == (0.6, 0.5, 0.4)


def test_files_are_dropped_and_those_that_are_none_are_told(
    dialog: ConceptDialog, qtbot: QtBot, application: Application, tmp_path: Path
) -> None:
    Image.fromarray(np.array(photo(1))).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("a.png", "b.png")])
    drop = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    dialog.photos.dropEvent(drop)
    qtbot.waitUntil(lambda: len(dialog.photos.tiles) == 1, timeout=5000)
    assert "b.png" in dialog.status.text(), "in the window it would lie behind the dialog"
    dialog.photos.tiles[0].remove.click()
    assert dialog.photos.photos == ()
    assert dialog.photos.hint.isVisible()


def test_any_number_of_photos_stays_within_the_dialog(dialog: ConceptDialog, qtbot: QtBot) -> None:
    """They stood in one row, whose end could not be reached, and made the fields as wide as themselves."""
    width = dialog.fields.minimumSizeHint().width()
    dialog.add_photos(tuple(photo(number) for number in range(MOST + 3)))
    assert len(dialog.photos.tiles) == MOST
    assert "No more than 20" in dialog.status.text()
    assert dialog.fields.minimumSizeHint().width() == width
    tiles = dialog.photos.tiles
    qtbot.waitUntil(lambda: all(one.parentWidget().rect().contains(one.geometry()) for one in tiles))
    first, second, *_ = dialog.photos.tiles
    first.remove.click()
    assert dialog.photos.tiles[0] is second
    assert isValid(second)
    assert second.isVisible()
    assert dialog.status.text() == "", "what was wrong may be mended"


def test_the_same_photo_is_taken_once_unless_it_is_learnt_in_parts(dialog: ConceptDialog) -> None:
    """A file that was dropped twice was read twice, and counted as two photos."""
    dialog.add_photos((photo(1), photo(1), photo(2)))
    dialog.add_photos((photo(2),))
    assert len(dialog.photos.tiles) == 2
    for x in (0.2, 0.8):
        dialog.add_photos((photo(2),), (x, 0.5, 0.3))
    assert len(dialog.photos.tiles) == 4


def test_a_job_with_one_photo_in_parts_shows_all_of_them(dialog: ConceptDialog) -> None:
    content = photo(1)
    name = content_hash(content)
    crops = ((0.3, 0.5, 0.3), (0.7, 0.5, 0.3))
    parameters = LearnConcept(images=(Picture(name),) * 2, token="<cup>", initialise_from="cup", crops=crops)
    asked = Request(operation="learn-concept", parameters=parameters, model="mini-sdxl")
    dialog.show_asked(asked, {name: content})
    assert len(dialog.photos.tiles) == 2


def test_of_a_folder_of_photos_no_more_are_read_than_are_taken(
    dialog: ConceptDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def photo_of(path: Path) -> Pixels:
        read.append(path)
        return photo(len(read))

    monkeypatch.setattr(concepts, "photo_of", photo_of)
    dialog.photos.wanted.emit(tuple(tmp_path / f"{number}.png" for number in range(500)))
    qtbot.waitUntil(lambda: "No more than 20" in dialog.status.text(), timeout=5000)
    assert len(dialog.photos.tiles) == MOST
    assert len(read) == MOST + 1


def test_a_part_is_moved_and_sized_by_hand(described: ConceptDialog, qtbot: QtBot) -> None:
    tile = described.photos.tiles[0]
    QTest.keyClick(tile, Qt.Key.Key_Minus)
    QTest.keyClick(tile, Qt.Key.Key_Right)
    x, y, side = tile.crop
    assert side == pytest.approx(1 / 1.1)
    assert (x, y) == pytest.approx((0.52, 0.5), abs=0.01)
    for _ in range(200):
        QTest.keyClick(tile, Qt.Key.Key_Right)
    assert tile.place().contains(tile.part().adjusted(0.1, 0.1, -0.1, -0.1))


def test_a_part_of_a_panorama_is_chosen_by_hand(dialog: ConceptDialog) -> None:
    """Its tile had no height to divide by."""
    dialog.add_photos((np.zeros((20, 3072, 3), np.uint8), np.zeros((3072, 20, 3), np.uint8)))
    for tile in dialog.photos.tiles:
        tile.choose((0.9, 0.9, 0.5))
        assert tile.is_set
        assert max(tile.crop) <= 1
        assert tile.crop[2] == 0.5


def test_the_strip_grows_while_it_learns(
    described: ConceptDialog, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    started(described, qtbot, application)
    service.start()
    for number in range(10):
        service.step(number * 10, 1600, np.full((8, 8, 3), number, np.uint8), phase="learn")
    shades = [picture.pixelColor(0, 0).red() for picture in described.strip.pictures]
    assert shades == [0, 4, 5, 6, 7, 8, 9]
    answer = service.result
    service.result = lambda request, images=None: replace(  # type: ignore[method-assign]
        answer(request, ()), artifacts={"concept": concept_file(concept("<My-cat>"))}
    )
    with qtbot.waitSignal(application.long_jobs.kept, timeout=5000):
        service.finish()
    assert "<My-cat>" in described.status.text()
    qtbot.waitUntil(lambda: [one.word for one in application.concepts.known] == ["<My-cat>"], timeout=5000)
    assert described.fields.isEnabled()


def test_what_is_kept_while_it_goes_on_stays_said(
    described: ConceptDialog, qtbot: QtBot, application: Application, service: FakeService
) -> None:
    """The next step wrote over it within a second."""
    started(described, qtbot, application)
    service.start()
    service.step(10, 1600, phase="learn")
    application.long_jobs.kept.emit(Kept(concept=concept("<My-cat>"), path=Path("x.safetensors")))
    service.step(12, 1600, phase="learn")
    kept, step = described.status.text().splitlines()
    assert "<My-cat>" in kept
    assert "12 of 1600" in step


def test_opened_while_it_learns_it_shows_what(
    described: ConceptDialog, qtbot: QtBot, application: Application, filled: MainWindow
) -> None:
    """It showed empty fields, and asked for photos."""
    described.photos.tiles[0].choose((0.4, 0.4, 0.5))
    asked = started(described, qtbot, application).request.parameters
    described.close()
    qtbot.waitUntil(lambda: filled.commands.dialog("teach concept") is None)
    filled.commands.show_teach_concept()
    again = filled.commands.dialog("teach concept")
    assert isinstance(again, ConceptDialog)
    assert [one.tobytes() for one in again.photos.photos] == [photo(number).tobytes() for number in range(3)]
    assert isinstance(asked, LearnConcept)
    assert again.photos.crops == asked.crops
    assert (again.name.text(), again.kind.text()) == ("My-cat", "cat")
    assert (again.word.text(), again.is_busy) == ("In prompts: <My-cat>", True)


class TestShelf:
    @pytest.fixture
    def shelf(self, subjects: SubjectPanel, qtbot: QtBot, application: Application) -> ConceptShelf:
        application.concepts.library.add(concept_file(concept()))
        with qtbot.waitSignal(application.concepts.changed):
            application.concepts.start()
        return subjects.shelf

    def test_a_click_puts_the_word_into_the_prompt(self, shelf: ConceptShelf, subjects: SubjectPanel) -> None:
        shelf.buttons[0].click()
        assert subjects.prompt.editor.isVisible()
        assert subjects.prompt.editor.toPlainText() == "a photo of a man and a woman on the beach <my-cat>"

    def test_without_a_picture_it_opens_new_from_prompt(
        self, shelf: ConceptShelf, filled: MainWindow, application: Application
    ) -> None:
        document = application.current
        assert document is not None
        application.close(document)
        shelf.buttons[0].click()
        dialog = filled.commands.dialog("new")
        assert isinstance(dialog, NewPicture)
        assert "<my-cat>" in dialog.prompt.toPlainText()

    def test_what_is_asked_for_carries_the_vectors(
        self, shelf: ConceptShelf, application: Application, service: FakeService
    ) -> None:
        service.fake_engine.automatic = False
        application.new_from_prompt(Generate(prompt="a photo of a <MY-cat>"), "mini-sdxl")
        service.start()
        runs = [one for one in service.fake_engine.commands if isinstance(one, worker.Run)]
        parameters = runs[-1].request.parameters
        assert isinstance(parameters, Generate)
        (name,) = parameters.concepts
        assert runs[-1].contents[name.hash] == concept_file(concept())

    def test_rename_and_delete(
        self, shelf: ConceptShelf, filled: MainWindow, qtbot: QtBot, application: Application
    ) -> None:
        filled.commands.rename_concept("<my-cat>")
        dialog = filled.commands.dialog("rename concept")
        assert isinstance(dialog, RenameConcept)
        dialog.name.setText("Tom")
        with qtbot.waitSignal(application.concepts.changed):
            dialog.rename.click()
        assert [button.concept.word for button in shelf.buttons] == ["<Tom>"]
        menu = shelf.menu_of("<Tom>")
        sure = menu.actions()[-1].menu()
        assert isinstance(sure, QMenu), "one click deletes nothing: it cannot be taken back"
        (delete,) = sure.actions()
        with qtbot.waitSignal(application.concepts.changed):
            delete.trigger()
        assert shelf.buttons == []

    def test_of_files_that_are_imported_at_once_a_damaged_one_keeps_none_out(
        self, shelf: ConceptShelf, application: Application, tmp_path: Path, qtbot: QtBot
    ) -> None:
        files = [tmp_path / f"{name}.safetensors" for name in ("cup", "damaged", "pot")]
        for path in files:
            path.write_bytes(concept_file(concept(f"<{path.stem}>")))
        files[1].write_bytes(b"no concept")
        told: list[str] = []
        application.message.connect(lambda text, *_: told.append(text))
        with qtbot.waitSignal(application.concepts.changed):
            application.concepts.import_files(files)
        assert [button.concept.word for button in shelf.buttons] == ["<cup>", "<my-cat>", "<pot>"]
        assert ["<cup>, <pot>" in told[0], "damaged" in told[1]] == [True, True]

    def test_who_comes_back_to_the_window_finds_what_was_learnt_elsewhere(
        self, shelf: ConceptShelf, filled: MainWindow, qtbot: QtBot, application: Application
    ) -> None:
        """What a command in a terminal learnt was not there before the next start."""
        elsewhere = ConceptLibrary(application.concepts.library.folder)
        elsewhere.add(concept_file(concept("<cup>")))
        with qtbot.waitSignal(application.concepts.changed):
            QApplication.sendEvent(filled, QEvent(QEvent.Type.ActivationChange))
        assert [button.concept.word for button in shelf.buttons] == ["<cup>", "<my-cat>"]
        with qtbot.assertNotEmitted(application.concepts.changed):
            application.look_again()
            qtbot.waitUntil(lambda: not application.background.busy)


@pytest.mark.parametrize(("side", "is_shown"), [(64, True), (4000, False)])
def test_a_picture_that_is_no_small_one_is_not_unfolded(side: int, is_shown: bool, qtbot: QtBot) -> None:
    """Eight kilobytes of a file stopped the window for a second, each time the library was shown."""
    content = BytesIO()
    Image.new("1", (side, side)).save(content, "PNG")
    widget = QToolButton()
    qtbot.addWidget(widget)
    icon = concept_icon(widget, replace(concept(), picture=content.getvalue()), 52)
    assert (icon.pixmap(52).toImage().pixelColor(1, 1) == QColor("black")) == is_shown


class TestTakingTheSelection:
    def test_nothing_is_selected(self, dialog: ConceptDialog, qtbot: QtBot) -> None:
        dialog.photos.take.click()
        qtbot.waitUntil(lambda: "Nothing is selected" in dialog.status.text(), timeout=5000)
        assert dialog.photos.tiles == []

    def test_the_part_around_it_is_learnt(
        self, dialog: ConceptDialog, application: Application, qtbot: QtBot
    ) -> None:
        document = application.current
        assert document is not None
        width, height = document.state.width, document.state.height
        short = min(width, height)
        mask = np.zeros((height, width), np.uint8)
        mask[: short // 2, : short // 4] = 255
        selection = Mask(raster=Raster.of(mask[..., None]), x=0, y=0, outside=0)
        push(document, SetSelection(document, selection, "Select"))
        dialog.photos.take.click()
        qtbot.waitUntil(lambda: len(dialog.photos.tiles) == 1, timeout=5000)
        tile = dialog.photos.tiles[0]
        assert tile.is_set, "no suggestion replaces it"
        assert tile.pixels.shape[:2] == (height, width)
        assert tile.crop[2] == pytest.approx(0.55, abs=0.05)
        assert tile.crop[1] < 0.4, "at the top, and inside of the photo"

    def test_beyond_the_most_photos_it_is_said(
        self, dialog: ConceptDialog, application: Application, qtbot: QtBot
    ) -> None:
        document = application.current
        assert document is not None
        everything = Mask(raster=Raster.of(np.full((4, 4, 1), 255, np.uint8)), x=0, y=0, outside=0)
        push(document, SetSelection(document, everything, "Select"))
        dialog.add_photos(tuple(photo(number) for number in range(MOST)))
        assert dialog.status.text() == ""
        dialog.photos.take.click()
        qtbot.waitUntil(lambda: "No more than 20" in dialog.status.text(), timeout=5000)
        assert len(dialog.photos.tiles) == MOST

    def test_of_a_large_picture_what_is_near_is_taken(self) -> None:
        """Each photo of a job is written with its state, again and again."""
        picture = np.random.default_rng(1).integers(0, 256, (2000, 9000, 3), np.uint8)
        mask = np.zeros((2000, 9000), np.uint8)
        mask[600:1400, 8000:8800] = 255
        part, selected = near(picture, mask)
        assert part.shape == (2000, LONGEST_PHOTO_PX, 3)
        left, top, right, bottom = place_of(part.shape[1], part.shape[0], crop_around(selected), 1.0)
        assert right - left == 880
        assert selected[top:bottom, left:right].sum() == mask.sum()
        assert np.array_equal(part[selected > 0], picture[mask > 0])
        mask[:, 1000:8900] = 255
        part, selected = near(picture, mask)
        assert selected.sum() == mask.sum()
        assert max(as_photo(part).shape) == LONGEST_PHOTO_PX
        small = np.zeros((40, 60), np.uint8)
        assert near(picture[:40, :60], small)[0].shape == (40, 60, 3)

    def test_a_crop_of_nothing(self) -> None:
        with pytest.raises(EditorError, match="Nothing is selected"):
            crop_around(np.zeros((4, 4), np.uint8))
        assert crop_around(np.full((4, 8), 255, np.uint8)) == (0.5, 0.5, 1.0)


def test_without_photos_it_says_so_at_once(dialog: ConceptDialog, service: FakeService) -> None:
    dialog.start.click()
    assert "There are no photos" in dialog.status.text()
    assert dialog.status.property("danger")
    assert asked_to(service, LearnConcept) == []


def test_closed_while_photos_are_read_it_takes_none(
    dialog: ConceptDialog, application: Application, tmp_path: Path, qtbot: QtBot
) -> None:
    Image.fromarray(photo(1)).save(tmp_path / "cat.png")
    dialog.photos.wanted.emit((tmp_path / "cat.png",))
    dialog.photos.take_selection.emit()  # of which there is none
    dialog.close()
    qtbot.waitUntil(lambda: not isValid(dialog))
    qtbot.waitUntil(lambda: not application.background.busy)


def test_it_has_a_button_that_closes(dialog: ConceptDialog) -> None:
    dialog.shut.click()
    assert not dialog.isVisible()
