import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.recovery.store import MANIFEST, THUMBNAIL, Snapshot, Store, summary_of
from editor.rendering.compositing import composite
from editor.system.errors import WritingError
from inference.errors import EditorError
from tests.editor.document.test_state_json import everything
from tests.editor.samples import noise

MANY = 2**30


def snapshot(state: DocumentState | None = None) -> Snapshot:
    source = SourceMetadata(exif=b"exif", text={"key": "value"}, photo=True)
    return Snapshot(state=state or everything(), source=source, title="Bild", path=Path("/a/bild.ora"))


def pixels(state: DocumentState) -> Any:
    return composite(state.layers, state.area)


def painted(state: DocumentState, seed: int) -> DocumentState:
    layer = state.layers[0]
    assert isinstance(layer, Layer)
    return state.with_node(layer.changed(raster=layer.raster.written(1, 1, noise(seed, 3, 3))))


def test_everything_comes_back(tmp_path: Path) -> None:
    given = snapshot()
    Store(tmp_path / "a").save(given, MANY)
    back, notes = Store(tmp_path / "a").load()
    assert notes == ()
    assert (back.title, back.path, back.source) == (given.title, given.path, given.source)
    assert np.array_equal(pixels(back.state), pixels(given.state))
    assert back.state.guides == given.state.guides
    assert [node.id for node in back.state.nodes()] == [node.id for node in given.state.nodes()]


def test_summary_and_thumbnail(tmp_path: Path) -> None:
    state = DocumentState.of_layer(Layer.of_pixels(name="a", pixels=noise(1, 700, 300)))
    Store(tmp_path / "a").save(snapshot(state), MANY)
    summary = summary_of(tmp_path / "a")
    assert (summary.title, summary.width, summary.height) == ("Bild", 700, 300)
    assert (tmp_path / "a" / THUMBNAIL).read_bytes().startswith(b"\x89PNG")


def test_saves_follow_each_other_and_old_tiles_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "a")
    state = DocumentState.of_layer(Layer.of_pixels(name="a", pixels=noise(1, 300, 300)))
    sizes: list[int] = []
    for seed in range(30):
        state = painted(state, seed)
        store.save(snapshot(state), MANY)
        sizes.append(sum(path.stat().st_size for path in (tmp_path / "a").iterdir()))
    assert max(sizes) < 2.5 * sizes[0]
    back, _ = Store(tmp_path / "a").load()
    assert np.array_equal(pixels(back.state), pixels(state))


def test_a_restored_store_is_continued(tmp_path: Path) -> None:
    Store(tmp_path / "a").save(snapshot(), MANY)
    store = Store(tmp_path / "a")
    store.moved(tmp_path / "b")
    back, _ = store.load()
    store.save(replace(back, state=painted(back.state, 5)), MANY)
    assert not (tmp_path / "a").exists()
    again, _ = Store(tmp_path / "b").load()
    assert np.array_equal(pixels(again.state), pixels(painted(back.state, 5)))


def test_a_full_disk_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "a")
    given = snapshot()
    store.save(given, MANY)
    changed = replace(given, state=painted(given.state, 9))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(WritingError, match="no space is left"):
            store.save(changed, MANY)
    back, _ = Store(tmp_path / "a").load()
    assert np.array_equal(pixels(back.state), pixels(given.state))
    store.save(changed, MANY)  # there is room again
    back, _ = Store(tmp_path / "a").load()
    assert np.array_equal(pixels(back.state), pixels(changed.state))


def test_a_folder_that_was_taken_away_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "a")
    given = snapshot()
    store.save(given, MANY)
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    store.save(given, MANY)
    back, _ = Store(tmp_path / "a").load()
    assert np.array_equal(pixels(back.state), pixels(given.state))


def test_data_of_an_unfinished_write_are_never_used(tmp_path: Path) -> None:
    """Power failed before they were on the disk: the file is there, but not what was in it."""
    store = Store(tmp_path / "a")
    given = snapshot()
    store.save(given, MANY)
    changed = replace(given, state=painted(given.state, 9))
    before = {path: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    store.save(changed, MANY)
    for path in (tmp_path / "a").iterdir():
        if path not in before and path.suffix == ".pack":
            data = bytearray(path.read_bytes())
            data[-20:] = bytes(20)
            path.write_bytes(data)
    for path, content in before.items():
        path.write_bytes(content)
    again = Store(tmp_path / "a")
    assert again.load()[1] == ()
    again.save(changed, MANY)
    back, notes = Store(tmp_path / "a").load()
    assert notes == ()
    assert np.array_equal(pixels(back.state), pixels(changed.state))


def test_removed(tmp_path: Path) -> None:
    store = Store(tmp_path / "a")
    store.save(snapshot(), MANY)
    store.remove()
    assert list(tmp_path.iterdir()) == []
    store.save(snapshot(), MANY)
    assert Store(tmp_path / "a").load()[1] == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"format": 1}',
        '{"format": 2}',
        "[" * 100_000,
        '{"format": 1, "title": "a", "saved_at": "x"}',
    ],
)
def test_broken_manifests_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(EditorError):
        Store(tmp_path).load()
    with pytest.raises(EditorError):
        summary_of(tmp_path)


def test_damaged_parts_are_said(tmp_path: Path) -> None:
    Store(tmp_path).save(snapshot(), MANY)
    for path in tmp_path.glob("*.pack"):
        path.unlink()
    values = json.loads((tmp_path / MANIFEST).read_bytes())
    values["document"]["layers"] = values["document"]["layers"][:1]
    (tmp_path / MANIFEST).write_text(json.dumps(values))
    _, notes = Store(tmp_path).load()
    assert "damaged parts" in notes[0]
