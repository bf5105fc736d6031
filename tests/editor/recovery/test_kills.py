import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_some_kills() -> None:
    """A slice of tests/benchmarks/kills.py, which kills a thousand times."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.kills", "--kills", "10", "--window", "0.3"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 kills: 0 wrong" in done.stdout
