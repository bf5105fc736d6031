"""Every trainer, three steps at tiny size, interrupted and resumed."""

from __future__ import annotations

import copy
import itertools
import json
import math
import os
import random
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel, UNet2DConditionModel

from inference.miniworld import detector_training
from inference.miniworld.cards import model_card
from inference.miniworld.conditioning import ENCODERS, TOKENS, Conditions, Family, TextSource
from inference.miniworld.denoisers import (
    GOING_ON,
    PLANS,
    balanced,
    coarse_error,
    new_denoiser,
    time_ids,
    train_denoiser,
)
from inference.miniworld.detector import Detector, DetectorNetwork
from inference.miniworld.detector_training import train_and_export
from inference.miniworld.evaluation import Suite
from inference.miniworld.fitting import Budget, Plan, rate_factor
from inference.miniworld.latents import Cached, cache_latents, small_masks
from inference.miniworld.localisation import (
    COVER_WEIGHT,
    EVEN_ODDS,
    TAIL_CEILING,
    WORDS_CEILING,
    covering_loss,
    install,
    localisation_loss,
    looks_of,
    presence_loss,
    softness_loss,
)
from inference.miniworld.mixed import training_scene
from inference.miniworld.scene import KINDS, PEOPLE, Scene, sample_scene, with_unseen
from inference.miniworld.text_encoders import new_encoder
from inference.miniworld.training import (
    SHIPPED_ENCODERS,
    Workshop,
    finished_denoiser,
    get_encoder,
    get_vae,
    train,
)
from inference.miniworld.vae import (
    FULL_BATCH,
    as_batch,
    held_error,
    new_vae,
    pictures,
    polish_decoder,
    standardised,
    train_vae,
    widen,
)

FAMILIES: tuple[Family, ...] = ("sd1", "sdxl", "sd3")
TINY = (8, 8, 8, 8)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _few_threads() -> None:
    torch.manual_seed(0)


def test_the_rate_warms_up_and_decays() -> None:
    plan = Plan(name="x", learning_rate=1.0, budget=Budget(steps=100), warmup_steps=10)
    assert rate_factor(plan, 0.0, 0) == pytest.approx(0.1)
    assert rate_factor(plan, 0.5, 50) == pytest.approx(1.0)
    assert rate_factor(plan, 1.0, 100) < 0.02


LANE = """
import sys
from pathlib import Path

import torch

from inference.miniworld.fitting import Budget, Fit, Plan, fit, join_lanes, lane, lanes

join_lanes()
torch.manual_seed(0)
module = torch.nn.Linear(3, 2)
folder = Path(sys.argv[1])
plan = Plan(name="run", learning_rate=0.1, budget=Budget(steps=3), warmup_steps=1)
samples = torch.randn(12, 3, generator=torch.Generator().manual_seed(1))


def loss_of(step, share):
    first = (step * lanes() + lane()) * (4 // lanes())
    return module(samples[first : first + 4 // lanes()]).square().mean(), {}


fit(Fit(plan, module, folder), loss_of)
torch.save(module.state_dict(), folder / f"{lane()} of {lanes()}.pt")
"""


def test_two_lanes_learn_what_one_would_from_all_their_samples(tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    one = _lane(alone, {})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    meeting = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    two = [_lane(both, {**meeting, "RANK": str(rank)}) for rank in range(2)]
    assert [process.wait(120) for process in (one, *two)] == [0, 0, 0]
    expected = torch.load(alone / "0 of 1.pt", weights_only=True)
    for rank in range(2):
        found = torch.load(both / f"{rank} of 2.pt", weights_only=True)
        torch.testing.assert_close(found, expected)
    assert torch.load(both / "run.pt", weights_only=True)["step"] == 3


def _lane(folder: Path, meeting: dict[str, str]) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", LANE, str(folder)], env={**os.environ, **meeting}, cwd=ROOT
    )


def test_going_on_takes_smaller_steps_from_what_is_there(tmp_path: Path) -> None:
    cached = _cached("sd1")
    text = TextSource("sd1", {name: new_encoder(name) for name in ENCODERS["sd1"]})
    trained = _tiny("sd1")
    run = train_denoiser(
        "sd1", cached, text, tmp_path, Budget(steps=1), model=copy.deepcopy(trained), goes_on=True
    )
    assert run.plan.learning_rate == GOING_ON * PLANS["sd1"].learning_rate
    before, after = trained.state_dict(), run.module.state_dict()
    assert max(float((before[key] - after[key]).abs().max()) for key in before) < 1e-4


