"""Memory that is predicted from shapes alone, against what a real pass holds."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.backbones.base import Backbone
from inference.loras.adding import Adding
from inference.loras.library import LoraLibrary
from inference.models import Catalogue
from inference.operations import Family, LoraUse
from inference.progress import Progress
from inference.weights import prediction
from inference.weights.configuration import of_folder
from inference.weights.modes import EXACT, INT8, MemoryMode, modes_with
from inference.weights.prediction import Needed, _Counter, _identity, mode_here, needed, pieces_of

GB = 10**9


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd35"])
def test_what_shapes_tell_is_what_a_real_step_holds(
    name: str, tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]
) -> None:
    backbone = tiny_backbones[name]
    parts = backbone.parts  # pyright: ignore
    found = needed(of_folder(tiny_folders[name], backbone.family), backbone.family, 64, 64, torch.float32)
    own = sum(p.numel() * 4 for network in parts.networks for p in network.parameters())
    assert abs(sum(found.weights.values()) - own) < 0.01 * own
    prompts = [backbone.encode_prompt("a man"), backbone.encode_prompt("a cat")]
    latents = backbone.initial_noise(1, 64, 64).repeat(2, 1, 1, 1)
    with torch.no_grad(), _Counter(parts.denoiser) as counter:
        backbone.predict(latents, backbone.schedule.level_at(500), prompts)
    assert 0.75 * counter.most < found.denoising < 1.25 * counter.most
    with _Counter(parts.vae) as counter:
        backbone.decode(latents[:1])
    assert 0.75 * counter.most < found.decoding < 1.25 * counter.most


def test_larger_pictures_and_numbers_take_more(tiny_folders: dict[str, Path]) -> None:
    configuration = of_folder(tiny_folders["tiny-sdxl"], Family.SDXL)
    small, large = (needed(configuration, Family.SDXL, size, size, torch.bfloat16) for size in (512, 1024))
    assert 3.5 < large.denoising / small.denoising < 4.5
    assert 3.5 < large.decoding / small.decoding < 4.5
    wide = needed(configuration, Family.SDXL, 512, 512, torch.float32)
    assert sum(wide.weights.values()) == 2 * sum(small.weights.values())
    half = needed(configuration, Family.SDXL, 64, 64, torch.float16)
    assert half.weights["vae"] == wide.weights["vae"]  # it would overflow


def test_the_fastest_mode_that_fits_is_chosen() -> None:
    needs = Needed(
        weights={"unet": 5 * GB, "vae": GB // 10, "text_encoder": GB},
        blocks=GB,
        denoising=2 * GB,
        decoding=3 * GB,
        stored={"unet": 5 * GB // 2, "vae": GB // 10, "text_encoder": GB // 2},
        stored_blocks=GB // 2,
        widened=GB // 5,
    )
    assert [needs.peak(mode) / GB for mode in MemoryMode] == pytest.approx([9.1, 7.0, 4.7, 3.1, 3.0])
    chosen = [needs.mode_for(int(free * GB)) for free in (24, 9, 6, 5, 3, 1)]
    assert chosen == [
        MemoryMode.FULL, MemoryMode.MODEL, MemoryMode.EIGHT_BIT,
        MemoryMode.GROUP, MemoryMode.SEQUENTIAL, MemoryMode.SEQUENTIAL,
    ]  # fmt: skip
    assert needs.mode_for(6 * GB, EXACT) is MemoryMode.GROUP
    always = needs.in_eight_bits
    assert [always.peak(mode) / GB for mode in modes_with(INT8)] == pytest.approx([6.1, 4.7, 3.1, 3.0])


def test_a_card_with_little_memory_gets_a_tighter_mode(
    tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Catalogue(Path("unused"), built_in=tiny_folders["tiny-sd1"].parent).find("tiny-sd1")
    assert mode_here(entry, "cpu", "auto").mode is MemoryMode.FULL
    monkeypatch.setattr(prediction, "choose_device", lambda _name: torch.device("cuda"))
    for free, mode in ((8 * GB, MemoryMode.FULL), (1000, MemoryMode.SEQUENTIAL)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device, free=free: (free, free))
        choice = mode_here(entry, "auto", "float16")
        assert (choice.mode, choice.free_bytes) == (mode, free)
        assert choice.needed_bytes > 700 * 2**20


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sd35"])
@pytest.mark.parametrize("more", ["long prompt", "one LoRA", "two LoRAs"])
def test_long_prompts_and_loras_are_foreseen(
    name: str, more: str, tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone], tmp_path: Path
) -> None:
    backbone = tiny_backbones[name]
    parts = backbone.parts  # pyright: ignore
    text = ", ".join(["a man with a red hat"] * 60) if more == "long prompt" else "a man"
    adding, uses = added_to_all(backbone, tmp_path, {"one LoRA": 1, "two LoRAs": 2}.get(more, 0))
    configuration = of_folder(tiny_folders[name], backbone.family)
    plain = needed(configuration, backbone.family, 64, 64, torch.float32)
    found = needed(
        configuration,
        backbone.family,
        64,
        64,
        torch.float32,
        pieces=pieces_of(configuration, (text, "")),
        loras=sorted(tmp_path.glob("*.safetensors")),
    )
    prompts = [backbone.encode_prompt(text), backbone.encode_prompt(text)]
    latents = backbone.initial_noise(1, 64, 64).repeat(2, 1, 1, 1)
    with torch.no_grad(), adding.added(uses, backbone, Progress()):
        counter = _Counter(parts.denoiser)
        for layer in parts.denoiser.modules():  # alive before the pass
            for hook in layer._forward_hooks.values():
                addition = hook._addition  # type: ignore[attr-defined]
                counter._seen |= {_identity(half) for half in (addition.down, addition.up, addition.scales)}
        with counter:
            backbone.predict(latents, backbone.schedule.level_at(500), prompts)
        own = [factors for read in adding._read.values() for factors in read.factors.values()]
        held = sum(half.numel() * 4 for one in own for half in (one.down, one.up))
    assert 0.75 * counter.most < found.denoising < 1.25 * counter.most
    if more == "long prompt":
        assert (found.denoising > plain.denoising, found.added) == (True, 0)
    else:
        assert found.added == pytest.approx(held * len(uses), rel=0.02)
        assert found.peak(MemoryMode.FULL) - plain.peak(MemoryMode.FULL) >= found.added
        assert found.peak(MemoryMode.SEQUENTIAL) < found.peak(MemoryMode.FULL)


def added_to_all(backbone: Backbone, folder: Path, count: int) -> tuple[Adding, list[LoraUse]]:
    """LoRAs of rank 4 for all attention layers of the denoiser, in the form of PEFT."""
    library = LoraLibrary(folder / "settings")
    uses: list[LoraUse] = []
    prefix = "transformer" if backbone.family is Family.SD3 else "unet"
    denoiser = backbone.networks["denoiser"]
    for number in range(count):
        torch.manual_seed(number)
        tensors = {
            f"{prefix}.{name}.lora_{half}.weight": 0.01 * torch.randn(shape)
            for name, layer in denoiser.named_modules()
            if isinstance(layer, torch.nn.Linear) and ("attn" in name or "ff" in name)
            for half, shape in (("A", (4, layer.in_features)), ("B", (layer.out_features, 4)))
        }
        save_file(tensors, folder / f"{number}.safetensors")
        uses.append(library.add(folder / f"{number}.safetensors")[0].at(0.5))
    return Adding(library), uses
