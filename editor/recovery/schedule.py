"""When a changed document is written so that a crash at any moment loses no more than so many seconds.

What is lost is what changed since the last *finished* write began. So writing begins earlier than the bound
by twice the time that it is expected to take.
"""

from dataclasses import dataclass

IDLE_S = 2.0  # nothing changed for so long: write now
BYTES_A_SECOND = 50e6  # a first write of new pixels, on a slow machine


@dataclass
class Schedule:
    """The times (in seconds of one clock) that matter for one document."""

    changed_at: float | None = None  # the first change that is not written, at the latest
    touched_at: float = 0.0  # the last change
    expected_s: float = 0.0  # how long a write takes
    retry_at: float = 0.0  # not before, after a failure

    def touch(self, now: float, since: float) -> None:
        """The document changed between `since` and `now`."""
        if self.changed_at is None:
            self.changed_at = since
        self.touched_at = now

    def due(self, now: float, bound_s: float, tick_s: float) -> bool:
        """Whether to write now, if it is asked again after `tick_s`."""
        if self.changed_at is None or now < self.retry_at:
            return False
        reserve = 2 * self.expected_s + tick_s
        latest = self.changed_at + max(bound_s - reserve, tick_s)
        return now >= latest or now - self.touched_at >= min(IDLE_S, bound_s / 2)

    def begun(self) -> float | None:
        """A write begins; gives back what `failed` needs."""
        changed, self.changed_at = self.changed_at, None
        return changed

    def written(self, seconds: float) -> None:
        self.expected_s = seconds

    def failed(self, changed: float | None, now: float, bound_s: float) -> None:
        """The write that began with `changed` came to nothing; it is tried again later."""
        if changed is not None:
            self.changed_at = changed if self.changed_at is None else min(changed, self.changed_at)
        self.retry_at = now + bound_s
