"""The commands that make pictures. Free of Qt: works on a server."""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from editor.cli.loras import parsed_loras
from editor.cli.output import ProgressPrinter, complain, print_json, say
from editor.document.known_file import same_file
from editor.formats import ExportOptions, FileFormat, Opened, format_for_writing
from editor.formats.files import export_picture, open_file
from editor.generating.contents import photo_of, picture_in, read_content
from editor.generating.ground import brought, ground_of
from editor.generating.untouched import untouched_outside
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, Subject
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.arithmetic import to_rgba
from editor.system.errors import DONE
from editor.system.folders import concepts_folder, config_folder, deltas_folder
from inference.concepts.files import concept_from_bytes
from inference.concepts.library import ConceptLibrary
from inference.concepts.standing import with_concepts
from inference.content import Contents, content_hash
from inference.content import Picture as PictureContent
from inference.errors import EditorError
from inference.kinds import content_type
from inference.messages import Message, listed, short
from inference.methods.prompt_to_prompt.presets import check_prompts
from inference.operations import MOST_CHANGE, OPERATIONS, Insert, RefineSubject, SubjectEdit, Translate
from inference.parameters import Parameters
from inference.progress import Measurements, Progress
from inference.prompts.subjects import refuse_twin_edits, refuse_twin_subjects, subjects_of
from inference.prompts.weights import read
from inference.prompts.words import find_numbered
from inference.request import Pixels, Request, Result

LONGEST_NAME_BYTES = 255  # that usual file systems allow


def run_operation(arguments: argparse.Namespace) -> int:
    """`attune generate`, `attune attribute` and every other operation: one request, one picture."""
    started = time.perf_counter()
    written_as = _checked_output(arguments.output)
    _keep_inputs(arguments)
    files: dict[str, Opened] = {}
    parameters, contents = parameters_of(arguments, files)
    if isinstance(parameters, Insert):
        check_prompts(parameters)  # a model may take minutes to load
    request = Request(operation=arguments.operation, parameters=parameters, model=arguments.model)
    printer = ProgressPrinter(quiet=arguments.json)
    runner = runner_of(arguments)
    if isinstance(parameters, Translate):
        _tell_memory(runner, request, parameters, contents)
    try:
        result = runner.run(request, contents, Progress(printer))
    finally:
        printer.close()
    picture = request.declared.picture
    source = files.get(picture.name) if picture is not None else None
    outputs, lost = _write(result, contents, source, written_as, arguments.output)
    result = replace(result, notes=tuple(dict.fromkeys((*result.notes, *lost))))
    seconds = time.perf_counter() - started
    if arguments.json:
        print_json(report(result, outputs, seconds))
    else:
        paths = ", ".join(map(str, outputs))
        say(f"{paths}  ({seconds:.1f} s, seed {getattr(result.request.parameters, 'seed', '-')})")
        for note in result.notes:
            complain(str(note))
    return DONE


def _keep_inputs(arguments: argparse.Namespace) -> None:
    """Refuse to write the result over what it is made from, before the work.

    Raises:
        EditorError: the output is one of the files that are read.
    """
    given: dict[str, Any] = {name: value for name, value in vars(arguments).items() if name != "output"}
    lists: list[list[Any]] = [value if isinstance(value, list) else [value] for value in given.values()]
    for path in itertools.chain.from_iterable(lists):
        if isinstance(path, Path) and same_file(arguments.output, path):
            raise EditorError(
                "“{path}” is what the result is made from.", "Choose another name for it.", path=path
            )


def _tell_memory(runner: Any, request: Request, parameters: Translate, contents: dict[str, Any]) -> None:
    """What is kept of the picture for further texts, before the run starts."""
    from inference.methods.plug_and_play.translate import feature_bytes  # with torch

    height, width = contents[parameters.image.hash].shape[:2]
    needed = feature_bytes(runner.backbone(request.model, Progress()), parameters, width, height)
    complain(
        str(
            Message(
                "keeps {kept:.1f} MiB of the picture's features, at most {limit} MiB.",
                kept=needed / 2**20,
                limit=parameters.kept_mib,
            )
        )
    )


def parameters_of(
    arguments: argparse.Namespace, files: dict[str, Opened] | None = None
) -> tuple[Parameters, dict[str, Any]]:
    """The operation's parameters as given, and the pictures they name; the rest stays at its default.

    Args:
        files: gets what the files of single pictures held, by the parameters' names.

    Raises:
        EditorError: a value is out of range, a subject is not in the prompt, an edit cannot be read or is
            there twice.
    """
    if arguments.operation == "attribute" and arguments.image is not None:
        arguments.operation = "edit"
        _refuse_ignored(arguments)
    kind = OPERATIONS[arguments.operation].parameters
    given = {
        item.name: value
        for item in kind.declared()
        if (value := getattr(arguments, item.name, None)) is not None and not item.declaration.hidden
    }
    contents = _read_contents(kind, given, {} if files is None else files)
    asks = any(item.name == "prompt" and not item.declaration.may_be_empty for item in kind.declared())
    if asks and not given.get("prompt", "").strip():
        raise EditorError("The prompt is empty.", "Say in words what the picture shows.")
    for name, text in given.items():
        if isinstance(text, str) and any("\ud800" <= one <= "\udfff" for one in text):
            raise EditorError("{flag} holds bytes that are no text.", "Type it anew.", flag=f"--{name}")
    if getattr(arguments, "edits", None):
        given["edits"] = tuple(parsed_edit(text, _read_prompt(given)) for text in arguments.edits)
        refuse_twin_edits(given["edits"], _read_prompt(given))
    if getattr(arguments, "lora", None):
        given["loras"] = parsed_loras(arguments.lora)
    if arguments.operation == "refine":
        given["subjects"] = parsed_subjects(arguments.subjects, _read_prompt(given))
    named = kind(**given)
    parameters, found = with_concepts(named, contents, ConceptLibrary(concepts_folder()))
    _tell_unwritten(named, parameters, contents)
    return parameters, found


