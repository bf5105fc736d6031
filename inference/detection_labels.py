"""What a detection model of the user knows, read from its configuration alone. Free of torch."""

import json
from pathlib import Path
from typing import Any

from inference.errors import EditorError


def detection_labels(model: str) -> frozenset[str]:
    """The kinds that a detection model (a folder, or a hub id that is on this machine) tells apart.

    Raises:
        EditorError: it is not there, or no detection model.
    """
    path = Path(model) / "config.json"
    if not path.is_file():
        path = _cached(model)
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(str(name) for name in values["id2label"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EditorError(
            "“{model}” is no detection model: {path} names no kinds.",
            "Choose another in Settings.",
            model=model,
            path=path,
        ) from error


def _cached(model: str) -> Path:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, "config.json")
    except HFValidationError:
        found = None
    if not isinstance(found, str):
        raise EditorError(
            "The detection model “{model}” is not on this machine.",
            "Choose in Settings a folder, or a model that is in the hub's cache.",
            model=model,
        )
    return Path(found)
