"""Prompt-to-prompt in an editing loop: which attention is carried over at which step, and from where.

At each step the source is asked once for what it attends to, at latents of its own that no edit moves: those
of the inverted path (Direct Inversion, arXiv:2310.01506). The pass ends after the last layer that is needed,
and what it attended to is kept, so that a further edit of the same picture asks the source nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import torch
from torch import Tensor

from inference.attention import AttentionKind, Layer, Where
from inference.guidance import guided
from inference.methods.generate import Run
from inference.methods.gsn.maps import text_layers
from inference.methods.inversion.editing import Step
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.paths import guidance_of
from inference.methods.prompt_to_prompt.attention import Edited, EditingTap, KeepingTap, Source, text_maps
from inference.methods.prompt_to_prompt.blending import Blend
from inference.prompts.prompt import Prompt
from inference.sampling import move
from inference.schedule import Level, Prediction

Anchor: TypeAlias = Callable[[int], Tensor]
"""The source's latents [1, C, h, w] before a step."""

# Self attention is carried over up to this share of the latents' resolution: 32² queries of SD1's 64² (Hertz
# et al. for photos). Finer layers hold texture, which the target has to be free to draw.
SELF_UP_TO = 0.5
# What is kept for further edits may take this share of the memory for such things.
_SHARE_OF_CACHE = 0.8


@dataclass(frozen=True, kw_only=True)
class Shares:
    """For which share of the run's steps, from the first edited one on, attention is carried over."""

    cross: float
    self: float


