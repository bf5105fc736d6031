"""Finding the models in a folder: of other programs (ComfyUI, A1111, the hub's cache) or the user's own.

They are used where they lie. Links are followed once, folders to a fixed depth, and only headers are read.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

_DEPTH = 8
MOST_FOLDERS = 20_000
# of Linux: what looks like files there is made by the system, and some of it never ends
_NO_FILES = frozenset(Path(name) for name in ("/proc", "/sys", "/dev", "/run"))
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
    folder: Path,
    looked_at: Callable[[Path, int], None] | None = None,
    *,
    smallest_bytes: int = _SMALLEST_BYTES,
) -> Iterator[Path]:
    """Folders with a `model_index.json` and large .safetensors files below `folder`, itself included.

    Args:
        looked_at: called with each folder and how many there were before it; raises to stop.
    """
    visited: set[tuple[int, int]] = set()
    waiting = deque([(folder, 0)])
    while waiting and len(visited) < MOST_FOLDERS:
        here, depth = waiting.popleft()
        if looked_at is not None:
            looked_at(here, len(visited))
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
                    hidden = entry.name.startswith(".") or Path(entry.path) in _NO_FILES
                    if depth < _DEPTH and not hidden and not is_addition:
                        waiting.append((Path(entry.path), depth + 1))
                elif entry.name.lower().endswith(_FILES) and entry.stat().st_size >= smallest_bytes:
                    yield Path(entry.path)
            except OSError:
                continue
