"""Loading a model of the catalogue: folder, single file and hub snapshot give the same components."""

import platform
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.utils import logging as diffusers_logging
from safetensors import torch as torch_files
from transformers import CLIPTokenizer, T5Tokenizer
from transformers.utils import logging as transformers_logging

from inference.backbones.base import Backbone
from inference.backbones.components import Components
from inference.backbones.latent import LatentBackbone
from inference.backbones.sd1 import Sd1Backbone
from inference.backbones.sd3 import Sd3Backbone
from inference.backbones.sdxl import SdxlBackbone
from inference.errors import Cancelled, EditorError
from inference.memory import is_out_of_memory
from inference.messages import listed
from inference.models import MemoryMode, ModelEntry, config_folder, ensure_complete, model_hash
from inference.operations import Family
from inference.progress import Progress
from inference.weights import checkpoints, networks, single_file

_BACKBONES: Mapping[Family, type[LatentBackbone]] = {
    Family.SD1: Sd1Backbone,
    Family.SDXL: SdxlBackbone,
    Family.SD3: Sd3Backbone,
}
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# Width of CLIP-L's tokens in every model that has it; SD 2.x has OpenCLIP-H in its place.
_CLIP_H_WIDTH = 1024


def load_backbone(
    entry: ModelEntry,
    *,
    device: str = "auto",
    dtype: str = "auto",
    memory_mode: MemoryMode | str = MemoryMode.FULL,
    progress: Progress | None = None,
) -> Backbone:
    """Load a model; `progress` is told part by part, and can cancel between parts.

    Args:
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "auto", "float32", "bfloat16" or "float16".
        memory_mode: how much of it is on the device at once.

    Raises:
        EditorError: the model is incomplete or unsupported, or the device or dtype is not there.
    """
    progress = progress or Progress()
    ensure_complete(entry)
    _silence_progress_bars()
    chosen = choose_device(device)
    number = choose_dtype(dtype, chosen)
    load = _from_file if entry.is_file else _from_folder
    with _one_boundary(entry):
        components = load(entry, number, progress)
        _check_kind(entry, components)
    return _BACKBONES[entry.family](
        entry,
        components,
        model_hash=model_hash(entry),
        device=chosen,
        dtype=number,
        memory_mode=MemoryMode(memory_mode),
    )


@contextmanager
def _one_boundary(entry: ModelEntry) -> Generator[None]:
    """Whatever the libraries meet in a model's files is told; memory that ran out stays what it is."""
    try:
        yield
    except (EditorError, Cancelled):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise EditorError(
            "“{model}” cannot be loaded: {reason}.",
            "“attune models check” tells more. Copy or download it again.",
            model=entry.name,
            reason=next(iter(str(error).strip().splitlines()), type(error).__name__)[:300],
        ) from error


def choose_device(name: str) -> torch.device:
    """The device that `name` means; "auto" picks CUDA, then MPS, then the CPU.

    Raises:
        EditorError: it is not there, or unknown.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    if not available.get(name, False):
        there = listed(kind for kind, is_there in available.items() if is_there)
        raise EditorError(
            "The device “{name}” is not available.", "Available here: auto, {there}.", name=name, there=there
        )
    return torch.device(name)


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The networks' dtype; "auto" is bfloat16 where it is native, float16 on other GPUs, float32 on CPUs.

    Raises:
        EditorError: it is unknown.
    """
    if name in _DTYPES:
        return _DTYPES[name]
    if name != "auto":
        raise EditorError(
            "Unknown dtype “{name}”.", "Known are: auto, {dtypes}.", name=name, dtypes=listed(_DTYPES)
        )
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "mps":
        newest = int((platform.mac_ver()[0] or "0").split(".")[0]) >= 14  # bfloat16 came with macOS 14
        return torch.bfloat16 if newest else torch.float16
    return torch.float32  # without native support bfloat16 is hundreds of times slower


def _silence_progress_bars() -> None:
    """The libraries draw bars on standard error; what there is to report goes to `Progress`."""
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def _from_folder(entry: ModelEntry, dtype: torch.dtype, progress: Progress) -> Components:
    folder, family = entry.path, entry.family
    part_names = checkpoints.parts(folder, family)
    loaded: dict[str, Any] = {}
    for done, part in enumerate(part_names):
        progress.step(done, len(part_names))
        loaded[part] = _load_part(folder, part, family, dtype)
    progress.step(len(part_names), len(part_names))
    return _components(entry, folder, loaded)


def _load_part(folder: Path, part: str, family: Family, dtype: torch.dtype) -> Any:
    if part == "scheduler":
        return checkpoints.read_json(folder / part / "scheduler_config.json")
    if part.startswith("tokenizer"):
        return _tokenizer(folder, part)
    for misfit in networks.folder_misfits(folder, part, family):  # the libraries fill gaps at random
        raise misfit
    variant = checkpoints.part_weights(folder, part).variant or None
    if part == "vae":
        dtype = _vae_dtype(checkpoints.read_json(folder / part / "config.json"), dtype)
    options: dict[str, Any]
    if networks.is_diffusers(part, family):
        options = {"low_cpu_mem_usage": False}  # the other way of loading would need one more library
    else:
        options = {"config": networks.text_config(folder, part, family), "trust_remote_code": False}
    return networks.network_class(part, family).from_pretrained(
        str(folder / part),
        dtype=dtype,
        variant=variant,
        use_safetensors=True,
        local_files_only=True,
        **options,
    )


