"""How well a picture fits its prompt: the whole of it, its least subject, and by its caption (2301.13826).

Two judges give them: a CLIP model that the user has, or the built-in detector, whose findings take the place
of embeddings. Figures of different judges cannot be compared.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inference.metrics.tiam import Detection


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """Cosines: picture and prompt; picture and its least subject; a caption of the picture and the prompt."""

    full_prompt: float
    least_subject: float
    text_text: float


def of_detections(found: Sequence[Detection], wanted: Sequence[str]) -> Similarity:
    """The built-in counterpart: kinds are the axes, and a picture is how sure the detector is of each.

    The caption is the list of kinds that were found, each once for each time.
    """
    strengths: dict[str, float] = {}
    counts: dict[str, float] = {}
    for one in found:
        strengths[one.kind] = max(strengths.get(one.kind, 0.0), one.score)
        counts[one.kind] = counts.get(one.kind, 0.0) + 1
    asked = {kind: float(list(wanted).count(kind)) for kind in wanted}
    norm = math.sqrt(sum(value**2 for value in strengths.values()))
    return Similarity(
        full_prompt=_cosine(strengths, asked),
        least_subject=min((strengths.get(kind, 0.0) / norm for kind in wanted), default=0.0) if norm else 0.0,
        text_text=_cosine(counts, asked),
    )


def of_subjects(found: Sequence[Detection], wanted: Sequence[str], right: Sequence[bool]) -> Similarity:
    """The same by single subjects, of which `right` says whether each is there and as it was asked for.

    Each subject is an axis of its own; what was found beyond the right ones lies on further axes, one a kind.
    So a picture that lacks one of two cats, or the red of a car, does not fit completely.
    """
    sure: dict[str, float] = {}
    counts: dict[str, int] = {}
    for one in found:
        sure[one.kind] = max(sure.get(one.kind, 0.0), one.score)
        counts[one.kind] = counts.get(one.kind, 0) + 1
    strengths: dict[str, float] = {}
    caption: dict[str, float] = {}
    for index, (kind, is_right) in enumerate(zip(wanted, right, strict=True)):
        strengths[f"subject {index}"] = sure.get(kind, 0.0) if is_right else 0.0
        caption[f"subject {index}"] = float(is_right)
        counts[kind] = counts.get(kind, 0) - is_right
    for kind, left in counts.items():
        if left > 0:
            strengths[f"more {kind}"], caption[f"more {kind}"] = sure[kind], float(left)
    asked = {f"subject {index}": 1.0 for index in range(len(wanted))}
    norm = math.sqrt(sum(value**2 for value in strengths.values()))
    return Similarity(
        full_prompt=_cosine(strengths, asked),
        least_subject=min((strengths[axis] / norm for axis in asked), default=0.0) if norm else 0.0,
        text_text=_cosine(caption, asked),
    )


def _cosine(first: dict[str, float], second: dict[str, float]) -> float:
    product = sum(value * second.get(kind, 0.0) for kind, value in first.items())
    norms = math.sqrt(sum(v**2 for v in first.values()) * sum(v**2 for v in second.values()))
    return product / norms if norms else 0.0
