"""One resumable command per model: which part needs which, where each is kept, and what is written at the
end.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from diffusers import AutoencoderKL, SD3Transformer2DModel, UNet2DConditionModel
from torch import nn

from .conditioning import ENCODERS, Family, TextSource
from .denoisers import PLANS, new_denoiser, train_denoiser
from .export import MODEL_NAMES, export, make_readable
from .fitting import Budget, Fit, lane
from .latents import cache_latents
from .samples import sample_sheet
from .text_encoders import EncoderName, encoder_figures, new_encoder, train_encoder
from .vae import polish_decoder, reconstruction_psnr, train_vae, widen

PICTURES: Final = 24_000
# Minutes of one core each, as the shipped models had; `all` runs two parts at a time.
DEFAULT_MINUTES: Final[Mapping[str, float]] = {
    "vae4": 22,
    "vae16": 20,
    "text": 13,
    "detector": 27,
    "decoder4": 5,
    "decoder16": 5,
    "mini-sdxl": 56,
    "mini-sd1": 163,
    "mini-sd3": 130,
}
TEXT_SHARES: Final[dict[EncoderName, float]] = {"clip_l": 0.27, "clip_g": 0.25, "t5": 0.48}
# where finished parts are found when the workshop has none
SHIPPED_VAES: Final[dict[int, str]] = {4: "mini-sdxl", 16: "mini-sd3"}
SHIPPED_ENCODERS: Final[dict[EncoderName, str]] = {
    "clip_l": "text_encoder",
    "clip_g": "text_encoder_2",
    "t5": "text_encoder_3",
}
FAMILIES: Final[dict[str, Family]] = {name: family for family, name in MODEL_NAMES.items()}
PARTS: Final = tuple(DEFAULT_MINUTES)


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where training keeps its state (`work`) and puts finished models (`models`); `minutes` overrides a
    budget.
    """

    work: Path
    models: Path
    minutes: float | None = None
    steps: int | None = None
    pictures: int = PICTURES
    goes_on: bool = False  # from the finished denoiser or autoencoder instead of an untrained one
    report: Callable[[str], None] = print

    def budget(self, part: str, share: float = 1.0) -> Budget:
        minutes = (self.minutes or DEFAULT_MINUTES[part]) * share
        return Budget(minutes=minutes, steps=self.steps or 10**9)


def train(part: str, shop: Workshop) -> None:
    """Trains `part` and whatever it needs that is not there yet. Raises ValueError for an unknown part."""
    if part in FAMILIES:
        train_model(FAMILIES[part], shop)
    elif part in ("vae4", "vae16"):
        channels = int(part.removeprefix("vae"))
        if shop.goes_on:
            widen_vae(channels, shop)
        else:
            get_vae(channels, shop, retrain=True)
    elif part in ("decoder4", "decoder16"):
        improve_decoder(int(part.removeprefix("decoder")), shop)
    elif part == "text":
        for name in TEXT_SHARES:
            get_encoder(name, shop, retrain=True)
    elif part == "detector":
        from .detector_training import train_and_export

        vae = get_vae(4, shop)
        train_and_export(shop.work, shop.models / "detector", shop.budget("detector"), vae=vae)
    else:
        raise ValueError(f"unknown part {part!r}; there are {', '.join(PARTS)} and all")


def train_model(family: Family, shop: Workshop) -> None:
    """Trains the denoiser of `family` and writes its folder; snapshots are written while it trains."""
    channels = 16 if family == "sd3" else 4
    vae = get_vae(channels, shop)
    encoders: dict[EncoderName, nn.Module] = {name: get_encoder(name, shop) for name in ENCODERS[family]}
    folder = shop.work / f"mixed{channels}"
    cached = cache_latents(vae, "latents", folder, shop.pictures)
    name = MODEL_NAMES[family]

    def snapshot(run: Fit) -> None:
        write_model(family, run.ema, vae, encoders, shop.models / name)
        sheet = shop.work / "sheets" / f"{name}-{run.step:06d}.png"
        sample_sheet(shop.models / name, sheet)
        shop.report(f"{name}: step {run.step}, {run.seconds / 60:.1f} min, {sheet}")

    text = TextSource(family, encoders, PLANS[family].unseen_share)
    model = finished_denoiser(family, shop.models / name) if shop.goes_on else None
    train_denoiser(
        family,
        cached,
        text,
        shop.work,
        shop.budget(name),
        model=model,
        goes_on=shop.goes_on,
        snapshot=snapshot,
    )


