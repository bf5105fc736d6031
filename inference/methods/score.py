"""How well a prompt's subjects are in a picture: the operation "score".

A judge is needed that knows what the model paints: the detector that comes with the built-in models, or a
detection model that the user has.
"""

from collections.abc import Sequence

from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.inputs import Inputs
from inference.messages import listed
from inference.metrics import judge
from inference.metrics.colours import COLOURS, nearest_name
from inference.metrics.similarity import of_subjects
from inference.metrics.tiam import Detection, Wanted, matched
from inference.operations import RefineSubject, RefineTrial, Score
from inference.progress import Progress
from inference.prompts.learnt_words import LearntWord, in_plain_words
from inference.request import Output

_SHOWN = 12  # kinds that a message lists


def score(backbone: Backbone, parameters: Score, inputs: Inputs, progress: Progress) -> Output:
    """Scores "subject 0", "subject 1" … (1 right, 0 not) and the similarities; the picture as it is.

    A subject is right when it has a detection of its own, of its kind and with its colour if the prompt names
    one: of two cats that were asked for, one may be missing. (TIAM, arXiv:2307.05134, would not tell.)

    Raises:
        EditorError: no subject, a model without a judge, or a subject that the judge does not know.
    """
    judging, wanted = judge_of(backbone, parameters, inputs, progress)
    image = inputs.pixels(parameters.image)
    with progress.phase("score"):
        progress.step(0, 1)
        found = judging.detect([image])[0]
        progress.step(1, 1)
    right = matched(found, wanted, is_colour, one_each=True)
    return Output(images=(image,), scores=_scores(right, found, wanted))


def judge_of(
    backbone: Backbone, parameters: Score | RefineTrial, inputs: Inputs, progress: Progress
) -> tuple[judge.Judge, list[Wanted]]:
    """Who judges the pictures of this model, and what has to be in them.

    Raises:
        EditorError: no subject, a model without a judge, or a subject that the judge does not know.
    """
    if not parameters.subjects:
        raise EditorError("There is no subject to look for.", "Choose the words that have to be seen.")
    if not backbone.sandbox and not parameters.detector:
        raise EditorError(
            "Nothing here can tell what is in the pictures of {name}.",
            "Name a detection model in Settings.",
            name=backbone.name,
        )
    with progress.phase("load"):
        judging = judge.built_in() if backbone.sandbox else judge.for_photos(parameters.detector)
    return judging, [_wanted(parameters.prompt, one, judging, inputs.learnt) for one in parameters.subjects]


def is_colour(found: Sequence[float], name: str) -> bool:
    """Whether an RGB colour (0..1) is nearer to `name` than to any other named colour."""
    red, green, blue = (255 * value for value in found)
    return nearest_name((red, green, blue), COLOURS) == name


def _scores(right: Sequence[bool], found: Sequence[Detection], wanted: Sequence[Wanted]) -> dict[str, float]:
    similar = of_subjects(found, [one.kind for one in wanted], right)
    return {
        **{f"subject {index}": float(one) for index, one in enumerate(right)},
        "full_prompt": similar.full_prompt,
        "least_subject": similar.least_subject,
        "text_text": similar.text_text,
    }


def _wanted(
    prompt: str, subject: RefineSubject, judging: judge.Judge, learnt: Sequence[LearntWord]
) -> Wanted:
    """What is looked for; of a learnt word its kind."""
    words = in_plain_words(prompt[subject.start : subject.end], learnt).lower().split()
    kind = words[-1].strip(",.;:!?")
    if kind not in judging.kinds:
        known = listed(sorted(judging.kinds)[:_SHOWN])
        raise EditorError(
            "The detector does not know “{kind}”.", "It knows: {known} …", kind=kind, known=known
        )
    # a person's colours are those of hair and shirt, which the word beside the noun does not name
    modifiers = [prompt[start:end].lower() for start, end in subject.modifiers]
    described = [] if kind in judging.people else [*words[:-1], *modifiers]
    colour = next((word for word in described if word in COLOURS), None)
    return Wanted(kind=kind, colours={"colour": colour} if colour is not None else {})
