"""The words that a LoRA's author wants in the prompt, from what the file's header says. Free of torch."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, cast

from inference.values import mended, parsed_json

MOST_WORDS: Final = 12
LONGEST_WORD: Final = 200
_MOST_FOUND = 8
_USUAL_SHARE = 0.5  # of the most frequent tag: what stands with most of the pictures
_MOST_TAGS = 100_000
_SPACE = re.compile(r"\s+")


def trigger_words(texts: Mapping[str, str]) -> tuple[str, ...]:
    """As ModelSpec has it (`modelspec.trigger_phrase`), else the captions' most frequent tags (kohya).

    Args:
        texts: those of the header, `__metadata__`.
    """
    phrase = texts.get("modelspec.trigger_phrase", "")
    if phrase.strip():
        return clean_words(re.split(r"[,\n;]", phrase))
    counts = _tags(texts.get("ss_tag_frequency", ""))
    if not counts:
        return ()
    most = max(counts.values())
    usual = [tag for tag, count in counts.most_common(_MOST_FOUND) if count >= _USUAL_SHARE * most]
    return clean_words(usual)


def clean_words(words: "list[str] | tuple[str, ...]") -> tuple[str, ...]:
    """Each once, in order, without what no prompt can hold; at most `MOST_WORDS`."""
    found = (
        _SPACE.sub(" ", "".join(one if one.isprintable() else " " for one in mended(word))).strip(" ,")
        for word in words
    )
    return tuple(dict.fromkeys(word[:LONGEST_WORD] for word in found if word))[:MOST_WORDS]


def _tags(text: str) -> Counter[str]:
    """{"10_folder": {"tag": 12}} as counts of the tags."""
    counts: Counter[str] = Counter()
    try:
        folders: Any = parsed_json(text) if text else {}
    except (ValueError, RecursionError):
        return counts
    values = cast("dict[str, Any]", folders).values() if isinstance(folders, dict) else ()
    for tags in values:
        if not isinstance(tags, dict):
            continue
        for tag, count in cast("dict[str, Any]", tags).items():
            if isinstance(count, int) and 0 < count < 2**31 and len(counts) < _MOST_TAGS:
                counts[tag.strip()] += count
    return counts
