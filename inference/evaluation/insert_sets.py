"""Edits by words on renders of the mini world, with the true edited picture: after PIE-Bench's ten kinds.

(arXiv:2310.01506.)  The world has no poses and no materials; size and clothes stand in their place. Scenes
are drawn from seeds that no training used, and each kind takes its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.request import Pixels

if TYPE_CHECKING:
    from inference.metrics.tiam import Detection
    from inference.miniworld.scene import Scene, Subject

    Seen: TypeAlias = list[Detection]

FIRST_SCENE = 96_500_000
PLACES = {
    "plain": "",
    "grass": " on grass",
    "night": " at night",
    "snow": " in the snow",
    "beach": " on the beach",
}
KINDS = (
    "random",
    "change object",
    "add object",
    "delete object",
    "content",
    "size",
    "colour",
    "clothes",
    "background",
    "style",
)
_SWAPPED = {"cat": "dog", "dog": "cat", "car": "house", "house": "car", "tree": "ball", "ball": "tree"}
_AROUND = 3  # pixels around a change that still belong to it


@dataclass(frozen=True, kw_only=True)
class InsertCase:
    """One edit.

    Args:
        kind: one of `KINDS`.
        operation_kind: the parameter `kind` of the operation.
        source, truth: the picture, and the same scene with that one thing changed.
        source_prompt, prompt: what both show.
        place: bool [H, W] or None: a box around what is added or removed.
        gone, there: kinds of subjects that have to be gone, and to be there, afterwards.
        read: what the detector reads of the picture to see whether the change has come; None: by pixels.
        drawn: for each of `read` what the true picture was drawn with, or None where that is not looked at.
            A detector that does not see it there cannot judge it elsewhere: the pixels' colour does.
    """

    number: int
    kind: str
    operation_kind: str
    source: Pixels
    truth: Pixels
    source_prompt: str
    prompt: str
    place: NDArray[np.bool_] | None = None
    gone: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    read: tuple[Callable[[Seen], Any], ...] = ()
    drawn: tuple[Any, ...] = ()

    @property
    def changed(self) -> NDArray[np.bool_]:
        """[H, W]: where the true picture differs, and a little around."""
        from PIL import Image, ImageFilter

        differs = (self.source != self.truth).any(-1)
        image = Image.fromarray(differs.astype(np.uint8) * 255)
        return np.asarray(image.filter(ImageFilter.MaxFilter(2 * _AROUND + 1))) > 0

    def succeeded(self, image: Pixels, found: Seen, of_source: Seen, of_truth: Seen) -> bool:
        """Whether the detector sees the change; for what it does not know, whether the pixels are nearer."""
        kinds, true = ({one.kind for one in seen} for seen in (found, of_truth))
        # of what it gets wrong in the true picture it is not asked
        if kinds & (set(self.gone) - true) or not (set(self.there) & true) <= kinds:
            return False
        for read, drawn in zip_longest(self.read, self.drawn):
            value, before, wanted = (np.asarray(read(one), float) for one in (found, of_source, of_truth))
            if drawn is not None and not _is_nearer(wanted, np.asarray(drawn, float), before):
                if not self._colour_is_nearer(image):
                    return False
            elif not _is_nearer(value, wanted, before):
                return False
        return bool(self.gone or self.there or self.read) or self._pixels_are_nearer(image)

    def _colour_is_nearer(self, image: Pixels) -> bool:
        """By the mean colour of what changes in the true picture."""
        changed = (self.source != self.truth).any(-1)
        value, wanted, before = (one[changed].mean(0) for one in (image, self.truth, self.source))
        return _is_nearer(value, wanted, before)

    def _pixels_are_nearer(self, image: Pixels) -> bool:
        changed = (self.source != self.truth).any(-1)
        values, before, after = (one[changed].astype(float) for one in (image, self.source, self.truth))
        return float(np.abs(values - after).mean()) < float(np.abs(values - before).mean())


def _is_nearer(value: NDArray[np.float64], wanted: NDArray[np.float64], before: NDArray[np.float64]) -> bool:
    """Whether more than half of the way from `before` to `wanted` is done; not of NaN."""
    return bool(np.linalg.norm(value - wanted) < np.linalg.norm(before - wanted) / 2)


def insert_cases(count: int, first: int = 0) -> list[InsertCase]:
    """`count` cases from number `first` on; the kinds take turns."""
    return [_MAKERS[KINDS[number % len(KINDS)]](number) for number in range(first, first + count)]


def _scene(number: int, *kinds: str, background: str | None = None) -> Scene:
    from inference.miniworld.scene import sample_scene

    return sample_scene(FIRST_SCENE + number, kinds=kinds, style="photo", background=background)


def _pair(number: int) -> tuple[str, str]:
    """A person and a thing, taking turns."""
    turn = number // len(KINDS)
    return ("man", "woman")[turn % 2], tuple(_SWAPPED)[turn % len(_SWAPPED)]


def _a(word: str) -> str:
    """The word with its article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _drawn(scene: Scene) -> Pixels:
    from inference.miniworld.render import draw_pixels

    pixels = draw_pixels(scene)
    pixels.setflags(write=False)
    return pixels


