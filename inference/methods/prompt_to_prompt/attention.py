"""Taps that keep the source's attention and carry it into the target's (arXiv:2208.01626, algorithm 1).

The source's queries and keys are kept, not its maps: they are smaller, a fused kernel makes the image's part
of the output from them, and nobody can change a map in place that somebody else still reads. Only samples
that carry a target prompt are edited: the unconditional half stays as it is.

*Cross attention* to text columns follows `alignment`. *Self attention* takes the source's queries and keys
with the target's own values. *Joint attention* (an MMDiT) is both at once: for the image's queries

    o = c·Σ_image P·v + Σ_text P'·v,      c = (1 - Σ_text P'₁) / Σ_image P

with P' the edited text columns, P'₁ those before the weights of words, and P of the source while self
attention is carried over: the image keeps its proportions and fills up what the text leaves. Rows of the
text's queries stay the target's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inference.attention import AttentionCall, AttentionKind, Layer, Tap, softmax_columns
from inference.methods.prompt_to_prompt.alignment import Alignment
from inference.prompts.prompt import Prompt


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Queries and keys [1, H, …, D] of one layer's source, and what their products are multiplied by."""

    query: Tensor
    key: Tensor
    scale: float

    @property
    def size_bytes(self) -> int:
        return sum(one.numel() * one.element_size() for one in (self.query, self.key))


Source = Mapping[str, Kept]
"""What one pass of the source attended to, by layer."""


class KeepingTap(Tap):
    """Keeps queries and keys of the sample that carries `prompt`; changes nothing."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self.kept: dict[str, Kept] = {}

    def attention(self, call: AttentionCall) -> Tensor:
        for row in call.forward.rows(self._prompt)[:1]:
            own = slice(row, row + 1)
            self.kept[call.layer.name] = Kept(
                query=call.query[own].clone(), key=call.key[own].clone(), scale=call.scale
            )
        return call.attend()


@dataclass(frozen=True, kw_only=True)
class Edited:
    """What one target prompt's samples are to attend to.

    Args:
        alignments: of each part of the text's columns.
        new_words: characters' columns among the text's that keep to `place`.
        elsewhere: columns that are seen outside of `place` alone.
        place: [1, 1, h, w] in 0..1 at the latents' size: where the picture may become another one.
    """

    alignments: tuple[Alignment, ...]
    new_words: frozenset[int] = frozenset()
    elsewhere: frozenset[int] = frozenset()
    place: Tensor | None = None


@dataclass
class EditingTap(Tap):
    """Carries the source's attention into samples of the target prompts.

    Args:
        targets: what each target prompt's samples attend to.
        source: the source's pass at this level.
        cross: whether text columns are carried over at this step; weights of words hold at every step.
        selves: the layers whose self attention, or its image's part, is carried over at this step.
        looked_at: layers whose own text attention, before the edit, goes into `maps`.
    """

    targets: Mapping[Prompt, Edited]
    source: Source = field(default_factory=dict[str, Kept])
    cross: bool = True
    selves: frozenset[str] = frozenset()
    looked_at: frozenset[str] = frozenset()
    maps: dict[Prompt, list[Tensor]] = field(default_factory=dict[Prompt, list[Tensor]])

    def attention(self, call: AttentionCall) -> Tensor:
        rows = {i: edit for i, p in enumerate(call.forward.prompts) if (edit := self.targets.get(p))}
        if not rows:
            return call.attend()
        if call.layer.kind is AttentionKind.SELF:
            return self._self(call, rows)
        if call.layer.name in self.looked_at:
            self._look(call, rows)
        if call.layer.kind is AttentionKind.CROSS:
            output = call.attend()
            for row, edit in rows.items():
                if self._is_edited(edit):
                    text, _, _ = self._text(call, row, edit)
                    output = _with_row(output, row, text)
            return output
        output = call.attend()
        for row, edit in rows.items():
            if self._is_edited(edit) or call.layer.name in self.selves:
                output = _with_row(output, row, self._joint(call, row, edit))
        return output

    def _look(self, call: AttentionCall, rows: Mapping[int, Edited]) -> None:
        for row, edit in rows.items():
            columns = [call.text_start + column for part in edit.alignments for column in part.columns]
            seen = _one(call, row).probabilities([0], columns)[0].mean(0)
            self.maps.setdefault(call.forward.prompts[row], []).append(seen.reshape(*call.grid, -1))

    def _is_edited(self, edit: Edited) -> bool:
        weighted = any(bool((one.weights != 1).any()) for one in edit.alignments)
        return self.cross or weighted or edit.place is not None

    def _self(self, call: AttentionCall, rows: Mapping[int, Edited]) -> Tensor:
        kept = self.source.get(call.layer.name)
        if kept is None or call.layer.name not in self.selves:
            return call.attend()
        query, key = call.query.clone(), call.key.clone()
        for row in rows:
            query[row], key[row] = kept.query[0], kept.key[0]
        output = call.with_(query=query, key=key).attend()
        if all(edit.place is None for edit in rows.values()):
            return output
        own = call.attend()
        for row, edit in rows.items():
            if edit.place is not None:
                inside = at_grid(edit.place, call.grid)
                output = _with_row(output, row, torch.lerp(output[row], own[row], inside.to(output)))
        return output

    def _text(self, call: AttentionCall, row: int, edit: Edited) -> tuple[Tensor, Tensor, Tensor]:
        """Σ P'·v of the image's queries [H, Q, D]; Σ P'₁ and, of the target's own, Σ P: [H, Q, 1] each."""
        own = _one(call, row)
        kept = self.source.get(call.layer.name)
        found: Tensor | None = None
        mass = own_mass = torch.zeros((), device=call.query.device)
        for part in edit.alignments:
            columns = [call.text_start + column for column in part.columns]
            of_target = own.probabilities([0], columns)[0]
            plain = of_target
            if self.cross and kept is not None:
                of_source = call.with_(query=kept.query, key=kept.key).probabilities(
                    [0], [call.text_start + column for column in part.source_columns]
                )
                plain = part.carry(of_source[0], of_target)
            mass, own_mass = mass + plain.sum(-1, keepdim=True), own_mass + of_target.sum(-1, keepdim=True)
            placed = _placed(plain * part.weights.to(plain), part, edit, call.grid)
            values = call.value[row, :, columns].float()
            found = placed @ values if found is None else found + placed @ values
        assert found is not None, "every model has text columns"
        return found, mass, own_mass

    def _joint(self, call: AttentionCall, row: int, edit: Edited) -> Tensor:
        own = _one(call, row)
        text, mass, own_mass = self._text(call, row, edit)
        count = call.image_tokens
        values = own.value.clone()
        covered = [call.text_start + column for part in edit.alignments for column in part.columns]
        values[:, :, covered] = 0  # text that no encoder reads counts as the image
        kept = self.source.get(call.layer.name)
        image = own.with_(query=own.query[:, :, :count], value=values).attend()[0].float()
        image_mass = 1 - own_mass
        if kept is not None and call.layer.name in self.selves:
            carried = (
                own.with_(query=kept.query[:, :, :count], key=kept.key, value=values).attend()[0].float()
            )
            source_mass = 1 - self._source_mass(call, kept, edit)
            if edit.place is not None:
                inside = at_grid(edit.place, call.grid).to(image)
                carried = torch.lerp(carried, image, inside)
                source_mass = torch.lerp(source_mass, image_mass, inside)
            image, image_mass = carried, source_mass
        scale = ((1 - mass) / image_mass.clamp(min=1e-6)).clamp(min=0)
        whole = own.with_(query=own.query[:, :, count:]).attend()[0]
        return torch.cat([(scale * image + text).to(whole), whole], dim=1)

    def _source_mass(self, call: AttentionCall, kept: Kept, edit: Edited) -> Tensor:
        """What of the source's attention goes to text: [H, Q, 1]."""
        columns = [call.text_start + column for part in edit.alignments for column in part.source_columns]
        found = call.with_(query=kept.query, key=kept.key).probabilities([0], columns)
        return found[0].sum(-1, keepdim=True)


