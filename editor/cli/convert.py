"""`attune convert`: what opening and exporting do, without a window. Free of Qt."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from editor.cli.boundary import status_of
from editor.cli.operations import check_folder
from editor.cli.output import complain, print_json, say
from editor.cli.parser import ORIGINAL
from editor.document.known_file import same_file
from editor.formats import FORMATS, ExportOptions, FileFormat, Opened, format_for_reading, format_for_writing
from editor.formats.files import export_picture, open_file, save_project
from editor.formats.losses import what_would_be_lost
from editor.formats.preparing import depth_of
from editor.system.errors import DONE
from inference.errors import EditorError
from inference.messages import Message, listed, untranslated

_SIZES = ("width", "height", "percent")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file to be written from another one; `error` is why it cannot be."""

    source: Path
    target: Path
    format: FileFormat
    error: EditorError | None = None


def convert(arguments: argparse.Namespace) -> int:
    """`attune convert IN … -o OUT`: of several files each one that can be written is, in spite of the others.

    Raises:
        EditorError: the only file cannot be opened or written, or what was asked for makes no sense.
    """
    started = time.perf_counter()
    given = _given(arguments)
    options = ExportOptions(**given)
    jobs = _jobs(arguments.inputs, arguments.output, options)
    _check_targets(jobs, arguments.inputs, overwrite=arguments.overwrite)
    written: list[dict[str, Any]] = []
    failures: list[tuple[Job, EditorError]] = []
    for job in jobs:
        try:
            written.append(_written(job, options, given))
        except EditorError as error:
            if len(jobs) == 1:
                raise
            failures.append((job, error))
            complain(f"{job.source}: {error}")
            continue
        for note in written[-1]["notes"]:
            complain(f"{job.source}: {note}")
        if not arguments.json:
            say(str(job.target))
    if arguments.json:
        print_json(_report(options, written, failures, time.perf_counter() - started))
    return max((status_of(error) for _, error in failures), default=DONE)


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of an export that were given; the others keep their defaults."""
    found = {item.name: getattr(arguments, item.name, None) for item in ExportOptions.declared()}
    if found["quality"] == ORIGINAL:
        found |= {"quality": None, "like_original": True}
    return {name: value for name, value in found.items() if value is not None}


def _jobs(inputs: list[Path], output: Path, options: ExportOptions) -> list[Job]:
    """What is to be written where: into a folder under the inputs' names, or one file.

    Raises:
        EditorError: several inputs and no folder, or an ending that nothing is written with.
    """
    if output.is_dir():
        return [_job_in_folder(path, output, options.format) for path in inputs]
    if len(inputs) > 1:
        raise EditorError(
            "There are {count} pictures, and “{path}” is no folder.",
            "Name a folder that is there with -o.",
            count=len(inputs),
            path=output,
        )
    check_folder(output)
    return [Job(source=inputs[0], target=output, format=format_for_writing(output, options.format))]


def _job_in_folder(path: Path, folder: Path, name: str) -> Job:
    """Without a name of a format a picture keeps its own, or becomes a PNG where that is only read."""
    if name:
        chosen = format_for_writing(path, name)
        return Job(source=path, target=folder / f"{path.stem}{chosen.extensions[0]}", format=chosen)
    chosen, error = FORMATS["png"], None
    try:
        found = format_for_reading(path)
        chosen = found if found.writable and not found.keeps_layers else chosen
    except EditorError as problem:
        error = problem
    ending = path.suffix if path.suffix.lower() in chosen.extensions else chosen.extensions[0]
    return Job(source=path, target=folder / f"{path.stem}{ending}", format=chosen, error=error)


def _check_targets(jobs: list[Job], inputs: list[Path], *, overwrite: bool) -> None:
    """Refuse to lose a picture: one that is read here, or of two that would get one name.

    Raises:
        EditorError: which.
    """
    seen: dict[Path, Path] = {}
    for job in jobs:
        if job.error is not None:
            continue
        check_folder(job.target)
        if job.target in seen:
            raise EditorError(
                "“{first}” and “{second}” would both become “{target}”.",
                "Convert them into different folders.",
                first=seen[job.target],
                second=job.source,
                target=job.target,
            )
        seen[job.target] = job.source
        if not overwrite and any(same_file(job.target, path) for path in inputs):
            raise EditorError(
                "“{target}” is a picture that is converted itself.",
                "Choose another name or folder, or replace it with --overwrite.",
                target=job.target,
            )


def _written(job: Job, options: ExportOptions, given: dict[str, Any]) -> dict[str, Any]:
    """Open and write one file; what --json says of it.

    Raises:
        EditorError: it cannot be opened or written; what stood in its place still does.
    """
    if job.error is not None:
        raise job.error
    opened = open_file(job.source, options.size_of)
    if format_for_reading(job.source).scalable:  # drawn at that size
        options = replace(options, width=0, height=0, percent=100.0)
        given = {name: value for name, value in given.items() if name not in _SIZES}
    notes = [*opened.notes, *_useless(job.format, given)]
    if job.format.keeps_layers:
        _save(job, opened, given)
        size, depth = (opened.state.width, opened.state.height), opened.state.depth
    else:
        notes += _left_out(opened, job.format, options)
        chosen = replace(options, format=job.format.name)
        notes += export_picture(opened.state, opened.source, job.target, chosen)
        size = options.size_of(opened.state.width, opened.state.height)
        depth = depth_of(opened.state, options, deep=job.format.deep)
    return {
        "input": str(job.source.absolute()),
        "output": str(job.target.absolute()),
        "format": job.format.name,
        "width": size[0],
        "height": size[1],
        "depth": depth,
        "notes": [str(note) for note in dict.fromkeys(notes)],
    }


def _save(job: Job, opened: Opened, given: dict[str, Any]) -> None:
    """Projects hold everything as it is.

    Raises:
        EditorError: an option asks for something else.
    """
    changing = sorted({*given} & {"metadata", "location", "depth", "profile", *_SIZES})
    if changing:
        raise EditorError(
            "A project keeps the picture as it is; {flag} is for other formats.",
            "Leave it out, or write a PNG, TIFF, JPEG, WebP or AVIF.",
            flag=f"--{changing[0]}",
        )
    save_project(opened.state, opened.source, job.target)


def _useless(chosen: FileFormat, given: dict[str, Any]) -> Iterator[Message]:
    """Options without a meaning in the format."""
    if given.get("like_original") and chosen.name != "jpeg":
        yield Message("{format} cannot be encoded as a JPEG was.", format=chosen.label)
    if "quality" in given and not chosen.lossy:
        yield Message("{format} has no quality: nothing is lost in it.", format=chosen.label)
    if given.get("depth") == "16" and not chosen.deep:
        yield Message("{format} holds 8 bits a channel.", format=chosen.label)


def _left_out(opened: Opened, chosen: FileFormat, options: ExportOptions) -> list[Message]:
    """What the file carries and the format has no place for."""
    lost = what_would_be_lost(opened.source, chosen.name, options)
    names = listed(item.said(untranslated) for item in lost)
    return [Message("{format} has no place for {names}.", format=chosen.label, names=names)] if lost else []


def _report(
    options: ExportOptions,
    written: list[dict[str, Any]],
    failures: list[tuple[Job, EditorError]],
    seconds: float,
) -> dict[str, Any]:
    """What --json prints: every option used, what was written, and what could not be."""
    errors = [
        {
            "input": str(job.source.absolute()),
            "message": error.message,
            "hint": error.hint,
            "status": status_of(error),
        }
        for job, error in failures
    ]
    return {
        "parameters": options.to_json(),
        "outputs": [one["output"] for one in written],
        "notes": [note for one in written for note in one["notes"]],
        "files": written,
        "errors": errors,
        "seconds": {"total": round(seconds, 4)},
    }
