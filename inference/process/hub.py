"""The Hugging Face hub: its cache on this machine, and downloading when the user asks for it. Free of torch.

Nothing here or in the libraries contacts the network but `download`.
"""

import os
import re
from pathlib import Path
from typing import Any

from inference.errors import EditorError
from inference.reasons import reason_of

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
# read by the libraries when they are imported
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")


def is_hub_id(text: str) -> bool:
    """Whether a text has the form owner/name."""
    return _HUB_ID.fullmatch(text) is not None


def stay_offline() -> None:
    """Let no library contact the hub from this process, which must not have imported one yet."""
    for name in _OFFLINE:
        os.environ[name] = "1"


def cached_folder(hub_id: str, file: str) -> Path | None:
    """The folder of a repository in the hub's cache (HF_HOME, HF_HUB_CACHE) that holds `file`, or None."""
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(hub_id, file, cache_dir=constants.HF_HUB_CACHE)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def local_folder(model: str) -> Path | None:
    """Where the user's judge is, a folder with a config.json or a hub id that is in the cache; or None.

    Libraries are given this folder and never the hub id: with an id they ask the network though told not to.
    """
    folder = Path(model).expanduser()
    try:
        if model and (folder / "config.json").is_file():
            return folder.absolute()
    except (OSError, ValueError):  # no name that a file can have
        return None
    return cached_folder(model, "config.json") if is_hub_id(model) else None


def download(hub_id: str) -> None:
    """Fetch what is needed of a repository into the hub's cache; only ever called when the user asks.

    Raises:
        EditorError: it is not to be had.
    """
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    hub: Any = huggingface_hub
    try:
        wanted = wanted_files(hub.list_repo_files(hub_id))
        hub.snapshot_download(hub_id, allow_patterns=wanted, cache_dir=constants.HF_HUB_CACHE)
    except OfflineModeIsEnabled as error:
        if cached_folder(hub_id, "model_index.json") is None:
            raise EditorError(
                "“{model}” is not on this machine, and downloading is switched off (HF_HUB_OFFLINE).",
                "Unset HF_HUB_OFFLINE to download it.",
                model=hub_id,
            ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise EditorError(
            "“{model}” could not be downloaded: {reason}.",
            "Check the name and the network.",
            model=hub_id,
            reason=reason_of(error),
        ) from error


def wanted_files(present: list[str]) -> list[str]:
    """A diffusers folder's files: no pickles, no single-file copies, float16 where there is a choice."""
    halves = {name for name in present if name.endswith((".fp16.safetensors", ".index.fp16.json"))}
    halved_parts = {name.rpartition("/")[0] for name in halves}
    wanted: list[str] = []
    for name in present:
        part, _, file = name.rpartition("/")
        is_weight = file.endswith((".safetensors", ".safetensors.index.json", ".index.fp16.json"))
        if is_weight and (not part or "/" in part or (part in halved_parts and name not in halves)):
            continue
        if is_weight or file.endswith((".json", ".txt", ".model")):
            wanted.append(name)
    return wanted
