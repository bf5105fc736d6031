"""How often a refinement brings every subject into the picture: the operation "refine-trial".

The validation that chooses a step (arXiv:2504.17525) asks for thousands of pictures and only wants to know
which of them are right: they are drawn together and judged where they were made.
"""

from inference.backbones.base import Backbone
from inference.inputs import Inputs
from inference.methods.gsn.refine import refine
from inference.methods.score import is_colour, judge_of
from inference.metrics.tiam import all_right
from inference.operations import RefineTrial
from inference.progress import Progress
from inference.request import Output


def refine_trial(backbone: Backbone, parameters: RefineTrial, inputs: Inputs, progress: Progress) -> Output:
    """The first of the pictures, and the scores "right 0", "right 1" …: 1 where all subjects are right.

    Raises:
        EditorError: as the operations "refine" and "score"; before anything is drawn.
    """
    judging, wanted = judge_of(backbone, parameters, inputs, progress)
    output = refine(backbone, parameters, inputs, progress)
    with progress.phase("score"):
        found = judging.detect(output.images)
    right = [all_right(detections, wanted, is_colour) for detections in found]
    scores = {f"right {index}": float(one) for index, one in enumerate(right)}
    return Output(images=output.images[:1], scores=scores, notes=output.notes)
