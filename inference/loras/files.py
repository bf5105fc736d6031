"""Reading LoRA files: what they add to which layers, checked to the last number. Free of torch.

    lora = read_lora(path)
    lora.family, len(lora.layers), lora.words

Only .safetensors; the forms are those of `inference.loras.keys`. For a layer with the weights W a file holds
down [r, in] and up [out, r], of convolutions [r, in, k, k] and [out, r, 1, 1], and α: with it and a strength
s the layer works with W + s · α/r · up · down (arXiv:2106.09685, section 4.1). Where no α is given it is r.
"""

import hashlib
import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from inference.errors import EditorError
from inference.files import check_ordinary
from inference.loras.keys import Part, Place, is_sd3, other_kind, parsed
from inference.loras.words import trigger_words
from inference.messages import Message, listed
from inference.operations import Family
from inference.progress import Progress
from inference.reasons import NamedTwiceError, reason_of
from inference.values import parsed_json
from inference.weights.headers import TensorPlace, read_header, read_metadata, unfinite_tensor

HINT: Final = Message("Choose a LoRA for Stable Diffusion 1.x, 2.x, XL or 3 as .safetensors.")
LARGEST_BYTES: Final = 8 * 2**30
HIGHEST_RANK: Final = 4096
_LARGEST_ALPHA = 1e6
_SIDES = (1, 2, 3)  # of the convolutions' kernels
_PIECE_BYTES = 2**20
_SHOWN = 70  # characters of a name in a message
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "F8_E4M3": "", "F8_E5M2": ""}
_PICKLES = frozenset({".pt", ".pth", ".bin", ".ckpt", ".pkl"})
# how wide the texts are that a U-Net's cross attention reads
_FAMILY_OF_WIDTH = {768: Family.SD1, 1024: Family.SD1, 2048: Family.SDXL}
_FLUX_WIDTH = 3072
# what trainers call the model that they began from
_SAID = (("xl", Family.SDXL), ("sd3", Family.SD3), ("stable-diffusion-3", Family.SD3), ("v1", Family.SD1))
_SAID_KEYS = ("ss_base_model_version", "modelspec.architecture")
_PART_NAMES: Mapping[Part, tuple[str, ...]] = {
    "denoiser": ("unet", "transformer"),
    "te1": ("text_encoder",),
    "te2": ("text_encoder_2",),
    "te3": ("text_encoder_3",),
}


@dataclass(frozen=True, kw_only=True)
class LoraLayer:
    """The tensors' names of one layer, its rank r, and α as far as the header says it (None: r)."""

    down: str
    up: str
    mid: str = ""
    alpha_in: str = ""
    alpha: float | None = None
    rank: int
    given: int  # numbers that go into the layer


@dataclass(frozen=True, kw_only=True)
class Lora:
    """What a file adds.

    Args:
        path, hash, size_bytes: the file, the SHA-256 of its content, how long it is.
        family: whose layers they are; None if the file does not tell.
        layers: by their places.
        unknown: names of tensors that nothing is done with.
        words: which its author wants in the prompt, the likeliest first; () if nothing is said.
    """

    path: Path
    hash: str
    size_bytes: int
    family: Family | None
    layers: Mapping[Place, LoraLayer]
    unknown: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def ranks(self) -> tuple[int, ...]:
        """All ranks of its layers, sorted."""
        return tuple(sorted({layer.rank for layer in self.layers.values()}))

    def parts(self) -> dict[Part, int]:
        """How many layers of each network it changes."""
        found: dict[Part, int] = {}
        for place in self.layers:
            found[place.part] = found.get(place.part, 0) + 1
        return found


def read_lora(path: Path, progress: Progress | None = None) -> Lora:
    """Read and check a file; every number of it is looked at.

    Raises:
        EditorError: it is no LoRA that can be used; the message names what it is or what is wrong with it.
        Cancelled: it was stopped.
    """
    progress = progress or Progress()
    path = Path(path)
    _refuse_kind(path)
    start, header = read_header(path)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise no_lora(path.name, Message("it is too large for one"))
    texts = read_metadata(path)
    layers, unknown = _layers(path, header, texts)
    family = _family(path, layers, header, texts)
    try:
        for done, (key, place) in enumerate(header.items()):
            progress.step(done, len(header))
            if unfinite_tensor(path, start, key, place) is not None:
                raise no_lora(
                    path.name, Message("“{key}” holds numbers that are not finite", key=key[:_SHOWN])
                )
        layers = {place: _with_alpha(path, start, header, layer) for place, layer in layers.items()}
        digest = file_hash(path, progress)
    except OSError as error:
        raise _unreadable(path, error) from error
    return Lora(
        path=path,
        hash=digest,
        size_bytes=size,
        family=family,
        layers=layers,
        unknown=tuple(unknown),
        words=trigger_words(texts),
    )


