"""A request is completed until it alone decides the result: defaults, sizes, deltas by content."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.content import Mask, Picture, content_hash
from inference.deltas import Delta, DeltaInfo, DeltaLibrary, write_delta
from inference.errors import EditorError
from inference.filling import model_defaults, source
from inference.inputs import Inputs
from inference.models import Catalogue, ModelEntry
from inference.operations import OPERATIONS, Attribute, Redraw, SubjectEdit, Translate
from inference.progress import Progress
from inference.request import Request, Result
from inference.runner import Runner

OLDER = SubjectEdit(start=2, end=5, attribute="age", value=1.5)


@pytest.fixture
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any], tmp_path: Path) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    return Runner(catalogue, DeltaLibrary((tmp_path / "deltas",)), device="cpu", load=load)


def write(folder: Path, backbone: Any, seed: int, **more: Any) -> None:
    """A delta "age" of men for the tiny model; another one for each seed."""
    generator = np.random.default_rng(seed)
    widths = dict(backbone.token_widths)
    vectors = {name: generator.normal(size=width).astype(np.float32) for name, width in widths.items()}
    info = DeltaInfo(
        key="person-age",
        attribute="age",
        label="Age",
        subjects=("man",),
        model=backbone.name,
        widths=widths,
        **more,
    )
    folder.mkdir(exist_ok=True)
    write_delta(Delta(info=info, vectors=vectors), folder / "person-age.safetensors")


def attribute(runner: Runner, contents: dict[str, Any] | None = None, edit: SubjectEdit = OLDER) -> Result:
    parameters = Attribute(prompt="a man", steps=2, seed=1, edits=(edit,), delay=0.0)
    request = Request(operation="attribute", parameters=parameters, model="tiny-sd1")
    return runner.run(request, contents or {}, Progress())


def test_a_replaced_delta_gives_another_picture(
    runner: Runner, tiny_backbones: dict[str, Any], tmp_path: Path
) -> None:
    write(tmp_path / "deltas", tiny_backbones["tiny-sd1"], seed=1)
    first, again = attribute(runner), attribute(runner)
    assert again.cached
    write(tmp_path / "deltas", tiny_backbones["tiny-sd1"], seed=2)
    other = attribute(runner)
    assert not other.cached
    assert other.images[0].tobytes() != first.images[0].tobytes()


def test_a_recipe_gives_its_picture_again_whatever_became_of_the_library(
    runner: Runner, tiny_backbones: dict[str, Any], tmp_path: Path
) -> None:
    write(tmp_path / "deltas", tiny_backbones["tiny-sd1"], seed=1)
    first = attribute(runner)
    pinned = first.request.parameters.edits[0]  # type: ignore[attr-defined]
    assert set(first.contents) == {pinned.delta.hash}
    write(tmp_path / "deltas", tiny_backbones["tiny-sd1"], seed=2)
    runner.forget()
    again = attribute(runner, dict(first.contents), pinned)
    np.testing.assert_array_equal(again.images[0], first.images[0])
    assert again.notes == ()
    # without the bytes the library's is taken, and it is said
    other = attribute(runner, None, pinned)
    assert other.images[0].tobytes() != first.images[0].tobytes()
    assert any("another one" in str(note) for note in other.notes)


def test_capitals_of_an_attribute_are_the_library_s(
    runner: Runner, tiny_backbones: dict[str, Any], tmp_path: Path
) -> None:
    """“Age” of the terminal stood beside “age” in the window, and both moved the man."""
    write(tmp_path / "deltas", tiny_backbones["tiny-sd1"], seed=1)
    result = attribute(runner, edit=replace(OLDER, attribute="AGE"))
    assert result.request.parameters.edits[0].attribute == "age"  # type: ignore[attr-defined]


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (0.0, 10.0)])
def test_a_pinned_delta_has_the_ends_of_its_slider(
    runner: Runner,
    tiny_backbones: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ends: tuple[float, float],
) -> None:
    """Edits that begin where a picture stands count from them: a layer made again was another picture."""
    write(tmp_path / "deltas", tiny_backbones["tiny-sd1"], seed=1, range=ends)
    seen: list[tuple[float, float]] = []
    found = Inputs.deltas_of

    def watched(inputs: Inputs, edits: Sequence[SubjectEdit]) -> tuple[Delta, ...]:
        seen.extend(one.info.range for one in found(inputs, edits))
        return found(inputs, edits)

    monkeypatch.setattr(Inputs, "deltas_of", watched)
    first = attribute(runner)
    pinned = first.request.parameters.edits[0]  # type: ignore[attr-defined]
    runner.forget()
    attribute(runner, dict(first.contents), pinned)
    assert set(seen) == {ends}
    write(tmp_path / "deltas", tiny_backbones["tiny-sd1"], seed=2, range=ends)
    runner.forget()
    attribute(runner, dict(first.contents), pinned)
    assert seen[-1] == (-2.0, 2.0), "what the library has now is another one"


def redraw(runner: Runner, pixels: Any, mask: Any = None, **values: Any) -> Result:
    contents = {content_hash(pixels): pixels}
    if mask is not None:
        contents[content_hash(mask)] = mask
        values["mask"] = Mask(content_hash(mask))
    parameters = Redraw(image=Picture(content_hash(pixels)), prompt="a man", steps=4, seed=1, **values)
    return runner.run(
        Request(operation="redraw", parameters=parameters, model="tiny-sd1"), contents, Progress()
    )


@pytest.mark.parametrize("size", [(160, 120), (121, 163), (9, 300), (640, 480)])
def test_the_result_is_as_large_as_its_picture(runner: Runner, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    result = redraw(runner, pixels, strength=0.5)
    assert result.images[0].shape == pixels.shape
    used = result.request.parameters
    assert used.width % 8 == used.height % 8 == 0  # type: ignore[attr-defined]
    ratio = (used.width / used.height) / (size[0] / size[1])  # type: ignore[attr-defined]
    if min(size) > 64:
        assert ratio == pytest.approx(1, rel=0.12)


def test_outside_the_mask_every_byte_stays(runner: Runner) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 56, 4), np.uint8)
    mask = np.zeros((40, 56), np.uint8)
    mask[10:30, 20:50] = 255
    changed = redraw(runner, pixels, mask, strength=1.0).images[0]
    np.testing.assert_array_equal(changed[mask == 0], pixels[mask == 0])
    np.testing.assert_array_equal(changed[..., 3], pixels[..., 3])
    assert (changed[mask == 255] != pixels[mask == 255]).any()


def test_more_strength_goes_further_from_the_picture(runner: Runner) -> None:
    pixels = np.full((32, 32, 3), 128, np.uint8)
    steps = [redraw(runner, pixels, strength=share).measured for share in (0.0, 0.25, 0.5, 1.0)]
    assert [one.denoiser_evaluations for one in steps] == [0, 2, 4, 8]


def test_what_a_request_names_has_to_be_there(runner: Runner) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    parameters = Redraw(image=Picture(content_hash(pixels)), prompt="a man")
    request = Request(operation="redraw", parameters=parameters, model="tiny-sd1")
    with pytest.raises(EditorError, match="lacks what belongs to it"):
        runner.run(request, {}, Progress())
    with pytest.raises(EditorError, match="not what the request names"):
        runner.run(request, {content_hash(pixels): pixels + 1}, Progress())


@pytest.mark.parametrize("blob", [b"bytes", np.zeros((16, 16), np.uint8), np.zeros((16, 16, 2), np.uint8)])
def test_what_a_request_names_has_to_be_of_its_kind(blob: Any, runner: Runner) -> None:
    """Projects from elsewhere keep anything by its right hash."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    contents = {content_hash(one): one for one in (blob, pixels)}
    image, other = Picture(content_hash(pixels)), content_hash(blob)
    wrong = [Redraw(image=Picture(other), prompt="a man")]
    if not (isinstance(blob, np.ndarray) and blob.ndim == 2):
        wrong.append(Redraw(image=image, mask=Mask(other), prompt="a man"))
    for parameters in wrong:
        with pytest.raises(EditorError, match="not what the request names"):
            runner.run(
                Request(operation="redraw", parameters=parameters, model="tiny-sd1"), contents, Progress()
            )


