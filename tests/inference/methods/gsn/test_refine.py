"""The operation on tiny random networks of the real layouts: every method, failures, batches, costs."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.errors import Cancelled, EditorError
from inference.inputs import Inputs
from inference.methods.generate import generate
from inference.methods.gsn import refine as module
from inference.methods.gsn import shifts, updates
from inference.methods.gsn.maps import MapReader
from inference.methods.gsn.procedures import METHODS, LatentRefinement, MeanLearning, NoiseSearch
from inference.methods.gsn.refine import refine
from inference.methods.gsn.updates import Iterations, descended, learnt_mean, refined, searched, standing
from inference.operations import Generate, Refine, RefineSubject
from inference.progress import Measurements, Progress, Step
from inference.request import Output
from tests.helpers.tiny_models import NAMES

PROMPT = "a photo of a man and a cat"
SUBJECTS = (RefineSubject(start=13, end=16), RefineSubject(start=23, end=26))
SIZE: Mapping[str, Any] = {"width": 64, "height": 64, "sampler": "ddim", "guidance_scale": 4.0}
STEPS = 4


def run(backbone: Any, progress: Progress | None = None, **values: Any) -> tuple[Output, Measurements]:
    given = {"prompt": PROMPT, "subjects": SUBJECTS, "steps": STEPS, "seed": 3, "updates": 2, **SIZE}
    parameters = Refine(**{**given, **values})
    backbone.measured = (progress or Progress()).measured
    output = refine(backbone, parameters, Inputs(), progress or Progress())
    return output, backbone.measured


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NAMES)
def test_every_method_runs_on_every_layout(
    name: str, method: str, tiny_backbones: dict[str, Backbone]
) -> None:
    seed = 6  # whose noise is not the best that InitNO finds, on any of the layouts
    output, measured = run(tiny_backbones[name], method=method, map_steps=2, seed=seed)
    plain = generate(
        tiny_backbones[name], Generate(prompt=PROMPT, steps=STEPS, seed=seed, **SIZE), Inputs(), Progress()
    )
    is_plain = method == "plain"
    assert np.array_equal(output.images[0], plain.images[0]) is is_plain
    assert (measured.backward_evaluations == 0) is is_plain
    assert output.notes == ()
    assert {"attention/13-16", "attention/23-26", "attention/13-16@0", "attention/23-26@3"} <= set(
        output.maps
    )
    for seen in output.maps.values():
        assert seen.dtype == np.float32
        assert np.isfinite(seen).all()


def test_evaluations_and_updates_are_counted(tiny_backbones: dict[str, Backbone]) -> None:
    _, measured = run(tiny_backbones["tiny-sd1"], method="ours", updates=3, map_steps=0)
    assert measured.backward_evaluations == 3
    assert measured.denoiser_evaluations == 2 * STEPS + 3
    _, measured = run(tiny_backbones["tiny-sd1"], method="syngen", guidance_end=2, map_steps=0)
    assert measured.backward_evaluations == 2
    assert measured.denoiser_evaluations == 2 * STEPS + 2


def test_pictures_of_a_batch_are_those_of_the_single_seeds(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    for method in ("ours+", "saga", "initno"):
        together, measured = run(backbone, method=method, pictures=2, guidance_end=2)
        assert len(together.images) == 2
        for offset in range(2):
            alone, _ = run(backbone, method=method, seed=3 + offset, guidance_end=2)
            assert np.abs(alone.images[0].astype(int) - together.images[offset]).max() <= 3, method
        assert measured.backward_evaluations % 2 == 0


def test_seconds_of_refining_are_not_those_of_sampling(tiny_backbones: dict[str, Backbone]) -> None:
    progress = Progress()
    started = time.perf_counter()
    run(tiny_backbones["tiny-sd1"], progress, method="attend-and-excite", updates=8, map_steps=0)
    whole = time.perf_counter() - started
    seconds = progress.measured.seconds
    assert set(seconds) == {"encode", "sample", "refine", "decode"}
    assert sum(seconds.values()) <= whole
    assert seconds["refine"] > seconds["sample"], "eight updates at each of three steps, and four guided ones"


def test_saga_descends_the_mean_of_its_losses(
    tiny_backbones: dict[str, Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One update from a known start is -rate·∂/∂μ of the mean over noises of (L_CN + L_IoU)/2."""
    given: dict[str, Any] = {}

    def watched(
        start: Tensor, noises: Tensor, level: Any, most: Tensor, how: Any, work: Iterations
    ) -> Tensor:
        found = learnt_mean(start, noises, level, 1e9 * most, how, work)
        given.update(start=start, noises=noises, level=level, how=how, work=work, found=found)
        return found

    monkeypatch.setattr(shifts, "learnt_mean", watched)
    run(tiny_backbones["tiny-sd1"], method="saga", updates=1, step=2, map_steps=0)
    mean = given["start"].clone().requires_grad_()
    level, reader = given["level"], given["work"].reader
    halves = []
    for noise in given["noises"]:
        read = reader.read(level.alpha * mean + level.sigma * noise[None], level)
        man, cat = (read.excitation(one.start, one.end)[0] for one in SUBJECTS)
        neglect = torch.maximum(1 - man.max(), 1 - cat.max())
        shared = torch.minimum(man, cat).sum() / (man + cat).sum()
        halves.append((neglect + shared) / 2)
    assert len(halves) == 10
    (gradient,) = torch.autograd.grad(torch.stack(halves).mean(), mean)
    expected = mean.detach() - given["how"].learning_rate * gradient
    torch.testing.assert_close(given["found"], expected, rtol=1e-4, atol=1e-7)
    assert (given["found"] - mean).abs().max() > 1e-5


