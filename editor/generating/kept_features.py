"""What a translation will keep of its picture, told before anything is loaded. Free of torch and Qt."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.errors import EditorError
from inference.methods.plug_and_play.expected import expected_bytes
from inference.models import ModelEntry
from inference.operations import Family, Translate

_HALF, _SINGLE = 2, 4


def denoiser_of(entry: ModelEntry) -> Mapping[str, Any] | None:
    """The values of the denoiser's configuration, from the model's files; None if they cannot be read."""
    from inference.weights import configuration

    try:
        found = (configuration.of_file if entry.is_file else configuration.of_folder)(
            entry.path, entry.family
        )
    except (EditorError, OSError):
        return None
    return found.parts.get("transformer" if entry.family is Family.SD3 else "unet")


def kept_bytes(
    entry: ModelEntry, denoiser: Mapping[str, Any], parameters: Translate, *, device: str, dtype: str
) -> int | None:
    """Bytes that keeping all features takes; None for a configuration that says no such thing."""
    steps = parameters.steps or entry.default_steps
    try:
        return expected_bytes(entry.family, denoiser, parameters, steps, number_bytes(device, dtype))
    except (KeyError, TypeError, ValueError):
        return None


def number_bytes(device: str, dtype: str) -> int:
    """Bytes of a number of the network, as these settings will have it on this computer."""
    if dtype != "auto":
        return _SINGLE if dtype == "float32" else _HALF
    if device == "auto":
        return _HALF if _has_graphics() else _SINGLE
    return _SINGLE if device == "cpu" else _HALF


def _has_graphics() -> bool:
    """Whether there is a device on which models run in half precision."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None
