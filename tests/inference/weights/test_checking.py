"""What keeps a checkpoint from giving pictures is found by `check`, and never filled in or shown as black."""

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from inference.errors import EditorError
from inference.models import Catalogue, ModelEntry
from inference.operations import Family, Generate
from inference.progress import Progress
from inference.request import Request
from inference.runner import make_runner
from inference.schedule import PredictionType
from inference.weights.configuration import of_folder
from inference.weights.headers import read_header, unfinite_tensor
from inference.weights.loading import load_backbone
from inference.weights.tokenizers import tokenizer_of
from tests.helpers.original_layout import save_as_one_file

Tensors: TypeAlias = Mapping[str, Tensor]
UNET = "model.diffusion_model."


def without(mark: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: one for name, one in tensors.items() if mark not in name}


def changed(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[Tensors], Tensors]:
    def all_of(tensors: Tensors) -> Tensors:
        assert any(key.endswith(name) for key in tensors), name
        return {key: change(one) if key.endswith(name) else one for key, one in tensors.items()}

    return all_of


def not_a_number(tensor: Tensor) -> Tensor:
    broken = tensor.clone()
    broken.view(-1)[-1] = float("nan")
    return broken


FILES = {
    "no autoencoder": (without("first_stage_model"), "it has no autoencoder"),
    "no text encoder": (without("cond_stage_model"), "it has no text encoder"),
    "a block": (
        without("middle_block.1"),
        r"its unet lacks \d+ of \d+ tensors, such as mid_block.attentions.0",
    ),
    "one tensor": (without("out.2.bias"), "lacks 1 of"),
    "a text layer": (without("layers.1."), r"its text_encoder lacks \d+ of"),
    "a decoder layer": (without("decoder.mid.attn_1.q."), "its vae lacks"),
    "a shape": (changed("attn2.to_k.weight", lambda one: one[:, :8]), "with the shape"),
    "a number": (changed("out.2.weight", not_a_number), "model.diffusion_model.out.2.weight hold values"),
    "infinity": (changed("out.2.bias", lambda one: one / 0), "no numbers"),
}
FOLDERS = {
    "a block": ("unet", without("mid_block"), "its unet lacks"),
    "a text layer": ("text_encoder", without("layers.1."), "its text_encoder lacks"),
    "a shape": ("vae", changed("decoder.conv_out.weight", lambda one: one[:2]), "not 3 ×"),
    "a number": ("vae", changed("decoder.conv_out.weight", not_a_number), "decoder.conv_out.weight"),
}


