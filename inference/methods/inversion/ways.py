"""The table of ways to invert, and inversions that were made before, from memory or disk."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from torch import Tensor

from inference.errors import EditorError
from inference.guidance import Predict
from inference.methods.generate import Run, delay_steps, what_is_said
from inference.methods.inversion.editing import (
    FLOW_START,
    Editing,
    Step,
    ancestral_step,
    corrected_step,
    flow_align_step,
    flow_edit_step,
    guided_step,
    plain_step,
)
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.looking import looked_at
from inference.methods.inversion.null_text import null_text
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.paths import (
    direct,
    edit_friendly,
    negative_prompt,
    noised,
    picture_alone,
    plain_ddim,
    with_offsets,
)

Invert: TypeAlias = Callable[[Run, Tensor, Sofar], Inverted]
Bound: TypeAlias = Callable[[Inverted], Predict | None]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to invert a picture and to edit it.

    Args:
        invert: (run, latents [1, C, h, w], what is known so far) → the inversion.
        step: its step of the editing loop.
        reads: parameters that the inversion depends on beside picture, prompt, model, steps and sampler.
        flow: whether it needs a model of flow matching.
        start: the least share of the steps that is left out at the noisy end.
        binds: whether it comes back to the picture whatever pass of the network edits it.
    """

    invert: Invert
    step: Callable[[Editing], Step]
    reads: tuple[str, ...] = ()
    flow: bool = False
    start: float = 0.0
    binds: bool = False


_GUIDED = ("negative_prompt", "guidance_scale")

WAYS: dict[str, Way] = {
    "direct": Way(invert=direct, step=corrected_step, binds=True),
    "noised": Way(invert=noised, step=corrected_step, binds=True),
    "ddim": Way(invert=plain_ddim, step=plain_step),
    "negative-prompt": Way(invert=negative_prompt, step=guided_step),
    "null-text": Way(invert=null_text, step=guided_step, reads=_GUIDED),
    "edit-friendly": Way(invert=edit_friendly, step=ancestral_step, reads=(*_GUIDED, "seed")),
    "flow-align": Way(
        invert=partial(picture_alone, way="flow-align"),
        step=flow_align_step,
        flow=True,
        start=FLOW_START,
        binds=True,
    ),
    "flow-edit": Way(
        invert=partial(picture_alone, way="flow-edit"),
        step=flow_edit_step,
        flow=True,
        start=FLOW_START,
        binds=True,
    ),
}


def first_step(run: Run, name: str, delay: float) -> int:
    """The first step that an edit with this delay changes."""
    return max(delay_steps(delay, run.steps), round(WAYS[name].start * run.steps))


def inverted(
    run: Run,
    name: str,
    picture: str,
    latents: Tensor,
    sofar: Sofar,
    *,
    first: int = 0,
    bound: Bound | None = None,
    told: tuple[str, ...] = (),
) -> Inverted:
    """The picture inverted in the way `name`; a second time nothing is computed.

    Args:
        picture: the hash of the picture's content.
        latents: the picture's own, [1, C, h, w].
        first: the first step to be edited; an earlier one next time costs the steps between. The number of
            steps is for loops that need no offsets.
        bound: gives the pass that binds the picture's subjects to their words, which the edit will use.
        told: what else decides that pass; the path and what is seen are those without it.

    Raises:
        EditorError: the way needs another kind of model.
    """
    way = WAYS[name]
    if way.flow and not run.backbone.schedule.is_flow:
        raise EditorError(
            "“{way}” does not work with {model}, which is no model of flow matching.",
            "Choose another way to invert.",
            way=name,
            model=run.backbone.name,
        )
    plain = _key(run, name, picture, latents)
    key = [*plain, *told]
    shape = tuple(latents.shape)
    found = _known(run, key, name, shape)
    begun = _known(run, plain, name, shape) if found is None and told else None
    with run.progress.phase("invert"):
        made = found or (replace(begun, bound=None) if begun is not None else None)
        made = made or looked_at(run, way.invert(run, latents, sofar))
        predict = None if bound is None else bound(made)
        made = with_offsets(run, made, first, sofar, predict, name=" ".join(("bound", *told)))
    if made is not found:
        run.inputs.cache.put(tuple(map(str, key)), made, made.size_bytes)
        if run.inputs.kept is not None:
            run.inputs.kept.put(key, made.to_arrays())
    return made


def _known(run: Run, key: list[object], name: str, shape: tuple[int, ...]) -> Inverted | None:
    known = run.inputs.cache.get(tuple(map(str, key)))
    if known is not None:
        return known
    arrays = run.inputs.kept.get(key) if run.inputs.kept is not None else None
    if arrays is None:
        return None
    try:
        found = Inverted.from_arrays(arrays, name, run.prompt, run.negative)
        found.check(run.steps, 1 if WAYS[name].flow else run.steps + 1, shape)
    except (KeyError, ValueError):  # written by another version, or damaged
        return None
    run.inputs.cache.put(tuple(map(str, key)), found, found.size_bytes)
    return found


def _key(run: Run, name: str, picture: str, latents: Tensor) -> list[object]:
    """All that an inversion depends on."""
    parameters, reads = run.parameters, WAYS[name].reads
    return [
        "inverted",
        name,
        *run.backbone.made_by,
        picture,
        list(latents.shape),
        # what it is edited to may be longer
        list(what_is_said(run, parameters.prompt, run.prompt.length)),
        parameters.steps,
        parameters.sampler,
        *(getattr(parameters, item) for item in reads),
        *(what_is_said(run, parameters.negative_prompt) if "negative_prompt" in reads else ()),
    ]
