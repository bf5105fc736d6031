"""A button of several texts."""

from PySide6.QtWidgets import QApplication

from widgets.look.steady_button import SteadyButton

TEXTS = ("Go", "Working…", "Make it once again")


def test_it_is_as_wide_as_the_longest_of_its_texts(qapp: QApplication) -> None:
    button = SteadyButton()
    sizes = []
    for text in TEXTS:
        button.say(text, TEXTS)
        assert button.text() == text
        sizes.append((button.sizeHint(), button.minimumSizeHint()))
    assert all(size == sizes[0] for size in sizes)
    alone = SteadyButton()
    alone.say(TEXTS[0], TEXTS[:1])
    assert alone.sizeHint().width() < sizes[0][0].width()
