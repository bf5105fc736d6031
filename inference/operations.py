"""The torch-free table of everything the inference service can do.

Adding a method is one file in `inference/methods/` and one `Operation` here. The panel, the
command line, the batch runner, the files and the contract tests all read this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from inference.content import ConceptFile, DefinitionFile, DeltaFile, Mask, Picture
from inference.methods.gsn.procedures import LOSSES, METHODS
from inference.methods.learning.presets import DEFAULT_PRESET, PRESETS, SCHEDULES
from inference.parameters import N_, REQUIRED, ParameterField, Parameters, param
from inference.values import Bounds, bounded


class Family(Enum):
    """Model families; only `inference/backbones` may branch on them."""

    SD1 = "sd1"
    SDXL = "sdxl"
    SD3 = "sd3"


LONGEST_PROMPT = 10_000  # characters; `prompts.prompt.MOST_PIECES` says how many tokens
MOST_EDITS = 64  # each is a slider of the panel
MOST_SUBJECTS = 64
MOST_CONCEPTS = 16
MOST_LORAS = 16
MOST_LORA_STRENGTH = 4.0
LONGEST_LORA_NAME = 200  # characters
MOST_POSITIONS = 256
MOST_CHANGE = 100.0
"""The largest α of an attribute in either direction; sensible ones are below 10."""
LEAST_CHANGE = 0.01
"""Positions of sliders are kept to this; a track that is shorter has nowhere to go."""

BY_TEXT, BY_LATENTS, BOTH_WAYS = "text", "latents", "text+latents"
KEEPING = (BOTH_WAYS, BY_TEXT, BY_LATENTS)
"""What keeps an edit to its subjects; see `inference.methods.only_subject`."""

SAMPLERS = ("ddim", "euler", "euler-a", "dpm++2m", "dpm++2m-karras", "ddpm", "lcm")


def _concepts() -> Any:
    """Learnt words that may stand in prompts; window and command line find them by their words."""
    return param(
        (),
        N_("Operations", "Concepts"),
        help=N_("Operations", "Learnt words that stand in the prompt"),
        most=MOST_CONCEPTS,
        flag="--concept",
    )


@dataclass(frozen=True, kw_only=True)
class LoraUse:
    """A LoRA of the user's list: what it is called, the SHA-256 of its file, and how strong it is.

    The file itself, of up to hundreds of megabytes, does not travel with requests and recipes: it is found by
    its hash, or said to be missing. Strength 1 is what was trained, 0 nothing, below 0 the opposite.
    """

    name: str = bounded(most=LONGEST_LORA_NAME)
    hash: str = bounded(most=64)
    strength: float = bounded(min=-MOST_LORA_STRENGTH, max=MOST_LORA_STRENGTH)


@dataclass(frozen=True, kw_only=True)
class SamplingParameters(Parameters):
    """What every sampling operation takes. None means the model's own default.

    `concepts` are learnt words that may stand in any of its prompts (`inference.concepts`); the window and
    the command line put in what the library has for the words of the prompts. `loras` are added to the
    model's layers while it runs (`inference.loras`).
    """

    prompt: str = param("", N_("Operations", "Prompt"), most=LONGEST_PROMPT, multiline=True)
    negative_prompt: str = param(
        "", N_("Operations", "Negative prompt"), most=LONGEST_PROMPT, multiline=True, advanced=True
    )
    seed: int = param(0, N_("Operations", "Seed"), min=0, max=2**32 - 1)
    steps: int | None = param(None, N_("Operations", "Steps"), min=1, max=999)
    guidance_scale: float | None = param(None, N_("Operations", "Guidance scale"), min=0, max=50)
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, advanced=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, advanced=True)
    sampler: str | None = param(None, N_("Operations", "Sampler"), choices=SAMPLERS, advanced=True)
    weighted: bool = param(
        False,
        N_("Operations", "Weights in prompts"),
        help=N_("Operations", "Read (word:1.2), ((word)) and [word] as more or less of a word"),
        advanced=True,
    )
    concepts: tuple[ConceptFile, ...] = _concepts()
    loras: tuple[LoraUse, ...] = param((), N_("Operations", "LoRAs"), most=MOST_LORAS, hidden=True)

    @property
    def is_drawn(self) -> bool:
        """Whether another seed gives another picture, as far as nothing is left open."""
        return True


@dataclass(frozen=True, kw_only=True)
class SubjectEdit:
    """One slider: attribute `attribute` of the subject at characters [start, end) set to `value`.

    `value` is the scale α of the delta. `delta` pins its content; None is what the library has for the
    subject and attribute when the request runs.
    """

    start: int = bounded(min=0, max=LONGEST_PROMPT)
    end: int = bounded(min=0, max=LONGEST_PROMPT)
    attribute: str = bounded(most=1000)
    value: float = bounded(min=-MOST_CHANGE, max=MOST_CHANGE)
    delta: DeltaFile | None = None


@dataclass(frozen=True, kw_only=True)
class Generate(SamplingParameters):
    """A picture from a prompt and a seed."""


@dataclass(frozen=True, kw_only=True)
class EditedParameters(SamplingParameters):
    """A sampling operation whose subjects' attributes can be shifted.

    `delay` is the share of the steps that use the unmodified embedding (0.2 = local change). With
    `only_subject` everything outside of the edited subjects stays as it is without edits; recipes from before
    there was this switch do without. `kept_by` says what keeps it: words that are read only where they
    belong, latents taken from the unedited picture, or both.
    """

    edits: tuple[SubjectEdit, ...] = param((), N_("Operations", "Attributes"), most=MOST_EDITS, hidden=True)
    delay: float = param(0.2, N_("Operations", "Delay"), min=0, max=1, step=0.05)
    only_subject: bool = param(
        True,
        N_("Operations", "Only this subject"),
        help=N_("Operations", "Everything outside of the subjects that change stays as it is"),
        absent=False,
    )
    kept_by: str = param(
        BOTH_WAYS,
        N_("Operations", "How the rest is kept"),
        help=N_("Operations", "By words that are read only where they belong, by the picture, or by both"),
        choices=KEEPING,
        absent=BY_LATENTS,
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class Attribute(EditedParameters):
    """A picture from a prompt and a seed with attributes of its subjects shifted."""


@dataclass(frozen=True, kw_only=True)
class SweptParameters(EditedParameters):
    """The pictures of one slider's positions in one run: `edits[index]` takes each of `positions`."""

    index: int = param(0, N_("Operations", "Attribute"), min=0, max=MOST_EDITS, hidden=True)
    positions: tuple[float, ...] = param(
        (),
        N_("Operations", "Positions"),
        most=MOST_POSITIONS,
        min=-MOST_CHANGE,
        max=MOST_CHANGE,
        hidden=True,
    )


