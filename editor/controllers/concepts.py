"""The library of learnt words: what is in it, imports, and their vectors in every request; "concepts"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from inference.concepts.library import ConceptLibrary, Kept
from inference.concepts.standing import with_concepts
from inference.request import Request

if TYPE_CHECKING:
    from inference.content import Contents

translate = QCoreApplication.translate


class Concepts(Controller):
    """Reads and changes the library on the background thread; `known` is what it held last."""

    changed = Signal()

    def __init__(self, shell: Shell, library: ConceptLibrary) -> None:
        super().__init__(shell)
        self.library = library
        self.known: tuple[Kept, ...] = ()
        shell.service.completed = self._completed

    def start(self) -> None:
        """Read what there is."""
        self._do(lambda: None, lambda _: None)

    def import_files(self, paths: Sequence[Path]) -> None:
        """Keep copies of files of this or other programs; a message tells how they are called."""

        def done(kept: tuple[Kept, ...]) -> None:
            text = translate("Concepts", "Imported {words}. Write the word in a prompt to use it.")
            self._shell.message.emit(text.format(words=", ".join(one.word for one in kept)), "", "info")

        self._do(lambda: tuple(self.library.import_concept(path) for path in paths), done)

    def rename(self, word: str, wanted: str) -> None:
        """Call a concept otherwise."""
        self._do(lambda: self.library.rename(word, wanted), _nothing)

    def remove(self, word: str) -> None:
        """Delete a concept from the library; pictures made with it keep theirs."""
        self._do(lambda: self.library.remove(word), _nothing)

    def export(self, word: str, path: Path) -> None:
        """Write a concept's file for other programs."""

        def done(_: object) -> None:
            text = translate("Concepts", "Exported {name}.").format(name=path.name)
            self._shell.message.emit(text, "", "info")

        self._do(lambda: self.library.export(word, path), done)

    def _do(self, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        def both() -> tuple[Any, tuple[Kept, ...]]:
            made = work()
            return made, self.library.list()

        def answered(found: tuple[Any, tuple[Kept, ...]]) -> None:
            made, self.known = found
            done(made)
            self.changed.emit()

        self._shell.background.run(both, answered, self._shell.report, in_order=True)

    def _completed(self, request: Request, contents: Contents) -> tuple[Request, Contents]:
        parameters, found = with_concepts(request.parameters, contents, self.library)
        if parameters is request.parameters:
            return request, contents
        return replace(request, parameters=parameters), found


def _nothing(_: object) -> None:
    """The list says it."""
