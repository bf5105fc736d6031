"""Which tool is in the hand, how it is set, and the two colours: the controller "tools"."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from PySide6.QtCore import QObject, Signal

from editor.system.settings import Settings
from editor.tools import TOOLS
from editor.tools.colours import Colours
from inference.errors import EditorError
from inference.parameters import ParameterField, Parameters

STATE = "tools"
_SIZE_STEP = 1.15
_HARDNESS_STEP = 0.1  # of the range


class ToolController(QObject):
    """Holds the id of the chosen tool; the window shows it and sends the pointer to it.

    Every tool's settings last between runs.
    """

    chosen = Signal(str)  # id of the tool
    configured = Signal(str)  # id of the tool whose settings changed

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._current = "subject"
        self._values: dict[str, Parameters] = {}
        self.colours = Colours(self)

    @property
    def current(self) -> str:
        return self._current

    def use(self, tool_id: str, _on: bool = True) -> None:
        """Take a tool in hand; again the same one puts its action's check mark back."""
        self._current = tool_id
        self.chosen.emit(tool_id)

    def settings_of(self, tool_id: str) -> Parameters:
        """A tool's settings; those of the last run, as far as they still hold."""
        if tool_id not in self._values:
            self._values[tool_id] = self._stored(tool_id)
        return self._values[tool_id]

    def configure(self, tool_id: str, **values: Any) -> None:
        """Change some of a tool's settings.

        Raises:
            EditorError: a value is out of its range.
        """
        self._values[tool_id] = replace(self.settings_of(tool_id), **values)
        kept = self._settings.state(STATE, {})
        known = dict(cast("Mapping[str, Any]", kept)) if isinstance(kept, Mapping) else {}
        self._settings.set_state(STATE, {**known, tool_id: self._values[tool_id].to_json()})
        self.configured.emit(tool_id)

    def adopt(self, tool_id: str, settings: Parameters) -> None:
        """Show what a tool set itself, such as the numbers of a transform that is dragged."""
        if self._values.get(tool_id) is not settings:
            self._values[tool_id] = settings
            self.configured.emit(tool_id)

    def reset(self, tool_id: str) -> None:
        """A tool as it comes."""
        self.configure(tool_id, **_plain_values(TOOLS[tool_id].Settings()))

    def swap_colours(self) -> None:
        self.colours.swap()

    def reset_colours(self) -> None:
        self.colours.reset()

    def larger(self) -> None:
        self._scale_size(_SIZE_STEP)

    def smaller(self) -> None:
        self._scale_size(1 / _SIZE_STEP)

    def harder(self) -> None:
        self._shift("hardness", _HARDNESS_STEP)

    def softer(self) -> None:
        self._shift("hardness", -_HARDNESS_STEP)

    def set_opacity(self, share: float) -> bool:
        """Set the tool's opacity to a share of its range; whether it has one."""
        field = self._field("opacity")
        if field is None:
            return False
        high = field.declaration.max or 1.0
        self.configure(self._current, opacity=field.type(round(share * high, 4)))
        return True

    def _scale_size(self, factor: float) -> None:
        field = self._field("size")
        if field is None:
            return
        old = getattr(self.settings_of(self._current), "size")  # noqa: B009 - tools declare their own
        new = old * factor
        if field.type is int or old >= 10:  # at least by a pixel
            new = max(old + 1, round(new)) if factor > 1 else min(old - 1, round(new))
        self.configure(self._current, size=field.type(_within(field, new)))

    def _shift(self, name: str, share: float) -> None:
        field = self._field(name)
        if field is None:
            return
        low, high = field.declaration.min or 0.0, field.declaration.max or 1.0
        new = getattr(self.settings_of(self._current), name) + share * (high - low)
        self.configure(self._current, **{name: field.type(_within(field, round(new, 4)))})

    def _field(self, name: str) -> ParameterField | None:
        """A number that the current tool declares under this name."""
        declared = self.settings_of(self._current).declared()
        return next((one for one in declared if one.name == name and one.type in (int, float)), None)

    def _stored(self, tool_id: str) -> Parameters:
        tool = TOOLS.get(tool_id)
        made = tool.Settings() if tool is not None else Parameters()
        kept = self._settings.state(STATE, {})
        every = cast("Mapping[str, Any]", kept if isinstance(kept, Mapping) else {})
        own: object = every.get(tool_id, {})
        if not isinstance(own, Mapping):
            return made
        names = {field.name for field in made.declared()}
        for name, value in cast("Mapping[str, Any]", own).items():
            if name in names:
                with suppress(EditorError):  # of another version: the default stays
                    made = replace(made, **{name: value})
        return made


def _within(field: ParameterField, value: float) -> float:
    low, high = field.declaration.min, field.declaration.max
    value = value if low is None else max(low, value)
    return value if high is None else min(high, value)


def _plain_values(settings: Parameters) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in settings.declared()}
