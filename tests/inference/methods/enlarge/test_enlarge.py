"""Enlarging: windows that add up, no seams, colours and transparency that stay, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inference.methods.enlarge.enlarge as enlarging
from inference.backbones.base import Backbone
from inference.content import Picture, content_hash
from inference.deltas import DeltaLibrary
from inference.errors import EditorError
from inference.methods.enlarge.windows import OVERLAP, Axis, Windows
from inference.models import Catalogue, ModelEntry
from inference.operations import Enlarge
from inference.progress import Progress, Step
from inference.request import Pixels, Request, Result
from inference.runner import Runner
from inference.sizes import enlarged

MODELS = ["tiny-sd1", "tiny-sdxl", "tiny-sd3"]


@pytest.fixture
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Backbone]) -> Runner:
    def load(entry: ModelEntry, **_options: object) -> Backbone:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    return Runner(
        Catalogue(models / "none", built_in=models), DeltaLibrary((), models), device="cpu", load=load
    )


def run(
    runner: Runner, picture: Pixels, model: str, progress: Progress | None = None, **values: object
) -> Result:
    parameters = Enlarge(image=Picture(content_hash(picture)), **{"steps": 4, "strength": 0.5, **values})  # type: ignore[arg-type]
    request = Request(operation="enlarge", parameters=parameters, model=model)
    return runner.run(request, {content_hash(picture): picture}, progress or Progress())


def photo(height: int = 40, width: int = 56) -> Pixels:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([3 * rows, 4 * columns, 200 - rows - columns], -1).astype(np.uint8)


@given(st.integers(1, 2000), st.integers(2, 300))
def test_windows_cover_a_line_overlap_and_add_up(length: int, size: int) -> None:
    axis = Axis.covering(length, size)
    total = np.zeros(length)
    for start, share in zip(axis.starts, axis.shares(), strict=True):
        assert len(share) == axis.size <= size
        total[start : start + axis.size] += share
    np.testing.assert_allclose(total, 1, atol=1e-5)
    steps = np.diff(axis.starts)
    assert (steps <= axis.size - min(round(OVERLAP * axis.size), axis.size - 1) + 1).all()


def test_a_window_counts_little_where_another_begins() -> None:
    axis = Axis.covering(200, 64)
    for share, last in zip(axis.shares(), (False, False, True), strict=False):
        assert share[-1] < 0.05 or last or axis.starts[-1] == axis.starts[0]


BAND = 18  # pixels on each side of a border whose means are compared


def seams(found: Pixels, windows: Windows) -> tuple[float, float]:
    """The mean step of colours at the borders of tiles, and that at any place of the same picture."""
    at_borders: list[float] = []
    anywhere: list[float] = []
    for axis, values in ((windows.across, found.mean(0)), (windows.down, found.mean(1))):
        borders = {at for start in axis.starts for at in (start, start + axis.size)}
        for at in range(BAND, axis.length - BAND + 1):
            step = np.abs(values[at - BAND : at].mean(0) - values[at : at + BAND].mean(0)).max()
            anywhere.append(float(step))
            if at in borders:
                at_borders.append(float(step))
    assert len(at_borders) >= 5
    return float(np.mean(at_borders)), float(np.mean(anywhere))


def flat(runner: Runner, model: str) -> tuple[Pixels, Windows]:
    picture = np.full((56, 72, 3), (140, 90, 60), np.uint8)
    found = run(runner, picture, model, strength=0.25).images[0]
    assert (found != picture[0, 0]).any()
    tile = runner.backbone(model, Progress()).defaults.width
    return found, Windows.covering(112, 144, (tile, tile))


@pytest.mark.parametrize("model", MODELS)
def test_flat_ground_has_no_seams(model: str, runner: Runner) -> None:
    """At the borders of tiles colours step by less than 1/255 more than elsewhere, with any network.

    One that was not trained draws noise all over, whose means differ from place to place.
    """
    at_borders, anywhere = seams(*flat(runner, model))
    assert at_borders - anywhere < 1


def test_seams_would_be_seen(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above measures is there when tiles keep their own colours and lie side by side."""
    monkeypatch.setattr(enlarging, "_with_colours_of", lambda _seen, drawn, _areas: drawn.astype(np.float32))
    monkeypatch.setattr(Axis, "shares", _hard)
    at_borders, anywhere = seams(*flat(runner, "tiny-sd1"))
    assert at_borders - anywhere > 1


