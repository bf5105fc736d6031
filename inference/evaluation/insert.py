"""Edits by words measured on renders whose true edited picture is known: the suite "insert".

Each row is one way to edit. Beside whether the edit has come (a detector's word) stands how much of the rest
is still there, in two conventions: "PIE" averages masked pictures over the whole frame, "background only"
over the background's pixels. Doing nothing, drawing a new picture from the prompt, and redrawing stand beside
them: many ways look faithful because they do nothing. Rows work without the picture's details given back, as
published figures do; the row "app" is what the window does, with the place of what is added or removed.

Measurements are kept one by one; running again goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from inference.content import ConceptFile, Mask, Picture, content_hash
from inference.errors import EditorError
from inference.evaluation.insert_sets import InsertCase, insert_cases
from inference.evaluation.judging import Asking, Detect, Report, Runs, refuse_none, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.record import Record
from inference.messages import listed
from inference.operations import INSERT_LOOPS, Generate, Insert, Redraw
from inference.progress import Progress
from inference.request import Pixels, Result

if TYPE_CHECKING:
    from inference.backbones.base import Backbone

DEFAULT_CASES = 200
AUTOENCODER, NOTHING, RESAMPLE, REDRAW, APP = "autoencoder", "nothing", "re-sample", "sdedit", "app"
_FLOW = ("flow-align", "flow-edit")
REDRAWN = 0.6
HEADINGS = ("row", "n", "edited %", "truth dB", "background dB", "PIE dB", "evaluations", "removed %")


class Models(Runs, Protocol):
    """What is needed of `inference.runner.Runner`."""

    def backbone(self, model: str, progress: Progress) -> Backbone: ...


def usual_rows(*, is_flow: bool) -> tuple[str, ...]:
    """The rows of a model's table."""
    loops = [loop for loop in INSERT_LOOPS if is_flow or loop not in _FLOW]
    return (AUTOENCODER, NOTHING, RESAMPLE, REDRAW, APP, *loops)


