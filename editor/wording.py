"""Numbers and names as the user reads them."""


def signed(value: float) -> str:
    """A slider's value: +0.64, −1.00 (with a real minus sign), 0.00."""
    text = f"{value:+.2f}".replace("-", "−")
    return "0.00" if text[1:] == "0.00" else text


def quoted(text: str, length: int = 40) -> str:
    """Text in quotation marks, cut with an ellipsis after `length` characters."""
    shortened = text if len(text) <= length else text[: length - 1].rstrip() + "…"
    return f"“{shortened}”"


def plain(text: str) -> str:
    """A menu's text without its mnemonic and ellipsis; Chinese texts carry theirs as “(&F)”."""
    start = text.find("(&")
    if start >= 0 and text[start + 3 : start + 4] == ")":
        text = text[:start] + text[start + 4 :]
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("…")
