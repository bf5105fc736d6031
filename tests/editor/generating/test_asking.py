"""From a form to a request, and from a result to a layer: nothing but what the method changed is another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from editor.colour.conversion import built_in_profile
from editor.commands import ReplaceLayerResult
from editor.document.document import Document
from editor.edits.geometry import cropped_to
from editor.formats.files import open_file
from editor.formats.preparing import scaled
from editor.generating.asking import (
    Asked,
    Given,
    asked_again,
    asked_anew,
    larger_document,
    place_now,
    raster_for,
    with_layer,
)
from editor.layers.layer import Layer, Mask
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState
from editor.pixels.raster import Area, Raster
from editor.rendering.compositing import composite_samples
from inference.content import Picture
from inference.errors import EditorError
from inference.operations import OPERATIONS, Edit
from inference.progress import Measurements
from inference.request import Pixels, Request, Result
from inference.sizes import enlarged

EDIT, ENLARGE = OPERATIONS["edit"], OPERATIONS["enlarge"]
DESCRIBED = {"prompt": "a man", "image": Given.DOCUMENT}
RNG = np.random.default_rng(11)


def photo(width: int, height: int, *, depth: int = 8, alpha: bool = False) -> DocumentState:
    kind = np.uint16 if depth == 16 else np.uint8
    samples = RNG.integers(0, np.iinfo(kind).max + 1, (height, width, 4), kind)
    if not alpha:
        samples[..., 3] = np.iinfo(kind).max
    return DocumentState.of_layer(Layer(name="photo", raster=Raster.of(samples)))


def selecting(state: DocumentState, area: Area) -> DocumentState:
    values = np.full((area.height, area.width), 255, np.uint8)
    return replace(state, selection=Mask(raster=Raster.of(values), x=area.x, y=area.y))


def picture_of(request: Request, asked: Asked) -> Pixels:
    parameters = request.parameters
    assert isinstance(parameters, Edit)
    found = asked.contents[parameters.image.hash]
    assert Picture.fits(found)
    return found


def result_of(request: Request, image: Pixels, maps: dict[str, np.ndarray] | None = None) -> Result:
    return Result(request=request, images=(image,), maps=maps or {}, measured=Measurements())


def placed(state: DocumentState, request: Request, asked: Asked, image: Pixels) -> DocumentState:
    result = result_of(request, image)
    recipe = replace(Recipe.of(result, asked.contents), from_below=asked.from_below)
    return with_layer(state, asked, result, raster_for(asked, result), recipe, "edit")


def shown(state: DocumentState) -> np.ndarray:
    return composite_samples(state.layers, state.area, state.depth)


SIZES = {
    "landscape": (300, 200),
    "portrait": (90, 400),
    "tiny": (3, 2),
    "one pixel": (1, 1),
    "slim": (700, 5),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
@pytest.mark.parametrize("profile", ["srgb", "display-p3"])
@pytest.mark.parametrize("depth", [8, 16])
def test_at_first_nothing_has_changed(depth: int, profile: str, alpha: bool, size: str) -> None:
    state = photo(*SIZES[size], depth=depth, alpha=alpha)
    if profile != "srgb":
        state = replace(state, icc_profile=built_in_profile(profile))
    request, asked = asked_anew(state, EDIT, DESCRIBED, "m")
    after = placed(state, request, asked, picture_of(request, asked))
    assert len(after.layers) == 2
    assert np.array_equal(shown(after), shown(state))


@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_change_shows_in_the_mask_and_nowhere_else(depth: int, alpha: bool) -> None:
    state = replace(photo(240, 180, depth=depth, alpha=alpha), icc_profile=built_in_profile("display-p3"))
    request, asked = asked_anew(state, EDIT, DESCRIBED, "m")
    picture = picture_of(request, asked)
    first = placed(state, request, asked, picture)
    document = Document(first)
    changed = np.array(picture)
    changed[60:120, 80:160, :3] = 255 - changed[60:120, 80:160, :3]
    heat = np.zeros((18, 24), np.float32)
    heat[6:12, 8:16] = 1
    result = result_of(request, changed, {"mask/2-5": heat})
    layer = first.layer(first.active)
    command = ReplaceLayerResult(
        document, layer.id, raster_for(asked, result), layer.recipe, "edit", result.maps
    )
    document.undo_stack.push(command)
    mask = document.layer(layer.id).mask
    assert mask is not None
    share = mask.read(state.area)
    before, now = shown(state), shown(document.state)
    assert np.array_equal(now[share == 0], before[share == 0])
    assert np.array_equal(now[..., 3], before[..., 3])
    untouched = np.ones(share.shape, bool)
    untouched[60:120, 80:160] = False
    assert np.array_equal(now[untouched], before[untouched]), "no seam where the method changed nothing"
    solid = ~untouched & (before[..., 3] > 0)
    assert (now[solid][:, :3] != before[solid][:, :3]).any(-1).mean() > 0.9


@pytest.mark.parametrize(
    "place", [Area(0, 0, 9, 9), Area(291, 0, 9, 9), Area(0, 191, 9, 9), Area(291, 191, 9, 9)]
)
def test_regions_at_the_border_lie_where_they_were_taken(place: Area) -> None:
    state = selecting(photo(300, 200), place)
    request, asked = asked_anew(state, EDIT, DESCRIBED, "m")
    picture = picture_of(request, asked)
    assert picture.shape[:2] == (asked.area.height, asked.area.width)
    after = placed(state, request, asked, 255 - picture)
    inside = np.zeros((200, 300), bool)
    inside[place.y : place.bottom, place.x : place.right] = True
    before, now = shown(state), shown(after)
    assert np.array_equal(now[~inside], before[~inside])
    assert np.array_equal(now[inside][:, :3], 255 - before[inside][:, :3])


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photo_is_asked_for_as_it_is_seen(orientation: int, tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:5, :5] = (255, 0, 0)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    state = open_file(tmp_path / "turned.png").state
    request, asked = asked_anew(state, EDIT, DESCRIBED, "m")
    assert np.array_equal(picture_of(request, asked), shown(state)[..., :3])
    assert asked.area == state.area


def test_what_lies_above_the_active_layer_is_not_in_the_picture_and_stays_above() -> None:
    state = photo(40, 30)
    text = Layer.of_pixels(name="text", pixels=np.zeros((30, 40, 3), np.uint8))
    both = replace(state.inserted([text]), active=state.layers[0].id)
    request, asked = asked_anew(both, EDIT, DESCRIBED, "m")
    assert np.array_equal(picture_of(request, asked), shown(state)[..., :3])
    after = placed(both, request, asked, picture_of(request, asked))
    assert [layer.name for layer in after.layers] == ["photo", "edit", "text"]


def test_a_crop_meanwhile_takes_the_place_along() -> None:
    state = selecting(photo(300, 200), Area(150, 100, 20, 20))
    request, asked = asked_anew(state, EDIT, DESCRIBED, "m")
    now = cropped_to(replace(state, selection=None), Area(60, 40, 200, 150))
    after = placed(now, request, asked, picture_of(request, asked))
    layer = after.layers[-1]
    assert isinstance(layer, Layer)
    assert (layer.x, layer.y) == (asked.area.x - 60, asked.area.y - 40) == place_now(asked, now)
    assert layer.mask is not None
    assert layer.mask.area == Area(90, 60, 20, 20)
    assert np.array_equal(shown(after), shown(now))


def test_a_turn_meanwhile_is_another_canvas() -> None:
    from editor.edits.geometry import turned

    state = photo(30, 20)
    _, asked = asked_anew(state, EDIT, DESCRIBED, "m")
    assert turned(state, 1).frame.canvas != asked.frame.canvas
    assert cropped_to(state, Area(1, 1, 9, 9)).frame.canvas == asked.frame.canvas


def test_of_nothing_no_picture_is_made() -> None:
    empty = DocumentState.of_layer(Layer(name="empty", raster=Raster.filled(20, 20)))
    with pytest.raises(EditorError, match="nothing to be seen"):
        asked_anew(empty, EDIT, DESCRIBED, "m")


def test_made_again_it_is_of_what_is_below_now_with_the_values_it_had() -> None:
    state = photo(60, 40)
    request, asked = asked_anew(state, EDIT, DESCRIBED, "m")
    sized = replace(request, parameters=replace(request.parameters, width=64, height=32))
    after = cropped_to(placed(state, sized, asked, picture_of(request, asked)), Area(4, 2, 50, 30))
    layer = after.layers[-1]
    assert isinstance(layer, Layer)
    again, anew = asked_again(after, layer, {}, anew=True)
    assert isinstance(again.parameters, Edit)
    assert (again.parameters.prompt, again.parameters.width) == ("a man", None)
    assert anew.area == after.area
    assert np.array_equal(picture_of(again, anew), shown(after)[..., :3])


def test_what_was_not_made_from_below_is_not_made_from_it_again() -> None:
    state = photo(60, 40)
    request, asked = asked_anew(state, EDIT, {**DESCRIBED, "image": Given.LAYER}, "m")
    after = placed(state, request, asked, picture_of(request, asked))
    layer = after.layers[-1]
    assert isinstance(layer, Layer)
    with pytest.raises(EditorError, match="not made from the picture below"):
        asked_again(after, layer, {}, anew=True)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("profile", ["srgb", "display-p3"])
def test_an_enlarged_picture_is_a_document_with_the_samples_it_came_from(depth: int, profile: str) -> None:
    icc = b"" if profile == "srgb" else built_in_profile(profile)
    state = replace(photo(60, 40, depth=depth, alpha=True), icc_profile=icc, dpi=(150.0, 150.0))
    state = selecting(state, Area(10, 10, 8, 8))  # of all, whatever is selected
    request, asked = asked_anew(state, ENLARGE, {"factor": 2.0, "image": Given.DOCUMENT}, "mini-sd1")
    plain = enlarged(asked.contents[request.parameters.image.hash], 2.0)  # type: ignore[attr-defined]
    drawn = plain.copy()
    drawn[20:30, 20:30, 0] ^= 8
    made: dict[str, DocumentState] = {}
    for name, image in {"plain": plain, "drawn": drawn}.items():
        result = result_of(request, image)
        recipe = Recipe.of(result, asked.contents)
        made[name] = larger_document(asked, result, raster_for(asked, result), recipe, "Enlarge")
    assert (made["plain"].width, made["plain"].height) == (120, 80)
    assert (made["plain"].icc_profile, made["plain"].dpi, made["plain"].depth) == (icc, (300.0, 300.0), depth)
    before, after = shown(made["plain"]), shown(made["drawn"])
    own = scaled(shown(state), 120, 80, "lanczos")
    seen = own[..., 3] > 0  # colours of what cannot be seen are not kept
    assert np.array_equal(before[seen], own[seen])
    changed = (before != after).any(-1)
    assert changed[20:30, 20:30].any()
    changed[20:30, 20:30] = False
    assert not changed.any()


def test_the_active_layer_alone_is_enlarged() -> None:
    state = photo(30, 20)
    small = Layer(name="small", raster=Raster.of(np.full((6, 9, 4), 255, np.uint8)), x=4, y=4)
    state = replace(state.inserted([small]), active=small.id)
    request, asked = asked_anew(state, ENLARGE, {"factor": 3.0, "image": Given.LAYER}, "mini-sd1")
    (blob,) = asked.contents.values()
    assert blob.shape[:2] == (6, 9)
    raster = raster_for(asked, result_of(request, enlarged(blob, 3.0)))
    assert (raster.width, raster.height) == (27, 18)
