"""The Chinese window is Chinese: menus, panels, dialogs, tooltips, empty states, what errors say."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFontComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QTabBar,
    QTreeWidget,
    QWidget,
)

from editor.actions import ACTIONS
from editor.actions.forms import FORMS
from editor.application import Application
from editor.words.translation import Translations
from inference.errors import EditorError
from inference.messages import Message
from tests.helpers.fake_application import PROMPT
from tests.helpers.fake_service import FakeService
from widgets.window.main_window import MainWindow

NAMES = """
    Attune AVIF BMP CLIP EXIF GIF HEIF JPEG PNG TIFF WebP XMP OpenRaster Photoshop MIT Qt PyTorch Diffusers
    Apple Stable Diffusion XL Linux macOS Windows RGB sRGB Adobe Display P3 ProPhoto CPU CUDA MPS Hub AI DETR
    SVG VAE
    Lanczos Deflate ZIP English auto float32 bfloat16 float16 mini-sdxl mini-sd1 mini-sd3 InitNO SAGA
    LoRA DDIM DDPM Karras int8 float8 word Euler DPM 2M LCM SDXL Turbo Medium DreamShaper RealVisXL
    ComfyUI A1111 huggingface
    Stability Community CreativeML OpenRAIL OpenRAIL-M
    SynGen Attend Excite Divide Bind px MB GB MiB kB ID Ctrl Shift Alt Del Esc Tab Space Enter F2
"""
"""Products, formats, methods, units and keys, which are the same in every language."""

DATA = f"{PROMPT} beach couple Generated man woman cat dog car ball tree house"
"""What the user wrote, and what the built-in models understand."""


@pytest.fixture(autouse=True)
def chinese(qapp: QApplication) -> Iterator[None]:
    """Before any window is made."""
    translations = Translations()
    translations.choose("zh_CN")
    yield
    translations.choose("en")


def english(text: str) -> list[str]:
    known = set(NAMES.split()) | set(DATA.split())
    text = re.sub(r"<[^>]*>|\(&\w\)|[\w/.~-]*/[\w/.~-]+|\.\w+|#[0-9a-f]{6}|&(?=\w)", "", text)
    return [word for word in re.findall(r"[A-Za-z][\w-]+", text, re.ASCII) if word not in known]


def texts(widget: QWidget) -> Iterator[str]:
    """Everything that a widget itself shows or tells."""
    yield from (widget.windowTitle(), widget.toolTip(), widget.statusTip(), widget.whatsThis())
    yield from (widget.accessibleName(), widget.accessibleDescription())
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    elif isinstance(widget, QGroupBox | QMenu):
        yield widget.title()
    elif isinstance(widget, QAbstractSpinBox):
        yield widget.specialValueText()
        yield widget.text()
    elif isinstance(widget, QComboBox) and not isinstance(widget, QFontComboBox):
        yield from (widget.itemText(index) for index in range(widget.count()))
    elif isinstance(widget, QTabBar):
        yield from (widget.tabText(index) for index in range(widget.count()))
        yield from (widget.tabToolTip(index) for index in range(widget.count()))
    elif isinstance(widget, QListWidget):
        yield from (widget.item(row).text() for row in range(widget.count()))
    elif isinstance(widget, QTreeWidget):
        yield from (widget.headerItem().text(column) for column in range(widget.columnCount()))
    for action in widget.actions():
        yield from (action.text(), action.toolTip(), action.statusTip())


def found_in(*roots: QWidget) -> set[tuple[str, str]]:
    """(class, text) of what has English words in it."""
    widgets = [item for root in roots for item in (root, *root.findChildren(QWidget))]
    actions = [item for root in roots for item in root.findChildren(QAction)]
    shown = {(type(item).__name__, text) for item in widgets for text in texts(item)}
    shown |= {
        ("QAction", text) for item in actions for text in (item.text(), item.toolTip(), item.statusTip())
    }
    assert len(shown) > 3
    return {(kind, text) for kind, text in shown if english(text)}


def test_an_empty_window(window: MainWindow) -> None:
    assert found_in(window) == set()


def test_a_window_with_a_picture(filled: MainWindow, application: Application) -> None:
    for panel in filled.findChildren(QWidget):
        if isinstance(panel, QMenu):
            panel.aboutToShow.emit()
    assert found_in(filled) == set()


def test_the_options_of_every_tool(filled: MainWindow) -> None:
    wrong = {}
    for tool in [item.argument for item in ACTIONS if item.command == "tools.use"]:
        filled.application.tools.use(tool)
        found = found_in(filled.tool_options)
        if found:
            wrong[tool] = found
    assert wrong == {}


DIALOGS: dict[str, Callable[[Any], None]] = {
    "new": lambda commands: commands.show_new_picture(),
    "contact": lambda commands: commands.show_contact_sheet(),
    "steps": lambda commands: commands.show_step_search(),
    "settings": lambda commands: commands.show_settings(),
    "models": lambda commands: commands.show_models(),
    "export": lambda commands: commands.show_export(),
    "canvas": lambda commands: commands.show_new_canvas(),
    "drawing": lambda commands: commands._ask_for_size(commands._application.current, Path("图.svg")),
    "information": lambda commands: commands.show_information(),
    "palette": lambda commands: commands.show_palette(),
    "shortcuts": lambda commands: commands.show_shortcuts(),
    "about": lambda commands: commands.show_about(),
    **{f"form {name}": lambda commands, name=name: commands.show_form(name) for name in FORMS},
}


def test_every_dialog(filled: MainWindow) -> None:
    wrong = {}
    for name, show in DIALOGS.items():
        before = {item for item in QApplication.topLevelWidgets() if item.isVisible()}
        show(filled.commands)
        opened = [item for item in QApplication.topLevelWidgets() if item.isVisible() and item not in before]
        assert opened, name
        found = found_in(*opened)
        if found:
            wrong[name] = found
        for item in opened:
            item.close()
    assert wrong == {}


def test_what_a_failed_job_says(filled: MainWindow, application: Application, service: FakeService) -> None:
    application.shell.report(EditorError("Layer “{name}” is locked.", "Unlock it first.", name="图"))
    bar = filled.workspace.messages
    assert (bar.text.text(), bar.hint.text()) == ("图层“图”已锁定。", "请先解锁。")
    service.status_changed.emit(Message("Loading {model}… {percent} %", model="mini-sdxl", percent=7))
    assert filled.status.busy.text() == "正在加载 mini-sdxl… 7 %"
    assert found_in(filled) == set()
