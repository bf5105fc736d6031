"""Which tool is in the hand: the receiver "tools"."""

from PySide6.QtCore import QObject, Signal


class ToolActions(QObject):
    """Holds the id of the chosen tool; the window shows it and sends the pointer to it."""

    chosen = Signal(str)  # id of the tool

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._current = "subject"

    @property
    def current(self) -> str:
        return self._current

    def use(self, tool_id: str, _on: bool = True) -> None:
        """Take a tool in hand; again the same one puts its action's check mark back."""
        self._current = tool_id
        self.chosen.emit(tool_id)
