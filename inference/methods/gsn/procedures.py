"""Methods of generative semantic nursing as values: losses, refinements, guidance. Free of torch.

Steps are shares of the run (0.16 is step 8 of 50), so that a method means the same in runs of any length.
Facts from arXiv:2504.17525 (table 1 and appendix), 2301.13826 (Attend & Excite), 2307.10864 (Divide & Bind),
2306.08877 (SynGen), 2404.04650 (InitNO) and 2508.13866 (SAGA).
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

LOSSES = ("neglect+overlap", "neglect", "divide-and-bind", "syngen", "initno")
_OF = 50  # the papers count 50 steps


@dataclass(frozen=True, kw_only=True)
class LatentRefinement:
    """Updates of the latents at one step, before it is denoised.

    Args:
        loss: one of `LOSSES`.
        at: share of the run, 0 up to 1.
        updates: at most so many.
        threshold: stop when the loss is at most 1 - threshold; None: never.
        learning_rate: of Adam, or the step size of plain gradient descent.
        adam: which of the two.
    """

    loss: str
    at: float
    updates: int = 50
    threshold: float | None = None
    learning_rate: float = 1e-2
    adam: bool = True


@dataclass(frozen=True, kw_only=True)
class NoiseSearch:
    """InitNO: at the first step, mean and variance of the noise are learnt until it is a valid start.

    Args:
        loss: one of `LOSSES`.
        updates: in each round.
        rounds: 1 + how often it starts again from other noise; the best of all is kept.
        cross_threshold, self_threshold: a noise is valid when neglect and conflict lie below.
        most_divergence: the KL divergence from N(0, 1) that is allowed, and its weight above that.
    """

    loss: str = "initno"
    updates: int = 50
    rounds: int = 5
    learning_rate: float = 1e-2
    cross_threshold: float = 0.2
    self_threshold: float = 0.3
    most_divergence: float = 1e-3
    divergence_weight: float = 500.0

    at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MeanLearning:
    """SAGA: learns the mean μ of N(α·μ, σ²·I) at one step; pictures are drawn from it.

    A loss of several terms counts as their mean, which is what the learning rate belongs to.

    Args:
        noises: the loss is the mean over so many draws.
        shared: one distribution for all pictures of a run, or one for each.
    """

    loss: str = "neglect+overlap"
    at: float = 10 / _OF
    updates: int = 50
    learning_rate: float = 20.0
    momentum: float = 0.4
    noises: int = 10
    shared: bool = False


Refinement: TypeAlias = LatentRefinement | NoiseSearch | MeanLearning


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """One update of the latents at each step from `start` up to, not including, `end`.

    The step size falls with the square root of a line from 1 to `last_share` over the whole run.
    """

    loss: str
    start: float = 0.0
    end: float = 25 / _OF
    step_size: float = 20.0
    last_share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """One method: refinements in the order of their steps, and guidance."""

    refinements: tuple[Refinement, ...] = ()
    guidance: Guidance | None = None

    @property
    def is_plain(self) -> bool:
        return not self.refinements and self.guidance is None


_OURS = LatentRefinement(loss="neglect+overlap", at=8 / _OF)
_SYNGEN = Guidance(loss="syngen")
# (share of the run, threshold) of the refinements of Attend & Excite and those built like it
_STAGES = ((0.0, 0.05), (10 / _OF, 0.5), (20 / _OF, 0.8))
# Divide & Bind's thresholds are total variations (`losses.variation`)
_VARIATION_STAGES = ((0.0, 0.05), (10 / _OF, 0.2), (20 / _OF, 0.3))
_FALLING = 0.5


def _staged(loss: str, updates: int, stages: tuple[tuple[float, float], ...]) -> tuple[Refinement, ...]:
    """Gradient descent at some steps, each with the threshold that its loss has to reach."""
    return tuple(
        LatentRefinement(
            loss=loss,
            at=at,
            updates=updates,
            threshold=threshold,
            adam=False,
            learning_rate=20.0 * (1 + at * (_FALLING - 1)) ** 0.5,
        )
        for at, threshold in stages
    )


PROCEDURES: dict[str, Procedure] = {
    "plain": Procedure(),
    "ours": Procedure(refinements=(_OURS,)),
    "ours+": Procedure(refinements=(replace(_OURS, at=2 / _OF),), guidance=replace(_SYNGEN, start=3 / _OF)),
    "attend-and-excite": Procedure(
        refinements=_staged("neglect", 20, _STAGES),
        guidance=Guidance(loss="neglect", last_share=_FALLING),
    ),
    "divide-and-bind": Procedure(
        refinements=_staged("divide-and-bind", 50, _VARIATION_STAGES),
        guidance=Guidance(loss="divide-and-bind", last_share=_FALLING),
    ),
    "initno": Procedure(refinements=(NoiseSearch(),)),
    "initno+": Procedure(
        refinements=(NoiseSearch(), *_staged("initno", 20, _STAGES[1:])),
        guidance=Guidance(loss="initno", last_share=_FALLING),
    ),
    "syngen": Procedure(guidance=_SYNGEN),
    "saga": Procedure(refinements=(MeanLearning(),)),
    "saga+": Procedure(
        refinements=(MeanLearning(at=6 / _OF, momentum=0.1),), guidance=replace(_SYNGEN, start=7 / _OF)
    ),
}
METHODS = tuple(PROCEDURES)

_FLOW_OF = 28  # with flow matching they count 28 steps
_FLOW_SAGA = MeanLearning(at=5 / _FLOW_OF, momentum=0.7, noises=4)
# what the papers have otherwise for flow matching (SD3)
_FLOW_PROCEDURES: dict[str, Procedure] = {
    "saga": Procedure(refinements=(_FLOW_SAGA,)),
    "saga+": Procedure(refinements=(_FLOW_SAGA,), guidance=replace(_SYNGEN, start=6 / _FLOW_OF)),
}


def procedure_of(method: str, *, flow: bool = False) -> Procedure:
    """The procedure of a method (one of `METHODS`) for models of noise prediction, or of flow matching."""
    return _FLOW_PROCEDURES.get(method, PROCEDURES[method]) if flow else PROCEDURES[method]
