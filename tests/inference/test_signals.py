"""A session's worth of signals does not end the process: PySide6 6.12.0 did so on Python 3.11."""

import subprocess
import sys

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
