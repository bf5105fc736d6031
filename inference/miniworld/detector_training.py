"""Training of the detector on renders: clean, blurred, noisy, distorted, and decoded by the autoencoder."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from .detector import NOTHING, SLOTS, Detector, DetectorNetwork, Readings
from .fitting import Budget, Fit, Plan, fit, mixed_precision, training_device
from .palette import Rgb
from .render import Rendered, render
from .scene import KINDS, PEOPLE, UNITS, Scene, Subject, sample_scene
from .subjects.person import hair_colour
from .vae import decode, encode

BATCH: Final = 24
POOL: Final = 2400  # autoencoded pictures, drawn once
POOL_SHARE: Final = 0.4
FIRST_SEED: Final = 300_000_000
POOL_SEED: Final = 400_000_000
HELD_OUT_SEED: Final = 70_000_000
# What small models do to their latents: batches of the pool take turns with these.
LATENT_NOISE: Final = (0.0, 0.1, 0.2, 0.4)  # standard deviations
LATENT_BLUR: Final = (0.0, 0.35, 0.7)  # shares of the latents at half their size
# Three subjects are the hardest to read, because each is small. The judge must read what is there, not what
# the world usually puts together: its scenes have any kinds in any order, also one kind twice.
JUDGED_COUNTS: Final = (0.3, 0.35, 0.35)
JUDGED_PEOPLE: Final = 0.36
DISTORTED_SHARE: Final = 0.5
DISTORTION: Final = 0.035  # largest standard deviation of the flow's nodes, in halves of the width
NODES: Final = 7  # of smooth random fields, along each side
BLOTCHES: Final = 0.06
WAVES: Final = 3


@dataclass(frozen=True)
class Truth:
    """What the network shall read; shapes as in Readings, `kind` is an index [N, 3], `is_*` masks [N, 3]."""

    kind: Tensor
    box: Tensor
    values: Tensor
    colours: Tensor
    is_person: Tensor
    is_coloured: Tensor

    def to(self, device: torch.device) -> Truth:
        return Truth(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def train_and_export(
    work: Path,
    folder: Path,
    budget: Budget,
    *,
    vae: AutoencoderKL | None = None,
    network: DetectorNetwork | None = None,
) -> Detector:
    """Trains, resuming an earlier run in `work`, and writes `folder`.

    Some of the pictures have gone through `vae`, the 4-channel autoencoder; without it, none.
    """
    device = training_device()
    torch.manual_seed(9)
    network = (network or DetectorNetwork()).to(device)
    pool_seeds, pool = _autoencoded_pool(work, vae) if vae is not None else ([], torch.empty(0))
    plan = Plan(name="detector", learning_rate=1.5e-3, budget=budget, ema_decay=0.995, seed=9)
    run = Fit(plan, network, work)

    def loss_of(step: int, share: float) -> tuple[Tensor, dict[str, float]]:
        rng = random.Random(step)
        images, scenes = _batch(rng, step, pool_seeds, pool)
        with mixed_precision(device):
            readings = network(images.to(device))
        return reading_loss(readings, truth_of(scenes).to(device))

    trained = fit(run, loss_of).ema
    assert isinstance(trained, DetectorNetwork)
    detector = Detector(trained.cpu())
    detector.save(folder)
    return detector


def truth_of(scenes: Sequence[tuple[Scene, Rendered]]) -> Truth:
    """What is to be read from each scene, arranged by slots."""
    count = len(scenes)
    truth = Truth(
        kind=torch.full((count, len(SLOTS)), NOTHING),
        box=torch.zeros(count, len(SLOTS), 4),
        values=torch.zeros(count, len(SLOTS), 3),
        colours=torch.zeros(count, len(SLOTS), 9),
        is_person=torch.zeros(count, len(SLOTS), dtype=torch.bool),
        is_coloured=torch.zeros(count, len(SLOTS), dtype=torch.bool),
    )
    for n, (scene, rendered) in enumerate(scenes):
        for subject, box in zip(scene.subjects, rendered.boxes, strict=True):
            slot = slot_of(subject)
            truth.kind[n, slot] = KINDS.index(subject.kind)
            truth.box[n, slot] = torch.tensor(box)
            truth.values[n, slot] = torch.tensor([subject.age, subject.smile, subject.size])
            truth.colours[n, slot] = _colours(subject)
            truth.is_person[n, slot] = subject.is_person
            truth.is_coloured[n, slot] = scene.style == "photo"
    return truth


def slot_of(subject: Subject) -> int:
    """0 left, 1 middle, 2 right, from where the subject stands."""
    place = subject.x / UNITS
    return 0 if place < 0.37 else 2 if place > 0.63 else 1


def reading_loss(readings: Readings, truth: Truth) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy of the kind plus L1 of box, values and colours where there are any."""
    kinds = functional.cross_entropy(readings.kinds.flatten(0, 1), truth.kind.flatten())
    present = truth.kind != NOTHING
    things = present & ~truth.is_person
    error = (readings.values - truth.values).abs()
    age, smile = _mean(error[..., 0], truth.is_person), _mean(error[..., 1], truth.is_person)
    size = _mean(error[..., 2], things)
    colour_error = (readings.colours - truth.colours).abs()
    people, coloured = colour_error[..., :6].mean(-1), colour_error[..., 6:].mean(-1)
    colours = _mean(people, truth.is_person & truth.is_coloured)
    colours = colours + _mean(coloured, things & truth.is_coloured)
    box = _mean((readings.box - truth.box).abs().mean(-1), present)
    loss = kinds + 2 * age + 1.2 * smile + 2 * size + colours + 2 * box
    right = (readings.kinds.argmax(-1) == truth.kind).float().mean()
    return loss, {"right": float(right), "age": float(age.detach()), "smile": float(smile.detach())}


