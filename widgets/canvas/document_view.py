"""A canvas that shows a document: its composite, the state before, previews of its jobs, subjects."""

import math

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QCursor, QFontDatabase, QHideEvent, QPainter, QShowEvent
from PySide6.QtWidgets import QWidget

from editor import commands
from editor.application import Application
from editor.commands.guides import clear_guides
from editor.controllers.refinement import WHOLE_RUN, attention
from editor.document.comparison import Against, compared
from editor.document.document import Document, to_area
from editor.generating.heatmaps import heat_image
from editor.layers.state import DocumentState
from editor.pixels.qimages import to_qimage
from editor.pixels.raster import Area
from editor.rendering.tiles import TileCompositor
from editor.sliders.session import AttributeSession
from editor.tools import ToolContext
from inference.operations import SamplingParameters
from inference.progress import Step
from inference.service import Job
from widgets.canvas.canvas import Canvas
from widgets.canvas.compare_menu import compare_menu, words_for
from widgets.canvas.guides import Guides
from widgets.canvas.marching_ants import MarchingAnts
from widgets.canvas.tile_picture import TilePicture
from widgets.canvas.tool_input import ToolInput
from widgets.canvas.view_options import ViewOptions
from widgets.look.display_colours import DisplayColours
from widgets.look.theme import scaled_font, tokens_of


