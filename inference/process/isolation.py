"""Keeping code that lies in the working directory out of this program and of those that it starts.

Python puts the working directory first on its path for `python -m` and for the interpreters that
`multiprocessing` starts: a `selectors.py` beside an opened picture would run in place of Python's own.
What runs before this module can is Python's: `python -P -m editor` leaves the directory out from the start.
Imports nothing that could be planted.
"""

import os
import sys
from os import path

_PROGRAM = path.realpath(path.join(path.dirname(__file__), os.pardir, os.pardir))  # noqa: PTH118, PTH120
_LIBRARIES = tuple(
    path.realpath(path.join(prefix, name))  # noqa: PTH118
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix}
    for name in ("lib", "lib64", "Lib", "DLLs")
)


def isolate() -> None:
    """Take the working directory off the module path of this process and of all that it starts.

    It stays where this program or Python's own library lies in it: then its files run anyway. Repeating does
    no harm. To be called before threads are started, as it changes the environment.
    """
    here = _here()
    sys.path[:] = [kept for entry in sys.path if (kept := _cleared(entry, here)) is not None]
    os.environ["PYTHONSAFEPATH"] = "1"
    given = os.environ.pop("PYTHONPATH", None)
    # an empty entry, as in ":/opt/lib", means the working directory
    entries = [entry for entry in (given or "").split(os.pathsep) if path.isabs(entry)]  # noqa: PTH117
    if entries:
        os.environ["PYTHONPATH"] = os.pathsep.join(entries)


def leave_working_directory() -> None:
    """Go to the program's own folder: whoever can write there runs code anyway."""
    os.chdir(_PROGRAM)


def _here() -> str:
    try:
        return path.realpath(os.getcwd())  # noqa: PTH109
    except OSError:  # it was deleted
        return ""


def _cleared(entry: str, here: str) -> str | None:
    """`entry` as it may stay on the path, or None."""
    if entry and not path.isabs(entry):  # noqa: PTH117
        return None if path.exists(entry) else entry  # no folder: a mark of an import hook  # noqa: PTH110
    if entry and path.realpath(entry) != here:
        return entry
    if here and (here == _PROGRAM or _is_library(here)):
        return here
    return None


def _is_library(place: str) -> bool:
    return any(place == library or place.startswith(library + os.sep) for library in _LIBRARIES)
