"""Runs requests: loads the model, fills in the defaults, finds the deltas, calls the method, measures.

    runner = Runner(Catalogue(settings_folder), DeltaLibrary.standard(user_folder))
    result = runner.run(request, {}, Progress())

For one thread at a time; knows no Qt, and loads torch with the first model only.
"""

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from inference import memory
from inference.cache import ByteCache
from inference.chosen_steps import STEPS_FILE, chosen
from inference.deltas import Delta, DeltaLibrary
from inference.errors import EditorError, TooLittleMemoryError
from inference.inputs import Inputs
from inference.messages import Message, listed
from inference.models import Catalogue, MemoryMode, ModelEntry
from inference.operations import Attribute, Need, Operation, Refine, SamplingParameters, SubjectEdit
from inference.parameters import Parameters
from inference.progress import Progress
from inference.request import Output, Pixels, Request, Result, pixels_hash

if TYPE_CHECKING:
    from inference.backbones.base import Backbone

RESULT_CACHE_BYTES = 256 * 2**20
WORK_CACHE_BYTES = 256 * 2**20

Method: TypeAlias = "Callable[[Backbone, Any, Inputs, Progress], Output]"


class Loader(Protocol):
    """Makes a backbone of a catalogue entry; `inference.loading.load_backbone` is the usual one."""

    def __call__(
        self, entry: ModelEntry, *, device: str, dtype: str, memory_mode: MemoryMode, progress: Progress
    ) -> "Backbone": ...


# from the fastest to the one that needs least memory
MEMORY_MODES = tuple(MemoryMode)

