"""The user's LoRAs: a list of places, in `loras.json`; the files stay where they are. Free of torch.

library = LoraLibrary(settings_folder)
kept = library.add(path)                         # read and checked to the last number
library.find("pixel-art")                        # → ListedLora
library.asked_for(use)                           # the one that a request names by its file's hash
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from inference.downloads.folders import additions
from inference.downloads.scanning import add_all
from inference.errors import EditorError
from inference.files import atomic_write, read_at_most
from inference.loras.files import HINT, Lora, read_lora
from inference.loras.words import LONGEST_WORD, MOST_WORDS, clean_words
from inference.messages import Message, listed, short
from inference.operations import LONGEST_LORA_NAME, Family, LoraUse
from inference.progress import Progress
from inference.values import fields, items, json_object, mended, text, whole

LIST_FILE: Final = "loras.json"
MOST_LISTED: Final = 10_000
_LONGEST_PATH = 32_768
_LARGEST_LIST = 64 * 2**20
# what parts a name from a strength, on the command line and in files
_NOT_IN_NAMES = str.maketrans({":": "-", "/": "-", "\\": "-", "<": "(", ">": ")"})


@dataclass(frozen=True, kw_only=True)
class ListedLora:
    """A LoRA of the list.

    Args:
        name: what it is called here.
        path: its file.
        hash: SHA-256 of the file when it was added.
        family: whose layers it changes; None if its file does not tell.
        words: to write into prompts, as its author wants it or as the user changed it.
        size_bytes: of the file.
        layers: how many it changes.
        rank: the highest of its layers'.
        unknown: how many of its tensors nothing is done with.
    """

    name: str
    path: Path
    hash: str
    family: Family | None = None
    words: tuple[str, ...] = ()
    size_bytes: int = 0
    layers: int = 0
    rank: int = 0
    unknown: int = 0

    def fits(self, family: Family) -> bool:
        """Whether it may be for models of this family."""
        return self.family in (None, family)

    def refuse_misfit(self, model: str, family: Family) -> None:
        """Say so if it is for another family than a model's.

        Raises:
            EditorError: it is.
        """
        if self.family is not None and self.family is not family:
            raise EditorError(
                "The LoRA “{name}” is for {given}, and {model} is {family}.",
                "Choose a model of {given}, or another LoRA.",
                name=self.name,
                given=self.family.value.upper(),
                model=model,
                family=family.value.upper(),
            )

    def at(self, strength: float) -> LoraUse:
        """What a request names."""
        return LoraUse(name=self.name, hash=self.hash, strength=strength)


class LoraLibrary:
    """See the module's text. For any one thread at a time; several programs may read."""

    def __init__(self, settings_folder: Path) -> None:
        self.file = settings_folder / LIST_FILE

    def list(self) -> tuple[ListedLora, ...]:
        """All, by name; what cannot be read in the list is passed over and stays in it.

        Raises:
            EditorError: the list itself is damaged.
        """
        entries, _ = self._read()
        return tuple(sorted(entries, key=lambda one: one.name.casefold()))

    def find(self, name: str) -> ListedLora:
        """The LoRA called `name`.

        Raises:
            EditorError: there is none; the hint names what there is.
        """
        everything = self.list()
        found = next((one for one in everything if one.name.casefold() == name.casefold()), None)
        if found is None:
            raise EditorError("There is no LoRA “{name}”.", self._hint(everything), name=short(name))
        return found

    def asked_for(self, use: LoraUse) -> ListedLora:
        """The LoRA whose file a request names; what it is called by now does not matter.

        Raises:
            EditorError: it is not in the list, or its file is gone.
        """
        everything = self.list()
        same = [one for one in everything if one.hash == use.hash]
        if not same:
            raise EditorError(
                "The LoRA “{name}” ({hash}), which this was made with, is not among yours.",
                Message(
                    "Add its file in the window or with “attune loras add”. {others}",
                    others=self._hint(everything),
                ),
                name=use.name,
                hash=use.hash[:12],
            )
        there = next((one for one in same if one.path.is_file()), None)
        if there is None:
            raise EditorError(
                "The file of the LoRA “{name}” is gone: {path}.",
                "Bring it back, or add it again where it is now.",
                name=same[0].name,
                path=same[0].path,
            )
        return there

    def add(self, path: Path, name: str = "", progress: Progress | None = None) -> tuple[ListedLora, Lora]:
        """Check a file and remember its place, called `name` or as the file.

        A file that is there already keeps its name and words; one with the same content at another place
        moves there.

        Raises:
            EditorError: it is no LoRA that can be used, `name` is taken, or the list cannot be written.
            Cancelled: it was stopped.
        """
        path = Path(path).absolute()
        lora = read_lora(path, progress)
        entries, unreadable = self._read()
        same = next((one for one in entries if one.hash == lora.hash or one.path == path), None)
        others = [one for one in entries if one is not same]
        taken = {one.name.casefold() for one in others}
        wanted = name_of(name) if name else (same.name if same is not None else name_of(path.stem))
        if name and wanted.casefold() in taken:
            raise EditorError(
                "There is a LoRA “{name}” already.", "Choose another name, or remove that one first.",
                name=wanted,
            )  # fmt: skip
        entry = ListedLora(
            name=_free(wanted, taken),
            path=path,
            hash=lora.hash,
            family=lora.family,
            words=same.words if same is not None and same.hash == lora.hash else lora.words,
            size_bytes=lora.size_bytes,
            layers=len(lora.layers),
            rank=max(lora.ranks),
            unknown=len(lora.unknown),
        )
        self._save([*others, entry], unreadable)
        return entry, lora

    def add_all(
        self,
        folder: Path,
        progress: Progress | None = None,
        *,
        tell: Callable[[Path, int, int], None] | None = None,
    ) -> tuple[tuple[tuple[ListedLora, Lora], ...], tuple[Message, ...]]:
        """Remember all LoRAs in a folder and those below it; they stay where they are.

        Args:
            progress: stops it; what was added stays.
            tell: told what is looked at: a folder or a file, how many folders were, and LoRAs found so far.

        Returns:
            what was added or known already, and a sentence for each file that cannot be used.

        Raises:
            EditorError: there is no file that could be one, or the list cannot be written.
            Cancelled: it was stopped.
        """
        progress = progress or Progress()

        def add(path: Path) -> tuple[ListedLora, Lora]:
            return self.add(path, progress=progress)

        added, refused = add_all(additions, folder, add, progress, tell=tell)
        if not added and not refused:
            raise EditorError(Message("There is no LoRA in “{folder}”.", folder=folder), HINT)
        return added, refused

    def set_words(self, name: str, words: Sequence[str]) -> ListedLora:
        """Change the words that a LoRA wants in the prompt.

        Raises:
            EditorError: there is no such LoRA, or the list cannot be written.
        """
        old = self.find(name)
        new = replace(old, words=clean_words(tuple(words)))
        entries, unreadable = self._read()
        self._save([new if one == old else one for one in entries], unreadable)
        return new

    def remove(self, name: str) -> None:
        """Forget a LoRA; its file stays.

        Raises:
            EditorError: there is none of that name.
        """
        gone = self.find(name)
        entries, unreadable = self._read()
        self._save([one for one in entries if one != gone], unreadable)

    @staticmethod
    def _hint(everything: Sequence[ListedLora]) -> Message:
        if not everything:
            return Message("Add one first, with “attune loras add” or in the window.")
        return Message("There are: {names}.", names=listed(one.name for one in everything))

    def _read(self) -> "tuple[list[ListedLora], list[Any]]":
        """What is listed, and what of it cannot be read: it may have been written by a newer version."""
        if not self.file.exists():
            return [], []
        try:
            content = read_at_most(self.file, _LARGEST_LIST)
            values = json_object(content, Message("list of LoRAs"), _LARGEST_LIST)
            stored = items(values.get("loras", []), Message("The list of LoRAs"), MOST_LISTED)
        except OSError as error:
            raise EditorError("“{path}” cannot be read.", path=self.file) from error
        except EditorError as error:
            raise EditorError(
                error.sentence, "Remove the file {path}, and add your LoRAs again.", path=self.file
            ) from error
        entries: list[ListedLora] = []
        unreadable: list[Any] = []
        for item in stored:
            try:
                entries.append(_stored(fields(item, Message("A LoRA"))))
            except EditorError:
                unreadable.append(item)
        return entries, unreadable

    def _save(self, entries: Sequence[ListedLora], unreadable: Sequence[Any]) -> None:
        stored = [
            {
                "name": one.name,
                "path": str(one.path),
                "hash": one.hash,
                "family": one.family.value if one.family is not None else "",
                "words": [*one.words],
                "size_bytes": one.size_bytes,
                "layers": one.layers,
                "rank": one.rank,
                "unknown": one.unknown,
            }
            for one in entries
        ]
        content = json.dumps({"loras": [*stored, *unreadable]}, indent=2)
        with atomic_write(self.file, parents=True) as file:
            file.write(content.encode() + b"\n")


