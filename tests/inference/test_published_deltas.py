"""Published SDXL deltas on models whose text encoders are as wide as the real ones: SDXL, and SD1's part."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.deltas import DeltaLibrary
from inference.models import Catalogue
from inference.operations import Attribute, SubjectEdit
from inference.progress import Progress
from inference.request import Request
from inference.runner import Runner
from tests.helpers.tiny_models import SD1_SCHEDULER, SDXL_SCHEDULER, sd1_pipeline, sdxl_pipeline

REAL_L, REAL_G = 768, 1280
PROMPT, MAN = "a photo of a man", (13, 16)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("real-widths")
    for name, pipeline, scheduler in (
        ("wide-sdxl", sdxl_pipeline(REAL_L, REAL_G), SDXL_SCHEDULER),
        ("wide-sd1", sd1_pipeline(REAL_L), SD1_SCHEDULER),
    ):
        pipeline.to(torch.float16).save_pretrained(folder / name)
        (folder / name / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    return folder


@pytest.fixture
def library(tmp_path: Path) -> DeltaLibrary:
    """With a file such as the authors publish: a pickled dictionary of two tensors."""
    generator = torch.Generator().manual_seed(3)
    tensors = {
        "tokenwise_delta.oai_clip_vit_l": torch.randn(REAL_L, generator=generator),
        "tokenwise_delta.openclip_g": torch.randn(REAL_G, generator=generator),
    }
    path = tmp_path / "person_age.pt"
    torch.save(tensors, path)
    library = DeltaLibrary((tmp_path / "mine",))
    library.import_delta(path)
    return library


@pytest.mark.parametrize("name", ["wide-sdxl", "wide-sd1"])
def test_it_moves_the_subject(name: str, models: Path, library: DeltaLibrary) -> None:
    runner = Runner(Catalogue(models / "settings", built_in=models), library, device="cpu", dtype="float32")

    def picture(value: float) -> Any:
        edit = SubjectEdit(start=MAN[0], end=MAN[1], attribute="age", value=value)
        parameters = Attribute(
            prompt=PROMPT, edits=(edit,), steps=3, guidance_scale=3.0, only_subject=False, seed=1
        )
        request = Request(operation="attribute", parameters=parameters, model=name)
        return runner.run(request, {}, Progress())

    plain, older = picture(0.0), picture(4.0)
    assert not np.array_equal(plain.images[0], older.images[0])
    used = runner.backbone(name, Progress()).token_widths
    (info,) = library.list(Catalogue(models / "settings", built_in=models).locate(name))
    assert info.widths == {"clip_l": REAL_L, "clip_g": REAL_G}
    assert set(used) <= set(info.widths)