_AT_A_TIME = {
    MemoryMode.FULL: Message("the whole model"),
    MemoryMode.MODEL: Message("one network"),
    MemoryMode.GROUP: Message("one block"),
    MemoryMode.SEQUENTIAL: Message("one layer"),
}
_NEEDED = {Need.IMAGE: Message("a picture"), Need.MASK: Message("a mask")}


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
        load: makes backbones; replaced in tests.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        library: DeltaLibrary,
        *,
        device: str = "auto",
        dtype: str = "auto",
        load: Loader | None = None,
        steps_file: Path | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._library = library
        self._device = device
        self._dtype = dtype
        self._load = load or _load_backbone
        self._steps_file = steps_file
        self._loaded: _Loaded | None = None
        self._results: ByteCache[Result] = ByteCache(RESULT_CACHE_BYTES)
        self._work: ByteCache[Any] = ByteCache(WORK_CACHE_BYTES)
        self._learnt: dict[tuple[str, str], Delta] = {}

    def run(self, request: Request, inputs: Mapping[str, Pixels], progress: Progress) -> Result:
        """Carry `request` out.

        Raises:
            EditorError: anything the user can mend; after it, and after `Cancelled`, the next request
                finds the models as they were.
        """
        entry = self._catalogue.find(request.model)
        operation = request.declared
        _check(operation, entry, inputs)
        notes: list[Message] = []
        for mode in self._modes(entry):
            if mode is not None:
                self._reload(entry, mode, progress)
                notes.append(
                    Message(
                        "Memory ran out; repeated with {part} in memory at a time.",
                        part=_AT_A_TIME[mode],
                    )
                )
            result = self._attempt(request, entry, inputs, progress, notes)
            if result is not None:
                return result
            self._free()
        raise _too_large(request)

    def preload(self, model: str, progress: Progress) -> None:
        """Load `model` if it is not loaded."""
        self._backbone(self._catalogue.find(model), progress)

    @property
    def device(self) -> str:
        """Where the loaded model runs, such as "cpu" or "cuda"; "" before one is loaded."""
        return self._loaded.backbone.device.type if self._loaded is not None else ""

    def backbone(self, model: str, progress: Progress) -> "Backbone":
        """The loaded backbone itself, for evaluation and learning."""
        return self._backbone(self._catalogue.find(model), progress)

    def forget(self) -> None:
        """Drop results and intermediate values; the model stays loaded."""
        self._results.clear()
        self._work.clear()

    def model_hash(self, model: str, progress: Progress) -> str:
        """The hash of the model's weights; loads it."""
        return self.backbone(model, progress).model_hash

    def _modes(self, entry: ModelEntry) -> tuple[MemoryMode | None, ...]:
        """The current memory mode (None) and the next tighter one, which is tried once."""
        current = self._loaded.memory_mode if self._is_loaded(entry) and self._loaded else MEMORY_MODES[0]
        later = MEMORY_MODES[MEMORY_MODES.index(current) + 1 :]
        return (None, *later[:1])

    def _attempt(
        self,
        request: Request,
        entry: ModelEntry,
        images: Mapping[str, Pixels],
        progress: Progress,
        notes: list[Message],
    ) -> Result | None:
        """One try; None if memory ran out. The exception, which holds tensors, ends here."""
        try:
            backbone = self._backbone(entry, progress)
            resolved = self._with_step(_resolved(request, entry, backbone, images), entry)
            key = self._key(resolved)
            known = self._results.get(key)
            if known is not None:
                return replace(known, cached=True, measured=progress.measured)
            if request.model_hash not in ("", backbone.model_hash):
                notes.append(
                    Message("The weights of {name} are not those this was first made with.", name=entry.name)
                )
            result = self._carried_out(resolved, backbone, entry, images, progress, tuple(notes))
        except (RuntimeError, MemoryError) as error:
            if not memory.is_out_of_memory(error):
                raise
            return None
        self._results.put(key, result, _size_bytes(result))
        return result

    def _with_step(self, request: Request, entry: ModelEntry) -> Request:
        """The request with the step and step size chosen for the model, where they are left open."""
        parameters = request.parameters
        if not isinstance(parameters, Refine) or not parameters.steps:
            return request
        found = chosen(entry.path, request.model_hash, parameters.method, self._steps_file)
        if parameters.step is None and found.step is not None:
            parameters = replace(parameters, step=found.step.at(parameters.steps))
        losses = {"learning_rate": parameters.refinement_loss, "guidance_step_size": parameters.guidance_loss}
        # they were chosen for the method's own losses
        left_open = {
            name: size
            for name, size in found.sizes.items()
            if getattr(parameters, name) is None and losses[name] is None
        }
        return replace(request, parameters=replace(parameters, **left_open))

    def _carried_out(
        self,
        request: Request,
        backbone: "Backbone",
        entry: ModelEntry,
        images: Mapping[str, Pixels],
        progress: Progress,
        notes: tuple[Message, ...],
    ) -> Result:
        backbone.measured = progress.measured
        memory.start_peak(backbone.device)
        deltas = self._deltas(request.parameters, backbone, entry, progress)
        inputs = Inputs(images=images, deltas=deltas, cache=self._work)
        output = _method(request.declared)(backbone, request.parameters, inputs, progress)
        progress.check()
        progress.measured.peak_memory_bytes = memory.peak_bytes(backbone.device)
        return Result(
            request=request,
            images=output.images,
            maps=output.maps,
            measured=progress.measured,
            notes=(*notes, *output.notes),
            scores=output.scores,
        )

    def _deltas(
        self, parameters: Parameters, backbone: "Backbone", entry: ModelEntry, progress: Progress
    ) -> tuple[Delta, ...]:
        """The delta of each of the parameters' edits."""
        if not isinstance(parameters, Attribute):
            return ()
        return tuple(
            self._delta(edit, _subject(parameters, edit), backbone, entry, progress)
            for edit in parameters.edits
        )

    def _delta(
        self, edit: SubjectEdit, subject: str, backbone: "Backbone", entry: ModelEntry, progress: Progress
    ) -> Delta:
        delta = self._library.find(entry, subject, edit.attribute)
        if delta.vectors:
            return delta.fitted(entry.name, backbone.token_widths)
        key = (backbone.model_hash, delta.info.key)
        if key not in self._learnt:
            assert delta.info.definition is not None, "a delta without vectors has a definition"
            from inference.methods.naive_delta import learn_naive

            with progress.phase("learn"):
                self._learnt[key] = learn_naive(backbone, delta.info.definition, progress)
        return self._learnt[key]

    def _backbone(self, entry: ModelEntry, progress: Progress) -> "Backbone":
        if not (self._is_loaded(entry) and self._loaded):
            self._reload(entry, MEMORY_MODES[0], progress)
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

    def _free(self) -> None:
        self._work.clear()
        if self._loaded is not None:
            memory.free(self._loaded.backbone.device)

    def _key(self, request: Request) -> str:
        content = json.dumps(request.to_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(f"{self._device} {self._dtype} {content}".encode()).hexdigest()


def make_runner(
    settings_folder: Path, user_deltas: Path, device: str = "auto", dtype: str = "auto"
) -> Runner:
    """The usual runner; a partial of this function is what the service hands to its child."""
    library = DeltaLibrary.standard(user_deltas)
    steps_file = user_deltas.parent / STEPS_FILE
    return Runner(Catalogue(settings_folder), library, device=device, dtype=dtype, steps_file=steps_file)


def _load_backbone(
    entry: ModelEntry, *, device: str, dtype: str, memory_mode: MemoryMode, progress: Progress
) -> "Backbone":
    from inference.loading import load_backbone

    return load_backbone(entry, device=device, dtype=dtype, memory_mode=memory_mode, progress=progress)


def _check(operation: Operation, entry: ModelEntry, inputs: Mapping[str, Pixels]) -> None:
    if entry.family not in operation.families:
        families = listed(sorted(family.value.upper() for family in operation.families))
        raise EditorError(
            "“{label}” does not work with {name} ({family}).",
            "Choose a model of: {families}.",
            label=operation.label,
            name=entry.name,
            family=entry.family.value.upper(),
            families=families,
        )
    missing = [_NEEDED[need] for need in Need if need in operation.needs and need.value not in inputs]
    if missing:
        raise EditorError(
            "“{label}” needs: {missing}.",
            "Give it as well.",
            label=operation.label,
            missing=listed(missing),
        )


def _resolved(
    request: Request, entry: ModelEntry, backbone: "Backbone", images: Mapping[str, Pixels]
) -> Request:
    """The request with every default, the model's name and hash, and the inputs' hashes filled in."""
    parameters = request.parameters
    if isinstance(parameters, SamplingParameters):
        defaults = backbone.defaults
        left_open = {
            item.name: getattr(defaults, item.name)
            for item in parameters.declared()
            if getattr(parameters, item.name) is None and hasattr(defaults, item.name)
        }
        parameters = replace(parameters, **left_open)
    return replace(
        request,
        parameters=parameters,
        model=entry.name,
        model_hash=backbone.model_hash,
        input_hashes={name: pixels_hash(pixels) for name, pixels in images.items()},
    )


def _subject(parameters: Attribute, edit: SubjectEdit) -> str:
    prompt = parameters.prompt
    if not 0 <= edit.start < edit.end <= len(prompt):
        raise EditorError(
            "The subject at characters {start} to {end} is not in the prompt, which has {length} characters.",
            "Choose the subject again.",
            start=edit.start,
            end=edit.end,
            length=len(prompt),
        )
    return prompt[edit.start : edit.end]


def _method(operation: Operation) -> Method:
    module, _, name = operation.method.partition(":")
    return cast("Method", getattr(importlib.import_module(module), name))


def _size_bytes(result: Result) -> int:
    return sum(image.nbytes for image in result.images) + sum(heat.nbytes for heat in result.maps.values())


def _too_large(request: Request) -> TooLittleMemoryError:
    parameters = request.parameters
    if isinstance(parameters, SamplingParameters) and parameters.width and parameters.height:
        sentence = Message(
            "There is not enough memory for a picture of {width} × {height} with {model}.",
            width=parameters.width,
            height=parameters.height,
            model=request.model,
        )
    else:
        sentence = Message("There is not enough memory with {model}.", model=request.model)
    return TooLittleMemoryError(
        sentence, "Choose a smaller size or a smaller model, or close other programs."
    )
