"""Where concepts stand in a request: their words in its prompts, and the vectors that take their places."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from inference.concepts.concept import Concept
from inference.concepts.files import concept_file, concept_from_bytes
from inference.concepts.names import words_in
from inference.content import ConceptFile, content_hash
from inference.errors import EditorError
from inference.messages import Message
from inference.parameters import Parameters
from inference.prompts.words import find_names, folded, replaced

if TYPE_CHECKING:
    from inference.content import Blob, Contents
    from inference.prompts.learnt_words import LearntWord


class Shelf(Protocol):
    """Where concepts lie; `inference.concepts.library.ConceptLibrary` is one."""

    def words(self) -> tuple[str, ...]: ...
    def find(self, word: str) -> Concept: ...


def prompts_of(parameters: Parameters) -> tuple[str, ...]:
    """The texts among the parameters in which a concept's word may stand."""
    return tuple(
        value
        for item in parameters.declared()
        if item.name == "prompt" or item.name.endswith("_prompt")
        if isinstance(value := getattr(parameters, item.name), str)
    )


def written_in(words: Iterable[str], prompts: Iterable[str]) -> tuple[str, ...]:
    """Those of `words` that stand in one of `prompts`, each once, in order."""
    known = list(words)
    found = (known[index] for prompt in prompts for _, _, index in find_names(prompt, known))
    return tuple(dict.fromkeys(found))


def with_concepts(
    parameters: Parameters, contents: "Contents", shelf: Shelf
) -> "tuple[Parameters, dict[str, Blob]]":
    """The parameters with the concepts whose words stand in their prompts, and all contents.

    Those that are named already stay, unless their word is gone; for words that stand there beside them the
    shelf is asked. What decides the result is in the request then, and nothing else is looked up.

    Raises:
        EditorError: a concept cannot be read, two are called alike, there are too many, or a word in angle
            brackets is none: the model would read it as signs, and draw anything.
    """
    found = dict(contents)
    given: tuple[ConceptFile, ...] | None = getattr(parameters, "concepts", None)
    if given is None:
        return parameters, found
    prompts = prompts_of(parameters)
    if not given and not any("<" in prompt for prompt in prompts):
        return parameters, found
    named: dict[str, ConceptFile] = {}
    for concept in given:
        blob = contents.get(concept.hash)
        if isinstance(blob, bytes):  # else the run says that it is missing
            word = concept_from_bytes(blob).word
            if named.setdefault(folded(word), concept) != concept:
                raise _twins(word)
    missing = [concept for concept in given if not isinstance(contents.get(concept.hash), bytes)]
    on_shelf = {folded(word): word for word in shelf.words()}
    written = written_in(dict.fromkeys((*named, *on_shelf)), prompts)
    for word in written:
        if word not in named:
            blob = concept_file(shelf.find(on_shelf[word]))
            named[word] = ConceptFile(content_hash(blob))
            found[named[word].hash] = blob
    if not missing:
        for word in (word for prompt in prompts for word in words_in(prompt)):
            if folded(word) not in named:
                shelf.find(word)
    wanted = (*missing, *(named[word] for word in written))
    return _with(parameters, tuple(wanted)), found


def _with(parameters: Parameters, concepts: tuple[ConceptFile, ...]) -> Parameters:
    values = {item.name: getattr(parameters, item.name) for item in parameters.declared()}
    return type(parameters)(**values | {"concepts": concepts})


def concepts_of(parameters: Parameters, contents: "Contents") -> tuple[Concept, ...]:
    """The concepts that a request names, as far as their contents are there and can be read."""
    found: list[Concept] = []
    for one in getattr(parameters, "concepts", ()):
        blob = contents.get(one.hash)
        if isinstance(blob, bytes):
            try:
                found.append(concept_from_bytes(blob))
            except EditorError:  # a file may hold anything; the run says so
                continue
    return tuple(found)


def in_plain_words(text: str, concepts: Iterable[Concept]) -> str:
    """`text` with the kind of each concept in its word's place: "<my-cat>" → "cat"."""
    return replaced(text, {one.word: one.kind for one in concepts if one.kind})


def learnt_word(concept: Concept) -> "LearntWord":
    """What an encoder takes: the rows as float32 tensors; T5, without rows of its own, reads the kind."""
    import torch

    from inference.prompts.learnt_words import LearntWord

    vectors = {encoder: torch.tensor(rows) for encoder, rows in concept.vectors.items()}
    return LearntWord(word=concept.word, vectors=vectors, plain=concept.kind)


def refuse_twins(concepts: Mapping[str, Concept]) -> None:
    """Two concepts of one word in a request.

    Raises:
        EditorError: there are.
    """
    words = [folded(one.word) for one in concepts.values()]
    twice = next((one.word for one in concepts.values() if words.count(folded(one.word)) > 1), None)
    if twice is not None:
        raise _twins(twice)


def _twins(word: str) -> EditorError:
    return EditorError(
        "Two concepts are called “{word}”.", Message("Give one of them another name."), word=word
    )
