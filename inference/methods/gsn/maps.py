"""Attention maps of words, with gradients, from a forward pass that stops after the last map.

Which layers: the joint attention where there is one, else the cross attention at a 32nd of the picture
(stride 4 in latents that are an 8th of it), ⌈H/32⌉ × ⌈W/32⌉. Pictures so small that this leaves fewer than 8
rows or columns take the coarsest finer stride that has 8, and the finest stride if none has: three subjects
side by side cannot be told apart in four columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from inference.attention import AttentionCall, AttentionKind, Layer, Tap, Where
from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.prompts.prompt import Prompt
from inference.schedule import Level

Span = tuple[int, int]

USUAL_STRIDE = 4
LEAST_ROWS = 8
# maps are multiplied by this before the softmax over the tokens
SHARPNESS = 100.0
_KERNEL_SIGMA = 0.5


@dataclass(frozen=True)
class TextMaps:
    """The text attention of one pass, averaged over layers and heads.

    Args:
        prompt: whose tokens these are.
        parts: for each part of the text [N, h, w, columns]: the probability of each token that stands for
            characters; start, end and padding are left out.
        tokens: for each part the encoders' names and the indices of its columns' tokens.
        focus: query, key [N, H, h · w, D] and scale of the image's attention to itself, if asked for.
    """

    prompt: Prompt
    parts: tuple[Tensor, ...]
    tokens: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]
    focus: tuple[tuple[Tensor, Tensor, float], ...] = ()

    def probability(self, start: int, end: int) -> Tensor:
        """Mean probability of the tokens of characters [start, end), the mean of the parts: [N, h, w]."""
        return torch.stack(
            [part[..., kept].mean(-1) for part, kept in zip(self.parts, self._kept(start, end)) if kept]
        ).mean(0)

    def excitation(self, start: int, end: int) -> Tensor:
        """How clearly each place looks at these characters and not at other words, 0..1: [N, h, w].

        Attend & Excite's order: ×100, softmax over the tokens, the mean of the subject's own, 3 × 3
        smoothing. The parts of the text are handled apart, then averaged.
        """
        found = [
            smoothed(part[..., kept].mean(-1))
            for part, kept in zip(self._sharpened, self._kept(start, end))
            if kept
        ]
        return torch.stack(found).mean(0)

    @cached_property
    def _sharpened(self) -> tuple[Tensor, ...]:
        return tuple((part * SHARPNESS).softmax(-1) for part in self.parts)

    def focus_at(self, places: Tensor) -> Tensor:
        """What the image tokens `places` [N] see of the image, averaged over layers and heads: [N, h, w]."""
        rows = torch.arange(len(places), device=places.device)
        seen: list[Tensor] = []
        for query, key, scale in self.focus:
            scores = torch.einsum("nhd,nhkd->nhk", query[rows, :, places].float(), key.float()) * scale
            seen.append(scores.softmax(-1).mean(1))
        return torch.stack(seen).mean(0).reshape(self.parts[0].shape[:3])

    def _kept(self, start: int, end: int) -> list[list[int]]:
        wanted = self.prompt.tokens(start, end)
        return [
            [i for i, token in enumerate(tokens) if any(token in wanted.get(name, ()) for name in encoders)]
            for encoders, tokens in self.tokens
        ]


def text_layers(backbone: Backbone, height: int, width: int) -> Where:
    """The layers whose maps are read for latents of this size; see the module's text.

    Raises:
        EditorError: the model's picture does not attend to text.
    """
    layers = backbone.layers
    if any(layer.kind is AttentionKind.JOINT for layer in layers):
        return Where(kinds={AttentionKind.JOINT})
    cross = [layer for layer in layers if layer.kind is AttentionKind.CROSS]
    if not cross:
        raise EditorError(
            "{name} has no text attention that could be refined.", "Choose another model.", name=backbone.name
        )
    return Where(kinds={AttentionKind.CROSS}, strides={_stride(cross, height, width)})


def _stride(layers: Sequence[Layer], height: int, width: int) -> int:
    strides = sorted({layer.stride for layer in layers}, reverse=True)
    for stride in strides:
        if stride <= USUAL_STRIDE and -(-min(height, width) // stride) >= LEAST_ROWS:
            return stride
    return strides[-1]


class MapReader:
    """Reads the maps of one prompt for batches of latents.

    Args:
        with_focus: also keep the image's self attention at the same resolution.
        early_exit: stop the pass after the last map; what comes later changes no gradient.
    """

    def __init__(
        self, backbone: Backbone, prompt: Prompt, *, with_focus: bool = False, early_exit: bool = True
    ) -> None:
        self._backbone = backbone
        self._prompt = prompt
        self._with_focus = with_focus
        self._early_exit = early_exit
        self._read = _read_parts(backbone, prompt)

    def read(self, latents: Tensor, level: Level) -> TextMaps:
        """The maps for latents [N, C, h, w] at `level`, of the text-conditional pass."""
        where = text_layers(self._backbone, *latents.shape[-2:])
        if self._with_focus and AttentionKind.JOINT not in where.kinds:
            where = Where(kinds={*where.kinds, AttentionKind.SELF}, strides=where.strides)
        tap = _ReadingTap([columns for _, _, columns in self._read], self._with_focus)
        prompts = [self._prompt] * len(latents)
        if self._early_exit:
            self._backbone.read(tap, where, latents, level, prompts)
        else:
            with self._backbone.tapped(tap, where):
                self._backbone.predict(latents, level, prompts)
        parts = tuple(torch.stack(found).mean(0) for found in tap.found)
        tokens = tuple((encoders, indices) for encoders, indices, _ in self._read)
        return TextMaps(self._prompt, parts, tokens, tuple(tap.focus))


class _ReadingTap(Tap):
    """Collects [N, h, w, columns] for each part of the text at each layer."""

    def __init__(self, columns: Sequence[Sequence[int]], with_focus: bool) -> None:
        self._columns = columns
        self._with_focus = with_focus
        self.found: list[list[Tensor]] = [[] for _ in columns]
        self.focus: list[tuple[Tensor, Tensor, float]] = []

    def attention(self, call: AttentionCall) -> Tensor:
        if call.layer.kind is not AttentionKind.SELF:
            self._read(call)
        if self._with_focus and call.layer.kind is not AttentionKind.CROSS:
            tokens = call.image_tokens
            self.focus.append((call.query[:, :, :tokens], call.key[:, :, :tokens], call.scale))
        return call.attend()

    def _read(self, call: AttentionCall) -> None:
        rows = range(len(call.forward.prompts))
        columns = [call.text_start + column for part in self._columns for column in part]
        seen = call.probabilities(rows, columns).mean(1)  # [N, h · w, all columns]
        seen = seen.reshape(len(seen), *call.grid, -1)
        first = 0
        for found, part in zip(self.found, self._columns, strict=True):
            found.append(seen[..., first : first + len(part)])
            first += len(part)


_Part: TypeAlias = tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]


def _read_parts(backbone: Backbone, prompt: Prompt) -> list[_Part]:
    """(encoders, token indices, their columns) of each part that has tokens standing for characters.

    Cross attention keeps all but the first and the last token of each piece (Attend & Excite): what looks at
    no word looks at the padding, and the softmax over the tokens has to see that. Joint attention keeps the
    tokens that stand for characters.
    """
    is_joint = any(layer.kind is AttentionKind.JOINT for layer in backbone.layers)
    found: list[_Part] = []
    for part in backbone.text_parts.values():
        encoders = [encoder for encoder in part.encoders if encoder in prompt.offsets]
        spans = [prompt.offsets[encoder] for encoder in encoders]
        indices = sorted({i for own in spans for i, (start, end) in enumerate(own) if end > start})
        if indices and not is_joint:
            indices = [i for piece in prompt.borders(encoders[0]) for i in piece[1:-1]]
        if indices:
            columns = tuple(part.column(i) for i in indices)
            found.append((part.encoders, tuple(indices), columns))
    return found


def smoothed(seen: Tensor) -> Tensor:
    """3 × 3 smoothing with the weights exp(-(x/2σ)²), σ = 0.5, reflected at the borders: [N, h, w].

    The published thresholds belong to this kernel; its standard deviation as a Gaussian would be 0.707.
    """
    if min(seen.shape[1:]) < 2:
        return seen
    padded = functional.pad(seen[:, None], (1, 1, 1, 1), mode="reflect")
    return functional.conv2d(padded, _kernel().to(padded))[:, 0]


@lru_cache(maxsize=1)
def _kernel() -> Tensor:
    line = torch.exp(-((torch.arange(-1.0, 2.0) / (2 * _KERNEL_SIGMA)) ** 2))
    line = line / line.sum()
    return torch.outer(line, line)[None, None]
