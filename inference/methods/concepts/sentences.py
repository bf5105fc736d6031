"""The sentences that a concept is learnt in (arXiv:2208.01618), in words that the model knows."""

from collections.abc import Callable, Mapping
from typing import Final

SENTENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "object": (
        "a photo of a {}",
        "a picture of a {}",
        "an image of a {}",
        "the photo of a {}",
        "a photo of the {}",
        "a picture of the {}",
        "a rendering of a {}",
        "a cropped photo of the {}",
        "a close-up photo of a {}",
        "a bright photo of the {}",
        "a dark photo of the {}",
        "a good photo of a {}",
        "a photo of my {}",
        "a photo of a clean {}",
        "a photo of one {}",
    ),
    "person": (
        "a photo of a {}",
        "a picture of a {}",
        "a portrait of a {}",
        "an image of a {}",
        "the photo of a {}",
        "a portrait of the {}",
        "a close-up photo of a {}",
        "a bright photo of the {}",
        "a good portrait of a {}",
        "a photo of one {}",
        "a snapshot of a {}",
        "a headshot of a {}",
    ),
    "style": (
        "a painting in the style of {}",
        "a picture in the style of {}",
        "an image in the style of {}",
        "a photo in the style of {}",
        "a portrait in the style of {}",
        "a rendering in the style of {}",
        "a good painting in the style of {}",
        "a close-up painting in the style of {}",
        "the painting in the style of {}",
        "a small painting in the style of {}",
    ),
}
"""With a place for the word; the first stands for all of them where one is shown."""
HELD_OUT: Final = 2  # every so many sentences one is for the held-out loss alone
_FEWEST = 3


def known_sentences(template: str, count: Callable[[str], int]) -> tuple[str, ...]:
    """The sentences of a template that the model reads word by word; all of them if these are too few.

    Args:
        count: how many tokens a text has.
    """
    everything = SENTENCES[template]
    known = tuple(one for one in everything if all(count(word) <= _pieces(word) for word in _words(one)))
    return known if len(known) >= _FEWEST else everything


def _words(sentence: str) -> list[str]:
    return [word for word in sentence.split() if word != "{}"]


def _pieces(word: str) -> int:
    """ "close-up" is three tokens of words that are known."""
    return 2 * word.count("-") + 1
