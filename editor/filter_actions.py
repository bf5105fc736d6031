"""What the Filter menu calls: the receiver "filters"."""

from editor.receiver import Receiver


class FilterActions(Receiver):
    """Puts adjustments over the current document's layers."""
