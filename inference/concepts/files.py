"""Files of concepts (textual inversions), as this and other programs write them. Free of torch.

    concept = read_concept(path)                     # any of the forms below, and the second file of two
    content = concept_file(concept)                  # equal concepts give equal bytes
    concept = concept_from_bytes(content)            # what a request's content holds

Forms, all as safetensors: the word itself as the one key (diffusers); `emb_params` (the web interfaces);
`clip_l` and `clip_g`, with `t5xxl` for SD3 (several encoders); two files, each with the word as its key, the
second called `…_2` (the SDXL script of diffusers). We write the first form for one encoder, else the third.
Pickled forms are refused unread.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import safetensors
from numpy.typing import NDArray

from inference.concepts.concept import TEMPLATES, Concept
from inference.concepts.names import checked_word, is_word, made_word
from inference.errors import EditorError
from inference.files import read_at_most
from inference.messages import Message, listed
from inference.operations import Family
from inference.reasons import reason_of
from inference.values import fields, json_object, text
from inference.weights.packed import packed

FORMAT: Final = "attune-concept"
ENDING: Final = ".safetensors"
LARGEST_FILE_BYTES = 16 * 2**20  # 75 vectors of all three encoders have 2 MiB
_LARGEST_PICTURE_BYTES = 512 * 2**10
_LONGEST_TEXT = 1000  # characters of one entry of the header
_LARGEST_HEADER_BYTES = 2**20
_SECOND = "_2"  # ends the name of the second of two files
_PICTURE = "modelspec.thumbnail"  # as ModelSpec has it: a data URL
_PICTURE_KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_PICKLES = frozenset({".pt", ".pth", ".bin", ".ckpt", ".pkl"})

ONE = "emb_params"
KEYS: Final[Mapping[str, str]] = {"clip_l": "clip_l", "clip_g": "clip_g", "t5xxl": "t5"}
"""The encoder of each key of a file for several."""
_KEY_OF = {encoder: key for key, encoder in KEYS.items()}
# whose table has rows of this width, where a file does not say it
_ENCODER_OF_WIDTH = {768: "clip_l", 1280: "clip_g", 1024: "clip_h"}
_USUAL_WIDTHS = {"clip_l": 768, "clip_g": 1280, "t5": 4096}
_FAMILIES: Mapping[frozenset[str], str] = {
    frozenset({"clip_l"}): Family.SD1.value,
    frozenset({"clip_h"}): Family.SD1.value,
    frozenset({"clip_l", "clip_g"}): "",  # SDXL and SD3 both have these
    frozenset({"clip_l", "clip_g", "t5"}): Family.SD3.value,
}

# how keys of other kinds of files, or parts of them after a full stop, begin; the first found names the kind
_OTHER_KINDS: tuple[tuple[str, Message], ...] = (
    ("tokenwise_delta.", Message("an attribute: import it with “attune deltas import”")),
    ("lora_", Message("a LoRA (add it with “attune loras add”)")),
    ("lora_down.", Message("a LoRA (add it with “attune loras add”)")),
    ("lora_A.", Message("a LoRA (add it with “attune loras add”)")),
    ("hada_", Message("a LyCORIS, another kind of addition to a model")),
    ("ip_adapter.", Message("an IP-Adapter, another kind of addition to a model")),
    ("image_proj.", Message("an IP-Adapter, another kind of addition to a model")),
    ("control_model.", Message("a ControlNet")),
    ("model.diffusion_model.", Message("a whole model: add it with “attune models add”")),
    ("cond_stage_model.", Message("a whole model: add it with “attune models add”")),
    ("text_model.", Message("a whole text encoder")),
    ("first_stage_model.", Message("an autoencoder")),
)
# keys of files that hold vectors too, but do something else with them
_OTHER_MEANINGS: Mapping[str, Message] = {
    "qwen3": Message("a word for a model whose text encoder is a language model"),
    "gemma2_2b": Message("a word for a model whose text encoder is a language model"),
    "clip_h": Message("a word for a video model"),
    "image_embeds": Message("an embedding of a picture"),
    "pooled": Message("an embedding of a whole sentence"),
    "string_to_param": Message("a textual inversion in a form that only PyTorch reads"),
}
# what tensors of networks are called; nobody calls a word so
_OF_LAYERS = frozenset(
    {"weight", "bias", "position_ids", "running_mean", "running_var", "num_batches_tracked"}
)


def concept_file(concept: Concept) -> bytes:
    """The content of a concept's file; equal concepts give equal bytes."""
    arrays = {encoder: np.ascontiguousarray(rows, "<f4") for encoder, rows in concept.vectors.items()}
    texts = {
        "format": FORMAT,
        "token": concept.word,
        "initialised_from": concept.kind,
        "template": concept.template,
        "model": concept.model,
        "model_hash": concept.model_hash,
        "family": concept.family,
        "licence": concept.licence,
        "encoders": " ".join(arrays),
    }
    kind = next((name for mark, name in _PICTURE_KINDS.items() if concept.picture.startswith(mark)), "")
    if kind:
        texts[_PICTURE] = f"data:{kind};base64,{base64.b64encode(concept.picture).decode()}"
    if len(arrays) == 1:
        return packed({concept.word: next(iter(arrays.values()))}, texts)
    return packed({_KEY_OF[encoder]: rows for encoder, rows in arrays.items()}, texts)


