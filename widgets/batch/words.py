"""What steps of recipes, and the states of files, are called."""

from PySide6.QtCore import QCoreApplication

from editor.adjustments import kind_of
from editor.batch.operation_step import OperationStep
from editor.batch.recipe import AdjustmentStep, Step
from editor.batch.running import State
from editor.batch.shaping import Crop, Profile, Size
from inference.parameters import N_

translate = QCoreApplication.translate

SHAPES = {
    Size: N_("Batch", "Size"),
    Crop: N_("Batch", "Crop to a ratio"),
    Profile: N_("Batch", "Colour profile"),
}

_STATES = {
    State.WAITING: N_("Batch", "waiting"),
    State.WORKING: N_("Batch", "working…"),
    State.DONE: N_("Batch", "done"),
    State.FAILED: N_("Batch", "failed"),
}


def step_text(step: Step) -> str:
    """What a step is, in a line."""
    if isinstance(step, OperationStep):
        label = translate("Operations", step.declared.label)
        prompt = str(getattr(step.parameters, "prompt", ""))
        return f"{label}: {prompt}" if prompt else label
    if isinstance(step, AdjustmentStep):
        return translate("Adjustments", kind_of(step.settings).label)
    label = translate("Batch", SHAPES[type(step.settings)])
    if isinstance(step.settings, Crop):
        return f"{label}: {step.settings.ratio}"
    return label


def state_text(state: State) -> str:
    return translate("Batch", _STATES[state])