def _tell_unwritten(named: Parameters, parameters: Parameters, contents: Contents) -> None:
    """Concepts that were named and stand in no prompt: nothing else would show that they do nothing."""
    used = getattr(parameters, "concepts", ())
    for one in dict.fromkeys(getattr(named, "concepts", ())):
        blob = contents.get(one.hash)
        if one not in used and isinstance(blob, bytes):
            word = concept_from_bytes(blob).word
            complain(
                str(
                    Message(
                        "“{word}” stands in no prompt and does nothing: write it, in its angle brackets, "
                        "where it is meant.",
                        word=word,
                    )
                )
            )


def _refuse_ignored(arguments: argparse.Namespace) -> None:
    """Values that only a generated picture has would be ignored without a word.

    Raises:
        EditorError: there is one.
    """
    hidden = [item.name for item in OPERATIONS["edit"].parameters.declared() if item.declaration.hidden]
    for name in hidden:
        if name != "edits" and getattr(arguments, name, None) is not None:
            raise EditorError(
                "{flag} says nothing together with --image.",
                "The result is as large as the picture; leave it out.",
                flag=f"--{name.replace('_', '-')}",
            )


def _read_contents(kind: type[Parameters], given: dict[str, Any], files: dict[str, Opened]) -> dict[str, Any]:
    """Read the files that were named and put their contents' names into `given`."""
    contents: dict[str, Any] = {}
    for item in kind.declared():
        if item.name not in given or item.declaration.hidden:
            continue
        wanted = content_type(item)
        if wanted is None:
            continue
        paths = given[item.name] if isinstance(given[item.name], list) else [given[item.name]]
        several = issubclass(wanted, PictureContent) and isinstance(given[item.name], list)
        if issubclass(wanted, PictureContent) and not several:
            files[item.name] = open_file(paths[0])
            blobs: list[Any] = [picture_in(files[item.name].state)]
        else:
            blobs = [photo_of(path) if several else read_content(wanted, path) for path in paths]
        names = [content_hash(blob) for blob in blobs]
        contents |= dict(zip(names, blobs, strict=True))
        named = tuple(wanted(name) for name in names)
        given[item.name] = named if isinstance(given[item.name], list) else named[0]
    return contents


def _read_prompt(given: Mapping[str, Any]) -> str:
    """The prompt to look for subjects in: where it has weights, with spaces for their marks."""
    prompt = str(given["prompt"])
    return read(prompt).text if given.get("weighted") else prompt


def parsed_edit(text: str, prompt: str) -> SubjectEdit:
    """Read "man:age=1.5" or "man#2:hair length=-1".

    Raises:
        EditorError: it is not of that form, or the subject is not in the prompt.
    """
    place, _, value = text.rpartition("=")
    subject, _, attribute = place.rpartition(":")
    if not subject.strip() or not attribute.strip():
        raise _unreadable(text)
    try:
        number = float(value)
    except ValueError as error:
        raise _unreadable(text) from error
    if not abs(number) <= MOST_CHANGE:  # NaN as well
        raise EditorError(
            "“{text}”: the value must be a number from -{most:g} to {most:g}.",
            "Most attributes go from -2 to 2; “attune deltas list” shows it.",
            text=short(text),
            most=MOST_CHANGE,
        )
    start, end = find_numbered(prompt, subject)
    return SubjectEdit(start=start, end=end, attribute=attribute.strip(), value=number)


def parsed_subjects(phrases: Sequence[str], prompt: str) -> tuple[RefineSubject, ...]:
    """Read "cat", "red car" or "man#2"; modifiers are those that the prompt suggests.

    Raises:
        EditorError: there is none, one is not in the prompt, or is named twice.
    """
    if not phrases:
        suggested = listed(prompt[one.start : one.end] for one in subjects_of(prompt))
        raise EditorError(
            "There is no subject.",
            "Name some with --subjects; this prompt seems to have: {suggested}.",
            suggested=suggested or Message("none"),
        )
    found = subjects_of(prompt, [find_numbered(prompt, phrase) for phrase in phrases])
    refuse_twin_subjects(found, prompt)
    return found


