"""Edited attention against a slow implementation of its own: full softmax, float64, on every layout."""

from typing import Any

import pytest
import torch
from torch import Tensor

from inference.attention import AttentionCall, AttentionKind, Where
from inference.backbones.base import Backbone
from inference.methods.prompt_to_prompt.alignment import Wording, alignments
from inference.methods.prompt_to_prompt.attention import Edited, EditingTap, KeepingTap, Kept, at_grid
from inference.prompts.words import find_subject
from tests.helpers.tiny_models import NAMES

SOURCE, TARGET = "a photo of a man and a woman", "a photo of a old cat and a woman"
EVERYWHERE = Where(kinds=set(AttentionKind))


class Recording(EditingTap):
    """Keeps each call with what came out."""

    def attention(self, call: AttentionCall) -> Tensor:
        output = super().attention(call)
        self.__dict__.setdefault("seen", []).append((call, output))
        return output


def softmax64(query: Tensor, key: Tensor, scale: float) -> Tensor:
    return ((query.double() @ key.double().transpose(-1, -2)) * scale).softmax(-1)


def slow(call: AttentionCall, row: int, tap: EditingTap, edit: Edited) -> Tensor:
    """[H, Q, D] of one sample."""
    kept = tap.source[call.layer.name]
    own, value = softmax64(call.query[row], call.key[row], call.scale), call.value[row].double()
    source = softmax64(kept.query[0], kept.key[0], kept.scale)
    carried = call.layer.name in tap.selves
    inside = None if edit.place is None else at_grid(edit.place, call.grid).double()
    if call.layer.kind is AttentionKind.SELF:
        used = own if not carried else source if inside is None else own * inside + source * (1 - inside)
        return used @ value
    count = call.image_tokens
    first = call.text_start
    text = own[:, :count, first:].clone()
    for part in edit.alignments:
        for column in range(len(part.taken)):
            place = part.columns[column]
            found = own[:, :count, first + place] * (1 - float(part.taken[column]))
            for origin in range(len(part.carried)):
                share = float(part.carried[origin, column])
                if share:
                    found = found + share * source[:, :count, first + part.source_columns[origin]]
            text[:, :, place] = found if tap.cross else own[:, :count, first + place]
    covered = [column for part in edit.alignments for column in part.columns]
    unweighted = text[:, :, covered].sum(-1, keepdim=True)
    for part in edit.alignments:
        for column in range(len(part.taken)):
            factor: Any = float(part.weights[column])
            if inside is not None and part.columns[column] in edit.new_words:
                factor = factor * inside[:, 0]
            if inside is not None and part.columns[column] in edit.elsewhere:
                factor = factor * (1 - inside[:, 0])
            text[:, :, part.columns[column]] = text[:, :, part.columns[column]] * factor
    if call.layer.kind is AttentionKind.CROSS:
        return text @ value
    rest = own[:, :count].clone()  # the image, and text that no encoder reads
    if carried:
        of_source = source[:, :count].clone()
        rest = of_source if inside is None else rest * inside + of_source * (1 - inside)
    rest[:, :, [count + column for column in covered]] = 0
    share = ((1 - unweighted) / rest.sum(-1, keepdim=True)).clamp(min=0)
    edited = share * (rest @ value) + text[:, :, covered] @ value[:, count:][:, covered]
    return torch.cat([edited, own[:, count:] @ value], dim=1)


@pytest.mark.parametrize("placed", [False, True])
@pytest.mark.parametrize("carried", ["cross", "self", "both", "weights"])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_slow_formula(name: str, carried: str, placed: bool, tiny_backbones: dict) -> None:
    backbone: Backbone = tiny_backbones[name]
    source, target = backbone.encode_prompt(SOURCE), backbone.encode_prompt(TARGET)
    negative = backbone.negative_prompt("")
    generator = torch.Generator().manual_seed(4)
    shape = backbone.latent_shape(64, 96)  # no square
    latents = torch.randn((3, *shape), generator=generator)
    level = backbone.levels(4, 96, 64)[1]
    keeping = KeepingTap(source)
    with torch.no_grad():
        backbone.read(keeping, EVERYWHERE, latents[:1], level, [source])
        place = (torch.rand((1, 1, *shape[1:]), generator=generator) > 0.5).float() if placed else None
        wording = Wording(weights={find_subject(TARGET, "cat"): 2.5}, replace=True)
        aligned = alignments(source, target, backbone.text_parts, wording)
        edit = Edited(alignments=aligned, new_words=frozenset({5, 6}), elsewhere=frozenset({9}), place=place)
        every = frozenset(layer.name for layer in backbone.layers)
        tap = Recording(
            {target: edit},
            source=keeping.kept,
            cross=carried in ("cross", "both"),
            selves=every if carried in ("self", "both") else frozenset(),
        )
        before = {layer: kept.query.clone() for layer, kept in keeping.kept.items()}
        with backbone.tapped(tap, EVERYWHERE):
            backbone.predict(latents, level, [negative, source, target])
    seen: list[tuple[AttentionCall, Tensor]] = tap.__dict__["seen"]
    assert {call.layer.kind for call, _ in seen} == {layer.kind for layer in backbone.layers}
    for call, output in seen:
        torch.testing.assert_close(output[2].double(), slow(call, 2, tap, edit), rtol=1e-5, atol=1e-5)
        # the unconditional half and the source are as they were
        plain = call.attend()
        torch.testing.assert_close(output[:2], plain[:2], rtol=0, atol=1e-6)
    for layer, query in before.items():
        assert torch.equal(query, keeping.kept[layer].query), "what is kept is never changed in place"


def test_samples_without_a_target_are_left_to_the_fused_kernel(tiny_backbones: dict) -> None:
    backbone: Backbone = tiny_backbones["tiny-sd1"]
    source = backbone.encode_prompt(SOURCE)
    latents = torch.randn((1, *backbone.latent_shape(64, 64)))
    level = backbone.levels(4, 64, 64)[1]
    with torch.no_grad():
        plain = backbone.predict(latents, level, [source])
        with backbone.tapped(EditingTap({}), EVERYWHERE):
            tapped = backbone.predict(latents, level, [source])
    assert torch.equal(plain.eps, tapped.eps)


def test_what_is_kept_counts_its_bytes() -> None:
    kept = Kept(query=torch.zeros(1, 2, 3, 4), key=torch.zeros(1, 2, 5, 4), scale=1.0)
    assert kept.size_bytes == 4 * (24 + 40)
