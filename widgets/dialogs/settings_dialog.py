"""Settings, made from their declarations page by page; a change takes effect and is saved at once."""

from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.system.settings import SECTIONS, Section
from editor.words.said import in_one_line
from inference.downloads.curated import title_of
from inference.errors import EditorError
from widgets.forms.dialog import Dialog
from widgets.forms.parameter_form import ParameterForm, needed_width
from widgets.look.icons import icon_for
from widgets.look.plain_text import Label

_LIST_PX = 190


class SettingsDialog(Dialog):
    """A list of pages and the chosen page; the search field finds a setting on any of them."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Settings"))
        self._application = application
        self._settings = application.settings
        self.search = QLineEdit(placeholderText=self.tr("Search settings"), clearButtonEnabled=True)
        self.search.setAccessibleName(self.tr("Search settings"))
        self.pages = QListWidget()
        self.pages.setAccessibleName(self.tr("Sections"))
        self.pages.setIconSize(QSize(18, 18))
        self.stack = QStackedWidget()
        self.forms: dict[str, ParameterForm] = {}
        self._pages: list[QWidget] = []
        for section in SECTIONS:
            self._add_page(section)
        self.problem = Label()
        self.problem.setProperty("danger", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self._lay_out()
        self.pages.currentRowChanged.connect(self.stack.setCurrentIndex)
        self.search.textChanged.connect(self._filter)
        self._settings.changed.connect(self._show)
        for item in self._settings.declared():
            self._show(item.name)
        self.pages.setCurrentRow(0)
        self.resize(700, 520)

    def form_of(self, name: str) -> ParameterForm:
        """The form that holds a setting."""
        return next(form for form in self.forms.values() if name in form.editors)

    def _add_page(self, section: Section) -> None:
        label = QCoreApplication.translate("Settings", section.label)
        item = QListWidgetItem(icon_for(self, section.icon), label, self.pages)
        item.setSizeHint(QSize(_LIST_PX - 20, 34))
        declared = {one.name: one for one in self._settings.declared()}
        models = [entry.name for entry in self._application.catalogue.entries()]
        form = self.forms[section.id] = ParameterForm(
            [declared[name] for name in section.names],
            "Settings",
            choice_labels={**self._choice_labels(), **{name: title_of(name) for name in models}},
            choices={"model": models},
        )
        form.changed.connect(self._on_changed)
        heading = Label(label)
        heading.setProperty("heading", True)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(4, 0, 8, 0)
        layout.setSpacing(14)
        layout.addWidget(heading)
        layout.addWidget(form)
        layout.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(page)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._pages.append(page)
        self.stack.addWidget(scroll)

    def _lay_out(self) -> None:
        self.pages.setFixedWidth(_LIST_PX)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.search)
        left.addWidget(self.pages, 1)
        self.search.setFixedWidth(_LIST_PX)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addLayout(left)
        row.addWidget(self.stack, 1)
        self.stack.setMinimumWidth(max(needed_width(page) for page in self._pages))
        self.column.addLayout(row, 1)
        self.column.addWidget(self.problem)
        reset = self.add_button(self.tr("Back to defaults"))
        close = self.add_button(self.tr("Close"), primary=True)
        reset.clicked.connect(self._settings.reset)
        close.clicked.connect(self.close)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:  # another theme
            for row, section in enumerate(SECTIONS):
                if row < self.pages.count():
                    self.pages.item(row).setIcon(icon_for(self, section.icon))

    def _filter(self, text: str) -> None:
        """Show only rows that fit, and the first page that has one."""
        wanted = text.casefold().strip()
        first = -1
        for row, section in enumerate(SECTIONS):
            count = self.forms[section.id].show_only(wanted)
            self.pages.item(row).setHidden(count == 0)
            first = row if first < 0 and count else first
        current = self.pages.currentRow()
        if first >= 0 and (current < 0 or self.pages.item(current).isHidden()):
            self.pages.setCurrentRow(first)

    def _choice_labels(self) -> dict[str, str]:
        return {
            "system": self.tr("As the system"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
            "en": "English",
            "zh_CN": "简体中文",
            "auto": self.tr("Automatic"),
            "cpu": self.tr("Processor (CPU)"),
            "cuda": self.tr("Graphics card (CUDA)"),
            "mps": self.tr("Apple graphics (MPS)"),
            "png": "PNG",
            "jpeg": "JPEG",
            "webp": "WebP",
            "tiff": "TIFF",
            "avif": "AVIF",
        }

    def _show(self, name: str) -> None:
        self.form_of(name).set_value(name, self._settings.get(name))

    def _on_changed(self, name: str, value: Any) -> None:
        try:
            self._settings.set(name, value)
            self.problem.hide()
        except EditorError as error:
            self.problem.setText(in_one_line(error))
            self.problem.show()
            self._show(name)
