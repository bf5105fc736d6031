"""Errors in the window's language."""

import re

import pytest
from pytestqt.qtbot import QtBot

from editor.words.error_texts import TEXTS, shown, translated
from editor.words.translation import Translations
from inference.errors import EditorError


@pytest.fixture
def chinese(qtbot: QtBot) -> object:
    translations = Translations()
    translations.choose("zh_CN")
    yield
    translations.choose("en")


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Layer “Sky” is locked.", "图层“Sky”已锁定。"),
        ("“a.png” is damaged or incomplete.", "“a.png”已损坏或不完整。"),
        ("“a.png” is damaged or incomplete: no end.", "“a.png”已损坏或不完整：no end。"),
        ("A canvas cannot be 0 × 32 pixels.", "画布不能为 0 × 32 像素。"),
        (
            "The prompt is empty.\nSay in words what the picture shows.",
            "提示词为空。\n请用文字描述图片内容。",
        ),
        ("Nobody foresaw this.", "Nobody foresaw this."),
        ("", ""),
    ],
)
def test_values_keep_their_place(text: str, expected: str) -> None:
    assert translated(text) == expected


def test_in_english_errors_stay_as_they_are(qtbot: QtBot) -> None:
    for text in TEXTS:
        filled = re.sub(r"\{(\d)\}", r"<\1>", text)
        assert translated(filled) == filled


def test_braces_in_values_do_no_harm() -> None:
    assert translated("Layer “{x}” is locked.") == "Layer “{x}” is locked."


@pytest.mark.usefixtures("chinese")
def test_an_errors_text_with_its_hint(qtbot: QtBot) -> None:
    error = EditorError("The prompt is empty.", "Say in words what the picture shows.")
    assert shown(error) == "提示词为空。 请用文字描述图片内容。"
