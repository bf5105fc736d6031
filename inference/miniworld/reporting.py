"""Measures a finished model and writes its card."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from diffusers import AutoencoderKL

from .cards import detector_card, model_card, read_figures
from .detector import Detector
from .detector_training import detector_figures
from .evaluation import Suite, evaluate, write_figures
from .training import FAMILIES
from .vae import reconstruction_psnr

FIGURES_NAME: Final = "figures.json"
DETECTOR_PICTURES: Final = 600


def report_model(
    name: str, models: Path, work: Path, hardware: str, suite: Suite | None = None
) -> dict[str, Any]:
    """Measures `models/name` with the detector beside it, keeps the figures in `work`, writes the card."""
    suite = suite or Suite()
    folder = models / name
    figures = evaluate(folder, Detector.load(models / "detector"), suite)
    mean, spread = reconstruction_psnr(AutoencoderKL.from_pretrained(folder / "vae").eval())
    figures |= {"suite": asdict(suite), "vae_psnr": f"{mean:.2f} ± {spread:.2f} dB"}
    write_figures(folder, figures, work / FIGURES_NAME)
    write_card(name, models, work, hardware)
    return figures


def report_detector(models: Path, work: Path, hardware: str) -> dict[str, Any]:
    """Measures the detector on held-out renders and writes its card."""
    detector = Detector.load(models / "detector")
    vae = AutoencoderKL.from_pretrained(models / "mini-sdxl" / "vae").eval()
    figures = {
        "clean": detector_figures(detector, DETECTOR_PICTURES),
        "autoencoded": detector_figures(detector, DETECTOR_PICTURES // 2, vae),
        "distorted": detector_figures(detector, DETECTOR_PICTURES, wavy=True),
    }
    write_figures(models / "detector", figures, work / FIGURES_NAME)
    write_card("detector", models, work, hardware)
    return figures


def write_card(name: str, models: Path, work: Path, hardware: str) -> None:
    """Writes MODEL_CARD.md from the figures kept in `work`. Raises KeyError when there are none."""
    figures = read_figures(work / FIGURES_NAME)[name]
    if name == "detector":
        card = detector_card(figures, work, hardware)
    else:
        card = model_card(name, FAMILIES[name], figures, work, hardware)
    (models / name / "MODEL_CARD.md").write_text(card, encoding="utf-8")
