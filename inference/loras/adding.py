"""The LoRAs of a request, added to a loaded model while the request runs.

    adding = Adding(library)
    with adding.added(uses, backbone, progress) as notes: ...

What decides a picture is in the request: names, hashes and strengths. While they are added the backbone's
`model_hash` is another one, so that nothing that was computed without them, or with another strength, is
taken for theirs, in memory or on disk.
"""

import hashlib
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inference.backbones.additions import Addition
from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.loras.files import Lora, LoraLayer, listed_names, no_lora, read_lora
from inference.loras.joining import Factors, Piece, joined
from inference.loras.keys import Part, Place
from inference.loras.library import ListedLora, LoraLibrary
from inference.loras.places import Target, targets_of
from inference.messages import Message
from inference.operations import LoraUse
from inference.progress import Progress
from inference.weights.reading import read_tensors


@dataclass(frozen=True, eq=False, kw_only=True)
class _Read:
    lora: Lora
    factors: dict[Place, Factors]


class Adding:
    """Keeps what was read of the files that the latest request named; for one thread."""

    def __init__(self, library: LoraLibrary) -> None:
        self._library = library
        self._read: dict[tuple[str, torch.dtype, torch.device], _Read] = {}

    def forget(self) -> None:
        self._read.clear()

    @contextmanager
    def added(
        self, uses: Sequence[LoraUse], backbone: Backbone, progress: Progress
    ) -> Generator[tuple[Message, ...]]:
        """Have these LoRAs in the model; gives what is to be said about it.

        Raises:
            EditorError: one is not there any more, was changed, or does not fit the model.
            Cancelled: it was stopped while files were read.
        """
        effective = [use for use in uses if use.strength != 0]
        if not effective:
            yield ()
            return
        with progress.phase("load"):
            additions, notes = self._additions(effective, backbone, progress)
        with backbone.added(additions, fingerprint(backbone.model_hash, effective)):
            yield notes

    def _additions(
        self, uses: Sequence[LoraUse], backbone: Backbone, progress: Progress
    ) -> tuple[dict[nn.Module, Addition], tuple[Message, ...]]:
        networks = _networks(backbone)
        targets = {part: targets_of(network) for part, network in networks.items()}
        listed = [self._library.asked_for(use) for use in uses]
        self._keep_only({one.hash for one in listed})
        found: dict[nn.Module, list[Piece]] = {}
        notes: list[Message] = []
        for use, entry in zip(uses, listed, strict=True):
            read = self._reading(entry, backbone, progress)
            missing: list[str] = []
            for place, factors in read.factors.items():
                places = targets.get(place.part, {}).get(place.name, ())
                if not places:
                    missing.append(place.name)
                for target in places:
                    layer = networks[place.part].get_submodule(target.module)
                    made = _addition(factors, target, layer, use, backbone)
                    found.setdefault(layer, []).append(Piece(made, read.factors, place))
            notes += _notes(entry, backbone, missing, len(read.factors))
        additions: dict[nn.Module, Addition] = {}
        while found:  # one after the other: what was read of a layer is free before the next is joined
            layer, pieces = found.popitem()
            additions[layer] = joined(pieces)
        return additions, tuple(notes)

    def _keep_only(self, hashes: set[str]) -> None:
        self._read = {key: one for key, one in self._read.items() if key[0] in hashes}

    def _reading(self, entry: ListedLora, backbone: Backbone, progress: Progress) -> _Read:
        home = backbone.home
        key = (entry.hash, backbone.dtype, home)
        if key not in self._read:
            self._read[key] = _read_as_added(entry, backbone.dtype, home, progress)
        return self._read[key]


def _read_as_added(entry: ListedLora, dtype: torch.dtype, home: torch.device, progress: Progress) -> _Read:
    """The file's numbers, if it is the one that was added from its first look to its last.

    Its hash is taken before the numbers are read: a file that is written to, or put in its place, in between
    would be used under the hash of another one, and what was checked of its shapes would not hold.
    """
    before = _stamp(entry.path)
    changed = EditorError(
        "The file of the LoRA “{name}” is another one than when it was added.",
        "Add it again: {path}.",
        name=entry.name,
        path=entry.path,
    )
    try:
        lora = read_lora(entry.path, progress)
        if lora.hash != entry.hash:
            raise changed
        read = _Read(lora=lora, factors=_factors(lora, dtype, home, progress))
    except (EditorError, LookupError, ValueError, RuntimeError) as error:
        if error is not changed and _stamp(entry.path) != before:
            raise changed from error
        raise
    if _stamp(entry.path) != before:
        raise changed
    return read


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes with any writing to a file, or another file in its place; () if it is gone."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def fingerprint(model_hash: str, uses: Sequence[LoraUse]) -> str:
    """A hash of the weights that a model works with while LoRAs are added; their order does not matter."""
    content = json.dumps([model_hash, sorted((use.hash, use.strength) for use in uses)])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _networks(backbone: Backbone) -> dict[Part, nn.Module]:
    """By the names that LoRAs have for them."""
    found: dict[Part, nn.Module] = {}
    parts: dict[str, Part] = {
        "denoiser": "denoiser", "clip_l": "te1", "clip_h": "te1", "clip_g": "te2", "t5": "te3"
    }  # fmt: skip
    for name, network in backbone.networks.items():
        found[parts[name]] = network
    return found


