"""How much memory a picture will take, before any weight is loaded.

The networks are made without weights and run once on tensors that have shapes only: what each layer would
allocate, and when it would be let go, is counted. So no table of models and sizes is needed, and a new layout
is counted like a known one.
"""

import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from inference.errors import EditorError
from inference.models import ModelEntry
from inference.operations import Family
from inference.prompts.prompt import MOST_PIECES, tokenize
from inference.weights import networks
from inference.weights.configuration import Configuration, of_file, of_folder
from inference.weights.headers import TensorPlace, read_header
from inference.weights.loading import choose_device, choose_dtype
from inference.weights.modes import AUTO, FLOAT8, INT8, Asked, MemoryMode, modes_with
from inference.weights.storage import stored_bytes, widened_bytes
from inference.weights.tokenizers import tokenizer_of

_LATENT_SCALE = 8
_PIECE_TOKENS, _T5_TOKENS = 77, 256
# What libraries take beside tensors on a graphics card: CUDA's context, convolutions' workspaces.
_AROUND_BYTES = 700 * 2**20


@dataclass(frozen=True, kw_only=True)
class Needed:
    """Bytes of one model for pictures of one size.

    Args:
        weights: of each network, by its part.
        blocks: of the denoiser's largest block.
        denoising: what a step needs beside weights.
        decoding: what the VAE's decoder needs beside weights.
        stored: as `weights`, with large layers in 8 bits; {} is `weights`.
        stored_blocks: as `blocks`.
        widened: of the largest such layer while it is used.
        added: of LoRAs; where weights come and go they lie with them, outside of the device.
    """

    weights: Mapping[str, int]
    blocks: int
    denoising: int
    decoding: int
    stored: Mapping[str, int] = field(default_factory=dict[str, int])
    stored_blocks: int = 0
    widened: int = 0
    added: int = 0

    @property
    def in_eight_bits(self) -> "Needed":
        """The same of a model whose weights are always stored in 8 bits."""
        return replace(
            self,
            weights=self.stored or self.weights,
            blocks=self.stored_blocks or self.blocks,
            denoising=self.denoising + self.widened,
            widened=0,
        )

    def peak(self, mode: MemoryMode) -> int:
        """On the device at once, at most, in a memory mode."""
        denoiser = self.weights.get("unet", 0) or self.weights.get("transformer", 0)
        others = {part: size for part, size in self.weights.items() if part not in ("unet", "transformer")}
        vae = others.get("vae", 0)
        largest_other = max(others.values(), default=0)
        match mode:
            case MemoryMode.FULL:
                return sum(self.weights.values()) + self.added + max(self.denoising, self.decoding)
            case MemoryMode.MODEL:
                return self.added + max(denoiser + self.denoising, vae + self.decoding, largest_other)
            case MemoryMode.EIGHT_BIT:
                return self.in_eight_bits.peak(MemoryMode.MODEL)
            case MemoryMode.GROUP:
                return max(self.blocks + self.denoising, vae + self.decoding, largest_other)
            case MemoryMode.SEQUENTIAL:
                return max(self.denoising, self.decoding)

    def mode_for(self, free_bytes: int, storage: str = AUTO) -> MemoryMode:
        """The fastest mode that fits; the tightest if none does."""
        fitting = (mode for mode in modes_with(storage) if self.peak(mode) + _AROUND_BYTES <= free_bytes)
        return next(fitting, MemoryMode.SEQUENTIAL)


def _made(configuration: Configuration, part: str, family: Family, dtype: torch.dtype) -> nn.Module:
    """A network without weights, in the dtype in which it would be loaded."""
    kept = networks.vae_dtype(configuration.parts[part], dtype) if part == "vae" else dtype
    # nn.Module's own: that of diffusers warns of parts that stay in float32, of which there are none
    return nn.Module.to(networks.new_network(configuration, part, family), kept)


@dataclass(frozen=True)
class Choice:
    """A memory mode and why: what the whole model would take, and what is free (0 where nobody asked)."""

    mode: MemoryMode
    needed_bytes: int
    free_bytes: int


