"""Where parsed values come in from files: for each, sound values, and a reader that says what is wrong.

A reader gets mutated values, puts them where the real ones lie, reads them as the application does, and gives
faults: places where what was read is not what is declared, or cannot be written again. An `EditorError` is a
right answer; any other exception is a defect.
"""

import io
import json
import random
import struct
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from editor.formats.files import open_file, save_project
from editor.formats.metadata import provenance as metadata
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, Subject, with_edits
from editor.layers.state import DocumentState, SourceMetadata
from editor.recovery.store import Snapshot, Store, Summary, summary_of
from editor.system.settings import Preferences, Settings
from inference.chosen_steps import STEPS_FILE, Chosen, chosen
from inference.content import Mask, Picture
from inference.definitions import Definition, definition_of
from inference.deltas import FILE_KEYS, DeltaInfo, DeltaLibrary
from inference.errors import EditorError
from inference.models import Catalogue, ModelEntry
from inference.operations import (
    AttributeSweep,
    Edit,
    Enlarge,
    Redraw,
    Refine,
    RefineSubject,
    Score,
    SubjectEdit,
)
from inference.request import Request
from tests.helpers.corpus import corpus
from tests.helpers.declared_types import faults
from tests.helpers.value_mutations import mutated

PROMPT = "a photo of a man and a woman"
MAN = Subject(start=13, end=16, text="man")


@dataclass(frozen=True)
class Boundary:
    """`samples` are parsed JSON values; `read` gives faults of what mutated ones became."""

    samples: tuple[Any, ...]
    read: Callable[[Any, Path], list[str]]


@dataclass(frozen=True)
class Trial:
    """`kind` is "value", "error" (one for people) or "defect"."""

    boundary: str
    kind: str
    details: str = ""


def trials(count: int, seed: int) -> Iterator[Trial]:
    """So many mutations, spread evenly over the boundaries; the same for the same seed."""
    dice, known = random.Random(seed), boundaries()
    names = sorted(known)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(count):
            name = names[index % len(names)]
            values = mutated(dice.choice(known[name].samples), dice)
            place = Path(folder) / str(index)
            place.mkdir()
            yield _trial(name, known[name], values, place)


def _trial(name: str, boundary: Boundary, values: Any, folder: Path) -> Trial:
    try:
        found = boundary.read(values, folder)
    except EditorError as error:
        return Trial(name, "error" if len(error.message) > 10 else "defect", error.message)
    except Exception:  # noqa: BLE001 - all that is not foreseen is a defect
        return Trial(name, "defect", f"{json.dumps(values)[:2000]}\n{traceback.format_exc()}")
    return Trial(name, "defect", f"{json.dumps(values)[:2000]}\n{found}") if found else Trial(name, "value")


def boundaries() -> dict[str, Boundary]:
    """All of them by name."""
    return {
        "recipe": Boundary(_recipes(), _read_recipe),
        "project": Boundary(_projects(), _read_project),
        "manifest": Boundary(_manifests(), _read_manifest),
        "settings": Boundary((_settings(),), _read_settings),
        "models": Boundary((_models(),), _read_models),
        "model card": Boundary((_card(),), _read_card),
        "delta header": Boundary((_delta_header(),), _read_delta),
        "definition": Boundary((_definition(),), _read_definition),
        "chosen steps": Boundary(
            ({"hash": {"ours+": {"step": 3, "steps": 28, "learning_rate": 20.0}}},), _read_steps
        ),
    }


