"""A save that would overwrite what somebody else wrote, and waits for an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from editor.document.document import Document
from editor.document.known_file import Obstacle, same_file


@dataclass(frozen=True)
class RefusedSave:
    """A save that waits for an answer: overwrite, save as, reload, or nothing."""

    document: Document
    path: Path
    obstacle: Obstacle
    then: Callable[[], object] | None


def of_another(path: Path, document: Document, documents: Iterable[Document]) -> bool:
    """Whether another document is saved to that file."""
    paths = (other.path for other in documents if other is not document)
    return any(other is not None and same_file(path, other) for other in paths)
