"""The operation "judge-photos": what would help before a concept is learnt, and which parts show it.

Unclear sets of photos go wrong silently: a blurred mixture is learnt. Looked at are number, size and likeness
of the photos, and where and whether the model sees the kind of thing in each. Nothing is refused.
"""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.backbones.base import Backbone
from inference.inputs import Inputs
from inference.messages import Message, listed
from inference.methods.concepts.looking import Seen, look
from inference.methods.concepts.photos import WHOLE, Crop, crop_of, crop_of_alpha, opaque, part_of, place_of
from inference.metrics import judge
from inference.operations import JudgePhotos
from inference.progress import Progress
from inference.request import Output, Pixels
from inference.sizes import resized

ENOUGH, PLENTY = 3, 12
LEAST_FIT = 0.0  # as `inference.methods.inversion.looking`: below it a word explains nothing of a photo
LEAST_SHARE = 0.5  # of the model's own size, for the part that shows the subject
ALIKE = 0.96  # correlation of small grey pictures
_SMALL = 16
_STRONG, _AS_LARGE = 0.6, 0.4


def judge_photos(backbone: Backbone, parameters: JudgePhotos, inputs: Inputs, progress: Progress) -> Output:
    """Notes are sentences that help; the artifact "report" has the suggested parts as JSON."""
    images = [inputs.pixels(one) for one in parameters.images]
    kind = " ".join(parameters.initialise_from.split())
    width, height = backbone.defaults.width, backbone.defaults.height
    is_style = parameters.template == "style"
    crops: list[Crop] = list(parameters.crops)
    seen: list[Seen | None] = []
    with progress.phase("look"):
        for number, image in enumerate(images):
            progress.step(number, len(images))
            found = _looked(backbone, image, kind) if kind and not is_style else None
            seen.append(found)
            if number >= len(crops):
                # as learning suggests them: a style is in all of a photo
                crops.append(WHOLE if is_style else _crop(image, found, width, height))
        progress.step(len(images), len(images))
        parts = [part_of(image, crop, width, height) for image, crop in zip(images, crops, strict=True)]
        counts = _counted(backbone, parameters, images, kind) if not is_style else None
    notes = (
        *_number(len(images)),
        *_sizes(images, crops, width, height),
        *_likeness(parts),
        *(() if is_style else _subjects(kind, seen, counts)),
    )
    report = {"crops": crops, "fits": [None if one is None else round(one.fit, 4) for one in seen]}
    return Output(images=(), notes=notes, artifacts={"report": json.dumps(report).encode()})


def _looked(backbone: Backbone, image: Pixels, kind: str) -> Seen:
    sentence = f"a photo of a {kind}"
    span = (len(sentence) - len(kind), len(sentence))
    return look(backbone, image, backbone.encode_prompt(sentence), span, backbone.negative_prompt(""))


def _crop(image: Pixels, seen: Seen | None, width: int, height: int) -> Crop:
    found = crop_of_alpha(image, width / height)
    if found is None and seen is not None:
        found = crop_of(seen.heat, image.shape[1], image.shape[0], width / height)
    return found or WHOLE


def _number(count: int) -> tuple[Message, ...]:
    if count < ENOUGH:
        return (
            Message(
                "Of {count} photos little is learnt but these photos: three to five from different sides and "
                "in different places are better.",
                count=count,
            )
            if count > 1
            else Message(
                "Of one photo little is learnt but this photo: three to five from different sides and in "
                "different places are better."
            ),
        )
    if count > PLENTY:
        return (
            Message("{count} photos are many: the five clearest ones give a sharper result.", count=count),
        )
    return ()


def _sizes(images: Sequence[Pixels], crops: Sequence[Crop], width: int, height: int) -> list[Message]:
    found: list[Message] = []
    for number, (image, crop) in enumerate(zip(images, crops, strict=True), 1):
        left, top, right, bottom = place_of(image.shape[1], image.shape[0], crop, width / height)
        if right - left < LEAST_SHARE * width:
            found.append(
                Message(
                    "Photo {number}: its subject is small, {columns} × {rows} pixels, and the model sees "
                    "{width} × {height}. Choose one that is closer.",
                    number=number,
                    columns=right - left,
                    rows=bottom - top,
                    width=width,
                    height=height,
                )
            )
    return found


def _likeness(parts: Sequence[Pixels]) -> list[Message]:
    small = [_grey(part) for part in parts]
    groups: list[list[int]] = []  # each photo beside the first ones that it is like
    for number, one in enumerate(small):
        group = next((group for group in groups if any(_are_alike(one, small[i]) for i in group)), None)
        if group is None:
            groups.append([number])
        else:
            group.append(number)
    return [
        Message(
            "Photos {numbers} are nearly the same: what is around the subject is learnt with it. Keep one of "
            "them, and choose other places or sides.",
            numbers=listed(str(number + 1) for number in group),
        )
        for group in groups
        if len(group) > 1
    ]


def _are_alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two small grey pictures are, or one is like the other's mirror image."""
    return max(_correlation(one, other), _correlation(one, other[:, ::-1])) >= ALIKE


def _grey(part: Pixels) -> NDArray[np.float32]:
    return resized(np.ascontiguousarray(opaque(part)), _SMALL, _SMALL).astype(np.float32).mean(-1)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    if size < 1e-6:  # both are flat
        return 1.0 if abs(float(one.mean() - other.mean())) < 1 else 0.0
    return float((a * b).sum()) / size


def _counted(
    backbone: Backbone, parameters: JudgePhotos, images: Sequence[Pixels], kind: str
) -> list[int] | None:
    """How many of the kind a detector finds in each photo; None if there is none that knows it."""
    if not backbone.sandbox and not parameters.detector:
        return None
    judging = judge.built_in() if backbone.sandbox else judge.for_photos(parameters.detector)
    noun = kind.lower().split()[-1] if kind else ""
    if noun not in judging.kinds:
        return None
    found = judging.detect([np.ascontiguousarray(opaque(image)) for image in images])
    return [sum(one.kind == noun for one in detections) for detections in found]


def _subjects(kind: str, seen: Sequence[Seen | None], counts: list[int] | None) -> list[Message]:
    found: list[Message] = []
    without = [
        number
        for number, one in enumerate(seen, 1)
        if (counts[number - 1] == 0 if counts is not None else one is not None and one.fit < LEAST_FIT)
    ]
    if seen and len(without) == len(seen):
        found.append(
            Message(
                "In none of the photos the model sees a {kind}: choose the word that says what they have in "
                "common.",
                kind=kind,
            )
        )
    elif without:
        numbers = listed(map(str, without))
        found.append(
            Message(
                "The model sees no {kind} in photo {numbers}: is it the same subject? Leave out what shows "
                "something else.",
                kind=kind,
                numbers=numbers,
            )
        )
    for number, one in enumerate(seen, 1):
        several = counts[number - 1] > 1 if counts is not None else one is not None and _is_several(one.heat)
        if several:
            found.append(
                Message(
                    "Photo {number} shows more than one {kind}: it is not told which is meant. Crop it, or "
                    "choose one with the subject alone.",
                    number=number,
                    kind=kind,
                )
            )
    return found


def _is_several(heat: NDArray[np.float32]) -> bool:
    """Whether a map has two strong places of similar size that do not touch."""
    low, peak = float(heat.min()), float(heat.max())
    if not peak > low:
        return False
    import cv2

    strong = ((heat - low) / (peak - low) >= _STRONG).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    areas = sorted((int(stats[index, cv2.CC_STAT_AREA]) for index in range(1, count)), reverse=True)
    return len(areas) > 1 and areas[1] >= _AS_LARGE * areas[0]
