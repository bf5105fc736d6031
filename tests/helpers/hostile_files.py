"""Checkpoints, model folders, deltas and lists that are wrong in every way that JSON and headers can be."""

import json
import math
import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEEP = "[" * 100_000
ESCAPE = "\x1b]0;owned\x07\x1b[2J"
KEY = "model.diffusion_model.input_blocks.0.0.weight"

_TENSOR = {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64]}
# headers of .safetensors files, as JSON texts
HEADERS: dict[str, str] = {
    "list": "[]",
    "null": "null",
    "text": '"x"',
    "deep": DEEP,
    "deep-object": '{"a":' * 50_000,
    "number": json.dumps({KEY: 5}),
    "no-offsets": json.dumps({KEY: {"dtype": "F32", "shape": [4, 4]}}),
    "offset-text": json.dumps({KEY: {**_TENSOR, "data_offsets": ["a", "b"]}}),
    "offset-null": json.dumps({KEY: {**_TENSOR, "data_offsets": None}}),
    "offset-one": json.dumps({KEY: {**_TENSOR, "data_offsets": [64]}}),
    "offset-minus": json.dumps({KEY: {**_TENSOR, "data_offsets": [-64, -1]}}),
    "offset-huge": json.dumps({KEY: _TENSOR}).replace("64", "1e400"),
    "shape-empty": json.dumps({KEY: {**_TENSOR, "shape": []}}),
    "shape-text": json.dumps({KEY: {**_TENSOR, "shape": ["x", "y"]}}),
    "shape-null": json.dumps({KEY: {**_TENSOR, "shape": None}}),
    "shape-minus": json.dumps({KEY: {**_TENSOR, "shape": [-4, -4]}}),
    "shape-huge": json.dumps({KEY: {**_TENSOR, "shape": [2**62, 4]}}),
    "dtype-none": json.dumps({KEY: {"shape": [4, 4], "data_offsets": [0, 64]}}),
    "dtype-odd": json.dumps({KEY: {**_TENSOR, "dtype": ["F32"]}}),
    "metadata-list": json.dumps({"__metadata__": [1], KEY: _TENSOR}),
    "metadata-deep": '{"__metadata__": {"a": ' + DEEP,
    "nan": json.dumps({KEY: math.nan}),
    "escape": json.dumps({f"lora_{ESCAPE}": _TENSOR}),
    "digits": json.dumps({KEY: _TENSOR}).replace("64", "9" * 5000),
}
# what a file of JSON may hold instead of what it should
VALUES: dict[str, str] = {
    "list": "[1, 2]",
    "null": "null",
    "number": "3",
    "deep": DEEP,
    "cut": "{",
    "empty": "",
    "nan": '{"models": NaN, "_class_name": NaN, "default_steps": NaN}',
    "digits": json.dumps({"models": 1}).replace("1", "9" * 5000),
    "wrong": json.dumps({"models": [5, None, {"name": 3}], "_class_name": ["x"], "default_steps": "many"}),
    "escape": json.dumps(
        {"models": ESCAPE, "_class_name": ESCAPE, "weight_map": ESCAPE, "hidden_size": ESCAPE}
    ),
}
LISTS = (*VALUES, "bytes", "folder", "entries")
_JSON_FILES = (
    "model_index.json",
    "attune.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors.index.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
    "tokenizer/tokenizer_config.json",
)


@dataclass
class Made:
    """What was made: single files, model folders, deltas, definitions."""

    checkpoints: list[Path]
    models: list[Path]
    deltas: list[Path]
    definitions: list[Path]


def make(folder: Path) -> Made:
    """Write all of them."""
    folder.mkdir(parents=True)
    checkpoints = [
        _checkpoint(folder / f"{name}.safetensors", text.encode()) for name, text in HEADERS.items()
    ]
    checkpoints += _odd_bytes(folder)
    models = [
        _model(folder / f"{name.replace('/', '-')}-{kind}", name, text)
        for name in _JSON_FILES
        for kind, text in VALUES.items()
        if kind in _KINDS[name]
    ]
    models += [_broken(folder / name, break_it) for name, break_it in _BREAKS.items()]
    deltas = [_delta(folder / f"delta-{name}.safetensors", metadata) for name, metadata in _METADATA.items()]
    deltas += [_other(folder / f"pickle{suffix}") for suffix in (".pt", ".pth", ".bin")]
    definitions = [_text(folder / f"{number}.toml", text) for number, text in enumerate(_DEFINITIONS)]
    return Made(checkpoints, models, deltas, definitions)


def settle(home: Path, group: str) -> None:
    """Put into a home what the calls of `group` find there."""
    if group.startswith("list "):
        settings = home / "config" / "attune"
        settings.mkdir(parents=True)
        _list(settings / "models.json", group.removeprefix("list ").removesuffix(" json"))
    if group.startswith("user's deltas"):
        folder = home / "data" / "attune" / "deltas" / "mine"
        folder.mkdir(parents=True)
        for name, metadata in _METADATA.items():
            _delta(folder / f"{name}.safetensors", metadata)
        for name, text in HEADERS.items():
            _checkpoint(folder / f"header-{name}.safetensors", text.encode())
        (folder / "dangling.safetensors").symlink_to(home / "absent")
        (folder / "folder.safetensors").mkdir()
    if group.endswith("foreign"):
        settings = home / "config" / "attune"
        settings.mkdir(parents=True)
        model = home / "日本"
        shutil.copytree(ROOT / "resources" / "models" / "mini-sd1", model)
        stored = {"name": "日本", "family": "sd1", "path": str(model), "hub_id": ""}
        (settings / "models.json").write_text(json.dumps({"models": [stored]}))


