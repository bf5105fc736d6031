"""Finding the models in a folder: of other programs (ComfyUI, A1111, the hub's cache) or the user's own.

They are used where they lie. Links are followed once, folders to a fixed depth, and only headers are read.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_DEPTH = 8
_MOST_FOLDERS = 20_000
_SMALLEST_BYTES = 500_000_000  # of a checkpoint; smaller files are additions to one
_FILES = (".safetensors", ".sft")
_ADDITIONS = (
    "lora",
    "loras",
    "lycoris",
    "controlnet",
    "vae",
    "embeddings",
    "upscale_models",
    "text_encoders",
)


def candidates(
    folder: Path, check: Callable[[], None] | None = None, *, smallest_bytes: int = _SMALLEST_BYTES
) -> Iterator[Path]:
    """Folders with a `model_index.json` and large .safetensors files below `folder`, itself included.

    Args:
        check: called now and then; raises to stop.
    """
    visited: set[tuple[int, int]] = set()
    waiting = [(folder, 0)]
    while waiting and len(visited) < _MOST_FOLDERS:
        if check is not None:
            check()
        here, depth = waiting.pop(0)
        try:
            status = here.stat()
            identity = (status.st_dev, status.st_ino)
            if identity in visited:  # links in a circle
                continue
            visited.add(identity)
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if "model_index.json" in names:
            yield here
            continue
        for entry in entries:
            try:
                if entry.is_dir():
                    is_addition = entry.name.lower() in _ADDITIONS
                    if depth < _DEPTH and not entry.name.startswith(".") and not is_addition:
                        waiting.append((Path(entry.path), depth + 1))
                elif entry.name.lower().endswith(_FILES) and entry.stat().st_size >= smallest_bytes:
                    yield Path(entry.path)
            except OSError:
                continue