def evaluate_insert(
    *,
    runner: Models,
    model: str,
    json_path: Path | None = None,
    cases: int = DEFAULT_CASES,
    rows: Sequence[str] = (),
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Success and fidelity of each row; all rows of one case before the next case.

    Args:
        cases: edits; the ten kinds take turns.
        rows: of `usual_rows`; default: all that the model can.
        part: what of them is measured here.
        report: told what is done after each measurement.
        detect: replaces the shipped detector.

    Raises:
        EditorError: an unknown row, or no case.
    """
    progress = progress or Progress()
    known = usual_rows(is_flow=runner.backbone(model, progress).schedule.is_flow)
    unknown = [row for row in rows if row not in known]
    if unknown:
        raise EditorError(
            "“{name}” is no way to edit for {model}.",
            "There are: {known}.",
            name=unknown[0],
            model=model,
            known=listed(known),
        )
    refuse_none(cases)
    settings: dict[str, Any] = {"suite": "insert", "model": model}
    settings["model_hash"] = runner.model_hash(model, progress)
    record = Record(json_path, settings, ("rows",), summarise)
    detect = detect or shipped_detector()
    chosen, done, mine = tuple(rows) or known, 0, part.of(insert_cases(cases))
    for case in mine:
        work = Work(runner=runner, model=model, detect=detect, case=case, progress=progress)
        for row in chosen:
            measured = record.values["rows"].setdefault(row, {})
            if str(case.number) not in measured:
                measured[str(case.number)] = work.measure(row)
                record.write()
            done += 1
            if report is not None:
                report(done, len(mine) * len(chosen), f"{row}, case {case.number}")
    record.values["summary"] = summarise(record.values)
    record.write()
    return record.values


def summarise(values: Mapping[str, Any]) -> dict[str, Any]:
    """For each row success with its interval, means with intervals, and success of each kind."""
    from inference.metrics.tiam import Share

    tables: dict[str, Any] = {}
    for row, found in values["rows"].items():
        measured = list(found.values())
        kinds = dict.fromkeys(one["kind"] for one in measured)

        def share(of: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
            return Share(hits=sum(one["edited"] for one in of), total=len(of)).to_json()

        tables[row] = {
            "edited": share(measured),
            **{
                name: mean_with_interval([one[name] for one in measured])
                for name in ("truth_db", "changed_db", "background_db", "pie_db", "evaluations", "seconds")
            },
            "removed": share([one for one in measured if one["kind"] == "delete object"]),
            "kinds": {kind: share([one for one in measured if one["kind"] == kind]) for kind in kinds},
        }
    return tables


def table_rows(summary: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The summary as text, under `HEADINGS`."""
    found: list[tuple[str, ...]] = []
    for row, table in summary.items():
        share, removed = table["edited"], table["removed"]
        low, high = (100 * end for end in share["interval_95"])
        found.append(
            (
                row,
                str(share["total"]),
                f"{100 * share['value']:.0f} ({low:.0f}-{high:.0f})",
                *(_shown(table[name]) for name in ("truth_db", "background_db", "pie_db", "evaluations")),
                f"{100 * removed['value']:.0f}" if removed["total"] else "-",
            )
        )
    return found


def _shown(mean: Mapping[str, Any]) -> str:
    return "-" if mean["value"] is None else f"{mean['value']:.2f}"


def mean_with_interval(values: Sequence[float | None]) -> dict[str, Any]:
    """The mean of what is known, with its 95 % interval."""
    from inference.metrics.intervals import bootstrap_interval

    kept = [value for value in values if value is not None]
    if not kept:
        return {"value": None, "interval_95": None, "total": 0}
    interval = [float(end) for end in bootstrap_interval(kept)]
    return {"value": float(np.mean(kept)), "interval_95": interval, "total": len(kept)}


@dataclass(frozen=True, kw_only=True)
class Work(Asking):
    """One case, to be edited by rows; `concept` is the file of a learnt word that its prompt has."""

    runner: Models
    detect: Detect
    case: InsertCase
    concept: bytes = b""

    def measure(self, row: str) -> dict[str, Any]:
        """One row's figures of the case."""
        return self.figures(*self.made(row))

    def figures(self, image: Pixels, result: Result | None) -> dict[str, Any]:
        """What is counted of an edited picture."""
        from inference.metrics.psnr import psnr

        case = self.case
        found, of_source, of_truth = (list(one) for one in self.detect([image, case.source, case.truth]))
        changed = case.changed
        background = ~changed
        share = float(background.mean())
        kept = psnr(image, case.source, background) if share else None
        measured = result.measured if result is not None else None
        return {
            "kind": case.kind,
            "edited": case.succeeded(image, found, of_source, of_truth),
            "truth_db": psnr(image, case.truth),
            "changed_db": psnr(image, case.truth, changed),
            "background_db": kept,
            "pie_db": None if kept is None else kept - 10 * math.log10(share),
            "evaluations": measured.denoiser_evaluations + measured.backward_evaluations if measured else 0,
            "seconds": sum(measured.seconds.values()) if measured else 0.0,
        }

    def made(self, row: str) -> tuple[Pixels, Result | None]:
        """The picture as a row makes it, and what is known of the run, if there was one."""
        case = self.case
        if row == NOTHING:
            return case.source, None
        if row == AUTOENCODER:
            backbone = self.runner.backbone(self.model, self.progress)
            return backbone.decode(backbone.encode_image(case.source))[0], None
        picture = Picture(content_hash(case.source))
        if row == RESAMPLE:
            height, width = case.source.shape[:2]
            parameters: Any = Generate(
                prompt=case.prompt, seed=case.number, width=width, height=height, concepts=self._concepts
            )
            result = self._run("generate", parameters)
        elif row == REDRAW:
            parameters = Redraw(
                image=picture,
                prompt=case.prompt,
                strength=REDRAWN,
                seed=case.number,
                concepts=self._concepts,
            )
            result = self._run("redraw", parameters)
        elif row == APP:
            result = self._run("insert", self._insert(picture, with_place=True))
        else:
            # local blend wherever words say what changes, which they do not of a style or a background
            local = case.operation_kind != "style"
            more = {"loop": row, "cross_share": 0.4, "self_share": 0.6, "local": local, "anew": False}
            result = self._run("insert", self._insert(picture, details=False, kind="replace", **more))
        return result.images[0], result

    def _insert(self, picture: Picture, *, with_place: bool = False, **more: Any) -> Insert:
        case = self.case
        values: dict[str, Any] = {"kind": case.operation_kind, "seed": case.number, **more}
        values["concepts"] = self._concepts
        if with_place and case.place is not None:
            values["mask"] = Mask(content_hash(_mask(case)))
        return Insert(image=picture, source_prompt=case.source_prompt, prompt=case.prompt, **values)

    @property
    def _concepts(self) -> tuple[ConceptFile, ...]:
        return (ConceptFile(content_hash(self.concept)),) if self.concept else ()

    def _run(self, operation: str, parameters: Any) -> Result:
        case = self.case
        contents: dict[str, Any] = {content_hash(case.source): case.source}
        if self.concept:
            contents[content_hash(self.concept)] = self.concept
        if case.place is not None:
            mask = _mask(case)
            contents[content_hash(mask)] = mask
        return self.ask(operation, parameters, contents)


def _mask(case: InsertCase) -> Pixels:
    assert case.place is not None, "the case has a place"
    return case.place.astype(np.uint8) * 255
