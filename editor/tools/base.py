"""What every tool is: an engine that pointer events and keys drive, and that pushes commands.

Tools know no widgets. The canvas makes one of each for a document, sends it what the pointer does, and paints
the shapes of `overlay()` whenever `changed` is called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self

from PySide6.QtCore import QCoreApplication

from editor.commands import Command
from editor.commands import push as push_command
from editor.document.document import Document
from editor.layers.layer import Mask
from editor.pixels.raster import Area
from editor.system.background import Background
from editor.tools.colours import Colours
from editor.tools.overlay import Shape
from inference.errors import EditorError
from inference.parameters import Parameters

translate = QCoreApplication.translate

LEFT, RIGHT, MIDDLE = "left", "right", "middle"
SHIFT, CTRL, ALT = "shift", "ctrl", "alt"


@dataclass(frozen=True, kw_only=True)
class PointerEvent:
    """What the pointer did.

    Args:
        x, y: where, in the document; pixel (0, 0) spans 0..1.
        pressure: 0..1; a mouse presses with 1.
        buttons: those that are held ("left", "right", "middle"); on release the one let go.
        modifiers: of "shift", "ctrl", "alt".
        time_ms: on a clock of its own.
        zoom: screen pixels a document pixel, for tolerances.
        erasing: the tablet pen's eraser end.
        kind: "mouse" or "tablet".
    """

    x: float
    y: float
    pressure: float = 1.0
    buttons: frozenset[str] = frozenset({LEFT})
    modifiers: frozenset[str] = frozenset()
    time_ms: int = 0
    zoom: float = 1.0
    erasing: bool = False
    kind: str = "mouse"

    @property
    def point(self) -> tuple[float, float]:
        return self.x, self.y

    def has(self, modifier: str) -> bool:
        return modifier in self.modifiers

    def at(self, x: float, y: float) -> Self:
        """The same event elsewhere."""
        return replace(self, x=x, y=y)


class View(Protocol):
    """What hand and zoom ask of the canvas."""

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the picture under the pointer by document pixels."""
        ...

    def zoom_by(self, factor: float, x: float, y: float) -> None:
        """Zoom so that the document's point (x, y) stays where it is on the screen."""
        ...

    def show_area(self, area: Area) -> None:
        """Zoom and pan so that an area fills the view."""
        ...


