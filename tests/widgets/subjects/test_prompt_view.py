"""The prompt as words."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from editor.layers.recipes import Subject
from inference.prompts.words import words
from widgets.subjects.prompt_view import PromptView

PROMPT = "a photo of a man and a woman, 海滩上的人"


def subject(word: str, prompt: str = PROMPT) -> Subject:
    start = prompt.index(f" {word}") + 1
    return Subject(start=start, end=start + len(word), text=word)


@pytest.fixture
def view(qtbot: QtBot) -> PromptView:
    made = PromptView()
    qtbot.addWidget(made)
    made.resize(280, 120)
    made.show()
    show(made)
    return made


def show(view: PromptView, *subjects: Subject, prompt: str = PROMPT) -> None:
    view.set_prompt(prompt, [(word.start, word.end) for word in words(prompt)], subjects)


def middle(view: PromptView, word: str) -> QPoint:
    found = subject(word)
    return view.rects_of(found.start, found.end)[0].center().toPoint()


def test_a_click_on_a_word_asks_for_it_as_a_subject(view: PromptView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.toggled) as told:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle(view, "man"))
    assert told.args == list(subject("man").span)


def test_words_stand_where_they_are_drawn_after_characters_beyond_16_bits(view: PromptView) -> None:
    """Qt counts an emoji as two; a word is drawn as wide as it is, and beside its neighbours."""
    prompt = "🌊🌅🏖️👨‍👩‍👧 a man and a dog"
    view.resize(900, 80)
    show(view, prompt=prompt)
    metrics = QFontMetricsF(view._font())
    before = 0.0
    for word in ("man", "dog"):
        start = prompt.index(word)
        (rect,) = view.rects_of(start, start + len(word))
        assert rect.width() == pytest.approx(metrics.horizontalAdvance(word), abs=1.5)
        assert rect.left() > before
        before = rect.right()
    line = view._layout.lineAt(0)
    assert before == pytest.approx(line.naturalTextRect().right(), abs=1.5), "the last word ends the line"


def test_a_question_for_another_width_moves_no_word(view: PromptView) -> None:
    found = subject("woman")
    before = view.rects_of(found.start, found.end)
    assert view.heightForWidth(90) > view.heightForWidth(900)
    assert view.rects_of(found.start, found.end) == before


def test_a_width_is_laid_out_once(view: PromptView, monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt asks hundreds of times, and each time breaks the text into lines."""
    first = view.heightForWidth(120)
    monkeypatch.setattr(view, "_font", lambda: pytest.fail("laid out again"))
    assert view.heightForWidth(120) == first


def test_a_click_on_a_chosen_phrase_releases_all_of_it(view: PromptView, qtbot: QtBot) -> None:
    phrase = Subject(start=11, end=16, text="a man")
    show(view, phrase)
    with qtbot.waitSignal(view.toggled) as told:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle(view, "man"))
    assert told.args == [11, 16]


def test_shift_click_extends_to_the_phrase(view: PromptView, qtbot: QtBot) -> None:
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle(view, "man"))
    show(view, subject("man"))
    with qtbot.waitSignal(view.extended) as told:
        qtbot.mouseClick(
            view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, pos=middle(view, "photo")
        )
    assert told.args == [*subject("man").span, subject("photo").start, subject("man").end]


def test_a_chinese_run_is_one_word_and_wraps_inside_the_panel(view: PromptView, qtbot: QtBot) -> None:
    prompt = "海滩上的男人和女人的照片" * 6
    show(view, prompt=prompt)
    rects = view.rects_of(0, len(prompt))
    assert len(rects) > 1
    assert all(rect.right() <= view.width() for rect in rects)
    assert view.heightForWidth(view.width()) > view.heightForWidth(3000)


def test_keyboard_walks_over_words_and_toggles(view: PromptView, qtbot: QtBot) -> None:
    view.setFocus()
    for _ in range(4):
        qtbot.keyClick(view, Qt.Key.Key_Right)
    with qtbot.waitSignal(view.toggled) as told:
        qtbot.keyClick(view, Qt.Key.Key_Space)
    assert told.args == list(subject("man").span)


def test_double_click_beside_the_words_asks_to_edit(view: PromptView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.edit_requested):
        qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(2, view.height() - 2))


def test_hovering_a_subject_tells_which(view: PromptView, qtbot: QtBot) -> None:
    show(view, subject("man"), subject("woman"))
    with qtbot.waitSignal(view.subject_hovered) as told:
        qtbot.mouseMove(view, middle(view, "woman"))
    assert told.args == [1]


def test_tells_screen_readers_prompt_and_subjects(view: PromptView) -> None:
    show(view, subject("man"))
    assert PROMPT in view.accessibleDescription()
    assert "man" in view.accessibleDescription().rsplit("Subjects", 1)[1]