def test_a_shared_distribution_is_learnt_once(tiny_backbones: dict[str, Backbone]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    _, apart = run(backbone, method="saga", pictures=3)
    output, shared = run(backbone, method="saga", pictures=3, shared_distribution=True)
    assert apart.backward_evaluations == 3 * shared.backward_evaluations == 3 * 2 * 10
    assert len({image.tobytes() for image in output.images}) == 3


def test_refinement_goes_down_the_loss(tiny_backbones: dict[str, Backbone]) -> None:
    """Adam on the latents makes the subjects clearer, on both layouts."""
    for name in ("tiny-sd1", "tiny-sd3"):
        work, latents, level = iterations(tiny_backbones[name])
        before = work.objective(work.reader.read(latents, level))
        moved = refined(latents, level, LatentRefinement(loss="neglect+overlap", at=0, updates=20), work)
        after = work.objective(work.reader.read(moved, level))
        assert (after < before).all(), name


def test_samples_stop_at_their_own_threshold(tiny_backbones: dict[str, Backbone]) -> None:
    work, latents, level = iterations(tiny_backbones["tiny-sd1"])
    losses = work.objective(work.reader.read(latents, level)).detach()
    first = int(losses.argmin())
    threshold = 1 - float(losses.sort().values[:2].mean())  # between the two: one is there already
    how = LatentRefinement(loss="neglect+overlap", at=0, updates=1, threshold=threshold)
    moved = refined(latents, level, how, work)
    assert torch.equal(moved[first], latents[first])
    assert not torch.equal(moved[1 - first], latents[1 - first])


def test_the_pass_that_finds_the_threshold_serves_guidance_too(tiny_backbones: dict[str, Backbone]) -> None:
    """As refining, then guiding; a sample that is there at once costs one pass instead of two."""
    work, latents, level = iterations(tiny_backbones["tiny-sd1"])
    values = work.objective(work.reader.read(latents, level)).detach()
    between = 1 - float(values.mean())
    for threshold, most, evaluations in ((-9.0, 5, 2), (9.0, 3, 2 * 4), (between, 3, 2 + 1 + 1 + 1)):
        how = LatentRefinement(
            loss="neglect+overlap", at=0, updates=most, threshold=threshold, adam=False, learning_rate=1e-3
        )
        expected = descended(refined(latents, level, how, work), level, 0.5, work)
        work.backbone.measured = Measurements()
        found = refined(latents, level, how, work, then_step=0.5)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        assert work.backbone.measured.denoiser_evaluations == evaluations
        assert work.backbone.measured.backward_evaluations == evaluations
        assert not torch.equal(found, latents)


def test_noise_that_is_valid_stays(tiny_backbones: dict[str, Backbone]) -> None:
    work, latents, level = iterations(tiny_backbones["tiny-sd1"])
    everything = NoiseSearch(cross_threshold=2, self_threshold=2)
    assert torch.equal(searched(latents, level, everything, work, fresh=no_noise), latents)


def test_noise_that_stays_invalid_starts_again_and_the_best_is_kept(
    tiny_backbones: dict[str, Backbone],
) -> None:
    work, latents, level = iterations(tiny_backbones["tiny-sd1"])
    asked: list[tuple[int, int]] = []

    def fresh(row: int, round_: int) -> Tensor:
        asked.append((row, round_))
        return torch.randn(1, *latents.shape[1:], generator=torch.Generator().manual_seed(10 * row + round_))

    how = NoiseSearch(updates=2, rounds=3, cross_threshold=-1, self_threshold=-1)
    found = searched(latents, level, how, work, fresh)
    assert asked == [(0, 1), (1, 1), (0, 2), (1, 2)]
    assert work.scores is not None
    assert (total(work, found, level) <= total(work, latents, level)).all()


def total(work: Iterations, latents: Tensor, level: Any) -> Tensor:
    assert work.scores is not None
    with torch.no_grad():
        scores = work.scores(work.reader.read(latents, level))
        return torch.tensor([standing(*map(float, one)) for one in zip(*scores, strict=True)]) - 1e-6


def test_a_learnt_mean_never_spreads_more_than_allowed(tiny_backbones: dict[str, Backbone]) -> None:
    work, latents, level = iterations(tiny_backbones["tiny-sd1"])
    how = MeanLearning(updates=3, noises=2, learning_rate=1e4)
    noises = torch.randn(6, *latents.shape[1:], generator=torch.Generator().manual_seed(0))
    most = torch.full((1, latents.shape[1], 1, 1), 0.3)
    mean = learnt_mean(torch.zeros_like(latents[:1]), noises, level, most, how, work)
    spread = level.alpha * mean.std((2, 3))
    assert (spread <= 0.3 + 1e-5).all()
    assert spread.max() > 0


def no_noise(row: int, round_: int) -> Tensor:
    raise AssertionError("valid noise is not drawn again")


def iterations(backbone: Any) -> tuple[Iterations, Tensor, Any]:
    from inference.methods.gsn.objectives import neglect_and_conflict, objective, targets_of

    prompt = backbone.encode_prompt(PROMPT)
    targets = targets_of(prompt, SUBJECTS)
    work = Iterations(
        backbone=backbone,
        reader=MapReader(backbone, prompt, with_focus=True),
        objective=objective("neglect+overlap", targets),
        scores=lambda maps: neglect_and_conflict(maps, targets),
        told=lambda done, most, latents: None,
    )
    latents = torch.cat([backbone.initial_noise(seed, 64, 64) for seed in (1, 2)])
    return work, latents, backbone.schedule.level_at(700)


@pytest.mark.parametrize("method", ["ours", "syngen", "initno", "saga"])
def test_gradients_that_are_not_finite_keep_the_plain_picture(
    method: str, tiny_backbones: dict[str, Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    plain, _ = run(backbone, method="plain")
    usual = torch.autograd.grad

    def broken(*args: Any, **kwargs: Any) -> Any:
        return tuple(gradient * float("nan") for gradient in usual(*args, **kwargs))

    monkeypatch.setattr(updates.torch.autograd, "grad", broken)
    output, _ = run(backbone, method=method)
    np.testing.assert_array_equal(output.images[0], plain.images[0])
    assert tuple(map(str, output.notes)) == (
        "The refinement met numbers that are not finite; the picture stayed as it was without it.",
    )


def test_only_the_pictures_at_fault_stay_plain(
    tiny_backbones: dict[str, Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    plain, _ = run(backbone, method="plain", pictures=3)
    good, _ = run(backbone, method="ours", pictures=3)
    usual = torch.autograd.grad

    def broken(loss: Tensor, leaves: list[Tensor]) -> Any:
        gradients = list(usual(loss, leaves))
        if len(gradients) == 3:
            gradients[1] = gradients[1] * float("inf")
        return tuple(gradients)

    monkeypatch.setattr(updates.torch.autograd, "grad", broken)
    output, _ = run(backbone, method="ours", pictures=3)
    assert "1 of 3 pictures" in output.notes[0]
    for index, expected in enumerate((good, plain, good)):
        assert np.abs(output.images[index].astype(int) - expected.images[index]).max() <= 3


def test_cancelling_stops_within_one_iteration(tiny_backbones: dict[str, Backbone]) -> None:
    seen: list[Step] = []

    def on_step(step: Step) -> None:
        seen.append(step)
        if step.phase == "refine" and step.done == 2:
            progress.cancel()

    progress = Progress(on_step)
    with pytest.raises(Cancelled):
        run(tiny_backbones["tiny-sd1"], progress, method="ours", updates=30, step=1)
    assert [(step.phase, step.done) for step in seen] == [("sample", 1), ("refine", 1), ("refine", 2)]
    assert seen[1].total == 30


def test_iterations_show_a_preview(tiny_backbones: dict[str, Backbone]) -> None:
    seen: list[Step] = []
    progress = Progress(seen.append)
    run(tiny_backbones["tiny-sd1"], progress, method="ours", updates=1, step=1)
    shown = next(step for step in seen if step.preview is not None)
    assert shown.preview is not None
    assert shown.preview.shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"subjects": ()}, "no subject to refine"),
        ({"subjects": (RefineSubject(start=20, end=99),)}, "not in the prompt"),
        ({"subjects": (RefineSubject(start=16, end=17),)}, "stand for no word"),
        ({"subjects": (replace(SUBJECTS[0], modifiers=((90, 95),)),)}, "not in the prompt"),
        ({"step": 4}, "beyond the schedule"),
        ({"prompt": PROMPT + " and a dog" * 420}, "too long|fell off"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(
    values: dict[str, Any], message: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    with pytest.raises(EditorError, match=message):
        run(backbone, method="ours", **values)
    assert backbone.measured.denoiser_evaluations == 0


def test_a_model_that_is_only_partly_in_memory_is_refused(
    tiny_backbones: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    monkeypatch.setattr(type(backbone), "allows_gradients", property(lambda self: False))
    with pytest.raises(EditorError, match="does not fit in memory"):
        run(backbone, method="ours")


def test_another_step_goes_on_from_the_plain_steps(tiny_backbones: dict[str, Any]) -> None:
    backbone, inputs = tiny_backbones["tiny-sd1"], Inputs()
    values = {"prompt": PROMPT, "subjects": SUBJECTS, "steps": STEPS, "updates": 1, "method": "ours", **SIZE}
    fresh = {}
    for step in (1, 3):
        fresh[step] = refine(backbone, Refine(**values, step=step), Inputs(), Progress())
    backbone.measured = Measurements()
    for step in (1, 3):
        again = refine(backbone, Refine(**values, step=step), inputs, Progress())
        np.testing.assert_array_equal(again.images[0], fresh[step].images[0])
        assert set(again.maps) == set(fresh[step].maps)
    assert backbone.measured.denoiser_evaluations == 2 * (STEPS + STEPS - 1) + 2


def test_maps_of_steps_have_their_own_keys() -> None:
    assert module.step_map((13, 16), 5) == "attention/13-16@5"
