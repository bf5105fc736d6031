"""What a procedure and a request's overrides mean for a run of so many steps. Free of torch.

The papers' step sizes are for latents of 64 × 64 (512 pixels) and hold for larger ones as well. In smaller
latents the same numbers move the picture much further: a loss is shared by fewer latents, so each one's
gradient is larger by the ratio of their numbers. Gradient steps are therefore scaled with the number of
latents, up to 64 × 64. Adam takes steps of one length whatever the gradient, and keeps its rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from inference.errors import EditorError
from inference.methods.gsn.procedures import (
    PROCEDURES,
    Guidance,
    LatentRefinement,
    MeanLearning,
    NoiseSearch,
    Procedure,
    Refinement,
    procedure_of,
)
from inference.operations import NOTHING, Refine

_USUAL = PROCEDURES["ours+"]
_PUBLISHED_SIDE = 64
LatentsSize: TypeAlias = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Refinements by the index of the step before which they run, and which steps are guided."""

    steps: int
    refinements: Mapping[int, Refinement] = field(default_factory=dict[int, Refinement])
    guidance: Guidance | None = None
    guided: range = range(0)

    @property
    def first(self) -> int:
        """The first step that differs from the plain picture; `steps` if none does."""
        return min([*self.refinements, *self.guided[:1]], default=self.steps)

    @property
    def first_free(self) -> int:
        """The first step after the last refinement; guidance may still go on."""
        return max(self.refinements, default=-1) + 1

    def step_size(self, index: int) -> float:
        """The guidance's step size at a step."""
        assert self.guidance is not None, "only guided steps have one"
        share = index / max(1, self.steps - 1)
        return self.guidance.step_size * (1 + share * (self.guidance.last_share - 1)) ** 0.5


def plan(
    parameters: Refine,
    steps: int,
    latents_size: LatentsSize = (_PUBLISHED_SIDE, _PUBLISHED_SIDE),
    *,
    flow: bool = False,
) -> Plan:
    """Everything that happens at each step of a run.

    Step sizes that the request names are taken as they are.

    Args:
        latents_size: rows and columns of the latents.
        flow: whether the model was trained for flow matching, for which some methods have other values.

    Raises:
        EditorError: a step or the guidance's end beyond the run, or a step for a method that has several.
    """
    procedure = _scaled(procedure_of(parameters.method, flow=flow), latents_size)
    procedure = _with_losses(procedure, parameters, latents_size)
    refinements = _placed(procedure, parameters, steps)
    guidance = procedure.guidance
    if guidance is None:
        return Plan(steps=steps, refinements=refinements)
    if parameters.guidance_step_size is not None:
        guidance = replace(guidance, step_size=parameters.guidance_step_size)
    first, last = round(guidance.start * steps), round(guidance.end * steps)
    first = parameters.guidance_start if parameters.guidance_start is not None else first
    last = parameters.guidance_end if parameters.guidance_end is not None else last
    if max(first, last) > steps:
        raise EditorError(
            "Guidance from step {first} to {last} leaves the schedule, which has {steps} steps.",
            "Choose steps from 0 to {steps}.",
            first=first,
            last=last,
            steps=steps,
        )
    return Plan(steps=steps, refinements=refinements, guidance=guidance, guided=range(first, last))


def only_step(method: str, steps: int) -> int | None:
    """Where a method's only refinement is, in a run of so many steps; None if it cannot be moved."""
    refinements = PROCEDURES[method].refinements
    movable = [one for one in refinements if not isinstance(one, NoiseSearch)]
    return _index(movable[0], steps) if len(refinements) == len(movable) == 1 else None


def movable_methods() -> tuple[str, ...]:
    """The methods that have a step to choose, in runs of any length."""
    return tuple(name for name in PROCEDURES if only_step(name, 1) is not None)


def _scaled(procedure: Procedure, size: LatentsSize) -> Procedure:
    """The procedure with step sizes for latents of this size; see the module's text."""
    share = min(1.0, size[0] * size[1] / _PUBLISHED_SIDE**2)
    guidance = procedure.guidance
    if guidance is not None:
        guidance = replace(guidance, step_size=guidance.step_size * share)
    return Procedure(
        refinements=tuple(_with_rate(one, share) for one in procedure.refinements), guidance=guidance
    )


def _with_rate(refinement: Refinement, share: float) -> Refinement:
    is_adam = (
        refinement.adam if isinstance(refinement, LatentRefinement) else isinstance(refinement, NoiseSearch)
    )
    return refinement if is_adam else replace(refinement, learning_rate=refinement.learning_rate * share)


def _with_losses(procedure: Procedure, parameters: Refine, size: LatentsSize) -> Procedure:
    refinements, guidance = procedure.refinements, procedure.guidance
    if parameters.refinement_loss == NOTHING or parameters.updates == 0:
        refinements = ()
    elif parameters.refinement_loss is not None:
        refinements = tuple(
            replace(one, loss=parameters.refinement_loss)
            for one in refinements or _scaled(_USUAL, size).refinements
        )
    if parameters.guidance_loss == NOTHING:
        guidance = None
    elif parameters.guidance_loss is not None:
        usual = _scaled(Procedure(guidance=Guidance(loss="")), size).guidance
        guidance = guidance or usual
        assert guidance is not None, "one of them has it"
        guidance = replace(guidance, loss=parameters.guidance_loss)
    return Procedure(refinements=tuple(_adjusted(one, parameters) for one in refinements), guidance=guidance)


def _adjusted(refinement: Refinement, parameters: Refine) -> Refinement:
    if parameters.updates is not None:
        refinement = replace(refinement, updates=parameters.updates)
    if parameters.learning_rate is not None:
        refinement = replace(refinement, learning_rate=parameters.learning_rate)
    if parameters.threshold is not None and isinstance(refinement, LatentRefinement):
        refinement = replace(refinement, threshold=parameters.threshold)
    if isinstance(refinement, MeanLearning):
        refinement = replace(refinement, shared=parameters.shared_distribution)
    return refinement


def _placed(procedure: Procedure, parameters: Refine, steps: int) -> dict[int, Refinement]:
    chosen, refinements = parameters.step, procedure.refinements
    _check_step(chosen, steps)
    if chosen is None or not refinements:
        return {_index(refinement, steps): refinement for refinement in refinements}
    first = refinements[0]
    if len(refinements) > 1 or isinstance(first, NoiseSearch):
        raise EditorError(
            "“{method}” refines at steps of its own; step {chosen} cannot be chosen.",
            "Leave the step open, or choose a method with one refinement, such as ours or ours+.",
            method=parameters.method,
            chosen=chosen,
        )
    if isinstance(first, MeanLearning) and chosen == 0:
        raise EditorError(
            "The first step is all noise: there is no mean to learn.",
            "Choose a step from 1 to {last}.",
            last=steps - 1,
        )
    return {chosen: first}


def _check_step(step: int | None, steps: int) -> None:
    if step is not None and step >= steps:
        raise EditorError(
            "Step {step} is beyond the schedule, which has {steps} steps.",
            "Choose a step from 0 to {last}.",
            step=step,
            steps=steps,
            last=steps - 1,
        )


def _index(refinement: Refinement, steps: int) -> int:
    # at the first level of flow matching nothing of a mean is in the latents
    least = 1 if isinstance(refinement, MeanLearning) else 0
    return min(max(round(refinement.at * steps), least), steps - 1)
