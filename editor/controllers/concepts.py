"""The library of learnt words: what is in it, imports, and their vectors in every request; "concepts"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QObject
from shiboken6 import isValid

from editor.controllers.base import LibraryController
from editor.controllers.shell import Shell
from editor.generating.asking import Given, picture_from
from editor.generating.contents import LONGEST_PHOTO_PX, as_photo, photo_of
from editor.system.background import Task
from editor.words.said import in_one_line, said
from inference.concepts.library import ConceptLibrary, Kept
from inference.concepts.names import checked_word
from inference.concepts.standing import with_concepts
from inference.content import named_pictures
from inference.errors import EditorError
from inference.operations import JudgePhotos
from inference.prompts.words import folded
from inference.request import Pixels, Request, Result
from inference.service import Job
from inference.values import parsed_json

if TYPE_CHECKING:
    from inference.content import Contents

translate = QCoreApplication.translate

Crop: TypeAlias = tuple[float, float, float]
_Taken = TypeVar("_Taken")
_ROOM = 1.1  # around what is selected
_HALF = 127


@dataclass(frozen=True)
class Judged:
    """What was seen in photos: suggested parts (x, y, side), and sentences that help."""

    crops: tuple[tuple[float, float, float], ...]
    sentences: tuple[str, ...]


class Concepts(LibraryController[Kept]):
    """Reads and changes the library on the background thread; `known` is what it held last."""

    def __init__(self, shell: Shell, library: ConceptLibrary) -> None:
        super().__init__(shell, library)
        self.library = library
        self._hashing: Task | None = None  # of photos that are to be judged
        shell.service.completed = self._completed

    def refuse_taken(self, word: str) -> None:
        """Whether a new concept may be called `word`, as far as is known.

        Raises:
            EditorError: it is no name, or taken.
        """
        checked = checked_word(word)
        if any(folded(kept.word) == folded(checked) for kept in self.known):
            self.library.refuse_taken(checked)  # it says so

    def import_files(self, paths: Sequence[Path]) -> None:
        """Keep copies of files of this or other programs; messages tell how they are called, and why others
        are refused.
        """

        def done(found: tuple[list[Kept], list[EditorError]]) -> None:
            kept, refused = found
            if kept:
                text = translate("Concepts", "Imported {words}. Write the word in a prompt to use it.")
                self._shell.message.emit(text.format(words=", ".join(one.word for one in kept)), "", "info")
            for error in refused:
                self._shell.report(error)

        self._do(lambda: _each(paths, self.library.import_concept), done)

    def read_photos(
        self,
        paths: Sequence[Path],
        most: int,
        done: Callable[[tuple[Pixels, ...]], object],
        failed: Callable[[Sequence[EditorError]], None],
    ) -> None:
        """Read photos to learn from; of those that are none `failed` is told, after `done` got the others.

        Of a whole folder of them no more than `most` are read.
        """

        def answered(read: tuple[list[Pixels], list[EditorError]]) -> None:
            if read[0]:
                done(tuple(read[0]))
            if read[1]:
                failed(read[1])

        self._shell.background.run(
            lambda: _each(paths, photo_of, most), answered, lambda error: failed([error])
        )

    def photo_selected(
        self, done: Callable[[Pixels, Crop], None], failed: Callable[[EditorError], None]
    ) -> None:
        """The visible picture as a photo, and the part of it around what is selected."""
        document = self.document
        state = document.state if document is not None else None

        def read() -> tuple[Pixels, Crop]:
            if state is None or state.selection is None:
                raise EditorError("Nothing is selected.", "Select what is to be learnt, and come back.")
            area = state.area
            mask = np.asarray(state.selection.read(area)).reshape(area.height, area.width)
            picture, selected = near(picture_from(Given.DOCUMENT, state), mask)
            return as_photo(picture), crop_around(selected)

        self._shell.background.run(read, lambda found: done(*found), failed)

    def judge(
        self,
        photos: Sequence[Pixels],
        values: Mapping[str, Any],
        model: str,
        done: Callable[[Judged], object],
        owner: QObject,
    ) -> None:
        """Look at photos before something is learnt from them; `values` are those of `JudgePhotos`."""
        detector = self._shell.settings.get("detector")

        def answered(job: Job, result: Result) -> None:
            told = parsed_json(result.artifacts["report"])
            done(Judged(tuple(tuple(crop) for crop in told["crops"]), tuple(map(said, result.notes))))

        def failed(error: EditorError) -> None:
            if isValid(owner):
                done(Judged((), (in_one_line(error),)))

        def hashed() -> tuple[Request, Contents]:
            images, contents = named_pictures(photos)
            parameters = JudgePhotos(images=images, detector=detector, **values)
            request = Request(operation="judge-photos", parameters=parameters, model=model)
            return request, contents

        def submit(found: tuple[Request, Contents]) -> None:
            if not isValid(owner):  # its dialog was closed meanwhile
                return
            self._shell.service.submit(
                *found,
                label=translate("Concepts", "Look at the photos"),
                supersedes="judge photos",
                owner=owner,
                done=answered,
                failed=lambda job, error: failed(error),
            )

        if self._hashing is not None:
            self._hashing.cancel()
        self._hashing = self._shell.background.run(hashed, submit, failed)

    def rename(self, word: str, wanted: str) -> None:
        """Call a concept otherwise."""
        self._do(lambda: self.library.rename(word, wanted))

    def remove(self, word: str) -> None:
        """Delete a concept from the library; pictures made with it keep theirs."""
        self._do(lambda: self.library.remove(word))

    def export(self, word: str, path: Path) -> None:
        """Write a concept's file for other programs."""

        def done(_: object) -> None:
            text = translate("Concepts", "Exported {name}.").format(name=path.name)
            self._shell.message.emit(text, "", "info")

        self._do(lambda: self.library.export(word, path), done)

    def _completed(self, request: Request, contents: Contents) -> tuple[Request, Contents]:
        parameters, found = with_concepts(request.parameters, contents, self.library)
        if parameters is request.parameters:
            return request, contents
        return replace(request, parameters=parameters), found


