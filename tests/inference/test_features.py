"""Features as taps: identity, places, replacing, restoring, early end; source and target in one batch."""

from typing import Any

import pytest
import torch
from torch import Tensor

from inference.attention import AttentionCall, AttentionKind, Tap, Where, from_samples
from inference.backbones.base import Backbone
from inference.errors import Cancelled, EditorError
from inference.features import FeatureCall
from inference.guidance import guided
from inference.progress import Progress
from inference.prompt import Prompt
from inference.sampling import sample
from tests.helpers.tiny_models import NAMES

ALL = Where(features=["*"])
# what Plug-and-Play reads: a residual, and the self attention after it; SD3 has blocks alone
RESIDUAL = {
    "tiny-sd1": "up_blocks.1.resnets.1.conv2",
    "tiny-sdxl": "up_blocks.0.resnets.1.conv2",
    "tiny-sd3": "transformer_blocks.1",
    "tiny-sd35": "transformer_blocks.1",
}
LAST = {
    "tiny-sd1": "up_blocks.3.attentions.2",
    "tiny-sdxl": "up_blocks.2.resnets.2",
    "tiny-sd3": "transformer_blocks.2",
    "tiny-sd35": "transformer_blocks.2",
}
IMAGE_KINDS = {name: AttentionKind.JOINT if "sd3" in name else AttentionKind.SELF for name in NAMES}


class Recorder(Tap):
    """Remembers what it sees and changes nothing."""

    def __init__(self) -> None:
        self.calls: list[FeatureCall] = []

    def features(self, call: FeatureCall) -> Tensor:
        self.calls.append(call)
        return call.features


def pair(backbone: Backbone) -> tuple[Prompt, Prompt]:
    return backbone.encode_prompt("a photo of a man"), backbone.encode_prompt("a photo of an old cat")


def latents_of(backbone: Backbone, *seeds: int, width: int = 64, height: int = 64) -> Tensor:
    return torch.cat([backbone.initial_noise(seed, width, height) for seed in seeds])


def predicted(backbone: Backbone, *, width: int = 64, height: int = 64) -> Tensor:
    """ε̂ of two different samples, a source and a target."""
    latents = latents_of(backbone, 1, 2, width=width, height=height)
    with torch.no_grad():
        return backbone.predict(latents, backbone.schedule.level_at(500), pair(backbone)).eps


