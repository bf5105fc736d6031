"""What the kinds of change leave open, and what the words say of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from inference.content import Picture
from inference.methods.prompt_to_prompt.presets import insertion
from inference.operations import BY_WORDS, CONTRAST, Insert, InsertWord

NAMES = ("loop", "guidance_scale", "found_by", "coarse_anew")


def filled(source: str, target: str, *, is_flow: bool = False, **more: Any) -> Any:
    backbone = SimpleNamespace(
        schedule=SimpleNamespace(is_flow=is_flow), defaults=SimpleNamespace(guidance_scale=7.0)
    )
    values: dict[str, Any] = {"kind": "change", "source_prompt": source, "prompt": target, **more}
    parameters = Insert(image=Picture("0" * 64), **values)
    return insertion(parameters, SimpleNamespace(backbone=backbone, contents={}))  # type: ignore[arg-type]


def of(parameters: Any) -> tuple[Any, ...]:
    return tuple(getattr(parameters, name) for name in NAMES)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("a photo of an orange car", "a photo of a red car", ("h-edit", 3.5, CONTRAST, True)),
        ("a blue-clad man and a dog", "a Red-clad man and a dog", ("h-edit", 3.5, CONTRAST, True)),
        ("a photo of a small car", "a photo of a huge car", ("h-edit", 3.5, CONTRAST, True)),
        ("a photo of a sad man", "a photo of a smiling man", ("h-edit", 3.5, CONTRAST, False)),
        # two changes, of which one is no colour
        ("a sad man and a red car", "a smiling man and a blue car", ("h-edit", 3.5, CONTRAST, False)),
        # a colour where none was said
        ("a photo of a car", "a photo of a red car", ("h-edit", 3.5, CONTRAST, False)),
    ],
)
def test_what_is_changed_decides(source: str, target: str, expected: tuple[Any, ...]) -> None:
    assert of(filled(source, target)) == expected


def test_other_kinds_are_found_by_their_words() -> None:
    for kind in ("replace", "add", "remove", "style"):
        assert of(filled("a red car", "a blue car", kind=kind))[2:] == (BY_WORDS, False)


def test_what_is_said_is_taken() -> None:
    said = filled("a red car", "a blue car", found_by=BY_WORDS, coarse_anew=False, guidance_scale=2.0)
    assert of(said) == ("h-edit", 2.0, BY_WORDS, False)
    assert of(filled("a red car", "a blue car", loop="h-edit")) == ("h-edit", 7.0, BY_WORDS, False)
    words = (InsertWord(start=2, end=6, changes=True),)
    assert filled("a red car", "a blue car", words=words).found_by == BY_WORDS


def test_models_of_flow_matching_have_ways_of_their_own() -> None:
    ways = {
        "change": "h-edit",
        "replace": "direct",
        "style": "flow-align",
        "add": "direct",
        "remove": "direct",
    }
    found = {kind: filled("a red car", "a blue car", kind=kind, is_flow=True).loop for kind in ways}
    assert found == ways


def test_a_recipe_from_before_means_what_it_meant() -> None:
    parameters = filled("a red car", "a blue car").to_json()
    for name in ("found_by", "coarse_anew", "outline"):
        del parameters[name]
    old = Insert.from_json(parameters)
    assert (old.found_by, old.coarse_anew, old.outline) == (BY_WORDS, False, False)
