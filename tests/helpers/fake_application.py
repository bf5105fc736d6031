"""An application over fakes: three sandbox models, a small library of attributes, a scripted service."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, cast

import numpy as np

from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, Subject
from editor.system.settings import Settings
from inference.deltas import DeltaLibrary
from inference.errors import EditorError
from inference.messages import Message, listed
from inference.models import Catalogue
from inference.operations import Attribute, AttributeSweep, Family, SamplingParameters
from inference.prompts.words import words
from inference.request import Pixels, Request
from tests.helpers.fake_service import FakeService

PROMPT = "a photo of a man and a woman on the beach"
SIZE_PX = 64


@dataclass(frozen=True)
class FakeEntry:
    name: str
    family: Family
    sandbox: bool = True
    path: Path = Path("/models/fake")
    hub_id: str = ""
    size_bytes: int = 14_000_000
    default_steps: int = 30
    sample_prompt: str = PROMPT
    is_file: bool = False


class FakeCatalogue:
    """Adds any address that ends in .safetensors."""

    def __init__(self) -> None:
        self._entries = [
            FakeEntry("mini-sdxl", Family.SDXL),
            FakeEntry("mini-sd1", Family.SD1),
            FakeEntry("mini-sd3", Family.SD3),
        ]
        self.problems: list[Message] = []

    def entries(self) -> tuple[FakeEntry, ...]:
        return tuple(self._entries)

    def find(self, name: str) -> FakeEntry:
        for entry in self._entries:
            if entry.name == name:
                return entry
        raise EditorError(
            "There is no model “{name}”.",
            "There are: {listed}.",
            name=name,
            listed=listed(e.name for e in self._entries),
        )

    def add(self, address: str, *_: object, **_options: object) -> FakeEntry:
        if not address.endswith(".safetensors"):
            raise EditorError(
                "“{address}” is no model.", "Choose a folder or a .safetensors file.", address=address
            )
        entry = FakeEntry(Path(address).stem, Family.SDXL, sandbox=False, path=Path(address))
        self._entries.append(entry)
        return entry

    def remove(self, name: str) -> None:
        self._entries = [entry for entry in self._entries if entry.name != name]

    def check(self, name: str) -> dict[str, object]:
        return {"name": name, "complete": not self.problems, "problems": self.problems}


class FakeLibrary:
    """People have age, smile and hair; animals have size; other words have nothing."""

    known: ClassVar = {"man": ("age", "smile", "hair"), "woman": ("age", "smile", "hair"), "cat": ("size",)}

    def attributes(self, entry: object, subject: str) -> tuple[SimpleNamespace, ...]:
        names = self.known.get(subject.split()[-1], ())
        return tuple(SimpleNamespace(attribute=n, label=n.capitalize(), range=(-2.0, 2.0)) for n in names)

    def list(self, model: object = None) -> tuple[object, ...]:
        return ()


def picture(parameters: SamplingParameters, shift: float = 0.0) -> Pixels:
    """Left half grey by the sliders' sum, right half by the seed."""
    edits = parameters.edits if isinstance(parameters, Attribute) else ()
    left = int(120 + 40 * (sum(edit.value for edit in edits) + shift)) % 256
    pixels = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    pixels[:, : SIZE_PX // 2] = left
    pixels[:, SIZE_PX // 2 :] = parameters.seed * 16 % 256
    return pixels


def pictures(request: Request) -> tuple[Pixels, ...]:
    parameters = cast("SamplingParameters", request.parameters)
    if isinstance(parameters, AttributeSweep):
        own = parameters.edits[parameters.index].value
        return tuple(picture(parameters, value - own) for value in parameters.positions)
    return (picture(parameters),)


def subjects_of(prompt: str) -> tuple[Subject, ...]:
    chosen = [word for word in words(prompt) if word.text in ("man", "woman")]
    return tuple(
        Subject(start=word.start, end=word.end, text=word.text, colour_index=index)
        for index, word in enumerate(chosen)
    )


def halves(prompt: str) -> dict[str, np.ndarray]:
    """Attention maps: the first subject on the left half, the second on the right."""
    maps: dict[str, np.ndarray] = {}
    for index, subject in enumerate(subjects_of(prompt)):
        heat = np.zeros((8, 8), np.float32)
        heat[2:8, index * 4 : index * 4 + 4] = 1.0
        maps[f"attention/{subject.start}-{subject.end}"] = heat
    return maps


def make_application(folder: Path, *, automatic: bool = True) -> Application:
    service = FakeService(automatic=automatic)
    service.pictures = pictures
    settings = Settings(folder)
    return Application(
        settings, service, cast("Catalogue", FakeCatalogue()), cast("DeltaLibrary", FakeLibrary())
    )


def generated(prompt: str = PROMPT, seed: int = 7) -> Document:
    """A document of one generated layer whose people are its subjects."""
    request = Request(
        operation="attribute", parameters=Attribute(prompt=prompt, seed=seed), model="mini-sdxl"
    )
    recipe = Recipe(request=request, subjects=subjects_of(prompt))
    layer = Layer.of_pixels(name="Generated", pixels=pictures(request)[0], recipe=recipe, maps=halves(prompt))
    return Document.from_layer(layer, title="beach couple")


def open_document(application: Application, document: Document) -> Document:
    """Let the application own and show a document."""
    application.add_document(document)
    return document
