"""Whether the subjects of edited pictures are still there: a slider's track ends where they are not.

Only where something tells what is in a picture of this model: for the built-in models their detector.
"""

from collections.abc import Sequence

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.metrics import judge
from inference.operations import SubjectEdit
from inference.prompts.learnt_words import in_plain_words
from inference.request import Pixels

SEEN = "seen"
"""`scores["seen/START-END/2"]` is 1.0 where the subject was found in the third picture, else 0.0."""


def still_found(
    backbone: Backbone,
    text: str,
    inputs: Inputs,
    edits: Sequence[SubjectEdit],
    pictures: Sequence[Pixels],
) -> dict[str, float]:
    """The scores of pictures for each subject that the detector knows; none without a detector."""
    if not backbone.sandbox:
        return {}
    try:
        judging = judge.built_in()
    except EditorError:  # it is not installed; sliders do without
        return {}
    kinds = {(one.start, one.end): _kind(text[one.start : one.end], inputs) for one in edits}
    wanted = {span: kind for span, kind in kinds.items() if kind in judging.kinds}
    if not wanted:
        return {}
    found = [{one.kind for one in detections} for detections in judging.detect(pictures)]
    return {
        f"{SEEN}/{start}-{end}/{number}": float(kind in there)
        for (start, end), kind in wanted.items()
        for number, there in enumerate(found)
    }


def _kind(words: str, inputs: Inputs) -> str:
    """The noun of a subject; of a learnt word its kind."""
    parts = in_plain_words(words, inputs.learnt).lower().split()
    return parts[-1].strip(",.;:!?") if parts else ""
