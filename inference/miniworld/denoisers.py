"""Training of the three denoisers on cached latents, with frozen text encoders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import (
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    UNet2DConditionModel,
)
from torch import Tensor, nn
from torch.nn import functional

from .conditioning import Conditions, Family, TextSource
from .fitting import Budget, Fit, Plan, fit, lane, lanes, mixed_precision, training_device
from .latents import LATENT_SIZE, MAX_SUBJECTS, Cached
from .localisation import AttentionState, install
from .mixed import training_scene
from .render import PICTURE_PX
from .scene import PEOPLE, sample_scene
from .text_encoders import WIDTHS

CLIP_WIDTH: Final = WIDTHS["clip_l"] + WIDTHS["clip_g"]
TIME_ID_WIDTH: Final = 32
MIN_SNR: Final = 5.0
FLOW_SHIFT: Final = 2.0
NOISE_OFFSET: Final = 0.15
TRAINING_LEVELS: Final = 1000
GOING_ON: Final = 0.6  # of the learning rate, for a model that is trained further
COARSE_WEIGHT: Final = 1.0  # of the loss on coarse colours, for a model that is trained further
COARSE_CELL: Final = 4  # latents to a side
MOST_AMPLIFIED: Final = 8.0  # an error of x̂₀ is one of ε̂ so many times, at most


@dataclass(frozen=True, kw_only=True)
class DenoiserPlan:
    """What differs between the families."""

    family: Family
    learning_rate: float
    batch: int
    latent_channels: int
    localisation_weight: float  # 0: the auxiliary attention loss is off
    seed: int
    unseen_share: float = 0.0  # captions that name a subject which the picture lacks
    threefold: int = 1  # how often an epoch shows each scene of three subjects
    covering: bool = False  # nouns look at all of their subject
    telling: bool = False  # a noun's attention tells whether its subject is there
    soft: bool = False  # words take a small share of attention, as in the real family


PLANS: Final[dict[Family, DenoiserPlan]] = {
    # This model is to show the neglect that refinement methods cure. They read attention maps, so these have
    # to say where things are (a model trained without the localisation loss had maps that told nothing of
    # what was missing, and refining made it worse); neglect comes from captions that promise too much.
    "sd1": DenoiserPlan(
        family="sd1",
        learning_rate=1e-3,
        batch=16,
        latent_channels=4,
        localisation_weight=0.1,
        seed=1,
        unseen_share=0.35,  # with more, most captions of three things would be untrue
        threefold=5,
        covering=True,
        soft=True,
        telling=True,
    ),
    "sdxl": DenoiserPlan(
        family="sdxl",
        learning_rate=1e-3,
        batch=16,
        latent_channels=4,
        localisation_weight=0.1,
        seed=2,
    ),
    "sd3": DenoiserPlan(
        family="sd3",
        learning_rate=1e-3,
        batch=20,
        latent_channels=16,
        localisation_weight=0.1,
        seed=3,
        unseen_share=0.12,  # less than SD 1: the real SD3 neglects less too
        threefold=3,
        covering=True,
        soft=True,
    ),
}


def new_denoiser(family: Family) -> UNet2DConditionModel | SD3Transformer2DModel:
    """An untrained denoiser with the block topology of the real family, only narrower."""
    unet: Any = UNet2DConditionModel  # whose annotations allow one block only
    if family == "sd1":
        return unet(
            sample_size=LATENT_SIZE,
            block_out_channels=(32, 64, 80, 64),
            layers_per_block=2,
            cross_attention_dim=WIDTHS["clip_l"],
            attention_head_dim=(2, 4, 5, 4),  # diffusers' name for the number of heads: 16 numbers each
            norm_num_groups=16,
        )
    if family == "sdxl":
        return unet(
            sample_size=LATENT_SIZE,
            block_out_channels=(32, 64, 96),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=2,
            transformer_layers_per_block=[1, 1, 2],
            cross_attention_dim=CLIP_WIDTH,
            attention_head_dim=(2, 4, 6),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=TIME_ID_WIDTH,
            projection_class_embeddings_input_dim=6 * TIME_ID_WIDTH + WIDTHS["clip_g"],
            norm_num_groups=16,
        )
    return SD3Transformer2DModel(
        sample_size=LATENT_SIZE,
        patch_size=2,
        in_channels=16,
        out_channels=16,
        num_layers=6,
        attention_head_dim=24,
        num_attention_heads=6,
        joint_attention_dim=WIDTHS["t5"],
        caption_projection_dim=144,
        pooled_projection_dim=CLIP_WIDTH,
        pos_embed_max_size=32,
    )


def new_scheduler(family: Family) -> DDIMScheduler | FlowMatchEulerDiscreteScheduler:
    """The scheduler of the real family."""
    if family == "sd3":
        return FlowMatchEulerDiscreteScheduler(shift=FLOW_SHIFT)
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def train_denoiser(
    family: Family,
    cached: Cached,
    text: TextSource,
    folder: Path,
    budget: Budget,
    *,
    model: UNet2DConditionModel | SD3Transformer2DModel | None = None,
    goes_on: bool = False,
    snapshot: Callable[[Fit], None] | None = None,
) -> Fit:
    """Trains, resuming an earlier run in `folder`; `run.ema` holds the averaged weights.

    `goes_on`: `model` is trained already. It takes smaller steps, and learns with more weight which colours
    subjects have (`coarse_error`), the least of what ε-prediction learns.
    """
    chosen, device = PLANS[family], training_device()
    torch.manual_seed(chosen.seed)
    model = model or new_denoiser(family)
    state = install(model)
    plan = Plan(
        name=f"mini-{family}",
        learning_rate=chosen.learning_rate * (GOING_ON if goes_on else 1.0),
        budget=budget,
        warmup_steps=150,
        ema_decay=0.998,
        seed=chosen.seed,
    )
    run = Fit(plan, model.to(device), folder)
    pool = balanced(len(cached.latents), chosen.threefold)
    coarse = COARSE_WEIGHT if goes_on else 0.0

    def loss_of(step: int, share: float) -> tuple[Tensor, dict[str, float]]:
        number = step * lanes() + lane()
        rows = [pool[place] for place in _places(number, chosen.batch, len(pool))]
        told = [training_scene(row) for row in rows]
        between = {i: (one.second, one.share) for i, one in enumerate(told) if one.is_mixed}
        firsts = [one.first for one in told]
        conditions = text.conditions(firsts, number * 9_176 + chosen.seed, between).to(device)
        latents = cached.latents[rows].float().to(device)
        _share(state, conditions, cached.masks[rows].to(device), chosen)
        with mixed_precision(device):
            if family == "sd3":
                loss, colours = _flow_loss(model, latents, conditions), latents.new_zeros(())
            else:
                loss, colours = _noise_loss(model, latents, conditions, cached.masks[rows].to(device))
            located = state.take()
        total = loss + chosen.localisation_weight * located + coarse * colours
        told_of = {"denoising": loss, "located": located, "colours": colours}
        return total, {name: float(value.detach()) for name, value in told_of.items()}

    return fit(run, loss_of, snapshot)


def time_ids(count: int) -> Tensor:
    """SDXL's original size, crop corner and target size, [count, 6]."""
    return torch.tensor([[PICTURE_PX, PICTURE_PX, 0, 0, PICTURE_PX, PICTURE_PX]]).repeat(count, 1)