def _factors(lora: Lora, dtype: torch.dtype, home: torch.device, progress: Progress) -> dict[Place, Factors]:
    names = [name for layer in lora.layers.values() for name in (layer.down, layer.up, layer.mid) if name]
    tensors: dict[str, Tensor] = {}
    for done, (name, tensor) in enumerate(read_tensors(lora.path, names)):
        progress.step(done, len(names))
        tensors[name] = tensor
    return {place: _layer_factors(lora, layer, tensors, dtype, home) for place, layer in lora.layers.items()}


def _layer_factors(
    lora: Lora, layer: LoraLayer, tensors: dict[str, Tensor], dtype: torch.dtype, home: torch.device
) -> Factors:
    down, up = tensors[layer.down], tensors[layer.up]
    if layer.mid:  # three factors (CP, arXiv:2108.06098): the kernel is in the middle one
        inner = down.float().flatten(1)
        down = torch.einsum("rskl,si->rikl", tensors[layer.mid].float(), inner)
    down, up = down.to(home, dtype), up.flatten(1).to(home, dtype)
    if not (bool(torch.isfinite(down).all()) and bool(torch.isfinite(up).all())):
        raise no_lora(
            lora.path.name,
            Message(
                "its numbers for {layer} are too large for {dtype}",
                layer=layer.down[:70],
                dtype=str(dtype)[6:],
            ),
        )
    alpha = layer.rank if layer.alpha is None else layer.alpha
    return Factors(down=down, up=up, scale=alpha / layer.rank)


def _addition(
    factors: Factors, target: Target, layer: nn.Module, use: LoraUse, backbone: Backbone
) -> Addition:
    """What one LoRA adds to one layer, cut and turned as the layer is."""
    # of a layer stored in 8 bits `weight` is made anew each time it is asked for
    stored: Any = getattr(layer, "codes", None)
    weight: Tensor = getattr(layer, "weight") if stored is None else stored  # noqa: B009
    dtype: torch.dtype = weight.dtype if stored is None else getattr(layer, "dtype")  # noqa: B009
    up, down = factors.up, factors.down
    if target.count > 1:
        if len(up) % target.count:
            raise _misfit(use, target, weight, factors, backbone)
        up = up.chunk(target.count)[target.index]
    if target.swapped and len(up) % 2 == 0:
        up = torch.cat(up.chunk(2)[::-1])
    is_point = down.ndim == 2 or down.shape[2:] == (1, 1)
    if isinstance(layer, nn.Conv2d):
        if down.ndim == 2:
            down = down[..., None, None]
    elif is_point:
        down = down.flatten(1)
    if tuple(down.shape[1:]) != tuple(weight.shape[1:]) or len(up) != len(weight):
        raise _misfit(use, target, weight, factors, backbone)
    scales = torch.full((len(down),), use.strength * factors.scale, device=down.device)
    # text encoders may keep single layers in float32
    return Addition(down=down.to(dtype), up=up.to(dtype), scales=scales)


def _misfit(
    use: LoraUse, target: Target, weight: Tensor, factors: Factors, backbone: Backbone
) -> EditorError:
    return EditorError(
        "The LoRA “{name}” does not fit {model}: its part for {layer} takes {given} and gives {made}, "
        "and the layer takes {taken} and gives {wanted}.",
        "Choose a LoRA that was made for this kind of model.",
        name=use.name,
        model=backbone.name,
        layer=target.module,
        given=factors.down.shape[1],
        made=len(factors.up),
        taken=weight.shape[1],
        wanted=len(weight) * target.count,
    )


def _notes(entry: ListedLora, backbone: Backbone, missing: Sequence[str], count: int) -> list[Message]:
    if len(missing) == count:
        raise EditorError(
            "The LoRA “{name}” does not fit {model}: none of its {count} layers is there.",
            "Choose a LoRA that was made for this kind of model.",
            name=entry.name,
            model=backbone.name,
            count=count,
        )
    if not missing:
        return []
    return [
        Message(
            "LoRA “{name}”: {missing} of its {count} layers are not in {model} and add nothing: {some} …",
            name=entry.name,
            missing=len(missing),
            count=count,
            model=backbone.name,
            some=listed_names(missing),
        )
    ]
