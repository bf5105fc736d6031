"""What is put in, against a slow implementation written anew; the reference's layers on the real layout."""

from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from inference.attention import AttentionKind
from inference.backbones.base import Backbone
from inference.backbones.layers import unet_features, unet_layers
from inference.errors import EditorError
from inference.features import Structure
from inference.methods.plug_and_play.injection import Injection, Places, Seen, places_of
from inference.methods.plug_and_play.masks import Masks, of_attention, of_features, thresholded
from tests.helpers.tiny_models import NAMES

# pnp-diffusers: res_dict {1: [1, 2], 2: [0, 1, 2], 3: [0, 1, 2]}, and conv2 of up_blocks[1].resnets[1]
REFERENCE = [
    f"up_blocks.{block}.attentions.{index}.transformer_blocks.0.attn1"
    for block, indices in ((1, (1, 2)), (2, (0, 1, 2)), (3, (0, 1, 2)))
    for index in indices
]


def test_the_reference_s_layers_on_the_layout_of_sd1(tiny_backbones: dict[str, Backbone]) -> None:
    places = places_of(tiny_backbones["tiny-sd1"])
    assert [layer.name for layer in places.layers] == REFERENCE
    assert [place.name for place in places.features] == ["up_blocks.1.resnets.1.conv2"]


