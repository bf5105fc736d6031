"""What must not be imported when: measured in fresh interpreters."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FULLEST_ROOM = 32  # modules side by side
HEAVY = ("torch", "diffusers", "transformers")


def printed_by(code: str) -> str:
    """What `code` prints in a fresh interpreter."""
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return run.stdout.strip()


def imported_by(statement: str) -> set[str]:
    """Top-level modules that are loaded after `statement` in a fresh interpreter."""
    return set(
        printed_by(
            f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
        ).split()
    )


@pytest.mark.parametrize(
    "module",
    [
        "inference.operations",
        "inference.deltas",
        "inference.models",
        "inference.prompts.words",
        "inference.runner",
        "inference.service",
        "inference.worker",
        "editor.__main__",
        "editor.application",
        "editor.cli.parser",
        "widgets.window.main_window",
    ],
)
def test_window_and_command_line_start_without_torch(module: str) -> None:
    assert not imported_by(f"import {module}").intersection(HEAVY)


@pytest.mark.parametrize("module", ["inference.runner", "inference.weights.loading", "editor.cli.parser"])
def test_the_command_line_runs_without_qt_widgets(module: str) -> None:
    assert printed_by(f"import {module}, sys; print('PySide6.QtWidgets' in sys.modules)") == "False"


def test_no_room_is_a_hall() -> None:
    modules = [path for floor in ("editor", "inference", "widgets") for path in (ROOT / floor).rglob("*.py")]
    rooms = Counter(str(path.parent.relative_to(ROOT)) for path in modules if path.name != "__init__.py")
    assert {room: count for room, count in rooms.items() if count > FULLEST_ROOM} == {}


def test_files_in_json_are_read_in_one_way() -> None:
    """Which refuses names that are there twice; the built-in world reads only what it wrote itself."""
    found = [
        str(path.relative_to(ROOT))
        for floor in ("editor", "inference", "widgets")
        for path in (ROOT / floor).rglob("*.py")
        if re.search(r"\bjson\.loads?\(", path.read_text(encoding="utf-8"))
    ]
    assert [path for path in found if not path.startswith("inference/miniworld/")] == ["inference/values.py"]
