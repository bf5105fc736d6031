"""The refinement step that was found best for a model, beside the model or in the user's data folder.

A file holds {model's hash: {method: {"step": 5, "steps": 30, …}}}, and any of `SIZES` where a model
needs another than the method's; what else a choice holds is how it was found. Free of torch.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from inference.errors import EditorError
from inference.files import replaced_file

STEPS_FILE = "refine_steps.json"
SIZES = ("learning_rate", "guidance_step_size")


@dataclass(frozen=True)
class ChosenStep:
    """Step `step` (from 0) of a run of `steps`."""

    step: int
    steps: int

    def at(self, steps: int) -> int:
        """The same place in a run of another length."""
        return min(round(self.step * steps / self.steps), steps - 1)


def chosen_step(
    model: Path, model_hash: str, method: str, user_file: Path | None = None
) -> ChosenStep | None:
    """The step chosen for these weights and this method: the user's own choice, else the model's, else None.

    Raises:
        EditorError: a file of choices is damaged.
    """
    for file, values in _choices(model, model_hash, method, user_file):
        if "step" in values:
            return _choice(file, values)
    return None


def chosen_sizes(
    model: Path, model_hash: str, method: str, user_file: Path | None = None
) -> dict[str, float]:
    """The `SIZES` that were chosen for these weights and this method; each is looked for as the step is.

    Raises:
        EditorError: a file of choices is damaged.
    """
    found: dict[str, float] = {}
    for file, values in _choices(model, model_hash, method, user_file):
        for name in SIZES:
            size = values.get(name)
            if size is None or name in found:
                continue
            if not isinstance(size, int | float) or not 0 <= size < math.inf:
                raise EditorError(f"“{file}” holds the step size {size!r}.", "Choose the step again.")
            found[name] = float(size)
    return found


def store_step(file: Path, model_hash: str, method: str, values: Mapping[str, Any]) -> None:
    """Put a choice into a file and keep all others; `values` holds "step", "steps" and how it was found."""
    file.parent.mkdir(parents=True, exist_ok=True)
    known = _read(file) if file.is_file() else {}
    known.setdefault(model_hash, {})[method] = dict(values)
    with replaced_file(file) as part:
        part.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _choices(
    model: Path, model_hash: str, method: str, user_file: Path | None
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The user's values, then the model's."""
    beside = (model if model.is_dir() else model.parent) / STEPS_FILE
    for file in (user_file, beside):
        if file is None or not file.is_file():
            continue
        values = _read(file).get(model_hash, {}).get(method)
        if isinstance(values, dict):
            yield file, cast("dict[str, Any]", values)


def _read(file: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EditorError(
            f"“{file}” is damaged: {error}.", "Delete it; the steps it held can be chosen again."
        ) from error
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _choice(file: Path, values: Any) -> ChosenStep:
    try:
        chosen = ChosenStep(int(values["step"]), int(values["steps"]))
    except (KeyError, TypeError, ValueError) as error:
        raise EditorError(
            f"“{file}” holds no readable step.", "Delete it and choose the step again."
        ) from error
    if not 0 <= chosen.step < chosen.steps:
        raise EditorError(f"“{file}” holds step {chosen.step} of {chosen.steps}.", "Choose the step again.")
    return chosen
