"""Whether a model will give pictures: its weights against its networks, and the numbers in them."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from inference.errors import EditorError
from inference.messages import Message
from inference.models import ModelEntry
from inference.operations import Family
from inference.schedule import Schedule
from inference.weights import checkpoints, networks, single_file
from inference.weights.configuration import files_of
from inference.weights.headers import read_header, unfinite_tensor
from inference.weights.vae import of_model, unfinite


def misfits(entry: ModelEntry) -> tuple[Message, ...]:
    """One sentence for every part whose weights lack something or have other shapes than its network.

    Loads torch, allocates no network, and reads headers alone.
    """
    found = list(_file_misfits(entry) if entry.is_file else _folder_misfits(entry))
    return tuple(error.whole for error in found)


def deep_problems(entry: ModelEntry) -> tuple[Message, ...]:
    """One sentence for every part of a model whose weights do not fit or are no numbers.

    Loads torch, allocates no network, and reads all weights once. The files are known to be there and whole
    (`inference.models.entry_problems`).
    """
    found = misfits(entry)
    try:
        wrong = list(_unfinite_in_file(entry) if entry.is_file else _unfinite_in_folder(entry))
        wrong += _unfinite_override(entry)
    except EditorError as error:
        wrong = [] if found else [error]
    return (*found, *(error.whole for error in wrong))


def _file_misfits(entry: ModelEntry) -> Iterator[EditorError]:
    try:
        configuration = of_model(entry.path, entry.family, entry.vae)
        yield from _schedule_problems(configuration.scheduler)
        yield from single_file.misfits(entry.path, entry.family, configuration)
    except EditorError as error:
        yield error


def _folder_misfits(entry: ModelEntry) -> Iterator[EditorError]:
    configuration = of_model(entry.path, entry.family, entry.vae)
    yield from _schedule_problems(configuration.scheduler)
    for part in configuration.parts:
        try:
            yield from networks.folder_misfits(entry.path, part, entry.family, configuration)
        except EditorError as error:
            yield error
    if entry.vae is not None:
        yield from single_file.beside_misfits("vae", entry.family, configuration)


def _schedule_problems(scheduler_config: Mapping[str, Any]) -> Iterator[EditorError]:
    try:
        Schedule.from_config(scheduler_config)
    except EditorError as error:
        yield error


def _network_parts(folder: Path, family: Family) -> list[str]:
    parts = checkpoints.parts(folder, family)
    return [part for part in parts if not part.startswith(("tokenizer", "scheduler"))]


def _unfinite_in_file(entry: ModelEntry) -> Iterator[EditorError]:
    _, header = read_header(entry.path)
    yield from _unfinite(entry.name, entry.path, tuple(single_file.used(header, entry.family)))
    for file in files_of(entry.path, entry.family)[1:]:
        yield from _unfinite(file.stem, file, tuple(read_header(file)[1]))


def _unfinite_override(entry: ModelEntry) -> Iterator[EditorError]:
    if entry.vae is not None:
        yield from unfinite(entry.vae)


def _unfinite_in_folder(entry: ModelEntry) -> Iterator[EditorError]:
    for part in _network_parts(entry.path, entry.family):
        for file in checkpoints.part_weights(entry.path, part).files:
            yield from _unfinite(f"{entry.name}: {part}", file, tuple(read_header(file)[1]))


def _unfinite(model: str, path: Path, names: tuple[str, ...]) -> Iterator[EditorError]:
    start, header = read_header(path)
    with contextlib.suppress(OSError):
        for name in names:
            if unfinite_tensor(path, start, name, header[name]) is not None:
                yield EditorError(
                    "“{model}” is damaged: the weights of {tensor} hold values that are no numbers.",
                    "Copy or download it again.",
                    model=model,
                    tensor=name,
                )
                return
