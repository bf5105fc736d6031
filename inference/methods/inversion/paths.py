"""Ways to invert that need no gradients: DDIM's path, a straight one, and edit-friendly DDPM's noise maps.

Both are written in x̂₀ and ε̂ and the schedule's levels, so one formula serves ε-prediction, v-prediction and
flow matching; with flow matching the first is the flow's own inversion.
"""

from dataclasses import replace

import torch
from torch import Tensor

from inference.guidance import Predict, guided
from inference.methods.generate import Run
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.parking import Sofar
from inference.sampling import Denoise, move
from inference.schedule import Level, Prediction

# Seeds of noise that is drawn for one step lie this far apart from those of the pictures.
_STEP_SEEDS = 2**34
_MOST_STEPS = 1000
_PATH_SEED = 0  # of the noise of a straight way; the run's seed decides nothing


@torch.no_grad()
def ddim_path(run: Run, latents: Tensor, sofar: Sofar) -> Tensor:
    """Latents [S + 1, C, h, w] from noise to the picture's own, `latents`, without guidance (eq. 12).

    As `sampling.invert`, with a checkpoint before each step. One evaluation a step.
    """
    found = sofar.get("path")
    path = [latents.float()] if found is None else rows(found)
    denoise = guided(run.backbone, [run.prompt], run.negative, 1.0)
    for index in range(run.steps - len(path) + 1, 0, -1):
        sofar.put("path", torch.cat(path))
        sofar.checkpoint()
        here, there = run.levels[index], run.levels[index - 1]
        prediction = denoise(path[-1], replace(here, timestep=there.timestep), index - 1)
        path.append(move(prediction, here, there))
        _report(run, len(path) - 1, run.steps, prediction)
    sofar.put("path", torch.cat(path))
    return torch.cat(path[::-1])


def direct(run: Run, latents: Tensor, sofar: Sofar) -> Inverted:
    """DDIM's path; what its steps miss is found when they are first edited, by `with_offsets`.

    (Direct Inversion, arXiv:2310.01506.)  One evaluation a step.
    """
    path = ddim_path(run, latents, sofar)
    return Inverted(
        way="direct", prompt=run.prompt, path=path, offsets=torch.full_like(path[1:], float("nan"))
    )


def noised(run: Run, latents: Tensor, sofar: Sofar) -> Inverted:
    """The picture under one noise at every level: a straight way that asks the network for nothing.

    x_t = α_t·x₀ + σ_t·ε with the same ε throughout. What a step misses the next point by is found when it is
    first edited, as with `direct`, so that an unedited prompt gives the picture all the same. DDIM's own path
    ends in a noise that remembers the picture, and so what an edit is to change of it; this one does not (on
    models of flow matching an old person cannot be made young along DDIM's).
    """
    del sofar
    noise = step_noise(_PATH_SEED, 0, latents)
    path = torch.cat([level.alpha * latents + level.sigma * noise for level in run.levels]).float()
    # the last level is the picture itself, to the bit
    path[-1:] = latents
    return Inverted(
        way="noised", prompt=run.prompt, path=path, offsets=torch.full_like(path[1:], float("nan"))
    )


def with_offsets(
    run: Run,
    found: Inverted,
    first: int,
    sofar: Sofar,
    predict: Predict | None = None,
    *,
    name: str = "bound",
) -> Inverted:
    """How far a step without guidance from each point of the path misses the next one, from `first` on.

    (u_t of h-Edit, arXiv:2503.02187.)  Steps start from the stored latents, so that errors do not add up, and
    the offset makes each one exact. One evaluation for each step that was not edited before. With a `predict`
    of its own, in which the prompt's subjects are bound to their places, they are kept apart from the others;
    `name` is that pass's in checkpoints.
    """
    offsets = found.offsets
    if offsets is not None and predict is not None:
        offsets = torch.full_like(offsets, float("nan")) if found.bound is None else found.bound
    if offsets is None or not bool(torch.isnan(offsets[first:]).any()):
        return found
    denoise = guided(run.backbone, [found.prompt], run.negative, 1.0, predict=predict)
    known = rows(offsets)
    while first < len(known) and not bool(torch.isnan(known[first]).any()):
        first += 1
    last = next((i for i in range(first, len(known)) if not bool(torch.isnan(known[i]).any())), len(known))
    kind, called = ("offsets", "offsets") if predict is None else ("bound", name)
    missing = _offsets(run, found.path, denoise, sofar, eta=0.0, steps=range(first, last), name=called)
    return replace(found, **{kind: torch.cat([offsets[:first], missing, offsets[last:]])})


