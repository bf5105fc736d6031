"""The export's preview and its size boxes."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from editor.application import Application
from widgets.dialogs.export_dialog import ExportDialog
from widgets.dialogs.export_preview import ExportPreview
from widgets.forms.scale_box import ScaleBox
from widgets.window.main_window import MainWindow


def flat(colour: str, side: int = 100) -> QImage:
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


@pytest.fixture
def preview(qtbot: QtBot) -> ExportPreview:
    made = ExportPreview()
    qtbot.addWidget(made)
    made.resize(400, 400)
    made.set_before(flat("red"))
    made.set_after(flat("blue"))
    made.show()
    qtbot.waitExposed(made)
    return made


def test_the_original_is_left_and_the_export_right(preview: ExportPreview) -> None:
    shown = preview.grab().toImage()
    assert shown.pixelColor(100, 200).name() == "#ff0000"
    assert shown.pixelColor(300, 200).name() == "#0000ff"


def test_zoom_keeps_the_pixel_under_the_pointer(preview: ExportPreview) -> None:
    at = QPointF(150, 120)
    before = preview._target()
    share = (at.x() - before.x()) / before.width()
    preview.step_zoom(True, at)
    after = preview._target()
    assert after.width() > before.width()
    assert (at.x() - after.x()) / after.width() == pytest.approx(share)
    preview.step_zoom(False)
    preview.step_zoom(False)
    assert preview.zoom < 4


def test_keys_zoom_and_move(preview: ExportPreview, qtbot: QtBot) -> None:
    zoom = preview.zoom
    qtbot.keyClick(preview, Qt.Key.Key_Plus)
    assert preview.zoom > zoom
    left = preview._target().left()
    qtbot.keyClick(preview, Qt.Key.Key_Right)
    assert preview._target().left() < left


def test_sides_and_percent_follow_each_other(qtbot: QtBot) -> None:
    box = ScaleBox(200, 100)
    qtbot.addWidget(box)
    assert box.wished == (0, 0)
    box.width_box.setValue(50)
    assert box.wished == (50, 25)
    assert box.percent.value() == pytest.approx(25)
    box.percent.setValue(200)
    assert (box.width_box.value(), box.height_box.value()) == (400, 200)
    box.height_box.setValue(100)
    assert box.wished == (0, 0)


def test_the_preview_shows_what_the_file_would_hold(filled: MainWindow, qtbot: QtBot) -> None:
    filled.commands.show_export()
    dialog = filled.commands.dialog("export")
    assert isinstance(dialog, ExportDialog)
    dialog.scale.percent.setValue(50)
    qtbot.waitUntil(lambda: dialog.preview._after.width() == 32, timeout=20000)
    assert dialog.size_label.text().startswith("32 × 32 px · ")
    assert dialog.options.width == 32


def test_exporting_again_repeats_file_and_options(
    filled: MainWindow, application: Application, qtbot: QtBot, tmp_path: object
) -> None:
    again = filled.actions_by_id["file.export_again"]
    assert not again.isEnabled()
    filled.commands.show_export()
    dialog = filled.commands.dialog("export")
    assert isinstance(dialog, ExportDialog)
    path = tmp_path / "small.jpg"  # type: ignore[operator]
    dialog.format.setCurrentIndex(dialog.format.findData("jpeg"))
    dialog.scale.percent.setValue(25)
    with qtbot.waitSignal(application.exported, timeout=20000):
        dialog.write(path)
    path.unlink()
    assert again.isEnabled()
    with qtbot.waitSignal(application.exported, timeout=20000):
        again.trigger()
    assert QImage(str(path)).width() == 16