def needed(
    configuration: Configuration,
    family: Family,
    width: int,
    height: int,
    dtype: torch.dtype,
    *,
    pictures: int = 1,
    guided: bool = True,
    pieces: int = 1,
    loras: Sequence[Path] = (),
) -> Needed:
    """What generating takes with this model.

    Args:
        width, height: of the picture.
        dtype: of the networks.
        pictures: denoised together.
        guided: whether each has an unconditional half beside it.
        pieces: of 75 tokens in which the longest text is read.
        loras: files that are added to the model.

    Raises:
        EditorError: the configuration makes no network, or a file is none.
    """
    headers = [read_header(path)[1] for path in loras]
    made = {
        part: _made(configuration, part, family, dtype)
        for part in configuration.parts
        if part != "text_encoder_3" or "tokenizer_3" in configuration.tokenizers
    }
    weights = {part: _weights_of(network) for part, network in made.items()}
    rows, columns = height // _LATENT_SCALE, width // _LATENT_SCALE
    batch = pictures * (2 if guided else 1)
    denoiser: Any = made.get("unet") or made.get("transformer")
    vae: Any = made["vae"]
    return Needed(
        weights=weights,
        blocks=max((_weights_of(block) for block in _blocks(denoiser)), default=0),
        stored={
            part: weights[part] if part == "vae" else stored_bytes(network) for part, network in made.items()
        },
        stored_blocks=max((stored_bytes(block) for block in _blocks(denoiser)), default=0),
        widened=max(widened_bytes(network) for part, network in made.items() if part != "vae"),
        denoising=_counted(
            denoiser,
            _inputs(denoiser, family, batch, rows, columns, dtype, pieces),
            _layers_that_get_more(headers),
        ),
        decoding=_counted(
            vae.decoder,
            {"sample": _shape(1, int(vae.config["latent_channels"]), rows, columns, dtype=vae.dtype)},
        ),
        added=_added_bytes(headers, dtype),
    )


def _added_bytes(headers: Sequence[Mapping[str, TensorPlace]], dtype: torch.dtype) -> int:
    """Of LoRAs in the model's dtype; several are joined, and kept apart for the next strength."""
    count = sum(math.prod(place.shape) for header in headers for place in header.values())
    return count * dtype.itemsize * (1 if len(headers) < 2 else 2)


def _layers_that_get_more(headers: Sequence[Mapping[str, TensorPlace]]) -> tuple[type[nn.Module], ...]:
    """To which kinds of layers LoRAs add something; a kernel of more than one pixel tells convolutions."""
    kernels = {place.shape[2:] for header in headers for place in header.values()} - {(), (1, 1)}
    return () if not headers else (nn.Linear, nn.Conv2d) if kernels else (nn.Linear,)


def pieces_of(configuration: Configuration, texts: Sequence[str]) -> int:
    """In how many pieces the longest text is read; as many as are allowed where it is too long."""
    tokenizer: Any = tokenizer_of(configuration, "tokenizer")
    length = tokenizer.model_max_length
    try:
        return max((len(tokenize(tokenizer, text, length).ids) for text in texts), default=1)
    except EditorError:
        return MOST_PIECES


def mode_here(
    entry: ModelEntry, device: str, dtype: str, asked: Asked | None = None, storage: str = AUTO
) -> Choice:
    """The memory mode for a request on this machine; everywhere but on CUDA the fastest.

    Args:
        device, dtype: as on the command line.
        storage: one of `STORAGES`.

    Raises:
        EditorError: the model or a LoRA cannot be read.
    """
    asked = asked or Asked()
    chosen = choose_device(device)
    if chosen.type != "cuda":
        return Choice(MemoryMode.FULL, 0, 0)
    free, _ = torch.cuda.mem_get_info(chosen)
    free += torch.cuda.memory_reserved(chosen)  # our own: what is loaded goes before the model comes
    configuration = (of_file if entry.is_file else of_folder)(entry.path, entry.family)
    denoiser = configuration.parts.get("unet") or configuration.parts.get("transformer") or {}
    usual = _LATENT_SCALE * int(denoiser.get("sample_size", 64))
    number = choose_dtype(dtype, chosen, entry.size_bytes)
    found = needed(
        configuration,
        entry.family,
        asked.width or usual,
        asked.height or usual,
        number,
        pieces=pieces_of(configuration, asked.texts),
        loras=asked.loras,
    )
    if storage in (INT8, FLOAT8):
        found = found.in_eight_bits
    return Choice(found.mode_for(free, storage), found.peak(MemoryMode.FULL) + _AROUND_BYTES, free)