def text_maps(kept: Kept, layer: Layer, size: tuple[int, int], columns: Sequence[int]) -> Tensor:
    """Mean over heads of a kept layer's attention to some text columns: [rows, columns of the grid, T]."""
    rows, across = layer.grid(*size)
    count = rows * across
    start = count if layer.kind is AttentionKind.JOINT else 0
    found = softmax_columns(kept.query[:, :, :count], kept.key, [start + one for one in columns], kept.scale)
    return found[0].mean(0).reshape(rows, across, -1)


def at_grid(place: Tensor, grid: tuple[int, int]) -> Tensor:
    """A place [1, 1, h, w] for the queries of a grid: [Q, 1], the greatest of what each covers."""
    return torch.nn.functional.adaptive_max_pool2d(place, grid).reshape(-1, 1)


def _placed(probabilities: Tensor, part: Alignment, edit: Edited, grid: tuple[int, int]) -> Tensor:
    """New words are seen in their place alone, those of other places outside of it."""
    if edit.place is None:
        return probabilities
    inside = at_grid(edit.place, grid).to(probabilities)
    factors = torch.ones(len(inside), len(part.taken)).to(probabilities)
    for index, column in enumerate(part.columns):
        if column in edit.new_words:
            factors[:, index] = inside[:, 0]
        elif column in edit.elsewhere:
            factors[:, index] = 1 - inside[:, 0]
    return probabilities * factors


def _one(call: AttentionCall, row: int) -> AttentionCall:
    return call.with_(
        query=call.query[row : row + 1], key=call.key[row : row + 1], value=call.value[row : row + 1]
    )


def _with_row(output: Tensor, row: int, value: Tensor) -> Tensor:
    """`output` [N, …] with another sample `row`, not changed in place."""
    return torch.cat([output[:row], value[None].to(output), output[row + 1 :]])
