"""The user's LoRAs: which there are, how strong each is, and their part in every new request; "loras"."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import LibraryController
from editor.controllers.shell import Shell
from inference.errors import EditorError
from inference.loras.library import ListedLora, LoraLibrary
from inference.models import ModelEntry
from inference.operations import MOST_LORA_STRENGTH, MOST_LORAS, LoraUse

translate = QCoreApplication.translate


class ListsModels(Protocol):
    """What is asked of the catalogue of models."""

    def entries(self) -> Sequence[ModelEntry]: ...


class Loras(LibraryController[ListedLora]):
    """Reads and changes the list on the background thread; `known` is what it held last.

    A LoRA works where its strength is not 0; all are 0 when the program starts, so that nothing changes
    pictures unseen. Layers keep those that they were made with.
    """

    strengths_changed = Signal()

    def __init__(self, shell: Shell, library: LoraLibrary, catalogue: ListsModels) -> None:
        super().__init__(shell, library)
        self.library = library
        self._catalogue = catalogue
        self._strengths: dict[str, float] = {}  # by their files' hashes
        shell.loras_for = self.uses

    def fitting(self, model: str) -> tuple[ListedLora, ...]:
        """Those that may be for a model of this name."""
        entry = next((one for one in self._catalogue.entries() if one.name == model), None)
        return () if entry is None else tuple(one for one in self.known if one.fits(entry.family))

    def strength(self, lora: ListedLora) -> float:
        return self._strengths.get(lora.hash, 0.0)

    def set_strength(self, lora: ListedLora, strength: float) -> None:
        """How strong it is from now on, in -4 … 4; 0 is without it."""
        strength = max(-MOST_LORA_STRENGTH, min(MOST_LORA_STRENGTH, round(strength, 2)))
        if strength != self.strength(lora):
            self._strengths[lora.hash] = strength
            self.strengths_changed.emit()

    def uses(self, model: str) -> tuple[LoraUse, ...]:
        """What a new request for a model takes."""
        strong = [one for one in self.fitting(model) if self.strength(one)]
        by_hash = {one.hash: one.at(self.strength(one)) for one in strong}
        return tuple(by_hash.values())[:MOST_LORAS]

    def add_files(self, paths: Sequence[Path]) -> None:
        """Check files and remember their places; messages tell what came, and why others did not."""

        def add() -> tuple[list[ListedLora], list[EditorError]]:
            added: list[ListedLora] = []
            refused: list[EditorError] = []
            for path in paths:
                try:
                    added.append(self.library.add(path)[0])
                except EditorError as error:
                    refused.append(error)
            return added, refused

        def done(found: tuple[list[ListedLora], list[EditorError]]) -> None:
            added, refused = found
            for one in added:
                self._strengths.setdefault(one.hash, 1.0)  # who adds one wants to see it
            if added:
                text = translate("Loras", "Added {names}. Their sliders say how strong they are.")
                names = ", ".join(one.name for one in added)
                self._shell.message.emit(text.format(names=names), "", "info")
            for error in refused:
                self._shell.report(error)

        self._do(add, done)

    def set_words(self, name: str, words: Sequence[str]) -> None:
        """Change the words that a LoRA wants in the prompt."""
        self._do(lambda: self.library.set_words(name, words))

    def remove(self, name: str) -> None:
        """Forget a LoRA; its file stays."""
        self._do(lambda: self.library.remove(name))
