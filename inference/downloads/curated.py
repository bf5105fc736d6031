"""A short list of models to begin with.

Sizes are those of the files that are fetched; the hub has the last word. Memory is what generating takes in
numbers of two bytes, as graphics cards compute, with the whole model in memory.
"""

from dataclasses import dataclass

from inference.operations import Family
from inference.parameters import N_


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
