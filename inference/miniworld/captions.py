"""Captions of scenes: which adjectives people would choose for the values, word by word with their meaning.

Attributes stand before the noun ("a very old smiling blond red-clad man") so that a causal encoder can hold
them at the noun's token; hair and shirt may also follow it ("with red hair in a blue shirt").
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .scene import BIGGEST, SMALLEST, Scene, Subject

Meaning = tuple[tuple[str, float], ...]

MAX_WORDS: Final = 22
GRAY_AGE: Final = 0.6  # older people's hair colour is no longer told

MENTION_AGE, MENTION_SMILE, MENTION_SIZE, MENTION_COLOUR = 0.92, 0.8, 0.75, 0.75
MENTION_HAIR_BEFORE, MENTION_HAIR_AFTER = 0.34, 0.12
MENTION_SHIRT_BEFORE, MENTION_SHIRT_AFTER = 0.28, 0.20
COLOURS_BEFORE: Final = 0.5  # of the shirts that have to be told and are not yet; the rest follows the noun
MENTION_BACKGROUND: Final = 0.88
USUAL_WORD_ORDER: Final = 0.6
NEUTRAL_WORD: Final = 0.06

# (least strength, adverb, the value that the words stand for)
GRADES: Final = ((0.75, "very", 0.9), (0.45, "", 0.6), (0.20, "slightly", 0.33))
PHOTO_WORDS: Final = ("photo", "photo", "photo", "photo", "picture", "image", "portrait")
NEUTRAL_WORDS: Final = ("beautiful", "nice", "handsome", "friendly")
BACKGROUND_WORDS: Final = {
    "grass": ("on grass", "on the grass"),
    "night": ("at night",),
    "snow": ("in the snow", "in snow"),
    "beach": ("on the beach", "at the beach"),
}


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word (one token) of a caption.

    `meaning`: (code, weight) pairs that its embedding shall hold; `subject`: the index in the scene of the
    noun phrase it belongs to; `noun` marks that phrase's noun; `content` marks nouns of any sort; `joined`
    words follow without space.
    """

    text: str
    meaning: Meaning
    subject: int | None = None
    noun: bool = False
    content: bool = False
    joined: bool = False


@dataclass(frozen=True, kw_only=True)
class Caption:
    """A caption as text and as words; `summary` is what the end token shall hold."""

    words: tuple[Word, ...]
    summary: Meaning

    @property
    def text(self) -> str:
        parts = [word.text if word.joined else f" {word.text}" for word in self.words]
        return "".join(parts).strip()


def describe(scene: Scene, seed: int | None = None, *, colours: bool = False) -> Caption:
    """A caption of `scene`, drawn from `seed` (the scene's own when None), at most MAX_WORDS words long.

    `colours`: those of clothes and things are told wherever there is room.
    """
    rng = random.Random((scene.seed if seed is None else seed) * 7919 + 13)
    for chattiness in (1.0, 1.0, 0.8, 0.6, 0.3, 0.0):
        caption = _attempt(rng, scene, chattiness, colours=colours and chattiness > 0)
        if len(caption.words) <= MAX_WORDS:
            return caption
    return caption


def grade(value: float) -> tuple[str, float] | None:
    """(adverb, value told) for a centred value -1..1, or None when people would not mention it."""
    for least, adverb, told in GRADES:
        if abs(value) >= least:
            return adverb, told if value > 0 else -told
    return None


def centred_age(subject: Subject) -> float:
    """The age as -1 (youngest) to 1 (oldest)."""
    return 2 * subject.age - 1


def centred_size(subject: Subject) -> float:
    """The size as -1 (smallest) to 1 (biggest)."""
    return 2 * (subject.size - SMALLEST) / (BIGGEST - SMALLEST) - 1


def _attempt(rng: random.Random, scene: Scene, chattiness: float, *, colours: bool) -> Caption:
    order = list(range(len(scene.subjects)))
    if rng.random() >= USUAL_WORD_ORDER:
        rng.shuffle(order)
    words = _opening(rng, scene)
    for place, index in enumerate(order):
        if place:
            words += _conjunction(rng, last=place == len(order) - 1)
        words += _noun_phrase(rng, scene, index, chattiness, colours=colours)
    told_background = scene.background != "plain" and rng.random() < MENTION_BACKGROUND
    if told_background:
        words += _background(rng, scene.background)
    summary = [(f"kind:{subject.kind}", 1.2) for subject in scene.subjects]
    summary.append((f"style:{scene.style}", 0.6))
    if told_background:
        summary.append((f"background:{scene.background}", 1.0))
    return Caption(words=tuple(words), summary=tuple(summary))


def _plain(text: str, subject: int | None = None, *, joined: bool = False) -> Word:
    return Word(text=text, meaning=((f"word:{text}", 1.0),), subject=subject, joined=joined)


def _opening(rng: random.Random, scene: Scene) -> list[Word]:
    if scene.style == "photo" and rng.random() < 0.12:
        return []
    noun = rng.choice(PHOTO_WORDS) if scene.style == "photo" else scene.style
    meaning: Meaning = ((f"style:{scene.style}", 1.0),)
    opening = [_plain(_article(noun)), Word(text=noun, meaning=meaning, content=True)]
    return [*opening, _plain("of")] if scene.subjects else opening  # "a photo on the beach"