def concept_from_bytes(content: bytes, name: str = "") -> Concept:
    """Read a concept of any form from the bytes of one file, called `name` ("my-cat") where that is known.

    Raises:
        EditorError: it is none; the message says what it is instead, or what is wrong with it.
    """
    shown = name or "concept"
    if len(content) > LARGEST_FILE_BYTES:
        raise _no_concept(shown, Message("it has {size:.0f} MiB", size=len(content) / 2**20))
    tensors, texts = _read(content, shown)
    vectors, key = _vectors(tensors, texts, shown)
    given = texts.get("token", "")
    word = next((one for one in (given, key) if is_word(one)), "")
    # of those that are no words, such as "*", as which many were learnt, the first that has letters
    word = word or next((made for one in (key, given, name) if (made := made_word(one))), "")
    is_ours = texts.get("format") == FORMAT
    if not is_ours:
        _refuse_widths(vectors, shown)
    family = texts.get("family", "")
    if family not in {one.value for one in Family}:
        family = _FAMILIES.get(frozenset(vectors), "")
    return Concept(
        word=word or checked_word(name or given),
        vectors=vectors,
        kind=" ".join(texts.get("initialised_from", "").split()),
        template=texts.get("template", "") if texts.get("template", "") in TEMPLATES else "",
        model=texts.get("model", ""),
        model_hash=texts.get("model_hash", ""),
        family=family,
        licence=texts.get("licence", ""),
        picture=_picture(texts.get(_PICTURE, "")),
    )


def read_concept(path: Path) -> Concept:
    """Read a concept's file, with the other one where there are two.

    Raises:
        EditorError: it cannot be read, or holds no concept.
    """
    path = Path(path)
    if path.suffix.lower() in _PICKLES:
        raise EditorError(
            "“{name}” is a {suffix} file, which can run code when it is opened.",
            "Have it converted by a program that you trust it with: in Python, "
            "safetensors.torch.save_file({{'emb_params': torch.load('{name}', weights_only=True)"
            "['string_to_param']['*'].detach()}}, '{stem}.safetensors').",
            name=path.name,
            suffix=path.suffix.lower(),
            stem=path.stem,
        )
    return _whole(path)[0]


def files_of(path: Path) -> tuple[Path, ...]:
    """The files that `read_concept` puts together.

    Raises:
        EditorError: as `read_concept`.
    """
    return _whole(path)[1]


def other_file(path: Path) -> Path:
    """What the other file is called where there are two."""
    stem = path.stem
    return path.with_name(
        f"{stem.removesuffix(_SECOND)}{path.suffix}"
        if stem.endswith(_SECOND)
        else f"{stem}{_SECOND}{path.suffix}"
    )


def _whole(path: Path) -> tuple[Concept, tuple[Path, ...]]:
    first, partner = _one(path), other_file(path)
    alone = first, (path,)
    if len(first.vectors) != 1 or not partner.is_file():
        return alone
    try:
        other = _one(partner)
    except EditorError:  # it is of something else
        return alone
    both = {**first.vectors, **other.vectors}
    if other.word != first.word or set(both) != {"clip_l", "clip_g"} or len(other.vectors) != 1:
        return alone
    ordered = {encoder: both[encoder] for encoder in ("clip_l", "clip_g")}
    return Concept(word=first.word, vectors=ordered, family=Family.SDXL.value), (path, partner)


def _one(path: Path) -> Concept:
    if not path.is_file():
        raise EditorError("There is no file “{path}”.", "Choose a .safetensors file.", path=path)
    try:
        content = read_at_most(path, LARGEST_FILE_BYTES)
    except OSError as error:
        raise EditorError(
            "“{name}” cannot be read: {reason}.", name=path.name, reason=reason_of(error)
        ) from error
    return concept_from_bytes(content, path.stem)


