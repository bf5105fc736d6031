"""By what a model's networks are made: the values of each part, and where its tokenizers are. Free of torch.

A folder says it in its `config.json` files. A single file holds weights only, but their shapes and names say
nearly all of it (`inference.weights.derived`); what is left is the same in every model of a family.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from inference.errors import EditorError
from inference.messages import Message
from inference.operations import Family
from inference.process.hub import cached_folder
from inference.weights import checkpoints, derived
from inference.weights.headers import read_metadata

# Repositories that hold T5's tokenizer; one that is in the hub's cache serves for single files.
_T5_TOKENIZERS = (
    ("stabilityai/stable-diffusion-3-medium-diffusers", "tokenizer_3"),
    ("stabilityai/stable-diffusion-3.5-medium", "tokenizer_3"),
    ("stabilityai/stable-diffusion-3.5-large", "tokenizer_3"),
    ("google/t5-v1_1-xxl", ""),
)
_ENCODER_FILES = {
    "text_encoder": ("clip_l.safetensors",),
    "text_encoder_2": ("clip_g.safetensors",),
    "text_encoder_3": (
        "t5xxl_fp16.safetensors", "t5xxl_fp8_e4m3fn_scaled.safetensors", "t5xxl_fp8_e4m3fn.safetensors",
    ),
}  # fmt: skip
_T5_FILES = ("tokenizer.json", "spiece.model")
# what shapes of tensors follow from; all else may differ between two configurations of one network
_SHAPES = (
    "in_channels", "block_out_channels", "cross_attention_dim", "latent_channels", "num_layers",
    "joint_attention_dim", "hidden_size", "num_hidden_layers", "intermediate_size", "d_model",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What is known of a model beside its weights.

    Args:
        name: what the model is called in messages.
        parts: the values of each network's `config.json`.
        scheduler: the values of `scheduler_config.json`.
        pipeline: the values of `model_index.json`.
        tokenizers: folders of tokenizers by part; a CLIP whose folder is missing has the shipped one.
        files: of parts that a single file has not in itself, or that replace what it has.
        as_named: those of `files` that have their tensors under the networks' own names.
        attune: the values of `attune.json`.
        notes: sentences on what the model does without.
    """

    name: str
    parts: Mapping[str, Mapping[str, Any]]
    scheduler: Mapping[str, Any]
    pipeline: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tokenizers: Mapping[str, Path] = field(default_factory=dict[str, Path])
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])
    as_named: frozenset[str] = frozenset()
    attune: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: tuple[Message, ...] = ()


def of_folder(folder: Path, family: Family) -> Configuration:
    """The configuration of a diffusers folder.

    Raises:
        EditorError: a file of it is missing or damaged.
    """
    names = checkpoints.parts(folder, family)
    card = folder / "attune.json"
    return Configuration(
        name=folder.name,
        parts={
            part: checkpoints.read_json(folder / part / "config.json")
            for part in names
            if not part.startswith(("scheduler", "tokenizer"))
        },
        scheduler=checkpoints.read_json(folder / "scheduler" / "scheduler_config.json"),
        pipeline=checkpoints.read_json(folder / "model_index.json"),
        tokenizers={part: folder / part for part in names if part.startswith("tokenizer")},
        attune=checkpoints.read_json(card) if card.is_file() else {},
    )


def of_file(path: Path, family: Family) -> Configuration:
    """The configuration of a single file: its own folder's if that fits, else what its tensors tell.

    Looked for beside the file: a folder of the same name, or the file's own.

    Raises:
        EditorError: the file is damaged, or of a kind that is not supported.
    """
    header = checkpoints.safetensors_header(path)
    metadata = read_metadata(path)
    own = derived.parts_of(header, family)
    files, values = _files_beside(path, family, own)
    told = {**own, **values}
    for folder, is_named in ((path.with_suffix(""), True), (path.parent, False)):
        beside = _beside(folder, family, told, is_named=is_named)
        if beside is not None:
            scheduler = derived.said_of_training(beside.scheduler, header)
            return _spoken(path, replace(beside, name=path.stem, scheduler=scheduler, files=files))
    if "unet" in told:
        size = derived.latent_size(header, family, metadata, path.stem)
        told["unet"] = {**told["unet"], "sample_size": size}
    tokenizers = {"tokenizer_3": folder} if (folder := _t5_tokenizer()) is not None else {}
    return _spoken(
        path,
        Configuration(
            name=path.stem,
            parts=told,
            files=files,
            scheduler=derived.scheduler_of(header, family, metadata, path.stem),
            pipeline=derived.pipeline_of(family),
            tokenizers=tokenizers,
        ),
    )


