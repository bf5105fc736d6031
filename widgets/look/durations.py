"""How long something takes, in words."""

from PySide6.QtCore import QCoreApplication

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
