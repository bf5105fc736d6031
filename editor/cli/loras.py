"""The commands for LoRAs, `attune loras …`, and what `--lora NAME:STRENGTH` means. Free of Qt."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from editor.cli.output import ScanPrinter, complain, print_json, print_table, say, size_text
from editor.system.errors import DONE, WRONG_ARGUMENTS
from editor.system.folders import config_folder
from inference.errors import EditorError, WritingError
from inference.loras.files import Lora, listed_names
from inference.loras.library import ListedLora, LoraLibrary
from inference.messages import Message, short
from inference.operations import MOST_LORA_STRENGTH, LoraUse


def parsed_loras(texts: Sequence[str]) -> tuple[LoraUse, ...]:
    """Read "pixel-art:0.8"; without a number the strength is 1.

    Raises:
        EditorError: a strength is none or out of range, or there is no such LoRA.
    """
    return tuple(_parsed(text) for text in texts)


def _parsed(text: str) -> LoraUse:
    name, colon, value = text.rpartition(":")
    if not colon:
        name, value = text, "1"
    try:
        strength = float(value)
    except ValueError as error:
        raise EditorError(
            "“{text}” cannot be read.", "Write NAME:STRENGTH, such as pixel-art:0.8.", text=short(text)
        ) from error
    if not abs(strength) <= MOST_LORA_STRENGTH:  # NaN as well
        raise EditorError(
            "“{text}”: the strength must be a number from -{most:g} to {most:g}.",
            "1 is what the LoRA was trained for, 0 is without it.",
            text=short(text),
            most=MOST_LORA_STRENGTH,
        )
    return _library().find(name).at(strength)


def list_loras(arguments: argparse.Namespace) -> int:
    everything = _library().list()
    if arguments.json:
        print_json({"loras": [_json(one) for one in everything]})
        return DONE
    rows = [
        (
            one.name,
            _family(one),
            str(one.rank),
            size_text(one.size_bytes),
            ", ".join(one.words),
            str(one.path) if one.path.is_file() else f"gone: {one.path}",
        )
        for one in everything
    ]
    print_table(rows, ("Name", "For", "Rank", "Size", "Words", "File"))
    return DONE


def add_loras(arguments: argparse.Namespace) -> int:
    if arguments.name and len(arguments.files) > 1:
        raise EditorError("One name cannot stand for {count} files.", count=len(arguments.files))
    library = _library()
    added: list[tuple[ListedLora, Lora]] = []
    refused: list[str] = []
    status = DONE
    for path in arguments.files:
        if path.is_dir():
            found, sentences = _folder(library, path, arguments.name, quiet=arguments.json)
            added += found
            refused += map(str, sentences)
            status = status if found else WRONG_ARGUMENTS
            continue
        try:
            added.append(library.add(path, arguments.name))
        except WritingError:
            raise
        except EditorError as error:
            refused.append(str(error))
            status = WRONG_ARGUMENTS
    if arguments.json:
        loras = [{**_json(entry), **_coverage(lora)} for entry, lora in added]
        print_json({"loras": loras, "refused": refused})
        return status
    for entry, lora in added:
        parts = ", ".join(f"{part} {count}" for part, count in lora.parts().items())
        say(f"{entry.name} ({_family(entry)}, rank {entry.rank}; layers: {parts}) was added.")
        if entry.words:
            say(f"  words for the prompt: {', '.join(entry.words)}")
        if lora.unknown:
            complain(
                str(
                    Message(
                        "{count} tensors of “{name}” are of no known layer and stay unused: {some} …",
                        count=len(lora.unknown),
                        name=entry.name,
                        some=listed_names(lora.unknown),
                    )
                )
            )
    for sentence in refused:
        complain(sentence)
    return status


def _folder(
    library: LoraLibrary, folder: Path, name: str, *, quiet: bool
) -> tuple[Sequence[tuple[ListedLora, Lora]], Sequence[Message]]:
    if name:
        raise EditorError("One name cannot stand for a folder.", "Name the file, or leave out --name.")
    printer = ScanPrinter(folder, "LoRAs", quiet=quiet)
    try:
        return library.add_all(folder, tell=printer)
    finally:
        printer.close()


def set_words(arguments: argparse.Namespace) -> int:
    entry = _library().set_words(arguments.name, arguments.words)
    if arguments.json:
        print_json({"loras": [_json(entry)]})
    else:
        say(f"{entry.name}: {', '.join(entry.words) or 'no words'}")
    return DONE


def remove_lora(arguments: argparse.Namespace) -> int:
    _library().remove(arguments.name)
    if arguments.json:
        print_json({"removed": arguments.name})
    else:
        say(f"{arguments.name} was removed from the list; its file stays.")
    return DONE


def _library() -> LoraLibrary:
    return LoraLibrary(config_folder())


def _family(entry: ListedLora) -> str:
    return entry.family.value.upper() if entry.family is not None else "unknown"


def _json(entry: ListedLora) -> dict[str, Any]:
    return {
        "name": entry.name,
        "family": entry.family.value if entry.family is not None else None,
        "hash": entry.hash,
        "rank": entry.rank,
        "layers": entry.layers,
        "size_bytes": entry.size_bytes,
        "words": list(entry.words),
        "path": str(entry.path),
    }


def _coverage(lora: Lora) -> dict[str, Any]:
    return {"parts": dict(lora.parts()), "unknown": list(lora.unknown)}
