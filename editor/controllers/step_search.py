"""Choosing a model's refinement step from the window: `choose_step` as jobs of the inference service."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, Signal

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from editor.system.atomic import atomic_write
from editor.system.folders import data_folder
from inference.chosen_steps import STEPS_FILE, store_step
from inference.detection_labels import detection_labels
from inference.errors import EditorError
from inference.evaluation.choose_step import USUAL_SETS, StepCurve, Trial, candidates, curve_of, trials
from inference.evaluation.refine_sets import MINI_WORLD, World, photo_world
from inference.files import read_at_most
from inference.operations import RefineTrial
from inference.request import Request, Result
from inference.service import Job, Priority
from inference.values import parsed_json

if TYPE_CHECKING:
    from inference.models import Catalogue

translate = QCoreApplication.translate

_LARGEST_RECORD = 16 * 2**20
RECORDS = "step-trials"  # folder of what was measured, so that a later search goes on


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched: `prompts` × `seeds` pictures for each step and set."""

    model: str
    method: str
    steps: int
    prompts: int
    seeds: int
    detector: str = ""

    @property
    def pictures(self) -> int:
        """How many pictures the whole search draws, at most."""
        return len(candidates(self.steps)) * len(USUAL_SETS) * self.prompts * self.seeds


class StepSearch(Controller):
    """One search at a time; its jobs wait for everything else, and what they found is kept on disk."""

    changed = Signal()
    failed = Signal(object)  # EditorError
    kept = Signal(int)  # the step that was stored

    def __init__(self, shell: Shell, catalogue: Catalogue, folder: Path | None = None) -> None:
        super().__init__(shell)
        self._catalogue = catalogue
        self._folder = folder or data_folder()
        self._search: Search | None = None
        self._left: list[Trial] = []
        self._total = 0
        self._cells: dict[str, dict[str, dict[str, bool]]] = {}
        self._job: Job | None = None
        self._model_hash = ""
        self._started_s = 0.0
        self._measured = 0  # trials in this run, which the time left is told from
        self._pace_s: dict[str, float] = {}  # a step of one picture, by model
        shell.service.job_finished.connect(self._learn_pace)

    @property
    def search(self) -> Search | None:
        """What is searched, or was last."""
        return self._search

    @property
    def busy(self) -> bool:
        return self._job is not None

    @property
    def done(self) -> tuple[int, int]:
        """Trials that are known, and all."""
        return self._total - len(self._left), self._total

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the pace so far; None while that is not known."""
        if not self._measured or not self.busy:
            return None
        return (time.monotonic() - self._started_s) / self._measured * len(self._left)

    def seconds_of(self, search: Search) -> float | None:
        """About how long a whole search takes, by what the model's pictures took so far; None if none did."""
        pace = self._pace_s.get(search.model)
        return None if pace is None else pace * search.steps * search.pictures

    @property
    def curve(self) -> StepCurve | None:
        """What is known so far, of the steps that were tried with every set; None before there is one."""
        search = self._search
        if search is None:
            return None
        tried = [
            step
            for step in candidates(search.steps)
            if all(f"{step}|{name}" in self._cells for name in USUAL_SETS)
        ]
        if not tried:
            return None
        return curve_of(self._cells, method=search.method, steps=search.steps, tried=tried, sets=USUAL_SETS)

    @property
    def is_complete(self) -> bool:
        return self._total > 0 and not self._left

    def start(self, search: Search) -> None:
        """Begin, or go on where an earlier search of the same kind was stopped.

        Raises:
            EditorError: nothing here can judge the model's pictures.
        """
        self.stop()
        world = self._world(search)
        same = self._search is not None and _same_trials(self._search, search)
        self._search = search
        if not same:
            self._cells, self._model_hash = {}, ""
        everything = trials(
            sets=USUAL_SETS, steps=search.steps, prompts=search.prompts, seeds=search.seeds, world=world
        )
        self._total = len(everything)
        self._left = [trial for trial in everything if not trial.is_known(self._cells)]
        self._started_s, self._measured = time.monotonic(), 0
        if self._left:
            self._ask()
        self.changed.emit()

    def stop(self) -> None:
        """Cancel the trial that is under way; what was measured stays."""
        job, self._job = self._job, None
        if job is not None:
            self._shell.service.cancel(job)
            self.changed.emit()

    def keep(self) -> None:
        """Store the best step with the model; `refine` uses it from then on."""
        curve = self.curve
        if curve is None or not self._model_hash:
            return
        model_hash, method, values = self._model_hash, curve.method, curve.to_json()
        step, file = curve.chosen, self._folder / STEPS_FILE

        def store() -> None:
            store_step(file, model_hash, method, values)

        self._shell.background.run(store, lambda _: self.kept.emit(step), self.failed.emit, kept=True)

    def _world(self, search: Search) -> World:
        entry = self._catalogue.find(search.model)
        if entry.sandbox:
            return MINI_WORLD
        if not search.detector:
            raise EditorError(
                "Nothing here can tell what is in the pictures of {name}.",
                "Name a detection model in Settings.",
                name=entry.name,
            )
        return photo_world(detection_labels(search.detector))

    def _ask(self) -> None:
        search, trial = self._search, self._left[0]
        assert search is not None, "asked after the start"
        parameters = RefineTrial(
            prompt=trial.prompt.text,
            subjects=trial.prompt.subjects,
            seed=trial.seeds[0],
            pictures=len(trial.seeds),
            method=search.method,
            step=trial.step,
            steps=search.steps,
            map_steps=0,
            detector=search.detector,
        )
        done, total = self.done
        label = translate("StepSearch", "Choose the step: {done} of {total}").format(
            done=done + 1, total=total
        )
        request = Request(operation="refine-trial", parameters=parameters, model=search.model)
        self._job = self._shell.service.submit(
            request,
            label=label,
            priority=Priority.IDLE,
            owner=self,
            done=self._on_finished,
            failed=self._on_failed,
            stopped=self._on_cancelled,
        )

    def _learn_pace(self, _job: Job, result: Result) -> None:
        """From any pictures of a model, how long one step of one picture takes."""
        measured, parameters = result.measured, result.request.parameters
        steps, pictures = getattr(parameters, "steps", None), getattr(parameters, "pictures", 1)
        if result.cached or not measured.denoiser_evaluations or not steps or not isinstance(pictures, int):
            return
        seconds = sum(spent for phase, spent in measured.seconds.items() if phase != "load")
        self._pace_s[result.request.model] = seconds / (steps * max(pictures, len(result.images), 1))

    def _on_finished(self, job: Job, result: Result) -> None:
        if job is not self._job:
            return
        self._job = None
        if not self._model_hash:
            self._recall(result.request.model_hash)
        trial = self._left[0]
        right = [result.scores.get(f"right {index}", 0.0) > 0 for index in range(len(trial.seeds))]
        trial.learn(self._cells, right)
        self._measured += 1
        self._left = [trial for trial in self._left if not trial.is_known(self._cells)]
        self._write()
        if self._left:
            self._ask()
        self.changed.emit()

    def _on_failed(self, job: Job, error: EditorError) -> None:
        if job is self._job:
            self._job = None
            self.failed.emit(error)
            self.changed.emit()

    def _on_cancelled(self, job: Job) -> None:
        if job is self._job:
            self._job = None
            self.changed.emit()

    def _recall(self, model_hash: str) -> None:
        """Take over what an earlier search of these weights measured."""
        self._model_hash = model_hash
        path = self._record
        try:
            found: Any = parsed_json(read_at_most(path, _LARGEST_RECORD)) if path.is_file() else {}
            cells = {
                str(cell): {str(key): {"right": bool(row["right"])} for key, row in rows.items()}
                for cell, rows in found.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, EditorError):
            cells = {}  # a damaged record is measured again
        self._cells = cells

    def _write(self) -> None:
        path, content = self._record, json.dumps(self._cells, ensure_ascii=False).encode()

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as file:
                file.write(content)

        self._shell.background.run(write, lambda _: None, self.failed.emit, in_order=True)

    @property
    def _record(self) -> Path:
        search = self._search
        assert search is not None, "only a search has a record"
        name = f"{self._model_hash[:16]}-{search.method}-{search.steps}"
        if not self._catalogue.find(search.model).sandbox:  # judged by what the user named
            name += f"-{hashlib.sha256(search.detector.encode()).hexdigest()[:8]}"
        return self._folder / RECORDS / f"{name}.json"


def _same_trials(one: Search, other: Search) -> bool:
    """Whether what was measured for one search counts for another, too."""
    return (one.model, one.method, one.steps, one.detector) == (
        other.model,
        other.method,
        other.steps,
        other.detector,
    )