def test_other_pictures_are_other_results(runner: Runner) -> None:
    pictures = [np.full((32, 32, 3), shade, np.uint8) for shade in (20, 220)]
    first, second = (redraw(runner, pixels, strength=0.5) for pixels in pictures)
    assert not second.cached
    assert first.images[0].tobytes() != second.images[0].tobytes()
    assert redraw(runner, pictures[0], strength=0.5).cached


def test_requests_survive_json_with_their_contents() -> None:
    edit = replace(OLDER, delta=None)
    request = Request(operation="redraw", parameters=Redraw(image=Picture("a" * 64), prompt="x"), model="m")
    assert Request.from_json(request.to_json()) == request
    assert request.to_json()["parameters"]["image"] == "a" * 64
    with pytest.raises(EditorError):
        Redraw(image="a" * 64, prompt=3)  # type: ignore[arg-type]
    assert edit.delta is None


@pytest.mark.parametrize("size", [(24, 40), (64, 64), (400, 300)])
def test_what_is_seen_is_what_a_translation_sees(
    size: tuple[int, int], tiny_backbones: dict[str, Any]
) -> None:
    pixels = np.zeros((*size, 3), np.uint8)
    name, found = content_hash(pixels), []
    for operation in (OPERATIONS["see"], OPERATIONS["translate"]):
        backbone = tiny_backbones["tiny-sd1"]
        filling: Any = SimpleNamespace(contents={name: pixels}, backbone=backbone, operation=operation)
        kind: Any = operation.parameters
        given: Any = kind(image=Picture(name), prompt="a cat")
        completed: Any = model_defaults(given, filling)
        found.append((completed.width, completed.height))
    assert found[0] == found[1]


def test_a_plain_picture_has_no_structure_but_can_be_redrawn(tiny_backbones: dict[str, Any]) -> None:
    plain = np.full((64, 64, 3), 90, np.uint8)
    name = content_hash(plain)
    filling: Any = SimpleNamespace(contents={name: plain}, backbone=tiny_backbones["tiny-sd1"])
    for way in ("plug-and-play", "no-inversion", "one-copy"):
        parameters = Translate(image=Picture(name), prompt="a cat", way=way)
        with pytest.raises(EditorError, match="of one colour"):
            source(parameters, filling)
    redrawn = Translate(image=Picture(name), prompt="a cat", way="redraw")
    assert source(redrawn, filling) is redrawn