def _inputs(
    denoiser: Any, family: Family, batch: int, rows: int, columns: int, dtype: torch.dtype, pieces: int
) -> dict[str, Any]:
    config = denoiser.config
    latents = _shape(batch, int(config["in_channels"]), rows, columns, dtype=dtype)
    time = _shape(batch, dtype=torch.float32)
    if family is Family.SD3:
        return {
            "hidden_states": latents,
            "timestep": time,
            "encoder_hidden_states": _shape(
                batch, _T5_TOKENS + _PIECE_TOKENS * pieces, int(config["joint_attention_dim"]), dtype=dtype
            ),
            "pooled_projections": _shape(batch, int(config["pooled_projection_dim"]), dtype=dtype),
        }
    text = _shape(batch, _PIECE_TOKENS * pieces, int(config["cross_attention_dim"]), dtype=dtype)
    inputs: dict[str, Any] = {"sample": latents, "timestep": time, "encoder_hidden_states": text}
    if config.get("addition_embed_type") == "text_time":
        width = int(config["projection_class_embeddings_input_dim"])
        width -= 6 * int(config["addition_time_embed_dim"])
        inputs["added_cond_kwargs"] = {
            "text_embeds": _shape(batch, width, dtype=dtype),
            "time_ids": _shape(batch, 6, dtype=dtype),
        }
    return inputs


def _shape(*shape: int, dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def _counted(
    network: nn.Module, inputs: Mapping[str, Any], with_more: tuple[type[nn.Module], ...] = ()
) -> int:
    """The most bytes that a pass without gradients has allocated at once beside weights and inputs.

    Layers of the kinds `with_more` have something of the size of their output added to it.
    """
    for module in network.modules():  # tables that are computed are real
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to("meta"))
    counter = _Counter(network)
    layers = [module for module in network.modules() if isinstance(module, with_more)]
    handles = [layer.register_forward_hook(_with_more) for layer in layers]
    with torch.no_grad(), _FusedAttention(), counter:
        network.eval()(**inputs)
    for handle in handles:
        handle.remove()
    return counter.most


def _with_more(layer: nn.Module, given: object, output: Tensor) -> Tensor:
    """As `inference.backbones.additions` does it: what is added is as large, and so is the sum."""
    del layer, given
    return output + torch.empty_like(output)


class _FusedAttention(TorchFunctionMode):
    """Attention as fused kernels do it: its weights are never in memory as a whole."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is nn.functional.scaled_dot_product_attention:
            query, _, value = args[:3] if len(args) >= 3 else (kwargs or {}).values()
            return query.new_empty((*query.shape[:-1], value.shape[-1]))
        return func(*args, **(kwargs or {}))


def _identity(tensor: Tensor) -> int:
    """Of the storage: tensors on "meta" have no address to tell them apart by."""
    return cast(Any, tensor.untyped_storage())._cdata


class _Counter(TorchDispatchMode):
    """Bytes of storages that are alive, and the most of them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self.most = 0
        self._alive = 0
        self._seen: set[int] = {_identity(weight) for weight in (*network.parameters(), *network.buffers())}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result: Any = func(*args, **(kwargs or {}))
        made = cast(Sequence[Any], result) if isinstance(result, tuple | list) else (result,)
        for tensor in made:
            if isinstance(tensor, Tensor):
                self._count(tensor)
        return cast(Any, result)

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        identity = _identity(tensor)
        if identity in self._seen:
            return
        self._seen.add(identity)
        size = storage.nbytes()
        self._alive += size
        self.most = max(self.most, self._alive)
        weakref.finalize(storage, self._let_go, identity, size)

    def _let_go(self, identity: int, size: int) -> None:
        self._seen.discard(identity)
        self._alive -= size


def _weights_of(network: nn.Module) -> int:
    return sum(
        weight.numel() * weight.element_size()
        for name, weight in network.named_parameters()
        if not name.startswith("encoder.embed_tokens.")  # T5's table under its second name
    )


def _blocks(denoiser: nn.Module) -> list[nn.Module]:
    names = ("down_blocks", "up_blocks", "transformer_blocks")
    found = [block for name in names for block in getattr(denoiser, name, ())]
    middle = getattr(denoiser, "mid_block", None)
    return found if middle is None else [*found, middle]
