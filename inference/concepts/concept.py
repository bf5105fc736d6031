"""A concept: a learnt word, its vectors for each text encoder, and what is known of it. Free of torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import EditorError
from inference.messages import Message, listed

MOST_LEARNT = 8  # vectors that are learnt
MOST_VECTORS = 75  # that fit a CLIP's prompt; other programs fill it
LARGEST_NUMBER = 1e4  # rows of token tables are below 1; those of runs that went wrong reach 20 and more
TEMPLATES: Final = ("object", "person", "style")


@dataclass(frozen=True, eq=False, kw_only=True)
class Concept:
    """See the module's text.

    Args:
        word: as it is written in prompts, "<my-cat>".
        vectors: per encoder ("clip_l", "clip_g", "clip_h", "t5") the rows of its token table that stand for
            the word, float32 [n, width], n the same for all.
        kind: the word that it is a kind of, and was begun from: "cat"; "" if that is not known.
        template: what it was learnt as, one of `TEMPLATES`; "" if that is not known.
        model, model_hash, family: what it was learnt for; "" if that is not known.
        picture: a small picture of it as JPEG or PNG; b"" if there is none.

    Raises:
        EditorError: the vectors cannot be used; the message says why.
    """

    word: str
    vectors: Mapping[str, NDArray[np.float32]]
    kind: str = ""
    template: str = ""
    model: str = ""
    model_hash: str = ""
    family: str = ""
    licence: str = ""
    picture: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not self.vectors:
            raise _unusable(self.word, Message("it has no vectors"))
        for encoder, rows in self.vectors.items():
            problem = _problem(encoder, rows)
            if problem is not None:
                raise _unusable(self.word, problem)
        if not any(rows.any() for rows in self.vectors.values()):
            raise _unusable(self.word, Message("its vectors are all zero"))
        counts = {encoder: len(rows) for encoder, rows in self.vectors.items()}
        if len(set(counts.values())) > 1:
            raise _unusable(
                self.word,
                Message(
                    "it has different numbers of vectors for its encoders ({counts})",
                    counts=listed(f"{name} {count}" for name, count in counts.items()),
                ),
            )

    @property
    def count(self) -> int:
        """How many vectors, and so token places of a prompt, it has."""
        return len(next(iter(self.vectors.values())))

    @property
    def widths(self) -> dict[str, int]:
        return {encoder: int(rows.shape[1]) for encoder, rows in self.vectors.items()}

    def called(self, word: str) -> "Concept":
        """The same with another word."""
        return replace(self, word=word)

    def refuse_family(self, model: str, family: str) -> None:
        """Say so if it was learnt for another family than a model's.

        Raises:
            EditorError: as said.
        """
        if self.family and self.family != family:
            raise EditorError(
                "“{word}” was learnt for {given}, and {model} is {family}.",
                "Choose a model of {given}, or learn it again with this one.",
                word=self.word,
                given=self.family.upper(),
                model=model,
                family=family.upper(),
            )

    def refuse_misfit(self, model: str, family: str, sandbox: bool, widths: Mapping[str, int]) -> None:
        """Say so if a model cannot use it; `widths` are those of the model's encoders.

        A model of photos reads what was learnt for any other of its family; one of the built-in models, whose
        encoder is its own, reads its own alone.

        Raises:
            EditorError: as said.
        """
        self.refuse_family(model, family)
        wrong = {name: width for name, width in self.widths.items() if widths.get(name, width) != width}
        if wrong or not set(self.widths) & set(widths) or (sandbox and self.model not in ("", model)):
            raise EditorError(
                "“{word}” ({given}) does not fit {model}, which takes {taken}.",
                "Choose a concept that was learnt for this model's family.",
                word=self.word,
                given=_widths_text(self.widths),
                model=model,
                taken=_widths_text(widths),
            )


def _problem(encoder: str, rows: NDArray[np.float32]) -> Message | None:
    if rows.ndim != 2 or 0 in rows.shape or rows.dtype != np.float32:
        return Message(
            "its part for {encoder} has the shape {shape}, not vectors side by side",
            encoder=encoder,
            shape=" × ".join(map(str, rows.shape)) or "1",
        )
    if len(rows) > MOST_VECTORS:
        return Message(
            "it has {count} vectors, and a prompt takes {most}", count=len(rows), most=MOST_VECTORS
        )
    if not np.isfinite(rows).all():
        return Message("its part for {encoder} holds numbers that are not finite", encoder=encoder)
    if float(np.abs(rows).max()) > LARGEST_NUMBER:
        return Message("its part for {encoder} holds numbers beyond all measure", encoder=encoder)
    return None


def _unusable(word: str, reason: Message) -> EditorError:
    return EditorError(
        "The concept “{word}” cannot be used: {reason}.", "Choose another file.", word=word, reason=reason
    )


def _widths_text(widths: Mapping[str, int]) -> Message:
    return listed(f"{encoder} {width}" for encoder, width in widths.items())
