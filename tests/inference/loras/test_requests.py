"""LoRAs in requests: another strength is another picture, none is kept for another, none is lost in files."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.content import Picture, content_hash
from inference.deltas import DeltaLibrary
from inference.disk_cache import DiskCache
from inference.errors import EditorError
from inference.loras.library import ListedLora, LoraLibrary
from inference.models import Catalogue
from inference.operations import OPERATIONS, Family, LoraUse, SamplingParameters
from inference.progress import Progress
from inference.request import Request, Result
from inference.runner import Runner
from tests.helpers import lora_files

MODEL = "tiny-sd1"
PROMPT = "a photo of a man"


@pytest.fixture(scope="module")
def listed(
    tiny_backbones: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[LoraLibrary, ListedLora]:
    folder = tmp_path_factory.mktemp("loras")
    networks = SimpleNamespace(unet=tiny_backbones[MODEL].parts.denoiser)
    lora_files.save_kohya(lora_files.random_layers(networks, size=0.2), folder / "grain.safetensors")
    library = LoraLibrary(folder)
    return library, library.add(folder / "grain.safetensors")[0]


@pytest.fixture(scope="module")
def runner(
    listed: tuple[LoraLibrary, ListedLora],
    tiny_folders: dict[str, Path],
    tiny_backbones: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Runner:
    catalogue = Catalogue(Path("unused"), built_in=tiny_folders[MODEL].parent)
    return Runner(
        catalogue,
        DeltaLibrary([]),
        device="cpu",
        load=lambda entry, **how: tiny_backbones[entry.name],
        loras=listed[0],
        kept=DiskCache(tmp_path_factory.mktemp("kept")),
    )


def request(operation: str, *loras: LoraUse, model: str = MODEL, **values: Any) -> Request:
    kind = OPERATIONS[operation].parameters
    values = {"prompt": PROMPT, "steps": 2, "guidance_scale": 2.0} | values
    return Request(operation=operation, parameters=kind(**values, loras=loras), model=model)


def test_a_strength_decides_the_picture_and_what_is_kept_of_it(
    runner: Runner, listed: tuple[LoraLibrary, ListedLora]
) -> None:
    entry = listed[1]

    def run(*loras: LoraUse) -> Result:
        return runner.run(request("generate", *loras), {}, Progress())

    plain, half, full = run(), run(entry.at(0.5)), run(entry.at(1.0))
    assert not any(one.cached for one in (plain, half, full))
    pictures = [one.images[0].tobytes() for one in (plain, half, full)]
    assert len(set(pictures)) == 3
    assert run(entry.at(0.5)).cached
    assert run(entry.at(0.0)).images[0].tobytes() == pictures[0]
    runner.forget()
    assert run().images[0].tobytes() == pictures[0]
    assert run(entry.at(0.5)).images[0].tobytes() == pictures[1]
    assert plain.request.model_hash == half.request.model_hash  # the model's own
    again = Request.from_json(half.request.to_json())
    assert again == half.request
    assert runner.run(again, {}, Progress()).images[0].tobytes() == pictures[1]


@pytest.mark.parametrize("operation", ["redraw", "translate", "fill", "insert"])
def test_every_edit_of_a_picture_takes_them(
    operation: str, runner: Runner, listed: tuple[LoraLibrary, ListedLora]
) -> None:
    """What was inverted or encoded without a LoRA, in memory or on disk, is none of a run with it."""
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    pixels.setflags(write=False)
    contents = {content_hash(pixels): pixels}
    values = {**OPERATIONS[operation].effective, "image": Picture(content_hash(pixels))}
    if operation == "insert":
        values["source_prompt"] = "a photo of a woman"

    def run(*loras: LoraUse) -> bytes:
        return runner.run(request(operation, *loras, **values), contents, Progress()).images[0].tobytes()

    first = run(listed[1].at(0.8))
    runner.forget()
    plain = run()
    assert run(listed[1].at(0.8)) == first
    assert first != plain


def test_what_is_missing_twice_or_of_another_family_is_refused_before_anything_is_loaded(
    runner: Runner, listed: tuple[LoraLibrary, ListedLora]
) -> None:
    entry, gone = listed[1], LoraUse(name="gone", hash="f" * 64, strength=1.0)
    for asked, words in (
        (request("generate", gone), "“gone” (ffffffffffff), which this was made with, is not among yours"),
        (request("generate", entry.at(1), entry.at(0.5)), "“grain” is named twice"),
        (request("generate", entry.at(1), model="tiny-sdxl"), "“grain” is for SD1, and tiny-sdxl is SDXL"),
    ):
        with pytest.raises(EditorError) as caught:
            runner.run(asked, {}, Progress())
        assert words in str(caught.value)
    without = Runner(Catalogue(Path("unused")), DeltaLibrary([]))
    with pytest.raises(EditorError, match="no LoRAs here"):
        without.run(request("generate", entry.at(1), model="mini-sd1"), {}, Progress())


def test_all_operations_that_sample_declare_them() -> None:
    for operation in OPERATIONS.values():
        if issubclass(operation.parameters, SamplingParameters):
            assert "loras" in {item.name for item in operation.parameters.declared()}
    assert Family.SD1 in OPERATIONS["generate"].families


@pytest.mark.parametrize(
    "bad", [{"strength": 4.1}, {"strength": float("nan")}, {"hash": 3}, {"name": "x" * 201}]
)
def test_values_out_of_files_are_checked(bad: dict[str, Any]) -> None:
    values = request("generate", LoraUse(name="a", hash="0" * 64, strength=1.0)).to_json()
    values["parameters"]["loras"][0].update(bad)
    with pytest.raises(EditorError):
        Request.from_json(values)
