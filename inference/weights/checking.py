"""Whether a model will give pictures: its weights against its networks, and the numbers in them."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inference.errors import EditorError
from inference.messages import Message, short
from inference.models import ModelEntry
from inference.operations import Family
from inference.reasons import first_line
from inference.schedule import Schedule
from inference.weights import checkpoints, networks, single_file
from inference.weights.configuration import Configuration, files_of
from inference.weights.headers import TensorPlace, read_header, unfinite_tensor
from inference.weights.reading import unread_kind
from inference.weights.tokenizers import tokenizer_of
from inference.weights.vae import of_model, unfinite

_LARGEST_SCALE = 1e4  # of latents; published ones are about 1


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
        header = read_header(entry.path)[1]
        used = single_file.used(header, entry.family)
        yield from _kind_problems(entry.path, (header[name] for name in used))
        yield from single_file.misfits(entry.path, entry.family, configuration)
    except EditorError as error:
        yield error


def _folder_misfits(entry: ModelEntry) -> Iterator[EditorError]:
    configuration = of_model(entry.path, entry.family, entry.vae)
    yield from _schedule_problems(configuration.scheduler)
    yield from _vae_problems(configuration.parts.get("vae") or {}, configuration.name)
    yield from _tokenizer_problems(configuration)
    for part in configuration.parts:
        try:
            yield from networks.folder_misfits(entry.path, part, entry.family, configuration)
        except EditorError as error:
            yield error
    for part in _network_parts(entry.path, entry.family):
        for file in checkpoints.part_weights(entry.path, part).files:
            yield from _kind_problems(file, read_header(file)[1].values())
    if entry.vae is not None:
        yield from single_file.beside_misfits("vae", entry.family, configuration)


def _schedule_problems(scheduler_config: Mapping[str, Any]) -> Iterator[EditorError]:
    try:
        Schedule.from_config(scheduler_config)
    except EditorError as error:
        yield error


def _kind_problems(path: Path, places: Iterable[TensorPlace]) -> Iterator[EditorError]:
    """The first kind of numbers in a file that cannot be read."""
    found = (unread_kind(path, place) for place in places)
    yield from itertools.islice((one for one in found if one is not None), 1)


def _vae_problems(vae: Mapping[str, Any], model: str) -> Iterator[EditorError]:
    """What would make every picture black or stop each at its end: the numbers that latents are scaled by."""
    for name, usual in (("scaling_factor", None), ("shift_factor", 0.0)):
        value: Any = vae.get(name)
        if value is None and usual is not None:
            continue
        if not _is_scale(value) or (value == 0 and usual is None):
            yield EditorError(
                "“{model}” is damaged: vae/config.json says {name} is {given}.",
                "Copy or download it again.",
                model=model,
                name=name,
                given=short(str(value)),
            )


def _is_scale(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_LARGEST_SCALE < value < _LARGEST_SCALE  # which what is no number is not


def _tokenizer_problems(configuration: Configuration) -> Iterator[EditorError]:
    """Tokenizers of a folder that cannot be read, or know words that their text encoder does not."""
    for part in configuration.tokenizers:
        try:
            vocabulary: dict[str, int] = tokenizer_of(configuration, part).get_vocab()
            highest = max(vocabulary.values())
        except Exception as error:  # noqa: BLE001 - the libraries raise whatever they run into
            yield EditorError(
                "“{model}” is damaged: its {part} cannot be read ({reason}).",
                "Copy or download it again.",
                model=configuration.name,
                part=part,
                reason=first_line(error),
            )
            continue
        encoder = configuration.parts.get(part.replace("tokenizer", "text_encoder")) or {}
        known = encoder.get("vocab_size")
        if isinstance(known, int) and highest >= known:
            yield EditorError(
                "“{model}” is damaged: its {part} has words up to number {highest}, and the text encoder "
                "knows {known}.",
                "Use the tokenizer that belongs to this model.",
                model=configuration.name,
                part=part,
                highest=highest,
                known=known,
            )


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
