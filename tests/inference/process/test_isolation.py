"""Python files in the working directory never run: not in the program, not in the process of its models."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from inference.process import isolation

ROOT = Path(__file__).parents[3]
OTHERS = (
    "numpy",
    "torch",
    "diffusers",
    "transformers",
    "safetensors",
    "PIL",
    "PySide6",
    "platformdirs",
    "cv2",
)
HOOKS = ("sitecustomize", "usercustomize")

SERVICE = """
import sys
from PySide6.QtCore import QCoreApplication, QTimer
from inference.operations import Generate
from inference.request import Request
from inference.service import InferenceService
from tests.helpers.scripted_runner import ScriptedRunner

if __name__ == "__main__":
    qt = QCoreApplication(sys.argv)
    service = InferenceService(ScriptedRunner)
    service.job_finished.connect(lambda *_: qt.exit(0))
    service.job_failed.connect(lambda _, error: (print(error), qt.exit(3)))
    service.submit(Request(operation="generate", parameters=Generate(prompt="steps 1"), model=""))
    QTimer.singleShot(60000, lambda: qt.exit(4))
    status = qt.exec()
    service.shutdown()
    sys.exit(status)
"""


@pytest.fixture(scope="module")
def imported_by_python(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """What `python -m` has imported before the first line of the module: nobody can keep that out."""
    folder = tmp_path_factory.mktemp("probe")
    (folder / "probe.py").write_text("import sys\nprint(*sys.modules)\n")
    call = [sys.executable, "-m", "probe"]
    seen = subprocess.run(call, cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return frozenset(name.partition(".")[0] for name in seen.stdout.split())


@pytest.fixture
def trap(tmp_path: Path, imported_by_python: frozenset[str]) -> Path:
    """A folder of photos with a Python file for nearly every module there is; each tells that it ran."""
    folder = tmp_path / "photos"
    folder.mkdir()
    told = tmp_path / "ran"
    names = {*sys.stdlib_module_names, *OTHERS, *HOOKS} - imported_by_python - set(sys.builtin_module_names)
    for name in names:
        (folder / f"{name}.py").write_text(f"open({str(told)!r}, 'a').write({name!r} + chr(10))\n")
    assert len(names) > 150
    return folder


def ran(trap: Path) -> str:
    told = trap.parent / "ran"
    return told.read_text() if told.exists() else ""


def environment(**more: str) -> dict[str, str]:
    unset = ("PYTHONSAFEPATH", "COVERAGE_PROCESS_START")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def test_the_trap_works(trap: Path) -> None:
    """Without what is tested below, a planted file does run."""
    call = [sys.executable, "-c", "import selectors"]
    subprocess.run(call, cwd=trap, env=environment(), capture_output=True, check=False)
    assert "selectors" in ran(trap)


@pytest.mark.parametrize("path", [str(ROOT), f"{os.pathsep}{ROOT}", f".{os.pathsep}{ROOT}"])
def test_service_and_its_child(trap: Path, tmp_path: Path, path: str) -> None:
    script = tmp_path / "serve.py"
    # the parent is clean; what is looked at is how the child starts
    start = f"import os, sys\nsys.path[:0] = [{str(ROOT)!r}]\nos.environ['PYTHONPATH'] = {path!r}\n"
    script.write_text(start + SERVICE)
    call = [sys.executable, str(script)]
    done = subprocess.run(call, cwd=trap, env=environment(), capture_output=True, text=True, check=False)
    assert ran(trap) == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["models", "list"], ["models", "check", "mini-sd1"]])
def test_command_line(trap: Path, arguments: list[str]) -> None:
    call = [sys.executable, "-m", "editor", *arguments]
    done = subprocess.run(call, cwd=trap, env=environment(), capture_output=True, text=True, check=False)
    assert ran(trap) == ""
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_window_opens_a_picture_beside_planted_files(trap: Path) -> None:
    Image.new("RGB", (8, 8)).save(trap / "photo.png")
    call = [sys.executable, "-m", "editor", "photo.png"]
    window = subprocess.Popen(call, cwd=trap, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        child = _engine_of(window.pid)
        assert child, "the engine's process did not start"
        _wait(lambda: "libtorch" in Path(f"/proc/{child}/maps").read_text())
        places = {process: Path(f"/proc/{process}/cwd").resolve() for process in (window.pid, child)}
    finally:
        window.terminate()
        _, said = window.communicate(timeout=60)
    assert ran(trap) == ""
    assert "Traceback" not in said
    assert trap.resolve() not in places.values(), "the folder of photos is still the working directory"


def test_isolating_keeps_the_program_and_marks_of_hooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside").mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", str(ROOT), "inside", str(tmp_path / "inside")]))
    elsewhere = str(tmp_path / "inside")
    given = ["", ".", str(tmp_path), "inside", "__editable__.hook", elsewhere, str(ROOT), os.__file__]
    monkeypatch.setattr(sys, "path", given)
    isolation.isolate()
    assert sys.path == ["__editable__.hook", elsewhere, str(ROOT), os.__file__]
    assert os.environ["PYTHONPATH"] == os.pathsep.join([str(ROOT), elsewhere])
    monkeypatch.chdir(ROOT)
    sys.path[:] = [""]
    isolation.isolate()
    assert sys.path == [str(ROOT.resolve())]
    monkeypatch.chdir(Path(os.__file__).parent)
    sys.path[:] = [str(Path(os.__file__).parent)]
    isolation.isolate()
    assert sys.path, "Python's own library went"


def test_isolating_in_a_deleted_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "path", ["", str(ROOT)])
    isolation.isolate()
    assert sys.path == [str(ROOT)]


def _engine_of(parent: int) -> int:
    """The process that `multiprocessing` started for the models."""
    found = [0]

    def there() -> bool:
        children = Path(f"/proc/{parent}/task").glob("*/children")
        for child in " ".join(file.read_text() for file in children).split():
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                found[0] = int(child)
        return bool(found[0])

    _wait(there)
    return found[0]


def _wait(condition: "object", limit_s: float = 90.0) -> None:
    assert callable(condition)
    end = time.monotonic() + limit_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
