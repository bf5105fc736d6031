"""Small updates run on one thread, others as before; what was set comes back."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from inference.methods.gsn.threads import threads_for


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("numbers", "threads"), [(32 * 16 * 16, 1), (2**15, 2), (320 * 64 * 64, 2), (None, 2)]
)
def test_only_small_work_keeps_to_one_thread(numbers: int | None, threads: int) -> None:
    with threads_for(numbers):
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == 2
    with pytest.raises(ValueError, match="broken"), threads_for(numbers):
        raise ValueError("broken")
    assert torch.get_num_threads() == 2


def test_a_layer_puts_out_its_width_at_each_latent(tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    seen: list[int] = []
    handle = backbone.parts.denoiser.conv_in.register_forward_hook(
        lambda *given: seen.append(given[2].numel())
    )
    try:
        latents = backbone.initial_noise(1, 96, 64)
        with torch.no_grad():
            backbone.predict(latents, backbone.schedule.level_at(500), [backbone.encode_prompt("a man")])
    finally:
        handle.remove()
    assert seen == [backbone.layer_numbers(*latents.shape[-2:])]
    assert tiny_backbones["tiny-sd3"].layer_numbers(8, 8) is None
