"""A step that a model carries out: any operation of the table that takes a picture."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Self, cast

from editor.generating.contents import read_content
from inference.content import (
    ConceptFile,
    Content,
    DefinitionFile,
    DeltaFile,
    Mask,
    Picture,
    content_hash,
    contents_in,
)
from inference.errors import EditorError
from inference.kinds import content_type
from inference.messages import Message, listed
from inference.operations import (
    MOST_CHANGE,
    MOST_EDITS,
    MOST_SUBJECTS,
    OPERATIONS,
    Operation,
    RefineSubject,
    SubjectEdit,
)
from inference.parameters import ParameterField, Parameters
from inference.prompts.subjects import refuse_twin_edits, subjects_of
from inference.prompts.weights import check_marks, understood
from inference.prompts.words import find_numbered, words
from inference.values import fields, items, text, unknown_names

_ANY = "0" * 64
_OF_THE_PICTURE = ("width", "height")  # follow from the file's own
_ENDINGS: Mapping[type[Content], str] = {
    Picture: ".png",
    Mask: ".png",
    DeltaFile: ".safetensors",
    ConceptFile: ".safetensors",
    DefinitionFile: ".toml",
}


@dataclass(frozen=True, kw_only=True)
class OperationStep:
    """An operation and what is set of its parameters; the picture is the file's.

    Args:
        given: names of what is set; the rest stays at its default.
        files: where the files lie that it names, by their hashes.
    """

    parameters: Parameters
    operation: str
    given: frozenset[str]
    on: bool = True
    files: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)

    @classmethod
    def from_json(
        cls, name: object, values: object, on: bool, folder: Path | None, contents: dict[str, Any]
    ) -> Self:
        """Read `to_json`'s values; files that it names are read into `contents`.

        Raises:
            EditorError: an unknown operation, or one without a picture; a value that its declaration refuses.
        """
        operation = _operation(text(name, "operation", 200))
        given = dict(fields(values, Message("parameters")))
        _check_names(operation, given)
        picture = operation.picture
        assert picture is not None, "checked above"
        files: dict[str, str] = {}
        for item in operation.parameters.declared():
            if item.name in given and item.name != picture.name and _content_type(item) is not None:
                given[item.name] = _read_files(item, given[item.name], folder, contents, files)
        prompt = given.get("prompt", "")
        needs = (
            item.name == "prompt" and not item.declaration.may_be_empty
            for item in operation.parameters.declared()
        )
        if any(needs) and not (isinstance(prompt, str) and prompt.strip()):
            raise EditorError("The prompt is empty.", "Say in words what the picture shows.")
        if "edits" in given:
            given["edits"] = _edits(given["edits"], _without_marks(given))
        if "subjects" in given:
            given["subjects"] = _subjects(given["subjects"], _without_marks(given))
        parameters = _parameters(operation, given)
        check_marks(parameters)
        return cls(
            parameters=parameters, operation=operation.name, given=frozenset(given), on=on, files=files
        )

    @classmethod
    def of(cls, operation: str, parameters: Parameters, *, on: bool = True) -> Self:
        """The step that does to other pictures what was done to one, masks left out.

        Raises:
            EditorError: the operation takes no picture.
        """
        declared = _operation(operation)
        picture = declared.picture
        assert picture is not None, "checked above"
        usual = _parameters(declared, _required(declared, parameters))
        changed = {
            item.name: getattr(parameters, item.name)
            for item in declared.parameters.declared()
            if item.name not in (*_OF_THE_PICTURE, picture.name)
            and item.type is not Mask
            and (item.required or getattr(parameters, item.name) != getattr(usual, item.name))
        }
        made = replace(usual, **changed)
        return cls(parameters=made, operation=operation, given=frozenset(changed), on=on)

    @property
    def declared(self) -> Operation:
        return OPERATIONS[self.operation]

    @property
    def own_seed(self) -> int | None:
        """The seed that the step itself names."""
        return getattr(self.parameters, "seed", None) if "seed" in self.given else None

    def for_picture(self, name: str, seed: int, amount: float = 100.0) -> Parameters:
        """The parameters for a file's picture, called by its hash, with so many percent of the change."""
        picture = self.declared.picture
        assert picture is not None, "read so"
        values: dict[str, Any] = {picture.name: Picture(name)}
        known = {item.name: item for item in self.parameters.declared()}
        if "seed" in known and "seed" not in self.given:
            values["seed"] = seed
        scaled = self.declared.amount
        if scaled and amount != 100:
            before = getattr(self.parameters, scaled)
            values[scaled] = _scaled(known[scaled], before, amount / 100)
        return replace(self.parameters, **values)

    def assets(self) -> Iterator[tuple[str, str]]:
        """(hash, ending of a file) of what the step needs beside the picture, but for deltas."""
        picture = self.declared.picture
        for item in self.parameters.declared():
            kind = _content_type(item)
            if item == picture or kind is None or item.name not in self.given:
                continue
            value = getattr(self.parameters, item.name)
            for content in contents_in(value):
                yield content.hash, _ENDINGS.get(kind, ".bin")

    def with_files(self, files: Mapping[str, str]) -> OperationStep:
        """The same step with other places of its files."""
        return replace(self, files=dict(files))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, subjects by their words."""
        plain = self.parameters.to_json()
        prompt = _without_marks(plain)
        found: dict[str, Any] = {}
        for item in self.parameters.declared():
            if item.name not in self.given:
                continue
            value = getattr(self.parameters, item.name)
            if item.name == "edits":
                found["edits"] = [_edit_to_json(edit, prompt) for edit in value]
            elif item.name == "subjects":
                found["subjects"] = [numbered(prompt, one.start, one.end) for one in value]
            elif _content_type(item) is not None:
                found[item.name] = _files_to_json(value, self.files)
            else:
                found[item.name] = plain[item.name]
        return {"operation": self.operation, "parameters": found}

    def canonical(self) -> dict[str, Any]:
        """All that decides the result, defaults as well: for the fingerprint."""
        values = self.parameters.to_json()
        if "seed" not in self.given:
            values.pop("seed", None)
        return {"operation": self.operation, "parameters": values}


def _without_marks(values: Mapping[str, Any]) -> str:
    """The prompt to look for subjects in: where it has weights, with spaces for their marks."""
    prompt = values.get("prompt", "")
    return understood(prompt, weighted=values.get("weighted") is True).text if isinstance(prompt, str) else ""


def numbered(prompt: str, start: int, end: int) -> str:
    """Characters [start, end) of a prompt as `find_numbered` finds them again: “man”, or “man#2”."""
    phrase = prompt[start:end]
    for number in range(1, len(words(prompt)) + 1):
        called = phrase if number == 1 else f"{phrase}#{number}"
        try:
            if find_numbered(prompt, called) == (start, end):
                return called
        except EditorError:
            break
    return phrase


