"""What a document is at one moment: an immutable value, free of Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from editor.layer import Layer
from inference.errors import EditorError


@dataclass(frozen=True, kw_only=True)
class DocumentState:
    """Everything that undo restores. `layers` runs from bottom to top."""

    width: int
    height: int
    layers: tuple[Layer, ...] = ()
    active: str = ""

    @classmethod
    def of_layer(cls, layer: Layer) -> Self:
        """One layer and its size."""
        return cls(width=layer.width, height=layer.height, layers=(layer,), active=layer.id)

    def index(self, layer_id: str) -> int:
        """Position of a layer.

        Raises:
            EditorError: the document has no such layer.
        """
        for index, layer in enumerate(self.layers):
            if layer.id == layer_id:
                return index
        raise EditorError("That layer is no longer in the document.")

    def layer(self, layer_id: str) -> Layer:
        return self.layers[self.index(layer_id)]

    def with_layer(self, layer: Layer) -> Self:
        """The state with the layer of the same id replaced."""
        index = self.index(layer.id)
        return replace(self, layers=(*self.layers[:index], layer, *self.layers[index + 1 :]))


@dataclass(frozen=True, kw_only=True)
class SourceMetadata:
    """What an opened file carried and an export gives back: EXIF, XMP, ICC profile, resolution, text."""

    exif: bytes = b""
    icc_profile: bytes = b""
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=dict[str, str])
    xmp: bytes = b""
    photo: bool = False  # the picture came from a file without a recipe
