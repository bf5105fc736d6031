"""Parts of an evaluation, and their files put together."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import EditorError
from inference.evaluation.parts import Part, gather, part_of


@given(st.integers(0, 60), st.integers(1, 20))
def test_all_parts_together_are_the_whole(cases: int, count: int) -> None:
    parts = [Part(index, count).of(range(cases)) for index in range(1, count + 1)]
    assert sorted(case for part in parts for case in part) == list(range(cases))


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/2", "1/9999999", "٣/٤"])
def test_no_part(text: str) -> None:
    with pytest.raises(EditorError, match="no part"):
        part_of(text)


def test_a_part_by_its_text() -> None:
    assert part_of("3/16") == Part(3, 16)


def written(path: Path, **values: Any) -> Path:
    path.write_text(json.dumps({"suite": "leakage", "model": "m", "model_hash": "h", **values}))
    return path


def test_measurements_come_together(tmp_path: Path) -> None:
    one = written(tmp_path / "1.json", sliders={"text": {"a": {"x": 1}}}, summary={"n": 1}, seconds=2.0)
    two = written(tmp_path / "2.json", sliders={"text": {"b": {"x": 2}}, "latents": {"b": {"x": 3}}})
    gather(tmp_path / "all.json", [one, two])
    gather(tmp_path / "all.json", [two])  # what is there already changes nothing
    found = json.loads((tmp_path / "all.json").read_text())
    assert found["sliders"] == {"text": {"a": {"x": 1}, "b": {"x": 2}}, "latents": {"b": {"x": 3}}}
    assert "summary" not in found
    assert "seconds" not in found


def test_costs_are_added_and_never_twice(tmp_path: Path) -> None:
    one = written(tmp_path / "1.json", cells={"c": {"a": {}}}, costs={"c": {"pictures": 1, "seconds": 2}})
    two = written(tmp_path / "2.json", cells={"c": {"b": {}}}, costs={"c": {"pictures": 1, "seconds": 3}})
    whole = tmp_path / "all.json"
    gather(whole, [one, two])
    assert json.loads(whole.read_text())["costs"] == {"c": {"pictures": 2, "seconds": 5}}
    with pytest.raises(EditorError, match="Gather each part once"):
        gather(whole, [two])
    assert json.loads(whole.read_text())["costs"]["c"]["seconds"] == 5


@pytest.mark.parametrize("other", [{"model_hash": "another"}, {"positions": [1]}, {"suite": "picture"}])
def test_other_settings_are_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    one = written(tmp_path / "1.json", sliders={})
    two = written(tmp_path / "2.json", **{"sliders": {}, **other})
    with pytest.raises(EditorError, match=f"differ in “{next(iter(other))}”"):
        gather(tmp_path / "all.json", [one, two])
    assert not (tmp_path / "all.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"suite": 3}'])
def test_no_evaluation(tmp_path: Path, text: str) -> None:
    path = tmp_path / "1.json"
    path.write_text(text)
    with pytest.raises(EditorError, match="evaluation"):
        gather(tmp_path / "all.json", [path])
