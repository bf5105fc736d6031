"""What the menus call on the window: panels, dialogs and files. No state of its own beside open dialogs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget

from editor.actions.forms import FORMS
from editor.application import Application
from editor.controllers.refused_save import RefusedSave
from editor.document.document import Document
from editor.formats import readable_extensions
from editor.words.file_names import free_path, proposed_stem
from widgets.forms.replacing import may_replace
from widgets.look.plain_text import PlainMessageBox
from widgets.look.theme import tokens_of

if TYPE_CHECKING:
    from widgets.actions.action_set import ActionSet


class WindowCommands(QObject):
    """The controller "window" of the action table. Dialogs are made when first asked for and do not block."""

    edit_wanted = Signal(str)  # an operation of the panel of AI edits

    def __init__(self, application: Application, actions: Callable[[], ActionSet], window: QWidget) -> None:
        """`actions` gives the window's actions, which are made after this."""
        super().__init__(window)
        self._window = window
        self._application = application
        self._actions = actions
        self._dialogs: dict[str, QDialog] = {}
        self._application.save_refused.connect(self._ask_about_file)
        self._application.drawing_opened.connect(self._ask_for_size)

    def dialog(self, name: str) -> QDialog | None:
        """An open dialog, for tests."""
        return self._dialogs.get(name)

    def open_dialogs(self) -> tuple[str, ...]:
        """The names of the dialogs that are shown."""
        return tuple(name for name, dialog in self._dialogs.items() if dialog.isVisible())

    def close_dialogs(self) -> None:
        for dialog in tuple(self._dialogs.values()):
            dialog.close()

    def reopen(self, name: str) -> None:
        """Show a dialog that needs no input again, as it was in another window."""
        again = {"settings": self.show_settings, "shortcuts": self.show_shortcuts, "models": self.show_models}
        if name in again:
            again[name]()

    # panels and dialogs

    def show_new_picture(self) -> None:
        from widgets.dialogs.new_picture import NewPicture

        self._show("new", lambda: NewPicture(self._application, self._window))

    def show_edit(self, name: str) -> None:
        """Bring an AI edit to the front."""
        self.edit_wanted.emit(name)

    def show_contact_sheet(self) -> None:
        from widgets.generate.contact_sheet_dialog import ContactSheetDialog

        document = self._application.current
        layer = document.recipe_layer if document is not None else None
        if document is not None and layer is not None:
            self._show(
                "contact sheet",
                lambda: ContactSheetDialog(self._application, document, layer, self._window),
                fresh=True,
            )

    def show_translation_sheet(self, values: Mapping[str, Any]) -> None:
        """Several texts and strengths for the picture that a form's values name."""
        from widgets.generate.translation_dialog import TranslationDialog

        document = self._application.current
        if document is not None:
            self._show(
                "translation sheet",
                lambda: TranslationDialog(self._application, document, values, self._window),
                fresh=True,
            )

    def show_seen(self, values: Mapping[str, Any]) -> None:
        """What the model sees in the picture that a form's values name."""
        from widgets.generate.seen_dialog import SeenDialog

        if self._application.current is not None:
            self._show("seen", lambda: SeenDialog(self._application, values, self._window), fresh=True)

    def show_step_search(self) -> None:
        from widgets.generate.step_dialog import StepDialog

        self._show("step search", lambda: StepDialog(self._application, self._window))

    def show_teach(self, subject: str = "") -> None:
        """Teach an attribute, of `subject` if the user has chosen it already."""
        from widgets.subjects.teach_dialog import TeachDialog

        self._show("teach", lambda: TeachDialog(self._application, self._window))
        dialog = self._dialogs["teach"]
        if subject and isinstance(dialog, TeachDialog):
            dialog.suggest(subject)

    def show_attributes(self) -> None:
        """The attributes there are, their files in and out."""
        from widgets.subjects.attributes_dialog import AttributesDialog

        self._show("attributes", lambda: AttributesDialog(self._application, self._window))

    def show_teach_concept(self) -> None:
        """Teach a word for what a few photos show."""
        from widgets.subjects.concept_dialog import ConceptDialog

        self._show("teach concept", lambda: ConceptDialog(self._application, self._window))

    def show_new_with(self, word: str) -> None:
        """New from prompt with a concept's word in it."""
        from widgets.dialogs.new_picture import NewPicture

        self.show_new_picture()
        dialog = self._dialogs["new"]
        if isinstance(dialog, NewPicture):
            dialog.insert(word)

    def import_concepts(self) -> None:
        """Choose files of concepts, of this or another program."""
        names, _ = QFileDialog.getOpenFileNames(
            self._window, self.tr("Import concepts"), "", self.tr("Concepts (*.safetensors)")
        )
        if names:
            self._application.concepts.import_files([Path(name) for name in names])

    def export_concept(self, word: str) -> None:
        """Write a concept for other programs."""
        start = f"{proposed_stem(word.strip('<>'), (), 'concept')}.safetensors"
        name, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Export concept"), start, self.tr("Concepts (*.safetensors)")
        )
        if name:
            self._application.concepts.export(word, Path(name))

    def rename_concept(self, word: str) -> None:
        """Ask for another name of a concept."""
        from widgets.dialogs.rename_concept import RenameConcept

        self._show("rename concept", lambda: RenameConcept(self._application, word, self._window), fresh=True)

    def export_attention(self, index: int, step: int) -> None:
        """Write the picture with the map of a subject over it."""
        session = self._application.session
        if session is None or not 0 <= index < len(session.subjects):
            return
        subject = session.subjects[index]
        start = Path(self._folder()) / f"{proposed_stem(subject.text, (), self.tr('picture'))}.png"
        title = self.tr("Export where the model looks for “{subject}”").format(subject=subject.text)
        name, _ = QFileDialog.getSaveFileName(self._window, title, str(start), self.tr("PNG (*.png)"))
        if name:
            colour = tokens_of(self._window).subject(subject.colour_index)
            rgb = (colour.red(), colour.green(), colour.blue())
            self._application.refinement.export_attention(session, index, step, rgb, Path(name))

    def show_batch(self) -> None:
        from widgets.batch.batch_dialog import BatchDialog

        self._show("batch", lambda: BatchDialog(self._application, self._window))

    def show_save_recipe(self) -> None:
        from widgets.batch.history_dialog import HistoryDialog

        document = self._application.current
        if document is not None:
            self._show(
                "save recipe", lambda: HistoryDialog(self._application, document, self._window), fresh=True
            )

    def show_apply_recipe(self) -> None:
        """Do a recipe from a file to the current picture."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, self.tr("Apply a recipe"), self._folder(), self.tr("Recipe (*.json)")
        )
        if name:
            batches = self._application.batches
            batches.read(Path(name), batches.apply)

    def show_settings(self) -> None:
        from widgets.dialogs.settings_dialog import SettingsDialog

        self._show("settings", lambda: SettingsDialog(self._application, self._window))

    def show_models(self) -> None:
        from widgets.dialogs.model_dialog import ModelDialog

        def make() -> ModelDialog:
            dialog = ModelDialog(self._application, self._window)
            dialog.new_picture_wanted.connect(self.show_new_picture)
            return dialog

        self._show("models", make)

    def show_export(self) -> None:
        from widgets.dialogs.export_dialog import ExportDialog

        document = self._application.current
        if document is not None:
            self._show("export", lambda: ExportDialog(self._application, document, self._window), fresh=True)

    def export_again(self) -> None:
        """Write the file of the last export once more, in the same way."""
        document = self._application.current
        if document is not None and document.last_export is not None:
            path, options = document.last_export
            self._application.export(document, path, options)

    def show_new_canvas(self) -> None:
        from widgets.dialogs.new_canvas import NewCanvas

        self._show("canvas", lambda: NewCanvas(self._application, self._window))

    def show_open_as_layer(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(
            self._window, self.tr("Open as layer"), self._folder(), self._picture_filter()
        )
        self._application.starts.open_as_layers([Path(name) for name in names])

    def show_information(self) -> None:
        from widgets.dialogs.information import Information

        document = self._application.current
        if document is not None:
            self._show("information", lambda: Information(document, self._window), fresh=True)

    def show_form(self, name: str) -> None:
        """Ask for the numbers that a command needs, such as the picture's size."""
        from widgets.forms.form_dialog import FormDialog

        document = self._application.current
        if document is not None:
            self._show(
                f"form-{name}", lambda: FormDialog(self._application, document, FORMS[name], self._window),
                fresh=True,
            )  # fmt: skip

    def show_palette(self) -> None:
        """All commands by a few letters of their names."""
        from widgets.actions.command_palette import CommandPalette

        palette = CommandPalette(self._actions(), self._application.settings, self._window)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.open()

    def show_shortcuts(self) -> None:
        from widgets.actions.shortcuts import Shortcuts

        self._show("shortcuts", lambda: Shortcuts(self._application, self._window))

    def show_about(self) -> None:
        from widgets.dialogs.about import About

        self._show("about", lambda: About(self._window))

    # files

    def show_open(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(
            self._window, self.tr("Open"), self._folder(), self._picture_filter()
        )
        self.open_files(names)

    def open_files(self, names: list[str]) -> None:
        for name in names:
            self._application.open_file(Path(name))

    def take_files(self, names: list[str], as_layers: bool) -> None:
        """Open what was dropped, or put it into the current document."""
        if as_layers:
            self._application.starts.open_as_layers([Path(name) for name in names])
        else:
            self.open_files(names)

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Save the current document, asking for a name if it has none; `then` is called once it is saved."""
        document = self._application.current
        if document is None:
            return
        if document.path is None:
            self.show_save_as(then)
        else:
            self._say_if_busy(document)
            self._application.save(document, document.path, then)

    def show_save_as(self, then: Callable[[], object] | None = None) -> None:
        document = self._application.current
        if document is None:
            return
        stem = proposed_stem(document.title, readable_extensions(), self.tr("picture"))
        start = document.path or free_path(Path(self._folder()), stem, ".ora")
        name, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save project"), str(start), self.tr("OpenRaster project (*.ora)")
        )
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() != ".ora":
            path = path.with_name(f"{path.name}.ora")
            if not may_replace(self._window, path):
                return
        self._say_if_busy(document)
        self._application.save(document, path, then)

    def close_document(self) -> None:
        if self._application.current is not None:
            self.close_one(self._application.current)

    def close_one(
        self, document: Document, then: Callable[[], object] | None = None, *, with_all: bool = False
    ) -> bool:
        """Close a document; asks first if that would lose something. Whether it was closed.

        If it has to be saved first, it closes when that is done, and `then` is called. `with_all` tells that
        all others are closed as well: then all changes can be discarded with one answer.
        """
        if not document.modified and not self._is_busy(document):
            self._application.close(document)
            return True
        unsaved = [one for one in self._application.documents if one.modified or self._is_busy(one)]
        answer = self._ask_to_save(document, several=with_all and len(unsaved) > 1)
        if answer == QMessageBox.StandardButton.Cancel:
            return False
        if answer == QMessageBox.StandardButton.Save:
            self._application.set_current(document)
            self.save(lambda: self._close_saved(document, then))
            return False
        for one in unsaved if answer == QMessageBox.StandardButton.NoToAll else (document,):
            self._application.close(one)
        return True

    # the window itself

    def close(self) -> None:
        self._window.close()

    def set_fullscreen(self, on: bool) -> None:
        state = self._window.windowState()
        full = Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state | full if on else state & ~full)

    def _show(self, name: str, make: Callable[[], QDialog], *, fresh: bool = False) -> None:
        """Show a dialog beside the work, never in its way; raise it if it is open already."""
        dialog = self._dialogs.get(name)
        if dialog is not None and (fresh or not dialog.isVisible()):  # it may be closed and not gone yet
            dialog.close()
            dialog = None
        if dialog is None:
            dialog = self._dialogs[name] = make()
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.destroyed.connect(lambda _=None, made=dialog: self._forget(name, made))
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def _forget(self, name: str, dialog: QDialog) -> None:
        if self._dialogs.get(name) is dialog:
            del self._dialogs[name]

    def _picture_filter(self) -> str:
        patterns = " ".join(f"*{ending}" for ending in readable_extensions())
        return self.tr("Pictures ({patterns});;All files (*)").format(patterns=patterns)

    def _folder(self) -> str:
        recent = self._application.settings.recent_files
        return str(Path(recent[0]).parent) if recent else str(Path.home())

    def _ask_to_save(self, document: Document, *, several: bool) -> int:
        box = PlainMessageBox(self._window)
        box.setText(self.tr("Save changes to “{title}”?").format(title=document.title))
        box.setInformativeText(self.tr("Without saving, the changes are lost."))
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        if several:
            box.addButton(buttons.NoToAll).setText(self.tr("Discard all"))
        box.setDefaultButton(buttons.Save)
        for button in box.buttons():
            button.setIcon(QIcon())
        answer = box.exec()
        box.deleteLater()
        # it ends without an answer when the program is told to end: then nothing was given up
        said = (buttons.Save, buttons.Discard, buttons.NoToAll)
        return answer if answer in said else buttons.Cancel

    def _ask_for_size(self, document: Document, path: Path) -> None:
        """A drawing was opened at its own size, but can have any."""
        from widgets.dialogs.drawing_size import DrawingSize

        self._show("drawing size", lambda: DrawingSize(self._application, document, path, self._window))

    def _ask_about_file(self, refused: RefusedSave) -> None:
        """A save would overwrite what somebody else wrote."""
        from widgets.window.refused_save import ask_about

        application, document = self._application, refused.document
        if document not in application.documents:
            return

        def save_as() -> None:
            application.set_current(document)
            self.show_save_as(refused.then)

        self._show(
            "refused save",
            lambda: ask_about(
                refused,
                self._window,
                overwrite=lambda: application.save(document, refused.path, refused.then, overwrite=True),
                save_as=save_as,
                reload=lambda: application.reload(document),
            ),
            fresh=True,
        )

    def _close_saved(self, document: Document, then: Callable[[], object] | None) -> None:
        if document.modified:  # edited while it was written: it stays open
            return
        self._application.close(document)
        if then is not None:
            then()

    def _is_busy(self, document: Document) -> bool:
        session = self._application.session
        computing = session is not None and session.document is document and session.busy
        return computing or self._application.edits.works_on(document)

    def _say_if_busy(self, document: Document) -> None:
        if self._is_busy(document):
            self._application.message.emit(
                self.tr("The last change is still being computed and is not part of this file."),
                self.tr("Save again when it is done."),
                "info",
            )
