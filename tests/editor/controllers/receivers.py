"""An application with a small document, for the tests of what menus call."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.document.document import Document
from editor.layers.state import DocumentState
from editor.system.settings import Settings
from tests.editor.samples import fake_service


class Catalogue:
    def find(self, model: str) -> Any:
        return SimpleNamespace(name=model)


class Library:
    def attributes(self, model: Any, subject: str) -> tuple[Any, ...]:
        return ()


class Bench:
    """An application that remembers its messages, with one document."""

    def __init__(self, state: DocumentState, folder: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.application = Application(Settings(folder), fake_service(), Catalogue(), Library())  # type: ignore[arg-type]
        self.told: list[str] = []
        self.application.message.connect(lambda text, hint, level: self.told.append(text))
        self.document = Document(state)
        self.application.add_document(self.document)

    @property
    def state(self) -> DocumentState:
        return self.document.state

    def settle(self) -> None:
        """Wait until nothing runs beside the GUI thread."""
        application = self.application
        self.qtbot.wait_until(
            lambda: not application.background.busy and not application.edits.busy, timeout=5000
        )

    def steps(self) -> list[str]:
        self.settle()
        return [step.text for step in self.document.undo_stack.steps]

    def close(self) -> None:
        self.settle()
        self.application.shutdown()
