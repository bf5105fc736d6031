"""The commands for deltas, concepts and models: `attune deltas …`, `attune concepts …`, `attune models …`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from editor.cli.output import DownloadPrinter, ScanPrinter, complain, print_json, print_table, say, size_text
from editor.system.errors import DONE, WRONG_ARGUMENTS
from editor.system.folders import concepts_folder, config_folder, deltas_folder
from inference.errors import EditorError, WritingError

_SUBJECTS_SHOWN = 4


def list_deltas(arguments: argparse.Namespace) -> int:
    entry = _catalogue().locate(arguments.model) if arguments.model else None
    infos = _library().list(entry)
    if arguments.json:
        print_json({"deltas": [_delta_json(info) for info in infos]})
        return DONE
    rows = [
        (
            info.key,
            info.attribute,
            _first(info.subjects),
            f"{info.range[0]:g} … {info.range[1]:g}",
            info.method,
        )
        for info in infos
    ]
    print_table(rows, ("Name", "Attribute", "Subjects", "Range", "Method"))
    return DONE


def _first(subjects: Sequence[str]) -> str:
    """As many as there is room for, and that there are more."""
    return " ".join([*subjects[:_SUBJECTS_SHOWN], *(["…"] if len(subjects) > _SUBJECTS_SHOWN else [])])


def import_deltas(arguments: argparse.Namespace) -> int:
    library = _library()
    infos, refused = _each(arguments.files, library.import_delta)
    if arguments.json:
        print_json({"deltas": [_delta_json(info) for info in infos], "refused": refused})
    else:
        for info in infos:
            say(f"{info.key}: {info.attribute} ({_widths(info)})")
    return _told(refused, as_json=arguments.json)


def export_delta(arguments: argparse.Namespace) -> int:
    library = _library()
    library.file_of(arguments.name)  # whether there is one comes before where it would go
    path = arguments.output or _new(Path(f"{arguments.name.rpartition('/')[2]}.safetensors"))
    library.export_delta(arguments.name, path)
    if arguments.json:
        print_json({"outputs": [str(path.absolute())]})
    else:
        say(str(path))
    return DONE


def remove_delta(arguments: argparse.Namespace) -> int:
    library = _library()
    info = library.own(arguments.name)
    library.remove(info)
    if arguments.json:
        print_json({"removed": info.key})
    else:
        say(f"{info.key} was deleted; pictures made with it keep theirs.")
    return DONE


def list_concepts(arguments: argparse.Namespace) -> int:
    everything = _concepts().list()
    if arguments.json:
        print_json({"concepts": [_concept_json(kept) for kept in everything]})
        return DONE
    rows = [
        (one.word, one.concept.kind, str(one.concept.count), one.concept.model or one.concept.family.upper())
        for one in everything
    ]
    print_table(rows, ("Word", "A kind of", "Vectors", "For"))
    return DONE


def import_concepts(arguments: argparse.Namespace) -> int:
    if arguments.token and len(arguments.files) > 1:
        raise EditorError("One word cannot name {count} files.", count=len(arguments.files))
    library = _concepts()
    kept, refused = _each(arguments.files, lambda path: library.import_concept(path, arguments.token))
    if arguments.json:
        print_json({"concepts": [_concept_json(one) for one in kept], "refused": refused})
    else:
        for one in kept:
            say(f"{one.word} ({_widths(one.concept)})")
    return _told(refused, as_json=arguments.json)


def _each(files: Sequence[Path], take: Callable[[Path], Any]) -> tuple[list[Any], list[str]]:
    """What became of the files, and why others are refused: one that is damaged keeps none out."""
    taken: list[Any] = []
    refused: list[str] = []
    for path in files:
        try:
            taken.append(take(path))
        except WritingError:
            raise
        except EditorError as error:
            refused.append(str(error))
    return taken, refused


def _told(refused: Sequence[str], *, as_json: bool) -> int:
    """The exit status; what was refused is told, unless that is in the JSON."""
    for sentence in refused if not as_json else ():
        complain(sentence)
    return WRONG_ARGUMENTS if refused else DONE


def export_concept(arguments: argparse.Namespace) -> int:
    library = _concepts()
    kept = library.kept(arguments.word)
    path = arguments.output or _new(Path(kept.path.name))
    library.export(kept.word, path)
    if arguments.json:
        print_json({"outputs": [str(path.absolute())]})
    else:
        say(str(path))
    return DONE


def _new(path: Path) -> Path:
    """A file that nobody named: it replaces none."""
    if path.exists():
        raise EditorError(
            "There is a file “{name}” already.",
            "Choose another with -o, or this one to replace it.",
            name=path.name,
        )
    return path


def remove_concept(arguments: argparse.Namespace) -> int:
    _concepts().remove(arguments.word)
    if arguments.json:
        print_json({"removed": arguments.word})
    else:
        say(f"{arguments.word} was deleted; pictures made with it keep theirs.")
    return DONE


def list_models(arguments: argparse.Namespace) -> int:
    catalogue = _catalogue()
    entries = catalogue.entries()
    if catalogue.problem is not None:
        complain(str(catalogue.problem))
    if arguments.json:
        print_json({"models": [_model_json(entry) for entry in entries]})
        return DONE
    rows = [
        (
            entry.name,
            entry.family.value.upper(),
            _size(entry),
            "built-in sandbox" if entry.sandbox else _place(entry),
        )
        for entry in entries
    ]
    print_table(rows, ("Name", "Family", "Size", "Kind"))
    return DONE


def add_model(arguments: argparse.Namespace) -> int:
    catalogue, path = _catalogue(), Path(arguments.model).expanduser()
    if path.is_dir() and not (path / "model_index.json").exists():
        if arguments.vae is not None:
            raise EditorError(
                "--vae is for one model, and “{folder}” is no model.",
                "Name the model's file or folder.",
                folder=path.name,
            )
        return _add_folder(catalogue, path, as_json=arguments.json)
    printer = DownloadPrinter(quiet=arguments.json)
    try:
        entry = catalogue.add(
            arguments.model,
            tell=printer,
            token=getattr(arguments, "token", None) or "",
            vae=getattr(arguments, "vae", None),
        )
    finally:
        printer.close()
    notes = [str(note) for note in catalogue.notes(entry)]
    if arguments.json:
        print_json({"model": _model_json(entry), "notes": notes})
    else:
        say(f"{entry.name} ({entry.family.value.upper()}) was added.")
        for note in notes:
            complain(note)
    return DONE


def _add_folder(catalogue: Any, folder: Path, *, as_json: bool) -> int:
    """All models below a folder; status 2 if there is none that can be used."""
    printer = ScanPrinter(folder, quiet=as_json)
    try:
        added, refused = catalogue.add_all(folder, tell=printer)
    finally:
        printer.close()
    if as_json:
        print_json(
            {"models": [_model_json(entry) for entry in added], "refused": [str(one) for one in refused]}
        )
    else:
        for entry in added:
            say(f"{entry.name} ({entry.family.value.upper()}) was added.")
    for sentence in refused if not as_json else ():
        complain(str(sentence))
    return DONE if added else WRONG_ARGUMENTS


def recommended_models(arguments: argparse.Namespace) -> int:
    """A short list to begin with; nothing is asked of the network."""
    from inference.downloads.curated import RECOMMENDED

    if arguments.json:
        print_json(
            {
                "models": [
                    {
                        "hub_id": one.hub_id,
                        "family": one.family.value,
                        "good_at": one.good_at,
                        "size_bytes": one.size_bytes,
                        "memory_bytes": one.memory_bytes,
                        "picture": one.picture,
                        "licence": one.licence,
                        "gated": one.gated,
                    }
                    for one in RECOMMENDED
                ]
            }
        )
        return DONE
    rows = [
        (
            one.hub_id,
            f"{one.size_bytes / 1e9:.1f} GB",
            f"{one.memory_bytes / 1e9:.1f} GB at {one.picture}",
            one.licence + (" (sign in first)" if one.gated else ""),
            one.good_at,
        )
        for one in RECOMMENDED
    ]
    print_table(rows, ("Model", "Download", "Memory", "Licence", "Good at"))
    say("attune models download OWNER/NAME fetches one.")
    return DONE


def remove_model(arguments: argparse.Namespace) -> int:
    _catalogue().remove(arguments.model)
    if arguments.json:
        print_json({"removed": arguments.model})
    else:
        say(f"{arguments.model} was removed from the list; its files stay.")
    return DONE


def check_model(arguments: argparse.Namespace) -> int:
    """Status 0 if the model is complete and of a supported kind, 2 with a sentence if not."""
    report = _catalogue().check(arguments.model)
    problems = [str(problem) for problem in report.get("problems", ())]
    notes = [str(note) for note in report.get("notes", ())]
    if arguments.json:
        print_json({**report, "problems": problems, "notes": notes})
    elif not problems:
        say(f"{arguments.model}: complete.")
    for sentence in [*problems, *notes] if not arguments.json else ():
        complain(sentence)
    return WRONG_ARGUMENTS if problems else DONE


def _widths(info: Any) -> str:
    return ", ".join(f"{encoder} {width}" for encoder, width in info.widths.items())


def _library() -> Any:
    from inference.deltas import DeltaLibrary

    return DeltaLibrary.standard(deltas_folder())


def _concepts() -> Any:
    from inference.concepts.library import ConceptLibrary

    return ConceptLibrary(concepts_folder())


def _concept_json(kept: Any) -> dict[str, Any]:
    concept = kept.concept
    return {
        "token": concept.word,
        "initialised_from": concept.kind,
        "template": concept.template,
        "vectors": concept.count,
        "widths": concept.widths,
        "model": concept.model,
        "family": concept.family,
        "licence": concept.licence,
        "path": str(kept.path),
    }


def _catalogue() -> Any:
    from inference.models import Catalogue

    return Catalogue(config_folder())


def _delta_json(info: Any) -> dict[str, Any]:
    return {
        "key": info.key,
        "attribute": info.attribute,
        "label": info.label,
        "subjects": list(info.subjects),
        "range": list(info.range),
        "model": info.model,
        "family": info.family,
        "method": info.method,
        "licence": info.licence,
        "widths": dict(info.widths),
        "path": str(info.path) if info.path is not None else None,
    }


def _model_json(entry: Any) -> dict[str, Any]:
    return {
        "name": entry.name,
        "family": entry.family.value,
        "path": _place(entry),
        "sandbox": entry.sandbox,
        "size_bytes": getattr(entry, "size_bytes", 0),
        "vae": None if getattr(entry, "vae", None) is None else str(entry.vae),
    }


def _place(entry: Any) -> str:
    return str(getattr(entry, "path", None) or getattr(entry, "hub_id", ""))


def _size(entry: Any) -> str:
    return size_text(getattr(entry, "size_bytes", 0))
