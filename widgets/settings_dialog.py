"""Settings, made from their declarations; a change takes effect and is saved at once."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget

from editor.application import Application
from inference.errors import EditorError
from widgets.dialog import Dialog
from widgets.parameter_form import ParameterForm


class SettingsDialog(Dialog):
    """One row for each declared setting."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Settings"))
        self._settings = application.settings
        models = [entry.name for entry in application.catalogue.entries()]
        self.form = ParameterForm(
            self._settings.declared(),
            "Settings",
            choice_labels=self._choice_labels(),
            choices={"model": models},
        )
        self.problem = QLabel()
        self.problem.setProperty("danger", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(self.form)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.problem)
        reset = self.add_button(self.tr("Back to defaults"))
        close = self.add_button(self.tr("Close"), primary=True)
        reset.clicked.connect(self._settings.reset)
        close.clicked.connect(self.close)
        for item in self._settings.declared():
            self._show(item.name)
        self.form.changed.connect(self._on_changed)
        self._settings.changed.connect(self._show)
        self.resize(520, 620)

    def _choice_labels(self) -> dict[str, str]:
        return {
            "system": self.tr("As the system"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
            "en": self.tr("English"),
            "auto": self.tr("Automatic"),
            "cpu": self.tr("Processor (CPU)"),
            "cuda": self.tr("Graphics card (CUDA)"),
            "mps": self.tr("Apple graphics (MPS)"),
            "png": "PNG",
            "jpeg": "JPEG",
            "webp": "WebP",
        }

    def _show(self, name: str) -> None:
        if name in self.form.editors:
            self.form.set_value(name, self._settings.get(name))

    def _on_changed(self, name: str, value: Any) -> None:
        try:
            self._settings.set(name, value)
            self.problem.hide()
        except EditorError as error:
            self.problem.setText(str(error))
            self.problem.show()
            self._show(name)
