"""Words of prompts that the built-in models do not know."""

import pytest

from editor.generating.known_words import unknown_words
from inference.operations import Family
from tests.helpers.fake_application import FakeEntry

ENTRIES = (FakeEntry("mini", Family.SD1), FakeEntry("real", Family.SDXL, sandbox=False))


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a photo of a man and a woman on the beach", ()),
        ("A red-haired Man, smiling", ()),
        ("the man's red shirt", ()),
        ("a dragon and a cat and a dragon", ("dragon",)),
        ("a cat in Paris 🗼", ("Paris", "🗼")),
        ("a photo of <my-cat> and a dog", ()),
        ("", ()),
    ],
)
def test_the_built_in_models_know_a_small_world(prompt: str, unknown: tuple[str, ...]) -> None:
    assert unknown_words(prompt, "mini", ENTRIES) == unknown


@pytest.mark.parametrize("model", ["real", "gone"])
def test_nothing_is_said_of_other_models(model: str) -> None:
    assert unknown_words("a dragon", model, ENTRIES) == ()
