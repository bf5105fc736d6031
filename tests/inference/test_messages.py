"""Sentences with values: filled in late, translated whole, the same in another process."""

import copy
import pickle

from hypothesis import given
from hypothesis import strategies as st

from inference.errors import EditorError, TooLittleMemoryError
from inference.messages import NOTHING, Label, Marked, Message, listed
from inference.parameters import N_

CHINESE = {"{name} has {count} layers.": "{name} 有 {count} 个图层。", "too dark": "太暗"}


def chinese(context: str, text: str) -> str:
    assert context == "Errors"
    return CHINESE.get(text, text)


def test_values_are_filled_in_where_it_is_shown() -> None:
    message = Message("{name} has {count} layers.", name="Sky", count=3)
    assert message.said() == "Sky has 3 layers."
    assert message.said(chinese) == "Sky 有 3 个图层。"


def test_a_value_may_be_a_message() -> None:
    message = Message("{name} has {count} layers.", name=Message("too dark"), count=3)
    assert message.said(chinese) == "太暗 有 3 个图层。"
    assert message.said() == "too dark has 3 layers."


@given(st.text(), st.floats(allow_nan=False))
def test_whatever_the_values_hold_stays(name: str, number: float) -> None:
    assert Message("{name}: {number:.2f}", name=name, number=number).said() == f"{name}: {number:.2f}"


def test_braces_in_a_text_without_values_stay() -> None:
    assert Message("{no gap}").said() == "{no gap}"


def test_the_empty_one_is_false_and_stays_empty() -> None:
    assert not Message("")
    assert Message("").said(lambda context, text: "header of the catalogue") == ""


def test_errors_come_back_from_another_process_as_they_were() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    error = TooLittleMemoryError("{name} has {count} layers.", "Look at {name}.", name=Odd(), count=2)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is TooLittleMemoryError
        assert (again.message, again.hint) == ("odd has 2 layers.", "Look at odd.")
        assert again.sentence.said(chinese) == "odd 有 2 个图层。"


def test_an_error_may_carry_messages_of_another() -> None:
    first = EditorError("{name} is damaged.", "Get it again.", name="a{b}")
    second = EditorError("{what} Nothing was opened.", first.advice, what=first.sentence)
    assert second.message == "a{b} is damaged. Nothing was opened."
    assert second.hint == "Get it again."


def test_several_things_have_the_languages_mark_between_them() -> None:
    things = listed(["a", Message("too dark")])
    assert str(things) == "a, too dark"
    assert things.said(lambda _, text: {", ": "、"}.get(text, chinese("Errors", text))) == "a、太暗"
    assert str(pickle.loads(pickle.dumps(things))) == "a, too dark"
    assert not listed([])
    assert str(listed([]) or Message("none")) == "none"


def test_marked_labels_are_translated_under_their_own_context() -> None:
    label = N_("Operations", "Steps")
    assert (label, type(label)) == ("Steps", Marked)
    message = Message("{label} is {value}.", label=label, value=3)
    for again in (message, pickle.loads(pickle.dumps(message))):
        assert again.said(lambda context, text: f"{context}:{text}") == "Errors:Operations:Steps is 3."
    assert Label("Operations", "Steps") == again.values["label"] != Label("Tools", "Steps")
    assert pickle.loads(pickle.dumps(label)).context == "Operations"


def test_an_error_as_one_message() -> None:
    both = EditorError("{name} has {count} layers.", "too dark", name="a", count=1).whole
    assert str(both) == "a has 1 layers. too dark"
    assert both.said(chinese) == "a 有 1 个图层。 太暗"
    assert EditorError("too dark").whole == Message("too dark")
    assert str(NOTHING) == ""
