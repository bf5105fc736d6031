"""What a text layer says and how it is set; `editor.tools.text` draws it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, get_type_hints

from inference.errors import EditorError
from inference.messages import listed
from inference.values import Bounds, mended, mended_text, typed

ALIGNMENTS = ("left", "centre", "right")
FURTHEST_PX = 10_000_000
LONGEST_TEXT = 1_000_000  # characters


@dataclass(frozen=True, kw_only=True)
class TextContent:
    """A text and its look.

    Args:
        x, y: the anchor in the document: the first baseline's start, middle or end, by `alignment`.
        size_px: the font's size in pixels of the document.
        colour: straight RGBA, 0..255.
        line_height: distance of baselines as a share of the font's own.
        width_px: lines are broken at this width; 0 only where the text has line ends.
        angle: degrees, clockwise, around the anchor.
    """

    text: str
    x: float = 0.0
    y: float = 0.0
    family: str = ""
    size_px: float = 48.0
    bold: bool = False
    italic: bool = False
    underline: bool = False
    colour: tuple[int, int, int, int] = (0, 0, 0, 255)
    alignment: str = "left"
    line_height: float = 1.0
    letter_spacing_px: float = 0.0
    width_px: float = 0.0
    angle: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", mended(self.text))  # half a character, which no file could hold
        if not 1 <= self.size_px <= 10_000:
            raise EditorError(
                "The text's size is {size_px:g} px: allowed is 1 to 10000.", size_px=self.size_px
            )
        if not 0.1 <= self.line_height <= 10:
            raise EditorError(
                "The line height is {line_height:g}: allowed is 0.1 to 10.", line_height=self.line_height
            )
        if self.alignment not in ALIGNMENTS:
            raise EditorError(
                "There is no alignment “{alignment}”.",
                "Use {alignments}.",
                alignment=self.alignment,
                alignments=listed(ALIGNMENTS),
            )
        if len(self.colour) != 4 or not all(0 <= value <= 255 for value in self.colour):
            raise EditorError(
                "The text's colour is {colour}: allowed are four numbers 0 to 255.", colour=self.colour
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises:
        EditorError: a value of another kind than declared; keys of newer versions are left out.
        """
        hints = get_type_hints(cls)
        taken = {key: _read(hints[key], value, key) for key, value in values.items() if key in hints}
        if "text" not in taken:
            raise EditorError("The file's text layer has no text.")
        return cls(**taken)


def _read(hint: Any, value: object, name: str) -> Any:
    if hint is str:
        return mended_text(value, name, LONGEST_TEXT)
    return typed(hint, value, name, _bounds(name))


def _bounds(name: str) -> Bounds:
    return _BOUNDS.get(name, Bounds(min=-FURTHEST_PX, max=FURTHEST_PX))


_BOUNDS = {
    "colour": Bounds(min=0, max=255),
    "size_px": Bounds(min=1, max=10_000),
    "line_height": Bounds(min=0.1, max=10),
}
