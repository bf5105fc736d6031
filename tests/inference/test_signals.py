"""Qt's signals and the system's: a session's worth of the first, and Ctrl-C.

PySide6 6.12.0 ended the process after some thousands on Python 3.11.
"""

import multiprocessing
import os
import signal
import subprocess
import sys

from inference import worker
from tests.helpers.scripted_runner import ScriptedRunner, request

EMISSIONS = """
from PySide6.QtCore import QObject, Signal
class Source(QObject):
    happened = Signal(object)
source = Source()
for number in range(20000):
    source.happened.emit(number)
"""


def test_twenty_thousand_emissions() -> None:
    run = subprocess.run([sys.executable, "-c", EMISSIONS], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


def test_ctrl_c_for_the_whole_terminal_leaves_the_child_at_its_work() -> None:
    """The window decides what becomes of the jobs; the child prints no traceback and answers on."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=worker.child_main, args=(theirs, ScriptedRunner), daemon=True)
    child.start()
    theirs.close()
    try:
        ours.send(worker.Run(1, request("steps 100")))
        seen: list[str] = []
        while "Finished" not in seen:
            assert ours.poll(60)
            reply = ours.recv()
            if isinstance(reply, worker.Stepped) and "Stepped" not in seen:
                assert child.pid is not None
                os.kill(child.pid, signal.SIGINT)
            seen.append(type(reply).__name__)
        assert "Failed" not in seen
        ours.send(worker.Shutdown())
        child.join(20)
        assert child.exitcode == 0
    finally:
        ours.close()
        child.kill()
        child.join()
