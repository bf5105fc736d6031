"""What a method's picture leaves of its source where there are no layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from editor.batch.editing import edited
from editor.generating.untouched import untouched_outside
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster
from inference.content import Mask, Picture, content_hash
from inference.operations import Edit, Insert, SubjectEdit
from inference.parameters import Parameters
from inference.progress import Measurements
from inference.request import Request, Result
from tests.editor.batch.pictures import recipe

SEEN = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
LEFT = np.pad(np.ones((4, 1), np.float32), ((2, 2), (1, 10)))
RIGHT = np.pad(np.ones((4, 1), np.float32), ((2, 2), (10, 1)))
AGE = SubjectEdit(start=0, end=3, attribute="age", value=1.0)


def result(parameters: Parameters, maps: dict[str, np.ndarray], operation: str = "edit") -> Result:
    request = Request(operation=operation, parameters=parameters, model="m")
    return Result(request=request, images=(255 - SEEN,), maps=maps, measured=Measurements())


def test_outside_of_what_is_edited_it_is_the_picture_that_was_given() -> None:
    parameters = Edit(image=Picture(content_hash(SEEN)), prompt="man cat", edits=(AGE,))
    (image,) = untouched_outside(result(parameters, {"mask/0-3": LEFT, "mask/4-7": RIGHT}), SEEN)
    assert image.shape == SEEN.shape
    assert np.array_equal(image[:, 48:], SEEN[:, 48:])
    assert np.array_equal(image[16:48, 8:16], 255 - SEEN[16:48, 8:16])


def test_what_an_insertion_says_counts_as_well() -> None:
    parameters = Insert(image=Picture(content_hash(SEEN)), source_prompt="a man", prompt="a cat")
    (image,) = untouched_outside(result(parameters, {"mask/change": LEFT}, "insert"), SEEN)
    assert np.array_equal(image[:, 48:], SEEN[:, 48:])


@pytest.mark.parametrize(
    ("maps", "mask"),
    [({}, None), ({"attention/0-3": LEFT}, None), ({"mask/0-3": LEFT}, Mask(content_hash(SEEN[..., 0])))],
)
def test_without_such_a_word_or_with_a_mask_of_somebodys_it_is_as_it_is(
    maps: dict[str, np.ndarray], mask: Mask | None
) -> None:
    given = result(Edit(image=Picture(content_hash(SEEN)), prompt="man cat", edits=(AGE,), mask=mask), maps)
    assert untouched_outside(given, SEEN) is given.images


def test_a_batch_leaves_16_bits_untouched_there() -> None:
    samples = np.random.default_rng(1).integers(0, 65536, (64, 96, 4), np.uint16)
    samples[..., 3] = 65535
    state = DocumentState.of_layer(Layer(name="photo", raster=Raster.of(samples)))
    edits = [{"subject": "man", "attribute": "age", "value": 1.0}]
    look = recipe({"operation": "edit", "parameters": {"prompt": "man cat", "edits": edits}})

    def carry_out(request: Request, contents: Any) -> Result:
        (seen,) = [one for one in contents.values() if isinstance(one, np.ndarray)]
        return Result(request=request, images=(255 - seen,), maps={"mask/0-3": LEFT}, measured=Measurements())

    found = edited(state, SourceMetadata(), look, seed=0, model_hash="", carry_out=carry_out)
    changed = (found.samples != samples).any(-1)
    assert changed[16:48, 8:16].all()
    assert not changed[:, 48:].any()
