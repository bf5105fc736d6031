"""The world: deterministic, with masks, boxes and captions that say what was drawn."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from inference.metrics.colours import COLOURS, nearest_name
from inference.miniworld.captions import MAX_WORDS, centred_age, describe, grade
from inference.miniworld.palette import jitter, mix
from inference.miniworld.render import draw_pixels, render
from inference.miniworld.scene import KINDS, STYLES, Scene, sample_scene

SEEDS = range(40)


@pytest.mark.parametrize("seed", [0, 7, 123456])
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    assert sample_scene(seed) == sample_scene(seed)
    assert render(sample_scene(seed)).pixels.tobytes() == render(sample_scene(seed)).pixels.tobytes()


def test_different_seeds_give_different_pictures() -> None:
    pictures = {draw_pixels(sample_scene(seed)).tobytes() for seed in SEEDS}
    assert len(pictures) == len(SEEDS)


def test_masks_are_disjoint_and_fill_their_boxes() -> None:
    for seed in SEEDS:
        scene = sample_scene(seed)
        rendered = render(scene)
        assert rendered.masks.shape == (len(scene.subjects), 128, 128)
        assert rendered.masks.sum(0).max() <= 1
        for mask, (x0, y0, x1, y1) in zip(rendered.masks, rendered.boxes, strict=True):
            rows, columns = np.nonzero(mask)
            assert len(rows) > 150
            assert (columns.min(), rows.min()) == (round(x0 * 128), round(y0 * 128))
            assert (columns.max() + 1, rows.max() + 1) == (round(x1 * 128), round(y1 * 128))


def test_changing_a_subject_changes_the_picture_only_inside_its_mask() -> None:
    scene = sample_scene(5, kinds=("man", "woman"), style="photo")
    older = replace(scene.subjects[0], age=1 - scene.subjects[0].age)
    changed = replace(scene, subjects=(older, scene.subjects[1]))
    difference = np.abs(draw_pixels(scene).astype(int) - draw_pixels(changed)).max(-1) > 0
    mask = render(scene).masks[0]
    grown = mask.copy()
    for axis in (0, 1):  # antialiasing reaches one pixel further
        grown |= np.roll(grown, 1, axis) | np.roll(grown, -1, axis)
    assert difference.any()
    assert not (difference & ~grown).any()


def test_subjects_are_placed_from_left_to_right() -> None:
    scene = sample_scene(3, kinds=("dog", "car", "woman"))
    assert [subject.kind for subject in scene.subjects] == ["dog", "car", "woman"]
    assert [subject.slot for subject in scene.subjects] == [0, 1, 2]
    xs = [subject.x for subject in scene.subjects]
    assert xs == sorted(xs)


@pytest.mark.parametrize("kinds", [(), ("man",) * 4])
def test_a_scene_has_one_to_three_subjects(kinds: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="1 to 3 subjects"):
        sample_scene(0, kinds=kinds)


def test_every_kind_and_style_can_be_drawn_at_other_sizes() -> None:
    for kind in KINDS:
        for style in STYLES:
            assert draw_pixels(sample_scene(1, kinds=(kind,), style=style), 64).shape == (64, 64, 3)


def test_two_people_are_often_of_opposite_age() -> None:
    scenes = [sample_scene(seed, kinds=("man", "woman")) for seed in range(300)]
    ages = [[subject.age for subject in scene.subjects] for scene in scenes]
    opposite = sum((a - 0.5) * (b - 0.5) < 0 for a, b in ages)
    assert opposite > 180


class TestCaptions:
    def test_adjectives_say_what_the_values_are(self) -> None:
        for seed in range(300):
            scene = sample_scene(seed)
            for word in describe(scene).words:
                if word.noun:
                    assert word.subject is not None
                    _check(scene, word.subject, dict(word.meaning))

    def test_words_and_text_agree(self) -> None:
        for seed in SEEDS:
            caption = describe(sample_scene(seed))
            assert len(caption.words) <= MAX_WORDS
            joined = caption.text.replace("-", " - ").replace(",", " ,").split()
            assert joined == [word.text for word in caption.words]

    def test_every_subject_has_one_noun(self) -> None:
        for seed in range(200):
            scene = sample_scene(seed)
            nouns = [word.subject for word in describe(scene, seed + 1).words if word.noun]
            assert sorted(index for index in nouns if index is not None) == list(range(len(scene.subjects)))

    def test_sketches_have_no_colours(self) -> None:
        for seed in range(60):
            words = describe(sample_scene(seed, style="sketch")).text.split()
            assert not set(words) & set(COLOURS)

    def test_grades(self) -> None:
        assert grade(0.0) is None
        assert grade(0.3) == ("slightly", 0.33)
        assert grade(-0.5) == ("", -0.6)
        assert grade(1.0) == ("very", 0.9)


def _check(scene: Scene, index: int, meaning: dict[str, float]) -> None:
    subject = scene.subjects[index]
    assert f"kind:{subject.kind}" in meaning
    if "age" in meaning:
        assert meaning["age"] * centred_age(subject) > 0
    if "smile" in meaning:
        assert meaning["smile"] * subject.smile > 0
    for code in meaning:
        name, _, value = code.partition(":")
        if name == "shirt":
            assert value == subject.shirt_name
        if name == "hair":
            assert value == subject.hair_name
        if name == "colour":
            assert value == subject.colour_name


def test_palette() -> None:
    assert mix((0, 0, 0), (10, 20, 30), 0.5) == (5, 10, 15)
    near = jitter(random.Random(0), COLOURS["red"], 14)
    assert nearest_name(near, COLOURS) == "red"
