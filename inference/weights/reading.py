"""Tensors out of .safetensors files, one after the other: never more in memory than what is kept, and one.

The file is read and not mapped: pages of a mapped file count as memory of the process until the system takes
them back, which would double what loading seems to need.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from inference.errors import EditorError
from inference.reasons import reason_of
from inference.weights.headers import TensorPlace, read_header

_KINDS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "BOOL": torch.bool,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8,
}  # fmt: skip
_WIDE = (torch.float64, torch.float32)


def read_tensors(
    path: Path, names: Iterable[str] | None = None, dtype: torch.dtype | None = None
) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a file with their names, in the order in which they lie there.

    Args:
        names: which ones; None means all.
        dtype: what numbers with a fraction become; None keeps what the file has.

    Raises:
        EditorError: the file cannot be read, is damaged, or has numbers of a kind that is not known.
    """
    start, header = read_header(path)
    wanted = header if names is None else {name: header[name] for name in names}
    try:
        with path.open("rb") as file:
            for name, place in sorted(wanted.items(), key=lambda item: item[1].begin):
                tensor = _read(file, start, place, path)
                yield name, tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor
    except OSError as error:
        raise EditorError(
            "“{path}” cannot be read: {reason}.", "Choose another file.", path=path, reason=reason_of(error)
        ) from error


def unread_kind(path: Path, place: TensorPlace) -> EditorError | None:
    """What to say of a tensor whose kind of numbers is none that can be read."""
    if place.dtype in _KINDS:
        return None
    return EditorError(
        "“{name}” holds numbers of the kind {kind}, which is not supported.",
        "Use the same model in float16, bfloat16 or float8.",
        name=path.name,
        kind=place.dtype[:20],
    )


def _read(file: BinaryIO, start: int, place: TensorPlace, path: Path) -> Tensor:
    unread = unread_kind(path, place)
    if unread is not None:
        raise unread
    tensor = torch.empty(place.shape, dtype=_KINDS[place.dtype])
    size = place.end - place.begin
    if size:
        file.seek(start + place.begin)
        view = memoryview(cast(Any, tensor.flatten().view(torch.uint8).numpy()))
        if file.readinto(view) != size:  # type: ignore[attr-defined]
            raise EditorError(
                "“{path}” is cut off: it has {size} bytes.",
                "Copy or download it again.",
                path=path,
                size=path.stat().st_size,
            )
    return tensor
