"""Adding all that is found in a folder to one of the user's lists: of models, of LoRAs.

add_all(candidates, folder, catalogue.add, progress, tell=tell)
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from inference.downloads import folders
from inference.errors import EditorError, WritingError
from inference.messages import Message
from inference.progress import Progress

Added = TypeVar("Added")


class Finds(Protocol):
    """Gives what could be added below a folder, and tells of each folder how many were before it."""

    def __call__(self, folder: Path, looked_at: Callable[[Path, int], None]) -> Iterator[Path]: ...


def add_all(
    finds: Finds,
    folder: Path,
    add: Callable[[Path], Added],
    progress: Progress,
    *,
    tell: Callable[[Path, int, int], None] | None = None,
) -> tuple[tuple[Added, ...], tuple[Message, ...]]:
    """Add each file or folder that is found.

    Args:
        add: remembers one.
        progress: stops it; what was added stays.
        tell: told what is looked at: a folder or a file, how many folders were, and how many were added.

    Returns:
        what was added, and a sentence for each that cannot be used.

    Raises:
        WritingError: the list cannot be written: then nothing that follows could be remembered.
        Cancelled: it was stopped.
    """
    added: list[Added] = []
    refused: list[Message] = []
    seen = 0

    def looked_at(here: Path, before: int) -> None:
        nonlocal seen
        seen = before
        progress.check()
        if tell is not None:
            tell(here, before, len(added))

    for path in finds(folder, looked_at):
        looked_at(path, seen)
        try:
            added.append(add(path))
        except WritingError:
            raise
        except EditorError as error:
            refused.append(error.whole)
    if seen + 1 >= folders.MOST_FOLDERS:
        refused.append(
            Message(
                "“{folder}” has very many folders: only the first {count} were looked at. "
                "Choose one further down.",
                folder=folder,
                count=folders.MOST_FOLDERS,
            )
        )
    return tuple(added), tuple(refused)
