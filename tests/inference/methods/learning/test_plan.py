"""What a learning run is said to need, against what the reference was seen to take on SDXL."""

from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from inference.backbones.kept import unet_kept
from inference.backbones.layers import unet_features, unet_layers
from inference.content import DefinitionFile
from inference.methods.learning.plan import memory_plan
from inference.operations import LearnDelta

PARAMETERS = LearnDelta(definition=DefinitionFile("0" * 64), method="learned")
GIGABYTE = 1e9


def test_of_sdxl_at_its_real_size() -> None:
    """26 GB with four scales: 5.1 GB of denoiser, 2 GB of encoders and VAE, the rest kept."""
    make: Any = UNet2DConditionModel  # whose declared types leave out what it takes
    with torch.device("meta"):
        unet = make(
            sample_size=128,
            block_out_channels=(320, 640, 1280),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20),
            cross_attention_dim=2048,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        )
    weights = 2 * sum(weight.numel() for weight in unet.parameters())
    kept = 4 * 2 * unet_kept(unet, unet_layers(unet), unet_features(unet), 128, 128)
    assert (weights + kept + 2 * GIGABYTE) / GIGABYTE == pytest.approx(26, rel=0.1)


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def test_scales_cost_and_low_memory_saves(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    usual = memory_plan(backbone, PARAMETERS)
    twice = memory_plan(backbone, LearnDelta(**{**vars(PARAMETERS), "scales": 8}))
    low = memory_plan(backbone, LearnDelta(**{**vars(PARAMETERS), "low_memory": True}))
    pair = memory_plan(backbone, LearnDelta(**{**vars(PARAMETERS), "method": "pair"}))
    assert usual is not None
    assert twice is not None
    assert low is not None
    assert pair is not None
    assert usual.weights == backbone.weight_bytes > 0
    assert twice.keeps == 2 * usual.keeps
    assert pair.keeps == usual.keeps // 2
    assert low.keeps < usual.keeps / 8


def test_what_it_says_is_about_what_a_pass_keeps(tiny_backbones: dict[str, Any]) -> None:
    """Within a factor of three on a network whose norms and biases weigh more than in a real one."""
    backbone = tiny_backbones["tiny-sdxl"]
    prompt = backbone.encode_prompt("a man")
    free = prompt.with_embeddings(
        {name: value.clone().requires_grad_() for name, value in prompt.embeddings.items()}
    )
    _, height, width = backbone.latent_shape(64, 64)
    latents = torch.zeros(1, *backbone.latent_shape(64, 64))
    weights = {weight.data_ptr() for network in backbone.parts.networks for weight in network.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.untyped_storage().size() // tensor.element_size()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        found = backbone.predict(latents, backbone.levels(4, 64, 64)[1], [free])
    assert found.x0.requires_grad
    assert sum(kept.values()) / 3 < backbone.kept_numbers(height, width) < 3 * sum(kept.values())
