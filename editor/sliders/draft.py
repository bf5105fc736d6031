"""The sliders of a recipe: what there is, where it stands, and the changes that a user may ask for.

No jobs and no signals: a change is a new recipe and the text of its step in the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from PySide6.QtCore import QCoreApplication

from editor.layers.recipes import Recipe, Subject, with_edits, with_parameters
from editor.sliders.keyframes import SliderKey, key_of, positions, rounded, sampling_parameters
from editor.sliders.requests import with_prompt
from editor.sliders.spacing import Track, linear
from editor.words.wording import attribute_name, quoted, signed
from inference.concepts.concept import Concept
from inference.concepts.standing import concepts_of, in_plain_words
from inference.content import ConceptFile
from inference.errors import EditorError
from inference.messages import Message, listed
from inference.operations import Attribute, EditedParameters, SubjectEdit

KEYFRAMES = 9

translate = QCoreApplication.translate


@dataclass(frozen=True, kw_only=True)
class AttributeInfo:
    """An attribute that the library has for a subject."""

    attribute: str
    label: str
    minimum: float = -2.0
    maximum: float = 2.0


class AttributeSource(Protocol):
    """Answers which attributes a model's subject has; the application asks its delta library."""

    def __call__(self, model: str, subject: str) -> tuple[AttributeInfo, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Slider:
    """One attribute of one subject, as the panel shows it; `subject` counts the recipe's subjects."""

    subject: int
    attribute: str
    label: str
    value: float
    minimum: float = -2.0
    maximum: float = 2.0
    linked: bool = False


class Change(NamedTuple):
    """A recipe as the user wants it, and how the history calls the step."""

    recipe: Recipe
    text: str


class SliderDraft:
    """A recipe under change. Methods named as participles give a `Change` and leave the draft as it is."""

    def __init__(self, recipe: Recipe, attributes: AttributeSource) -> None:
        self.recipe = recipe
        self.linked: set[str] = set()
        self.tracks: dict[SliderKey, Track] = {}  # as far as they are measured
        self._attributes = attributes
        self._concepts: tuple[tuple[ConceptFile, ...], tuple[Concept, ...]] = ((), ())  # named, and read

    @property
    def model(self) -> str:
        return self.recipe.request.model

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return self.recipe.subjects

    @property
    def delay(self) -> float:
        parameters = self.recipe.request.parameters
        return parameters.delay if isinstance(parameters, EditedParameters) else Attribute().delay

    @property
    def only_subject(self) -> bool:
        parameters = self.recipe.request.parameters
        return (parameters if isinstance(parameters, EditedParameters) else Attribute()).only_subject

    @property
    def seed(self) -> int:
        return sampling_parameters(self.recipe.request).seed

    @property
    def keys(self) -> tuple[SliderKey, ...]:
        return tuple(key_of(edit) for edit in self.recipe.edits)

    def sliders(self) -> tuple[Slider, ...]:
        """By subject, and then in the order in which they were added."""
        made = [self._slider(edit) for edit in self.recipe.edits]
        return tuple(sorted((item for item in made if item is not None), key=lambda item: item.subject))

    def available(self, subject_index: int) -> tuple[AttributeInfo, ...]:
        """What the library has for a subject and that has no slider yet."""
        subject = self.subjects[subject_index]
        taken = {key.attribute for key in self.keys if (key.start, key.end) == subject.span}
        known = self._known_of(subject.text)
        return tuple(info for info in known if info.attribute not in taken)

    def key(self, subject_index: int, attribute: str) -> SliderKey:
        return SliderKey(*self.subjects[subject_index].span, attribute)

    def subject_index(self, key: SliderKey) -> int | None:
        spans = [subject.span for subject in self.subjects]
        return spans.index((key.start, key.end)) if (key.start, key.end) in spans else None

    def value(self, key: SliderKey) -> float:
        return next((edit.value for edit in self.recipe.edits if key_of(edit) == key), 0.0)

    def track(self, key: SliderKey) -> Track:
        """From a slider's values to places along it; linear over all values until it is measured."""
        info = self._info(key)
        return self.tracks.get(key) or linear(info.minimum, info.maximum)

    def take_tracks(self) -> None:
        """Those that are kept with the recipe: it is of another picture, or was opened."""
        kept = self.recipe.tracks.of(self.recipe.origin)
        self.tracks = {SliderKey(*key): track for key, track in kept.items()}

    def keep_track(self, key: SliderKey, track: Track) -> None:
        """A slider's track was measured; the recipe, and so the document's next file, keeps it."""
        self.tracks[key] = track
        kept = {(one.start, one.end, one.attribute): found for one, found in self.tracks.items()}
        self.recipe.tracks.keep(self.recipe.origin, kept)

    def forget_tracks(self) -> None:
        """What they were measured on is no longer what the sliders give."""
        self.tracks = {}
        self.recipe.tracks.keep(self.recipe.origin, {})

    def positions(self, key: SliderKey) -> tuple[float, ...]:
        """The keyframe positions of a slider, nine as a rule."""
        measured = self.tracks.get(key)
        return self.even_positions(key) if measured is None else measured.positions(KEYFRAMES)

    def even_positions(self, key: SliderKey) -> tuple[float, ...]:
        """Nine positions at even values, whose pictures the track is measured on."""
        info = self._info(key)
        return positions(info.minimum, info.maximum, KEYFRAMES)

    def linked_with(self, key: SliderKey) -> tuple[SliderKey, ...]:
        """The sliders that move with this one, itself first."""
        if key.attribute not in self.linked:
            return (key,)
        return (key, *(other for other in self.keys if other != key and other.attribute == key.attribute))

    def move(self, values: Mapping[SliderKey, float]) -> None:
        """Put sliders to values, each held within its range."""
        held = {key: self._within_range(key, value) for key, value in values.items()}
        edits = tuple(replace(edit, value=held.get(key_of(edit), edit.value)) for edit in self.recipe.edits)
        self.recipe = with_edits(self.recipe, edits)

    def toggled(self, start: int, end: int) -> Change:
        """The characters [start, end) as a subject, or no longer one; its sliders go with it."""
        word = quoted(self.recipe.prompt[start:end])
        if self.recipe.subject_at(start, end) is None:
            colour = _free_colour(self.subjects)
            added = Subject(start=start, end=end, text=self.recipe.prompt[start:end], colour_index=colour)
            subjects = tuple(sorted((*self.subjects, added), key=lambda item: item.start))
            text = translate("AttributeSession", "Choose {word} as a subject")
            return Change(replace(self.recipe, subjects=subjects), text.format(word=word))
        subjects = tuple(item for item in self.subjects if item.span != (start, end))
        edits = tuple(edit for edit in self.recipe.edits if (edit.start, edit.end) != (start, end))
        text = translate("AttributeSession", "Release {word}")
        return Change(with_edits(replace(self.recipe, subjects=subjects), edits), text.format(word=word))

    def added(self, subject_index: int, attribute: str) -> Change:
        """A new slider at zero.

        Raises:
            EditorError: the library has no such attribute for the subject; names those it has.
        """
        subject = self.subjects[subject_index]
        names = [info.attribute for info in self._known_of(subject.text)]
        if attribute not in names:
            raise EditorError(
                "There is no attribute “{attribute}” for “{text}” on {model}.",
                Message("There are: {names}.", names=listed(names))
                if names
                else Message("Import a delta for it first."),
                attribute=attribute,
                text=subject.text,
                model=self.model,
            )
        edit = SubjectEdit(start=subject.start, end=subject.end, attribute=attribute, value=0.0)
        text = translate("AttributeSession", "Add {attribute} to {subject}")
        text = text.format(attribute=attribute_name(attribute), subject=quoted(subject.text))
        return Change(with_edits(self.recipe, (*self.recipe.edits, edit)), text)

    def removed(self, subject_index: int, attribute: str) -> Change:
        """A slider taken away, with its value."""
        key = self.key(subject_index, attribute)
        edits = tuple(edit for edit in self.recipe.edits if key_of(edit) != key)
        text = translate("AttributeSession", "Remove {attribute} from {subject}")
        subject = quoted(self.subjects[subject_index].text)
        text = text.format(attribute=attribute_name(attribute), subject=subject)
        return Change(with_edits(self.recipe, edits), text)

    def confined(self, on: bool) -> Change:
        """Whether everything outside of the edited subjects stays as it is."""
        recipe = with_parameters(with_edits(self.recipe, self.recipe.edits), only_subject=on)
        text = (
            translate("AttributeSession", "Change the subjects only")
            if on
            else translate("AttributeSession", "Let the edits change their surroundings")
        )
        return Change(recipe, text)

    def delayed(self, delay: float) -> Change:
        """Another delay, 0..1."""
        if not 0 <= delay <= 1:
            raise EditorError("Delay is {delay:g}: allowed is 0 to 1.", delay=delay)
        text = translate("AttributeSession", "Set delay to {value}").format(value=f"{delay:.2f}")
        return Change(with_edits(self.recipe, self.recipe.edits, delay=rounded(delay)), text)

    def seeded(self, seed: int) -> Change:
        text = translate("AttributeSession", "Set seed to {value}").format(value=seed)
        return Change(with_parameters(self.recipe, seed=seed), text)

    def reworded(self, prompt: str, seed: int) -> Change:
        """Another prompt; subjects that it still names keep their sliders."""
        if not prompt.strip():
            raise EditorError("The prompt is empty.", "Say in words what the picture shows.")
        text = translate("AttributeSession", "Change the prompt to {prompt}").format(prompt=quoted(prompt))
        return Change(with_prompt(self.recipe, prompt, seed), text)

    def zeroed(self, subject_index: int | None, attribute: str | None) -> Change:
        """One slider, one subject's sliders, or all, at zero."""
        span = self.subjects[subject_index].span if subject_index is not None else None

        def chosen(edit: SubjectEdit) -> bool:
            return (span is None or (edit.start, edit.end) == span) and attribute in (None, edit.attribute)

        edits = tuple(replace(edit, value=0.0) if chosen(edit) else edit for edit in self.recipe.edits)
        return Change(with_edits(self.recipe, edits), self._zeroed_text(subject_index, attribute))

    def moved_text(self, group: tuple[SliderKey, ...]) -> str:
        """How the history calls the end of a gesture: Set age of “man” to +0.64."""
        if not group:
            return translate("AttributeSession", "Change the delay")
        subject = " + ".join(quoted(self.recipe.prompt[key.start : key.end]) for key in group)
        text = translate("AttributeSession", "Set {attribute} of {subject} to {value}")
        first = group[0]
        name = attribute_name(first.attribute)
        return text.format(attribute=name, subject=subject, value=signed(self.value(first)))

    def _slider(self, edit: SubjectEdit) -> Slider | None:
        key = key_of(edit)
        index, info = self.subject_index(key), self._info(key)
        if index is None:
            return None
        return Slider(
            subject=index,
            attribute=edit.attribute,
            label=info.label,
            value=edit.value,
            minimum=info.minimum,
            maximum=info.maximum,
            linked=edit.attribute in self.linked,
        )

    def _known_of(self, words: str) -> tuple[AttributeInfo, ...]:
        """What the library has for a subject; a learnt word has what its kind has."""
        parameters = self.recipe.request.parameters
        named: tuple[ConceptFile, ...] = getattr(parameters, "concepts", ())
        if named != self._concepts[0]:
            self._concepts = (named, concepts_of(parameters, self.recipe.contents))
        return self._attributes(self.model, in_plain_words(words, self._concepts[1]))

    def _info(self, key: SliderKey) -> AttributeInfo:
        text = self.recipe.prompt[key.start : key.end]
        known = {info.attribute: info for info in self._known_of(text)}
        unknown = AttributeInfo(attribute=key.attribute, label=attribute_name(key.attribute).capitalize())
        return known.get(key.attribute, unknown)

    def _within_range(self, key: SliderKey, value: float) -> float:
        info = self._info(key)
        return rounded(min(max(value, info.minimum), info.maximum))

    def _zeroed_text(self, subject_index: int | None, attribute: str | None) -> str:
        if subject_index is None:
            return translate("AttributeSession", "Reset sliders")
        subject = quoted(self.subjects[subject_index].text)
        if attribute is None:
            return translate("AttributeSession", "Reset {subject}").format(subject=subject)
        text = translate("AttributeSession", "Reset {attribute} of {subject}")
        return text.format(attribute=attribute_name(attribute), subject=subject)


def _free_colour(subjects: tuple[Subject, ...]) -> int:
    taken = {subject.colour_index for subject in subjects}
    return next(index for index in range(len(taken) + 1) if index not in taken)