def _with(scene: Scene, index: int, **changed: Any) -> Scene:
    subjects = list(scene.subjects)
    subjects[index] = replace(subjects[index], **changed)
    return replace(scene, subjects=tuple(subjects))


def _case(number: int, operation_kind: str, before: Scene, after: Scene, *prompts: str, **more: Any) -> Any:
    return InsertCase(
        number=number,
        kind=KINDS[number % len(KINDS)],
        operation_kind=operation_kind,
        source=_drawn(before),
        truth=_drawn(after),
        source_prompt=prompts[0],
        prompt=prompts[1],
        **more,
    )


def _reader(kind: str, name: str) -> Callable[[Seen], Any]:
    """An attribute or a colour of the most certain subject of a kind; NaN where there is none."""

    def read(found: Seen) -> Any:
        best = max((one for one in found if one.kind == kind), key=lambda one: one.score, default=None)
        if best is None:
            return np.nan
        return best.attributes[name] if name in best.attributes else best.colours[name]

    return read


def _share(rgb: tuple[float, float, float]) -> tuple[float, ...]:
    """A colour as detectors give it, 0..1."""
    return tuple(value / 255 for value in rgb)


def _coloured(number: int, thing: Subject) -> tuple[str, tuple[float, float, float]]:
    """Another colour than the thing has."""
    from inference.metrics.colours import COLOURS

    names = [name for name in ("red", "blue", "green", "yellow", "white") if name != thing.colour_name]
    name = names[number // len(KINDS) % len(names)]
    return name, COLOURS[name]


def _random(number: int) -> InsertCase:
    """Two changes at once: a person's smile and a thing's colour."""
    person, thing = _pair(number)
    scene = _with(_scene(number, person, thing), 0, smile=-0.9)
    name, rgb = _coloured(number, scene.subjects[1])
    after = _with(_with(scene, 0, smile=0.9), 1, colour_name=name, colour_rgb=rgb)
    old, place = scene.subjects[1].colour_name, PLACES[scene.background]
    return _case(
        number,
        "change",
        scene,
        after,
        f"a photo of a sad {person} and {_a(old)} {thing}{place}",
        f"a photo of a smiling {person} and {_a(name)} {thing}{place}",
        there=(person, thing),
        read=(_reader(person, "smile"), _reader(thing, "colour")),
        drawn=(None, _share(rgb)),
    )


def _object(number: int) -> InsertCase:
    person, thing = _pair(number)
    other = _SWAPPED[thing]
    scene = _scene(number, person, thing)
    place = PLACES[scene.background]
    after = _with(scene, 1, kind=other)
    return _case(
        number,
        "replace",
        scene,
        after,
        f"a photo of a {person} and a {thing}{place}",
        f"a photo of a {person} and a {other}{place}",
        gone=(thing,),
        there=(person, other),
    )


def _add(number: int) -> InsertCase:
    case = _delete(number)
    return replace(
        case,
        operation_kind="add",
        source=case.truth,
        truth=case.source,
        source_prompt=case.prompt,
        prompt=case.source_prompt,
        gone=(),
        there=(*case.there, *case.gone),
    )


def _delete(number: int) -> InsertCase:
    from inference.miniworld.render import draw_masks

    person, thing = _pair(number)
    scene = _scene(number, person, thing)
    place = PLACES[scene.background]
    after = replace(scene, subjects=scene.subjects[:1])
    mask = draw_masks(scene)[1]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.zeros_like(mask)
    box[
        max(0, rows[0] - 2 * _AROUND) : rows[-1] + 2 * _AROUND,
        max(0, columns[0] - 2 * _AROUND) : columns[-1] + 2 * _AROUND,
    ] = True
    return _case(
        number,
        "remove",
        scene,
        after,
        f"a photo of a {person} and a {thing}{place}",
        f"a photo of a {person}{place}",
        place=box,
        gone=(thing,),
        there=(person,),
    )


def _content(number: int) -> InsertCase:
    person, thing = _pair(number)
    scene = _with(_scene(number, person, thing), 0, smile=-0.9)
    place = PLACES[scene.background]
    return _case(
        number,
        "change",
        scene,
        _with(scene, 0, smile=0.9),
        f"a photo of a sad {person} and a {thing}{place}",
        f"a photo of a smiling {person} and a {thing}{place}",
        there=(person, thing),
        read=(_reader(person, "smile"),),
    )


def _size(number: int) -> InsertCase:
    person, thing = _pair(number)
    scene = _scene(number, person, thing)
    place = PLACES[scene.background]
    small, big = (_sized(scene, size) for size in (0.68, 1.08))
    return _case(
        number,
        "change",
        small,
        big,
        f"a photo of a {person} and a small {thing}{place}",
        f"a photo of a {person} and a big {thing}{place}",
        there=(person, thing),
        read=(_reader(thing, "size"),),
    )


def _sized(scene: Scene, size: float) -> Scene:
    thing = scene.subjects[1]
    return _with(scene, 1, size=size, scale=thing.scale / thing.size * size)


def _colour(number: int) -> InsertCase:
    person, thing = _pair(number)
    scene = _scene(number, person, thing)
    place = PLACES[scene.background]
    name, rgb = _coloured(number, scene.subjects[1])
    return _case(
        number,
        "change",
        scene,
        _with(scene, 1, colour_name=name, colour_rgb=rgb),
        f"a photo of a {person} and {_a(scene.subjects[1].colour_name)} {thing}{place}",
        f"a photo of a {person} and {_a(name)} {thing}{place}",
        there=(person, thing),
        read=(_reader(thing, "colour"),),
        drawn=(_share(rgb),),
    )


def _clothes(number: int) -> InsertCase:
    from inference.metrics.colours import COLOURS

    person, thing = _pair(number)
    scene = _scene(number, person, thing)
    place = PLACES[scene.background]
    old = scene.subjects[0].shirt_name
    names = [name for name in ("red", "blue", "green", "yellow", "white") if name != old]
    new = names[number // len(KINDS) % len(names)]
    return _case(
        number,
        "change",
        scene,
        _with(scene, 0, shirt_name=new, shirt_rgb=COLOURS[new]),
        f"a photo of {_a(old)}-clad {person} and a {thing}{place}",
        f"a photo of {_a(new)}-clad {person} and a {thing}{place}",
        there=(person, thing),
        read=(_reader(person, "shirt"),),
    )


def _background(number: int) -> InsertCase:
    person, thing = _pair(number)
    turn = number // len(KINDS)
    names = [name for name in PLACES if name != "plain"]
    old, new = names[turn % len(names)], names[(turn + 1 + turn // len(names) % 3) % len(names)]
    scene = _scene(number, person, thing, background=old)
    return _case(
        number,
        "style",
        scene,
        replace(scene, background=new),
        f"a photo of a {person} and a {thing}{PLACES[old]}",
        f"a photo of a {person} and a {thing}{PLACES[new]}",
    )


def _style(number: int) -> InsertCase:
    person, thing = _pair(number)
    scene = _scene(number, person, thing)
    style = ("painting", "sketch")[number // len(KINDS) % 2]
    place = PLACES[scene.background]
    return _case(
        number,
        "style",
        scene,
        replace(scene, style=style),
        f"a photo of a {person} and a {thing}{place}",
        f"a {style} of a {person} and a {thing}{place}",
    )


_MAKERS: dict[str, Callable[[int], InsertCase]] = dict(
    zip(
        KINDS,
        (_random, _object, _add, _delete, _content, _size, _colour, _clothes, _background, _style),
        strict=True,
    )
)
