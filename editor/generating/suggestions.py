"""What a picture shows, in a line, as far as a detector can tell; pure functions.

The judge of the operation "score" says of each subject of a prompt whether it is there, and of two of a kind
whether both are. Asked about every kind that it knows, it says what the picture shows.
"""

from __future__ import annotations

from collections.abc import Sequence

_OPENING = "a photo of "


def question(kinds: Sequence[str], most: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A prompt that names each kind twice, once where `most` subjects are not enough, and where it does."""
    times = 2 if 2 * len(kinds) <= most else 1
    prompt, spans = "", list[tuple[int, int]]()
    for kind in kinds[:most]:
        for _ in range(times):
            prompt += (", " if prompt else "") + with_article(kind)
            spans.append((len(prompt) - len(kind), len(prompt)))
    return prompt, tuple(spans)


def sentence(named: Sequence[str]) -> str:
    """What was found as a description; "" for nothing. People come first, as they were named."""
    parts: list[str] = []
    for kind in dict.fromkeys(named):
        count = list(named).count(kind)
        parts += [with_article(kind)] * count
    if not parts:
        return ""
    together = " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    return _OPENING + together


def with_article(kind: str) -> str:
    return f"{'an' if kind[:1].casefold() in 'aeiou' else 'a'} {kind}"
