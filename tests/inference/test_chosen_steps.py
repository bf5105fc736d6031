"""Steps kept with models: where they are looked for, and what is refused."""

import os
from pathlib import Path

import pytest

from inference.chosen_steps import STEPS_FILE, ChosenStep, chosen, store_step
from inference.errors import EditorError


def test_a_step_means_the_same_place_in_any_run() -> None:
    assert [ChosenStep(8, 50).at(steps) for steps in (50, 25, 30, 1)] == [8, 4, 5, 0]


def test_the_users_choice_goes_before_the_models(tmp_path: Path) -> None:
    model, user = tmp_path / "model", tmp_path / "user.json"
    model.mkdir()
    assert chosen(model, "hash", "ours", user).step is None
    store_step(model / STEPS_FILE, "hash", "ours", {"step": 3, "steps": 30})
    assert chosen(model, "hash", "ours", user).step == ChosenStep(3, 30)
    assert chosen(model, "hash", "ours+", user).step is None
    assert chosen(model, "other weights", "ours", user).step is None
    store_step(user, "hash", "ours", {"step": 7, "steps": 30, "tiam": {}})
    store_step(user, "hash", "ours+", {"step": 1, "steps": 30})
    assert chosen(model, "hash", "ours", user).step == ChosenStep(7, 30)
    assert chosen(model, "hash", "ours+", user).step == ChosenStep(1, 30)


def test_a_single_file_has_its_steps_beside_it(tmp_path: Path) -> None:
    store_step(tmp_path / STEPS_FILE, "hash", "ours", {"step": 3, "steps": 30})
    assert chosen(tmp_path / "model.safetensors", "hash", "ours").step == ChosenStep(3, 30)


def test_a_step_size_stands_beside_the_step_or_alone(tmp_path: Path) -> None:
    user = tmp_path / "user.json"
    store_step(tmp_path / STEPS_FILE, "hash", "syngen", {"guidance_step_size": 0.1})
    store_step(tmp_path / STEPS_FILE, "hash", "ours+", {"step": 1, "steps": 20, "guidance_step_size": 0.2})
    assert chosen(tmp_path, "hash", "syngen").step is None
    assert chosen(tmp_path, "hash", "syngen").sizes == {"guidance_step_size": 0.1}
    assert chosen(tmp_path, "hash", "ours").sizes == {}
    store_step(user, "hash", "ours+", {"step": 4, "steps": 20, "learning_rate": 0.01})
    assert chosen(tmp_path, "hash", "ours+", user).step == ChosenStep(4, 20)
    assert chosen(tmp_path, "hash", "ours+", user).sizes == {"learning_rate": 0.01, "guidance_step_size": 0.2}


@pytest.mark.parametrize("size", ['"much"', "-1", "Infinity", "[]"])
def test_a_step_size_that_is_none_is_refused(size: str, tmp_path: Path) -> None:
    (tmp_path / STEPS_FILE).write_text(f'{{"hash": {{"syngen": {{"guidance_step_size": {size}}}}}}}')
    with pytest.raises(EditorError, match="step size"):
        chosen(tmp_path, "hash", "syngen")


@pytest.mark.parametrize(
    "content", ["{", '{"hash": {"ours": {"step": 1}}}', '{"hash": {"ours": {"step": 30, "steps": 30}}}']
)
def test_damage_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / STEPS_FILE).write_text(content)
    with pytest.raises(EditorError):
        chosen(tmp_path, "hash", "ours")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    for make in (os.mkfifo, lambda place: place.symlink_to("/dev/zero")):
        file = tmp_path / STEPS_FILE
        make(file)
        with pytest.raises(EditorError, match="is no ordinary file"):
            chosen(tmp_path, "hash", "ours")
        with pytest.raises(EditorError, match="is no ordinary file"):
            store_step(file, "hash", "ours", {"step": 3, "steps": 30})
        file.unlink()


@pytest.mark.parametrize(
    ("content", "reason"),
    [('{"hash": {}, "hash": {}}', "it says “hash” twice"), (" " * (16 * 2**20 + 1), "is too large")],
)
def test_what_does_not_decide_is_refused(content: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / STEPS_FILE).write_text(content)
    with pytest.raises(EditorError, match=reason):
        chosen(tmp_path, "hash", "ours")
