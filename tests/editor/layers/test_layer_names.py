"""Names and texts that no file could hold are mended when they come in, so that what opens can be saved."""

import os
from pathlib import Path

from PIL import Image

from editor.formats.files import open_file, save_project
from editor.layers.layer import Group, Layer
from editor.layers.state import DocumentState
from editor.layers.text import TextContent
from tests.editor.samples import flat


def test_lone_surrogates_in_names_and_texts(tmp_path: Path) -> None:
    group = Group(name="a\ud800b", children=(Layer.of_pixels(name="\udcff", pixels=flat(3)),))
    text = Layer.of_pixels(name="text", pixels=flat(3)).changed(text=TextContent(text="half \ud83d"))
    state = DocumentState(width=8, height=8, layers=(group, text), active=text.id)
    save_project(state, open_source(tmp_path), tmp_path / "a.ora")
    names = [node.name for node in open_file(tmp_path / "a.ora").state.nodes()]
    assert names == ["a\ufffdb", "\ufffd", "text"]
    assert TextContent(text="\ud83d\ude00").text == "\U0001f600"  # both halves


def open_source(folder: Path):
    """What a file whose name is no UTF-8 carries; it opens, and its layer can be saved."""
    path = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
    Image.fromarray(flat(3)).save(path, "PNG")
    opened = open_file(path)
    assert [layer.name for layer in opened.state.rasters()] == ["caf\ufffd"]
    save_project(opened.state, opened.source, folder / "b.ora")
    return opened.source
