"""What is drawn beside the picture, the same in every view: rulers, guides, pixel grid, snapping, ants."""

from PySide6.QtCore import QObject, Signal

from editor.system.settings import Settings

DEFAULTS = {"rulers": False, "guides": True, "pixel_grid": True, "snapping": True, "selection_edges": True}


class ViewOptions(QObject):
    """The controller "view" of the action table: switches that last between runs."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings

    def get(self, name: str) -> bool:
        return bool(self._settings.state(f"view.{name}", DEFAULTS[name]))

    def set(self, name: str, on: bool) -> None:
        """Switch one of `DEFAULTS`; it is written with the other settings."""
        if on != self.get(name):
            self._settings.set_state(f"view.{name}", on)
            self.changed.emit()

    def set_rulers(self, on: bool) -> None:
        self.set("rulers", on)

    def set_guides(self, on: bool) -> None:
        self.set("guides", on)

    def set_snapping(self, on: bool) -> None:
        self.set("snapping", on)

    def set_pixel_grid(self, on: bool) -> None:
        self.set("pixel_grid", on)

    def set_selection_edges(self, on: bool) -> None:
        self.set("selection_edges", on)
