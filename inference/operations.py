"""The torch-free table of everything the inference service can do.

Adding a method is one file in `inference/methods/` and one `Operation` here. The panel, the
command line, the batch runner, the files and the contract tests all read this table.
"""

from dataclasses import dataclass, field
from enum import Enum

from inference.methods.gsn.recipes import LOSSES, METHODS
from inference.parameters import N_, Parameters, param
from inference.values import Bounds, bounded


class Family(Enum):
    """Model families; only `inference/backbones` may branch on them."""

    SD1 = "sd1"
    SDXL = "sdxl"
    SD3 = "sd3"


class Need(Enum):
    """What an operation takes beside its parameters."""

    IMAGE = "image"
    MASK = "mask"


LONGEST_PROMPT = 10_000  # characters; encoders take 77 to 512 tokens
MOST_EDITS = 64  # each is a slider of the panel
MOST_SUBJECTS = 64
MOST_POSITIONS = 256
LARGEST_VALUE = 100.0  # of a slider; sensible ones are -2 to 2

SAMPLERS = ("ddim", "euler", "dpm++2m", "ddpm")


@dataclass(frozen=True, kw_only=True)
class SamplingParameters(Parameters):
    """What every sampling operation takes. None means the model's own default."""

    prompt: str = param("", N_("Operations", "Prompt"), most=LONGEST_PROMPT, multiline=True)
    negative_prompt: str = param(
        "", N_("Operations", "Negative prompt"), most=LONGEST_PROMPT, multiline=True, advanced=True
    )
    seed: int = param(0, N_("Operations", "Seed"), min=0, max=2**32 - 1)
    steps: int | None = param(None, N_("Operations", "Steps"), min=1, max=1000)
    guidance_scale: float | None = param(None, N_("Operations", "Guidance scale"), min=0, max=50)
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, advanced=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, advanced=True)
    sampler: str | None = param(None, N_("Operations", "Sampler"), choices=SAMPLERS, advanced=True)


@dataclass(frozen=True, kw_only=True)
class SubjectEdit:
    """One slider: attribute `attribute` of the subject at characters [start, end) set to `value`.

    `delta` names the delta file's key in the library (see `inference.deltas`), `value` is its scale α.
    """

    start: int = bounded(min=0, max=LONGEST_PROMPT)
    end: int = bounded(min=0, max=LONGEST_PROMPT)
    attribute: str = bounded(most=1000)
    value: float = bounded(min=-LARGEST_VALUE, max=LARGEST_VALUE)


@dataclass(frozen=True, kw_only=True)
class Generate(SamplingParameters):
    """A picture from a prompt and a seed."""


@dataclass(frozen=True, kw_only=True)
class Attribute(SamplingParameters):
    """A picture from a prompt and a seed with attributes of its subjects shifted.

    `delay` is the share of the steps that use the unmodified embedding (0.2 = local change).
    """

    edits: tuple[SubjectEdit, ...] = param((), N_("Operations", "Attributes"), most=MOST_EDITS, hidden=True)
    delay: float = param(0.2, N_("Operations", "Delay"), min=0, max=1, step=0.05)


@dataclass(frozen=True, kw_only=True)
class AttributeSweep(Attribute):
    """The pictures of one slider's positions in one run: `edits[index]` takes each of `positions`."""

    index: int = param(0, N_("Operations", "Attribute"), min=0, max=MOST_EDITS, hidden=True)
    positions: tuple[float, ...] = param(
        (),
        N_("Operations", "Positions"),
        most=MOST_POSITIONS,
        min=-LARGEST_VALUE,
        max=LARGEST_VALUE,
        hidden=True,
    )


@dataclass(frozen=True, kw_only=True)
class RefineSubject:
    """A subject that has to be in the picture: characters [start, end), and those of its modifiers.

    Words before the last one inside [start, end) count as modifiers as well.
    """

    start: int = bounded(min=0, max=LONGEST_PROMPT)
    end: int = bounded(min=0, max=LONGEST_PROMPT)
    modifiers: tuple[tuple[int, int], ...] = field(
        default=(), metadata={"bounds": Bounds(min=0, max=LONGEST_PROMPT, most=MOST_SUBJECTS)}
    )


NOTHING = "none"


