"""The Refine panel: which subjects, by which method, how well they are there, and where the model looks."""

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.sliders.session import AttributeSession
from inference.methods.gsn.procedures import METHODS
from inference.operations import Refine, SamplingParameters
from inference.parameters import N_
from widgets.forms.details_button import DetailsButton
from widgets.forms.fields import ComboBox
from widgets.forms.parameter_form import ParameterForm
from widgets.forms.scrolled import lay_out_scrolled
from widgets.generate.attention_steps import AttentionSteps
from widgets.generate.document_panel import listened
from widgets.generate.refine_scores import RefineScores
from widgets.look.focus_within import enable
from widgets.look.plain_text import Label, set_tip

METHOD_LABELS = {
    "plain": N_("RefineMethods", "Plain: no refinement"),
    "ours": N_("RefineMethods", "One refinement"),
    "ours+": N_("RefineMethods", "One refinement, then guidance"),
    "attend-and-excite": N_("RefineMethods", "Attend & Excite"),
    "divide-and-bind": N_("RefineMethods", "Divide & Bind"),
    "initno": N_("RefineMethods", "InitNO"),
    "initno+": N_("RefineMethods", "InitNO+"),
    "syngen": N_("RefineMethods", "SynGen"),
    "saga": N_("RefineMethods", "SAGA"),
    "saga+": N_("RefineMethods", "SAGA+"),
}


def method_label(method: str) -> str:
    return QCoreApplication.translate("RefineMethods", METHOD_LABELS[method])


class RefinePanel(QWidget):
    """Shows and changes `Application.refinement`; the subjects are those of the Subjects panel."""

    attention_wished = Signal(object, int)  # subject index or -1, step or -1
    comparison_wished = Signal()

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._refinement = application.refinement
        self._session: AttributeSession | None = None
        self.subjects = Label()
        self.subjects.setWordWrap(True)
        self.suggest = QPushButton(self.tr("Suggest"))
        set_tip(self.suggest, self.tr("Choose the things that the prompt names"))
        self.method = ComboBox()
        self.method.setAccessibleName(self.tr("Method"))
        self.method.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for name in METHODS:
            self.method.addItem(method_label(name), name)
        own = {item.name for item in SamplingParameters.declared()}
        left = [item for item in Refine.declared() if item.name not in own | {"method", "pictures"}]
        self.details = ParameterForm(left, "Operations", least_px=150)
        self.details.hide()
        self.more = DetailsButton()
        self.refine = QPushButton(self.tr("Refine"))
        self.refine.setProperty("primary", True)
        self.compare = QPushButton(self.tr("Compare…"))
        set_tip(self.compare, self.tr("Several methods and seeds side by side, with their scores"))
        self.scores = RefineScores(application)
        self.attention = AttentionSteps()
        self._lay_out()
        self._connect()
        self._show_options()
        self.set_session(application.session)

    def set_session(self, session: AttributeSession | None) -> None:
        """Show another layer's subjects."""
        self._session = listened(
            self,
            self._session,
            session,
            lambda now: (
                (now.sliders_changed, self._show_subjects),
                (now.maps_changed, self._show_attention),
            ),
        )
        self._show_subjects()

    def _lay_out(self) -> None:
        words = QHBoxLayout()
        words.addWidget(self.subjects, 1)
        words.addWidget(self.suggest, 0, Qt.AlignmentFlag.AlignTop)
        how = QHBoxLayout()
        how.addWidget(self.method, 1)
        how.addWidget(self.more)
        buttons = QHBoxLayout()
        buttons.addWidget(self.compare)
        buttons.addStretch(1)
        buttons.addWidget(self.refine)
        content = QWidget()
        body = QVBoxLayout(content)
        body.setContentsMargins(14, 4, 14, 14)
        body.setSpacing(10)
        body.addLayout(words)
        body.addLayout(how)
        body.addWidget(self.details)
        body.addLayout(buttons)
        body.addWidget(self.scores)
        body.addWidget(self.attention)
        body.addStretch(1)
        lay_out_scrolled(self, content)

    def _connect(self) -> None:
        refinement = self._refinement
        self.suggest.clicked.connect(refinement.suggest_subjects)
        self.method.activated.connect(lambda _: refinement.set_method(self.method.currentData()))
        self.more.toggled.connect(self.details.setVisible)
        self.details.changed.connect(refinement.set_override)
        self.refine.clicked.connect(refinement.refine)
        self.compare.clicked.connect(self.comparison_wished)
        self.attention.wished.connect(self.attention_wished)
        refinement.options_changed.connect(self._show_options)
        refinement.busy_changed.connect(self._show_enabled)
        self._application.session_changed.connect(self.set_session)

    def _show_options(self) -> None:
        self.method.setCurrentIndex(self.method.findData(self._refinement.method))
        overrides = self._refinement.overrides
        for name in self.details.editors:
            self.details.set_value(name, overrides.get(name, _default(name)))

    def _show_subjects(self) -> None:
        session = self._session
        if session is None:
            self.subjects.setText(self.tr("Refine works on pictures that were made from a prompt."))
        elif not session.subjects:
            self.subjects.setText(self.tr("Click the words in Subjects that have to be seen."))
        else:
            self.subjects.setText(" · ".join(subject.text for subject in session.subjects))
        self.subjects.setProperty("dim", session is None or not session.subjects)
        self.subjects.style().polish(self.subjects)
        self._show_enabled()
        self._show_attention()

    def _show_enabled(self) -> None:
        session = self._session
        ready = session is not None and bool(session.subjects)
        self.suggest.setEnabled(session is not None)
        enable(self.refine, ready and not self._refinement.busy)
        self.refine.setText(self.tr("Refining…") if self._refinement.busy else self.tr("Refine"))
        self.compare.setEnabled(ready)

    def _show_attention(self) -> None:
        session = self._session
        layer = session.document.state.find(session.layer_id) if session is not None else None
        self.attention.show_layer(layer, session.subjects if session is not None else ())


def _default(name: str) -> object:
    return next(item.default for item in Refine.declared() if item.name == name)
