"""The kinds of a detection model, from its configuration."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.detection_labels import detection_labels
from inference.errors import EditorError


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "cat", "1": "dog"}}))
    assert detection_labels(str(tmp_path)) == {"cat", "dog"}


def test_a_model_in_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models--someone--detr"
    snapshot = folder / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    (snapshot / "config.json").write_text(json.dumps({"id2label": {"0": "bus"}}))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert detection_labels("someone/detr") == {"bus"}


@pytest.mark.parametrize("name", ["someone/not-here", "no folder at all!", ""])
def test_one_that_is_not_here_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EditorError, match="not on this machine"):
        detection_labels(name)


@given(
    content=st.one_of(st.text(), st.sampled_from(["[]", "{}", '{"id2label": 3}', '{"id2label": [1]}', "1"]))
)
def test_any_other_configuration_is_refused(content: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("model")
    (folder / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(EditorError, match="is no detection model"):
        detection_labels(str(folder))