def finished_denoiser(family: Family, folder: Path) -> UNet2DConditionModel | SD3Transformer2DModel:
    """The denoiser of a finished model, to be trained further."""
    if family == "sd3":
        found = SD3Transformer2DModel.from_pretrained(folder / "transformer")
    else:
        found = UNet2DConditionModel.from_pretrained(folder / "unet")
    fresh = new_denoiser(family)  # whose configuration names no folder
    fresh.load_state_dict(found.float().state_dict())
    return fresh


def improve_decoder(channels: int, shop: Workshop) -> None:
    """Trains the decoder of a finished autoencoder further and puts it into the finished models."""
    vae = get_vae(channels, shop)
    before = reconstruction_psnr(vae)
    folder = shop.work / f"mixed{channels}"
    latents = cache_latents(vae, "latents", folder, shop.pictures).latents
    name = f"decoder{channels}"
    vae = polish_decoder(vae, name, latents, shop.work, shop.budget(name))
    if lane():
        return
    after = reconstruction_psnr(vae)
    shop.report(f"vae{channels}: PSNR {before[0]:.2f} to {after[0]:.2f} ± {after[1]:.2f} dB")
    vae.save_pretrained(shop.work / f"vae{channels}")
    for model, family in FAMILIES.items():
        finished = shop.models / model / "vae"
        if (family == "sd3") == (channels == 16) and finished.is_dir():
            copy.deepcopy(vae).half().save_pretrained(finished)
            make_readable(finished)


def widen_vae(channels: int, shop: Workshop) -> None:
    """Trains a shipped autoencoder on colours between named ones, and puts it into the model that it is
    shipped with; that model's denoiser has to be trained further then (`train MODEL --go-on`).
    """
    finished = shop.models / SHIPPED_VAES[channels] / "vae"
    vae = AutoencoderKL.from_pretrained(finished).float()
    before = reconstruction_psnr(vae)
    name = f"wide{channels}"
    vae = widen(vae, name, shop.work, shop.budget(f"vae{channels}"))
    if lane():
        return
    after = reconstruction_psnr(vae)
    shop.report(f"{name}: PSNR {before[0]:.2f} to {after[0]:.2f} ± {after[1]:.2f} dB")
    vae.save_pretrained(shop.work / f"vae{channels}")
    shutil.rmtree(shop.work / f"mixed{channels}", ignore_errors=True)  # latents of the earlier one
    vae.half().save_pretrained(finished)
    make_readable(finished)


def write_model(
    family: Family,
    denoiser: nn.Module,
    vae: AutoencoderKL,
    encoders: Mapping[EncoderName, nn.Module],
    folder: Path,
) -> None:
    """Writes beside the final place and swaps, so that a reader never sees half a model; the card stays."""
    fresh, old = folder.with_name(f".{folder.name}-new"), folder.with_name(f".{folder.name}-old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    export(family, denoiser, vae, dict(encoders), fresh)
    card = folder / "MODEL_CARD.md"
    if card.is_file():
        shutil.copy(card, fresh)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def get_vae(channels: int, shop: Workshop, *, retrain: bool = False) -> AutoencoderKL:
    """The finished autoencoder: the workshop's, else the shipped one, else trained first.

    `retrain` goes on with more time.
    """
    folder = shop.work / f"vae{channels}"
    shipped = shop.models / SHIPPED_VAES[channels] / "vae"
    if not folder.is_dir() and shipped.is_dir() and not retrain:
        return AutoencoderKL.from_pretrained(shipped).eval()
    if not folder.is_dir() or retrain:
        start = get_vae(4, shop) if channels != 4 else None
        vae = train_vae(channels, shop.work, shop.budget(folder.name), start_from=start)
        shop.report(f"vae{channels}: PSNR %.2f ± %.2f dB" % reconstruction_psnr(vae))
        vae.save_pretrained(folder)
    return AutoencoderKL.from_pretrained(folder).eval()


def get_encoder(name: EncoderName, shop: Workshop, *, retrain: bool = False) -> nn.Module:
    """The finished text encoder: the workshop's, else the shipped one, else trained first."""
    path = shop.work / f"{name}.weights.pt"
    shipped = shop.models / "mini-sd3" / SHIPPED_ENCODERS[name]
    if not path.is_file() and shipped.is_dir() and not retrain:
        return type(new_encoder(name)).from_pretrained(shipped).float().eval().requires_grad_(False)
    if not path.is_file() or retrain:
        model = train_encoder(name, shop.work, shop.budget("text", TEXT_SHARES[name])).eval()
        shop.report(f"{name}: relative errors {encoder_figures(name, model)}")
        torch.save(model.state_dict(), path)
    model = new_encoder(name)
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval().requires_grad_(False)
