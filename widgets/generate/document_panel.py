"""What the panels of AI edits have in common: they follow what is in front, and have details that fold."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar

from PySide6.QtCore import QObject, SignalInstance
from PySide6.QtWidgets import QToolButton, QWidget

from editor.application import Application
from editor.document.document import Document
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


class DetailsButton(QToolButton):
    """Shows and hides what not everybody sets."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(self.tr("Details"))
        self.setCheckable(True)
        self.setProperty("quiet", True)


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

    def _begin(self) -> None:
        """Follow the documents; once everything is laid out."""
        self._application.current_changed.connect(self._follow)
        self._follow(self._application.current)

    def _follow(self, document: Document | None) -> None:
        self._document = listened(self, self._document, document, self._heard)
        self._show_layer()
