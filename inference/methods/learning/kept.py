"""What a checkpoint has learnt so far, as the file of a delta. Free of torch: the window keeps it."""

from collections.abc import Mapping

import numpy as np

from inference.deltas import FILE_KEYS
from inference.errors import EditorError
from inference.messages import Message
from inference.values import json_object, typed
from inference.weights.packed import packed, unpacked

FORMAT = "attune-learning-2"
_NAME = Message("checkpoint")
_VECTORS = "vectors."


def delta_file_of(content: bytes) -> bytes:
    """The direction in a checkpoint of `learn-delta`, as a delta's file.

    Raises:
        EditorError: it is none, damaged, or has learnt nothing yet.
    """
    arrays, texts = unpacked(content, _NAME)
    if texts.get("format") != FORMAT:
        raise EditorError("The checkpoint is of another kind.", "Begin again.")
    vectors = {
        name.removeprefix(_VECTORS): array
        for name, array in arrays.items()
        if name.startswith(_VECTORS) and name.removeprefix(_VECTORS) in FILE_KEYS
    }
    if not any(array.any() for array in vectors.values()):
        raise EditorError("Nothing has been learnt yet.", "Let it learn for a while.")
    if any(
        array.ndim != 1 or array.dtype != np.float32 or not np.isfinite(array).all()
        for array in vectors.values()
    ):
        raise EditorError("The {name} is damaged.", name=_NAME)
    metadata = typed(Mapping[str, str], json_object(texts.get("delta", ""), _NAME), _NAME)
    return packed({FILE_KEYS[encoder]: vector for encoder, vector in vectors.items()}, metadata)
