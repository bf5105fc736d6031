"""Text that is read only where it belongs: a second set of text keys and values, chosen by the query's place.

Of the three ways to keep an edit to its subject this is the one without seams. In each attention from picture
to text the queries inside of a subject's mask read the text in which that subject is shifted, all other
queries the plain prompt:

    out(q) = (1 - Σ mₛ(q))·attend(q; K, V) + Σ mₛ(q)·attend(q; K with K'ₛ, V with V'ₛ)

K'ₛ are the shifted text's keys but for the tokens of other edited subjects, which are plain. So one pass
serves edits of several subjects, where a prompt for each would cost a pass each. With `bound` the queries of
a subject do not read the tokens of another one either: a model that takes the man for the woman then has no
choice, which matters on pictures that it has not drawn itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from inference.attention import AttentionCall, AttentionKind, Tap, TextPart, Where
from inference.backbones.base import Backbone
from inference.prompts.prompt import Prompt
from inference.schedule import Level, Prediction

Span: TypeAlias = tuple[int, int]
Regions: TypeAlias = Mapping[Span, Tensor]
"""[1, 1, h, w] in 0..1 for each subject, at the latents' size."""

PLACES = Where(kinds={AttentionKind.CROSS, AttentionKind.JOINT})
# What binding leaves of a token's weight where another subject surely is; not nothing, so that no row of the
# softmax is ever empty.
_LEFT = 1e-4


