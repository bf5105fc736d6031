"""Taps: identity, exactness of maps, gradients, restoring, and what is refused."""

import inspect
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.attention import (
    AttentionCall,
    AttentionKind,
    AttentionStore,
    Tap,
    Where,
    index_of,
    softmax_columns,
)
from inference.backbones.base import Backbone
from inference.errors import Cancelled, EditorError
from inference.features import FeatureCall
from tests.helpers.tiny_models import NAMES

EVERYWHERE = Where(kinds=tuple(AttentionKind))
TEXT_KIND = {name: AttentionKind.JOINT if "sd3" in name else AttentionKind.CROSS for name in NAMES}
TEXT = "a photo of an old man and a cat"


def predicted(backbone: Backbone, prompt_text: str = TEXT, size: int = 64, seed: int = 0) -> Tensor:
    prompts = [backbone.negative_prompt(""), backbone.encode_prompt(prompt_text)]
    noise = backbone.initial_noise(seed, size, size).repeat(2, 1, 1, 1)
    with torch.no_grad():
        return backbone.predict(noise, backbone.schedule.level_at(500), prompts).eps


def hooks_of(backbone: Any) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks)
        for module in backbone.parts.denoiser.modules()
    )


class Recorder(Tap):
    """Remembers every call."""

    def __init__(self) -> None:
        self.calls: list[AttentionCall] = []

    def attention(self, call: AttentionCall) -> Tensor:
        self.calls.append(call)
        return call.attend()


