"""The file of an evaluation: what is in it stays, whatever it is."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from inference.errors import EditorError
from inference.evaluation import concept, insert, leakage, picture, two_attributes
from inference.evaluation.record import Record


@pytest.mark.parametrize(
    "content", ['{"version": 1, "name": "Painted", "steps": []}', '{"suite": "refine"}', "[]"]
)
def test_a_json_file_of_another_kind_is_not_overwritten(content: str, tmp_path: Path) -> None:
    path = tmp_path / "look.json"
    path.write_text(content)
    with pytest.raises(EditorError, match="no file of the evaluation “insert”"):
        Record(path, {"suite": "insert", "model": "m"}, ("rows",)).write()
    assert path.read_text() == content


def test_what_another_model_was_measured_with_is_kept_beside(tmp_path: Path) -> None:
    """A day of measuring one model went as soon as another one was measured into the same file."""
    path = tmp_path / "figures.json"
    for model in ("one", "two", "three"):
        for again in range(2):
            record = Record(path, {"suite": "insert", "model": model}, ("rows",))
            assert (record.values["rows"] == {}) == (again == 0)
            record.values["rows"]["app"] = {"0": model}
            record.write()
            record.write()
    found = {one.name: json.loads(one.read_text())["model"] for one in tmp_path.iterdir()}
    assert found == {"figures-earlier.json": "one", "figures-earlier-2.json": "two", "figures.json": "three"}


@pytest.mark.parametrize(
    ("summarise", "sections"),
    [
        (insert.summarise, {"rows": {"app": {"0": {"kind": 3}}}}),
        (insert.summarise, {"rows": {"app": 5}}),
        (leakage.summarise, {"sliders": {"nonsense": {"0": {}}}}),
        (picture.summarise, {"reconstruction": {"direct": {"0": []}}, "sliders": {}, "redrawn": {}}),
        (two_attributes.summarise, {"generated": {"0": {}}, "real": {}}),
        (concept.summarise, {"learnt": {"plain|x": {}}, "inserted": {}}),
    ],
)
def test_damaged_measurements_are_told_before_anything_is_measured(
    summarise: Callable[[Mapping[str, Any]], object], sections: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"suite": "x", **sections}))
    with pytest.raises(EditorError, match="is damaged"):
        Record(path, {"suite": "x"}, tuple(sections), summarise)
