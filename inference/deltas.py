"""Attribute deltas: one direction Δe per text encoder (arXiv:2403.17064), read, listed, found, imported.

    library = DeltaLibrary.standard(user_folder)
    library.list(entry)                              # what the sliders of a model may be
    library.find(entry, "the old man", "age")        # → Delta, or an EditorError naming what there is

A delta lies in a safetensors file under the keys that the published deltas use; its metadata says what
it is. Where a model has no file for an attribute, the attribute's definition (`inference.definitions`)
stands in: its delta is learnt from prompts when it is first used. Torch-free, except for reading `.pt`.
"""

import itertools
import json
import logging
import re
import shutil
import struct
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - the name of an exception, nothing is unpickled
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from inference.definitions import Definition, read_definitions, shipped_folder, subject_words
from inference.errors import EditorError
from inference.files import atomic_write, read_at_most, unreserved, writing_error
from inference.messages import NOTHING, Message, listed
from inference.operations import LEAST_CHANGE, MOST_CHANGE, Family
from inference.values import Bounds, mended, parsed_json, typed
from inference.weights.headers import TensorPlace, read_header
from inference.weights.packed import packed, unpacked

Vectors: TypeAlias = Mapping[str, NDArray[np.float32]]  # encoder → [width]

FILE_KEYS = {
    "clip_l": "tokenwise_delta.oai_clip_vit_l",
    "clip_g": "tokenwise_delta.openclip_g",
    "t5": "tokenwise_delta.t5",
}
FAMILY_WIDTHS: Mapping[Family, Mapping[str, int]] = {
    Family.SD1: {"clip_l": 768},
    Family.SDXL: {"clip_l": 768, "clip_g": 1280},
    Family.SD3: {"clip_l": 768, "clip_g": 1280, "t5": 4096},
}
DEFAULT_RANGE = (-2.0, 2.0)
MOST_PHRASES = 20  # of a definition's pairs that a file names
MOST_EVALUATIONS = 10**12
LONGEST_NAME = 1000  # characters of what a header says
LARGEST_FILE_BYTES = 16 * 2**20  # a real one has 8 KiB; refuse what is certainly no delta before reading it
WIDEST = 2**16  # numbers of one vector; the largest text encoder has 4096

_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
# what PyTorch's reader runs into where bytes are missing or others
_OF_DAMAGED_PICKLES = (
    RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
    AssertionError, MemoryError, NameError, ImportError, struct.error,
)  # fmt: skip
_LONGEST_NAME_BYTES = 200
_LONGEST_KEY = 40  # characters that are told of what no delta has

log = logging.getLogger(__name__)


class ModelLike(Protocol):
    """What is needed to know of a model; `inference.models.ModelEntry` has it."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> Family: ...
    @property
    def sandbox(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class DeltaInfo:
    """What is known of a delta without its vectors.

    Attributes:
        key: "mini-sdxl/person-age"; unique in a library.
        attribute: what a slider edits, "age"; `label` is what it shows.
        subjects: the words it applies to; none means any.
        range: smallest and largest sensible α.
        model, model_hash, family: what it was made for; "" when that is not known.
        phrases: (lower end, higher end) of the pairs that it was learnt from, as far as that is known.
        evaluations: about how many passes through the denoiser, there and back, learning took.
        widths: length of the vector of each encoder.
        path: its file, or None for a definition that is learnt when first used.
    """

    key: str
    attribute: str
    label: str
    subjects: tuple[str, ...] = ()
    range: tuple[float, float] = DEFAULT_RANGE
    model: str = ""
    model_hash: str = ""
    family: str = ""
    method: str = ""
    licence: str = ""
    phrases: tuple[tuple[str, str], ...] = ()
    evaluations: int = 0
    widths: Mapping[str, int] = field(default_factory=dict[str, int])
    path: Path | None = None
    definition: Definition | None = None

    @property
    def name(self) -> str:
        """The key without its folder: "person-age"."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Delta:
    """A direction per encoder; e' = e + α·Δe. No vectors: to be learnt from `info.definition`."""

    info: DeltaInfo
    vectors: Vectors

    def fitted(self, model: str, token_widths: Mapping[str, int]) -> "Delta":
        """The parts that the model's encoders take: an SDXL delta gives SD1 its CLIP-L part.

        Raises:
            EditorError: no part fits, or a shared encoder has another width.
        """
        wrong = [e for e, v in self.vectors.items() if token_widths.get(e, v.shape[0]) != v.shape[0]]
        parts = {encoder: vector for encoder, vector in self.vectors.items() if encoder in token_widths}
        if wrong or not parts:
            raise EditorError(
                "The delta “{key}” ({widths}) does not fit {model}, which takes {taken}.",
                "Choose a delta that was made for this model.",
                key=self.info.key,
                widths=_widths_text(self.info.widths),
                model=model,
                taken=_widths_text(token_widths),
            )
        return replace(self, vectors=parts)


