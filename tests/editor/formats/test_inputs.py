"""What recipes name beside words is kept with them, once per content; projects of version 2 still open."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from editor.formats import ExportOptions, Picture
from editor.formats.openraster import keeping, read, write
from editor.layers.layer import Adjustment, Group, Layer
from editor.layers.recipes import Recipe
from editor.layers.state import DocumentState, SourceMetadata
from editor.recovery.store import Snapshot, Store
from inference.content import DeltaFile, content_hash
from inference.content import Mask as MaskContent
from inference.content import Picture as PictureContent
from inference.errors import EditorError
from inference.operations import Attribute, Redraw, SubjectEdit
from inference.request import Request

VERSION_2 = Path(__file__).with_name("version_2.ora")
PIXELS = np.arange(5 * 7 * 4, dtype=np.uint8).reshape(5, 7, 4)
GREY = np.arange(35, dtype=np.uint8).reshape(5, 7)
DELTA = b"the bytes of a delta"


def redrawn() -> Recipe:
    image, mask = content_hash(PIXELS), content_hash(GREY)
    parameters = Redraw(prompt="a cat", image=PictureContent(image), mask=MaskContent(mask))
    request = Request(operation="redraw", parameters=parameters, model="mini-sd1")
    return Recipe(request=request, contents={image: PIXELS, mask: GREY})


def edited() -> Recipe:
    name = content_hash(DELTA)
    edit = SubjectEdit(start=0, end=3, attribute="age", value=1.0, delta=DeltaFile(name))
    request = Request(
        operation="attribute", parameters=Attribute(prompt="man", edits=(edit,)), model="mini-sd1"
    )
    return Recipe(request=request, contents={name: DELTA})


def document() -> DocumentState:
    grey = np.full((4, 4, 4), 128, np.uint8)
    heat = {"attention/0-3": np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)}
    layers = [
        Layer.of_pixels(grey, name=f"layer {index}", id=f"{index}", recipe=recipe, maps=heat)
        for index, recipe in enumerate((redrawn(), redrawn(), edited()))
    ]
    return DocumentState(width=4, height=4, layers=tuple(layers), active="0")


def assert_same_inputs(state: DocumentState) -> None:
    for layer, recipe in zip(state.rasters(), (redrawn(), redrawn(), edited()), strict=True):
        assert layer.recipe == recipe
        kept = layer.recipe.contents
        assert set(kept) == set(recipe.contents)
        for name, blob in recipe.contents.items():
            np.testing.assert_array_equal(kept[name], blob)  # type: ignore[arg-type]
        np.testing.assert_array_equal(layer.maps["attention/0-3"].shape, (3, 4))


def test_a_project_keeps_each_content_once(tmp_path: Path) -> None:
    path = tmp_path / "picture.ora"
    write(Picture(state=document(), source=SourceMetadata()), path, ExportOptions())
    with zipfile.ZipFile(path) as archive:
        inputs = sorted(name for name in archive.namelist() if name.startswith("attune/inputs/"))
    assert inputs == sorted(
        [
            f"attune/inputs/{content_hash(PIXELS)}.png",
            f"attune/inputs/{content_hash(GREY)}.png",
            f"attune/inputs/{content_hash(DELTA)}",
        ]
    )
    opened = read(path)
    assert opened.notes == ()
    assert_same_inputs(opened.state)


def test_recovery_keeps_them_as_well(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    snapshot = Snapshot(state=document(), source=SourceMetadata(), title="picture", path=None)
    store.save(snapshot, 2**30)
    store.save(snapshot, 2**30)
    loaded, notes = Store(tmp_path / "store").load()
    assert notes == ()
    assert_same_inputs(loaded.state)


def test_an_input_that_is_not_what_its_name_says_is_not_used(tmp_path: Path) -> None:
    path, changed = tmp_path / "picture.ora", tmp_path / "changed.ora"
    write(Picture(state=document(), source=SourceMetadata()), path, ExportOptions())
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, b"something else" if name.endswith(content_hash(DELTA)) else data)
    opened = read(changed)
    assert opened.state.layer("2").recipe is None
    assert any("damaged" in str(note) for note in opened.notes)
    assert opened.state.layer("0").recipe == redrawn()


def test_a_project_of_version_2_opens_whole() -> None:
    opened = read(VERSION_2)
    state = opened.state
    assert opened.notes == ()
    assert (state.width, state.height, state.active, state.dpi) == (16, 12, "refined", (300.0, 300.0))
    group, adjustment = state.layers
    assert isinstance(group, Group)
    assert isinstance(adjustment, Adjustment)
    assert state.selection is not None
    assert [guide.position for guide in state.guides] == [5.0]
    people, refined = (state.layer(name).recipe for name in ("people", "refined"))
    assert people is not None
    assert refined is not None
    assert people.edits == (SubjectEdit(start=13, end=16, attribute="age", value=1.25),)
    assert people.request.model_hash == "ab" * 32
    assert refined.request.operation == "refine"
    assert refined.edits == ()


@pytest.mark.parametrize("blob", [PIXELS, PIXELS[..., :3].copy(), GREY, DELTA, b""])
def test_a_content_has_one_name(blob: object) -> None:
    assert content_hash(blob) == content_hash(blob)  # type: ignore[arg-type]
    assert len(content_hash(blob)) == 64  # type: ignore[arg-type]


def _with_maps(path: Path, content: bytes) -> None:
    """The project of `document`, with other bytes in place of its maps."""
    write(Picture(state=document(), source=SourceMetadata()), path, ExportOptions())
    with zipfile.ZipFile(path) as archive:
        kept = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in kept:
            archive.writestr(info, content if info.filename.endswith("maps.safetensors") else data)


@pytest.mark.parametrize("shape", [(0, 0), (0, 8)])
def test_maps_of_nothing_are_damaged(tmp_path: Path, shape: tuple[int, int]) -> None:
    """They were taken over, and hovering over the subject ended in an error of OpenCV."""
    path = tmp_path / "picture.ora"
    _with_maps(
        path, safetensors.numpy.save({str(number): np.zeros(shape, np.float32) for number in range(3)})
    )
    assert not any(layer.maps for layer in read(path).state.rasters())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_where_a_map_says_nothing_nothing_is_seen(tmp_path: Path, value: float) -> None:
    path = tmp_path / "picture.ora"
    values = np.full((3, 4), value, np.float32)
    values[1, 1] = 0.5
    _with_maps(path, safetensors.numpy.save({str(number): values for number in range(3)}))
    for layer in read(path).state.rasters():
        assert (layer.maps["attention/0-3"].sum(), layer.maps["attention/0-3"][1, 1]) == (0.5, 0.5)


def test_maps_of_numbers_that_no_map_has_are_damaged() -> None:
    header = json.dumps({"0": {"dtype": "F8_E4M3", "shape": [1, 1], "data_offsets": [0, 1]}}).encode()
    with pytest.raises(EditorError, match="damaged"):
        keeping._maps(len(header).to_bytes(8, "little") + header + b"0")  # pyright: ignore[reportPrivateUsage]
