"""Reading and editing attention and features while a network runs, without patching it.

A tap sits inside the model's own attention processor: hooks on the tapped modules tell which one is running,
and a `TorchFunctionMode` that is active only there hands `scaled_dot_product_attention` to the tap. All other
layers keep the fused kernel. Everything is taken away on exit, also after an exception or a cancellation.
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from inference.errors import EditorError
from inference.features import Feature, FeatureCall, seen_features, with_features
from inference.messages import listed
from inference.prompts.prompt import Prompt
from inference.schedule import Level

# Scores held at once while a softmax's denominator is computed (64 MiB in float32).
_CHUNK_SCORES = 2**24
# To so few keys, as a text has, the whole softmax costs less than its parts computed twice.
_FEW_KEYS = 512


class AttentionKind(Enum):
    """What attends to what."""

    SELF = "self"  # image to image
    CROSS = "cross"  # image to text
    JOINT = "joint"  # image and text to image and text, image tokens first


@dataclass(frozen=True)
class Layer:
    """One attention layer of a denoiser.

    Args:
        name: its module's name, such as "up_blocks.1.attentions.0.transformer_blocks.0.attn2".
        kind: what attends to what.
        stride: latent pixels per query along one side: 1, 2, 4 …; the grid is ⌈h/stride⌉ × ⌈w/stride⌉.
        width: numbers of a query in all heads together; 0 where nobody said.
    """

    name: str
    kind: AttentionKind
    stride: int
    width: int = 0

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the queries' grid for latents of this size."""
        return -(-height // self.stride), -(-width // self.stride)


@dataclass(frozen=True)
class Forward:
    """The pass that is running: latents [N, C, height, width] at `level`, one prompt per sample."""

    prompts: tuple[Prompt, ...]
    level: Level
    height: int
    width: int

    def rows(self, *prompts: Prompt) -> tuple[int, ...]:
        """The samples that carry one of `prompts` itself; identity decides, not equality."""
        return tuple(i for i, own in enumerate(self.prompts) if any(own is prompt for prompt in prompts))


@dataclass(frozen=True, kw_only=True)
class Where:
    """Which places of a denoiser a tap is for; every condition that is given must hold.

    Args:
        kinds: kinds of attention; none means no attention at all.
        names: patterns of layer names, such as "up_blocks.*.attn1".
        strides: strides, or a function that gives them for latents of (height, width).
        features: patterns of `Feature` names, such as "up_blocks.1.resnets.1.conv2". A "*" also stands for
            dots: "up_blocks.1.resnets.?" are outputs, "up_blocks.1.resnets.*" are the residuals as well.
    """

    kinds: Collection[AttentionKind] = ()
    names: Collection[str] = ("*",)
    strides: Collection[int] | Callable[[int, int], Collection[int]] | None = None
    features: Collection[str] = ()

    def matches(self, layer: Layer) -> bool:
        """Whether the layer may be tapped, for some size of the latents."""
        return (
            layer.kind in self.kinds
            and any(fnmatchcase(layer.name, pattern) for pattern in self.names)
            and (self.strides is None or callable(self.strides) or layer.stride in self.strides)
        )

    def applies(self, layer: Layer, forward: Forward) -> bool:
        """Whether a layer that matches is tapped in this pass."""
        return not callable(self.strides) or layer.stride in self.strides(forward.height, forward.width)

    def names_feature(self, place: Feature) -> bool:
        """Whether the place's features are tapped."""
        return any(fnmatchcase(place.name, pattern) for pattern in self.features)


@dataclass(frozen=True, kw_only=True)
class AttentionCall:
    """One attention that is about to be computed.

    Args:
        layer: where.
        forward: in which pass.
        query: [N, H, Q, D]; for joint attention the image's rows come first, then the text's.
        key, value: [N, H, K, D], in the same order.
        scale: what the scores are multiplied by.
        options: the other arguments of the call (mask and the like).
    """

    layer: Layer
    forward: Forward
    query: Tensor
    key: Tensor
    value: Tensor
    scale: float
    options: Mapping[str, Any]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the image's queries."""
        return self.layer.grid(self.forward.height, self.forward.width)

    @property
    def image_tokens(self) -> int:
        """How many of the first queries are the image's."""
        rows, columns = self.grid
        return rows * columns

    @property
    def text_start(self) -> int:
        """The index of the first text token among the keys."""
        return self.image_tokens if self.layer.kind is AttentionKind.JOINT else 0

    def with_(self, **changed: Any) -> "AttentionCall":
        """The same call with another query, key or value."""
        return replace(self, **changed)

    def attend(self) -> Tensor:
        """The attention's output [N, H, Q, D], by the fused kernel."""
        return functional.scaled_dot_product_attention(
            self.query, self.key, self.value, scale=self.scale, **self.options
        )

    def attend_unseen(self) -> Tensor:
        """As `attend`, and no other tap that is open sees it: for a second look at part of a call."""
        with torch._C.DisableTorchFunction():  # pyright: ignore[reportPrivateUsage] - as the documentation has it
            return self.attend()

    def probabilities(self, rows: Sequence[int], columns: Sequence[int]) -> Tensor:
        """Attention of the image's queries to some keys, for some samples.

        exp(q·k·scale - LSE): equal to those columns of the softmax over all keys, without holding the others.
        Shape: [len(rows), H, image tokens, len(columns)].
        """
        query, key = self.query, self.key
        if list(rows) != list(range(len(query))):
            query, key = query[index_of(rows)], key[index_of(rows)]
        return softmax_columns(query[:, :, : self.image_tokens], key, columns, self.scale)


class Tap:
    """Sees what it asked for; this one changes nothing. Subclasses override one or both methods."""

    def attention(self, call: AttentionCall) -> Tensor:
        """Give the attention's output [N, H, Q, D]."""
        return call.attend()

    def features(self, call: FeatureCall) -> Tensor:
        """Give the features [N, C, rows, columns] that go on from there."""
        return call.features


def from_samples(value: Tensor, sources: Mapping[int, int]) -> Tensor:
    """`value` [N, …] with sample s in the place of sample t for each {t: s}; the others stay as they are.

    For queries, keys, values and features that go from the source into the target of one batch.
    """
    return value[[sources.get(row, row) for row in range(len(value))]]


def index_of(rows: Sequence[int]) -> slice | list[int]:
    """What picks samples out of a batch: neighbours without a copy, and without waiting for the device.

    A list of numbers would be sent to a card first, in each layer of each step.
    """
    rows = list(rows)
    if rows and rows == list(range(rows[0], rows[0] + len(rows))):
        return slice(rows[0], rows[0] + len(rows))
    return rows


def softmax_columns(query: Tensor, key: Tensor, columns: Sequence[int], scale: float) -> Tensor:
    """Columns of softmax(scale·query·keyᵀ) in float32.

    Shapes: query [N, H, Q, D], key [N, H, K, D] → [N, H, Q, len(columns)]. Gradients flow; neither pass holds
    all scores at once.
    """
    if key.shape[-2] <= _FEW_KEYS and query.shape[:3].numel() * key.shape[-2] <= _CHUNK_SCORES:
        scores = (query.float() * scale) @ key.float().transpose(-1, -2)
        return _columns(scores.softmax(-1), columns)
    wanted = torch.as_tensor(list(columns), device=query.device)
    function: Any = _SoftmaxColumns
    return function.apply(query.float(), key.float(), wanted, scale)


def _columns(values: Tensor, columns: Sequence[int]) -> Tensor:
    """Columns of the last axis: a view where they follow each other."""
    if not columns:
        return values[..., :0]
    first, last = columns[0], columns[-1]
    if list(columns) == list(range(first, last + 1)):
        return values[..., first : last + 1]
    return values[..., list(columns)]


class _SoftmaxColumns(torch.autograd.Function):
    """P_c = exp(s_c - log Σ_k exp s_k) with s = scale·q·kᵀ, for some queries at a time.

    Backward, with G the gradient of P_c: ∂s_k = P_k·([k is wanted]·G_k - Σ_c G_c·P_c). The scores are
    computed again, because keeping them would take as much memory as all layers' attention matrices.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, columns: Tensor, scale: float) -> Tensor:
        found: list[Tensor] = []
        normalisers: list[Tensor] = []
        for rows in _chunks(query, key):
            scores = (query[:, :, rows] * scale) @ key.transpose(-1, -2)
            normalisers.append(torch.logsumexp(scores, dim=-1, keepdim=True))
            found.append(torch.exp(scores[..., columns] - normalisers[-1]))
        probabilities = torch.cat(found, dim=2)
        ctx.save_for_backward(query, key, columns, torch.cat(normalisers, dim=2), probabilities)
        ctx.scale = scale
        return probabilities

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        query, key, columns, normalisers, probabilities = ctx.saved_tensors
        of_wanted: Tensor = gradients[0] * probabilities  # [N, H, Q, C]
        of_queries: list[Tensor] = []
        of_keys = torch.zeros_like(key)
        for rows in _chunks(query, key):
            part, wanted = query[:, :, rows] * ctx.scale, of_wanted[:, :, rows]
            everywhere = torch.exp(part @ key.transpose(-1, -2) - normalisers[:, :, rows])
            of_scores = everywhere * -wanted.sum(-1, keepdim=True)
            of_scores[..., columns] += wanted
            of_queries.append(of_scores @ key * ctx.scale)
            of_keys += of_scores.transpose(-1, -2) @ part
        return torch.cat(of_queries, dim=2), of_keys, None, None


def _chunks(query: Tensor, key: Tensor) -> list[slice]:
    """The queries whose scores are held at once."""
    batch, heads, length = query.shape[:3]
    size = max(1, _CHUNK_SCORES // (batch * heads * key.shape[-2]))
    return [slice(first, first + size) for first in range(0, length, size)]


class TextPart(NamedTuple):
    """Text columns that are averaged by themselves: whose they are, and where they are among the text.

    The first tokens are at `start`; those from number `first` on, if that is not 0, at `rest`.
    """

    encoders: tuple[str, ...]
    start: int
    first: int = 0
    rest: int = 0

    def column(self, token: int) -> int:
        """Where the text's column of a token is."""
        if self.first and token >= self.first:
            return self.rest + token - self.first
        return self.start + token


class AttentionStore:
    """Text attention of a run: mean over steps, heads and layers, of the tokens that stand for characters.

    Args:
        prompts: samples that carry one of these (the same object) are averaged; all share one text.
        parts: the text columns of the family, averaged apart.
    """

    def __init__(self, prompts: Sequence[Prompt], parts: Mapping[str, TextPart]) -> None:
        self._prompts = tuple(prompts)
        self._parts = parts
        self._columns = {name: _content_columns(self._prompts[0], part) for name, part in parts.items()}
        self._sums: dict[tuple[int, int], Tensor] = {}  # by grid: [h · w, all columns]
        self._counts: dict[tuple[int, int], int] = {}

    def add(self, call: AttentionCall) -> None:
        """Take the text columns of one attention into the mean."""
        rows = call.forward.rows(*self._prompts)
        columns = [call.text_start + column for part in self._columns.values() for column in part]
        if rows and columns:
            found = call.probabilities(rows, columns).mean(dim=(0, 1))
            self._sums[call.grid] = self._sums.get(call.grid, 0) + found
            self._counts[call.grid] = self._counts.get(call.grid, 0) + 1

    def maps(self, start: int, end: int) -> dict[str, Tensor]:
        """Mean probability of the tokens of characters [start, end), CLIP and T5 apart: [h, w] each.

        Raises:
            EditorError: the characters stand for no token, or nothing was collected.
        """
        if len(self._sums) != 1:
            raise EditorError(
                "Attention was collected for {count} picture sizes.",
                "Collect it for exactly one.",
                count=len(self._sums),
            )
        ((grid, total),) = self._sums.items()
        mean = total / self._counts[grid]
        tokens = self._prompts[0].tokens(start, end)
        found: dict[str, Tensor] = {}
        first = 0
        for name, part in self._parts.items():
            wanted = {part.column(token) for encoder in part.encoders for token in tokens.get(encoder, ())}
            columns = self._columns[name]
            kept = [first + i for i, column in enumerate(columns) if column in wanted]
            if kept:
                found[name] = mean[:, kept].mean(-1).reshape(grid)
            first += len(columns)
        return found

    def heat(self, start: int, end: int) -> NDArray[np.float32]:
        """Where characters [start, end) of the prompt look: float32 [h, w], min-max normalised to 0..1.

        Raises:
            EditorError: as `maps`.
        """
        mean = torch.stack(list(self.maps(start, end).values())).mean(0).detach()
        low, high = mean.min(), mean.max()
        return ((mean - low) / (high - low).clamp(min=1e-12)).cpu().numpy()


class StoringTap(Tap):
    """Fills a store and changes nothing."""

    def __init__(self, store: AttentionStore) -> None:
        self._store = store

    def attention(self, call: AttentionCall) -> Tensor:
        self._store.add(call)
        return call.attend()


@contextmanager
def tapped(
    network: nn.Module,
    layers: Sequence[Layer],
    features: Sequence[Feature],
    tap: Tap,
    where: Where,
    forward: Callable[[], Forward],
    *,
    stop: bool = False,
) -> Generator[None]:
    """Let `tap` see the places of `network` that `where` names, as long as the context is open.

    Args:
        layers: the network's attention layers.
        features: the places whose features may be tapped.
        forward: tells about the pass that is running.
        stop: leave the context as soon as all these places were seen: the pass goes no further.

    Raises:
        EditorError: a pattern matches nothing; on a regular exit, a matching place was never reached.
    """
    chosen = [layer for layer in layers if where.matches(layer)]
    places = [place for place in features if where.names_feature(place)]
    _check_matches(where, chosen, features)
    session = _Session(tap, where, forward, (*chosen, *places) if stop else ())
    handles: list[Any] = []
    try:
        for layer in chosen:
            handles += session.watch(network.get_submodule(layer.name), layer)
        for place in places:
            handles.append(session.watch_features(network.get_submodule(place.name), place))
        yield
    except _AllSeen:
        pass  # all these places were seen
    finally:
        for handle in handles:
            handle.remove()
        session.leave_all()
    session.check_reached([place.name for place in (*chosen, *places)])


class _AllSeen(Exception):  # noqa: N818 - it says that the pass may stop
    """Ends a pass, for the innermost tap that is open: no other is asked for an early end."""


class _Session:
    """The hooks of one open tap, and what they have seen.

    Args:
        last: places after which the pass ends, once all were seen; none means that it goes on.
    """

    def __init__(
        self, tap: Tap, where: Where, forward: Callable[[], Forward], last: Sequence[Layer | Feature]
    ) -> None:
        self._last = last
        self._tap = tap
        self._where = where
        self._forward = forward
        self._modes: list[tuple[Layer, Any]] = []  # active ones, the innermost last
        self._done: set[str] = set()  # reached, or passed over at this size

    def watch(self, module: nn.Module, layer: Layer) -> list[Any]:
        def enter(*_: Any) -> None:
            forward = self._forward()
            if not self._where.applies(layer, forward):
                self._done.add(layer.name)
                return
            mode = _Intercept(self._tap, layer, forward, self._seen)
            mode.__enter__()
            self._modes.append((layer, mode))

        def leave(*_: Any) -> None:
            if self._modes and self._modes[-1][0] is layer:
                self._leave()

        return [
            module.register_forward_pre_hook(enter),
            # always, so that an exception inside the layer does not leave the mode on
            module.register_forward_hook(leave, always_call=True),
        ]

    def watch_features(self, module: nn.Module, place: Feature) -> Any:
        def see(_module: nn.Module, _arguments: Any, output: Any) -> Any:
            forward = self._forward()
            seen = seen_features(place, output, forward)
            given = self._tap.features(FeatureCall(place=place, forward=forward, features=seen))
            self._seen(place)
            return None if given is seen else with_features(place, output, given)

        # of several open taps the last one is asked first, as it is with attention
        return module.register_forward_hook(see, prepend=True)

    def _seen(self, place: Layer | Feature) -> None:
        """Note that the tap had its turn, and end the pass if that was the last one.

        Raises:
            _AllSeen: nothing of this pass is left that the tap wants.
        """
        self._done.add(place.name)
        if self._last and all(self._is_over(each) for each in self._last):
            self._done.update(each.name for each in self._last)
            raise _AllSeen

    def _is_over(self, place: Layer | Feature) -> bool:
        if place.name in self._done:
            return True
        return isinstance(place, Layer) and not self._where.applies(place, self._forward())

    def leave_all(self) -> None:
        while self._modes:
            self._leave()

    def _leave(self) -> None:
        _, mode = self._modes.pop()
        mode.__exit__(None, None, None)

    def check_reached(self, names: Sequence[str]) -> None:
        missed = [name for name in names if name not in self._done]
        if missed:
            raise EditorError(
                "The tap at {place} was never reached ({missing} of {count} places).",
                "Run the denoiser while the tap is open, and tap layers that compute attention.",
                place=missed[0],
                missing=len(missed),
                count=len(names),
            )


class _Intercept(TorchFunctionMode):
    """Hands the attention of one running layer to a tap."""

    def __init__(self, tap: Tap, layer: Layer, forward: Forward, seen: Callable[[Layer], None]) -> None:
        super().__init__()
        self._layer = layer
        self._tap = tap
        self._forward = forward
        self._seen = seen

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        output = self._tap.attention(_call(self._layer, self._forward, args, kwargs or {}))
        self._seen(self._layer)
        return output


_POSITIONAL = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")


def _call(layer: Layer, forward: Forward, args: Sequence[Any], kwargs: Mapping[str, Any]) -> AttentionCall:
    given = dict(zip(_POSITIONAL, args, strict=False)) | dict(kwargs)
    query, key, value = (given.pop(name) for name in ("query", "key", "value"))
    scale = given.pop("scale", None)
    return AttentionCall(
        layer=layer,
        forward=forward,
        query=query,
        key=key,
        value=value,
        scale=query.shape[-1] ** -0.5 if scale is None else scale,
        options=given,
    )


def _content_columns(prompt: Prompt, part: TextPart) -> tuple[int, ...]:
    """The columns of tokens that stand for characters; start, end and padding are left out."""
    return tuple(
        sorted(
            {
                part.column(index)
                for encoder in part.encoders
                for index, (start, end) in enumerate(prompt.offsets.get(encoder, ()))
                if end > start
            }
        )
    )


def _check_matches(where: Where, chosen: Sequence[Layer], features: Sequence[Feature]) -> None:
    if where.kinds and not chosen:
        kinds = listed(kind.value for kind in where.kinds)
        raise EditorError(
            "No layer of this model matches {names} ({kinds} attention).",
            "Choose other layers for this model.",
            names=listed(where.names),
            kinds=kinds,
        )
    for pattern in where.features:
        if not any(fnmatchcase(place.name, pattern) for place in features):
            raise EditorError(
                "No part of this model is called “{pattern}”.",
                "It has {count} parts.",
                pattern=pattern,
                count=len(features),
            )
    if not where.kinds and not where.features:
        raise EditorError("The tap asks for nothing.", "Name kinds of attention or features.")
