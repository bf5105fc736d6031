"""Maps with gradients: exactness on both layouts, early exit, resolutions, what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from inference.attention import AttentionCall, AttentionKind, Tap, Where, softmax_columns
from inference.errors import EditorError
from inference.methods.gsn.maps import SHARPNESS, MapReader, TextMaps, text_layers
from inference.methods.gsn.objectives import Targets, objective, targets_of
from inference.methods.gsn.procedures import LOSSES
from inference.operations import RefineSubject
from inference.prompts.prompt import Prompt
from tests.helpers.stub_backbone import StubBackbone
from tests.helpers.tiny_models import NAMES

TEXT = "a photo of a Man and a snowman and an old man"
MAN, SNOWMAN, OLD_MAN = (13, 16), (23, 30), (38, 45)
SUBJECTS = tuple(RefineSubject(start=a, end=b) for a, b in (MAN, SNOWMAN, OLD_MAN))


class Recorder(Tap):
    def __init__(self) -> None:
        self.calls: list[AttentionCall] = []

    def attention(self, call: AttentionCall) -> Tensor:
        self.calls.append(call)
        return call.attend()


LARGER_PX = 128  # where maps are not read from the last layers


def latents_of(backbone: Any, count: int = 2, size_px: int = 64) -> Tensor:
    return torch.cat([backbone.initial_noise(seed, size_px, size_px) for seed in range(count)])


def slow_parts(
    backbone: Any, calls: Sequence[AttentionCall], columns: Sequence[Sequence[int]]
) -> list[Tensor]:
    """Full softmax in float64 over all keys, then the wanted columns, then the mean: [N, h · w, columns]."""
    found: list[list[Tensor]] = [[] for _ in columns]
    for call in calls:
        scores = call.query.double() @ call.key.double().transpose(-1, -2) * call.scale
        whole = scores.softmax(-1)[:, :, : call.image_tokens]
        for part, wanted in zip(found, columns, strict=True):
            part.append(whole[..., [call.text_start + column for column in wanted]].mean(1))
    return [torch.stack(part).mean(0) for part in found]


@pytest.mark.parametrize("name", NAMES)
def test_maps_equal_a_full_softmax_in_float64(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone, recorder = tiny_backbones[name], Recorder()
    prompt, latents, level = (
        backbone.encode_prompt(TEXT),
        latents_of(backbone),
        backbone.schedule.level_at(500),
    )
    with torch.no_grad():
        read = MapReader(backbone, prompt).read(latents, level)
        with backbone.tapped(recorder, text_layers(backbone, 8, 8)):
            backbone.predict(latents, level, [prompt] * 2)
    cross = name in ("tiny-sd1", "tiny-sdxl")  # which see the padding as well, but for the first and last
    parts = {"clip": ("clip_l", 0)} | ({"t5": ("t5", 77)} if "t5" in prompt.offsets else {})
    columns = [
        [first + i for i, (a, b) in enumerate(prompt.offsets[encoder]) if b > a or (cross and 0 < i < 76)]
        for encoder, first in parts.values()
    ]
    expected = slow_parts(backbone, recorder.calls, columns)
    assert len(read.parts) == len(expected)
    for seen, wanted in zip(read.parts, expected, strict=True):
        assert (seen.flatten(1, 2).double() - wanted).abs().max() < 1e-5
    for span in (MAN, SNOWMAN, OLD_MAN):
        slow = [
            wanted[..., [i for i, c in enumerate(of) if _overlaps(prompt, encoder, c - first, span)]].mean(-1)
            for wanted, of, (encoder, first) in zip(expected, columns, parts.values(), strict=True)
        ]
        difference = read.probability(*span).flatten(1).double() - torch.stack(slow).mean(0)
        assert difference.abs().max() < 1e-5


def _overlaps(prompt: Any, encoder: str, token: int, span: tuple[int, int]) -> bool:
    start, end = prompt.offsets[encoder][token]
    return start < span[1] and span[0] < end


def test_t5_has_no_start_token_and_clip_has_one(tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    prompt = backbone.encode_prompt("a man")
    reader = MapReader(backbone, prompt)
    assert [(indices, columns) for _, indices, columns in reader._read] == [
        ((1, 2), (1, 2)),
        ((0, 1), (77, 78)),
    ]


@pytest.mark.parametrize(("name", "rest"), [("tiny-sd1", 77), ("tiny-sdxl", 77), ("tiny-sd3", 77 + 256)])
def test_words_of_a_second_piece_are_read_where_they_are(
    name: str, rest: int, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    text = "a cat and a dog " * 15 + "and a photo"
    prompt = backbone.encode_prompt(text)
    span = (text.index("photo"), len(text))
    recorder, level = Recorder(), backbone.schedule.level_at(500)
    reader = MapReader(backbone, prompt)
    with torch.no_grad():
        read = reader.read(latents_of(backbone), level)
        with backbone.tapped(recorder, text_layers(backbone, 8, 8)):
            backbone.predict(latents_of(backbone), level, [prompt] * 2)
    (token,) = prompt.tokens(*span)["clip_l"]
    assert token == 77 + 3
    parts = [[rest + 3]] + ([[77 + i for i in prompt.tokens(*span)["t5"]]] if "t5" in prompt.offsets else [])
    slow = [seen.mean(-1) for seen in slow_parts(backbone, recorder.calls, parts)]
    difference = read.probability(*span).flatten(1).double() - torch.stack(slow).mean(0)
    assert difference.abs().max() < 1e-5
    if name != "tiny-sd3":  # neither the start nor the last token of either piece
        assert reader._read[0][1] == (*range(1, 76), *range(78, 153))


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sd3"])
def test_a_word_of_several_tokens_counts_as_one(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    prompt = backbone.encode_prompt(TEXT)
    assert len(prompt.tokens(*SNOWMAN)["clip_l"]) > 1
    with torch.no_grad():
        read = MapReader(backbone, prompt).read(latents_of(backbone), backbone.schedule.level_at(500))
    words = [
        (a, b) for a, b in ((0, 1), (2, 7), (8, 10), (11, 12), MAN, (17, 20), (21, 22), SNOWMAN, (31, 34))
    ]
    every = [*words, (35, 37), (38, 41), (42, 45)]
    for part, tokens in zip(read.parts, read.tokens, strict=True):
        # a word's excitation is the mean of its tokens', so that all tokens together make 1
        alone = replace(read, parts=(part,), tokens=(tokens,))
        counts = [len(prompt.tokens(*span)[tokens[0][0]]) for span in every]
        assert max(counts) > 1
        weighted = [count * alone.excitation(*span) for count, span in zip(counts, every, strict=True)]
        together = torch.stack(weighted).sum(0)
        if name == "tiny-sd3":
            torch.testing.assert_close(together, torch.ones_like(together))
        else:  # the rest looks at the padding
            assert 0 < together.min() <= together.max() < 1


def written(prompt: Prompt, shares: dict[tuple[int, int], float], places: int = 4) -> TextMaps:
    """Maps whose softmax over the tokens gives words of one token their shares, everywhere."""
    indices = tuple(range(1, 76))
    given = {prompt.tokens(*span)["clip_l"][0]: share for span, share in shares.items()}
    rest = (1 - sum(given.values())) / (len(indices) - len(given))
    values = torch.tensor([given.get(index, rest) for index in indices])
    part = (values.log() / SHARPNESS).expand(1, places, places, len(indices))
    return TextMaps(prompt, (part,), ((("clip_l",), indices),))


def test_a_subject_of_several_words_is_the_mean_of_their_tokens(tiny_backbones: dict[str, Any]) -> None:
    """“old man” with 0.3 and 0.092: the sum would neglect it by 0.608, the mean does by 0.804."""
    prompt = tiny_backbones["tiny-sd1"].encode_prompt(TEXT)
    old, man = (38, 41), (42, 45)
    assert [len(prompt.tokens(*span)["clip_l"]) for span in (old, man)] == [1, 1]
    read = written(prompt, {old: 0.3, man: 0.092})
    torch.testing.assert_close(read.excitation(*OLD_MAN), torch.full((1, 4, 4), 0.196))
    targets = targets_of(prompt, [RefineSubject(start=OLD_MAN[0], end=OLD_MAN[1])])
    assert objective("neglect", targets)(read).tolist() == pytest.approx([0.804], abs=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_with_early_exit_is_the_same_bit_for_bit(
    name: str, loss: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    prompt, level = backbone.encode_prompt(TEXT), backbone.schedule.level_at(700)
    targets = targets_of(prompt, SUBJECTS)
    gradients = []
    for early_exit in (True, False):
        latents = latents_of(backbone, size_px=LARGER_PX).requires_grad_()
        reader = MapReader(backbone, prompt, with_focus=loss == "initno", early_exit=early_exit)
        value = objective(loss, targets)(reader.read(latents, level))
        assert value.shape == (2,)
        gradients.append(torch.autograd.grad(value.sum(), latents)[0])
    assert torch.equal(gradients[0], gradients[1])
    assert gradients[0].isfinite().all()
    assert gradients[0].abs().amax((1, 2, 3)).min() > 0
    assert all(weight.grad is None for weight in backbone.parts.denoiser.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_early_exit_skips_what_comes_after_the_last_map(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    reached: list[str] = []
    last = {"tiny-sd1": "up_blocks.3.resnets.0", "tiny-sdxl": "up_blocks.2.resnets.0"}.get(name, "proj_out")
    handle = backbone.parts.denoiser.get_submodule(last).register_forward_hook(
        lambda *_: reached.append(last)
    )
    prompt, level = backbone.encode_prompt(TEXT), backbone.schedule.level_at(500)
    latents = latents_of(backbone, size_px=LARGER_PX)
    try:
        MapReader(backbone, prompt).read(latents, level)
        stopped = list(reached)
        MapReader(backbone, prompt, early_exit=False).read(latents, level)
    finally:
        handle.remove()
    assert not stopped
    assert reached


@pytest.mark.parametrize(
    ("size", "stride"), [(512, 4), (513, 4), (768, 4), (256, 4), (128, 2), (96, 1), (64, 1), (32, 1), (16, 1)]
)
def test_resolutions_of_an_sd1_layout(size: int, stride: int, tiny_backbones: dict[str, Any]) -> None:
    side = -(-size // 8)
    where = text_layers(tiny_backbones["tiny-sd1"], side, side)
    assert where.strides == {stride}
    chosen = [layer for layer in tiny_backbones["tiny-sd1"].layers if where.matches(layer)]
    assert len(chosen) == 5
    if size >= 256:
        assert chosen[0].grid(side, side) == (-(-size // 32), -(-size // 32))


def test_sdxl_reads_a_32nd_and_sd3_its_joint_attention(tiny_backbones: dict[str, Any]) -> None:
    assert text_layers(tiny_backbones["tiny-sdxl"], 128, 128).strides == {4}
    for name in ("tiny-sd3", "tiny-sd35"):
        where = text_layers(tiny_backbones[name], 128, 128)
        assert where == Where(kinds={AttentionKind.JOINT})


def test_a_model_without_text_attention_is_refused() -> None:
    with pytest.raises(EditorError, match="no text attention"):
        text_layers(StubBackbone(), 8, 8)


def test_softmax_columns_have_the_gradients_of_the_full_softmax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.attention._CHUNK_SCORES", 40)  # several chunks
    torch.manual_seed(0)
    query, key = (torch.randn(2, 2, n, 4).requires_grad_() for n in (5, 7))
    weights = torch.randn(2, 2, 5, 2)
    columns = [1, 4]
    fast = softmax_columns(query, key, columns, 0.5)
    slow = (query @ key.transpose(-1, -2) * 0.5).softmax(-1)[..., columns]
    torch.testing.assert_close(fast, slow)
    for one, other in zip(
        torch.autograd.grad((fast * weights).sum(), (query, key)),
        torch.autograd.grad((slow * weights).sum(), (query, key)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_focus_is_what_a_place_attends_to(tiny_backbones: dict[str, Any]) -> None:
    for name, kind in (("tiny-sd1", AttentionKind.SELF), ("tiny-sd3", AttentionKind.JOINT)):
        backbone, recorder = tiny_backbones[name], Recorder()
        prompt, level = backbone.encode_prompt(TEXT), backbone.schedule.level_at(500)
        latents = latents_of(backbone)
        places = torch.tensor([3, 5])
        with torch.no_grad():
            seen = MapReader(backbone, prompt, with_focus=True).read(latents, level).focus_at(places)
            with backbone.tapped(recorder, Where(kinds={kind})):
                backbone.predict(latents, level, [prompt] * 2)
        stride = {"tiny-sd1": 1, "tiny-sd3": 2}[name]
        rows = []
        for call in (call for call in recorder.calls if call.layer.stride == stride):
            n = call.image_tokens
            scores = (
                call.query[:, :, :n].double() @ call.key[:, :, :n].double().transpose(-1, -2) * call.scale
            )
            rows.append(
                torch.stack([scores.softmax(-1)[i, :, place].mean(0) for i, place in enumerate([3, 5])])
            )
        assert (seen.flatten(1).double() - torch.stack(rows).mean(0)).abs().max() < 1e-5


def test_targets_split_a_phrase_into_modifiers_and_noun(tiny_backbones: dict[str, Any]) -> None:
    prompt = tiny_backbones["tiny-sd1"].encode_prompt("a photo of an old man, young cat")
    subjects = (RefineSubject(start=14, end=21), RefineSubject(start=29, end=32, modifiers=((23, 28),)))
    assert targets_of(prompt, subjects) == Targets(
        subjects=((14, 21), (29, 32)),
        groups=(((14, 17), (18, 21)), ((23, 28), (29, 32))),
        others=((0, 1), (2, 7), (8, 10), (11, 13)),
    )