@torch.no_grad()
def detector_figures(
    detector: Detector, count: int = 600, vae: AutoencoderKL | None = None, *, wavy: bool = False
) -> dict[str, float]:
    """Errors on held-out renders (photo style), passed through `vae` first when one is given.

    `wavy` distorts them as small models do what they draw, but by waves and thus otherwise than in training.
    """
    scenes = [_drawn(HELD_OUT_SEED + i, style="photo") for i in range(count)]
    images = torch.stack([_tensor(rendered) for _, rendered in scenes])
    if wavy:
        rng = random.Random(HELD_OUT_SEED)
        images = torch.stack([_displaced(image, _waves(rng, image.shape[-1])) for image in images])
    if vae is not None:
        images = torch.cat([_autoencode(vae, part) for part in images.split(16)])
    readings, truth = detector.read(images), truth_of(scenes)
    present = truth.kind != NOTHING
    found = readings.kinds.softmax(-1)
    best = found.argmax(-1)
    people = truth.is_person & (best == truth.kind)
    things = present & ~truth.is_person
    colour = (readings.colours - truth.colours).abs()
    return {
        "pictures": count,
        "presence": float((best == truth.kind)[present].float().mean()),
        "false_alarms": float((best != NOTHING)[~present].float().mean()),
        "picture_all_right": float((best == truth.kind).all(1).float().mean()),
        "age_r2": _r2(readings.values[..., 0][people], truth.values[..., 0][people]),
        "smile_r2": _r2(readings.values[..., 1][people], truth.values[..., 1][people]),
        "size_r2": _r2(readings.values[..., 2][things], truth.values[..., 2][things]),
        "age_mae": float((readings.values - truth.values)[..., 0][people].abs().mean()),
        "smile_mae": float((readings.values - truth.values)[..., 1][people].abs().mean()),
        "hair_mae": float(colour[..., :3][people].mean()),
        "shirt_mae": float(colour[..., 3:6][people].mean()),
        "colour_mae": float(colour[..., 6:][things].mean()),
        "box_mae": float((readings.box - truth.box).abs()[present].mean()),
    }


def _colours(subject: Subject) -> Tensor:
    hair: Rgb = hair_colour(subject)
    return torch.tensor([*hair, *subject.shirt_rgb, *subject.colour_rgb]) / 255


def _drawn(seed: int, style: str | None = None) -> tuple[Scene, Rendered]:
    scene = sample_scene(seed, kinds=_kinds(seed), style=style)
    return scene, render(scene)


def _kinds(seed: int) -> tuple[str, ...]:
    rng = random.Random(f"kinds {seed}")  # apart from what the scene draws from the same seed
    count = rng.choices((1, 2, 3), JUDGED_COUNTS)[0]
    return tuple(rng.choice(PEOPLE if rng.random() < JUDGED_PEOPLE else KINDS[2:]) for _ in range(count))


def _tensor(rendered: Rendered) -> Tensor:
    return torch.from_numpy(rendered.pixels).permute(2, 0, 1).float() / 255


def _batch(
    rng: random.Random, step: int, pool_seeds: Sequence[int], pool: Tensor
) -> tuple[Tensor, list[tuple[Scene, Rendered]]]:
    scenes: list[tuple[Scene, Rendered]] = []
    images: list[Tensor] = []
    for i in range(BATCH):
        if len(pool_seeds) and rng.random() < POOL_SHARE:
            place = rng.randrange(len(pool_seeds))
            scenes.append(_drawn(pool_seeds[place]))
            images.append(pool[place].float() / 255)
        else:
            scenes.append(_drawn(FIRST_SEED + step * BATCH + i))
            images.append(_tensor(scenes[-1][1]))
        images[-1] = _worn(rng, images[-1])
    return torch.stack(images), scenes


