"""The user's concepts: one file each in a folder, found by their words.

library = ConceptLibrary(folder)
library.list()                                   # what there is, by word
library.find("<my-cat>")                         # → Concept
library.add(concept_file(concept))               # one that was learnt
library.import_concept(path)                     # a file of this or another program
"""

import itertools
import logging
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from inference.concepts.concept import Concept
from inference.concepts.files import (
    ENDING,
    concept_file,
    concept_from_bytes,
    files_of,
    other_file,
    read_concept,
)
from inference.concepts.names import checked_word, is_word, made_word, numbered_word
from inference.errors import EditorError
from inference.files import atomic_write, unreserved, writing_error
from inference.messages import Message, listed
from inference.prompts.words import folded

_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_LONGEST_NAME_BYTES = 200

_State: TypeAlias = tuple[Path, int, int]  # of a file: when it was written, and how large it is

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A concept of the library and its file; equal while the file was not read anew."""

    concept: Concept
    path: Path

    @property
    def word(self) -> str:
        return self.concept.word


class ConceptLibrary:
    """See the module's text. Files are read once and again when they change; for any one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._known: dict[tuple[_State | None, ...], Concept | None] = {}

    def list(self) -> tuple[Kept, ...]:
        """All concepts, by word; files that are none are passed over, and told in the log."""
        found: dict[str, Kept] = {}
        for path in sorted(self.folder.glob(f"*{ENDING}")):
            concept = self._read(path)
            if concept is not None:
                found.setdefault(folded(concept.word), Kept(concept=concept, path=path))
        return tuple(found[word] for word in sorted(found))

    def words(self) -> tuple[str, ...]:
        """The words of all concepts."""
        return tuple(kept.word for kept in self.list())

    def find(self, word: str) -> Concept:
        """The concept called `word`, which may lack its brackets: to a shell they mean something else.

        Raises:
            EditorError: there is none; the hint names what there is.
        """
        return self.kept(word).concept

    def kept(self, word: str) -> Kept:
        """As `find`, with its file."""
        everything, meant = self.list(), folded(word if is_word(word) else made_word(word))
        found = next((one for one in everything if folded(one.word) == meant), None)
        if found is None:
            raise EditorError(
                "There is no concept “{word}”.",
                Message("There are: {words}.", words=listed(one.word for one in everything))
                if everything
                else Message("Learn or import one first."),
                word=word,
            )
        return found

    def refuse_taken(self, word: str) -> None:
        """Whether a new concept may be called `word`.

        Raises:
            EditorError: it is no name, or one of a concept that is there.
        """
        checked = checked_word(word)
        if any(folded(one) == folded(checked) for one in self.words()):
            raise EditorError(
                "There is a concept “{word}” already.",
                "Choose another name, or delete that one first.",
                word=checked,
            )

    def add(self, content: bytes) -> Kept:
        """Keep the file of a concept that was learnt; if its word is taken by then, it gets a number.

        Raises:
            EditorError: it is none, or cannot be written.
        """
        return self._keep(concept_from_bytes(content))

    def import_concept(self, path: Path, word: str = "") -> Kept:
        """Keep a copy of a file of any form, called `word`, or as the file says; one that is there stays.

        Raises:
            EditorError: it holds no concept that can be used, or `word` is none or taken.
        """
        concept = read_concept(Path(path))
        if word:
            self.refuse_taken(word)
            concept = concept.called(word)
        # the same file again, or the other one of two
        content, name = concept_file(concept), folded(concept.word)
        there = (one for one in self.list() if folded(one.word) == name)
        return next((one for one in there if concept_file(one.concept) == content), None) or self._keep(
            concept
        )

    def rename(self, word: str, wanted: str) -> Kept:
        """Call a concept otherwise; pictures made with it keep the old word with their recipes.

        Raises:
            EditorError: there is no such concept, or the name is none or taken.
        """
        old = self.kept(word)
        before = files_of(old.path)
        if folded(wanted) != folded(word):
            self.refuse_taken(wanted)
        new = self._write(old.concept.called(checked_word(wanted)), self._free_path(wanted, {old.path}))
        self._unlink(path for path in before if path != new.path)
        return new

    def remove(self, word: str) -> None:
        """Delete a concept's file; pictures made with it keep theirs.

        Raises:
            EditorError: there is no such concept, or its file cannot be deleted.
        """
        self._unlink(files_of(self.kept(word).path))

    def export(self, word: str, path: Path) -> None:
        """Write a concept's file to `path`, in a form that other programs load."""
        content = concept_file(self.find(word))
        with atomic_write(Path(path), parents=True) as file:
            file.write(content)

    def _keep(self, concept: Concept) -> Kept:
        taken = {folded(one) for one in self.words()}
        if folded(concept.word) in taken:
            numbered = (numbered_word(concept.word, number) for number in itertools.count(2))
            concept = concept.called(next(one for one in numbered if folded(one) not in taken))
        return self._write(concept, self._free_path(concept.word, ()))

    def _write(self, concept: Concept, path: Path) -> Kept:
        with atomic_write(path, parents=True) as file:
            file.write(concept_file(concept))
        return Kept(concept=concept, path=path)

    def _free_path(self, word: str, allowed: Collection[Path]) -> Path:
        stem = _NOT_IN_NAMES.sub("-", word).strip("-. ") or "concept"
        stem = unreserved(stem.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore"))
        names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
        paths = (self.folder / f"{name}{ENDING}" for name in names)
        return next(path for path in paths if path in allowed or not path.exists())

    def _unlink(self, paths: Iterable[Path]) -> None:
        for path in paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise writing_error(path, error) from error

    def _read(self, path: Path) -> Concept | None:
        identity = tuple(_state_of(one) for one in (path, other_file(path)))
        if identity[0] is None:
            return None
        if identity not in self._known:
            try:
                concept = read_concept(path)
            except EditorError as error:
                log.warning("%s", error)
                concept = None
            self._known[identity] = concept
        return self._known[identity]


def _state_of(path: Path) -> _State | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return path, status.st_mtime_ns, status.st_size


def with_picture(concept: Concept, picture: bytes) -> Concept:
    """The concept with a small picture of itself, JPEG or PNG."""
    return replace(concept, picture=picture)