def _tokenizer(folder: Path, part: str) -> Any:
    """A tokenizer of the class that the part has in every model; what its files name is not asked."""
    kind: Any = T5Tokenizer if part == "tokenizer_3" else CLIPTokenizer
    return kind.from_pretrained(str(folder / part), local_files_only=True, trust_remote_code=False)


def _vae_dtype(config: Mapping[str, Any], dtype: torch.dtype) -> torch.dtype:
    """SDXL's VAE overflows in float16 and says so in its configuration."""
    return torch.float32 if dtype is torch.float16 and config.get("force_upcast", False) else dtype


def _from_file(entry: ModelEntry, dtype: torch.dtype, progress: Progress) -> Components:
    folder, family = config_folder(entry), entry.family
    header = checkpoints.safetensors_header(entry.path)
    part_names = single_file.network_parts(header, family)
    for misfit in single_file.misfits(entry):
        raise misfit
    tensors: dict[str, Any] = cast("Any", torch_files).load_file(entry.path)
    loaded: dict[str, Any] = {}
    for done, part in enumerate(part_names):
        progress.step(done, len(part_names))
        weights = single_file.part_tensors(tensors, part, family, folder, entry.name)
        loaded[part] = _filled(networks.new_network(folder, part, family), weights, dtype)
    progress.step(len(part_names), len(part_names))
    for part in part_names:
        if part.startswith("text_encoder"):
            tokenizer = part.replace("text_encoder", "tokenizer")
            loaded[tokenizer] = _tokenizer(folder, tokenizer)
    scheduler = checkpoints.read_json(folder / "scheduler" / "scheduler_config.json")
    loaded["scheduler"] = single_file.scheduler_config(scheduler, header)
    loaded["vae"] = loaded["vae"].to(_vae_dtype(loaded["vae"].config, dtype))
    return _components(entry, folder, loaded)


def _filled(network: Any, weights: Mapping[str, torch.Tensor], dtype: torch.dtype) -> Any:
    """The network with these weights; `file_misfits` has found them complete."""
    wrapped = hasattr(network, "text_model")
    prefixed = {
        f"text_model.{name}" if wrapped and not name.startswith("text_projection") else name: tensor
        for name, tensor in weights.items()
    }
    network.load_state_dict(prefixed, strict=False)
    network.to(dtype)
    exact = getattr(network, "_keep_in_fp32_modules", None) or ()
    if dtype is torch.float16:  # parts that overflow in it
        for name, parameter in network.named_parameters():
            if set(name.split(".")) & set(exact):
                parameter.data = parameter.data.float()
    return network.eval()


def _components(entry: ModelEntry, folder: Path, loaded: Mapping[str, Any]) -> Components:
    names = _encoder_names(entry.family, loaded["text_encoder"])
    present = {name: suffix for name, suffix in names.items() if f"text_encoder{suffix}" in loaded}
    card = folder / "attune.json"
    return Components(
        denoiser=loaded["transformer" if entry.family is Family.SD3 else "unet"],
        vae=loaded["vae"],
        text_encoders={name: loaded[f"text_encoder{suffix}"] for name, suffix in present.items()},
        tokenizers={name: loaded[f"tokenizer{suffix}"] for name, suffix in present.items()},
        scheduler_config=loaded["scheduler"],
        pipeline_config=checkpoints.read_json(folder / "model_index.json"),
        attune=checkpoints.read_json(card) if card.is_file() else {},
    )


def _encoder_names(family: Family, first: Any) -> dict[str, str]:
    """Encoder names and the suffixes of their parts."""
    if family is Family.SD1:
        is_h = first.config.hidden_size == _CLIP_H_WIDTH
        return {"clip_h" if is_h else "clip_l": ""}
    names = {"clip_l": "", "clip_g": "_2"}
    return names if family is Family.SDXL else {**names, "t5": "_3"}


def _check_kind(entry: ModelEntry, components: Components) -> None:
    """Refuse what loads but is not a plain text-to-picture model of its family."""
    config = components.denoiser.config
    latent_channels = int(components.vae.config["latent_channels"])
    if int(config["in_channels"]) != latent_channels:
        raise EditorError(
            "“{name}” takes {channels} channels: it is made for inpainting or editing.",
            "Choose the model that generates from text alone ({latent_channels} channels).",
            name=entry.name,
            channels=config["in_channels"],
            latent_channels=latent_channels,
        )
    for name, tokenizer in components.tokenizers.items():
        if not tokenizer.is_fast:
            raise EditorError(
                "The tokenizer {name} of “{entry_name}” does not tell which characters a token stands for.",
                "Add its tokenizer.json.",
                name=name,
                entry_name=entry.name,
            )