class DeltaLibrary:
    """The deltas in `folders` (searched with one level of sub-folders) and in the definitions.

    Imports go to the last folder. Listing reads headers only and is repeated when files change.
    """

    def __init__(self, folders: Sequence[Path], definitions: Path | None = None) -> None:
        self.folders = tuple(Path(folder) for folder in folders)
        self._definitions = definitions
        self._headers: dict[tuple[Path, int, int], DeltaInfo | None] = {}
        self._defined: tuple[DeltaInfo, ...] | None = None

    @classmethod
    def standard(cls, user_folder: Path) -> "DeltaLibrary":
        """The shipped deltas and definitions, and the user's own."""
        shipped = shipped_folder()
        return cls((shipped, user_folder), shipped / "definitions")

    def list(self, model: ModelLike | None = None) -> tuple[DeltaInfo, ...]:
        """All deltas, or those that `model` can use: one for each subject and attribute, best first."""
        found = [*self._files(), *self._from_definitions()]
        if model is None:
            return tuple(found)
        usable = sorted((i for i in found if _fits(i, model)), key=lambda info: _distance(info, model))
        first = {info.name: info for info in reversed(usable)}
        return tuple(sorted(first.values(), key=lambda info: info.key))

    def attributes(self, model: ModelLike, subject: str) -> tuple[DeltaInfo, ...]:
        """What can be changed of `subject`, words such as "the old man"."""
        listed = self.list(model)
        for word in _words_from_the_noun(subject):
            named = tuple(info for info in listed if word in map(str.casefold, info.subjects))
            if named:
                return (*named, *(info for info in listed if not info.subjects))
        return tuple(info for info in listed if not info.subjects)

    def find(self, model: ModelLike, subject: str, attribute: str) -> Delta:
        """The delta for `attribute` ("age", or a name such as "person-age" for any subject).

        Raises:
            EditorError: naming the attributes there are for the subject, or the subjects there are.
        """
        offered = self.attributes(model, subject)
        wanted = attribute.casefold()
        by_word = [info for info in offered if info.attribute.casefold() == wanted]
        by_name = [info for info in self.list(model) if _is_called(info, wanted)]
        if by_word or by_name:
            return self.load((by_word or by_name)[0])
        self._refuse_misfit(model, wanted)
        raise _unknown(self.list(model), offered, model, subject, attribute)

    def load(self, info: DeltaInfo) -> Delta:
        """The delta with its vectors; without any if it has to be learnt from its definition."""
        if info.path is None:
            return Delta(info=info, vectors={})
        return Delta(info=info, vectors=_read_vectors(info.path))

    def import_delta(self, path: Path) -> DeltaInfo:
        """Copy a `.safetensors` delta, or convert a published `.pt`, into the last folder.

        A `.pt` is read with `weights_only=True`, so nothing in it is executed; this loads torch. Where there
        is another import of that name, name and label get a number: nothing is replaced.

        Raises:
            EditorError: no delta, wrong keys or shapes, or a file that needs code to be read.
        """
        delta = read_delta_file(Path(path))
        if not any(vector.any() for vector in delta.vectors.values()):
            raise _no_delta(Path(path), Message("its vectors are all zero"))
        stem, folder = _file_name(delta.info.name) or "delta", self.folders[-1] / "imported"
        target, numbered = next(
            (target, numbered)
            for number in itertools.count(1)
            if (numbered := replace(delta, info=_numbered_info(delta.info, number)))
            if not (target := folder / f"{_numbered(stem, number, '-')}.safetensors").exists()
            or _holds(target, delta_file(numbered))
        )
        write_delta(numbered, target)
        info = _header(target, f"imported/{target.stem}")
        assert info is not None, "a delta that we wrote is readable"
        return info

    def add(self, content: bytes, name: str) -> DeltaInfo:
        """Keep the file of a delta that was learnt, called "person-age", in the last folder.

        Where its model has one of that name already, name and label get a number: nothing is replaced.

        Raises:
            EditorError: it is no delta, or cannot be written.
        """
        delta = _delta_of_file(content, name)
        taken = {info.name for info in self._files() if info.model == delta.info.model}
        folder = self.folders[-1] / (_file_name(delta.info.model) or "learned")
        stem = _file_name(name) or "learned"
        number = next(
            number
            for number in itertools.count(1)
            if (called := _numbered(stem, number, "-")) not in taken
            and not (folder / f"{called}.safetensors").exists()  # of another model, or damaged
        )
        info = _numbered_info(delta.info, number)
        target = folder / f"{_numbered(stem, number, '-')}.safetensors"
        write_delta(replace(delta, info=info), target)
        found = _header(target, f"{folder.name}/{target.stem}")
        assert found is not None, "a delta that we wrote is readable"
        return found

    def is_own(self, info: DeltaInfo) -> bool:
        """Whether it lies in the last folder, where imports and what was learnt go."""
        return info.path is not None and info.path.is_relative_to(self.folders[-1])

    def remove(self, info: DeltaInfo) -> None:
        """Delete the file of a delta of the user's own; pictures made with it keep theirs.

        Raises:
            EditorError: it comes with the program, or cannot be deleted.
        """
        if info.path is None or not self.is_own(info):
            raise EditorError(
                "The attribute “{key}” comes with the program.",
                "Only what was taught or imported can be deleted.",
                key=info.key,
            )
        try:
            info.path.unlink(missing_ok=True)
        except OSError as error:
            raise writing_error(info.path, error) from error

    def own(self, name: str) -> DeltaInfo:
        """The user's own delta of that key, or unique name or attribute.

        Raises:
            EditorError: naming those there are.
        """
        known = [info for info in self._files() if self.is_own(info)]
        infos = _called(name, known)
        if len(infos) != 1:
            raise EditorError(
                Message("There is more than one attribute “{name}” of your own.", name=name)
                if infos
                else Message("There is no attribute “{name}” of your own.", name=name),
                Message("Choose one of: {keys}.", keys=listed(info.key for info in (infos or known)))
                if known
                else NOTHING,
            )
        return infos[0]

    def export_delta(self, name: str, path: Path) -> None:
        """Write the delta of that key, or unique name or attribute, to `path` as safetensors."""
        with self.file_of(name).open("rb") as source, atomic_write(Path(path), parents=True) as file:
            shutil.copyfileobj(source, file)

    def file_of(self, name: str) -> Path:
        """The file of the delta of that key, or unique name or attribute.

        Raises:
            EditorError: there is none, several, or it has no file.
        """
        files = self._files()
        infos = _called(name, files)
        keys = listed(info.key for info in (infos or files))
        if len(infos) != 1 or infos[0].path is None:
            raise EditorError(
                Message("There is more than one delta “{name}” to export.", name=name)
                if len(infos) > 1
                else Message("The delta “{name}” has no file to export.", name=name)
                if infos
                else Message("There is no delta “{name}”.", name=name),
                "Choose one of: {keys}.",
                keys=keys,
            )
        return infos[0].path

    def _files(self) -> tuple[DeltaInfo, ...]:
        infos: list[DeltaInfo] = []
        for folder in self.folders:
            for path in sorted((*folder.glob("*.safetensors"), *folder.glob("*/*.safetensors"))):
                relative = path.relative_to(folder).with_suffix("")
                info = self._cached_header(path, relative.as_posix())
                if info is not None:
                    infos.append(info)
        return tuple(infos)

    def _cached_header(self, path: Path, key: str) -> DeltaInfo | None:
        try:
            status = path.stat()
        except OSError:
            return None
        identity = (path, status.st_mtime_ns, status.st_size)
        if identity not in self._headers:
            self._headers[identity] = _header(path, key)
        return self._headers[identity]

    def _from_definitions(self) -> tuple[DeltaInfo, ...]:
        if self._defined is None:
            folder = self._definitions
            definitions = read_definitions(folder) if folder is not None else ()
            self._defined = tuple(info_of_definition(definition) for definition in definitions)
        return self._defined

    def _refuse_misfit(self, model: ModelLike, wanted: str) -> None:
        """Say so if the name asks for a delta that exists but was made for something else."""
        for info in self._files():
            if _is_called(info, wanted):
                made_for = info.model or (info.family.upper() if info.family else Message("another model"))
                raise EditorError(
                    "The delta “{key}” was made for {made_for} ({widths}) and does not fit {name}.",
                    "Choose a delta that was made for this model.",
                    key=info.key,
                    made_for=made_for,
                    widths=_widths_text(info.widths),
                    name=model.name,
                )


