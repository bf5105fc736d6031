"""A learning run that is killed in the middle ends, taken up again, in the bytes of an undisturbed one."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from editor.recovery.checkpoints import Checkpoints, _summary
from editor.system.folders import checkpoints_folder
from inference.definitions import shipped_folder
from inference.errors import EditorError
from tests.helpers.tiny_models import save_tiny_models

# as the command, but with checkpoints all the time
COMMAND = """
import os, sys
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
from inference import progress
progress.CHECKPOINT_INTERVAL_S = 0.05
from editor.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
SECONDS = 240  # on a busy machine


@pytest.mark.skipif(sys.platform == "win32", reason="it knows no signals")
def test_killed_and_taken_up_again(tmp_path: Path) -> None:
    models = save_tiny_models(tmp_path)
    definition = shipped_folder() / "definitions" / "person-age.toml"
    command = [sys.executable, "-c", COMMAND, "learn-delta", "--definition", str(definition)]
    command += ["--method", "learned", "--model", str(models["tiny-sd1"]), "--device", "cpu"]
    command += ["--steps", "12", "--accumulation", "2", "--sampling-steps", "4", "--points", "3"]
    out, undisturbed = tmp_path / "age.safetensors", tmp_path / "undisturbed.safetensors"
    store = Checkpoints(checkpoints_folder())
    with subprocess.Popen([*command, "-o", str(out)]) as process:
        reached, until = 0, time.monotonic() + SECONDS
        while reached < 2 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
            reached = max((_done(path) for path in checkpoints_folder().glob("*.safetensors")), default=0)
        process.kill()
    assert not out.exists()
    (left,), problems = store.left()
    assert problems == ()
    assert 2 <= left.done < 12
    subprocess.run([*command, "-o", str(out), "--resume"], check=True, timeout=SECONDS)
    subprocess.run([*command, "-o", str(undisturbed)], check=True, timeout=SECONDS)
    assert out.read_bytes() == undisturbed.read_bytes()
    assert store.left() == ((), ())


def _done(path: Path) -> int:
    try:
        return _summary(path).done
    except EditorError:  # it is being replaced
        return 0
