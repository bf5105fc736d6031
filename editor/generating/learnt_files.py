"""What long jobs make: files for a library, also as they were at a checkpoint. Free of Qt and torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from inference.concepts.library import ConceptLibrary, Kept
from inference.concepts.names import checked_word
from inference.content import Contents
from inference.definitions import definition_from_bytes
from inference.deltas import DeltaInfo, DeltaLibrary
from inference.errors import EditorError
from inference.messages import Message
from inference.operations import LearnConcept, LearnDelta
from inference.request import Request

DELTA, CONCEPT = "delta", "concept"
ENDING = ".safetensors"
Added: TypeAlias = "DeltaInfo | Kept"


@dataclass(frozen=True)
class Learnt:
    """One kind of artifact: the file in a checkpoint, its way into the library, and how it is told."""

    file_of: Callable[[bytes], bytes]
    add: Callable[[bytes, Request, Contents], Added]
    told: Callable[[Path], Mapping[str, Any]]


def learnt_kinds(deltas: DeltaLibrary, concepts: ConceptLibrary) -> dict[str, Learnt]:
    """The kinds by the artifact that an operation declares."""
    from inference.methods.concepts.kept import concept_file_of
    from inference.methods.learning.kept import delta_file_of

    return {
        DELTA: Learnt(
            file_of=delta_file_of,
            add=lambda content, request, contents: deltas.add(content, _delta_name(request, contents)),
            told=_told_delta,
        ),
        CONCEPT: Learnt(
            file_of=concept_file_of,
            add=lambda content, request, contents: concepts.add(content),
            told=_told_concept,
        ),
    }


def check_name(request: Request, concepts: ConceptLibrary | None) -> None:
    """What a job cannot be called, told before all work; without a library only what is no name at all.

    Raises:
        EditorError: a concept's name is none, or taken.
    """
    if not isinstance(request.parameters, LearnConcept):
        return
    token = checked_word(request.parameters.token)
    if concepts is not None:
        concepts.refuse_taken(token)


def _delta_name(request: Request, contents: Contents) -> str:
    parameters = request.parameters
    if not isinstance(parameters, LearnDelta):
        return DELTA
    content = contents.get(parameters.definition.hash)
    if not isinstance(content, bytes):  # of a file that was changed
        raise EditorError("The {name} is damaged.", name=Message("checkpoint"))
    return definition_from_bytes(content).name


def _told_delta(path: Path) -> dict[str, Any]:
    from inference.deltas import read_delta_file

    return {"widths": dict(read_delta_file(path).info.widths)}


def _told_concept(path: Path) -> dict[str, Any]:
    from inference.concepts.files import read_concept

    concept = read_concept(path)
    return {
        "token": concept.word,
        "initialise_from": concept.kind,
        "vectors": concept.count,
        "widths": concept.widths,
        "family": concept.family,
    }
