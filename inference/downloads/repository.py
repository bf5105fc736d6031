"""What a repository of the hub holds, and which of its files a model needs: asked before any is fetched."""

import http.client
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from inference.downloads.connection import BrokenOffError, Connection
from inference.errors import EditorError
from inference.messages import listed
from inference.values import parsed_json
from inference.weights import checkpoints

_LARGEST_ANSWER = 32 * 2**20
_LARGEST_INDEX = 2**20
_MOST_FILES = 100_000
_LARGEST_FILE = 2**42
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAMED = 3  # files of a kind, in a message
_TRIES = 3


@dataclass(frozen=True)
class RemoteFile:
    """One file: its path in the repository, its bytes, and its hash.

    `hash` is the SHA-256 of its bytes (64 digits), or for small files git's SHA-1 of them (40 digits).
    """

    name: str
    size: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository at one commit: its files by name."""

    hub_id: str
    commit: str
    files: Mapping[str, RemoteFile]


def look_up(hub_id: str, connection: Connection) -> Repository:
    """What the repository holds now.

    Raises:
        EditorError: it is not there, not open to the user, or the server says what cannot be.
    """
    content = fetched(connection, f"/api/models/{hub_id}/revision/main?blobs=true", hub_id, _LARGEST_ANSWER)
    try:
        values: Any = parsed_json(content)
        commit, siblings = values["sha"], values["siblings"]
        if not (isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}", commit)):
            raise ValueError("sha")
        if not isinstance(siblings, list) or len(cast("list[Any]", siblings)) > _MOST_FILES:
            raise ValueError("siblings")
        files = [file for one in cast("list[Any]", siblings) if (file := _file(one)) is not None]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _nonsense(connection, hub_id) from error
    return Repository(hub_id=hub_id, commit=commit, files={file.name: file for file in files})


def wanted(repository: Repository, connection: Connection) -> tuple[RemoteFile, ...]:
    """The files that the model needs, by its `model_index.json`: one form of each weight, and no pickles.

    Raises:
        EditorError: it is no model that can be used; the message says what it is instead.
    """
    names = repository.files
    if "model_index.json" not in names:
        raise _no_pipeline(repository)
    path = f"/{repository.hub_id}/resolve/{repository.commit}/model_index.json"
    try:
        index: Any = parsed_json(fetched(connection, path, repository.hub_id, _LARGEST_INDEX))
    except (ValueError, RecursionError) as error:
        raise _nonsense(connection, repository.hub_id) from error
    if not isinstance(index, dict):
        raise _nonsense(connection, repository.hub_id)
    family = checkpoints.pipeline_family(cast("dict[str, Any]", index), repository.hub_id)
    parts = checkpoints.named_parts(cast("dict[str, Any]", index), family)
    chosen = ["model_index.json"]
    chosen += [name for part in parts for name in _part_files(repository, part, tuple(names))]
    if "attune.json" in names:
        chosen.append("attune.json")
    return tuple(names[name] for name in dict.fromkeys(chosen))


def fetched(connection: Connection, path: str, hub_id: str, most: int) -> bytes:
    """A small answer, whole.

    Raises:
        EditorError: it is not to be had, or is larger than `most` bytes.
    """
    for attempt in range(_TRIES):
        try:
            with connection.open(path, model=hub_id) as answer:
                content = answer.read(most + 1)
        except BrokenOffError as broken:
            if attempt == _TRIES - 1:
                raise broken.error from broken
        except (OSError, ValueError, http.client.HTTPException) as error:
            failure = connection.lost(error, hub_id)
            if attempt == _TRIES - 1 or not isinstance(failure, BrokenOffError):
                raise (failure.error if isinstance(failure, BrokenOffError) else failure) from error
        else:
            if len(content) > most:
                raise _nonsense(connection, hub_id)
            return content
    raise AssertionError("the last try ends it")


def _part_files(repository: Repository, part: str, names: Sequence[str]) -> list[str]:
    inside = [name for name in names if name.startswith(f"{part}/") and name.count("/") == 1]
    if part.startswith(("tokenizer", "scheduler")):
        return [name for name in inside if name.endswith((".json", ".txt", ".model"))]
    stem = f"{part}/" + ("diffusion_pytorch_model" if part in ("unet", "transformer", "vae") else "model")
    config = [name for name in inside if name == f"{part}/config.json"]
    for variant in (".fp16", ""):  # half the bytes for the same picture
        if f"{stem}{variant}.safetensors" in inside:
            return [*config, f"{stem}{variant}.safetensors"]
        index = f"{stem}.safetensors.index{variant}.json"
        pieces = [name for name in inside if _is_piece(name, stem, variant)]
        if index in inside and pieces:
            return [*config, index, *pieces]
    raise EditorError(
        "“{model}” has its {part} in no .safetensors file.",
        "Files of other kinds can run code when they are opened. Choose another model.",
        model=repository.hub_id,
        part=part,
    )


def _is_piece(name: str, stem: str, variant: str) -> bool:
    dotted = re.escape(variant)
    middle = rf"(?:{dotted}-\d{{5}}-of-\d{{5}}|-\d{{5}}-of-\d{{5}}{dotted})"
    return re.fullmatch(rf"{re.escape(stem)}{middle}\.safetensors", name) is not None


def _file(values: Any) -> RemoteFile | None:
    """A file as the server tells it; None for what cannot be fetched with a hash."""
    name, large = values["rfilename"], values.get("lfs") or {}
    if not isinstance(large, dict):
        return None
    large = cast("dict[str, Any]", large)
    size = large.get("size", values.get("size"))
    digest = large.get("sha256") or large.get("oid") or values.get("blobId")
    if not isinstance(name, str) or not _is_plain(name) or type(size) is not int:
        return None
    if not 0 <= size <= _LARGEST_FILE or not isinstance(digest, str) or not _HASH.fullmatch(digest):
        return None
    return RemoteFile(name, size, digest)


def _is_plain(name: str) -> bool:
    """Whether it is a path that stays inside its folder on every system."""
    parts = name.split("/")
    return (
        0 < len(name) < 512
        and all(part not in ("", ".", "..") for part in parts)
        and not any(letter in '\\:*?"<>|' or ord(letter) < 32 for letter in name)
    )


def _no_pipeline(repository: Repository) -> EditorError:
    names = repository.files
    if any("lora" in name.lower() and name.endswith(".safetensors") for name in names) or (
        "adapter_config.json" in names
    ):
        return EditorError(
            "“{model}” is a LoRA, an addition to a model, and no model of its own.",
            "Choose the model that it was made for.",
            model=repository.hub_id,
        )
    single = [name for name in names if name.endswith(".safetensors") and "/" not in name]
    if single:
        return EditorError(
            "“{model}” is no diffusers folder: it has no model_index.json.",
            "It has {files}: download one with your browser and add that file.",
            model=repository.hub_id,
            files=listed(sorted(single)[:_NAMED]),
        )
    return EditorError(
        "“{model}” is no model that draws pictures: it has no model_index.json.",
        checkpoints.SUPPORTED,
        model=repository.hub_id,
    )


def _nonsense(connection: Connection, hub_id: str) -> EditorError:
    return EditorError(
        "{host} answered about “{model}” with something that is no answer.",
        "Perhaps a page to sign in to the network stands between: open one in your browser. "
        "If you use a mirror (HF_ENDPOINT), check its address.",
        host=connection.host,
        model=hub_id,
    )
