"""The judge of all measurements: which subjects are in a picture, where, and their attributes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from .scene import KINDS, PEOPLE

INPUT_PX: Final = 128
SLOTS: Final = ("left", "middle", "right")
SLOT_CENTRES: Final = (0.25, 0.5, 0.75)
SLOT_CELLS: Final = 4  # of the 8 columns of the last feature map; neighbours overlap by half
NOTHING: Final = len(KINDS)
PRESENT: Final = 0.5
BATCH: Final = 64

Rgb = tuple[float, float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Detection:
    """One subject found in a picture.

    score: 0..1; box: (x0, y0, x1, y1) relative to the picture; attributes: people have age 0..1 and smile
    -1..1, things have size (0.60..1.16); colours: people have hair and shirt, things have colour, RGB 0..1 as
    seen.
    """

    kind: str
    score: float
    box: Box
    attributes: dict[str, float]
    colours: dict[str, Rgb]

    @property
    def centre(self) -> tuple[float, float]:
        x0, y0, x1, y1 = self.box
        return (x0 + x1) / 2, (y0 + y1) / 2


@dataclass(frozen=True)
class Readings:
    """Raw output for every picture and slot; each tensor begins with [N, 3].

    kinds: logits [.., 9], the last one for nothing; box [.., 4]; values: age, smile, size [.., 3]; colours:
    hair, shirt, own [.., 9], 0..1.
    """

    kinds: Tensor
    box: Tensor
    values: Tensor
    colours: Tensor


class DetectorNetwork(nn.Module):
    """A small convolutional network with one head shared by the slots left, middle and right."""

    def __init__(
        self, channels: tuple[int, ...] = (16, 32, 64, 96), neck: int = 48, hidden: int = 128
    ) -> None:
        super().__init__()
        self.settings: dict[str, Any] = {
            "channels": list(channels),
            "neck": neck,
            "hidden": hidden,
        }
        layers: list[nn.Module] = []
        before = 3
        for width in channels:
            layers += [_convolution(before, width, 2), _convolution(width, width, 1)]
            before = width
        self.trunk = nn.Sequential(*layers, nn.Conv2d(before, neck, 1), nn.SiLU())
        rows = INPUT_PX // 2 ** len(channels)
        self.head = nn.Sequential(
            nn.Linear(neck * rows * SLOT_CELLS, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, len(KINDS) + 1 + 4 + 3 + 9),
        )

    def forward(self, images: Tensor) -> Readings:
        """images: float [N, 3, 128, 128] in 0..1."""
        features = self.trunk(images * 2 - 1)
        starts = range(0, features.shape[-1] - SLOT_CELLS + 1, SLOT_CELLS // 2)
        slices = [features[..., start : start + SLOT_CELLS].flatten(1) for start in starts]
        output = self.head(torch.stack(slices, 1)).float()
        kinds, box, values, colours = output.split([len(KINDS) + 1, 4, 3, 9], -1)
        # Boxes are told relative to the slot's middle, so that the shared head need not know which slot it
        # sees.
        shift = torch.tensor(SLOT_CENTRES, device=output.device)[:, None]
        offset = torch.cat([shift, torch.zeros_like(shift)], 1).repeat(1, 2)
        return Readings(kinds, box + offset, values, colours)


class Detector:
    """The trained network, ready for use.

    Example: `Detector.load(folder)(images)` with images float [N, 3, H, W] in 0..1.
    """

    def __init__(self, network: DetectorNetwork) -> None:
        self.network = network.eval().requires_grad_(False)

    @classmethod
    def load(cls, folder: Path | str, device: str | torch.device = "cpu") -> Detector:
        """Reads `model.safetensors` and `config.json`. Raises OSError when they are missing."""
        folder = Path(folder)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        settings = config["network"]
        network = DetectorNetwork(tuple(settings["channels"]), settings["neck"], settings["hidden"])
        state = load_file(folder / "model.safetensors")
        network.load_state_dict({key: value.float() for key, value in state.items()})
        return cls(network.to(device))

    def save(self, folder: Path) -> None:
        """Writes float16 weights and the configuration."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {key: value.half().contiguous().cpu() for key, value in self.network.state_dict().items()}
        save_file(state, folder / "model.safetensors")
        (folder / "model.safetensors").chmod(0o644)  # safetensors writes for the owner alone
        config = {
            "kinds": list(KINDS),
            "slots": list(SLOTS),
            "input_px": INPUT_PX,
            "network": self.network.settings,
        }
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    @torch.no_grad()
    def read(self, images: Tensor) -> Readings:
        """Raw readings of images, float [N, 3, H, W] in 0..1, any size."""
        device = next(self.network.parameters()).device
        parts = [self.network(_resized(batch.to(device))) for batch in images.split(BATCH)]
        fields = ("kinds", "box", "values", "colours")
        return Readings(*(torch.cat([getattr(p, f) for p in parts]).cpu() for f in fields))

    def __call__(self, images: Tensor) -> list[list[Detection]]:
        """What is in each picture, from left to right. images: float [N, 3, H, W] in 0..1."""
        readings = self.read(images)
        scores = readings.kinds.softmax(-1)
        found: list[list[Detection]] = []
        for n in range(len(images)):
            row: list[Detection] = []
            for slot in range(len(SLOTS)):
                best = int(scores[n, slot, :NOTHING].argmax())
                score = float(scores[n, slot, best])
                if score >= PRESENT:
                    row.append(_detection(readings, n, slot, KINDS[best], score))
            found.append(row)
        return found


def find(detections: list[Detection], kind: str) -> Detection | None:
    """The surest detection of a kind, or None."""
    matching = [detection for detection in detections if detection.kind == kind]
    return max(matching, key=lambda detection: detection.score, default=None)


def _detection(readings: Readings, n: int, slot: int, kind: str, score: float) -> Detection:
    x0, y0, x1, y1 = readings.box[n, slot].clamp(0, 1).tolist()
    age, smile, size = readings.values[n, slot].tolist()
    colours = readings.colours[n, slot].clamp(0, 1).tolist()
    hair, shirt, own = tuple(colours[:3]), tuple(colours[3:6]), tuple(colours[6:])
    if kind in PEOPLE:
        attributes = {"age": min(1.0, max(0.0, age)), "smile": min(1.0, max(-1.0, smile))}
        return Detection(kind, score, (x0, y0, x1, y1), attributes, {"hair": hair, "shirt": shirt})
    return Detection(kind, score, (x0, y0, x1, y1), {"size": size}, {"colour": own})


def _resized(images: Tensor) -> Tensor:
    if images.shape[-2:] == (INPUT_PX, INPUT_PX):
        return images.float()
    size = (INPUT_PX, INPUT_PX)
    return functional.interpolate(images.float(), size, mode="bilinear", antialias=True)


def _convolution(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.GroupNorm(8, after), nn.SiLU())
