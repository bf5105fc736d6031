"""Names below small pictures, in whatever script they are written."""

from __future__ import annotations

from typing import Any, Protocol

from inference.values import mended

_TEXT_PX = 13
_MARGIN_PX = 4


class Captions(Protocol):
    """Draws a line of text into a picture of Pillow, shortened in the middle to a width."""

    def draw(
        self, sheet: Any, place: tuple[int, int], text: str, width_px: int, colour: tuple[int, int, int]
    ) -> None: ...


def captions() -> Captions:
    """By Qt, which finds a font for every script; without it only what is like Latin has its letters."""
    try:
        return _ByQt()
    except ImportError:  # a server without the system's libraries for windows
        return _ByPillow()


class _ByQt:
    def __init__(self) -> None:
        from PySide6.QtGui import QFont, QFontMetrics

        from editor.system.without_window import ensure_fonts

        ensure_fonts()
        self._font = QFont()
        self._font.setPixelSize(_TEXT_PX)
        self._metrics = QFontMetrics(self._font)

    def draw(
        self, sheet: Any, place: tuple[int, int], text: str, width_px: int, colour: tuple[int, int, int]
    ) -> None:
        from PIL import Image
        from PySide6.QtCore import Qt
        from PySide6.QtGui import QImage, QPainter

        from editor.pixels.qimages import from_qimage

        line = self._metrics.elidedText(_in_a_line(text), Qt.TextElideMode.ElideMiddle, width_px)
        # another script's font may be higher than the usual one
        height = self._metrics.height() + 2 * _MARGIN_PX
        image = QImage(width_px, height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        painter = QPainter(image)
        painter.setFont(self._font)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(image.rect(), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), line)
        painter.end()
        place = place[0], place[1] - _MARGIN_PX
        sheet.paste(colour, place, Image.fromarray(from_qimage(image)[..., 3].copy()))


class _ByPillow:
    def __init__(self) -> None:
        from PIL import ImageFont

        self._font = ImageFont.load_default(_TEXT_PX)

    def draw(
        self, sheet: Any, place: tuple[int, int], text: str, width_px: int, colour: tuple[int, int, int]
    ) -> None:
        from PIL import ImageDraw

        draw = ImageDraw.Draw(sheet)
        draw.text(place, self._fitted(_in_a_line(text), draw, width_px), colour, self._font)

    def _fitted(self, text: str, draw: Any, width_px: int) -> str:
        if draw.textlength(text, self._font) <= width_px:
            return text
        for kept in range(len(text) // 2, 0, -1):
            short = f"{text[:kept]}…{text[-kept:]}"
            if draw.textlength(short, self._font) <= width_px:
                return short
        return "…"


def _in_a_line(text: str) -> str:
    return " ".join(mended(text).split())
