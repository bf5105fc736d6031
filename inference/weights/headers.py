"""The headers of .safetensors files, checked: names, shapes and places of the tensors. Free of torch.

The format (https://huggingface.co/docs/safetensors, "Format"): eight bytes with the header's length, the
header in JSON, the tensors' bytes.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from inference.errors import EditorError
from inference.files import check_ordinary
from inference.reasons import NamedTwiceError, reason_of
from inference.values import parsed_json

_LARGEST_HEADER = 100 * 2**20  # the format's own limit
MOST_TENSORS = 20_000  # seven times as many as the largest model that is supported has
_MOST_NUMBERS = 2**48  # of one tensor
_PIECE_BYTES = 64 * 2**20
_SHOWN = 60  # characters of a name in a message
_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "BOOL": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1,
}  # fmt: skip
# where all bits of the mask are set the number is infinite or none (the exponent; in E4M3 all but the sign)
_NOT_FINITE = {
    "F64": (np.dtype("<u8"), 0x7FF0_0000_0000_0000),
    "F32": (np.dtype("<u4"), 0x7F80_0000),
    "F16": (np.dtype("<u2"), 0x7C00),
    "BF16": (np.dtype("<u2"), 0x7F80),
    "F8_E4M3": (np.dtype("u1"), 0x7F),
    "F8_E5M2": (np.dtype("u1"), 0x7C),
}
_PICKLE_MARKS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class TensorPlace:
    """One tensor: its kind of number ("F16"), its shape, and its bytes [begin, end) after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_header(path: Path) -> tuple[int, dict[str, TensorPlace]]:
    """Where the tensors' bytes begin in the file, and the tensors by name.

    Raises:
        EditorError: the file is missing, no .safetensors, damaged, or shorter than its header says.
    """
    check_ordinary(path)
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start, content = _header_bytes(file, path, size)
    except (OSError, ValueError) as error:
        raise EditorError(
            "“{path}” cannot be read: {reason}.", "Choose another file.", path=path, reason=reason_of(error)
        ) from error
    tensors = _tensors(path, content)
    _check_size(path, size, start + max((one.end for one in tensors.values()), default=0))
    return start, tensors


def read_metadata(path: Path) -> dict[str, str]:
    """What the file's header says of itself in texts, such as "modelspec.predict_key"; {} if nothing."""
    try:
        with path.open("rb") as file:
            _, content = _header_bytes(file, path, path.stat().st_size)
        said: Any = parsed_json(content).get("__metadata__", {})
    except (OSError, ValueError, RecursionError, AttributeError):
        return {}
    if not isinstance(said, dict):
        return {}
    pairs = cast("dict[str, Any]", said).items()
    return {name: value for name, value in pairs if isinstance(value, str)}


def unfinite_tensor(path: Path, start: int, name: str, place: TensorPlace) -> str | None:
    """`name` if the tensor holds an infinite number or none (NaN); whole numbers never do.

    Raises:
        OSError: the file cannot be read.
    """
    if place.dtype not in _NOT_FINITE:
        return None
    kind, mask = _NOT_FINITE[place.dtype]
    with path.open("rb") as file:
        file.seek(start + place.begin)
        left = place.end - place.begin
        while left > 0:
            piece = file.read(min(left, _PIECE_BYTES))
            if not piece:
                return None
            left -= len(piece)
            bits: NDArray[Any] = np.frombuffer(piece[: len(piece) - len(piece) % kind.itemsize], kind)
            if bool(((bits & kind.type(mask)) == mask).any()):
                return name
    return None


def _header_bytes(file: BinaryIO, path: Path, size: int) -> tuple[int, bytes]:
    first, opening = file.read(8), file.read(1)
    # a header of 640 or 896 bytes begins with the same two bytes, but then comes its brace
    if first.startswith(_PICKLE_MARKS) and opening != b"{":
        raise EditorError(
            "“{name}” is a PyTorch file, which can run code when it is opened.",
            "Use the same model as .safetensors.",
            name=path.name,
        )
    length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
    if not 0 < length <= _LARGEST_HEADER:
        raise not_safetensors(path)
    content = opening + file.read(length - 1)
    if len(content) < length:
        raise EditorError(
            "“{path}” is cut off: it has {size} bytes.", "Copy or download it again.", path=path, size=size
        )
    return 8 + length, content


def _tensors(path: Path, content: bytes) -> dict[str, TensorPlace]:
    # before it is parsed, which takes ten times its memory; a quotation mark in a name has a backslash before
    _check_count(path, content.count(b'"data_offsets"'))
    try:
        header: Any = parsed_json(content)
    except NamedTwiceError as error:
        raise damaged(path, error) from error
    except (ValueError, RecursionError) as error:
        raise not_safetensors(path) from error
    if not isinstance(header, dict):
        raise not_safetensors(path)
    values = cast("dict[str, Any]", header)
    values.pop("__metadata__", None)
    _check_count(path, len(values))
    return {name: _place(path, name, value) for name, value in values.items()}


def _place(path: Path, name: str, value: Any) -> TensorPlace:
    try:
        dtype, shape, (begin, end) = value["dtype"], value["shape"], value["data_offsets"]
        if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
            raise ValueError(name)
        count = math.prod(shape)
        # also beside a nought: arrays are told their sizes before they are empty
        if begin > end or math.prod(number or 1 for number in shape) > _MOST_NUMBERS:
            raise ValueError(name)
        if dtype in _BYTES and count * _BYTES[dtype] != end - begin:
            raise ValueError(name)
    except (TypeError, KeyError, ValueError) as error:
        raise EditorError(
            "“{path}” is damaged: its header says of “{tensor}” what cannot be.",
            "Copy or download it again.",
            path=path,
            tensor=name[:_SHOWN],
        ) from error
    return TensorPlace(str(dtype), tuple(shape), begin, end)


def _check_count(path: Path, count: int) -> None:
    if count > MOST_TENSORS:
        raise EditorError(
            "“{path}” holds {count} tensors: at most {most} are read.",
            "It is damaged, or no model: choose another file.",
            path=path,
            count=count,
            most=MOST_TENSORS,
        )


def _check_size(path: Path, size: int, expected: int) -> None:
    if size > expected:
        raise EditorError(
            "“{path}” is damaged: it has {count} bytes too many.",
            "Copy it again.",
            path=path,
            count=size - expected,
        )
    if size < expected:
        raise EditorError(
            "“{path}” is cut off: it has {size} of {expected} bytes.",
            "Copy or download it again.",
            path=path,
            size=size,
            expected=expected,
        )


def damaged(path: Path, error: Exception) -> EditorError:
    """What is said of a file whose content contradicts itself."""
    return EditorError(
        "“{path}” is damaged: {reason}.",
        "Copy or download it again.",
        path=path,
        reason=reason_of(error),
    )


def not_safetensors(path: Path) -> EditorError:
    """What is said of a file of another kind."""
    return EditorError(
        "“{name}” is not a safetensors file.",
        "It is damaged or of another kind: copy or download it again, or choose another one.",
        name=path.name,
    )
