"""Attention for training: one key that stands for many identical padding tokens, and the localisation loss.

A prompt's padding embeddings are all equal. n equal keys take exactly the attention of one key whose score is
raised by log n, so training runs on short sequences and the finished model on full ones, with the same
result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import torch
from diffusers import SD3Transformer2DModel, UNet2DConditionModel
from torch import Tensor
from torch.nn import functional

SMALLEST_MAP: Final = 8  # coarser maps say too little about where a subject is
COVER_WEIGHT: Final = 0.05
# The shares of attention that all words of a caption may have together, and its end token and padding, where
# `soft` is on; in cross attention the rest looks at the start token, as in the real family. Thresholds and
# the factor 100 of the methods that read the maps presuppose it: next to words, an end or a padding that take
# much of the attention the softmax over the tokens is a hard choice, and its gradient is nothing.
WORDS_CEILING: Final = 0.06
TAIL_CEILING: Final = 0.05
SOFT_WEIGHT: Final = 4.0  # with less, the start token never comes to its share
NARROW_HEAD: Final = 12
# The attention of a noun at which its subject is as likely there as not, and how much that counts.
EVEN_ODDS: Final = 0.01
PRESENCE_WEIGHT: Final = 1.0
LOOKED_AT: Final = 8  # an unseen subject is judged by this part of the places, where it is seen most


@dataclass(frozen=True)
class Looks:
    """Each noun's attention over the places, and its subject's mask there: [N, S, pixels] each."""

    maps: Tensor
    masks: Tensor

    @property
    def level(self) -> Tensor:
        """[N, S], the mean attention on the subject."""
        return (self.maps * self.masks).sum(-1) / (self.masks.sum(-1) + 1e-3)


@dataclass
class AttentionState:
    """What the training attention processors share during one forward pass.

    bias: [N, K] added to the text keys' scores; words: bool [N, K], the keys of words; nouns: [N, S, G] token
    index of each subject's noun in each of G token groups; known: bool [N, S], what is seen; absent: bool
    [N, S], what is only told of; masks: [N, S, 16, 16] in 0..1. `losses` collects one value a layer; stays
    empty when `wanted` is off; `covering` asks nouns to look at all of their subject, `soft` keeps the words'
    share of attention small, `telling` makes a noun's attention tell whether its subject is there.
    """

    bias: Tensor | None = None
    nouns: Tensor | None = None
    known: Tensor | None = None
    absent: Tensor | None = None
    masks: Tensor | None = None
    words: Tensor | None = None
    wanted: bool = False
    covering: bool = False
    soft: bool = False
    telling: bool = False
    losses: list[Tensor] = field(default_factory=list)

    def take(self) -> Tensor:
        """The mean localisation loss of the last forward pass."""
        total = torch.stack(self.losses).mean() if self.losses else torch.zeros(())
        self.losses = []
        return total


def install(model: UNet2DConditionModel | SD3Transformer2DModel) -> AttentionState:
    """Puts training processors on all attention that reads text; returns the state they read."""
    state = AttentionState()
    for name, module in model.named_modules():
        if isinstance(model, SD3Transformer2DModel):
            if name.endswith(".attn"):
                module.set_processor(_JointAttention(state))  # pyright: ignore[reportCallIssue]
        elif name.endswith("attn2"):
            module.set_processor(_CrossAttention(state))  # pyright: ignore[reportCallIssue]
        elif name.endswith("attn1") and _narrow(module):
            module.set_processor(_SelfAttention())  # pyright: ignore[reportCallIssue]
    return state


def softness_loss(attention: Tensor, words: Tensor, *, joint: bool = False) -> Tensor:
    """How far words, and what follows them, exceed their ceilings: the sum of both means of
    log(share / ceiling) where that is positive.

    attention: [N, pixels, K], averaged over heads; words: bool [N, K]; key 0 is the start token. Joint
    attention has the image to look at; only words are limited there.
    """
    if joint:
        return _excess(attention, words, WORDS_CEILING)
    tail = ~words
    tail[:, 0] = False
    return _excess(attention, words, WORDS_CEILING) + _excess(attention, tail, TAIL_CEILING)


def _excess(attention: Tensor, keys: Tensor, ceiling: float) -> Tensor:
    share = (attention.float() * keys[:, None]).sum(-1)
    return torch.log(share / ceiling + 1e-6).clamp(min=0).mean()


def looks_of(attention: Tensor, nouns: Tensor, masks: Tensor) -> Looks:
    """What the losses below read of a layer.

    attention: [N, pixels, K], averaged over heads; nouns: [N, S] key indices; masks: [N, S, h, w] in 0..1.
    """
    side = int(attention.shape[1] ** 0.5)
    coarse = functional.adaptive_avg_pool2d(masks, side).flatten(2)
    index = nouns[:, None, :].expand(-1, attention.shape[1], -1)
    return Looks(attention.gather(2, index).transpose(1, 2).float(), coarse)


def localisation_loss(looks: Looks, known: Tensor) -> Tensor:
    """1 - (share of a noun's attention that falls on its subject), plus a little -log(mean attention there).

    known: bool [N, S], the subjects that count.
    """
    inside = (looks.maps * looks.masks).sum(-1) / (looks.maps.sum(-1) + 1e-6)
    return _mean_of_known(1 - inside - COVER_WEIGHT * torch.log(looks.level + 1e-3), known)


def covering_loss(looks: Looks, known: Tensor) -> Tensor:
    """KL(subject's mask ‖ its noun's attention), both as distributions over places, plus a little
    -log(mean attention there).

    A noun may look at one place of its subject and cost no `localisation_loss`; maps like that are satisfied
    by one place, and tell a method that follows them nothing of how much of the subject is there.
    known: bool [N, S], the subjects that count.
    """
    wanted = looks.masks / (looks.masks.sum(-1, keepdim=True) + 1e-6)
    attended = looks.maps / (looks.maps.sum(-1, keepdim=True) + 1e-6)
    apart = (wanted * (torch.log(wanted + 1e-5) - torch.log(attended + 1e-5))).sum(-1)
    return _mean_of_known(apart - COVER_WEIGHT * torch.log(looks.level + 1e-3), known)


def presence_loss(looks: Looks, known: Tensor, absent: Tensor) -> Tensor:
    """Cross entropy of whether a subject is there, its odds being its noun's attention / EVEN_ODDS: the mean
    on the mask of what is seen, and of the eighth of the places that look most where it is not.

    Methods that raise a neglected noun's attention presuppose that it is low because its subject is not
    there. known, absent: bool [N, S], what is seen and what is only told of.
    """
    places = looks.maps.shape[-1]
    most = looks.maps.topk(max(1, places // LOOKED_AT)).values.mean(-1)
    there = torch.log1p(EVEN_ODDS / (looks.level + 1e-4))
    gone = torch.log1p(most / EVEN_ODDS)
    return _mean_of_known(torch.where(absent, gone, there), known | absent)


def _mean_of_known(values: Tensor, known: Tensor) -> Tensor:
    return (values * known).sum() / known.sum().clamp(min=1)


class _CrossAttention:
    """diffusers' cross-attention with the key bias; scores in full, so that maps can be read."""

    def __init__(self, state: AttentionState) -> None:
        self._state = state

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        assert encoder_hidden_states is not None
        query = _heads(attn.to_q(hidden_states), attn.heads)
        key = _heads(attn.to_k(encoder_hidden_states), attn.heads)
        value = _heads(attn.to_v(encoder_hidden_states), attn.heads)
        shares = _shares(query, key, self._state.bias)
        _collect(self._state, shares)
        out = (shares.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        return attn.to_out[0](out) / attn.rescale_output_factor


class _SelfAttention:
    """Self-attention written out: with heads of four numbers twice as fast on a CPU as the fused kernel."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        projections = (attn.to_q, attn.to_k, attn.to_v)
        query, key, value = (_heads(project(hidden_states), attn.heads) for project in projections)
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        out = (scores.softmax(-1, dtype=scores.dtype) @ value).transpose(1, 2).flatten(2)
        return attn.to_out[0](out) / attn.rescale_output_factor


class _JointAttention:
    """diffusers' joint attention of SD3: image tokens first, then text tokens, which carry the key bias."""

    def __init__(self, state: AttentionState) -> None:
        self._state = state

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        assert encoder_hidden_states is not None
        pixels, heads = hidden_states.shape[1], attn.heads
        query = [attn.to_q(hidden_states), attn.add_q_proj(encoder_hidden_states)]
        key = [attn.to_k(hidden_states), attn.add_k_proj(encoder_hidden_states)]
        value = [attn.to_v(hidden_states), attn.add_v_proj(encoder_hidden_states)]
        bias = self._state.bias
        if bias is not None:
            bias = functional.pad(bias, (pixels, 0))
        q, k, v = (_heads(torch.cat(pair, 1), heads) for pair in (query, key, value))
        shares = _shares(q, k, bias)
        _collect(self._state, shares[:, :, :pixels, pixels:], joint=True)
        out = (shares.to(v.dtype) @ v).transpose(1, 2).flatten(2)
        image, text = out[:, :pixels], out[:, pixels:]
        if not attn.context_pre_only:
            text = attn.to_add_out(text)
        return attn.to_out[0](image), text


def _narrow(attn: Any) -> bool:
    on_cpu = attn.to_q.weight.device.type == "cpu"
    return on_cpu and attn.to_q.out_features // attn.heads <= NARROW_HEAD


def _heads(tensor: Tensor, heads: int) -> Tensor:
    return tensor.unflatten(-1, (heads, -1)).transpose(1, 2)


def _shares(query: Tensor, key: Tensor, bias: Tensor | None) -> Tensor:
    scores = (query @ key.transpose(-1, -2)).float() * query.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + bias[:, None, None, :]
    return scores.softmax(-1)


def _collect(state: AttentionState, shares: Tensor, *, joint: bool = False) -> None:
    """Adds the localisation loss of this layer; shares: [N, heads, pixels, K]."""
    if not state.wanted or shares.shape[2] < SMALLEST_MAP**2:
        return
    assert state.nouns is not None
    assert state.known is not None
    assert state.masks is not None
    mean = shares.mean(1)
    located = covering_loss if state.covering else localisation_loss
    for group in range(state.nouns.shape[2]):
        looks = looks_of(mean, state.nouns[:, :, group], state.masks)
        loss = located(looks, state.known)
        if state.soft and group == 0:
            assert state.words is not None
            loss = loss + SOFT_WEIGHT * softness_loss(mean, state.words, joint=joint)
        if state.telling:
            assert state.absent is not None
            loss = loss + PRESENCE_WEIGHT * presence_loss(looks, state.known, state.absent)
        state.losses.append(loss)
