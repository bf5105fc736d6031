"""Arrays and texts as one .safetensors in memory: equal values give equal bytes. Free of torch.

    content = packed({"latents": array}, {"step": "3"})
    arrays, texts = unpacked(content, "checkpoint")

The usual writer puts texts into its header in another order each time.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Final, cast

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from inference.errors import EditorError
from inference.messages import Message
from inference.values import LARGEST_JSON_BYTES, fields, json_object, text

_ALIGNED = 8
_TEXTS = "__metadata__"
_DTYPES: Final[dict[Any, str]] = {
    np.dtype("<f4"): "F32", np.dtype("<f8"): "F64", np.dtype("<i8"): "I64", np.dtype("u1"): "U8"
}  # fmt: skip


def packed(arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str] | None = None) -> bytes:
    """Arrays of float32, float64, int64 and uint8, and texts, in the order of their names."""
    header: dict[str, Any] = {_TEXTS: dict(sorted(texts.items()))} if texts else {}
    data: list[bytes] = []
    place = 0
    for name, array in sorted(arrays.items()):
        data.append(np.ascontiguousarray(array).tobytes())
        end = place + len(data[-1])
        header[name] = {
            "dtype": _DTYPES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [place, end],
        }
        place = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    return b"".join((struct.pack("<Q", len(text)), text, *data))


def unpacked(content: bytes, name: str | Message) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """What `packed` wrote; `name` says in errors what it is.

    Raises:
        EditorError: it is none, or damaged.
    """
    try:
        arrays = cast("dict[str, NDArray[Any]]", cast("Any", safetensors.numpy).load(content))
        (length,) = struct.unpack_from("<Q", content)
    except (
        safetensors.SafetensorError,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        struct.error,
    ) as error:
        raise EditorError("The {name} is damaged.", name=name) from error
    header = json_object(content[8 : 8 + length], name)
    texts = fields(header.get(_TEXTS, {}), name)
    # a text may be as long as the header: a long run's numbers are one of them
    return arrays, {text(key, name): text(texts[key], name, LARGEST_JSON_BYTES) for key in texts}
