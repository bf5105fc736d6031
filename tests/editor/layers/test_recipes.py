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


def test_subject_at_finds_by_its_characters() -> None:
    assert recipe(MAN, WOMAN).subject_at(23, 28) is WOMAN
    assert recipe(MAN).subject_at(0, 1) is None
    assert Subject(start=1, end=2, text="x").span == (1, 2)
