"""What a long run has computed so far, for its checkpoints."""

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor

from inference.methods.generate import Run


class Sofar:
    """Tensors by name, from which a parked run goes on.

    Args:
        run: whose inputs hold the checkpoint to go on from, and whose progress asks for new ones.
    """

    def __init__(self, run: Run) -> None:
        self._progress = run.progress
        self._device = run.backbone.device
        resume = run.inputs.resume
        found = {} if resume is None else safetensors.numpy.load(resume)
        self._tensors = {name: torch.tensor(value).to(self._device) for name, value in found.items()}

    def get(self, name: str) -> Tensor | None:
        """What was kept under this name, if anything was."""
        return self._tensors.get(name)

    def put(self, name: str, value: Tensor) -> None:
        """Keep a tensor; it is written only when somebody asks for a checkpoint."""
        self._tensors[name] = value

    def drop(self, *names: str) -> None:
        """Forget what is no longer needed."""
        for name in names:
            self._tensors.pop(name, None)

    def checkpoint(self) -> None:
        """A place to go on from; raises `Parked` or `Cancelled` where that is wanted."""
        self._progress.checkpoint(self._bytes)

    def _bytes(self) -> bytes:
        arrays = {
            name: np.ascontiguousarray(value.detach().cpu().numpy()) for name, value in self._tensors.items()
        }
        return safetensors.numpy.save(arrays)
