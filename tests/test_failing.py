"""A failing run ends with its status, whatever was still alive; not with a signal, and not never."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_run_of_failing_tests_ends_with_status_1() -> None:
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "pytest",
        "-q",
        "--tb=line",
        "-p",
        "no:cacheprovider",
    ]
    run = subprocess.run(
        [*command, "tests/helpers/failing_on_purpose.py"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = run.stdout + run.stderr
    assert run.returncode == 1, said
    assert "13 failed" in run.stdout, said
    assert "error" not in run.stdout.splitlines()[-1], said
    assert not run.stderr, said
