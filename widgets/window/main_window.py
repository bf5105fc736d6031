"""The main window: menus from the action table, docks from the panel table, the tool bar, the workspace."""

from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QMenu, QTabWidget, QToolButton, QWidget

from editor.actions import ACTIONS, action, in_menu
from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Adjustment, Layer
from editor.layers.state import DocumentState
from editor.words.wording import plain
from inference.downloads.curated import title_of
from widgets.actions.action_set import ActionSet
from widgets.actions.recent_menu import RecentMenu
from widgets.adjustments.properties_panel import PropertiesPanel
from widgets.canvas.view_options import DEFAULTS as VIEW_OPTIONS
from widgets.canvas.viewport import Viewport
from widgets.forms.zoom_box import FIT
from widgets.generate.edits_panel import EditsPanel
from widgets.generate.filmstrip import Filmstrip
from widgets.generate.job_panel import JobPanel
from widgets.generate.refine_panel import RefinePanel
from widgets.generate.translate_panel import TranslatePanel
from widgets.history.history_panel import HistoryPanel
from widgets.layers.layer_panel import LayerPanel
from widgets.layers.layer_properties import LockButtons
from widgets.look.icons import IconButton
from widgets.look.plain_text import set_tip, unmarked, window_title
from widgets.look.theme import Theme
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.on_screen import bring_on_screen
from widgets.window.panel import Panel, PanelSpec
from widgets.window.status_bar import StatusBar
from widgets.window.tab_order import go_on
from widgets.window.tool_bar import ToolBar
from widgets.window.tool_options import ToolOptions
from widgets.window.window_commands import WindowCommands
from widgets.window.workspace import Workspace

CORNER = ("edit.undo", "edit.redo", "view.compare")  # always at hand, beside the menus
CONTEXT_MENU = (  # "" is a separator; what the table does not have is left out
    "edit.undo", "edit.redo", "", "edit.cut", "edit.copy", "edit.paste", "", "select.all", "select.none",
    "select.invert", "", "layer.duplicate", "layer.delete", "", "view.fit", "view.actual", "view.compare",
)  # fmt: skip
STATE_VERSION = 3
_RIGHT_PX = 332  # what the prompt needs beside a scroll bar
_BOTTOM_PX = 132  # of panels below the picture that have something to show
SIZE = QSize(1440, 900)


@dataclass(frozen=True)
class WindowLook:
    """What a window that is made anew takes over from the old one."""

    geometry: QByteArray
    docks: QByteArray
    views: dict[Document, Viewport]
    dialogs: tuple[str, ...]
    edit: str


