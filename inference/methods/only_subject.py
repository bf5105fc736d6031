"""Edits that change their own subject and nothing else.

Ways, in order of cost; `attune evaluate leakage` measures each alone and together:

* *latents*: after each step, outside of the subject's mask, the latents are those of the unedited picture.
  Its trajectory is there already. What the other subject does is then decided by the mask alone. Without the
  next way several edited subjects have a prompt each, and each prediction counts where its subject is.
* *text*: shifted words are read inside of their subject's mask alone (`inference.methods.text_regions`); one
  pass for any number of subjects. On pictures that the model has not drawn each subject is bound to its own
  words as well, or the model may take one person for the other where that fits the edit better.
* *orthogonal*: the direction is made orthogonal to the tokens of the other subjects.

The mask comes from the unedited picture's attention: where the subject is seen clearly, and more clearly than
each other subject of the prompt.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inference.backbones.base import Backbone
from inference.deltas import Delta
from inference.guidance import Predict
from inference.methods.generate import Heat, span_heat
from inference.operations import SubjectEdit
from inference.prompts.prompt import Prompt
from inference.prompts.subjects import subjects_beside
from inference.schedule import Level, Prediction

Span: TypeAlias = tuple[int, int]
Masks: TypeAlias = Mapping[Span, Tensor]
"""[1, 1, h, w] in 0..1 for each edited subject, at the latents' size."""

# Attention of 0..1 below the first belongs to something else, above the second to the subject.
SEEN_FROM, SEEN_SURELY = 0.05, 0.2
# How much more clearly than any other subject it has to be seen, for half and for all of the mask.
CLEARER_BY = 0.1


def subject_masks(heat: Heat, prompt: Prompt, edits: Sequence[SubjectEdit], size: tuple[int, int]) -> Masks:
    """Where each edited subject is, from the attention of the unedited picture.

    Args:
        heat: attention of each word.
        size: rows and columns of the latents.
    """
    spans = sorted({(edit.start, edit.end) for edit in edits if edit.value})
    named = {(one.start, one.end) for one in subjects_beside(prompt.text)}
    seen = {span: _seen(heat, span, size) for span in {*spans, *named}}
    masks: dict[Span, Tensor] = {}
    for span in spans:
        own = seen[span]
        if own is None:  # nothing is known of where it is, so nothing is kept
            masks[span] = torch.ones(1, 1, *size)
            continue
        mask = _ramp(own, SEEN_FROM, SEEN_SURELY)
        for other, of_other in seen.items():
            if of_other is not None and not _overlap(span, other):
                mask = mask * _ramp(own - of_other, -CLEARER_BY, CLEARER_BY)
        masks[span] = mask
    return masks


def of_others(
    heat: Heat, spans: Sequence[Span], others: Sequence[Span], size: tuple[int, int]
) -> Tensor | None:
    """Where one of `others` is surely seen, and more clearly than any of `spans`: bool [1, 1, h, w].

    None if nothing is known of `spans`, or of all the others.
    """
    own = [seen for span in spans if (seen := _seen(heat, span, size)) is not None]
    known = [seen for span in others if (seen := _seen(heat, span, size)) is not None]
    if not own or not known:
        return None
    ours, theirs = torch.stack(own).amax(0), torch.stack(known).amax(0)
    surely = (theirs > SEEN_SURELY) & (theirs - ours > CLEARER_BY)
    # its outline is where attention fades: what is beside it and rather its than theirs is its as well
    around = max(2, round(size[0] / next(iter(heat.values())).shape[0]))  # latents
    beside = functional.max_pool2d(surely.float(), 2 * around + 1, stride=1, padding=around) > 0
    return surely | (beside & (theirs > ours))


def every_subject(heat: Heat, prompt: Prompt, size: tuple[int, int]) -> Masks:
    """Where each subject of the prompt is that the attention of the unedited picture shows."""
    named = subjects_beside(prompt.text)
    asked = [SubjectEdit(start=one.start, end=one.end, attribute="", value=1.0) for one in named]
    found = subject_masks(heat, prompt, asked, size)
    return {span: mask for span, mask in found.items() if span_heat(heat, span) is not None}


def mask_maps(masks: Masks) -> dict[str, NDArray[np.float32]]:
    """{"mask/START-END": [h, w] in 0..1}, for whoever blends the picture."""
    return {
        f"mask/{start}-{end}": np.asarray(mask[0, 0].cpu().numpy(), np.float32)
        for (start, end), mask in masks.items()
    }


def together(masks: Masks) -> Tensor:
    """Where any of the subjects is."""
    return torch.stack(list(masks.values())).amax(0)


