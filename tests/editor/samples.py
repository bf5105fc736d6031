"""Documents, recipes and sessions that the editor's tests share."""

from dataclasses import replace

import numpy as np

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe, Subject
from editor.sliders.session import AttributeInfo, AttributeSession
from inference.operations import Attribute, AttributeSweep, Generate, SamplingParameters
from inference.request import Pixels, Request
from tests.helpers.fake_service import FakeService

PROMPT = "a photo of a man and a woman"
MAN = Subject(start=13, end=16, text="man")
WOMAN = Subject(start=23, end=28, text="woman", colour_index=1)
SIZE = 8
ATTRIBUTES = (
    AttributeInfo(attribute="age", label="Age"),
    AttributeInfo(attribute="smile", label="Smile", minimum=-1.0, maximum=1.0),
)


def flat(level: int, size: int = SIZE) -> Pixels:
    """A grey RGB picture."""
    return np.full((size, size, 3), level, np.uint8)


def noise(seed: int, width: int = SIZE, height: int = SIZE, channels: int = 4) -> Pixels:
    """Random pixels, alpha included."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def recipe(*subjects: Subject, seed: int = 7, **parameters: object) -> Recipe:
    given = Generate(prompt=PROMPT, seed=seed, **parameters)
    return Recipe(
        request=Request(operation="generate", parameters=given, model="mini-sdxl"), subjects=subjects
    )


def level_of(parameters: SamplingParameters) -> int:
    """What the stand-in model paints: 100 at rest, +20 an edit's unit, something else for another seed."""
    total = sum(edit.value for edit in parameters.edits) if isinstance(parameters, Attribute) else 0.0
    return round(100 + 20 * total) + (parameters.seed - 7) % 50


def painted(request: Request) -> tuple[Pixels, ...]:
    """The stand-in model's pictures of a request, one a position."""
    parameters = request.parameters
    assert isinstance(parameters, SamplingParameters)
    if not isinstance(parameters, AttributeSweep):
        return (flat(level_of(parameters)),)
    swept = [
        replace(
            parameters,
            edits=tuple(
                replace(edit, value=value) if index == parameters.index else edit
                for index, edit in enumerate(parameters.edits)
            ),
        )
        for value in parameters.positions
    ]
    return tuple(flat(level_of(item)) for item in swept)


def generated(*subjects: Subject, seed: int = 7) -> Document:
    """A document of one generated layer, grey 100."""
    made = recipe(*subjects, seed=seed)
    return Document.from_layer(
        Layer.of_pixels(name="Generated", pixels=flat(100), recipe=made), title="sample"
    )


def known_attributes(model: str, subject: str) -> tuple[AttributeInfo, ...]:
    return ATTRIBUTES if subject in ("man", "woman") else ()


def fake_service(automatic: bool = False) -> FakeService:
    service = FakeService(automatic=automatic)
    service.pictures = painted
    return service


def session_of(document: Document, service: FakeService) -> AttributeSession:
    return AttributeSession(document, document.layers[0].id, service, known_attributes)
