"""Single checkpoint files: their tensors under the names that the parts' networks have.

diffusers' own reader makes a pipeline from a `model_index.json` and imports what that names; here the parts
are fixed, and only its renaming of tensors is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch
from diffusers.loaders import single_file_utils
from torch import Tensor

from inference.errors import EditorError
from inference.operations import Family
from inference.weights import checkpoints, networks
from inference.weights.configuration import Configuration
from inference.weights.headers import TensorPlace

Tensors: TypeAlias = Mapping[str, Tensor]

_DENOISER = ("model.diffusion_model.",)
_VAE = ("first_stage_model.", "vae.")
_OPEN_CLIP = ("cond_stage_model.model.", "conditioner.embedders.1.model.")
# where the parts' tensors are; the first prefix that the file has counts
_PLACES: Mapping[Family, Mapping[str, tuple[str, ...]]] = {
    Family.SD1: {
        "unet": _DENOISER,
        "vae": _VAE,
        "text_encoder": ("cond_stage_model.transformer.", "cond_stage_model.model."),
    },
    Family.SDXL: {
        "unet": _DENOISER,
        "vae": _VAE,
        "text_encoder": ("conditioner.embedders.0.transformer.",),
        "text_encoder_2": ("conditioner.embedders.1.model.",),
    },
    Family.SD3: {
        "transformer": (*_DENOISER, ""),
        "vae": _VAE,
        "text_encoder": ("text_encoders.clip_l.transformer.",),
        "text_encoder_2": ("text_encoders.clip_g.transformer.",),
        "text_encoder_3": ("text_encoders.t5xxl.transformer.",),
    },
}
_WORDS = {"unet": "denoiser", "transformer": "denoiser", "vae": "autoencoder (VAE)"}
_OPTIONAL = ("text_encoder_3",)
# by the side of weights in float8 that were scaled to use all of its range
_SCALES = (".scale_weight", ".weight_scale")
_INPUT_SCALES = (".scale_input", ".input_scale")


def network_parts(configuration: Configuration, family: Family) -> tuple[str, ...]:
    """The parts of a file, in a fixed order; those that it may lack only if they can be used."""
    return tuple(part for part in _PLACES[family] if part not in _OPTIONAL or part in configuration.parts)


def part_names(
    names: Iterable[str], part: str, family: Family, configuration: Configuration
) -> tuple[str, ...]:
    """Which tensors of a file `part_tensors` reads: of the model's own, or of the part's own."""
    there = tuple(names)
    if part in configuration.files:
        return there
    place = _place(dict.fromkeys(there), part, family)
    if place is None:
        return ()
    others = tuple(one for places in _PLACES[family].values() for one in places if one and not place)
    return tuple(name for name in there if name.startswith(place) and not name.startswith(others))


def part_tensors(
    tensors: Tensors, part: str, family: Family, configuration: Configuration
) -> dict[str, Tensor]:
    """A part's tensors under its network's names; on the meta device as well.

    Args:
        tensors: those of `part_names`, or all of the file's.

    Raises:
        EditorError: the part is not in the file, or tensors of it are missing.
    """
    name = configuration.name
    place = "" if part in configuration.files else _place(tensors, part, family)
    if place is None or part not in configuration.parts:
        raise _lacking(name, part, family)
    if part in configuration.as_named:
        return dict(tensors)
    own = {key: tensors[key] for key in part_names(tensors, part, family, configuration)}
    try:
        return _converted(_unscaled(own), part, place, dict(configuration.parts[part]), family)
    except KeyError as error:  # the renaming takes what it expects
        raise EditorError(
            "“{model}” is incomplete: its {part} lacks the tensor {name}.",
            "Copy or download it again.",
            model=name,
            part=_WORDS.get(part, "text encoder"),
            name=str(error).strip("'"),
        ) from error
    except (ValueError, IndexError, RuntimeError, TypeError, AttributeError) as error:
        raise EditorError(
            "“{model}” cannot be read: its {part} has tensors of unknown names or shapes.",
            "Use a file that holds the whole model.",
            model=name,
            part=_WORDS.get(part, "text encoder"),
        ) from error


def misfits(path: Path, family: Family, configuration: Configuration) -> Iterator[EditorError]:
    """What is missing or wrong in a single file's weights, by its header.

    Raises:
        EditorError: a part is not there at all, or a configuration makes no network.
    """
    own = empty_tensors(checkpoints.safetensors_header(path))
    for part in network_parts(configuration, family):
        if part in configuration.files:
            yield from beside_misfits(part, family, configuration)
        else:
            yield from _part_misfits(own, part, family, configuration)


def beside_misfits(part: str, family: Family, configuration: Configuration) -> Iterator[EditorError]:
    """The same of a part that has a file of its own.

    Raises:
        EditorError: as `misfits`.
    """
    empty = empty_tensors(checkpoints.safetensors_header(configuration.files[part]))
    yield from _part_misfits(empty, part, family, configuration)


def _part_misfits(
    empty: Tensors, part: str, family: Family, configuration: Configuration
) -> Iterator[EditorError]:
    found = part_tensors(empty, part, family, configuration)
    given = {name: tuple(tensor.shape) for name, tensor in found.items()}
    wanted = networks.expected(configuration, part, family)
    yield from networks.misfits(configuration.name, part, wanted, networks.known_names(given, part))


def empty_tensors(header: Mapping[str, TensorPlace]) -> dict[str, Tensor]:
    """A file's tensors without their contents."""
    return {name: torch.empty(checkpoints.shape_of(header, name), device="meta") for name in header}


