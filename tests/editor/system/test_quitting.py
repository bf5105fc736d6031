"""Quitting ends soon and keeps unsaved work, whatever is going on."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.layers.state import DocumentState
from editor.system.folders import recovery_folder
from tests.editor.controllers.receivers import Bench
from tests.editor.edits.trees import tree
from tests.helpers.fake_application import generated, make_application, open_document

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes and signals are different there")
LIMIT_S = 3.0

PROGRAM = """
import os, signal, sys
from pathlib import Path
import numpy as np
from PySide6.QtCore import QTimer
import editor.__main__ as program
import editor.formats
from editor.application import Application
from inference.request import Request
from inference.service import InferenceService
from tests.helpers.fake_application import generated, open_document
from tests.helpers.scripted_runner import ScriptedRunner, request

def begin(application):
    document = generated()
    document.undo_stack.resetClean()
    open_document(application, document)
    print("ready", flush=True)

editor.formats.check_ordinary = lambda path: None  # the pipe stands for a drive that never answers

def start(self, paths):
    begin(self)
    if "engine" in sys.argv:
        service = self.service
        def stop(job, _):
            import multiprocessing
            for child in multiprocessing.active_children():
                os.kill(child.pid, signal.SIGSTOP)
            service.submit(request("steps 2"), {"image": np.zeros((4000, 4000, 3), np.uint8)})
            QTimer.singleShot(100, lambda: print("stopped", flush=True))
        service.job_finished.connect(stop)
        service.submit(request("steps 1"))
    for path in sys.argv[2:]:
        if path != "engine":
            self.open_file(Path(path))

Application.start = start
made = program.make_application
def make_application():
    application = made()
    if "engine" in sys.argv:
        application.service = InferenceService(ScriptedRunner)
    return application
program.make_application = make_application
program._leave_at_once_if_busy(status := program.main([]))
sys.exit(status)
"""


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It stands for a drive that never answers: nobody writes to it, and it is taken for a file."""
    monkeypatch.setattr("editor.formats.check_ordinary", lambda path: None)
    made = tmp_path / "endless.png"
    os.mkfifo(made)
    return made


@pytest.fixture
def application(qtbot: QtBot, tmp_path: Path) -> Iterator[Application]:
    made = make_application(tmp_path)
    yield made
    made.shutdown()


@pytest.mark.parametrize("busy", ["nothing", "pipe", "engine"])
def test_a_signal_ends_the_window_in_time_and_keeps_unsaved_work(
    tmp_path: Path, pipe: Path, busy: str
) -> None:
    more = {"nothing": [], "pipe": [str(pipe)], "engine": ["engine"]}[busy]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), *more],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if busy == "engine":
            assert child.stdout.readline() == "stopped\n"
        time.sleep(0.3)
        begun = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 128 + signal.SIGTERM
        assert time.monotonic() - begun < LIMIT_S
    finally:
        child.kill()
        child.communicate()
    assert len(list(recovery_folder().glob("*/*/manifest.json"))) == 1


def test_a_file_that_never_ends_can_be_given_up(application: Application, pipe: Path, qtbot: QtBot) -> None:
    told, busy = list[str](), list[str]()
    application.message.connect(lambda text, hint, level: told.append(text))
    application.busy_changed.connect(busy.append)
    application.open_file(pipe)
    assert application.holds("jobs")
    qtbot.wait(50)
    application.cancel_jobs()
    assert busy == ["Opening endless.png…", ""]
    assert not application.holds("jobs")
    with pipe.open("wb") as writer:  # the reader is still there, and nobody listens to it
        writer.write(b"no picture")
    qtbot.wait(100)
    assert told == []
    assert not application.documents


def test_other_files_open_while_one_never_ends(application: Application, pipe: Path, qtbot: QtBot) -> None:
    from PIL import Image

    picture = pipe.with_name("picture.png")
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(picture)
    application.open_file(pipe)
    application.open_file(picture)
    qtbot.wait_until(lambda: len(application.documents) == 1)
    assert application.reading
    application.cancel_jobs()
    assert not application.reading


def test_shutting_down_waits_for_a_file_being_written(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tree(), tmp_path, qtbot)
    from editor.formats import files

    save, path = files.save_project, tmp_path / "saved.ora"

    def slowly(state: DocumentState, source: object, to: Path) -> None:
        time.sleep(0.3)
        save(state, source, to)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "save_project", slowly)
    bench.application.save(bench.document, path)
    bench.application.shutdown()
    assert path.exists()


def test_shutting_down_ends_in_time_when_nothing_ends(application: Application, pipe: Path) -> None:
    application.open_file(pipe)
    application.background.run(
        partial(threading.Event().wait, 20), lambda _: None, lambda _: None, in_order=True
    )
    document = generated()
    document.undo_stack.resetClean()
    open_document(application, document)
    begun = time.monotonic()
    application.shutdown()
    assert time.monotonic() - begun < LIMIT_S
    assert len(list(recovery_folder().glob("*/*/manifest.json"))) == 1
