"""Training of the two autoencoders (4 and 16 latent channels), 128 px pictures to 16 × 16 latents."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from .fitting import Budget, Fit, Plan, fit, lane, lanes, mixed_precision, training_device
from .mixed import Told, training_scene
from .render import PICTURE_PX, draw_masks, draw_pixels
from .scene import Scene, sample_scene

CHANNELS: Final = (16, 32, 64, 96)
NORM_GROUPS: Final = 8
HELD_OUT_SEED: Final = 50_000_000
LATENT_NOISE: Final = 0.08  # of a channel's deviation; the decoder learns to forgive the denoiser as much
POLISH_NOISE: Final = 0.04
CROP_PX: Final = 64
CROP_BATCH, FULL_BATCH = 16, 6
FULL_FROM_SHARE: Final = 0.6
POOL_PX: Final = 4
COLOUR_PX: Final = 8  # one latent to a side: the colour of a cell
HELD_WEIGHT: Final = 0.3
HELD_MARGIN: Final = 1  # latents: the encoder sees a subject that far around it


def new_vae(latent_channels: int, channels: tuple[int, ...] = CHANNELS) -> AutoencoderKL:
    """An untrained autoencoder, ×8 down, of stock diffusers layout."""
    stock: Any = AutoencoderKL  # whose annotations allow one block only
    return stock(
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=NORM_GROUPS,
        sample_size=PICTURE_PX,
        mid_block_add_attention=False,
        scaling_factor=1.0,
        shift_factor=0.0,
        force_upcast=False,
    )


def pictures(first_seed: int, count: int) -> Tensor:
    """Rendered scenes, float32 [count, 3, 128, 128] in -1..1."""
    return as_batch([sample_scene(first_seed + i) for i in range(count)])


def as_batch(scenes: Sequence[Scene]) -> Tensor:
    """Scenes as an autoencoder takes them, float32 [N, 3, 128, 128] in -1..1."""
    drawn = np.stack([draw_pixels(scene) for scene in scenes])
    return torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 127.5 - 1


def encode(vae: AutoencoderKL, batch: Tensor) -> Tensor:
    """The posterior's mean: pictures [N, 3, H, W] in -1..1 to latents [N, C, H/8, W/8]."""
    network: Any = vae  # diffusers' own annotations are too narrow
    return network.encode(batch).latent_dist.mean


