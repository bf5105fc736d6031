"""Why the system or a library refused something, in words that can be translated."""

import errno
from typing import Final

from inference.errors import EditorError
from inference.messages import Message, short

_OF_THE_SYSTEM: Final = {  # by name, for not every system has all of them
    "EACCES": Message("permission denied"),
    "EPERM": Message("the system does not permit it"),
    "ENOENT": Message("there is no such file or folder"),
    "EEXIST": Message("it exists already"),
    "ENOTDIR": Message("a part of the path is no folder"),
    "EISDIR": Message("it is a folder"),
    "ENOTEMPTY": Message("the folder is not empty"),
    "ENOSPC": Message("no space is left on the drive"),
    "EDQUOT": Message("your share of the drive is used up"),
    "EFBIG": Message("the file would become too large"),
    "EROFS": Message("the drive can only be read"),
    "EIO": Message("the drive reports an error"),
    "ENODEV": Message("there is no such device"),
    "ENXIO": Message("there is no such device"),
    "EBUSY": Message("another program uses it"),
    "ETXTBSY": Message("another program uses it"),
    "EMFILE": Message("too many files are open"),
    "ENFILE": Message("too many files are open"),
    "ENAMETOOLONG": Message("the name is too long"),
    "EINVAL": Message("the system does not accept it"),
    "ELOOP": Message("links lead in a circle"),
    "EXDEV": Message("it lies on another drive"),
    "EPIPE": Message("the other end was closed"),
    "ENOMEM": Message("there is not enough memory"),
    "ETIMEDOUT": Message("there was no answer in time"),
    "ECONNREFUSED": Message("the connection was refused"),
    "ECONNRESET": Message("the connection was closed"),
    "ENETUNREACH": Message("the network cannot be reached"),
    "EHOSTUNREACH": Message("the network cannot be reached"),
}


_LONGEST_DETAIL: Final = 200


class NamedTwiceError(ValueError):
    """An object in a JSON text has a name twice; `name` is that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def reason_of(error: BaseException) -> Message:
    """Why `error` was raised, without a full stop: one of our words where there is one.

    What a library says in English is kept as a detail, its first line only; without words it is the kind.
    """
    if isinstance(error, EditorError):
        return error.sentence
    if isinstance(error, NamedTwiceError):
        return Message("it says “{key}” twice", key=short(error.name))
    if isinstance(error, MemoryError):
        return Message("there is not enough memory")
    if isinstance(error, UnicodeDecodeError):
        return Message("it is not in UTF-8")
    name = errno.errorcode.get(error.errno or 0, "") if isinstance(error, OSError) else ""
    if name in _OF_THE_SYSTEM:
        return _OF_THE_SYSTEM[name]
    return Message("{detail}", detail=first_line(error))


def first_line(error: BaseException) -> str:
    """What a library says, its first line without a full stop; what of it comes from a file may be long."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    first = said.strip().splitlines()[0].rstrip(".") if said.strip() else type(error).__name__
    return first if len(first) <= _LONGEST_DETAIL else f"{first[:_LONGEST_DETAIL].rstrip()}…"