def test_a_wrong_colour_of_a_subject_counts_and_nothing_that_evens_out() -> None:
    masks = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    masks[0, 0, 4:8, 4:12] = 255  # two cells of sixteen
    wrong = torch.zeros(2, 4, 16, 16)
    wrong[0, 0, 4:8, 4:12] = 0.5
    assert float(coarse_error(wrong, masks)) == pytest.approx(0.25 * 2 / 16 / 8)
    assert float(coarse_error(wrong.roll(8, 2), masks)) == 0.0  # where no subject is
    checks = torch.ones(16, 16)
    checks[::2, ::2] = checks[1::2, 1::2] = -1
    assert float(coarse_error(wrong * checks, masks)) == 0.0


@pytest.mark.parametrize("goes_on", [False, True])
def test_colours_are_learnt_with_more_weight_by_a_model_that_goes_on(tmp_path: Path, goes_on: bool) -> None:
    cached = _cached("sd1")
    text = TextSource("sd1", {name: new_encoder(name) for name in ENCODERS["sd1"]})
    train_denoiser("sd1", cached, text, tmp_path, Budget(steps=1), model=_tiny("sd1"), goes_on=goes_on)
    line = json.loads((tmp_path / "mini-sd1.log").read_text().splitlines()[0])
    parts = line["denoising"] + PLANS["sd1"].localisation_weight * line["located"]
    assert line["colours"] > 0
    assert line["loss"] == pytest.approx(parts + (line["colours"] if goes_on else 0), abs=3e-5)


@pytest.mark.parametrize("family", ["sdxl", "sd3"])
def test_a_finished_denoiser_is_read_in_full_precision(family: Family) -> None:
    found = finished_denoiser(family, ROOT / "resources" / "models" / f"mini-{family}")
    assert {p.dtype for p in found.parameters()} == {torch.float32}
    assert str(ROOT) not in str(found.config)
    assert [p.shape for p in found.parameters()] == [p.shape for p in new_denoiser(family).parameters()]


def test_vae_training_runs_and_resumes(tmp_path: Path) -> None:
    train_vae(4, tmp_path, Budget(steps=1), channels=TINY)
    train_vae(4, tmp_path, Budget(steps=3), channels=TINY)
    assert torch.load(tmp_path / "vae4.pt", weights_only=True)["step"] == 3


def test_polishing_leaves_the_encoder_alone(tmp_path: Path) -> None:
    vae = new_vae(4, TINY)
    before = {key: value.clone() for key, value in vae.state_dict().items()}
    latents = torch.randn(20, 4, 16, 16)
    after = polish_decoder(vae, "decoder4", latents, tmp_path, Budget(steps=2)).state_dict()
    changed = {key.split(".")[0] for key in after if not torch.equal(after[key], before[key])}
    assert changed == {"decoder", "post_quant_conv"}


def test_polishing_shows_the_scenes_that_the_latents_are_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Scene] = []

    def noted(scenes: Sequence[Scene]) -> torch.Tensor:
        drawn.extend(scenes)
        return as_batch(scenes)

    monkeypatch.setattr("inference.miniworld.vae.as_batch", noted)
    polish_decoder(new_vae(4, TINY), "decoder4", torch.randn(20, 4, 16, 16), tmp_path, Budget(steps=2))
    assert drawn == [training_scene(seed).scene for seed in range(2 * FULL_BATCH)]


def test_widening_trains_both_halves_and_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    vae = new_vae(4, TINY)
    before = {key: value.clone() for key, value in vae.state_dict().items()}
    widen(vae, "wide4", tmp_path, Budget(steps=1))
    after = widen(new_vae(4, TINY), "wide4", tmp_path, Budget(steps=4)).state_dict()
    assert torch.load(tmp_path / "wide4.pt", weights_only=True)["step"] == 4
    changed = {key.split(".")[0] for key in after if not torch.equal(after[key], before[key])}
    assert changed == {"encoder", "quant_conv", "decoder", "post_quant_conv"}


def test_latents_are_held_outside_of_mixed_subjects_alone() -> None:
    free = torch.zeros(1, 1, 16, 16)
    free[..., 4:8, 4:8] = 1.0
    known = torch.zeros(1, 4, 16, 16)
    inside, beside, far = (known.clone() for _ in range(3))
    inside[..., 5, 5] = beside[..., 3, 8] = far[..., 2, 9] = 1.0
    assert held_error(inside, known, free) == 0
    assert held_error(beside, known, free) == 0
    assert held_error(far, known, free) == pytest.approx(1 / 256)