@dataclass(frozen=True, kw_only=True)
class AttributeSweep(Attribute, SweptParameters):
    """Positions of a slider of a generated picture."""


DRAWING_INVERSIONS = ("edit-friendly", "flow-align", "flow-edit")
"""Those that draw noise: with the others the seed decides nothing."""
INVERSIONS = (
    "direct",
    "noised",
    "ddim",
    "negative-prompt",
    "null-text",
    "edit-friendly",
    "flow-align",
    "flow-edit",
)


@dataclass(frozen=True, kw_only=True)
class Edit(EditedParameters):
    """A picture from elsewhere with attributes of its subjects shifted; `prompt` says what it shows.

    `inversion` is how the model comes back to the picture; the two of flow matching need such a model.
    `mask` confines the change. With `details` the picture keeps what the model's autoencoder would lose,
    wherever nothing changes. With `standing` it is found out where on each slider the picture is, and edits
    begin there. `seed` decides only ways that draw noise.
    """

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    mask: Mask | None = param(None, N_("Operations", "Area"))
    prompt: str = param(
        "",
        N_("Operations", "Prompt"),
        help=N_("Operations", "What the picture shows"),
        most=LONGEST_PROMPT,
        multiline=True,
    )
    inversion: str = param(
        "noised",
        N_("Operations", "Inversion"),
        help=N_("Operations", "How the model comes back to the picture"),
        choices=INVERSIONS,
        absent="direct",
        advanced=True,
    )
    standing: bool = param(
        False,
        N_("Operations", "From where it stands"),
        help=N_("Operations", "A slider begins at what the picture shows, and reaches both ends from there"),
        absent=False,
        advanced=True,
    )
    details: bool = param(
        True,
        N_("Operations", "Keep details"),
        help=N_("Operations", "What the model cannot draw is taken from the picture where nothing changes"),
        advanced=True,
    )
    sampler: str | None = param("ddim", N_("Operations", "Sampler"), choices=("ddim",), hidden=True)
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, hidden=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, hidden=True)

    @property
    def is_drawn(self) -> bool:
        return self.inversion in DRAWING_INVERSIONS


@dataclass(frozen=True, kw_only=True)
class EditSweep(Edit, SweptParameters):
    """Positions of a slider of a picture from elsewhere."""


INSERT_KINDS = ("replace", "add", "remove", "change", "style")
"""What is done: another subject, one more, one less, a part of a subject, or the look of everything."""

INSERT_LOOPS = (
    "h-edit",
    "direct",
    "null-text",
    "negative-prompt",
    "edit-friendly",
    "ddim",
    "flow-align",
    "flow-edit",
)
MOST_WORDS = 256
MOST_STRENGTH = 3.0


@dataclass(frozen=True, kw_only=True)
class InsertWord:
    """What a person says of the word at characters [start, end) of the prompt.

    `weight` is the factor of its attention. `changes` says whether it belongs to the change; None: as found.
    """

    start: int = bounded(min=0, max=LONGEST_PROMPT)
    end: int = bounded(min=0, max=LONGEST_PROMPT)
    weight: float = field(default=1.0, metadata={"bounds": Bounds(min=0, max=10)})
    changes: bool | None = None


BY_WORDS, CONTRAST = "words", "contrast"
FOUND_BY = (BY_WORDS, CONTRAST)


