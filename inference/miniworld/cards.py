"""Model cards: data, steps, hardware, figures and limits of a finished folder, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from .conditioning import Family
from .denoisers import PLANS, DenoiserPlan
from .detector_training import JUDGED_COUNTS
from .evaluation import FIRST_SEED, Suite
from .export import GUIDANCE, LICENCE
from .localisation import TAIL_CEILING, WORDS_CEILING
from .mixed import MIXED_SHARE
from .training import PICTURES

CLASSES: Final[dict[Family, str]] = {
    "sd1": "UNet2DConditionModel with the blocks of SD 1.4; CLIP-L; 4 latent channels; ε-prediction",
    "sdxl": "UNet2DConditionModel with the blocks of SDXL; CLIP-L, CLIP-G; 4 latent channels; ε-prediction",
    "sd3": "SD3Transformer2DModel, 6 joint blocks; CLIP-L, CLIP-G, T5; 16 latent channels; rectified flow",
}
LOCALISED: Final = "attention localisation from the exact masks, weight {weight:g}"
SOFT: Final = "; all words together are kept below {words:.0%} of the attention"
START: Final = (
    ", the end token and the padding below {tail:.0%}, as in the real family, where the start token takes "
    "the rest"
)
COVERING: Final = ", over all of the subject"
TELLING: Final = "; a noun's attention tells whether its subject is there (cross entropy)"
NOT_LOCALISED: Final = "none"
CAPTIONS: Final = "captions drawn anew each time"
UNSEEN: Final = (
    "captions drawn anew each time; {share:.0%} of those with fewer than three subjects name one more than "
    "the picture shows, as captions in the wild do: that is where the neglect comes from that *Refine* cures"
)
THREEFOLD: Final = "; scenes of three subjects come up {times} times an epoch"
TAKEN_OVER: Final = "taken over from the models that were shipped before"

MODEL: Final = """\
# {name}

{classes}. Licence: {licence}. Everything was drawn and trained from scratch, no outside data.

## Training

* Data: {pictures} rendered scenes of the mini world (`inference/miniworld`), {mixed:.0%} with colours between
  two named ones, told so far between what the text encoders say to both; {captions}.
* Denoiser: {steps} steps of {batch} ({samples} samples) in {minutes:.0f} minutes; AdamW, learning rate
  {rate:g}, linear decay over the last 45 % of the time, running average 0.998.
* Auxiliary losses: {auxiliary}.
* Conditions: 10 % without caption; in half of the rest only nouns are shown; in 40 % the noun's embedding is
  moved by the exact age, smile or size, which is the line that attribute deltas move it along.
* Text encoders: trained first, on fixed codes of each noun phrase, and frozen. Padding is one constant.
* Autoencoder: {vae}.
* Hardware: {hardware}.
* Again: `python -m inference.miniworld train {name}`.

## Figures

Held-out prompts, seeds from {seed}, {sampling} sampling steps, guidance {guidance:g}, judged by the detector.

| figure | goal | measured |
| --- | --- | --- |
{table}

## Limits

It knows 128 × 128 cartoon scenes with one to three of eight kinds (man, woman, cat, dog, house, car, tree,
ball), five backgrounds and three styles, in the words of its vocabulary; other words are ignored. It is a
sandbox for methods, not a model of photographs. Two things of the same kind, more than three things, and
places ("left of") are outside of what it was trained on.
"""

DETECTOR: Final = """\
# detector

A small convolutional network with one head for the slots left, middle and right. Licence: {licence}.

Trained for {steps} steps in {minutes:.0f} minutes on renders of the mini world, {ones:.0%}, {twos:.0%} and
{threes:.0%} of them with one, two and three subjects, of any kinds in any order: clean, blurred, noisy,
distorted by a smooth random flow, with bleeding and blotched colours, and decoded by the 4-channel
autoencoder from noisy and blurred latents. Hardware: {hardware}.
Again: `python -m inference.miniworld train detector`.

Its own errors on held-out renders in photo style: clean, after the 4-channel autoencoder, and distorted by
waves, which is otherwise than in training:

| figure | clean | autoencoded | distorted |
| --- | --- | --- | --- |
{table}

Goals: presence ≥ 0.99, R² of age and smile ≥ 0.9.

