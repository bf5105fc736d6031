"""What is on the disk: which kind of model a folder or file is, and whether it is complete.

Free of torch, and nothing is ever unpickled: weights are read from .safetensors only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from inference.errors import EditorError
from inference.files import read_at_most
from inference.messages import Message
from inference.operations import Family
from inference.reasons import NamedTwiceError, reason_of
from inference.values import LARGEST_JSON_BYTES, parsed_json
from inference.weights.headers import TensorPlace, damaged, read_header

SUPPORTED = Message(
    "Attune reads Stable Diffusion 1.x, 2.x, XL and 3 as a diffusers folder or one .safetensors file."
)

_PIPELINES = {
    "StableDiffusionPipeline": Family.SD1,
    "StableDiffusionImg2ImgPipeline": Family.SD1,
    "StableDiffusionInpaintPipeline": Family.SD1,
    "StableDiffusionXLPipeline": Family.SDXL,
    "StableDiffusionXLInpaintPipeline": Family.SDXL,
    "StableDiffusionXLImg2ImgPipeline": Family.SDXL,
    "StableDiffusion3Pipeline": Family.SD3,
    "StableDiffusion3Img2ImgPipeline": Family.SD3,
    "StableDiffusion3InpaintPipeline": Family.SD3,
}
_TEXT_PARTS = ("text_encoder", "tokenizer")
_PARTS = {
    Family.SD1: ("unet", "vae", "scheduler", *_TEXT_PARTS),
    Family.SDXL: ("unet", "vae", "scheduler", *_TEXT_PARTS, "text_encoder_2", "tokenizer_2"),
    Family.SD3: ("transformer", "vae", "scheduler", *_TEXT_PARTS, "text_encoder_2", "tokenizer_2"),
}
_OPTIONAL_PARTS = {Family.SD3: ("text_encoder_3", "tokenizer_3")}
_DIFFUSERS_PARTS = frozenset({"unet", "transformer", "vae"})
_PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")

_CHANNELS = 4  # of a U-Net's latents
_LONGEST_KIND = 60  # of what a file says of itself, in a message

# Keys by which single files of other kinds are known; the first match names the kind.
_OTHER_KINDS = (
    ("distilled_guidance_layer.", Message("a Chroma model")),
    ("txt_in.individual_token_refiner.", Message("a Hunyuan model")),
    ("single_stream_modulation.", Message("a Flux model")),
    ("early_stream_modulations.", Message("a Flux model")),
    ("double_stream_blocks.", Message("a HiDream model")),
    ("double_blocks.", Message("a Flux model")),
    ("txt_in.text_norm.", Message("a Qwen-Image model")),
    ("txt_norm.", Message("a Qwen-Image model")),
    ("cap_embedder.", Message("a Lumina or Z-Image model")),
    ("double_layers.0.attn.w2q", Message("an AuraFlow model")),
    ("head.modulation", Message("a Wan video model")),
    ("patchify_proj.", Message("an LTX video model")),
    ("cross_attn.q_linear.", Message("a PixArt or Sana model")),
    ("lllite", Message("a ControlNet")),
    ("ip_adapter.", Message("an IP-Adapter, an addition to a model")),
    ("hada_w1", Message("a LyCORIS, an addition to a model")),
    ("lokr_w1", Message("a LyCORIS, an addition to a model")),
    ("control_model.", Message("a ControlNet")),
    ("controlnet_cond_embedding.", Message("a ControlNet")),
    ("lora_", Message("a LoRA (add it with “attune loras add”)")),
    (".lora_down.", Message("a LoRA (add it with “attune loras add”)")),
    (".lora_A.", Message("a LoRA (add it with “attune loras add”)")),
    ("emb_params", Message("a textual inversion, an addition to a model")),
    ("tokenwise_delta.", Message("an attribute delta (import it with “attune deltas import”)")),
    ("motion_modules.", Message("an animation model")),
    ("clip_txt_mapper", Message("a Stable Cascade model")),
    ("first_stage_model.", Message("an autoencoder")),
    ("decoder.up", Message("an autoencoder")),
)
_SDXL_KEY = "conditioner.embedders.1.model.ln_final.weight"
_REFINER_KEY = "conditioner.embedders.0.model.ln_final.weight"
_UNET_INPUT_KEY = "model.diffusion_model.input_blocks.0.0.weight"
_EDM_KEYS = ("edm_mean", "edm_std", "edm_vpred.")
_JOINT_KEYS = ("model.diffusion_model.joint_blocks.0.", "joint_blocks.0.")


@dataclass(frozen=True)
class Weights:
    """Where one part's weights are: its files, and the variant ("fp16") in their names or ""."""

    files: tuple[Path, ...]
    variant: str


