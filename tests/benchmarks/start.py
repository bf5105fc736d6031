"""How long from the start of the process to the window's first paint, and what it is made of.

    python -m tests.benchmarks.start [--runs 7] [--platform offscreen]

The rival, in the same runs by turns: a process that imports NumPy and shows an empty QMainWindow with a menu.
Figure to reach: ≤ 1 s, with neither torch nor cv2 nor psd_tools imported. Bytecode is compiled beforehand, as
an installation does. With `--platform xcb` the window goes to the X server of DISPLAY.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "diffusers", "transformers", "cv2", "psd_tools", "PIL.Image", "scipy")

REPORT = """
import json, resource, sys, time
from PySide6.QtCore import QTimer
def painted():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    heavy = [name for name in {heavy!r} if name in sys.modules]
    print(json.dumps(dict(at=time.monotonic(), cpu=usage.ru_utime + usage.ru_stime, heavy=heavy)), flush=True)
    import os; os._exit(0)
"""

OURS = (
    REPORT
    + """
from PySide6.QtCore import QEvent
from editor import __main__ as program
import widgets.window.main_window as module
class Timed(module.MainWindow):
    shown = False
    def event(self, event):
        done = super().event(event)
        if event.type() == QEvent.Type.Paint and not self.shown:
            self.shown = True
            QTimer.singleShot(0, painted)
        return done
module.MainWindow = Timed
program.main([])
"""
)

RIVAL = (
    REPORT
    + """
import numpy
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMainWindow
class Timed(QMainWindow):
    def event(self, event):
        done = super().event(event)
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, painted)
        return done
qt = QApplication([])
window = Timed()
window.menuBar().addMenu("File").addAction("Open")
window.resize(1440, 900)
window.show()
qt.exec()
"""
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--platform", default="offscreen")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_of(Path(folder), chosen.platform)
        for program in (OURS, RIVAL):  # compiles, and warms the disk
            measured(program, environment)
        pairs = [(measured(OURS, environment), measured(RIVAL, environment)) for _ in range(chosen.runs)]
    for name in ("wall", "cpu"):
        ours, rival = (statistics.median(pair[side][name] for pair in pairs) for side in (0, 1))
        least = min(pair[0][name] for pair in pairs)
        text = f"{name}: Attune {ours:.2f} s (least {least:.2f} s), empty window {rival:.2f} s"
        print(f"{text}, ratio {ours / rival:.1f}")
    print(f"heavy modules loaded: {pairs[0][0]['heavy'] or 'none'}")
    return int(any(pair[0]["heavy"] for pair in pairs))


def measured(program: str, environment: dict[str, str]) -> dict[str, Any]:
    """Wall-clock and processor seconds to the first paint, and which heavy modules were loaded."""
    code = program.replace("{heavy!r}", repr(HEAVY))
    begun = time.monotonic()  # the same clock in every process
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    record = json.loads(done.stdout.splitlines()[-1])
    return {"wall": record["at"] - begun, "cpu": record["cpu"], "heavy": record["heavy"]}


def environment_of(folder: Path, platform: str) -> dict[str, str]:
    homes = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    given = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return given | homes | {"QT_QPA_PLATFORM": platform, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


if __name__ == "__main__":
    sys.exit(main())
