"""Recipes of batches: read, refused with reasons, written, scaled."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from editor.batch.needs import completed, needs_of
from editor.batch.operation_step import (
    OperationStep,
    blank_step,
    edits_from_text,
    edits_to_text,
    operations_on_pictures,
)
from editor.batch.recipe import BatchRecipe, read_recipe, recipe_from_json, save_recipe
from editor.batch.shaping import Crop, Size
from inference.concepts.concept import Concept
from inference.concepts.files import concept_file
from inference.concepts.library import ConceptLibrary
from inference.content import content_hash
from inference.deltas import DeltaLibrary
from inference.errors import EditorError
from inference.loras.library import ListedLora, LoraLibrary
from inference.models import Catalogue
from inference.operations import OPERATIONS, Edit, Redraw
from tests.editor.batch.pictures import REDRAW, WARMER, recipe
from tests.inference.loras.test_files import _SD1, _SDXL, pair, write

SMALLEST: dict[str, Any] = {"version": 1, "name": "…", "model": "mini-sd1", "seed": 3, "steps": [REDRAW]}
OLDER = {
    "operation": "edit",
    "parameters": {
        "prompt": "a photo of a man and a man",
        "edits": [{"subject": "man#2", "attribute": "age", "value": 1.0}],
    },
}


def test_the_smallest_recipe_takes_the_files_picture() -> None:
    found = recipe_from_json(SMALLEST)
    (step,) = found.steps
    assert isinstance(step, OperationStep)
    parameters = step.for_picture("a" * 64, found.seed_of(PurePosixPath("x.png")))
    assert isinstance(parameters, Redraw)
    assert (parameters.image.hash, parameters.seed, parameters.strength) == ("a" * 64, 3, 0.5)


def test_a_recipe_survives_its_file(tmp_path: Path) -> None:
    given = recipe(
        WARMER,
        REDRAW | {"on": False},
        OLDER,
        {"size": {"longest": 300}},
        {"crop": {"ratio": "16:9"}},
        {"profile": {"name": "display-p3"}},
        seed="path",
        amount=80,
        export={"format": "jpeg", "quality": 70},
        model="mini-sd1",
    )
    save_recipe(given, tmp_path / "look.json")
    again = read_recipe(tmp_path / "look.json")
    assert again.to_json() == given.to_json()
    assert again.fingerprint("m") == given.fingerprint("m")
    assert json.loads((tmp_path / "look.json").read_text())["steps"][2]["parameters"]["edits"] == [
        {"subject": "man#2", "attribute": "age", "value": 1.0}
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "version"),
        ({"steps": None}, "steps"),
        ({"step": []}, "unknown field step"),
        ({"seed": "random"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"amount": 151}, "150"),
        ({"model": ""}, "no model"),
        ({"export": {"width": 5}}, "width"),
        ({"export": {"format": "openraster"}}, "projects"),
        ({"export": {"format": "gif"}}, "gif"),
        ({"steps": [{"operation": "paint"}]}, "Unknown operation “paint”"),
        ({"steps": [WARMER, {"operation": "generate"}]}, "Step 2 of the recipe: “generate” takes no picture"),
        ({"steps": [{"operation": "score"}]}, "takes no picture"),
        ({"steps": [{"operation": "redraw", "parameters": {"prompt": " "}}]}, "prompt is empty"),
        ({"steps": [{"operation": "redraw", "parameters": {"prompt": "a", "strength": 2}}]}, "0 to 1"),
        ({"steps": [{"operation": "redraw", "parameters": {"prompt": "a", "image": "x"}}]}, "the file's"),
        ({"steps": [{"operation": "redraw", "parameters": {"prompt": "a", "speed": 1}}]}, "speed"),
        ({"steps": [{"operation": "edit", "parameters": OLDER["parameters"] | {"prompt": "a cat"}}]}, "man"),
        (
            {"steps": [{"operation": "redraw", "parameters": {"prompt": "a (man", "weighted": True}}]},
            "no “)”",
        ),
        ({"steps": [{"adjustment": "sepia"}]}, "sepia"),
        ({"steps": [{"adjustment": "levels", "crop": {}}]}, "no kind"),
        ({"steps": [{"crop": {"ratio": "3x2"}}]}, "ratio"),
        ({"steps": [{"crop": {"ratio": "0:2"}}]}, "ratio"),
        ({"steps": [{"size": {"longest": -1}}]}, "Longer side"),
        ({"steps": [{"profile": {"name": "cmyk"}}]}, "cmyk"),
        ({"steps": [WARMER | {"strength": 1}]}, "strength"),
        ({"steps": [REDRAW] * 201}, "201"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], said: str) -> None:
    with pytest.raises(EditorError) as caught:
        recipe_from_json(SMALLEST | change)
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_no_recipe_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(EditorError):
        read_recipe(tmp_path / "r.json")


def test_a_number_that_python_does_not_read_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"version": ' + "9" * 5000 + "}")
    with pytest.raises(EditorError, match="too many digits"):
        read_recipe(tmp_path / "r.json")


def test_files_of_a_recipe_lie_beside_it_and_nowhere_else(tmp_path: Path) -> None:
    from PIL import Image

    mask = np.zeros((4, 6), np.uint8)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "inside").mkdir()
    values = {"prompt": "a man", "mask": {"file": "mask.png"}}
    step = {"operation": "redraw", "parameters": values}
    path = tmp_path / "r.json"
    path.write_text(json.dumps(SMALLEST | {"steps": [step]}))
    found = read_recipe(path)
    assert content_hash(mask) in found.contents
    save_recipe(found, tmp_path / "inside" / "copy.json")
    assert read_recipe(tmp_path / "inside" / "copy.json").contents.keys() == found.contents.keys()
    for place in ("../mask.png", str(tmp_path / "mask.png"), "nowhere.png", "mask.png\0"):
        path.write_text(
            json.dumps(SMALLEST | {"steps": [step | {"parameters": values | {"mask": {"file": place}}}]})
        )
        with pytest.raises(EditorError):
            read_recipe(path)
    other = {"file": "mask.png", "hash": "0" * 64}
    path.write_text(json.dumps(SMALLEST | {"steps": [step | {"parameters": values | {"mask": other}}]}))
    with pytest.raises(EditorError, match="not the file"):
        read_recipe(path)


def test_subjects_are_found_among_weights() -> None:
    edits = [{"subject": "man and woman", "attribute": "age", "value": 1.0}]
    values = {"prompt": "a (man:1.2) [and] woman", "weighted": True, "edits": edits}
    found = recipe_from_json(SMALLEST | {"steps": [{"operation": "edit", "parameters": values}]})
    (step,) = found.steps
    assert isinstance(step, OperationStep)
    assert isinstance(step.parameters, Edit)
    assert recipe_from_json(found.to_json()) == found
    assert step.parameters.edits[0].start == 3


def test_a_seed_from_the_path_is_each_files_own_and_always_the_same() -> None:
    found = recipe(REDRAW, seed="path")
    seeds = [found.seed_of(PurePosixPath(path)) for path in ("a.png", "b.png", "s/a.png")]
    assert len(set(seeds)) == 3
    assert seeds[0] == recipe(seed="path").seed_of(PurePosixPath("a.png")) == 2131169845


def test_the_amount_scales_what_an_operation_declares() -> None:
    (redraw, older) = recipe(REDRAW, OLDER).steps
    assert isinstance(redraw, OperationStep)
    assert isinstance(older, OperationStep)
    stronger, clipped = redraw.for_picture("a" * 64, 0, 150), redraw.for_picture("a" * 64, 0, 50)
    assert isinstance(stronger, Redraw)
    assert isinstance(clipped, Redraw)
    assert (stronger.strength, clipped.strength) == (0.75, 0.25)
    half = older.for_picture("a" * 64, 0, 50)
    assert isinstance(half, Edit)
    assert half.edits[0].value == 0.5


def test_a_fingerprint_tells_recipes_apart_by_what_they_do() -> None:
    one = recipe(REDRAW)
    same = [
        recipe(REDRAW, name="Other"),
        recipe(REDRAW, {"adjustment": "invert", "on": False}),
        recipe({"operation": "redraw", "parameters": {**REDRAW["parameters"], "guidance_scale": None}}),  # type: ignore[dict-item]
    ]
    other = [recipe(REDRAW, seed=1), recipe(REDRAW, amount=90), recipe(REDRAW, WARMER), recipe(WARMER)]
    assert {made.fingerprint("m") for made in same} == {one.fingerprint("m")}
    assert one.fingerprint("m") not in {made.fingerprint("m") for made in other} | {one.fingerprint("n")}


def needs(look: BatchRecipe, tmp_path: Path) -> str:
    loras = LoraLibrary(tmp_path)
    found = needs_of(look, Catalogue(tmp_path), DeltaLibrary.standard(tmp_path / "deltas"), loras)
    return found.fingerprint(look)


def test_loras_are_part_of_a_recipe_and_looked_for_before_anything_is_computed(tmp_path: Path) -> None:
    library = LoraLibrary(tmp_path)
    fits, _ = library.add(write(tmp_path / "fits.safetensors", pair(_SD1, 96)))
    other, _ = library.add(write(tmp_path / "other.safetensors", pair(_SDXL, 2048)))

    def look(lora: ListedLora, strength: float = 0.5) -> BatchRecipe:
        uses = [{"name": lora.name, "hash": lora.hash, "strength": strength}]
        return recipe({"operation": "redraw", "parameters": {**REDRAW["parameters"], "loras": uses}})  # type: ignore[dict-item]

    assert recipe_from_json(look(fits).to_json()).to_json() == look(fits).to_json()
    assert look(fits).to_json()["steps"][0]["parameters"]["loras"][0]["hash"] == fits.hash
    assert len({needs(one, tmp_path) for one in (recipe(REDRAW), look(fits), look(fits, 0.6))}) == 3
    with pytest.raises(EditorError, match="“other” is for SDXL, and mini-sd1 is SD1"):
        needs(look(other), tmp_path)
    library.remove("fits")
    with pytest.raises(EditorError, match=r"“fits” .* is not among yours"):
        needs(look(fits), tmp_path)


def test_a_concept_of_another_family_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    """Each file failed by itself."""
    shelf = ConceptLibrary(tmp_path / "concepts")
    rows = np.full((1, 96), 0.01, np.float32)
    for word, family in (("<cat>", "sd1"), ("<dog>", "sdxl")):
        shelf.add(concept_file(Concept(word=word, vectors={"clip_l": rows}, family=family)))

    def look(word: str) -> BatchRecipe:
        parameters = {**REDRAW["parameters"], "prompt": f"a photo of a {word}"}  # type: ignore[dict-item]
        return completed(recipe({"operation": "redraw", "parameters": parameters}), shelf)

    assert needs(look("<cat>"), tmp_path)
    with pytest.raises(EditorError, match="“<dog>” was learnt for SDXL, and mini-sd1 is SD1"):
        needs(look("<dog>"), tmp_path)


def test_what_is_missing_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    assert needs(recipe(REDRAW), tmp_path) != needs(recipe(REDRAW, model="mini-sdxl"), tmp_path)
    for look, said in (
        (recipe(REDRAW, model="sd-9"), "sd-9"),
        (recipe(REDRAW, model="/etc"), "/etc"),
        (recipe(REDRAW, model_hash="abc"), "weights of mini-sd1"),
        (recipe({"operation": "edit", "parameters": {"prompt": "a man", "edits": [
            {"subject": "man", "attribute": "glow", "value": 1}]}}), "glow"),
    ):  # fmt: skip
        with pytest.raises(EditorError, match=said):
            needs(look, tmp_path)
    assert needs(recipe(REDRAW, model="sd-9", amount=0), tmp_path)  # nothing of it is needed


@pytest.mark.parametrize(
    ("settings", "size", "new"),
    [
        (Size(longest=100), (200, 50), (100, 25)),
        (Size(longest=100), (50, 40), (50, 40)),
        (Size(longest=100, enlarge=True), (50, 40), (100, 80)),
        (Size(width=100), (200, 50), (100, 25)),
        (Size(height=10, width=10), (200, 50), (10, 10)),
        (Size(percent=50), (3, 1), (2, 1)),
    ],
)
def test_sizes(settings: Size, size: tuple[int, int], new: tuple[int, int]) -> None:
    assert settings.of(*size) == new


@pytest.mark.parametrize(
    ("settings", "size", "area"),
    [
        (Crop(ratio="1:1"), (300, 200), (50, 0, 200, 200)),
        (Crop(ratio="3:2"), (200, 300), (0, 0, 200, 300)),
        (Crop(ratio="3:2", turn=False), (200, 300), (0, 84, 200, 133)),
        (Crop(ratio="1:1", anchor="left"), (300, 200), (0, 0, 200, 200)),
        (Crop(ratio="99:1"), (5, 5), (0, 2, 5, 1)),
    ],
)
def test_crops(settings: Crop, size: tuple[int, int], area: tuple[int, int, int, int]) -> None:
    assert tuple(settings.of(*size)) == area


def test_every_operation_that_takes_a_picture_can_be_a_step() -> None:
    names = [operation.name for operation in operations_on_pictures()]
    assert {"redraw", "edit"} <= set(names)
    for operation in operations_on_pictures():
        blank = blank_step(operation)
        assert blank.for_picture("b" * 64, 5, 150)
        known = {item.name: item for item in operation.parameters.declared()}
        assert not operation.amount or operation.amount in known
        if operation.amount and operation.amount != "edits":
            parameters = blank.for_picture("b" * 64, 5, 0)
            assert getattr(parameters, operation.amount) == operation.neutral[operation.amount] == 0


def test_sliders_as_text() -> None:
    edits = edits_from_text("man#2:age=1.5, man:smile=-1", "a man and a man")
    assert edits_to_text(edits, "a man and a man") == "man#2:age=1.5, man:smile=-1"
    for wrong in ("age=1", "man:age", "man:age=x", "man:age=nan", "cat:age=1"):
        with pytest.raises(EditorError):
            edits_from_text(wrong, "a man")
    with pytest.raises(EditorError, match="“Age” of “man” is set twice"):
        edits_from_text("man:age=1.5, man:Age=2", "a man")


class Shelf:
    def __init__(self, *concepts: Concept) -> None:
        self._concepts = {one.word: one for one in concepts}

    def words(self) -> tuple[str, ...]:
        return tuple(self._concepts)

    def find(self, word: str) -> Concept:
        if word not in self._concepts:
            raise EditorError("There is no concept “{word}”.", word=word)
        return self._concepts[word]


def concept(value: float, word: str = "<cat>", kind: str = "cat") -> Concept:
    return Concept(word=word, kind=kind, vectors={"clip_l": np.full((1, 8), value, np.float32)})


def test_concepts_are_found_before_all_work_and_decide_the_result() -> None:
    step = {**REDRAW, "parameters": {"prompt": "a photo of <cat>"}}
    written = recipe(WARMER, step)
    with pytest.raises(EditorError, match="Step 2 of the recipe: There is no concept “<cat>”"):
        completed(written, Shelf())
    marks = {completed(written, Shelf(concept(value))).fingerprint() for value in (0.5, 0.5, 0.25)}
    assert len(marks) == 2
    whole = completed(written, Shelf(concept(0.5)))
    assert len(whole.contents) == 1
    assert whole.to_json() == written.to_json()  # a file holds the words, and each machine its own concepts


def test_a_concept_has_the_attributes_of_its_kind(tmp_path: Path) -> None:
    edits = [{"subject": "<ann>", "attribute": "age", "value": 1.0}]
    step = {"operation": "edit", "parameters": {"prompt": "a photo of <ann>", "edits": edits}}
    written = completed(recipe(step), Shelf(concept(0.5, "<ann>", "woman")))
    assert needs(written, tmp_path) != needs(recipe(REDRAW), tmp_path)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("a man", "a man", "say the same"),
        ("a man", "two cats", "no word in common"),
        (" ", "a man", "empty"),
    ],
)
def test_prompts_that_make_no_change_are_told_before_anything_is_computed(
    source: str, target: str, said: str, tmp_path: Path
) -> None:
    """Else each of the files would fail by itself."""
    values = {"source_prompt": source, "prompt": target}
    with pytest.raises(EditorError, match=said):
        needs(recipe({"operation": "insert", "parameters": values}), tmp_path)


@pytest.mark.parametrize("operation", [one.name for one in operations_on_pictures()])
def test_what_a_step_leaves_out_has_its_default(operation: str) -> None:
    """And not what leaving it out means in a layer that is older than the parameter."""
    needed = {"prompt": "a man", "source_prompt": "a cat"}
    declared = {item.name: item for item in OPERATIONS[operation].parameters.declared()}
    given = {name: value for name, value in needed.items() if name in declared}
    made = recipe({"operation": operation, "parameters": given}).steps[0]
    for step in (made, blank_step(OPERATIONS[operation])):
        assert isinstance(step, OperationStep)
        for name, item in declared.items():
            if not item.required and name not in given:
                assert getattr(step.parameters, name) == item.default, name