@pytest.mark.parametrize("name", NAMES)
def test_layers_of_the_real_layouts(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    counted = Counter((layer.kind.value, layer.stride) for layer in tiny_backbones[name].layers)
    expected = {
        # SD1: two layers a block going down, three going up, one in the middle; nothing in the last block
        "tiny-sd1": {(k, s): n for k in ("self", "cross") for s, n in ((1, 5), (2, 5), (4, 5), (8, 1))},
        # SDXL: none at full resolution; two transformer layers in the last block and in the middle
        "tiny-sdxl": {(k, s): n for k in ("self", "cross") for s, n in ((2, 5), (4, 12))},
        "tiny-sd3": {("joint", 2): 3},
        "tiny-sd35": {("joint", 2): 3, ("self", 2): 2},
    }
    assert counted == expected[name]


@pytest.mark.parametrize("name", NAMES)
def test_an_identity_tap_changes_nothing_and_sees_every_layer_in_order(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    backbone, tap = tiny_backbones[name], Recorder()
    plain = predicted(backbone)
    with backbone.tapped(tap, EVERYWHERE):
        tapped = predicted(backbone)
    assert (tapped - plain).abs().max() < 1e-6
    assert [call.layer for call in tap.calls] == list(backbone.layers)
    for call in tap.calls:
        rows, columns = call.grid
        assert rows * columns == call.image_tokens
        text = 0 if call.layer.kind is not AttentionKind.JOINT else call.query.shape[2] - call.image_tokens
        assert call.query.shape[2] == call.image_tokens + text
        assert call.forward.prompts[1].text == TEXT
        assert call.scale == pytest.approx(call.query.shape[-1] ** -0.5)
    assert hooks_of(backbone) == 0
    assert torch.equal(predicted(backbone), plain)


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_reaches_the_output_and_goes_with_the_tap(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    class Silence(Tap):
        def attention(self, call: AttentionCall) -> Tensor:
            return call.with_(value=torch.zeros_like(call.value)).attend()

    backbone = tiny_backbones[name]
    plain = predicted(backbone)
    with backbone.tapped(Silence(), Where(kinds={TEXT_KIND[name]})):
        assert (predicted(backbone) - plain).abs().max() > 1e-4
    assert torch.equal(predicted(backbone), plain)


def test_only_tapped_layers_leave_the_usual_path(
    tiny_backbones: dict[str, Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mode is on only while a tapped module runs, so that others never enter it."""
    backbone, tap = tiny_backbones["tiny-sd1"], Recorder()
    seen: list[bool] = []
    usual = functional.scaled_dot_product_attention

    def counting(*args: Any, **kwargs: Any) -> Tensor:
        seen.append(torch._C._len_torch_function_stack() > 0)
        return usual(*args, **kwargs)

    where = Where(kinds={AttentionKind.CROSS}, strides={4}, names=["up_blocks.*"])
    with backbone.tapped(tap, where):
        predicted(backbone)
        assert len(tap.calls) == 3
        monkeypatch.setattr(functional, "scaled_dot_product_attention", counting)
        predicted(backbone)
    assert seen.count(True) == 3
    assert seen.count(False) == len(backbone.layers) - 3


@pytest.mark.parametrize("name", NAMES)
def test_what_a_processor_takes_is_asked_once(name: str, tiny_backbones: dict[str, Any]) -> None:
    processors = tiny_backbones[name].parts.denoiser.attn_processors.values()
    assert processors
    for processor in processors:
        call: Any = type(processor).__call__
        known = call.__signature__
        assert inspect.signature(processor.__call__).parameters.keys() == known.parameters.keys() - {"self"}
        del call.__signature__
        try:
            assert inspect.signature(call) == known
        finally:
            call.__signature__ = known


def test_strides_may_depend_on_the_size(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    where = Where(kinds={AttentionKind.CROSS}, strides=lambda height, width: {2 if height > 8 else 1})
    for size, stride in ((64, 1), (128, 2)):
        tap = Recorder()
        with backbone.tapped(tap, where):
            predicted(backbone, size=size)
        assert {call.layer.stride for call in tap.calls} == {stride}


@pytest.mark.parametrize("failure", [ValueError, Cancelled, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sd3"])
def test_everything_is_restored_after_a_failure(
    name: str, failure: type[BaseException], tiny_backbones: dict[str, Backbone]
) -> None:
    class Failing(Tap):
        def attention(self, call: AttentionCall) -> Tensor:
            raise failure

    backbone = tiny_backbones[name]
    plain = predicted(backbone)
    weights = {key: value.clone() for key, value in backbone.parts.denoiser.state_dict().items()}  # pyright: ignore
    with pytest.raises(failure), backbone.tapped(Failing(), EVERYWHERE):
        predicted(backbone)
    assert hooks_of(backbone) == 0
    assert torch._C._len_torch_function_stack() == 0
    assert torch.equal(predicted(backbone), plain)
    after = backbone.parts.denoiser.state_dict()  # pyright: ignore
    assert all(torch.equal(after[key], value) for key, value in weights.items())


def test_taps_nest_and_the_inner_one_is_asked_first(tiny_backbones: dict[str, Backbone]) -> None:
    backbone, order = tiny_backbones["tiny-sd3"], []

    class Named(Tap):
        def __init__(self, name: str) -> None:
            self.name = name

        def attention(self, call: AttentionCall) -> Tensor:
            order.append(self.name)
            return call.attend()

    plain = predicted(backbone)
    with backbone.tapped(Named("outer"), EVERYWHERE), backbone.tapped(Named("inner"), EVERYWHERE):
        nested = predicted(backbone)
    assert order == ["inner", "outer"] * 3
    assert (nested - plain).abs().max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_gradients_flow_through_maps_to_the_latents(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones[name]
    latents = backbone.initial_noise(0, 64, 64).requires_grad_()
    prompt = backbone.encode_prompt(TEXT)
    with backbone.cross_attention_maps(prompt) as store:
        backbone.predict(latents, backbone.schedule.level_at(500), [prompt])
    loss = sum(part.max() for part in store.maps(14, 17).values())
    (gradient,) = torch.autograd.grad(loss, latents)  # pyright: ignore
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("name", NAMES)
def test_maps_equal_a_full_softmax_in_float64(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    """The store's mean over steps, layers and heads against one written out without any shortcut."""
    backbone, recorder = tiny_backbones[name], Recorder()
    prompt = backbone.encode_prompt(TEXT)
    start = TEXT.index("old man")
    with backbone.cross_attention_maps(prompt) as store, backbone.tapped(recorder, EVERYWHERE):
        predicted(backbone, seed=1)
        predicted(backbone, seed=2)
    finest = min(layer.stride for layer in backbone.layers)
    used = [c for c in recorder.calls if c.layer.kind is TEXT_KIND[name] and c.layer.stride == finest]
    tokens = prompt.tokens(start, start + len("old man"))
    parts = {"clip": (tokens["clip_l"], 0)} | ({"t5": (tokens["t5"], 77)} if "t5" in tokens else {})
    found = store.maps(start, start + len("old man"))
    assert set(found) == set(parts)
    for part, (columns, offset) in parts.items():
        total = np.zeros(used[0].grid)
        for call in used:
            scores = call.query.double() @ call.key.double().transpose(-1, -2) / call.query.shape[-1] ** 0.5
            full = torch.softmax(scores, -1)[1, :, : call.image_tokens]  # the prompt is the second sample's
            wanted = full[..., [call.text_start + offset + column for column in columns]]
            total += wanted.mean((0, 2)).reshape(call.grid).numpy()
        assert np.abs(found[part].numpy() - total / len(used)).max() < 1e-5
    heat = store.heat(start, start + len("old man"))
    assert heat.dtype == np.float32
    assert (heat.min(), heat.max()) == (0, 1)


def test_columns_are_exact_when_the_denominator_is_made_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.attention._CHUNK_SCORES", 500)
    query, key = torch.randn(2, 3, 37, 8) * 3, torch.randn(2, 3, 50, 8) * 3
    full = torch.softmax(query.double() @ key.double().transpose(-1, -2) * 0.35, -1)
    assert (softmax_columns(query, key, [3, 49], 0.35) - full[..., [3, 49]]).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("name", "size", "stride"),
    [
        ("tiny-sd1", 64, 1),
        ("tiny-sd1", 256, 4),
        ("tiny-sdxl", 128, 2),
        ("tiny-sdxl", 256, 4),
        ("tiny-sd3", 96, 2),
    ],
)
def test_standard_layers_follow_the_picture_size(
    name: str, size: int, stride: int, tiny_backbones: dict[str, Backbone]
) -> None:
    """A 32nd of the picture if that leaves 8 rows, or the finest there is."""
    backbone = tiny_backbones[name]
    prompt = backbone.encode_prompt(TEXT)
    with backbone.cross_attention_maps(prompt) as store:
        predicted(backbone, size=size)
    assert store.heat(0, 1).shape == (size // 8 // stride,) * 2


def test_sizes_that_do_not_divide_are_rounded_up(tiny_backbones: dict[str, Backbone]) -> None:
    backbone, tap = tiny_backbones["tiny-sd1"], Recorder()
    prompt = backbone.encode_prompt(TEXT)
    with backbone.tapped(tap, EVERYWHERE), torch.no_grad():
        backbone.predict(backbone.initial_noise(0, 72, 104), backbone.schedule.level_at(1), [prompt])
    assert {call.layer.stride: call.grid for call in tap.calls} == {
        1: (13, 9),
        2: (7, 5),
        4: (4, 3),
        8: (2, 2),
    }
    assert all(call.query.shape[2] == call.image_tokens for call in tap.calls)


def test_only_samples_that_carry_the_prompt_itself_are_collected(
    tiny_backbones: dict[str, Backbone],
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    prompt = backbone.encode_prompt(TEXT)
    twin = prompt.shifted({})
    with backbone.cross_attention_maps(prompt) as alone:
        predicted(backbone)
    with backbone.cross_attention_maps(twin) as other:
        predicted(backbone)
    with backbone.cross_attention_maps(twin, prompt) as both:
        predicted(backbone)
    assert np.array_equal(both.heat(0, 1), alone.heat(0, 1))
    with pytest.raises(EditorError, match="collected"):
        other.heat(0, 1)


def test_special_tokens_are_never_kept(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    prompt = backbone.encode_prompt("a man")
    with backbone.cross_attention_maps(prompt) as store:
        predicted(backbone, "a man")
    assert isinstance(store, AttentionStore)
    assert store._columns == {"clip": (1, 2), "t5": (77, 78)}


def test_features_are_seen_and_replaced(tiny_backbones: dict[str, Backbone]) -> None:
    class Doubling(Tap):
        def __init__(self) -> None:
            self.shapes: list[tuple[int, ...]] = []

        def features(self, call: FeatureCall) -> Tensor:
            assert call.place.name == "up_blocks.1.resnets.1.conv2"
            self.shapes.append(tuple(call.features.shape))
            return call.features * 2

    backbone, tap = tiny_backbones["tiny-sd1"], Doubling()
    plain = predicted(backbone)
    with backbone.tapped(tap, Where(features=["up_blocks.1.resnets.1.conv2"])):
        assert not torch.equal(predicted(backbone), plain)
    assert tap.shapes == [(2, 16, 2, 2)]
    assert torch.equal(predicted(backbone), plain)


@pytest.mark.parametrize(
    "where",
    [
        Where(kinds={AttentionKind.JOINT}),
        Where(kinds={AttentionKind.CROSS}, names=["up_blocks.9.*"]),
        Where(kinds={AttentionKind.CROSS}, strides={16}),
        Where(features=["up_blocks.1.resnets.7"]),
        Where(),
    ],
)
def test_a_tap_that_matches_nothing_is_refused(where: Where, tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    with pytest.raises(EditorError), backbone.tapped(Tap(), where):
        raise AssertionError("the tap was let in")
    assert hooks_of(backbone) == 0


@pytest.mark.parametrize("where", [EVERYWHERE, Where(features=["mid_block.resnets.0"])])
def test_a_tap_that_is_never_reached_is_told(where: Where, tiny_backbones: dict[str, Backbone]) -> None:
    with (
        pytest.raises(EditorError, match="never reached"),
        tiny_backbones["tiny-sd1"].tapped(Tap(), where),
    ):
        pass


def test_a_layer_that_computes_attention_in_another_way_is_told(
    tiny_backbones: dict[str, Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    layer = next(layer for layer in backbone.layers if layer.kind is AttentionKind.SELF)
    module: nn.Module = backbone.parts.denoiser.get_submodule(layer.name)  # pyright: ignore
    monkeypatch.setattr(module, "processor", lambda attn, hidden_states, *args, **kwargs: hidden_states)
    with (
        pytest.raises(EditorError, match=f"{layer.name} was never reached"),
        backbone.tapped(Tap(), Where(kinds={AttentionKind.SELF})),
    ):
        predicted(backbone)


@pytest.mark.parametrize("rows", [[], [0], [2, 3], [1, 2, 3], [3, 1], [0, 2], [2, 2]])
def test_neighbours_are_picked_without_a_copy(rows: list[int]) -> None:
    batch = torch.arange(8.0).reshape(4, 2)
    found = batch[index_of(rows)]
    assert torch.equal(found, torch.stack([batch[row] for row in rows]) if rows else batch[:0])
    neighbours = bool(rows) and rows == list(range(rows[0], rows[0] + len(rows)))
    assert (found.untyped_storage().data_ptr() == batch.untyped_storage().data_ptr()) is neighbours
