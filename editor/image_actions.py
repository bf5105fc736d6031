"""What the Image menu calls: the receiver "image"."""

from editor.receiver import Receiver


class ImageActions(Receiver):
    """Changes the current document as a whole."""