class ToolContext:
    """What a tool works with; one for each open document."""

    def __init__(
        self,
        document: Document,
        colours: Colours,
        background: Background,
        report: Callable[[EditorError], None],
        *,
        push: Callable[[Command], None] | None = None,
        view: View | None = None,
        families: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """
        Args:
            report: shows an error to the user.
            push: does a command as a new step of the history; by default at once, on `document`.
            view: the canvas, if there is one.
            families: gives the names of the fonts that text can be set in.
        """
        self.document = document
        self.colours = colours
        self.background = background
        self.report = report
        self.push = push if push is not None else self._push
        self.view = view
        self.families = families
        self.snapping = True  # edges snap to guides, to other edges and to centres

    def _push(self, command: Command) -> None:
        push_command(self.document, command)

    @property
    def edit_mask(self) -> bool:
        """Whether painting goes to the active node's mask."""
        return self.document.edit_mask

    @property
    def selection(self) -> Mask | None:
        return self.document.state.selection


class Tool(ABC):
    """One tool over one document. Set `changed` to hear when `overlay()` gives other shapes, `adjusted` to
    hear when the tool itself changed its settings: the numbers of a transform, the look of a text.

    Class attributes: `id` as in the table of tools, `label` (context "Tools"), `icon` the name of an SVG,
    `cursor` one of "arrow", "cross", "hand", "grab", "zoom-in", "zoom-out", "move", "text", "dropper", "none"
    (instances may change it), `Settings` what the options bar shows, `takes_text` whether typed characters go
    to the tool instead of being shortcuts, `confirmed` whether what runs waits to be applied or dropped.
    """

    id: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str]
    cursor: str = "cross"
    Settings: ClassVar[type[Parameters]] = Parameters
    confirmed: ClassVar[bool] = False

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        self.context = context
        self.changed: Callable[[], None] = lambda: None
        self.adjusted: Callable[[Parameters], None] = lambda settings: None
        self._settings: Any = settings if settings is not None else self.Settings()
        self._ticket: object | None = None

    @property
    def document(self) -> Document:
        return self.context.document

    @property
    def settings(self) -> Any:
        """An instance of the tool's `Settings`."""
        return self._settings

    def configure(self, settings: Parameters) -> None:
        """Take other settings, also in the middle of a transform."""
        self._settings = settings
        self.on_settings()
        self.changed()

    def on_settings(self) -> None:  # noqa: B027
        """Called when the settings were changed."""

    @property
    def active(self) -> bool:
        """Whether something runs that is not in the history yet."""
        return False

    @property
    def takes_text(self) -> bool:
        return False

    @abstractmethod
    def press(self, event: PointerEvent) -> None: ...

    @abstractmethod
    def move(self, event: PointerEvent) -> None:
        """The pointer moved with a button held."""

    @abstractmethod
    def release(self, event: PointerEvent) -> None: ...

    def double_click(self, event: PointerEvent) -> None:
        """The second press of a double click; the first one came as press and release."""
        self.press(event)

    def hover(self, event: PointerEvent) -> None:  # noqa: B027
        """The pointer moved without a button."""

    def leave(self) -> None:  # noqa: B027
        """The pointer left the canvas."""

    def key(self, name: str) -> bool:
        """A key, such as "escape", "enter", "left", "shift+left", "ctrl+a"; whether the tool used it."""
        if name == "escape" and self.active:
            self.cancel()
            return True
        if name in ("enter", "return") and self.active:
            self.commit()
            return True
        return False

    def commit(self) -> None:  # noqa: B027
        """Make what runs a step of the history; called when another tool is taken."""

    def cancel(self) -> None:  # noqa: B027
        """Drop what runs; the document is as before."""

    def overlay(self) -> tuple[Shape, ...]:
        return ()

    @property
    def busy(self) -> bool:
        """Whether something is computed in the background whose result is still wanted."""
        return self._ticket is not None

    def type(self, text: str) -> bool:
        """Characters were typed or chosen by an input method; whether the tool took them."""
        del text
        return False

    def compose(self, preedit: str) -> None:  # noqa: B027
        """An input method shows text that is not chosen yet, "" when it is done."""

    def compute(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Call `work` on a pool thread, then `done` with its result, unless `forget` was called or something
        else was begun meanwhile."""
        ticket = self._ticket = object()

        def finish(result: Any) -> None:
            if self._ticket is ticket:
                self._ticket = None
                self._try(lambda: done(result))
                self.changed()

        def fail(error: EditorError) -> None:
            if self._ticket is ticket:
                self._ticket = None
                self.failed(error)
                self.changed()

        self.context.background.run(work, finish, fail)

    def forget(self) -> None:
        """What is being computed is not wanted any more."""
        self._ticket = None

    def failed(self, error: EditorError) -> None:
        """What was computed failed."""
        self.context.report(error)

    def _try(self, action: Callable[[], None]) -> bool:
        """Run something that may refuse; the refusal is shown. Whether it went through."""
        try:
            action()
        except EditorError as error:
            self.context.report(error)
            return False
        return True


class DragTool(Tool):
    """A tool whose gesture is one drag: `begin`, `drag` … and `finish`, or `abort`.

    `begin` raises an `EditorError` to refuse.
    """

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self.start: PointerEvent | None = None
        self.last: PointerEvent | None = None

    @property
    def active(self) -> bool:
        return self.start is not None

    def press(self, event: PointerEvent) -> None:
        if self.start is not None or LEFT not in event.buttons:
            return
        if self._try(lambda: self.begin(event)):
            self.start = self.last = event
            self.changed()

    def move(self, event: PointerEvent) -> None:
        if self.start is None:
            return
        self.last = event
        if not self._try(lambda: self.drag(event)):
            self.cancel()
        self.changed()

    def release(self, event: PointerEvent) -> None:
        if self.start is None:
            return
        self.last = event
        if not self._try(lambda: self.finish(event)):
            self.abort()
        self.start = self.last = None
        self.changed()

    def commit(self) -> None:
        if self.last is not None:
            self.release(self.last)

    def cancel(self) -> None:
        if self.start is not None:
            self.abort()
            self.start = self.last = None
            self.changed()

    def begin(self, event: PointerEvent) -> None:
        """The button went down."""

    @abstractmethod
    def drag(self, event: PointerEvent) -> None: ...

    @abstractmethod
    def finish(self, event: PointerEvent) -> None:
        """The button went up: push a command, or do nothing."""

    def abort(self) -> None:
        """Take back what `begin` and `drag` show."""