def _hard(axis: Axis) -> list[np.ndarray]:
    """Each place is of the first window alone that covers it."""
    taken, found = np.zeros(axis.length, bool), []
    for start in axis.starts:
        place = slice(start, start + axis.size)
        found.append((~taken[place]).astype(np.float32))
        taken[place] = True
    return found


def test_reduced_again_it_is_nearly_the_picture(runner: Runner) -> None:
    """Whatever a network draws: only what is finer than the picture was is its own."""
    picture = photo()
    found = run(runner, picture, "tiny-sd1", factor=2.0, strength=0.5).images[0]
    areas = [one.reshape(10, 4, 14, 4, 3).mean((1, 3)) for one in (picture.astype(float), reduced(found))]
    assert np.abs(areas[0] - areas[1]).mean() < 4


def reduced(found: Pixels) -> np.ndarray:
    height, width = found.shape[:2]
    return found.reshape(height // 2, 2, width // 2, 2, 3).astype(float).mean((1, 3))


def test_strength_nought_is_the_resampled_picture_and_more_is_not(runner: Runner) -> None:
    picture = photo()
    plain = run(runner, picture, "tiny-sd1", strength=0.0, factor=3.0).images[0]
    assert np.array_equal(plain, enlarged(picture, 3.0))
    drawn = run(runner, picture, "tiny-sd1", factor=3.0).images[0]
    assert drawn.shape == plain.shape
    assert (drawn != plain).any()


@pytest.mark.parametrize(("height", "width", "factor"), [(5, 7, 1.0), (33, 21, 1.5), (6, 70, 4.0)])
def test_any_size_and_factor(height: int, width: int, factor: float, runner: Runner) -> None:
    found = run(runner, photo(height, width), "tiny-sd3", factor=factor).images[0]
    assert found.shape == (round(height * factor), round(width * factor), 3)


def test_transparency_is_enlarged_and_nothing_dark_comes_from_it(runner: Runner) -> None:
    alpha = np.zeros((40, 56), np.uint8)
    alpha[8:32, 8:48] = 255
    picture = np.dstack([np.full((40, 56, 3), 200, np.uint8) * (alpha[..., None] > 0), alpha])
    found = run(runner, picture, "tiny-sd1").images[0]
    assert np.array_equal(found[..., 3], enlarged(picture, 2.0)[..., 3])
    # the hard edge is at 16: with black around, the mean there would be half as bright
    edge = found[20:60, 18:26, :3]
    assert abs(edge.mean() - 200) < 20


def test_each_tile_is_reported_and_a_wordless_one_is_evaluated_once(runner: Runner) -> None:
    seen: list[Step] = []
    result = run(runner, photo(), "tiny-sd1", Progress(seen.append), strength=0.5)
    done = [step.done for step in seen if step.total > 4]
    assert done == list(range(1, seen[-1].total + 1))
    tiles = seen[-1].total // 4  # encoded, two steps, decoded
    assert tiles > 1
    assert result.measured.denoiser_evaluations == 2 * tiles
    guided = run(runner, photo(), "tiny-sd1", prompt="a cat", guidance_scale=3.0)
    assert guided.measured.denoiser_evaluations == 4 * tiles


def test_what_cannot_be_enlarged_is_refused(runner: Runner) -> None:
    with pytest.raises(EditorError, match="fully transparent"):
        run(runner, np.zeros((8, 8, 4), np.uint8), "tiny-sd1")
    with pytest.raises(EditorError, match="16000 × 16000"):
        run(runner, np.zeros((4000, 4000, 3), np.uint8), "tiny-sd1", factor=4.0)
