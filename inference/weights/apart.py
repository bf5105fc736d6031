"""Checking models in a process of its own: torch and gigabytes of weights stay out of the window."""

import multiprocessing
from multiprocessing.connection import Connection

from inference.errors import EditorError
from inference.messages import Message
from inference.models import ModelEntry
from inference.process.isolation import leave_working_directory
from inference.process.settled import settled_path


def deep_problems_apart(entry: ModelEntry) -> tuple[Message, ...]:
    """`inference.weights.checking.deep_problems`, by a child that ends with this process.

    Raises:
        EditorError: the child ended before it had an answer, as when memory runs out.
    """
    return _apart(entry, deep=True)


def misfits_apart(entry: ModelEntry) -> tuple[Message, ...]:
    """`inference.weights.checking.misfits`, so too.

    Raises:
        EditorError: as `deep_problems_apart`.
    """
    return _apart(entry, deep=False)


def _apart(entry: ModelEntry, *, deep: bool) -> tuple[Message, ...]:
    """What a child finds.

    Raises:
        EditorError: the child ended before it had an answer, as when memory runs out.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_check, args=(theirs, entry, deep), name="attune-check", daemon=True)
    try:
        with settled_path():
            child.start()
        theirs.close()  # so that the pipe ends with the child
        return ours.recv()
    except (EOFError, OSError) as error:
        raise EditorError(
            "The check of “{name}” ended before it was done.", "Close other programs.", name=entry.name
        ) from error
    finally:
        ours.close()
        child.join()


def _check(connection: Connection, entry: ModelEntry, deep: bool) -> None:
    leave_working_directory()
    from inference.weights.checking import deep_problems, misfits

    with connection:
        connection.send(deep_problems(entry) if deep else misfits(entry))
