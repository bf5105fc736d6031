"""The suite "concept": subjects that the model never saw, learnt from four pictures, in new scenes.

Of thirty held-out subjects of the mini world (`inference.miniworld.characters`) each is learnt and drawn by
prompts that put it where it never was, or beside something else. Counted are

* *recognised*: of the thirty, its readings by the detector are nearest to those of true renders (top 1);
* *followed*: the place or the other thing that the prompt names is there;

over all pictures; one in which the subject is not found at all counts as not recognised. What the judges
do with true renders is measured with the same code, as the ceiling, and what they do with true renders that
went through the model's autoencoder: nothing that it draws has other colours than that can show. Rows of the
suite "insert" put the subjects, learnt the first way, into held-out renders as well
(`inference.evaluation.concept_insert`). What has been measured is written after every subject; running again
goes on from there.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from inference.content import ConceptFile, Picture, content_hash
from inference.errors import EditorError
from inference.evaluation import concept_insert
from inference.evaluation.insert import Models, Work, usual_rows
from inference.evaluation.insert_sets import InsertCase
from inference.evaluation.judging import Asking, Detect, Report, shipped_detector
from inference.evaluation.parts import WHOLE, Part
from inference.evaluation.record import Record
from inference.messages import listed
from inference.operations import Generate, LearnConcept
from inference.progress import Progress
from inference.request import Pixels
from inference.values import parsed_json

if TYPE_CHECKING:
    from inference.metrics.tiam import Detection
    from inference.miniworld.characters import Character

METHODS: Final = ("directional", "plain")
DEFAULT_SUBJECTS: Final = 30
SEEDS: Final = 2  # of each scene
SCENES: Final = 2  # that each subject is put into
_FIRST_SEED: Final = 940_000
_WORD: Final = "<it>"
_REFERENCES: Final = 10  # renders of each subject, beside those that are learnt from
_FIRST_REFERENCE: Final = 100
_STRIP: Final = 0.1  # of the width, at both sides: the place is seen there
_BANDS: Final = 4


@dataclass(frozen=True)
class Wish:
    """A new scene: a sentence with a place for the word, and the place or thing that it asks for."""

    sentence: str
    background: str = ""
    other: str = ""


def wishes_of(kind: str) -> tuple[Wish, ...]:
    """Scenes that no subject was learnt in."""
    others = [one for one in ("dog", "tree", "cat") if one != kind]
    return (
        Wish("a photo of a {} on the beach", background="beach"),
        Wish("a photo of a {} in the snow", background="snow"),
        Wish("a photo of a {} at night", background="night"),
        Wish(f"a photo of a {{}} and a {others[0]}", other=others[0]),
        Wish(f"a photo of a {{}} next to a {others[1]}", other=others[1]),
    )


def evaluate_concept(
    *,
    runner: Models,
    model: str,
    json_path: Path | None = None,
    subjects: int = DEFAULT_SUBJECTS,
    methods: Sequence[str] = METHODS,
    rows: Sequence[str] = (),
    scenes: int = SCENES,
    overrides: Mapping[str, Any] | None = None,
    characters: Sequence[Character] | None = None,
    part: Part = WHOLE,
    report: Report | None = None,
    detect: Detect | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Learn subjects, draw them, put them into renders, and judge the pictures; return (and write) figures.

    Args:
        subjects: how many are learnt, spread over all kinds; they are always told among all thirty.
        methods: ways to learn, each drawn in new scenes.
        rows: ways to put the subjects, learnt the first of `METHODS`, into renders; of
            `inference.evaluation.insert.usual_rows`.
        scenes: renders for each subject.
        part: what of the subjects is measured here.
        overrides: parameters of `LearnConcept` other than usual.
        characters: others in place of the held-out ones, for choosing settings.

    Raises:
        EditorError: an unknown method or row, no scene, or a model or detector that is not there.
    """
    progress, report = progress or Progress(), report or _silent
    _check(runner, model, methods, rows, scenes, progress)
    if characters is None:
        from inference.miniworld.characters import held_out

        characters = held_out()
    judge = Judge(detect or shipped_detector(), characters)
    settings: dict[str, Any] = {
        "suite": "concept",
        "model": model,
        "model_hash": runner.model_hash(model, progress),
        "seeds": SEEDS,
        "overrides": dict(overrides or {}),
        "subjects_told_apart": [one.name for one in characters],
    }
    record = Record(json_path, settings, ("learnt", "inserted"), summarise)
    record.values.setdefault("inserted", {})  # older files have none
    if "ceiling" not in record.values:
        backbone = runner.backbone(model, progress)
        record.values["ceiling"] = judge.ceiling(lambda seen: backbone.decode(backbone.encode_image(seen))[0])
    chosen = part.of(spread(characters, subjects))
    total = len(chosen) * (len(methods) + len(rows) * scenes)
    told = itertools.count(1)
    for index, one in enumerate(characters):
        if one not in chosen:
            continue
        learner = _Learner(
            runner=runner,
            model=model,
            progress=progress,
            one=one,
            overrides=overrides or {},
            judge=judge,
        )
        for method in methods:
            found = record.values["learnt"]
            if (key := f"{method}|{one.name}") not in found:
                found[key] = learner.drawn(method)
                record.values["summary"] = summarise(record.values)
                record.write()
            report(next(told), total, f"{method}: {one.name}")
        for case in concept_insert.concept_cases(one, _WORD, scenes if rows else 0, index):
            for row in rows:
                found = record.values["inserted"].setdefault(row, {})
                if (key := f"{one.name}|{case.number}") not in found:
                    found[key] = learner.inserted(case, row)
                    record.write()
                report(next(told), total, f"{row}: {one.name}")
    record.values["summary"] = summarise(record.values)
    record.write()
    return record.values


