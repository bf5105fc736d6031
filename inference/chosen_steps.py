"""The refinement step that was found best for a model, beside the model or in the user's data folder.

A file holds {model's hash: {method: {"step": 5, "steps": 30, …}}}, and any of `SIZES` where a model
needs another than the method's; what else a choice holds is how it was found. Free of torch.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from inference.errors import EditorError
from inference.files import atomic_write, read_at_most
from inference.reasons import reason_of
from inference.values import number, parsed_json, whole

STEPS_FILE = "refine_steps.json"
_LARGEST_BYTES = 16 * 2**20
SIZES = ("learning_rate", "guidance_step_size")


@dataclass(frozen=True)
class ChosenStep:
    """Step `step` (from 0) of a run of `steps`."""

    step: int
    steps: int

    def at(self, steps: int) -> int:
        """The same place in a run of another length."""
        return min(round(self.step * steps / self.steps), steps - 1)


@dataclass(frozen=True)
class Chosen:
    """What was chosen for one model and method: the step, if any, and those of `SIZES` that differ."""

    step: ChosenStep | None
    sizes: Mapping[str, float]


def chosen(model: Path, model_hash: str, method: str, user_file: Path | None = None) -> Chosen:
    """The choice for these weights and this method; of each part the user's own, else the model's, else none.

    Raises:
        EditorError: a file of choices is damaged.
    """
    step: ChosenStep | None = None
    sizes: dict[str, float] = {}
    for file, values in _choices(model, model_hash, method, user_file):
        if step is None and "step" in values:
            step = _step(file, values)
        for name in SIZES:
            if name in values:
                sizes.setdefault(name, _size(file, values[name]))
    return Chosen(step, sizes)


def store_step(file: Path, model_hash: str, method: str, values: Mapping[str, Any]) -> None:
    """Put a choice into a file and keep all others; `values` holds "step", "steps" and how it was found."""
    known = _read(file) if file.exists() else {}
    known.setdefault(model_hash, {})[method] = dict(values)
    with atomic_write(file, parents=True) as written:
        written.write(json.dumps(known, indent=1).encode() + b"\n")


def _choices(
    model: Path, model_hash: str, method: str, user_file: Path | None
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The user's values, then the model's."""
    beside = (model if model.is_dir() else model.parent) / STEPS_FILE
    for file in (user_file, beside):
        if file is None or not file.exists():
            continue
        of_model = _read(file).get(model_hash)
        values: object = cast("dict[str, Any]", of_model).get(method) if isinstance(of_model, dict) else None
        if isinstance(values, dict):
            yield file, cast("dict[str, Any]", values)


def _read(file: Path) -> dict[str, Any]:
    try:
        found: Any = parsed_json(read_at_most(file, _LARGEST_BYTES))
    except (OSError, ValueError, RecursionError, EditorError) as error:
        raise EditorError(
            "“{file}” is damaged: {reason}.",
            "Delete it; the steps it held can be chosen again.",
            file=file,
            reason=reason_of(error),
        ) from error
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _step(file: Path, values: Mapping[str, Any]) -> ChosenStep:
    try:
        found = ChosenStep(whole(values.get("step"), "step"), whole(values.get("steps"), "steps"))
    except EditorError as error:
        raise EditorError(
            "“{file}” holds no readable step.", "Delete it and choose the step again.", file=file
        ) from error
    if not 0 <= found.step < found.steps:
        raise EditorError(
            "“{file}” holds step {step} of {steps}.",
            "Choose the step again.",
            file=file,
            step=found.step,
            steps=found.steps,
        )
    return found


def _size(file: Path, value: Any) -> float:
    try:
        return number(value, "step size", 0)
    except EditorError as error:
        raise EditorError(
            "“{file}” holds a wrong {reason}", "Choose the step again.", file=file, reason=error.sentence
        ) from error
