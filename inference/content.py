"""What decides a result beside numbers and words: pictures, masks, files, each named by its content's hash.

In a request's JSON such a parameter is the hash; the content itself travels beside the request, in a mapping
from hash to `Blob`, and is kept with the recipe wherever that is kept.
"""

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from inference.errors import EditorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Blob: TypeAlias = NDArray[np.uint8] | bytes  # a picture [H, W, 3 or 4], a mask [H, W], or a file
    Contents: TypeAlias = Mapping[str, Blob]
else:  # NumPy is not imported with the declarations
    Blob: TypeAlias = Any
    Contents: TypeAlias = Mapping[str, Any]

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class Content:
    """The SHA-256 of a parameter's content; `inference.parameters` reads and writes it as plain text.

    Raises:
        EditorError: it is no such hash.
    """

    hash: str

    def __post_init__(self) -> None:
        if not isinstance(self.hash, str) or _HASH.fullmatch(self.hash) is None:  # pyright: ignore[reportUnnecessaryIsInstance] - files say anything
            raise EditorError("“{hash}” names no content.", hash=str(self.hash)[:80])

    @classmethod
    def fits(cls, blob: object) -> bool:
        """Whether a blob is of this kind; files can name any."""
        return isinstance(blob, bytes)


class Picture(Content):
    """RGB or RGBA uint8 [H, W, 3 or 4], sRGB."""

    @classmethod
    def fits(cls, blob: object) -> bool:
        shape: tuple[int, ...] = getattr(blob, "shape", ())
        return len(shape) == 3 and shape[2] in (3, 4)


class Mask(Content):
    """uint8 [H, W]: 0 is outside, 255 inside."""

    @classmethod
    def fits(cls, blob: object) -> bool:
        return len(getattr(blob, "shape", ())) == 2


class DeltaFile(Content):
    """An attribute's direction as safetensors."""


class ConceptFile(Content):
    """A learnt word's vectors as safetensors."""


class DefinitionFile(Content):
    """The prompts that an attribute is learnt from as TOML; see `inference.definitions`."""


def content_hash(blob: "Blob") -> str:
    """SHA-256 of a file's bytes, or of an array's shape and bytes."""
    if isinstance(blob, bytes):
        return hashlib.sha256(blob).hexdigest()
    import numpy as np  # not with the declarations, which the command line reads

    digest = hashlib.sha256(repr(blob.shape).encode())
    digest.update(np.ascontiguousarray(blob).data)
    return digest.hexdigest()


def named_pictures(pictures: "Iterable[Blob]") -> "tuple[tuple[Picture, ...], dict[str, Blob]]":
    """Their names in their order, and the pictures by them; two that are the same have one name."""
    given = [(content_hash(one), one) for one in pictures]
    return tuple(Picture(name) for name, _ in given), dict(given)


def contents_in(value: object) -> Iterator[Content]:
    """All contents that a value names: parameters, edits, tuples of them."""
    if isinstance(value, Content):
        yield value
    elif isinstance(value, tuple):
        for item in cast("tuple[Any, ...]", value):
            yield from contents_in(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for item in dataclasses.fields(value):
            yield from contents_in(getattr(value, item.name))


def named(contents: "Contents", value: object) -> "dict[str, Blob]":
    """Those of `contents` that a value names."""
    hashes = {content.hash for content in contents_in(value)}
    return {name: blob for name, blob in contents.items() if name in hashes}
