"""Colours between two named ones: what is drawn, how it is told, and what is never drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from inference.metrics.colours import COLOURS
from inference.miniworld.captions import describe
from inference.miniworld.characters import for_tuning, held_out
from inference.miniworld.conditioning import ENCODERS, TextSource
from inference.miniworld.latents import small_masks
from inference.miniworld.mixed import EMPTY_SHARE, MIXED_SHARE, OFF, Told, training_scene
from inference.miniworld.palette import Rgb
from inference.miniworld.scene import KINDS, Scene, Subject, sample_scene
from inference.miniworld.text_encoders import new_encoder

SEEDS = range(400)


def test_some_colours_lie_between_two_named_ones() -> None:
    mixed = [told for told in map(training_scene, SEEDS) if told.is_mixed]
    assert len(mixed) / len(SEEDS) == pytest.approx(MIXED_SHARE, abs=0.06)
    between = 0
    for told in mixed:
        for drawn, first, second in zip(
            told.scene.subjects, told.first.subjects, told.second.subjects, strict=True
        ):
            if first is second:
                continue
            between += 1
            ends = [COLOURS[one.shirt_name if one.is_person else one.colour_name] for one in (first, second)]
            for value, low, high in zip(_colour(drawn), *ends, strict=True):
                assert value == pytest.approx(low + (high - low) * told.share, abs=6.01)
    assert between > len(mixed) / 2


def test_a_few_scenes_show_their_place_alone_and_are_told_so() -> None:
    empty = [told for told in map(training_scene, SEEDS) if not told.scene.subjects]
    assert len(empty) / len(SEEDS) == pytest.approx(EMPTY_SHARE, abs=0.03)
    for told in empty:
        assert not told.is_mixed
        assert not small_masks(told.scene.seed).any()
        caption = describe(told.scene, told.scene.seed)
        assert all(word.subject is None for word in caption.words)
        assert not {word.text for word in caption.words} & {*KINDS, "of"}


def test_the_two_ends_are_told_in_the_same_words_but_for_colours() -> None:
    for told in map(training_scene, SEEDS):
        seed = told.scene.seed + 5
        ours, theirs = (describe(scene, seed, colours=True).words for scene in (told.first, told.second))
        assert [word.subject for word in ours] == [word.subject for word in theirs]
        assert all(
            one.text == other.text or {one.text, other.text} <= {*COLOURS, "a", "an"}
            for one, other in zip(ours, theirs, strict=True)
        )
        assert _nameless(told.first) == _nameless(told.second) == _nameless(told.scene)


def test_a_colour_between_two_is_always_told() -> None:
    told = [one for one in map(training_scene, SEEDS) if one.is_mixed and one.scene.style != "sketch"]
    short = 0
    for one in told:
        words = {word.text for word in describe(one.first, one.scene.seed, colours=True).words}
        mixed = [
            first.shirt_name if first.is_person else first.colour_name
            for first, second in zip(one.first.subjects, one.second.subjects, strict=True)
            if first is not second
        ]
        short += not words >= set(mixed)  # where three phrases would not have room
    assert short <= 0.03 * len(told)


def test_no_colour_between_two_is_a_characters() -> None:
    looks = [one.subject for one in (*held_out(), *for_tuning())]
    found = 0
    for told in map(training_scene, range(1500)):
        for drawn, first, second in zip(
            told.scene.subjects, told.first.subjects, told.second.subjects, strict=True
        ):
            found += first is not second
            assert first is second or all(
                _distance(_colour(one), _colour(drawn)) >= OFF
                for one in looks
                if (one.kind, one.hair_name) == (drawn.kind, drawn.hair_name)
            )
    assert found > 800


def test_most_of_what_is_drawn_stays_what_it_was() -> None:
    for told in map(training_scene, range(50)):
        plain = sample_scene(told.scene.seed)
        if not told.scene.subjects:
            plain = replace(plain, subjects=())
        assert [one.kind for one in told.scene.subjects] == [one.kind for one in plain.subjects]
        assert [one.x for one in told.scene.subjects] == [one.x for one in plain.subjects]
        if not told.is_mixed:
            assert told == Told(scene=plain, first=plain, second=plain)


@torch.no_grad()
def test_the_model_reads_what_lies_between_the_two_captions() -> None:
    text = TextSource("sdxl", {name: new_encoder(name) for name in ENCODERS["sdxl"]})
    told = next(one for one in map(training_scene, SEEDS) if one.is_mixed and one.scene.style != "sketch")
    found = {
        share: text.conditions([told.first] * 30, 7, dict.fromkeys(range(1, 30), (told.second, share)))
        for share in (0.0, 0.25, 1.0)
    }
    first, second = (
        text.conditions([one] * 30, 7, dict.fromkeys(range(1, 30), (one, 0.0)))
        for one in (told.first, told.second)
    )
    for name in ("context", "pooled"):
        ours, theirs = (getattr(one, name) for one in (first, second))
        read = {share: getattr(one, name) for share, one in found.items()}
        torch.testing.assert_close(read[0.0], ours)
        torch.testing.assert_close(read[1.0][1:], theirs[1:])
        torch.testing.assert_close(read[0.25][1:], (0.75 * ours + 0.25 * theirs)[1:])
        torch.testing.assert_close(read[0.25][0], ours[0])
        assert not torch.equal(ours, theirs)


def _colour(subject: Subject) -> Rgb:
    return subject.shirt_rgb if subject.is_person else subject.colour_rgb


def _distance(one: Rgb, other: Rgb) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5


def _nameless(scene: Scene) -> Scene:
    blank = [
        replace(one, shirt_name="", colour_name="", shirt_rgb=(0, 0, 0), colour_rgb=(0, 0, 0))
        for one in scene.subjects
    ]
    return replace(scene, subjects=tuple(blank))
