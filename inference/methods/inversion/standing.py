"""Where on a slider a picture stands, so that an edit begins there.

A prompt that does not name an attribute stands for all its values at once, and the network, seeing the
picture, does not care for the words any more: from a person who is plainly old "man" and "man, younger" lead
to the same. So the picture's own place α̂ on the slider is found first, as the one whose shifted prompt
explains the picture best inside of its subject (as `looking`; after arXiv:2303.16203):

    α̂ = argmin Σ log |x₀ - x̂₀(x_t, t, e + α·Δe)|²        over some levels t, between the slider's ends

The source prompt is shifted by α̂, and a position α of the slider, whose ends are l < 0 < h, means

    α̂ + α·(h - α̂)/h  for α > 0,      α̂ + α·(l - α̂)/l  for α < 0

so that 0 is the picture as it is, and the ends are what they are without this.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from inference.deltas import Delta
from inference.methods.generate import Run, what_is_said
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.paths import step_noise
from inference.operations import SubjectEdit
from inference.prompts.prompt import Prompt

COMPARED_AT = (0.35, 0.5)
_PLACES = (-1.0, -0.5, 0.0, 0.5, 1.0)  # of the slider's ends
# So near to an end that what is left of the slider still does something.
_NEAREST = 0.75
_SEED = 0


@torch.no_grad()
def stand(
    run: Run, found: Inverted, prompts: Sequence[Prompt], ends: tuple[float, float], mask: Tensor, name: str
) -> float:
    """α̂ of one slider: ten evaluations, and none a second time.

    Args:
        prompts: the picture's, shifted to each of `places(ends)`.
        ends: the slider's.
        mask: where the subject is, [1, 1, h, w] in 0..1.
        name: of picture, subject and direction.
    """
    said = what_is_said(run, run.parameters.prompt, found.prompt.length)
    of_run = (run.steps, run.parameters.sampler, tuple(found.path.shape[-2:]), *said)
    key = ["stand", *run.backbone.made_by, name, *map(str, ends), *map(str, of_run)]
    known = _known(run, key, ends)
    if known is not None:
        return known
    picture = found.reconstruction
    missed = np.zeros(len(prompts))
    for share in COMPARED_AT:
        level = run.levels[int(share * run.steps)]
        noised = level.alpha * picture + level.sigma * step_noise(_SEED, 0, picture)
        x0 = run.backbone.predict(noised.repeat(len(prompts), 1, 1, 1), level, prompts).x0
        error = ((x0 - picture).square() * mask.to(x0)).flatten(1).mean(1)
        missed += error.clamp(min=1e-12).log().double().cpu().numpy()
        run.progress.check()
    low, high = ends
    place = lowest(places(ends), missed)
    place = float(np.clip(place, _NEAREST * low, _NEAREST * high))
    run.inputs.cache.put(tuple(key), place, 64)
    if run.inputs.kept is not None:
        run.inputs.kept.put(key, {"place": np.array([place])})
    return place


def _known(run: Run, key: list[str], ends: tuple[float, float]) -> float | None:
    known = run.inputs.cache.get(tuple(key))
    if known is not None:
        return float(known)
    arrays = run.inputs.kept.get(key) if run.inputs.kept is not None else None
    place = arrays.get("place") if arrays is not None else None
    if place is None or place.shape != (1,) or not ends[0] <= float(place[0]) <= ends[1]:
        return None
    run.inputs.cache.put(tuple(key), float(place[0]), 64)
    return float(place[0])


def places(ends: tuple[float, float]) -> tuple[float, ...]:
    """The positions that are compared, from one end to the other."""
    low, high = ends
    return tuple(-low * place if place < 0 else high * place for place in _PLACES)


def lowest(positions: Sequence[float], values: Sequence[float] | np.ndarray) -> float:
    """Where the parabola through the least value and its neighbours is lowest; at an end the end.

    Positions may lie as near to each other as numbers can. A value that is not finite is none, and without
    any it is the place in the middle.
    """
    found = np.asarray(values, np.float64)
    found = np.where(np.isfinite(found), found, np.inf)
    at = int(np.argmin(found)) if np.isfinite(found).any() else len(positions) // 2
    around = found[max(at - 1, 0) : at + 2]
    if len(around) < 3 or not np.isfinite(around).all():
        return float(positions[at])
    # in shares of the way from one neighbour to the other, where the least one is zero
    way = positions[at + 1] - positions[at - 1]
    before, after = ((positions[at + side] - positions[at]) / way for side in (-1, 1))
    low, high = (float(one - around[1]) for one in (around[0], around[2]))
    bent = 2 * (low * after - high * before)
    if bent <= 0:
        return float(positions[at])
    share = (low * after**2 - high * before**2) / bent
    return float(positions[at] + way * np.clip(share, before, after))


def has_two_ends(delta: Delta) -> bool:
    """Whether a slider goes both ways, so that a picture can stand between its ends."""
    low, high = delta.info.range
    return low < 0 < high


def told(edits: Sequence[SubjectEdit], stands: Mapping[int, float], *, by_text: bool) -> tuple[str, ...]:
    """What of the stands decides the pass of an inversion, as text; nothing where there are none.

    Args:
        by_text: whether words are read inside of the edited subjects alone; then these count as well.
    """
    if not stands:
        return ()
    spans = sorted({(edit.start, edit.end) for edit in edits if edit.value}) if by_text else ()
    return (
        *(
            f"{edits[index].start}-{edits[index].end} {place!r} {edits[index].delta}"
            for index, place in sorted(stands.items())
        ),
        *(f"in {start}-{end}" for start, end in spans),
    )


def reached(value: float, place: float, ends: tuple[float, float]) -> float:
    """What a slider's value means for a picture that stands at `place`."""
    low, high = ends
    end = high if value > 0 else low
    return place + value * (end - place) / end
