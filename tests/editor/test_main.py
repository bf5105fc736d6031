"""The composition root: what the window's own service may run."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor.__main__ import make_application
from editor.layers.recipes import Recipe
from inference.errors import EditorError
from inference.operations import Generate
from inference.request import Request
from inference.service import JobState, Priority


@pytest.mark.parametrize("priority", [Priority.INTERACTIVE, Priority.IDLE])
def test_a_model_that_a_project_names_by_a_path_is_offered_not_loaded(
    tmp_path: Path, qtbot: QtBot, priority: Priority
) -> None:
    folder = tmp_path / "planted"
    folder.mkdir()
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    application = make_application()
    try:
        for named in (str(folder), "someone/planted"):
            request = Request(
                operation="generate", parameters=Generate(prompt="a man"), model=named, model_hash="ab" * 16
            )
            job = application.service.submit(request, priority=priority)
            qtbot.waitUntil(lambda job=job: job.is_over, timeout=60000)
            assert job.state is JobState.FAILED
            assert job.error is not None
            assert named in job.error.message
            assert "abab" in job.error.message
            assert "attune models add" in job.error.hint
        assert application.sessions.attributes(str(folder), "a man") == ()
    finally:
        application.shutdown()


def test_a_recipe_of_a_file_chooses_no_detection_model() -> None:
    request = {
        "operation": "refine-trial",
        "parameters": {"prompt": "a cat", "detector": "/planted"},
        "model": "mini-sd1",
    }
    with pytest.raises(EditorError, match="“/planted”"):
        Recipe.from_json({"request": request})