def info_of_definition(definition: Definition) -> DeltaInfo:
    return DeltaInfo(
        key=f"definitions/{definition.name}",
        attribute=definition.attribute,
        label=definition.label,
        subjects=definition.subjects,
        range=definition.range,
        method="naive",
        phrases=phrases_of(definition),
        definition=definition,
    )


def phrases_of(definition: Definition) -> tuple[tuple[str, str], ...]:
    """(lower end, higher end) of its pairs: what a delta's file says it was learnt from."""
    return tuple((pair.negative, pair.positive) for pair in definition.pairs[:MOST_PHRASES])


def write_delta(delta: Delta, path: Path) -> None:
    """Write a delta's vectors and metadata as safetensors, atomically."""
    with atomic_write(path, parents=True) as file:
        file.write(delta_file(delta))


def delta_file(delta: Delta) -> bytes:
    """The content of a delta's file: vectors and metadata as safetensors."""
    arrays = {FILE_KEYS[e]: np.asarray(v, np.float32) for e, v in delta.vectors.items()}
    return packed(arrays, metadata_of(delta.info))


def metadata_of(info: DeltaInfo) -> dict[str, str]:
    """What a delta's file says of it beside the vectors."""
    return {
        "format": "attune-delta",
        "attribute": info.attribute,
        "label": info.label,
        "subjects": json.dumps(list(info.subjects), ensure_ascii=False),
        "range": json.dumps(list(info.range)),
        "model": info.model,
        "model_hash": info.model_hash,
        "family": info.family,
        "method": info.method,
        "licence": info.licence,
        **({"phrases": json.dumps(info.phrases, ensure_ascii=False)} if info.phrases else {}),
        **({"evaluations": str(info.evaluations)} if info.evaluations else {}),
    }


