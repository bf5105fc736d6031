"""What a method takes beside its parameters: pictures, deltas, and a place for what can be used again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inference.cache import ByteCache
from inference.deltas import Delta
from inference.request import Pixels


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a method takes beside its parameters.

    Attributes:
        images: the pictures that the operation needs, by `Need.value`.
        deltas: one for each of the parameters' edits, fitted to the model.
        cache: what later runs can use again (encoded prompts, latents at a step), keyed by all that
            decides it, the model's hash included; sizes are in bytes.
    """

    images: Mapping[str, Pixels] = field(default_factory=dict[str, Pixels])
    deltas: tuple[Delta, ...] = ()
    cache: ByteCache[Any] = field(default_factory=lambda: ByteCache[Any](64 * 2**20))