def file_hash(path: Path, progress: Progress | None = None) -> str:
    """SHA-256 of a file's content.

    Raises:
        OSError: it cannot be read.
        Cancelled: it was stopped.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            if progress is not None:
                progress.check()
    return digest.hexdigest()


def no_lora(name: str, reason: Message) -> EditorError:
    return EditorError("“{name}” is no LoRA that can be used: {reason}.", HINT, name=name, reason=reason)


def _unreadable(path: Path, error: OSError) -> EditorError:
    return EditorError("“{name}” cannot be read: {reason}.", name=path.name, reason=reason_of(error))


def _refuse_kind(path: Path) -> None:
    if path.suffix.lower() in _PICKLES:
        raise EditorError(
            "“{name}” is a {suffix} file, which can run code when it is opened.",
            "Use the same LoRA as .safetensors.",
            name=path.name,
            suffix=path.suffix.lower(),
        )
    if not path.is_file():
        raise EditorError("There is no file “{path}”.", "Choose a .safetensors file.", path=path)
    check_ordinary(path)


@dataclass
class _Found:
    tensors: dict[str, str] = field(default_factory=dict[str, str])  # by their roles


def _layers(
    path: Path, header: Mapping[str, TensorPlace], texts: Mapping[str, str]
) -> tuple[dict[Place, LoraLayer], list[str]]:
    """The layers with their tensors, shapes checked, and the names that are not known."""
    other = other_kind(header)
    if other is not None:
        raise no_lora(path.name, Message("it is {what}", what=other))
    found: dict[Place, _Found] = {}
    unknown: list[str] = []
    for key in header:
        known = parsed(key)
        if known is None:
            unknown.append(key)
            continue
        place, role = known
        if found.setdefault(place, _Found()).tensors.setdefault(role, key) != key:
            raise no_lora(path.name, Message("it says “{key}” twice", key=key[:_SHOWN]))
    layers: dict[Place, LoraLayer] = {}
    alphas = _said_alphas(path.name, texts)
    for place, one in found.items():
        if set(one.tensors) == {"alpha"}:
            unknown += one.tensors.values()
        else:
            layers[place] = _layer(path, place, one.tensors, header, alphas)
    if not layers:
        raise no_lora(
            path.name,
            Message("it has no layers of these models; its first tensor is “{key}”", key=_first(header)),
        )
    return layers, unknown


def _first(header: Iterable[str]) -> str:
    return next(iter(header), "")[:_SHOWN]


def _layer(
    path: Path,
    place: Place,
    tensors: Mapping[str, str],
    header: Mapping[str, TensorPlace],
    alphas: "_Alphas",
) -> LoraLayer:
    if "down" not in tensors or "up" not in tensors:
        missing = "down" if "up" in tensors else "up"
        raise no_lora(
            path.name,
            Message("its part for {layer} lacks one half ({half})", layer=place.name[:_SHOWN], half=missing),
        )
    down, up = header[tensors["down"]], header[tensors["up"]]
    middle = header[tensors["mid"]] if "mid" in tensors else None
    if not all(one.dtype in _FLOATS for one in (down, up, *([middle] if middle else []))):
        raise no_lora(
            path.name,
            Message("its part for {layer} holds no numbers with fractions", layer=place.name[:_SHOWN]),
        )
    if not _fit(down.shape, up.shape, middle.shape if middle else None):
        raise no_lora(
            path.name,
            Message(
                "its halves for {layer} do not go together ({down} and {up})",
                layer=place.name[:_SHOWN],
                down=_shape(down.shape),
                up=_shape(up.shape),
            ),
        )
    rank = down.shape[0]
    if rank > HIGHEST_RANK:
        raise no_lora(
            path.name, Message("its rank is {rank}, and {most} is the most", rank=rank, most=HIGHEST_RANK)
        )
    alpha_in = tensors.get("alpha", "")
    if alpha_in and math.prod(header[alpha_in].shape) != 1:
        raise no_lora(path.name, Message("“{key}” is not one number", key=alpha_in[:_SHOWN]))
    return LoraLayer(
        down=tensors["down"],
        up=tensors["up"],
        mid=tensors.get("mid", ""),
        alpha_in=alpha_in,
        alpha=None if alpha_in else alphas.of(place, tensors["down"], rank),
        rank=rank,
        given=down.shape[1],
    )


def _fit(down: tuple[int, ...], up: tuple[int, ...], middle: tuple[int, ...] | None) -> bool:
    """Whether [r, in] and [out, r], or with kernels [r, in, k, k] and [out, r, 1, 1], are there."""
    if len(down) not in (2, 4) or len(up) not in (2, 4) or 0 in (*down, *up) or up[1] != down[0]:
        return False
    kernel, after = down[2:], up[2:]
    if after not in ((), (1, 1)) or (kernel and (kernel[0] != kernel[1] or kernel[0] not in _SIDES)):
        return False
    if middle is None:
        return True
    rank = down[0]
    is_kernel = len(middle) == 4 and middle[:2] == (rank, rank) and middle[2] == middle[3]
    return is_kernel and middle[2] in _SIDES and kernel in ((), (1, 1))


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "1"


class _Alphas:
    """α where the header has it, as diffusers and PEFT write it: a number for all, and for single layers."""

    def __init__(self, name: str, said: Mapping[str, Any]) -> None:
        self._name = name
        self._said = said

    def of(self, place: Place, key: str, rank: int) -> float | None:
        """α of a layer so that α/r is its factor; None if nothing is said.

        Raises:
            EditorError: what is said is no number; to take another one would change all that the LoRA does.
        """
        for prefix in (*(f"{name}." for name in _PART_NAMES[place.part]), ""):
            alpha = self._said.get(f"{prefix}lora_alpha")
            if alpha is None:
                continue
            pattern = self._said.get(f"{prefix}alpha_pattern")
            for name, own in (cast("dict[str, Any]", pattern) if isinstance(pattern, dict) else {}).items():
                if f".{name}.lora" in f".{key}":
                    alpha = own
            if not _is_alpha(alpha):
                raise no_lora(
                    self._name,
                    Message("its α for {layer} is no number that can be used", layer=place.name[:_SHOWN]),
                )
            # rank-stabilised: α/√r (arXiv:2312.03732)
            return float(alpha) * (math.sqrt(rank) if self._said.get(f"{prefix}use_rslora") is True else 1.0)
        return None


def _said_alphas(name: str, texts: Mapping[str, str]) -> _Alphas:
    try:
        said: Any = parsed_json(texts.get("lora_adapter_metadata", "{}"))
    except NamedTwiceError as error:  # which α counts?
        raise no_lora(name, reason_of(error)) from error
    except (ValueError, RecursionError):
        said = {}
    return _Alphas(name, cast("dict[str, Any]", said) if isinstance(said, dict) else {})


def _is_alpha(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= _LARGEST_ALPHA  # not so for NaN


def _with_alpha(path: Path, start: int, header: Mapping[str, TensorPlace], layer: LoraLayer) -> LoraLayer:
    if not layer.alpha_in:
        return layer
    place = header[layer.alpha_in]
    with path.open("rb") as file:
        file.seek(start + place.begin)
        content = file.read(place.end - place.begin)
    alpha = _number(place.dtype, content)
    if not _is_alpha(alpha):
        raise no_lora(
            path.name, Message("“{key}” is no number that can be used", key=layer.alpha_in[:_SHOWN])
        )
    return LoraLayer(
        down=layer.down, up=layer.up, mid=layer.mid, alpha_in=layer.alpha_in, alpha=alpha,
        rank=layer.rank, given=layer.given,
    )  # fmt: skip


def _number(dtype: str, content: bytes) -> float | None:
    if dtype == "BF16":  # the upper half of float32
        return float(struct.unpack("<f", b"\0\0" + content)[0])
    kind = _FLOATS.get(dtype) or {"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}.get(dtype)
    return float(np.frombuffer(content, kind)[0]) if kind else None


def _family(
    path: Path,
    layers: Mapping[Place, LoraLayer],
    header: Mapping[str, TensorPlace],
    texts: Mapping[str, str],
) -> Family | None:
    """Whose layers these are, from what they read, from their names, or from what the header says."""
    denoiser = {place.name: layer for place, layer in layers.items() if place.part == "denoiser"}
    if any(is_sd3(name) for name in denoiser):
        if any(
            _FLUX_WIDTH in header[layer.down].shape[1:2] for name, layer in denoiser.items() if "attn" in name
        ):
            raise no_lora(path.name, Message("it is {what}", what=Message("a LoRA for FLUX or Qwen-Image")))
        return Family.SD3
    for name, layer in denoiser.items():
        if name.endswith(("attn2_to_k", "attn2_to_v")) and layer.given in _FAMILY_OF_WIDTH:
            return _FAMILY_OF_WIDTH[layer.given]
    by_place = _family_by_places(layers, denoiser)
    if by_place is not None:
        return by_place
    said = " ".join(texts.get(key, "") for key in _SAID_KEYS).lower()
    _refuse_said(path, said)
    return next((family for mark, family in _SAID if mark in said), None)


def _family_by_places(layers: Mapping[Place, LoraLayer], denoiser: Mapping[str, LoraLayer]) -> Family | None:
    """Layers that only one family has: SDXL's deep transformers, SD1's attention at full resolution."""
    if any(place.part == "te3" for place in layers):
        return Family.SD3
    for name in denoiser:
        if "_transformer_blocks_1_" in name or name.startswith(("add_embedding_", "label_emb_")):
            return Family.SDXL
        if name.startswith(("down_blocks_0_attentions_", "input_blocks_1_1_", "up_blocks_3_attentions_")):
            return Family.SD1
    if denoiser and any(place.part == "te2" for place in layers):
        return Family.SDXL
    return None


def _refuse_said(path: Path, said: str) -> None:
    for name in ("flux", "qwen", "wan", "hunyuan", "cascade", "auraflow", "lumina", "chroma"):
        if name in said:
            raise no_lora(path.name, Message("it is {what}", what=Message("a LoRA for {name}", name=name)))


def listed_names(names: Iterable[str], most: int = 3) -> Message:
    """The first of some names, short enough for a sentence."""
    return listed([name[:_SHOWN] for name in names][:most])