@pytest.fixture(scope="module")
def whole(tiny_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A single file with its configuration beside it."""
    folder = tmp_path_factory.mktemp("files")
    path = folder / "one.safetensors"
    save_as_one_file(tiny_folders["tiny-sd1"], path)
    return path


def placed(path: Path, tensors: Tensors, configuration: Path) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    shutil.copytree(configuration, path.with_suffix(""), ignore=shutil.ignore_patterns("*.safetensors"))
    return path


def problems(path: Path) -> list[str]:
    catalogue = Catalogue(path.parent / "settings", built_in=path.parent / "none")
    return [str(problem) for problem in catalogue.check(str(path))["problems"]]


def generated(path: Path) -> np.ndarray:
    runner = make_runner(path.parent / "settings", path.parent / "deltas", device="cpu")
    parameters = Generate(prompt="a photo of a man", steps=2, seed=1)
    request = Request(operation="generate", parameters=parameters, model=str(path))
    return runner.run(request, {}, Progress()).images[0]


@pytest.mark.parametrize("name", FILES)
def test_a_file(name: str, whole: Path, tmp_path: Path, tiny_folders: dict[str, Path]) -> None:
    change, said = FILES[name]
    path = placed(tmp_path / "m.safetensors", change(load_file(whole)), tiny_folders["tiny-sd1"])
    assert re.search(said, "\n".join(problems(path)))
    with pytest.raises(EditorError):
        generated(path)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder(name: str, tmp_path: Path, tiny_folders: dict[str, Path]) -> None:
    part, change, said = FOLDERS[name]
    folder = Path(shutil.copytree(tiny_folders["tiny-sd1"], tmp_path / "m"))
    (file,) = (folder / part).glob("*.safetensors")
    tensors = {key: one.contiguous() for key, one in change(load_file(file)).items()}
    save_file(tensors, file, metadata={"format": "pt"})
    found = problems(folder)
    assert len(found) == 1
    assert said in found[0]
    with pytest.raises(EditorError):
        generated(folder)


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd3", "tiny-sd35"])
def test_whole_models_have_no_problems(name: str, tiny_folders: dict[str, Path]) -> None:
    assert problems(tiny_folders[name]) == []


def test_old_names_of_the_text_encoder(whole: Path, tmp_path: Path, tiny_folders: dict[str, Path]) -> None:
    old = {
        name.replace("transformer.text_model.", "transformer."): one for name, one in load_file(whole).items()
    }
    path = placed(tmp_path / "old.safetensors", old, tiny_folders["tiny-sd1"])
    same = placed(tmp_path / "same.safetensors", load_file(whole), tiny_folders["tiny-sd1"])
    assert problems(path) == []
    assert np.array_equal(generated(path), generated(same))


def test_what_a_file_says_of_its_training(whole: Path, tmp_path: Path, tiny_folders: dict[str, Path]) -> None:
    tensors = load_file(whole)
    said = {**tensors, "v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    path = placed(tmp_path / "v.safetensors", said, tiny_folders["tiny-sd1"])
    assert problems(path) == []
    backbone = load_backbone(located(path), device="cpu")
    assert backbone.schedule.prediction_type is PredictionType.V
    first = backbone.levels(10, 64, 64)[0]
    assert (first.timestep, first.alpha) == (999, pytest.approx(0, abs=1e-6))
    plain = placed(tmp_path / "plain.safetensors", tensors, tiny_folders["tiny-sd1"])
    assert load_backbone(located(plain), device="cpu").schedule.prediction_type is PredictionType.EPSILON
    assert not np.array_equal(generated(path), generated(plain))


def located(path: Path) -> ModelEntry:
    return Catalogue(path.parent / "settings", built_in=path.parent / "none").locate(str(path))


def test_a_picture_of_no_numbers_is_told_with_its_cause(
    tmp_path: Path, tiny_folders: dict[str, Path]
) -> None:
    backbone = load_backbone(located(tiny_folders["tiny-sd1"]), device="cpu")
    latents = torch.full((1, 4, 8, 8), float("nan"))
    with pytest.raises(EditorError, match="grew beyond what can be held") as raised:
        backbone.decode(latents)
    assert "guidance" in raised.value.hint
    assert "LoRAs" in raised.value.hint
    weights = backbone.parts.vae.decoder.conv_out.weight  # pyright: ignore
    with torch.no_grad():
        weights[0] = float("nan")
    with pytest.raises(EditorError, match=r"VAE\) \(decoder\.conv_out\.weight\) are no numbers"):
        backbone.decode(torch.zeros(1, 4, 8, 8))
    half = load_backbone(located(tiny_folders["tiny-sd1"]), device="cpu", dtype="float16")
    with pytest.raises(EditorError, match="beyond what float16 holds") as raised:
        half.decode(latents)
    assert "float32" in raised.value.hint


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn]
)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_numbers_of_every_kind(dtype: torch.dtype, value: float | None, tmp_path: Path) -> None:
    tensor = torch.linspace(-400, 400, 1001).to(dtype)
    if value is not None:
        tensor[-1] = value
    path = tmp_path / "a.safetensors"
    save_file({"before": torch.zeros(3, dtype=torch.uint8), "it": tensor}, path)
    start, header = read_header(path)
    broken = not bool(torch.isfinite(tensor.float()).all())
    assert (unfinite_tensor(path, start, "it", header["it"]) == "it") is broken
    assert unfinite_tensor(path, start, "before", header["before"]) is None


def test_a_configuration_of_endless_layers_is_refused_at_once(
    tmp_path: Path, tiny_folders: dict[str, Path]
) -> None:
    folder = Path(shutil.copytree(tiny_folders["tiny-sd1"], tmp_path / "m"))
    file = folder / "text_encoder" / "config.json"
    file.write_text(file.read_text().replace('"num_hidden_layers": 3', '"num_hidden_layers": 1000000000'))
    assert any("1000000000 layers" in one for one in problems(folder))
    with pytest.raises(EditorError, match="1000000000 layers"):
        load_backbone(located(folder), device="cpu")


def test_apart_the_check_says_the_same(
    tmp_path: Path, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(tiny_folders["tiny-sd1"], tmp_path / "m"))
    apart = Catalogue(tmp_path / "settings", built_in=tmp_path / "none", check_apart=True)
    (file,) = (folder / "unet").glob("*.safetensors")
    save_file(dict(without("mid_block")(load_file(file))), file)
    assert [str(problem) for problem in apart.check(str(folder))["problems"]] == problems(folder)
    monkeypatch.setattr("inference.weights.apart._check", _ended)
    with pytest.raises(EditorError, match="ended before it was done"):
        apart.check(str(folder))


def _ended(*_: object) -> None:
    os._exit(3)


@pytest.mark.parametrize(
    ("name", "value"), [("num_train_timesteps", 10**12), ("beta_start", float("nan")), ("beta_end", 7.0)]
)
def test_a_scheduler_with_impossible_numbers(
    name: str, value: float, tmp_path: Path, tiny_folders: dict[str, Path]
) -> None:
    folder = shutil.copytree(tiny_folders["tiny-sd1"], tmp_path / "tiny")
    path = folder / "scheduler" / "scheduler_config.json"
    catalogue = Catalogue(tmp_path / "config")
    added = catalogue.add(str(folder)).name
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    problems = catalogue.check(added)["problems"]
    with pytest.raises(EditorError, match=name):
        Catalogue(tmp_path / "another").add(str(folder))
    assert len(problems) == 1
    assert name in str(problems[0])


def change_json(path: str, **values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        file = folder / path
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    return change


def more_words(folder: Path) -> None:
    file = folder / "tokenizer" / "tokenizer.json"
    values = json.loads(file.read_text())
    vocabulary = values["model"]["vocab"]
    vocabulary.update({f"more{number}": len(vocabulary) + number for number in range(50)})
    file.write_text(json.dumps(values))


def unknown_kind(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    content = file.read_bytes()
    assert b'"dtype":"F16"' in content
    file.write_bytes(content.replace(b'"dtype":"F16"', b'"dtype":"F99"', 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *(
            (change_json("vae/config.json", scaling_factor=value), r"says scaling_factor is")
            for value in (0, "a", None, True, float("nan"), float("inf"), [1], 10**400)
        ),
        (change_json("vae/config.json", shift_factor="x" * 500), r"says shift_factor is x{80}…\."),
        (more_words, r"its tokenizer has words up to number \d+, and the text encoder knows \d+"),
        (
            lambda folder: [one.write_text("[" * 9**5) for one in (folder / "tokenizer").glob("*.json")],
            "its tokenizer cannot be read",
        ),
        (unknown_kind, "numbers of the kind F99, which is not supported"),
        (
            change_json("unet/config.json", down_block_types=["CrossAttnDownBlock2D"] * 10_000),
            r"makes no network \(.{0,201}\)",
        ),
    ],
)
def test_what_would_fail_at_the_first_picture_is_said_when_it_is_added(
    change: Callable[[Path], object], said: str, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(tiny_folders["tiny-sd1"], folder)
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    change(folder)
    with pytest.raises(EditorError, match=said) as told:
        catalogue.add(folder)
    assert len(str(told.value)) < 600
    assert not catalogue.entries()
    assert any(re.search(said, str(one)) for one in catalogue.check(str(folder))["problems"])


@pytest.mark.parametrize("length", [10**30, 0, -5, 77])
def test_a_tokenizers_length_is_that_of_its_encoder(
    length: int, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(tiny_folders["tiny-sd1"], folder)
    change_json("tokenizer/tokenizer_config.json", model_max_length=length)(folder)
    configuration = of_folder(folder, Family.SD1)
    assert tokenizer_of(configuration, "tokenizer").model_max_length == 77