class DocumentView(Canvas):
    """One tab. The application's session is given to the view of the current document."""

    menu_requested = Signal(QPoint)  # where on the screen
    subject_pointed = Signal(int)  # index of the subject that was clicked
    tool_running = Signal(bool)

    def __init__(
        self,
        document: Document,
        application: Application,
        options: ViewOptions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.document = document
        self._application = application
        self._options = options
        self._colours = DisplayColours(self)
        self.guides = Guides(document, self.viewport, self.update, self)
        self.guides.failed.connect(application.report)
        self.ants = MarchingAnts(self)
        self.ants.changed.connect(self.update_image_rect)
        self.tools = self._make_tools()
        self.input = self.tools
        self._session: AttributeSession | None = None
        self._against = Against()
        self._before_state: DocumentState | None = None
        self._before_tiles: TileCompositor | None = None
        self._before_picture: TilePicture | None = None
        self._lit = -1
        self.tiles = TileCompositor(self)
        self.tiles.set_state(document.shown_state())
        self._picture = TilePicture(self.tiles, document.width, document.height, self)
        self.set_picture(self._picture)
        self.setAccessibleDescription(document.title)
        document.selection_changed.connect(self._show_selection)
        document.pixels_changed.connect(self._on_pixels_changed)
        document.undo_stack.indexChanged.connect(self._on_history_moved)
        service = application.service
        service.job_progress.connect(self._on_job_progress)
        for ended in (service.job_finished, service.job_failed, service.job_cancelled):
            ended.connect(self._on_job_ended)
        self._job: Job | None = None
        options.changed.connect(self._show_options)
        self._show_options()
        self._show_colours()
        self._show_selection()
        self.wipe_menu_requested.connect(self._show_compare_menu)
        self.hovered.connect(self._on_hovered)
        self.clicked.connect(self._on_clicked)

    def _make_tools(self) -> ToolInput:
        application = self._application
        context = ToolContext(
            self.document,
            application.tools.colours,
            application.background,
            application.report,
            view=self,
            families=lambda: tuple(QFontDatabase.families()),
        )
        made = ToolInput(context, application.tools, self.viewport, lambda: self.ratio, self)
        made.guides = self.guides
        made.repaint.connect(self.update_view_rect)
        made.cursor_changed.connect(self.refresh_cursor)
        made.running_changed.connect(self.tool_running)
        made.menu_requested.connect(lambda: self.menu_requested.emit(QCursor.pos()))
        self.view_moved.connect(made.on_view_moved)
        self.ants.stepped.connect(made.march)
        return made

    def set_tool(self, tool: str) -> None:
        super().set_tool(tool)
        self.tools.use(tool)

    # what hand and zoom ask for

    def pan_by(self, dx: float, dy: float) -> None:
        start, end = self.viewport.to_view(QPointF(0, 0)), self.viewport.to_view(QPointF(dx, dy))
        self.viewport.pan(end.x() - start.x(), end.y() - start.y())
        self.on_view_moved()

    def zoom_by(self, factor: float, x: float, y: float) -> None:
        self.viewport.zoom_to(self.viewport.zoom * factor, self.viewport.to_view(QPointF(x, y)))
        self.on_view_moved()

    def show_area(self, area: Area) -> None:
        self.zoom_rect(QRectF(*area))

    def set_session(self, session: AttributeSession | None) -> None:
        """Whose subjects the canvas lights up."""
        if self._session is not None:
            self._session.disconnect(self)
        self._session = session
        if session is not None:
            session.maps_changed.connect(self._on_maps_changed)
        self.light_subject(-1)

    def light_subject(self, index: int, step: int = WHOLE_RUN) -> None:
        """Show where the model sees a subject, in the whole run or at one step; -1 shows none."""
        self._lit = index
        session = self._session
        if session is None or not 0 <= index < len(session.subjects):
            self.set_heat(None)
            return
        heat = attention(session, index, step)
        colour = tokens_of(self).subject(session.subjects[index].colour_index)
        self.set_heat(heat_image(heat) if heat is not None else None, colour)

    def compare_with(self, state: DocumentState) -> None:
        """Compare with any state of the history, until the wipe is hidden."""
        self.compare_against(Against(state=state))

    def compare_against(self, against: Against) -> None:
        """Show the wipe, with this on its left side."""
        self._against = against
        self.wipe_words = words_for(self.document, against)
        self._refresh_before()
        self.set_wipe_shown(True)
        self.update()

    def set_compare(self, shown: bool) -> None:
        """Show or hide the before/after wipe (menu command)."""
        self._against = Against()
        self.wipe_words = words_for(self.document, self._against)
        self._refresh_before()
        self.set_wipe_shown(shown)

    def hold_original(self, held: bool) -> None:
        if held:
            self._refresh_before()
        super().hold_original(held)

    # the commands of the menu

    def fit(self) -> None:
        self.zoom_fit()

    def actual_size(self) -> None:
        self.zoom_actual()

    def fit_width(self) -> None:
        self.zoom_width()

    def fit_selection(self) -> None:
        selection = self.document.state.selection
        if selection is not None:
            self.zoom_rect(QRectF(*selection.area))

    def clear_guides(self) -> None:
        if self.document.state.guides:
            commands.push(self.document, clear_guides(self.document))

    def _show_options(self) -> None:
        self.guides.shown = self._options.get("guides")
        self.set_pixel_grid(self._options.get("pixel_grid"))
        self.tools.context.snapping = self._options.get("snapping")
        self.ants.set_shown(self._options.get("selection_edges"))
        self.update()

    def _show_selection(self) -> None:
        self.ants.set_mask(self.document.state.selection)

    def _on_looked_at(self) -> None:
        self.ants.set_looked_at(self.isVisible() and self.isActiveWindow())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange:
            self._on_looked_at()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._on_looked_at()

    def paint_over(self, painter: QPainter, exposed: QRectF) -> None:
        self.guides.paint(painter, self.ratio)
        self.ants.paint(painter, self.viewport, self.ratio)
        self.tools.paint(painter, self.ratio, scaled_font(self.font(), self.ratio), self.ants.phase)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_looked_at()
        self._show_colours()  # the window's colours are known from now on

    def _show_colours(self) -> None:
        if not self._colours.use(self.document.icc_profile):
            return
        self.tiles.set_colour_transform(self._colours.transform)
        if self._before_tiles is not None:
            self._before_tiles.set_colour_transform(self._colours.transform)

    def close_tiles(self) -> None:
        """Stop composing; call it once, before the view goes."""
        self.ants.close()
        self._picture.close()
        self.tiles.close()
        if self._before_tiles is not None and self._before_picture is not None:
            self._before_picture.close()
            self._before_tiles.close()

    def _on_pixels_changed(self, rect: QRect) -> None:
        document = self.document
        resized = self._picture.size != (document.width, document.height)
        self._show_colours()
        whole = resized or rect.contains(document.rect)
        self.tiles.set_state(document.shown_state(), None if whole else to_area(rect & document.rect))
        if resized:
            self._picture.resize(document.width, document.height)
            self.set_picture(self._picture)
        if self._against.layer and self.wipe_share is not None:
            self._refresh_before(None if whole else to_area(rect & document.rect))

    def _on_history_moved(self) -> None:
        if self.wipe_share is not None:
            self._refresh_before()

    def _show_compare_menu(self, place: QPoint) -> None:
        menu = compare_menu(self.document, self._against, self.compare_against, self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def _refresh_before(self, dirty: Area | None = None) -> None:
        """Show what is compared with; `dirty` is where it differs from the last time, None everywhere."""
        state = compared(self.document, self._against)
        if state is self._before_state:
            return
        self._before_state = state
        if self._before_tiles is None:
            self._before_tiles = TileCompositor(self)
            self._before_picture = TilePicture(self._before_tiles, state.width, state.height, self)
            self._before_tiles.set_colour_transform(self._colours.transform)
        self._before_tiles.set_state(state, dirty)
        assert self._before_picture is not None, "made with its tiles"
        self._before_picture.resize(state.width, state.height)
        self.set_before(self._before_picture)

    def _on_job_progress(self, job: Job, step: Step) -> None:
        if step.preview is None or not self._is_other_picture(job):
            return
        self._job = job
        self.set_preview(to_qimage(step.preview))

    def _is_other_picture(self, job: Job) -> bool:
        """Whether a job makes this document's layer anew: then watching it grow is welcome.

        For a slider, the crossfade of known positions says more than a noisy preview.
        """
        parameters = job.request.parameters
        if self._session is None or not isinstance(parameters, SamplingParameters):
            return False
        layer = self._session.layer_id
        if not job.supersedes.startswith(f"slider:{layer}:"):
            return False
        recipe = self.document.layer(layer).recipe
        return recipe is not None and (parameters.prompt, parameters.seed) != (recipe.prompt, recipe.seed)

    def _on_job_ended(self, job: Job, _result: object = None) -> None:
        if job is self._job:
            self._job = None
            self.set_preview(None)

    def _on_maps_changed(self) -> None:
        self.light_subject(self._lit)

    def _on_hovered(self, point: object) -> None:
        index = self._subject_at(point)
        if index != self._lit:
            self.light_subject(index)

    def _on_clicked(self, point: object) -> None:
        index = self._subject_at(point)
        if index >= 0:
            self.subject_pointed.emit(index)

    def _subject_at(self, point: object) -> int:
        """The subject that the model sees most at an image point, -1 for none."""
        session = self._session
        if session is None or point is None:
            return -1
        best, strongest = -1, 0.35
        for index in range(len(session.subjects)):
            heat = session.heat(index)
            if heat is None:
                continue
            row = math.floor(point.y() / self.document.height * heat.shape[0])  # type: ignore[attr-defined]
            column = math.floor(point.x() / self.document.width * heat.shape[1])  # type: ignore[attr-defined]
            if 0 <= row < heat.shape[0] and 0 <= column < heat.shape[1]:
                strength = float(heat[row, column]) / max(float(heat.max()), 1e-6)
                if strength > strongest:
                    best, strongest = index, strength
        return best
