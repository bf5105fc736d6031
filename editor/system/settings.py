"""The user's settings: declared once, validated, kept as JSON in the user's configuration folder.

The settings dialog is made from the declarations, as operation panels are made from theirs.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, cast

from PySide6.QtCore import QLockFile, QObject, Signal

from editor.system.atomic import atomic_write, writing_error
from editor.system.folders import config_folder
from inference.errors import EditorError
from inference.files import read_at_most
from inference.messages import NOTHING, Message
from inference.parameters import N_, ParameterField, Parameters, param
from inference.reasons import reason_of
from inference.values import is_whole_text, parsed_json
from inference.weights.modes import STORAGES, MemoryMode

FILE_NAME = "settings.json"
MOST_RECENT = 12
_LARGEST_BYTES = 4 * 2**20
_LOCK_NAME = "settings.lock"
_LOCK_MS = 500
_SECTIONS = ("state", "shortcuts")  # whose entries are changed one by one
_NOWHERE = object()
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Preferences(Parameters):
    """Every setting, its default and its bounds. A file may hold more (of newer versions); it is kept."""

    theme: str = param("system", N_("Settings", "Theme"), choices=("system", "light", "dark"))
    language: str = param(
        "system",
        N_("Settings", "Language"),
        choices=("system", "en", "zh_CN"),
    )
    model: str = param("mini-sdxl", N_("Settings", "Model for new pictures"))
    device: str = param(
        "auto",
        N_("Settings", "Device"),
        choices=("auto", "cpu", "cuda", "mps"),
        help=N_("Settings", "Automatic takes a graphics card if there is one. Used from the next start."),
    )
    dtype: str = param(
        "auto",
        N_("Settings", "Precision"),
        choices=("auto", "float32", "bfloat16", "float16"),
        help=N_("Settings", "Used from the next start."),
        advanced=True,
    )
    memory_mode: str = param(
        "auto",
        N_("Settings", "Of a model there is in memory"),
        choices=("auto", *(mode.value for mode in MemoryMode)),
        help=N_(
            "Settings", "Automatic takes as much as will fit; the less, the slower. Used from the next start."
        ),
        advanced=True,
    )
    storage: str = param(
        "auto",
        N_("Settings", "Weights are kept"),
        choices=STORAGES,
        help=N_(
            "Settings",
            "In 8 bits they take half of the memory; pictures are nearly the same. "
            "Automatic does so where memory is short. Used from the next start.",
        ),
        advanced=True,
    )
    remember_modes: bool = param(
        True,
        N_("Settings", "Remember memory modes"),
        help=N_("Settings", "The next start begins with what worked. Off forgets it, with the next start."),
        advanced=True,
    )
    steps: int | None = param(
        None,
        N_("Settings", "Steps for new pictures"),
        min=1,
        max=1000,
        help=N_("Settings", "Empty takes the model's own number."),
    )
    precompute: bool = param(
        True,
        N_("Settings", "Prepare slider positions when idle"),
        help=N_("Settings", "Sliders answer at once; costs processor time while you look."),
    )
    weighted_prompts: bool = param(
        False,
        N_("Settings", "Weights in prompts"),
        help=N_(
            "Settings",
            "(word:1.2) and ((word)) are more of a word, [word] less; off, they are read as written. "
            "New pictures and edits begin with it.",
        ),
    )
    detector: str = param(
        "",
        N_("Settings", "Detection model for scores"),
        help=N_(
            "Settings", "A folder or hub name, such as a DETR. Built-in models have a judge of their own."
        ),
    )
    variations: int = param(4, N_("Settings", "Variations at a time"), min=1, max=16)
    undo_memory_mib: int = param(
        512,
        N_("Settings", "Memory for undo (MiB)"),
        min=16,
        max=65536,
        help=N_("Settings", "The oldest steps go first."),
    )
    autosave_seconds: int = param(
        30,
        N_("Settings", "Keep unsaved changes every (seconds)"),
        min=5,
        max=600,
        help=N_("Settings", "Unsaved changes are kept for recovery at least this often, and when you pause."),
    )
    recovery_mib: int = param(
        8192,
        N_("Settings", "Disk space for recovery (MiB)"),
        min=64,
        max=1_048_576,
        advanced=True,
        help=N_("Settings", "Unsaved work of this session, and of sessions that crashed."),
    )
    cache_mib: int = param(
        2048,
        N_("Settings", "Disk space for what can be used again (MiB)"),
        min=0,
        max=1_048_576,
        advanced=True,
        help=N_(
            "Settings",
            "Pictures as models see them: a second edit is quicker. 0 empties it and keeps nothing.",
        ),
    )
    export_format: str = param(
        "png", N_("Settings", "Export format"), choices=("png", "jpeg", "webp", "tiff", "avif")
    )
    export_quality: int = param(
        92, N_("Settings", "Export quality"), min=1, max=100, help=N_("Settings", "For JPEG and lossy WebP.")
    )
    export_metadata: bool = param(
        True,
        N_("Settings", "Write how a picture was made"),
        help=N_(
            "Settings",
            "Lets you open the export again with its sliders, and tells others that it is AI-made.",
        ),
    )
    show_start_picture: bool = param(False, N_("Settings", "Start with the sample picture"))


@dataclass(frozen=True, kw_only=True)
class Section:
    """Settings that the dialog shows on one page."""

    id: str
    label: str
    names: tuple[str, ...]
    icon: str


SECTIONS: tuple[Section, ...] = (
    Section(
        id="window",
        label=N_("Settings", "Window"),
        names=("theme", "language", "show_start_picture"),
        icon="sun",
    ),
    Section(
        id="models",
        label=N_("Settings", "Models and processor"),
        names=(
            "model",
            "device",
            "dtype",
            "steps",
            "weighted_prompts",
            "precompute",
            "variations",
            "detector",
        ),
        icon="model",
    ),
    Section(
        id="files",
        label=N_("Settings", "Files and export"),
        names=("autosave_seconds", "recovery_mib", "export_format", "export_quality", "export_metadata"),
        icon="save",
    ),
    Section(
        id="memory",
        label=N_("Settings", "Memory"),
        names=("memory_mode", "storage", "remember_modes", "undo_memory_mib", "cache_mib"),
        icon="cpu",
    ),
)


class Settings(QObject):
    """The current preferences and what else the file holds: window state, shortcuts, recent files.

    Several programs may run on one file: each writes what it changed itself and leaves the rest as it is.
    """

    changed = Signal(str)  # the name of the preference
    shortcuts_changed = Signal()
    recent_changed = Signal()

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder if folder is not None else config_folder()
        self.problem = NOTHING  # one sentence if the file could not be read
        self._preferences = Preferences()
        self._extra: dict[str, Any] = {}
        self._known: dict[str, Any] = {}  # as it was read or written: what differs was changed here
        self._load()
        self._known = {**self._values(), **self._known}

    @property
    def path(self) -> Path:
        return self.folder / FILE_NAME

    @property
    def values(self) -> Preferences:
        return self._preferences

    @staticmethod
    def declared() -> tuple[ParameterField, ...]:
        """The declarations, in the order in which the dialog shows them."""
        return Preferences.declared()

    def get(self, name: str) -> Any:
        return getattr(self._preferences, name)

    def set(self, name: str, value: Any) -> None:
        """Change one preference and save.

        Raises:
            EditorError: the value is out of range, or the file cannot be written (it holds for this run).
        """
        if name not in {item.name for item in Preferences.declared()}:
            raise EditorError("There is no setting “{name}”.", name=name)
        if self.get(name) == value:
            return
        self._preferences = replace(self._preferences, **{name: value})
        self.changed.emit(name)
        self.save()

    def reset(self) -> None:
        """All preferences back to their defaults; window state, shortcuts and recent files stay."""
        old, self._preferences = self._preferences, Preferences()
        for item in Preferences.declared():
            self._known.pop(item.name, None)  # written even if only another program changed it
        for item in Preferences.declared():
            if getattr(old, item.name) != item.default:
                self.changed.emit(item.name)
        self.save()

    def state(self, name: str, default: Any = None) -> Any:
        """A plain JSON value that the window keeps between runs, such as its geometry (base64 text)."""
        value = self._section("state").get(name, default)
        return default if isinstance(value, str) and not is_whole_text(value) else value

    def set_state(self, name: str, value: Any) -> None:
        self._extra["state"] = {**self._section("state"), name: value}

    def shortcut(self, action_id: str) -> str | None:
        """The user's own shortcut of an action ("" = none), or None if it was not changed."""
        value = self._section("shortcuts").get(action_id)
        return value if isinstance(value, str) and is_whole_text(value) else None

    def set_shortcut(self, action_id: str, shortcut: str | None) -> None:
        """Change an action's shortcut; None goes back to the table's."""
        shortcuts = {key: value for key, value in self._section("shortcuts").items() if key != action_id}
        if shortcut is not None:
            shortcuts[action_id] = shortcut
        self._extra["shortcuts"] = shortcuts
        self.shortcuts_changed.emit()
        self.save()

    @property
    def recent_files(self) -> tuple[str, ...]:
        kept = self._extra.get("recent_files", [])
        if not isinstance(kept, list):
            return ()
        named = [item for item in cast("list[object]", kept) if isinstance(item, str) and "\0" not in item]
        return tuple(named[:MOST_RECENT])

    def clear_recent_files(self) -> None:
        """Forget them all."""
        self._extra["recent_files"] = []
        self.recent_changed.emit()
        self.save()

    def add_recent_file(self, path: Path) -> None:
        self._extra["recent_files"] = self._read().get("recent_files", list(self.recent_files))
        rest = [item for item in self.recent_files if item != str(path)]
        self._extra["recent_files"] = [str(path), *rest][:MOST_RECENT]
        self.recent_changed.emit()
        self.save()

    def save(self) -> None:
        """Write what was changed here into the file, atomically.

        Raises:
            EditorError: the folder or file cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise writing_error(self.path, error) from error
        lock = QLockFile(str(self.folder / _LOCK_NAME))
        lock.tryLock(_LOCK_MS)  # where it cannot be had, as on some network drives, it is done without
        try:
            values = self._values()
            merged = with_changes(self._known, values, self._read())
            with atomic_write(self.path) as file:
                file.write(json.dumps(merged, indent=2).encode() + b"\n")
            self._known = values
        finally:
            lock.unlock()

    def _values(self) -> dict[str, Any]:
        return {**self._extra, **self._preferences.to_json()}

    def _read(self) -> dict[str, Any]:
        """What the file holds now; nothing if that cannot be read."""
        try:
            values = parsed_json(read_at_most(self.path, _LARGEST_BYTES))
        except (OSError, ValueError, RecursionError, EditorError):
            return {}
        return cast("dict[str, Any]", values) if isinstance(values, dict) else {}

    def _section(self, name: str) -> dict[str, Any]:
        section = self._extra.get(name)
        return dict(cast("Mapping[str, Any]", section)) if isinstance(section, Mapping) else {}

    def _load(self) -> None:
        try:
            values = parsed_json(read_at_most(self.path, _LARGEST_BYTES))
            if not isinstance(values, dict):
                raise ValueError("no JSON object")
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError, EditorError) as error:
            self._set_aside(error)
            return
        self._take(cast("dict[str, Any]", values))

    def _take(self, values: dict[str, Any]) -> None:
        known = {item.name for item in Preferences.declared()}
        self._known = values
        self._extra = {key: value for key, value in values.items() if key not in known}
        for name in sorted(known & set(values)):
            try:
                self._preferences = replace(self._preferences, **{name: values[name]})
            except EditorError as error:
                self.problem = Message(
                    "A setting was out of range and is back at its default: {reason}", reason=error.sentence
                )

    def _set_aside(self, error: Exception) -> None:
        aside = self.path.with_name(f"{FILE_NAME}.{int(time.time())}.broken")
        try:
            self.path.replace(aside)
        except OSError:
            aside = self.path
        self.problem = Message(
            "The settings could not be read ({reason}); the defaults are used. The old file is {file}.",
            reason=reason_of(error),
            file=aside,
        )


def with_changes(known: Values, ours: Values, theirs: Values) -> dict[str, Any]:
    """What others wrote, with our changes since `known` over it. What they do not have is as we have it."""
    merged = _changed(known, ours, {**ours, **theirs})
    for name in _SECTIONS:
        if name in theirs:
            sections = (_mapping(values.get(name)) for values in (known, ours, theirs))
            merged[name] = _changed(*sections)
    return merged


def _changed(known: Values, ours: Values, theirs: Values) -> dict[str, Any]:
    merged = dict(theirs)
    for name in {**ours, **known}:
        before, now = known.get(name, _NOWHERE), ours.get(name, _NOWHERE)
        if now is _NOWHERE:
            merged.pop(name, None)
        elif now != before:
            merged[name] = now
    return merged


def _mapping(value: object) -> Values:
    return cast("Values", value) if isinstance(value, Mapping) else {}
