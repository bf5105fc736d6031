"""The user's LoRAs: which there are, how strong each is, and their part in every new request; "loras"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import LibraryController
from editor.controllers.shell import Shell
from inference.errors import EditorError
from inference.loras.library import ListedLora, LoraLibrary
from inference.messages import Message
from inference.models import ModelEntry
from inference.operations import MOST_LORA_STRENGTH, MOST_LORAS, LoraUse

translate = QCoreApplication.translate


class ListsModels(Protocol):
    """What is asked of the catalogue of models."""

    def entries(self) -> Sequence[ModelEntry]: ...


@dataclass
class _Added:
    """What came of adding: files that were named, and what was found in folders."""

    files: list[ListedLora] = field(default_factory=list[ListedLora])
    in_folders: list[ListedLora] = field(default_factory=list[ListedLora])
    unfit: list[Message] = field(default_factory=list[Message])
    refused: list[EditorError] = field(default_factory=list[EditorError])


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

    def named(self, uses: Iterable[LoraUse]) -> tuple[ListedLora, ...]:
        """Those of the list whose files a request names."""
        hashes = {use.hash for use in uses}
        return tuple(one for one in self.known if one.hash in hashes)

    def add_files(self, paths: Sequence[Path]) -> None:
        """Check files and remember their places; messages tell what came, and why others did not.

        Of a folder all are listed, none of them with a strength.
        """

        def add() -> _Added:
            found = _Added()
            for path in paths:
                try:
                    if path.is_dir():
                        inside, sentences = self.library.add_all(path)
                        found.in_folders.extend(entry for entry, _ in inside)
                        found.unfit.extend(sentences)
                    else:
                        found.files.append(self.library.add(path)[0])
                except EditorError as error:
                    found.refused.append(error)
            return found

        def done(found: _Added) -> None:
            for one in found.files:
                self._strengths.setdefault(one.hash, 1.0)  # who adds one wants to see it
            if found.files:
                text = translate("Loras", "Added {names}. Their sliders say how strong they are.")
                names = ", ".join(one.name for one in found.files)
                self._shell.message.emit(text.format(names=names), "", "info")
            if found.in_folders:
                text = translate("Loras", "Added LoRAs: {count}. Choose from them what pictures are to have.")
                self._shell.message.emit(text.format(count=len(found.in_folders)), "", "info")
            if len(found.unfit) == 1:
                self._shell.report(EditorError(found.unfit[0]))
            elif found.unfit:
                self._shell.report(
                    EditorError(
                        "{count} files were not added; the first of them: {reason}",
                        count=len(found.unfit),
                        reason=found.unfit[0],
                    )
                )
            for error in found.refused:
                self._shell.report(error)

        self._do(add, done)

    def set_words(self, name: str, words: Sequence[str]) -> None:
        """Change the words that a LoRA wants in the prompt."""
        self._do(lambda: self.library.set_words(name, words))

    def remove(self, name: str) -> None:
        """Forget a LoRA; its file stays."""
        self._do(lambda: self.library.remove(name))