def used(names: Iterable[str], family: Family) -> Iterator[str]:
    """The tensors that the parts are made of; files hold others as well, such as moving averages."""
    places = tuple(place for part in _PLACES[family].values() for place in part)
    return (name for name in names if name.startswith(places) and not name.endswith("attn_mask"))


def _lacking(name: str, part: str, family: Family) -> EditorError:
    if family is Family.SD3 and part.startswith("text_encoder"):
        return EditorError(
            "“{model}” holds no text encoders.",
            "Use the file of the same model whose name says that it includes them, such as “…_incl_clips”, "
            "or put clip_l.safetensors and clip_g.safetensors beside it.",
            model=name,
        )
    return EditorError(
        "“{model}” is incomplete: it has no {part}.",
        "Use a file that holds the whole model.",
        model=name,
        part=_WORDS.get(part, "text encoder"),
    )


def _unscaled(own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with the factors multiplied in that stand beside weights in float8."""
    kept = {name: tensor for name, tensor in own.items() if not name.endswith((*_SCALES, *_INPUT_SCALES))}
    for name, factor in own.items():
        scaled = next((name.removesuffix(end) + ".weight" for end in _SCALES if name.endswith(end)), "")
        if scaled in kept and not factor.is_meta:
            weight = kept[scaled]
            kept[scaled] = (weight.float() * factor.float()).to(weight.dtype)
    return kept


def _place(keys: Mapping[str, Any], part: str, family: Family) -> str | None:
    for place in _PLACES[family].get(part, ()):
        mark = place or "joint_blocks."
        if any(key.startswith(mark) for key in keys):
            return place
    return None


def _converted(
    own: dict[str, Tensor], part: str, place: str, config: dict[str, Any], family: Family
) -> dict[str, Tensor]:
    convert: Any = single_file_utils
    if part == "unet":
        return convert.convert_ldm_unet_checkpoint(own, config)
    if part == "transformer":
        return convert.convert_sd3_transformer_checkpoint_to_diffusers(own)
    if part == "vae":
        return convert.convert_ldm_vae_checkpoint(own, config)
    if place in _OPEN_CLIP:
        network = SimpleNamespace(config=SimpleNamespace(hidden_size=int(config["hidden_size"])))
        found = convert.convert_open_clip_checkpoint(network, own, prefix=place)
    else:
        found = {key.removeprefix(place): tensor for key, tensor in own.items()}
    found = {key.removeprefix("text_model."): tensor for key, tensor in found.items()}
    if family is Family.SD3 and part == "text_encoder":  # published without: the projection is none
        width = found["embeddings.position_embedding.weight"].shape[-1]
        found.setdefault("text_projection.weight", torch.eye(width))
    return found
