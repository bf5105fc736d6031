"""What the Select menu calls: the receiver "selection"."""

from editor import commands
from editor.commands import translate
from editor.receiver import Receiver


class SelectionActions(Receiver):
    """Changes what is selected in the current document."""

    def clear(self) -> None:
        """Select nothing in particular: painting reaches everything again."""
        document = self.document
        if document is not None and document.state.selection is not None:
            text = translate("Commands", "Deselect")
            self._on_document(lambda document: commands.SetSelection(document, None, text))
