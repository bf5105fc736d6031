"""What each kind of change leaves open, and what no change by words can be made of. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from inference.errors import EditorError
from inference.messages import short
from inference.operations import BY_WORDS, CONTRAST, Insert, InsertWord
from inference.parameters import Parameters
from inference.prompts.differences import differences, in_common
from inference.prompts.subjects import is_article, says_colour, says_size
from inference.prompts.weights import Weighted, understood
from inference.prompts.words import words

if TYPE_CHECKING:
    from inference.filling import Filling

Span = tuple[int, int]
_SAID = ("kind", "source_prompt", "prompt", "words", "source_words")  # what the rest is found by


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
        delay: share of the steps, the noisiest, in which nothing is edited yet: what they cost pays for
            finding a change by contrast.
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
    delay: float = 0.0


PRESETS = {
    "replace": Preset(loop="direct", flow_loop="direct"),
    "add": Preset(loop="direct", flow_loop="direct", local=False, anew=True),
    "remove": Preset(loop="direct", flow_loop="direct", local=False, anew=True, guidance=0.5),
    "change": Preset(flow_loop="h-edit", guidance=0.5, found_by=CONTRAST, delay=0.02),
    "style": Preset(local=False),
}
# A change of nothing but colours and sizes: the inverted noise knows the old ones, and would keep some of it.
_COARSE = replace(PRESETS["change"], coarse_anew=True)


# FlowEdit and FlowAlign guide the target by 13.5 (arXiv:2412.08629, 2505.23145), of SD3's usual 7.
_PUBLISHED_FLOW = 13.5 / 7


def insertion(parameters: Parameters, filling: Filling) -> Parameters:
    """The kind's own values where they are left open.

    Raises:
        EditorError: there is nothing to change, nothing in common, nothing that says where the change is, or
            no place in the picture.
    """
    if not isinstance(parameters, Insert):
        return parameters
    check_prompts(parameters)
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
    if ours:
        share = preset.guidance if loop in ("h-edit", "direct") else 1.0
    else:
        share = _PUBLISHED_FLOW if parameters.loop in ("flow-align", "flow-edit") else 1.0
    left_open = {
        "loop": loop,
        "guidance_scale": whole if whole <= 1 else max(1.0, share * whole),
        **_usual(parameters, preset, ours=ours),
    }
    return replace(
        parameters, **{name: value for name, value in left_open.items() if getattr(parameters, name) is None}
    )


def _usual(parameters: Insert, preset: Preset, *, ours: bool) -> dict[str, Any]:
    """What is filled in beside the way, which is `ours` if none was chosen."""
    corrected = any(word.changes is not None for word in (*parameters.words, *parameters.source_words))
    return {
        "cross_share": preset.cross_share,
        "self_share": preset.self_share,
        "local": preset.local,
        # of words that were chosen by hand the prompts know nothing
        "found_by": preset.found_by if ours and not corrected else BY_WORDS,
        "coarse_anew": preset.coarse_anew and ours,
        "delay": preset.delay if ours else 0.0,
        "anew": preset.anew and (parameters.mask is not None or parameters.kind == "remove"),
    }


def found_anew(made: Insert, values: Mapping[str, Any]) -> frozenset[str]:
    """Names of what an edit found by itself, and has to find anew where other values are said of it.

    What was filled in and what was chosen look alike in a request that was carried out: what is as the kind
    and the words would have left it is taken as left open.
    """
    if all(
        _decides(values.get(name, getattr(made, name))) == _decides(getattr(made, name)) for name in _SAID
    ):
        return frozenset()
    preset = _preset(made)
    ours = made.loop in (preset.loop, preset.flow_loop)
    usual = _usual(made, preset, ours=ours)
    if ours:
        usual["loop"] = made.loop
        if values.get("kind", made.kind) != made.kind:
            usual["guidance_scale"] = made.guidance_scale
    return frozenset(
        name
        for name, value in usual.items()
        if getattr(made, name) == value == values.get(name, getattr(made, name))
    )


def _decides(said: Any) -> Any:
    """What of a value the rest depends on: of words those that were corrected, not their weights."""
    if not isinstance(said, tuple):
        return said
    words = cast("tuple[InsertWord, ...]", said)
    return [(word.start, word.end, word.changes) for word in words if word.changes is not None]


def changed_words(
    source: str, target: str, parameters: Insert, names: Sequence[str] = ()
) -> tuple[list[Span], list[Span]]:
    """Characters of the words that change, of the source and of the target, as corrected."""
    found = differences(source, target, names)
    ours = {(word.start, word.end) for one in found for word in one.source}
    theirs = {(word.start, word.end) for one in found for word in one.target}
    return _corrected(ours, parameters.source_words), _corrected(theirs, parameters.words)


def _corrected(found: set[Span], corrections: Sequence[InsertWord]) -> list[Span]:
    said = {(word.start, word.end): word.changes for word in corrections if word.changes is not None}
    kept = {span for span in found if said.get(span) is not False}
    return sorted(kept | {span for span, changes in said.items() if changes})


def _preset(parameters: Insert) -> Preset:
    """The kind's, or that of what all changed words say."""
    if parameters.kind == "change":
        found = differences(*(one.text for one in _read(parameters)))
        sides = (
            [word for one in found for word in one.source],
            [word for one in found for word in one.target],
        )
        said = [[word.text for word in side if not is_article(word.text)] for side in sides]
        if all(side and all(says_colour(word) or says_size(word) for word in side) for side in said):
            return _COARSE
    return PRESETS[parameters.kind]


