"""Memory that is predicted from shapes alone, against what a real pass holds."""

from pathlib import Path

import pytest
import torch

from inference.backbones.base import Backbone
from inference.models import Catalogue
from inference.weights import prediction
from inference.weights.configuration import of_folder
from inference.weights.modes import EXACT, INT8, MemoryMode, modes_with
from inference.weights.prediction import Needed, _Counter, mode_here, needed

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
    from inference.operations import Family

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
