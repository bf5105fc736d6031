"""The catalogue of models: the built-in ones, and those the user added. Free of torch.

Models stay where they are; the catalogue only remembers places, in `models.json`.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import resources

from inference import checkpoints
from inference.errors import EditorError
from inference.files import replaced_file
from inference.messages import Message, listed
from inference.operations import Family
from inference.reasons import reason_of

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_DEFAULT_STEPS = {Family.SD1: 30, Family.SDXL: 30, Family.SD3: 28}
_DEFAULT_GUIDANCE = {Family.SD1: 7.5, Family.SDXL: 5.0, Family.SD3: 7.0}
# Whose configuration and tokenizers a single file takes when no folder lies beside it.
_REFERENCES = {
    Family.SD1: ("stable-diffusion-v1-5/stable-diffusion-v1-5", "CompVis/stable-diffusion-v1-4"),
    Family.SDXL: ("stabilityai/stable-diffusion-xl-base-1.0",),
    Family.SD3: (
        "stabilityai/stable-diffusion-3-medium-diffusers",
        "stabilityai/stable-diffusion-3.5-medium",
        "stabilityai/stable-diffusion-3.5-large",
    ),
}
_HASH_WHOLE_BYTES = 16 * 2**20
_HASH_PIECES, _HASH_PIECE_BYTES = 64, 64 * 2**10


class MemoryMode(Enum):
    """How much of a model is on the device at once, from the fastest to the tightest."""

    FULL = "full"
    MODEL = "model"  # one network at a time
    GROUP = "group"  # one block of the denoiser at a time
    SEQUENTIAL = "sequential"  # one layer at a time


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One model of the catalogue.

    Args:
        name: what it is called here.
        family: which backbone runs it.
        path: its diffusers folder (for a hub id the snapshot in the hub's cache) or .safetensors file.
        hub_id: "owner/name", or "".
        sandbox: one of the small built-in models.
        size_bytes: of its weights.
        default_steps, default_guidance_scale: what a request leaves open.
        sample_prompt: a prompt that suits it, or "".
        licence: of its weights, as far as known.
    """

    name: str
    family: Family
    path: Path
    hub_id: str = ""
    sandbox: bool = False
    size_bytes: int = 0
    default_steps: int = 30
    default_guidance_scale: float = 7.5
    sample_prompt: str = ""
    licence: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a single checkpoint file."""
        return self.path.suffix == ".safetensors"


class Catalogue:
    """What there is to generate with.

    Args:
        settings_folder: where `models.json` is.
        built_in: folder of the models that come with the app.
    """

    def __init__(self, settings_folder: Path, *, built_in: Path | None = None) -> None:
        self._file = settings_folder / "models.json"
        self._built_in = built_in or Path(resources.__file__).parent / "models"

    def entries(self) -> tuple[ModelEntry, ...]:
        """The built-in models, then the user's."""
        return (*self._built_in_entries(), *self._added().values())

    def find(self, model: str) -> ModelEntry:
        """The model that a name, a path or a hub id means; nothing is downloaded.

        Raises:
            EditorError: there is none; the message names what there is.
        """
        by_name = {entry.name: entry for entry in self.entries()}
        if model in by_name:
            return by_name[model]
        if model and Path(model).expanduser().exists():
            return _entry_at(Path(model).expanduser().absolute())
        if _HUB_ID.fullmatch(model):
            return _hub_entry(model)
        raise EditorError(
            "There is no model “{model}”.",
            "There are: {names}. A path or a hub id (owner/name) works as well.",
            model=model,
            names=listed(by_name) or Message("none"),
        )

    def add(self, model: str | Path) -> ModelEntry:
        """Remember a folder, a .safetensors file or a hub id; a hub id that is not there yet is downloaded.

        Raises:
            EditorError: it is incomplete, damaged, of an unsupported kind, or not to be had.
        """
        text = str(model)
        if not Path(text).expanduser().exists() and _HUB_ID.fullmatch(text):
            _download(text)
            entry = _hub_entry(text)
        else:
            entry = self.find(text)
        ensure_complete(entry)
        added = self._added()
        known = next((item for item in self.entries() if item.path == entry.path), None)
        if known is not None:
            return known
        entry = replace(entry, name=_free_name(entry.name, {item.name for item in self.entries()}))
        added[entry.name] = entry
        self._save(added)
        return entry

    def remove(self, name: str) -> None:
        """Forget a model that was added; its files stay.

        Raises:
            EditorError: there is none of that name, or it is built in.
        """
        added = self._added()
        if name not in added:
            if any(entry.name == name for entry in self._built_in_entries()):
                raise EditorError("“{name}” is built in and cannot be removed.", name=name)
            raise EditorError(
                "There is no added model “{name}”.",
                "Added are: {added}.",
                name=name,
                added=listed(added) or Message("none"),
            )
        del added[name]
        self._save(added)

    def check(self, model: str) -> dict[str, Any]:
        """What a model consists of, and one sentence for each thing that is wrong with it.

        Keys: name, family, path, hub_id, sandbox, complete, problems, parts, size_bytes, hash.

        Raises:
            EditorError: there is no such model, or it is of a kind that is not supported.
        """
        entry = self.find(model)
        found = entry_problems(entry)
        return {
            "name": entry.name,
            "family": entry.family.value,
            "path": str(entry.path),
            "hub_id": entry.hub_id,
            "sandbox": entry.sandbox,
            "complete": not found,
            "problems": list(found),
            "parts": [] if entry.is_file or found else list(checkpoints.parts(entry.path, entry.family)),
            "size_bytes": entry.size_bytes,
            "hash": "" if found else model_hash(entry),
        }

    def _built_in_entries(self) -> Iterator[ModelEntry]:
        if not self._built_in.is_dir():
            return
        for folder in sorted(self._built_in.iterdir()):
            if (folder / "model_index.json").is_file():
                yield _folder_entry(folder)

    def _added(self) -> dict[str, ModelEntry]:
        if not self._file.is_file():
            return {}
        stored = checkpoints.read_json(self._file).get("models", [])
        try:
            entries = [_stored_entry(item) for item in cast("list[dict[str, Any]]", stored)]
        except (KeyError, TypeError, ValueError) as error:
            raise EditorError(
                "“{file}” is damaged.", "Delete it and add your models again.", file=self._file
            ) from error
        return {entry.name: entry for entry in entries}

    def _save(self, entries: Mapping[str, ModelEntry]) -> None:
        stored = [
            {
                "name": entry.name,
                "family": entry.family.value,
                "path": str(entry.path),
                "hub_id": entry.hub_id,
            }
            for entry in entries.values()
        ]
        with replaced_file(self._file) as part:
            part.write_text(json.dumps({"models": stored}, indent=2) + "\n", encoding="utf-8")


