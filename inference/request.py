"""A request holds everything that decides a result; a result holds pixels, request and cost."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.errors import EditorError
from inference.messages import Message, listed
from inference.operations import OPERATIONS, Operation
from inference.parameters import Parameters
from inference.progress import Measurements
from inference.reasons import reason_of

Pixels: TypeAlias = NDArray[np.uint8]  # [H, W, 3] RGB or [H, W, 4] RGBA, sRGB, read-only


def pixels_hash(pixels: Pixels) -> str:
    """SHA-256 over shape and bytes."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to run. `model` is a name, path or hub id; `model_hash` pins its weights once known.

    `input_hashes` names each input picture (key: `Need.value`) by its pixels' hash; the pixels
    themselves travel beside the request.
    """

    operation: str
    parameters: Parameters
    model: str
    model_hash: str = ""
    input_hashes: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def declared(self) -> Operation:
        return OPERATIONS[self.operation]

    def to_json(self) -> dict[str, Any]:
        return {
            "operation": self.operation,
            "parameters": self.parameters.to_json(),
            "model": self.model,
            "model_hash": self.model_hash,
            "input_hashes": dict(self.input_hashes),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read `to_json`'s values.

        Raises:
            EditorError: an unknown operation, or parameters that its declaration refuses.
        """
        try:
            name, parameters = str(values["operation"]), values["parameters"]
            model = str(values["model"])
        except (KeyError, TypeError) as error:
            raise EditorError(
                "The recipe lacks {reason}.",
                "It needs operation, parameters and model.",
                reason=reason_of(error),
            ) from error
        if name not in OPERATIONS:
            raise EditorError(
                "Unknown operation “{name}”.",
                "Known are: {operations}.",
                name=name,
                operations=listed(OPERATIONS),
            )
        return cls(
            operation=name,
            parameters=OPERATIONS[name].parameters.from_json(parameters),
            model=model,
            model_hash=str(values.get("model_hash", "")),
            input_hashes=dict(values.get("input_hashes", {})),
        )


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a method returns: pictures, and maps such as {"attention/4-7": float32 [h, w] in 0..1}.

    `notes`: sentences for the user about what went otherwise than asked; `scores`: what was measured of the
    pictures, by name.
    """

    images: tuple[Pixels, ...]
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])
    notes: tuple[Message, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, kw_only=True)
class Result:
    """Pictures and maps, the request that made them (with every default resolved), and the cost.

    `cached` tells that the pictures came from the result cache: nothing was evaluated.
    """

    request: Request
    images: tuple[Pixels, ...]
    maps: Mapping[str, NDArray[np.float32]]
    measured: Measurements
    notes: tuple[Message, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict[str, float])
    cached: bool = False
