"""The detector that comes with the built-in models is there for whoever asks first."""

import subprocess
import sys


def test_the_detector_is_known_before_anything_was_run() -> None:
    asked = "from inference.evaluation.judging import shipped_detector; assert callable(shipped_detector())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
