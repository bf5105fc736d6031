"""Attributes of the subjects of a picture from elsewhere: the operations "edit" and "edit-sweep".

The picture is inverted (`inference.methods.inversion`), which is kept, so that another position, attribute or
subject inverts nothing. From the delay on the steps are run again with the prompt shifted as on generated
pictures; with `only_subject` everything outside of the edited subjects stays on the inverted latents.

What the autoencoder loses comes back at the end, wherever the edit changed nothing:

    result = edited + (1 - change)·(picture - decoded(unedited))

so that without an edit the result is the picture itself, and a slider leaves it without a jump.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
from torch import Tensor

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
from inference.methods.inversion.ways import WAYS, first_step, inverted
from inference.methods.only_subject import Masks, Span, every_subject, mask_maps, merged
from inference.methods.redraw import encoded
from inference.methods.still_found import still_found
from inference.methods.text_regions import TextRegions
from inference.operations import BY_LATENTS, Edit, EditSweep
from inference.progress import Progress
from inference.request import Output, Pixels


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
    way, name = parameters.inversion, parameters.image.hash
    first = first_step(run, way, parameters.delay)
    bound = partial(_binding, run) if _binds(parameters) else None
    source = inverted(run, way, name, latents, sofar, first=first, bound=bound)
    work = _Work(run=run, parameters=parameters, source=source, picture=picture, sofar=sofar)
    images: dict[int, Pixels] = {}
    masks: Masks = {}
    for number, indices in enumerate(batches(run, edited)):
        if not moves(edited[indices[0]]):
            images[indices[0]] = picture
            continue
        pictures, of_these = work.carried_out([edited[index] for index in indices], f"batch {number}")
        images.update(zip(indices, pictures, strict=True))
        masks = {**masks, **of_these}
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


@dataclass(frozen=True, kw_only=True)
class _Work:
    run: Run
    parameters: Edit
    source: Inverted
    picture: Pixels
    sofar: Sofar

    def carried_out(self, edited: Sequence[Edits], name: str) -> tuple[list[Pixels], Masks]:
        """One batch of pictures, each with an edit that is not zero, and where their subjects are."""
        run, source, way = self.run, self.source, WAYS[self.source.way]
        rows, columns = source.path.shape[-2:]
        deltas = run.inputs.deltas_of
        bound = _bound(source) if _binds(self.parameters) else dict[Span, Tensor]()
        unedited = Unedited(prompt=source.prompt, heat=source.heat, size=(rows, columns), bound=bound)
        kept = only_subjects(run, self.parameters, edited, unedited)
        prompts, predict = kept.prompts, kept.predict
        merge: Merge | None = partial(merged, mask=kept.mask)
        if not self.parameters.only_subject:
            merge = None
            prompts = tuple(shifted(run.prompt, edits, deltas(edits)) for edits in edited)
            predict = run.backbone.predict
        offsets = source.bound if bound else source.offsets
        editing = Editing(run=run, inverted=source, prompts=prompts, predict=predict, offsets=offsets)
        first = first_step(run, source.way, self.parameters.delay)
        with run.progress.phase("sample"):
            latents = carried_out(editing, way.step(editing), first, merge=merge, sofar=self.sofar, name=name)
        pictures = [self._with_details(pixels) for pixels in decoded(run, latents)]
        return pictures, kept.masks

    def _with_details(self, edited: Pixels) -> Pixels:
        if not self.parameters.details:
            return edited
        return with_details(self.picture[..., :3], edited, unedited(self.run, self.source))


def unedited(run: Run, source: Inverted) -> Pixels:
    """What the model makes of an inverted picture without an edit; kept for later runs."""
    values = source.reconstruction
    name = hashlib.sha256(np.ascontiguousarray(values.cpu().numpy()).data).hexdigest()
    key = ("decoded", run.backbone.model_hash, name)
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


def _binding(run: Run, source: Inverted) -> Predict | None:
    """The pass of the picture's prompt as the edit will bind it; None if it binds nothing."""
    bound = _bound(source)
    if not bound:
        return None
    return TextRegions(backbone=run.backbone, plain=source.prompt, edited=(), bound=bound).predict


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
