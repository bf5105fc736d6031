"""Suggestions of what a picture shows: whether a detector is there to make them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor.application import Application
from inference.operations import Family
from tests.helpers.fake_application import FakeEntry, make_application


@pytest.fixture
def application(tmp_path: Path, qtbot: QtBot) -> Iterator[Application]:
    made = make_application(tmp_path, automatic=False)
    yield made
    made.shutdown()


def test_a_detector_that_comes_later_is_found(application: Application, tmp_path: Path) -> None:
    application.catalogue._entries.append(FakeEntry("photos", Family.SDXL, sandbox=False))  # type: ignore[attr-defined]
    application.settings.set("model", "photos")
    application.settings.set("detector", str(tmp_path / "owl"))
    assert not application.descriptions.can_suggest
    (tmp_path / "owl").mkdir()
    (tmp_path / "owl" / "config.json").write_text(json.dumps({"id2label": {"0": "zebra"}}))
    assert application.descriptions.can_suggest
