"""Principal components as colours, against a plain eigendecomposition, and maps of every family."""

from typing import Any

import numpy as np
import pytest
import torch

from inference.content import Picture, content_hash
from inference.inputs import Inputs
from inference.methods.plug_and_play.components import principal_components, see
from inference.operations import See
from inference.progress import Progress

PICTURE = np.random.default_rng(5).integers(0, 256, (64, 96, 3), np.uint8)
NAME = content_hash(PICTURE)


def test_components_are_the_strongest_directions() -> None:
    values = torch.randn((40, 6), generator=torch.Generator().manual_seed(2)) * torch.tensor(
        [9.0, 5, 3, 1, 1, 1]
    )
    found = principal_components(values)
    centred = (values - values.mean(0)).double()
    _, directions = torch.linalg.eigh(centred.T @ centred)
    for index in range(3):
        expected = centred @ directions[:, -1 - index]
        correlation = torch.corrcoef(torch.stack([found[:, index].double(), expected]))[0, 1]
        assert abs(float(correlation)) > 0.999
    assert float(found.min()) == 0
    assert float(found.max()) == 1
    assert torch.equal(found, principal_components(values))


def test_what_does_not_vary_is_grey() -> None:
    assert torch.equal(principal_components(torch.ones(5, 4)), torch.full((5, 3), 0.5))
    assert torch.equal(principal_components(torch.rand(5, 2))[:, 2], torch.full((5,), 0.5))


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd35"])
def test_every_place_at_every_step(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone, progress = tiny_backbones[name], Progress()
    backbone.measured = progress.measured
    parameters = See(image=Picture(NAME), steps=8, looks=3, width=96, height=64, prompt="a cat")
    output = see(backbone, parameters, Inputs(contents={NAME: PICTURE}), progress)
    assert output.images == (PICTURE,)
    assert progress.measured.denoiser_evaluations == 3
    steps = {int(key.split("/")[1]) for key in output.maps}
    assert steps == {0, 4, 7}
    places = {key.split("/")[2] for key in output.maps}
    assert any("attn" in place for place in places)
    assert any("attn" not in place for place in places)
    for value in output.maps.values():
        assert value.dtype == np.float32
        assert 0 <= value.min() <= value.max() <= 1
        assert value.shape in {(8, 12), (4, 6), (2, 3), (1, 2)}
