"""What is said to be kept before a model is loaded is what the loaded model says, in every family."""

from typing import Any

import pytest
import torch

from inference.content import Picture
from inference.methods.plug_and_play.expected import expected_bytes
from inference.methods.plug_and_play.translate import Plan
from inference.operations import Family, Translate

STEPS = 20
FAMILIES = {"tiny-sd1": Family.SD1, "tiny-sdxl": Family.SDXL, "tiny-sd3": Family.SD3}
# Stable Diffusion 1.5's denoiser, as far as it matters
SD15 = {
    "sample_size": 64,
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3],
}


def parameters(**values: Any) -> Translate:
    return Translate(image=Picture("0" * 64), prompt="a house", **values)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    "values",
    [{}, {"structure": 0.4}, {"appearance": 0.7}, {"way": "one-copy"}, {"way": "redraw"}, {"structure": 0.0}],
)
def test_it_is_what_the_loaded_model_says(
    name: str, values: dict[str, Any], tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    config = dict(backbone.parts.denoiser.config)
    item = torch.empty((), dtype=backbone.dtype).element_size()
    defaults = backbone.defaults
    told = Plan.of(backbone, parameters(**values), STEPS)
    wanted = told.needed_bytes(backbone, defaults.width, defaults.height)
    assert expected_bytes(FAMILIES[name], config, parameters(**values), STEPS, item) == wanted


def test_the_original_at_512_pixels() -> None:
    """40 steps of features and 25 of queries and keys: 0.7 GB in half precision."""
    features, attention = 1280 * 16**2, 2 * (2 * 1280 * 16**2 + 3 * 640 * 32**2 + 3 * 320 * 64**2)
    found = expected_bytes(Family.SD1, SD15, parameters(), 50, 2)
    assert found == 2 * (40 * features + 25 * attention)
    assert 0.6e9 < found < 0.8e9


@pytest.mark.parametrize("broken", [{}, {**SD15, "layers_per_block": [2, 2]}, {**SD15, "sample_size": None}])
def test_values_of_something_else_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        expected_bytes(Family.SD1, broken, parameters(), 50, 2)