def test_standardised_latents_have_mean_0_and_deviation_1() -> None:
    vae = standardised(new_vae(4, TINY).eval(), 16)
    with torch.no_grad():
        latents = vae.encode(pictures(1_000, 16)).latent_dist.mean
    assert latents.mean((0, 2, 3)).abs().max() < 1e-3
    assert (latents.std((0, 2, 3)) - 1).abs().max() < 1e-3


def test_latents_are_cached_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.miniworld.latents.SHARD", 20)
    vae = new_vae(4, TINY)
    first = cache_latents(vae, "latents", tmp_path, 40)
    written = [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())]
    again = cache_latents(vae, "latents", tmp_path, 40, backwards=True)
    assert first.latents.shape == (40, 4, 16, 16)
    assert torch.equal(first.masks, again.masks)
    assert written == [path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())]


@pytest.mark.parametrize("family", FAMILIES)
def test_denoiser_training_runs_and_resumes(family: Family, tmp_path: Path) -> None:
    cached = _cached(family)
    text = TextSource(family, {name: new_encoder(name) for name in ENCODERS[family]})
    train_denoiser(family, cached, text, tmp_path, Budget(steps=1), model=_tiny(family))
    run = train_denoiser(family, cached, text, tmp_path, Budget(steps=3), model=_tiny(family))
    assert run.step == 3
    assert all(torch.isfinite(p).all() for p in run.ema.parameters())


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_one_biased_key_equals_all_padding(family: Family) -> None:
    text = TextSource(family, {name: new_encoder(name) for name in ENCODERS[family]})
    conditions = text.conditions([sample_scene(seed) for seed in (1, 2)], 3)
    model = _tiny(family)
    for parameter in model.parameters():
        if not parameter.any():  # blocks that start at zero would hide a difference
            torch.nn.init.normal_(parameter, std=0.05)
    latents = torch.randn(2, PLANS[family].latent_channels, 16, 16)
    counts = (conditions.bias[0, TOKENS - 1 :: TOKENS].exp().round().int()).tolist()
    if family == "sd3":
        counts[1] = 40
        conditions.bias[:, -1] = math.log(40)
    full = _unfolded(conditions.context, counts)
    expected = _predict(family, model, latents, full, conditions)
    state = install(model)
    state.bias = conditions.bias
    got = _predict(family, model, latents, conditions.context, conditions)
    assert torch.allclose(got, expected, atol=2e-5)
    state.bias = None
    without = _predict(family, model, latents, conditions.context, conditions)
    assert not torch.allclose(without, expected, atol=1e-3)


def test_attention_inside_the_mask_costs_less() -> None:
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., :8] = 1
    nouns, known = torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.bool)
    inside = masks[0, 0].flatten()[None, :, None]
    good = localisation_loss(looks_of(inside, nouns, masks), known)
    bad = localisation_loss(looks_of(1 - inside, nouns, masks), known)
    assert good < 0.05 < 1 < bad


def test_attention_that_covers_its_subject_costs_least() -> None:
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., :8] = 1
    nouns, known = torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.bool)

    def cost(places: torch.Tensor) -> float:
        return float(covering_loss(looks_of(places.flatten()[None, :, None], nouns, masks), known))

    covered = masks[0, 0] * 0.05
    one_place = torch.zeros(16, 16)
    one_place[8, 4] = 1.0
    level = COVER_WEIGHT * math.log(0.05 + 1e-3)
    assert cost(covered) == pytest.approx(-level, abs=1e-2)
    assert cost(covered * 0.1) > cost(covered)
    assert cost(one_place) > cost(torch.full((16, 16), 0.05)) > cost(covered)
    assert float(covering_loss(looks_of(covered.flatten()[None, :, None], nouns, masks), ~known)) == 0


