"""Learning from pictures: one with its prompt, or a pair, before and after."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.content import DefinitionFile, Picture, content_hash
from inference.deltas import DeltaLibrary, read_delta_file
from inference.errors import EditorError, Parked
from inference.methods.learning.pictures import (
    SIGNS,
    NoisedPool,
    Reconstruction,
    example_of,
    latents_of,
)
from inference.methods.learning.state import LearningState
from inference.models import Catalogue, ModelEntry
from inference.operations import LearnDelta
from inference.progress import Progress
from inference.request import Pixels, Request, Result
from inference.runner import Runner

NAMES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3")
TOML = b"""
attribute = "mood"
subject = "person"
label = "Mood"
prefixes = ["a photo of a"]

[[pairs]]
target = "man"
positive = "happy man"
negative = "sad man"
"""


def picture(shade: int, width: int = 72, height: int = 64) -> Pixels:
    rows, columns = np.mgrid[:height, :width]
    pixels = np.stack([rows * 3 % 256, columns * 3 % 256, np.full_like(rows, shade)], -1).astype(np.uint8)
    pixels.setflags(write=False)
    return pixels


@pytest.fixture(scope="module")
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    return Runner(catalogue, DeltaLibrary(()), device="cpu", load=load)


def learn(
    runner: Runner,
    pictures: list[Pixels],
    model: str = "tiny-sd1",
    progress: Progress | None = None,
    resume: bytes | None = None,
    **values: Any,
) -> Result:
    runner.forget()
    parameters = LearnDelta(
        definition=DefinitionFile(content_hash(TOML)),
        images=tuple(Picture(content_hash(one)) for one in pictures),
        **{"steps": 4, "accumulation": 2, "sampling_steps": 8, **values},
    )
    contents: dict[str, Any] = {content_hash(TOML): TOML} | {content_hash(one): one for one in pictures}
    request = Request(operation="learn-delta", parameters=parameters, model=model)
    return runner.run(request, contents, progress or Progress(), resume)


def vectors(result: Result, folder: Path) -> dict[str, Any]:
    path = folder / "person-mood.safetensors"
    path.write_bytes(result.artifacts["delta"])
    return dict(read_delta_file(path).vectors)


def error_of(backbone: Any, pictures: list[Pixels], method: str, vectors: dict[str, torch.Tensor]) -> float:
    """Of reconstruction, over noise that no run draws."""
    latents, levels = latents_of(backbone, pictures), backbone.levels(8, 64, 64)
    parameters = LearnDelta(definition=DefinitionFile("0" * 64), method=method)
    pool = NoisedPool(latents=latents, levels=levels)
    state = LearningState.new(vectors, seed=99)
    loss = Reconstruction(
        backbone=backbone,
        parameters=parameters,
        example=example_of(backbone, "a photo of a man", (13, 16), whole=False),
        latents=latents,
        signs=SIGNS[method],
        levels=levels,
    )
    for _ in range(24):
        pool.fill(state, 0)
        loss.add(state, state.points.pop())
    return state.loss


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["picture", "pair"])
def test_it_lowers_the_error_of_its_own_pictures(
    name: str, method: str, runner: Runner, tmp_path: Path
) -> None:
    pictures = [picture(40), picture(220)][: 1 if method == "picture" else 2]
    result = learn(
        runner, pictures, name, method=method, steps=24, accumulation=2, learning_rate=0.3, weight_decay=0.0
    )
    # one evaluation there and one back for each picture of each micro-step, and no trajectory
    assert result.measured.denoiser_evaluations == 24 * 2 * len(pictures)
    assert result.measured.backward_evaluations == 24 * 2 * len(pictures)
    found = vectors(result, tmp_path)
    learnt = {encoder: torch.tensor(vector) for encoder, vector in found.items()}
    nothing = {encoder: torch.zeros_like(vector) for encoder, vector in learnt.items()}
    backbone = runner.backbone(name, Progress())
    before, after = (error_of(backbone, pictures, method, vectors) for vectors in (nothing, learnt))
    assert after < before
    assert {encoder: len(vector) for encoder, vector in found.items()} == dict(
        runner.backbone(name, Progress()).token_widths
    )


def test_a_pair_the_other_way_round_gives_the_opposite_direction(runner: Runner, tmp_path: Path) -> None:
    there = vectors(learn(runner, [picture(40), picture(220)], method="pair"), tmp_path)
    back = vectors(learn(runner, [picture(220), picture(40)], method="pair"), tmp_path)
    for encoder, vector in there.items():
        np.testing.assert_allclose(vector, -back[encoder], atol=1e-5)


def test_a_run_that_went_on_ends_in_the_same_bytes(runner: Runner) -> None:
    pictures = [picture(40), picture(220)]
    undisturbed = learn(runner, pictures, method="pair")
    asked = 0

    def park() -> bool:
        nonlocal asked
        asked += 1
        return asked > 7

    with pytest.raises(Parked) as parked:
        learn(runner, pictures, method="pair", progress=Progress(park_requested=park))
    again = learn(runner, pictures, method="pair", resume=parked.value.state)
    assert dict(again.artifacts) == dict(undisturbed.artifacts)


def test_the_whole_prompt_has_more_tokens_than_the_subject(tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones["tiny-sdxl"]
    alone, whole = (example_of(backbone, "a photo of a man", (13, 16), whole=one) for one in (False, True))
    for encoder, tokens in alone.tokens.items():
        assert set(tokens) < set(whole.tokens[encoder])


@pytest.mark.parametrize(
    ("method", "count", "message"),
    [
        ("picture", 0, "learns from 1 pictures; 0 are given"),
        ("pair", 1, "learns from 2 pictures; 1 are given"),
        ("learned", 1, "learns from 0 pictures; 1 are given"),
    ],
)
def test_a_wrong_number_of_pictures_is_told(method: str, count: int, message: str, runner: Runner) -> None:
    with pytest.raises(EditorError, match=message):
        learn(runner, [picture(shade) for shade in range(count)], method=method)


def test_a_picture_that_shows_nothing_or_too_little_is_told(runner: Runner) -> None:
    clear = np.zeros((64, 64, 4), np.uint8)
    clear[..., :3] = 200  # colours that nobody sees
    with pytest.raises(EditorError, match="fully transparent"):
        learn(runner, [clear], method="picture")
    with pytest.raises(EditorError, match="1 × 1 pixels, which is too small"):
        learn(runner, [picture(1, 1, 1)], method="picture")


def test_the_same_picture_before_and_after_is_told(runner: Runner) -> None:
    with pytest.raises(EditorError, match="before and after are the same"):
        learn(runner, [picture(40), picture(40)], method="pair")


def test_pictures_of_two_sizes_and_a_prompt_without_the_subject_are_told(runner: Runner) -> None:
    with pytest.raises(EditorError, match="72 × 64 and 64 × 64"):
        learn(runner, [picture(1), picture(2, 64, 64)], method="pair")
    with pytest.raises(EditorError, match="man"):
        learn(runner, [picture(1)], method="picture", picture_prompt="a photo of a dog")
