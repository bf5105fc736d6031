"""The shipped deltas are those of the shipped models' text encoders; a stale one would move nothing."""

from pathlib import Path

import numpy as np
import pytest

from inference.definitions import read_definitions, shipped_folder
from inference.deltas import DeltaLibrary
from inference.models import Catalogue

BUILT_IN = [entry.name for entry in Catalogue(Path("unused")).entries() if entry.sandbox]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_definition_is_shipped_and_up_to_date(name: str) -> None:
    from inference.methods.naive_delta import learn_naive
    from inference.weights.loading import load_backbone

    entry = Catalogue(Path("unused")).find(name)
    backbone = load_backbone(entry, device="cpu")
    library = DeltaLibrary((shipped_folder(),))
    definitions = read_definitions(shipped_folder() / "definitions")
    shipped = {info.name: info for info in library.list(entry)}
    assert set(shipped) == {definition.name for definition in definitions}
    for definition in definitions:
        info = shipped[definition.name]
        assert (info.label, info.subjects) == (definition.label, definition.subjects)
        if definition.name not in ("person-age", "plant-size"):
            continue  # two tell whether the text encoders are the same
        fresh = learn_naive(backbone, definition)
        for encoder, vector in library.load(info).vectors.items():
            np.testing.assert_allclose(vector, fresh.vectors[encoder], rtol=1e-3, atol=1e-3)
