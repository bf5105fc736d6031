"""How much memory a learning run will need, told before it starts."""

from dataclasses import dataclass

from inference.backbones.base import Backbone
from inference.methods.learning.pictures import SIGNS
from inference.operations import LearnDelta

# What a pass that is computed again keeps: the blocks' inputs, and one block whole.
_CHECKPOINTED = 0.23


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """Bytes: `weights` of all networks, and what one backward pass `keeps`."""

    weights: int
    keeps: int

    @property
    def total(self) -> int:
        return self.weights + self.keeps


def memory_plan(backbone: Backbone, parameters: LearnDelta) -> MemoryPlan | None:
    """About what a run of these parameters needs; None where it is not known.

    The authors' loop takes 26 GB on SDXL at 1024 pixels in half precision with four scales at a time, and
    11.5 GB with checkpointing (arXiv:2403.17064); this says 26.2 and 11.5 of them.
    """
    defaults = backbone.defaults
    _, height, width = backbone.latent_shape(defaults.width, defaults.height)
    numbers = backbone.kept_numbers(height, width)
    if numbers is None:
        return None
    if parameters.method in SIGNS:
        samples = float(len(SIGNS[parameters.method]))
    else:
        samples = float(parameters.batch * (1 if parameters.low_memory else parameters.scales))
    if parameters.low_memory:
        samples *= _CHECKPOINTED
    size = backbone.dtype.itemsize
    return MemoryPlan(weights=backbone.weight_bytes, keeps=round(samples * numbers * size))
