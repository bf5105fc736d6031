"""Learning a concept on the real layouts: only its rows, bit for bit after any interruption, and bad ends."""

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.concepts.files import concept_from_bytes
from inference.content import Picture, content_hash
from inference.deltas import DeltaLibrary
from inference.errors import EditorError, Parked
from inference.methods.concepts import learn_concept as module
from inference.methods.concepts.kept import concept_file_of
from inference.methods.concepts.objective import Objective
from inference.methods.concepts.photos import moments_of
from inference.methods.concepts.steps import NEAREST_COSINE
from inference.models import Catalogue, MemoryMode, ModelEntry
from inference.operations import LearnConcept
from inference.progress import Progress, Step
from inference.prompts.learnt_words import LearntWord
from inference.request import Request, Result
from inference.runner import Runner

NAMES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3")
PHOTOS = [
    np.random.default_rng(number).integers(0, 256, (70, 90 - 20 * number, 3), np.uint8) for number in range(2)
]
CONTENTS: dict[str, Any] = {content_hash(photo): photo for photo in PHOTOS}
SHORT: dict[str, Any] = {
    "token": "<toy>",
    "initialise_from": "cat",
    "samples": 34,
    "accumulation": 2,
    "crops": ((0.5, 0.5, 1.0), (0.4, 0.5, 0.8)),
    "seed": 3,
}


@pytest.fixture(scope="module")
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    return Runner(catalogue, DeltaLibrary(()), device="cpu", load=load)


def request(model: str = "tiny-sd1", **values: Any) -> Request:
    images = tuple(Picture(name) for name in CONTENTS)
    parameters = LearnConcept(**{"images": images, **SHORT, **values})
    return Request(operation="learn-concept", parameters=parameters, model=model)


def learn(
    runner: Runner, asked: Request, progress: Progress | None = None, resume: bytes | None = None
) -> Result:
    runner.forget()
    return runner.run(asked, CONTENTS, progress or Progress(), resume)


def parked_after(runner: Runner, asked: Request, units: int, resume: bytes | None = None) -> bytes | None:
    """The state before unit number `units`; None if the run ended before."""
    asked_for = 0

    def park() -> bool:
        nonlocal asked_for
        asked_for += 1
        return asked_for > units

    try:
        learn(runner, asked, Progress(park_requested=park), resume)
    except Parked as parked:
        return parked.state
    return None


def weights_of(backbone: Any) -> list[torch.Tensor]:
    return [tensor.clone() for network in backbone.parts.networks for tensor in network.state_dict().values()]


