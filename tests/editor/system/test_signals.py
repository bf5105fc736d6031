import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from editor.system.folders import recovery_folder

PROGRAM = """
import signal
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from PySide6.QtCore import QTimer
from editor.system.signals import SignalWatch
from tests.helpers.fake_application import generated, make_application, open_document
signal.signal(int(sys.argv[2]), signal.SIG_DFL)  # under nohup one is ignored, and stays so
qt = QApplication([])
application = make_application(Path(sys.argv[1]))
document = generated()
document.undo_stack.resetClean()
open_document(application, document)
watch = SignalWatch(lambda number: qt.exit(128 + number))
QTimer.singleShot(0, lambda: print("ready", flush=True))
status = qt.exec()
application.shutdown()
watch.close()
sys.exit(status)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are different there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_cleanly_and_keeps_unsaved_work(tmp_path: Path, number: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(int(number))],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        assert child.wait(30) == 128 + number
    finally:
        child.kill()
        child.communicate()
    assert len(list(recovery_folder().glob("*/*/manifest.json"))) == 1
