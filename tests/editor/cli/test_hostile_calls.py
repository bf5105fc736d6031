"""The one boundary of the command line: hostile calls end with a sentence, a status, and JSON if asked.

Some 470 calls in processes of their own are in `tests.benchmarks.hostile_calls`.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from editor.__main__ import main
from editor.cli import boundary
from editor.cli.output import plain
from tests.helpers import hostile_files

ROOT = Path(__file__).parents[3]
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> hostile_files.Made:
    return hostile_files.make(tmp_path_factory.mktemp("hostile") / "files")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of a call that has to be refused; the JSON says the same."""
    assert main([*arguments, "--json"]) in (1, 2)
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    told = said.get("error") or {"message": " ".join(said.get("problems") or said["refused"])}
    assert told["message"]
    assert main([*arguments]) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "went wrong inside" not in captured.err
    assert not OBEYED.search(captured.err), captured.err
    return captured.err


def test_checkpoints(made: hostile_files.Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(made.checkpoints) > 30
    for path in made.checkpoints:
        refused(capsys, "models", "check", str(path))
        refused(capsys, "models", "add", str(path))


def test_model_folders(made: hostile_files.Made, capsys: pytest.CaptureFixture[str]) -> None:
    harmless = (
        "tokenizer-tokenizer_config",
        "-nan",
        "scheduler-scheduler_config",
        "escape",
        "config.json-wrong",
    )
    for path in made.models:
        if not any(word in path.name for word in harmless):
            refused(capsys, "models", "add", str(path))


def test_lists_of_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, kind in enumerate(hostile_files.LISTS):
        home = tmp_path / str(number)
        hostile_files.settle(home, f"list {kind}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
            assert main(["models", "list", "--json"]) == 0
            captured = capsys.readouterr()
            listed = {one["name"] for one in json.loads(captured.out)["models"]}
            assert {"mini-sd1", "mini-sdxl", "mini-sd3"} <= listed
            if kind == "entries":
                assert "good" in listed
            if kind not in ("empty", "nan", "entries"):
                assert "models.json" in captured.err
            assert not OBEYED.search(captured.err)
            assert main(["models", "list"]) == 0
            assert not OBEYED.search(capsys.readouterr().out)


def test_deltas_and_definitions(
    made: hostile_files.Made,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path in made.definitions:
        refused(capsys, "learn-delta", "--definition", str(path), "-o", str(tmp_path / "d.safetensors"))
    for path in made.deltas:
        assert main(["deltas", "import", str(path)]) in (0, 2)
        captured = capsys.readouterr()
        assert "went wrong inside" not in captured.err
        assert not OBEYED.search(captured.out + captured.err)
    hostile_files.settle(tmp_path, "user's deltas")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert main(["deltas", "list"]) == 0
    captured = capsys.readouterr()
    assert "mini-sd1/person-age" in captured.out
    assert not OBEYED.search(captured.out + captured.err)


@pytest.mark.parametrize("value", ["nan", "-nan", "inf", "1e300", "-1e9", "1e400"])
def test_attributes_beyond_sense(value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit = ["attribute", "--prompt", "a man", "--set", f"man:age={value}", "-o", str(tmp_path / "a.png")]
    assert "must be a number from -100 to 100" in refused(capsys, *edit)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "“frobnicate” is neither a command nor a file"),
        (["absent.png"], "There is no file “absent.png”"),
        (["absent/picture"], "There is no file"),
        (["models", "frobnicate"], "invalid choice"),
        (["generate"], "required: --prompt"),
        (["generate", "--prompt", "x", "-o", "a.png", "--steps", "1000"], "allowed is 1 to 999"),
        (["generate", "--prompt", "x", "-o", "a.png", "--seed", "9" * 5000], "invalid int value"),
        (["models", "check", "a\x1b]0;b\x07\u202e"], r"a\x1b]0;b\x07\u202e"),
        (["deltas", "list", "--model", "-"], "There is no model “-”"),
        (["models", "add", "x" * 5000], "xxx"),
    ],
)
def test_words(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = refused(capsys, *arguments)
    assert said in told
    assert len(told.splitlines()) == 1
    assert len(told) < 2500


def test_unexpected_errors_are_told_and_traced_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: BaseException) -> int:
        def run() -> int:
            raise error

        return boundary.guarded(run, as_json=False)

    assert fail(ZeroDivisionError("a\x1b[2Jb")) == 1
    said = capsys.readouterr().err
    assert said.startswith(r"attune: Something went wrong inside Attune (ZeroDivisionError: a\x1b[2Jb).")
    assert "Traceback" not in said
    assert fail(FileNotFoundError(2, "No such file", "x")) == 1
    assert "“x”: there is no such file" in capsys.readouterr().err
    assert fail(MemoryError()) == 1
    assert "not enough memory" in capsys.readouterr().err
    assert fail(KeyboardInterrupt()) == 130
    monkeypatch.setenv(boundary.TRACEBACK_VARIABLE, "1")
    assert fail(ZeroDivisionError()) == 1
    assert "Traceback" in capsys.readouterr().err


def test_plain_text() -> None:
    assert plain("naïve “日本” 🌊") == "naïve “日本” 🌊"
    assert plain("\x1b[31m\x9b\x7f\n\t\u202e\udcff") == r"\x1b[31m\x9b\x7f\x0a\x09\u202e\udcff"


def started(arguments: list[str], **how: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "editor", *arguments], env={**os.environ, "PYTHONPATH": str(ROOT)}, **how
    )  # pyright: ignore


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/full and closed streams of POSIX systems")
@pytest.mark.parametrize("arguments", [["--help"], ["models", "list", "--json"], ["--version"]])
def test_outputs_that_take_nothing(arguments: list[str]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    reader, gone = os.pipe()
    os.close(reader)
    closing = {"preexec_fn": lambda: os.close(1)}
    for how in ({"stdout": full}, {"stdout": gone}, closing):
        process = started(arguments, stderr=subprocess.PIPE, **how)
        _, said = process.communicate(timeout=60)
        assert b"Traceback" not in said
        assert b"Exception ignored" not in said
        assert process.returncode == 1
        if how == {"stdout": full}:
            assert b"could not be written: no space is left" in said
    os.close(full)
    os.close(gone)


INTERRUPTED = """
import os, runpy, signal, sys
class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            os.kill(os.getpid(), signal.SIGINT)
moment = sys.argv[1]
sys.meta_path.insert(0, Interrupter())
sys.argv[:] = ["attune", "models", "list"]
runpy.run_module("editor", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
@pytest.mark.parametrize(
    "moment",
    [
        "editor.cli.boundary",
        "argparse",
        "editor.cli.parser",
        "inference.operations",
        "editor.cli.library",
        "numpy",
    ],
)
def test_interrupted_early(moment: str) -> None:
    """Ctrl-C while the program is still importing itself; Python's own start cannot be helped."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, moment],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr
    assert done.returncode in (130, -signal.SIGINT), done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="an open folder cannot be deleted there")
def test_in_a_deleted_folder(tmp_path: Path) -> None:
    for arguments, status in (
        (["models", "list"], 0),
        (["deltas", "export", "mini-sd1/person-age"], 1),
        (["x.png"], 2),
    ):
        folder = tmp_path / "gone"
        folder.mkdir()
        command = ["sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", sys.executable, "-m", "editor", *arguments]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
        )
        assert b"Traceback" not in done.stderr
        assert done.returncode == status, done.stderr