@pytest.mark.parametrize("method", ["directional", "plain"])
@pytest.mark.parametrize("name", NAMES)
def test_only_the_words_own_rows_are_learnt(
    name: str, method: str, runner: Runner, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    before = weights_of(backbone)
    result = learn(runner, request(name, method=method, vectors=3, stop_early=False))
    for old, new in zip(before, weights_of(backbone), strict=True):
        assert torch.equal(old, new)
    concept = concept_from_bytes(result.artifacts["concept"])
    report = json.loads(result.artifacts["report"])
    assert (concept.word, concept.kind, concept.count) == ("<toy>", "cat", 3)
    assert (concept.model, concept.family) == (name, backbone.family.value)
    assert set(concept.widths) == {encoder for encoder in backbone.token_widths if encoder != "t5"}
    assert concept.picture.startswith(b"\xff\xd8\xff")
    assert len(report["losses"]) > 3
    assert report["samples"] <= SHORT["samples"]
    assert all(map(math.isfinite, report["losses"]))
    if method == "directional":
        for encoder, rows in concept.vectors.items():
            lengths = np.linalg.norm(rows, axis=1)
            kind = backbone.token_vectors("cat")[encoder].norm(dim=1).mean()
            np.testing.assert_allclose(lengths, float(kind), rtol=1e-5)


@pytest.mark.parametrize("vectors", [1, 3])
def test_what_says_the_kind_stays_near_to_it_and_the_rest_is_free(
    vectors: int, runner: Runner, tiny_backbones: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = itertools.count(100, -1)  # always falling: the last rows are the ones that are kept
    monkeypatch.setattr(Objective, "held_out_loss", lambda *_: float(next(losses)))
    result = learn(runner, request(vectors=vectors, stop_early=False, learning_rate=0.5))
    concept = concept_from_bytes(result.artifacts["concept"])
    kind = tiny_backbones["tiny-sd1"].token_vectors("cat")["clip_l"][-1].numpy()
    rows = concept.vectors["clip_l"]
    cosines = rows @ kind / np.linalg.norm(rows, axis=1) / np.linalg.norm(kind)
    assert (cosines[-1] >= NEAREST_COSINE - 1e-5) == (vectors > 1)
    assert (cosines[:-1] < NEAREST_COSINE).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_lowest_held_out_loss_is_kept_and_falls(name: str, runner: Runner) -> None:
    result = learn(runner, request(name, samples=160, batch=4, accumulation=1, learning_rate=0.05))
    checks = json.loads(result.artifacts["report"])["held_out"]
    losses = [check["loss"] for check in checks]
    assert result.scores["loss"] == min(losses) < losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_that_of_finite_differences(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    small = [np.ascontiguousarray(photo[:64, :64]) for photo in PHOTOS[:1]]
    objective = Objective(
        backbone=backbone,
        photos=moments_of(backbone, small, flip=False),
        sentences=("a photo of a {}",),
        word="<toy>",
        kind="cat",
    )
    rows = {
        encoder: vectors[:1].clone()
        for encoder, vectors in backbone.token_vectors("cat").items()
        if encoder != "t5"
    }

    def loss_at(changed: dict[str, torch.Tensor]) -> float:
        return math.log(objective.gradient(changed, 0, 1, (0, 1), torch.Generator().manual_seed(5))[0])

    _, gradients = objective.gradient(rows, 0, 1, (0, 1), torch.Generator().manual_seed(5))
    for encoder, gradient in gradients.items():
        direction = gradient / gradient.norm()
        step = 2e-2 * rows[encoder].norm()
        up, down = (loss_at({**rows, encoder: rows[encoder] + sign * step * direction}) for sign in (1, -1))
        assert (up - down) / (2 * float(step)) == pytest.approx(float(gradient.norm()), rel=0.1)


@pytest.mark.parametrize(("name", "method"), [("tiny-sd1", "plain"), ("tiny-sdxl", "directional")])
def test_a_run_parked_before_every_unit_ends_in_the_same_bytes(
    name: str, method: str, runner: Runner
) -> None:
    asked = request(name, method=method, crops=())
    undisturbed = learn(runner, asked)
    state: bytes | None = None
    parks = 0
    while (found := parked_after(runner, asked, 1, state)) is not None:
        state, parks = found, parks + 1
    again = learn(runner, asked, resume=state)
    assert parks > 10
    assert dict(again.artifacts) == dict(undisturbed.artifacts)


def test_it_stops_when_the_loss_no_longer_falls(runner: Runner) -> None:
    still = {"samples": 80, "learning_rate": 0.0}
    short = json.loads(learn(runner, request(**still)).artifacts["report"])
    assert short["samples"] < 64
    assert short["best_step"] == 0
    whole = json.loads(learn(runner, request(**still, stop_early=False)).artifacts["report"])
    assert whole["samples"] > 66


def test_what_gained_nothing_is_told(runner: Runner) -> None:
    (note,) = learn(runner, request(learning_rate=0.0)).notes
    assert "“cat”" in str(note)


@pytest.mark.parametrize(
    ("values", "needed"),
    [({"batch": 4, "accumulation": 8, "samples": 34}, 36), ({"samples": 8, "batch": 3}, 10)],
)
def test_samples_that_are_too_few_for_a_change_are_told(
    values: dict[str, Any], needed: int, runner: Runner
) -> None:
    with pytest.raises(EditorError, match=f"take {needed}"):
        learn(runner, request(**values))
    report = json.loads(learn(runner, request(**{**values, "samples": needed})).artifacts["report"])
    assert len(report["losses"]) == 1


def test_what_is_learnt_so_far_can_be_kept(runner: Runner) -> None:
    asked = request("tiny-sdxl", samples=160, learning_rate=0.05, stop_early=False)
    early, late = (parked_after(runner, asked, units) for units in (1, 25))
    assert early is not None
    assert late is not None
    with pytest.raises(EditorError, match="Nothing has been learnt yet"):
        concept_file_of(early)
    concept = concept_from_bytes(concept_file_of(late))
    assert (concept.word, concept.kind) == ("<toy>", "cat")
    assert set(concept.widths) == {"clip_l", "clip_g"}


def test_it_shows_a_picture_that_does_not_disturb_it(runner: Runner) -> None:
    seen: list[Step] = []
    shown = learn(runner, request(), Progress(seen.append))
    assert dict(shown.artifacts) == dict(learn(runner, request()).artifacts)
    pictures = [step.preview for step in seen if step.preview is not None]
    assert pictures
    assert pictures[0].shape == (64, 64, 3)


def test_diverging_keeps_the_last_good(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    original: Callable[..., Any] = Objective.gradient
    calls = 0

    def broken(self: Objective, *given: Any) -> Any:
        nonlocal calls
        calls += 1
        loss, gradients = original(self, *given)
        return (math.nan if calls > 20 else loss), gradients

    monkeypatch.setattr(module.Objective, "gradient", broken)
    values = {"samples": 160, "learning_rate": 0.05}
    result = learn(runner, request(**values))
    assert "diverged" in str(result.notes[0])
    assert concept_from_bytes(result.artifacts["concept"]).word == "<toy>"
    calls = 20
    with pytest.raises(EditorError, match="diverged at once"):
        learn(runner, request(**values, batch=1))


class TestRefused:
    @pytest.mark.parametrize("token", ["cat", "<a b>", "<>", "<|endoftext|>"])
    def test_names_that_are_none(self, token: str, runner: Runner) -> None:
        with pytest.raises(EditorError) as caught:
            learn(runner, request(token=token))
        assert caught.value.hint

    def test_no_word_to_begin_with(self, runner: Runner) -> None:
        with pytest.raises(EditorError, match="no word"):
            learn(runner, request(initialise_from=" "))
        with pytest.raises(EditorError, match="“<my-cat>” is written as a concept is"):
            learn(runner, request(initialise_from="big <my-cat>"))

    def test_encoders_that_come_and_go(self, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runner.backbone("tiny-sd1", Progress()), "_memory_mode", MemoryMode.MODEL)
        steps: list[Step] = []
        with pytest.raises(EditorError, match="whole of tiny-sd1"):
            learn(runner, request(), Progress(steps.append))
        assert not [step for step in steps if step.phase == "learn"]

    def test_fifty_photos(self) -> None:
        with pytest.raises(EditorError, match="50"):
            LearnConcept(images=(Picture("0" * 64),) * 50, token="<a>", initialise_from="cat")

    def test_no_photos(self, runner: Runner) -> None:
        asked = request(images=(), crops=())
        with pytest.raises(EditorError, match="no photos"):
            learn(runner, asked)

    @pytest.mark.parametrize(
        ("photo", "said"),
        [(np.zeros((1, 1, 3), np.uint8), "1 × 1 pixels"), (np.zeros((64, 64, 4), np.uint8), "transparent")],
    )
    def test_which_of_the_photos_is_none(self, photo: Any, said: str, runner: Runner) -> None:
        contents: dict[str, Any] = {content_hash(PHOTOS[0]): PHOTOS[0], content_hash(photo): photo}
        asked = request(images=tuple(map(Picture, contents)))
        with pytest.raises(EditorError, match=f"^Photo 2: .*{said}"):
            runner.run(asked, contents, Progress())
        alone = request(images=(Picture(content_hash(photo)),), crops=())
        with pytest.raises(EditorError, match=r"^The picture"):
            runner.run(alone, contents, Progress())

    def test_checkpoints_of_other_runs_and_kinds(self, runner: Runner) -> None:
        state = parked_after(runner, request(), 4)
        with pytest.raises(EditorError, match="another run"):
            learn(runner, request(seed=4), resume=state)
        with pytest.raises(EditorError, match=r"damaged|kind"):
            learn(runner, request(), resume=b"nothing")


def test_t5_reads_the_kind(tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones["tiny-sd3"]
    vectors = {name: torch.zeros(2, width) for name, width in backbone.token_widths.items() if name != "t5"}
    with_word = backbone.encode_prompt(
        "a photo of <toy>", [LearntWord(word="<toy>", vectors=vectors, plain="cat")]
    )
    plain = backbone.encode_prompt("a photo of cat")
    assert torch.equal(with_word.embeddings["t5"], plain.embeddings["t5"])