def report(result: Result, outputs: list[Path], seconds: float) -> dict[str, Any]:
    """What --json prints: every parameter used, the cost, and where the pictures are."""
    request = result.request
    return {
        "operation": request.operation,
        "parameters": request.parameters.to_json(),
        "model": request.model,
        "model_hash": request.model_hash,
        **costs(result.measured, seconds),
        "outputs": [str(path.absolute()) for path in outputs],
        "notes": [str(note) for note in result.notes],
        "scores": dict(result.scores),
    }


def costs(measured: Measurements, seconds: float) -> dict[str, Any]:
    """What a command that took `seconds` in all cost.

    Its phases lie side by side; with "other", of which most is the loading of libraries, they add up.
    """
    return {
        "seconds": {
            **{name: round(value, 4) for name, value in measured.seconds.items()},
            "other": round(max(0.0, seconds - sum(measured.seconds.values())), 4),
            "total": round(seconds, 4),
        },
        "denoiser_evaluations": measured.denoiser_evaluations,
        "backward_evaluations": measured.backward_evaluations,
        "peak_memory_bytes": measured.peak_memory_bytes,
    }


def runner_of(arguments: argparse.Namespace) -> Any:
    from inference.runner import make_runner

    return make_runner(
        config_folder(),
        deltas_folder(),
        device=arguments.device,
        dtype=arguments.dtype,
        memory_mode=getattr(arguments, "memory_mode", "auto"),
        storage=getattr(arguments, "storage", "auto"),
    )


def _checked_output(path: Path) -> FileFormat:
    """Find out before the work what would make it vain."""
    check_folder(path)
    return format_for_writing(path)


def check_folder(path: Path) -> None:
    if path.is_dir():
        raise EditorError("“{path}” is a folder.", "Name a file in it.", path=path)
    if not path.absolute().parent.is_dir():
        raise EditorError(
            "There is no folder “{path}”.",
            "Make it first, or choose another.",
            path=path.absolute().parent,
        )
    if path.exists() and not path.is_file():
        raise EditorError("“{path}” is a pipe, a device or a link to one.", "Choose another name.", path=path)
    if len(os.fsencode(path.name)) > LONGEST_NAME_BYTES:
        raise EditorError(
            "The name “{name}” is too long.",
            "Choose one of at most {most} bytes.",
            name=path.name[:40],
            most=LONGEST_NAME_BYTES,
        )


def _write(
    result: Result, contents: dict[str, Any], source: Opened | None, written_as: FileFormat, path: Path
) -> tuple[list[Path], list[Message]]:
    """Write all pictures: OUT.png, OUT-2.png …; gives sentences on what could not be kept.

    Args:
        source: the file of the picture that was worked on. What comes of it has its depth, colours,
            resolution and metadata, as in the window.
    """
    recipe = Recipe.of(result, contents, _subjects(result.request.parameters))
    paths = [path, *(path.with_stem(f"{path.stem}-{n}") for n in range(2, len(result.images) + 1))]
    carried = SourceMetadata() if source is None else source.source
    notes: list[Message] = [] if source is None else [*source.notes]
    seen = recipe.contents.get(recipe.picture)
    images = untouched_outside(result, seen) if isinstance(seen, np.ndarray) else result.images
    for pixels, place in zip(images, paths, strict=True):
        state = _document(result, pixels, recipe, source)
        notes += export_picture(state, carried, place, ExportOptions(format=written_as.name))
    return paths, notes


def _document(result: Result, pixels: Pixels, recipe: Recipe, source: Opened | None) -> DocumentState:
    """One layer with the result, on the samples that it was made from."""
    if source is None:
        return DocumentState.of_layer(
            Layer.of_pixels(name="Generated", pixels=to_rgba(pixels), recipe=recipe, maps=result.maps)
        )
    state, seen = source.state, recipe.contents.get(recipe.picture)
    factor = getattr(result.request.parameters, "factor", 1.0) if result.request.declared.enlarges else 1.0
    ground = None
    if isinstance(seen, np.ndarray):
        ground = ground_of(state, state.layers, state.area, seen)
    if ground is not None and factor != 1:
        ground = ground.enlarged(factor)
    raster = brought(ground, pixels, state.icc_profile)
    made = DocumentState.of_layer(Layer(name="Generated", raster=raster, made=recipe, maps=result.maps))
    dpi = None if state.dpi is None else (state.dpi[0] * factor, state.dpi[1] * factor)
    return replace(made, icc_profile=state.icc_profile, dpi=dpi)


def _subjects(parameters: Parameters) -> tuple[Subject, ...]:
    """The edited subjects, so that the window shows them with their sliders."""
    chosen: tuple[SubjectEdit | RefineSubject, ...] = (
        *getattr(parameters, "edits", ()),
        *getattr(parameters, "subjects", ()),
    )
    prompt: str = getattr(parameters, "prompt", "")
    spans = sorted({(one.start, one.end) for one in chosen})
    return tuple(
        Subject(start=start, end=end, text=prompt[start:end], colour_index=index)
        for index, (start, end) in enumerate(spans)
    )


def _unreadable(text: str) -> EditorError:
    return EditorError(
        "“{text}” cannot be read.", "Write SUBJECT:ATTRIBUTE=VALUE, such as man:age=1.5.", text=short(text)
    )
