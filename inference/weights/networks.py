"""The networks of a model: which class makes which part, and whether the weights in its files are all there.

Classes come from the table here, whatever a model's files name; of a configuration only the fields are read
that its class declares.
"""

import dataclasses
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, PreTrainedConfig, T5EncoderModel

from inference.errors import EditorError
from inference.operations import Family
from inference.reasons import first_line
from inference.weights import checkpoints
from inference.weights.configuration import Configuration

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""Tensors' names and shapes."""

_COMMON = frozenset(field.name for field in dataclasses.fields(cast("Any", PreTrainedConfig)))
_TOKEN_IDS = frozenset({"pad_token_id", "bos_token_id", "eos_token_id"})
# what old files call the four matrices of an autoencoder's attention
_OLD_ATTENTION = (("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0"))
_MOST_LAYERS = 1000  # published ones have below 50
_DEPTH = re.compile(r"layers|blocks")


def network_class(part: str, family: Family) -> Any:
    """The class of a part, by its name alone."""
    match part:
        case "unet":
            return UNet2DConditionModel
        case "transformer":
            return SD3Transformer2DModel
        case "vae":
            return AutoencoderKL
        case "text_encoder_3":
            return T5EncoderModel
        case "text_encoder" if family is not Family.SD3:
            return CLIPTextModel
        case _:
            return CLIPTextModelWithProjection


def is_diffusers(part: str, family: Family) -> bool:
    """Whether a part's class belongs to diffusers, not to transformers."""
    return issubclass(network_class(part, family), ModelMixin)


def text_config(values: Mapping[str, Any], part: str, family: Family) -> Any:
    """A text encoder's configuration, made of the fields that its class declares and of nothing else."""
    made: Any = network_class(part, family).config_class
    declared = {field.name for field in dataclasses.fields(made)} - (_COMMON - _TOKEN_IDS)
    return made(**{name: value for name, value in values.items() if name in declared})


def new_network(configuration: Configuration, part: str, family: Family) -> nn.Module:
    """The part's network as its configuration says; its weights are on the meta device, without contents.

    Raises:
        EditorError: the configuration makes no network.
    """
    values = configuration.parts[part]
    _check_depth(configuration.name, part, values)
    made = network_class(part, family)
    try:
        with _weights_left_out():
            if is_diffusers(part, family):
                return made.from_config(dict(values))
            return made(text_config(values, part, family))
    except EditorError:
        raise
    except Exception as error:  # the libraries raise whatever a wrong value runs into
        raise EditorError(
            "“{model}” is damaged: {part}/config.json makes no network ({reason}).",
            "Copy or download it again.",
            model=configuration.name,
            part=part,
            reason=first_line(error),
        ) from error