def negative_prompt(run: Run, latents: Tensor, sofar: Sofar) -> Inverted:
    """DDIM's path alone; editing takes the prompt itself for the unconditional one (arXiv:2305.16807)."""
    return Inverted(way="negative-prompt", prompt=run.prompt, path=ddim_path(run, latents, sofar))


def plain_ddim(run: Run, latents: Tensor, sofar: Sofar) -> Inverted:
    """DDIM's path, and nothing to come back along it: guided sampling drifts (arXiv:2010.02502).

    The way that all others are measured against.
    """
    return Inverted(way="ddim", prompt=run.prompt, path=ddim_path(run, latents, sofar))


def edit_friendly(run: Run, latents: Tensor, sofar: Sofar) -> Inverted:
    """The picture noised to every level independently, and the noise that DDPM needs between them.

    x_t = α_t·x₀ + σ_t·ε_t,  z_t·τ = x_s - μ(x_t)  (arXiv:2304.06140, eq. 4-5). The noise map is kept times τ,
    so that the last step, which has none, is exact as well. Two evaluations a step with guidance, else one.
    """
    noised = [
        level.alpha * latents + level.sigma * step_noise(run.parameters.seed, index, latents)
        for index, level in enumerate(run.levels[:-1])
    ]
    path = torch.cat([*noised, latents.float()])
    denoise = guided(run.backbone, [run.prompt], run.negative, guidance_of(run))
    offsets = _offsets(run, path, denoise, sofar, eta=1.0, steps=range(run.steps))
    return Inverted(way="edit-friendly", prompt=run.prompt, path=path, offsets=offsets)


def picture_alone(run: Run, latents: Tensor, sofar: Sofar, way: str) -> Inverted:
    """Nothing but the picture's latents, for ways that go from picture to picture."""
    del sofar
    return Inverted(way=way, prompt=run.prompt, path=latents.float())


def mean_step(prediction: Prediction, here: Level, there: Level, eta: float) -> Tensor:
    """DDIM's step (η = 0), or the mean of DDPM's (η = 1): `sampling.move` without its noise."""
    if eta == 0:
        return move(prediction, here, there)
    return move(prediction, here, there, noise=torch.zeros_like(prediction.eps))


def step_noise(seed: int, index: int, like: Tensor) -> Tensor:
    """Noise [1, C, h, w] of one step, drawn on the CPU."""
    generator = torch.Generator("cpu").manual_seed(seed * _MOST_STEPS + index + _STEP_SEEDS)
    return torch.randn((1, *like.shape[1:]), generator=generator).to(like.device)


def rows(values: Tensor) -> list[Tensor]:
    """[N, …] as N of [1, …]."""
    return [values[i : i + 1] for i in range(len(values))]


def guidance_of(run: Run) -> float:
    """The run's guidance scale."""
    scale = run.parameters.guidance_scale
    return 1.0 if scale is None else scale


@torch.no_grad()
def _offsets(
    run: Run,
    path: Tensor,
    denoise: Denoise,
    sofar: Sofar,
    *,
    eta: float,
    steps: range,
    name: str = "offsets",
) -> Tensor:
    """What each of `steps` from the path misses its next point by: [len(steps), C, h, w]."""
    name = f"{name} from {steps.start}"
    found = sofar.get(name)
    offsets = [] if found is None else rows(found)
    for index in steps[len(offsets) :]:
        sofar.checkpoint()
        here, there = run.levels[index], run.levels[index + 1]
        prediction = denoise(path[index : index + 1], here, index)
        offsets.append(path[index + 1 : index + 2] - mean_step(prediction, here, there, eta))
        sofar.put(name, torch.cat(offsets))
        _report(run, len(offsets), len(steps), prediction)
    return torch.cat(offsets)


def _report(run: Run, done: int, total: int, prediction: Prediction) -> None:
    shown = run.backbone.preview(prediction.x0) if run.progress.wants_preview else None
    run.progress.step(done, total, shown)
