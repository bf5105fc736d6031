"""Held-out pairs of picture and new text after the three sets of Plug-and-Play, in the mini world.

    drawings   sketches and paintings that are to be photos         (ImageNet-R-TI)
    classes    photos in which one thing is to be another           (Generated-ImageNet-R-TI)
    looks      photos that are to change colour, light, background or style   (Wild-TI)

Scenes are drawn from seeds that no training used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inference.request import Pixels

if TYPE_CHECKING:
    from inference.miniworld.scene import Scene

SETS = ("drawings", "classes", "looks")
FIRST_SCENE = 98_000_000
# what was looked at while settings were chosen
FIRST_SCENE_OF_CHOICE = 99_000_000

PLACES: Mapping[str, str] = {
    "plain": "",
    "grass": " on grass",
    "night": " at night",
    "snow": " in the snow",
    "beach": " on the beach",
}
_TURNED = {
    "cat": "dog",
    "dog": "cat",
    "man": "woman",
    "woman": "man",
    "house": "car",
    "car": "house",
    "tree": "house",
    "ball": "cat",
}
_SINGLES = ("cat", "man", "dog", "woman", "car", "house", "tree", "ball")
_COLOURS = ("red", "blue", "green", "orange", "purple", "pink", "yellow")
_OTHER_PLACES = {"grass": "night", "night": "snow", "snow": "beach", "beach": "grass", "plain": "grass"}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A picture and what it is to become; what the new text asks for, by what can be read of a picture.

    Args:
        kinds: things that have to be there.
        style, background: how it has to look; "" where the text says nothing.
        colours: the colour that a thing has to have.
        changed: which of "kinds", "style", "background", "colours" the picture did not fulfil.
        subject, source_subject: the thing that turns into another, in both texts; "" where none does.
    """

    number: int
    set: str
    pixels: Pixels
    source_prompt: str
    prompt: str
    kinds: tuple[str, ...]
    style: str
    background: str
    colours: Mapping[str, str] = field(default_factory=dict[str, str])
    changed: tuple[str, ...]
    subject: str = ""
    source_subject: str = ""


def pairs(count: int, first_scene: int = FIRST_SCENE) -> list[Pair]:
    """`count` pairs, the three sets taking turns; of a larger count the first ones are the same."""
    makers = {"drawings": _drawing, "classes": _class, "looks": _look}
    found: list[Pair] = []
    for number in range(count):
        name = SETS[number % len(SETS)]
        found.append(makers[name](number, number // len(SETS), first_scene + number))
    return found


def _drawing(number: int, turn: int, seed: int) -> Pair:
    scene = _scene(seed, turn, style=("sketch", "painting")[turn % 2])
    kinds, place = _kinds(scene), PLACES[scene.background]
    return _pair(
        number,
        "drawings",
        scene,
        prompt=f"a photo of {_named(kinds)}{place}",
        kinds=kinds,
        style="photo",
        changed=("style",),
    )


def _class(number: int, turn: int, seed: int) -> Pair:
    scene = _scene(seed, turn)
    kinds, place = _kinds(scene), PLACES[scene.background]
    old = kinds[0]
    new = next(kind for kind in (_TURNED[old], "ball", "tree") if kind not in kinds)
    turned = (new, *kinds[1:])
    return _pair(
        number,
        "classes",
        scene,
        prompt=f"a photo of {_named(turned)}{place}",
        kinds=turned,
        style="photo",
        changed=("kinds",),
        subject=new,
        source_subject=old,
    )


def _look(number: int, turn: int, seed: int) -> Pair:
    scene = _scene(seed, turn)
    kinds, place = _kinds(scene), PLACES[scene.background]
    change = ("colours", "background", "style")[turn % 3]
    things = [kind for kind in kinds if kind not in ("man", "woman", "tree")]
    if change == "colours" and things:
        colour = next(one for one in _COLOURS[turn % 4 :] if one != _colour(scene, things[0]))
        named = " and ".join(_article(f"{colour} {kind}" if kind == things[0] else kind) for kind in kinds)
        return _pair(
            number,
            "looks",
            scene,
            prompt=f"a photo of {named}{place}",
            kinds=kinds,
            style="photo",
            colours={things[0]: colour},
            changed=("colours",),
        )
    if change == "style":
        style = ("painting", "sketch")[turn // 3 % 2]
        return _pair(
            number,
            "looks",
            scene,
            prompt=f"a {style} of {_named(kinds)}{place}",
            kinds=kinds,
            style=style,
            changed=("style",),
        )
    other = _OTHER_PLACES[scene.background]
    return _pair(
        number,
        "looks",
        scene,
        prompt=f"a photo of {_named(kinds)}{PLACES[other]}",
        kinds=kinds,
        style="photo",
        background=other,
        changed=("background",),
    )


def _pair(
    number: int,
    name: str,
    scene: Scene,
    *,
    prompt: str,
    kinds: tuple[str, ...],
    style: str,
    changed: tuple[str, ...],
    background: str = "",
    colours: Mapping[str, str] | None = None,
    subject: str = "",
    source_subject: str = "",
) -> Pair:
    from inference.miniworld.render import draw_pixels

    pixels = draw_pixels(scene)
    pixels.setflags(write=False)
    shown = "" if scene.background == "plain" else scene.background
    return Pair(
        number=number,
        set=name,
        pixels=pixels,
        source_prompt=f"a {scene.style} of {_named(_kinds(scene))}{PLACES[scene.background]}",
        prompt=prompt,
        kinds=kinds,
        style=style,
        background=background or shown,
        colours=colours or {},
        changed=changed,
        subject=subject,
        source_subject=source_subject,
    )


def _scene(seed: int, turn: int, style: str = "photo") -> Scene:
    from inference.miniworld.scene import BACKGROUNDS, sample_scene

    first = _SINGLES[turn % len(_SINGLES)]
    second = _SINGLES[(turn + 3 + turn // len(_SINGLES)) % len(_SINGLES)]
    kinds = (first,) if turn % 2 == 0 or first == second else (first, second)
    return sample_scene(seed, kinds=kinds, style=style, background=BACKGROUNDS[(turn + 1) % len(BACKGROUNDS)])


def _kinds(scene: Scene) -> tuple[str, ...]:
    return tuple(subject.kind for subject in scene.subjects)


def _colour(scene: Scene, kind: str) -> str:
    return next(subject.colour_name for subject in scene.subjects if subject.kind == kind)


def _named(kinds: tuple[str, ...]) -> str:
    return " and ".join(map(_article, kinds))


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
