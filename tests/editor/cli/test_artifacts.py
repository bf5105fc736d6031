"""`attune learn-delta`: kept in a file or in the library; interrupted, killed, taken up again."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from editor.__main__ import main
from editor.cli import operations
from editor.recovery.checkpoints import Checkpoints, Held
from editor.system.folders import checkpoints_folder, deltas_folder
from inference import progress as progress_module
from inference.deltas import DeltaLibrary, delta_to_bytes, read_delta_file
from inference.errors import EditorError, WritingError
from inference.progress import Progress
from inference.request import Request, Result
from tests.helpers.scripted_learner import TOML, ScriptedLearner


class Learner(ScriptedLearner):
    """Interrupts itself, as Ctrl+C does, or dies, at a step."""

    interrupt_at = -1
    die_at = -1

    def run(
        self, request: Request, contents: Mapping[str, Any], progress: Progress, resume: bytes | None = None
    ) -> Result:
        step = progress.step

        def stepped(done: int, total: int, preview: Any = None) -> None:
            step(done, total, preview)
            if done == self.interrupt_at:
                self.interrupt_at = -1
                signal.raise_signal(signal.SIGINT)
            if done == self.die_at:
                self.die_at = -1
                raise EditorError("It fell over.")

        progress.step = stepped  # type: ignore[method-assign]
        return super().run(request, contents, progress, resume)


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Learner:
    made = Learner()
    monkeypatch.setattr(operations, "runner_of", lambda arguments: made)
    monkeypatch.setattr("editor.cli.artifacts.runner_of", lambda arguments: made)
    monkeypatch.setattr(progress_module, "CHECKPOINT_INTERVAL_S", 0.0)
    return made


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    path = tmp_path / "tired.toml"
    path.write_bytes(TOML)
    return ["learn-delta", "--definition", str(path), "--method", "learned", "--steps", "12"]


def vectors_in(path: Path) -> bytes:
    return delta_to_bytes(read_delta_file(path))


@pytest.fixture
def undisturbed(learner: Learner, arguments: list[str], tmp_path: Path) -> bytes:
    path = tmp_path / "undisturbed.safetensors"
    assert main([*arguments, "-o", str(path)]) == 0
    return vectors_in(path)


def test_without_a_place_it_goes_into_the_library(
    learner: Learner, arguments: list[str], undisturbed: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    path = deltas_folder() / "mini-sdxl" / "person-tired.safetensors"
    assert str(path) in capsys.readouterr().out
    assert vectors_in(path) == undisturbed
    assert DeltaLibrary((deltas_folder(),)).list()[0].label == "Tired"
    assert Checkpoints(checkpoints_folder()).left() == ((), ())


def test_json_says_what_was_asked_and_what_it_cost(
    learner: Learner, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.safetensors"
    assert main([*arguments, "-o", str(out), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["method"], values["widths"], values["outputs"]) == ("learned", {"clip_l": 96}, [str(out)])
    assert (values["denoiser_evaluations"], values["definition"]) == (12, arguments[2])


def test_an_interruption_stops_at_a_place_to_go_on_from(
    learner: Learner,
    arguments: list[str],
    undisturbed: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.safetensors"
    learner.interrupt_at = 5
    handler = signal.getsignal(signal.SIGINT)
    assert main([*arguments, "-o", str(out)]) == 130
    assert signal.getsignal(signal.SIGINT) in (handler, signal.default_int_handler)
    assert "stopped at 5 of 12. The same command with --resume goes on." in capsys.readouterr().err
    assert not out.exists()
    assert main([*arguments, "-o", str(out), "--resume", "--json"]) == 0
    assert vectors_in(out) == undisturbed
    assert json.loads(capsys.readouterr().out)["denoiser_evaluations"] == 12, "none is done twice"


def test_an_interruption_on_a_full_disk_promises_nothing(
    learner: Learner,
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(held: Held, checkpoint: object) -> None:
        raise WritingError("“{name}” could not be written: {reason}.", name="x", reason="no space")

    monkeypatch.setattr(Held, "write", full)
    learner.interrupt_at = 5
    assert main([*arguments, "-o", str(tmp_path / "out.safetensors")]) == 130
    told = capsys.readouterr().err
    assert told.count("no space") == 1
    assert "stopped at 5 of 12. What was done could not be kept." in told
    assert "--resume goes on" not in told


def test_what_cannot_be_written_at_the_end_is_not_lost(
    learner: Learner,
    arguments: list[str],
    undisturbed: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    call = [*arguments, "-o", str(place / "out.safetensors")]
    with pytest.MonkeyPatch.context() as patch:

        def full(path: Path) -> None:
            raise WritingError("“{name}” could not be written: {reason}.", name="x", reason="no space")

        patch.setattr("editor.cli.artifacts.atomic_write", full)
        assert main(call) != 0
    told = capsys.readouterr().err
    assert "no space" in told
    assert "the same command with --resume goes on" in told
    assert main([*call, "--resume"]) == 0
    assert vectors_in(place / "out.safetensors") == undisturbed


def test_a_run_that_ended_anyhow_goes_on_from_its_last_checkpoint(
    learner: Learner, arguments: list[str], undisturbed: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "out.safetensors"
    learner.die_at = 7
    assert main([*arguments, "-o", str(out)]) == 2
    (left,), _ = Checkpoints(checkpoints_folder()).left()
    assert left.label == "Learn an attribute's direction: Tired", "the window tells several apart"
    assert (left.done, left.total) == (6, 12)
    assert main([*arguments, "-o", str(out), "--resume"]) == 0
    assert vectors_in(out) == undisturbed


def test_what_there_is_or_is_not_to_go_on_from_is_said(
    learner: Learner, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["-o", str(tmp_path / "out.safetensors")]
    assert main([*arguments, *out, "--resume"]) == 0
    assert "nothing to go on from" in capsys.readouterr().err
    learner.die_at = 7
    assert main([*arguments, *out]) == 2
    capsys.readouterr()
    assert main([*arguments, *out]) == 0
    assert "--resume would have gone on" in capsys.readouterr().err


def test_the_same_run_elsewhere_is_told(
    learner: Learner, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learner.die_at = 7
    assert main([*arguments, "-o", str(tmp_path / "out.safetensors")]) == 2
    store = Checkpoints(checkpoints_folder())
    with store.hold(store.left()[0][0].name):
        assert main([*arguments, "-o", str(tmp_path / "out.safetensors")]) == 2
    assert "worked on already" in capsys.readouterr().err


def test_where_nothing_can_be_kept_it_learns_all_the_same(
    learner: Learner, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = checkpoints_folder()
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"")
    out = tmp_path / "out.safetensors"
    assert main([*arguments, "-o", str(out)]) == 0
    assert out.exists()
    assert "could not be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["-o", "delta.png"], "A delta is a .safetensors file"),
        (["-o", os.sep], "A delta is a .safetensors file|is a folder"),
        (["--definition", "nowhere.toml"], "nowhere.toml"),
        (["--steps", "0"], "Steps is 0"),
        (["--learning-rate", "nan"], "Learning rate"),
    ],
)
def test_wrong_values_are_told_before_all_work(
    given: list[str], problem: str, learner: Learner, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, *given]) == 2
    said = capsys.readouterr().err
    assert any(one in said for one in problem.split("|"))
    assert len(said.splitlines()) == 1