@dataclass(frozen=True, kw_only=True)
class Insert(SamplingParameters):
    """A picture edited by words: `source_prompt` says what it shows, `prompt` what it is to show.

    `kind` decides what is left open: how the model comes back to the picture (`loop`), for which shares of
    the steps the picture's attention is carried over, and whether the change keeps to its words. `mask` is
    the place of the change. `strength` 0 is the picture, 1 the edit. `words` are those of the prompt,
    `source_words` those of the source prompt.
    """

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    mask: Mask | None = param(None, N_("Operations", "Area"))
    source_prompt: str = param(
        REQUIRED,
        N_("Operations", "What the picture shows"),
        most=LONGEST_PROMPT,
        multiline=True,
    )
    prompt: str = param(
        "",
        N_("Operations", "Prompt"),
        help=N_("Operations", "What the picture is to show; only the words that differ change it"),
        most=LONGEST_PROMPT,
        multiline=True,
    )
    kind: str = param("replace", N_("Operations", "Kind of change"), choices=INSERT_KINDS)
    strength: float = param(
        1.0,
        N_("Operations", "Strength"),
        help=N_("Operations", "0 keeps the picture, 1 is the whole change"),
        min=0,
        max=MOST_STRENGTH,
        step=0.05,
    )
    loop: str | None = param(
        None,
        N_("Operations", "Way of editing"),
        help=N_("Operations", "How the model comes back to the picture"),
        choices=INSERT_LOOPS,
        advanced=True,
    )
    attention: bool = param(
        True,
        N_("Operations", "Carry attention over"),
        help=N_("Operations", "The new picture looks where the old one looked (prompt-to-prompt)"),
        advanced=True,
    )
    alignment: str = param(
        "refine",
        N_("Operations", "New words"),
        help=N_("Operations", "“replace” gives them the attention of the words in whose place they stand"),
        choices=("refine", "replace"),
        advanced=True,
    )
    cross_share: float | None = param(
        None,
        N_("Operations", "Attention to words"),
        help=N_("Operations", "For which share of the steps it is carried over"),
        min=0,
        max=1,
        step=0.05,
        advanced=True,
    )
    self_share: float | None = param(
        None,
        N_("Operations", "Attention to the picture"),
        help=N_("Operations", "For which share of the steps it is carried over"),
        min=0,
        max=1,
        step=0.05,
        advanced=True,
    )
    local: bool | None = param(
        None,
        N_("Operations", "Only where the words are"),
        help=N_("Operations", "Everything outside of the words that change stays as it is"),
        advanced=True,
    )
    threshold: float = param(
        0.3,
        N_("Operations", "Threshold"),
        help=N_("Operations", "How clearly the words have to be seen where something may change"),
        min=0,
        max=1,
        step=0.05,
        advanced=True,
    )
    found_by: str | None = param(
        None,
        N_("Operations", "Found by"),
        help=N_(
            "Operations", "What says where the change is: its words' attention, or where the prompts differ"
        ),
        choices=FOUND_BY,
        advanced=True,
        absent=BY_WORDS,
    )
    coarse_anew: bool | None = param(
        None,
        N_("Operations", "Colours from new noise"),
        help=N_("Operations", "Where it changes, only what is fine is taken from the picture's noise"),
        advanced=True,
        absent=False,
    )
    outline: bool = param(
        True,
        N_("Operations", "Along edges"),
        help=N_("Operations", "What changes, and what stays, ends at the edges that are seen in the picture"),
        advanced=True,
        absent=False,
    )
    anew: bool | None = param(
        None,
        N_("Operations", "From new noise"),
        help=N_("Operations", "What is in the place is drawn anew; the seed decides what comes"),
        advanced=True,
    )
    delay: float | None = param(
        None, N_("Operations", "Delay"), min=0, max=1, step=0.05, advanced=True, absent=0.0
    )
    words: tuple[InsertWord, ...] = param((), N_("Operations", "Words"), most=MOST_WORDS, hidden=True)
    source_words: tuple[InsertWord, ...] = param((), N_("Operations", "Words"), most=MOST_WORDS, hidden=True)
    details: bool = param(
        True,
        N_("Operations", "Keep details"),
        help=N_("Operations", "What the model cannot draw is taken from the picture where nothing changes"),
        advanced=True,
    )
    sampler: str | None = param("ddim", N_("Operations", "Sampler"), choices=("ddim",), hidden=True)
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, hidden=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, hidden=True)

    @property
    def is_drawn(self) -> bool:
        """The inverted noise is the picture's own: by chance is only what begins from new noise."""
        has_place = self.mask is not None or self.kind in ("remove", "style")
        return (
            self.loop in DRAWING_INVERSIONS
            or (bool(self.anew) and has_place)
            or (bool(self.coarse_anew) and bool(self.local) and self.found_by == CONTRAST)
        )


@dataclass(frozen=True, kw_only=True)
class InsertSweep(Insert):
    """The pictures of several strengths in one run."""

    positions: tuple[float, ...] = param(
        (), N_("Operations", "Positions"), most=MOST_POSITIONS, min=0, max=MOST_STRENGTH, hidden=True
    )


@dataclass(frozen=True, kw_only=True)
class RefineSubject:
    """A subject that has to be in the picture: characters [start, end), and those of its modifiers.

    Words before the last one inside [start, end) count as modifiers as well.
    """

    start: int = bounded(min=0, max=LONGEST_PROMPT)
    end: int = bounded(min=0, max=LONGEST_PROMPT)
    modifiers: tuple[tuple[int, int], ...] = field(
        default=(), metadata={"bounds": Bounds(min=0, max=LONGEST_PROMPT, most=MOST_SUBJECTS)}
    )


NOTHING = "none"


@dataclass(frozen=True, kw_only=True)
class Refine(EditedParameters):
    """A picture from a prompt and a seed with every subject of the prompt in it (arXiv:2504.17525).

    `method` is a combination of refinement and guidance; all other values override parts of it, None keeps
    them. `step` counts from 0 and moves the method's only refinement. `pictures` are drawn with the seeds
    that follow; denoised together, so they may differ from single ones by rounding. `edits` shift
    attributes in the steps after the refinement and the delay.
    """

    method: str = param("ours+", N_("Operations", "Method"), choices=METHODS)
    subjects: tuple[RefineSubject, ...] = param(
        (), N_("Operations", "Subjects"), most=MOST_SUBJECTS, hidden=True
    )
    step: int | None = param(
        None,
        N_("Operations", "Refinement step"),
        help=N_("Operations", "The step before which the latents are refined, counted from 0"),
        min=0,
        max=999,
    )
    updates: int | None = param(None, N_("Operations", "Updates"), min=0, max=1000)
    learning_rate: float | None = param(
        None, N_("Operations", "Learning rate"), min=0, max=1000, advanced=True
    )
    threshold: float | None = param(
        None,
        N_("Operations", "Threshold"),
        help=N_("Operations", "Refinement stops when the loss is at most 1 minus this"),
        min=-10,
        max=10,
        advanced=True,
    )
    refinement_loss: str | None = param(
        None, N_("Operations", "Loss of the refinement"), choices=(*LOSSES, NOTHING), advanced=True
    )
    guidance_loss: str | None = param(
        None, N_("Operations", "Loss of the guidance"), choices=(*LOSSES, NOTHING), advanced=True
    )
    guidance_start: int | None = param(
        None, N_("Operations", "First guided step"), min=0, max=1000, advanced=True
    )
    guidance_end: int | None = param(
        None,
        N_("Operations", "End of the guidance"),
        help=N_("Operations", "The first step that is no longer guided"),
        min=0,
        max=1000,
        advanced=True,
    )
    guidance_step_size: float | None = param(
        None, N_("Operations", "Step size of the guidance"), min=0, max=10000, advanced=True
    )
    shared_distribution: bool = param(
        False,
        N_("Operations", "One distribution for all pictures"),
        help=N_("Operations", "SAGA learns once and draws all pictures from it"),
        advanced=True,
    )
    pictures: int = param(1, N_("Operations", "Pictures"), min=1, max=64, advanced=True)
    map_steps: int = param(
        10,
        N_("Operations", "Heat maps"),
        help=N_("Operations", "At how many steps the subjects' attention is kept"),
        min=0,
        max=1000,
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class RefineTrial(Refine):
    """A refinement whose pictures are judged and thrown away; `detector` as in `Score`."""

    detector: str = param("", N_("Operations", "Detection model"), hidden=True)


@dataclass(frozen=True, kw_only=True)
class Score(Parameters):
    """How well the subjects of a prompt are in a picture; `detector` judges those of models of the user."""

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    prompt: str = param("", N_("Operations", "Prompt"), most=LONGEST_PROMPT, multiline=True)
    subjects: tuple[RefineSubject, ...] = param(
        (), N_("Operations", "Subjects"), most=MOST_SUBJECTS, hidden=True
    )
    detector: str = param("", N_("Operations", "Detection model"), hidden=True)
    concepts: tuple[ConceptFile, ...] = _concepts()


@dataclass(frozen=True, kw_only=True)
class Redraw(SamplingParameters):
    """A picture redrawn from a prompt (SDEdit, arXiv:2108.01073).

    `strength` is the share of the run that is done again: 0 gives the picture itself, 1 hardly anything of
    it. `mask` confines the change. The result is as large as the picture.
    """

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    mask: Mask | None = param(None, N_("Operations", "Area"))
    strength: float = param(
        0.6,
        N_("Operations", "Strength"),
        help=N_("Operations", "0 keeps the picture, 1 makes a new one"),
        min=0,
        max=1,
        step=0.05,
    )
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, hidden=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, hidden=True)


