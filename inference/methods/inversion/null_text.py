"""Null-text inversion (Mokady et al., arXiv:2211.09794): an unconditional prompt for each step.

At each step the unconditional embedding is moved until a guided step from the run's own latents lands on the
next ones of DDIM's path. The step is `sampling.move` on x̂₀ and ε̂, so it serves v-prediction and flow matching
as it does ε-prediction.
"""

from dataclasses import replace

import torch
from torch import Tensor

from inference.errors import EditorError
from inference.methods.generate import Run
from inference.methods.inversion.inverted import Inverted
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.paths import ddim_path, guidance_of, rows
from inference.prompts.prompt import Prompt
from inference.sampling import move
from inference.schedule import Level, Prediction

MOST_PREDICTIONS = 10  # of a step, and one update less
LEARNING_RATE = 1e-2
_RATE_FADES_OVER = 100  # lr·(1 - i/100)
_GOOD_ENOUGH, _GOOD_ENOUGH_GROWTH = 1e-5, 2e-5


def null_text(run: Run, latents: Tensor, sofar: Sofar) -> Inverted:
    """DDIM's path, and the negatives that lead along it; the path becomes the one that they really lead to.

    Without guidance there is nothing to find: the negatives stay what they are.

    Raises:
        EditorError: the model does not stay in memory whole, which gradients need.
    """
    if not run.backbone.allows_gradients:
        raise EditorError(
            "{name} does not fit in memory whole, which null-text inversion needs.",
            "Choose another way to invert, a smaller model or a smaller size.",
            name=run.backbone.name,
        )
    target = ddim_path(run, latents, sofar)
    own, negatives = _begun(run, target, sofar)
    for index in range(len(negatives), run.steps):
        sofar.checkpoint()
        here, there = run.levels[index], run.levels[index + 1]
        before = negatives[-1] if negatives else run.negative
        found, reached = _moved(run, own[-1], target[index + 1 : index + 2], (here, there), before, index)
        negatives.append(found)
        own.append(reached)
        _keep(sofar, own, negatives)
    return Inverted(way="null-text", prompt=run.prompt, path=torch.cat(own), negatives=tuple(negatives))


def _begun(run: Run, target: Tensor, sofar: Sofar) -> tuple[list[Tensor], list[Prompt]]:
    own = sofar.get("own")
    if own is None:
        return [target[:1]], []
    names = run.negative.embeddings
    known = {name: value for name in names if (value := sofar.get(f"negative/{name}")) is not None}
    dtype = run.backbone.dtype
    negatives = [
        run.negative.with_embeddings({name: value[i : i + 1].to(dtype) for name, value in known.items()})
        for i in range(len(own) - 1)
    ]
    return rows(own), negatives


def _keep(sofar: Sofar, own: list[Tensor], negatives: list[Prompt]) -> None:
    sofar.put("own", torch.cat(own))
    for name in negatives[0].embeddings:
        sofar.put(f"negative/{name}", torch.cat([one.embeddings[name] for one in negatives]).float())


def _moved(
    run: Run, latents: Tensor, target: Tensor, levels: tuple[Level, Level], negative: Prompt, index: int
) -> tuple[Prompt, Tensor]:
    """The unconditional prompt of one step, and where the step with it leads."""
    backbone, scale, (here, there) = run.backbone, guidance_of(run), levels
    with torch.no_grad():
        conditional = backbone.predict(latents, here, [run.prompt])
    if scale <= 1:
        return negative, move(conditional, here, there)
    free = {
        name: value.detach().float().clone().requires_grad_(True)
        for name, value in negative.embeddings.items()
    }
    rate = LEARNING_RATE * (1 - index / _RATE_FADES_OVER) if index < _RATE_FADES_OVER else 0.0
    optimiser = torch.optim.Adam(list(free.values()), lr=rate)
    total = run.steps * MOST_PREDICTIONS

    def step_with(prompt: Prompt) -> Tensor:
        unconditional = backbone.predict(latents, here, [prompt])
        return move(_guided(unconditional, conditional, scale), here, there)

    # The last prediction is the step's: what it leads to is not asked once more. At no rate nothing moves.
    asked = 0
    while True:
        asked += 1
        with torch.set_grad_enabled(asked < MOST_PREDICTIONS and rate > 0):
            reached = step_with(_with(negative, free))
            loss = (reached - target).square().mean()
        run.progress.step(index * MOST_PREDICTIONS + asked, total)
        if not loss.requires_grad or float(loss.detach()) < _GOOD_ENOUGH + _GOOD_ENOUGH_GROWTH * index:
            break
        optimiser.zero_grad()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        backbone.measured.backward_evaluations += 1
        optimiser.step()  # pyright: ignore[reportUnknownMemberType]
    found = _with(negative, {name: value.detach().clone() for name, value in free.items()})
    reached = reached.detach()
    shown = backbone.preview(reached) if run.progress.wants_preview else None
    run.progress.step((index + 1) * MOST_PREDICTIONS, total, shown)
    return found, reached


def _with(negative: Prompt, values: dict[str, Tensor]) -> Prompt:
    like = negative.embeddings
    return replace(negative, embeddings={name: value.to(like[name].dtype) for name, value in values.items()})


def _guided(unconditional: Prediction, conditional: Prediction, scale: float) -> Prediction:
    return Prediction(*(u + scale * (c - u) for u, c in zip(unconditional, conditional, strict=True)))
