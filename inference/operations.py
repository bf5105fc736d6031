"""The torch-free table of everything the inference service can do.

Adding a method is one file in `inference/methods/` and one `Operation` here. The panel, the
command line, the batch runner, the files and the contract tests all read this table.
"""

from dataclasses import dataclass
from enum import Enum

from inference.parameters import N_, Parameters, param


class Family(Enum):
    """Model families; only `inference/backbones` may branch on them."""

    SD1 = "sd1"
    SDXL = "sdxl"
    SD3 = "sd3"


class Need(Enum):
    """What an operation takes beside its parameters."""

    IMAGE = "image"
    MASK = "mask"


SAMPLERS = ("ddim", "euler", "dpm++2m", "ddpm")


@dataclass(frozen=True, kw_only=True)
class SamplingParameters(Parameters):
    """What every sampling operation takes. None means the model's own default."""

    prompt: str = param("", N_("Operations", "Prompt"), multiline=True)
    negative_prompt: str = param("", N_("Operations", "Negative prompt"), multiline=True, advanced=True)
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

    start: int
    end: int
    attribute: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Generate(SamplingParameters):
    """A picture from a prompt and a seed."""


@dataclass(frozen=True, kw_only=True)
class Attribute(SamplingParameters):
    """A picture from a prompt and a seed with attributes of its subjects shifted.

    `delay` is the share of the steps that use the unmodified embedding (0.2 = local change).
    """

    edits: tuple[SubjectEdit, ...] = param((), N_("Operations", "Attributes"), hidden=True)
    delay: float = param(0.2, N_("Operations", "Delay"), min=0, max=1, step=0.05)


@dataclass(frozen=True, kw_only=True)
class AttributeSweep(Attribute):
    """The pictures of one slider's positions in one run: `edits[index]` takes each of `positions`."""

    index: int = param(0, N_("Operations", "Attribute"), min=0, hidden=True)
    positions: tuple[float, ...] = param((), N_("Operations", "Positions"), hidden=True)


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
    )
}
