"""Models that were distilled to draw in a few steps: told by their names, for their weights do not say it.

They are sampled from the last timestep on ("trailing" spacing), in the steps and with the guidance that they
were distilled for (SDXL Turbo: arXiv:2311.17042; Lightning: arXiv:2402.13929; latent consistency:
arXiv:2310.04378; Hyper-SD: arXiv:2404.13686; DMD2: arXiv:2405.14867). All of it can be changed in a request.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TRAILING = {"timestep_spacing": "trailing"}
_MOST_STEPS = 64
_TURBO_PIXELS = 512
_STEPS = re.compile(r"(?<!\d)(\d{1,2})[ _-]?steps?(?![a-z])")


@dataclass(frozen=True)
class FewSteps:
    """How a distilled model wants to be asked.

    Args:
        steps: how many steps.
        guidance_scale: 1 is none.
        scheduler: values that replace those of the family's scheduler.
        pixels: the side of the pictures that it draws best, 0 for the family's.
    """

    steps: int
    guidance_scale: float
    scheduler: Mapping[str, Any]
    pixels: int = 0


def recognised(name: str) -> FewSteps | None:
    """How the model of this file name or hub id is to be sampled, or None for one that takes many steps."""
    text = name.lower().rpartition("/")[2]
    words = set(re.split(r"[^a-z0-9]+|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", text))
    found = next(
        (make for word, make in _KINDS if any(word in one for one in _candidates(word, words))), None
    )
    if found is None:
        return None
    match = _STEPS.search(text)
    steps = int(match[1]) if match and 1 <= int(match[1]) <= _MOST_STEPS else None
    return found(text, steps)


def scheduler_of(name: str) -> dict[str, Any]:
    """What the name says of the scheduler, {} for an ordinary model."""
    found = recognised(name)
    return dict(found.scheduler) if found else {}


def _candidates(word: str, words: set[str]) -> set[str]:
    # short words have to stand alone: "dlcmix" is no latent consistency model
    return words if len(word) > 5 else words & {word, f"{word}xl", f"{word}sd", f"sd{word}"}


def _turbo(text: str, steps: int | None) -> FewSteps:
    """The published ones take no guidance; mixtures made of them take a little, and more steps."""
    original = re.fullmatch(r"(sd|sdxl|sd[_-]xl)[_-]turbo.*", text) is not None or "3.5" in text
    scheduler = {"_class_name": "DDPMScheduler", **_TRAILING}  # ancestral, as published
    smaller = original and "3.5" not in text  # SDXL Turbo was distilled at 512
    return FewSteps(
        steps or (4 if original else 8), 1.0 if original else 2.0, scheduler, _TURBO_PIXELS if smaller else 0
    )


def _lightning(text: str, steps: int | None) -> FewSteps:
    scheduler: dict[str, Any] = {"_class_name": "EulerDiscreteScheduler", **_TRAILING}
    if "x0" in text:
        scheduler["prediction_type"] = "sample"
    return FewSteps(steps or 6, 1.0 if steps else 1.5, scheduler)


def _hyper(text: str, steps: int | None) -> FewSteps:
    return FewSteps(steps or 8, 5.0 if "cfg" in text else 1.0, {"_class_name": "DDIMScheduler", **_TRAILING})


def _consistency(text: str, steps: int | None) -> FewSteps:
    del text
    return FewSteps(steps or 6, 1.5, {"_class_name": "LCMScheduler", **_TRAILING})


def _dmd(text: str, steps: int | None) -> FewSteps:
    del text
    return FewSteps(steps or 4, 1.0, {"_class_name": "LCMScheduler", **_TRAILING})


_KINDS: tuple[tuple[str, Callable[[str, int | None], FewSteps]], ...] = (
    ("lightning", _lightning),
    ("turbo", _turbo),
    ("hyper", _hyper),
    ("lcm", _consistency),
    ("dmd", _dmd),
)