@contextmanager
def _weights_left_out() -> Generator[None]:
    """Let weights of networks that are made here have shapes only; tables that are computed stay real.

    Else each would be filled with random numbers before it is replaced, in float32: twice the memory, and
    half a minute for a large model.
    """
    plain = nn.Module.register_parameter

    def empty(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if param is not None:
            param = nn.Parameter(param.detach().to("meta"), requires_grad=param.requires_grad)
        plain(self, name, param)

    nn.Module.register_parameter = empty
    try:
        yield
    finally:
        nn.Module.register_parameter = plain


def filled(
    network: nn.Module, tensors: Mapping[str, torch.Tensor], part: str, dtype: torch.dtype
) -> nn.Module:
    """The network with these weights, which are taken and not copied where they have its dtype already.

    Args:
        network: made by `new_network`.
        tensors: by any of the names that `known_names` knows; those that it does not have are left out.
        dtype: of the network afterwards, but for parts that overflow in float16.
    """
    overflowing: Sequence[str] = getattr(network, "_keep_in_fp32_modules", None) or ()
    exact = set(overflowing) if dtype is torch.float16 else set[str]()
    by_name = {known_name(name, part): tensor for name, tensor in tensors.items()}
    found: dict[str, torch.Tensor] = {}
    for name, empty in network.state_dict().items():
        tensor = by_name.pop(known_name(name, part), None)
        if tensor is not None and empty.is_floating_point():
            kept = torch.float32 if exact & set(name.split(".")) else dtype
            found[name] = tensor.reshape(empty.shape).to(kept)
    network.load_state_dict(found, strict=False, assign=True)
    if part == "text_encoder_3":  # T5 has one table under two names
        t5: Any = network
        t5.encoder.set_input_embeddings(t5.shared)
    for name, buffer in network.named_buffers():
        if buffer.is_floating_point() and name not in found:
            module, _, last = name.rpartition(".")
            setattr(network.get_submodule(module), last, buffer.to(dtype))
    return network.eval()


def vae_dtype(config: Mapping[str, Any], dtype: torch.dtype) -> torch.dtype:
    """SDXL's VAE overflows in float16 and says so in its configuration."""
    return torch.float32 if dtype is torch.float16 and config.get("force_upcast", False) else dtype


def expected(configuration: Configuration, part: str, family: Family) -> Shapes:
    """The tensors that a part has to have; nothing is allocated.

    Raises:
        EditorError: the configuration cannot be read or makes no network.
    """
    network = new_network(configuration, part, family)
    return known_names({name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}, part)


def known_names(shapes: Shapes, part: str) -> Shapes:
    """The shapes under the names that this version of the libraries uses."""
    renamed: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        if part == "vae" and "attentions" in name:
            while len(shape) > 2 and shape[-1] == 1:  # once convolutions of one pixel
                shape = shape[:-1]
        renamed[known_name(name, part)] = shape
    if "shared.weight" in renamed:  # T5 has one table under two names
        renamed.pop("encoder.embed_tokens.weight", None)
    return {name: shape for name, shape in renamed.items() if not name.endswith("position_ids")}


def known_name(name: str, part: str) -> str:
    """What this version of the libraries calls a tensor of a part, without the wrapper of text models."""
    if part.startswith("text_encoder"):
        return name.removeprefix("text_model.")
    if part == "vae" and "attentions" in name:
        for old, current in _OLD_ATTENTION:
            name = name.replace(f".{old}.", f".{current}.")
    return name


def misfits(model: str, part: str, wanted: Shapes, given: Shapes) -> Iterator[EditorError]:
    """What keeps the tensors `given` from being the network `wanted`; tensors too many do no harm."""
    missing = [name for name in wanted if name not in given]
    if missing:
        yield EditorError(
            "“{model}” is incomplete: its {part} lacks {count} of {total} tensors, such as {name}.",
            "Copy or download it again.",
            model=model,
            part=part,
            count=len(missing),
            total=len(wanted),
            name=missing[0],
        )
    wrong = [name for name, shape in wanted.items() if given.get(name, shape) != shape]
    if wrong:
        yield EditorError(
            "“{model}” does not fit its configuration: {part} has {name} with the shape {given}, "
            "not {wanted} ({count} such tensors).",
            "Use the configuration that belongs to these weights.",
            model=model,
            part=part,
            name=wrong[0],
            given=_shape_text(given[wrong[0]]),
            wanted=_shape_text(wanted[wrong[0]]),
            count=len(wrong),
        )


def folder_misfits(
    folder: Path, part: str, family: Family, configuration: Configuration
) -> Iterator[EditorError]:
    """What is missing or wrong in the weights of one part of a folder, by their headers.

    Raises:
        EditorError: a file cannot be read.
    """
    given: dict[str, tuple[int, ...]] = {}
    if part in configuration.files:  # which `single_file` reads
        return
    for file in checkpoints.part_weights(folder, part).files:
        header = checkpoints.safetensors_header(file)
        given |= {name: checkpoints.shape_of(header, name) for name in header}
    wanted = expected(configuration, part, family)
    yield from misfits(folder.name, part, wanted, known_names(given, part))


def _check_depth(model: str, part: str, values: Mapping[str, Any]) -> None:
    """Each layer costs time before any weight is looked at."""
    for name, value in values.items():
        counts = cast("list[Any]", value) if isinstance(value, list) else [value]
        for count in counts:
            if _DEPTH.search(name) and isinstance(count, int) and count > _MOST_LAYERS:
                raise EditorError(
                    "“{model}” is damaged: {part}/config.json wants {count} layers.",
                    "Copy or download it again.",
                    model=model,
                    part=part,
                    count=count,
                )


def _shape_text(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "one number"
