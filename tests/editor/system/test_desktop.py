import shutil
import subprocess
from pathlib import Path

import pytest

from editor.system import desktop
from inference.errors import EditorError


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return tmp_path / "share"


def files(base: Path) -> set[str]:
    return (
        {str(path.relative_to(base)) for path in base.rglob("*") if path.is_file()}
        if base.exists()
        else set()
    )


def test_installs_entry_icons_metainfo_and_type(base: Path) -> None:
    assert "start menu" in desktop.install()[0]
    assert files(base) >= {
        "applications/org.attune.Attune.desktop",
        "metainfo/org.attune.Attune.metainfo.xml",
        "mime/packages/org.attune.Attune.xml",
        "icons/hicolor/scalable/apps/org.attune.Attune.svg",
        "icons/hicolor/48x48/apps/org.attune.Attune.png",
        "icons/hicolor/symbolic/apps/org.attune.Attune-symbolic.svg",
    }


def test_removing_leaves_no_trace(base: Path) -> None:
    desktop.install()
    desktop.install()
    desktop.remove()
    assert not base.exists()
    assert desktop.remove() == ["Attune was not in the start menu."]


def test_what_others_have_there_stays(base: Path) -> None:
    theirs = [
        base / "applications/other.desktop",
        base / "mime/packages/other.xml",
        base / "icons/hicolor/index.theme",
    ]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
    theirs[0].write_text("[Desktop Entry]\nType=Application\nName=Other\nExec=other\n")
    theirs[1].write_text('<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info"/>')
    theirs[2].write_text("[Icon Theme]\n")
    desktop.install()
    desktop.remove()
    assert all(path.is_file() for path in theirs)
    assert not [name for name in files(base) if "attune" in name.lower()]


def test_a_file_that_was_changed_since_stays(base: Path) -> None:
    desktop.install()
    entry = base / "applications/org.attune.Attune.desktop"
    entry.write_text("mine now")
    assert any("was changed" in line for line in desktop.remove())
    assert entry.read_text() == "mine now"


@pytest.mark.skipif(
    shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed"
)
def test_the_entry_is_valid(base: Path) -> None:
    desktop.install()
    entry = base / "applications/org.attune.Attune.desktop"
    found = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="appstream is not installed")
def test_the_metainfo_is_valid(base: Path) -> None:
    desktop.install()
    info = base / "metainfo/org.attune.Attune.metainfo.xml"
    found = subprocess.run(
        ["appstreamcli", "validate", "--no-net", info], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
    assert not [line for line in found.stdout.splitlines() if line.startswith(("W:", "E:"))]


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("/usr/bin/attune", "/usr/bin/attune"),
        ("/my apps/attune", '"/my apps/attune"'),
        ("/50%/attune", "/50%%/attune"),
        ("/a$b/attune", '"/a\\\\$b/attune"'),
    ],
)
def test_exec_lines_are_quoted(argument: str, quoted: str) -> None:
    assert desktop._quoted(argument) == quoted


def test_other_systems_are_told_what_to_do(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(EditorError, match="Linux"):
        desktop.install()


def test_a_folder_that_cannot_be_made_is_an_error(base: Path) -> None:
    base.parent.mkdir(parents=True, exist_ok=True)
    base.write_text("a file where the folder should be")
    with pytest.raises(EditorError, match="could not be written"):
        desktop.install()


def test_a_failure_halfway_can_be_removed(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = base / "mime" / "packages"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way")
    with pytest.raises(EditorError):
        desktop.install()
    assert "applications/org.attune.Attune.desktop" in files(base)
    desktop.remove()
    assert files(base) == {"mime/packages"}
