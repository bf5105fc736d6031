import json

import pytest

from editor.layers.recipes import Recipe, Subject, with_edits, with_parameters
from inference.errors import EditorError
from inference.operations import SubjectEdit
from tests.editor.samples import MAN, PROMPT, WOMAN, recipe

EDIT = SubjectEdit(start=13, end=16, attribute="age", value=0.64)


def test_json_gives_the_same_recipe_back() -> None:
    made = with_edits(recipe(MAN, WOMAN), (EDIT,), delay=0.3)
    assert Recipe.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_edits_turn_a_generation_into_an_attribute_request_and_keep_the_rest() -> None:
    made = with_edits(recipe(MAN, steps=12, guidance_scale=3.0), (EDIT,))
    assert (made.request.operation, made.prompt, made.seed, made.edits) == ("attribute", PROMPT, 7, (EDIT,))
    assert (made.request.parameters.to_json()["steps"], made.request.parameters.to_json()["delay"]) == (
        12,
        0.2,
    )
    assert with_edits(with_edits(made, (EDIT,), delay=0.5), ()).request.parameters.to_json()["delay"] == 0.5


def test_parameters_are_checked() -> None:
    with pytest.raises(EditorError, match="Steps is 0"):
        with_parameters(recipe(), steps=0)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"request": {}, "subjects": []},
        {"request": recipe().request.to_json(), "subjects": [{"start": 0}]},
        {"request": recipe().request.to_json(), "subjects": 3},
        {**recipe().to_json(), "version": 2},
        {**recipe().to_json(), "version": "new"},
    ],
)
def test_what_cannot_be_read_is_said(values: dict[str, object]) -> None:
    with pytest.raises(EditorError):
        Recipe.from_json(values)


def test_more_subjects_than_the_panel_shows_are_cut_and_those_of_another_prompt_left_out() -> None:
    values = recipe(MAN).to_json()
    beyond = {**MAN.to_json(), "end": 9000}
    assert Recipe.from_json({**values, "subjects": [beyond, MAN.to_json()]}).subjects == (MAN,)
    assert len(Recipe.from_json({**values, "subjects": [MAN.to_json()] * 500}).subjects) == 64


@pytest.mark.parametrize(
    "edit",
    [
        {"start": 0.5},
        {"start": True},
        {"end": 2**40},
        {"attribute": 5},
        {"attribute": "\ud800"},
        {"value": "much"},
        {"value": float("nan")},
        {"value": 1e300},
        {"more": 1},
    ],
)
def test_edits_of_another_type_are_refused_where_they_are_read(edit: dict[str, object]) -> None:
    values = with_edits(recipe(MAN), (EDIT,)).to_json()
    values["request"]["parameters"]["edits"][0].update(edit)
    with pytest.raises(EditorError):
        Recipe.from_json(json.loads(json.dumps(values)))


def test_thousands_of_edits_are_refused_before_any_work() -> None:
    values = with_edits(recipe(MAN), (EDIT,)).to_json()
    values["request"]["parameters"]["edits"] *= 3000
    with pytest.raises(EditorError, match="3000 items: allowed are 64"):
        Recipe.from_json(values)


def test_subject_at_finds_by_its_characters() -> None:
    assert recipe(MAN, WOMAN).subject_at(23, 28) is WOMAN
    assert recipe(MAN).subject_at(0, 1) is None
    assert Subject(start=1, end=2, text="x").span == (1, 2)
