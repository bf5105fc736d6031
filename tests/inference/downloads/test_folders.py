"""Finding models in folders of other programs."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import save_file

from inference.downloads.folders import candidates
from inference.errors import Cancelled, EditorError
from inference.models import Catalogue
from inference.progress import Progress
from tests.helpers.original_layout import pipeline_tensors
from tests.helpers.published import published


def test_models_are_found_where_other_programs_keep_them(
    tmp_path: Path, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.downloads.folders.candidates.__kwdefaults__", {"smallest_bytes": 1000})
    comfy = tmp_path / "ComfyUI" / "models"
    (comfy / "checkpoints" / "xl").mkdir(parents=True)
    (comfy / "loras").mkdir()
    shutil.copytree(tiny_folders["tiny-sd3"], comfy / "diffusers" / "three")
    save_file(pipeline_tensors(published("sd1")), comfy / "checkpoints" / "xl" / "mine.safetensors")
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
        catalogue.add_all(tmp_path, progress)


def test_what_is_looked_at_is_told_and_it_ends_whatever_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deep folders, links in circles, very many folders."""
    deep = tmp_path.joinpath(*(str(number) for number in range(12)))
    deep.mkdir(parents=True)
    for folder in (tmp_path / "0", deep):
        (folder / "back").symlink_to(tmp_path)
        (folder / "self").symlink_to(folder)
    told: list[tuple[Path, int]] = []
    assert list(candidates(tmp_path, lambda here, count: told.append((here, count)))) == []
    assert told[0] == (tmp_path, 0)
    assert len({here.resolve() for here, _ in told}) == 9  # a fixed depth
    monkeypatch.setattr("inference.downloads.folders.MOST_FOLDERS", 5)
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    seen: list[tuple[int, int]] = []
    added, refused = catalogue.add_all(
        tmp_path, tell=lambda _here, folders, found: seen.append((folders, found))
    )
    assert not added
    assert "only the first 5" in str(refused[0])
    assert seen


def test_folders_that_hold_no_files_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("home", "proc"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("inference.downloads.folders._NO_FILES", frozenset({tmp_path / "proc"}))
    told: list[str] = []
    list(candidates(tmp_path, lambda here, _count: told.append(here.name)))
    assert told == [tmp_path.name, "home"]


@pytest.mark.parametrize("lacks", ["all but one layer", "a block", "an encoder's layer", "a weight"])
def test_a_checkpoint_that_lacks_layers_is_refused_with_what_is_missing(lacks: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    whole = pipeline_tensors(published("sd1"))
    save_file(whole, path)
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    catalogue.add(path)
    catalogue.remove("mine")
    block, encoder = (
        "model.diffusion_model.input_blocks.1.",
        "cond_stage_model.transformer.text_model.encoder.layers.0.",
    )
    kept = {
        "all but one layer": {name for name in whole if name.startswith(block) or "attn2.to_k" in name},
        "a block": {name for name in whole if not name.startswith(block)},
        "an encoder's layer": {name for name in whole if not name.startswith(encoder)},
        "a weight": whole.keys() - {"model.diffusion_model.output_blocks.3.0.in_layers.2.weight"},
    }[lacks]
    assert 0 < len(kept) < len(whole)
    save_file({name: whole[name] for name in kept}, path)
    with pytest.raises(EditorError) as caught:
        catalogue.add(path)
    if lacks == "a weight":
        assert "lacks" in str(caught.value)
    assert "mine" in str(caught.value)
    assert not catalogue.entries()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("\u202egpj.exe\u2066", "gpj.exe"),
        ("\u200f\n", "model"),
        ("<b>bold</b> & 模型".replace("/", "-"), "<b>bold<-b> & 模型"),
    ],
)
def test_a_files_name_is_one_line_in_the_list(
    given: str, name: str, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / given).symlink_to(tiny_folders["tiny-sd1"])
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    assert catalogue.add(tmp_path / given).name == name
    assert catalogue.locate(name).path == tmp_path / given