def test_attention_tells_whether_a_subject_is_there() -> None:
    masks = torch.zeros(1, 2, 16, 16)
    masks[0, 0, :, :8] = 1  # the second is only told of
    nouns = torch.tensor([[0, 1]])
    seen, told = torch.tensor([[True, False]]), torch.tensor([[False, True]])

    def cost(there: float, gone: float) -> float:
        first = masks[0, 0] * there
        second = torch.zeros(16, 16)
        second[:2] = gone  # an eighth of the places
        maps = torch.stack([first.flatten(), second.flatten()], -1)[None]
        return float(presence_loss(looks_of(maps, nouns, masks), seen, told))

    assert cost(EVEN_ODDS, EVEN_ODDS) == pytest.approx(math.log(2), rel=1e-2)
    assert cost(3 * EVEN_ODDS, 0.0) == pytest.approx(math.log(4 / 3) / 2, rel=1e-2)
    assert cost(3 * EVEN_ODDS, 3 * EVEN_ODDS) == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, rel=1e-2)
    nobody = torch.zeros_like(seen)
    assert float(presence_loss(looks_of(torch.ones(1, 256, 2), nouns, masks), nobody, nobody)) == 0


def test_words_and_padding_within_their_ceilings_cost_nothing() -> None:
    words = torch.tensor([[False, True, True, False]])
    half = WORDS_CEILING / 2

    def cost(*shares: float, joint: bool = False) -> float:
        return float(softness_loss(torch.tensor(shares).expand(1, 4, 4), words, joint=joint))

    assert cost(0.9, half, half, TAIL_CEILING) < 1e-4
    assert cost(0.8, 2 * half, 2 * half, 0.0) == pytest.approx(math.log(2), abs=1e-3)
    assert cost(0.1, 0.0, 0.0, 0.9) == pytest.approx(math.log(0.9 / TAIL_CEILING), abs=1e-3)
    assert cost(0.1, 0.0, 0.0, 0.9, joint=True) < 1e-4
    assert cost(0.1, half, 3 * half, 0.5, joint=True) == pytest.approx(math.log(2), abs=1e-3)
    assert cost(0.1, half, 3 * half, 0.5) == pytest.approx(
        math.log(2) + math.log(0.5 / TAIL_CEILING), abs=1e-3
    )


class TestUnseenSubjects:
    def test_one_more_is_told_than_is_there(self) -> None:
        for seed in range(40):
            scene = sample_scene(seed)
            if len(scene.subjects) < 3:
                told = with_unseen(scene, random.Random(seed))
                kinds = [subject.kind for subject in told.subjects]
                assert told.subjects[:-1] == scene.subjects
                assert len(set(kinds)) == len(kinds) == len(scene.subjects) + 1

    def test_it_has_no_place_in_the_picture(self) -> None:
        scenes = [sample_scene(seed, kinds=("cat",)) for seed in range(20)]
        encoders = {"clip_l": new_encoder("clip_l")}
        usual = TextSource("sd1", encoders).conditions(scenes, 3)  # type: ignore[arg-type]
        unseen = TextSource("sd1", encoders, unseen_share=1.0).conditions(scenes, 3)  # type: ignore[arg-type]
        assert (usual.known.sum(1) <= 1).all()
        assert (unseen.known.sum(1) <= 1).all()
        assert not usual.absent.any()
        named = unseen.known.any(1)
        assert named.any()
        assert (unseen.absent.sum(1) == named).all()
        assert (unseen.nouns[..., 0] * unseen.absent).sum(1)[named].min() >= 1
        assert unseen.words.sum() > usual.words.sum()

    def test_scenes_of_three_are_told_as_they_are(self) -> None:
        scenes = [sample_scene(seed, kinds=("cat", "dog", "car")) for seed in range(20)]
        encoders = {"clip_l": new_encoder("clip_l")}
        conditions = TextSource("sd1", encoders, unseen_share=1.0).conditions(scenes, 3)  # type: ignore[arg-type]
        assert conditions.known.any(0).all()


def test_scenes_of_three_come_up_more_often() -> None:
    once, thrice = balanced(300), balanced(300, threefold=3)
    three = [seed for seed in once if len(sample_scene(seed).subjects) == 3]
    assert sorted(thrice) == sorted(once + 2 * three)
    couples = [s for s in once if {one.kind for one in sample_scene(s).subjects} == set(PEOPLE)]
    assert couples
    assert all(seed % 2 == 0 for seed in couples)


def test_shipped_parts_serve_where_the_workshop_has_none(tmp_path: Path) -> None:
    shop = Workshop(work=tmp_path, models=ROOT / "resources" / "models")
    assert get_vae(16, shop).config["latent_channels"] == 16
    for name in SHIPPED_ENCODERS:
        encoder = get_encoder(name, shop)
        assert {key for key, _ in encoder.named_parameters()} == {
            key for key, _ in new_encoder(name).named_parameters()
        }
        assert next(encoder.parameters()).dtype == torch.float32
    assert not list(tmp_path.iterdir())


