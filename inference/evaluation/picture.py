"""Edits of pictures that no model has drawn, on renders of the mini world: the suite "picture".

The world knows what a render shows and what it would look like with one person of another age, so beside how
exactly a picture comes back it is measured how near an edit is to the *true* edited picture. Scenes are drawn
from seeds that no training used. Measurements are kept one by one; running again goes on from there.

Beside the ways to invert stand three that need none: doing nothing, and, from a prompt that says the age,
redrawing (SDEdit) and drawing another picture. The default way is slid with each way to keep the rest as
well, and with a slider of the other person's set meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from inference.content import Picture, content_hash
from inference.errors import EditorError
from inference.evaluation.attribute import reading
from inference.evaluation.judging import Asking, Detect, Report, Runs, refuse_none, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.record import Record
from inference.inputs import Inputs
from inference.messages import listed
from inference.operations import (
    BY_LATENTS,
    BY_TEXT,
    INVERSIONS,
    Edit,
    EditSweep,
    Generate,
    Redraw,
    SubjectEdit,
)
from inference.progress import Measurements, Progress
from inference.prompts.words import find_subject
from inference.request import Pixels

if TYPE_CHECKING:
    from inference.backbones.base import Backbone
    from inference.miniworld.scene import Scene

DEFAULT_PICTURES = 24
FIRST_SCENE = 95_000_000
POSITIONS = (-2.0, -1.0, 0.0, 1.0, 2.0)
REDRAWN = (0.3, 0.5, 0.7)
DEFAULT_WAY = str(next(item.default for item in Edit.declared() if item.name == "inversion"))
USUAL_WAYS = (DEFAULT_WAY, "direct", "ddim", "null-text")
UNRESTRICTED = "whole picture"
"""The default way with `only_subject` off."""
TWO = "two subjects"
"""The default way while the other person's slider is at `FIXED`."""
FIXED = 1.0
SWAPPED = 0.25
"""Where the other person changes by more than this share of the edited one, the slider swaps them."""
OF_DEFAULT: Mapping[str, Mapping[str, Any]] = {
    UNRESTRICTED: {"only_subject": False},
    "by text": {"kept_by": BY_TEXT},
    "by latents": {"kept_by": BY_LATENTS},
    "at once": {"delay": 0.0},
    TWO: {},
}
RESAMPLED = "re-sampled"
REDRAWN_ROWS = "redrawn"
"""What needs no inversion: doing nothing, SDEdit, another picture."""
USUAL_ROWS = (*USUAL_WAYS, *OF_DEFAULT, REDRAWN_ROWS)
PLACES: Mapping[str, str] = {
    "plain": "",
    "grass": " on grass",
    "night": " at night",
    "snow": " in the snow",
    "beach": " on the beach",
}
OLD, YOUNG = 0.9, 0.1


class Models(Runs, Protocol):
    """What is needed of `inference.runner.Runner`."""

    def backbone(self, model: str, progress: Progress) -> Backbone: ...


@dataclass(frozen=True, kw_only=True)
class Case:
    """A render, what it shows in words, and which of its two people is edited."""

    number: int
    scene: Scene
    pixels: Pixels
    prompt: str
    edited: str
    other: str

    @property
    def is_aged(self) -> bool:
        """Whether the true edited picture shows the person older, and not younger."""
        return self._person.age < (OLD + YOUNG) / 2

    @property
    def aged_prompt(self) -> str:
        """The prompt with the age that the true edited picture shows."""
        word, article = ("old", "an") if self.is_aged else ("young", "a")
        return self.prompt.replace(f"a {self.edited}", f"{article} {word} {self.edited}", 1)

    @property
    def truth(self) -> Pixels:
        """The same scene with that person old, or young if they are old already."""
        from inference.miniworld.render import draw_pixels

        age = OLD if self.is_aged else YOUNG
        subjects = tuple(replace(one, age=age) if one is self._person else one for one in self.scene.subjects)
        return draw_pixels(replace(self.scene, subjects=subjects))

    @property
    def _person(self) -> Any:
        return next(one for one in self.scene.subjects if one.kind == self.edited)