def files_of(path: Path, family: Family) -> tuple[Path, ...]:
    """All files that a single-file model is loaded from, its own first.

    Raises:
        EditorError: the file is damaged.
    """
    told = derived.parts_of(checkpoints.safetensors_header(path), family)
    return (path, *dict.fromkeys(_files_beside(path, family, told)[0].values()))


def _files_beside(
    path: Path, family: Family, told: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Path], dict[str, dict[str, Any]]]:
    """Files of single parts beside a checkpoint, and their values: as A1111 and ComfyUI look for them.

    `NAME.vae.safetensors` replaces the autoencoder; Stable Diffusion 3's text encoders, which its smaller
    files lack, are looked for in the file's own folder and in `text_encoders` and `clip` beside that.
    """
    files: dict[str, Path] = {}
    values: dict[str, dict[str, Any]] = {}
    wanted = {"vae": [path.with_name(f"{path.stem}.vae.safetensors")]}
    if family is Family.SD3:
        near = (path.parent, *(path.parent.parent / name for name in ("text_encoders", "clip")))
        for part, names in _ENCODER_FILES.items():
            if part not in told:
                wanted[part] = [folder / name for folder in near for name in names]
    for part, places in wanted.items():
        for place in places:
            with contextlib.suppress(EditorError, OSError):
                found = place.is_file() and derived.beside_of(
                    checkpoints.safetensors_header(place), part, family
                )
                if found:
                    files[part], values[part] = place, found
                    break
    return files, values


def _spoken(path: Path, found: Configuration) -> Configuration:
    """Without T5 where nothing can read words for it, and with what there is to say."""
    if "text_encoder_3" not in found.parts or "tokenizer_3" in found.tokenizers:
        return found
    note = Message(
        "“{name}” is used without its T5 text encoder: T5's tokenizer is not on this machine. "
        "Long or intricate prompts are followed less closely.",
        name=path.name,
    )
    kept = {part: values for part, values in found.parts.items() if part != "text_encoder_3"}
    return replace(found, parts=kept, notes=(note,))


def _beside(
    folder: Path, family: Family, told: Mapping[str, Mapping[str, Any]], *, is_named: bool
) -> Configuration | None:
    """The folder's configuration, if it is of the family and makes networks of the shapes that are `told`.

    A folder that has the file's own name is meant for it: then it is said where it does not fit.
    """
    if not (folder / "model_index.json").is_file():
        return None
    try:
        if checkpoints.folder_family(folder) is not family:
            return None
        found = of_folder(folder, family)
    except EditorError:
        return None
    fits = is_named or all(
        part in found.parts
        and all(
            _plain(values[name]) == _plain(found.parts[part][name])
            for name in _SHAPES
            if name in values and name in found.parts[part]
        )
        for part, values in told.items()
    )
    if not fits:
        return None
    kept = {
        part: values
        for part, values in found.parts.items()
        if part in told or (is_named and part != "text_encoder_3")
    }
    return replace(found, parts=kept)


def _plain(value: Any) -> Any:
    return list(cast(Sequence[Any], value)) if isinstance(value, list | tuple) else value


def _t5_tokenizer() -> Path | None:
    for repository, folder in _T5_TOKENIZERS:
        for name in _T5_FILES:
            found = cached_folder(repository, f"{folder}/{name}" if folder else name)
            if found is not None:
                return found
    return None
