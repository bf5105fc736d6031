"""Weights in 8 bits: how far from exact ones, what they take, gradients, and that predictions know it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.loras.adding import Adding
from inference.loras.library import LoraLibrary
from inference.models import Catalogue, ModelEntry
from inference.operations import Family
from inference.progress import Progress
from inference.weights import storage as storage_module
from inference.weights.configuration import of_folder
from inference.weights.loading import load_backbone, stored_as
from inference.weights.modes import AUTO, EXACT, FLOAT8, INT8, MemoryMode, is_tighter, modes_with
from inference.weights.prediction import needed
from inference.weights.storage import coded, store, stored_bytes, widened, widened_bytes

HOWS = (INT8, FLOAT8)
MODELS = ("tiny-sd1", "tiny-sdxl", "tiny-sd3", "tiny-sd35")


def entry_of(folder: Path) -> ModelEntry:
    return Catalogue(Path("unused"), built_in=folder.parent).find(folder.name)


def bytes_of(backbone: Any) -> int:
    networks = backbone.parts.networks
    return sum(
        one.numel() * one.element_size() for network in networks for one in network.parameters()
    ) + sum(
        one.numel() * one.element_size()
        for network in networks
        for name, one in network.named_buffers()
        if name.endswith("scale")
    )


def denoised(backbone: Any) -> torch.Tensor:
    prompts = [backbone.encode_prompt("a man")]
    latents = backbone.initial_noise(3, 64, 64)
    with torch.no_grad():
        return backbone.predict(latents, backbone.schedule.level_at(500), prompts).eps


@pytest.mark.parametrize(("how", "most"), [(INT8, 0.01), (FLOAT8, 0.04)])
def test_codes_are_close_channel_by_channel(how: str, most: float) -> None:
    weight = (
        torch.randn(32, 64, generator=torch.Generator().manual_seed(1)) * torch.logspace(-6, 3, 32)[:, None]
    )
    weight[5] = 0
    codes, scale = coded(weight, how)
    assert (codes.dtype, codes.shape, scale.shape) == (torch.int8, weight.shape, (32, 1))
    again = widened(codes, scale, is_float8=how == FLOAT8, dtype=torch.float32)
    norms = weight.norm(dim=1).clamp(min=1e-30)
    assert ((again - weight).norm(dim=1) / norms).max() < most
    assert not again[5].any()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("how", "most"), [(INT8, 0.03), (FLOAT8, 0.12)])
def test_a_pass_is_nearly_the_same(
    how: str, most: float, name: str, tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]
) -> None:
    exact: Any = tiny_backbones[name]
    stored: Any = load_backbone(entry_of(tiny_folders[name]), device="cpu", storage=how)
    one, other = denoised(exact), denoised(stored)
    assert 0 < (one - other).norm() / one.norm() < most
    assert bytes_of(stored) < bytes_of(exact)
    assert stored.parts.denoiser.dtype == exact.parts.denoiser.dtype
    vae = [type(module) for module in stored.parts.vae.modules()]
    assert vae == [type(module) for module in exact.parts.vae.modules()]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(96, 64),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.Conv2d(64, 64, 3, stride=2, padding=1, groups=2),
    ],
    ids=["linear", "conv", "strided"],
)
def test_gradients_are_those_of_the_widened_weights(how: str, layer: Any) -> None:
    generator = torch.Generator().manual_seed(2)
    plain = layer
    kept = nn.Sequential(type(layer)(**arguments_of(layer)))
    kept.load_state_dict({f"0.{name}": value.clone() for name, value in plain.state_dict().items()})
    kept.requires_grad_(False)
    store(kept, how)
    with torch.no_grad():
        plain.weight.copy_(kept[0].weight)
    given = torch.randn(
        3, *((5, 96) if isinstance(layer, nn.Linear) else (layer.in_channels, 9, 9)), generator=generator
    )
    found = []
    for network in (plain, kept):
        asked = given.clone().requires_grad_(True)
        output = network(asked)
        (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
        found.append((output.detach(), asked.grad))
    torch.testing.assert_close(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1])


def arguments_of(layer: Any) -> dict[str, Any]:
    if isinstance(layer, nn.Linear):
        return {"in_features": layer.in_features, "out_features": layer.out_features}
    names = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "groups")
    return {name: getattr(layer, name) for name in names}


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sd35"])
def test_every_memory_mode_gives_the_same_with_stored_weights(
    name: str, tiny_folders: dict[str, Path]
) -> None:
    results = [
        denoised(load_backbone(entry_of(tiny_folders[name]), device="cpu", storage=INT8, memory_mode=mode))
        for mode in MemoryMode
    ]
    for other in results[1:]:
        assert torch.equal(results[0], other)
    chosen = load_backbone(entry_of(tiny_folders[name]), device="cpu", memory_mode=MemoryMode.EIGHT_BIT)
    assert torch.equal(results[0], denoised(chosen))
    assert chosen.allows_gradients


@pytest.mark.parametrize("name", MODELS)
def test_what_is_predicted_is_what_is_stored(name: str, tiny_folders: dict[str, Path]) -> None:
    stored: Any = load_backbone(entry_of(tiny_folders[name]), device="cpu", dtype="float32", storage=INT8)
    found = needed(of_folder(tiny_folders[name], stored.family), stored.family, 64, 64, torch.float32)
    assert sum(found.stored.values()) == pytest.approx(bytes_of(stored), rel=0.01)
    assert found.in_eight_bits.peak(MemoryMode.FULL) < found.peak(MemoryMode.FULL)
    assert found.peak(MemoryMode.EIGHT_BIT) <= found.peak(MemoryMode.MODEL) + found.widened


def test_small_and_first_and_last_layers_stay_exact() -> None:
    network = nn.ModuleDict(
        {
            "conv_in": nn.Linear(64, 64),
            "inner": nn.Linear(64, 64),
            "small": nn.Linear(8, 8),
            "norm": nn.LayerNorm(64),
        }
    )
    own = {name: type(module) for name, module in network.items()}
    expected = stored_bytes(network)
    assert widened_bytes(network) == 64 * 64 * 4
    store(network, INT8)
    changed = {name for name, module in network.items() if type(module) is not own[name]}
    assert changed == {"inner"}
    parameters = sum(one.numel() * one.element_size() for one in network.parameters())
    assert expected == parameters + 64 * 4


def test_modes_and_storages_are_chosen_together() -> None:
    assert MemoryMode.EIGHT_BIT in modes_with(AUTO)
    assert all(MemoryMode.EIGHT_BIT not in modes_with(storage) for storage in (EXACT, *HOWS))
    assert [stored_as(AUTO, mode) == INT8 for mode in MemoryMode].count(True) == 1
    assert stored_as(FLOAT8, MemoryMode.FULL) == FLOAT8
    assert is_tighter(MemoryMode.GROUP, MemoryMode.EIGHT_BIT)
    with pytest.raises(EditorError, match="int4"):
        stored_as("int4", MemoryMode.FULL)


@pytest.mark.parametrize(("how", "most"), [(INT8, 0.06), (FLOAT8, 0.2)])
@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd35"])
def test_loras_do_the_same_on_stored_weights_and_leave_them_as_they_were(
    name: str,
    how: str,
    most: float,
    tiny_folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact, stored = (
        load_backbone(entry_of(tiny_folders[name]), device="cpu", dtype="float32", storage=storage)
        for storage in (EXACT, how)
    )
    prefix = "transformer" if exact.family is Family.SD3 else "unet"
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f"{prefix}.{layer}.lora_{half}.weight": 0.3 * torch.randn(shape, generator=generator)
        for layer, module in exact.networks["denoiser"].named_modules()
        if isinstance(module, nn.Linear) and "attn" in layer
        for half, shape in (("A", (4, module.in_features)), ("B", (module.out_features, 4)))
    }
    save_file(tensors, tmp_path / "one.safetensors")
    library = LoraLibrary(tmp_path / "settings")
    use = library.add(tmp_path / "one.safetensors")[0].at(0.7)
    changes: list[torch.Tensor] = []
    for backbone in (exact, stored):
        plain = denoised(backbone)
        with monkeypatch.context() as patched:
            patched.setattr(storage_module, "widened", lambda *_, **__: pytest.fail("widened to add to it"))
            adding = Adding(library).added([use], backbone, Progress())
            adding.__enter__()
        changes.append(denoised(backbone) - plain)
        adding.__exit__(None, None, None)
        assert torch.equal(denoised(backbone), plain)
    assert float(changes[0].abs().max()) > 1e-3
    assert float((changes[1] - changes[0]).norm()) < most * float(changes[0].norm())
