"""A picture edited by words: the operations "insert" and "insert-sweep".

The picture is inverted with the words of what it shows (`inference.methods.inversion`), and sampled again
with the words of what it is to show, while the attention of its own pass is carried over
(`inference.methods.prompt_to_prompt`). What the two prompts say otherwise decides where the change may be;
outside of it the latents are the picture's. `LOOPS` is the table of ways to do it.

What is drawn anew in a place starts from new noise there: the inverted one still knows what was there before.
What takes the place of something removed starts from what surrounds it, under some of that noise, and reads
what the prompt says beside its subjects: else it would become one more of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inference.backbones.base import Backbone
from inference.inputs import Inputs
from inference.messages import Message
from inference.methods.attribute_control import BATCH_PIXELS_CPU, BATCH_PIXELS_GPU
from inference.methods.edit import confined, notes_of, unedited, with_details
from inference.methods.fill.surroundings import carried_on
from inference.methods.generate import Run, decoded, maps, prepare, say_unread, span_heat, what_is_said
from inference.methods.inversion.editing import Editing, Step, carried_out, plain_step
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.paths import step_noise
from inference.methods.inversion.ways import WAYS, first_step, inverted
from inference.methods.only_subject import of_others
from inference.methods.prompt_to_prompt.alignment import Alignment, Wording, alignments
from inference.methods.prompt_to_prompt.attention import Edited
from inference.methods.prompt_to_prompt.blending import BEGINS_AT, Blend
from inference.methods.prompt_to_prompt.coarse_noise import with_coarse_of
from inference.methods.prompt_to_prompt.contrast import contrast, noised_prediction
from inference.methods.prompt_to_prompt.control import Control, Shares, unlike
from inference.methods.prompt_to_prompt.places import (
    around_subject,
    nearest,
    shape_of,
    soft,
    whole_cells,
    widened,
    words_at,
)
from inference.methods.prompt_to_prompt.presets import changed_words
from inference.methods.redraw import at_latents, encoded
from inference.operations import CONTRAST, Insert, InsertSweep
from inference.progress import Progress
from inference.prompts.differences import one_at_a_time
from inference.prompts.prompt import Prompt
from inference.prompts.subjects import subjects_beside, suggest, surroundings
from inference.request import Output, Pixels

Span = tuple[int, int]
_HARDLY_SEEN = 2.0  # of 255, on average over where something may change
_CARRIED_ON_FROM = 0.35  # of the steps: where surroundings that were carried on into a place are drawn from


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One way to edit.

    Args:
        way: how the picture is inverted, a name of `inference.methods.inversion.ways`.
        step: its step; by default the way's own. One of its own needs no offsets of the path.
        drifts: whether the source is sampled beside the target, instead of kept on its path.
    """

    way: str
    step: Callable[[Editing], Step] | None = None
    drifts: bool = False


LOOPS: dict[str, Loop] = {
    "h-edit": Loop(way="direct"),
    "direct": Loop(way="direct", step=plain_step),
    "ddim": Loop(way="direct", step=plain_step, drifts=True),
    "null-text": Loop(way="null-text"),
    "negative-prompt": Loop(way="negative-prompt"),
    "edit-friendly": Loop(way="edit-friendly"),
    "flow-align": Loop(way="flow-align"),
    "flow-edit": Loop(way="flow-edit"),
}


def insert(backbone: Backbone, parameters: Insert, inputs: Inputs, progress: Progress) -> Output:
    """The picture as the prompt says; at strength 0 the picture, untouched."""
    return _edited(backbone, parameters, inputs, progress, [parameters.strength])


def sweep(backbone: Backbone, parameters: InsertSweep, inputs: Inputs, progress: Progress) -> Output:
    """The pictures of several strengths; at 0 the picture, untouched."""
    return _edited(backbone, parameters, inputs, progress, parameters.positions)


