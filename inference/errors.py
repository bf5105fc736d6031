"""Errors that may cross a layer: one for the user's eyes, one for a cancelled job."""


class EditorError(Exception):
    """What went wrong and what to do about it, in words that the user may read.

    ``message`` names the value that was given and what is allowed; ``hint`` says what to do.
    Every other exception is a defect of ours.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class TooLittleMemoryError(EditorError):
    """A run did not fit into memory: nothing was wrong with what was asked."""


class Cancelled(Exception):  # noqa: N818 - it is an outcome of a job, not an error
    """Raised by `Progress` when the job was cancelled; only the runner catches it."""