def _checkpoint(path: Path, header: bytes, body: bytes = bytes(64)) -> Path:
    path.write_bytes(struct.pack("<Q", len(header)) + header + body)
    return path


def _odd_bytes(folder: Path) -> list[Path]:
    contents = {
        "nothing": b"",
        "seven": bytes(7),
        "huge-length": struct.pack("<Q", 2**63) + b"{}",
        "no-length": struct.pack("<Q", 0),
        "bytes": struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
        "text": b"<html>not found</html>" * 9,
    }
    made = []
    for name, content in contents.items():
        path = folder / f"bytes-{name}.safetensors"
        path.write_bytes(content)
        made.append(path)
    special = folder / "pipe.safetensors"
    special.mkdir()
    return [*made, special, folder / "absent.safetensors"]


_KINDS = dict.fromkeys(_JSON_FILES, ("list", "deep", "wrong", "escape"))
_KINDS["model_index.json"] = tuple(VALUES)
_KINDS["unet/diffusion_pytorch_model.safetensors.index.json"] = ("list", "deep", "number", "escape")


def _model(path: Path, name: str, text: str) -> Path:
    """A whole model of which one file holds `text`."""
    _linked_copy(path)
    if name.endswith(".index.json"):
        (path / "unet" / "diffusion_pytorch_model.safetensors").unlink()
        text = text if text.startswith("[" * 9) or not text.startswith("[") else '{"weight_map": [1, 2]}'
    place = path / name
    place.unlink(missing_ok=True)
    return _text(place, text).parents[name.count("/")]


def _linked_copy(path: Path) -> None:
    """A copy that costs no space: its files are links, which are replaced and not written through."""
    source = ROOT / "resources" / "models" / "mini-sd1"
    for file in source.rglob("*"):
        place = path / file.relative_to(source)
        if file.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)


def _broken(path: Path, break_it: Callable[[Path], object]) -> Path:
    _linked_copy(path)
    break_it(path)
    return path


def _folder_for(name: str) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        (path / name).unlink()
        (path / name).mkdir()

    return change


def _dangling(name: str) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        (path / name).unlink()
        (path / name).symlink_to(path / "absent")

    return change


def _file_for(name: str) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        shutil.rmtree(path / name)
        (path / name).write_text("x")

    return change


def _outside(path: Path) -> None:
    weights = path / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    named = {"weight_map": {"a": "../../../../etc/passwd", "b": ESCAPE}}
    (path / "unet" / f"{weights.name}.index.json").write_text(json.dumps(named))


_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
_BREAKS: dict[str, Callable[[Path], object]] = {
    "index-is-a-folder": _folder_for("model_index.json"),
    "weights-are-a-folder": _folder_for(_WEIGHTS),
    "weights-dangle": _dangling(_WEIGHTS),
    "index-dangles": _dangling("model_index.json"),
    "part-is-a-file": _file_for("unet"),
    "tokenizer-is-a-file": _file_for("tokenizer"),
    "weights-outside": _outside,
    "escape\x1b[2J": lambda path: (path / "model_index.json").unlink(),
    os.fsdecode(b"no-utf8-\xff"): lambda path: (path / "model_index.json").unlink(),
}

_METADATA: dict[str, dict[str, str]] = {
    "range-text": {"range": '["x", "y"]'},
    "range-nan": {"range": "[NaN, Infinity]"},
    "range-zero": {"range": "[0, 0]"},
    "range-turned": {"range": "[2, -2]"},
    "range-deep": {"range": DEEP},
    "range-digits": {"range": f"[0, {'9' * 5000}]"},
    "range-one": {"range": "[1]"},
    "range-object": {"range": "{}"},
    "subjects-number": {"subjects": "5"},
    "subjects-deep": {"subjects": DEEP},
    "escape": {"attribute": ESCAPE, "label": ESCAPE, "licence": ESCAPE, "subjects": json.dumps([ESCAPE])},
}


def _delta(path: Path, metadata: dict[str, str]) -> Path:
    tensor = {"dtype": "F32", "shape": [768], "data_offsets": [0, 3072]}
    header = {"__metadata__": metadata, "tokenwise_delta.oai_clip_vit_l": tensor}
    return _checkpoint(path, json.dumps(header).encode(), struct.pack("<f", 1.0) * 768)


def _other(path: Path) -> Path:
    path.write_bytes(b"cos\nsystem\n(S'echo ran'\ntR.")
    return path


_DEFINITIONS = (
    "",
    "x = " + "[" * 20_000,
    "= 3",
    "attribute = 3",
    'attribute = ["x"]',
    f'attribute = "{"x" * 9000}"',
    "range = [nan, inf]",
    'attribute = "age"\nsubjects = 5\n',
    'attribute = "age"\npairs = [[1, 2], [3]]\n',
    "\x00",
    'attribute = "\\u001b[2J"\nnonsense = "\\u001b[2J"\n',
)


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _list(path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfe\x00{")
    elif kind == "entries":
        good = {"name": "good", "family": "sd1", "path": str(ROOT / "resources" / "models" / "mini-sd1")}
        odd = [
            {**good, "name": [1]},
            {**good, "path": None},
            {**good, "path": "a\0b"},
            {**good, "family": "sd9"},
        ]
        odd += [{**good, "name": ESCAPE}, {**good, "hub_id": "../.."}, {**good, "path": "/dev/zero"}]
        path.write_text(json.dumps({"models": [good, *odd]}))
    else:
        _text(path, VALUES[kind])
