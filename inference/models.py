"""The catalogue of models: the built-in ones, and those the user added. Free of torch.

Models stay where they are; the catalogue only remembers places, in `models.json`.
"""

import contextlib
import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import resources

from inference.errors import EditorError
from inference.files import atomic_write
from inference.messages import Message, listed
from inference.operations import LONGEST_PROMPT, Family
from inference.process.hub import cached_folder, is_hub_id
from inference.progress import Progress
from inference.values import fields, mended, refused, text, typed
from inference.weights import checkpoints, few_steps
from inference.weights.configuration import files_of, of_file
from inference.weights.modes import MemoryMode as MemoryMode
from inference.weights.vae import of_model, unfinite, weights_of

if TYPE_CHECKING:
    from inference.downloads.download import Download

_DEFAULT_STEPS = {Family.SD1: 30, Family.SDXL: 30, Family.SD3: 28}
_DEFAULT_GUIDANCE = {Family.SD1: 7.5, Family.SDXL: 5.0, Family.SD3: 7.0}
_MOST_STEPS = 999
_LONGEST_NAME = 100  # of what a file says, in a message
_HASH_WHOLE_BYTES = 16 * 2**20
_HASH_PIECES, _HASH_PIECE_BYTES = 64, 64 * 2**10


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One model of the catalogue.

    Args:
        name: what it is called here.
        family: which backbone runs it.
        path: its diffusers folder (for a hub id the snapshot in the hub's cache) or .safetensors file.
        hub_id: "owner/name", or "".
        sandbox: one of the small built-in models.
        size_bytes: of its weights.
        default_steps, default_guidance_scale: what a request leaves open.
        sample_prompt: a prompt that suits it, or "".
        licence: of its weights, as far as known.
        vae: file or folder of an autoencoder that replaces its own, or None.
    """

    name: str
    family: Family
    path: Path
    hub_id: str = ""
    sandbox: bool = False
    size_bytes: int = 0
    default_steps: int = 30
    default_guidance_scale: float = 7.5
    sample_prompt: str = ""
    licence: str = ""
    vae: Path | None = None

    @property
    def is_file(self) -> bool:
        """Whether it is a single checkpoint file."""
        if self.path.is_dir():
            return False
        return self.path.is_file() or self.path.suffix.lower() in (".safetensors", ".sft")


class Catalogue:
    """What there is to generate with.

    Args:
        settings_folder: where `models.json` is.
        built_in: folder of the models that come with the app.
        check_apart: `add` and `check` load torch in a process of its own.
    """

    def __init__(
        self, settings_folder: Path, *, built_in: Path | None = None, check_apart: bool = False
    ) -> None:
        self._deep_problems = _deep_problems_apart if check_apart else _deep_problems
        self._misfits = _misfits_apart if check_apart else _misfits
        self._file = settings_folder / "models.json"
        self._built_in = built_in or Path(resources.__file__).parent / "models"

    def entries(self) -> tuple[ModelEntry, ...]:
        """The built-in models, then the user's; broken ones as well, which `check` tells of."""
        return (*self._built_in_entries(), *self._read().entries.values())

    @property
    def problem(self) -> EditorError | None:
        """Why some of the user's models are not listed, or None."""
        return self._read().problem

    def find(self, model: str, weights_hash: str = "") -> ModelEntry:
        """The model of the catalogue with this name, else the one with these weights.

        This is for whatever a file may have named: no path and no hub id is followed.

        Args:
            weights_hash: `model_hash` of the wanted weights, or "" where it is not known.

        Raises:
            EditorError: the catalogue has none; the message names it, the hint says how to add it.
        """
        entries = self.entries()
        named = next((entry for entry in entries if entry.name == model), None)
        same = None if named or not weights_hash else _with_weights(entries, weights_hash)
        found = named or same
        if found is None:
            raise _not_listed(model, weights_hash, [entry.name for entry in entries])
        return found

    def locate(self, model: str) -> ModelEntry:
        """The model that a name, a path or a hub id means which the user has typed; nothing is downloaded.

        Raises:
            EditorError: there is none; the message names what there is.
        """
        by_name = {entry.name: entry for entry in self.entries()}
        if model in by_name:
            return by_name[model]
        if model and Path(model).expanduser().exists():
            return _entry_at(Path(model).expanduser().absolute())
        _refuse_dead_link(model)
        if is_hub_id(model):
            return _hub_entry(model)
        raise EditorError(
            "There is no model “{model}”.",
            "There are: {names}. A path or a hub id (owner/name) works as well.",
            model=model,
            names=listed(by_name) or Message("none"),
        )

    def add(
        self,
        model: str | Path,
        progress: Progress | None = None,
        *,
        tell: Callable[["Download"], None] | None = None,
        token: str = "",
        vae: Path | None = None,
        fetch: bool = True,
    ) -> ModelEntry:
        """Remember a folder, a .safetensors file or a hub id; a hub id that is not there yet is downloaded.

        Args:
            progress: stops a download; what has arrived stays for the next time.
            tell: told how far a download is.
            token: for models that are open only to some; "" is the one that the hub's tools have stored.
            vae: file or folder of an autoencoder to use in the place of the model's own. With another one the
                same model is another entry.
            fetch: False asks the network for nothing: a hub id is what the hub's cache on this machine has.

        Raises:
            EditorError: it is incomplete, damaged, of an unsupported kind, or not to be had.
            Cancelled: it was stopped.
        """
        text = str(model)
        _refuse_dead_link(text)
        if fetch and not Path(text).expanduser().exists() and is_hub_id(text):
            from inference.downloads.connection import Connection
            from inference.downloads.download import download

            download(text, progress, tell=tell, connection=Connection.standard(token))
            entry = _hub_entry(text)
        else:
            entry = self.locate(text)
            entry = next((one for one in self.entries() if (one.path, one.vae) == (entry.path, None)), entry)
        if vae is not None:
            entry = replace(entry, vae=vae.expanduser().absolute())
        ensure_complete(entry)
        for problem in () if entry.vae is None else unfinite(entry.vae):
            raise problem
        kept = self._read()
        known = next(
            (item for item in self.entries() if (item.path, item.vae) == (entry.path, entry.vae)), None
        )
        if known is not None:
            return known
        self._ensure_whole(entry)
        entry = replace(entry, name=_free_name(entry.name, {item.name for item in self.entries()}))
        kept.entries[entry.name] = entry
        self._save(kept)
        return entry

    def _ensure_whole(self, entry: ModelEntry) -> None:
        """Refuse weights that lack layers now, and not when a picture is asked for.

        Raises:
            EditorError: something is missing, which the message names.
        """
        found = self._misfits(entry)
        if found:
            raise EditorError(found[0])

    def add_all(
        self,
        folder: Path,
        progress: Progress | None = None,
        *,
        tell: Callable[[Path, int, int], None] | None = None,
    ) -> tuple[tuple[ModelEntry, ...], tuple[Message, ...]]:
        """Remember all models in a folder and those below it; they stay where they are.

        Args:
            progress: stops it; what was added stays.
            tell: told what is looked at: a folder or a model, how many folders were, and models found so far.

        Returns:
            what was added or known already, and a sentence for each that cannot be used.

        Raises:
            EditorError: there is none, or the list cannot be written.
            Cancelled: it was stopped.
        """
        from inference.downloads.folders import candidates
        from inference.downloads.scanning import add_all

        added, refused = add_all(candidates, folder, self.add, progress or Progress(), tell=tell)
        if not added and not refused:
            raise EditorError(
                "There is no model in “{folder}”.",
                "{supported} Choose the folder in which they lie.",
                folder=folder,
                supported=checkpoints.SUPPORTED,
            )
        return added, refused

    def remove(self, name: str) -> None:
        """Forget a model that was added; its files stay.

        Raises:
            EditorError: there is none of that name, or it is built in.
        """
        kept = self._read()
        added = kept.entries
        unreadable = [item for item in kept.unreadable if not _is_called(item, name)]
        if name not in added and len(unreadable) == len(kept.unreadable):
            if any(entry.name == name for entry in self._built_in_entries()):
                raise EditorError("“{name}” is built in and cannot be removed.", name=name)
            raise EditorError(
                "There is no added model “{name}”.",
                "Added are: {known}.",
                name=name,
                known=listed(added) or Message("none"),
            )
        added.pop(name, None)
        kept.unreadable[:] = unreadable
        self._save(kept)

    def check(self, model: str) -> dict[str, Any]:
        """What a model consists of, and one sentence for each thing that is wrong with it.

        Keys: name, family, path, hub_id, sandbox, complete, problems, notes, parts, size_bytes, hash.

        Raises:
            EditorError: there is no such model, or it is of a kind that is not supported.
        """
        entry = self.locate(model)
        found = entry_problems(entry) or self._deep_problems(entry)
        notes = () if found else self.notes(entry)
        return {
            "name": entry.name,
            "family": entry.family.value,
            "path": str(entry.path),
            "hub_id": entry.hub_id,
            "sandbox": entry.sandbox,
            "complete": not found,
            "problems": list(found),
            "notes": list(notes),
            "parts": [] if entry.is_file or found else list(checkpoints.parts(entry.path, entry.family)),
            "size_bytes": entry.size_bytes,
            "hash": "" if found else model_hash(entry),
        }

    def notes(self, entry: ModelEntry) -> tuple[Message, ...]:
        """Sentences on what a model does without; none for a folder, which has what it names."""
        return of_file(entry.path, entry.family).notes if entry.is_file else ()

    def _built_in_entries(self) -> Iterator[ModelEntry]:
        if not self._built_in.is_dir():
            return
        for folder in sorted(self._built_in.iterdir()):
            if (folder / "model_index.json").is_file():
                with contextlib.suppress(EditorError):  # one that is broken does not stop the others
                    yield _folder_entry(folder)

    def _read(self) -> "_Listed":
        kept = _Listed()
        if not self._file.exists():
            return kept
        try:
            stored: Any = checkpoints.read_json(self._file).get("models", [])
            if not isinstance(stored, list):
                raise EditorError("“{path}” is damaged: it lists no models.", path=self._file)
        except EditorError as error:
            kept.problem = EditorError(
                error.sentence,
                Message(
                    "Your models are not listed. Add them again: the old list is kept as {name}.",
                    name=self._aside.name,
                ),
            )
            return kept
        for item in cast("list[Any]", stored):
            try:
                entry = _stored_entry(fields(item, Message("A model")))
            except (EditorError, KeyError, TypeError, ValueError, AttributeError):
                kept.unreadable.append(item)
            else:
                kept.entries[entry.name] = entry
        if kept.unreadable:
            kept.problem = EditorError(
                "“{path}” holds {count} models that cannot be read.",
                "Add them again.",
                path=self._file,
                count=len(kept.unreadable),
            )
        return kept

    @property
    def _aside(self) -> Path:
        return self._file.with_name(f"{self._file.name}.damaged")

    def _save(self, kept: "_Listed") -> None:
        stored = [
            {
                "name": entry.name,
                "family": entry.family.value,
                "path": str(entry.path),
                "hub_id": entry.hub_id,
                **({} if entry.vae is None else {"vae": str(entry.vae)}),
            }
            for entry in kept.entries.values()
        ]
        if kept.problem is not None and not kept.unreadable and self._file.is_file():
            with self._file.open("rb") as old, atomic_write(self._aside) as aside:
                shutil.copyfileobj(old, aside)
        # what cannot be read today may have been written by a newer version
        content = json.dumps({"models": [*stored, *kept.unreadable]}, indent=2)
        with atomic_write(self._file, parents=True) as file:
            file.write(content.encode() + b"\n")


@dataclass
class _Listed:
    """What `models.json` holds: models by name, and what cannot be read."""

    entries: dict[str, ModelEntry] = field(default_factory=dict[str, ModelEntry])
    unreadable: list[Any] = field(default_factory=list[Any])
    problem: EditorError | None = None


def _refuse_dead_link(model: str) -> None:
    """A link to what is gone is meant as a file, also where it is called like a hub id.

    Raises:
        EditorError: it is one.
    """
    path = Path(model).expanduser()
    try:
        links = (place for place in (path, *path.parents) if place.is_symlink() and not place.exists())
        dead = next(links, None)
        target = None if dead is None else dead.readlink()
    except (OSError, ValueError):  # no name that a file can have
        return
    if target is not None:
        raise EditorError(
            "“{path}” is a link to “{target}”, which is not there.",
            "Bring that back (is its drive connected?), or choose another file.",
            path=dead,
            target=target,
        )


def ensure_complete(entry: ModelEntry) -> None:
    """Raise the first of the entry's problems, if there is one."""
    found = entry_problems(entry)
    if found:
        raise EditorError(found[0])


def entry_problems(entry: ModelEntry) -> tuple[Message, ...]:
    """One sentence for everything that keeps a model from being loaded."""
    found = checkpoints.problems(entry.path, entry.family)
    if found:
        return found
    try:
        if not entry.is_file:
            _folder_entry(entry.path)
        if entry.is_file or entry.vae is not None:
            of_model(entry.path, entry.family, entry.vae)
    except EditorError as error:
        return (error.whole,)
    return ()


def _deep_problems(entry: ModelEntry) -> tuple[Message, ...]:
    """What only the networks' classes and the weights themselves tell; loads torch and reads everything."""
    from inference.weights.checking import deep_problems

    return deep_problems(entry)


def _misfits(entry: ModelEntry) -> tuple[Message, ...]:
    """What headers and the networks' classes tell; loads torch."""
    from inference.weights.checking import misfits

    return misfits(entry)


def _misfits_apart(entry: ModelEntry) -> tuple[Message, ...]:
    from inference.weights.apart import misfits_apart

    return misfits_apart(entry)


def _deep_problems_apart(entry: ModelEntry) -> tuple[Message, ...]:
    from inference.weights.apart import deep_problems_apart

    return deep_problems_apart(entry)


def _with_weights(entries: Iterable[ModelEntry], weights_hash: str) -> ModelEntry | None:
    for entry in entries:
        with contextlib.suppress(EditorError, OSError):  # a broken one is not the one that is looked for
            if model_hash(entry) == weights_hash:
                return entry
    return None


def _not_listed(model: str, weights_hash: str, known: Sequence[str]) -> EditorError:
    name, there = model[:_LONGEST_NAME], listed(known) or Message("none")
    if weights_hash:
        return EditorError(
            "The model “{name}” (weights {hash}) is not in your list of models.",
            "If you have it, add it under Models in the window or with “attune models add”. "
            "There are: {known}.",
            name=name,
            hash=weights_hash[:_LONGEST_NAME],
            known=there,
        )
    return EditorError(
        "There is no model “{name}” in your list of models.",
        "There are: {known}. Others are added under Models in the window or with “attune models add”.",
        name=name,
        known=there,
    )


def model_hash(entry: ModelEntry) -> str:
    """A hash of the weights' contents: files of up to 16 MiB whole, larger ones header and samples."""
    digest = hashlib.sha256()
    is_file = entry.is_file and entry.path.is_file()
    files = files_of(entry.path, entry.family) if is_file else None
    for file in files or checkpoints.weight_files(entry.path, entry.family):
        status = file.stat()
        relative = file.name if entry.is_file else file.relative_to(entry.path).as_posix()
        digest.update(relative.encode() + _file_hash(file, status.st_size, status.st_mtime_ns))
    if entry.vae is not None:
        file = weights_of(entry.vae)
        status = file.stat()
        digest.update(b"vae" + _file_hash(file, status.st_size, status.st_mtime_ns))
    return digest.hexdigest()[:32]


@lru_cache(maxsize=256)
def _file_hash(path: Path, size: int, modified_ns: int) -> bytes:
    del modified_ns  # part of the cache's key only
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= _HASH_WHOLE_BYTES:
            digest.update(file.read())
        else:
            for piece in range(_HASH_PIECES):
                file.seek(piece * (size - _HASH_PIECE_BYTES) // (_HASH_PIECES - 1))
                digest.update(file.read(_HASH_PIECE_BYTES))
    return digest.digest()


def _entry_at(path: Path) -> ModelEntry:
    if path.is_dir():
        return _folder_entry(path)
    family = checkpoints.file_family(path)
    steps, guidance = _usual(path.stem, family)
    return ModelEntry(
        name=_name_of(path.stem),
        family=family,
        path=path,
        size_bytes=path.stat().st_size,
        default_steps=steps,
        default_guidance_scale=guidance,
    )


def _usual(name: str, family: Family) -> tuple[int, float]:
    """Steps and guidance scale of a model that says nothing of them but in its name."""
    few = few_steps.recognised(name)
    if few is not None:
        return few.steps, few.guidance_scale
    return _DEFAULT_STEPS[family], _DEFAULT_GUIDANCE[family]


def _folder_entry(folder: Path, *, name: str = "", hub_id: str = "") -> ModelEntry:
    family = checkpoints.folder_family(folder)
    card = folder / "attune.json"
    own = checkpoints.read_json(card) if card.is_file() else {}
    usual_steps, usual_guidance = _usual(hub_id or folder.name, family)
    try:
        steps = int(own.get("default_steps", usual_steps))
        guidance = float(own.get("default_guidance_scale", usual_guidance))
    except (TypeError, ValueError, OverflowError) as error:
        raise EditorError(
            "“{path}” is damaged: its defaults are no numbers.", "Copy or download it again.", path=card
        ) from error
    return ModelEntry(
        name=name or _name_of(folder.name),
        family=family,
        path=folder,
        hub_id=hub_id,
        sandbox=own.get("sandbox") is True,
        size_bytes=_weights_bytes(folder),
        default_steps=min(max(steps, 1), _MOST_STEPS),
        default_guidance_scale=guidance if math.isfinite(guidance) else usual_guidance,
        sample_prompt=mended(str(own.get("sample_prompt", "")))[:LONGEST_PROMPT],
        licence=mended(str(own.get("licence", ""))),
    )


def _weights_bytes(folder: Path) -> int:
    total = 0
    for file in folder.glob("*/*.safetensors"):
        with contextlib.suppress(OSError):  # a link to nowhere
            total += file.stat().st_size
    return total


def _is_called(item: Any, name: str) -> bool:
    return isinstance(item, dict) and cast("dict[str, Any]", item).get("name") == name


def _stored_entry(values: Mapping[str, Any]) -> ModelEntry:
    """A remembered model; it stays in the list when its files are away, and `check` says so."""
    name, hub_id = text(values.get("name"), "name", 1000), text(values.get("hub_id", ""), "hub_id", 1000)
    path, family = _path(values.get("path")), typed(Family, values.get("family"), "family")
    vae = None if values.get("vae") is None else _path(values["vae"])
    if hub_id:
        path = cached_folder(hub_id, "model_index.json") or path
    try:
        found = _folder_entry(path, hub_id=hub_id) if path.is_dir() else _entry_at(path)
    except (EditorError, OSError, ValueError):
        return ModelEntry(name=name, family=family, path=path, hub_id=hub_id, vae=vae)
    return replace(found, name=name, vae=vae)


def _path(value: object) -> Path:
    """A path as Python gives it, with the surrogates that stand for bytes that are no UTF-8."""
    if not isinstance(value, str) or not value or len(value) > 4096:
        raise refused("path", value, Message("expected the name of a file"))
    return Path(value)


def _hub_entry(hub_id: str) -> ModelEntry:
    folder = cached_folder(hub_id, "model_index.json")
    if folder is None:
        raise EditorError(
            "“{hub_id}” is not on this machine.", "“attune models add {hub_id}” downloads it.", hub_id=hub_id
        )
    return _folder_entry(folder, name=hub_id, hub_id=hub_id)


def _name_of(given: str) -> str:
    """What a file's name is called in lists and messages: one line, without marks that turn it around."""
    kept = "".join(one if one.isprintable() else " " for one in mended(given))
    return " ".join(kept.split()) or "model"


def _free_name(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}-{number}"
    return free
