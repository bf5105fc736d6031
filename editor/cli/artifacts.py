"""The commands that make a file other than a picture, such as `attune learn-delta`. Free of Qt.

They may run for hours: what is there so far is kept on disk, an interruption ends them at a place from which
`--resume` goes on, and the end is the same to the bit.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from editor.cli.operations import check_folder, parameters_of, report, runner_of
from editor.cli.output import ProgressPrinter, complain, print_json, say
from editor.generating.learnt_files import ENDING, Learnt, check_name, learnt_kinds
from editor.recovery.checkpoints import Checkpoint, Checkpoints, Held, name_of
from editor.system.atomic import atomic_write
from editor.system.errors import DONE, INTERRUPTED, WritingError
from editor.system.folders import checkpoints_folder, concepts_folder, deltas_folder
from inference.concepts.library import ConceptLibrary
from inference.definitions import definition_from_bytes, read_definition
from inference.deltas import DeltaLibrary
from inference.errors import EditorError, Parked
from inference.messages import Message
from inference.operations import JudgePhotos, LearnConcept, LearnDelta, read_by
from inference.progress import Measurements, Progress, Step
from inference.request import Request, Result


def make_artifact(arguments: argparse.Namespace) -> int:
    """One request whose result is a file: written to `-o`, or kept in the library of its kind."""
    started = time.perf_counter()
    if arguments.output is not None:
        if arguments.output.suffix != ENDING:
            raise EditorError(
                Message("A delta is a .safetensors file, not “{name}”.", name=arguments.output.name)
                if arguments.operation == "learn-delta"
                else Message("A concept is a .safetensors file, not “{name}”.", name=arguments.output.name)
            )
        check_folder(arguments.output)
    if getattr(arguments, "definition", None) is not None:
        read_definition(arguments.definition)  # what is wrong with it is told with its name, before all work
    parameters, contents = parameters_of(arguments)
    request = Request(operation=arguments.operation, parameters=parameters, model=arguments.model)
    concepts = ConceptLibrary(concepts_folder())
    kind = learnt_kinds(DeltaLibrary.standard(deltas_folder()), concepts)[request.declared.artifact]
    check_name(request, concepts if arguments.output is None else None)
    with _held(request) as held:
        work = _Work(request, contents, held, ProgressPrinter(quiet=arguments.json))
        runner = runner_of(arguments)
        _tell_memory(runner, request)
        if not arguments.resume:
            _tell_photos(runner, request, contents)
        try:
            result = work.run(runner, resume=arguments.resume)
        except Parked as parked:
            work.write(parked.state)
            complain(str(work.stopped))
            return INTERRUPTED
        try:
            output = _kept(kind, result, contents, arguments.output)
        except WritingError:
            if held is not None and held.exists:  # hours may be in it
                complain(str(Message("what was learnt is not lost: the same command with --resume goes on.")))
            raise
        if held is not None:
            held.remove()
    _tell(arguments, kind, result, output, time.perf_counter() - started)
    return DONE


def _tell_memory(runner: Any, request: Request) -> None:
    """About what learning will need, before it starts; nothing for what needs no gradients."""
    parameters = request.parameters
    if not isinstance(parameters, LearnDelta) or parameters.method == "naive":
        return
    from inference.methods.learning.plan import memory_plan  # with torch

    plan = memory_plan(runner.backbone(request.model, Progress()), parameters)
    if plan is not None:
        complain(
            str(
                Message(
                    "learning needs about {total:.1f} GB of memory, {weights:.1f} GB of it for the model.",
                    total=plan.total / 1e9,
                    weights=plan.weights / 1e9,
                )
            )
        )


def _tell_photos(runner: Any, request: Request, contents: Mapping[str, Any]) -> None:
    """What would help before a concept is learnt from photos, as the window says it; nothing is refused."""
    parameters = request.parameters
    if not isinstance(parameters, LearnConcept):
        return
    photos = JudgePhotos(
        images=parameters.images,
        initialise_from=parameters.initialise_from,
        template=parameters.template,
        crops=parameters.crops,
    )
    judging = Request(operation="judge-photos", parameters=photos, model=request.model)
    with suppress(EditorError):  # learning says it
        for note in runner.run(judging, contents, Progress()).notes:
            complain(str(note))


class _Work:
    """One run that is followed to the disk. `step` is the last one that was reported."""

    def __init__(
        self, request: Request, contents: Mapping[str, Any], held: Held | None, printer: ProgressPrinter
    ) -> None:
        self.step = Step(phase="", done=0, total=0)
        self._request = request
        self._contents = dict(contents)
        self._held = held
        self._printer = printer
        self._interrupted = False
        self._problem = ""  # why the last state could not be kept: of hundreds of them it is told once
        self._measured = Measurements()

    def run(self, runner: Any, *, resume: bool) -> Result:
        """Begin, or go on.

        Raises:
            Parked: the user interrupted it.
            EditorError: as the runner, or the checkpoint is damaged.
        """
        state = self._last(resume=resume)
        progress = Progress(
            self._on_step,
            park_requested=lambda: self._interrupted,
            on_checkpoint=self.write,
            measured=self._measured,
        )
        try:
            with self._interruptions():
                return runner.run(self._request, self._contents, progress, state)
        finally:
            self._printer.close()

    def write(self, state: bytes) -> None:
        """Keep a state; where that fails the work goes on, and the last one stays."""
        if self._held is None:
            return
        checkpoint = Checkpoint(
            request=self._request,
            label=_label(self._request, self._contents),
            done=self.step.done,
            total=self.step.total,
            state=state,
            contents=self._contents,
            measured=self._measured,
        )
        before, self._problem = self._problem, ""
        try:
            self._held.write(checkpoint)
        except WritingError as error:
            self._problem = str(error)
            if self._problem != before:
                complain(self._problem)

    @property
    def stopped(self) -> Message:
        """How far it came, and whether anything is left to go on from."""
        done, total = self.step.done, self.step.total
        if self._held is not None and self._held.exists:
            return Message(
                "stopped at {done} of {total}. The same command with --resume goes on.",
                done=done,
                total=total,
            )
        return Message(
            "stopped at {done} of {total}. What was done could not be kept.", done=done, total=total
        )

    def _last(self, *, resume: bool) -> bytes | None:
        if self._held is None or not self._held.exists:
            if resume:
                complain(str(Message("there is nothing to go on from; this begins at the beginning.")))
            return None
        if not resume:
            complain(str(Message("an earlier run of this is given up; --resume would have gone on.")))
            return None
        last = self._held.read()
        self._measured = last.measured
        self.step = Step(phase="", done=last.done, total=last.total)
        return last.state

    def _on_step(self, step: Step) -> None:
        self.step = step
        self._printer(step)

    @contextmanager
    def _interruptions(self) -> Generator[None]:
        """The first interruption ends the work at its next place; before it began, and twice, at once."""

        def interrupted(number: int, frame: FrameType | None) -> None:
            if self._interrupted or self.step.phase in ("", "load"):
                raise KeyboardInterrupt
            self._interrupted = True

        before = signal.getsignal(signal.SIGINT)
        with suppress(ValueError):  # not the main thread: nobody interrupts
            signal.signal(signal.SIGINT, interrupted)
        try:
            yield
        finally:
            with suppress(ValueError):
                signal.signal(signal.SIGINT, before)


def _label(request: Request, contents: Mapping[str, Any]) -> str:
    """What the window's list of stopped jobs calls it; several of one kind are told apart."""
    parameters = request.parameters
    name = getattr(parameters, "token", "")
    if isinstance(parameters, LearnDelta):
        name = definition_from_bytes(contents[parameters.definition.hash]).label
    return f"{request.declared.label}: {name}" if name else str(request.declared.label)


