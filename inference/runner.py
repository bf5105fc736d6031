"""Runs requests: loads the model, fills in the defaults, finds the deltas, calls the method, measures.

    runner = Runner(Catalogue(settings_folder), DeltaLibrary.standard(user_folder))
    result = runner.run(request, {}, Progress())

For one thread at a time; knows no Qt, and loads torch with the first model only.
"""

import hashlib
import importlib
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from inference import memory
from inference.cache import ByteCache
from inference.chosen_steps import STEPS_FILE
from inference.content import content_hash, contents_in, named
from inference.deltas import Delta, DeltaLibrary
from inference.disk_cache import DiskCache
from inference.errors import EditorError, TooLittleMemoryError
from inference.filling import Filling, filled
from inference.inputs import FEATURE_BYTES, Inputs
from inference.loras.library import LoraLibrary, refuse_twins
from inference.messages import Message, listed
from inference.metrics import judge
from inference.models import Catalogue, ModelEntry
from inference.operations import LearnConcept, LearnDelta, LoraUse, Operation, SamplingParameters
from inference.parameters import Parameters
from inference.process.version import version
from inference.progress import Progress
from inference.prompts.weights import check_marks
from inference.request import Output, Request, Result
from inference.sizes import fitted, restored
from inference.weights.known_modes import MODES_FILE, KnownModes, device_here, size_bucket
from inference.weights.modes import AUTO, Asked, MemoryMode, is_tighter, modes_with

if TYPE_CHECKING:
    from inference.backbones.base import Backbone
    from inference.concepts.concept import Concept
    from inference.content import Contents
    from inference.loras.adding import Adding
    from inference.prompts.learnt_words import LearntWord
    from inference.weights.prediction import Choice

RESULT_CACHE_BYTES = 256 * 2**20
WORK_CACHE_BYTES = 256 * 2**20

Method: TypeAlias = "Callable[[Backbone, Any, Inputs, Progress], Output]"


class Loader(Protocol):
    """Makes a backbone of a catalogue entry; `inference.weights.loading.load_backbone` is the usual one."""

    def __call__(
        self, entry: ModelEntry, *, device: str, dtype: str, memory_mode: MemoryMode, progress: Progress
    ) -> "Backbone": ...


Choose: TypeAlias = "Callable[[ModelEntry, str, str, Asked], Choice]"

_WITHOUT_GRADIENTS = (MemoryMode.GROUP, MemoryMode.SEQUENTIAL)
_AT_A_TIME = {
    MemoryMode.FULL: Message("the whole model"),
    MemoryMode.MODEL: Message("one network"),
    MemoryMode.EIGHT_BIT: Message("one network in 8 bits"),
    MemoryMode.GROUP: Message("one block"),
    MemoryMode.SEQUENTIAL: Message("one layer"),
}


@dataclass
class _Loaded:
    entry: ModelEntry
    backbone: "Backbone"
    memory_mode: MemoryMode


