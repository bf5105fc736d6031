"""Names on contact sheets."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication

from editor.batch.captions import captions

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def drawn(text: str, width: int = 160) -> np.ndarray:
    sheet = Image.new("RGB", (200, 40), BLACK)
    captions().draw(sheet, (4, 8), text, width, WHITE)
    return np.asarray(sheet)


@pytest.mark.usefixtures("qapp")
def test_chinese_names_have_their_signs(qapp: QApplication) -> None:
    if QFontDatabase.WritingSystem.SimplifiedChinese not in QFontDatabase.writingSystems():
        pytest.skip("no font of this system has Chinese signs")
    one, other = drawn("婚礼"), drawn("照片")
    assert one.max() > 200
    assert not np.array_equal(one, other)  # boxes would be all the same


@pytest.mark.parametrize("qt", [True, False])
def test_a_long_name_is_shortened_in_its_middle(
    qt: bool, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not qt:
        monkeypatch.setitem(sys.modules, "PySide6.QtGui", None)
    found = drawn("a_name_that_is_longer_than_any_picture_is_wide.png", 100)
    columns = np.flatnonzero(found.max(axis=(0, 2)))
    assert columns.min() < 10
    assert 60 < columns.max() <= 104
    # its end is that of the whole name
    whole = drawn("x.png", 100)
    assert found.any()
    assert whole.any()
