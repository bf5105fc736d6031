"""Random LoRAs for a pipeline of diffusers, in the forms in which programs write them.

    layers = random_layers(pipeline, rank=2)         # {("unet", "mid_block.attentions.0.proj_in"): Pair(…)}
    save_kohya(layers, path)
    merge(pipeline, layers, strength=0.7)            # the same by the book: W + strength · α/r · up · down

The merge is written apart from the code that is tested: it changes the weights themselves.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.helpers.original_layout import transformer_tensors, unet_tensors

_KOHYA_PARTS = {
    "unet": "lora_unet_",
    "transformer": "lora_unet_",
    "text_encoder": "lora_te_",
    "text_encoder_2": "lora_te2_",
    "text_encoder_3": "lora_te3_",
}
Layers = dict[tuple[str, str], "Pair"]


@dataclass
class Pair:
    """down [r, in, …], up [out, r, …] and α of one layer."""

    down: Tensor
    up: Tensor
    alpha: float

    @property
    def difference(self) -> Tensor:
        """α/r · up · down, [out, in, …]."""
        rank = len(self.down)
        flat = self.up.flatten(1).double() @ self.down.flatten(1).double()
        return (flat * self.alpha / rank).view(len(self.up), *self.down.shape[1:])


def random_layers(
    pipeline: Any, rank: int = 2, alpha: float = 1.5, *, seed: int = 0, wanted: str = ".", size: float = 0.3
) -> Layers:
    """One for every linear and convolutional layer whose "part.name" matches the pattern `wanted`."""
    generator = torch.Generator().manual_seed(seed)
    found: Layers = {}
    for part in _KOHYA_PARTS:
        network = getattr(pipeline, part, None)
        for name, module in network.named_modules() if network is not None else ():
            if not isinstance(module, nn.Linear | nn.Conv2d) or not re.search(wanted, f"{part}.{name}"):
                continue
            weight = module.weight
            kernel = (1, 1) if weight.ndim == 4 else ()
            down = torch.randn((rank, *weight.shape[1:]), generator=generator) * size
            up = torch.randn((len(weight), rank, *kernel), generator=generator) * size
            found[part, name] = Pair(down, up, alpha)
    return found


def merge(pipeline: Any, layers: Layers, strength: float = 1.0) -> None:
    """Write the sum into the pipeline's weights."""
    for (part, name), pair in layers.items():
        weight = getattr(pipeline, part).get_submodule(name).weight
        weight.data = (weight.double() + strength * pair.difference.view(weight.shape)).to(weight.dtype)


def save_kohya(layers: Layers, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """kohya's scripts over diffusers' names, as for SD 1.x."""
    several = any(part == "text_encoder_2" for part, _ in layers)
    tensors: dict[str, Tensor] = {}
    for (part, name), pair in layers.items():
        prefix = "lora_te1_" if several and part == "text_encoder" else _KOHYA_PARTS[part]
        if part.startswith("text_encoder") and part != "text_encoder_3":
            name = name if name.startswith("text_model") else f"text_model.{name}"
        tensors |= _kohya(prefix + name.replace(".", "_"), pair)
    save_file(tensors, path, metadata=dict(metadata or {}))


def save_kohya_original(pipeline: Any, layers: Layers, path: Path) -> None:
    """kohya's scripts over the original code's names, as for SDXL (SD3: queries, keys, values in one)."""
    tensors: dict[str, Tensor] = {}
    for name, pair in original_pairs(pipeline, layers).items():
        tensors |= _kohya(f"lora_unet_{name.replace('.', '_')}", pair)
    for (part, name), pair in layers.items():
        if part.startswith("text_encoder"):
            known = (
                name if name.startswith("text_model") or part == "text_encoder_3" else f"text_model.{name}"
            )
            number = part.removeprefix("text_encoder").replace("_", "") or "1"
            tensors |= _kohya(f"lora_te{number}_{known.replace('.', '_')}", pair)
    save_file(tensors, path)


def _kohya(stem: str, pair: Pair) -> dict[str, Tensor]:
    return {
        f"{stem}.lora_down.weight": pair.down.contiguous(),
        f"{stem}.lora_up.weight": pair.up.contiguous(),
        f"{stem}.alpha": torch.tensor(pair.alpha),
    }


def save_peft(layers: Layers, path: Path) -> None:
    """As `save_lora_weights` of diffusers does today; α is in the header."""
    tensors: dict[str, Tensor] = {}
    said: dict[str, Any] = {}
    for (part, name), pair in layers.items():
        tensors[f"{part}.{name}.lora_A.weight"] = pair.down.contiguous()
        tensors[f"{part}.{name}.lora_B.weight"] = pair.up.contiguous()
        said[f"{part}.lora_alpha"], said[f"{part}.r"] = pair.alpha, len(pair.down)
    save_file(tensors, path, metadata={"format": "pt", "lora_adapter_metadata": json.dumps(said)})


def save_processors(layers: Layers, path: Path) -> None:
    """As diffusers did first, with α = r: attention's own projections alone."""
    tensors: dict[str, Tensor] = {}
    for (part, name), pair in layers.items():
        stem, _, last = name.removesuffix(".0").rpartition(".")
        assert last in ("to_q", "to_k", "to_v", "to_out"), name
        tensors[f"{part}.{stem}.processor.{last}_lora.down.weight"] = pair.down.contiguous()
        tensors[f"{part}.{stem}.processor.{last}_lora.up.weight"] = pair.up.contiguous()
    save_file(tensors, path)


def original_pairs(pipeline: Any, layers: Layers) -> dict[str, Pair]:
    """The denoiser's layers under the names of the original code.

    SD3's queries, keys and values are one layer there: they share the first one's half and α.
    """
    if not hasattr(pipeline, "transformer"):
        own = {f"{name}.weight": pair for (part, name), pair in layers.items() if part == "unet"}
        marks = unet_tensors(_Stand(pipeline.unet, _marks(own)))
        return {_original(name): list(own.values())[int(mark.flatten()[0])] for name, mark in marks.items()}
    own = {f"{name}.weight": pair for (part, name), pair in layers.items() if part == "transformer"}
    rest = {"pos_embed.pos_embed": torch.zeros(1)}
    marks = transformer_tensors(_Stand(pipeline.transformer, rest | _marks(own)))
    ups = transformer_tensors(
        _Stand(pipeline.transformer, rest | {name: pair.up for name, pair in own.items()})
    )
    found: dict[str, Pair] = {}
    for name, mark in marks.items():
        if not name.endswith("pos_embed"):
            first = list(own.values())[int(mark.flatten()[0])]
            found[_original(name)] = Pair(first.down, ups[name], first.alpha)
    return found


def with_shared_halves(layers: Layers) -> Layers:
    """As SD3's original names have it: one half for queries, keys and values."""
    found: Layers = {}
    for (part, name), pair in layers.items():
        first = re.sub(r"(to_|add_)[kv](_proj)?$", r"\1q\2", name)
        found[part, name] = Pair(layers[part, first].down, pair.up, pair.alpha)
    return found


class _Stand:
    """A network's configuration with other tensors."""

    def __init__(self, network: Any, tensors: Mapping[str, Tensor]) -> None:
        self.config = network.config
        self._tensors = tensors

    def state_dict(self) -> Mapping[str, Tensor]:
        return self._tensors


def _marks(own: Mapping[str, Pair]) -> dict[str, Tensor]:
    """Each layer's number in place of its weights."""
    return {name: torch.full((2, 1), float(number)) for number, name in enumerate(own)}


def _original(name: str) -> str:
    return name.removeprefix("model.diffusion_model.").removesuffix(".weight")