def _edited(
    backbone: Backbone, parameters: Insert, inputs: Inputs, progress: Progress, strengths: Sequence[float]
) -> Output:
    picture = inputs.pixels(parameters.image)
    if not any(strengths):
        progress.step(1, 1)
        return Output(images=(picture,) * len(strengths))
    loop = LOOPS[parameters.loop or ""]
    # the run is the source's: its inversion is that of every operation on the same picture and words
    run = prepare(backbone, replace(parameters, prompt=parameters.source_prompt), inputs, progress)
    with progress.phase("encode"):
        target = backbone.encode_prompt(parameters.prompt, inputs.learnt, weighted=parameters.weighted)
        beside = backbone.encode_prompt(surroundings(target.text), inputs.learnt)
    say_unread(target, progress)
    source_prompt, target, beside, negative = backbone.of_one_length(run.prompt, target, beside, run.negative)
    run = replace(run, prompt=source_prompt, negative=negative)
    sofar = Sofar(run)
    latents = encoded(run, parameters.image.hash, picture)
    first = first_step(run, loop.way, parameters.delay or 0.0)
    corrected_from = first if loop.step is None else run.steps
    source = inverted(run, loop.way, parameters.image.hash, latents, sofar, first=corrected_from)
    work = _Work(
        run=run,
        parameters=parameters,
        loop=loop,
        source=source,
        target=target,
        beside=beside,
        first=first,
        sofar=sofar,
    )
    seen: dict[str, NDArray[np.float32]] = {}
    images: dict[int, Pixels] = {i: picture for i, strength in enumerate(strengths) if not strength}
    for number, indices in enumerate(_batches(run, strengths)):
        for index, made in zip(
            indices, work.carried_out([strengths[index] for index in indices], f"batch {number}"), strict=True
        ):
            images[index] = _with_details(work, picture, made)
            if made.mask is not None:
                seen["mask/change"] = np.maximum(seen.get("mask/change", np.float32(0)), _shown(made.mask))
    strongest = max(range(len(strengths)), key=lambda index: strengths[index])
    # of a weak edit it is to be expected that little is seen
    is_whole = strengths[strongest] >= 1
    where = seen.get("mask/change")
    change = notes_of_change(picture, images[strongest], where, drawn=parameters.is_drawn) if is_whole else ()
    return Output(
        images=tuple(images[index] for index in range(len(strengths))),
        maps={**maps(source.heat), **seen},
        notes=(*notes_of(source), *change),
        scores={"fit": source.fit},
    )


def notes_of_change(
    picture: Pixels, edited: Pixels, mask: NDArray[np.float32] | None, *, drawn: bool
) -> tuple[Message, ...]:
    """What has to be said of an edit that is hardly seen where it may be, a mask [h, w]; None: anywhere.

    `drawn` says whether another seed would give another edit.
    """
    inside = np.ones(picture.shape[:2], np.bool_)
    if mask is not None:
        inside = nearest(mask, picture.shape[:2]) > 0
    differences = np.abs(edited[..., :3].astype(np.int16) - picture[..., :3])[inside]
    if differences.size and differences.mean() >= _HARDLY_SEEN:
        return ()
    if drawn:
        return (
            Message("Next to nothing has changed. Try another seed, other words, or another place for it."),
        )
    return (Message("Next to nothing has changed. Try other words, or select the place for it."),)


@dataclass(frozen=True, kw_only=True)
class _Made:
    """One edited picture.

    Args:
        mask: bool [1, 1, h, w], where its latents may differ from the picture's; None: anywhere.
        looks: maps [h, w] of where the words of the change are seen in it.
    """

    pixels: Pixels
    mask: Tensor | None
    looks: Tensor | None


def _with_details(work: "_Work", picture: Pixels, made: _Made) -> Pixels:
    """The edit with what the autoencoder lost of the picture.

    Outside of a change that keeps to a place it is the picture: a decoder lets the colours there run a little
    with those inside, and latents are coarse beside what is in them.
    """
    edited = made.pixels
    if not work.parameters.details:
        return edited
    plain = unedited(work.run, work.source)
    if made.mask is not None:
        share = soft(_shown(made.mask), edited.shape[:2])
        if work.parameters.outline:
            share = share * work.share_within(picture, made)
        edited = confined(edited, plain, share)
    return with_details(picture[..., :3], edited, plain)


