"""The pictures that are known, and what to show between them; plain values, no signals."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from editor.pixels.arithmetic import crossfade
from editor.pixels.raster import Raster, to_eight_bits
from inference.operations import Attribute, EditedParameters, SamplingParameters, SubjectEdit
from inference.request import Pixels, Request

CACHE_BYTES = 256 * 2**20
CACHE_ENTRIES = 1024

# parameters that a pose holds by itself, or that only say which positions are drawn together
_OF_SLIDERS = frozenset({"edits", "delay", "seed", "index", "positions"})


class SliderKey(NamedTuple):
    """One slider: an attribute of the subject at characters [start, end)."""

    start: int
    end: int
    attribute: str


@dataclass(frozen=True)
class Pose:
    """What decides one picture: slider values (zeros left out), delay, seed, and all else as `context`."""

    context: tuple[object, ...]
    values: tuple[tuple[SliderKey, float], ...]
    delay: float
    seed: int

    @classmethod
    def of(cls, request: Request) -> Pose:
        parameters = sampling_parameters(request)
        edited = isinstance(parameters, EditedParameters)
        edits, delay = (parameters.edits, parameters.delay) if edited else ((), 0.0)
        pose = cls(context_of(request), (), 0.0, parameters.seed)
        return pose.moved({key_of(edit): edit.value for edit in edits}, delay)

    def value(self, key: SliderKey) -> float:
        return next((value for known, value in self.values if known == key), 0.0)

    def moved(self, changes: Mapping[SliderKey, float], delay: float) -> Pose:
        """The pose with some sliders elsewhere; without an edit the delay decides nothing and is 0."""
        values = {**dict(self.values), **changes}
        kept = tuple(sorted((key, rounded(value)) for key, value in values.items() if rounded(value)))
        return replace(self, values=kept, delay=delay if kept else 0.0)


class Shown(NamedTuple):
    """What to show for a pose: a picture, or a crossfade of two of one size.

    Both are in the document's colours. Whoever shows a crossfade mixes what it needs of it: two layers, two
    thumbnails. `exact` is whether it is the pose's own picture.
    """

    first: Raster
    second: Raster | None = None
    share: float = 0.0  # of the second
    exact: bool = False

    @property
    def pixels(self) -> Pixels:
        """All of it as 8-bit RGBA; takes long for a large one."""
        first = to_eight_bits(self.first.array())
        if self.second is None:
            return first
        return crossfade(first, to_eight_bits(self.second.array()), self.share)


class PictureCache:
    """Pictures by pose, the least recently used dropped first; bounded in bytes and in number.

    A picture counts with the tiles that it shares with none of the others.
    """

    def __init__(self, limit_bytes: int = CACHE_BYTES, limit_entries: int = CACHE_ENTRIES) -> None:
        self.limit_bytes = limit_bytes
        self.limit_entries = limit_entries
        self.used_bytes = 0
        self._pictures: OrderedDict[Pose, Raster] = OrderedDict()
        self._held: Counter[int] = Counter()  # how many pictures hold a buffer

    def __len__(self) -> int:
        return len(self._pictures)

    def __contains__(self, pose: Pose) -> bool:
        return pose in self._pictures

    def __iter__(self) -> Iterator[Pose]:
        return iter(self._pictures)

    def get(self, pose: Pose) -> Raster | None:
        picture = self._pictures.get(pose)
        if picture is not None:
            self._pictures.move_to_end(pose)
        return picture

    def put(self, pose: Pose, picture: Raster) -> None:
        old = self._pictures.pop(pose, None)
        self._pictures[pose] = picture
        for buffer, size in dict(picture.buffers()).items():
            self.used_bytes += 0 if self._held[buffer] else size
            self._held[buffer] += 1
        if old is not None:
            self._let_go(old)
        while len(self._pictures) > 1 and self._too_much():
            _, dropped = self._pictures.popitem(last=False)
            self._let_go(dropped)

    def _let_go(self, picture: Raster) -> None:
        for buffer, size in dict(picture.buffers()).items():
            self._held[buffer] -= 1
            if not self._held[buffer]:
                del self._held[buffer]
                self.used_bytes -= size

    def _too_much(self) -> bool:
        return self.used_bytes > self.limit_bytes or len(self._pictures) > self.limit_entries


def shown(cache: PictureCache, pose: Pose, group: Sequence[SliderKey]) -> Shown | None:
    """The best picture known for `pose` while the sliders of `group` move together.

    The exact one, else a crossfade of the two nearest on the line along which `group` moves, else the
    nearest.
    """
    exact = cache.get(pose)
    if exact is not None:
        return Shown(exact, exact=True)
    below, above = _neighbours(cache, pose, group)
    if below is None or above is None:
        nearest = below if below is not None else above
        picture = cache.get(nearest[1]) if nearest is not None else None
        return None if picture is None else Shown(picture)
    first, second = cache.get(below[1]), cache.get(above[1])
    if first is None or second is None or first.area != second.area:
        return None
    return Shown(first, second, -below[0] / (above[0] - below[0]))


def _neighbours(
    cache: PictureCache, pose: Pose, group: Sequence[SliderKey]
) -> tuple[tuple[float, Pose] | None, tuple[float, Pose] | None]:
    below: tuple[float, Pose] | None = None
    above: tuple[float, Pose] | None = None
    for known in cache:
        shift = _shift(pose, known, group)
        if shift is None:
            continue
        if shift <= 0 and (below is None or shift > below[0]):
            below = (shift, known)
        elif shift > 0 and (above is None or shift < above[0]):
            above = (shift, known)
    return below, above


def _shift(pose: Pose, known: Pose, group: Sequence[SliderKey]) -> float | None:
    """How far `known` lies from `pose` along `group`, or None if it differs in anything else."""
    if (known.context, known.seed) != (pose.context, pose.seed):
        return None
    if known.values and pose.values and known.delay != pose.delay:
        return None
    if _without(known, group) != _without(pose, group):
        return None
    shifts = {rounded(known.value(key) - pose.value(key)) for key in group}
    return shifts.pop() if len(shifts) == 1 else None


def _without(pose: Pose, group: Sequence[SliderKey]) -> tuple[tuple[SliderKey, float], ...]:
    return tuple(item for item in pose.values if item[0] not in group)


def positions(minimum: float, maximum: float, count: int) -> tuple[float, ...]:
    """`count` evenly spaced values from minimum to maximum; fewer where these lie within a hundredth."""
    values = (rounded(minimum + (maximum - minimum) * index / (count - 1)) for index in range(count))
    return tuple(dict.fromkeys(values))


def rounded(value: float) -> float:
    """Slider values are kept to a hundredth, so that equal looks are equal keys; never -0.0."""
    return round(value, 2) + 0.0


def key_of(edit: SubjectEdit) -> SliderKey:
    return SliderKey(edit.start, edit.end, edit.attribute)


def sampling_parameters(request: Request) -> SamplingParameters:
    """The request's parameters, known to be those of a sampling operation."""
    parameters = request.parameters
    assert isinstance(parameters, SamplingParameters), "checked when the session was made"
    return parameters


def context_of(request: Request) -> tuple[object, ...]:
    """Everything but slider values, delay and seed that decides a picture."""
    operation = request.declared
    parameters = sampling_parameters(request)
    values = parameters.to_json()
    if not isinstance(parameters, EditedParameters):  # a picture that may be shifted, as new edits would
        usual = Attribute()
        values |= {"only_subject": usual.only_subject, "kept_by": usual.kept_by}
    kept = ((name, repr(value)) for name, value in sorted(values.items()) if name not in _OF_SLIDERS)
    return (operation.pictures_of or operation.name, request.model, *kept)