def test_what_is_trained_after_widening_sees_the_widened_autoencoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workshop that had the earlier one trained on its latents, and put it back into the model."""
    monkeypatch.setattr("inference.miniworld.training.reconstruction_psnr", lambda vae: (20.0, 1.0))
    shop = Workshop(work=tmp_path / "work", models=tmp_path / "models", steps=1)
    new_vae(4, TINY).save_pretrained(shop.models / "mini-sdxl" / "vae")
    new_vae(4, TINY).save_pretrained(shop.work / "vae4")
    latents = shop.work / "mixed4" / "latents-000000.pt"
    latents.parent.mkdir()
    latents.touch()
    train("vae4", replace(shop, goes_on=True))
    shipped = AutoencoderKL.from_pretrained(shop.models / "mini-sdxl" / "vae").state_dict()
    for key, value in get_vae(4, shop).state_dict().items():
        assert torch.equal(value.half(), shipped[key].half())
    assert not latents.exists()


def test_a_card_says_what_the_training_was(tmp_path: Path) -> None:
    effect = {"edited": 0.5, "other": 0.1}
    figures = {
        "suite": {},
        "one_subject": 1.0,
        "two_subjects": 0.6,
        "age_order": 1.0,
        "colours_bound": 0.5,
        "delta_old_neutral": effect,
        "delta_old_young": effect,
        "vae_psnr": "28.5 ± 2 dB",
    }
    figures["suite"] = asdict(Suite())
    card = model_card("mini-sd1", "sd1", figures, tmp_path, "two cores")
    assert "35% of those with fewer than three subjects name one more" in card
    assert "tells whether its subject is there" in card
    assert "below 6% of the attention" in card
    assert "Autoencoder: taken over" in card
    assert "attention localisation" in model_card("mini-sdxl", "sdxl", figures, tmp_path, "two cores")


def test_small_masks_cover_what_the_large_ones_do() -> None:
    masks = small_masks(4)
    assert masks.shape == (3, 16, 16)
    count = len(sample_scene(4).subjects)
    assert (masks[:count].flatten(1).max(1).values > 200).all()
    assert not masks[count:].any()


def test_detector_training_runs_resumes_and_loads(tmp_path: Path) -> None:
    def network() -> DetectorNetwork:
        return DetectorNetwork((8, 8, 8, 8), neck=4, hidden=8)

    train_and_export(tmp_path, tmp_path / "detector", Budget(steps=1), network=network())
    train_and_export(tmp_path, tmp_path / "detector", Budget(steps=3), network=network())
    assert torch.load(tmp_path / "detector.pt", weights_only=True)["step"] == 3
    found = Detector.load(tmp_path / "detector")(torch.rand(2, 3, 100, 140))
    assert len(found) == 2


def test_the_judge_learns_from_any_kinds_in_any_order() -> None:
    drawn = [detector_training._kinds(seed) for seed in range(3000)]
    for count, weight in zip((1, 2, 3), detector_training.JUDGED_COUNTS, strict=True):
        assert sum(len(kinds) == count for kinds in drawn) == pytest.approx(3000 * weight, rel=0.1)
    pairs = {kinds for kinds in drawn if len(kinds) == 2}
    assert pairs == set(itertools.product(KINDS, KINDS))
    scenes = [detector_training._drawn(seed)[0] for seed in range(200)]
    sketched = [len(scene.subjects) for scene in scenes if scene.style != "photo"]
    assert len(set(sketched)) == 3, "how many there are does not tell the style"


def test_a_picture_is_displaced_by_its_flow() -> None:
    image = torch.rand(3, 32, 32)
    still = torch.zeros(2, 32, 32)
    assert torch.allclose(detector_training._displaced(image, still), image, atol=1e-5)
    right = still.clone()
    right[0] = 2 * 4 / 32  # four pixels, in halves of the width
    moved = detector_training._displaced(image, right)
    assert torch.allclose(moved[:, :, :-4], image[:, :, 4:], atol=1e-4)


def test_colours_bleed_and_brightness_stays() -> None:
    image = torch.rand(3, 32, 32)
    bled = detector_training._bled(image, 8)
    assert torch.allclose(bled.mean(0), image.mean(0), atol=1e-5)
    colour = bled - bled.mean(0)
    assert float(colour.std()) < 0.3 * float((image - image.mean(0)).std())
    grey = torch.full((3, 32, 32), 0.4)
    assert torch.allclose(detector_training._bled(grey, 4), grey, atol=1e-6)


def test_waves_distort_at_least_as_much_as_training_does() -> None:
    generator = torch.Generator().manual_seed(0)
    strengths = torch.linspace(0, detector_training.DISTORTION, 100)
    flow = torch.stack([detector_training._field(generator, 2, 64) * strength for strength in strengths])
    waves = torch.stack([detector_training._waves(random.Random(seed), 64) for seed in range(50)])
    assert 1 < float(waves.std() / flow.std()) < 3


def test_a_pool_of_other_settings_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_training, "POOL", 48)
    vae = new_vae(4).eval()
    seeds, pool = detector_training._autoencoded_pool(tmp_path, vae)
    assert pool.shape == (48, 3, 128, 128)
    again = detector_training._autoencoded_pool(tmp_path, vae)[1]
    assert torch.equal(pool, again), "kept"
    monkeypatch.setattr(detector_training, "POOL", 32)
    seeds, smaller = detector_training._autoencoded_pool(tmp_path, vae)
    assert len(seeds) == len(smaller) == 32


def test_noise_and_blur_change_what_the_autoencoder_gives() -> None:
    vae = new_vae(4).eval()
    image = torch.rand(1, 3, 64, 64)
    exact = detector_training._autoencode(vae, image)
    assert torch.equal(exact, detector_training._autoencode(vae, image, 0.0, 0.0))
    for noise, blur in ((0.4, 0.0), (0.0, 0.7)):
        assert not torch.allclose(exact, detector_training._autoencode(vae, image, noise, blur), atol=1e-3)


def test_figures_of_distorted_pictures_are_others() -> None:
    torch.manual_seed(0)
    detector = Detector(DetectorNetwork((8, 8, 8, 8), neck=4, hidden=8))
    clean = detector_training.detector_figures(detector, 8)
    wavy = detector_training.detector_figures(detector, 8, wavy=True)
    assert clean.keys() == wavy.keys()
    assert clean["box_mae"] != wavy["box_mae"]


def test_a_resumed_training_sees_the_pictures_it_would_have_seen() -> None:
    image = torch.rand(3, 32, 32)
    torch.manual_seed(1)
    first = [detector_training._worn(random.Random(seed), image) for seed in range(12)]
    torch.manual_seed(2)
    again = [detector_training._worn(random.Random(seed), image) for seed in range(12)]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert len({float(one.sum()) for one in first}) > 8
    assert all(one.min() >= 0 and one.max() <= 1 for one in first)


def test_an_unknown_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mini-sd2"):
        train("mini-sd2", Workshop(work=tmp_path, models=tmp_path))


def _cached(family: Family) -> Cached:
    masks = torch.stack([small_masks(seed) for seed in range(40)])
    return Cached(torch.randn(40, PLANS[family].latent_channels, 16, 16).half(), masks)


def _tiny(family: Family) -> UNet2DConditionModel | SD3Transformer2DModel:
    config = dict(new_denoiser(family).config)
    if family == "sd3":
        small = {"num_layers": 2, "num_attention_heads": 2, "caption_projection_dim": 48}
        return SD3Transformer2DModel.from_config(config | small)
    widths = (16,) * len(config["block_out_channels"])
    small = {"block_out_channels": widths, "norm_num_groups": 8, "attention_head_dim": 4}
    return UNet2DConditionModel.from_config(config | small)


def _unfolded(context: torch.Tensor, counts: list[int]) -> torch.Tensor:
    groups = context.split(TOKENS, 1)
    parts = [
        torch.cat([group, group[:, -1:].expand(-1, count - 1, -1)], 1)
        for group, count in zip(groups, counts, strict=True)
    ]
    return torch.cat(parts, 1)


def _predict(
    family: Family,
    model: UNet2DConditionModel | SD3Transformer2DModel,
    latents: torch.Tensor,
    context: torch.Tensor,
    conditions: Conditions,
) -> torch.Tensor:
    times = torch.tensor([300, 700])
    if isinstance(model, SD3Transformer2DModel):
        return model(latents, context, conditions.pooled, times).sample
    extra = {"text_embeds": conditions.pooled, "time_ids": time_ids(2)}
    return model(latents, times, context, added_cond_kwargs=extra).sample
