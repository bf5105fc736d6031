"""The commands for deltas and models: `attune deltas …`, `attune models …`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from editor.cli.output import complain, print_json, print_table, say
from editor.system.errors import DONE, WRONG_ARGUMENTS
from editor.system.folders import config_folder, deltas_folder


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
            " ".join(info.subjects[:4]),
            f"{info.range[0]:g} … {info.range[1]:g}",
            info.method,
        )
        for info in infos
    ]
    print_table(rows, ("Name", "Attribute", "Subjects", "Range", "Method"))
    return DONE


def import_deltas(arguments: argparse.Namespace) -> int:
    library = _library()
    infos = [library.import_delta(path) for path in arguments.files]
    if arguments.json:
        print_json({"deltas": [_delta_json(info) for info in infos]})
        return DONE
    for info in infos:
        say(f"{info.key}: {info.attribute} ({_widths(info)})")
    return DONE


def export_delta(arguments: argparse.Namespace) -> int:
    path = arguments.output or Path(f"{arguments.name.rpartition('/')[2]}.safetensors")
    _library().export_delta(arguments.name, path)
    if arguments.json:
        print_json({"outputs": [str(path.absolute())]})
    else:
        say(str(path))
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
    entry = _catalogue().add(arguments.model)
    if arguments.json:
        print_json({"model": _model_json(entry)})
    else:
        say(f"{entry.name} ({entry.family.value.upper()}) was added.")
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
    if arguments.json:
        print_json({**report, "problems": problems})
    elif not problems:
        say(f"{arguments.model}: complete.")
    for problem in problems if not arguments.json else ():
        complain(problem)
    return WRONG_ARGUMENTS if problems else DONE


def _widths(info: Any) -> str:
    return ", ".join(f"{encoder} {width}" for encoder, width in info.widths.items())


def _library() -> Any:
    from inference.deltas import DeltaLibrary

    return DeltaLibrary.standard(deltas_folder())


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
    }


def _place(entry: Any) -> str:
    return str(getattr(entry, "path", None) or getattr(entry, "hub_id", ""))


def _size(entry: Any) -> str:
    return f"{getattr(entry, 'size_bytes', 0) / 2**20:.0f} MiB"
