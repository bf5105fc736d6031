"""What a method takes beside its parameters: contents, deltas, and a place for what can be used again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from inference.cache import ByteCache
from inference.content import Content
from inference.deltas import Delta
from inference.disk_cache import DiskCache
from inference.operations import SubjectEdit
from inference.request import Pixels

if TYPE_CHECKING:
    from inference.prompts.learnt_words import LearntWord

FEATURE_BYTES = 2**30


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a method takes beside its parameters.

    Attributes:
        contents: the pictures, masks and files that the parameters name, by hash; pictures and masks have
            the size of the run.
        learnt: the concepts that the parameters name, for `Backbone.encode_prompt`: hand them over with every
            prompt that a user wrote.
        deltas: those of the parameters' edits, by hash, fitted to the model.
        cache: what later runs can use again (encoded prompts, latents at a step), keyed by all that
            decides it: of the model `Backbone.made_by`, of a text `generate.what_is_said`; sizes are in
            bytes.
        features: the same for features of the network, which take most by far; methods set its limit.
        kept: the same on disk, for what is worth hundreds of megabytes; None where nothing is kept. What
            is read back is looked at before it is used: files may hold anything.
        resume: the checkpoint of an earlier run to go on from, as that run gave it; None at the beginning.
    """

    contents: Mapping[str, Any] = field(default_factory=dict[str, Any])
    learnt: "tuple[LearntWord, ...]" = ()
    deltas: Mapping[str, Delta] = field(default_factory=dict[str, Delta])
    cache: ByteCache[Any] = field(default_factory=lambda: ByteCache[Any](64 * 2**20))
    features: ByteCache[Any] = field(default_factory=lambda: ByteCache[Any](FEATURE_BYTES))
    kept: DiskCache | None = None
    resume: bytes | None = None

    def pixels(self, content: Content) -> Pixels:
        """A picture [H, W, 3 or 4] or mask [H, W], uint8."""
        return cast("Pixels", self.contents[content.hash])

    def deltas_of(self, edits: Sequence[SubjectEdit]) -> tuple[Delta, ...]:
        """The delta of each edit; the edits are those of a filled request."""
        pinned = [edit.delta for edit in edits]
        return tuple(self.deltas[delta.hash] for delta in pinned if delta is not None)
