"""Finding models in folders of other programs."""

import shutil
from pathlib import Path

import pytest

from inference.downloads.folders import candidates
from inference.errors import Cancelled, EditorError
from inference.models import Catalogue
from inference.progress import Progress
from tests.helpers.original_layout import save_as_one_file


def test_models_are_found_where_other_programs_keep_them(
    tmp_path: Path, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.downloads.folders.candidates.__kwdefaults__", {"smallest_bytes": 1000})
    comfy = tmp_path / "ComfyUI" / "models"
    (comfy / "checkpoints" / "xl").mkdir(parents=True)
    (comfy / "loras").mkdir()
    shutil.copytree(tiny_folders["tiny-sd3"], comfy / "diffusers" / "three")
    save_as_one_file(tiny_folders["tiny-sd1"], comfy / "checkpoints" / "xl" / "mine.safetensors")
    shutil.copy(comfy / "checkpoints" / "xl" / "mine.safetensors", comfy / "loras" / "style.safetensors")
    (comfy / "checkpoints" / "broken.safetensors").write_bytes(b"\x10" + b"\0" * 2000)
    (comfy / "checkpoints" / "small.safetensors").write_bytes(b"x")
    (comfy / "checkpoints" / "circle").symlink_to(comfy)
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    added, refused = catalogue.add_all(tmp_path / "ComfyUI")
    assert sorted(entry.name for entry in added) == ["mine", "three"]
    assert len(refused) == 1
    assert "broken.safetensors" in str(refused[0])
    assert {entry.name for entry in catalogue.entries()} == {"mine", "three"}
    again, _ = catalogue.add_all(tmp_path / "ComfyUI")
    assert again == added


def test_an_empty_folder_says_so_and_looking_can_be_stopped(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    with pytest.raises(EditorError, match="There is no model in"):
        catalogue.add_all(tmp_path)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        list(candidates(tmp_path, progress.check))
