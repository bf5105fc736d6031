"""Messages in the window's language."""

import errno
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication

from editor.words.said import in_one_line, lines, said
from editor.words.translation import Translations
from inference.errors import EditorError
from inference.messages import NOTHING, Label, Message, listed
from inference.operations import Generate
from inference.parameters import N_
from inference.reasons import reason_of


@pytest.fixture(autouse=True)
def chinese(qapp: QCoreApplication) -> Iterator[Translations]:
    translations = Translations()
    translations.choose("zh_CN")
    yield translations
    translations.choose("en")


def test_a_message_is_said_in_the_language_of_the_moment(chinese: Translations) -> None:
    message = Message("Layer “{name}” is locked.", name="x {y}")
    assert said(message) == "图层“x {y}”已锁定。"
    chinese.choose("en")
    assert said(message) == "Layer “x {y}” is locked."


def test_plain_text_and_nothing_stay() -> None:
    assert said("图 {x}") == "图 {x}"
    assert said(NOTHING) == ""


def test_an_error_in_one_line() -> None:
    error = EditorError("The prompt is empty.", "Say in words what the picture shows.")
    assert in_one_line(error) == "提示词为空。请用文字描述图片内容。"
    assert str(error) == "The prompt is empty. Say in words what the picture shows."


def test_each_note_once() -> None:
    notes = [Message("The picture is empty."), Message("Stopped"), Message("The picture is empty.")]
    assert lines(notes) == "图片为空。\n已停止"


def test_labels_and_lists_are_translated_inside_a_sentence() -> None:
    with pytest.raises(EditorError) as caught:
        Generate(prompt="a", steps=0)
    assert said(caught.value.sentence) == "步数为 0：允许范围为 1 至 999。"
    assert said(listed(["a", Message("width"), Label("Operations", "Steps")])) == "a、宽度、步数"


@pytest.mark.parametrize(
    ("error", "reason", "english"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "磁盘空间不足", "no space is left on the drive"),
        (MemoryError(), "内存不足", "there is not enough memory"),
        (EditorError("Nothing is visible."), "没有可见的图层。", "Nothing is visible."),
        (ValueError("bad CRC.\nmore"), "bad CRC", "bad CRC"),
        (ValueError(), "ValueError", "ValueError"),
    ],
)
def test_reasons_are_in_the_windows_language(error: Exception, reason: str, english: str) -> None:
    assert said(reason_of(error)) == reason
    assert str(reason_of(error)) == english


def test_a_name_that_we_gave_is_said_and_the_users_own_stays() -> None:
    assert said(N_("Application", "Generated")) == "生成的图片"
    assert said("Generated") == "Generated"