def delta_to_bytes(delta: Delta) -> bytes:
    """The vectors alone as safetensors: equal vectors give equal bytes, whatever a file calls them."""
    tensors = {FILE_KEYS[e]: np.ascontiguousarray(v, np.float32) for e, v in sorted(delta.vectors.items())}
    return cast("Any", safetensors.numpy).save(tensors)


def delta_from_bytes(content: bytes, attribute: str) -> Delta:
    """Read what `delta_to_bytes` wrote.

    Raises:
        EditorError: it is no delta, or holds numbers that are not finite.
    """
    name = Path(f"{attribute}.safetensors")
    try:
        tensors = cast("dict[str, NDArray[Any]]", cast("Any", safetensors.numpy).load(content))
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise _no_delta(name, Message("it is damaged")) from error
    vectors = _vectors_of(name, tensors)
    widths = {encoder: int(vector.shape[0]) for encoder, vector in vectors.items()}
    info = DeltaInfo(key=attribute, attribute=attribute, label=attribute, widths=widths)
    return Delta(info=info, vectors=vectors)


def read_delta_file(path: Path) -> Delta:
    """Read a `.safetensors` or published `.pt` delta from anywhere; see `DeltaLibrary.import_delta`."""
    if not path.is_file():
        raise EditorError("There is no file “{path}”.", "Choose a .safetensors or .pt delta.", path=path)
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise _no_delta(
            path, Message("it has {size:.0f} MiB, a delta a few KiB", size=path.stat().st_size / 2**20)
        )
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        info = _header(path, _info_of_name(path.stem).key, strict=True)
        assert info is not None, "strict reading raises"
        return Delta(info=info, vectors=_read_vectors(path))
    if suffix in (".pt", ".pth", ".bin"):
        vectors = _read_pt(path)
        return Delta(info=_imported_info(path.stem, vectors), vectors=vectors)
    raise EditorError("“{name}” is no delta.", "Choose a .safetensors or .pt file.", name=path.name)