def cases(count: int) -> list[Case]:
    """`count` held-out renders of a man and a woman, the edited one taking turns."""
    from inference.miniworld.render import draw_pixels
    from inference.miniworld.scene import PEOPLE, sample_scene

    found: list[Case] = []
    for number in range(count):
        kinds = PEOPLE if number % 2 == 0 else PEOPLE[::-1]
        scene = sample_scene(FIRST_SCENE + number, kinds=kinds, style="photo")
        edited = PEOPLE[number // 2 % 2]
        pixels = draw_pixels(scene)
        pixels.setflags(write=False)
        found.append(
            Case(
                number=number,
                scene=scene,
                pixels=pixels,
                prompt=f"a photo of a {kinds[0]} and a {kinds[1]}{PLACES[scene.background]}",
                edited=edited,
                other=PEOPLE[1 - PEOPLE.index(edited)],
            )
        )
    return found


def evaluate_picture(
    *,
    runner: Models,
    model: str,
    json_path: Path | None = None,
    pictures: int = DEFAULT_PICTURES,
    ways: Sequence[str] = USUAL_ROWS,
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Reconstruction, sliders of age, and nearness to the true picture, for each of `ways`.

    Args:
        pictures: held-out renders.
        part: what of them is measured here.
        ways: ways to invert, rows of `OF_DEFAULT`, "redrawn".
        report: told what is done after each measurement.
        detect: replaces the shipped detector.

    Raises:
        EditorError: an unknown way, or too few pictures.
    """
    rows = (*INVERSIONS, *OF_DEFAULT, REDRAWN_ROWS)
    unknown = [way for way in ways if way not in rows]
    if unknown:
        raise EditorError(
            "“{name}” is no way to invert.", "There are: {known}.", name=unknown[0], known=listed(rows)
        )
    refuse_none(pictures)
    progress = progress or Progress()
    settings: dict[str, Any] = {"suite": "picture", "model": model, "positions": list(POSITIONS)}
    settings["model_hash"] = runner.model_hash(model, progress)
    record = Record(json_path, settings, ("reconstruction", "sliders", "redrawn"), summarise)
    work = _Work(
        runner=runner, model=model, detect=detect or shipped_detector(), record=record, progress=progress
    )
    steps: list[tuple[str, Callable[[Case], None]]] = [
        (f"reconstruction: {way}", lambda case, way=way: work.reconstruct(case, way))
        for way in ways
        if way in INVERSIONS
    ]
    steps += [
        (f"sliders: {way}", lambda case, way=way: work.slide(case, way))
        for way in ways
        if way != REDRAWN_ROWS
    ]
    steps += [("redrawn", work.redraw)] if REDRAWN_ROWS in ways else []
    mine, done = part.of(cases(pictures)), 0
    for case in mine:
        for what, step in steps:
            step(case)
            done += 1
            if report is not None:
                report(done, len(mine) * len(steps), f"{what}, picture {case.number}")
    record.values["summary"] = summarise(record.values)
    record.write()
    return record.values


def summarise(values: Mapping[str, Any]) -> dict[str, Any]:
    """The tables made from the single measurements."""
    from inference.metrics.attribute_control import spread, summary

    tables: dict[str, Any] = {"reconstruction": {}, "sliders": {}, "truth": {}}
    for way, found in values["reconstruction"].items():
        rows = list(found.values())
        tables["reconstruction"][way] = {
            "pictures": len(rows),
            **{name: spread([row[name] for row in rows]) for name in ("autoencoder_db", "db", "evaluations")},
            "lost_db": spread([row["autoencoder_db"] - row["db"] for row in rows]),
            "fit": spread(_known(row["fit"] for row in rows)),
            "fit_of_another": spread(_known(row["fit_of_another"] for row in rows)),
        }
    whole = _sliders(values, UNRESTRICTED)
    for way in values["sliders"]:
        sliders = _sliders(values, way)
        table = summary(list(sliders.values()))
        shared = [key for key in sliders if key in whole and whole[key].present_at_zero]
        table["share_of_unrestricted"] = _share(sliders, whole, shared)
        # a slider that takes one person for the other "changes" both, by swapping them
        kept = [key for key in shared if whole[key].other_change <= SWAPPED * whole[key].edited_change]
        table["share_where_nobody_is_swapped"] = {"pairs": len(kept), "share": _share(sliders, whole, kept)}
        tables["sliders"][way] = table
        if way == TWO:  # there is no true picture of that
            continue
        rows = list(values["sliders"][way].values())
        tables["truth"][way] = {
            "db": spread([row["truth"]["db"] for row in rows]),
            "age_error": spread(_known(row["truth"]["age_error"] for row in rows)),
            "evaluations": spread([row["evaluations"] for row in rows]),
        }
    for way, found in values["redrawn"].items():
        rows = list(found.values())
        tables["truth"][way] = {
            "db": spread([row["db"] for row in rows]),
            "age_error": spread(_known(row["age_error"] for row in rows)),
        }
    return tables


def _known(values: Iterable[float | None]) -> list[float]:
    """Those that could be measured: one person who is not found would make a mean of nothing of the rest."""
    return [value for value in values if value is not None and not math.isnan(value)]


def _share(sliders: Mapping[str, Any], whole: Mapping[str, Any], keys: Sequence[str]) -> float | None:
    """What the edited person changes by, of what they change by without restriction."""
    unrestricted = sum(whole[key].edited_change for key in keys)
    return sum(sliders[key].edited_change for key in keys) / unrestricted if unrestricted else None


def _sliders(values: Mapping[str, Any], way: str) -> dict[str, Any]:
    from inference.metrics.attribute_control import Slider

    return {key: Slider.from_json(row) for key, row in values["sliders"].get(way, {}).items()}


@dataclass(frozen=True, kw_only=True)
class _Work(Asking):
    runner: Models
    detect: Detect
    record: Record

    def reconstruct(self, case: Case, way: str) -> None:
        """The picture from its inversion with the usual guidance, and without any edit."""
        from inference.methods.generate import prepare
        from inference.methods.inversion.editing import Editing, carried_out
        from inference.methods.inversion.looking import looked_at
        from inference.methods.inversion.parking import Sofar
        from inference.methods.inversion.ways import WAYS, first_step, inverted
        from inference.metrics.psnr import psnr

        known = self.record.values["reconstruction"].setdefault(way, {})
        if str(case.number) in known:
            return
        backbone = self.runner.backbone(self.model, self.progress)
        run = prepare(backbone, _resolved(backbone, case), Inputs(), self.own_progress())
        backbone.measured = measured = Measurements()
        latents = backbone.encode_image(case.pixels)
        found = inverted(run, way, content_hash(case.pixels), latents, Sofar(run))
        evaluations = measured.denoiser_evaluations + measured.backward_evaluations
        editing = Editing(run=run, inverted=found, prompts=[found.prompt], predict=backbone.predict)
        again = carried_out(editing, WAYS[way].step(editing), first_step(run, way, 0.0))
        other = replace(case, prompt="a photo of a car and a tree")
        wrong = prepare(backbone, _resolved(backbone, other), Inputs(), self.own_progress())
        plain, redone = (backbone.decode(each)[0] for each in (latents, again))
        known[str(case.number)] = {
            "autoencoder_db": psnr(plain, case.pixels),
            "db": psnr(redone, case.pixels),
            "evaluations": evaluations,
            "fit": found.fit,
            "fit_of_another": looked_at(wrong, found).fit,
        }
        self.record.write()

    def slide(self, case: Case, way: str) -> None:
        """A slider of the age, and the position nearest to the true edited picture's age."""
        from inference.metrics.attribute_control import measure
        from inference.metrics.psnr import psnr

        known = self.record.values["sliders"].setdefault(way, {})
        if str(case.number) in known:
            return
        start, end = find_subject(case.prompt, case.edited)
        edits = (SubjectEdit(start=start, end=end, attribute="age", value=0.0),)
        if way == TWO:
            start, end = find_subject(case.prompt, case.other)
            edits = (*edits, SubjectEdit(start=start, end=end, attribute="age", value=FIXED))
        parameters = EditSweep(
            image=Picture(content_hash(case.pixels)),
            prompt=case.prompt,
            edits=edits,
            positions=POSITIONS,
            **{"inversion": way if way in INVERSIONS else DEFAULT_WAY, **OF_DEFAULT.get(way, {})},
        )
        result = self.ask("edit-sweep", parameters, _contents(case))
        slider = measure(
            result.images,
            self.detect(result.images),
            POSITIONS,
            edited=case.edited,
            other=case.other,
            value=reading("age"),
        )
        truth = case.truth
        errors = [abs(age - self._age(truth, case)) for age in slider.edited]
        best = int(np.nanargmin(errors)) if not all(map(math.isnan, errors)) else POSITIONS.index(0.0)
        known[str(case.number)] = {
            **slider.to_json(),
            "evaluations": result.measured.denoiser_evaluations + result.measured.backward_evaluations,
            "fit": result.scores["fit"],
            "truth": {
                "position": POSITIONS[best],
                "db": psnr(result.images[best], truth),
                "age_error": errors[best],
            },
        }
        self.record.write()

    def redraw(self, case: Case) -> None:
        """Doing nothing, SDEdit at several strengths, and another picture from the same words."""
        for strength in (0.0, *REDRAWN):
            name = f"redraw {strength:g}" if strength else "nothing"
            known = self.record.values["redrawn"].setdefault(name, {})
            if str(case.number) in known:
                continue
            parameters = Redraw(
                image=Picture(content_hash(case.pixels)),
                prompt=case.aged_prompt,
                strength=strength,
                seed=case.number,
            )
            image = self.ask("redraw", parameters, _contents(case)).images[0] if strength else case.pixels
            known[str(case.number)] = self._against_truth(image, case)
            self.record.write()
        known = self.record.values["redrawn"].setdefault(RESAMPLED, {})
        if str(case.number) not in known:
            height, width = case.pixels.shape[:2]
            parameters = Generate(prompt=case.aged_prompt, seed=case.number, width=width, height=height)
            other = self.ask("generate", parameters).images[0]
            known[str(case.number)] = self._against_truth(other, case)
            self.record.write()

    def _against_truth(self, image: Pixels, case: Case) -> dict[str, float]:
        from inference.metrics.psnr import psnr

        truth = case.truth
        error = abs(self._age(image, case) - self._age(truth, case))
        return {"db": psnr(image, truth), "age_error": error}

    def _age(self, image: Pixels, case: Case) -> float:
        found = [one for one in self.detect([image])[0] if one.kind == case.edited]
        best = max(found, key=lambda one: one.score, default=None)
        return math.nan if best is None else reading("age")(best)


def _contents(case: Case) -> dict[str, Any]:
    return {content_hash(case.pixels): case.pixels}


def _resolved(backbone: Backbone, case: Case) -> Edit:
    defaults = backbone.defaults
    return Edit(
        image=Picture(content_hash(case.pixels)),
        prompt=case.prompt,
        steps=defaults.steps,
        guidance_scale=defaults.guidance_scale,
        width=case.pixels.shape[1],
        height=case.pixels.shape[0],
    )