def folder_family(folder: Path) -> Family:
    """The family of a diffusers folder.

    Raises:
        EditorError: it is none, or of a kind that is not supported.
    """
    index = folder / "model_index.json"
    if not index.is_file():
        raise EditorError(
            "“{folder}” is not a model: it has no model_index.json.",
            "{supported} Choose the folder itself.",
            folder=folder,
            supported=SUPPORTED,
        )
    return pipeline_family(read_json(index), folder.name)


def pipeline_family(index: Mapping[str, Any], name: str) -> Family:
    """The family that the values of a `model_index.json` name.

    Raises:
        EditorError: it is of a kind that is not supported.
    """
    kind = str(index.get("_class_name", ""))[:_LONGEST_KIND]
    if kind not in _PIPELINES:
        raise EditorError(
            "“{name}” is a {kind}, which is not supported.",
            SUPPORTED,
            name=name,
            kind=kind or Message("nameless pipeline"),
        )
    if index.get("text_encoder") == [None, None]:
        raise EditorError(
            "“{name}” is a refiner, not a model of its own.", "Choose the base model.", name=name
        )
    scheduler: Any = index.get("scheduler")
    if isinstance(scheduler, list) and any("EDM" in str(word) for word in cast("list[Any]", scheduler)):
        raise trained_otherwise(name)
    return _PIPELINES[kind]


def trained_otherwise(name: str) -> EditorError:
    """What is said of a model that counts noise in a way of its own (EDM, arXiv:2206.00364)."""
    return EditorError(
        "“{name}” was trained in another way (EDM), which is not supported.",
        "Choose a model that is not made from Playground 2.5 or CosXL.",
        name=name,
    )


def file_family(path: Path) -> Family:
    """The family of a single checkpoint file, from the names of its tensors.

    Raises:
        EditorError: it is damaged, would have to be unpickled, or holds something else.
    """
    if path.suffix.lower() in _PICKLES:
        raise EditorError(
            "“{name}” is a {suffix} file, which can run code when it is opened.",
            "Use the same model as .safetensors.",
            name=path.name,
            suffix=path.suffix,
        )
    header = safetensors_header(path)
    if any(key.startswith(_EDM_KEYS) for key in header):
        raise trained_otherwise(path.name)
    if any(key.startswith(_JOINT_KEYS) for key in header):
        return Family.SD3
    if _REFINER_KEY in header:
        raise EditorError(
            "“{name}” is a refiner, not a model of its own.", "Choose the base model.", name=path.name
        )
    if _UNET_INPUT_KEY in header:
        shape = shape_of(header, _UNET_INPUT_KEY)
        if len(shape) != 4:
            raise EditorError(
                "“{path}” is damaged: its first layer has {count} dimensions.",
                "Copy or download it again.",
                path=path,
                count=len(shape),
            )
        channels = shape[1]
        if channels not in (_CHANNELS, 2 * _CHANNELS + 1):
            raise EditorError(
                "“{name}” takes {channels} channels: it is made for editing.",
                "Choose the model that generates from text (4 channels), or one for inpainting (9).",
                name=path.name,
                channels=channels,
            )
        return Family.SDXL if _SDXL_KEY in header else Family.SD1
    kind = next(
        (name for mark, name in _OTHER_KINDS if any(mark in key for key in header)),
        Message("of an unknown kind"),
    )
    raise EditorError(
        "“{name}” is {kind}, which is not supported here.",
        SUPPORTED,
        name=path.name,
        kind=kind,
    )


def safetensors_header(path: Path) -> dict[str, TensorPlace]:
    """The tensors' names, shapes and places.

    Raises:
        EditorError: the file is missing, no .safetensors, damaged, or shorter than its header says.
    """
    return read_header(path)[1]


def problems(path: Path, family: Family) -> tuple[Message, ...]:
    """One sentence for everything that is missing or damaged in a folder or file."""
    if path.is_file():
        return tuple(_sentences(lambda: (safetensors_header(path), None)[1]))
    if not path.is_dir():
        return (Message("“{path}” is not there any more.", path=path),)
    try:
        part_names = parts(path, family)
    except EditorError as error:
        return (error.whole,)
    return tuple(sentence for part in part_names for sentence in _part_problems(path, part))


def parts(folder: Path, family: Family) -> tuple[str, ...]:
    """The parts that a folder of `family` has to have; optional ones if its index names them."""
    return named_parts(read_json(folder / "model_index.json"), family)


def named_parts(index: Mapping[str, Any], family: Family) -> tuple[str, ...]:
    """The parts that the values of a `model_index.json` ask for."""
    optional = (name for name in _OPTIONAL_PARTS.get(family, ()) if _is_named(index, name))
    return (*_PARTS[family], *optional)


