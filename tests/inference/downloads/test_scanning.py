"""Adding all in a folder: what is refused costs nothing else, a list that cannot be written ends it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.downloads.folders import additions, candidates
from inference.downloads.scanning import add_all
from inference.errors import Cancelled, EditorError, WritingError
from inference.loras.library import LoraLibrary
from inference.models import Catalogue
from inference.progress import Progress
from tests.inference.loras.test_files import _SD1, pair, write


def test_what_is_refused_costs_nothing_else(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"1")

    def add(path: Path) -> str:
        if path.stem == "b":
            raise EditorError("“{name}” is broken.", "Fetch it again.", name=path.stem)
        return path.stem

    told: list[tuple[str, int, int]] = []
    added, refused = add_all(
        additions,
        tmp_path,
        add,
        Progress(),
        tell=lambda here, folders, found: told.append((here.name, folders, found)),
    )
    assert added == ("a", "c")
    assert [str(one) for one in refused] == ["“b” is broken. Fetch it again."]
    assert [found for name, _, found in told if name.endswith(".safetensors")] == [0, 1, 1]


def test_stopping_keeps_what_was_added(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"1")
    progress, added = Progress(), []

    def add(path: Path) -> None:
        added.append(path.stem)
        progress.cancel()

    with pytest.raises(Cancelled):
        add_all(additions, tmp_path, add, progress)
    assert added == ["a"]


@pytest.mark.parametrize("finds", [additions, candidates])
def test_very_many_folders_are_said_of_both_lists(
    finds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.downloads.folders.MOST_FOLDERS", 3)
    for name in "abcdef":
        (tmp_path / name).mkdir()
    _, refused = add_all(finds, tmp_path, str, Progress())
    assert "only the first 3 were looked at" in str(refused[0])


def models(folder: Path, tiny: Path) -> Callable[[], object]:
    for name in ("a", "b"):
        shutil.copytree(tiny, folder / name)
    return lambda: Catalogue(folder / "settings", built_in=folder / "none").add_all(folder)


def loras(folder: Path, _tiny: Path) -> Callable[[], object]:
    for name in ("a", "b"):
        write(folder / f"{name}.safetensors", pair(_SD1, 768))
    return lambda: LoraLibrary(folder / "settings").add_all(folder)


@pytest.mark.parametrize("made", [models, loras])
def test_a_list_that_cannot_be_written_ends_it_once(
    made: Callable[[Path, Path], Callable[[], object]], tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    run = made(tmp_path, tiny_folders["tiny-sd1"])
    (tmp_path / "settings").write_text("in the way")
    with pytest.raises(WritingError):
        run()
