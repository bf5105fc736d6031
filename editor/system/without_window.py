"""Qt's fonts and drawing in a process that has no window, such as the command line's."""

from __future__ import annotations

import threading
from typing import Any

_kept: list[Any] = []
_making = threading.Lock()


def ensure_fonts() -> None:
    """Qt asks for an application for the sake of fonts: there is one after this.

    Raises:
        ImportError: a server without the system's libraries for windows.
    """
    from PySide6.QtCore import QCoreApplication, QLoggingCategory
    from PySide6.QtGui import QGuiApplication

    with _making:
        if QCoreApplication.instance() is None:
            # a script without a font is boxes in the picture; on a terminal it is told to nobody
            QLoggingCategory.setFilterRules("qt.text.font.*=false")
            _kept.append(QGuiApplication(["attune", "-platform", "offscreen"]))
