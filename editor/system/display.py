"""Whether a window can be shown; Qt ends the process when its platform cannot start, so it is asked first."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

COMMAND_LINE_WAY = 'Use the command line, such as: attune generate --prompt "a man on the beach" -o a.png'

# what Qt's wheels take from the system, and the Debian package that holds it
_BASE = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
}
_XCB = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
_WAYLAND = {"libwayland-client.so.0": "libwayland-client0", "libwayland-cursor.so.0": "libwayland-cursor0"}


def problem(environment: Mapping[str, str] | None = None) -> str:
    """One sentence on why no window can be shown here, or "" if one can."""
    given = os.environ if environment is None else environment
    if not sys.platform.startswith("linux"):
        return ""
    platform = given.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0]
    if platform and platform not in ("xcb", "wayland"):
        return _missing_text(_BASE) if platform == "offscreen" else ""
    x11, wayland = given.get("DISPLAY", ""), given.get("WAYLAND_DISPLAY", "")
    if not x11 and not wayland:
        return f"There is no display to show a window on. {COMMAND_LINE_WAY}"
    ways = [libraries for wanted, libraries in ((wayland, _WAYLAND), (x11, _XCB)) if wanted]
    texts = [_missing_text(_BASE | libraries) for libraries in ways]
    if all(texts):
        return texts[-1]
    if x11 and not wayland and not _x11_answers(x11):
        return f"The display “{x11}” does not answer. {COMMAND_LINE_WAY}"
    if wayland and not x11 and not _wayland_answers(wayland, given):
        return f"The display “{wayland}” does not answer. {COMMAND_LINE_WAY}"
    return ""


def missing_packages(libraries: Mapping[str, str]) -> list[str]:
    """The Debian packages of those libraries that cannot be loaded."""
    return sorted({package for name, package in libraries.items() if not _loads(name)})


def _missing_text(libraries: Mapping[str, str]) -> str:
    packages = missing_packages(libraries)
    if not packages:
        return ""
    return (
        f"Libraries that a window needs are missing; on Debian and Ubuntu: apt install {' '.join(packages)}"
    )


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _x11_answers(display: str) -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    xcb.xcb_connection_has_error.argtypes = (ctypes.c_void_p,)
    xcb.xcb_disconnect.argtypes = (ctypes.c_void_p,)
    connection = xcb.xcb_connect(display.encode(), None)
    answers = xcb.xcb_connection_has_error(connection) == 0
    xcb.xcb_disconnect(connection)
    return answers


def _wayland_answers(display: str, environment: Mapping[str, str]) -> bool:
    return (Path(environment.get("XDG_RUNTIME_DIR", "/")) / display).exists()
