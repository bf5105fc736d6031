"""Attributes of the subjects of a picture from elsewhere: the operations "edit" and "edit-sweep".

The picture is inverted (`inference.methods.inversion`), which is kept, so that another position, attribute or
subject inverts nothing. From the delay on the steps are run again with the prompt shifted as on generated
pictures; with `only_subject` everything outside of the edited subjects stays on the inverted latents.

With `standing` an edit begins where the picture is on its slider (`inference.methods.inversion.standing`).

What the autoencoder loses comes back at the end, wherever the edit changed nothing:

    result = edited + (1 - change)·(picture - decoded(unedited))

so that without an edit the result is the picture itself, and a slider leaves it without a jump.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inference.backbones.base import Backbone
from inference.details import changes
from inference.guidance import Predict
from inference.inputs import Inputs
from inference.messages import Message, short
from inference.methods.attribute_control import (
    Edits,
    Unedited,
    batches,
    moves,
    only_subjects,
    shifted,
    swept,
)
from inference.methods.generate import Run, decoded, maps, prepare
from inference.methods.inversion.editing import Editing, Merge, carried_out
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.looking import LEAST_FIT
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.standing import has_two_ends, places, reached, stand, told
from inference.methods.inversion.ways import WAYS, first_step, inverted
from inference.methods.only_subject import Masks, Span, every_subject, mask_maps, merged, subject_masks
from inference.methods.redraw import encoded
from inference.methods.still_found import still_found
from inference.methods.text_regions import TextRegions, reads_text
from inference.operations import BY_LATENTS, Edit, EditSweep
from inference.progress import Progress
from inference.prompts.prompt import Prompt
from inference.request import Output, Pixels
from inference.schedule import Level, Prediction

_NOTHING = 1e-9  # an edit that leads to the prompt's own words is one still, with a place of its own
_LEAST_SHARE = 0.1  # of a latent that changes: less of it cannot be seen
_AROUND_LATENTS = 3  # one further than a layer's mask reaches, so that this has its edge inside


def edit(backbone: Backbone, parameters: Edit, inputs: Inputs, progress: Progress) -> Output:
    """The picture with the attributes of its subjects shifted; with none shifted the picture, untouched."""
    return _edited(backbone, parameters, inputs, progress, [parameters.edits])


def sweep(backbone: Backbone, parameters: EditSweep, inputs: Inputs, progress: Progress) -> Output:
    """The pictures of one slider's positions; at a position without any edit the picture, untouched.

    Raises:
        EditorError: `index` names no edit.
    """
    return _edited(backbone, parameters, inputs, progress, swept(parameters))


def _edited(
    backbone: Backbone, parameters: Edit, inputs: Inputs, progress: Progress, edited: Sequence[Edits]
) -> Output:
    picture = inputs.pixels(parameters.image)
    if not any(moves(edits) for edits in edited):
        progress.step(1, 1)
        return Output(images=(picture,) * len(edited))
    run = prepare(backbone, parameters, inputs, progress)
    sofar = Sofar(run)
    latents = encoded(run, parameters.image.hash, picture)
    images: dict[int, Pixels] = {}
    masks: Masks = {}
    work = _Work(run=run, parameters=parameters, latents=latents, picture=picture, sofar=sofar)
    for number, indices in enumerate(_alike(batches(run, edited), edited)):
        if not moves(edited[indices[0]]):
            images[indices[0]] = picture
            continue
        pictures, of_these = work.carried_out([edited[index] for index in indices], f"batch {number}")
        images.update(zip(indices, pictures, strict=True))
        masks = {**masks, **of_these}
    source = work.seen
    spans = [(one.start, one.end) for one in parameters.edits]
    pictures = tuple(images[index] for index in range(len(edited)))
    seen: dict[str, float] = {}
    if len(pictures) > 1:  # positions of a slider
        seen = still_found(backbone, run.prompt.text, inputs, parameters.edits, pictures)
    return Output(
        images=pictures,
        maps={**maps(source.heat, spans), **mask_maps(masks)},
        notes=notes_of(source),
        scores={"fit": source.fit, **seen},
    )


def _alike(found: Iterable[list[int]], edited: Sequence[Edits]) -> Iterator[list[int]]:
    """Batches in which the same sliders are moved: what a picture becomes does not depend on its batch."""
    for indices in found:
        groups: dict[tuple[int, ...], list[int]] = {}
        for index in indices:
            groups.setdefault(_moved(edited[index]), []).append(index)
        yield from groups.values()


def _moved(edits: Edits) -> tuple[int, ...]:
    return tuple(number for number, edit in enumerate(edits) if edit.value)


@dataclass(kw_only=True)
class _Work:
    run: Run
    parameters: Edit
    latents: Tensor
    picture: Pixels
    sofar: Sofar

    @property
    def seen(self) -> Inverted:
        """The picture inverted as far as no edit plays a part: its path, and what is seen in it."""
        run, way, name = self.run, self.parameters.inversion, self.parameters.image.hash
        return inverted(run, way, name, self.latents, self.sofar, first=run.steps)

    def carried_out(self, edited: Sequence[Edits], name: str) -> tuple[list[Pixels], Masks]:
        """One batch of pictures that move the same sliders, and where their subjects are."""
        run, parameters = self.run, self.parameters
        stands = self._stands(edited[0])
        begin = self._shifted_to(edited[0], stands)
        first = first_step(run, parameters.inversion, parameters.delay)
        source = inverted(
            run,
            parameters.inversion,
            parameters.image.hash,
            self.latents,
            self.sofar,
            first=first,
            bound=partial(self._pass, edits=edited[0], begin=begin),
            told=told(edited[0], stands, by_text=self._by_text),
        )
        way = WAYS[source.way]
        meant = [self._meant(edits, stands) for edits in edited]
        rows, columns = source.path.shape[-2:]
        deltas = run.inputs.deltas_of
        bound = _bound(source) if _binds(parameters) else dict[Span, Tensor]()
        unedited = Unedited(
            prompt=source.prompt, heat=source.heat, size=(rows, columns), bound=bound, source=begin
        )
        kept = only_subjects(run, parameters, meant, unedited)
        prompts, predict = kept.prompts, kept.predict
        merge: Merge | None = partial(merged, mask=kept.mask)
        if not parameters.only_subject:
            merge = None
            prompts = tuple(shifted(run.prompt, edits, deltas(edits)) for edits in meant)
            predict = run.backbone.predict
        offsets = source.offsets if begin is None and not bound else source.bound
        editing = Editing(
            run=run, inverted=source, prompts=prompts, predict=predict, offsets=offsets, source=begin
        )
        with run.progress.phase("sample"):
            latents = carried_out(editing, way.step(editing), first, merge=merge, sofar=self.sofar, name=name)
        near = near_subjects(kept.mask, self.picture.shape[:2]) if parameters.only_subject else None
        pictures = [self._with_details(pixels, source, near) for pixels in decoded(run, latents)]
        return pictures, kept.masks

    @property
    def _by_text(self) -> bool:
        """Whether shifted words are read inside of their subjects alone."""
        by_text = self.parameters.only_subject and self.parameters.kept_by != BY_LATENTS
        return by_text and reads_text(self.run.backbone)

    def _stands(self, edits: Edits) -> dict[int, float]:
        """Where the picture stands on each slider that is moved, by its number."""
        run, parameters = self.run, self.parameters
        if not parameters.standing or not WAYS[parameters.inversion].binds:
            return {}
        found: dict[int, float] = {}
        source = self.seen
        size = (source.path.shape[-2], source.path.shape[-1])
        for number, (edit, delta) in enumerate(zip(edits, run.inputs.deltas_of(edits), strict=True)):
            if not edit.value or not has_two_ends(delta):
                continue
            mask = subject_masks(source.heat, run.prompt, [edit], size)[edit.start, edit.end]
            ends = delta.info.range
            prompts = [shifted(run.prompt, [replace(edit, value=at)], [delta]) for at in places(ends)]
            name = f"{parameters.image.hash} {edit.start}-{edit.end} {edit.delta}"
            found[number] = stand(run, source, prompts, ends, mask, name)
        return found

    def _shifted_to(self, edits: Edits, stands: Mapping[int, float]) -> Prompt | None:
        """The picture's prompt shifted to where it stands; None where it does not."""
        if not stands:
            return None
        at = tuple(replace(edits[number], value=place) for number, place in stands.items())
        begin = shifted(self.run.prompt, at, self.run.inputs.deltas_of(at))
        return None if begin is self.run.prompt else begin

    def _meant(self, edits: Edits, stands: Mapping[int, float]) -> Edits:
        """The edits whose values are positions from where the picture stands."""
        deltas = self.run.inputs.deltas_of(edits)
        return tuple(
            replace(edit, value=reached(edit.value, stands[number], deltas[number].info.range) or _NOTHING)
            if number in stands
            else edit
            for number, edit in enumerate(edits)
        )

    def _pass(self, source: Inverted, edits: Edits, begin: Prompt | None) -> Predict | None:
        """The pass of the picture's own prompt as the edit will ask it; None for the network's own."""
        run = self.run
        bound = _bound(source) if _binds(self.parameters) else dict[Span, Tensor]()
        if not bound and begin is None:
            return None
        size = (source.path.shape[-2], source.path.shape[-1])
        predict: Predict = run.backbone.predict
        if self._by_text:
            regions = subject_masks(source.heat, run.prompt, edits, size)
            edited = [] if begin is None else [(begin, regions)]
            predict = TextRegions(
                backbone=run.backbone, plain=source.prompt, edited=edited, bound=bound
            ).predict

        def asked(latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Prediction:
            return predict(latents, level, [begin or prompt for prompt in prompts])

        return asked

    def _with_details(self, edited: Pixels, source: Inverted, near: NDArray[np.float32] | None) -> Pixels:
        if not self.parameters.details:
            return edited
        plain = unedited(self.run, source)
        if near is not None:
            edited = confined(edited, plain, near)
        return with_details(self.picture[..., :3], edited, plain)


def unedited(run: Run, source: Inverted) -> Pixels:
    """What the model makes of an inverted picture without an edit; kept for later runs."""
    values = source.reconstruction
    name = hashlib.sha256(np.ascontiguousarray(values.cpu().numpy()).data).hexdigest()
    key = ("decoded", *run.backbone.made_by, name, *values.shape)
    known = cast("Pixels | None", run.inputs.cache.get(key))
    if known is None:
        known = decoded(run, values)[0]
        run.inputs.cache.put(key, known, known.nbytes)
    return known


def _binds(parameters: Edit) -> bool:
    """Whether subjects are bound to their own words while the picture is edited."""
    by_text = parameters.only_subject and parameters.kept_by != BY_LATENTS
    return by_text and WAYS[parameters.inversion].binds


def _bound(source: Inverted) -> Masks:
    """Where each subject of the prompt is, if there are several: one alone has nobody to be taken for."""
    rows, columns = source.path.shape[-2:]
    found = every_subject(source.heat, source.prompt, (rows, columns))
    return found if len(found) > 1 else {}


def near_subjects(mask: Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
    """Where edits may be seen, with what a decoder draws around them: [H, W] in 0..1.

    Beyond that nothing was edited, but a decoder shifts all colours a little with those that were.

    Args:
        mask: how far latents may differ from the unedited ones, [N, 1, h, w] in 0..1.
        size: rows and columns of the picture.
    """
    cells = (mask.amax(0, keepdim=True) >= _LEAST_SHARE).float()
    reach = 2 * _AROUND_LATENTS + 1
    grown = functional.max_pool2d(cells, reach, stride=1, padding=_AROUND_LATENTS)
    return np.asarray(functional.interpolate(grown, size, mode="bilinear")[0, 0].cpu().numpy(), np.float32)


def confined(edited: Pixels, unedited: Pixels, share: NDArray[np.float32]) -> Pixels:
    """`edited` where `share` [H, W] is 1, `unedited` where it is 0, both [H, W, 3]."""
    kept = unedited + share[..., None] * (edited.astype(np.float32) - unedited)
    return np.rint(kept).astype(np.uint8)


def with_details(picture: Pixels, edited: Pixels, unedited: Pixels) -> Pixels:
    """What `unedited` lacks of `picture` added to `edited`, all [H, W, 3], where the two do not differ."""
    share = changes(edited, unedited)[..., None]
    missing = picture.astype(np.float32) - unedited
    found = np.rint(np.clip(edited + (1 - share) * missing, 0, 255)).astype(np.uint8)
    found.setflags(write=False)
    return found


def notes_of(source: Inverted) -> tuple[Message, ...]:
    """What has to be said of how a prompt fits its picture."""
    if not source.fit < LEAST_FIT:
        return ()
    return (
        Message(
            "The prompt does not seem to fit the picture: the model understands it no better with “{prompt}” "
            "than without. Say what it shows.",
            prompt=short(" ".join(source.prompt.text.split())),  # marks of weights are spaces there
        ),
    )
