"""What each kind of change leaves open, and what no change by words can be made of. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from inference.errors import EditorError
from inference.operations import BY_WORDS, CONTRAST, Insert, InsertWord
from inference.parameters import Parameters
from inference.prompts.differences import differences, in_common
from inference.prompts.subjects import is_article, says_colour, says_size

if TYPE_CHECKING:
    from inference.filling import Filling


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Values that a kind of change leaves open.

    Args:
        loop, flow_loop: of models that predict noise, and of those of flow matching.
        cross_share, self_share: of the steps; 0.4 and 0.6 are those of the benchmark's tables.
        local: whether the change keeps to its words.
        anew: whether a place that is given is drawn from new noise.
        guidance: share of the model's own guidance, where the way is "h-edit" or "direct". A correction
            counts from what the source says, which stays in full below it: with all of the guidance it
            pushes beyond what was asked, a white thing that is to be red to black. A place that something
            is removed from is not to be driven to the subjects that stay.
        found_by: what says where a change is that keeps to its words.
        coarse_anew: whether what is coarse in the noise, such as colours, is drawn anew where the change is.
    """

    loop: str = "h-edit"
    flow_loop: str = "flow-align"
    cross_share: float = 0.4
    self_share: float = 0.6
    local: bool = True
    anew: bool = False
    guidance: float = 1.0
    found_by: str = BY_WORDS
    coarse_anew: bool = False


PRESETS = {
    "replace": Preset(loop="direct", flow_loop="direct"),
    "add": Preset(loop="direct", flow_loop="direct", local=False, anew=True),
    "remove": Preset(loop="direct", flow_loop="direct", local=False, anew=True, guidance=0.5),
    "change": Preset(flow_loop="h-edit", guidance=0.5, found_by=CONTRAST),
    "style": Preset(local=False),
}
# A change of nothing but colours and sizes: the inverted noise knows the old ones, and would keep some of it.
_COARSE = replace(PRESETS["change"], coarse_anew=True)


def insertion(parameters: Parameters, filling: Filling) -> Parameters:
    """The kind's own values where they are left open.

    Raises:
        EditorError: there is nothing to change, nothing in common, or no place in the picture.
    """
    if not isinstance(parameters, Insert):
        return parameters
    _check_prompts(parameters)
    if parameters.mask is not None:
        mask = cast("Any", filling.contents[parameters.mask.hash])
        if not np.any(mask):
            raise EditorError(
                "The place of the change is outside of the picture.", "Draw it on what shall change."
            )
    preset = _preset(parameters)
    loop = preset.flow_loop if filling.backbone.schedule.is_flow else preset.loop
    # a way that was chosen is taken as it is published
    whole = filling.backbone.defaults.guidance_scale
    ours = parameters.loop is None
    share = preset.guidance if ours and loop in ("h-edit", "direct") else 1.0
    corrected = any(word.changes is not None for word in (*parameters.words, *parameters.source_words))
    left_open = {
        "loop": loop,
        "guidance_scale": whole if whole <= 1 else max(1.0, share * whole),
        "cross_share": preset.cross_share,
        "self_share": preset.self_share,
        "local": preset.local,
        # of words that were chosen by hand the prompts know nothing
        "found_by": preset.found_by if ours and not corrected else BY_WORDS,
        "coarse_anew": preset.coarse_anew and ours,
        "anew": preset.anew and (parameters.mask is not None or parameters.kind == "remove"),
    }
    return replace(
        parameters, **{name: value for name, value in left_open.items() if getattr(parameters, name) is None}
    )


def _preset(parameters: Insert) -> Preset:
    """The kind's, or that of what all changed words say."""
    if parameters.kind == "change":
        found = differences(parameters.source_prompt, parameters.prompt)
        sides = (
            [word for one in found for word in one.source],
            [word for one in found for word in one.target],
        )
        said = [[word.text for word in side if not is_article(word.text)] for side in sides]
        if all(words and all(says_colour(word) or says_size(word) for word in words) for words in said):
            return _COARSE
    return PRESETS[parameters.kind]


def _check_prompts(parameters: Insert) -> None:
    source, target = parameters.source_prompt, parameters.prompt
    if not target.strip():
        raise EditorError("The prompt is empty.", "Say in words what the picture is to show.")
    for words, text in ((parameters.words, target), (parameters.source_words, source)):
        for word in words:
            _check_word(word, text)
    if not in_common(source, target):
        raise EditorError(
            "“{source}” and “{prompt}” have no word in common.",
            "Say what the picture shows, and change only the words of what shall be different.",
            source=source,
            prompt=target,
        )
    weighted = any(word.weight != 1 for word in parameters.words)
    if not differences(source, target) and not weighted:
        raise EditorError(
            "Both prompts say the same.", "Change the words of what shall be different, or weigh one."
        )


def _check_word(word: InsertWord, text: str) -> None:
    if not 0 <= word.start < word.end <= len(text):
        raise EditorError(
            "The word at characters {start} to {end} is not in the prompt, which has {count} characters.",
            "Choose the word again.",
            start=word.start,
            end=word.end,
            count=len(text),
        )