def hooks_of(backbone: Any) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks)
        for module in backbone.parts.denoiser.modules()
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_identity_tap_changes_no_bit_and_sees_every_place_in_order(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone, tap = tiny_backbones[name], Recorder()
    plain = predicted(backbone, width=96)
    with backbone.tapped(tap, ALL):
        tapped = predicted(backbone, width=96)
    assert torch.equal(tapped, plain)
    assert hooks_of(backbone) == 0
    assert [call.place for call in tap.calls] == list(backbone.features)
    for call in tap.calls:
        assert call.features.shape[0] == 2
        assert tuple(call.features.shape[2:]) == call.place.grid(8, 12)
        assert call.forward.rows(pair(backbone)[1]) == (1,)


def test_places_of_the_real_layouts(tiny_backbones: dict[str, Backbone]) -> None:
    def counted(name: str, kind: str) -> int:
        names = (place.name.split(".") for place in tiny_backbones[name].features)
        return sum(parts[2:3] == [kind] and len(parts) == 4 for parts in names)

    # two resnets a block going down, three going up, two in the middle; SD1 has four blocks, SDXL three
    assert counted("tiny-sd1", "resnets") == 4 * 2 + 4 * 3
    assert counted("tiny-sd1", "attentions") == 3 * 2 + 3 * 3
    assert counted("tiny-sdxl", "resnets") == 3 * 2 + 3 * 3
    assert counted("tiny-sdxl", "attentions") == 2 * 2 + 2 * 3
    middle = [place.name for place in tiny_backbones["tiny-sd1"].features if place.name.startswith("mid")]
    assert middle == [
        "mid_block.resnets.0.conv2",
        "mid_block.resnets.0",
        "mid_block.attentions.0",
        "mid_block.resnets.1.conv2",
        "mid_block.resnets.1",
    ]
    for name in ("tiny-sd3", "tiny-sd35"):
        assert [place.name for place in tiny_backbones[name].features] == [
            f"transformer_blocks.{index}" for index in range(3)
        ]


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl"])
def test_a_residual_is_what_a_resnet_adds_to_its_shortcut(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone, tap = tiny_backbones[name], Recorder()
    resnet = RESIDUAL[name].removesuffix(".conv2")
    module = backbone.parts.denoiser.get_submodule(resnet)
    given: list[Tensor] = []
    hook = module.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
    with backbone.tapped(tap, Where(features=[resnet, RESIDUAL[name]])):
        predicted(backbone)
    hook.remove()
    residual, output = (call.features for call in tap.calls)
    assert torch.equal(module.conv_shortcut(given[0]) + residual, output)


@pytest.mark.parametrize("name", ["tiny-sd3", "tiny-sd35"])
def test_image_tokens_are_laid_out_as_the_picture(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone, tap = tiny_backbones[name], Recorder()
    block = backbone.parts.denoiser.transformer_blocks[1]
    given: list[Any] = []
    hook = block.register_forward_hook(lambda *arguments: given.append(arguments[2]))
    with backbone.tapped(tap, Where(features=["transformer_blocks.1"])):
        predicted(backbone, width=96)
    hook.remove()
    tokens = given[0][1]
    assert tap.calls[0].features.shape == (2, 16, 4, 6)
    for row, column in ((0, 0), (1, 4), (3, 5)):
        assert torch.equal(tap.calls[0].features[:, :, row, column], tokens[:, 6 * row + column])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("failure", [ValueError, Cancelled, KeyboardInterrupt])
def test_everything_is_restored_after_a_failure(
    name: str, failure: type[BaseException], tiny_backbones: dict[str, Any]
) -> None:
    class Failing(Tap):
        def features(self, call: FeatureCall) -> Tensor:
            raise failure

    backbone = tiny_backbones[name]
    plain = predicted(backbone)
    for place in (RESIDUAL[name], LAST[name]):
        with pytest.raises(failure), backbone.tapped(Failing(), Where(features=[place])):
            predicted(backbone)
        level, latents = backbone.schedule.level_at(500), latents_of(backbone, 1, 2)
        with pytest.raises(failure):
            backbone.read(Failing(), Where(features=[place]), latents, level, pair(backbone))
    assert hooks_of(backbone) == 0
    assert torch.equal(predicted(backbone), plain)


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_run_leaves_no_tap(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone, progress = tiny_backbones[name], Progress()
    source, target = pair(backbone)
    plain = predicted(backbone)

    class Cancelling(Recorder):
        def features(self, call: FeatureCall) -> Tensor:
            progress.cancel()
            return super().features(call)

    tap = Cancelling()
    with pytest.raises(Cancelled), backbone.tapped(tap, Where(features=[RESIDUAL[name]])):
        sample(
            guided(backbone, [source, target], source, 1.0),
            latents_of(backbone, 1, 2),
            backbone.levels(4, 64, 64),
            progress=progress,
        )
    assert len(tap.calls) == 1
    assert hooks_of(backbone) == 0
    assert torch.equal(predicted(backbone), plain)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_match_nothing_or_are_never_reached_are_told(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    for pattern in ("up_blocks.9.resnets.0", "conv_out", "transformer_blocks.7", "attn"):
        with pytest.raises(EditorError, match=f"No part of this model is called “{pattern}”"):
            backbone.tapped(Tap(), Where(features=[LAST[name], pattern])).__enter__()
    with (
        pytest.raises(EditorError, match=f"{LAST[name]} was never reached"),
        backbone.tapped(Tap(), Where(features=[LAST[name]])),
    ):
        pass
    assert hooks_of(backbone) == 0


@pytest.mark.parametrize("name", NAMES)
def test_features_of_another_shape_are_refused(name: str, tiny_backbones: dict[str, Any]) -> None:
    class Cropping(Tap):
        def features(self, call: FeatureCall) -> Tensor:
            return call.features[:, :, 1:]

    backbone = tiny_backbones[name]
    with (
        pytest.raises(ValueError, match=f"cannot stand for .* at {RESIDUAL[name]}"),
        backbone.tapped(Cropping(), Where(features=[RESIDUAL[name]])),
    ):
        predicted(backbone)
    assert hooks_of(backbone) == 0


@pytest.mark.parametrize("name", NAMES)
def test_only_the_places_that_are_named_are_hooked(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    with backbone.tapped(Recorder(), Where(features=[RESIDUAL[name]])):
        predicted(backbone)
        assert hooks_of(backbone) == 1


@pytest.mark.parametrize("name", NAMES)
def test_taps_nest_and_the_inner_one_is_asked_first(name: str, tiny_backbones: dict[str, Any]) -> None:
    class Doubling(Recorder):
        def features(self, call: FeatureCall) -> Tensor:
            return 2 * super().features(call)

    backbone, outer, inner = tiny_backbones[name], Recorder(), Doubling()
    where = Where(features=[RESIDUAL[name]])
    level, latents = backbone.schedule.level_at(500), latents_of(backbone, 1, 2)
    with torch.no_grad(), backbone.tapped(outer, where):
        with backbone.tapped(inner, where):
            backbone.predict(latents, level, pair(backbone))
        assert torch.equal(outer.calls[0].features, 2 * inner.calls[0].features)
        backbone.read(inner, Where(features=[LAST[name]]), latents, level, pair(backbone))
        assert len(outer.calls) == len(inner.calls) == 2
    assert hooks_of(backbone) == 0


# reading, with an early end


def modules_run(backbone: Any) -> tuple[list[str], list[Any]]:
    """The modules of the denoiser that finish from now on, and the hooks to be removed."""
    done: list[str] = []

    def note(name: str) -> Any:
        return lambda *_: done.append(name)

    hooks = [m.register_forward_hook(note(n)) for n, m in backbone.parts.denoiser.named_modules()]
    return done, hooks


@pytest.mark.parametrize("name", NAMES)
def test_reading_ends_the_pass_after_the_last_place(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone, whole, tap = tiny_backbones[name], Recorder(), Recorder()
    first = backbone.features[0].name
    where = Where(features=[first, RESIDUAL[name]])
    level, latents = backbone.schedule.level_at(500), latents_of(backbone, 1, 2)
    with backbone.tapped(whole, where), torch.no_grad():
        backbone.predict(latents, level, pair(backbone))
    done, hooks = modules_run(backbone)
    backbone.measured = Progress().measured
    with torch.no_grad():
        backbone.read(tap, where, latents, level, pair(backbone))
    for hook in hooks:
        hook.remove()
    assert [call.place.name for call in tap.calls] == [first, RESIDUAL[name]]
    assert all(torch.equal(a.features, b.features) for a, b in zip(tap.calls, whole.calls, strict=True))
    assert first in done
    later = [place.name for place in backbone.features][-1]
    assert later not in done
    assert not {"conv_out", "proj_out", ""} & set(done)
    assert backbone.measured.denoiser_evaluations == 2
    assert hooks_of(backbone) == 0


@pytest.mark.parametrize("name", NAMES)
def test_reading_attention_ends_at_the_last_layer_that_applies_at_this_size(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    coarsest = max(layer.stride for layer in backbone.layers)

    class Layers(Tap):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def attention(self, call: AttentionCall) -> Tensor:
            self.seen.append(call.layer.name)
            return call.attend()

    tap, where = Layers(), Where(kinds=tuple(AttentionKind), strides=lambda height, width: {coarsest})
    done, hooks = modules_run(backbone)
    level, latents = backbone.schedule.level_at(500), latents_of(backbone, 1)
    with torch.no_grad():
        backbone.read(tap, where, latents, level, pair(backbone)[:1])
    for hook in hooks:
        hook.remove()
    assert tap.seen == [layer.name for layer in backbone.layers if layer.stride == coarsest]
    assert "conv_out" not in done
    assert "proj_out" not in done
    assert ("up_blocks.0" in done) == (name == "tiny-sd1" and coarsest < 8)
    assert torch._C._len_torch_function_stack() == 0


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_features_reach_embeddings_with_the_same_bits_as_in_a_whole_pass(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    prompt, level = backbone.encode_prompt("a photo of a man"), backbone.schedule.level_at(500)
    latents, where = latents_of(backbone, 1), Where(features=[RESIDUAL[name]])
    found: list[Tensor] = []
    for is_read in (True, False):
        value = prompt.embeddings["clip_l"].clone().requires_grad_()
        tap, prompts = Recorder(), [prompt.with_embeddings({"clip_l": value})]
        if is_read:
            backbone.read(tap, where, latents, level, prompts)
        else:
            with backbone.tapped(tap, where):
                backbone.predict(latents, level, prompts)
        found += torch.autograd.grad(tap.calls[0].features.pow(2).sum(), value)
    assert found[0].abs().max() > 0
    assert torch.equal(found[0], found[1])


@pytest.mark.parametrize("name", NAMES)
def test_gradients_flow_through_features_that_are_replaced(name: str, tiny_backbones: dict[str, Any]) -> None:
    class Adding(Tap):
        def __init__(self) -> None:
            self.added: list[Tensor] = []

        def features(self, call: FeatureCall) -> Tensor:
            self.added.append(torch.zeros_like(call.features, requires_grad=True))
            return call.features + self.added[0]

    backbone, tap = tiny_backbones[name], Adding()
    with backbone.tapped(tap, Where(features=[RESIDUAL[name]])):
        level = backbone.schedule.level_at(500)
        x0 = backbone.predict(latents_of(backbone, 1, 2), level, pair(backbone)).x0
    (gradient,) = torch.autograd.grad(x0[1].sum(), tap.added[0])
    assert gradient[1].abs().max() > 0
    assert not gradient[0].any()  # samples do not see each other


# source and target in one batch


class Copying(Tap):
    """Carries queries and keys, or all three, and features from some samples of a batch into others."""

    def __init__(self, sources: dict[int, int], *, values: bool = False) -> None:
        self._sources = sources
        self._values = values

    def attention(self, call: AttentionCall) -> Tensor:
        query, key = (from_samples(each, self._sources) for each in (call.query, call.key))
        value = from_samples(call.value, self._sources) if self._values else call.value
        return call.with_(query=query, key=key, value=value).attend()

    def features(self, call: FeatureCall) -> Tensor:
        return from_samples(call.features, self._sources)


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_the_same_bit_for_bit_while_the_target_takes_from_it(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    """Of one batch size: kernels add up in an order that depends on it, so a run alone is only near."""
    backbone = tiny_backbones[name]
    plain = predicted(backbone)
    for where in (
        Where(features=[RESIDUAL[name]]),
        Where(kinds={IMAGE_KINDS[name]}),
        Where(kinds={IMAGE_KINDS[name]}, features=[RESIDUAL[name]]),
    ):
        with backbone.tapped(Copying({1: 0}), where):
            copied = predicted(backbone)
        assert torch.equal(copied[0], plain[0])
        assert (copied[1] - plain[1]).abs().max() > 1e-5
    with torch.no_grad():
        alone = backbone.predict(
            latents_of(backbone, 1), backbone.schedule.level_at(500), pair(backbone)[:1]
        ).eps
    assert (alone[0] - plain[0]).abs().max() < 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_a_target_that_takes_all_becomes_its_source(name: str, tiny_backbones: dict[str, Backbone]) -> None:
    """The last features decide everything that comes after them, but for SD3's pooled text."""
    backbone = tiny_backbones[name]
    source, target = pair(backbone)
    prompts = [source, target.with_embeddings({}, source.pooled)]
    latents = latents_of(backbone, 1, 2)
    level = backbone.schedule.level_at(500)
    with torch.no_grad(), backbone.tapped(Copying({1: 0}), Where(features=[LAST[name]])):
        copied = backbone.predict(latents, level, prompts)
    raw = (latents - level.alpha * copied.x0) / level.sigma if "sd3" not in name else copied.eps - copied.x0
    assert (raw[1] - raw[0]).abs().max() < 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_a_guided_run_of_source_and_target_keeps_the_source(
    name: str, tiny_backbones: dict[str, Backbone]
) -> None:
    """Both halves of the guidance pair, over several steps: rows (∅, ∅, source, target)."""
    backbone = tiny_backbones[name]
    source, target = pair(backbone)
    noise = latents_of(backbone, 1).repeat(2, 1, 1, 1)
    levels = backbone.levels(3, 64, 64)
    denoise = guided(backbone, [source, target], backbone.negative_prompt(""), 4.0)
    plain = sample(denoise, noise, levels)
    where = Where(kinds={IMAGE_KINDS[name]}, features=[RESIDUAL[name]])
    with backbone.tapped(Copying({1: 0, 3: 2}), where):
        copied = sample(denoise, noise, levels)
    assert torch.equal(copied[0], plain[0])
    assert not torch.equal(copied[1], plain[1])
    if name != "tiny-sd35":  # the second, image-only attention of its blocks is not copied here
        with backbone.tapped(Copying({3: 2}, values=True), where):
            conditional = sample(denoise, noise, levels)
        assert torch.equal(conditional[0], plain[0])


def test_samples_are_found_by_their_prompts(tiny_backbones: dict[str, Backbone]) -> None:
    backbone, tap = tiny_backbones["tiny-sd1"], Recorder()
    source, target = pair(backbone)
    negative = backbone.negative_prompt("")
    denoise = guided(backbone, [source, target], negative, 4.0)
    with backbone.tapped(tap, Where(features=["mid_block.resnets.0"])), torch.no_grad():
        denoise(latents_of(backbone, 1, 2), backbone.schedule.level_at(500), 0)
    forward = tap.calls[0].forward
    assert forward.rows(negative) == (0, 1)
    assert forward.rows(source) == (2,)
    assert forward.rows(target, source) == (2, 3)
    assert forward.rows(target.with_embeddings({})) == ()


def test_samples_are_taken_from_the_batch_as_it_was() -> None:
    value = torch.arange(4.0)[:, None].expand(4, 2).clone().requires_grad_()
    taken = from_samples(value, {1: 0, 0: 1, 3: 2})
    assert taken[:, 0].tolist() == [1, 0, 2, 2]
    taken.sum().backward()
    assert value.grad is not None
    assert value.grad[:, 0].tolist() == [1, 1, 2, 0]