def _delta_of_file(content: bytes, name: str) -> Delta:
    """Read `delta_file`."""
    path = Path(f"{_file_name(name)}.safetensors")
    try:
        arrays, metadata = unpacked(content, Message("delta"))
    except EditorError as error:
        raise _no_delta(path, Message("it is damaged")) from error
    vectors = _vectors_of(path, arrays)
    widths = {encoder: int(vector.shape[0]) for encoder, vector in vectors.items()}
    return Delta(info=_info_of_metadata(path, name, metadata, widths), vectors=vectors)


def _numbered(text: str, number: int, between: str) -> str:
    return text if number == 1 else f"{text}{between}{number}"


def _numbered_info(info: DeltaInfo, number: int) -> DeltaInfo:
    return replace(
        info,
        attribute=_numbered(info.attribute, number, "-"),
        label=_numbered(info.label, number, " "),
    )


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_at_most(path, LARGEST_FILE_BYTES) == content
    except (OSError, EditorError):
        return False


def _file_name(name: str) -> str:
    """A name as every file system allows it, with room for a number and an ending; "" if nothing is left."""
    cut = _NOT_IN_NAMES.sub("-", name).strip("-. ")[:80]
    return unreserved(cut.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore").strip("-. "))


def _read_pt(path: Path) -> Vectors:
    """Read a published delta: {key: tensor [width]}, or the same under "delta"."""
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other protocols than its own, which it refuses
            content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise EditorError(
            "“{name}” was refused: reading it would run code, or it is damaged.",
            "Ask its author for a safetensors file, or for one that holds tensors only.",
            name=path.name,
        ) from error
    except _OF_DAMAGED_PICKLES as error:
        raise _no_delta(path, Message("it is damaged or of another kind")) from error
    if not isinstance(content, dict):
        raise _no_delta(path, Message("it holds a {kind}", kind=type(content).__name__))
    tensors = {str(key): value for key, value in cast("dict[Any, Any]", content).items()}
    if isinstance(tensors.get("delta"), dict):
        tensors = {str(key): value for key, value in tensors["delta"].items()}
    for key, value in tensors.items():
        # one that is spread out of a single number may be of any size
        is_vector = isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_meta
        if not is_vector or not value.is_floating_point() or value.numel() > WIDEST:
            raise _no_delta(path, Message("“{key}” is no vector", key=key[:_LONGEST_KEY]))
    return _vectors_of(path, {key: value.detach().float().numpy() for key, value in tensors.items()})


def _read_vectors(path: Path) -> Vectors:
    try:
        start, header = read_header(path)
        content = path.read_bytes()[start:]
        tensors = {key: _numbers(content[one.begin : one.end], one) for key, one in header.items()}
    except (EditorError, OSError, ValueError, KeyError) as error:
        raise _no_delta(path, Message("it is damaged or of another kind")) from error
    return _vectors_of(path, tensors)


def _numbers(content: bytes, place: TensorPlace) -> NDArray[np.float32]:
    """A tensor's values; KeyError for kinds of numbers that no delta has."""
    if place.dtype == "BF16":  # the upper half of float32
        wide = np.frombuffer(content, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(place.shape)
    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[place.dtype]
    with np.errstate(over="ignore"):  # infinite then, which is refused
        return np.frombuffer(content, kind).reshape(place.shape).astype(np.float32)


def _vectors_of(path: Path, tensors: Mapping[str, NDArray[Any]]) -> Vectors:
    encoders = {key: encoder for encoder, key in FILE_KEYS.items()}
    unknown = sorted(name[:_LONGEST_KEY] for name in set(tensors) - set(encoders))
    if unknown or not tensors:
        raise _no_delta(
            path,
            Message(
                "it has the keys {unknown}; known are {known}",
                unknown=listed(unknown[:3]),
                known=listed(encoders),
            )
            if unknown
            else Message("it is empty; known keys are {known}", known=listed(encoders)),
        )
    with np.errstate(over="ignore"):  # infinite then, which is refused
        vectors = {encoders[key]: np.asarray(tensor, np.float32) for key, tensor in tensors.items()}
    for encoder, vector in vectors.items():
        if vector.size != max(vector.shape, default=0) or not 0 < vector.size <= WIDEST:
            raise _no_delta(
                path,
                Message(
                    "the part for {encoder} has the shape {shape}, not one vector",
                    encoder=encoder,
                    shape=list(vector.shape),
                ),
            )
        if not np.isfinite(vector).all():
            raise _no_delta(
                path, Message("the part for {encoder} holds numbers that are not finite", encoder=encoder)
            )
    return {encoder: vector.reshape(-1) for encoder, vector in vectors.items()}


def _header(path: Path, key: str, *, strict: bool = False) -> DeltaInfo | None:
    """What a file says of itself; None (or, when strict, an error) if it is no delta."""
    try:
        with _opened(path) as file:
            metadata = dict(file.metadata() or {})
            widths = {name: _width(file, name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (safetensors.SafetensorError, OSError) as error:
        problem = _no_delta(path, Message("it is damaged or of another kind"))
        if strict:
            raise problem from error
        log.warning("%s", problem)
        return None
    encoders = {file_key: encoder for encoder, file_key in FILE_KEYS.items()}
    if not widths or set(widths) - set(encoders):
        if strict:
            _vectors_of(path, {name: np.zeros(1) for name in widths})  # raises and says what is wrong
        log.warning("%s", _no_delta(path, Message("it has other keys")))
        return None
    return _info_of_metadata(path, key, metadata, {encoders[name]: width for name, width in widths.items()})


def _opened(path: Path) -> AbstractContextManager[Any]:
    return cast("AbstractContextManager[Any]", safetensors.safe_open(path, framework="numpy"))


def _width(file: Any, name: str) -> int:
    shape = file.get_slice(name).get_shape()
    return int(max(shape, default=0))


def _info_of_metadata(
    path: Path, key: str, metadata: Mapping[str, str], widths: Mapping[str, int]
) -> DeltaInfo:
    named = _info_of_name(path.stem)
    return replace(
        named,
        key=key,
        attribute=_short(metadata, "attribute") or named.attribute,
        label=_short(metadata, "label") or named.label,
        subjects=_read(tuple[str, ...], metadata.get("subjects"), named.subjects, Bounds(most=LONGEST_NAME)),
        range=_range(metadata.get("range")),
        model=_short(metadata, "model"),
        model_hash=_short(metadata, "model_hash"),
        family=_family(_short(metadata, "family")) or _family_of(widths),
        method=_short(metadata, "method"),
        licence=_short(metadata, "licence"),
        phrases=_read(tuple[tuple[str, str], ...], metadata.get("phrases"), (), Bounds(most=LONGEST_NAME))[
            :MOST_PHRASES
        ],
        evaluations=_read(int, metadata.get("evaluations"), 0, Bounds(min=0, max=MOST_EVALUATIONS)),
        widths=widths,
        path=path,
    )


def _short(metadata: Mapping[str, str], name: str) -> str:
    return metadata.get(name, "").strip()[:LONGEST_NAME]


def _family(name: str) -> str:
    return name if any(family.value == name for family in Family) else ""


def _range(text: str | None) -> tuple[float, float]:
    bounds = Bounds(min=-MOST_CHANGE, max=MOST_CHANGE)
    low, high = _read(tuple[float, float], text, DEFAULT_RANGE, bounds)
    return (low, high) if high - low >= LEAST_CHANGE else DEFAULT_RANGE


def _read(hint: Any, text: str | None, default: Any, bounds: Bounds) -> Any:
    """What a JSON text of a header says, or the default where it says something else than declared."""
    try:
        return typed(hint, parsed_json(text), "header", bounds) if text else default
    except (EditorError, ValueError, RecursionError):
        return default


def _imported_info(stem: str, vectors: Vectors) -> DeltaInfo:
    widths = {encoder: int(vector.shape[0]) for encoder, vector in vectors.items()}
    return replace(_info_of_name(stem), family=_family_of(widths), method="learned", widths=widths)


def _info_of_name(stem: str) -> DeltaInfo:
    """Published deltas are told apart by their file names only: person_age.pt, vehicle_price.pt."""
    parts = mended(stem).replace("-", "_").casefold().split("_")  # a file's name may be no text
    words = [part for part in parts if part.strip()] or ["delta"]
    known = subject_words(shipped_folder()).get(words[0], ()) if len(words) > 1 else ()
    attribute = "-".join(words[1:] if known else words)
    subject = f"{words[0]}-" if known else ""
    label = attribute.replace("-", " ").capitalize()
    return DeltaInfo(key=f"{subject}{attribute}", attribute=attribute, label=label, subjects=known)


def _family_of(widths: Mapping[str, int]) -> str:
    """The family whose encoders these are; "" if the widths are those of none."""
    return next((f.value for f, usual in FAMILY_WIDTHS.items() if dict(usual) == dict(widths)), "")


def _is_called(info: DeltaInfo, wanted: str) -> bool:
    """Whether `wanted`, without capitals, is its name or key."""
    return wanted in (info.name.casefold(), info.key.casefold())


def _fits(info: DeltaInfo, model: ModelLike) -> bool:
    if info.definition is not None or info.model == model.name:
        return True
    if model.sandbox:  # its encoders are its own
        return False
    usual = FAMILY_WIDTHS[model.family]
    shared = [encoder for encoder in info.widths if encoder in usual]
    gives_to_others = info.family in (model.family.value, Family.SDXL.value, "")
    return bool(shared) and gives_to_others and all(info.widths[e] == usual[e] for e in shared)


def _distance(info: DeltaInfo, model: ModelLike) -> int:
    """How far the delta's origin is from the model: what was made for it comes first."""
    if info.definition is not None:
        return 3
    return 0 if info.model == model.name else 1 if info.family == model.family.value else 2


def _words_from_the_noun(subject: str) -> tuple[str, ...]:
    """ "The old man" → man, old, the: in English the noun comes last."""
    return tuple(word.strip("“”\"'.,;:!?()") for word in reversed(subject.casefold().split()))


def _unknown(
    all_of_model: Iterable[DeltaInfo],
    offered: Iterable[DeltaInfo],
    model: ModelLike,
    subject: str,
    attribute: str,
) -> EditorError:
    names = sorted({info.attribute for info in offered})
    if names:
        return EditorError(
            "There is no attribute “{attribute}” for “{subject}” on {name}.",
            "There are: {names}.",
            attribute=attribute,
            subject=subject,
            name=model.name,
            names=listed(names),
        )
    words = dict.fromkeys(word for info in all_of_model for word in info.subjects[:3])
    return EditorError(
        "There are no attributes for “{subject}” on {name}.",
        Message("There are some for words such as: {words}.", words=listed(words))
        if words
        else Message("Import or learn a delta first."),
        subject=subject,
        name=model.name,
    )


def _no_delta(path: Path, reason: Message) -> EditorError:
    return EditorError(
        "“{name}” is no attribute delta: {reason}.", "Choose another file.", name=path.name, reason=reason
    )


def _widths_text(widths: Mapping[str, int]) -> Message:
    return listed(f"{encoder} {width}" for encoder, width in widths.items())


def _called(name: str, known: Sequence[DeltaInfo]) -> list[DeltaInfo]:
    """Those of that key or name; if there is none, those of that attribute, as a slider is called."""
    return [info for info in known if name in (info.key, info.name)] or [
        info for info in known if name == info.attribute
    ]