def part_weights(folder: Path, part: str) -> Weights:
    """The .safetensors files of one part.

    Raises:
        EditorError: there are none; the message says what there is instead.
    """
    stem = "diffusion_pytorch_model" if part in _DIFFUSERS_PARTS else "model"
    # diffusers' own name first; a part may be there as float16 only
    for variant in ("", "fp16"):
        dotted = f".{variant}" if variant else ""
        single = folder / part / f"{stem}{dotted}.safetensors"
        if single.is_file():
            return Weights((single,), variant)
        index = folder / part / f"{stem}.safetensors.index{dotted}.json"
        if index.is_file():
            names = _pieces(index)
            return Weights(tuple(folder / part / name for name in names), variant)
    pickled = next((file.name for file in _files(folder / part) if file.suffix in _PICKLES), "")
    if pickled:
        raise EditorError(
            "“{name}” has its {part} only as {pickled}, which can run code when it is opened.",
            "Use the same model as .safetensors.",
            name=folder.name,
            part=part,
            pickled=pickled,
        )
    raise EditorError(
        "“{name}” is incomplete: {part}/{stem}.safetensors is missing.",
        "Copy or download it again.",
        name=folder.name,
        part=part,
        stem=stem,
    )


def weight_files(path: Path, family: Family) -> tuple[Path, ...]:
    """Every weight file of a model, in a fixed order.

    Raises:
        EditorError: a part has none.
    """
    if path.is_file():
        return (path,)
    networks = (part for part in parts(path, family) if not part.startswith(("tokenizer", "scheduler")))
    return tuple(file for part in networks for file in part_weights(path, part).files)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        EditorError: it is missing, cannot be read, or is damaged.
    """
    try:
        values: Any = parsed_json(read_at_most(path, LARGEST_JSON_BYTES))
    except FileNotFoundError as error:
        raise EditorError(
            "“{folder}” is incomplete: {name} is missing.",
            "Copy or download it again.",
            folder=path.parent.name,
            name=path.name,
        ) from error
    except OSError as error:
        raise EditorError("“{path}” cannot be read: {reason}.", path=path, reason=reason_of(error)) from error
    except NamedTwiceError as error:
        raise damaged(path, error) from error
    except (ValueError, RecursionError) as error:
        raise EditorError(
            "“{path}” is damaged: it is no JSON.", "Copy or download it again.", path=path
        ) from error
    if not isinstance(values, dict):
        raise EditorError("“{path}” is damaged: it holds no object.", "Copy or download it again.", path=path)
    return cast("dict[str, Any]", values)


def _pieces(index: Path) -> list[str]:
    """The files that an index names: all beside it."""
    named: Any = read_json(index).get("weight_map")
    names: set[Any] = set(cast("dict[str, Any]", named).values()) if _is_texts(named) else {""}
    if not all(name and Path(name).name == name for name in names):
        raise EditorError(
            "“{path}” is damaged: it names no files beside it.", "Copy or download it again.", path=index
        )
    return sorted(names)


def _is_texts(values: Any) -> bool:
    """Whether it is an object whose values are texts."""
    if not isinstance(values, dict):
        return False
    return all(isinstance(value, str) for value in cast("dict[str, Any]", values).values())


def _part_problems(folder: Path, part: str) -> Iterator[Message]:
    if part.startswith("tokenizer"):
        yield from _tokenizer_problems(folder, part)
    elif part == "scheduler":
        yield from _sentences(lambda: (read_json(folder / part / "scheduler_config.json"), None)[1])
    else:
        yield from _sentences(lambda: _check_network(folder, part))


def _check_network(folder: Path, part: str) -> None:
    if not (folder / part / "config.json").is_file():
        raise EditorError(
            "“{name}” is incomplete: {part}/config.json is missing.",
            "Copy or download it again.",
            name=folder.name,
            part=part,
        )
    read_json(folder / part / "config.json")
    for file in part_weights(folder, part).files:
        if not file.is_file():
            raise EditorError(
                "“{name}” is incomplete: {part}/{file_name} is missing.",
                "Copy or download it again.",
                name=folder.name,
                part=part,
                file_name=file.name,
            )
        safetensors_header(file)


def _tokenizer_problems(folder: Path, part: str) -> Iterator[Message]:
    present = {file.name for file in _files(folder / part)}
    if "tokenizer.json" in present or {"vocab.json", "merges.txt"} <= present or "spiece.model" in present:
        return
    missing = EditorError(
        "“{name}” is incomplete: {part}/tokenizer.json is missing.",
        "Copy or download it again.",
        name=folder.name,
        part=part,
    )
    yield missing.whole


def _sentences(check: Any) -> Iterator[Message]:
    try:
        check()
    except EditorError as error:
        yield error.whole


def shape_of(header: Mapping[str, TensorPlace], key: str) -> tuple[int, ...]:
    """The shape of one tensor of a header."""
    return header[key].shape


def _is_named(index: Mapping[str, Any], part: str) -> bool:
    named = index.get(part)
    return isinstance(named, list) and bool(cast("list[Any]", named)) and named[0] is not None


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
