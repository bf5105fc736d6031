"""The user's errors, exit statuses of the command line, and the hook for everything unexpected."""

import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Final

from inference.errors import Cancelled, EditorError, WritingError
from inference.messages import Message

__all__ = [
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "WRONG_ARGUMENTS",
    "Cancelled",
    "EditorError",
    "WritingError",
    "install_exception_hook",
]

DONE: Final = 0
FAILED: Final = 1
WRONG_ARGUMENTS: Final = 2
INTERRUPTED: Final = 130


def install_exception_hook(report: Callable[[Message, Message | str], None]) -> None:
    """Send uncaught exceptions to ``report(message, details)`` instead of losing them.

    Exceptions in slots reach `sys.excepthook`; without a hook the window would go on as if nothing had
    happened.
    """

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        if isinstance(error, EditorError):
            report(error.sentence, error.advice)
            return
        sys.__excepthook__(kind, error, trace)
        report(
            Message("Something went wrong inside Attune."),
            "".join(traceback.format_exception(kind, error, trace)),
        )

    sys.excepthook = hook