def ensure_complete(entry: ModelEntry) -> None:
    """Raise the first of the entry's problems, if there is one."""
    found = entry_problems(entry)
    if found:
        raise EditorError(found[0])


def entry_problems(entry: ModelEntry) -> tuple[Message, ...]:
    """One sentence for everything that keeps a model from being loaded."""
    found = checkpoints.problems(entry.path, entry.family)
    if found or not entry.is_file:
        return found
    try:
        config_folder(entry)
    except EditorError as error:
        return (error.whole,)
    return ()


def config_folder(entry: ModelEntry) -> Path:
    """The diffusers folder whose configuration and tokenizers a single file is read with.

    Looked for beside the file (a folder of the same name, or the file's own), then in the hub's cache.

    Raises:
        EditorError: there is none of the same family and width on this machine.
    """
    wanted = checkpoints.first_width(entry.path)
    references = _REFERENCES[entry.family]
    cached = (_cached_snapshot(reference) for reference in references)
    candidates = (entry.path.with_suffix(""), entry.path.parent, *(folder for folder in cached if folder))
    for folder in candidates:
        if (folder / "model_index.json").is_file() and _fits(folder, entry.family, wanted):
            return folder
    raise EditorError(
        "“{name}” holds weights only; its configuration and tokenizers are not on this machine.",
        "Add {reference} first, or put a diffusers folder of the same model beside it as “{stem}”.",
        name=entry.path.name,
        reference=references[0],
        stem=entry.path.stem,
    )


def model_hash(entry: ModelEntry) -> str:
    """A hash of the weights' contents: files of up to 16 MiB whole, larger ones header and samples."""
    digest = hashlib.sha256()
    for file in checkpoints.weight_files(entry.path, entry.family):
        status = file.stat()
        relative = file.name if entry.is_file else file.relative_to(entry.path).as_posix()
        digest.update(relative.encode() + _file_hash(file, status.st_size, status.st_mtime_ns))
    return digest.hexdigest()[:32]


