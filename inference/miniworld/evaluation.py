"""The gate: what a finished folder must show on held-out prompts and seeds, judged by the detector."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from inference.metrics.colours import COLOURS, nearest_name

from .detector import Detection, Detector, find
from .samples import draw, family_of, load
from .scene import KINDS, PEOPLE

FIRST_SEED: Final = 90_000
BATCH: Final = 8
PLACES: Final = ("", "", " on grass", " at night", " in the snow", " on the beach")
BOUND_COLOURS: Final = ("red", "yellow", "green", "blue", "purple")
BOUND_THINGS: Final = ("car", "ball", "house")
PREFIXES: Final = ("a photo of", "a portrait of", "a picture of", "")
TWO_PEOPLE: Final = "a photo of a man and a woman"
T5_TOKENS: Final = 77


@dataclass(frozen=True, kw_only=True)
class Suite:
    """How many pictures each figure is measured on."""

    one: int = 96
    two: int = 112
    ages: int = 32
    colours: int = 32
    deltas: int = 24
    steps: int = 30


def evaluate(folder: Path, detector: Detector, suite: Suite) -> dict[str, Any]:
    """All figures of one model, shares 0..1; see the single functions."""
    pipeline = load(folder)
    return {
        "one_subject": one_subject(pipeline, detector, suite),
        "two_subjects": two_subjects(pipeline, detector, suite),
        "age_order": age_order(pipeline, detector, suite),
        "colours_bound": colours_bound(pipeline, detector, suite),
        "delta_old_neutral": delta_effect(pipeline, detector, suite, ("old man", "man")),
        "delta_old_young": delta_effect(pipeline, detector, suite, ("old man", "young man")),
    }


def one_subject(pipeline: Any, detector: Detector, suite: Suite) -> float:
    """Share of pictures "a photo of a KIND [PLACE]" that show the kind."""
    prompts = [
        f"a photo of a {KINDS[i % len(KINDS)]}{PLACES[i // len(KINDS) % len(PLACES)]}"
        for i in range(suite.one)
    ]
    found = _detect(pipeline, detector, prompts, suite.steps)
    kinds = [KINDS[i % len(KINDS)] for i in range(suite.one)]
    return _share([find(d, kind) is not None for d, kind in zip(found, kinds, strict=True)])


def two_subjects(pipeline: Any, detector: Detector, suite: Suite) -> float:
    """Share of pictures "a photo of a KIND and a KIND" (all pairs of kinds) that show both."""
    pairs = list(itertools.combinations(KINDS, 2))
    chosen = [pairs[i % len(pairs)] for i in range(suite.two)]
    prompts = [f"a photo of a {first} and a {second}" for first, second in chosen]
    found = _detect(pipeline, detector, prompts, suite.steps)
    return _share([all(find(d, kind) for kind in pair) for d, pair in zip(found, chosen, strict=True)])


def age_order(pipeline: Any, detector: Detector, suite: Suite) -> float:
    """Share of "an old … and a young …" with both people found in which the older one looks older."""
    older = [PEOPLE[i % 2] for i in range(suite.ages)]
    prompts = [
        "a photo of an old man and a young woman"
        if kind == "man"
        else "a photo of a young man and an old woman"
        for kind in older
    ]
    results: list[bool] = []
    for detections, kind in zip(_detect(pipeline, detector, prompts, suite.steps), older, strict=True):
        man, woman = find(detections, "man"), find(detections, "woman")
        if man and woman:
            is_man = man.attributes["age"] > woman.attributes["age"]
            results.append(is_man == (kind == "man"))
    return _share(results)


def colours_bound(pipeline: Any, detector: Detector, suite: Suite) -> float:
    """Share of things found in "a C₁ THING and a C₂ THING" that have their own colour."""
    rng = np.random.default_rng(5)
    asked = [
        (rng.permutation(BOUND_THINGS)[:2].tolist(), rng.permutation(BOUND_COLOURS)[:2].tolist())
        for _ in range(suite.colours)
    ]
    prompts = [f"a photo of a {c[0]} {k[0]} and a {c[1]} {k[1]}" for k, c in asked]
    results: list[bool] = []
    for detections, (kinds, colours) in zip(
        _detect(pipeline, detector, prompts, suite.steps), asked, strict=True
    ):
        for kind, colour in zip(kinds, colours, strict=True):
            thing = find(detections, kind)
            if thing:
                results.append(_colour_name(thing) == colour)
    return _share(results)


def delta_effect(
    pipeline: Any,
    detector: Detector,
    suite: Suite,
    pair: tuple[str, str],
    scale: float = 1.5,
) -> dict[str, float]:
    """What the naive delta positive - negative at "man" does in "a photo of a man and a woman".

    edited: mean change of his age from -scale to +scale; other: mean absolute change of hers (and its signed
    mean); psnr of the whole picture (dB) is not judged, since he changes.
    """
    base = _embeddings(pipeline, TWO_PEOPLE)
    delta = _naive_delta(pipeline, pair)
    place = _noun_place(pipeline, TWO_PEOPLE, "man")
    ages: dict[float, list[list[Detection]]] = {}
    for alpha in (-scale, scale):
        moved = {key: value.clone() for key, value in base.items()}
        moved["prompt_embeds"][:, place] += alpha * delta
        ages[alpha] = _detect_embedded(pipeline, detector, moved, suite.deltas, suite.steps)
    his: list[float] = []
    hers: list[float] = []
    for low, high in zip(ages[-scale], ages[scale], strict=True):
        for kind, changes in (("man", his), ("woman", hers)):
            first, second = find(low, kind), find(high, kind)
            if first and second:
                changes.append(second.attributes["age"] - first.attributes["age"])
    return {
        "edited": _mean(his),
        "other": _mean([abs(change) for change in hers]),
        "other_signed": _mean(hers),
        "measured": float(min(len(his), len(hers))),
    }


def write_figures(folder: Path, figures: dict[str, Any], path: Path) -> None:
    """Adds a model's figures to a JSON file."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known[folder.name] = figures
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _detect(pipeline: Any, detector: Detector, prompts: Sequence[str], steps: int) -> list[list[Detection]]:
    found: list[list[Detection]] = []
    for first in range(0, len(prompts), BATCH):
        part = prompts[first : first + BATCH]
        seeds = [FIRST_SEED + first + i for i in range(len(part))]
        found += detector(_tensor(draw(pipeline, part, seeds, steps=steps)))
    return found


