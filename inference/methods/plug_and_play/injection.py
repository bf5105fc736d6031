"""Features, queries and keys of one picture put into the run of another (Plug-and-Play, arXiv:2211.12572).

    f → f*                              features of the places that hold the structure (eq. 5)
    softmax(Q·Kᵀ)·V → softmax(Q*·K*ᵀ)·V self attention, with the values of the run itself (eq. 6)

The other picture is one sample of the same batch, or was seen before. Of joint attention only the part
between image tokens is replaced: the text's queries and keys stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TypeAlias

import torch
from torch import Tensor

from inference.attention import AttentionCall, AttentionKind, Layer, Tap, Where, index_of
from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.features import Feature, FeatureCall
from inference.messages import listed
from inference.methods.plug_and_play.masks import Masks, of_attention, of_features

Pair: TypeAlias = "tuple[Tensor, Tensor]"


@dataclass(frozen=True, kw_only=True)
class Places:
    """The places that are told at one step."""

    features: tuple[Feature, ...] = ()
    layers: tuple[Layer, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.features or self.layers)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(place.name for place in (*self.features, *self.layers))

    @property
    def where(self) -> Where:
        return Where(
            kinds={layer.kind for layer in self.layers},
            names=[layer.name for layer in self.layers],
            features=[place.name for place in self.features],
        )

    def size_bytes(self, height: int, width: int, item_bytes: int) -> int:
        """What is kept of one step, for latents of this size."""
        numbers = sum(place.channels * _area(place.grid(height, width)) for place in self.features)
        numbers += sum(2 * layer.width * _area(layer.grid(height, width)) for layer in self.layers)
        return numbers * item_bytes


@dataclass(kw_only=True)
class Seen:
    """What one pass over the picture showed: features [1, C, r, c], queries and keys [1, H, r·c, D].

    `masks` are where its subject was when the pass came to each place, [h, w] or None: a later place knows
    more of it, and a further text has to find each one as the first did. They take next to nothing.
    """

    features: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    attention: dict[str, Pair] = field(default_factory=dict[str, Pair])
    masks: dict[str, Tensor | None] = field(default_factory=dict[str, "Tensor | None"])

    def has(self, places: Places) -> bool:
        return places.names <= {*self.features, *self.attention}

    @property
    def size_bytes(self) -> int:
        tensors = [*self.features.values(), *(one for pair in self.attention.values() for one in pair)]
        return sum(one.numel() * one.element_size() for one in tensors)


class Injection(Tap):
    """Puts what the source has at the tapped places into the samples `into` of the same batch.

    Args:
        source: the source's row, or None if it was seen before.
        seen: what is taken from, or, with a row, what is filled.
        into: the rows that take it.
        masks: confines it to a subject.
    """

    def __init__(
        self, *, source: int | None, seen: Seen, into: Sequence[int], masks: Masks | None = None
    ) -> None:
        self._source = source
        self._seen = seen
        self._into = index_of(into)
        self._masks = masks

    def features(self, call: FeatureCall) -> Tensor:
        name, values = call.place.name, call.features
        if self._source is not None:
            self._seen.features[name] = values[self._source : self._source + 1].clone()
        if not self._into:
            return values
        own = self._seen.features[name].to(values)
        changed = values.clone()
        mask = None if self._masks is None else of_features(self._subject(name), call.features.shape[-2:])
        changed[self._into] = own if mask is None else torch.lerp(values[self._into], own, mask.to(values))
        return changed

    def attention(self, call: AttentionCall) -> Tensor:
        name, count = call.layer.name, call.image_tokens
        if self._source is not None:
            row = slice(self._source, self._source + 1)
            self._seen.attention[name] = (
                call.query[row, :, :count].clone(),
                call.key[row, :, :count].clone(),
            )
        if not self._into:
            return call.attend()
        query, key = call.query.clone(), call.key.clone()
        own_query, own_key = self._seen.attention[name]
        query[self._into, :, :count] = own_query.to(query)
        key[self._into, :, :count] = own_key.to(key)
        injected = call.with_(query=query, key=key)
        if self._masks is None:
            return injected.attend()
        parts = of_attention(self._subject(name), self._masks.target(), call.grid)
        return injected.attend() if parts is None else self._apart(call, injected, *parts)

    def _subject(self, name: str) -> Tensor | None:
        """Where the source's subject is, as far as the source's own pass knew at this place."""
        masks, seen = self._masks, self._seen.masks
        if masks is None or masks.source is None:
            return None if masks is None else masks.target()
        if self._source is not None:
            seen[name] = masks.source()
        return seen[name]

    def _apart(self, call: AttentionCall, injected: AttentionCall, source: Tensor, target: Tensor) -> Tensor:
        """Foreground and background attended separately, merged by the target's mask (arXiv:2304.08465).

        Both attend as the source does: the subject to the source's subject alone, the rest to the source's
        rest alone. `source` and `target` are bool [image tokens].
        """
        into, count = self._into, call.image_tokens
        texts = torch.ones(call.key.shape[-2] - count, dtype=torch.bool, device=source.device)
        foreground = _attended(injected, into, torch.cat([source, texts]))
        background = _attended(injected, into, torch.cat([~source, texts]))
        changed = call.attend().clone()
        chosen = torch.cat([target, ~texts])[None, None, :, None]
        merged = torch.where(chosen, foreground, background)
        if call.layer.kind is AttentionKind.JOINT:  # the text's own rows see everything
            merged[:, :, count:] = changed[into][:, :, count:]
        changed[into] = merged
        return changed


def _attended(call: AttentionCall, rows: slice | list[int], allowed: Tensor) -> Tensor:
    """Attention of some samples to the keys that are allowed: [samples, H, Q, D]."""
    part = call.with_(
        query=call.query[rows],
        key=call.key[rows],
        value=call.value[rows],
        options={**call.options, "attn_mask": allowed[None, None, None, :]},
    )
    return part.attend_unseen()  # taps that count samples have their turn with the whole call


def places_of(backbone: Backbone) -> Places:
    """All places of the model's structure.

    Raises:
        EditorError: the model lacks one that its family has.
    """
    structure = backbone.structure
    features = Where(features=structure.features)
    kinds = (AttentionKind.SELF, AttentionKind.JOINT)
    attention = Where(kinds=kinds, names=structure.attention)
    found = Places(
        features=tuple(place for place in backbone.features if features.names_feature(place)),
        layers=tuple(layer for layer in backbone.layers if attention.matches(layer)),
    )
    names = sorted(found.names)
    missing = [
        pattern
        for pattern in (*structure.features, *structure.attention)
        if not any(fnmatchcase(name, pattern) for name in names)
    ]
    if missing:
        raise EditorError(
            "{model} has no part called {missing}, which holds the structure of pictures in such models.",
            "Choose another model, or Redraw, which needs none.",
            model=backbone.name,
            missing=listed(missing),
        )
    return found


def _area(grid: tuple[int, int]) -> int:
    return grid[0] * grid[1]
