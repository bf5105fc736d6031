"""A short list of models to begin with.

Sizes are those of the files that are fetched; the hub has the last word. Memory is what generating takes in
numbers of two bytes, as graphics cards compute, with the whole model in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.operations import Family
from inference.parameters import N_
from inference.process.hub import cached_folder
from inference.weights import checkpoints


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """One model that can be downloaded.

    Args:
        hub_id: "owner/name".
        title: its name for people.
        good_at: what it is for, under the context "Models".
        size_bytes: of the download.
        memory_bytes: that a picture of `picture` pixels takes, whole model in memory.
        picture: width and height at which it is best.
        licence: its name.
        gated: whether one has to sign in and accept the licence first.
    """

    hub_id: str
    title: str
    family: Family
    good_at: str
    size_bytes: int
    memory_bytes: int
    picture: int
    licence: str
    gated: bool = False


RECOMMENDED = (
    Recommended(
        hub_id="stable-diffusion-v1-5/stable-diffusion-v1-5",
        title="Stable Diffusion 1.5",
        family=Family.SD1,
        good_at=N_("Models", "The classic: small, quick, and most additions are made for it"),
        size_bytes=2_133_000_000,
        memory_bytes=3_500_000_000,
        picture=512,
        licence="CreativeML OpenRAIL-M",
    ),
    Recommended(
        hub_id="Lykon/dreamshaper-8",
        title="DreamShaper 8",
        family=Family.SD1,
        good_at=N_("Models", "Portraits and painting on a small graphics card"),
        size_bytes=2_133_000_000,
        memory_bytes=3_500_000_000,
        picture=512,
        licence="CreativeML OpenRAIL-M",
    ),
    Recommended(
        hub_id="stabilityai/stable-diffusion-xl-base-1.0",
        title="Stable Diffusion XL 1.0",
        family=Family.SDXL,
        good_at=N_("Models", "Large pictures of everything; the published sliders are made for it"),
        size_bytes=6_939_000_000,
        memory_bytes=10_000_000_000,
        picture=1024,
        licence="CreativeML OpenRAIL++-M",
    ),
    Recommended(
        hub_id="SG161222/RealVisXL_V5.0",
        title="RealVisXL 5",
        family=Family.SDXL,
        good_at=N_("Models", "People and places as in photographs"),
        size_bytes=6_939_000_000,
        memory_bytes=10_000_000_000,
        picture=1024,
        licence="CreativeML OpenRAIL++-M",
    ),
    Recommended(
        hub_id="stabilityai/sdxl-turbo",
        title="SDXL Turbo",
        family=Family.SDXL,
        good_at=N_("Models", "A picture in four steps, to try ideas quickly"),
        size_bytes=6_939_000_000,
        memory_bytes=8_000_000_000,
        picture=512,
        licence="Stability AI Community",
    ),
    Recommended(
        hub_id="stabilityai/stable-diffusion-3.5-medium",
        title="Stable Diffusion 3.5 Medium",
        family=Family.SD3,
        good_at=N_("Models", "Follows long prompts best, and writes words into pictures"),
        size_bytes=16_300_000_000,
        memory_bytes=18_000_000_000,
        picture=1024,
        licence="Stability AI Community",
        gated=True,
    ),
)


def title_of(model: str) -> str:
    """What people call a model of the list; any other is called as it is.

    Args:
        model: its name in the catalogue, which for what was downloaded is its hub id; a number behind it, as
            the catalogue gives to a second entry of one model, stays.
    """
    for one in RECOMMENDED:
        if model == one.hub_id:
            return one.title
        number = model.removeprefix(f"{one.hub_id}-")
        if number != model and number.isdecimal():
            return f"{one.title} ({number})"
    return model


def is_here(offer: Recommended) -> bool:
    """Whether all of it is in the hub's cache of this machine, where other programs may have put it."""
    folder = cached_folder(offer.hub_id, "model_index.json")
    return folder is not None and not checkpoints.problems(folder, offer.family)


def suggested(memory_bytes: int, offers: Sequence[Recommended] = RECOMMENDED) -> Recommended | None:
    """The first that can be had without signing in and fits into so much memory; else the smallest of them.

    Args:
        memory_bytes: of this machine; 0 where it does not tell.
    """
    open_ones = [one for one in offers if not one.gated]
    fitting = [one for one in open_ones if one.memory_bytes <= memory_bytes]
    smallest = min(open_ones, key=lambda one: one.memory_bytes, default=None)
    return fitting[0] if fitting else smallest
