"""A request holds everything that decides a result; a result holds pixels, request and cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.content import Contents
from inference.errors import EditorError
from inference.messages import Message, listed
from inference.operations import OPERATIONS, Operation
from inference.parameters import Parameters
from inference.progress import Measurements
from inference.values import fields, text

Pixels: TypeAlias = NDArray[np.uint8]  # [H, W, 3] RGB or [H, W, 4] RGBA, sRGB, read-only

_LONGEST_NAME = 4096  # characters; a model may be a path


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to run: everything that decides the result.

    `model` is a name, path or hub id; `model_hash` pins its weights once known. Pictures and files among the
    parameters are named by their contents' hashes (`inference.content`); the contents travel beside it.
    """

    operation: str
    parameters: Parameters
    model: str
    model_hash: str = ""

    @property
    def declared(self) -> Operation:
        return OPERATIONS[self.operation]

    def to_json(self) -> dict[str, Any]:
        return {
            "operation": self.operation,
            "parameters": self.parameters.to_json(),
            "model": self.model,
            "model_hash": self.model_hash,
        }

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Read `to_json`'s values; files may hold anything.

        Raises:
            EditorError: no object, an unknown operation, or a value that its declaration refuses.
        """
        given = fields(values, Message("The request"))
        for name in ("operation", "parameters", "model"):
            if name not in given:
                raise EditorError(
                    "The recipe lacks '{name}'.", "It needs operation, parameters and model.", name=name
                )
        operation = text(given["operation"], "operation", _LONGEST_NAME)
        if operation not in OPERATIONS:
            raise EditorError(
                "Unknown operation “{name}”.",
                "Known are: {known}.",
                name=operation,
                known=listed(OPERATIONS),
            )
        return cls(
            operation=operation,
            parameters=OPERATIONS[operation].parameters.from_json(given["parameters"]),
            model=text(given["model"], "model", _LONGEST_NAME),
            model_hash=text(given.get("model_hash", ""), "model_hash", _LONGEST_NAME),
        )


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a method returns: pictures, and maps such as {"attention/4-7": float32 [h, w] in 0..1}.

    `notes`: sentences for the user about what went otherwise than asked; `scores`: what was measured of the
    pictures, by name; `artifacts`: files that were made beside or instead of pictures, by what they are
    ("delta", "concept", "report").
    """

    images: tuple[Pixels, ...]
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    notes: tuple[Message, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    artifacts: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, kw_only=True)
class Result:
    """Pictures and maps, the request that made them (with every default resolved), and the cost.

    `cached` tells that the pictures came from the result cache: nothing was evaluated. `contents` are those
    that were filled in (deltas), which belong to the recipe as the given ones do.
    """

    request: Request
    images: tuple[Pixels, ...]
    maps: Mapping[str, NDArray[np.float32]]
    measured: Measurements
    notes: tuple[Message, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    artifacts: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    contents: Contents = field(default_factory=dict[str, Any])
    cached: bool = False