def operations_on_pictures() -> tuple[Operation, ...]:
    """Those that a recipe may name."""
    return tuple(
        operation
        for operation in OPERATIONS.values()
        if operation.interactive and not operation.artifact and operation.picture is not None
    )


def _content_type(item: ParameterField) -> Any:
    """The type of content that a parameter names; None for all else."""
    return None if item.declaration.hidden else content_type(item)


def _operation(name: str) -> Operation:
    known = {operation.name: operation for operation in operations_on_pictures()}
    if name in known:
        return known[name]
    if name in OPERATIONS:
        raise EditorError(
            "“{name}” takes no picture, so it cannot be done to one.",
            "Operations on pictures are: {known}.",
            name=name,
            known=listed(known),
        )
    raise EditorError(
        "Unknown operation “{name}”.",
        "Operations on pictures are: {known}.",
        name=name[:40],
        known=listed(known),
    )


def _check_names(operation: Operation, given: Mapping[str, Any]) -> None:
    picture = operation.picture
    own = {picture.name if picture is not None else "", *_OF_THE_PICTURE}
    known = [item.name for item in operation.parameters.declared() if item.name not in own]
    unknown = unknown_names(given, known)
    if set(unknown) & own:
        raise EditorError(
            "“{name}” is set, but it is the file's.", "Leave it out.", name=listed(set(unknown) & own)
        )
    if unknown:
        raise EditorError(
            "Unknown parameter {unknown}.",
            "Known are: {known}.",
            unknown=listed(unknown),
            known=listed(known),
        )


def _parameters(operation: Operation, given: Mapping[str, Any]) -> Parameters:
    """What a recipe gives, of any picture. What it leaves out has its default, and not what that means in a
    layer that was made before there was the parameter.
    """
    picture = operation.picture
    assert picture is not None, "one of `operations_on_pictures`"
    declared = operation.parameters.declared()
    usual = {item.name: item.default for item in declared if item.declaration.absent is not None}
    return operation.parameters.from_json({**usual, **given, picture.name: _ANY})


def _required(operation: Operation, parameters: Parameters) -> dict[str, Any]:
    """The JSON of what has no default."""
    plain = parameters.to_json()
    return {item.name: plain[item.name] for item in operation.parameters.declared() if item.required}