@lru_cache(maxsize=256)
def _file_hash(path: Path, size: int, modified_ns: int) -> bytes:
    del modified_ns  # part of the cache's key only
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= _HASH_WHOLE_BYTES:
            digest.update(file.read())
        else:
            for piece in range(_HASH_PIECES):
                file.seek(piece * (size - _HASH_PIECE_BYTES) // (_HASH_PIECES - 1))
                digest.update(file.read(_HASH_PIECE_BYTES))
    return digest.digest()


def _entry_at(path: Path) -> ModelEntry:
    if path.is_dir():
        return _folder_entry(path)
    family = checkpoints.file_family(path)
    return ModelEntry(
        name=path.stem,
        family=family,
        path=path,
        size_bytes=path.stat().st_size,
        default_steps=_DEFAULT_STEPS[family],
        default_guidance_scale=_DEFAULT_GUIDANCE[family],
    )


def _folder_entry(folder: Path, *, name: str = "", hub_id: str = "") -> ModelEntry:
    family = checkpoints.folder_family(folder)
    card = folder / "attune.json"
    own = checkpoints.read_json(card) if card.is_file() else {}
    return ModelEntry(
        name=name or folder.name,
        family=family,
        path=folder,
        hub_id=hub_id,
        sandbox=bool(own.get("sandbox", False)),
        size_bytes=sum(file.stat().st_size for file in folder.glob("*/*.safetensors")),
        default_steps=int(own.get("default_steps", _DEFAULT_STEPS[family])),
        default_guidance_scale=float(own.get("default_guidance_scale", _DEFAULT_GUIDANCE[family])),
        sample_prompt=str(own.get("sample_prompt", "")),
        licence=str(own.get("licence", "")),
    )


def _stored_entry(values: Mapping[str, Any]) -> ModelEntry:
    """A remembered model; it stays in the list when its files are away, and `check` says so."""
    name, hub_id, path = str(values["name"]), str(values.get("hub_id", "")), Path(values["path"])
    family = Family(values["family"])
    if hub_id:
        path = _cached_snapshot(hub_id) or path
    try:
        found = _folder_entry(path, hub_id=hub_id) if path.is_dir() else _entry_at(path)
    except EditorError:
        return ModelEntry(name=name, family=family, path=path, hub_id=hub_id)
    return replace(found, name=name)


def _hub_entry(hub_id: str) -> ModelEntry:
    folder = _cached_snapshot(hub_id)
    if folder is None:
        raise EditorError(
            "“{hub_id}” is not on this machine.", "“attune models add {hub_id}” downloads it.", hub_id=hub_id
        )
    return _folder_entry(folder, name=hub_id, hub_id=hub_id)


def _cached_snapshot(hub_id: str) -> Path | None:
    """The folder of a repository in the hub's cache (HF_HOME, HF_HUB_CACHE), or None."""
    from huggingface_hub import constants, try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, "model_index.json", cache_dir=constants.HF_HUB_CACHE)
    return Path(found).parent if isinstance(found, str) else None


def _download(hub_id: str) -> None:
    """Fetch what is needed of a repository into the hub's cache; only ever called when the user asks."""
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    hub: Any = huggingface_hub
    try:
        wanted = _wanted_files(hub.list_repo_files(hub_id))
        hub.snapshot_download(hub_id, allow_patterns=wanted, cache_dir=constants.HF_HUB_CACHE)
    except OfflineModeIsEnabled as error:
        if _cached_snapshot(hub_id) is None:
            raise EditorError(
                "“{hub_id}” is not on this machine, and downloading is switched off (HF_HUB_OFFLINE).",
                "Unset HF_HUB_OFFLINE to download it.",
                hub_id=hub_id,
            ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise EditorError(
            "“{hub_id}” could not be downloaded: {reason}.",
            "Check the name and the network.",
            hub_id=hub_id,
            reason=reason_of(error),
        ) from error


def _wanted_files(present: list[str]) -> list[str]:
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


def _fits(folder: Path, family: Family, first_width: tuple[int, ...]) -> bool:
    try:
        if checkpoints.folder_family(folder) is not family:
            return False
        part = "transformer" if family is Family.SD3 else "unet"
        config = checkpoints.read_json(folder / part / "config.json")
    except EditorError:
        return False
    if family is Family.SD3:
        width = int(config.get("num_attention_heads", 0)) * int(config.get("attention_head_dim", 0))
    else:
        width = int(config.get("block_out_channels", [0])[0])
    return not first_width or first_width[0] == width


def _free_name(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}-{number}"
    return free