def _read(content: bytes, name: str) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """The tensors as float32, and the texts of the header."""
    try:
        found = cast("list[tuple[str, dict[str, Any]]]", cast("Any", safetensors).deserialize(content))
        (length,) = struct.unpack_from("<Q", content)
    except (safetensors.SafetensorError, ValueError, TypeError, struct.error) as error:
        raise _no_concept(name, Message("it is damaged or of another kind")) from error
    _refuse_other_kinds([key for key, _ in found], name)
    tensors = {key: _numbers(value, key, name) for key, value in found}
    if length > _LARGEST_HEADER_BYTES:
        raise _no_concept(name, Message("its header has {size} bytes", size=length))
    header = json_object(content[8 : 8 + length], Message("concept"))
    texts = fields(header.get("__metadata__", {}), Message("concept"))
    known: dict[str, str] = {}
    for key, value in texts.items():
        most = _LARGEST_HEADER_BYTES if key == _PICTURE else _LONGEST_TEXT
        if isinstance(value, str) and len(value) <= most:  # other programs keep a run's whole story there
            known[key] = text(value, Message("concept"), most)
    return tensors, known


def _numbers(value: Mapping[str, Any], key: str, name: str) -> NDArray[np.float32]:
    shape, data = tuple(value["shape"]), bytes(value["data"])
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}.get(value["dtype"])
    if kind is None:
        raise _no_concept(name, Message("“{key}” holds no vectors", key=key[:60]))
    try:
        found = np.frombuffer(data, kind).reshape(shape)
    except (ValueError, OverflowError) as error:  # sizes beside a nought may be any
        raise _no_concept(name, Message("it is damaged or of another kind")) from error
    if value["dtype"] == "BF16":  # the upper half of float32
        return (found.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # infinite then, which is refused
        return found.astype(np.float32)


def _refuse_other_kinds(everything: list[str], name: str) -> None:
    keys = [key for key in everything if not is_word(key)]  # "<flora_style>" is no LoRA
    for part, what in _OTHER_KINDS:
        if any(f".{part}" in f".{key}" for key in keys):
            raise _no_concept(name, Message("it is {what}", what=what))
    for key in keys:
        if key in _OTHER_MEANINGS:
            raise _no_concept(name, Message("it is {what}", what=_OTHER_MEANINGS[key]))
        if key.rpartition(".")[2] in _OF_LAYERS:
            raise _no_concept(name, Message("“{key}” is a part of a network", key=key[:60]))


def _vectors(
    tensors: Mapping[str, NDArray[np.float32]], texts: Mapping[str, str], name: str
) -> tuple[dict[str, NDArray[np.float32]], str]:
    """The rows of each encoder, and the key if that may be the word."""
    if not tensors:
        raise _no_concept(name, Message("it is empty"))
    rows = {key: value[None] if value.ndim == 1 else value for key, value in tensors.items()}
    if set(rows) <= set(KEYS):
        return {encoder: rows[key] for key, encoder in KEYS.items() if key in rows}, ""
    if len(rows) > 1:
        raise _no_concept(
            name,
            Message(
                "it has the keys {keys}; known are one word, {known}",
                keys=listed(sorted(key[:60] for key in rows)[:3]),
                known=listed([ONE, *KEYS]),
            ),
        )
    ((key, value),) = rows.items()
    if value.ndim != 2:
        raise _no_concept(
            name,
            Message(
                "“{key}” has the shape {shape}",
                key=key[:60],
                shape=" × ".join(map(str, value.shape)) or "1",
            ),
        )
    said = texts.get("encoders", "") if texts.get("format") == FORMAT else ""
    encoder = (
        said if said in ("clip_l", "clip_g", "clip_h", "t5") else _ENCODER_OF_WIDTH.get(value.shape[1], "")
    )
    if not encoder:
        raise _no_concept(
            name,
            Message(
                "its vectors have {width} numbers, and those of text encoders {known}",
                width=value.shape[1],
                known=listed(str(width) for width in _ENCODER_OF_WIDTH),
            ),
        )
    return {encoder: value}, "" if key == ONE else key


def _refuse_widths(vectors: Mapping[str, NDArray[np.float32]], name: str) -> None:
    """A file of another program is for the published encoders."""
    for encoder, rows in vectors.items():
        usual = _USUAL_WIDTHS.get(encoder)
        if usual is not None and rows.ndim == 2 and rows.shape[1] != usual:
            raise _no_concept(
                name,
                Message(
                    "its vectors for {encoder} have {width} numbers instead of {usual}",
                    encoder=encoder,
                    width=rows.shape[1],
                    usual=usual,
                ),
            )


def _picture(url: str) -> bytes:
    """The picture of a data URL; b"" if it holds none of a kind that we show."""
    head, _, coded = url.partition(";base64,")
    if not head.startswith("data:image/") or len(coded) > _LARGEST_PICTURE_BYTES:
        return b""
    try:
        content = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return content if any(content.startswith(mark) for mark in _PICTURE_KINDS) else b""


def _no_concept(name: str, reason: Message) -> EditorError:
    return EditorError(
        "“{name}” is no concept that can be used: {reason}.",
        "Choose a textual inversion for Stable Diffusion 1, 2, XL or 3.",
        name=name,
        reason=reason,
    )