def _share(state: AttentionState, conditions: Conditions, masks: Tensor, plan: DenoiserPlan) -> None:
    state.bias, state.nouns, state.known = conditions.bias, conditions.nouns, conditions.known
    state.masks = masks.float() / 255
    state.words, state.soft, state.covering = conditions.words, plan.soft, plan.covering
    state.absent, state.telling = conditions.absent, plan.telling
    state.wanted = plan.localisation_weight > 0


@cache
def _alphas() -> Tensor:
    scheduler = new_scheduler("sd1")
    assert isinstance(scheduler, DDIMScheduler)
    return scheduler.alphas_cumprod


def _noise_loss(
    model: nn.Module, latents: Tensor, conditions: Conditions, masks: Tensor
) -> tuple[Tensor, Tensor]:
    """ε-prediction with min-SNR weights (γ = 5, Hang et al. 2023): the mean of w(t)·|ε - ε̂|²; and
    `coarse_error`.

    masks: uint8 [N, 3, 16, 16], of the subjects.
    """
    timesteps = torch.randint(0, TRAINING_LEVELS, (len(latents),), device=latents.device)
    alphas = _alphas().to(latents.device)[timesteps]
    snr = alphas / (1 - alphas)
    noise = torch.randn_like(latents)
    # The schedule never ends in pure noise: without an offset the first step would take the brightness
    # of a picture from the noise instead of the prompt, and no night would be dark.
    noise = noise + NOISE_OFFSET * torch.randn_like(latents[:, :, :1, :1])
    shape = (-1, 1, 1, 1)
    noisy = alphas.sqrt().view(shape) * latents + (1 - alphas).sqrt().view(shape) * noise
    extra = None
    if conditions.pooled is not None:
        ids = time_ids(len(latents)).to(latents.device)
        extra = {"text_embeds": conditions.pooled, "time_ids": ids}
    predicted = model(noisy, timesteps, conditions.context, added_cond_kwargs=extra).sample.float()
    weights = snr.clamp(max=MIN_SNR) / snr
    missed = predicted - noise
    amplified = snr.rsqrt().clamp(1.0, MOST_AMPLIFIED).view(shape)
    return (missed.pow(2).mean((1, 2, 3)) * weights).mean(), coarse_error(missed * amplified, masks)