Limits: one subject a slot; other pictures than mini-world scenes give meaningless answers; smiles are read
less surely from autoencoded and distorted pictures than from clean ones, above all where three people are
small.
"""


def model_card(name: str, family: Family, figures: Mapping[str, Any], work: Path, hardware: str) -> str:
    """The card of one diffusion model; `figures` holds those of `reporting.report_model`."""
    plan = PLANS[family]
    run = _progress(work, name)
    return MODEL.format(
        name=name,
        classes=CLASSES[family],
        licence=LICENCE,
        pictures=PICTURES,
        mixed=MIXED_SHARE,
        steps=run["step"],
        batch=plan.batch,
        samples=run["step"] * plan.batch,
        minutes=run["minutes"],
        rate=plan.learning_rate,
        auxiliary=_auxiliary(plan),
        captions=_captions(plan),
        vae=_vae(work, plan.latent_channels),
        hardware=hardware,
        seed=FIRST_SEED,
        sampling=figures["suite"]["steps"],
        guidance=GUIDANCE[family],
        table="\n".join(f"| {a} | {b} | {c} |" for a, b, c in _rows(family, figures)),
    )


def detector_card(figures: Mapping[str, Any], work: Path, hardware: str) -> str:
    """The card of the detector; figures of clean, autoencoded and distorted held-out renders."""
    run = _progress(work, "detector")
    columns = [figures[kind] for kind in ("clean", "autoencoded", "distorted")]
    ones, twos, threes = JUDGED_COUNTS
    return DETECTOR.format(
        ones=ones,
        twos=twos,
        threes=threes,
        licence=LICENCE,
        steps=run["step"],
        minutes=run["minutes"],
        hardware=hardware,
        table="\n".join(
            f"| {key} | " + " | ".join(f"{column[key]:.4g}" for column in columns) + " |"
            for key in columns[0]
        ),
    )


def read_figures(path: Path) -> dict[str, Any]:
    """All figures written so far."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _rows(family: Family, figures: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(figure, goal, measured) lines of the table."""
    suite = Suite(**figures["suite"])
    two = "45-75 %" if family == "sd1" else "≥ 80 %"
    rows = [
        (f"one subject present, {suite.one} pictures", "≥ 95 %", _percent(figures["one_subject"])),
        (f"both subjects present, {suite.two} pictures", two, _percent(figures["two_subjects"])),
        (f"order of ages right, {suite.ages} pictures", "≥ 85 %", _percent(figures["age_order"])),
        (f"colours bound, {suite.colours} pictures", "≥ 80 %", _percent(figures["colours_bound"])),
    ]
    for key, label in (("delta_old_neutral", "old - plain"), ("delta_old_young", "old - young")):
        effect = figures[key]
        text = f"{effect['edited']:+.2f} and {effect['other']:.2f}"
        what = f'delta *{label}* at "man", α -1.5 to 1.5, {suite.deltas} seeds: his age, hers (absolute)'
        rows.append((what, "≥ 0.3 and ≤ 0.1", text))
    goal = "≥ 31 dB" if family == "sd3" else "≥ 28 dB"
    rows.append(("autoencoder, PSNR of 256 held-out pictures", goal, figures["vae_psnr"]))
    return rows


def _captions(plan: DenoiserPlan) -> str:
    told = UNSEEN.format(share=plan.unseen_share) if plan.unseen_share else CAPTIONS
    return told + (THREEFOLD.format(times=plan.threefold) if plan.threefold > 1 else "")


def _auxiliary(plan: DenoiserPlan) -> str:
    if not plan.localisation_weight:
        return NOT_LOCALISED
    localised = LOCALISED.format(weight=plan.localisation_weight)
    if plan.covering:
        localised += COVERING
    if plan.soft:
        localised += SOFT.format(words=WORDS_CEILING)
        if plan.family != "sd3":
            localised += START.format(tail=TAIL_CEILING)
    if plan.telling:
        localised += TELLING
    return localised


def _vae(work: Path, channels: int) -> str:
    first, then = (_progress(work, f"{part}{channels}")["step"] for part in ("vae", "decoder"))
    return f"{first} steps, then {then} of the decoder alone" if first else TAKEN_OVER


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _progress(work: Path, name: str) -> dict[str, Any]:
    path = work / f"{name}.pt"
    if not path.is_file():
        return {"step": 0, "minutes": 0.0}
    state = torch.load(path, weights_only=True, map_location="cpu")
    return {"step": state["step"], "minutes": state["seconds"] / 60}