@dataclass(frozen=True, kw_only=True)
class Fill(SamplingParameters):
    """A part of a picture drawn anew so that it goes with the rest (arXiv:2206.02779).

    `mask` says which; without one it is what is transparent, such as new room on an enlarged canvas, and in
    an opaque picture all of it. `strength` is the share of the run that is done, from what surrounds it.
    """

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    mask: Mask | None = param(
        None,
        N_("Operations", "Only here"),
        help=N_("Operations", "What is drawn anew; nothing chosen means what is transparent"),
    )
    prompt: str = param(
        "",
        N_("Operations", "Prompt"),
        help=N_("Operations", "What shall be there; empty goes on with what surrounds it"),
        most=LONGEST_PROMPT,
        multiline=True,
        may_be_empty=True,
    )
    strength: float = param(
        1.0,
        N_("Operations", "Strength"),
        help=N_("Operations", "Below 1 it stays closer to the colours around it"),
        min=0,
        max=1,
        step=0.05,
    )
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, hidden=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, hidden=True)


MOST_ENLARGED = 4.0


@dataclass(frozen=True, kw_only=True)
class Enlarge(SamplingParameters):
    """A picture at `factor` times its size, with details that the model adds (arXiv:2302.08113).

    The picture is resampled (Lanczos), then redrawn in overlapping tiles of the model's own size for the
    share `strength` of a run; 0 is the resampled picture. Its colours stay. `width` and `height` are those
    of a tile.
    """

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    factor: float = param(
        2.0,
        N_("Operations", "Enlargement"),
        help=N_("Operations", "How many times as wide and as high; 1 only adds details"),
        min=1,
        max=MOST_ENLARGED,
        step=0.5,
    )
    prompt: str = param(
        "",
        N_("Operations", "Prompt"),
        help=N_(
            "Operations", "Surfaces that all of it has; better empty than things, which each tile would draw"
        ),
        most=LONGEST_PROMPT,
        multiline=True,
        may_be_empty=True,
    )
    strength: float = param(
        0.3,
        N_("Operations", "Strength"),
        help=N_("Operations", "How much the model adds; 0 only resamples"),
        min=0,
        max=1,
        step=0.05,
    )
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, hidden=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, hidden=True)


TRANSLATIONS = ("plug-and-play", "no-inversion", "one-copy", "redraw")
MOST_KEPT_MIB = 65_536


@dataclass(frozen=True, kw_only=True)
class Translate(SamplingParameters):
    """A picture re-rendered from a new text, its structure kept (arXiv:2211.12572).

    `way` is how the structure comes from the picture into the new one: "plug-and-play" inverts the picture;
    "no-inversion" noises it anew at each step (the structure half of arXiv:2406.07540), "one-copy" only once
    (arXiv:2507.02792), with `restart` going back into the noise once; "redraw" only starts from it
    (arXiv:2108.01073). `structure` is the share of the steps that are told, 0.8 the method's usual one;
    `appearance` how much of the look comes from the text: below 1 the run starts later, at 0 the picture
    stays. `source_prompt` says what the picture shows; it is inverted with it, and `away` is how far the
    picture's description takes the negative prompt's place. `subject` are words of the prompt: only their
    structure is kept, foreground and background attended separately, where `source_subject` are those of
    the source prompt. `inversion_steps` of None are as many as `steps`; the authors' code takes 999.
    """

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    mask: Mask | None = param(None, N_("Operations", "Area"))
    structure: float = param(
        0.8,
        N_("Operations", "Structure"),
        help=N_("Operations", "How much of the picture's outlines and layout is kept"),
        min=0,
        max=1,
        step=0.05,
    )
    appearance: float = param(
        1.0,
        N_("Operations", "Appearance"),
        help=N_("Operations", "How much of the look comes from the text; 0 keeps the picture"),
        min=0,
        max=1,
        step=0.05,
    )
    way: str = param(
        "plug-and-play",
        N_("Operations", "Way"),
        help=N_("Operations", "How the structure comes from the picture"),
        choices=TRANSLATIONS,
        advanced=True,
    )
    source_prompt: str = param(
        "",
        N_("Operations", "Source prompt"),
        help=N_("Operations", "What the picture shows; may be left out"),
        most=LONGEST_PROMPT,
        multiline=True,
        advanced=True,
    )
    away: float = param(
        0.0,
        N_("Operations", "Away from the source"),
        help=N_("Operations", "How strongly the result avoids what the source prompt says"),
        min=0,
        max=1,
        step=0.05,
        advanced=True,
    )
    subject: str = param(
        "",
        N_("Operations", "Subject"),
        help=N_("Operations", "Words of the prompt: only their structure is kept"),
        most=1000,
        advanced=True,
    )
    source_subject: str = param(
        "",
        N_("Operations", "Subject of the source"),
        help=N_("Operations", "Words of the source prompt that stand for it, where they are others"),
        most=1000,
        advanced=True,
    )
    inversion_steps: int | None = param(
        None,
        N_("Operations", "Steps of the inversion"),
        help=N_("Operations", "As many as steps where left open; 999 as the authors had it"),
        min=1,
        max=999,
        advanced=True,
    )
    restart: bool = param(
        False,
        N_("Operations", "Restart"),
        help=N_("Operations", "One copy only: go back into the noise once, which mends mistakes"),
        advanced=True,
    )
    kept_mib: int = param(
        1024,
        N_("Operations", "Memory for features (MiB)"),
        help=N_("Operations", "What is kept of the picture, so that another text costs half"),
        min=0,
        max=MOST_KEPT_MIB,
        advanced=True,
    )
    sampler: str | None = param("ddim", N_("Operations", "Sampler"), choices=("ddim",), hidden=True)
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, hidden=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, hidden=True)

    @property
    def is_drawn(self) -> bool:
        return self.way != "plug-and-play"  # which inverts the picture

    @property
    def kept_bytes(self) -> int:
        """What may be kept of the picture."""
        return self.kept_mib * 2**20


