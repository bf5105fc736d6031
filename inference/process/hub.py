"""The Hugging Face hub's cache on this machine. Free of torch.

Nothing here or in the libraries contacts the network; `inference.downloads` does, when the user asks.
"""

import os
import re
from pathlib import Path

# the hub allows no more, and two dots would lead out of a folder, here and there
_HUB_ID = re.compile(r"(?!.*\.\.)[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)
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
