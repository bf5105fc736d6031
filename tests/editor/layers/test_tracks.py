"""Tracks that are kept with a recipe: there and back, of one picture alone, and what files may not hold."""

import json
from typing import Any

import pytest

from editor.layers.recipes import Recipe, with_edits, with_parameters
from editor.layers.tracks import Track, from_json
from inference.errors import EditorError
from inference.operations import SubjectEdit
from tests.editor.samples import MAN, recipe

KEY = (13, 16, "hair-colour")
TRACK = Track((-2.0, -0.5, 0.0, 2.0), (0.0, 0.375, 0.5, 1.0), (-1.25,))
WRITTEN = {
    "start": 13,
    "end": 16,
    "attribute": "hair-colour",
    "values": [-2.0, -0.5, 0.0, 2.0],
    "places": [0.0, 0.375, 0.5, 1.0],
    "breaks": [-1.25],
}


def measured() -> Recipe:
    made = recipe(MAN)
    made.tracks.keep(made.origin, {KEY: TRACK})
    return made


def test_a_recipe_brings_its_tracks_back() -> None:
    again = Recipe.from_json(json.loads(json.dumps(measured().to_json())))
    assert again.tracks.of(again.origin) == {KEY: TRACK}
    assert again == measured() == recipe(MAN)  # they decide no pixel
    assert "tracks" not in recipe(MAN).to_json()


def test_a_slider_that_moves_keeps_them_and_another_picture_does_not() -> None:
    made = measured()
    moved = with_edits(made, (SubjectEdit(start=13, end=16, attribute="age", value=1.0),))
    assert moved.tracks.of(moved.origin) == {KEY: TRACK}
    other = with_parameters(moved, seed=8)
    assert other.tracks.of(other.origin) == {}
    assert "tracks" not in other.to_json()
    assert moved.to_json()["tracks"] == [WRITTEN]


@pytest.mark.parametrize(
    "change",
    [
        {"values": [-2.0, 0.0, -0.5, 2.0]},
        {"values": [-2.0, 2.0]},
        {"values": [-1e-320, 1e-320], "places": [0.0, 1.0]},
        {"values": [-2.0, -1e-320, 1e-320, 2.0]},
        {"places": [0.0, 1e-320, 0.5, 1.0]},
        {"values": [], "places": []},
        {"places": [0.0, 0.5, 0.5, 1.0]},
        {"places": [0.1, 0.375, 0.5, 1.0]},
        {"places": [0.0, 0.375, 0.5, 2.0]},
        {"values": [-2.0, -0.5, 0.0, 1e9]},
        {"breaks": ["here"]},
        {"breaks": [0.0] * 500},
        {"start": -1},
        {"attribute": 3},
        {"more": 1},
    ],
)
def test_what_cannot_be_a_track_is_refused(change: dict[str, Any]) -> None:
    assert from_json([WRITTEN]) == {KEY: TRACK}
    with pytest.raises(EditorError):
        from_json([{**WRITTEN, **change}])
    with pytest.raises(EditorError):
        Recipe.from_json({**recipe(MAN).to_json(), "tracks": [{**WRITTEN, **change}]})


def test_a_file_of_many_tracks_is_refused() -> None:
    with pytest.raises(EditorError, match="65 items"):
        from_json([WRITTEN] * 65)