def _recipes() -> tuple[Any, ...]:
    edits = (SubjectEdit(start=13, end=16, attribute="age", value=0.5),)
    subjects = (RefineSubject(start=13, end=16, modifiers=((0, 1), (2, 7))),)
    parameters = {
        "attribute-sweep": AttributeSweep(prompt=PROMPT, edits=edits, positions=(-1.0, 0.0, 1.0), steps=4),
        "refine": Refine(prompt=PROMPT, subjects=subjects, width=64, height=64, threshold=0.5),
        "score": Score(image=Picture("5" * 64), prompt=PROMPT, subjects=subjects),
        "redraw": Redraw(image=Picture("6" * 64), mask=Mask("7" * 64), prompt=PROMPT),
        "enlarge": Enlarge(image=Picture("9" * 64), factor=3.0, prompt="", strength=0.25),
        "edit": Edit(image=Picture("8" * 64), prompt=PROMPT, edits=edits, only_subject=False),
    }
    made = [
        Recipe(
            request=Request(operation=name, parameters=given, model="mini-sd1"), subjects=(MAN,), label="a"
        )
        for name, given in parameters.items()
    ]
    plain = Request.from_json(
        {"operation": "generate", "parameters": {"prompt": PROMPT}, "model": "mini-sd1"}
    )
    made.append(with_edits(Recipe(request=plain, subjects=(MAN,)), edits, delay=0.3))
    return tuple({"version": 1, "flattened": False, "recipe": recipe.to_json()} for recipe in made)


def _read_recipe(values: Any, folder: Path) -> list[str]:
    recipe, note = metadata.restored_recipe(json.dumps(values))
    if recipe is None:
        if note:
            raise EditorError("{note}", note=note)
        return []
    found = faults(recipe, Recipe) + faults(recipe.request.parameters, recipe.request.declared.parameters)
    again = json.loads(json.dumps(recipe.to_json(), allow_nan=False, ensure_ascii=False).encode())
    if Recipe.from_json(again) != recipe:
        found.append("it reads otherwise when written again")
    if any(subject.end > len(recipe.prompt) for subject in recipe.subjects):
        found.append("a subject beyond the prompt")
    metadata.parameters_text(recipe).encode()
    return found


_ARCHIVES: dict[str, bytes] = {}


def _projects() -> tuple[Any, ...]:
    samples: list[Any] = []
    layer = Layer.of_pixels(
        name="made",
        pixels=np.zeros((8, 8, 3), np.uint8),
        recipe=Recipe.from_json(_recipes()[1]["recipe"]),
    )
    with tempfile.TemporaryDirectory() as folder:
        save_project(DocumentState.of_layer(layer), SourceMetadata(), Path(folder) / "a.ora")
        files = [*corpus_projects(), (Path(folder) / "a.ora").read_bytes()]
    for data in files:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            values = json.loads(archive.read("attune/document.json"))
        values["guides"] = []
        values["tree"]["guides"] = [[True, 3.5], [False, 4]]
        _ARCHIVES[values["stack"]] = data
        samples.append({"file": values["stack"], "document": values})
    return tuple(samples)


def corpus_projects() -> tuple[bytes, ...]:
    return corpus()["openraster"]


def _read_project(values: Any, folder: Path) -> list[str]:
    data = _archive_of(values)
    path, again = folder / "a.ora", folder / "b.ora"
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "attune/document.json":
                content = json.dumps(values.get("document") if isinstance(values, dict) else values).encode()
            new.writestr(info.filename, content, info.compress_type)
    opened = open_file(path)
    found = faults(opened.state, DocumentState) + faults(opened.source, SourceMetadata)
    save_project(opened.state, opened.source, again)
    if open_file(again).state.dpi != opened.state.dpi:
        found.append("another resolution when it was saved again")
    return found


def _archive_of(values: Any) -> bytes:
    name = values.get("file") if isinstance(values, dict) else None
    return _ARCHIVES.get(name if isinstance(name, str) else "") or next(iter(_ARCHIVES.values()))


_PACKS: dict[str, dict[str, bytes]] = {}


def _manifests() -> tuple[Any, ...]:
    from tests.editor.document.test_state_json import everything

    state = everything()
    source = SourceMetadata(exif=b"Exif\0\0", text={"a": "b"}, photo=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "kept"
        Store(folder).save(Snapshot(state=state, source=source, title="t", path=Path("/a/b.png")), 2**30)
        _PACKS["all"] = {path.name: path.read_bytes() for path in folder.iterdir()}
    return (json.loads(_PACKS["all"]["manifest.json"]),)


def _read_manifest(values: Any, folder: Path) -> list[str]:
    for name, data in _PACKS["all"].items():
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps(values))
    found = faults(summary_of(folder), Summary)
    store = Store(folder)
    snapshot, _ = store.load()
    found += faults(snapshot, Snapshot)
    store.save(snapshot, 2**30)
    store.load()
    return found