def coarse_error(missed: Tensor, masks: Tensor) -> Tensor:
    """How far coarse cells of subjects are from their colours: `missed` is x̂₀ - x₀ [N, C, 16, 16].

    Colours are decided at high noise, where a wrong one is hardly seen in ε. The minimum is that of the
    denoising loss: a mean over a cell is linear in x₀.
    """
    covered = (masks.float() / 255).sum(1, keepdim=True).clamp(max=1.0)
    return functional.avg_pool2d(missed * covered, COARSE_CELL).square().mean()


def _flow_loss(model: nn.Module, latents: Tensor, conditions: Conditions) -> Tensor:
    """Rectified flow with logit-normal levels (Esser et al. 2024): the mean of |(ε - x₀) - v̂|²."""
    normal = torch.randn(len(latents), device=latents.device)
    sigma = torch.sigmoid(normal)
    sigma = FLOW_SHIFT * sigma / (1 + (FLOW_SHIFT - 1) * sigma)
    noise = torch.randn_like(latents)
    level = sigma.view(-1, 1, 1, 1)
    predicted = model(
        hidden_states=(1 - level) * latents + level * noise,
        timestep=sigma * TRAINING_LEVELS,
        encoder_hidden_states=conditions.context,
        pooled_projections=conditions.pooled,
    ).sample.float()
    return functional.mse_loss(predicted, noise - latents)


def balanced(count: int, threefold: int = 1) -> list[int]:
    """The scenes that are trained on: of those with just the two people every other one is left out.

    People are learnt first; the things, each in a tenth of the scenes, need the time. Scenes of three come
    up `threefold` times.
    """
    kept: list[int] = []
    for seed in range(count):
        kinds = {subject.kind for subject in sample_scene(seed).subjects}
        if kinds != set(PEOPLE) or seed % 2 == 0:
            kept += [seed] * (threefold if len(kinds) == MAX_SUBJECTS else 1)
    return kept


def _places(step: int, batch: int, count: int) -> list[int]:
    """Every scene once an epoch, in an order drawn from the epoch."""
    places = range(step * batch, (step + 1) * batch)
    return [int(_order(place // count, count)[place % count]) for place in places]


@lru_cache(maxsize=2)
def _order(epoch: int, count: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(epoch))
