"""Numbers and names as the user reads them."""

import re

from PySide6.QtCore import QCoreApplication

from inference.parameters import N_

ATTRIBUTES = (
    N_("Attributes", "Age"),
    N_("Attributes", "Smile"),
    N_("Attributes", "Size"),
    N_("Attributes", "Hair: black to blond"),
    N_("Attributes", "Shirt: blue to red"),
    N_("Attributes", "Fur: black to white"),
    N_("Attributes", "Leaves: green to orange"),
    N_("Attributes", "Colour: blue to red"),
)
"""Labels of the attributes that come with Attune."""

ATTRIBUTE_NAMES = (
    N_("Attributes", "age"),
    N_("Attributes", "smile"),
    N_("Attributes", "size"),
    N_("Attributes", "colour"),
    N_("Attributes", "hair colour"),
    N_("Attributes", "shirt colour"),
)
"""What these attributes are called within a sentence."""


def attribute_label(label: str) -> str:
    """An attribute's label in the window's language; a user's own stays as it is."""
    return QCoreApplication.translate("Attributes", label)


def attribute_name(attribute: str) -> str:
    """An attribute within a sentence: “hair colour” for `hair-colour`; one of the user's own by its words."""
    return QCoreApplication.translate("Attributes", attribute.replace("-", " "))


def signed(value: float) -> str:
    """A slider's value: +0.64, −1.00 (with a real minus sign), 0.00."""
    text = f"{value:+.2f}".replace("-", "−")
    return "0.00" if text[1:] == "0.00" else text


def quoted(text: str, length: int = 40) -> str:
    """Text in quotation marks, cut with an ellipsis after `length` characters."""
    shortened = text if len(text) <= length else text[: length - 1].rstrip() + "…"
    return f"“{shortened}”"


def quoted_change(text: str, before: str, length: int = 40) -> str:
    """A sentence that was another one before, in quotation marks; where it is too long, from its first new
    word on: two edits of a picture begin with the same words."""
    if len(text) <= length:
        return quoted(text, length)
    same = 0
    for one in re.finditer(r"\S+\s*", text):
        if not before.startswith(one.group(), one.start()):
            break
        same = one.end()
    rest = text[same:]
    return quoted(f"…{rest}" if same and rest else text, length)


def plain(text: str) -> str:
    """A menu's text without its mnemonic and ellipsis; Chinese texts carry theirs as “(&F)”."""
    start = text.find("(&")
    if start >= 0 and text[start + 3 : start + 4] == ")":
        text = text[:start] + text[start + 4 :]
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("…")