def _read(parameters: Insert) -> tuple[Weighted, Weighted]:
    """Both sentences as they are read: marks of weights are no words."""
    weighted = parameters.weighted
    return (
        understood(parameters.source_prompt, weighted=weighted),
        understood(parameters.prompt, weighted=weighted),
    )


def _weights(prompt: Weighted) -> list[tuple[str, float]]:
    """The words that marks give a weight, and which."""
    weighed = [(word.text.casefold(), prompt.weight(word.start)) for word in words(prompt.text)]
    return [(word, weight) for word, weight in weighed if weight != 1]


def check_prompts(parameters: Insert) -> None:
    """Say before any work that two sentences make no change, whatever picture they are said of.

    Raises:
        EditorError: there is nothing to change, nothing in common, or nothing that says where the change is.
    """
    ours, theirs = _read(parameters)
    source, target = ours.text, theirs.text
    if not source.strip():
        raise EditorError("The prompt is empty.", "Say in words what the picture shows.")
    if not target.strip():
        raise EditorError("The prompt is empty.", "Say in words what the picture is to show.")
    for said, text in ((parameters.words, target), (parameters.source_words, source)):
        for word in said:
            _check_word(word, text)
    if not in_common(source, target):
        raise EditorError(
            "“{source}” and “{prompt}” have no word in common.",
            "Say what the picture shows, and change only the words of what shall be different.",
            source=short(parameters.source_prompt),
            prompt=short(parameters.prompt),
        )
    weighs = any(word.weight != 1 for word in parameters.words) or _weights(ours) != _weights(theirs)
    if not differences(source, target) and not weighs:
        raise EditorError(
            "Both prompts say the same.", "Change the words of what shall be different, or weigh one."
        )
    if parameters.mask is None:
        _check_place(parameters, changed_words(source, target, parameters), weighs=weighs)


def _check_place(parameters: Insert, changed: tuple[list[Span], list[Span]], *, weighs: bool) -> None:
    """Without any word that says where the change is, all of the picture would become another one."""
    gone, new = changed
    if not gone and parameters.kind == "remove":
        raise EditorError(
            "No word is left out of what the picture is to show.",
            "Leave out what is to be removed, or select its place.",
        )
    if not gone and not new and not weighs:
        raise EditorError("No word belongs to the change.", "Choose one of those that differ.")


def _check_word(word: InsertWord, text: str) -> None:
    if not 0 <= word.start < word.end <= len(text):
        raise EditorError(
            "The word at characters {start} to {end} is not in the prompt, which has {count} characters.",
            "Choose the word again.",
            start=word.start,
            end=word.end,
            count=len(text),
        )
