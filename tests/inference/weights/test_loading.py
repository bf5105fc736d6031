"""Loading by every way, devices and dtypes, and what a loaded model is."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from inference.backbones.base import Backbone
from inference.backbones.components import Components
from inference.errors import Cancelled, EditorError
from inference.guidance import guided
from inference.models import Catalogue, MemoryMode, ModelEntry
from inference.operations import Family
from inference.progress import Progress, Step
from inference.sampling import sample
from inference.weights.loading import choose_device, choose_dtype, load_backbone
from inference.weights.networks import vae_dtype
from tests.helpers.original_layout import save_as_one_file
from tests.helpers.tiny_models import NAMES


def entry_of(path: Path) -> ModelEntry:
    return Catalogue(path.parent / "settings", built_in=path.parent / "none").locate(str(path))


def picture_latents(backbone: Backbone, sampler: str = "ddim") -> torch.Tensor:
    prompt = backbone.encode_prompt("a photo of a man")
    denoise = guided(backbone, [prompt], backbone.negative_prompt(""), 4.0)
    return sample(denoise, backbone.initial_noise(1, 64, 64), backbone.levels(2, 64, 64, sampler))


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_is_in_float32_frozen_and_ready(
    name: str, tiny_backbones: dict[str, Backbone], tiny_folders: dict[str, Path]
) -> None:
    backbone = tiny_backbones[name]
    components: Components = backbone.parts  # pyright: ignore
    for network in components.networks:
        assert not network.training
        assert {p.dtype for p in network.parameters()} == {torch.float32}
        assert not any(p.requires_grad for p in network.parameters())
    part = "transformer" if "sd3" in name else "unet"
    stored = load_file(tiny_folders[name] / part / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    loaded = components.denoiser.state_dict()
    assert all(torch.equal(loaded[key], tensor.float()) for key, tensor in stored.items())
    assert (backbone.defaults.width, backbone.defaults.height) == (64, 64)
    assert backbone.defaults.sampler == ("ddim" if name == "tiny-sd1" else "euler")
    assert backbone.name == name
    assert len(backbone.model_hash) == 32


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bytes(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones[name]
    first, second = picture_latents(backbone), picture_latents(backbone)
    assert torch.equal(first, second)
    assert np.array_equal(backbone.decode(first)[0], backbone.decode(second)[0])
    noise = backbone.initial_noise(1, 64, 64)
    assert not torch.equal(noise, backbone.initial_noise(2, 64, 64))
    assert noise.dtype == torch.float32


def test_pictures_are_read_only_and_of_the_right_size(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    pictures = backbone.decode(torch.zeros(2, 16, 8, 10))
    assert [picture.shape for picture in pictures] == [(64, 80, 3)] * 2
    with pytest.raises(ValueError, match="read-only"):
        pictures[0][0] = 0
    assert backbone.encode_image(pictures[0]).shape == (1, 16, 8, 10)
    with_alpha = np.dstack([pictures[0], np.full((64, 80), 255, np.uint8)])
    assert torch.equal(backbone.encode_image(with_alpha), backbone.encode_image(pictures[0]))


@pytest.mark.parametrize(
    ("name", "width", "height", "said"),
    [
        ("tiny-sd1", 60, 64, "width is 60: this model needs a multiple of 8. The nearest is 64"),
        ("tiny-sdxl", 64, 4, "height is 4"),
        ("tiny-sd3", 72, 64, "multiple of 16"),
        ("tiny-sd3", 64, 208, "at most 192 × 192"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    name: str, width: int, height: int, said: str, tiny_backbones: dict[str, Backbone]
) -> None:
    with pytest.raises(EditorError, match=said):
        tiny_backbones[name].latent_shape(width, height)
    with pytest.raises(EditorError):
        tiny_backbones[name].levels(10, width, height)


def test_prompts_and_latents_have_to_be_as_many(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    with pytest.raises(ValueError, match="1 prompts for 2 latents"):
        backbone.predict(
            torch.zeros(2, 4, 8, 8), backbone.schedule.level_at(1), [backbone.encode_prompt("a man")]
        )


def test_a_single_file_gives_the_same_pictures(
    tmp_path: Path, tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_as_one_file(tiny_folders["tiny-sd1"], path)
    shutil.copytree(
        tiny_folders["tiny-sd1"], tmp_path / "checkpoint", ignore=shutil.ignore_patterns("*.safetensors")
    )
    entry = entry_of(path)
    assert entry.family is Family.SD1
    backbone = load_backbone(entry, device="cpu")
    folder = tiny_backbones["tiny-sd1"]
    assert (picture_latents(backbone) - picture_latents(folder)).abs().max() < 1e-6
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    assert np.array_equal(backbone.decode(latents)[0], folder.decode(latents)[0])
    prompts = [model.encode_prompt("an old café") for model in (backbone, folder)]
    assert prompts[0].offsets == prompts[1].offsets


def test_a_half_precision_variant_is_loaded(
    tmp_path: Path, tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]
) -> None:
    folder = Path(shutil.copytree(tiny_folders["tiny-sd3"], tmp_path / "half"))
    for file in folder.glob("*/*.safetensors"):
        file.rename(file.with_suffix(".fp16.safetensors"))
    latents = picture_latents(load_backbone(entry_of(folder), device="cpu"))
    assert torch.equal(latents, picture_latents(tiny_backbones["tiny-sd3"]))


@pytest.mark.parametrize("mode", MemoryMode)
@pytest.mark.parametrize("name", ["tiny-sdxl", "tiny-sd3"])
def test_memory_modes_change_nothing_but_places(
    name: str, mode: MemoryMode, tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = load_backbone(
        entry_of(tiny_folders[name]), device="cpu", memory_mode=mode.value, storage="exact"
    )
    latents = picture_latents(backbone)
    assert torch.equal(latents, picture_latents(tiny_backbones[name]))
    assert np.array_equal(backbone.decode(latents)[0], tiny_backbones[name].decode(latents)[0])
    prompt = backbone.encode_prompt("a man")
    with backbone.cross_attention_maps(prompt) as store, torch.no_grad():
        backbone.predict(backbone.initial_noise(0, 64, 64), backbone.schedule.level_at(500), [prompt])
    assert store.heat(2, 5).shape == (4, 4)


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_stays_near_float32(
    name: str, tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = load_backbone(entry_of(tiny_folders[name]), device="cpu", dtype="bfloat16")
    level = backbone.schedule.level_at(500)
    found = []
    for model in (backbone, tiny_backbones[name]):
        with torch.no_grad():
            prediction = model.predict(
                model.initial_noise(1, 64, 64), level, [model.encode_prompt("a photo of a man")]
            )
        assert prediction.eps.dtype == torch.float32
        found.append(prediction.eps)
    assert (found[0] - found[1]).abs().mean() < 0.05 * found[1].abs().mean()
    assert backbone.decode(torch.zeros(1, *backbone.latent_shape(64, 64)))[0].shape == (64, 64, 3)


def test_a_vae_that_overflows_stays_in_float32() -> None:
    assert vae_dtype({"force_upcast": True}, torch.float16) is torch.float32
    assert vae_dtype({"force_upcast": True}, torch.bfloat16) is torch.bfloat16
    assert vae_dtype({}, torch.float16) is torch.float16


def test_latents_with_a_mean_and_deviation_of_their_own(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folders["tiny-sdxl"], tmp_path / "normalised"))
    config = json.loads((folder / "vae" / "config.json").read_text())
    config |= {"latents_mean": [0.1, -0.2, 0.3, 0.4], "latents_std": [1.0, 2.0, 3.0, 4.0]}
    (folder / "vae" / "config.json").write_text(json.dumps(config))
    backbone = load_backbone(entry_of(folder), device="cpu")
    picture = backbone.decode(backbone.initial_noise(0, 64, 64))[0]
    vae = backbone.parts.vae  # pyright: ignore
    with torch.no_grad():
        pixels = torch.tensor(picture).permute(2, 0, 1)[None] / 127.5 - 1
        plain = vae.encode(pixels).latent_dist.mode()
    mean, deviation = (torch.tensor(config[f"latents_{name}"]).view(1, 4, 1, 1) for name in ("mean", "std"))
    expected = (plain - mean) / deviation * config["scaling_factor"]
    assert (backbone.encode_image(picture) - expected).abs().max() < 1e-5


def test_loading_reports_each_part_and_can_be_cancelled(tiny_folders: dict[str, Path]) -> None:
    seen: list[Step] = []
    load_backbone(entry_of(tiny_folders["tiny-sd1"]), device="cpu", progress=Progress(seen.append))
    assert [step.done for step in seen] == list(range(4))
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        load_backbone(entry_of(tiny_folders["tiny-sd1"]), device="cpu", progress=progress)


def test_what_is_wrong_is_said_before_anything_is_loaded(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folders["tiny-sd1"], tmp_path / "broken"))
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    with pytest.raises(EditorError, match=r"diffusion_pytorch_model\.safetensors”"):
        load_backbone(entry_of(folder), device="cpu")


def test_devices_and_dtypes() -> None:
    cpu = torch.device("cpu")
    assert choose_device("cpu") == cpu
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    assert choose_dtype("auto", cpu) is torch.float32
    assert choose_dtype("bfloat16", cpu) is torch.bfloat16
    with pytest.raises(EditorError, match=r"“tpu” is not available.*auto, cpu"):
        choose_device("tpu")
    with pytest.raises(EditorError, match=r"Unknown dtype “int8”.*float32, bfloat16, float16"):
        choose_dtype("int8", cpu)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_told() -> None:
    with pytest.raises(EditorError, match="“cuda” is not available"):
        choose_device("cuda")


def test_previews_follow_the_models_own_factors(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folders["tiny-sd1"], tmp_path / "own"))
    weight = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0, 0, 0]]
    (folder / "attune.json").write_text(json.dumps({"latent_rgb": {"weight": weight, "bias": [0.5, 0, 0]}}))
    own = load_backbone(entry_of(folder), device="cpu")
    latents = torch.zeros(1, 4, 2, 3)
    latents[0, 1, 0, 2] = 0.4
    picture = own.preview(latents)
    assert picture.shape == (2, 3, 3)
    assert picture[0, 2].tolist() == [128, 102, 0]
    assert picture[1, 0].tolist() == [128, 0, 0]


@pytest.mark.parametrize("name", NAMES)
def test_previews_of_published_models_are_grey_for_empty_latents(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    picture = backbone.preview(torch.zeros(1, *backbone.latent_shape(64, 64)))
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - 128).max() < 20


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sd3"])
def test_a_picture_that_does_not_fit_is_coded_in_tiles(
    name: str, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = load_backbone(entry_of(tiny_folders[name]), device="cpu")
    vae = backbone.parts.vae  # pyright: ignore
    latents = backbone.initial_noise(4, 160, 192)
    whole = backbone.decode(latents)[0]
    wanted: list[np.ndarray | torch.Tensor] = []
    for setting, value in (("use_tiling", True), ("tile_sample_min_size", 128), ("tile_latent_min_size", 16)):
        monkeypatch.setattr(vae, setting, value)
    wanted += [backbone.decode(latents)[0], backbone.encode_image(whole)]
    monkeypatch.undo()
    assert not np.array_equal(wanted[0], whole)
    largest: list[int] = []
    for network in (vae.encoder, vae.decoder):
        original = network.forward

        def small(sample: torch.Tensor, *rest: object, original: Any = original) -> torch.Tensor:
            size = max(sample.shape[-2:]) * (1 if sample.shape[1] == 3 else 8)
            if size > 128:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            largest.append(size)
            return original(sample, *rest)

        monkeypatch.setattr(network, "forward", small)
    assert np.array_equal(backbone.decode(latents)[0], wanted[0])
    assert torch.equal(backbone.encode_image(whole), wanted[1])
    assert max(largest) == 128
    assert vae.use_tiling is False
    monkeypatch.setattr(vae.decoder, "forward", lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MemoryError):
        backbone.decode(latents)
