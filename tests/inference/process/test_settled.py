"""No process is started while OpenCV has its folder on the module path."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from inference.process import settled

ROOT = Path(__file__).parents[3]
ODD = """
import sys, threading
from inference.process.settled import settled_path
def is_odd(): return any(entry.rstrip("/").endswith("cv2") for entry in sys.path)
thread = threading.Thread(target=lambda: __import__("cv2"))
"""


def said(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ODD + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_it_waits_for_a_loader_that_is_at_work() -> None:
    found = said("""
thread.start()
while not is_odd() and thread.is_alive(): pass
seen = is_odd()
with settled_path(): print(seen, is_odd())
""")
    assert found[1] == "False", found


def test_it_waits_as_long_as_a_loader_is_at_work() -> None:
    found = said("""
from inference.process import settled
settled._PATIENCE_S = 0.0  # a busy machine needs longer than any patience
thread.start()
while not is_odd() and thread.is_alive(): pass
seen = is_odd()
with settled_path(): print(seen, is_odd())
""")
    assert found == ["True", "False"]


def test_a_loader_on_its_way_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = settled._Gate()
    monkeypatch.setattr(sys, "OpenCV_LOADER", True, raising=False)
    loader = threading.Thread(target=gate.find_spec, args=("cv2",), daemon=True)
    loader.start()
    loader.join(3)
    assert not loader.is_alive(), "each would wait for the other until the path was odd"


def test_a_loader_that_begins_meanwhile_waits() -> None:
    found = said("""
with settled_path():
    thread.start()
    thread.join(0.5)
    print(is_odd(), thread.is_alive())
thread.join(60)
print(is_odd(), thread.is_alive(), hasattr(sys.modules["cv2"], "GaussianBlur"), len(sys.meta_path))
before = len(sys.meta_path)
with settled_path(): pass
print(len(sys.meta_path) == before)
""")
    assert found[:5] == ["False", "True", "False", "False", "True"]
    assert found[-1] == "True"


def test_nothing_is_loaded_for_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert said("""
with settled_path(): pass
print("cv2" in sys.modules)
""") == ["False"]
    assert capfd.readouterr().err == ""


def test_the_thread_that_starts_a_process_may_load_it_itself() -> None:
    assert said("""
with settled_path():
    import cv2
    print(hasattr(cv2, "GaussianBlur"))
""") == ["True"]