def _detect_embedded(
    pipeline: Any, detector: Detector, embeddings: dict[str, Tensor], count: int, steps: int
) -> list[list[Detection]]:
    found: list[list[Detection]] = []
    for first in range(0, count, BATCH):
        size = min(BATCH, count - first)
        seeds = [FIRST_SEED + first + i for i in range(size)]
        given = {k: v.repeat(size, *[1] * (v.ndim - 1)) for k, v in embeddings.items()}
        found += detector(_tensor(draw(pipeline, [], seeds, steps=steps, **given)))
    return found


def _embeddings(pipeline: Any, prompt: str) -> dict[str, Tensor]:
    """The pipeline's own embeddings of one prompt, under the names its call takes."""
    family = family_of(pipeline)
    if family == "sd1":
        positive, negative = pipeline.encode_prompt(prompt, "cpu", 1, True)
        return {"prompt_embeds": positive, "negative_prompt_embeds": negative}
    options: dict[str, Any] = {"max_sequence_length": T5_TOKENS} if family == "sd3" else {}
    second: dict[str, Any] = {"prompt_2": None}
    if family == "sd3":
        second["prompt_3"] = None
    values = pipeline.encode_prompt(prompt, **second, **options)
    names = ("prompt_embeds", "negative_prompt_embeds")
    pooled = ("pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    return dict(zip((*names, *pooled), values, strict=True))


def _naive_delta(pipeline: Any, pair: tuple[str, str]) -> Tensor:
    """Mean over prefixes of the noun's embedding in the positive minus that in the negative phrase."""
    differences: list[Tensor] = []
    for prefix in PREFIXES:
        sides = [_noun_embedding(pipeline, f"{prefix} {_with_article(p)}".strip()) for p in pair]
        differences.append(sides[0] - sides[1])
    return torch.stack(differences).mean(0)


def _noun_embedding(pipeline: Any, prompt: str) -> Tensor:
    place = _noun_place(pipeline, prompt, prompt.split()[-1])
    return _embeddings(pipeline, prompt)["prompt_embeds"][0, place]


def _noun_place(pipeline: Any, prompt: str, noun: str) -> int:
    ids = pipeline.tokenizer(prompt).input_ids
    return ids.index(pipeline.tokenizer.convert_tokens_to_ids(f"{noun}</w>"))


def _with_article(phrase: str) -> str:
    return f"an {phrase}" if phrase[0] in "aeiou" else f"a {phrase}"


def _colour_name(thing: Detection) -> str:
    red, green, blue = (255 * value for value in thing.colours["colour"])
    return nearest_name((red, green, blue), COLOURS)


def _tensor(pictures: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()


def _share(results: Sequence[bool]) -> float:
    return sum(results) / len(results) if results else float("nan")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
