"""Names of files made from what pictures are called: a prompt is no file name."""

import os
import re
from collections.abc import Collection
from pathlib import Path, PurePath

from inference.files import unreserved

LONGEST_NAME = 200  # bytes of UTF-8; an ending and the marks of other programs have room beside it
_MOST_TRIES = 1000  # names that are looked up
_FORBIDDEN = re.compile(
    r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff<>:"/\\|?*]+'
)  # here or on other systems


def proposed_stem(title: str, endings: Collection[str], otherwise: str) -> str:
    """A name for a file of the picture `title`, without ending, that every file system takes.

    Only what is in `endings` (like ".png") is an ending: “Mr. Smith” keeps its full stop. `otherwise` is
    taken where nothing is left.
    """
    if PurePath(title).suffix.lower() in endings:
        title = title[: -len(PurePath(title).suffix)]
    words = " ".join(_FORBIDDEN.sub(" ", title).split())
    stem = words.encode()[:LONGEST_NAME].decode(errors="ignore").strip(". …")
    return unreserved(stem) or otherwise


def free_path(folder: Path, stem: str, ending: str) -> Path:
    """A file in the folder that is not there yet: "photo.jpg", or "photo-2.jpg" where that is taken."""
    path, number = folder / f"{stem}{ending}", 1
    while number < _MOST_TRIES and os.path.lexists(path):
        number += 1
        path = folder / f"{stem}-{number}{ending}"
    return path