def _conjunction(rng: random.Random, *, last: bool) -> list[Word]:
    if not last:
        return [_plain(",", joined=True) if rng.random() < 0.5 else _plain("and")]
    drawn = rng.random()
    if drawn < 0.84:
        return [_plain("and")]
    return [_plain("with")] if drawn < 0.92 else [_plain("next"), _plain("to")]


def _background(rng: random.Random, background: str) -> list[Word]:
    texts = rng.choice(BACKGROUND_WORDS[background]).split()
    noun = Word(text=texts[-1], meaning=((f"background:{background}", 1.2),), content=True)
    return [*(_plain(text) for text in texts[:-1]), noun]


def _noun_phrase(
    rng: random.Random, scene: Scene, index: int, chattiness: float, *, colours: bool
) -> list[Word]:
    known: list[tuple[str, float]] = []
    subject, gray = scene.subjects[index], scene.style == "sketch"
    told = _attributes(rng, subject, chattiness, colours=colours)
    if gray:
        told = [item for item in told if not _is_colour(item[1])]
    rng.shuffle(told)
    # Colours stand next to the noun, as in English.
    told.sort(key=lambda item: _is_colour(item[1]))
    words: list[Word] = []
    if rng.random() < NEUTRAL_WORD * chattiness:
        words.append(_plain(rng.choice(NEUTRAL_WORDS), index))
    for texts, code, value in told:
        words += _adjective(texts, (code, value), known, index)
        known.append((code, value))
    noun: Meaning = ((f"kind:{subject.kind}", 1.5), *known)
    words.append(Word(text=subject.kind, meaning=noun, subject=index, noun=True, content=True))
    article = "the" if rng.random() < 0.04 else _article(words[0].text)
    mentioned = [code for _, code, _ in told]
    tail = [] if gray else _tail(rng, subject, index, mentioned, chattiness, colours=colours)
    return [_plain(article, index), *words, *tail]


def _attributes(
    rng: random.Random, subject: Subject, chattiness: float, *, colours: bool
) -> list[tuple[list[str], str, float]]:
    """What is told before the noun: (words, code, value) each."""

    def told(share: float) -> bool:
        return rng.random() < share * chattiness

    found: list[tuple[list[str], str, float]] = []
    if not subject.is_person:
        size = grade(centred_size(subject))
        if size and told(MENTION_SIZE):
            found.append((_graded(size, "small", "big"), "size", size[1] * 1.2))
        if told(MENTION_COLOUR) or colours:
            found.append(([subject.colour_name], f"colour:{subject.colour_name}", 1.0))
        return found
    age, smile = grade(centred_age(subject)), grade(subject.smile)
    if age and rng.random() < MENTION_AGE * max(chattiness, 0.5):
        found.append((_graded(age, "young", "old"), "age", age[1] * 1.2))
    if smile and told(MENTION_SMILE):
        happy = rng.choice(("smiling", "happy"))
        found.append((_graded(smile, "sad", happy), "smile", smile[1] * 1.2))
    if subject.age < GRAY_AGE and told(MENTION_HAIR_BEFORE):
        name = subject.hair_name
        texts = ["blond"] if name == "blond" else [name, "-", "haired"]
        found.append((texts, f"hair:{name}", 1.0))
    if told(MENTION_SHIRT_BEFORE) or (colours and rng.random() < COLOURS_BEFORE):
        found.append(([subject.shirt_name, "-", "clad"], f"shirt:{subject.shirt_name}", 1.0))
    return found


def _graded(graded: tuple[str, float], low: str, high: str) -> list[str]:
    adverb, value = graded
    word = high if value > 0 else low
    return [adverb, word] if adverb else [word]


def _adjective(
    texts: Sequence[str], told: tuple[str, float], known: Sequence[tuple[str, float]], index: int
) -> list[Word]:
    words = [_plain(text, index) for text in texts]
    if len(texts) == 3:  # "red-clad": two words joined by a hyphen
        words = [words[0], replace(words[1], joined=True), replace(words[2], joined=True)]
    last = words[-1]
    meaning: Meaning = (*last.meaning, *known, told)
    return [*words[:-1], replace(last, meaning=meaning)]


def _tail(
    rng: random.Random,
    subject: Subject,
    index: int,
    mentioned: Sequence[str],
    chattiness: float,
    *,
    colours: bool,
) -> list[Word]:
    if not subject.is_person:
        return []
    words: list[Word] = []
    kind = f"kind:{subject.kind}"

    def noun(text: str, code: str) -> Word:
        meaning: Meaning = ((kind, 1.0), (f"word:{text}", 0.6), (code, 1.2))
        return Word(text=text, meaning=meaning, subject=index, content=True)

    hair, shirt = f"hair:{subject.hair_name}", f"shirt:{subject.shirt_name}"
    free = hair not in mentioned and subject.age < GRAY_AGE
    if free and rng.random() < MENTION_HAIR_AFTER * chattiness:
        words += [_plain("with", index), _plain(subject.hair_name, index), noun("hair", hair)]
    if shirt not in mentioned and (rng.random() < MENTION_SHIRT_AFTER * chattiness or colours):
        name = subject.shirt_name
        words += [_plain("in", index), _plain(_article(name), index), _plain(name, index)]
        words.append(noun("shirt", shirt))
    return words


def _is_colour(code: str) -> bool:
    return code.split(":")[0] in ("hair", "shirt", "colour")


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
