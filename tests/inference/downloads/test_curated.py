"""The short list: what people call its models, and which one to begin with."""

from pathlib import Path

import pytest
from huggingface_hub import constants

from inference.downloads.curated import RECOMMENDED, is_here, suggested, title_of

GB = 10**9


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("stabilityai/stable-diffusion-xl-base-1.0", "Stable Diffusion XL 1.0"),
        ("stabilityai/stable-diffusion-xl-base-1.0-2", "Stable Diffusion XL 1.0 (2)"),
        ("stabilityai/stable-diffusion-xl-base-1.0-turbo", "stabilityai/stable-diffusion-xl-base-1.0-turbo"),
        ("someone/else", "someone/else"),
        ("mini-sdxl", "mini-sdxl"),
        ("", ""),
    ],
)
def test_a_models_title(name: str, title: str) -> None:
    assert title_of(name) == title


@pytest.mark.parametrize("memory", [0, 2 * GB, 16 * GB, 10**12])
def test_the_first_that_fits_is_suggested_and_never_a_gated_one(memory: int) -> None:
    found = suggested(memory)
    assert found is not None
    assert not found.gated
    smallest = min(one.memory_bytes for one in RECOMMENDED)
    assert found.memory_bytes <= max(memory, smallest)


def test_of_large_ones_the_first_that_fits_or_the_smallest() -> None:
    large = [one for one in RECOMMENDED if one.picture > 512 or one.memory_bytes > 5 * GB]
    names = [one.title for one in large]
    assert names[:3] == ["Stable Diffusion XL 1.0", "RealVisXL 5", "SDXL Turbo"]
    assert suggested(12 * GB, large) is large[0]
    assert suggested(9 * GB, large) is large[2]
    assert suggested(1 * GB, large) is large[2]
    assert suggested(12 * GB, [one for one in large if one.gated]) is None


def test_only_what_is_complete_is_here(
    tmp_path: Path, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    offer = RECOMMENDED[0]
    assert not is_here(offer)
    home = tmp_path / f"models--{offer.hub_id.replace('/', '--')}"
    snapshot = home / "snapshots" / ("0" * 40)
    snapshot.parent.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("0" * 40)
    snapshot.symlink_to(tiny_folders["tiny-sd1"])
    assert is_here(offer)
    snapshot.unlink()
    snapshot.mkdir()
    (snapshot / "model_index.json").write_bytes((tiny_folders["tiny-sd1"] / "model_index.json").read_bytes())
    assert not is_here(offer)