@dataclass(frozen=True, kw_only=True)
class See(SamplingParameters):
    """What the model sees in a picture at `looks` noise levels of a run, from noise to data."""

    image: Picture = param(REQUIRED, N_("Operations", "Picture"))
    looks: int = param(
        6,
        N_("Operations", "Steps to look at"),
        help=N_("Operations", "At how many noise levels of the run the picture is looked at"),
        min=1,
        max=50,
    )
    sampler: str | None = param("ddim", N_("Operations", "Sampler"), choices=("ddim",), hidden=True)
    width: int | None = param(None, N_("Operations", "Width"), min=8, max=4096, hidden=True)
    height: int | None = param(None, N_("Operations", "Height"), min=8, max=4096, hidden=True)


MOST_LEARNING_STEPS = 20_000
LEARNING_METHODS = ("naive", "learned", "picture", "pair")
FROM_WORDS = LEARNING_METHODS[:2]
LEARNED_FROM = {"picture": 1, "pair": 2}
"""How many pictures these methods of learning take."""


@dataclass(frozen=True, kw_only=True)
class LearnDelta(Parameters):
    """An attribute's direction from the prompts of a definition (arXiv:2403.17064).

    "naive" compares embeddings and takes moments; "learned" optimises the direction until it moves pictures
    as the prompts do. Everything but `definition` and `method` is for "learned". A micro-step compares
    `scales` random positions of the slider at `batch` noisy latents; an update follows the mean gradient of
    `accumulation` of them. `points` are the noise levels at which one trajectory is looked at: 1 samples a
    new one for each micro-step, as published; more cost fewer evaluations. They are drawn from the noisiest
    `noisy_share` of the steps, which decide the picture. With `warm_start` it begins at the naive direction;
    weight decay draws back to where it began. "picture" and "pair" learn from one of `images`, or from two,
    before and after, and from a prompt that says what they show: without trajectories and scales.
    """

    definition: DefinitionFile = param(REQUIRED, N_("Operations", "Definition"))
    method: str = param("naive", N_("Operations", "Method"), choices=LEARNING_METHODS)
    images: tuple[Picture, ...] = param(
        (),
        N_("Operations", "Pictures"),
        help=N_("Operations", "One to learn from, or two: before and after"),
        most=2,
    )
    picture_prompt: str = param(
        "",
        N_("Operations", "What the pictures show"),
        help=N_("Operations", "Usually the definition's first prompt"),
        most=LONGEST_PROMPT,
    )
    whole_prompt: bool = param(
        False,
        N_("Operations", "On the whole prompt"),
        help=N_("Operations", "The direction is added to every word, not to the subject alone"),
        absent=False,
        advanced=True,
    )
    preset: str = param(
        DEFAULT_PRESET,
        N_("Operations", "Preset"),
        help=N_("Operations", "Schedule, steps × accumulation of a run that is known to work"),
        choices=tuple(PRESETS),
    )
    steps: int | None = param(
        None,
        N_("Operations", "Steps"),
        help=N_("Operations", "How often the direction is changed"),
        min=1,
        max=MOST_LEARNING_STEPS,
    )
    accumulation: int | None = param(
        None,
        N_("Operations", "Accumulation"),
        help=N_("Operations", "Micro-steps for each change"),
        min=1,
        max=1000,
        advanced=True,
    )
    schedule: str | None = param(
        None, N_("Operations", "Learning rate over time"), choices=SCHEDULES, advanced=True
    )
    batch: int = param(1, N_("Operations", "Batch"), min=1, max=64, advanced=True)
    learning_rate: float = param(0.02, N_("Operations", "Learning rate"), min=0, max=1000, advanced=True)
    final_learning_rate: float = param(
        0.0,
        N_("Operations", "Final learning rate"),
        help=N_("Operations", "Where the cosine ends"),
        min=0,
        max=1000,
        advanced=True,
    )
    weight_decay: float = param(
        0.333,
        N_("Operations", "Weight decay"),
        help=N_("Operations", "How strongly the direction is drawn back to where it began"),
        min=0,
        max=1000,
        advanced=True,
    )
    scales: int = param(4, N_("Operations", "Scales in a micro-step"), min=1, max=64, advanced=True)
    smallest_scale: float = param(
        0.1, N_("Operations", "Smallest scale"), min=0, max=MOST_CHANGE, advanced=True
    )
    largest_scale: float | None = param(
        None,
        N_("Operations", "Largest scale"),
        help=N_("Operations", "The slider's position up to which the direction is learnt; usually its end"),
        min=0,
        max=MOST_CHANGE,
        advanced=True,
    )
    warm_start: bool = param(
        True,
        N_("Operations", "Start from the words"),
        help=N_("Operations", "Learning begins with the direction that the words alone give"),
        absent=False,
        advanced=True,
    )
    noisy_share: float = param(
        0.4,
        N_("Operations", "Share of the noisy steps"),
        help=N_("Operations", "The direction is learnt at the noisiest steps, which decide the picture"),
        min=0,
        max=1,
        absent=1.0,
        advanced=True,
    )
    points: int = param(
        20,
        N_("Operations", "Points of a trajectory"),
        help=N_("Operations", "At how many noise levels one sampled picture is used"),
        min=1,
        max=999,
        advanced=True,
    )
    sampling_steps: int = param(50, N_("Operations", "Sampling steps"), min=1, max=999, advanced=True)
    guidance_scale: float = param(7.5, N_("Operations", "Guidance scale"), min=0, max=50, advanced=True)
    t5: bool = param(True, N_("Operations", "Learn the part for T5 as well"), advanced=True)
    low_memory: bool = param(
        False,
        N_("Operations", "Low memory"),
        help=N_("Operations", "Slower; computes again what it would otherwise keep"),
    )
    seed: int = param(0, N_("Operations", "Seed"), min=0, max=2**32 - 1)


