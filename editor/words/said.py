"""Messages, such as errors and notes, in the window's language.

They are made on any thread and in the child process without Qt; the window says them where it shows them.
"""

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication

from inference.errors import EditorError
from inference.messages import Marked, Message


def said(message: Message | str) -> str:
    """The sentence in the window's language; a plain text that `N_` did not mark is in it already."""
    if isinstance(message, Marked):
        return QCoreApplication.translate(message.context, message)
    return message if isinstance(message, str) else message.said(QCoreApplication.translate)


def lines(messages: Iterable[Message | str]) -> str:
    """Each message once, on a line of its own."""
    return "\n".join(dict.fromkeys(map(said, messages)))


def in_one_line(error: EditorError) -> str:
    """What is wrong and what to do about it."""
    return said(error.whole)