@contextmanager
def _held(request: Request) -> Generator[Held | None]:
    """The job's file; None, and a sentence, where nothing can be kept."""
    try:
        held = Checkpoints(checkpoints_folder()).hold(name_of(request))
    except WritingError as error:
        complain(str(error))
        yield None
        return
    with held:
        yield held


def _kept(kind: Learnt, result: Result, contents: Mapping[str, Any], output: Path | None) -> Path:
    content = result.artifacts[result.request.declared.artifact]
    if output is None:
        path = kind.add(content, result.request, contents).path
        assert path is not None, "it was written"
        return path
    with atomic_write(output) as file:
        file.write(content)
    return output


def _tell(arguments: argparse.Namespace, kind: Learnt, result: Result, output: Path, seconds: float) -> None:
    if arguments.json:
        definition = getattr(arguments, "definition", None)
        told = report(result, [output], seconds)
        if definition is not None:
            read = read_by(getattr(result.request.parameters, "method", ""))
            told["parameters"] = {name: value for name, value in told["parameters"].items() if name in read}
            told["definition"] = str(definition.absolute())
        print_json(
            {
                **told,
                "method": getattr(result.request.parameters, "method", ""),
                **kind.told(output),
                "scores": dict(result.scores),
            }
        )
        return
    say(f"{output}  ({seconds:.1f} s)")
    for note in result.notes:
        complain(str(note))
