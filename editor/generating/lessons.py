"""What a person says to teach an attribute, as the definition that it is learnt from."""

import re
import tomllib
from dataclasses import dataclass

from inference.definitions import (
    Definition,
    definition_from_bytes,
    definition_text,
    shipped_folder,
    subject_words,
)
from inference.errors import EditorError
from inference.prompts.words import words

USUAL_PREFIXES = ("{,a photo of,a portrait of} a",)
LONGEST = 200  # characters of a phrase
_AFTER_THE_NOUN = {
    *("with", "without", "in", "on", "at", "of", "under", "near", "next", "behind", "against", "from"),
    *("like", "wearing", "holding", "having", "made", "seen", "who", "that", "which"),
}
_OPEN_ENDED = re.compile(r"\w+(ing|ed) (in|on|at|with|by|of|to|from|like|as)\b")


def comes_after(words: str) -> bool:
    """Whether words describe a noun from behind: "with glasses", "wearing a hat", "covered in snow"."""
    given = words.casefold().split()
    return bool(given) and (given[0] in _AFTER_THE_NOUN or _OPEN_ENDED.match(words.casefold()) is not None)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """An attribute in words: of `subject` ("man, woman"), from `lower` ("rested") to `higher` ("tired")."""

    subject: str
    lower: str
    higher: str
    label: str = ""
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: bytes) -> "Lesson | None":
        """The lesson that has this definition; None for one that says more than a lesson can.

        Raises:
            EditorError: it is none.
        """
        definition = definition_from_bytes(content)
        ends = {
            (_before(pair.target, pair.negative), _before(pair.target, pair.positive))
            for pair in definition.pairs
        }
        lower, higher = ends.pop()
        if ends or not lower or not higher:
            return None
        prefixes = tuple(tomllib.loads(content.decode())["prefixes"])
        found = cls(
            subject=", ".join(dict.fromkeys(pair.target for pair in definition.pairs)),
            lower=lower,
            higher=higher,
            label="" if definition.label == higher.capitalize() else definition.label,
            prefixes=() if prefixes == USUAL_PREFIXES else prefixes,
        )
        return found if found._says(definition) else None

    def _says(self, definition: Definition) -> bool:
        """Whether it is all that a definition says: some have a range, or sentences with others beside."""
        try:
            return definition_from_bytes(self.definition()) == definition
        except EditorError:  # words that a lesson may not have
            return False

    def phrases(self) -> tuple[tuple[str, str], ...]:
        """What the model is shown, from the lower to the higher end, for each subject."""
        lower, higher = " ".join(self.lower.split()), " ".join(self.higher.split())
        return tuple((f"{lower} {one}", f"{higher} {one}") for one in self._subjects())

    def _subjects(self) -> list[str]:
        return [" ".join(one.split()) for one in re.split(r"[,;，、；]", self.subject) if one.strip()]

    def definition(self) -> bytes:
        """The definition as TOML.

        Raises:
            EditorError: words are missing, or both ends are the same.
        """
        subjects = self._subjects()
        lower, higher = " ".join(self.lower.split()), " ".join(self.higher.split())
        label = " ".join(self.label.split()) or higher.capitalize()
        if not subjects:
            raise EditorError(
                "The subject is missing.",
                "Name what the attribute belongs to, such as “{example}”.",
                example="man",
            )
        if not lower or not higher:
            raise EditorError(
                "A word for one end is missing.",
                "Say both, such as “{lower}” and “{higher}”.",
                lower="rested",
                higher="tired",
            )
        for given in (lower, higher):
            if comes_after(given):
                raise EditorError(
                    "“{words}” would stand after “{subject}”, but the words are put before it.",
                    "Say it as one would before the noun: “bearded”, not “with a beard”.",
                    words=given,
                    subject=subjects[0],
                )
        if lower.casefold() == higher.casefold():
            raise EditorError("Both ends are “{word}”.", "Choose words that differ.", word=lower)
        if max(map(len, (*subjects, lower, higher, label, *self.prefixes))) > LONGEST:
            raise EditorError("That is too long.", "A few words are enough.")
        kind, known = _kind_of(subjects)
        content = definition_text(
            attribute=_attribute(label),
            label=label,
            subject=kind,
            subjects=() if known else tuple(one.casefold() for one in subjects),
            prefixes=[one for one in self.prefixes if one.strip()] or USUAL_PREFIXES,
            pairs=[(one, f"{higher} {one}", f"{lower} {one}") for one in subjects],
        ).encode()
        definition_from_bytes(content)  # what is wrong with it is told now
        return content


def _before(target: str, phrase: str) -> str:
    """What stands before the subject in a phrase; "" where it does not end in the subject."""
    words = phrase.removesuffix(f" {target}")
    return words if words != phrase else ""


def _kind_of(subjects: list[str]) -> tuple[str, bool]:
    """The kind that all of the words are of, such as "person", and True; else the first word."""
    nouns = {one.casefold().split()[-1] for one in subjects}
    for kind, known in subject_words(shipped_folder()).items():
        if nouns <= set(known):
            return kind, True
    return subjects[0].casefold().split()[-1], False


def _attribute(label: str) -> str:
    """ "Very tired!" → "very-tired": what the command line and files call it."""
    return "-".join(word.text.casefold() for word in words(label)) or label.casefold()
