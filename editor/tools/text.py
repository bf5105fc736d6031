"""Text: typed on the canvas, and typed on again after a click on it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QGuiApplication

from editor.commands import AddLayer, ReplaceNode
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.text import ALIGNMENTS, TextContent
from editor.tools.base import LEFT, SHIFT, PointerEvent, Tool, ToolContext, translate
from editor.tools.overlay import Caret, Picture, Point, Polyline, Shape
from editor.tools.text_session import TextSession
from editor.tools.transforming.form import contains
from editor.tools.typesetting import Typeset, rendered, set_again
from inference.errors import EditorError
from inference.parameters import N_, Parameters, param

_NAME_LENGTH = 30


@dataclass(frozen=True, kw_only=True)
class TextSettings(Parameters):
    family: str = param("", N_("Tools", "Font"))
    size_px: float = param(48.0, N_("Tools", "Size"), min=1, max=10_000, step=1)
    bold: bool = param(False, N_("Tools", "Bold"))
    italic: bool = param(False, N_("Tools", "Italic"))
    underline: bool = param(False, N_("Tools", "Underline"))
    alignment: str = param("left", N_("Tools", "Alignment"), choices=ALIGNMENTS)
    line_height: float = param(1.0, N_("Tools", "Line height"), min=0.1, max=10, step=0.05, advanced=True)
    letter_spacing_px: float = param(
        0.0, N_("Tools", "Letter spacing"), min=-100, max=1000, step=0.5, advanced=True
    )
    angle: float = param(0.0, N_("Tools", "Angle"), min=-360, max=360, step=1, advanced=True)


class Text(Tool):
    """A click on a text edits it, a click elsewhere begins a new one; Ctrl+Enter or another tool ends it.

    Escape leaves everything as it was. While a text is edited, characters and the input method go to it.
    """

    id = "text"
    confirmed = True
    label = N_("Tools", "Text")
    icon = "tool-text"
    cursor = "text"
    Settings = TextSettings

    def __init__(self, context: ToolContext, settings: Parameters | None = None) -> None:
        super().__init__(context, settings)
        self._session: TextSession | None = None
        self._layer: Layer | None = None  # the one that is edited; None for a new one
        self._dragging = False
        self._colour = context.colours.foreground
        context.colours.changed.connect(self._on_colours)

    @property
    def active(self) -> bool:
        return self._session is not None

    @property
    def takes_text(self) -> bool:
        return self._session is not None

    @property
    def session(self) -> TextSession | None:
        return self._session

    # pointer

    def press(self, event: PointerEvent) -> None:
        if LEFT not in event.buttons:
            return
        session = self._session
        if session is None or not contains(_widened(session.typeset, 4 / event.zoom), event.point):
            self.commit()
            if not self._try(lambda: self._begin(event)):
                return
        assert self._session is not None, "a text is edited"
        index = self._session.typeset.index_at(event.x, event.y)
        self._session.move_to(index, marking=event.has(SHIFT) and session is self._session)
        self._dragging = True
        self.changed()

    def move(self, event: PointerEvent) -> None:
        if self._session is not None and self._dragging:
            self._session.move_to(self._session.typeset.index_at(event.x, event.y), marking=True)
            self.changed()

    def release(self, event: PointerEvent) -> None:
        self._dragging = False

    def double_click(self, event: PointerEvent) -> None:
        if self._session is not None:
            self._session.move_to(self._session.typeset.index_at(event.x, event.y))
            self._session.mark_word()
            self.changed()

    # keys

    def type(self, text: str) -> bool:
        if self._session is None:
            return False
        self._session.preedit = ""
        self._session.insert(text)
        return self._show()

    def compose(self, preedit: str) -> None:
        if self._session is not None and (preedit or self._session.preedit):
            self._session.compose(preedit)
            self._show()

    def key(self, name: str) -> bool:
        session = self._session
        if session is None:
            return False
        *modifiers, plain = name.split("+")
        if plain == "escape":
            self.cancel()
        elif plain in ("enter", "return"):
            if "ctrl" in modifiers:
                self.commit()
            else:
                self.type("\n")
        elif not self._edit(session, plain, marking="shift" in modifiers, far="ctrl" in modifiers):
            return False
        else:
            self._show()
        return True

    def _edit(self, session: TextSession, name: str, *, marking: bool, far: bool) -> bool:
        if name in ("backspace", "delete"):
            session.delete(forward=name == "delete", word=far)
            return True
        if name in ("left", "right", "up", "down", "home", "end"):
            session.move_to(_target(session, name, far=far), marking=marking)
            return True
        return far and self._shortcut(session, name)

    def _shortcut(self, session: TextSession, name: str) -> bool:
        clipboard = QGuiApplication.clipboard()
        if name in ("c", "x") and session.marked_text:
            clipboard.setText(session.marked_text)
        if name == "x":
            session.insert("")
        elif name == "v":
            session.insert(clipboard.text().replace("\r\n", "\n"))
        elif name == "a":
            session.move_to(0)
            session.move_to(len(session.content.text), marking=True)
        elif name == "z":
            session.undo()
        return name in ("c", "x", "v", "a", "z")

    # the session

    def commit(self) -> None:
        session, layer = self._session, self._layer
        self._end()
        if session is None or session.content == (layer.text if layer is not None else None):
            return
        if layer is None and not session.content.text.strip():
            return
        self._try(lambda: self._push(session.content, layer))

    def cancel(self) -> None:
        self._end()

    def on_settings(self) -> None:
        if self._session is not None:
            self._session.restyle(**self.settings.to_json())
            self._show()

    def overlay(self) -> tuple[Shape, ...]:
        session = self._session
        if session is None:
            return ()
        typeset = session.typeset
        shapes: list[Shape] = []
        if self._layer is None:
            shapes += _picture(typeset)
        shapes.append(Polyline(_widened(typeset, 2), closed=True))
        first, last = session.marked
        if session.preedit:
            first, last = session.caret, session.caret + len(session.preedit)
        shapes += [Polyline(box, closed=True) for box in typeset.marked(first, last)]
        shapes.append(Caret(*typeset.caret(session.caret + len(session.preedit))))
        return tuple(shapes)

    def _begin(self, event: PointerEvent) -> None:
        layer = text_at(self.document, event)
        if layer is not None and layer.text is not None:
            for part in (layer, *self.document.state.parents(layer.id)):
                if part.locked:
                    raise EditorError(
                        "Layer “{name}” is locked.", "Unlock it in the Layers panel first.", name=part.name
                    )
            if self.document.state.active != layer.id:
                self.document.set_active(layer.id)
            content = layer.text
            self._take_settings(content)
        else:
            layer, look = None, self.settings.to_json()
            content = TextContent(
                text="", x=event.x, y=event.y, colour=self.context.colours.foreground, **look
            )
        self._layer, self._session = layer, TextSession(content)
        self._colour = self.context.colours.foreground

    def _take_settings(self, content: TextContent) -> None:
        values = {item.name: getattr(content, item.name) for item in TextSettings.declared()}
        self._settings = TextSettings(**values)
        self.adjusted(self._settings)

    def _end(self) -> None:
        if self._layer is not None:
            self.document.clear_preview(self._layer.id)
        self._session = self._layer = None
        self._dragging = False
        self.changed()

    def _show(self) -> bool:
        session, layer = self._session, self._layer
        if session is not None and layer is not None:
            if self.document.state.find(layer.id) is not layer:
                self.cancel()  # something else changed the layer
                return True
            self._try(lambda: self.document.preview_node(set_again(layer, session.shown)))
        self.changed()
        return True

    def _push(self, content: TextContent, layer: Layer | None) -> None:
        document = self.document
        if layer is not None:
            node = set_again(layer, content)
            self.context.push(ReplaceNode(document, node, translate("Commands", "Edit text")))
            return
        raster, x, y = rendered(content, document.state.depth == 16)
        name = content.text.strip().splitlines()[0][:_NAME_LENGTH]
        added = Layer(name=name, raster=raster, x=x, y=y, text=content)
        self.context.push(AddLayer(document, added, text=translate("Commands", "Add text")))

    def _on_colours(self) -> None:
        colour = self.context.colours.foreground
        if self._session is not None and colour != self._colour:
            self._colour = colour
            self._session.restyle(colour=colour)
            self._show()


def text_at(document: Document, event: PointerEvent) -> Layer | None:
    """The topmost visible text under the pointer."""
    for layer in reversed(tuple(document.state.rasters())):
        parents = document.state.parents(layer.id)
        if layer.text is None or not layer.visible or not all(parent.visible for parent in parents):
            continue
        if contains(_widened(Typeset(layer.text), 4 / event.zoom), event.point):
            return layer
    return None


def _target(session: TextSession, name: str, *, far: bool) -> int:
    """Where an arrow key moves the caret."""
    if name in ("left", "right"):
        return session.step(1 if name == "right" else -1, word=far)
    if name in ("up", "down"):
        return session.typeset.above(session.caret, 1 if name == "up" else -1)
    if far:
        return 0 if name == "home" else len(session.content.text)
    first, last = session.typeset.line_ends(session.caret)
    return first if name == "home" else last


def _picture(typeset: Typeset) -> list[Shape]:
    """A new text as it will look; it is no layer yet."""
    if not typeset.content.text:
        return []
    image, (x, y, width, height) = typeset.image()
    return [Picture(image, ((x, y), (x + width, y), (x + width, y + height), (x, y + height)))]


def _widened(typeset: Typeset, by: float) -> tuple[Point, Point, Point, Point]:
    """The text's corners, a little apart from it."""
    corners = typeset.corners()
    middle = sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4
    found: list[Point] = []
    for x, y in corners:
        dx, dy = x - middle[0], y - middle[1]
        length = max((dx * dx + dy * dy) ** 0.5, 1e-6)
        share = (length + by) / length
        found.append((middle[0] + dx * share, middle[1] + dy * share))
    return found[0], found[1], found[2], found[3]
