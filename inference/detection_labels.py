"""What a detection model of the user knows, read from its configuration alone. Free of torch."""

from typing import Any

from inference.errors import EditorError
from inference.files import read_at_most
from inference.process.hub import local_folder
from inference.values import parsed_json

_LARGEST_BYTES = 16 * 2**20


def detection_labels(model: str) -> frozenset[str]:
    """The kinds that a detection model (a folder, or a hub id that is on this machine) tells apart.

    Raises:
        EditorError: it is not there, or no detection model.
    """
    folder = local_folder(model)
    if folder is None:
        raise EditorError(
            "The detection model “{model}” is not on this machine.",
            "Choose in Settings a folder, or a model that is in the hub's cache.",
            model=model,
        )
    path = folder / "config.json"
    try:
        values: Any = parsed_json(read_at_most(path, _LARGEST_BYTES))
        return frozenset(str(name) for name in values["id2label"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, EditorError) as error:
        raise EditorError(
            "“{model}” is no detection model: {path} names no kinds.",
            "Choose another in Settings.",
            model=model,
            path=path,
        ) from error