def _worn(rng: random.Random, image: Tensor) -> Tensor:
    """Distortion, bleeding colours, blotches, blur, noise, and a change of contrast, as finished pictures of
    small models have.
    """
    generator, size = torch.Generator().manual_seed(rng.getrandbits(48)), image.shape[-1]
    if rng.random() < DISTORTED_SHARE:
        image = _displaced(image, _field(generator, 2, size) * rng.uniform(0, DISTORTION))
    if rng.random() < 0.4:
        image = _bled(image, rng.choice((4, 8)))
    if rng.random() < 0.4:
        image = image + _field(generator, 3, size) * rng.uniform(0, BLOTCHES)
    if rng.random() < 0.6:
        factor = rng.choice((1.5, 2.0, 2.6, 4.0))
        small = functional.interpolate(image[None], scale_factor=1 / factor, mode="bilinear", antialias=True)
        image = _upscaled(small, size)[0]
    if rng.random() < 0.5:
        image = image + torch.randn(image.shape, generator=generator) * rng.uniform(0, 0.05)
    if rng.random() < 0.3:
        image = (image - 0.5) * rng.uniform(0.88, 1.12) + 0.5 + rng.uniform(-0.04, 0.04)
    return image.clamp(0, 1)


def _bled(image: Tensor, factor: int) -> Tensor:
    """The picture [3, S, S] with its colours, but not its brightness, coarser by `factor`."""
    brightness = image.mean(0, keepdim=True)
    colour = functional.avg_pool2d((image - brightness)[None], factor)
    return brightness + _upscaled(colour, image.shape[-1])[0]


def _field(generator: torch.Generator, channels: int, size: int) -> Tensor:
    """A smooth random field [channels, size, size], its nodes of deviation 1."""
    return _upscaled(torch.randn(1, channels, NODES, NODES, generator=generator), size)[0]


def _upscaled(fields: Tensor, size: int) -> Tensor:
    return functional.interpolate(fields, (size, size), mode="bicubic", align_corners=False)


def _displaced(image: Tensor, flow: Tensor) -> Tensor:
    """The picture [3, S, S] with what lies at x + flow(x) at x; flow [2, S, S] in halves of the width."""
    size = image.shape[-1]
    still = functional.affine_grid(torch.eye(2, 3)[None], [1, 3, size, size], align_corners=False)
    grid = still + flow.permute(1, 2, 0)
    moved = functional.grid_sample(image[None], grid, padding_mode="border", align_corners=False)
    return moved[0]


def _waves(rng: random.Random, size: int) -> Tensor:
    """A flow [2, S, S], in halves of the width, of waves across the picture at random angles and lengths."""
    axis = (torch.arange(size) + 0.5) / size
    flow = torch.zeros(2, size, size)
    for _ in range(WAVES):
        angle, turns = rng.uniform(0, math.tau), rng.uniform(1, 5)
        place = axis[None, :] * math.cos(angle) + axis[:, None] * math.sin(angle)
        wave = torch.sin(math.tau * turns * place + rng.uniform(0, math.tau))
        towards = rng.uniform(0, math.tau)
        flow += torch.tensor([math.cos(towards), math.sin(towards)])[:, None, None] * wave
    return flow * DISTORTION / math.sqrt(WAVES / 2)


def _autoencoded_pool(work: Path, vae: AutoencoderKL) -> tuple[list[int], Tensor]:
    """(seeds, uint8 pictures) that went through the autoencoder; kept in `work` for the same settings."""
    path = work / "detector-pool.pt"
    made_of = repr((POOL, POOL_SEED, JUDGED_COUNTS, JUDGED_PEOPLE, LATENT_NOISE, LATENT_BLUR))
    seeds = [POOL_SEED + i for i in range(POOL)]
    if path.is_file():
        kept = torch.load(path, weights_only=True)
        if isinstance(kept, dict) and kept["made_of"] == made_of:
            return seeds, kept["pictures"]
    parts: list[Tensor] = []
    for first in range(0, POOL, 16):
        images = [_tensor(_drawn(seed)[1]) for seed in seeds[first : first + 16]]
        turn = first // 16
        noise, blur = LATENT_NOISE[turn % len(LATENT_NOISE)], LATENT_BLUR[turn % len(LATENT_BLUR)]
        parts.append((_autoencode(vae, torch.stack(images), noise, blur) * 255).round().byte())
    pool = torch.cat(parts)
    work.mkdir(parents=True, exist_ok=True)
    torch.save({"made_of": made_of, "pictures": pool}, path)
    return seeds, pool


@torch.no_grad()
def _autoencode(vae: AutoencoderKL, images: Tensor, noise: float = 0.0, blur: float = 0.0) -> Tensor:
    with mixed_precision(torch.device("cpu")):
        latents = encode(vae, images * 2 - 1)
        coarse = functional.avg_pool2d(latents, 2)
        latents = torch.lerp(latents, _upscaled(coarse, latents.shape[-1]), blur)
        latents = latents + noise * torch.randn_like(latents)
        return (decode(vae, latents).float() / 2 + 0.5).clamp(0, 1)


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)


def _r2(read: Tensor, true: Tensor) -> float:
    rest = (read - true).pow(2).sum()
    return float(1 - rest / (true - true.mean()).pow(2).sum())
