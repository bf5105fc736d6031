"""OpenRaster: our own documents come back whole, other programs see the same picture."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from defusedxml import ElementTree
from PIL import Image

from editor.adjustments.invert import Invert
from editor.formats import FORMATS, Opened
from editor.formats.files import open_file, save_project
from editor.formats.openraster import ours
from editor.layers.layer import Adjustment, BlendMode, Group, Layer, Mask, Node
from editor.layers.state import DocumentState, Guide, SourceMetadata
from editor.layers.text import TextContent
from editor.pixels.raster import Raster
from editor.rendering.compositing import composite, composite_samples
from inference.errors import EditorError
from inference.values import mended
from tests.editor.samples import MAN, noise, recipe

CODEC = FORMATS["openraster"].codec
SIDE = 24


def saved(state: DocumentState, path: Path, source: SourceMetadata | None = None) -> Path:
    save_project(state, source or SourceMetadata(), path)
    return path


def project_of(*layers: Layer) -> DocumentState:
    return DocumentState(width=8, height=8, layers=layers, active=layers[-1].id)


def rewritten(project: Path, changes: dict[str, bytes | None]) -> Path:
    """The project with entries replaced or left out."""
    target = project.with_name("changed.ora")
    with zipfile.ZipFile(project) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = changes.get(info.filename, old.read(info))
            if content is not None:
                new.writestr(info.filename, content)
    return target


def as_others_see_it(project: Path) -> Opened:
    return CODEC.read(rewritten(project, {ours.NAME: None}))


class Trees:
    """Random documents with everything that a document can have."""

    def __init__(self, seed: int, depth: int = 8) -> None:
        self.random = np.random.default_rng(seed)
        self.dtype = np.uint16 if depth == 16 else np.uint8

    def state(self) -> DocumentState:
        below = [self.layer(opaque=True)] if self.random.random() < 0.5 else []
        nodes = (*below, *(self.node(2) for _ in range(self.random.integers(1, 5))))
        return DocumentState(width=SIDE, height=SIDE, layers=nodes, active=nodes[-1].id)

    def node(self, levels: int) -> Node:
        kind = self.random.random()
        if kind < 0.2:
            return Adjustment(settings=Invert(), **self.common(modes=False))
        if kind < 0.5 and levels:
            children = tuple(self.node(levels - 1) for _ in range(self.random.integers(1, 4)))
            isolated = self.random.random() < 0.5
            return Group(children=children, isolated=isolated, **self.common(modes=isolated))
        return self.layer()

    def layer(self, opaque: bool = False) -> Layer:
        size = SIDE if opaque else int(self.random.integers(8, SIDE + 8))
        pixels = self.random.integers(0, np.iinfo(self.dtype).max + 1, (size, size, 4), self.dtype)
        if opaque:
            pixels[..., 3] = np.iinfo(self.dtype).max
            return Layer(name="below", raster=Raster.of(pixels))
        x, y = (int(value) for value in self.random.integers(-6, 10, 2))
        return Layer(raster=Raster.of(pixels), x=x, y=y, **self.common())

    def common(self, modes: bool = True) -> dict[str, object]:
        rare = self.random.random
        mode = self.random.choice(list(BlendMode)) if modes and rare() < 0.5 else BlendMode.NORMAL
        mask = None
        if rare() < 0.3:
            values = self.random.integers(0, 256, (12, 12), np.uint8)
            mask = Mask(
                raster=Raster.of(values), x=3, y=-2, outside=int(rare() < 0.5) * 255, enabled=rare() < 0.8
            )
        return {
            "name": f"node {self.random.integers(1000)}",
            "opacity": float(rare()) if rare() < 0.4 else 1.0,
            "visible": bool(rare() < 0.85),
            "blend_mode": mode,
            "clipped": bool(rare() < 0.25),
            "locked": bool(rare() < 0.2),
            "alpha_locked": bool(rare() < 0.2),
            "mask": mask,
        }


def described(node: Node) -> object:
    """Everything of a node, comparable."""
    mask = node.mask
    said = [type(node), node.id, node.name, node.visible, node.opacity, node.blend_mode, node.locked,
            node.alpha_locked, node.position_locked, node.clipped]  # fmt: skip
    if mask is not None:
        said += [mask.raster.array().tobytes(), mask.area, mask.outside, mask.enabled, mask.linked]
    if isinstance(node, Group):
        return [*said, node.isolated, [described(child) for child in node.children]]
    if isinstance(node, Layer):
        return [*said, node.raster.array().tobytes(), node.raster.dtype, node.area, node.made, node.text]
    assert isinstance(node, Adjustment)
    return [*said, node.settings]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("seed", range(12))
def test_a_document_comes_back_whole(tmp_path: Path, seed: int, depth: int) -> None:
    state = Trees(seed, depth).state()
    opened = open_file(saved(state, tmp_path / "tree.ora"))
    assert opened.notes == ()
    assert [described(node) for node in opened.state.layers] == [described(node) for node in state.layers]
    assert opened.state.active == state.active


@pytest.mark.parametrize("seed", range(60))
def test_other_programs_see_the_same_picture(tmp_path: Path, seed: int) -> None:
    state = Trees(seed).state()
    seen = as_others_see_it(saved(state, tmp_path / "tree.ora"))
    assert seen.notes == ()
    assert not any(node.mask or node.clipped or isinstance(node, Adjustment) for node in seen.state.nodes())
    assert_alike(composite(state.layers, state.area), composite(seen.state.layers, state.area), 3)


def assert_alike(one: np.ndarray, two: np.ndarray, steps: float) -> None:
    """Equal up to rounding of what was baked, as seen over black and over white."""
    for ground in (0, 255):
        first, second = (
            image[..., :3] * (image[..., 3:] / 255.0) + ground * (1 - image[..., 3:] / 255.0)
            for image in (one, two)
        )
        distance = np.abs(first - second)
        assert (distance > steps).mean() < 0.005  # dodging, dividing and mixing hard magnify a rounded step


def test_other_programs_see_sixteen_bits(tmp_path: Path) -> None:
    state = Trees(3, 16).state()
    seen = as_others_see_it(saved(state, tmp_path / "tree.ora")).state
    assert seen.depth == 16
    before, after = (composite_samples(one.layers, state.area, 16) / 65535 for one in (state, seen))
    assert np.abs(before[..., :3] * before[..., 3:] - after[..., :3] * after[..., 3:]).max() < 1e-3


def test_what_is_beside_the_nodes_comes_back(tmp_path: Path) -> None:
    from editor.colour import conversion as colour

    layer = Layer.of_pixels(name="text", pixels=noise(1), text=TextContent(text="Hello\nworld", bold=True))
    selection = Mask(raster=Raster.of(noise(2)[..., 0].copy()), x=3, y=1)
    state = DocumentState(
        width=8, height=8, layers=(layer,), active=layer.id, selection=selection, dpi=(300.0, 150.0),
        guides=(Guide(vertical=True, position=2.5), Guide(vertical=False, position=7)),
        icc_profile=colour.built_in_profile("display-p3"),
    )  # fmt: skip
    source = SourceMetadata(exif=b"Exif\0\0x", xmp=b"<x/>", text={"a": "ä"}, photo=True)
    path = saved(state, tmp_path / "all.ora", source)
    opened = open_file(path)
    assert (opened.source, opened.state.guides, opened.state.dpi) == (source, state.guides, state.dpi)
    assert opened.state.icc_profile == state.icc_profile
    assert opened.state.selection is not None
    np.testing.assert_array_equal(opened.state.selection.raster.array(), selection.raster.array())
    assert opened.state.layer(layer.id).text == layer.text
    seen = as_others_see_it(path).state
    assert (seen.icc_profile, seen.dpi) == (state.icc_profile, (300.0, 150.0))


def test_a_stack_that_another_program_changed_is_believed(tmp_path: Path) -> None:
    layer = Layer.of_pixels(
        name="photo", pixels=noise(1), mask=Mask(raster=Raster.of(noise(2)[..., 0].copy()))
    )
    path = saved(project_of(layer), tmp_path / "masked.ora")
    with zipfile.ZipFile(path) as archive:
        stack = archive.read("stack.xml")
    opened = CODEC.read(rewritten(path, {"stack.xml": stack.replace(b'name="photo"', b'name="theirs"')}))
    assert "Another program changed the file" in opened.notes[0]
    (theirs,) = opened.state.layers
    assert (theirs.name, theirs.mask) == ("theirs", None)
    with zipfile.ZipFile(path) as archive:
        picture = next(name for name in archive.namelist() if name.startswith("data/"))
    buffer = io.BytesIO()
    Image.fromarray(noise(9)).save(buffer, "PNG")
    opened = CODEC.read(rewritten(path, {picture: buffer.getvalue()}))
    assert "Another program changed the file" in opened.notes[0]
    np.testing.assert_array_equal(opened.state.layers[0].pixels, noise(9))


def test_an_adjustment_that_this_version_lacks_is_said(tmp_path: Path) -> None:
    nodes = (Layer.of_pixels(name="photo", pixels=noise(1)), Adjustment(name="top", settings=Invert()))
    path = saved(project_of(*nodes), tmp_path / "new.ora")
    with zipfile.ZipFile(path) as archive:
        values = json.loads(archive.read(ours.NAME))
    values["tree"]["layers"][1]["adjustment"] = "sepia-of-2031"
    opened = CODEC.read(rewritten(path, {ours.NAME: json.dumps(values).encode()}))
    assert "of a kind that Attune lacks" in opened.notes[0]
    assert [node.name for node in opened.state.layers] == ["photo"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("tree", "layers", 0, "opacity"), 7), (("tree", "layers", 0, "raster", "src"), "../../etc/passwd"),
        (("tree", "layers", 0, "kind"), "none"), (("tree", "layers"), []), (("tree", "width"), "wide"),
        (("tree", "layers", 0, "mask"), {"raster": {"src": "stack.xml", "channels": 1}}),
        (("tree",), None), (("pictures",), 3),
    ],
)  # fmt: skip
def test_broken_structure_falls_back_to_the_stack(
    tmp_path: Path, place: tuple[object, ...], value: object
) -> None:
    path = saved(project_of(Layer.of_pixels(name="photo", pixels=noise(1))), tmp_path / "one.ora")
    with zipfile.ZipFile(path) as archive:
        values = json.loads(archive.read(ours.NAME))
    inside = values
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    opened = CODEC.read(rewritten(path, {ours.NAME: json.dumps(values).encode()}))
    assert "look the same were opened" in opened.notes[0]
    np.testing.assert_array_equal(opened.state.layers[0].pixels, noise(1))


@pytest.mark.parametrize("name", ["a\x01b\x0cc", "caf\udce9", "a\ufffeb", "a\tb\nc", "\ud83d\ude00"])
def test_names_of_any_characters_are_whole_here_and_xml_for_others(tmp_path: Path, name: str) -> None:
    layer = Layer.of_pixels(name=name, pixels=noise(1, 8, 8))
    project = saved(project_of(layer), tmp_path / "names.ora")
    with zipfile.ZipFile(project) as archive:
        found = ElementTree.fromstring(archive.read("stack.xml")).findall(".//layer")
    assert len(found[0].get("name") or "") in (len(name), 1)
    assert open_file(project).state.layers[0].name == mended(name)


def test_recipes_of_the_first_version_are_read(tmp_path: Path) -> None:
    path = saved(project_of(Layer.of_pixels(name="photo", pixels=noise(1))), tmp_path / "old.ora")
    old = {
        "version": 1,
        "layers": [{"id": "kept", "recipe": recipe(MAN).to_json()}],
        "source": {"photo": True},
    }
    opened = CODEC.read(rewritten(path, {ours.NAME: json.dumps(old).encode()}))
    assert opened.state.layers[0].recipe == recipe(MAN)
    assert opened.state.layers[0].id == opened.state.active == "kept"
    assert opened.source.photo


def test_layers_over_the_same_pixels_share_one_picture(tmp_path: Path) -> None:
    layer = Layer.of_pixels(name="photo", pixels=noise(1))
    path = saved(project_of(layer, layer.copy("copy")), tmp_path / "two.ora")
    with zipfile.ZipFile(path) as archive:
        assert sum(name.startswith(("data/", "attune/layer")) for name in archive.namelist()) == 1
    one, two = open_file(path).state.layers
    assert one.raster is two.raster


class TestOpenRaster:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        bottom = Layer.of_pixels(name="Generated", pixels=noise(1), recipe=recipe(MAN))
        top = Layer.of_pixels(
            name="Ciel <&> “bleu”", pixels=noise(2, 5, 3), x=-2, y=4, opacity=0.25, visible=False,
            locked=True, blend_mode=BlendMode.SOFT_LIGHT,
        )  # fmt: skip
        copy = bottom.copy("copy")
        return saved(project_of(bottom, copy, top), tmp_path / "picture.ora")

    def test_layers_come_back_whole(self, project: Path) -> None:
        opened = CODEC.read(project)
        assert opened.is_project
        bottom, copy, top = opened.state.layers
        assert bottom.recipe == copy.recipe == recipe(MAN)
        np.testing.assert_array_equal(top.pixels, noise(2, 5, 3))
        np.testing.assert_array_equal(copy.pixels, noise(1))
        assert (top.name, top.x, top.y, top.opacity) == ("Ciel <&> “bleu”", -2, 4, 0.25)
        assert (top.visible, top.locked, top.blend_mode) == (False, True, BlendMode.SOFT_LIGHT)
        assert opened.state.active == top.id

    def test_is_laid_out_as_other_programs_expect(self, project: Path) -> None:
        with zipfile.ZipFile(project) as archive:
            first = archive.infolist()[0]
            names = archive.namelist()
            assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
            assert archive.read("mimetype") == b"image/openraster"
            assert {"stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png", "data/layer000.png"} <= set(
                names
            )
            assert sum(name.startswith("data/") for name in names) == 2  # the copy shares its picture
            merged = np.asarray(Image.open(io.BytesIO(archive.read("mergedimage.png"))))
        assert merged.shape == (8, 8, 4)

    def test_the_merged_picture_of_a_larger_layer_is_cut(self, tmp_path: Path) -> None:
        layer = Layer.of_pixels(name="tall", pixels=noise(1, 8, 20))
        path = saved(project_of(layer), tmp_path / "tall.ora")
        with zipfile.ZipFile(path) as archive:
            merged = np.asarray(Image.open(io.BytesIO(archive.read("mergedimage.png"))))
        np.testing.assert_array_equal(merged, noise(1, 8, 20)[:8])

    def stack(self, inside: str) -> bytes:
        return f'<image w="8" h="8"><stack>{inside}</stack></image>'.encode()

    def test_groups_of_other_programs_are_kept(self, project: Path) -> None:
        inside = (
            '<stack name="g" opacity="0.5" x="1"><layer src="data/layer000.png" opacity="0.5" x="2"/></stack>'
            '<stack isolation="auto"><layer src="data/layer000.png"/></stack><text/>'
            '<layer src="data/layer001.png" composite-op="svg:none" selected="true"/>'
        )
        opened = CODEC.read(rewritten(project, {"stack.xml": self.stack(inside)}))
        bottom, passing, group = opened.state.layers
        assert isinstance(group, Group)
        assert isinstance(passing, Group)
        assert (group.name, group.opacity, group.isolated, passing.isolated) == ("g", 0.5, True, False)
        (child,) = group.children
        assert isinstance(child, Layer)
        assert (child.x, child.opacity) == (3, 0.5)
        assert bottom.blend_mode is BlendMode.NORMAL
        assert any("svg:none" in note for note in opened.notes)
        assert any("“text” was left out" in note for note in opened.notes)
        assert bottom.recipe is None  # ours no longer fits the layers
        assert opened.state.active == bottom.id

    @pytest.mark.parametrize(
        ("inside", "message"),
        [
            ('<layer src="../../etc/passwd"/>', "lacks “../../etc/passwd”"),
            ('<layer src="data/none.png"/>', "lacks “data/none.png”"),
            ('<layer src="data/layer000.png" x="99999999"/>', "allowed is"),
            ('<layer src="data/layer000.png" x="wide"/>', "a number is needed"),
            ('<layer src="stack.xml"/>', "no PNG picture"),
            ("<layer/>", "names no picture"),
        ],
    )
    def test_odd_layers_are_refused(self, project: Path, inside: str, message: str) -> None:
        path = rewritten(project, {"stack.xml": self.stack(inside)})
        with pytest.raises(EditorError, match=message):
            CODEC.read(path)

    @pytest.mark.parametrize("source", ["data/none.png", "stack.xml", ""])
    def test_a_layer_that_cannot_be_read_costs_only_itself(self, project: Path, source: str) -> None:
        inside = f'<layer name="odd" src="{source}"/><layer name="whole" src="data/layer000.png"/>'
        opened = CODEC.read(rewritten(project, {"stack.xml": self.stack(inside)}))
        assert [node.name for node in opened.state.layers] == ["whole"]
        assert any(str(note).startswith("“odd” was left out: ") for note in opened.notes)

    @pytest.mark.parametrize(
        ("given", "mode", "said"),
        [
            ("svg:plus", BlendMode.PLUS, False),
            ("krita:add", BlendMode.LINEAR_DODGE, False),
            ("svg:add", BlendMode.LINEAR_DODGE, False),
            ("krita:hard_mix_photoshop", BlendMode.HARD_MIX, False),
            ("krita:hard mix", BlendMode.HARD_MIX, True),
            ("krita:hard_mix", BlendMode.HARD_MIX, True),
            ("krita:greater", BlendMode.NORMAL, True),
        ],
    )
    def test_modes_that_are_only_nearly_ours_are_said(
        self, project: Path, given: str, mode: BlendMode, said: bool
    ) -> None:
        inside = f'<layer name="a" src="data/layer000.png" composite-op="{given}"/>'
        opened = CODEC.read(rewritten(project, {"stack.xml": self.stack(inside), ours.NAME: None}))
        assert opened.state.layers[0].blend_mode is mode
        assert any(given in note for note in opened.notes) == said

    def test_a_comma_in_the_opacity(self, project: Path) -> None:
        inside = '<layer src="data/layer000.png" opacity="0,25"/>'
        opened = CODEC.read(rewritten(project, {"stack.xml": self.stack(inside)}))
        assert opened.state.layers[0].opacity == 0.25

    @pytest.mark.parametrize("way", ["extra field", "deflated", "last", "none"])
    def test_the_type_may_stand_anywhere(self, project: Path, way: str) -> None:
        """As other zip writers leave it: with an extra field, deflated, at the end, or not at all."""
        path = project.with_name("other")
        with zipfile.ZipFile(project) as old, zipfile.ZipFile(path, "w") as new:
            names = [name for name in old.namelist() if name != "mimetype"]
            order = {"last": [*names, "mimetype"], "none": names}.get(way, ["mimetype", *names])
            for name in order:
                info = zipfile.ZipInfo(name)
                info.extra = b"\xfe\xca\0\0" * (8 if way == "extra field" else 0)
                info.compress_type = zipfile.ZIP_DEFLATED if way == "deflated" else zipfile.ZIP_STORED
                new.writestr(info, old.read(name))
        assert open_file(path).is_project

    def test_another_zip_file_is_no_picture(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.ora", "w") as archive:
            archive.writestr("readme.txt", "hello")
        with pytest.raises(EditorError, match="no picture"):
            open_file(tmp_path / "a.ora")

    @pytest.mark.parametrize("depth", [8, 16])
    def test_pictures_of_sixteen_bits_always_say_their_colours(self, tmp_path: Path, depth: int) -> None:
        samples = np.full((8, 8, 4), 99, np.uint8 if depth == 8 else np.uint16)
        path = saved(project_of(Layer(name="a", raster=Raster.of(samples))), tmp_path / "a.ora")
        with zipfile.ZipFile(path) as archive:
            said = [b"iCCP" in archive.read(name) for name in ("data/layer000.png", "mergedimage.png")]
        assert said == [depth == 16] * 2
        assert open_file(path).state.icc_profile == b""

    def test_an_entity_bomb_is_refused(self, project: Path) -> None:
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><image w="8" h="8">&b;</image>'
        with pytest.raises(EditorError, match=r"stack\.xml"):
            CODEC.read(rewritten(project, {"stack.xml": bomb}))

    def test_too_large_an_entry_is_refused(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("editor.formats.openraster.archive._SPARE_BYTES", -1000)
        with pytest.raises(EditorError, match="too large"):
            CODEC.read(rewritten(project, {ours.NAME: None}))

    def test_a_bomb_of_zeros_is_refused_by_its_header(self, project: Path) -> None:
        path = project.with_name("bomb.ora")
        with zipfile.ZipFile(project) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for info in old.infolist():
                content = bytes(50_000_000) if info.filename.startswith("data/") else old.read(info)
                new.writestr(info.filename, content)
        with pytest.raises(EditorError, match="no PNG picture"):
            CODEC.read(path)

    def test_all_layers_together_are_limited(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("editor.layers.limits.LARGEST_TOTAL_PIXELS", 70)
        with pytest.raises(EditorError, match="together"):
            CODEC.read(rewritten(project, {ours.NAME: None}))

    def test_a_broken_document_costs_only_what_it_held(self, project: Path) -> None:
        opened = CODEC.read(rewritten(project, {ours.NAME: b"{"}))
        assert opened.state.layers[0].recipe is None
        assert "recipes" in opened.notes[0]
