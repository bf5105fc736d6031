"""Filling: what surrounds a hole, models for inpainting, what is transparent, and that the rest stays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from inference.backbones.base import Backbone
from inference.content import Mask, Picture, content_hash
from inference.deltas import DeltaLibrary
from inference.errors import EditorError
from inference.methods.fill.surroundings import carried_on
from inference.models import Catalogue, ModelEntry
from inference.operations import Fill, Generate
from inference.progress import Progress
from inference.request import Pixels, Request, Result
from inference.runner import Runner
from inference.weights.loading import load_backbone

SIZE = 64


@pytest.fixture
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]) -> Runner:
    def load(entry: ModelEntry, **_options: object) -> Backbone:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    return Runner(
        Catalogue(models / "none", built_in=models), DeltaLibrary((), models), device="cpu", load=load
    )


def photo(alpha: bool = False) -> Pixels:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    planes = [2 * rows, 3 * columns, 90 + rows - columns // 2]
    if alpha:
        planes.append(np.where(columns < 40, 255, 0))
    return np.stack(planes, -1).clip(0, 255).astype(np.uint8)


def hole() -> Pixels:
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[16:40, 16:40] = 255
    return mask


def filled(runner: Runner, picture: Pixels, mask: Pixels | None, model: str, **values: object) -> Result:
    contents = {content_hash(picture): picture}
    if mask is not None:
        contents[content_hash(mask)] = mask
    parameters = Fill(
        image=Picture(content_hash(picture)),
        mask=None if mask is None else Mask(content_hash(mask)),
        prompt="a photo of a cat",
        steps=3,
        **values,  # type: ignore[arg-type]
    )
    return runner.run(Request(operation="fill", parameters=parameters, model=model), contents, Progress())


@pytest.mark.parametrize("model", ["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def test_outside_stays_bit_for_bit_and_nothing_of_the_inside_is_seen(model: str, runner: Runner) -> None:
    picture, mask = photo(), hole()
    other = picture.copy()
    other[mask > 0] = (255, 0, 255)
    pictures = [filled(runner, given, mask, model).images[0] for given in (picture, other)]
    for found in pictures:
        assert np.array_equal(found[mask == 0], picture[mask == 0])
    assert np.array_equal(pictures[0], pictures[1])
    assert (pictures[0] != picture).any()


def test_what_is_transparent_is_filled_and_opaque_then(runner: Runner) -> None:
    picture = photo(alpha=True)
    result = filled(runner, picture, None, "tiny-sd1")
    found = result.images[0]
    assert (found[..., 3] == 255).all()
    assert np.array_equal(found[:, :40, :3], picture[:, :40, :3])
    assert isinstance(result.request.parameters, Fill)
    assert result.request.parameters.mask is not None  # a recipe makes the same again
    assert result.request.parameters.mask.hash in result.contents
    with pytest.raises(EditorError, match="fully transparent"):
        filled(runner, np.zeros((SIZE, SIZE, 4), np.uint8), None, "tiny-sd1")


def test_the_surroundings_are_carried_on_smoothly() -> None:
    values = torch.linspace(0, 1, 32).repeat(1, 2, 24, 1)
    known = torch.ones(1, 1, 24, 32)
    known[..., 6:18, 10:22] = 0
    spoiled = torch.where(known > 0, values, torch.full_like(values, 9.0))
    found = carried_on(spoiled, known)
    assert torch.equal(found[..., :6, :], values[..., :6, :])
    assert (found - values).abs().max() < 0.15
    assert not carried_on(spoiled, torch.zeros_like(known)).any()


def test_the_shift_of_the_decoder_leaves_no_seam(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    picture, mask = photo(), hole()
    shifted = (picture + np.array([12, -7, 20])).clip(0, 255).astype(np.uint8)
    monkeypatch.setattr("inference.methods.fill.fill.decoded", lambda *_: (shifted,))
    found = filled(runner, picture, mask, "tiny-sd1").images[0]
    unclipped = (shifted > 0) & (shifted < 255)
    assert np.abs(found.astype(int) - picture)[unclipped].max() <= 2


@pytest.fixture(scope="module")
def inpainting(tiny_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny SD1 as a model for inpainting: five channels more."""
    import json
    import shutil

    folder = tmp_path_factory.mktemp("inpainting") / "tiny-inpaint"
    shutil.copytree(tiny_folders["tiny-sd1"], folder)
    torch.manual_seed(2)
    config: Any = UNet2DConditionModel.load_config(folder / "unet")
    unet: Any = UNet2DConditionModel.from_config(config, in_channels=9)
    unet.save_pretrained(folder / "unet")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(
        json.dumps({**index, "_class_name": "StableDiffusionInpaintPipeline"})
    )
    return folder


def test_a_model_for_inpainting_sees_mask_and_surroundings(inpainting: Path) -> None:
    catalogue = Catalogue(inpainting.parent / "none", built_in=inpainting.parent)
    assert catalogue.check("tiny-inpaint")["problems"] == []
    backbone = load_backbone(catalogue.find("tiny-inpaint"), device="cpu")
    assert backbone.takes_surroundings
    runner = Runner(catalogue, DeltaLibrary((), inpainting), device="cpu", load=lambda *_, **__: backbone)
    seen: list[torch.Tensor] = []
    denoiser = backbone.parts.denoiser  # pyright: ignore
    hook = denoiser.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    picture, mask = photo(), hole()
    found = filled(runner, picture, mask, "tiny-inpaint").images[0]
    assert np.array_equal(found[mask == 0], picture[mask == 0])
    inputs = seen[0]
    assert inputs.shape[1] == 9
    inside = inputs[0, 4]
    assert inside[2:5, 2:5].min() == 1
    assert inside.sum() == 9
    grey = picture.copy()
    grey[mask > 0] = 128
    assert torch.equal(inputs[:1, 5:], backbone.encode_image(grey))
    seen.clear()
    request = Request(
        operation="generate", parameters=Generate(prompt="a cat", steps=1), model="tiny-inpaint"
    )
    assert runner.run(request, {}, Progress()).images[0].shape == (SIZE, SIZE, 3)
    assert seen[0][:, 4].min() == 1  # all of it is drawn
    hook.remove()


def test_other_models_refuse_surroundings(tiny_backbones: dict[str, Backbone]) -> None:
    for name in ("tiny-sd1", "tiny-sd3"):
        backbone = tiny_backbones[name]
        assert not backbone.takes_surroundings
        with (
            pytest.raises(ValueError, match="no model for inpainting"),
            backbone.surrounded(torch.ones(1, 1, 8, 8), torch.ones(1, 4, 8, 8)),
        ):
            pass