def _shown(mask: Tensor) -> NDArray[np.float32]:
    return np.asarray(mask[0, 0].float().cpu().numpy(), np.float32)


def _batches(run: Run, strengths: Sequence[float]) -> list[list[int]]:
    """Which strengths that change something go together."""
    moved = [index for index, strength in enumerate(strengths) if strength]
    limit = BATCH_PIXELS_CPU if run.backbone.device.type == "cpu" else BATCH_PIXELS_GPU
    # two to four samples for each
    count = max(1, limit // (2 * (run.parameters.width or 1) * (run.parameters.height or 1)))
    return [moved[start : start + count] for start in range(0, len(moved), count)]


@dataclass(frozen=True, kw_only=True)
class _Work:
    """`target` is the whole prompt, `beside` what it says beside its subjects."""

    run: Run
    parameters: Insert
    loop: Loop
    source: Inverted
    target: Prompt
    beside: Prompt
    first: int
    sofar: Sofar

    def carried_out(self, strengths: Sequence[float], name: str) -> list[_Made]:
        """One batch: the picture at several strengths."""
        run, source, place = self.run, self.source, self._place()
        first, fills = self.first, place is not None and self._fills_up
        if fills:
            first = max(first, round(_CARRIED_ON_FROM * run.steps))
        prompts = [unlike(self.beside if fills else self.target) for _ in strengths]
        aligned = self._alignments(prompts[0])
        edit = Edited(
            alignments=aligned,
            new_words=frozenset() if fills else self._columns(aligned, self._changed()[1]),
            elsewhere=frozenset() if fills else self._elsewhere(aligned),
            place=place,
        )
        spot = self._spot(place)
        blend = self._blend(prompts, aligned, place if spot is None else spot, first)
        control = Control(
            run,
            source,
            dict.fromkeys(prompts, edit),
            strengths=dict(zip(prompts, strengths, strict=True)),
            shares=self._shares(),
            blend=blend,
            anchor=None if self.loop.drifts else self._anchor,
            kept_as=self._kept_as(),
            first=first,
            sofar=self.sofar,
            name=name,
        )
        editing = Editing(run=run, inverted=source, prompts=prompts, predict=control.predict)
        step = control.step((self.loop.step or WAYS[source.way].step)(editing))
        begun = self._begun(place, spot, strengths, first)
        with run.progress.phase("sample"):
            latents = carried_out(editing, step, first, sofar=self.sofar, name=name, begun=begun)
        return [
            _Made(
                pixels=pixels,
                mask=blend.mask(prompt, run.steps) if blend is not None else None,
                looks=blend.seen(prompt) if blend is not None else None,
            )
            for prompt, pixels in zip(prompts, decoded(run, latents), strict=True)
        ]

    def share_within(self, picture: Pixels, made: _Made) -> NDArray[np.float32]:
        """How much of a changed place belongs to what changes, [H, W]: along the edges of both pictures.

        What is said otherwise may have another outline afterwards: both count.
        """
        whole = np.ones(picture.shape[:2], np.float32)
        cells = next((len(seen) for seen in self.source.heat.values()), 0)
        if not cells:
            return whole
        if made.looks is None:
            kept = self._kept_shape
            return whole if kept is None else widened(1 - kept, cells)
        after = shape_of(np.asarray(made.looks.float().cpu().numpy(), np.float32), made.pixels)
        before = self._changed_shape
        return widened(after if before is None else np.maximum(before, after), cells)

    # of the picture, and so of all strengths

    @cached_property
    def _changed_shape(self) -> NDArray[np.float32] | None:
        """Where what is said otherwise is before it changes, [H, W]; None if nothing is known."""
        return self._shape(self._shown_by()[0])

    @cached_property
    def _kept_shape(self) -> NDArray[np.float32] | None:
        """Where subjects stay while what surrounds them changes, [H, W]; None if nothing is known."""
        return self._shape(self._kept_subjects())

    def _shape(self, spans: Sequence[Span]) -> NDArray[np.float32] | None:
        picture = self.run.inputs.pixels(self.parameters.image)
        seen = (span_heat(self.source.heat, span) for span in spans)
        known = [shape_of(one, picture) for one in seen if one is not None]
        return np.maximum.reduce(known) if known else None

    def _shares(self) -> Shares | None:
        parameters = self.parameters
        if not parameters.attention:
            return None
        return Shares(cross=parameters.cross_share or 0.0, self=parameters.self_share or 0.0)

    def _changed(self) -> tuple[list[Span], list[Span]]:
        """Characters of the words that change, of the source and of the target, as corrected."""
        names = [learnt.word for learnt in self.run.inputs.learnt]
        return changed_words(self.source.prompt.text, self.target.text, self.parameters, names)

    def _shown_by(self) -> tuple[list[Span], list[Span]]:
        """Characters of the words whose maps show where the change is, of the source and of the target.

        For an adjective those of its noun: what it attends to itself is anywhere.
        """
        ours, theirs = self._changed()
        return _nouns(self.source.prompt.text, ours), _nouns(self.target.text, theirs)

    def _alignments(self, said: Prompt) -> tuple[Alignment, ...]:
        parameters = self.parameters
        words = parameters.words if said.text == self.target.text else ()
        wording = Wording(
            weights={(word.start, word.end): word.weight for word in words if word.weight != 1},
            changed=[(word.start, word.end) for word in words if word.changes],
            replace=parameters.alignment == "replace",
        )
        parts = self.run.backbone.text_parts
        found = alignments(self.source.prompt, said, parts, wording)
        return tuple(one.to(self.run.backbone.device) for one in found)

    def _columns(self, aligned: Sequence[Alignment], spans: Sequence[Span]) -> frozenset[int]:
        """Text columns of the target's words at these characters."""
        found: set[int] = set()
        for part, alignment in zip(self._parts(), aligned, strict=True):
            offsets = self.target.offsets[part]
            found |= {alignment.columns[i] for i in _touching(offsets, spans)}
        return frozenset(found)

    def _parts(self) -> list[str]:
        """For each part of the text the encoder whose tokens its columns are."""
        parts = self.run.backbone.text_parts.values()
        names = (next((n for n in part.encoders if n in self.target.offsets), None) for part in parts)
        return [name for name in names if name is not None]

    def _elsewhere(self, aligned: Sequence[Alignment]) -> frozenset[int]:
        """Columns of subjects that stay: they are not to come a second time in a place that is drawn anew."""
        if not self.parameters.anew:
            return frozenset()
        prompt, new = self.target.text, self._changed()[1]
        stay = [
            span
            for one in subjects_beside(prompt)
            for span in ((one.start, one.end), *one.modifiers)
            if not any(span[0] < end and start < span[1] for start, end in new)
        ]
        return self._columns(aligned, stay)

    def _place(self) -> Tensor | None:
        """Where something may change, [1, 1, h, w] in 0..1: what was drawn, or where removed words are.

        Where only the surroundings are said to be others, the subjects are kept.
        """
        parameters, latents = self.parameters, self.source.reconstruction
        if parameters.mask is not None:
            return at_latents(self.run.inputs.pixels(parameters.mask), latents)
        if parameters.kind == "remove":
            return words_at(self.source.heat, self._shown_by()[0], latents)
        if parameters.outline:
            shape = self._kept_shape
            return None if shape is None else 1 - whole_cells(shape, latents)
        kept = [around_subject(self.source.heat, span, latents) for span in self._kept_subjects()]
        known = [seen for seen in kept if seen is not None]
        return 1 - torch.stack(known).amax(0) if known else None

    @property
    def _is_by_words(self) -> bool:
        """Whether a change that keeps to its words is where their attention is."""
        return bool(self.parameters.local) and self.parameters.found_by != CONTRAST

    def _spot(self, place: Tensor | None) -> Tensor | None:
        """Where the prompts differ, [1, 1, h, w] of 0 and 1, and in the place; None: this is not asked."""
        parameters, source, cache = self.parameters, self.source, self.run.inputs.cache
        if not parameters.local or self._is_by_words:
            return None
        key = ("contrast", *self.run.backbone.made_by, *self._kept_as())
        whole = (*key, *what_is_said(self.run, parameters.prompt, self.target.length))
        found = cast("Tensor | None", cache.get(whole))
        if found is None:
            ours = cast("Tensor | None", cache.get(key))
            if ours is None:
                ours = noised_prediction(self.run, source.prompt, source.reconstruction)
                cache.put(key, ours, ours.numel() * ours.element_size())
            found = contrast(self.run, ours, self._each_change(), source.reconstruction)
            cache.put(whole, found, found.numel() * found.element_size())
        spot = (found > parameters.threshold)[None, None]
        if place is not None:
            return (spot & (place > 0).to(spot.device)).float()
        others = self._others(self._shown_by()[0])
        left = spot if others is None else spot & ~others.to(spot.device)
        return (left if bool(left.any()) else spot).float()  # a change of nothing is none

    def _each_change(self) -> list[Prompt]:
        """The source prompt with each change alone; the target, if there is but one."""
        run, source = self.run, self.source.prompt
        names = [learnt.word for learnt in run.inputs.learnt]
        texts = one_at_a_time(source.text, self.target.text, names)
        if len(texts) < 2:
            return [self.target]
        each = [run.backbone.encode_prompt(text, run.inputs.learnt) for text in texts]
        return list(run.backbone.of_one_length(source, *each)[1:])

    def _others(self, changed: Sequence[Span]) -> Tensor | None:
        """Where subjects are that stay, bool [1, 1, h, w]: a new word may fit one of them as well.

        `changed` are the words that show what does not.
        """
        stay = [(one.start, one.end) for one in subjects_beside(self.source.prompt.text, changed)]
        rows, columns = cast("tuple[int, int]", tuple(self.source.path.shape[-2:]))
        return of_others(self.source.heat, changed, stay, (rows, columns))

    def _kept_subjects(self) -> list[Span]:
        """Characters of the source's subjects, if the change is one of their surroundings alone."""
        parameters = self.parameters
        if parameters.kind != "style" or parameters.local:
            return []
        ours, theirs = self._changed()
        source = self.source.prompt.text  # marks of weights are no words
        if not (_are_settings(source, ours) and _are_settings(self.target.text, theirs)):
            return []
        return [(one.start, one.end) for one in subjects_beside(source)]

    def _blend(
        self, prompts: Sequence[Prompt], aligned: Sequence[Alignment], place: Tensor | None, first: int
    ) -> Blend | None:
        parameters, run = self.parameters, self.run
        if not self._is_by_words and place is None:
            return None
        ours, theirs = self._shown_by()
        if prompts[0].text != self.target.text:
            theirs = []
        source: list[int] = []
        target: list[int] = []
        before_source = before_target = 0
        for part, alignment in zip(self._parts(), aligned, strict=True):
            source += [before_source + i for i in _touching(self.source.prompt.offsets[part], ours)]
            target += [before_target + i for i in _touching(self.target.offsets[part], theirs)]
            before_source += len(alignment.carried)
            before_target += len(alignment.taken)
        rows, columns = cast("tuple[int, int]", tuple(self.source.path.shape[-2:]))
        return Blend(
            size=(rows, columns),
            first=first + round(BEGINS_AT * (run.steps - first)),
            threshold=parameters.threshold,
            source=source,
            targets=dict.fromkeys(prompts, target),
            place=place,
            by_words=self._is_by_words and bool(source or target),
            kept=None if parameters.mask is not None else self._others(ours),
        )

    def _anchor(self, index: int) -> Tensor:
        """The source's latents before a step: on its path, or noised where there is no path."""
        level, source = self.run.levels[index], self.source
        if len(source.path) > 1:
            return source.at(index)
        noise = step_noise(self.parameters.seed, index, source.reconstruction)
        return level.alpha * source.reconstruction + level.sigma * noise

    def _kept_as(self) -> tuple[object, ...]:
        """What the source's latents depend on."""
        parameters, way = self.parameters, self.source.way
        drawn = parameters.seed if len(self.source.path) == 1 or "seed" in WAYS[way].reads else None
        free = what_is_said(self.run, parameters.negative_prompt)
        guided = (free, parameters.guidance_scale) if way == "null-text" else None
        shape = tuple(self.source.path.shape[-2:])
        said = what_is_said(self.run, parameters.source_prompt, self.source.prompt.length)
        of_run = (shape, self.run.steps, parameters.sampler)
        return (way, parameters.image.hash, said, *of_run, drawn, guided)

    @property
    def _fills_up(self) -> bool:
        """Whether something is removed, and its place drawn from what surrounds it."""
        parameters = self.parameters
        return parameters.kind == "remove" and bool(parameters.anew) and len(self.source.path) > 1

    def _begun(
        self, place: Tensor | None, spot: Tensor | None, strengths: Sequence[float], first: int
    ) -> Tensor:
        """The latents that the edit starts from; new noise in a place that is drawn anew."""
        latents = self.source.at(first).repeat(len(strengths), 1, 1, 1)
        if len(self.source.path) == 1:  # of pictures, not of noisy ones
            return latents
        level = self.run.levels[first]
        if self.parameters.coarse_anew and spot is not None:
            fresh = level.sigma * step_noise(self.parameters.seed, self.run.steps, latents)
            shares = torch.tensor([min(1.0, strength) for strength in strengths])
            return with_coarse_of(latents, fresh, spot, shares)
        if not self.parameters.anew or place is None:
            return latents
        fresh = level.sigma * step_noise(self.parameters.seed, self.run.steps, latents)
        if self._fills_up:
            fresh = fresh + level.alpha * self._surroundings(place).to(fresh)
        return torch.where(place > 0, fresh.expand_as(latents), latents)

    def _surroundings(self, place: Tensor) -> Tensor:
        """Latents [1, C, h, w] of the picture with what surrounds a place carried on into it."""
        filled = without(self.run.inputs.pixels(self.parameters.image), place)
        return self.run.backbone.encode_image(filled)


def without(picture: Pixels, place: Tensor) -> Pixels:
    """RGB with what surrounds a place [1, 1, h, w] carried on into it; with no surroundings all is black."""
    planes = torch.tensor(np.ascontiguousarray(picture[..., :3]), dtype=torch.float32).permute(2, 0, 1)[None]
    inside = functional.interpolate((place > 0).float().cpu(), size=picture.shape[:2], mode="nearest")
    filled = carried_on(planes, 1 - inside)[0].round().to(torch.uint8).permute(1, 2, 0)
    return cast("Pixels", np.ascontiguousarray(filled.numpy()))


def _nouns(text: str, spans: Sequence[Span]) -> list[Span]:
    found: set[Span] = set()
    suggestions = suggest(text)
    for start, end in spans:
        described = {
            (one.start, one.end)
            for one in suggestions
            if any(first < end and start < last for first, last in one.modifiers)
        }
        found |= described or {(start, end)}
    return sorted(found)


def _are_settings(text: str, spans: Sequence[Span]) -> bool:
    """Whether words at these characters say where something is, and not what; no words say nothing else."""
    touched = [
        one
        for one in suggest(text)
        for first, last in ((one.start, one.end), *one.modifiers)
        if any(first < end and start < last for start, end in spans)
    ]
    return not spans or (bool(touched) and all(one.is_setting for one in touched))


def _touching(offsets: Sequence[Span], spans: Sequence[Span]) -> list[int]:
    return [i for i, (a, b) in enumerate(offsets) if any(a < end and start < b for start, end in spans)]
