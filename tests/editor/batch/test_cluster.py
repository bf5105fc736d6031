"""What a cluster's actors do, with and without Ray: the same files, leases and manifest."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from editor.batch.needs import Needs
from editor.batch.on_ray import Actor, run_on_ray
from editor.batch.plan import make_plan
from editor.batch.running import BatchRun
from editor.cli.parser import build_parser
from inference.errors import EditorError
from tests.editor.batch.pictures import batch, damage, folder_of, recipe, results


def test_actors_do_what_one_process_does(tmp_path: Path) -> None:
    source, target = folder_of(tmp_path / "in", 5), tmp_path / "out"
    damage(source / "bad.png")
    look = recipe()
    plan = make_plan(source, target, look)
    actors = [Actor(plan, look, Needs(), overwrite=False, again=False) for _ in range(2)]
    states: list[str] = []
    for index in range(len(plan.items)):
        states += actors[index % 2]({"index": [index]})["state"]
    assert states.count("done") == 5
    assert states.count("failed") == 1
    twice = actors[0]({"index": [0, 1]})  # as Ray does when an actor died after its last line
    assert twice["state"] == states[:2]
    for actor in actors:
        actor.close()
    alone = tmp_path / "alone"
    assert batch(source, alone, look).run().done == 5
    assert batch(source, target, look).run().made_here == 0
    assert results(target) == results(alone)


def test_actors_that_are_ending_are_waited_for(tmp_path: Path) -> None:
    source, target = folder_of(tmp_path / "in", 2), tmp_path / "out"
    look = recipe()
    actor = Actor(make_plan(source, target, look), look, Needs(), overwrite=False, again=False)
    assert actor({"index": [0, 1]})["state"] == ["done", "done"]
    run = batch(source, target, look)
    assert not run.wait_for_others(0.1)
    threading.Timer(0.2, actor.close).start()
    assert run.wait_for_others(20)
    run.run()
    assert sorted(results(target)) == ["000.png", "001.jpg"]


def test_what_an_actor_cannot_do_is_told_and_not_raised(tmp_path: Path) -> None:
    source, target = folder_of(tmp_path / "in", 2), tmp_path / "out"
    look, other = recipe(), recipe({"adjustment": "invert"})
    plan = make_plan(source, target, look)
    batch(source, target, other)  # another recipe's manifest
    told = Actor(plan, look, Needs(), overwrite=False, again=False)({"index": [0, 1]})
    assert told["state"] == ["waiting", "waiting"]
    assert "belongs to the recipe" in told["problem"][0]


def test_without_ray_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    run = batch(folder_of(tmp_path / "in", 1), tmp_path / "out")
    arguments = build_parser().parse_args(
        ["batch", "in", "--recipe", "r", "--out", "out", "--on", "ray://nowhere:1"]
    )
    with pytest.raises(EditorError, match="Ray is not installed"):
        run_on_ray(arguments, run, Needs())


def test_on_ray_itself(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="attune[ray] is not installed")
    source, target = folder_of(tmp_path / "in", 4), tmp_path / "out"
    run: BatchRun = batch(source, target)
    arguments: Any = build_parser().parse_args(
        ["batch", "in", "--recipe", "r", "--out", "out", "--on", "ray://local"]
    )
    run_on_ray(arguments, run, Needs())
    assert run.run().made_here == 0
    assert run.summary().is_complete
