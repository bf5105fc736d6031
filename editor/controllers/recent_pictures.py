"""Small pictures of the files that were opened lately, kept when they are opened and saved.

The start page shows them without looking for the files: those on a network drive that is gone take long.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.layers.state import DocumentState
from editor.system.atomic import atomic_write
from editor.system.folders import recent_pictures_folder
from inference.errors import EditorError


class RecentPictures(Controller):
    """Readable for their owner alone. What leaves the list of recent files takes its picture along."""

    changed = Signal()  # ask `read` again

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._folder = recent_pictures_folder()
        shell.settings.recent_changed.connect(self._forget_others)

    def keep(self, path: Path, state: DocumentState) -> None:
        """Keep what `path` looks like, on another thread."""
        place = self._place(str(path))

        def write() -> None:
            from editor.recovery.thumbnail import thumbnail_png  # Pillow comes with the first picture

            content = thumbnail_png(state)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with atomic_write(place, private=True) as file:
                file.write(content)

        def failed(_: EditorError) -> None:
            """The page shows a sign instead."""

        self._shell.background.run(write, lambda _: self.changed.emit(), failed, in_order=True)

    def read(self, paths: Sequence[str]) -> dict[str, QImage]:
        """The pictures that are kept; fast enough for any thread, for they are small and ours."""
        images = {path: QImage(str(self._place(path))) for path in paths}
        return {path: image for path, image in images.items() if not image.isNull()}

    def _place(self, path: str) -> Path:
        return self._folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.png"

    def _forget_others(self) -> None:
        """Nobody finds here what was taken off the list."""
        kept = {self._place(path).name for path in self._shell.settings.recent_files}
        folder = self._folder

        def forget() -> None:
            with suppress(OSError):
                for entry in folder.iterdir():
                    if entry.suffix == ".png" and entry.name not in kept:
                        entry.unlink(missing_ok=True)

        self._shell.background.run(forget, lambda _: None, lambda _: None, in_order=True)
