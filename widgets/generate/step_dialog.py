"""Choosing the step at which a model is best refined: a search over prompts and seeds, and its curve."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from editor.application import Application
from editor.controllers.step_search import Search
from editor.words.said import in_one_line
from inference.downloads.curated import title_of
from inference.errors import EditorError
from inference.evaluation.choose_step import DEFAULT_PROMPTS, DEFAULT_SEEDS, candidates
from inference.methods.gsn.plan import movable_methods
from widgets.forms.dialog import Dialog
from widgets.forms.fields import ComboBox, SpinBox
from widgets.forms.form_layout import FormLayout
from widgets.forms.model_box import fill_models
from widgets.generate.refine_panel import method_label
from widgets.generate.step_plot import StepPlot
from widgets.look.durations import duration
from widgets.look.plain_text import Label
from widgets.look.theme import inset

MOST_PROMPTS, MOST_SEEDS = 100, 64


class StepDialog(Dialog):
    """Shows `Application.steps`, which Stop and closing the window end; what was measured stays."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Choose the refinement step"))
        self._application = application
        self._search = application.steps
        self._error = ""
        self.explanation = Label(
            self.tr(
                "Each model has a step at which one refinement helps most. Attune tries every second step of "
                "the first half on prompts of two and three subjects, and counts the pictures in which all "
                "are there. The work waits for everything else, and can be stopped and taken up again."
            )
        )
        self.explanation.setWordWrap(True)
        self.explanation.setProperty("dim", True)
        self.model, self.method = ComboBox(), ComboBox()
        self.prompts = SpinBox(minimum=1, maximum=MOST_PROMPTS, value=DEFAULT_PROMPTS)
        self.seeds = SpinBox(minimum=1, maximum=MOST_SEEDS, value=DEFAULT_SEEDS)
        inset(self.prompts)
        inset(self.seeds)
        self.plot = StepPlot()
        self.status = Label()
        self.status.setWordWrap(True)
        self._lay_out()
        self.add_button(self.tr("Close")).clicked.connect(self.close)
        self.keep = self.add_button(self.tr("Use this step"))
        self.start = self.add_button(self.tr("Start"), primary=True)
        self._fill()
        self.keep.clicked.connect(self._search.keep)
        self.start.clicked.connect(self._on_start)
        for box in (self.model, self.method):
            box.currentIndexChanged.connect(self._show)
        for count in (self.prompts, self.seeds):
            count.valueChanged.connect(self._show)
        self._search.changed.connect(self._on_changed)
        self._search.failed.connect(self._on_failed)
        self._search.kept.connect(self._on_kept)
        self._show()

    def done(self, result: int) -> None:
        self._search.stop()
        super().done(result)

    def search(self) -> Search:
        """What is set."""
        name = self.model.currentData()
        return Search(
            model=name,
            method=self.method.currentData(),
            steps=self._application.catalogue.find(name).default_steps,
            prompts=self.prompts.value(),
            seeds=self.seeds.value(),
            detector=str(self._application.settings.get("detector")),
        )

    def _lay_out(self) -> None:
        form = FormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(8)
        form.addRow(self.tr("Model"), self.model)
        form.addRow(self.tr("Method"), self.method)
        form.addRow(self.tr("Prompts of each kind"), self.prompts)
        form.addRow(self.tr("Seeds for each prompt"), self.seeds)
        self.column.addWidget(self.explanation)
        self.column.addLayout(form)
        self.column.addWidget(self.plot, 1)
        self.column.addWidget(self.status)

    def _fill(self) -> None:
        for method in movable_methods():
            self.method.addItem(method_label(method), method)
        running = self._search.search
        document = self._application.current
        layer = document.recipe_layer if document is not None else None
        wanted = self._application.settings.get("model")
        if layer is not None and layer.recipe is not None:
            wanted = layer.recipe.request.model
        if running is not None:
            wanted = running.model
            self.method.setCurrentIndex(max(0, self.method.findData(running.method)))
            self.prompts.setValue(running.prompts)
            self.seeds.setValue(running.seeds)
        fill_models(self.model, self._application.catalogue.entries(), wanted)

    def _on_start(self) -> None:
        self._error = ""
        if self._search.busy:
            self._search.stop()
            return
        try:
            self._search.start(self.search())
        except EditorError as error:
            self._on_failed(error)

    def _on_changed(self) -> None:
        if self._search.busy:
            self._error = ""
        self._show()

    def _on_failed(self, error: EditorError) -> None:
        self._error = in_one_line(error)
        self._show()

    def _on_kept(self, step: int) -> None:
        self._show()
        text = self.tr("{model} is refined at step {step} from now on.")
        self.status.setText(text.format(model=title_of(self.model.currentData()), step=step))

    def _show(self) -> None:
        shown = self._search.search == self.search()
        busy = self._search.busy
        curve = self._search.curve if shown else None
        last = candidates(self.search().steps)[-1]
        waiting = self.tr("The first points come soon.") if busy and shown else self.tr("Nothing tried yet.")
        self.plot.show_curve(curve, last, waiting)
        for editor in (self.model, self.method, self.prompts, self.seeds):
            editor.setEnabled(not busy)
        self.start.setText(self.tr("Stop") if busy else self.tr("Start"))
        self.start.setEnabled(busy or not (shown and self._search.is_complete))
        self.keep.setEnabled(curve is not None and not busy)
        done = shown and self._search.is_complete
        for button, primary in ((self.keep, done), (self.start, not done)):
            button.setProperty("primary", primary)
            button.style().polish(button)
        self.status.setProperty("danger", bool(self._error))
        self.status.style().polish(self.status)
        self.status.setText(self._error or self._status(shown))

    def _before_the_start(self) -> str:
        """How much it is, and about how long it takes."""
        search = self.search()
        seconds = self._search.seconds_of(search)
        if seconds is None:
            text = self.tr("Pictures to draw: {count}. How long they take is told after the first ones.")
            return text.format(count=search.pictures)
        text = self.tr("Pictures to draw: {count}, in about {time}.")
        return text.format(count=search.pictures, time=duration(seconds))

    def _status(self, shown: bool) -> str:
        curve = self._search.curve if shown else None
        if self._search.busy:
            done, total = self._search.done
            text = self.tr("Tried {done} of {total}").format(done=done, total=total)
            seconds = self._search.seconds_left
            if seconds is None:
                return text
            return self.tr("{words} · {time} left").format(words=text, time=duration(seconds))
        if curve is None:
            return self._before_the_start()
        if not self._search.is_complete:
            text = self.tr("Stopped; so far step {step} is best.")
            return text.format(step=curve.chosen)
        text = self.tr("Step {step} of {steps} is best. Pictures for each point: {count}.")
        return text.format(step=curve.chosen, steps=curve.steps, count=curve.pictures)
