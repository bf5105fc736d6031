"""`attune loras …`, and `--lora` in other commands."""

import json
from pathlib import Path

import pytest

from editor.__main__ import main
from editor.cli import operations
from editor.cli.output import size_text
from inference.operations import LoraUse
from tests.editor.cli.test_concepts import Runner
from tests.inference.loras.test_files import _SD1, pair, write


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    made = Runner()
    monkeypatch.setattr(operations, "runner_of", lambda arguments: made)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    tensors = pair(_SD1, 768) | {"strange": pair("x.y")["x.y.alpha"]}
    return write(tmp_path / "pixel.safetensors", tensors, {"modelspec.trigger_phrase": "pixel art, 8 bit"})


def test_loras_are_added_listed_given_words_and_removed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["loras", "add", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "pixel (SD1, rank 2; layers: denoiser 1) was added." in out
    assert "words for the prompt: pixel art, 8 bit" in out
    assert "1 tensors of “pixel” are of no known layer and stay unused: strange …" in err
    assert main(["loras", "words", "pixel", "pixel art"]) == 0
    capsys.readouterr()
    assert main(["loras", "list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["loras"]
    assert (found["name"], found["family"], found["words"]) == ("pixel", "sd1", ["pixel art"])
    assert found["path"] == str(file)
    assert main(["loras", "remove", "pixel"]) == 0
    assert main(["loras", "remove", "pixel"]) == 2
    assert file.exists()


def test_a_folder_is_looked_through_and_what_is_none_is_named(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    below = tmp_path / "loras" / "styles"
    below.mkdir(parents=True)
    file.rename(below / "pixel.safetensors")
    write(below / "other.safetensors", pair(_SD1, 1024))
    (below / "none.safetensors").write_bytes(b"x" * 100)
    (below / "circle").symlink_to(tmp_path)
    assert main(["loras", "add", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(one["name"] for one in found["loras"]) == ["other", "pixel"]
    assert len(found["refused"]) == 1
    assert "none.safetensors" in found["refused"][0]
    assert main(["loras", "add", str(tmp_path), "--name", "all"]) == 2
    assert "One name cannot stand for a folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["loras", "add", str(tmp_path / "empty")]) == 2
    assert "There is no LoRA in" in capsys.readouterr().err


def test_of_several_files_one_that_is_none_stops_no_other(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["loras", "add", str(tmp_path / "gone.safetensors"), str(file)]) == 2
    out, err = capsys.readouterr()
    assert "pixel (SD1" in out
    assert "There is no file" in err


def test_strengths_travel_with_every_command_that_samples(runner: Runner, file: Path, tmp_path: Path) -> None:
    assert main(["loras", "add", str(file), "--name", "a"]) == 0
    other = write(tmp_path / "b.safetensors", pair(_SD1, 1024))
    assert main(["loras", "add", str(other)]) == 0
    out = tmp_path / "out.png"
    command = ["generate", "--prompt", "a man", "--lora", "a:0.5", "--lora", "B", "-o", str(out)]
    assert main(command) == 0
    uses: tuple[LoraUse, ...] = runner.requests[0].parameters.loras  # type: ignore[attr-defined]
    assert [(use.name, use.strength) for use in uses] == [("a", 0.5), ("b", 1.0)]
    edit = [
        "redraw",
        "--image",
        str(out),
        "--prompt",
        "a man",
        "--lora",
        "a:-1",
        "-o",
        str(tmp_path / "r.png"),
    ]
    assert main(edit) == 0
    (use,) = runner.requests[1].parameters.loras  # type: ignore[attr-defined]
    assert (use.hash, use.strength) == (uses[0].hash, -1.0)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("nothing", "There is no LoRA “nothing”"),
        ("pixel:strong", "“pixel:strong” cannot be read"),
        ("pixel:5", "must be a number from -4 to 4"),
        ("pixel:nan", "must be a number from -4 to 4"),
    ],
)
def test_wrong_ones_are_named(
    given: str, reason: str, runner: Runner, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["loras", "add", str(file)]) == 0
    command = ["generate", "--prompt", "a man", "--lora", given, "-o", str(tmp_path / "out.png")]
    assert main(command) == 2
    assert reason in capsys.readouterr().err
    assert runner.requests == []


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 MiB"),
        (100, "0.01 MiB"),
        (150_000, "0.14 MiB"),
        (3 * 2**20, "3 MiB"),
        (2_000 * 2**20, "2000 MiB"),
    ],
)
def test_no_size_is_told_as_nothing(count: int, told: str) -> None:
    assert size_text(count) == told