def merged(unedited: Tensor, edited: Tensor, mask: Tensor) -> Tensor:
    """The edited latents inside of the mask, the unedited ones outside."""
    return torch.lerp(unedited.expand_as(edited), edited, mask.to(edited))


@dataclass(frozen=True, kw_only=True)
class Regional:
    """A pass of the network in which a prompt may stand for several, each in its own region.

    Args:
        regions: for such a prompt, others with the mask [1, 1, h, w] of where each counts.
    """

    backbone: Backbone
    regions: Mapping[Prompt, Sequence[tuple[Prompt, Tensor]]]

    def predict(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
        """As `Backbone.predict`; costs as many evaluations as there are regions."""
        rows: list[int] = []
        asked: list[Prompt] = []
        for row, prompt in enumerate(prompts):
            parts = [part for part, _ in self.regions.get(prompt, ())] or [prompt]
            rows += [row] * len(parts)
            asked += parts
        found = self.backbone.predict(latents[rows], level, asked)
        return Prediction(*(self._gathered(value, prompts) for value in found))

    def _gathered(self, values: Tensor, prompts: Sequence[Prompt]) -> Tensor:
        gathered: list[Tensor] = []
        first = 0
        for prompt in prompts:
            masks = [mask for _, mask in self.regions.get(prompt, ())]
            own = values[first : first + max(1, len(masks))]
            first += len(own)
            gathered.append(own if not masks else (own * _shares(masks).to(own)).sum(0, keepdim=True))
        return torch.cat(gathered)


def regional(
    backbone: Backbone, pictures: Sequence[tuple[Prompt, Mapping[Span, Prompt]]], masks: Masks
) -> Predict:
    """`backbone.predict`, or one in which prompts of several subjects are told apart.

    Args:
        pictures: for each picture its prompt with all edits, and one for each subject with its own alone.
    """
    regions = {
        whole: [(prompt, masks[span]) for span, prompt in parts.items()]
        for whole, parts in pictures
        if len(parts) > 1
    }
    return Regional(backbone=backbone, regions=regions).predict if regions else backbone.predict


def by_subject(
    edits: Sequence[SubjectEdit],
    deltas: Sequence[Delta],
    shift: Callable[[Sequence[SubjectEdit], Sequence[Delta]], Prompt],
) -> dict[Span, Prompt]:
    """For each subject that is edited the prompt with its edits alone."""
    spans = dict.fromkeys((edit.start, edit.end) for edit in edits if edit.value)
    found: dict[Span, Prompt] = {}
    for span in spans:
        own = [pair for pair in zip(edits, deltas, strict=True) if (pair[0].start, pair[0].end) == span]
        found[span] = shift([edit for edit, _ in own], [delta for _, delta in own])
    return found


def orthogonal(delta: Delta, prompt: Prompt, span: Span) -> Delta:
    """The delta without what it has in common with the tokens of the prompt's other subjects.

    Per encoder: Δe minus its projection on the span of those tokens' embeddings.
    """
    others = [(one.start, one.end) for one in subjects_beside(prompt.text, [span])]
    vectors: dict[str, NDArray[np.float32]] = dict(delta.vectors)
    for other in others:
        for encoder, tokens in prompt.tokens(*other).items():
            if encoder in vectors and tokens:
                rows = prompt.embeddings[encoder][0, list(tokens)].float().cpu()
                basis = np.linalg.qr(rows.numpy().T)[0]
                vector = vectors[encoder]
                vectors[encoder] = (vector - basis @ (basis.T @ vector)).astype(np.float32)
    return replace(delta, vectors=vectors)


def _shares(masks: Sequence[Tensor]) -> Tensor:
    """[K, 1, h, w] that add up to 1 everywhere; where no mask is, all count alike."""
    stacked = torch.cat(list(masks)) + 1e-3
    return stacked / stacked.sum(0, keepdim=True)


def _seen(heat: Heat, span: Span, size: tuple[int, int]) -> Tensor | None:
    """The attention of a subject, 0..1, at the latents' size: [1, 1, h, w]."""
    found = span_heat(heat, span)
    if found is None:
        return None
    values = functional.interpolate(
        torch.tensor(found)[None, None], size, mode="bicubic", align_corners=False
    )
    low, high = values.amin(), values.amax()
    return (values - low) / (high - low).clamp(min=1e-6)


def _ramp(values: Tensor, low: float, high: float) -> Tensor:
    share = ((values - low) / (high - low)).clamp(0, 1)
    return share * share * (3 - 2 * share)


def _overlap(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]