def test_the_reference_s_layers_and_their_size_on_stable_diffusion_1_5(
    tiny_backbones: dict[str, Backbone],
) -> None:
    """Its own U-Net without weights: 0.68 GB for 25 steps of attention and 40 of features at 512 px."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8)

    class Real:
        name = "stable-diffusion-1.5"
        layers = unet_layers(unet)
        features = unet_features(unet)
        structure = tiny_backbones["tiny-sd1"].structure

    backbone: Any = Real()
    places = places_of(backbone)
    assert [layer.name for layer in places.layers] == REFERENCE
    assert [place.name for place in places.features] == ["up_blocks.1.resnets.1.conv2"]
    features, layers = (Places(features=places.features), Places(layers=places.layers))
    numbers = 2 * (2 * 1280 * 16**2 + 3 * 640 * 32**2 + 3 * 320 * 64**2)
    assert layers.size_bytes(64, 64, 2) == 2 * numbers
    assert features.size_bytes(64, 64, 2) == 2 * 1280 * 16**2
    total = 25 * layers.size_bytes(64, 64, 2) + 40 * features.size_bytes(64, 64, 2)
    assert 0.68e9 < total < 0.69e9
    assert 25 * layers.size_bytes(128, 128, 2) == 4 * 25 * layers.size_bytes(64, 64, 2)


def test_ctrl_x_s_layers_on_the_layout_of_sdxl(tiny_backbones: dict[str, Backbone]) -> None:
    places = places_of(tiny_backbones["tiny-sdxl"])
    assert {layer.name.rsplit(".transformer_blocks", 1)[0] for layer in places.layers} == {
        f"up_blocks.0.attentions.{index}" for index in range(3)
    }
    assert all(layer.kind is AttentionKind.SELF for layer in places.layers)
    assert [place.name for place in places.features] == ["up_blocks.0.resnets.0"]


@pytest.mark.parametrize("name", NAMES)
def test_every_family_says_where_structure_is(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    places = places_of(backbone)
    assert places.layers
    height, width = 8, 12
    expected = sum(place.channels * _area(place.grid(height, width)) for place in places.features)
    expected += sum(2 * layer.width * _area(layer.grid(height, width)) for layer in places.layers)
    assert places.size_bytes(height, width, 2) == 2 * expected


def test_a_model_without_the_layers_is_told(tiny_backbones: dict[str, Any]) -> None:
    class Other:
        name = "other"
        layers = tiny_backbones["tiny-sdxl"].layers
        features = tiny_backbones["tiny-sdxl"].features
        structure = Structure(
            features=("up_blocks.3.resnets.0",), attention=(), feature_share=1, attention_share=1
        )

    backbone: Any = Other()
    with pytest.raises(EditorError, match=r"other has no part called up_blocks\.3\.resnets\.0"):
        places_of(backbone)


def test_a_model_with_some_of_the_layers_is_told_which_it_lacks(tiny_backbones: dict[str, Any]) -> None:
    """Half of the structure is none: a decoder without attention in its last blocks."""
    whole = tiny_backbones["tiny-sd1"]

    class Other:
        name = "other"
        layers = tuple(one for one in whole.layers if not one.name.startswith(("up_blocks.2", "up_blocks.3")))
        features = whole.features
        structure = whole.structure

    backbone: Any = Other()
    with pytest.raises(EditorError, match=r"other has no part called up_blocks\.\[23\]\.attentions") as error:
        places_of(backbone)
    assert "resnets" not in str(error.value)
    assert "up_blocks.1" not in str(error.value)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_as_large_as_was_said(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    seen = looked(backbone, places_of(backbone))
    item = torch.empty((), dtype=backbone.dtype).element_size()
    assert seen.size_bytes == places_of(backbone).size_bytes(8, 8, item)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_known", [False, True])
def test_injection_equals_a_slow_implementation(
    name: str, is_known: bool, tiny_backbones: dict[str, Any]
) -> None:
    """Source and target each in a pass of their own, everything replaced by hooks on the modules."""
    backbone, level = tiny_backbones[name], tiny_backbones[name].schedule.level_at(500)
    places = places_of(backbone)
    latents, prompts = samples(backbone), prompts_of(backbone)
    with torch.no_grad():
        if is_known:
            seen, into = looked(backbone, places), [0]
            with backbone.tapped(Injection(source=None, seen=seen, into=into), places.where):
                found = backbone.predict(latents[1:], level, prompts[1:]).eps[0]
        else:
            with backbone.tapped(Injection(source=0, seen=Seen(), into=[1]), places.where):
                found = backbone.predict(latents, level, prompts).eps[1]
        plain = backbone.predict(latents[1:], level, prompts[1:]).eps[0]
    expected = slowly_injected(backbone, places, latents, prompts, level)
    assert (found - expected).abs().max() < 1e-5
    assert (plain - expected).abs().max() > 1e-4


def test_nothing_is_left_behind_when_it_fails(tiny_backbones: dict[str, Any]) -> None:
    backbone, level = tiny_backbones["tiny-sd1"], tiny_backbones["tiny-sd1"].schedule.level_at(500)
    places = places_of(backbone)
    with (
        pytest.raises(KeyError),
        backbone.tapped(Injection(source=None, seen=Seen(), into=[0]), places.where),
    ):
        backbone.predict(samples(backbone), level, prompts_of(backbone))
    modules = list(backbone.parts.denoiser.modules())
    assert not sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in modules)


# masks


def test_subject_and_rest_are_attended_apart(tiny_backbones: dict[str, Any]) -> None:
    """All attend as the source does, the subject to its subject alone, the rest to its rest: written out."""
    backbone, level = tiny_backbones["tiny-sd1"], tiny_backbones["tiny-sd1"].schedule.level_at(500)
    layer = places_of(backbone).layers[-1]
    where = Places(layers=(layer,)).where
    source, target = torch.zeros(8, 8), torch.zeros(8, 8)
    source[2:6, 1:4] = 1
    target[1:5, 3:7] = 1
    masks = Masks(source=lambda: source, target=lambda: target)
    latents, prompts = samples(backbone), prompts_of(backbone)
    parts: dict[str, Tensor] = {}

    class Watching(Injection):
        def attention(self, call: Any) -> Tensor:
            output = super().attention(call)
            parts.update(q=call.query, k=call.key, v=call.value, out=output)
            return output

    with torch.no_grad(), backbone.tapped(Watching(source=0, seen=Seen(), into=[1], masks=masks), where):
        backbone.predict(latents, level, prompts)
    queries, keys, values, output = (parts[name].double() for name in ("q", "k", "v", "out"))
    of_source, of_target = source.flatten() > 0, target.flatten() > 0
    scale = queries.shape[-1] ** -0.5
    for token in (0, int(of_target.nonzero()[0])):
        allowed = of_source if bool(of_target[token]) else ~of_source
        scores = queries[0, :, token : token + 1] @ keys[0].transpose(-1, -2) * scale
        scores[:, :, ~allowed] = -torch.inf
        expected = scores.softmax(-1) @ values[1]
        assert (output[1, :, token] - expected[:, 0]).abs().max() < 1e-5


def test_features_are_confined_to_the_subject(tiny_backbones: dict[str, Any]) -> None:
    backbone, level = tiny_backbones["tiny-sd1"], tiny_backbones["tiny-sd1"].schedule.level_at(500)
    features = Places(features=places_of(backbone).features)
    source = torch.zeros(4, 4)
    source[:2, :2] = 1
    masks = Masks(source=lambda: source, target=lambda: source)
    latents, prompts = samples(backbone), prompts_of(backbone)
    given: list[Tensor] = []

    class Watching(Injection):
        def features(self, call: Any) -> Tensor:
            given.extend([call.features, super().features(call)])
            return given[-1]

    with (
        torch.no_grad(),
        backbone.tapped(Watching(source=0, seen=Seen(), into=[1], masks=masks), features.where),
    ):
        backbone.predict(latents, level, prompts)
    before, after = given
    mask = thresholded(source, before.shape[-2:])
    assert mask is not None
    assert torch.equal(after[1][:, mask], before[0][:, mask])
    assert torch.equal(after[1][:, ~mask], before[1][:, ~mask])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_that_says_nothing_injects_everywhere(value: float) -> None:
    flat = torch.full((4, 4), value)
    assert of_attention(flat, flat, (8, 8)) is None
    assert of_features(flat, (8, 8)) is None
    assert of_attention(None, flat, (8, 8)) is None
    assert of_features(None, (8, 8)) is None


# helpers


def _area(grid: tuple[int, int]) -> int:
    return grid[0] * grid[1]


def samples(backbone: Any) -> Tensor:
    return torch.cat([backbone.initial_noise(seed, 64, 64) for seed in (1, 2)])


def prompts_of(backbone: Any) -> list[Any]:
    return [backbone.encode_prompt("a photo of a man"), backbone.encode_prompt("a photo of an old cat")]


def looked(backbone: Any, places: Places) -> Seen:
    seen, level = Seen(), backbone.schedule.level_at(500)
    with torch.no_grad():
        backbone.read(
            Injection(source=0, seen=seen, into=()),
            places.where,
            samples(backbone)[:1],
            level,
            prompts_of(backbone)[:1],
        )
    return seen


def slowly_injected(backbone: Any, places: Places, latents: Tensor, prompts: list[Any], level: Any) -> Tensor:
    """ε̂ of the target, with what hooks on the source's own pass took: outputs, and projections to Q and K.

    Replaces what `to_q` and `to_k` (or the norms after them) give for image tokens: attention itself is the
    library's own.
    """
    network = backbone.parts.denoiser
    taken: dict[str, Tensor] = {}

    def modules(layer: Any) -> list[str]:
        attention = network.get_submodule(layer.name)
        normed = getattr(attention, "norm_q", None) is not None
        return [f"{layer.name}.{name}" for name in (("norm_q", "norm_k") if normed else ("to_q", "to_k"))]

    names = [name for layer in places.layers for name in modules(layer)]
    outputs = {place.name: place.output for place in places.features}

    def run(row: int, hook: Any) -> Tensor:
        handles = [
            network.get_submodule(name).register_forward_hook(hook(name)) for name in (*names, *outputs)
        ]
        try:
            with torch.no_grad():
                return backbone.predict(latents[row : row + 1], level, prompts[row : row + 1]).eps[0]
        finally:
            for handle in handles:
                handle.remove()

    def part(name: str, output: Any) -> Tensor:
        return output if isinstance(output, Tensor) else output[outputs[name]]

    def take(name: str) -> Any:
        return lambda _m, _i, output: taken.__setitem__(name, part(name, output).clone())

    def give(name: str) -> Any:
        def hook(_m: Any, _i: Any, output: Any) -> Any:
            if isinstance(output, Tensor):
                return taken[name]
            changed = list(output)
            changed[outputs[name]] = taken[name]
            return tuple(changed)

        return hook

    run(0, take)
    return run(1, give)
