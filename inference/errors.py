"""Errors that may cross a layer: one for the user's eyes, one for a cancelled job."""

from typing import Any, LiteralString, Self

from inference.messages import Message


class EditorError(Exception):
    """What went wrong and what to do about it, in words that the user may read.

    ``message`` names the value that was given and what is allowed; ``hint`` says what to do. Both are
    literals with named gaps, and ``values`` fills them, so that the window can translate the sentence:

        EditorError("“{name}” has {count} layers.", "Merge some of {name}.", name=name, count=count)

    An error about another one hands that one's `sentence`, `advice` or `whole` on. Every other exception is
    a defect of ours.
    """

    def __init__(
        self, message: LiteralString | Message, hint: LiteralString | Message = "", **values: object
    ) -> None:
        self.sentence = _message(message, values)
        self.advice = _message(hint, values)
        super().__init__(self.message, self.hint)

    @property
    def message(self) -> str:
        """What went wrong, in English."""
        return self.sentence.said()

    @property
    def hint(self) -> str:
        """What to do about it, in English."""
        return self.advice.said()

    @property
    def whole(self) -> Message:
        """Both as one message."""
        if not self.advice:
            return self.sentence
        return Message("{sentence} {advice}", sentence=self.sentence, advice=self.advice)

    def __str__(self) -> str:
        return self.whole.said()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self)._again, (self.sentence, self.advice))

    @classmethod
    def _again(cls, sentence: Message, advice: Message) -> Self:
        return cls(sentence, advice)


def _message(text: LiteralString | Message, values: dict[str, object]) -> Message:
    return text if isinstance(text, Message) else Message(text, **values)


class WritingError(EditorError):
    """A file could not be written: nothing that the user gave is wrong, so the command line says "failed"."""


class TooLittleMemoryError(EditorError):
    """A run did not fit into memory: nothing was wrong with what was asked."""


class UnreachableError(EditorError):
    """Something could not be fetched now: nothing was wrong with what was asked."""


class Parked(Exception):  # noqa: N818 - it is an outcome of a job, not an error
    """Raised by `Progress` when a long job makes room for another; `state` is what it goes on from."""

    def __init__(self, state: bytes) -> None:
        super().__init__("parked")
        self.state = state


class Cancelled(Exception):  # noqa: N818 - it is an outcome of a job, not an error
    """Raised by `Progress` when the job was cancelled; only the runner catches it."""
