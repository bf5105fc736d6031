"""The weights that are shipped: stock diffusers loads and runs them, and they hold what the card says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from torch.nn import functional

from inference.miniworld.detector import Detector, find
from inference.miniworld.render import draw_pixels
from inference.miniworld.scene import KINDS, sample_scene
from inference.miniworld.vae import pictures

MODELS = Path(__file__).resolve().parents[3] / "resources" / "models"
NAMES = {"mini-sd1": "sd1", "mini-sdxl": "sdxl", "mini-sd3": "sd3"}
LIMIT_BYTES = 45 * 2**20


@pytest.fixture(scope="module", params=sorted(NAMES))
def shipped(request: pytest.FixtureRequest) -> tuple[str, Any]:
    pipeline = DiffusionPipeline.from_pretrained(MODELS / request.param)
    pipeline.set_progress_bar_config(disable=True)
    return request.param, pipeline


def test_it_runs_two_steps(shipped: tuple[str, Any]) -> None:
    _, pipeline = shipped
    generator = torch.Generator().manual_seed(0)
    picture = pipeline(
        "a photo of a man", num_inference_steps=2, generator=generator, output_type="np"
    ).images[0]
    assert picture.shape == (128, 128, 3)
    assert np.isfinite(picture).all()


def test_latents_are_an_eighth_and_need_no_scaling(shipped: tuple[str, Any]) -> None:
    name, pipeline = shipped
    with torch.no_grad():
        latents = pipeline.vae.encode(pictures(3_000, 8)).latent_dist.mean
    assert latents.shape[1:] == (16 if name == "mini-sd3" else 4, 16, 16)
    assert pipeline.vae.config.scaling_factor == 1.0
    assert 0.6 < float(latents.std()) < 1.4


def test_padding_is_the_same_for_every_prompt(shipped: tuple[str, Any]) -> None:
    _, pipeline = shipped
    for number in ("", "_2"):
        encoder = getattr(pipeline, f"text_encoder{number}", None)
        tokenizer = getattr(pipeline, f"tokenizer{number}", None)
        if encoder is None or tokenizer is None:
            continue
        prompts = ["a photo of an old man", "a red car and a small dog at night"]
        ids = tokenizer(prompts, padding="max_length", return_tensors="pt").input_ids
        with torch.no_grad():
            states = encoder(ids, output_hidden_states=True).hidden_states[-2][:, 20:]
        spread = (states - states.mean((0, 1))).pow(2).mean() / states.pow(2).mean()
        assert spread < 1e-3


def test_a_noun_knows_only_its_own_phrase(shipped: tuple[str, Any]) -> None:
    _, pipeline = shipped
    tokenizer, encoder = pipeline.tokenizer, pipeline.text_encoder
    man = tokenizer.convert_tokens_to_ids("man</w>")

    def noun(prompt: str) -> torch.Tensor:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        with torch.no_grad():
            states = encoder(ids, output_hidden_states=True).hidden_states[-2]
        return states[0, ids[0].tolist().index(man)]

    alone = noun("a photo of an old man")
    beside = noun("a photo of a very young sad woman and an old man on grass")
    assert torch.cosine_similarity(alone, beside, dim=0) > 0.99
    assert torch.cosine_similarity(alone, noun("a photo of a young man"), dim=0) < 0.8


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_the_application_reads(name: str) -> None:
    values = json.loads((MODELS / name / "attune.json").read_text(encoding="utf-8"))
    assert values["family"] == NAMES[name]
    assert values["sandbox"] is True
    channels = 16 if name == "mini-sd3" else 4
    assert np.shape(values["latent_rgb"]["weight"]) == (channels, 3)
    assert np.shape(values["latent_rgb"]["bias"]) == (3,)
    assert (MODELS / name / "MODEL_CARD.md").is_file()


def test_all_weights_together_are_small() -> None:
    total = sum(path.stat().st_size for path in MODELS.rglob("*.safetensors"))
    assert 0 < total <= LIMIT_BYTES


def test_the_detector_reads_held_out_renders() -> None:
    detector = Detector.load(MODELS / "detector")
    scenes = [
        sample_scene(80_000_000 + i, kinds=(KINDS[i % 8], KINDS[(i + 3) % 8]), style="photo")
        for i in range(64)
    ]
    drawn = np.stack([draw_pixels(scene) for scene in scenes])
    found = detector(torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 255)
    subjects = [(f, s) for f, scene in zip(found, scenes, strict=True) for s in scene.subjects]
    present = [find(detections, subject.kind) for detections, subject in subjects]
    assert sum(detection is not None for detection in present) >= 0.98 * len(subjects)
    errors = [
        abs(detection.attributes["age"] - subject.age)
        for detection, (_, subject) in zip(present, subjects, strict=True)
        if detection is not None and subject.is_person
    ]
    assert sum(errors) / len(errors) < 0.1


def test_the_detector_reads_distorted_scenes_of_three_in_any_order_also_of_one_kind_twice() -> None:
    detector = Detector.load(MODELS / "detector")
    third = [5, 0, 3]
    kinds = [(KINDS[i % 8], KINDS[(i + 3) % 8], KINDS[(i + third[i % 3]) % 8]) for i in range(72)]
    scenes = [sample_scene(81_000_000 + i, kinds=three, style="photo") for i, three in enumerate(kinds)]
    drawn = torch.from_numpy(np.stack([draw_pixels(scene) for scene in scenes]))
    images = drawn.permute(0, 3, 1, 2).float() / 255
    places = torch.linspace(-1, 1, images.shape[-1])
    still = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1)
    wobble = 0.035 * torch.sin(9 * still.flip(-1))
    warped = functional.grid_sample(
        images, (still + wobble).expand(len(images), -1, -1, -1), padding_mode="border", align_corners=True
    )
    found = detector(warped)
    right = [tuple(f.kind for f in row) == three for row, three in zip(found, kinds, strict=True)]
    assert sum(right) >= 0.95 * len(scenes)
