"""The AI edits in one panel: a list chooses which one is shown, so that any number of them has room."""

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from inference.operations import OPERATIONS
from widgets.forms.fields import ComboBox
from widgets.forms.scrolled import scroll_below
from widgets.generate.insert_panel import InsertPanel
from widgets.generate.lora_section import LoraSection
from widgets.generate.operation_panel import OperationPanel, offered
from widgets.generate.refine_panel import RefinePanel
from widgets.generate.translate_panel import TranslatePanel
from widgets.subjects.prompt_box import insert_word

GENERIC = "operations"  # the page of all that have none of their own
PAGES = {"refine": RefinePanel, "insert": InsertPanel, "translate": TranslatePanel, GENERIC: OperationPanel}


class EditsPanel(QWidget):
    """Shows one edit at a time; a page is made when it is first wanted."""

    page_made = Signal(QWidget)

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._pages: dict[str, QWidget] = {}
        self.choice = ComboBox()
        self.choice.setAccessibleName(self.tr("Operation"))
        self.choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for name in (*(name for name in PAGES if name != GENERIC), *(one.name for one in offered())):
            self.choice.addItem(QCoreApplication.translate("Operations", OPERATIONS[name].label), name)
        self.choice.currentIndexChanged.connect(self._show_chosen)
        self.loras = LoraSection(application.loras, application.settings.get("model"))
        self.loras.word_clicked.connect(self._insert)
        application.settings.changed.connect(self._on_setting_changed)
        self._stack = QStackedWidget()
        row = QHBoxLayout()
        row.setContentsMargins(14, 8, 14, 2)
        row.addWidget(self.choice)
        self._below = QWidget()
        section = QHBoxLayout(self._below)
        section.setContentsMargins(14, 2, 14, 10)
        section.addWidget(self.loras)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._stack)

    @property
    def edit(self) -> str:
        """The operation that is chosen."""
        return self.choice.currentData()

    def show_edit(self, name: str) -> None:
        """Choose an operation; one that is not offered changes nothing."""
        row = self.choice.findData(name)
        if row >= 0:
            self.choice.setCurrentIndex(row)
            self._show_chosen()

    def page(self, name: str) -> QWidget:
        """The page of an operation, or of `GENERIC`; made now if it was not shown yet."""
        name = name if name in PAGES else GENERIC
        if name not in self._pages:
            self._pages[name] = made = PAGES[name](self._application)
            self._stack.addWidget(made)
            self.page_made.emit(made)
        return self._pages[name]

    def _show_chosen(self) -> None:
        page = self.page(self.edit)
        if isinstance(page, OperationPanel):
            page.show_operation(self.edit)
        self._stack.setCurrentWidget(page)
        if not isinstance(page, RefinePanel):  # which takes those of the layer
            scroll_below(page, self._below)

    def _insert(self, word: str) -> None:
        """Put a word into the prompt of the edit: the field where one types, else the one called so."""
        fields = [one for one in _text_fields(self.page(self.edit)) if not self._below.isAncestorOf(one)]
        prompt = QCoreApplication.translate("Operations", "Prompt")
        typing = [field for field in fields if field.hasFocus()]
        called = [field for field in fields if field.accessibleName() == prompt]
        for field in (typing or called or fields[-1:])[:1]:
            if isinstance(field, QPlainTextEdit):
                insert_word(field, word)
            else:
                field.setText(f"{field.text()} {word}".strip())
                field.editingFinished.emit()

    def _on_setting_changed(self, name: str) -> None:
        if name == "model":
            self.loras.set_model(self._application.settings.get("model"))

    def showEvent(self, event: QShowEvent) -> None:
        self._show_chosen()
        super().showEvent(event)


def _text_fields(page: QWidget) -> list[QPlainTextEdit | QLineEdit]:
    """Where texts are typed; numbers' and lists' own fields are none."""
    lines = [
        line
        for line in page.findChildren(QLineEdit)
        if not isinstance(line.parent(), QAbstractSpinBox | QComboBox)
    ]
    return [field for field in (*lines, *page.findChildren(QPlainTextEdit)) if field.isVisibleTo(page)]