@dataclass(frozen=True, kw_only=True)
class Refine(SamplingParameters):
    """A picture from a prompt and a seed with every subject of the prompt in it (arXiv:2504.17525).

    `method` is a combination of refinement and guidance; all other values override parts of it, None keeps
    them. `step` counts from 0 and moves the method's only refinement. `pictures` are drawn with the seeds
    that follow; denoised together, so they may differ from single ones by rounding.
    """

    method: str = param("ours+", N_("Operations", "Method"), choices=METHODS)
    subjects: tuple[RefineSubject, ...] = param(
        (), N_("Operations", "Subjects"), most=MOST_SUBJECTS, hidden=True
    )
    step: int | None = param(
        None,
        N_("Operations", "Refinement step"),
        help=N_("Operations", "The step before which the latents are refined, counted from 0"),
        min=0,
        max=999,
    )
    updates: int | None = param(None, N_("Operations", "Updates"), min=0, max=1000)
    learning_rate: float | None = param(
        None, N_("Operations", "Learning rate"), min=0, max=1000, advanced=True
    )
    threshold: float | None = param(
        None,
        N_("Operations", "Threshold"),
        help=N_("Operations", "Refinement stops when the loss is at most 1 minus this"),
        min=-10,
        max=10,
        advanced=True,
    )
    refinement_loss: str | None = param(
        None, N_("Operations", "Loss of the refinement"), choices=(*LOSSES, NOTHING), advanced=True
    )
    guidance_loss: str | None = param(
        None, N_("Operations", "Loss of the guidance"), choices=(*LOSSES, NOTHING), advanced=True
    )
    guidance_start: int | None = param(
        None, N_("Operations", "First guided step"), min=0, max=1000, advanced=True
    )
    guidance_end: int | None = param(
        None,
        N_("Operations", "End of the guidance"),
        help=N_("Operations", "The first step that is no longer guided"),
        min=0,
        max=1000,
        advanced=True,
    )
    guidance_step_size: float | None = param(
        None, N_("Operations", "Step size of the guidance"), min=0, max=10000, advanced=True
    )
    shared_distribution: bool = param(
        False,
        N_("Operations", "One distribution for all pictures"),
        help=N_("Operations", "SAGA learns once and draws all pictures from it"),
        advanced=True,
    )
    pictures: int = param(1, N_("Operations", "Pictures"), min=1, max=64, advanced=True)
    map_steps: int = param(
        10,
        N_("Operations", "Heat maps"),
        help=N_("Operations", "At how many steps the subjects' attention is kept"),
        min=0,
        max=1000,
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class RefineTrial(Refine):
    """A refinement whose pictures are judged and thrown away; `detector` as in `Score`."""

    detector: str = param("", N_("Operations", "Detection model"), hidden=True)


@dataclass(frozen=True, kw_only=True)
class Score(Parameters):
    """How well the subjects of a prompt are in a picture; `detector` judges those of models of the user."""

    prompt: str = param("", N_("Operations", "Prompt"), most=LONGEST_PROMPT, multiline=True)
    subjects: tuple[RefineSubject, ...] = param(
        (), N_("Operations", "Subjects"), most=MOST_SUBJECTS, hidden=True
    )
    detector: str = param("", N_("Operations", "Detection model"), hidden=True)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One declared method.

    Args:
        name: the subcommand and the key in files.
        parameters: the class that declares what may be set.
        method: dotted name "package.module:function", resolved in the worker, never here.
        families: families that it works on.
        needs: inputs beside the parameters.
        paper: where the method is described.
        interactive: whether the window offers it as a form of its own.
    """

    name: str
    label: str
    parameters: type[Parameters]
    method: str
    families: frozenset[Family] = frozenset(Family)
    needs: frozenset[Need] = frozenset()
    paper: str = ""
    interactive: bool = True


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            name="generate",
            label=N_("Operations", "Generate"),
            parameters=Generate,
            method="inference.methods.generate:generate",
            paper="arXiv:2010.02502",
        ),
        Operation(
            name="attribute",
            label=N_("Operations", "Change attributes"),
            parameters=Attribute,
            method="inference.methods.attribute_control:attribute",
            paper="arXiv:2403.17064",
        ),
        Operation(
            name="attribute-sweep",
            label=N_("Operations", "Sweep an attribute"),
            parameters=AttributeSweep,
            method="inference.methods.attribute_control:sweep",
            paper="arXiv:2403.17064",
            interactive=False,
        ),
        Operation(
            name="refine",
            label=N_("Operations", "Refine"),
            parameters=Refine,
            method="inference.methods.gsn.refine:refine",
            paper="arXiv:2504.17525",
        ),
        Operation(
            name="refine-trial",
            label=N_("Operations", "Try a refinement"),
            parameters=RefineTrial,
            method="inference.methods.refine_trial:refine_trial",
            paper="arXiv:2504.17525",
            interactive=False,
        ),
        Operation(
            name="score",
            label=N_("Operations", "Score"),
            parameters=Score,
            method="inference.methods.score:score",
            needs=frozenset({Need.IMAGE}),
            paper="arXiv:2307.05134",
            interactive=False,
        ),
    )
}