def _each(
    paths: Sequence[Path], take: Callable[[Path], _Taken], most: int | None = None
) -> tuple[list[_Taken], list[EditorError]]:
    """What became of the files, `most` of them at most, and why others are refused."""
    taken: list[_Taken] = []
    refused: list[EditorError] = []
    for path in paths:
        if len(taken) == most:
            break
        try:
            taken.append(take(path))
        except EditorError as error:
            refused.append(error)
    return taken, refused


def near(pixels: Pixels, mask: NDArray[np.uint8]) -> tuple[Pixels, NDArray[np.uint8]]:
    """Of a large picture what is near what a mask [H, W] selects, and the mask there.

    As much as a photo may have, so that a small thing in it keeps its pixels.
    """
    found = _box(mask)
    if found is None:
        return pixels, mask
    sides: list[slice] = []
    long = max(LONGEST_PHOTO_PX, round(_ROOM * max(last + 1 - first for first, last in found)))
    for (first, last), length in zip(found, mask.shape, strict=True):
        start = min(max((first + last + 1 - long) // 2, 0), max(length - long, 0))
        sides.append(slice(start, start + long))
    place = tuple(sides)
    return np.ascontiguousarray(pixels[place]), mask[place]


def _box(mask: NDArray[np.uint8]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """First and last row, and column, of what a mask selects; None if that is nothing."""
    rows, columns = np.flatnonzero((mask > _HALF).any(1)), np.flatnonzero((mask > _HALF).any(0))
    if not len(rows):
        return None
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def crop_around(mask: NDArray[np.uint8]) -> Crop:
    """The square part of a picture around what a mask [H, W] selects, as `LearnConcept` takes it.

    Raises:
        EditorError: it selects nothing of the picture.
    """
    found = _box(mask)
    if found is None:
        raise EditorError("Nothing is selected.", "Select what is to be learnt, and come back.")
    (top, bottom), (left, right) = found
    height, width = mask.shape
    long = max(bottom - top, right - left) + 1
    return (
        (left + right + 1) / 2 / width,
        (top + bottom + 1) / 2 / height,
        min(1.0, _ROOM * long / min(width, height)),
    )
