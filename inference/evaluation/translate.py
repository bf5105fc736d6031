"""Translation from a new text, measured as Plug-and-Play does: prompt fidelity against structure distance.

The suite "translate", on held-out pairs of the mini world (`translate_sets`). Beside our ways stand doing
nothing, redrawing at several strengths (SDEdit) and prompt-to-prompt, which is told what the picture shows.

* *fidelity*: the share of what the text asks for that can be read of the result: things and their colours by
  the detector, style and background by a probe (`inference.miniworld.looks`), each of the four alike.
  *changed* is the share of what the picture did not fulfil.
* *structure*: see `inference.metrics.structure`; keys of the user's vision transformer where one is named,
  else the detector's features.

* *identity*: pictures told by their own words, beside what their autoencoder alone loses.
* *further*: evaluations of another text for a picture that is known.

Measurements are kept one by one; running again goes on from there. The tables are in `translate_summary`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from inference.content import Picture, content_hash
from inference.errors import EditorError
from inference.evaluation.judging import Asking, Detect, Report, Runs, refuse_none, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.record import Record
from inference.evaluation.translate_sets import FIRST_SCENE, Pair, pairs
from inference.evaluation.translate_summary import (
    DEFAULT_POINT,
    GOALS,
    MASK_POINT,
    REFERENCE_POINT,
    check_measured,
    summarise,
)
from inference.messages import listed
from inference.operations import Insert, Translate
from inference.parameters import Parameters
from inference.progress import Progress
from inference.request import Pixels

if TYPE_CHECKING:
    from inference.backbones.base import Backbone
    from inference.metrics.structure import Features
    from inference.miniworld.looks import LookReader, Looks

DEFAULT_PAIRS = 201
STEPS = 50
NOTHING = "nothing"
FURTHER_PAIRS = 3  # a count that hardly varies
IDENTITY_PAIRS = 24

Make = Callable[[Pair, Picture], "tuple[str, Parameters] | None"]


class Models(Runs, Protocol):
    """What is needed of `inference.runner.Runner`."""

    def backbone(self, model: str, progress: Progress) -> Backbone: ...

    def forget(self) -> None: ...


def _translated(**values: Any) -> Make:
    def make(pair: Pair, image: Picture) -> tuple[str, Parameters]:
        return "translate", Translate(
            image=image, prompt=pair.prompt, steps=STEPS, seed=pair.number, **values
        )

    return make


def _confined(**values: Any) -> Make:
    """With the mask of what turns into something else, where something does."""

    def make(pair: Pair, image: Picture) -> tuple[str, Parameters] | None:
        if not pair.subject:
            return None
        return _translated(
            source_prompt=pair.source_prompt,
            subject=pair.subject,
            source_subject=pair.source_subject,
            **values,
        )(pair, image)

    return make


def _told(**values: Any) -> Make:
    """With what the picture shows, but without a mask."""

    def make(pair: Pair, image: Picture) -> tuple[str, Parameters] | None:
        return _translated(source_prompt=pair.source_prompt, **values)(pair, image)

    return make


def _identity(pair: Pair, image: Picture) -> tuple[str, Parameters]:
    """The picture told by its own words."""
    words = pair.source_prompt
    return "translate", Translate(
        image=image, prompt=words, source_prompt=words, steps=STEPS, seed=pair.number
    )


def _by_words(**values: Any) -> Make:
    def make(pair: Pair, image: Picture) -> tuple[str, Parameters]:
        return "insert", Insert(
            image=image,
            source_prompt=pair.source_prompt,
            prompt=pair.prompt,
            steps=STEPS,
            seed=pair.number,
            local=False,
            details=False,
            **values,
        )

    return make


# in the order in which what is kept of a picture serves the next ones
POINTS: Mapping[str, Make] = {
    DEFAULT_POINT: _translated(),
    "plug-and-play, structure 0.6": _translated(structure=0.6),
    "plug-and-play, structure 0.4": _translated(structure=0.4),
    "plug-and-play, structure 1": _translated(structure=1.0),
    "no inversion": _translated(way="no-inversion"),
    "one copy": _translated(way="one-copy"),
    "one copy, restart": _translated(way="one-copy", restart=True),
    "source told": _told(),
    "away from the source": _told(away=1.0),
    MASK_POINT: _confined(),
    REFERENCE_POINT: _translated(inversion_steps=999),
    "redraw 0.4": _translated(way="redraw", appearance=0.4),
    "redraw 0.6": _translated(way="redraw", appearance=0.6),
    "redraw 0.8": _translated(way="redraw", appearance=0.8),
    "redraw 0.9": _translated(way="redraw", appearance=0.9),
    "prompt-to-prompt": _by_words(loop="direct"),
    "prompt-to-prompt, h-edit": _by_words(loop="h-edit"),
}
USUAL_POINTS = tuple(name for name in POINTS if name not in ("source told", "away from the source"))
EVERY: Mapping[str, int] = {REFERENCE_POINT: 5}
"""Points that are measured on each n-th pair alone: this one costs six times as much as the others."""
UNMASKED = tuple(name for name in POINTS if name.startswith(DEFAULT_POINT))
RIVALS = tuple(name for name in POINTS if name.startswith(("redraw", "prompt-to-prompt")))


def evaluate_translate(
    *,
    runner: Models,
    model: str,
    json_path: Path | None = None,
    count: int = DEFAULT_PAIRS,
    points: Sequence[str] = USUAL_POINTS,
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    features: Features | None = None,
    progress: Progress | None = None,
    first_scene: int = FIRST_SCENE,
) -> dict[str, Any]:
    """Fidelity and structure distance of each of `points` over `count` held-out pairs.

    Args:
        part: what of them is measured here.
        report: told what is done after each measurement.
        detect: replaces the shipped detector.
        features: of the structure distance; by default the shipped detector's.

    Raises:
        EditorError: an unknown point, or too few pairs.
    """
    unknown = [name for name in points if name not in POINTS]
    if unknown:
        raise EditorError(
            "“{name}” is no point of this evaluation.",
            "There are: {known}.",
            name=unknown[0],
            known=listed(POINTS),
        )
    refuse_none(count)
    progress = progress or Progress()
    settings: dict[str, Any] = {"suite": "translate", "model": model, "first_scene": first_scene}
    settings["steps"] = STEPS
    settings["structure_by"] = "detector" if features is None else "vision transformer"
    settings["model_hash"] = runner.model_hash(model, progress)
    record = Record(json_path, settings, ("points", "probe", "further", "identity"), check_measured)
    backbone = runner.backbone(model, progress)
    from inference.miniworld import judging, looks

    def through(picture: Pixels) -> Pixels:
        return backbone.decode(backbone.encode_image(picture))[0]

    reader = looks.fitted(through)
    record.values["probe"] = {"style": reader.style_accuracy, "background": reader.background_accuracy}
    work = _Work(
        runner=runner,
        model=model,
        detect=detect or shipped_detector(),
        looks=reader,
        features=features or judging.structure_features(),
        record=record,
        progress=progress,
        through=through,
    )
    names, done, mine = (NOTHING, *points), 0, part.of(pairs(count, first_scene))
    for pair in mine:
        for name in names:
            if pair.number % EVERY.get(name, 1) == 0:
                work.measure(pair, name)
            if name in GOALS and pair.number < FURTHER_PAIRS:
                work.measure_further(pair, name)
            done += 1
            if report is not None:
                report(done, len(mine) * len(names), f"{name}, pair {pair.number}")
        if pair.number < IDENTITY_PAIRS:
            work.measure_identity(pair)
        runner.forget()  # the next picture shares nothing with this one
        record.values["summary"] = summarise(record.values, RIVALS, UNMASKED)
        record.write()
    record.values["summary"] = summarise(record.values, RIVALS, UNMASKED)  # of a part without a pair, too
    record.write()
    return record.values


@dataclass(frozen=True, kw_only=True)
class _Work(Asking):
    runner: Models
    detect: Detect
    looks: LookReader
    features: Features
    record: Record
    through: Callable[[Pixels], Pixels]

    def measure(self, pair: Pair, name: str) -> None:
        from inference.metrics.structure import structure_distance

        known = self.record.values["points"].setdefault(name, {})
        if str(pair.number) in known:
            return
        made = self._made(pair, name)
        if made is None:
            return
        image, evaluations = made
        fulfilled = self._fulfilled(pair, image)
        known[str(pair.number)] = {
            "set": pair.set,
            "fidelity": sum(fulfilled.values()) / len(fulfilled),
            "changed": sum(fulfilled[item] for item in pair.changed) / len(pair.changed),
            "structure": structure_distance(pair.pixels, image, self.features),
            "evaluations": evaluations,
        }
        self.record.write()

    def measure_further(self, pair: Pair, name: str) -> None:
        """What another text costs right after the pair's own."""
        known = self.record.values.setdefault("further", {}).setdefault(name, {})
        if str(pair.number) in known:
            return
        self._made(pair, name)  # of an earlier run nothing is in memory any more
        made = self._made(replace(pair, prompt=f"{pair.prompt} in the evening"), name)
        if made is not None:
            known[str(pair.number)] = made[1]
            self.record.write()

    def measure_identity(self, pair: Pair) -> None:
        """The picture told by its own words, and what the autoencoder alone makes of it."""
        from inference.metrics.psnr import psnr

        known = self.record.values.setdefault("identity", {})
        made = None if str(pair.number) in known else self._run(pair, _identity)
        if made is not None:
            known[str(pair.number)] = {
                "translated_db": psnr(made[0], pair.pixels),
                "autoencoder_db": psnr(self.through(pair.pixels), pair.pixels),
            }
            self.record.write()

    def _made(self, pair: Pair, name: str) -> tuple[Pixels, int] | None:
        return (pair.pixels, 0) if name == NOTHING else self._run(pair, POINTS[name])

    def _run(self, pair: Pair, make: Make) -> tuple[Pixels, int] | None:
        image = Picture(content_hash(pair.pixels))
        asked = make(pair, image)
        if asked is None:
            return None
        operation, parameters = asked
        result = self.ask(operation, parameters, {image.hash: pair.pixels})
        return result.images[0][..., :3], result.measured.denoiser_evaluations

    def _fulfilled(self, pair: Pair, image: Pixels) -> dict[str, float]:
        """What the text asks for, and which share of it is there."""
        from inference.metrics.colours import COLOURS, nearest_name

        found = self.detect([image])[0]
        seen: Looks = self.looks(image)
        kinds = [one.kind for one in found]
        shares = {"kinds": sum(kind in kinds for kind in pair.kinds) / len(pair.kinds)}
        shares["style"] = float(seen.style == pair.style)
        if pair.background:
            shares["background"] = float(seen.background == pair.background)
        if pair.colours:
            right = [
                any(
                    one.kind == kind and nearest_name(_rgb(one.colours["colour"]), COLOURS) == colour
                    for one in found
                )
                for kind, colour in pair.colours.items()
            ]
            shares["colours"] = sum(right) / len(right)
        return shares


def _rgb(colour: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (255 * value for value in colour)
    return red, green, blue