class Control:
    """What an editing loop needs to know of prompt-to-prompt: a `predict`, and what surrounds each step.

    Args:
        targets: what each target prompt's samples attend to.
        strengths: of each target: its prediction is source + strength · (target - source); 1 costs nothing.
        shares: None carries nothing over.
        blend: where the change may be; None: anywhere.
        anchor: the source's latents before a step; None: it is sampled beside the target, with guidance, as
            the first notebooks did.
        kept_as: what these latents depend on beside picture, source prompt, model and steps.
        first: the first step that is edited.
    """

    def __init__(
        self,
        run: Run,
        inverted: Inverted,
        targets: Mapping[Prompt, Edited],
        *,
        strengths: Mapping[Prompt, float],
        shares: Shares | None,
        blend: Blend | None,
        anchor: Anchor | None,
        kept_as: tuple[object, ...],
        first: int,
        sofar: Sofar,
        name: str,
    ) -> None:
        self._run, self._inverted, self._targets = run, inverted, targets
        self._prompts = tuple(targets)
        self._strengths = strengths
        self._unchanged = {
            prompt for prompt, edit in targets.items() if _is_source(inverted.prompt, prompt, edit)
        }
        self._blend, self._anchor, self._kept_as, self._first = blend, anchor, kept_as, first
        self._sofar, self._name = sofar, name
        left = run.steps - first
        self._cross_until = first + round(shares.cross * left) if shares is not None else first
        self._self_until = first + round(shares.self * left) if shares is not None else first
        rows, columns = cast("tuple[int, int]", tuple(inverted.path.shape[-2:]))
        self._size = (rows, columns)
        layers = run.backbone.layers
        self._texts = [one for one in layers if one.kind is not AttentionKind.SELF]
        self._selves = frozenset(
            one.name for one in layers if one.kind is not AttentionKind.CROSS and _is_coarse(one)
        )
        wanted = text_layers(run.backbone, rows, columns)
        looks = blend is not None and blend.by_words
        self._seen = [one for one in layers if wanted.matches(one)] if looks else []
        self._tap = EditingTap(targets)
        self._where: Where | None = None
        self._of_source: Source = {}
        self._drifting = inverted.at(first)
        self._restore()

    def step(self, inner: Step) -> Step:
        """One step of the loop with attention carried over, and the source put back outside of the change."""

        def step(latents: Tensor, index: int) -> Tensor:
            self._begin(index)
            latents = self._kept(inner(latents, index), index)
            blend = self._blend
            if blend is not None:
                if self._seen:
                    source = [self._source_maps(one) for one in self._seen]
                    blend.add(source, self._tap.maps)
                    self._keep()
                latents = blend.merged(self._inverted.at(index + 1), latents, self._prompts, index)
            return latents

        return step

    def predict(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
        """As `Backbone.predict`, with the target prompts' attention edited, and their strengths."""
        pairs: dict[int, int] = {}
        asked, extra = list(prompts), list[Tensor]()
        for row, prompt in enumerate(prompts):
            if self._strengths.get(prompt, 1.0) != 1:
                same = (
                    other
                    for other, one in enumerate(prompts)
                    if one is self._inverted.prompt and torch.equal(latents[other], latents[row])
                )
                pairs[row] = next(same, len(asked))
                if pairs[row] == len(asked):
                    asked.append(self._inverted.prompt)
                    extra.append(latents[row : row + 1])
        found = self._watched(torch.cat([latents, *extra]), level, asked)
        if not pairs:
            return found
        return Prediction(*(self._strengthened(value, prompts, pairs) for value in found))

    def _kept(self, latents: Tensor, index: int) -> Tensor:
        """Targets that say what the source says are the source, to the last bit."""
        if not self._unchanged:
            return latents
        unedited = self._inverted.at(index + 1).to(latents)
        rows = [
            unedited if prompt in self._unchanged else latents[row : row + 1]
            for row, prompt in enumerate(self._prompts)
        ]
        return torch.cat(rows)

    def _strengthened(self, values: Tensor, prompts: Sequence[Prompt], pairs: Mapping[int, int]) -> Tensor:
        rows: list[Tensor] = []
        for row, prompt in enumerate(prompts):
            own = values[row]
            if row in pairs:
                source = values[pairs[row]]
                own = source + self._strengths[prompt] * (own - source)
            rows.append(own)
        return torch.stack(rows)

    def _watched(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
        backbone = self._run.backbone
        if self._where is None or not any(prompt in self._targets for prompt in prompts):
            return backbone.predict(latents, level, prompts)
        with backbone.tapped(self._tap, self._where):
            return backbone.predict(latents, level, prompts)

    def _begin(self, index: int) -> None:
        """What is carried over at this step, and from which pass of the source."""
        cross = index < self._cross_until
        selves = self._selves if index < self._self_until else frozenset[str]()
        texts = {one.name for one in self._texts}
        # a place and the weights of words hold to the end
        controlled = any(
            edit.place is not None or any(bool((part.weights != 1).any()) for part in edit.alignments)
            for edit in self._targets.values()
        )
        seen = {one.name for one in self._seen}
        carried = (texts if cross else frozenset[str]()) | selves
        tapped = carried | seen | (texts if controlled else set[str]())
        self._where = _where(tapped)
        source: Source = self._source(index, frozenset(carried | seen)) if carried or seen else {}
        self._tap = EditingTap(
            self._targets,
            source=source if cross or selves else {},
            cross=cross,
            selves=selves,
            looked_at=frozenset(seen),
        )
        self._of_source = source

    def _source(self, index: int, names: frozenset[str]) -> Source:
        """What the source attends to before step `index`."""
        if self._anchor is None:
            return self._drifted(index, names)
        run, cache = self._run, self._run.inputs.cache
        key = ("attended", *run.backbone.made_by, *self._kept_as, index)
        known = cast("Source", cache.get(key) or {})
        where = _where(names - set(known))
        if where is None:
            return known
        tap = KeepingTap(self._inverted.prompt)
        with torch.no_grad():
            run.backbone.read(tap, where, self._anchor(index), run.levels[index], [self._inverted.prompt])
        found = {**known, **tap.kept}
        size = sum(kept.size_bytes for kept in found.values())
        if size * run.steps <= _SHARE_OF_CACHE * cache.limit_bytes:
            cache.put(key, found, size)
        return found

    def _drifted(self, index: int, names: frozenset[str]) -> Source:
        """The same of a source that is sampled with guidance; two evaluations."""
        run, prompt = self._run, self._inverted.prompt
        where, tap = _where(names), KeepingTap(prompt)
        assert where is not None, "some layers are wanted"
        denoise = guided(run.backbone, [prompt], run.negative, guidance_of(run))
        with run.backbone.tapped(tap, where):
            prediction = denoise(self._drifting, run.levels[index], index)
        self._drifting = move(prediction, run.levels[index], run.levels[index + 1])
        self._sofar.put(f"{self._name}/drifting", self._drifting)
        return tap.kept

    def _source_maps(self, layer: Layer) -> Tensor:
        kept = self._of_source[layer.name]
        columns = next(iter(self._targets.values())).alignments
        seen = [column for part in columns for column in part.source_columns]
        return text_maps(kept, layer, self._size, seen)

    def _keep(self) -> None:
        assert self._blend is not None, "there is something to keep"
        for name, value in self._blend.sums(self._prompts).items():
            self._sofar.put(f"{self._name}/blend/{name}", value)

    def _restore(self) -> None:
        drifting = self._sofar.get(f"{self._name}/drifting")
        if drifting is not None:
            self._drifting = drifting
        if self._blend is not None:
            self._blend.restore(self._prompts, lambda name: self._sofar.get(f"{self._name}/blend/{name}"))


def unlike(prompt: Prompt) -> Prompt:
    """The same prompt as an object of its own, so that its samples are told apart from others'."""
    return replace(prompt)


def _is_source(source: Prompt, prompt: Prompt, edit: Edited) -> bool:
    """Whether a target is the source in other words for the same: no word, vector or weight is another."""
    return (
        prompt.text == source.text
        and all(part.is_neutral for part in edit.alignments)
        and all(torch.equal(value, source.embeddings[name]) for name, value in prompt.embeddings.items())
    )


def _is_coarse(layer: Layer) -> bool:
    return 1 / layer.stride <= SELF_UP_TO


def _where(names: frozenset[str] | set[str]) -> Where | None:
    if not names:
        return None
    kinds = {AttentionKind.SELF, AttentionKind.CROSS, AttentionKind.JOINT}
    return Where(kinds=kinds, names=tuple(sorted(names)))