@dataclass(frozen=True, kw_only=True)
class TextRegions:
    """A pass of the network in which shifted tokens are read inside of their subjects alone.

    Args:
        backbone: the model.
        plain: the prompt without shifts.
        edited: for each prompt with shifts where its edited subjects are. The same object, not an equal one.
        bound: where every subject is, if its queries are to leave the others' tokens alone.

    Cross attention reads the same text at every step, so the plain prompt's keys and values are kept; where
    the text changes on its way through the network (joint attention), a plain sample runs along, of the first
    picture's latents for all: outside of their subjects pictures of one batch hardly differ.
    """

    backbone: Backbone
    plain: Prompt
    edited: Sequence[tuple[Prompt, Regions]]
    bound: Regions
    _known: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict[str, tuple[Tensor, Tensor]])
    # asked for in each layer of each step, while there are a few grids and subjects: looking them up costs
    # nothing, and making them costs a card more than the attention itself
    _shares: dict[Any, dict[Span, Tensor]] = field(default_factory=dict[Any, dict[Span, Tensor]])
    _columns: dict[Span, list[int]] = field(default_factory=dict[Span, list[int]])
    _biases: dict[Any, Tensor] = field(default_factory=dict[Any, Tensor])
    _chosen: dict[Any, Tensor] = field(default_factory=dict[Any, Tensor])

    def predict(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
        """As `Backbone.predict`; one evaluation more where the plain text is needed and no sample has it."""
        count = len(prompts)
        asked = [*prompts]
        shifted = [row for row, prompt in enumerate(prompts) if self.of(prompt) is not None]
        if not shifted and not self.bound:
            return self.backbone.predict(latents, level, prompts)
        if shifted and not any(prompt is self.plain for prompt in prompts) and not self._knows_all:
            asked.append(self.plain)
            latents = torch.cat([latents, latents[shifted[:1]]])
        with self.backbone.tapped(_RegionsTap(self), PLACES):
            found = self.backbone.predict(latents, level, asked)
        return Prediction(*(value[:count] for value in found))

    @property
    def _knows_all(self) -> bool:
        """Whether the plain text's keys and values are known for every layer."""
        return all(layer.name in self._known for layer in self.backbone.layers if PLACES.matches(layer))

    def of(self, prompt: Prompt) -> Regions | None:
        """Where the edited subjects of a prompt are; None if it has no shifts."""
        return next((regions for own, regions in self.edited if own is prompt), None)

    def knows(self, prompt: Prompt) -> bool:
        """Whether it is the plain prompt or one of its versions."""
        return prompt is self.plain or self.of(prompt) is not None

    def plain_texts(self, call: AttentionCall, rows: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Keys and values [1, H, T, D] of the plain text: those of each of `rows`, or the known ones."""
        start, name = call.text_start, call.layer.name
        found = [(call.key[row : row + 1, :, start:], call.value[row : row + 1, :, start:]) for row in rows]
        if found and call.layer.kind is AttentionKind.CROSS and name not in self._known:
            self._known[name] = (found[0][0].clone(), found[0][1].clone())
        return found or [self._known[name]]

    def columns(self, span: Span) -> list[int]:
        """The text columns of the tokens that stand for some characters."""
        if span not in self._columns:
            self._columns[span] = text_columns(self.plain, span, self.backbone.text_parts)
        return self._columns[span]

    def shares(self, regions: Regions, grid: tuple[int, int]) -> dict[Span, Tensor]:
        """[1, 1, image tokens, 1] for each subject; together at most 1. `regions` is one of this object's."""
        key = (id(regions), grid)
        if key not in self._shares:
            self._shares[key] = _shares(regions, grid)
        return self._shares[key]

    def of_others(self, span: Span, regions: Regions) -> frozenset[int]:
        """The text columns of the other edited subjects."""
        return frozenset(column for other in regions if other != span for column in self.columns(other))

    def bias(self, call: AttentionCall, count: int, rows: tuple[int, ...]) -> Tensor:
        """[count, 1, Q, K] that keeps each subject's queries off the others' tokens, in `rows` alone."""
        query, key = call.query, call.key
        name = (call.grid, query.shape[2], key.shape[2], query.dtype, count, rows)
        if name not in self._biases:
            found = query.new_zeros(count, 1, query.shape[2], key.shape[2])
            for span, weight in self.shares(self.bound, call.grid).items():
                left = torch.log((1 - weight[0, 0]).clamp(min=_LEFT)).to(found)  # [image tokens, 1]
                for other in self.bound:
                    if other != span:
                        columns = [call.text_start + column for column in self.columns(other)]
                        for row in rows:
                            found[row, 0, : call.image_tokens, columns] += left
            self._biases[name] = found
        return self._biases[name]

    def plain_columns(self, like: Tensor, start: int, columns: frozenset[int]) -> Tensor:
        """bool [1, 1, K, 1]: which of the keys are the plain text's."""
        key = (like.shape[2], start, columns, like.device)
        if key not in self._chosen:
            chosen = torch.zeros(like.shape[2], dtype=torch.bool)
            chosen[[start + column for column in columns]] = True
            self._chosen[key] = chosen[None, None, :, None].to(like.device)
        return self._chosen[key]


def reads_text(backbone: Backbone) -> bool:
    """Whether the network has attention from picture to text."""
    return any(PLACES.matches(layer) for layer in backbone.layers)


def text_columns(prompt: Prompt, span: Span, parts: Mapping[str, TextPart]) -> list[int]:
    """The columns, among the text's, of the tokens of characters `span`."""
    tokens = prompt.tokens(*span)
    return sorted(
        {
            part.column(token)
            for part in parts.values()
            for encoder in part.encoders
            for token in tokens.get(encoder, ())
        }
    )


class _RegionsTap(Tap):
    def __init__(self, regions: TextRegions) -> None:
        self._regions = regions

    def attention(self, call: AttentionCall) -> Tensor:
        call = self._bound(call)
        output = call.attend()
        prompts = call.forward.prompts
        found = [(row, self._regions.of(prompt)) for row, prompt in enumerate(prompts)]
        edited = [(row, regions) for row, regions in found if regions is not None]
        plain = [row for row, prompt in enumerate(prompts) if prompt is self._regions.plain]
        if edited:
            texts = self._regions.plain_texts(call, plain)
            # edited samples come last, each after a plain one of the same latents where there is one
            near = texts[-len(edited) :] if len(texts) >= len(edited) else texts[:1] * len(edited)
            output = output.clone()
            for (row, regions), text in zip(edited, near, strict=True):
                part = output[row : row + 1, :, : call.image_tokens]
                part.copy_(self._mixed(call, row, text, regions, part))
        return output

    def _mixed(
        self, call: AttentionCall, row: int, plain: tuple[Tensor, Tensor], regions: Regions, own: Tensor
    ) -> Tensor:
        """What the picture's queries of one sample read: [1, H, image tokens, D].

        Args:
            own: what they read of the shifted text alone.
        """
        start = call.text_start
        query = call.query[row : row + 1, :, : call.image_tokens]
        keys, values = call.key[row : row + 1], call.value[row : row + 1]
        options = {
            name: value[row : row + 1, :, : call.image_tokens] if isinstance(value, Tensor) else value
            for name, value in call.options.items()
        }
        plain_keys, plain_values = (
            torch.cat([one[:, :, :start], text], dim=2) if start else text
            for one, text in zip((keys, values), plain, strict=True)
        )

        def attend(key: Tensor, value: Tensor) -> Tensor:
            # another tap that watches has seen the call already, with all its samples
            return call.with_(query=query, key=key, value=value, options=options).attend_unseen()

        outside = attend(plain_keys, plain_values)
        weights = self._regions.shares(regions, call.grid)
        found = outside
        for span in regions:
            others, inside = self._regions.of_others(span, regions), own
            if others:
                chosen = self._regions.plain_columns(keys, start, others)
                inside = attend(
                    torch.where(chosen, plain_keys, keys), torch.where(chosen, plain_values, values)
                )
            found = found + weights[span].to(outside) * (inside - outside)
        return found

    def _bound(self, call: AttentionCall) -> AttentionCall:
        """The call with a bias that keeps each subject's queries off the others' tokens."""
        bound = self._regions.bound
        prompts = call.forward.prompts
        same = [row for row, prompt in enumerate(prompts) if self._regions.knows(prompt)]
        if len(bound) < 2 or not same:
            return call
        mask = self._regions.bias(call, len(prompts), tuple(same))
        before = call.options.get("attn_mask")
        if isinstance(before, Tensor):
            mask = mask.masked_fill(~before, -torch.inf) if before.dtype == torch.bool else mask + before
        return call.with_(options={**call.options, "attn_mask": mask})


def _shares(regions: Regions, grid: tuple[int, int]) -> dict[Span, Tensor]:
    """[1, 1, image tokens, 1] for each subject; together at most 1."""
    resized = {
        span: functional.interpolate(mask.float(), grid, mode="area").reshape(1, 1, -1, 1)
        for span, mask in regions.items()
    }
    total = sum(resized.values(), torch.zeros(()))
    return {span: weight / total.clamp(min=1) for span, weight in resized.items()}
