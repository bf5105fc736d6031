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
from inference.models import ModelEntry, config_folder
from inference.operations import Family
from inference.weights import checkpoints, networks
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
_OPTIONAL = ("text_encoder_3",)
_WORDS = {"unet": "denoiser", "transformer": "denoiser", "vae": "autoencoder (VAE)"}
# Empty tensors by which files say that their network predicts v, and was trained down to no signal at all.
_SAYS_V, _SAYS_NO_SIGNAL = "v_pred", "ztsnr"


def network_parts(header: Mapping[str, Any], family: Family) -> tuple[str, ...]:
    """The parts of a file, in a fixed order; those that it may lack only if they are there."""
    return tuple(
        part for part in _PLACES[family] if part not in _OPTIONAL or _place(header, part, family) is not None
    )


def part_tensors(tensors: Tensors, part: str, family: Family, folder: Path, name: str) -> dict[str, Tensor]:
    """A part's tensors under its network's names; on the meta device as well.

    Args:
        tensors: all of the file's.
        folder: where the configurations are.
        name: what the model is called in messages.

    Raises:
        EditorError: the part is not in the file, or tensors of it are missing.
    """
    place = _place(tensors, part, family)
    if place is None:
        raise EditorError(
            "“{model}” is incomplete: it has no {part}.",
            "Use a file that holds the whole model.",
            model=name,
            part=_WORDS.get(part, "text encoder"),
        )
    own = {key: tensor for key, tensor in tensors.items() if key.startswith(place)}
    config = checkpoints.read_json(folder / part / "config.json")
    try:
        return _converted(own, part, place, config)
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


def scheduler_config(config: Mapping[str, Any], header: Mapping[str, Any]) -> dict[str, Any]:
    """The scheduler's configuration with what the file itself says of its training.

    A network that predicts v and was trained to a signal-to-noise ratio of zero is sampled from the last
    timestep on (arXiv:2305.08891, sections 3.1, 3.2 and 3.4).
    """
    said: dict[str, Any] = {}
    if _SAYS_V in header:
        said["prediction_type"] = "v_prediction"
    if _SAYS_NO_SIGNAL in header:
        said |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return {**config, **said}


def misfits(entry: ModelEntry) -> Iterator[EditorError]:
    """What is missing or wrong in a single file's weights, by its header.

    Raises:
        EditorError: a part is not there at all, or a configuration cannot be read.
    """
    folder, family = config_folder(entry), entry.family
    empty = empty_tensors(checkpoints.safetensors_header(entry.path))
    for part in network_parts(empty, family):
        found = part_tensors(empty, part, family, folder, entry.name)
        given = {name: tuple(tensor.shape) for name, tensor in found.items()}
        wanted = networks.expected(folder, part, family)
        yield from networks.misfits(entry.name, part, wanted, networks.known_names(given, part))


def empty_tensors(header: Mapping[str, TensorPlace]) -> dict[str, Tensor]:
    """A file's tensors without their contents."""
    return {name: torch.empty(checkpoints.shape_of(header, name), device="meta") for name in header}


def used(names: Iterable[str], family: Family) -> Iterator[str]:
    """The tensors that the parts are made of; files hold others as well, such as moving averages."""
    places = tuple(place for part in _PLACES[family].values() for place in part)
    return (name for name in names if name.startswith(places) and not name.endswith("attn_mask"))


def _place(keys: Mapping[str, Any], part: str, family: Family) -> str | None:
    for place in _PLACES[family].get(part, ()):
        mark = place or "joint_blocks."
        if any(key.startswith(mark) for key in keys):
            return place
    return None


def _converted(own: dict[str, Tensor], part: str, place: str, config: dict[str, Any]) -> dict[str, Tensor]:
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
    if place == "text_encoders.clip_l.transformer.":  # published without: the projection is none
        width = found["embeddings.position_embedding.weight"].shape[-1]
        found.setdefault("text_projection.weight", torch.eye(width))
    return found
