"""Loading a model of the catalogue: folder, single file and hub snapshot give the same components."""

import platform
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.utils import logging as diffusers_logging
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
from inference.models import ModelEntry, ensure_complete, model_hash
from inference.operations import Family
from inference.progress import Progress
from inference.weights import checkpoints, networks, single_file
from inference.weights.configuration import Configuration
from inference.weights.modes import AUTO, EXACT, INT8, STORAGES, MemoryMode
from inference.weights.reading import read_tensors
from inference.weights.storage import store
from inference.weights.tokenizers import tokenizer_of
from inference.weights.vae import of_model

_BACKBONES: Mapping[Family, type[LatentBackbone]] = {
    Family.SD1: Sd1Backbone,
    Family.SDXL: SdxlBackbone,
    Family.SD3: Sd3Backbone,
}
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_LARGE = 2**30
# Width of CLIP-L's tokens in every model that has it; SD 2.x has OpenCLIP-H in its place.
_CLIP_H_WIDTH = 1024


def load_backbone(
    entry: ModelEntry,
    *,
    device: str = "auto",
    dtype: str = "auto",
    memory_mode: MemoryMode | str = MemoryMode.FULL,
    storage: str = AUTO,
    progress: Progress | None = None,
) -> Backbone:
    """Load a model; `progress` is told part by part, and can cancel between parts.

    Args:
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "auto", "float32", "bfloat16" or "float16".
        memory_mode: how much of it is on the device at once.
        storage: one of `STORAGES`.

    Raises:
        EditorError: the model is incomplete or unsupported, or the device or dtype is not there.
    """
    progress = progress or Progress()
    ensure_complete(entry)
    _silence_libraries()
    chosen = choose_device(device)
    number = choose_dtype(dtype, chosen, entry.size_bytes)
    load = _from_file if entry.is_file else _from_folder
    with _one_boundary(entry):
        components = load(entry, number, progress, stored_as(storage, MemoryMode(memory_mode)))
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


def choose_dtype(name: str, device: torch.device, size_bytes: int = 0) -> torch.dtype:
    """The networks' dtype; "auto" is bfloat16 where it is native, float16 on other GPUs, float32 on CPUs.

    A CPU that computes in bfloat16 itself does so for models where it counts, those of over a gigabyte.

    Args:
        size_bytes: of the model's weights.

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
    # without native support bfloat16 is hundreds of times slower
    return torch.bfloat16 if size_bytes > _LARGE and _cpu_has_bfloat16() else torch.float32


def _cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16: AVX-512 BF16 or AMX, or BFMMLA on ARM."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    cpu: Any = torch.cpu
    return bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())


def _silence_libraries() -> None:
    """The libraries draw bars and print warnings; what there is to report goes to `Progress`."""
    diffusers_logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def stored_as(storage: str, mode: MemoryMode) -> str:
    """`INT8`, `FLOAT8` or `EXACT`: int8 is the closer one, and every device has it.

    Raises:
        EditorError: it is unknown.
    """
    if storage not in STORAGES:
        raise EditorError(
            "Unknown storage “{name}”.", "Known are: {known}.", name=storage, known=listed(STORAGES)
        )
    if storage != AUTO:
        return storage
    return INT8 if mode is MemoryMode.EIGHT_BIT else EXACT


def _from_folder(entry: ModelEntry, dtype: torch.dtype, progress: Progress, storage: str) -> Components:
    folder, family = entry.path, entry.family
    configuration = of_model(folder, family, entry.vae)

    def tensors(part: str, kept: torch.dtype) -> dict[str, torch.Tensor]:
        if part in configuration.files:
            for misfit in single_file.beside_misfits(part, family, configuration):
                raise misfit
            own = dict(read_tensors(configuration.files[part], dtype=kept))
            return single_file.part_tensors(own, part, family, configuration)
        for misfit in networks.folder_misfits(folder, part, family, configuration):
            raise misfit
        found: dict[str, torch.Tensor] = {}
        for file in checkpoints.part_weights(folder, part).files:
            found |= read_tensors(file, dtype=kept)
        return found

    return _components(entry, configuration, tuple(configuration.parts), tensors, dtype, progress, storage)


def _from_file(entry: ModelEntry, dtype: torch.dtype, progress: Progress, storage: str) -> Components:
    path, family = entry.path, entry.family
    configuration = of_model(path, family, entry.vae)
    for misfit in single_file.misfits(path, family, configuration):
        raise misfit

    def tensors(part: str, kept: torch.dtype) -> dict[str, torch.Tensor]:
        file = configuration.files.get(part, path)
        names = single_file.part_names(checkpoints.safetensors_header(file), part, family, configuration)
        return single_file.part_tensors(dict(read_tensors(file, names, kept)), part, family, configuration)

    parts = single_file.network_parts(configuration, family)
    return _components(entry, configuration, parts, tensors, dtype, progress, storage)


def _components(
    entry: ModelEntry,
    configuration: Configuration,
    parts: Sequence[str],
    tensors: Callable[[str, torch.dtype], dict[str, torch.Tensor]],
    dtype: torch.dtype,
    progress: Progress,
    storage: str,
) -> Components:
    """All parts, one after the other; at most the weights and one tensor more are in memory.

    Args:
        tensors: a part's tensors in a dtype, known to be complete.
    """
    loaded: dict[str, Any] = {}
    for done, part in enumerate(parts):
        progress.step(done, len(parts))
        kept = networks.vae_dtype(configuration.parts[part], dtype) if part == "vae" else dtype
        network = networks.new_network(configuration, part, entry.family)
        loaded[part] = networks.filled(network, tensors(part, kept), part, kept)
        if storage != EXACT and part != "vae":
            store(loaded[part], storage)
    progress.step(len(parts), len(parts))
    names = _encoder_names(entry.family, loaded["text_encoder"])
    present = {name: suffix for name, suffix in names.items() if f"text_encoder{suffix}" in loaded}
    return Components(
        denoiser=loaded["transformer" if entry.family is Family.SD3 else "unet"],
        vae=loaded["vae"],
        text_encoders={name: loaded[f"text_encoder{suffix}"] for name, suffix in present.items()},
        tokenizers={
            name: tokenizer_of(configuration, f"tokenizer{suffix}") for name, suffix in present.items()
        },
        scheduler_config=configuration.scheduler,
        pipeline_config=configuration.pipeline,
        attune=configuration.attune,
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
    if int(config["in_channels"]) not in (latent_channels, 2 * latent_channels + 1):
        raise EditorError(
            "“{name}” takes {channels} channels: it is made for editing.",
            "Choose the model that generates from text ({latent_channels} channels), or one for inpainting.",
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
