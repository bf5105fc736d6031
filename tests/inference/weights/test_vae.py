"""An autoencoder of the user's choice: each layout decodes as in diffusers, what does not fit is said."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from torch import Tensor

from inference.errors import EditorError
from inference.models import Catalogue, ModelEntry, model_hash
from inference.weights.loading import load_backbone
from tests.helpers.original_layout import vae_tensors
from tests.helpers.published import published
from tests.helpers.tiny_models import tiny_vae


@cache
def other() -> Any:
    """Another autoencoder of SD1's kind."""
    torch.manual_seed(11)
    vae = published("sd1").vae
    for weight in vae.parameters():
        weight.data += 0.05 * torch.randn_like(weight)
    return vae


@pytest.fixture
def model(tiny_folders: dict[str, Path]) -> Path:
    return tiny_folders["tiny-sd1"]


def catalogue(folder: Path) -> Catalogue:
    return Catalogue(folder / "settings", built_in=folder / "none")


def folder_of(vae: Any, folder: Path) -> Path:
    vae.save_pretrained(folder)
    return folder


def decoded_alike(entry: ModelEntry, vae: Any) -> None:
    backbone = load_backbone(entry, device="cpu")
    latents = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = vae.decode(latents / vae.config["scaling_factor"]).sample[0]
    pixels = ((expected / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).byte().numpy()
    difference = abs(backbone.decode(latents)[0].astype(int) - pixels.astype(int)).max()
    assert difference <= 1


@pytest.mark.parametrize("prefix", ["", "first_stage_model."])
def test_a_file_in_the_original_layout_decodes_as_diffusers_does(
    prefix: str, model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "better.safetensors"
    save_file(vae_tensors(other(), prefix), path)
    decoded_alike(catalogue(tmp_path).add(model, vae=path), other())


@pytest.mark.parametrize("inside", ["", "vae"])
def test_a_folder_of_diffusers_decodes_as_diffusers_does(inside: str, model: Path, tmp_path: Path) -> None:
    folder_of(other(), tmp_path / "better" / inside)
    entry = catalogue(tmp_path).add(model, vae=tmp_path / "better")
    decoded_alike(entry, other())
    assert catalogue(tmp_path).check(entry.name)["problems"] == []


def test_it_is_remembered_and_is_another_model(model: Path, tmp_path: Path) -> None:
    folder = folder_of(other(), tmp_path / "better")
    plain = catalogue(tmp_path).add(model)
    entry = catalogue(tmp_path).add(model, vae=folder)
    assert catalogue(tmp_path).add(model, vae=folder) == entry
    assert catalogue(tmp_path).find(entry.name) == entry
    assert (plain.vae, entry.vae) == (None, folder)
    assert plain.name != entry.name
    assert model_hash(plain) != model_hash(entry)


def test_a_file_without_one_is_completed(tmp_path: Path) -> None:
    from tests.helpers.original_layout import pipeline_tensors

    own = {k: v.half() for k, v in pipeline_tensors(published("sd1")).items() if "first_stage" not in k}
    save_file(own, tmp_path / "pruned.safetensors")
    folder = folder_of(other(), tmp_path / "better")
    entry = catalogue(tmp_path).add(tmp_path / "pruned.safetensors", vae=folder)
    assert catalogue(tmp_path).check(entry.name)["problems"] == []
    decoded_alike(entry, other())


def _sd3(folder: Path) -> Path:
    return folder_of(tiny_vae(16), folder / "vae")


def _shallow(folder: Path) -> Path:
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    vae = AutoencoderKL(block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4, **kinds)
    return folder_of(vae, folder / "vae")


def _no_numbers(folder: Path) -> Path:
    wrong: dict[str, Tensor] = vae_tensors(other(), "")
    wrong = {name: tensor.clone() for name, tensor in wrong.items()}
    wrong["decoder.conv_in.bias"][0] = torch.nan
    save_file(wrong, folder / "vae.safetensors")
    return folder / "vae.safetensors"


def _something_else(folder: Path) -> Path:
    save_file({"emb_params": torch.zeros(2, 768)}, folder / "vae.safetensors")
    return folder / "vae.safetensors"


def _without_configuration(folder: Path) -> Path:
    (_sd3(folder) / "config.json").unlink()
    return folder / "vae" / "diffusion_pytorch_model.safetensors"


def _nothing(folder: Path) -> Path:
    (folder / "vae").mkdir()
    return folder / "vae"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_sd3, "has 16 channels in 4 steps, the model takes 4 in 4"),
        (_shallow, "has 4 channels in 2 steps, the model takes 4 in 4"),
        (_no_numbers, "the weights of decoder.conv_in.bias hold values that are no numbers"),
        (_something_else, "holds no autoencoder"),
        (_without_configuration, "has no config.json beside it"),
        (_nothing, "diffusion_pytorch_model.safetensors is missing"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_added(
    make: Any, said: str, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(EditorError) as raised:
        catalogue(tmp_path).add(model, vae=make(tmp_path))
    assert said in str(raised.value)
    assert catalogue(tmp_path).entries() == ()
