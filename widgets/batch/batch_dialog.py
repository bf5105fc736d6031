"""The batch: a folder, a recipe with its preview, and the files as they are done."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.batch.plan import USUAL_PATTERN, Selection
from editor.batch.recipe import BatchRecipe, recipe_from_json
from editor.batch.remembered import Order
from editor.batch.running import State
from editor.controllers.batch_preview import BatchPreview
from editor.words.file_names import proposed_stem
from editor.words.said import in_one_line
from inference.errors import EditorError
from widgets.batch.file_list import FileList
from widgets.batch.folder_field import FolderField, dropped_folder
from widgets.batch.preview_row import PreviewRow
from widgets.batch.recipe_editor import RecipeEditor
from widgets.forms.dialog import Dialog
from widgets.forms.form_layout import FormLayout
from widgets.look.durations import duration
from widgets.look.plain_text import Label

RECIPE, FILES = 0, 1


class BatchDialog(Dialog):
    """Shows `Application.batches`, which goes on when the dialog is closed."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Batch"))
        self._application = application
        self._batches = application.batches
        self._error = ""
        self.preview = BatchPreview(application.service, application.background, self)
        self.source = FolderField(self.tr("Pictures"))
        self.target = FolderField(self.tr("Results"))
        self.recursive = QCheckBox(self.tr("Sub-folders as well"))
        self.names = QLineEdit(USUAL_PATTERN)
        self.names_label = Label(self.tr("Names"))
        self.overwrite = QCheckBox(self.tr("Replace what is there"))
        self.recipe = RecipeEditor(application)
        self.previews = PreviewRow(self.preview)
        self.files = FileList(self._batches, application.background)
        self.only_failed = QCheckBox(self.tr("Only what failed"))
        self.open_one = QPushButton(self.tr("Open in the editor"))
        self.again = QPushButton(self.tr("Again"))
        self.report = QPushButton(self.tr("Report…"))
        self.sheet = QPushButton(self.tr("Contact sheet…"))
        self.one_core = QCheckBox(self.tr("One core only"))
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.status = Label()
        self.status.setWordWrap(True)
        self.tabs = QTabBar()
        self.pages = QStackedWidget()
        self.load = QPushButton(self.tr("Open a recipe…"))
        self.save = QPushButton(self.tr("Save the recipe…"))
        self._lay_out()
        self.add_button(self.tr("Close")).clicked.connect(self.close)
        self.stop = self.add_button(self.tr("Stop"))
        self.start = self.add_button(self.tr("Start"), primary=True)
        self.setAcceptDrops(True)
        self._take_last()
        self._connect()
        self._on_folder()
        self._on_recipe()
        self._show()
        self.resize(920, 700)

    def done(self, result: int) -> None:
        self.preview.close()
        super().done(result)

    def order(self) -> Order:
        """What is set.

        Raises:
            EditorError: a folder is missing, or a step lacks something.
        """
        source, target = self.source.path, self.target.path
        if source is None:
            raise EditorError("The folder of the pictures is missing.", "Choose it above.")
        if target is None:
            raise EditorError("The folder for the results is missing.", "Choose it above.")
        recipe = self.checked_recipe()
        if not recipe.active:
            raise EditorError("The recipe has no step.", "Add one.")
        return Order(
            source=source,
            target=target,
            recipe=recipe,
            selection=self._selection(),
            pattern=self.names.text().strip(),
            one_core=self.one_core.isChecked(),
        )

    def checked_recipe(self) -> BatchRecipe:
        """The recipe as its file would be read: what it lacks is told.

        Raises:
            EditorError: what it lacks.
        """
        given = self.recipe.recipe
        if not any(True for step in given.active):
            return given
        recipe_from_json({**given.to_json(), "steps": [_without_files(s.to_json()) for s in given.steps]})
        return given

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self._batches.busy and dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        folder = dropped_folder(event)
        if folder is not None:
            self.source.set_path(folder)
            event.acceptProposedAction()

    def _lay_out(self) -> None:
        form = FormLayout()
        pictures, results = QHBoxLayout(), QHBoxLayout()
        for row in (pictures, results):
            row.setSpacing(10)
        pictures.addWidget(self.source, 1)
        pictures.addWidget(self.recursive)
        results.addWidget(self.target, 1)
        results.addWidget(self.names_label)
        results.addWidget(self.names)
        results.addWidget(self.overwrite)
        self.names.setFixedWidth(170)
        self.names.setAccessibleName(self.tr("Names"))
        form.addRow(self.tr("Pictures"), pictures)
        form.addRow(self.tr("Results"), results)
        self.tabs.addTab(self.tr("Recipe"))
        self.tabs.addTab(self.tr("Files"))
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.pages.addWidget(self._recipe_page())
        self.pages.addWidget(self._files_page())
        progress = QHBoxLayout()
        progress.addWidget(self.one_core)
        progress.addWidget(self.bar, 1)
        self.column.addLayout(form)
        self.column.addWidget(self.tabs)
        self.column.addWidget(self.pages, 1)
        self.column.addLayout(progress)
        self.column.addWidget(self.status)

    def _recipe_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.recipe, 1)
        layout.addWidget(self.previews)
        buttons = QHBoxLayout()
        for button in (self.load, self.save):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        return page

    def _files_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.files, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.only_failed)
        buttons.addStretch(1)
        for button in (self.open_one, self.again, self.report, self.sheet):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        layout.addLayout(buttons)
        return page

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self.pages.setCurrentIndex)
        self.source.changed.connect(self._on_folder)
        self.recursive.toggled.connect(self._on_folder)
        self.recipe.changed.connect(self._on_recipe)
        self.preview.changed.connect(self._on_preview)
        self.start.clicked.connect(self._on_start)
        self.stop.clicked.connect(self._batches.stop)
        self.only_failed.toggled.connect(self.files.show_only_failed)
        self.files.doubleClicked.connect(lambda _: self._on_open())
        self.files.selectionModel().selectionChanged.connect(lambda *_: self._show())
        self.open_one.clicked.connect(self._on_open)
        self.again.clicked.connect(lambda: self._batches.again(self._failed_rows()))
        self.load.clicked.connect(self._on_load)
        self.save.clicked.connect(self._on_save)
        self.report.clicked.connect(self._on_report)
        self.sheet.clicked.connect(self._on_sheet)
        self._batches.rows_changed.connect(self._on_begun)
        self._batches.changed.connect(self._show)
        self._batches.failed.connect(self._on_failed)

    def _take_last(self) -> None:
        """What was asked for last: after a restart a batch goes on."""
        last = self._batches.last_order()
        if last is None:
            return
        self.source.set_path(last.source)
        self.target.set_path(last.target)
        self.recursive.setChecked(last.selection.recursive)
        self.names.setText(last.pattern)
        self.one_core.setChecked(last.one_core)
        self.recipe.show_recipe(last.recipe)
        if self._batches.busy:
            self.tabs.setCurrentIndex(FILES)
            self.pages.setCurrentIndex(FILES)

    def _selection(self) -> Selection:
        return Selection(recursive=self.recursive.isChecked())

    def _on_folder(self) -> None:
        source = self.source.path
        if source is not None and self.target.path is None:
            self.target.set_path(source.with_name(f"{source.name} {self.tr('edited')}"))
        self.preview.show_folder(source, self._selection())
        self._on_recipe()

    def _on_recipe(self) -> None:
        self._error = ""
        try:
            self.preview.show_recipe(self.checked_recipe())
        except EditorError as error:
            self._error = in_one_line(error)
        self._show()

    def _on_preview(self) -> None:
        sample = next((one.before for one in self.preview.samples if one.before is not None), None)
        self.recipe.show_sample(sample)

    def _on_start(self) -> None:
        self._error = ""
        if self._batches.busy:
            self._batches.pause(on=not self._batches.paused)
            return
        try:
            order = self.order()
        except EditorError as error:
            self._on_failed(error)
            return
        self._batches.start(order, overwrite=self.overwrite.isChecked())

    def _on_begun(self) -> None:
        """The folders, the recipe and all names are good: from now on the files are what there is to see."""
        self.tabs.setCurrentIndex(FILES)

    def _on_failed(self, error: EditorError) -> None:
        self._error = in_one_line(error)
        self._show()

    def _on_open(self) -> None:
        order = self._batches.order
        if order is None:
            return
        for place in self.files.chosen():
            row = self._batches.rows[place]
            done = row.state is State.DONE and row.line is not None and row.line.target is not None
            path = order.source / row.item.path
            if done and row.line is not None and row.line.target is not None:
                path = order.target / row.line.target
            self._application.open_file(path)

    def _failed_rows(self) -> list[int]:
        """The chosen files that failed; all that did where none is chosen."""
        rows = self._batches.rows
        chosen = self.files.chosen() or range(len(rows))
        return [place for place in chosen if rows[place].state is State.FAILED]

    def _on_load(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open a recipe"), str(Path.home()), self.tr("Recipe (*.json)")
        )
        if name:
            self._batches.read(Path(name), self.recipe.show_recipe)

    def _on_save(self) -> None:
        try:
            recipe = self.checked_recipe()
        except EditorError as error:
            self._on_failed(error)
            return
        path = self._asked_path(self.tr("Save the recipe"), recipe.name or self.tr("recipe"), ".json")
        if path is not None:
            self._batches.save(recipe, path)

    def _on_report(self) -> None:
        path = self._asked_path(self.tr("Report"), self.tr("report"), ".html")
        if path is not None:
            self._batches.write_report(path)

    def _on_sheet(self) -> None:
        path = self._asked_path(self.tr("Contact sheet"), self.tr("contact sheet"), ".png")
        if path is not None:
            self._batches.write_sheet(path)

    def _asked_path(self, title: str, stem: str, ending: str) -> Path | None:
        folder = self.target.path if self.target.path is not None else Path.home()
        start = folder.parent / f"{proposed_stem(stem, (), 'recipe')}{ending}"
        name, _ = QFileDialog.getSaveFileName(self, title, str(start), f"{title} (*{ending})")
        if not name:
            return None
        path = Path(name)
        return path if path.suffix else path.with_name(f"{path.name}{ending}")

    def _show(self) -> None:
        busy, paused = self._batches.busy, self._batches.paused
        done, failed, total = self._batches.counts
        fields = (self.source, self.target, self.recursive, self.names, self.overwrite, self.recipe)
        for editor in (*fields, self.names_label, self.one_core):
            editor.setEnabled(not busy)
        self.load.setEnabled(not busy)
        left = total - done - failed
        go_on = not busy and done + failed > 0 and left > 0
        self.start.setText(
            self.tr("Go on") if paused or go_on else self.tr("Pause") if busy else self.tr("Start")
        )
        self.stop.setEnabled(busy)
        self.bar.setMaximum(max(1, total))
        self.bar.setValue(done + failed)
        self.again.setEnabled(not busy and bool(self._failed_rows()))
        self.open_one.setEnabled(bool(self.files.chosen()))
        for button in (self.report, self.sheet):
            button.setEnabled(done + failed > 0)
        self.status.setProperty("danger", bool(self._error))
        self.status.style().polish(self.status)
        self.status.setText(self._error or self._status())

    def _status(self) -> str:
        done, failed, total = self._batches.counts
        if not total:
            return self.tr("Nothing is computed before the folders, the recipe and all names are checked.")
        text = self.tr("{done} of {total} done").format(done=done, total=total)
        if failed:
            text = self.tr("{words} · {count} failed").format(words=text, count=failed)
        if self._batches.paused:
            return self.tr("{words} · paused").format(words=text)
        seconds = self._batches.seconds_left
        if seconds is None:
            return text
        return self.tr("{words} · {time} left").format(words=text, time=duration(seconds))


def _without_files(step: dict[str, object]) -> dict[str, object]:
    """A step without its files, which are known to be good and lie elsewhere."""
    values = step.get("parameters")
    if not isinstance(values, dict):
        return step
    return {**step, "parameters": {k: v for k, v in values.items() if not _is_file(v)}}


def _is_file(value: object) -> bool:
    one = value[0] if isinstance(value, list) and value else value
    return isinstance(one, dict) and "file" in one