class Runner:
    """See the module's text.

    Args:
        device, dtype: as `--device` and `--dtype` on the command line.
        steps_file: the refinement steps that were chosen for the user's models.
        only_listed: run only models of the catalogue, by name: for requests that may come from files. Else a
            request's model may be a path or a hub id as well, for those that the user types.
        load, choose: make backbones, and say in which memory mode; replaced in tests.
        kept: what is kept on disk for later runs; None keeps nothing.
        loras: the user's list; None has none.
        memory_mode: the first one, by its value; "auto" is the fastest that will fit.
        storage: one of `STORAGES`.
        known_modes: the modes that worked in earlier runs of the program; None remembers none.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        library: DeltaLibrary,
        *,
        device: str = "auto",
        dtype: str = "auto",
        load: Loader | None = None,
        choose: "Choose | None" = None,
        steps_file: Path | None = None,
        only_listed: bool = False,
        kept: DiskCache | None = None,
        loras: LoraLibrary | None = None,
        memory_mode: str = AUTO,
        storage: str = AUTO,
        known_modes: KnownModes | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._only_listed = only_listed
        self._library = library
        self._device = device
        self._dtype = dtype
        self._load = load or partial(_load_backbone, storage=storage)
        self._choose = choose or (partial(_memory_mode, storage=storage) if load is None else None)
        self._modes_allowed = modes_with(storage)
        self._wanted = None if memory_mode == AUTO else MemoryMode(memory_mode)
        self._known_modes = known_modes
        self._steps_file = steps_file
        self._kept = kept
        self._loras = loras
        self._adding: Adding | None = None  # made with the first LoRA, as it needs torch
        self._loaded: _Loaded | None = None
        self._fitting: dict[Path, MemoryMode] = {}  # in which each model was loaded last
        self._foreseen: dict[Path, list[Asked]] = {}  # what that was chosen for
        self._results: ByteCache[Result] = ByteCache(RESULT_CACHE_BYTES)
        self._work: ByteCache[Any] = ByteCache(WORK_CACHE_BYTES)
        self._features: ByteCache[Any] = ByteCache(FEATURE_BYTES)
        self._learnt: dict[tuple[str, str], Delta] = {}
        self._words: dict[str, tuple[Concept, LearntWord]] = {}

    def run(
        self, request: Request, contents: "Contents", progress: Progress, resume: bytes | None = None
    ) -> Result:
        """Carry `request` out; `contents` are the pictures and files that it names, by their hashes.

        `resume` is the checkpoint of an earlier run of the same request to go on from.

        Raises:
            EditorError: anything the user can mend; after it, and after `Cancelled` and `Parked`, the next
                request finds the models as they were.
        """
        entry = self._entry(request.model, request.model_hash)
        _check(request, entry, contents)
        self._check_loras(request, entry)
        notes: list[Message] = []
        self._predict(entry, notes, self._asked_of_memory(request))
        self._recall(entry, notes, request.parameters)
        for mode in self._modes(entry):
            if mode is not None:
                self._reload(entry, mode, progress)
                notes.append(
                    Message(
                        "Memory ran out; repeated with {part} in memory at a time.",
                        part=_AT_A_TIME[mode],
                    )
                )
            try:
                # what was done before memory ran out is not done again
                result = self._attempt(request, entry, contents, progress, notes, progress.kept or resume)
            except EditorError as error:
                if mode is not None:  # it did not help: the next request begins with the mode from before
                    self._loaded = None
                    self._fitting.pop(entry.path, None)
                if mode in _WITHOUT_GRADIENTS:  # what the method needs, this mode has not
                    raise _too_large(request) from error
                raise
            if result is not None:
                if mode is not None and self._known_modes is not None:
                    self._known_modes.keep(entry, _bucket(request.parameters), mode)
                return result
            self._free()
        self._fitting.pop(entry.path, None)
        self._foreseen.pop(entry.path, None)
        raise _too_large(request)

    def preload(self, model: str, progress: Progress) -> None:
        """Load `model` if it is not loaded."""
        entry = self._entry(model)
        self._predict(entry, [], Asked())
        self._recall(entry, [])
        self._backbone(entry, progress)

    @property
    def device(self) -> str:
        """Where the loaded model runs, such as "cpu" or "cuda"; "" before one is loaded."""
        return self._loaded.backbone.device.type if self._loaded is not None else ""

    def backbone(self, model: str, progress: Progress) -> "Backbone":
        """The loaded backbone itself, for evaluation and learning."""
        return self._backbone(self._entry(model), progress)

    def forget(self) -> None:
        """Drop results and intermediate values; the model stays loaded."""
        self._results.clear()
        self._work.clear()
        self._features.clear()

    def model_hash(self, model: str, progress: Progress) -> str:
        """The hash of the model's weights; loads it."""
        return self.backbone(model, progress).model_hash

    def _entry(self, model: str, weights_hash: str = "") -> ModelEntry:
        if self._only_listed:
            return self._catalogue.find(model, weights_hash)
        return self._catalogue.locate(model)

    def _modes(self, entry: ModelEntry) -> Iterator[MemoryMode | None]:
        """The current memory mode (None), then every tighter one.

        On a CPU all take the same but that with 8 bits; where that is not allowed just one is tried.
        """
        loaded = self._loaded if self._is_loaded(entry) else None
        current = loaded.memory_mode if loaded is not None else self._first_mode(entry)
        yield None
        tighter = [mode for mode in self._modes_allowed if is_tighter(mode, current)]
        for mode in tighter:
            if self.device == "cpu" and mode is not MemoryMode.EIGHT_BIT and MemoryMode.EIGHT_BIT in tighter:
                continue
            yield mode
            if self.device == "cpu":
                return

    def _first_mode(self, entry: ModelEntry) -> MemoryMode:
        """The mode in which the model ran last, while this program runs; else the wanted or the fastest."""
        return self._fitting.get(entry.path, self._wanted or MemoryMode.FULL)

    def _asked_of_memory(self, request: Request) -> Asked:
        parameters = request.parameters
        size = parameters if isinstance(parameters, SamplingParameters) else None
        uses = [use for use in _loras_of(request) if use.strength and self._loras is not None]
        return Asked(
            width=(size.width or 0) if size is not None else 0,
            height=(size.height or 0) if size is not None else 0,
            texts=tuple(str(getattr(parameters, name, "")) for name in ("prompt", "negative_prompt")),
            loras=tuple(self._loras.asked_for(use).path for use in uses) if self._loras is not None else (),
        )

    def _predict(self, entry: ModelEntry, notes: list[Message], asked: Asked) -> None:
        """Before a model is loaded, and when more is asked than was foreseen: in which mode it will fit."""
        if self._choose is None or self._wanted is not None:
            return
        foreseen = self._foreseen.setdefault(entry.path, [])
        if any(asked.is_within(one) for one in foreseen):
            return
        choice = self._choose(entry, self._device, self._dtype, asked)
        foreseen.append(asked)
        if entry.path in self._fitting and not is_tighter(choice.mode, self._fitting[entry.path]):
            return
        if self._is_loaded(entry):
            self._loaded = None
        self._fitting[entry.path] = choice.mode
        if choice.mode is not MemoryMode.FULL:
            notes.append(
                Message(
                    "{model} needs {needed} GB of memory, {free} GB are free: {part} is there at a time.",
                    model=entry.name,
                    needed=f"{choice.needed_bytes / 1e9:.1f}",
                    free=f"{choice.free_bytes / 1e9:.1f}",
                    part=_AT_A_TIME[choice.mode],
                )
            )

    def _recall(self, entry: ModelEntry, notes: list[Message], parameters: Parameters | None = None) -> None:
        """Take the mode that pictures of this size needed before, also in an earlier start."""
        if self._known_modes is None or self._wanted is not None:
            return
        known = self._known_modes.mode(entry, _bucket(parameters))
        if (
            known is None
            or known not in self._modes_allowed
            or not is_tighter(known, self._first_mode(entry))
        ):
            return
        self._fitting[entry.path] = known
        if self._is_loaded(entry):
            self._loaded = None
        notes.append(
            Message(
                "Memory ran out with {model} before: {part} is there at a time.",
                model=entry.name,
                part=_AT_A_TIME[known],
            )
        )

    def _attempt(
        self,
        request: Request,
        entry: ModelEntry,
        contents: "Contents",
        progress: Progress,
        notes: list[Message],
        resume: bytes | None,
    ) -> Result | None:
        """One try; None if memory ran out. The exception, which holds tensors, ends here."""
        try:
            backbone = self._backbone(entry, progress)
            backbone.measured = progress.measured
            memory.start_peak(backbone.device)
            filling = self._filling(request, entry, backbone, contents, progress)
            with self._added(request, backbone, progress) as said:
                return self._asked(request, filling, [*notes, *said], resume)
        except (RuntimeError, MemoryError) as error:
            if not memory.is_out_of_memory(error):
                raise
            return None

    def _asked(
        self, request: Request, filling: Filling, notes: list[Message], resume: bytes | None
    ) -> Result:
        """The result, from memory if it was made before; LoRAs are in the model by now."""
        progress, name = filling.progress, filling.entry.name
        parameters = filled(request.parameters, filling)
        resolved = replace(request, parameters=parameters, model=name, model_hash=filling.weights_hash)
        key = self._key(resolved)
        known = self._results.get(key)
        if request.model_hash not in ("", filling.weights_hash):
            notes.append(Message("The weights of {name} are not those this was first made with.", name=name))
        notes += filling.notes
        if known is None:
            result = self._carried_out(resolved, filling.backbone, filling, resume)
            self._results.put(key, result, _size_bytes(result))
        else:
            result = replace(known, cached=True, measured=progress.measured)
        # what was asked is not part of what was found: the same picture may be asked for in other ways
        return replace(result, notes=(*notes, *result.notes))

    @contextmanager
    def _added(
        self, request: Request, backbone: "Backbone", progress: Progress
    ) -> Generator[tuple[Message, ...]]:
        """Have the request's LoRAs in the model; gives what is to be said about it."""
        uses = _loras_of(request)
        if not uses or self._loras is None:
            yield ()
            return
        if self._adding is None:
            from inference.loras.adding import Adding

            self._adding = Adding(self._loras)
        with self._adding.added(uses, backbone, progress) as said:
            yield said

    def _check_loras(self, request: Request, entry: ModelEntry) -> None:
        """Before a model is loaded for it: whether the request's LoRAs are there and for its family.

        Raises:
            EditorError: as said.
        """
        uses = _loras_of(request)
        refuse_twins(uses)
        for use in uses:
            if self._loras is None:
                raise EditorError("There are no LoRAs here.", "Leave “{name}” out.", name=use.name)
            self._loras.asked_for(use).refuse_misfit(entry.name, entry.family)

    def _filling(
        self,
        request: Request,
        entry: ModelEntry,
        backbone: "Backbone",
        contents: "Contents",
        progress: Progress,
    ) -> Filling:
        return Filling(
            operation=request.declared,
            entry=entry,
            backbone=backbone,
            weights_hash=backbone.model_hash,
            library=self._library,
            steps_file=self._steps_file,
            learnt=self._learnt,
            progress=progress,
            contents=named(contents, request.parameters),
            deltas={},
            words=self._words,
            notes=[],
        )

    def _carried_out(
        self,
        request: Request,
        backbone: "Backbone",
        filling: Filling,
        resume: bytes | None,
    ) -> Result:
        progress = filling.progress
        seen = fitted(request, filling.contents, self._work)
        inputs = Inputs(
            contents=seen,
            learnt=tuple(filling.words[name][1] for name in filling.concepts),
            deltas=filling.deltas,
            cache=self._work,
            features=self._features,
            kept=self._kept,
            resume=resume,
        )
        output = _method(request.declared)(backbone, request.parameters, inputs, progress)
        progress.check()
        progress.measured.peak_memory_bytes = memory.peak_bytes(backbone.device)
        given = {content.hash for content in contents_in(request.parameters)}
        return Result(
            request=request,
            images=restored(request, filling.contents, seen, output.images),
            maps=output.maps,
            measured=progress.measured,
            notes=(*dict.fromkeys(progress.said), *output.notes),
            scores=output.scores,
            artifacts=output.artifacts,
            contents={name: blob for name, blob in filling.contents.items() if name in given},
        )

    def _backbone(self, entry: ModelEntry, progress: Progress) -> "Backbone":
        if not (self._is_loaded(entry) and self._loaded):
            self._reload(entry, self._first_mode(entry), progress)
        assert self._loaded is not None, "it was just loaded"
        return self._loaded.backbone

    def _is_loaded(self, entry: ModelEntry) -> bool:
        return self._loaded is not None and self._loaded.entry == entry

    def _reload(self, entry: ModelEntry, mode: MemoryMode, progress: Progress) -> None:
        self._loaded = None  # first, so that two models are never in memory together
        with progress.phase("load"):
            backbone = self._load(
                entry, device=self._device, dtype=self._dtype, memory_mode=mode, progress=progress
            )
        self._loaded = _Loaded(entry=entry, backbone=backbone, memory_mode=mode)
        self._fitting[entry.path] = mode

    def _free(self) -> None:
        self._work.clear()
        self._features.clear()
        if self._adding is not None:
            self._adding.forget()
        if self._loaded is not None:
            memory.free(self._loaded.backbone.device)

    def _key(self, request: Request) -> str:
        content = json.dumps(request.to_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(f"{self._device} {self._dtype} {content}".encode()).hexdigest()


def make_runner(
    settings_folder: Path,
    user_deltas: Path,
    device: str = "auto",
    dtype: str = "auto",
    only_listed: bool = False,
    cache: tuple[Path, int] | None = None,
    memory_mode: str = AUTO,
    storage: str = AUTO,
    remember_modes: bool = True,
) -> Runner:
    """The usual runner; a partial of this function is what the service hands to its child.

    `cache` is the folder of what later runs can use again, and how many bytes it may have. Without
    `remember_modes` what is known of memory modes is forgotten.
    """
    known_modes = KnownModes(user_deltas.parent / MODES_FILE, partial(device_here, device))
    if not remember_modes:
        known_modes.forget()
    kept = None
    if cache is not None:
        kept = DiskCache(*cache, version())
        kept.trim()
    return Runner(
        Catalogue(settings_folder),
        DeltaLibrary.standard(user_deltas),
        device=device,
        dtype=dtype,
        steps_file=user_deltas.parent / STEPS_FILE,
        kept=kept,
        only_listed=only_listed,
        loras=LoraLibrary(settings_folder),
        memory_mode=memory_mode,
        storage=storage,
        known_modes=known_modes if remember_modes else None,
    )


def _load_backbone(
    entry: ModelEntry,
    *,
    device: str,
    dtype: str,
    memory_mode: MemoryMode,
    progress: Progress,
    storage: str = AUTO,
) -> "Backbone":
    from inference.weights.loading import load_backbone

    return load_backbone(
        entry, device=device, dtype=dtype, memory_mode=memory_mode, storage=storage, progress=progress
    )


def _memory_mode(
    entry: ModelEntry, device: str, dtype: str, asked: Asked, *, storage: str = AUTO
) -> "Choice":
    from inference.weights.prediction import mode_here

    return mode_here(entry, device, dtype, asked, storage)


def _bucket(parameters: Parameters | None) -> int:
    if not isinstance(parameters, SamplingParameters):
        return 0
    return size_bucket(parameters.width or 0, parameters.height or 0)


def _check(request: Request, entry: ModelEntry, contents: "Contents") -> None:
    operation = request.declared
    if entry.family not in operation.families:
        families = listed(sorted(family.value.upper() for family in operation.families))
        raise EditorError(
            "“{operation}” does not work with {model} ({family}).",
            "Choose a model of: {families}.",
            operation=operation.label,
            model=entry.name,
            family=entry.family.value.upper(),
            families=families,
        )
    check_marks(request.parameters)
    for item in operation.parameters.declared():
        for content in contents_in(getattr(request.parameters, item.name)):
            blob = contents.get(content.hash)
            if blob is None and not item.declaration.hidden:
                raise EditorError(
                    "“{operation}” lacks what belongs to it: {what}.",
                    "Give it again.",
                    operation=operation.label,
                    what=item.declaration.label,
                )
            if blob is not None and not (content.fits(blob) and content_hash(blob) == content.hash):
                raise EditorError("{what} is not what the request names.", what=item.declaration.label)


def _built_in_detector() -> judge.Judge:
    from inference.miniworld import judging  # with torch

    return judging.load()


# Here, where the program is put together, the built-in models' world is known; scores ask for a judge.
judge.register(judge.BUILT_IN, _built_in_detector)


def _loras_of(request: Request) -> "tuple[LoraUse, ...]":
    return getattr(request.parameters, "loras", ())


def _method(operation: Operation) -> Method:
    module, _, name = operation.method.partition(":")
    return cast("Method", getattr(importlib.import_module(module), name))


def _size_bytes(result: Result) -> int:
    arrays = (*result.images, *result.maps.values())
    return sum(one.nbytes for one in arrays) + sum(len(one) for one in result.artifacts.values())


def _too_large(request: Request) -> TooLittleMemoryError:
    parameters = request.parameters
    if isinstance(parameters, SamplingParameters) and parameters.width and parameters.height:
        sentence = Message(
            "There is not enough memory for a picture of {width} × {height} with {model}.",
            width=parameters.width,
            height=parameters.height,
            model=request.model,
        )
    elif isinstance(parameters, LearnConcept | LearnDelta):
        hint = Message("Close other programs, or choose a smaller model.")
        if not parameters.low_memory:
            hint = Message("Switch “Low memory” on, close other programs, or choose a smaller model.")
        return TooLittleMemoryError(
            Message("There is not enough memory for learning with {model}.", model=request.model), hint
        )
    else:
        sentence = Message("There is not enough memory with {model}.", model=request.model)
    return TooLittleMemoryError(
        sentence, "Choose a smaller size or a smaller model, or close other programs."
    )
