from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor.actions.forms import FORMS, CanvasSize, Distance, ImageSize, Rotation
from editor.pixels.raster import Area
from inference.errors import EditorError
from tests.editor.controllers.receivers import Bench
from tests.editor.edits.trees import mask, tree


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[Bench]:
    made = Bench(tree(selection=mask(5)), tmp_path, qtbot)
    yield made
    made.close()


def test_the_whole_picture_changes_step_by_step(bench: Bench) -> None:
    image = bench.application.image
    image.rotate("1")
    image.flip("down")
    image.crop(Area(1, 1, 7, 9))
    image.convert_profile("display-p3")
    image.assign_profile("srgb")
    image.straighten(2.0)
    bench.settle()
    image.reveal_all()
    image.trim()
    assert bench.steps() == [
        "Rotate picture", "Flip picture", "Crop", "Convert to Display P3", "Assign sRGB",
        "Rotate picture by 2.0°", "Show all of every layer", "Trim to what shows",
    ]  # fmt: skip
    bench.application.image.crop_to_selection()
    bench.settle()
    while bench.document.undo_stack.canUndo():
        bench.application.undo()
    assert (bench.state.width, bench.state.height) == (13, 9)


def test_forms_do_what_they_say(bench: Bench) -> None:
    FORMS["image-size"].apply(bench.application, ImageSize(width=26, height=18, dpi=300.0))
    bench.settle()
    assert (bench.state.width, bench.state.height, bench.state.dpi) == (26, 18, (300.0, 300.0))
    FORMS["canvas-size"].apply(bench.application, CanvasSize(width=30, height=30, anchor="top-left"))
    assert (bench.state.width, bench.state.height) == (30, 30)
    FORMS["rotation"].apply(bench.application, Rotation(degrees=3.0, crop=False))
    bench.settle()
    for name in ("grow", "feather", "smooth", "shrink", "border"):
        FORMS[name].apply(bench.application, Distance(radius=2.0))
        bench.settle()
    assert bench.told == []
    assert len(bench.steps()) == 8


def test_the_size_keeps_its_proportions_if_it_shall() -> None:
    form, state = FORMS["image-size"], tree()
    start = form.initial(state)
    wide = form.follow(state, start, ImageSize(width=130, height=9))
    assert (wide.width, wide.height) == (130, 90)
    high = form.follow(state, wide, ImageSize(width=130, height=18))
    assert (high.width, high.height) == (26, 18)
    free = form.follow(state, wide, ImageSize(width=130, height=18, linked=False))
    assert (free.width, free.height) == (130, 18)
    with pytest.raises(EditorError, match="Width"):
        ImageSize(width=0)


def test_only_the_resolution_changes_no_pixel(bench: Bench) -> None:
    before = bench.state.layers
    bench.application.image.resize(13, 9, "lanczos", 150.0)
    bench.settle()
    assert bench.state.layers == before
    assert bench.state.dpi == (150.0, 150.0)


def test_a_size_that_it_has_already_is_no_step(bench: Bench) -> None:
    for name in ("image-size", "canvas-size"):
        form = FORMS[name]
        form.apply(bench.application, form.initial(bench.state))
        bench.settle()
    assert bench.steps() == []
    assert not bench.document.modified
    bench.application.image.resize(bench.state.width, bench.state.height, "lanczos", 300.0)
    bench.settle()
    assert bench.state.dpi == (300.0, 300.0)
