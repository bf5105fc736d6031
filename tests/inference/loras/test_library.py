"""The list of LoRAs: names, places, words, and what a request finds in it."""

import json
import os
import shutil
from pathlib import Path

import pytest

from inference.errors import EditorError
from inference.loras.library import LIST_FILE, LoraLibrary
from inference.operations import Family, LoraUse
from tests.inference.loras.test_files import _SD1, _SDXL, pair, write


@pytest.fixture
def library(tmp_path: Path) -> LoraLibrary:
    return LoraLibrary(tmp_path / "settings")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(
        tmp_path / "Pixel art: v2.safetensors", pair(_SD1, 768), {"modelspec.trigger_phrase": "pixel"}
    )


def test_what_is_added_is_listed_and_found(library: LoraLibrary, file: Path) -> None:
    assert library.list() == ()
    entry, lora = library.add(file)
    assert (entry.name, entry.family, entry.words) == ("Pixel art- v2", Family.SD1, ("pixel",))
    assert (entry.rank, entry.layers, entry.unknown, entry.path) == (2, 1, 0, file)
    assert entry.hash == lora.hash
    assert LoraLibrary(library.file.parent).list() == (entry,)
    assert library.find("pixel ART- v2") == entry
    assert library.asked_for(LoraUse(name="as it was called", hash=entry.hash, strength=1)) == entry
    assert entry.fits(Family.SD1)
    assert not entry.fits(Family.SDXL)


def test_the_same_file_keeps_its_name_and_words_and_may_move(library: LoraLibrary, file: Path) -> None:
    library.add(file, "pixels")
    library.set_words("pixels", ["pixel art", " pixel  art", "", "small\x00\nsquares"])
    moved = file.with_name("moved.safetensors")
    shutil.move(file, moved)
    use = library.find("pixels").at(0.5)
    with pytest.raises(EditorError, match="gone"):
        library.asked_for(use)
    entry, _ = library.add(moved)
    assert (entry.name, entry.words) == ("pixels", ("pixel art", "small squares"))
    assert library.list() == (entry,)
    assert library.asked_for(use).path == moved


def test_names_are_free_or_refused(library: LoraLibrary, file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other" / file.name, pair(_SDXL, 2048))
    library.add(file)
    assert library.add(other)[0].name == "Pixel art- v2-2"
    third = write(tmp_path / "third.safetensors", pair(_SD1, 1024))
    with pytest.raises(EditorError, match="There is a LoRA “pixel art- v2” already"):
        library.add(third, "pixel art- v2")
    with pytest.raises(EditorError, match="cannot be the name"):
        library.add(third, " \n ")
    assert len(library.list()) == 2


def test_missing_ones_are_told_with_what_there_is(library: LoraLibrary, file: Path) -> None:
    use = LoraUse(name="gone", hash="0" * 64, strength=1)
    with pytest.raises(EditorError) as caught:
        library.asked_for(use)
    assert "The LoRA “gone” (000000000000), which this was made with, is not among yours." in str(
        caught.value
    )
    library.add(file)
    with pytest.raises(EditorError, match="There is no LoRA “x”") as caught:
        library.find("x")
    assert "Pixel art- v2" in str(caught.value.hint)
    library.remove("Pixel art- v2")
    assert library.list() == ()
    assert file.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_is_no_list(library: LoraLibrary) -> None:
    library.file.parent.mkdir()
    os.mkfifo(library.file)
    with pytest.raises(EditorError, match="no ordinary file"):
        library.list()


def test_what_cannot_be_read_in_the_list_stays_in_it(library: LoraLibrary, file: Path) -> None:
    library.add(file)
    stored = json.loads(library.file.read_text())
    strange = [{"name": "from tomorrow", "path": 3}, "no object", {"name": "x" * 1000}]
    library.file.write_text(json.dumps({"loras": [*stored["loras"], *strange]}))
    assert [one.name for one in library.list()] == ["Pixel art- v2"]
    library.remove("Pixel art- v2")
    assert json.loads(library.file.read_text())["loras"] == strange


@pytest.mark.parametrize("content", ["", "[]", '{"loras": 3}', "{" * 100_000])
def test_a_damaged_list_is_told(content: str, library: LoraLibrary) -> None:
    library.file.parent.mkdir(parents=True)
    library.file.write_text(content)
    with pytest.raises(EditorError) as caught:
        library.list()
    assert LIST_FILE in str(caught.value.hint)