def decode(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Latents [N, C, h, w] to pictures [N, 3, 8h, 8w], about -1..1."""
    network: Any = vae
    return network.decode(latents).sample


def train_vae(
    latent_channels: int,
    folder: Path,
    budget: Budget,
    *,
    start_from: AutoencoderKL | None = None,
    channels: tuple[int, ...] = CHANNELS,
) -> AutoencoderKL:
    """Trains, resuming an earlier run in `folder`; returns the averaged weights, latents standardised.

    `start_from` lends its weights wherever the shapes agree (the 16-channel one starts from the 4-channel
    one).
    """
    device = training_device()
    torch.manual_seed(latent_channels)
    vae = new_vae(latent_channels, channels)
    if start_from is not None:
        _borrow(vae, start_from)
    plan = Plan(
        name=f"vae{latent_channels}",
        learning_rate=2e-3 if start_from is None else 1.2e-3,
        budget=budget,
        weight_decay=1e-4,
        ema_decay=0.995,
        seed=latent_channels,
    )
    run = Fit(plan, vae.to(device), folder)

    def loss_of(step: int, share: float) -> tuple[Tensor, dict[str, float]]:
        batch = _batch(step, share).to(device)
        with mixed_precision(device):
            return reconstruction_loss(vae, batch)

    fit(run, loss_of)
    ema = run.ema
    assert isinstance(ema, AutoencoderKL)
    return standardised(ema.cpu())


def polish_decoder(
    vae: AutoencoderKL, name: str, latents: Tensor, folder: Path, budget: Budget
) -> AutoencoderKL:
    """Trains the decoder alone on whole pictures: the latents, and denoisers trained on them, stay valid.

    latents: [n, C, 16, 16], row i belongs to `training_scene(i)`. Some of these have colours between named
    ones, which a decoder that was trained on named ones alone turns into others. Returns the averaged
    weights.
    """
    device = training_device()
    vae = vae.to(device).requires_grad_(False)
    for part in (vae.decoder, vae.post_quant_conv):
        part.requires_grad_(True)
    run = Fit(_further(name, budget), vae, folder)

    def loss_of(step: int, share: float) -> tuple[Tensor, dict[str, float]]:
        first = (step * lanes() + lane()) * FULL_BATCH % (len(latents) - FULL_BATCH)
        batch = as_batch([training_scene(first + i).scene for i in range(FULL_BATCH)]).to(device)
        given = latents[first : first + FULL_BATCH].float().to(device)
        given = given + POLISH_NOISE * torch.randn_like(given)
        with mixed_precision(device):
            decoded = decode(vae, given).float()
        squared = functional.mse_loss(decoded, batch)
        loss = 8 * squared + 0.3 * functional.l1_loss(decoded, batch)
        return loss, {"psnr": float(10 * torch.log10(4 / squared.detach()))}

    ema = fit(run, loss_of).ema
    assert isinstance(ema, AutoencoderKL)
    return ema.cpu().eval()


def widen(vae: AutoencoderKL, name: str, folder: Path, budget: Budget) -> AutoencoderKL:
    """Trains encoder and decoder on colours between named ones, which the first training never showed.

    Latents of all that had a named colour are held near to what they were (`held_error`), so that denoisers
    which were trained on those need little further training. Returns the averaged weights.
    """
    device = training_device()
    vae = vae.to(device)
    before = copy.deepcopy(vae).requires_grad_(False).eval()

    def loss_of(step: int, share: float) -> tuple[Tensor, dict[str, float]]:
        batch, subjects, mixed = (part.to(device) for part in _mixed_batch(step * lanes() + lane(), share))
        with mixed_precision(device):
            latents = encode(vae, batch).float()
            with torch.no_grad():
                known = encode(before, batch).float()
            decoded = decode(vae, latents + POLISH_NOISE * torch.randn_like(latents)).float()
        missed = decoded - batch
        squared = missed.square().mean()
        colours = (functional.avg_pool2d(missed, COLOUR_PX) * subjects).square().mean()
        held = held_error(latents, known, subjects * mixed)
        loss = 8 * (squared + colours) + 0.3 * missed.abs().mean() + HELD_WEIGHT * held
        figures = {"psnr": 10 * torch.log10(4 / squared), "colours": colours, "held": held}
        return loss, {key: float(value.detach()) for key, value in figures.items()}

    ema = fit(Fit(_further(name, budget), vae, folder), loss_of).ema
    assert isinstance(ema, AutoencoderKL)
    return ema.cpu().eval()


def _further(name: str, budget: Budget) -> Plan:
    """For an autoencoder that is trained already."""
    return Plan(
        name=name,
        learning_rate=1e-3,
        budget=budget,
        decay_share=0.7,
        weight_decay=1e-4,
        ema_decay=0.99,
        seed=len(name),
    )


def held_error(latents: Tensor, known: Tensor, free: Tensor) -> Tensor:
    """How far latents [N, C, h, w] moved from `known` where `free` [N, 1, h, w] is 0, a margin apart."""
    reach = 2 * HELD_MARGIN + 1
    held = 1 - functional.max_pool2d(free.float(), reach, stride=1, padding=HELD_MARGIN)
    return ((latents - known).square() * held).mean()


def _mixed_batch(number: int, share: float) -> tuple[Tensor, Tensor, Tensor]:
    """Training scenes, how much of each latent's cell their subjects cover, and whether they are mixed.

    Crops around subjects at first, later whole pictures. [N, 3, H, W], [N, 1, H/8, W/8] in 0..1, bool
    [N, 1, 1, 1].
    """
    whole = share >= FULL_FROM_SHARE
    count = FULL_BATCH if whole else CROP_BATCH
    told = [training_scene(number * CROP_BATCH + i) for i in range(count)]
    batch, subjects = as_batch([one.scene for one in told]), torch.stack([_covered(one) for one in told])
    if not whole:
        corners = [_corner(seen) for seen in subjects]
        batch = torch.stack([_crop(one, at, COLOUR_PX) for one, at in zip(batch, corners, strict=True)])
        subjects = torch.stack([_crop(one, at, 1) for one, at in zip(subjects, corners, strict=True)])
    return batch, subjects, torch.tensor([one.is_mixed for one in told]).view(-1, 1, 1, 1)


def _covered(told: Told) -> Tensor:
    """How much of each latent's cell subjects cover, float32 [1, 16, 16] in 0..1."""
    masks = torch.from_numpy(draw_masks(told.scene)).float()
    return functional.avg_pool2d(masks.sum(0, keepdim=True).clamp(max=1), COLOUR_PX)


def _corner(covered: Tensor) -> tuple[int, int]:
    """Row and column, in latents, of a crop around a place that a subject covers; anywhere without one."""
    side, most = CROP_PX // COLOUR_PX, (PICTURE_PX - CROP_PX) // COLOUR_PX
    places = (covered[0] > 0.5).nonzero()
    if not len(places):
        row, column = torch.randint(0, most + 1, (2,)).tolist()
        return row, column
    row, column = places[int(torch.randint(0, len(places), ()))].tolist()
    return min(max(row - side // 2, 0), most), min(max(column - side // 2, 0), most)


def _crop(picture: Tensor, corner: tuple[int, int], cell: int) -> Tensor:
    row, column = (place * cell for place in corner)
    side = CROP_PX // COLOUR_PX * cell
    return picture[..., row : row + side, column : column + side]


def reconstruction_loss(vae: AutoencoderKL, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
    """L1 + 2·MSE + half the L1 of 4 × 4 means (small parts keep their colour) + a pin on the latents' power.

    batch: [N, 3, H, W] in -1..1.
    """
    mean = encode(vae, batch).float()
    spread = mean.detach().std((0, 2, 3), keepdim=True)
    noisy = mean + LATENT_NOISE * spread * torch.randn_like(mean)
    decoded = decode(vae, noisy).float()
    squared = functional.mse_loss(decoded, batch)
    pooled = functional.l1_loss(
        functional.avg_pool2d(decoded, POOL_PX), functional.avg_pool2d(batch, POOL_PX)
    )
    pin = (mean.pow(2).mean((0, 2, 3)) - 1).pow(2).mean()
    loss = functional.l1_loss(decoded, batch) + 2 * squared + 0.5 * pooled + 0.01 * pin
    return loss, {"psnr": float(10 * torch.log10(4 / squared.detach()))}


@torch.no_grad()
def standardised(vae: AutoencoderKL, count: int = 256) -> AutoencoderKL:
    """Folds the latents' means and deviations into the 1 × 1 convolutions: `scaling_factor` becomes 1."""
    vae.eval()
    held = [encode(vae, pictures(1_000 + i, 16)) for i in range(0, count, 16)]
    latents = torch.cat(held)
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    channels = latents.shape[1]
    quant, post = vae.quant_conv, vae.post_quant_conv
    assert isinstance(quant, nn.Conv2d)
    assert isinstance(post, nn.Conv2d)
    assert quant.bias is not None
    assert post.bias is not None
    quant.weight[:channels] /= std[:, None, None, None]
    quant.bias[:channels] = (quant.bias[:channels] - mean) / std
    quant.weight[channels:] = 0
    quant.bias[channels:] = 2 * float(np.log(LATENT_NOISE))
    weight = post.weight.clone()
    post.weight.copy_(weight * std[None, :, None, None])
    post.bias += (weight[:, :, 0, 0] * mean).sum(1)
    return vae


@torch.no_grad()
def reconstruction_psnr(vae: AutoencoderKL, count: int = 256) -> tuple[float, float]:
    """Mean and standard deviation of the PSNR (dB) over held-out pictures, posterior mean, 8-bit range."""
    values: list[Tensor] = []
    for i in range(0, count, 16):
        batch = pictures(HELD_OUT_SEED + i, 16)
        decoded = decode(vae, encode(vae, batch)).clamp(-1, 1)
        values.append(10 * torch.log10(4 / (decoded - batch).pow(2).mean((1, 2, 3))))
    psnr = torch.cat(values)
    return float(psnr.mean()), float(psnr.std())


def _batch(step: int, share: float) -> Tensor:
    """Crops at first (more variety for the cost), later whole pictures (their statistics are used)."""
    if share >= FULL_FROM_SHARE:
        return pictures(10_000_000 + step * FULL_BATCH, FULL_BATCH)
    whole = pictures(step * CROP_BATCH, CROP_BATCH)
    drawn = torch.randint(0, PICTURE_PX - CROP_PX + 1, (CROP_BATCH, 2))
    corners: list[list[int]] = drawn.tolist()
    # People's faces are the hardest part and sit in the lower two thirds: half of the crops look there.
    for i in range(0, CROP_BATCH, 2):
        corners[i][0] = 24 + corners[i][0] // 2
    crops = [whole[i, :, y : y + CROP_PX, x : x + CROP_PX] for i, (y, x) in enumerate(corners)]
    return torch.stack(crops)


def _borrow(vae: AutoencoderKL, other: AutoencoderKL) -> None:
    theirs, mine = other.state_dict(), vae.state_dict()
    fitting = {key: value for key, value in theirs.items() if mine[key].shape == value.shape}
    vae.load_state_dict(fitting, strict=False)
