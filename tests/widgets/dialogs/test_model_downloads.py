"""Downloading from the Models window: offers, progress, pausing, giving up, and what is said."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from editor.application import Application
from inference.downloads.curated import RECOMMENDED
from inference.downloads.download import Download
from inference.errors import EditorError
from inference.operations import Family
from tests.helpers.fake_application import FakeCatalogue, FakeEntry
from tests.helpers.fake_service import FakeService
from widgets.dialogs.model_dialog import ModelDialog
from widgets.dialogs.new_picture import NewPicture
from widgets.look.elided_label import ElidedLabel
from widgets.look.plain_text import Label
from widgets.window.main_window import MainWindow

TOTAL = 6_939_000_000


class Hub:
    """Stands for the catalogue's download: half arrives at once, the rest when `rest` is set."""

    def __init__(self, catalogue: FakeCatalogue) -> None:
        self.rest = threading.Event()
        self.error: EditorError | None = None
        self.asked: list[tuple[str, str]] = []
        self.fetched: list[bool] = []
        self._catalogue = catalogue

    def add(
        self, address: str, progress: Any = None, *, tell: Any = None, token: str = "", fetch: bool = True
    ) -> FakeEntry:
        self.asked.append((address, token))
        self.fetched.append(fetch)
        if self.error is not None:
            raise self.error
        tell(Download(done_bytes=TOTAL // 2, total_bytes=TOTAL, file="unet", bytes_per_second=1e7))
        while not self.rest.wait(0.01):
            progress.check()
        entry = FakeEntry(address, Family.SDXL, sandbox=False, path=Path("/hub"), hub_id=address)
        self._catalogue._entries.append(entry)
        return entry


@pytest.fixture
def models(window: MainWindow) -> ModelDialog:
    window.commands.show_models()
    dialog = window.commands.dialog("models")
    assert isinstance(dialog, ModelDialog)
    return dialog


@pytest.fixture
def hub(application: Application, monkeypatch: pytest.MonkeyPatch) -> Hub:
    assert isinstance(application.catalogue, FakeCatalogue)
    made = Hub(application.catalogue)
    monkeypatch.setattr(application.catalogue, "add", made.add)
    return made


@pytest.fixture(autouse=True)
def cached(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Hub ids of what is in the hub's cache."""
    there: set[str] = set()
    monkeypatch.setattr("widgets.dialogs.model_dialog.is_here", lambda offer: offer.hub_id in there)
    return there


def choose(models: ModelDialog, hub_id: str) -> None:
    for row in range(models.list.count()):
        models.list.setCurrentRow(row)
        if models.offer is not None and models.offer.hub_id == hub_id:
            return
    raise AssertionError(f"{hub_id} is not offered")


def test_one_click_downloads_and_uses_a_model(
    models: ModelDialog, hub: Hub, application: Application, qtbot: QtBot
) -> None:
    choose(models, RECOMMENDED[2].hub_id)
    assert models.download.isVisible()
    assert not models.use.isVisible()
    models.download.click()
    qtbot.waitUntil(lambda: "3.47 of 6.94 GB · 10.0 MB/s · 6 min left" in models.progress.words.text())
    assert models.progress.bar.value() == 500
    assert not models.download.isEnabled()
    assert models.focusWidget() is models.list
    hub.rest.set()
    qtbot.waitUntil(lambda: models.selected == RECOMMENDED[2].hub_id)
    assert application.settings.get("model") == RECOMMENDED[2].hub_id
    assert not models.progress.isVisible()
    offered = [models.list.item(row).data(Qt.ItemDataRole.UserRole + 1) for row in range(models.list.count())]
    assert RECOMMENDED[2].hub_id not in offered


def test_pausing_keeps_and_giving_up_deletes(
    models: ModelDialog, hub: Hub, application: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[str] = []
    monkeypatch.setattr("inference.downloads.download.give_up", deleted.append)
    choose(models, RECOMMENDED[0].hub_id)
    models.download.click()
    qtbot.waitUntil(lambda: "left" in models.progress.words.text())
    models.progress.pause.click()
    qtbot.waitUntil(lambda: "paused" in models.progress.words.text())
    assert deleted == []
    assert models.progress.pause.text() == "Go on"
    models.progress.pause.click()
    qtbot.waitUntil(lambda: application.downloads.busy and len(hub.asked) == 2)
    models.progress.stop.click()
    qtbot.waitUntil(lambda: deleted == [RECOMMENDED[0].hub_id])
    qtbot.waitUntil(lambda: not models.progress.isVisible())
    assert models.download.isEnabled()


def test_a_gated_model_asks_for_a_token_and_what_fails_is_said(
    models: ModelDialog, hub: Hub, qtbot: QtBot
) -> None:
    gated = next(one for one in RECOMMENDED if one.gated)
    choose(models, RECOMMENDED[0].hub_id)
    assert not models.token.isVisible()
    choose(models, gated.hub_id)
    assert models.token.isVisible()
    hub.error = EditorError("“{model}” is only for members.", "Accept the licence.", model=gated.hub_id)
    models.token.setText(" secret ")
    models.download.click()
    qtbot.waitUntil(lambda: "only for members. Accept the licence." in models.answer.text())
    assert hub.asked == [(gated.hub_id, "secret")]
    assert not models.progress.isVisible()


def test_an_address_of_the_hub_is_downloaded_too(models: ModelDialog, hub: Hub, qtbot: QtBot) -> None:
    models.address.setText("someone/else")
    models.add.click()
    hub.rest.set()
    qtbot.waitUntil(lambda: models.selected == "someone/else")


def test_a_dropped_file_is_added(models: ModelDialog, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "photo.safetensors"
    path.touch()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    keys, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    models.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, button, keys))
    qtbot.waitUntil(lambda: models.selected == "photo", timeout=5000)


def test_looking_through_a_folder_tells_how_far_it_is_and_can_be_stopped(
    models: ModelDialog,
    application: Application,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def add_all(folder: Path, progress: Any, *, tell: Any) -> Any:
        tell(folder, 12, 3)
        while True:
            progress.check()

    monkeypatch.setattr(application.catalogue, "add_all", add_all, raising=False)
    assert models.stop.isHidden()
    models.add_folder(tmp_path)
    qtbot.waitUntil(lambda: "12 folders, 3 models" in models.answer.text())
    assert not models.folder.isEnabled()
    qtbot.mouseClick(models.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Stopped" in models.answer.text())
    assert models.folder.isEnabled()
    assert models.stop.isHidden()


@pytest.mark.parametrize("fails", [True, False])
def test_what_ends_after_the_window_was_closed_is_told_in_the_main_window(
    models: ModelDialog,
    hub: Hub,
    application: Application,
    window: MainWindow,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    fails: bool,
) -> None:
    told: list[tuple[str, str]] = []
    application.message.connect(lambda text, hint, level: told.append((text, level)))
    choose(models, RECOMMENDED[2].hub_id)
    models.close()
    qtbot.waitUntil(lambda: not isValid(models))
    if fails:
        hub.error = EditorError("It broke off.")
    hub.rest.set()
    application.downloads.start(RECOMMENDED[2].hub_id)
    qtbot.waitUntil(lambda: bool(told))
    assert told == (
        [("It broke off.", "error")]
        if fails
        else [(f"{RECOMMENDED[2].title} is here. New pictures are made with it.", "info")]
    )
    window.commands.show_models()  # and the next one says it itself again
    hub.error = EditorError("It broke off.")
    application.downloads.start(RECOMMENDED[1].hub_id)
    again = window.commands.dialog("models")
    assert isinstance(again, ModelDialog)
    qtbot.waitUntil(lambda: again.answer.text() == "It broke off.")
    assert len(told) == 1


def test_a_download_never_widens_the_window(models: ModelDialog, hub: Hub, qtbot: QtBot) -> None:
    choose(models, RECOMMENDED[0].hub_id)
    width = models.width()
    models.download.click()
    qtbot.waitUntil(lambda: "6 min left" in models.progress.words.text())
    assert models.progress.words.text().startswith(f"{RECOMMENDED[0].title} · ")
    assert models.minimumSizeHint().width() <= width
    assert models.width() == width
    hub.rest.set()
    qtbot.waitUntil(lambda: not models.progress.isVisible())


def test_when_all_is_here_it_says_that_the_model_is_looked_at(
    models: ModelDialog, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = application.downloads
    monkeypatch.setattr(type(downloads), "busy", property(lambda _: True))
    for done, said in ((TOTAL - 1, "1 s left"), (TOTAL, "looking at the model…")):
        downloads._state = Download(done_bytes=done, total_bytes=TOTAL, file="vae", bytes_per_second=1e7)
        models.progress.show_state()
        assert models.progress.words.text().endswith(f" · {said}")
    downloads._state = None


def test_the_status_bar_leads_to_the_models_while_the_sandbox_is_used(
    window: MainWindow, qtbot: QtBot
) -> None:
    qtbot.mouseClick(window.status.note, Qt.MouseButton.LeftButton)
    assert isinstance(window.commands.dialog("models"), ModelDialog)


def test_another_autoencoder_makes_an_entry_of_its_own(
    models: ModelDialog,
    application: Application,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked: list[tuple[str, Path | None]] = []
    catalogue = application.catalogue
    assert isinstance(catalogue, FakeCatalogue)
    models.list.setCurrentRow(0)
    assert not models.vae.isEnabled()  # built in
    mine = FakeEntry("mine", Family.SDXL, sandbox=False, path=tmp_path / "mine.safetensors", hub_id="a/mine")
    catalogue._entries.append(mine)

    def add(address: str, *, vae: Path | None = None) -> FakeEntry:
        asked.append((address, vae))
        made = FakeEntry("mine 2", Family.SDXL, sandbox=False, path=mine.path)
        catalogue._entries.append(made)
        return made

    monkeypatch.setattr(catalogue, "add", add)
    chosen = str(tmp_path / "vae" / "config.json")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (chosen, ""))
    models._fill("mine")
    models.vae.click()
    qtbot.waitUntil(lambda: models.selected == "mine 2")
    assert asked == [(str(mine.path), tmp_path / "vae")]
    assert models.answer.text() == "Added mine 2."


def test_rows_are_as_wide_as_the_list_and_long_paths_end_in_an_ellipsis(
    models: ModelDialog, application: Application
) -> None:
    catalogue = application.catalogue
    assert isinstance(catalogue, FakeCatalogue)
    catalogue._entries.append(
        FakeEntry("far", Family.SDXL, sandbox=False, path=Path("/a/very/long/way") / ("down" * 60))
    )
    models._fill("far")
    models.list.doItemsLayout()
    rows = [models.list.itemWidget(models.list.item(index)) for index in range(models.list.count())]
    assert all(row.width() <= models.list.viewport().width() for row in rows)
    row = models.list.itemWidget(models.list.currentItem())
    assert any(label.shown_text.endswith("…") for label in row.findChildren(ElidedLabel))


def test_three_clicks_lead_from_the_start_page_to_the_first_photo(
    window: MainWindow, hub: Hub, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    click, key = Qt.MouseButton.LeftButton, Qt.Key.Key_Return
    hub.rest.set()
    qtbot.mouseClick(window.workspace.welcome.models, click)
    models = window.commands.dialog("models")
    assert isinstance(models, ModelDialog)
    offer = models.offer
    assert offer is not None
    assert offer.title == "Stable Diffusion 1.5"
    assert models.focusWidget() is models.download
    width = models.width()
    qtbot.mouseClick(models.download, click)
    qtbot.waitUntil(lambda: models.new.isVisible())
    assert models.answer.text() == "Stable Diffusion 1.5 is here. New pictures are made with it."
    assert models.focusWidget() is models.new
    assert models.width() == width
    assert not window.workspace.welcome.models.isVisible()
    qtbot.mouseClick(models.new, click)
    new = window.commands.dialog("new")
    assert isinstance(new, NewPicture)
    assert new.focusWidget() is new.prompt
    assert (new.model.currentText(), new.model.currentData()) == (offer.title, offer.hub_id)
    qtbot.keyClicks(new.prompt, "a cat")
    with qtbot.waitSignal(application.document_opened, timeout=5000):
        qtbot.keyClick(new.prompt, key)
    assert service.submitted[-1].request.model == offer.hub_id


def test_enter_presses_the_button_that_has_the_keyboard(models: ModelDialog, hub: Hub, qtbot: QtBot) -> None:
    hub.rest.set()
    qtbot.keyClick(models, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: models.new.isVisible())
    assert hub.asked == [(RECOMMENDED[0].hub_id, "")]
    models.address.setFocus()
    models.address.setText("someone/else")
    qtbot.keyClick(models.address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: models.selected == "someone/else")
    assert [address for address, _ in hub.asked] == [RECOMMENDED[0].hub_id, "someone/else"]


def test_who_has_a_model_is_suggested_none_and_keeps_the_used_one(
    window: MainWindow, application: Application, hub: Hub, qtbot: QtBot
) -> None:
    assert isinstance(application.catalogue, FakeCatalogue)
    application.catalogue._entries.append(FakeEntry("mine", Family.SDXL, sandbox=False))
    application.settings.set("model", "mine")
    application.shell.models_changed.emit()
    assert not window.workspace.welcome.models.isVisible()
    window.commands.show_models()
    models = window.commands.dialog("models")
    assert isinstance(models, ModelDialog)
    assert models.selected == "mine"
    assert models.new.isVisible()
    hub.rest.set()
    choose(models, RECOMMENDED[2].hub_id)
    models.download.click()
    qtbot.waitUntil(lambda: "Choose it under Models" in models.answer.text())
    assert application.settings.get("model") == "mine"
    assert models.use.isVisible()


def test_what_other_programs_have_fetched_is_used_without_the_network(
    window: MainWindow, application: Application, hub: Hub, cached: set[str], qtbot: QtBot
) -> None:
    cached.add(RECOMMENDED[3].hub_id)
    hub.rest.set()
    window.commands.show_models()
    models = window.commands.dialog("models")
    assert isinstance(models, ModelDialog)
    qtbot.waitUntil(lambda: models.offer is RECOMMENDED[3])
    row = models.list.itemWidget(models.list.currentItem())
    assert "on this computer" in [label.text() for label in row.findChildren(Label)]
    assert models.download.text() == "Use for new pictures"
    models.download.click()
    qtbot.waitUntil(lambda: models.new.isVisible())
    assert hub.fetched == [False]
    assert application.settings.get("model") == RECOMMENDED[3].hub_id


def test_a_choice_made_meanwhile_is_not_taken_back(
    window: MainWindow,
    application: Application,
    cached: set[str],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cached.add(RECOMMENDED[3].hub_id)
    looked: list[Callable[[frozenset[str]], None]] = []
    monkeypatch.setattr(application.background, "run", lambda work, done, failed, **_: looked.append(done))
    window.commands.show_models()
    models = window.commands.dialog("models")
    assert isinstance(models, ModelDialog)
    choose(models, RECOMMENDED[1].hub_id)
    looked[-1](frozenset(cached))
    assert models.offer is RECOMMENDED[1]


def test_what_was_fetched_whole_and_cannot_be_used_is_not_called_paused(
    application: Application, hub: Hub, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def add(*_: Any, tell: Any, **__: Any) -> FakeEntry:
        tell(Download(done_bytes=TOTAL, total_bytes=TOTAL, file="vae", bytes_per_second=1e7))
        raise EditorError("It is damaged.")

    monkeypatch.setattr(application.catalogue, "add", add)
    with qtbot.waitSignal(application.downloads.failed, timeout=5000):
        application.downloads.start(RECOMMENDED[0].hub_id)
    assert not application.downloads.paused
    assert application.downloads.state is None


def test_a_dialog_that_is_open_lists_the_model_that_has_come(
    window: MainWindow, application: Application, hub: Hub, qtbot: QtBot
) -> None:
    window.commands.show_new_picture()
    new = window.commands.dialog("new")
    assert isinstance(new, NewPicture)
    new.prompt.setPlainText("a cat")
    hub.rest.set()
    with qtbot.waitSignal(application.downloads.changed, timeout=5000):
        application.downloads.start(RECOMMENDED[0].hub_id)
    qtbot.waitUntil(lambda: new.model.currentData() == RECOMMENDED[0].hub_id)
    assert new.prompt.toPlainText() == "a cat"
