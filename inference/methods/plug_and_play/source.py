"""The picture that gives the structure: its latents at every step, and what the model saw in them.

Ways to have latents at a level without drifting from the picture:

    inversion       x_t of the picture's path, read back at each step (50 steps, or the authors' 999)
    fresh noise     x_t = α_t·x₀ + σ_t·ε_t, another ε at each step (Ctrl-X, arXiv:2406.07540)
    one copy        x_t at one level for all steps (RichControl, arXiv:2507.02792)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from inference.disk_cache import is_whole
from inference.methods.generate import Run, what_is_said
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.paths import ddim_path, step_noise
from inference.methods.plug_and_play.injection import Seen
from inference.operations import Translate
from inference.prompts.prompt import Prompt
from inference.schedule import Level

# RichControl's one copy: noised to this share of the schedule.
COPY_AT = 0.4
_LARGEST_TIMESTEP = 1000


@dataclass(kw_only=True)
class Source:
    """The picture as the steps of a run read it.

    Args:
        prompt: with what the network is asked about it.
        latents: step → latents [1, C, h, w] at its level.
        latent_bytes: what is held for that, and for all offsets once they are known.
        picture: the picture's own latents [1, C, h, w].
        seen: what was kept of each step; grows as runs ask.
        offsets: what a step from the path's latents misses the next ones by, by step; None where the
            latents are no path.
    """

    prompt: Prompt
    latents: Callable[[int], Tensor]
    picture: Tensor
    seen: dict[int, Seen] = field(default_factory=dict[int, Seen])
    offsets: dict[int, Tensor] | None = None
    latent_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        return self.feature_bytes + self.latent_bytes

    def make_room(self, index: int, seen: Seen, limit_bytes: int) -> bool:
        """Keep what a step showed instead of what was kept of it; whether all still fits in the limit.

        What does not fit is not kept, and what was kept of the step before stays.
        """
        before = self.seen.get(index)
        freed = 0 if before is None else before.size_bytes
        if self.size_bytes - freed + seen.size_bytes > limit_bytes:
            return False
        self.seen[index] = seen
        return True

    @property
    def feature_bytes(self) -> int:
        """What is kept of features and attention; steps that share theirs count once."""
        return sum(seen.size_bytes for seen in {id(one): one for one in self.seen.values()}.values())


def sourced(run: Run, parameters: Translate, name: str, latents: Tensor) -> Source:
    """The source of this request, as far as it is known from earlier ones.

    Args:
        name: the hash of the picture's content.
        latents: the picture's own.
    """
    known = run.inputs.features.get(_key_with_subject(run, parameters, name, latents))
    if known is not None:
        return known
    prompt = source_prompt(run, parameters)
    if parameters.way == "plug-and-play":
        path = _path(run, parameters, name, latents, prompt)
        return Source(
            prompt=prompt,
            latents=lambda index: path[index : index + 1],
            picture=latents,
            offsets={},
            # as many offsets as steps, of the path's own kind
            latent_bytes=(2 * len(path) - 1) * path[0].numel() * path.element_size(),
        )
    noised = _noised(run.levels, run.parameters.seed, latents)
    return Source(
        prompt=prompt,
        latents=noised,
        picture=latents,
        latent_bytes=latents.numel() * latents.element_size(),
    )


def keep(run: Run, parameters: Translate, name: str, source: Source) -> None:
    """Let later requests have it."""
    key = _key_with_subject(run, parameters, name, source.picture)
    run.inputs.features.put(key, source, source.size_bytes)


def source_prompt(run: Run, parameters: Translate) -> Prompt:
    """What the picture shows; the empty prompt, as the family has it, where nobody says."""
    said = parameters.source_prompt.strip()
    key = ("source prompt", *run.backbone.made_by, *what_is_said(run, said))
    known = run.inputs.cache.get(key)
    if known is None:
        encode = run.backbone.encode_prompt if said else run.backbone.negative_prompt
        # an object of its own: samples are told apart by their prompts' identity
        known = encode(said, run.inputs.learnt, weighted=parameters.weighted).with_embeddings({})
        run.inputs.cache.put(key, known, 2**20)
    return known


def one_copy(run: Run, latents: Tensor) -> tuple[Tensor, Level]:
    """The picture's latents noised once, and at which level."""
    level = run.backbone.schedule.level_at(COPY_AT * _LARGEST_TIMESTEP)
    noise = step_noise(run.parameters.seed, run.steps, latents)
    return level.alpha * latents + level.sigma * noise, level


def _noised(levels: Sequence[Level], seed: int, latents: Tensor) -> Callable[[int], Tensor]:
    def at(index: int) -> Tensor:
        level = levels[index]
        return level.alpha * latents + level.sigma * step_noise(seed, index, latents)

    return at


def _path(run: Run, parameters: Translate, name: str, latents: Tensor, prompt: Prompt) -> Tensor:
    """Latents [S + 1, C, h, w] of the inversion at the run's levels, from disk where they are known."""
    kept, key = run.inputs.kept, ["path", *_key(run, parameters, name, latents)]
    known = kept.get(key) if kept is not None else None
    if known is not None and is_whole(known.get("path"), (run.steps + 1, *latents.shape[1:])):
        return torch.tensor(known["path"]).to(run.backbone.device)
    levels, wanted = _levels(run, parameters.inversion_steps or run.steps)
    inverting = replace(run, prompt=prompt, levels=levels)
    with run.progress.phase("invert"):
        path = ddim_path(inverting, latents, Sofar(inverting))[list(wanted)]
    if kept is not None:
        kept.put(key, {"path": path.cpu().numpy()})
    return path


def _levels(run: Run, steps: int) -> tuple[tuple[Level, ...], tuple[int, ...]]:
    """The levels of an inversion of `steps` steps that passes all those of the run, and where these are."""
    if steps == run.steps:
        return run.levels, tuple(range(run.steps + 1))
    parameters = run.parameters
    finer = run.backbone.levels(steps, parameters.width or 0, parameters.height or 0, "ddim")
    own = {round(level.sigma, 5) for level in run.levels}
    between = [level for level in finer if round(level.sigma, 5) not in own]
    noisiest, least = run.levels[0].sigma, run.levels[-1].sigma
    between = [level for level in between if least < level.sigma < noisiest]
    every = tuple(sorted((*run.levels, *between), key=lambda level: -level.sigma))
    places = {id(level): place for place, level in enumerate(every)}
    return every, tuple(places[id(level)] for level in run.levels)


def _key(run: Run, parameters: Translate, name: str, latents: Tensor) -> tuple[Any, ...]:
    """All that the source's latents depend on: not the new text."""
    by_noise = parameters.way != "plug-and-play"
    return (
        "translated",
        parameters.way,
        *run.backbone.made_by,
        name,
        *latents.shape,
        *what_is_said(run, parameters.source_prompt.strip()),
        run.steps,
        parameters.sampler,
        run.parameters.seed if by_noise else None,
        None if by_noise else parameters.inversion_steps or run.steps,
    )


def _key_with_subject(run: Run, parameters: Translate, name: str, latents: Tensor) -> tuple[Any, ...]:
    """All that the source depends on: what the masks look for in it is kept with it.

    In one batch with a longer text its words are read with more padding; a copy is looked at alone.
    """
    subject = parameters.subject.strip()
    looked_for = parameters.source_subject.strip() or subject if subject else ""
    pieces = 1 if parameters.way == "one-copy" else run.prompt.length
    return *_key(run, parameters, name, latents), looked_for, pieces
