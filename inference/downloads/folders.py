"""Finding models and LoRAs in folders of other programs (ComfyUI, A1111, the hub's cache) or the user's own.

They are used where they lie. Links are followed once, folders to a fixed depth, and only headers are read.
"""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator
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
    for here, files in _folders(folder, looked_at, _ADDITIONS):
        if any(entry.name == "model_index.json" for entry in files):
            yield here
        else:
            yield from (Path(entry.path) for entry in files if _is_large(entry, smallest_bytes))


def additions(folder: Path, looked_at: Callable[[Path, int], None] | None = None) -> Iterator[Path]:
    """The .safetensors files below `folder` outside of models' folders: what LoRAs are looked for in."""
    for _, files in _folders(folder, looked_at, ()):
        if all(entry.name != "model_index.json" for entry in files):
            yield from (Path(entry.path) for entry in files if _is_large(entry, 1))


def _is_large(entry: os.DirEntry[str], smallest_bytes: int) -> bool:
    try:
        return entry.name.lower().endswith(_FILES) and entry.stat().st_size >= smallest_bytes
    except OSError:
        return False


def _folders(
    folder: Path, looked_at: Callable[[Path, int], None] | None, passed_over: Collection[str]
) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
    """Folders and what lies in them beside folders; none below one with a `model_index.json`."""
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
        files: list[os.DirEntry[str]] = []
        inner: list[os.DirEntry[str]] = []
        for entry in entries:
            try:
                (inner if entry.is_dir() else files).append(entry)
            except OSError:
                continue
        yield here, files
        if depth >= _DEPTH or any(entry.name == "model_index.json" for entry in files):
            continue
        for entry in inner:
            hidden = entry.name.startswith(".") or Path(entry.path) in _NO_FILES
            if not hidden and entry.name.lower() not in passed_over:
                waiting.append((Path(entry.path), depth + 1))
