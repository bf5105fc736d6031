import json
import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor.system.settings import FILE_NAME, Preferences, Settings
from inference.errors import EditorError


@pytest.fixture
def folder(tmp_path: Path, qtbot: QtBot) -> Path:
    return tmp_path / "config"


def test_what_was_set_is_there_next_time(folder: Path) -> None:
    first = Settings(folder)
    told: list[str] = []
    first.changed.connect(told.append)
    first.set("theme", "dark")
    first.set("theme", "dark")
    assert told == ["theme"]
    assert Settings(folder).get("theme") == "dark"


def test_lies_in_the_user_s_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert Settings().path == tmp_path / "xdg" / "attune" / FILE_NAME


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("theme", "pink", "system, light, dark"), ("export_quality", 0, "1 to 100"), ("wings", 2, "no setting")],
)
def test_a_wrong_value_is_refused_and_nothing_changes(
    folder: Path, name: str, value: object, message: str
) -> None:
    kept = Settings(folder)
    with pytest.raises(EditorError, match=message):
        kept.set(name, value)
    assert kept.values == Preferences()
    assert not folder.exists()


def test_what_a_newer_version_wrote_is_kept(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_text('{"theme": "light", "hologram": {"depth": 3}}')
    kept = Settings(folder)
    kept.set("export_quality", 80)
    values = json.loads((folder / FILE_NAME).read_bytes())
    assert values["hologram"] == {"depth": 3}
    assert (values["theme"], values["export_quality"]) == ("light", 80)


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b"", b'{"theme": "dark", "theme": "light"}'])
def test_a_broken_file_is_set_aside(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(content)
    kept = Settings(folder)
    assert kept.values == Preferences()
    assert "defaults are used" in str(kept.problem)
    (aside,) = folder.iterdir()
    assert aside.read_bytes() == content
    assert aside.name in str(kept.problem)


def test_one_wrong_value_costs_only_itself(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_text('{"theme": "dark", "export_quality": 4000}')
    kept = Settings(folder)
    assert (kept.get("theme"), kept.get("export_quality")) == ("dark", 92)
    assert "4000" in str(kept.problem)


def test_a_folder_that_cannot_be_made_is_said_and_the_value_holds(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    kept = Settings(folder)
    with pytest.raises(EditorError, match="could not be written"):
        kept.set("theme", "dark")
    assert kept.get("theme") == "dark"


def test_window_state_shortcuts_and_recent_files(folder: Path) -> None:
    kept = Settings(folder)
    kept.set_state("geometry", "QUJD")
    kept.set_shortcut("file.open", "Ctrl+Alt+O")
    kept.set_shortcut("file.save", "")
    kept.set_shortcut("file.close", "X")
    kept.set_shortcut("file.close", None)
    for name in [*map(str, range(14)), "3"]:
        kept.add_recent_file(Path("/pictures") / name)
    again = Settings(folder)
    assert again.state("geometry") == "QUJD"
    assert again.state("nothing", 5) == 5
    assert [again.shortcut(key) for key in ("file.open", "file.save", "file.close")] == [
        "Ctrl+Alt+O",
        "",
        None,
    ]
    assert again.recent_files[:3] == ("/pictures/3", "/pictures/13", "/pictures/12")
    assert len(again.recent_files) == 12


def test_reset_goes_back_to_the_defaults_but_keeps_the_rest(folder: Path) -> None:
    kept = Settings(folder)
    kept.set("theme", "dark")
    kept.set_shortcut("file.open", "F2")
    told: list[str] = []
    kept.changed.connect(told.append)
    kept.reset()
    assert told == ["theme"]
    assert Settings(folder).values == Preferences()
    assert Settings(folder).shortcut("file.open") == "F2"


def test_the_file_is_the_user_s_alone_to_write(folder: Path) -> None:
    kept = Settings(folder)
    kept.set("theme", "dark")
    assert [entry.name for entry in folder.iterdir()] == [FILE_NAME]
    assert kept.path.stat().st_mode & 0o022 == 0


# two programs on one file


def test_who_closes_last_takes_nothing_back(folder: Path) -> None:
    first, second = Settings(folder), Settings(folder)
    first.set("theme", "dark")
    first.set_shortcut("edit.flip", "Ctrl+J")
    first.add_recent_file(Path("/x/a.png"))
    first.set_state("docks", "there")
    first.save()
    second.set_state("geometry", "here")
    second.save()
    found = Settings(folder)
    assert found.get("theme") == "dark"
    assert found.shortcut("edit.flip") == "Ctrl+J"
    assert found.recent_files == ("/x/a.png",)
    assert (found.state("docks"), found.state("geometry")) == ("there", "here")


def test_both_change_something(folder: Path) -> None:
    Settings(folder).set_shortcut("a", "Ctrl+1")
    first, second = Settings(folder), Settings(folder)
    first.set_shortcut("a", None)
    first.set_shortcut("b", "Ctrl+2")
    first.add_recent_file(Path("/x/a.png"))
    second.set("theme", "light")
    second.set_shortcut("c", "Ctrl+3")
    second.add_recent_file(Path("/x/b.png"))
    first.add_recent_file(Path("/x/c.png"))
    found = Settings(folder)
    assert [found.shortcut(name) for name in "abc"] == [None, "Ctrl+2", "Ctrl+3"]
    assert found.recent_files == ("/x/c.png", "/x/b.png", "/x/a.png")
    assert found.get("theme") == "light"


def test_the_last_who_changes_one_thing_wins(folder: Path) -> None:
    first, second = Settings(folder), Settings(folder)
    first.set("export_quality", 50)
    second.set("export_quality", 60)
    first.set("theme", "dark")
    assert Settings(folder).get("export_quality") == 60


def test_a_list_that_one_clears_stays_empty(folder: Path) -> None:
    first = Settings(folder)
    first.add_recent_file(Path("/x/a.png"))
    second = Settings(folder)
    first.clear_recent_files()
    second.set("theme", "dark")
    assert Settings(folder).recent_files == ()


def test_resetting_resets_what_another_changed(folder: Path) -> None:
    first, second = Settings(folder), Settings(folder)
    first.set("theme", "dark")
    second.reset()
    assert Settings(folder).get("theme") == "system"


def test_a_value_out_of_range_is_written_anew(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_text(json.dumps({"export_quality": 0}))
    Settings(folder).set("theme", "dark")
    assert json.loads((folder / FILE_NAME).read_text())["export_quality"] == 92


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_or_a_device_is_not_waited_for_but_set_aside(folder: Path) -> None:
    folder.mkdir()
    for make in (os.mkfifo, lambda place: place.symlink_to("/dev/zero")):
        file = folder / FILE_NAME
        make(file)
        kept = Settings(folder)
        assert "is no ordinary file" in str(kept.problem)
        assert not os.path.lexists(file)
        kept.set("theme", "dark")
        assert Settings(folder).get("theme") == "dark"
        file.unlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_that_came_later_is_neither_read_nor_written(folder: Path) -> None:
    kept = Settings(folder)
    folder.mkdir()
    os.mkfifo(folder / FILE_NAME)
    with pytest.raises(EditorError, match="pipe"):
        kept.set("theme", "dark")