def refuse_twins(uses: Sequence[LoraUse]) -> None:
    """One LoRA twice in a request.

    Raises:
        EditorError: it is.
    """
    hashes = [use.hash for use in uses]
    twice = next((use for use in uses if hashes.count(use.hash) > 1), None)
    if twice is not None:
        raise EditorError(
            "The LoRA “{name}” is named twice.", "Name it once, with one strength.", name=twice.name
        )


def name_of(given: str) -> str:
    """A name that fits the list, the command line and a request.

    Raises:
        EditorError: nothing of it does.
    """
    kept = "".join(one if one.isprintable() else " " for one in mended(given).translate(_NOT_IN_NAMES))
    name = " ".join(kept.split())[:LONGEST_LORA_NAME].strip()
    if not name:
        raise EditorError(
            "“{name}” cannot be the name of a LoRA.", "Write letters or digits.", name=given[:40]
        )
    return name


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name.casefold() in taken:
        ending = f"-{number}"
        name, number = wanted[: LONGEST_LORA_NAME - len(ending)] + ending, number + 1
    return name


def _stored(values: Mapping[str, Any]) -> ListedLora:
    family = text(values.get("family", ""), "family", 20)
    known = {one.value: one for one in Family}
    return ListedLora(
        name=name_of(text(values.get("name"), "name", LONGEST_LORA_NAME)),
        path=Path(text(values.get("path"), "path", _LONGEST_PATH)),
        hash=text(values.get("hash"), "hash", 64),
        family=known.get(family),
        words=tuple(
            text(word, "words", LONGEST_WORD) for word in items(values.get("words", []), "words", MOST_WORDS)
        ),
        size_bytes=whole(values.get("size_bytes", 0), "size_bytes", 0),
        layers=whole(values.get("layers", 0), "layers", 0),
        rank=whole(values.get("rank", 0), "rank", 0),
        unknown=whole(values.get("unknown", 0), "unknown", 0),
    )
