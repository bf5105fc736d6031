"""How long something takes: what is left of it, and in words."""

import time

from PySide6.QtCore import QCoreApplication

from inference.progress import Step

translate = QCoreApplication.translate

_SECONDS_BELOW_S = 90
_MINUTES_BELOW_S = 90 * 60


def duration(seconds: float) -> str:
    """ "12 s", "3 min" or "2 h", in the language of the window."""
    if seconds < _SECONDS_BELOW_S:
        return translate("JobPanel", "{count} s").format(count=max(1, round(seconds)))
    if seconds < _MINUTES_BELOW_S:
        return translate("JobPanel", "{count} min").format(count=round(seconds / 60))
    return translate("JobPanel", "{count} h").format(count=round(seconds / 3600))


class TimeLeft:
    """Estimates what is left from the steps of one phase."""

    def __init__(self) -> None:
        self._phase = ""
        self._first: tuple[float, int] = (0.0, 0)

    def estimate(self, step: Step) -> float | None:
        """Seconds left of this phase, or None while that is not known."""
        now = time.monotonic()
        if step.phase != self._phase or step.done < self._first[1]:
            self._phase, self._first = step.phase, (now, step.done)
            return None
        done = step.done - self._first[1]
        return (now - self._first[0]) / done * (step.total - step.done) if done > 0 else None
