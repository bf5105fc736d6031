"""Windows land on the screen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize

from widgets.window.on_screen import placed

SCREEN = QRect(0, 0, 960, 540)
LEAST = QSize(800, 500)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (QRect(10, 20, 900, 510), QRect(10, 20, 900, 510)),
        (QRect(0, 0, 1440, 900), SCREEN),
        (QRect(5000, 3000, 900, 510), QRect(60, 30, 900, 510)),
        (QRect(-5000, -3000, 900, 510), QRect(0, 0, 900, 510)),
        (QRect(-50, 100, 300, 200), QRect(0, 40, 800, 500)),
    ],
)
def test_what_lies_outside_is_brought_in(frame: QRect, expected: QRect) -> None:
    assert placed(frame, LEAST, SCREEN) == expected


def test_a_screen_that_is_too_small_shows_the_title() -> None:
    assert placed(QRect(300, 300, 900, 600), LEAST, QRect(0, 0, 640, 480)) == QRect(QRect(0, 0, 800, 500))


PROGRAM = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
qt = QApplication(["attune"])
from tests.helpers.fake_application import generated, make_application, open_document
from widgets.window.main_window import MainWindow
application = make_application(Path(sys.argv[1]))
window = MainWindow(application)
window.show()
qt.processEvents()
open_document(application, generated())
qt.processEvents()
screen = window.screen().availableGeometry().adjusted(-2, -2, 2, 2)  # of the platform's frame
assert screen.contains(window.geometry()), window.geometry()
window.hide()
application.shutdown()
print("inside")
"""


def test_the_first_window_fits_a_small_screen(tmp_path: Path) -> None:
    # the offscreen platform's screen is given by a file
    screens = tmp_path / "screens.json"
    screens.write_text(
        '{"screens": [{"name": "small", "x": 0, "y": 0, "width": 1920, "height": 1080, '
        '"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}]}'
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        env=os.environ | {"QT_QPA_PLATFORM": f"offscreen:configfile={screens}", "QT_SCALE_FACTOR": "2"},
    )
    assert done.stdout == "inside\n", done.stderr
