"""Which words of a prompt are probably its subjects, and what describes them: English noun phrases by rule.

    suggest("a photo of a red car and two old men on the beach")
    # car (red), men (old); beach is a setting

Free of torch. A suggestion is a start that people correct by clicking words; nothing depends on it being
right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from inference.errors import EditorError
from inference.messages import short
from inference.operations import RefineSubject, SubjectEdit
from inference.prompts.words import Word, is_learnt, words

Span = tuple[int, int]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ARTICLES = _set(
    "a an the this that these those some any each every another both all no my your his her its our"
)
_NUMBERS = _set("one two three four five six seven eight nine ten several many few single double")
_CONJUNCTIONS = _set("and or but with without while as plus next to together")
_PLACES = _set(
    "on in at under over behind above below beside near by before between through inside outside among "
    "against along across around beneath underneath from into onto towards during"
)
_JOINING = _set("of for about like than featuring showing depicting wearing holding carrying")
_VERBS = _set(
    "is are was were be been being am has have had do does did will would can could should stands sits "
    "lies runs plays looks stand sit lie run play look wears holds rides eats"
)
_PRONOUNS = _set("he she it they them him who which whose where when there here i you we us me")
_ADVERBS = _set("very slightly quite extremely really too so rather highly not also just only almost")
_FRAMES = _set(
    "photo photograph picture image portrait painting drawing sketch illustration rendering render shot "
    "closeup close-up snapshot scene cartoon print poster watercolour watercolor selfie"
)
_COLOURS = _set(
    "red orange yellow green blue purple pink white black brown gray grey golden gold silver beige "
    "turquoise cyan magenta violet crimson scarlet navy teal ivory blond blonde dark light bright pale "
    "colourful colorful"
)
_SIZES = _set(
    "big small large tiny huge giant little tall short long wide narrow thin thick fat bigger smaller larger"
)
_ADJECTIVES = (
    _COLOURS
    | _SIZES
    | _set(
        "old young new ancient modern round square flat high low heavy happy sad angry calm cute "
        "beautiful nice handsome friendly pretty ugly wild tame hot cold warm wet dry clean dirty rich "
        "poor strong weak fast slow soft hard rough smooth shiny fluffy furry hairy fresh rotten ripe raw "
        "full empty open closed deep shallow sharp blunt simple complex plain wooden metal metallic "
        "plastic stone glass leather golden woollen cotton paper striped spotted checked vintage retro "
        "futuristic medieval realistic abstract digital real fake magic magical elderly middle-aged male "
        "female human cool elegant majestic lonely lovely sunny cloudy rainy snowy foggy misty stormy "
        "baby teenage adult sleepy hungry tired brave quiet loud crazy funny scary good bad best better "
        "great"
    )
)
_LEADING = _ARTICLES | _NUMBERS | _CONJUNCTIONS | _JOINING | _VERBS | _PRONOUNS | _ADVERBS
_SUFFIXES = ("ful", "ous", "ish", "ive", "less", "able", "ible", "ic", "ary", "ern", "ese")
_NOUNS_IN_ING = _set(
    "building painting drawing ceiling ring king wing spring string evening morning wedding clothing "
    "duckling pudding thing swing sibling earring sling fling"
)
_NOUNS_LIKE_ADJECTIVES = _set(
    "orange glass stone gold silver paper cotton leather metal human adult baby square"
)
_ADJECTIVES_IN_ED = 5  # shorter words in -ed are nouns more often than participles: bed, shed, seed


@dataclass(frozen=True)
class Suggestion:
    """One thing that a prompt names.

    Args:
        start, end: characters of the noun, or of a compound noun.
        modifiers: characters of each word that describes it.
        is_setting: it is where something is ("on the beach"), not what has to be seen.
    """

    start: int
    end: int
    modifiers: tuple[Span, ...] = ()
    is_setting: bool = False


@dataclass(frozen=True)
class _Chunk:
    """Content words in a row, and the function words right before them."""

    words: tuple[Word, ...]
    before: tuple[str, ...]
    after_comma: bool


def suggest(prompt: str) -> tuple[Suggestion, ...]:
    """What the prompt names, in its order."""
    found: list[Suggestion] = []
    waiting: tuple[Span, ...] = ()
    for chunk in _chunks(prompt):
        parsed = _parsed(chunk.words)
        if parsed is None:  # adjectives alone
            spans = tuple((word.start, word.end) for word in chunk.words)
            if found and _VERBS.intersection(chunk.before):
                found[-1] = replace(found[-1], modifiers=found[-1].modifiers + spans)
            else:
                waiting += spans
            continue
        if _is_frame(prompt, parsed):
            waiting = ()
            continue
        is_setting = bool(chunk.before) and bool(_PLACES.intersection(chunk.before[:1])) and bool(found)
        found.append(replace(parsed, modifiers=waiting + parsed.modifiers, is_setting=is_setting))
        waiting = ()
    return tuple(found)


def subjects_beside(prompt: str, spans: Sequence[Span] = ()) -> tuple[Suggestion, ...]:
    """The people and things of a prompt, not its settings, whose nouns touch none of `spans`."""
    return tuple(
        one
        for one in suggest(prompt)
        if not one.is_setting and not any(one.start < end and start < one.end for start, end in spans)
    )


def subjects_of(prompt: str, spans: Sequence[Span] | None = None) -> tuple[RefineSubject, ...]:
    """Subjects at `spans` with their suggested modifiers; by default all that is no setting."""
    suggestions = suggest(prompt)
    if spans is None:
        spans = [(one.start, one.end) for one in suggestions if not one.is_setting]
    return tuple(_with_modifiers(span, suggestions) for span in spans)


def refuse_twin_edits(edits: Sequence[SubjectEdit], prompt: str) -> None:
    """Two values for one attribute of one subject: which of them was meant?

    Raises:
        EditorError: there are.
    """
    seen: set[tuple[int, int, str]] = set()
    for edit in edits:
        slider = (edit.start, edit.end, edit.attribute.casefold())
        if slider in seen:
            raise EditorError(
                "“{attribute}” of “{subject}” is set twice.",
                "Set it once, with one value.",
                attribute=short(edit.attribute),
                subject=short(prompt[edit.start : edit.end]),
            )
        seen.add(slider)


def refuse_twin_subjects(subjects: Sequence[RefineSubject], prompt: str) -> None:
    """One subject twice, which would count twice.

    Raises:
        EditorError: it is.
    """
    spans = [(one.start, one.end) for one in subjects]
    twice = next((span for span in spans if spans.count(span) > 1), None)
    if twice is not None:
        raise EditorError(
            "The subject “{subject}” is named twice.",
            "Name it once; the second of two is called like “{subject}#2”.",
            subject=short(prompt[slice(*twice)]),
        )


def surroundings(prompt: str) -> str:
    """What a prompt says beside its subjects: how it is shown, and where; "" if that is nothing.

    "a photo of a man and a cat on the beach" → "a photo on the beach"
    """
    subjects = [one for one in suggest(prompt) if not one.is_setting]
    spans = [span for one in subjects for span in ((one.start, one.end), *one.modifiers)]
    kept: list[Word] = []
    for word in words(prompt):
        if any(word.start < end and start < word.end for start, end in spans):
            while kept and kept[-1].text.casefold() in _LEADING:
                kept.pop()
        elif word.text.casefold() not in _VERBS:
            kept.append(word)
    while kept and kept[-1].text.casefold() in _LEADING | _PLACES:
        kept.pop()
    return " ".join(word.text for word in kept)


def says_colour(word: str) -> bool:
    """Whether a word is that of a colour, alone or in a compound: "red", "red-clad"."""
    return any(part in _COLOURS for part in word.casefold().split("-"))


def says_size(word: str) -> bool:
    return word.casefold() in _SIZES


def is_article(word: str) -> bool:
    return word.casefold() in _ARTICLES


def _with_modifiers(span: Span, suggestions: Sequence[Suggestion]) -> RefineSubject:
    start, end = span
    same = next((one for one in suggestions if one.start < end and start < one.end), None)
    modifiers = same.modifiers if same is not None else ()
    outside = tuple(one for one in modifiers if one[1] <= start or end <= one[0])
    return RefineSubject(start=start, end=end, modifiers=outside)


def _chunks(prompt: str) -> Iterator[_Chunk]:
    """Runs of content words; function words and punctuation end them."""
    run: list[Word] = []
    before: list[str] = []
    after_comma = False
    last_end = 0
    for word in words(prompt):
        gap = prompt[last_end : word.start]
        last_end = word.end
        if run and any(mark in gap for mark in ",.;:!?()[]/|\n"):
            yield _Chunk(tuple(run), tuple(before), after_comma)
            run, before, after_comma = [], [], "," in gap
        if _is_function(word.text):
            if run:
                yield _Chunk(tuple(run), tuple(before), after_comma)
                run, before, after_comma = [], [], False
            before.append(word.text.lower())
            continue
        run.append(word)
    if run:
        yield _Chunk(tuple(run), tuple(before), after_comma)


def _parsed(run: Sequence[Word]) -> Suggestion | None:
    """The noun at the end of a run, what belongs to it, and what describes it; None if all are adjectives."""
    kept = list(run)
    while len(kept) > 1 and _is_participle(kept[-1].text) and not _is_adjective(kept[-2].text):
        kept.pop()  # "a cat sitting"
    while (
        len(kept) > 1 and not _is_adjective(kept[0].text) and any(_is_participle(w.text) for w in kept[1:-1])
    ):
        kept = kept[: next(i for i, w in enumerate(kept) if i and _is_participle(w.text))]
    if len(kept) == 1 and _is_only_adjective(kept[0].text):
        return None
    if all(_is_only_adjective(word.text) for word in kept):
        return None
    first = len(kept) - 1
    while first > 0 and not _is_adjective(kept[first - 1].text):
        first -= 1  # a compound noun: "teddy bear"
    modifiers = tuple((word.start, word.end) for word in kept[:first] if not _is_adverb(word.text))
    return Suggestion(kept[first].start, kept[-1].end, modifiers)


def _is_frame(prompt: str, parsed: Suggestion) -> bool:
    """ "photo" in "a photo of", or at the very start: what the picture is, not what it shows."""
    head = prompt[parsed.start : parsed.end].lower().split()[-1]
    following = prompt[parsed.end :].lstrip().lower()
    return head in _FRAMES and (not following or following.startswith(("of ", ",", ":", ".")))


def _is_function(text: str) -> bool:
    word = text.lower()
    return (
        any(
            word in group
            for group in (_ARTICLES, _NUMBERS, _CONJUNCTIONS, _PLACES, _JOINING, _VERBS, _PRONOUNS)
        )
        or word.isdigit()
    )


def _is_adverb(text: str) -> bool:
    return text.lower() in _ADVERBS or (text.lower().endswith("ly") and text.lower() not in _ADJECTIVES)


def _is_participle(text: str) -> bool:
    return (
        not is_learnt(text)
        and text.lower().endswith("ing")
        and text.lower() not in _NOUNS_IN_ING
        and "-" not in text
    )


def _is_adjective(text: str) -> bool:
    if is_learnt(text):  # "<my-cat>", "<running>": a thing, whatever its letters look like
        return False
    word = text.lower()
    return (
        word in _ADJECTIVES
        or _is_adverb(word)
        or _is_participle(word)
        or word.endswith(_SUFFIXES)
        or ("-" in word and word not in _FRAMES)
        or (word.endswith("ed") and len(word) >= _ADJECTIVES_IN_ED)
    )


def _is_only_adjective(text: str) -> bool:
    return _is_adjective(text) and text.lower() not in _NOUNS_LIKE_ADJECTIVES