_WORDS = {"definition", "method"}
_PICTURES = {"images", "picture_prompt", "whole_prompt"}
_TRAJECTORIES = {
    *("batch", "scales", "smallest_scale", "largest_scale", "warm_start", "noisy_share", "points"),
    "guidance_scale",
}


def read_by(method: str) -> frozenset[str]:
    """The parameters of `LearnDelta` that a method of learning reads."""
    every = {item.name for item in LearnDelta.declared()}
    if method == "naive":
        return frozenset(_WORDS)
    return frozenset(every - (_TRAJECTORIES if method in LEARNED_FROM else _PICTURES))


MOST_PHOTOS = 20
MOST_CONCEPT_SAMPLES = 20_000


@dataclass(frozen=True, kw_only=True)
class PhotosOfConcept(Parameters):
    """Photos of one thing, person or style, and the word that it is a kind of.

    `crops` are squares of the photos as (x, y, side): the middle as shares of width and height, and the side
    as a share of the shorter one. Left out, they are suggested from where the model sees the kind.
    """

    images: tuple[Picture, ...] = param(
        REQUIRED,
        N_("Operations", "Photos"),
        help=N_("Operations", "Three to five of one subject, from different sides and places"),
        most=MOST_PHOTOS,
    )
    initialise_from: str = param(
        REQUIRED,
        N_("Operations", "A kind of"),
        help=N_("Operations", "The word for what it is, such as cat; learning begins there"),
        most=200,
    )
    template: str = param(
        "object",
        N_("Operations", "It is"),
        help=N_("Operations", "Decides the sentences that it is learnt in"),
        choices=("object", "person", "style"),
    )
    crops: tuple[tuple[float, float, float], ...] = param(
        (), N_("Operations", "Parts of the photos"), most=MOST_PHOTOS, min=0, max=1, hidden=True
    )


@dataclass(frozen=True, kw_only=True)
class JudgePhotos(PhotosOfConcept):
    """What would help before a concept is learnt; `detector` as in `Score`."""

    detector: str = param("", N_("Operations", "Detection model"), hidden=True)


@dataclass(frozen=True, kw_only=True)
class LearnConcept(PhotosOfConcept):
    """A word for what photos show by textual inversion, directional (arXiv:2512.13672) or plain (2208.01618).

    An update follows the mean gradient of `accumulation` noise levels with `batch` pictures each. `samples`
    is how many noisy pictures are looked at in all, those of the held-out loss included; learning stops
    before, when that loss no longer falls.
    """

    token: str = param(
        REQUIRED,
        N_("Operations", "Name"),
        help=N_("Operations", "The word for prompts, in angle brackets, such as <my-cat>"),
        most=64,
    )
    method: str = param("directional", N_("Operations", "Method"), choices=("directional", "plain"))
    vectors: int = param(
        2,
        N_("Operations", "Vectors"),
        help=N_("Operations", "More hold finer things, and take more places of a prompt"),
        min=1,
        max=8,
    )
    samples: int = param(
        1600,
        N_("Operations", "Samples"),
        help=N_("Operations", "How many noisy pictures are looked at, at most"),
        min=8,
        max=MOST_CONCEPT_SAMPLES,
    )
    batch: int = param(2, N_("Operations", "Batch"), min=1, max=16, advanced=True)
    accumulation: int = param(
        4,
        N_("Operations", "Accumulation"),
        help=N_("Operations", "Noise levels for each change"),
        min=1,
        max=64,
        advanced=True,
    )
    learning_rate: float | None = param(
        None,
        N_("Operations", "Learning rate"),
        help=N_("Operations", "Directional: the angle of a change. Plain: for rows of CLIP's usual length"),
        min=0,
        max=10,
        advanced=True,
    )
    flip: bool = param(
        True,
        N_("Operations", "Mirror as well"),
        help=N_("Operations", "Not for what has writing, or two different sides"),
    )
    stop_early: bool = param(
        True,
        N_("Operations", "Stop when it gets no better"),
        help=N_("Operations", "When the loss on held-out noise no longer falls"),
    )
    low_memory: bool = param(
        False,
        N_("Operations", "Low memory"),
        help=N_("Operations", "Slower; computes again what it would otherwise keep"),
    )
    seed: int = param(0, N_("Operations", "Seed"), min=0, max=2**32 - 1)


