"""What the panels of AI edits have in common: they follow what is in front, and have details that fold."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from PySide6.QtCore import QObject, SignalInstance
from PySide6.QtWidgets import QWidget

from editor.application import Application
from editor.document.document import Document
from editor.generating.known_words import taught_by
from editor.layers.recipes import Recipe
from widgets.forms.unknown_words import UnknownWords
from widgets.look.plain_text import Label

Told = TypeVar("Told", bound=QObject)
Slots: TypeAlias = "Iterable[tuple[SignalInstance, Callable[..., Any]]]"


def listened(
    receiver: QObject, before: Told | None, now: Told | None, slots: Callable[[Told], Slots]
) -> Told | None:
    """`receiver` hears of `now` by the pairs of signal and slot in `slots`, and no more of `before`."""
    if before is not None:
        before.disconnect(receiver)
    if now is not None:
        for signal, slot in slots(now):
            signal.connect(slot)
    return now


class LayerFields:
    """The fields of a panel that show how the active layer was made, and what was typed into them since.

    A layer that comes to the front fills all of them. When the same one changes, as by a result, an undo or
    another strength, what somebody typed meanwhile stays.

    Args:
        read: what the fields say, by name.
        show: puts a value into a field.
    """

    def __init__(self, read: Callable[[], dict[str, Any]], show: Callable[[str, Any], None]) -> None:
        self._read = read
        self._show = show
        self._layer: object = None
        self._made: dict[str, Any] = {}  # what its recipe says
        self._told: dict[str, Any] = {}  # the same as the fields say it, or what was asked for since
        self._asked: dict[str, Any] = {}

    @property
    def typed_over(self) -> bool:
        """Whether a field says something else than the layer that is shown was made with."""
        now = self._read()
        return self._layer is not None and any(now[name] != value for name, value in self._told.items())

    def take(self, layer: object, made: Mapping[str, Any]) -> None:
        """A layer is in front, or was changed: `made` is what its recipe says, by field."""
        if layer == self._layer and made == self._made:
            return
        now, kept = self._read(), set[str]()
        if layer == self._layer or self._is_asked(made):
            kept = {name for name in made if name in self._told and now[name] != self._told[name]}
        self._layer, self._made, self._asked = layer, dict(made), {}
        for name, value in made.items():
            if name not in kept:
                self._show(name, value)
        now = self._read()
        self._told = {name: value if name in kept else now[name] for name, value in made.items()}

    def leave(self) -> None:
        """No such layer is in front."""
        self._layer, self._made = None, {}

    def ask(self) -> None:
        """A layer is asked for as the fields stand."""
        self._told = self._asked = self._read()

    def _is_asked(self, made: Mapping[str, Any]) -> bool:
        given = {name: value for name, value in self._asked.items() if value is not None}
        return bool(given) and all(made.get(name) == value for name, value in given.items())


class DimLabel(Label):
    """Words that explain, in as many lines as they need."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        self.setProperty("dim", True)


class DocumentPanel(QWidget):
    """A panel of an edit of the document in front; it is told of another one, and of what changes in it."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._document: Document | None = None

    @abstractmethod
    def _show_layer(self) -> None:
        """Another layer or document is in front."""

    @abstractmethod
    def _heard(self, document: Document) -> Slots:
        """The signals of a document that matter here, and what they call."""

    def _hear_of_models(self, tell: Callable[[], None]) -> None:
        """Have `tell` called when another model may be chosen, or other LoRAs."""
        application = self._application
        for signal in (
            application.settings.changed,
            application.loras.changed,
            application.loras.strengths_changed,
        ):
            signal.connect(tell)

    def _tell_unknown(self, label: UnknownWords, said: str, recipe: Recipe | None) -> None:
        """Which words of what is said cannot be drawn by the model and the LoRAs of a recipe; without one, by
        those that are chosen.
        """
        application = self._application
        model = application.settings.get("model") if recipe is None else recipe.request.model
        uses = application.loras.uses(model) if recipe is None else recipe.loras
        taught = taught_by(application.loras.named(uses))
        label.look_at(said, model, application.catalogue.entries(), taught)

    def _begin(self) -> None:
        """Follow the documents; once everything is laid out."""
        self._application.current_changed.connect(self._follow)
        self._follow(self._application.current)

    def _follow(self, document: Document | None) -> None:
        self._document = listened(self, self._document, document, self._heard)
        self._show_layer()
