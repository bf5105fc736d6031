"""`attune batch`, as it is called from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from editor.__main__ import main
from tests.editor.batch.pictures import (
    REDRAW,
    WARMER,
    batch,
    damage,
    folder_of,
    picture,
    recipe,
    results,
    written,
)

SMALLEST = {"version": 1, "name": "…", "model": "mini-sd1", "seed": 3, "steps": [REDRAW]}


def called(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    status = main(["batch", *map(str, arguments), "--json"])
    captured = capsys.readouterr()
    return status, json.loads(captured.out), captured.err


def test_a_folder_and_its_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = folder_of(tmp_path / "in"), tmp_path / "a" / "out"
    look = written(tmp_path / "r.json", WARMER)
    flags = ("--report", tmp_path / "r.html", "--sheet", tmp_path / "s.png", "--format", "jpeg")
    status, told, _ = called(
        capsys, source, "--recipe", look, "--out", target, "--names", "{name}-{original}", *flags
    )
    assert (status, told["done"], told["failed"], told["left"]) == (0, 6, 0, 0)
    assert all(name.endswith(".jpg") for name in results(target))
    assert (tmp_path / "r.html").stat().st_size > 1000
    assert (tmp_path / "s.png").exists()


def test_failures_are_told_and_end_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = folder_of(tmp_path / "in")
    damage(source / "bad.png")
    look = written(tmp_path / "r.json", WARMER)
    arguments = (source, "--recipe", look, "--out", tmp_path / "out")
    status, told, said = called(capsys, *arguments)
    assert (status, told["done"], told["failed"]) == (1, 6, 1)
    assert told["failures"][0]["path"] == "bad.png"
    assert "attune: bad.png: " in said
    assert called(capsys, *arguments)[0] == 1
    picture(1).save(source / "bad.png")
    assert called(capsys, *arguments, "--retry-failed")[:2][0] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [({"version": 9}, "version 9"), ({"model": "sd-9"}, "sd-9"), ({"steps": [{"operation": "x"}]}, "“x”")],
)
def test_recipes_are_refused_before_all_work(
    change: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = folder_of(tmp_path / "in", 1)
    (tmp_path / "r.json").write_text(json.dumps(SMALLEST | change))
    status, told, _ = called(capsys, source, "--recipe", tmp_path / "r.json", "--out", tmp_path / "out")
    assert status == 2
    assert said in told["error"]["message"]
    assert not (tmp_path / "out").exists()


def test_the_smallest_recipe_with_a_real_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for number in range(2):
        picture(number, (64, 64)).save(source / f"{number}.png")
    step = {"operation": "redraw", "parameters": {**REDRAW["parameters"], "steps": 2}}  # type: ignore[dict-item]
    (tmp_path / "r.json").write_text(json.dumps(SMALLEST | {"steps": [step]}))
    arguments = (source, "--recipe", tmp_path / "r.json", "--out", tmp_path / "out")
    status, told, _ = called(capsys, *arguments)
    assert (status, told["done"]) == (0, 2)
    assert told["denoiser_evaluations"] == 4
    assert told["model_hash"]
    # the same bytes as from the operation's own command, but for nothing
    alone = tmp_path / "alone.png"
    image = ["--image", str(source / "0.png"), "--prompt", "a painting of a man", "--strength", "0.5"]
    assert (
        main(["redraw", *image, "--steps", "2", "--seed", "3", "--model", "mini-sd1", "-o", str(alone)]) == 0
    )
    from PIL import Image

    assert Image.open(alone).tobytes() == Image.open(tmp_path / "out" / "0.png").tobytes()


@pytest.mark.skipif(sys.platform == "win32", reason="kills")
def test_kills_leave_nothing_behind(tmp_path: Path) -> None:
    """A few of the kills of `tests/benchmarks/batch.py`: the bytes of an undisturbed run, and no strays."""
    source, target, alone = folder_of(tmp_path / "in", 16), tmp_path / "out", tmp_path / "alone"
    batch(source, alone, recipe(WARMER)).run()
    look = written(tmp_path / "r.json", WARMER)
    command = [
        sys.executable,
        "-m",
        "editor",
        "batch",
        str(source),
        "--recipe",
        str(look),
        "--out",
        str(target),
    ]
    for _ in range(3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        count = len(results(target))
        until = time.monotonic() + 20
        while len(results(target)) <= count and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0
    assert results(target) == results(alone)
    paths = [json.loads(line)["path"] for line in (target / "manifest.jsonl").read_bytes().splitlines()[1:]]
    assert sorted(paths) == sorted(set(paths))


def test_a_sheet_of_another_kind_is_refused_before_all_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, look = folder_of(tmp_path / "in"), written(tmp_path / "r.json", WARMER)
    status, told, _ = called(
        capsys, source, "--recipe", look, "--out", tmp_path / "out", "--sheet", tmp_path / "s.bmp"
    )
    assert status == 2
    assert ".png or .jpg" in told["error"]["message"]
    assert not (tmp_path / "out").exists()