FILL = "inference.filling:"
DEFAULTS, DELTAS, STEP, SOURCE, PRESET, CONCEPTS, HOLE, ENLARGED = (
    FILL + name
    for name in (
        "model_defaults",
        "deltas",
        "chosen_step",
        "source",
        "preset",
        "concepts",
        "hole",
        "enlargement",
    )
)
INSERTION = "inference.methods.prompt_to_prompt.presets:insertion"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One declared method.

    Args:
        name: the subcommand and the key in files.
        parameters: the class that declares what may be set.
        method: dotted name "package.module:function", resolved in the worker, never here.
        families: families that it works on.
        fills: dotted names of what completes the parameters before a run, in this order; see
            `inference.filling`.
        editable: names of parameters that may be changed in a finished layer's recipe to make it again;
            "edits" lets its subjects have sliders.
        sweep: the operation that draws several positions of one slider at once, if there is one.
        pictures_of: the operation whose pictures it gives while no attribute is shifted; itself by default.
        paper: where the method is described.
        artifact: what it makes instead of pictures, a key of `Output.artifacts`; "" for pictures.
        interactive: whether window and command line offer it.
        panel: the panel of its own in the window; "" is the one that shows any operation.
        takes_selection: what is selected in the window is its mask, unless another is chosen.
        enlarges: its result is larger than its picture, which it sees as it is; its width and height are a
            tile's. In the window the result is a document of its own.
        amount: the parameter, a number or "edits", that says how much is changed: 0 changes nothing. What
            scales a whole recipe scales it; without one the result is mixed with the picture.
        neutral: values with which it changes nothing, for tests beside `effective`, with which it does.
    """

    name: str
    label: str
    parameters: type[Parameters]
    method: str
    families: frozenset[Family] = frozenset(Family)
    fills: tuple[str, ...] = (DEFAULTS, CONCEPTS)
    editable: frozenset[str] = frozenset()
    sweep: str = ""
    pictures_of: str = ""
    paper: str = ""
    artifact: str = ""
    interactive: bool = True
    panel: str = ""
    takes_selection: bool = False
    enlarges: bool = False
    amount: str = ""
    neutral: Mapping[str, Any] = field(default_factory=dict[str, Any])
    effective: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def picture(self) -> ParameterField | None:
        """The picture that the result has the size of, or many times its size: the first one declared."""
        return next((item for item in self.parameters.declared() if item.type is Picture), None)


# what the examples are about, and the kinds of changes that every sampled layer takes
EXAMPLE_PROMPT = "a photo of a man and a woman"
_MAN, _WOMAN = (13, 16), (23, 28)
_UNCHANGED = SubjectEdit(start=_MAN[0], end=_MAN[1], attribute="age", value=0.0)
_OLDER = SubjectEdit(start=_MAN[0], end=_MAN[1], attribute="age", value=1.5)
_BOTH = tuple(RefineSubject(start=start, end=end) for start, end in (_MAN, _WOMAN))
_SAMPLED = frozenset({"prompt", "negative_prompt", "weighted", "seed", "steps", "guidance_scale"})

_TO_A_WOMAN: Mapping[str, Any] = {"source_prompt": "a photo of a man and a man"}

_A_TOY: Mapping[str, Any] = {
    "token": "<toy>",
    "initialise_from": "cat",
    "crops": ((0.5, 0.5, 1.0),),
    "samples": 8,
    "accumulation": 1,
}
_SHORT: Mapping[str, Any] = {"steps": 1, "accumulation": 2, "scales": 2, "sampling_steps": 2, "points": 1}

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            name="generate",
            label=N_("Operations", "Generate"),
            parameters=Generate,
            method="inference.methods.generate:generate",
            editable=_SAMPLED | {"edits"},
            sweep="attribute-sweep",
            paper="arXiv:2010.02502",
            panel="new-picture",
        ),
        Operation(
            name="attribute",
            label=N_("Operations", "Change attributes"),
            parameters=Attribute,
            method="inference.methods.attribute_control:attribute",
            fills=(DEFAULTS, CONCEPTS, DELTAS),
            editable=_SAMPLED | {"edits", "delay"},
            sweep="attribute-sweep",
            pictures_of="generate",
            paper="arXiv:2403.17064",
            panel="subjects",
            neutral={"edits": (_UNCHANGED,)},
            effective={"edits": (_OLDER,)},
        ),
        Operation(
            name="attribute-sweep",
            label=N_("Operations", "Sweep an attribute"),
            parameters=AttributeSweep,
            method="inference.methods.attribute_control:sweep",
            fills=(DEFAULTS, CONCEPTS, DELTAS),
            pictures_of="generate",
            paper="arXiv:2403.17064",
            interactive=False,
            neutral={"edits": (_OLDER,), "positions": (0.0,)},
            effective={"edits": (_UNCHANGED,), "positions": (-1.0, 0.0, 1.0)},
        ),
        Operation(
            name="refine",
            label=N_("Operations", "Refine"),
            parameters=Refine,
            method="inference.methods.gsn.refine:refine",
            fills=(DEFAULTS, CONCEPTS, STEP, DELTAS),
            editable=_SAMPLED | {"edits", "delay"},
            paper="arXiv:2504.17525",
            panel="refine",
            neutral={"method": "ours", "subjects": _BOTH, "updates": 0, "edits": (_UNCHANGED,)},
            effective={
                "method": "ours+",
                "subjects": _BOTH,
                "updates": 2,
                "guidance_end": 2,
                "edits": (_OLDER,),
            },
        ),
        Operation(
            name="refine-trial",
            label=N_("Operations", "Try a refinement"),
            parameters=RefineTrial,
            method="inference.methods.refine_trial:refine_trial",
            fills=(DEFAULTS, CONCEPTS, STEP, DELTAS),
            paper="arXiv:2504.17525",
            interactive=False,
            neutral={"method": "ours", "subjects": _BOTH, "updates": 0, "detector": "stand-in"},
            effective={
                "method": "ours+",
                "subjects": _BOTH,
                "updates": 2,
                "guidance_end": 2,
                "detector": "stand-in",
            },
        ),
        Operation(
            name="score",
            label=N_("Operations", "Score"),
            parameters=Score,
            method="inference.methods.score:score",
            fills=(CONCEPTS,),
            paper="arXiv:2307.05134",
            interactive=False,
            neutral={"subjects": _BOTH, "detector": "stand-in"},
            effective={"subjects": _BOTH, "detector": "stand-in"},
        ),
        Operation(
            name="redraw",
            label=N_("Operations", "Redraw"),
            parameters=Redraw,
            method="inference.methods.redraw:redraw",
            editable=_SAMPLED | {"strength"},
            paper="arXiv:2108.01073",
            amount="strength",
            neutral={"strength": 0.0},
            effective={"strength": 0.5},
        ),
        Operation(
            name="fill",
            label=N_("Operations", "Fill"),
            parameters=Fill,
            method="inference.methods.fill.fill:fill",
            fills=(HOLE, DEFAULTS, CONCEPTS),
            editable=_SAMPLED | {"strength"},
            paper="arXiv:2206.02779",
            takes_selection=True,
            neutral={"strength": 0.0},
            effective={"strength": 1.0},
        ),
        Operation(
            name="enlarge",
            label=N_("Operations", "Enlarge"),
            parameters=Enlarge,
            method="inference.methods.enlarge.enlarge:enlarge",
            fills=(ENLARGED, DEFAULTS, CONCEPTS),
            editable=_SAMPLED | {"strength"},
            paper="arXiv:2302.08113",
            enlarges=True,
            amount="strength",
            neutral={"strength": 0.0, "factor": 1.0},
            effective={"strength": 0.5, "factor": 1.5},
        ),
        Operation(
            name="translate",
            label=N_("Operations", "Translate"),
            parameters=Translate,
            method="inference.methods.plug_and_play.translate:translate",
            fills=(SOURCE, DEFAULTS, CONCEPTS),
            editable=_SAMPLED
            | {
                "structure",
                "appearance",
                "way",
                "source_prompt",
                "away",
                "subject",
                "source_subject",
                "restart",
            },
            panel="translate",
            paper="arXiv:2211.12572",
            neutral={"appearance": 0.0},
            effective={"way": "no-inversion", "guidance_scale": 3.0},
        ),
        Operation(
            name="see",
            label=N_("Operations", "What the model sees"),
            parameters=See,
            method="inference.methods.plug_and_play.components:see",
            paper="arXiv:2211.12572",
            interactive=False,
        ),
        Operation(
            name="edit",
            label=N_("Operations", "Attributes on a picture"),
            parameters=Edit,
            method="inference.methods.edit:edit",
            fills=(SOURCE, DEFAULTS, CONCEPTS, DELTAS),
            editable=_SAMPLED | {"edits", "delay"},
            sweep="edit-sweep",
            panel="subjects",
            amount="edits",
            paper="arXiv:2310.01506",
            neutral={"edits": (_UNCHANGED,)},
            # the one whose seed decides something
            effective={"edits": (_OLDER,), "inversion": "edit-friendly"},
        ),
        Operation(
            name="edit-sweep",
            label=N_("Operations", "Sweep an attribute of a picture"),
            parameters=EditSweep,
            method="inference.methods.edit:sweep",
            fills=(SOURCE, DEFAULTS, CONCEPTS, DELTAS),
            pictures_of="edit",
            paper="arXiv:2310.01506",
            interactive=False,
            neutral={"edits": (_OLDER,), "positions": (0.0,)},
            effective={
                "edits": (_UNCHANGED,),
                "positions": (-1.0, 0.0, 1.0),
                "inversion": "edit-friendly",
            },
        ),
        Operation(
            name="insert",
            label=N_("Operations", "Insert"),
            parameters=Insert,
            method="inference.methods.insert:insert",
            fills=(SOURCE, INSERTION, DEFAULTS, CONCEPTS),
            editable=_SAMPLED | {"strength"},
            sweep="insert-sweep",
            panel="insert",
            amount="strength",
            paper="arXiv:2503.02187",
            neutral={**_TO_A_WOMAN, "strength": 0.0},
            # the one whose seed decides something
            effective={**_TO_A_WOMAN, "loop": "edit-friendly"},
        ),
        Operation(
            name="insert-sweep",
            label=N_("Operations", "Strengths of a change"),
            parameters=InsertSweep,
            method="inference.methods.insert:sweep",
            fills=(SOURCE, INSERTION, DEFAULTS, CONCEPTS),
            pictures_of="insert",
            paper="arXiv:2503.02187",
            interactive=False,
            neutral={**_TO_A_WOMAN, "positions": (0.0,)},
            effective={**_TO_A_WOMAN, "positions": (0.0, 0.5, 1.0), "loop": "edit-friendly"},
        ),
        Operation(
            name="learn-delta",
            label=N_("Operations", "Learn an attribute's direction"),
            parameters=LearnDelta,
            method="inference.methods.learning.learn_delta:learn_delta",
            fills=(PRESET,),
            paper="arXiv:2403.17064",
            artifact="delta",
            panel="teach",
            neutral={"method": "learned", **_SHORT, "learning_rate": 0.0},
            effective={"method": "learned", **_SHORT},
        ),
        Operation(
            name="learn-concept",
            label=N_("Operations", "Learn a concept"),
            parameters=LearnConcept,
            method="inference.methods.concepts.learn_concept:learn_concept",
            fills=(PRESET,),
            paper="arXiv:2512.13672",
            artifact="concept",
            panel="teach-concept",
            neutral={**_A_TOY, "learning_rate": 0.0},
            effective=_A_TOY,
        ),
        Operation(
            name="judge-photos",
            label=N_("Operations", "Look at photos"),
            parameters=JudgePhotos,
            method="inference.methods.concepts.judge_photos:judge_photos",
            fills=(),
            paper="arXiv:2208.01618",
            artifact="report",
            interactive=False,
            neutral={"initialise_from": "cat"},
            effective={"initialise_from": "cat"},
        ),
    )
}