class MainWindow(QMainWindow):
    """Shows an `Application`. Nothing here waits for anything."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.application = application
        self.theme = Theme(_qt_application(), application.settings.get("theme"), self)
        self.setObjectName("MainWindow")
        self.setWindowTitle("Attune")
        self.setDockNestingEnabled(True)
        self.workspace = Workspace(application)
        self.setCentralWidget(self.workspace)
        self.commands = WindowCommands(application, lambda: self.actions_by_id, self)
        self.commands.edit_wanted.connect(self.show_edit)
        self.actions_by_id = ActionSet(
            application,
            {
                "application": lambda: application,
                "window": lambda: self.commands,
                "canvas": lambda: self.workspace.view,
                "view": lambda: self.workspace.options,
                "layers": lambda: application.layers,
                "masks": lambda: application.masks,
                "older_states": lambda: application.older_states,
                "image": lambda: application.image,
                "selection": lambda: application.selection,
                "filters": lambda: application.filters,
                "tools": lambda: application.tools,
                "sessions": lambda: application.sessions,
                "refinement": lambda: application.refinement,
                "clipboard": lambda: application.clipboard,
            },
            self,
        )
        for name in VIEW_OPTIONS:
            self.actions_by_id.set_checked(f"view.{name}", self.workspace.options.get(name))
        self.status = StatusBar(application)
        self.setStatusBar(self.status)
        self._make_tools()
        self.panels = {spec.id: Panel(spec, self) for spec in self._panel_table()}
        self._place_panels()
        self._make_menus()
        self._connect()
        self.resize(SIZE)
        self._restore()
        self.application.tools.use(self.application.tools.current)
        self._show_title()

    def look(self) -> WindowLook:
        """Where everything is, for the window that takes this one's place."""
        return WindowLook(
            geometry=self.saveGeometry(),
            docks=self.saveState(STATE_VERSION),
            views=self.workspace.viewports(),
            dialogs=self.commands.open_dialogs(),
            edit=self.edits.edit,
        )

    def take_look(self, look: WindowLook) -> None:
        """Look as another window did."""
        self.restoreGeometry(look.geometry)
        self.restoreState(look.docks, STATE_VERSION)
        self.workspace.take_viewports(look.views)
        self.edits.show_edit(look.edit)
        for name in look.dialogs:
            self.commands.reopen(name)

    def retire(self) -> None:
        """Go without closing anything: another window shows the same documents."""
        self.commands.close_dialogs()
        self.hide()
        self.workspace.shutdown()
        self.deleteLater()

    def panel(self, panel_id: str) -> QWidget:
        """A panel's own widget, or an AI edit's page; made now if it was not shown yet."""
        return self.panels[panel_id].content if panel_id in self.panels else self.edits.page(panel_id)

    @property
    def edits(self) -> EditsPanel:
        found = self.panels["edits"].content
        assert isinstance(found, EditsPanel), "the panel table makes it"
        return found

    def show_edit(self, name: str) -> None:
        """Bring an AI edit to the front."""
        self.edits.show_edit(name)
        self._raise("edits")

    def _show_tool(self, tool_id: str) -> None:
        for item in in_menu("tools"):
            if item.command == "tools.use":
                self.actions_by_id.set_checked(item.id, item.argument == tool_id)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow() and self.isVisible():
            self.application.look_again()

    def closeEvent(self, event: QCloseEvent) -> None:
        # what has to be asked about first: a cancelled quit closes nothing that was never saved
        for document in sorted(self.application.documents, key=lambda one: not one.modified):
            if document not in self.application.documents:  # discarded with another one
                continue
            if not self.commands.close_one(document, then=self.close, with_all=True):
                event.ignore()
                return
        settings = self.application.settings
        settings.set_state("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        settings.set_state("edit", self.edits.edit)
        settings.set_state("docks", bytes(self.saveState(STATE_VERSION).toBase64().data()).decode())
        self.hide()  # ending the engine may take a moment
        self.workspace.shutdown()
        self.application.shutdown()
        event.accept()

    def focusNextPrevChild(self, next: bool) -> bool:
        return go_on(self, forward=next)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (
            event.key() == Qt.Key.Key_Backslash
            and self.workspace.view is not None
            and not event.isAutoRepeat()
        ):
            self.workspace.view.hold_original(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if (
            event.key() == Qt.Key.Key_Backslash
            and self.workspace.view is not None
            and not event.isAutoRepeat()
        ):
            self.workspace.view.hold_original(False)
        else:
            super().keyReleaseEvent(event)

    def _panel_table(self) -> tuple[PanelSpec, ...]:
        application = self.application
        right, bottom = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
        return (
            PanelSpec(
                "subjects", self.tr("Subjects"), right, lambda: SubjectPanel(application), self._model_button
            ),
            PanelSpec("edits", self.tr("AI edits"), right, self._edits_panel),
            PanelSpec("properties", self.tr("Properties"), right, lambda: PropertiesPanel(application)),
            PanelSpec(
                "layers",
                self.tr("Layers"),
                right,
                lambda: LayerPanel(application, self.actions_by_id),
                lambda: LockButtons(application),
            ),
            PanelSpec("history", self.tr("History"), right, lambda: HistoryPanel(application)),
            PanelSpec("variations", self.tr("Variations"), bottom, lambda: Filmstrip(application)),
            PanelSpec("jobs", self.tr("Jobs"), bottom, self._job_panel),
        )

    def _job_panel(self) -> JobPanel:
        application = self.application
        panel = JobPanel(application.service, application.long_jobs, application.batches)
        panel.batch_wanted.connect(lambda: self.commands.show_batch())
        return panel

    def _place_panels(self) -> None:
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for panel in self.panels.values():
            if panel.spec.area == Qt.DockWidgetArea.RightDockWidgetArea:
                panel.setMinimumWidth(_RIGHT_PX)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        for panel in self.panels.values():
            self.addDockWidget(panel.spec.area, panel)
        self.tabifyDockWidget(self.panels["subjects"], self.panels["edits"])
        self.tabifyDockWidget(self.panels["edits"], self.panels["properties"])
        self.panels["subjects"].raise_()
        self.splitDockWidget(self.panels["variations"], self.panels["jobs"], Qt.Orientation.Horizontal)
        right = [self.panels[name] for name in ("subjects", "layers", "history")]
        self.resizeDocks(right, [480, 240, 150], Qt.Orientation.Vertical)
        self.resizeDocks(right, [_RIGHT_PX, _RIGHT_PX, _RIGHT_PX], Qt.Orientation.Horizontal)
        bottom = [self.panels["variations"], self.panels["jobs"]]
        self.resizeDocks(bottom, [440, 560], Qt.Orientation.Horizontal)
        self.resizeDocks(bottom, [_BOTTOM_PX, _BOTTOM_PX], Qt.Orientation.Vertical)
        self._bottom_px, self._bottom_filled = _BOTTOM_PX, True

    def _fit_bottom(self) -> None:
        """Panels below the picture are low while a row has all they say, else as high as they were then."""
        panels = [self.panels["variations"], self.panels["jobs"]]
        contents = [panel.content for panel in panels]
        filled = any(isinstance(one, Filmstrip | JobPanel) and one.needs_room for one in contents)
        if filled == self._bottom_filled:
            return
        if self._bottom_filled:
            self._bottom_px = max(_BOTTOM_PX, *(panel.height() for panel in panels))
        self._bottom_filled = filled
        height = self._bottom_px if filled else 1  # no lower than what they say
        self.resizeDocks(panels, [height, height], Qt.Orientation.Vertical)

    def _make_menus(self) -> None:
        menus = self.actions_by_id.fill(self.menuBar())
        recent = RecentMenu(self.application, menus["file"])
        recent.chosen.connect(lambda path: self.commands.open_files([path]))
        entries = menus["file"].actions()
        after = entries.index(self.actions_by_id["file.open"]) + 1
        menus["file"].insertMenu(entries[after], recent)
        menus["window"].addSeparator()
        for panel in self.panels.values():
            menus["window"].addAction(panel.toggleViewAction())
        self.actions_by_id.hide_empty(menus)

    def _make_tools(self) -> None:
        tools = self.application.tools
        self.tool_bar = ToolBar(tools, self.actions_by_id, self)
        self.tool_options = ToolOptions(self.application, self)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.tool_bar)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.tool_options)
        tools.chosen.connect(self._show_tool)
        corner = QWidget(self.menuBar())
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(2)
        for name in CORNER:
            row.addWidget(self._corner_button(name))
        self.menuBar().setCornerWidget(corner)
        self._corner = corner  # Qt takes it, but Python would free it

    def _show_context_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        known = {item.id for item in ACTIONS}
        for name in CONTEXT_MENU:
            if name in known:
                menu.addAction(self.actions_by_id[name])
            elif not name:
                menu.addSeparator()
        menu.popup(place)

    def _corner_button(self, name: str) -> IconButton:
        item, shown = action(name), self.actions_by_id[name]
        keys = shown.shortcut().toString()
        tip = plain(shown.text())
        button = IconButton(
            item.icon, f"{tip} ({keys})" if keys else tip, size_px=16, checkable=item.checkable
        )
        button.setFixedSize(28, 26)
        button.clicked.connect(lambda: (shown.trigger(), _mirror(shown, button)))
        shown.changed.connect(lambda: _mirror(shown, button))
        _mirror(shown, button)
        return button

    def _model_button(self) -> QToolButton:
        button = ModelButton(self.application)
        button.clicked.connect(self.commands.show_models)
        return button

    def _connect(self) -> None:
        workspace = self.workspace
        workspace.zoom_changed.connect(self.status.set_zoom)
        workspace.cursor_moved.connect(self.status.set_cursor)
        workspace.compare_changed.connect(lambda on: self.actions_by_id["view.compare"].setChecked(on))
        workspace.menu_requested.connect(self._show_context_menu)
        workspace.tool_running.connect(self.tool_options.show_running)
        self.tool_options.apply_requested.connect(lambda: workspace.answer_tool(apply=True))
        self.tool_options.cancel_requested.connect(lambda: workspace.answer_tool(apply=False))
        workspace.close_requested.connect(lambda document: self.commands.close_one(document))
        workspace.files_dropped.connect(self.commands.take_files)
        workspace.welcome.new_requested.connect(self.commands.show_new_picture)
        workspace.welcome.models_requested.connect(self.commands.show_models)
        workspace.welcome.open_requested.connect(self.commands.show_open)
        workspace.welcome.blank_requested.connect(self.commands.show_new_canvas)
        workspace.welcome.sample_requested.connect(self.application.starts.open_copy)
        workspace.welcome.recent_requested.connect(lambda path: self.commands.open_files([path]))
        self.application.settings.recent_changed.connect(self._show_recent)
        self.application.recent_pictures.changed.connect(self._show_recent)
        self._show_recent()
        self.status.zoom_chosen.connect(self._zoom_to)
        self.status.models_wanted.connect(self.commands.show_models)
        self._connect_layers()
        subjects = self.panel("subjects")
        assert isinstance(subjects, SubjectPanel), "the panel table makes it"
        subjects.subject_hovered.connect(workspace.light_subject)
        subjects.teach_requested.connect(self.commands.show_teach)
        subjects.concept_wanted.connect(self.commands.show_new_with)
        shelf = subjects.shelf
        shelf.teach_wanted.connect(self.commands.show_teach_concept)
        shelf.import_wanted.connect(self.commands.import_concepts)
        shelf.rename_wanted.connect(self.commands.rename_concept)
        shelf.export_wanted.connect(self.commands.export_concept)
        subjects.new_picture.clicked.connect(self.commands.show_new_picture)
        workspace.subject_pointed.connect(subjects.focus_subject)
        self.application.current_changed.connect(self._show_title)
        self.application.document_opened.connect(self._follow_title)
        for document in self.application.documents:
            self._follow_title(document)
        self.application.recipe_requested.connect(self._show_recipe_panel)
        self.application.settings.changed.connect(self._on_setting_changed)

    def _edits_panel(self) -> EditsPanel:
        panel = EditsPanel(self.application)
        panel.page_made.connect(self._connect_edit)
        chosen = self.application.settings.state("edit")
        panel.show_edit(chosen if isinstance(chosen, str) else "")
        return panel

    def _connect_edit(self, page: QWidget) -> None:
        if isinstance(page, RefinePanel):
            page.attention_wished.connect(self.workspace.light_subject)
            page.comparison_wished.connect(self.commands.show_contact_sheet)
            page.attention.export_wished.connect(self.commands.export_attention)
        elif isinstance(page, TranslatePanel):
            page.sheet_wished.connect(self.commands.show_translation_sheet)
            page.look_wished.connect(self.commands.show_seen)

    def _connect_layers(self) -> None:
        layers = self.panel("layers")
        assert isinstance(layers, LayerPanel), "the panel table makes it"
        layers.properties_requested.connect(lambda: self._raise("properties"))
        history = self.panel("history")
        assert isinstance(history, HistoryPanel), "the panel table makes it"
        history.compare_requested.connect(self._compare_with)

    def _compare_with(self, state: DocumentState) -> None:
        if self.workspace.view is not None:
            self.workspace.view.compare_with(state)

    def _raise(self, panel_id: str) -> None:
        self.panels[panel_id].show()
        self.panels[panel_id].raise_()

    def _show_recent(self) -> None:
        paths = self.application.settings.recent_files
        self.workspace.welcome.set_recent(paths, self.application.recent_pictures.read(paths))

    def _zoom_to(self, zoom: float) -> None:
        view = self.workspace.view
        if view is not None:
            view.setFocus()
            view.zoom_to(zoom) if zoom != FIT else view.zoom_fit()

    def _show_fitting_panel(self, node_id: str) -> None:
        """An adjustment's settings come to the front of their tabs, and a generated layer's sliders.

        Who is refining stays with that edit, where the scores come up, and so does who is inserting; other
        edits are made again where they were made.
        """
        document = self.application.current
        node = document.state.find(node_id) if document is not None else None
        is_text = isinstance(node, Layer) and node.text is not None
        set_here = isinstance(node, Adjustment) or is_text
        wanted = "properties" if set_here else "subjects"
        in_front = not self.panels["edits"].visibleRegion().isEmpty()
        made_by = node.recipe.request.operation if node is not None and node.recipe is not None else ""
        is_working = in_front and self.edits.edit in ("refine", "insert", "translate", made_by)
        has_panel = set_here or (node is not None and node.recipe is not None and not is_working)
        if has_panel and not self.panels[wanted].isHidden():
            self.panels[wanted].raise_()

    def _show_title(self, _document: object = None) -> None:
        document = self.application.current
        shown = f"{window_title(document.title)}[*] — Attune" if document is not None else "Attune"
        self.setWindowTitle(shown)
        self.setWindowModified(document is not None and document.modified)

    def _follow_title(self, document: Document) -> None:
        document.path_changed.connect(self._show_title)
        document.modified_changed.connect(self._show_title)
        document.active_changed.connect(self._show_fitting_panel)

    def _show_recipe_panel(self, _: object) -> None:
        self._raise("subjects")

    def _on_setting_changed(self, name: str) -> None:
        if name == "theme":
            self.theme.choose(self.application.settings.get("theme"))

    def _restore(self) -> None:
        settings = self.application.settings
        geometry, docks = settings.state("geometry"), settings.state("docks")
        if isinstance(geometry, str):
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        bring_on_screen(self)
        if isinstance(docks, str):
            self.restoreState(QByteArray.fromBase64(docks.encode()), STATE_VERSION)
        for name in ("variations", "jobs"):
            content = self.panel(name)
            assert isinstance(content, Filmstrip | JobPanel)
            content.filled.connect(self._fit_bottom)
        self._fit_bottom()
        full = bool(self.windowState() & Qt.WindowState.WindowFullScreen)
        self.actions_by_id.set_checked("window.fullscreen", full)


class ModelButton(QToolButton):
    """Names the model of the current picture."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self.setProperty("quiet", True)
        set_tip(self, self.tr("The model that makes this picture; click for all models"))
        application.session_changed.connect(self._show)
        application.settings.changed.connect(self._show)
        self._show()

    def _show(self, _: object = None) -> None:
        session = self._application.session
        name = session.model if session else self._application.settings.get("model")
        self.setText(unmarked(title_of(name)))


def _qt_application() -> QApplication:
    qt = QApplication.instance()
    assert isinstance(qt, QApplication), "a window needs a QApplication"
    return qt


def _mirror(shown: QAction, button: IconButton) -> None:
    button.setEnabled(shown.isEnabled())
    button.setChecked(shown.isChecked())
