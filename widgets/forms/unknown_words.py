"""Says below a prompt which of its words a model cannot draw, before it tries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from editor.generating.known_words import Entry, unknown_words
from inference.prompts.weights import understood
from widgets.forms.parameter_form import ParameterForm
from widgets.look.plain_text import Label

_PROMPTS: Final = ("source_prompt", "prompt")
_WEIGHTED: Final = "weighted"


class UnknownWords(Label):
    """Hidden while there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setProperty("dim", True)
        self.setWordWrap(True)
        self.hide()

    def look_at(
        self, prompt: str, model: str, entries: Iterable[Entry], taught: Collection[str] = ()
    ) -> None:
        """Tell of a prompt; `taught` are casefolded words that the model was taught beside its own."""
        self.show_words(unknown_words(prompt, model, entries, taught))

    def show_words(self, unknown: Sequence[str]) -> None:
        text = self.tr("This model cannot draw: {names}")
        self.setText(text.format(names=" · ".join(unknown)))
        self.setVisible(bool(unknown))


def on_words(form: ParameterForm, tell: Callable[[], None]) -> None:
    """Have `tell` called at each key in a form's prompts, as the form itself tells once one is left; and when
    they are read otherwise.
    """
    for name in _PROMPTS:
        field = form.editors.get(name)
        if isinstance(field, QLineEdit):
            field.textChanged.connect(tell)
    switch = form.editors.get(_WEIGHTED)
    if isinstance(switch, QCheckBox):
        switch.toggled.connect(tell)


def said_in(*forms: ParameterForm) -> str:
    """What the prompts of a panel's forms say, without marks of weights where these are read."""
    values = {name: form.value(name) for form in forms for name in form.editors}
    prompts = [str(values[name] or "") for name in _PROMPTS if name in values]
    weighted = bool(values.get(_WEIGHTED))
    return "\n".join(understood(prompt, weighted=weighted).text for prompt in prompts)