def _settings() -> Any:
    return {
        **Preferences(steps=20, detector="x").to_json(),
        "recent_files": ["/a/b.png"],
        "shortcuts": {"file.open": "Ctrl+O"},
        "state": {"geometry": "AAAA", "export_options": {"quality": 80}},
        "newer": [1, 2],
    }


def _read_settings(values: Any, folder: Path) -> list[str]:
    (folder / "settings.json").write_text(json.dumps(values))
    settings = Settings(folder)
    found = faults(settings.values, Preferences) + faults(settings.shortcut("file.open"), str | None)
    if len(settings.recent_files) > 12 or not all(isinstance(item, str) for item in settings.recent_files):
        found.append(f"recent files {settings.recent_files!r:.100}")
    settings.state("geometry")
    settings.save()
    if Settings(folder).values != settings.values:
        found.append("other settings the next time")
    return found


def _models() -> Any:
    built_in = Catalogue(Path("/nowhere")).entries()
    added = [
        {"name": f"mine{index}", "family": entry.family.value, "path": str(entry.path), "hub_id": ""}
        for index, entry in enumerate(built_in[:2])
    ]
    added.append({"name": "away", "family": "sd1", "path": "/not/there.safetensors", "hub_id": "a/b"})
    return {"models": added}


def _read_models(values: Any, folder: Path) -> list[str]:
    (folder / "models.json").write_text(json.dumps(values))
    entries = Catalogue(folder, built_in=folder / "none").entries()
    return [fault for entry in entries for fault in faults(entry, ModelEntry)]


def _card() -> Any:
    entry = Catalogue(Path("/nowhere")).entries()[0]
    return {name: json.loads((entry.path / name).read_text()) for name in ("attune.json", "model_index.json")}


def _read_card(values: Any, folder: Path) -> list[str]:
    model = folder / "models" / "m"
    model.mkdir(parents=True)
    given = values if isinstance(values, dict) else {}
    for name in ("attune.json", "model_index.json"):
        (model / name).write_text(json.dumps(given.get(name)))
    entries = Catalogue(folder, built_in=folder / "models").entries()
    return [fault for entry in entries for fault in faults(entry, ModelEntry)]


def _delta_header() -> Any:
    return {
        "__metadata__": {
            "format": "attune-delta", "attribute": "age", "label": "Age", "subjects": ["man", "woman"],
            "range": [-2.0, 2.0], "model": "mini-sd1", "model_hash": "ab", "family": "sd1", "method": "naive",
            "licence": "MIT",
        },
        FILE_KEYS["clip_l"]: {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]},
    }  # fmt: skip


def _read_delta(values: Any, folder: Path) -> list[str]:
    """Lists and numbers of the metadata are JSON texts there; a mutated one stays one."""
    if isinstance(values, dict) and isinstance(values.get("__metadata__"), dict):
        texts = values["__metadata__"]
        said = {key: item if isinstance(item, str) else json.dumps(item) for key, item in texts.items()}
        values = values | {"__metadata__": said}
    header = json.dumps(values).encode()
    (folder / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(32))
    library = DeltaLibrary((folder,))
    found = [fault for info in library.list() for fault in faults(info, DeltaInfo)]
    for info in library.list():
        low, high = info.range
        if not low < high:
            found.append(f"range {info.range}")
        library.load(info)
    return found


def _definition() -> Any:
    return {
        "attribute": "age", "subject": "person", "label": "Age", "range": [-2.0, 2.0], "scale": 0.5,
        "prefixes": ["{,a photo of,a portrait of} a {,beautiful}"], "subjects": ["man", "woman"],
        "pairs": [{"target": "{,tall} man", "positive": "old man", "negative": "young man"}],
    }  # fmt: skip


def _read_definition(values: Any, folder: Path) -> list[str]:
    found = definition_of(values if isinstance(values, dict) else {}, "a.toml", {"person": ("man",)})
    return faults(found, Definition) + ([] if len(found.pairs) <= 10_000 else ["too many pairs"])


def _read_steps(values: Any, folder: Path) -> list[str]:
    (folder / STEPS_FILE).write_text(json.dumps(values))
    return faults(chosen(folder, "hash", "ours+"), Chosen)
