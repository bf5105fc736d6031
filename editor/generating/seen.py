"""What a model sees in a picture (the operation "see"), as pictures and as one sheet."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QImage, QPainter

from editor.pixels.arithmetic import read_only
from editor.pixels.qimages import to_qimage
from inference.request import Pixels

PREFIX = "seen"
_CHANNELS = ("0", "1", "2")
_CELL_PX, _GAP_PX, _LABEL_PX, _NAMES_PX = 96, 6, 22, 300

Seen = Mapping[int, Mapping[str, NDArray[np.uint8]]]
"""Step → place → RGB [rows, columns, 3]."""


def seen_pictures(maps: Mapping[str, NDArray[np.float32]]) -> Seen:
    """The maps {"seen/STEP/PLACE/CHANNEL": [rows, columns] in 0..1} as pictures, steps ascending."""
    found: dict[int, dict[str, NDArray[np.uint8]]] = {}
    for name in maps:
        prefix, _, rest = name.partition("/")
        step, _, rest = rest.partition("/")
        place, _, channel = rest.rpartition("/")
        if prefix != PREFIX or channel != _CHANNELS[0]:
            continue
        channels = [maps[f"{PREFIX}/{step}/{place}/{one}"] for one in _CHANNELS]
        found.setdefault(int(step), {})[place] = np.rint(255 * np.stack(channels, -1)).astype(np.uint8)
    return dict(sorted(found.items()))


def sheet(seen: Seen) -> Pixels:
    """All pictures in one, RGB: places down with their names, steps across with their numbers."""
    places = list(dict.fromkeys(place for pictures in seen.values() for place in pictures))
    column, row = _CELL_PX + _GAP_PX, _CELL_PX + _GAP_PX
    width, height = _NAMES_PX + column * len(seen), _LABEL_PX + row * len(places)
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(QColor("white"))
    painter = QPainter(image)
    try:
        can_write = isinstance(QGuiApplication.instance(), QGuiApplication)  # fonts need one
        if can_write:
            painter.setPen(QColor("black"))
            font = QFont()
            font.setPixelSize(11)
            painter.setFont(font)
        for x, (step, pictures) in enumerate(seen.items()):
            left = _NAMES_PX + x * column
            if can_write:
                painter.drawText(QRect(left, 0, _CELL_PX, _LABEL_PX), Qt.AlignmentFlag.AlignCenter, str(step))
            for y, place in enumerate(places):
                top = _LABEL_PX + y * row
                if can_write and x == 0:
                    box = QRect(_GAP_PX, top, _NAMES_PX - 2 * _GAP_PX, _CELL_PX)
                    flags = int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextWrapAnywhere)
                    painter.drawText(box, flags, place)
                if place in pictures:
                    painter.drawImage(QRect(left, top, _CELL_PX, _CELL_PX), to_qimage(pictures[place]))
    finally:
        painter.end()
    values = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return read_only(values[:, : 3 * width].reshape(height, width, 3).copy())