def _check(
    runner: Models,
    model: str,
    methods: Sequence[str],
    rows: Sequence[str],
    scenes: int,
    progress: Progress,
) -> None:
    known = usual_rows(is_flow=runner.backbone(model, progress).schedule.is_flow) if rows else ()
    unknown = [one for one in methods if one not in METHODS] + [one for one in rows if one not in known]
    if unknown:
        raise EditorError(
            "There is no way “{name}” of learning a concept.",
            "There are: {known}.",
            name=unknown[0],
            known=listed((*METHODS, *known)),
        )
    if scenes < 1:
        raise EditorError("Scenes is {count}: at least 1 is needed.", count=scenes)
    if scenes > concept_insert.MOST_SCENES:
        raise EditorError(
            "Scenes is {count}: at most {most} are there.", count=scenes, most=concept_insert.MOST_SCENES
        )


def spread(characters: Sequence[Character], count: int) -> list[Character]:
    """`count` of them, evenly through the list, so that people, animals and things are among them."""
    if count < 1:
        raise EditorError("Subjects is {count}: at least 1 is needed.", count=count)
    count = min(count, len(characters))
    return [characters[(number * len(characters)) // count] for number in range(count)]


def summarise(values: Mapping[str, Any]) -> dict[str, Any]:
    """Shares with 95 % intervals over pictures, and over subjects (each subject's own share, resampled)."""
    found: dict[str, Any] = {}
    by_method: dict[str, list[Mapping[str, Any]]] = {}
    for key, measured in values["learnt"].items():
        by_method.setdefault(key.partition("|")[0], []).append(measured)
    for method, rows in by_method.items():
        pictures = [one for row in rows for one in row["pictures"]]
        found[method] = {
            "subjects": len(rows),
            "pictures": len(pictures),
            "recognised": _share(rows, "recognised"),
            "followed": _share(rows, "followed"),
            "found": _share(rows, "found"),
            "samples": max(row["samples"] for row in rows),
            "mean_samples": sum(row["samples"] for row in rows) / len(rows),
            "cpu_seconds": sum(row["cpu_seconds"] for row in rows) / len(rows),
            "seconds": sum(row["seconds"] for row in rows) / len(rows),
        }
    if values["inserted"]:
        found["inserted"] = concept_insert.summarise(values["inserted"])
    return found


def _share(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    """The share of pictures, and its 95 % interval with whole subjects resampled."""
    shares = np.array([np.mean([one[name] for one in row["pictures"]]) for row in rows])
    generator = np.random.default_rng(0)
    means = shares[generator.integers(0, len(shares), (4000, len(shares)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {"share": float(shares.mean()), "low": float(low), "high": float(high)}


@dataclass(frozen=True, kw_only=True)
class _Learner(Asking):
    """One subject: learnt when that is first needed, drawn, and put into renders."""

    runner: Models
    one: Character
    overrides: Mapping[str, Any]
    judge: Judge
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def learnt(self, method: str) -> dict[str, Any]:
        """The file of the word, the report of the run, and its seconds."""
        if method not in self._kept:
            one = self.one
            photos = [_frozen(photo) for photo in one.photos()]
            contents: dict[str, Any] = {content_hash(photo): photo for photo in photos}
            values: dict[str, Any] = {
                "images": tuple(Picture(name) for name in contents),
                "token": _WORD,
                "initialise_from": one.kind,
                "template": "person" if one.subject.is_person else "object",
                "method": method,
                **self.overrides,
            }
            started, cpu = time.monotonic(), time.process_time()
            learnt = self.ask("learn-concept", LearnConcept(**values), contents)
            self._kept[method] = {
                "concept": learnt.artifacts["concept"],
                "report": parsed_json(learnt.artifacts["report"]),
                "seconds": time.monotonic() - started,
                "cpu_seconds": time.process_time() - cpu,
            }
        return self._kept[method]

    def drawn(self, method: str) -> dict[str, Any]:
        """Pictures of it in new scenes, judged."""
        learnt = self.learnt(method)
        concept, told = learnt["concept"], learnt["report"]
        name = content_hash(concept)
        pictures: list[dict[str, Any]] = []
        for number, wish in enumerate(wishes_of(self.one.kind)):
            for seed in range(_FIRST_SEED + number * SEEDS, _FIRST_SEED + (number + 1) * SEEDS):
                parameters = Generate(
                    prompt=wish.sentence.format(_WORD), seed=seed, concepts=(ConceptFile(name),)
                )
                picture = self.ask("generate", parameters, {name: concept}).images[0]
                judged = self.judge.of(picture, self.one, wish)
                pictures.append({"prompt": parameters.prompt, "seed": seed, **judged})
        return {
            "samples": told["samples"],
            "changes": len(told["losses"]),
            "best_step": told["best_step"],
            "held_out": [check["loss"] for check in told["held_out"]],
            "seconds": learnt["seconds"],
            "cpu_seconds": learnt["cpu_seconds"],
            "pictures": pictures,
        }

    def inserted(self, case: InsertCase, row: str) -> dict[str, Any]:
        """It in a render, by one row; judged."""
        work = Work(
            runner=self.runner,
            model=self.model,
            detect=self.judge.detect,
            case=case,
            progress=self.progress,
            concept=self.learnt(METHODS[0])["concept"],
        )
        image, result = work.made(row)
        told = self.judge.of(image, self.one, Wish("", other=case.there[1]))
        return work.figures(image, result) | {name: told[name] for name in ("found", "told", "recognised")}


class Judge:
    """Tells which of the characters a picture shows, and what is around.

    References are true renders of each, in all backgrounds and poses that are not learnt from. Readings count
    by how little the detector's differ between renders of one character.
    """

    def __init__(self, detect: Detect, characters: Sequence[Character]) -> None:
        from inference.miniworld.render import draw_pixels
        from inference.miniworld.scene import BACKGROUNDS

        self.detect = detect
        self._characters = characters
        self._means: dict[str, NDArray[np.float64]] = {}
        spreads: dict[bool, list[NDArray[np.float64]]] = {True: [], False: []}
        places: list[tuple[NDArray[np.float64], str]] = []
        for one in characters:
            rendered: list[Pixels] = []
            for number in range(_REFERENCES):
                background = BACKGROUNDS[number % len(BACKGROUNDS)]
                rendered.append(_frozen(draw_pixels(one.scene(_FIRST_REFERENCE + number, background))))
                places.append((_sides(rendered[-1]), background))
            readings = [
                _reading(found)
                for detections in detect(rendered)
                if (found := _surest(detections, one.kind)) is not None
            ]
            if not readings:
                raise EditorError("The detector finds no {kind} in true renders.", kind=one.kind)
            self._means[one.name] = np.mean(readings, 0)
            spreads[one.subject.is_person].append(np.var(readings, 0))
        self._deviations = {
            person: np.sqrt(np.mean(rows, 0)) + 1e-3 for person, rows in spreads.items() if rows
        }
        self._places = (np.stack([sides for sides, _ in places]), [name for _, name in places])

    def of(self, picture: Pixels, one: Character, wish: Wish) -> dict[str, Any]:
        """What is counted of one picture."""
        detections = self.detect([picture])[0]
        found = _surest(detections, one.kind)
        told = "" if found is None else self.told(found, one.kind)
        if wish.other:
            followed = any(other.kind == wish.other for other in detections)
        else:
            followed = self.place(picture) == wish.background
        return {
            "found": found is not None,
            "told": told,
            "recognised": told == one.name,
            "followed": followed,
        }

    def told(self, found: Detection, kind: str) -> str:
        """The nearest of the characters of this kind; those of other kinds are told apart by their kind."""
        reading = _reading(found)
        same = [one for one in self._characters if one.kind == kind]
        deviation = self._deviations[same[0].subject.is_person]
        distances = [float((((reading - self._means[one.name]) / deviation) ** 2).sum()) for one in same]
        return same[int(np.argmin(distances))].name

    def place(self, picture: Pixels) -> str:
        """The background whose renders look most alike at both sides."""
        known, names = self._places
        return names[int(np.argmin(((known - _sides(picture)) ** 2).sum(1)))]

    def ceiling(self, autoencoded: Callable[[Pixels], Pixels]) -> dict[str, float]:
        """How often true renders of other poses are recognised, as they are and `autoencoded`, and their
        background.
        """
        from inference.miniworld.characters import NEW_BACKGROUNDS
        from inference.miniworld.render import draw_pixels

        recognised: list[bool] = []
        kept: list[bool] = []
        followed: list[bool] = []
        for one in self._characters:
            for number in range(4):
                background = NEW_BACKGROUNDS[number % len(NEW_BACKGROUNDS)]
                picture = _frozen(draw_pixels(one.scene(200 + number, background)))
                found = self.of(picture, one, Wish("", background=background))
                kept.append(self.of(autoencoded(picture), one, Wish(""))["recognised"])
                recognised.append(found["recognised"])
                followed.append(found["followed"])
        return {
            "pictures": len(recognised),
            "recognised": float(np.mean(recognised)),
            "autoencoded": float(np.mean(kept)),
            "followed": float(np.mean(followed)),
        }


def _surest(detections: Sequence[Detection], kind: str) -> Detection | None:
    same = [one for one in detections if one.kind == kind]
    return max(same, key=lambda one: one.score, default=None)


def _reading(found: Detection) -> NDArray[np.float64]:
    """What stays with a character: a person's age, hair and shirt; a thing's colour, not its size."""
    attributes: Mapping[str, float] = getattr(found, "attributes", {})
    colours = found.colours
    if "hair" in colours:
        return np.array([attributes.get("age", math.nan), *colours["hair"], *colours["shirt"]], np.float64)
    return np.array(colours["colour"], np.float64)


def _sides(picture: Pixels) -> NDArray[np.float64]:
    """Mean colours of bands at the left and the right."""
    width = picture.shape[1]
    strip = max(1, round(_STRIP * width))
    bands: list[NDArray[np.float64]] = []
    for side in (picture[:, :strip, :3], picture[:, width - strip :, :3]):
        bands += [part.reshape(-1, 3).mean(0) for part in np.array_split(side.astype(np.float64), _BANDS)]
    return np.concatenate(bands)


def _frozen(pixels: NDArray[np.uint8]) -> Pixels:
    pixels.setflags(write=False)
    return pixels


def _silent(done: int, total: int, what: str) -> None:
    """Nobody is told."""