def _read_files(
    item: ParameterField, value: object, folder: Path | None, contents: dict[str, Any], files: dict[str, str]
) -> Any:
    """The hashes of the files that a parameter names as {"file": …, "hash": …}.

    Raises:
        EditorError: no file, another one than the hash says, or one outside of the recipe's folder.
    """
    if value is None:
        return None
    kind = _content_type(item)
    several = typing.get_origin(item.type) is tuple
    found: list[str] = []
    for one in items(value, item.name) if several else [value]:
        given = fields(one, Message("{name}", name=item.name))
        place = PurePosixPath(text(given.get("file"), item.name, 4096))
        strange = any(sign in str(place) for sign in "\\:\0")
        if place.is_absolute() or ".." in place.parts or strange:
            raise EditorError(
                "“{path}” lies outside of the recipe's folder.", "Put it beside the recipe.", path=place
            )
        if folder is None:
            raise EditorError(
                "“{path}” belongs to the recipe and is not here.", "Read it from its file.", path=place
            )
        blob = read_content(kind, folder / place)
        name = content_hash(blob)
        wanted = text(given.get("hash", name), "hash", 64)
        if wanted != name:
            raise EditorError(
                "“{path}” is not the file that the recipe was made with.",
                "Get the recipe again, with its files.",
                path=place,
            )
        contents[name], files[name] = blob, str(place)
        found.append(name)
    return found if several else found[0]


def _files_to_json(value: Any, files: Mapping[str, str]) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return [_files_to_json(one, files) for one in cast("tuple[Any, ...]", value)]
    return {"file": files.get(value.hash, ""), "hash": value.hash}


def _edits(value: object, prompt: str) -> list[dict[str, Any]]:
    """Sliders as the operation declares them; a subject may be given by its word.

    Raises:
        EditorError: it is not in the prompt.
    """
    found: list[dict[str, Any]] = []
    for one in items(value, Message("edits"), MOST_EDITS):
        given = dict(fields(one, Message("edits")))
        if "subject" in given:
            start, end = find_numbered(prompt, text(given.pop("subject"), "subject"))
            given |= {"start": start, "end": end}
        found.append(given)
    return found


def _edit_to_json(edit: SubjectEdit, prompt: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "subject": numbered(prompt, edit.start, edit.end),
        "attribute": edit.attribute,
        "value": edit.value,
    }
    return found if edit.delta is None else found | {"delta": edit.delta.hash}


def _subjects(value: object, prompt: str) -> Any:
    """Subjects by their words, or as the operation declares them."""
    given = items(value, Message("subjects"), MOST_SUBJECTS)
    if not all(isinstance(one, str) for one in given):
        return given
    found = subjects_of(prompt, [find_numbered(prompt, text(one, "subjects")) for one in given])
    return [_subject_to_json(one) for one in found]


def _subject_to_json(subject: RefineSubject) -> dict[str, Any]:
    return {"start": subject.start, "end": subject.end, "modifiers": [list(one) for one in subject.modifiers]}


def _scaled(item: ParameterField, value: Any, share: float) -> Any:
    """A number, or the sliders, times the recipe's amount, inside of what is allowed."""
    if isinstance(value, tuple):
        edits = cast("tuple[SubjectEdit, ...]", value)
        return tuple(replace(edit, value=edit.value * share) for edit in edits)
    about = item.declaration
    low, high = about.min, about.max
    scaled = value * share
    scaled = scaled if high is None else min(scaled, high)
    return scaled if low is None else max(scaled, low)


def blank_step(operation: Operation) -> OperationStep:
    """A step of which nothing is set yet, to be filled by hand; a prompt that is needed is empty."""
    needed = {item.name: "" for item in operation.parameters.declared() if item.required}
    parameters = _parameters(operation, needed)
    return OperationStep(parameters=parameters, operation=operation.name, given=frozenset())


def edits_from_text(text: str, prompt: str) -> tuple[SubjectEdit, ...]:
    """Sliders written as “man:age=1.5, woman:smile=1”.

    Raises:
        EditorError: it is not of that form, a subject is not in the prompt, or a slider is there twice.
    """
    found: list[SubjectEdit] = []
    for part in (one.strip() for one in text.replace(";", ",").split(",")):
        if not part:
            continue
        place, _, value = part.rpartition("=")
        subject, _, attribute = place.rpartition(":")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not subject.strip() or not attribute.strip() or not abs(number) <= MOST_CHANGE:
            raise EditorError(
                "“{text}” cannot be read.", "Write SUBJECT:ATTRIBUTE=VALUE, such as man:age=1.5.", text=part
            )
        start, end = find_numbered(prompt, subject)
        found.append(SubjectEdit(start=start, end=end, attribute=attribute.strip(), value=number))
    refuse_twin_edits(found, prompt)
    return tuple(found)


def edits_to_text(edits: tuple[SubjectEdit, ...], prompt: str) -> str:
    """What `edits_from_text` reads."""
    return ", ".join(
        f"{numbered(prompt, edit.start, edit.end)}:{edit.attribute}={edit.value:g}" for edit in edits
    )
