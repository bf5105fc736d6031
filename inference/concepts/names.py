"""What a concept may be called: "<my-cat>", in angle brackets, so that no word of a language is meant.

The brackets keep prompts from before a concept was learnt as they were, and let its place be found in any
script, also in those without spaces.
"""

import re
import unicodedata

from inference.errors import EditorError

LONGEST_WORD = 64  # characters
_WORD = re.compile(r"<[^<>\s]+>")
# signs by which other programs weight words, call additions, or name special tokens
_TAKEN = frozenset('<>()[]{}:|,;"“”\\/*?')


def is_word(text: str) -> bool:
    """Whether `text` can be a concept's word as it is."""
    inside = text[1:-1]
    return (
        _WORD.fullmatch(text) is not None
        and len(text) <= LONGEST_WORD
        and not _TAKEN.intersection(inside)
        and inside.isprintable()
        and any(unicodedata.category(one)[0] in "LN" for one in inside)
    )


def words_in(text: str) -> tuple[str, ...]:
    """Everything in `text` that is written as a concept's word, in order, whether there is one or not."""
    return tuple(word for word in _WORD.findall(text) if is_word(word))


def checked_word(text: str) -> str:
    """A concept's word as a user typed it.

    Raises:
        EditorError: it is none; the hint says how to write it.
    """
    if is_word(text):
        return text
    made = made_word(text)
    if made and "<" not in text and ">" not in text:
        raise EditorError(
            "“{word}” could be meant as a word of the language.",
            "Write “{made}”: in angle brackets it is the concept's alone.",
            word=text[:LONGEST_WORD],
            made=made,
        )
    raise EditorError(
        "“{word}” cannot be the name of a concept.",
        "Write letters, digits and hyphens in angle brackets, at most {most}, such as “{example}”.",
        word=text[:LONGEST_WORD],
        most=LONGEST_WORD,
        example=made or "<my-cat>",
    )


def made_word(name: str) -> str:
    """A word from any name: "My cat 2" → "<My-cat-2>"; "" if no letter or digit is in it."""
    whole = unicodedata.normalize("NFC", name)  # some systems take the letters of file names apart
    kept = "".join(" " if one in _TAKEN or not one.isprintable() else one for one in whole)
    inside = "-".join(kept.split()).strip("-._")[: LONGEST_WORD - 2]
    word = f"<{inside}>"
    return word if is_word(word) else ""


def numbered_word(word: str, number: int) -> str:
    """Another word like `word`: "<cat>" → "<cat-2>"; of a long one the end makes room."""
    ending = f"-{number}>"
    return f"{word[:-1][: LONGEST_WORD - len(ending)]}{ending}"
