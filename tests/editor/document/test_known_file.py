"""Saving asks before it overwrites what somebody else wrote."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from editor import commands
from editor.application import Application
from editor.controllers.refused_save import RefusedSave
from editor.document.document import Document
from editor.document.known_file import FileMark, KnownFile, Obstacle
from editor.formats import files
from editor.formats.files import ExportOptions
from tests.editor.edits.trees import tree
from tests.helpers.fake_application import make_application, open_document


@pytest.fixture
def application(qtbot: QtBot, tmp_path: Path) -> Iterator[Application]:
    made = make_application(tmp_path / "config")
    yield made
    made.shutdown()


@pytest.fixture
def refused(application: Application) -> list[RefusedSave]:
    seen: list[RefusedSave] = []
    application.save_refused.connect(seen.append)
    return seen


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project.ora"
    files.save_project(tree(), Document(tree()).source, path)
    return path


@pytest.fixture
def document(application: Application, project: Path, qtbot: QtBot) -> Document:
    return opened(application, project, qtbot)


def opened(application: Application, path: Path, qtbot: QtBot) -> Document:
    count = len(application.documents)
    application.open_file(path)
    qtbot.wait_until(lambda: len(application.documents) > count)
    assert application.current is not None
    return application.current


def change(document: Document, name: str = "changed") -> None:
    commands.push(document, commands.SetLayerProperty(document, "top", "name", name))


def saved(application: Application, document: Document, path: Path, qtbot: QtBot, **more: bool) -> bool:
    """Whether it was written without a question."""
    seen: list[str] = []
    application.saved.connect(lambda *_: seen.append("saved"))
    application.save_refused.connect(lambda *_: seen.append("refused"))
    application.save(document, path, **more)
    qtbot.wait_until(lambda: bool(seen))
    return seen == ["saved"]


def by_another_program(path: Path, how: str) -> bytes:
    """Another program writes the file; what is in it then."""
    before = path.stat()
    if how == "in its place":
        other = path.with_name("other")
        other.write_bytes(b"theirs")
        other.replace(path)
    elif how == "longer":
        path.write_bytes(path.read_bytes() + b"theirs")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:  # as long as it was
        path.write_bytes(bytes(len(path.read_bytes())))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10_000_000))
    return path.read_bytes()


@pytest.mark.parametrize("how", ["in its place", "longer", "as long"])
@pytest.mark.parametrize("after", ["opening", "saving"])
def test_what_others_wrote_stays_until_somebody_decides(
    application: Application,
    document: Document,
    project: Path,
    refused: list[RefusedSave],
    qtbot: QtBot,
    how: str,
    after: str,
) -> None:
    change(document)
    if after == "saving":
        assert saved(application, document, project, qtbot)
        change(document, "again")
    theirs = by_another_program(project, how)
    then: list[str] = []
    application.save(document, project, lambda: then.append("then"))
    qtbot.wait_until(lambda: bool(refused))
    assert (refused[0].document, refused[0].path, refused[0].obstacle) == (
        document,
        project,
        Obstacle.CHANGED,
    )
    assert project.read_bytes() == theirs
    assert document.modified
    assert then == []
    application.save(document, project, refused[0].then, overwrite=True)
    qtbot.wait_until(lambda: bool(then))
    assert not document.modified
    assert files.open_file(project).state.node("top").name == document.state.node("top").name
    change(document, "once more")
    assert saved(application, document, project, qtbot)


def test_saves_in_a_row_are_no_strangers_to_each_other(
    application: Application, document: Document, project: Path, refused: list[RefusedSave], qtbot: QtBot
) -> None:
    for name in ("one", "two", "three"):
        change(document, name)
        application.save(document, project)
    qtbot.wait_until(lambda: not application.background.busy)
    assert refused == []
    assert files.open_file(project).state.node("top").name == "three"


def test_what_changes_while_it_is_read_counts_as_changed(
    application: Application, project: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = files.open_file

    def slowly(path: Path, size_of: object) -> object:
        found = read(path)
        by_another_program(path, "longer")
        return found

    monkeypatch.setattr(files, "open_file", slowly)
    document = opened(application, project, qtbot)
    change(document)
    assert not saved(application, document, project, qtbot)


def test_a_file_that_is_gone_is_written(
    application: Application, document: Document, project: Path, qtbot: QtBot
) -> None:
    change(document)
    project.unlink()
    assert saved(application, document, project, qtbot)
    assert project.exists()


def test_a_read_only_file_stays(
    application: Application, document: Document, project: Path, refused: list[RefusedSave], qtbot: QtBot
) -> None:
    before = project.read_bytes()
    project.chmod(0o444)
    change(document)
    assert not saved(application, document, project, qtbot)
    assert refused[0].obstacle is Obstacle.READ_ONLY
    assert project.read_bytes() == before
    assert saved(application, document, project, qtbot, overwrite=True)
    assert project.read_bytes() != before
    assert project.stat().st_mode & 0o777 == 0o444


def test_a_file_of_another_document_stays(
    application: Application, document: Document, project: Path, refused: list[RefusedSave], qtbot: QtBot
) -> None:
    before = project.read_bytes()
    other = open_document(application, Document(tree(), title="other"))
    link = project.with_name("link.ora")
    link.symlink_to(project)
    for path in (project, link):
        assert not saved(application, other, path, qtbot)
        assert refused[-1].obstacle is Obstacle.OPEN_ELSEWHERE
    assert project.read_bytes() == before
    assert saved(application, other, project, qtbot, overwrite=True)
    change(document)
    assert not saved(application, document, project, qtbot)


def test_one_file_opens_once_by_whatever_path(
    application: Application, document: Document, project: Path, qtbot: QtBot
) -> None:
    link = project.with_name("link.ora")
    link.symlink_to(project)
    open_document(application, Document(tree()))
    for path in (link, project, project.parent / "config" / ".." / project.name):
        application.open_file(path)
        assert application.current is document
        application.set_current(application.documents[-1])
    assert len(application.documents) == 2


def test_two_programs_with_one_file(
    application: Application, document: Document, qtbot: QtBot, tmp_path: Path
) -> None:
    second = make_application(tmp_path / "second")
    theirs = opened(second, document.path or Path(), qtbot)
    change(theirs, "theirs")
    change(document, "ours")
    assert theirs.path is not None
    assert saved(second, theirs, theirs.path, qtbot)
    assert not saved(application, document, theirs.path, qtbot)
    assert files.open_file(theirs.path).state.node("top").name == "theirs"
    second.shutdown()


def test_reloading_takes_what_is_in_the_file(
    application: Application, document: Document, project: Path, qtbot: QtBot
) -> None:
    change(document, "ours")
    other = tree()
    files.save_project(replace(other, layers=other.layers[:2], active="bottom"), document.source, project)
    application.reload(document)
    qtbot.wait_until(lambda: application.current is not document and application.current is not None)
    assert document not in application.documents
    assert application.current is not None
    assert application.current.path == project
    assert len(application.current.layers) == 2
    change_of = application.current
    commands.push(change_of, commands.SetLayerProperty(change_of, "bottom", "name", "new"))
    assert saved(application, change_of, project, qtbot)


def test_reloading_what_cannot_be_read_loses_nothing(
    application: Application, document: Document, project: Path, qtbot: QtBot
) -> None:
    change(document)
    project.write_bytes(b"no project")
    with qtbot.waitSignal(application.message):
        application.reload(document)
    assert application.documents == (document,)
    assert document.modified


@pytest.mark.parametrize("what", ["changed", "read-only"])
def test_export_again_keeps_what_others_wrote(
    application: Application, document: Document, tmp_path: Path, qtbot: QtBot, what: str
) -> None:
    path, options, told = tmp_path / "picture.png", ExportOptions(format="png"), list[str]()
    for _ in range(2):
        with qtbot.waitSignal(application.exported):
            application.export(document, path, options)
    application.message.connect(lambda text, hint, level: told.append(text))
    if what == "changed":
        path.write_bytes(b"theirs")
    else:
        path.chmod(0o444)
    before = path.read_bytes()
    application.export(document, path, options)
    qtbot.wait_until(lambda: bool(told))
    assert what in told[0]
    assert path.read_bytes() == before


def test_a_restored_document_knows_what_its_file_was(
    application: Application, document: Document, project: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    change(document)
    application.recovery.autosave.start()
    application.shutdown()
    by_another_program(project, "longer")
    second = make_application(tmp_path / "second")
    second.recovery.start()
    qtbot.wait_until(lambda: bool(second.recovery.leftovers.all), timeout=5000)
    second.recovery.leftovers.restore(second.recovery.leftovers.all[0])
    qtbot.wait_until(lambda: bool(second.documents))
    assert not saved(second, second.documents[0], project, qtbot)
    second.shutdown()


@pytest.mark.parametrize(
    "values", [None, 1, "abc", [], [1, 2], [1, 2, 3, 4], [1, "2", 3], [1, 2, None], [1.5, 2, 3], {"a": 1}]
)
def test_anything_may_stand_for_a_mark(values: object) -> None:
    assert FileMark.from_json(values) is None
    assert FileMark.from_json([1, 2, 3]) == FileMark(1, 2, 3)


def test_a_place_that_cannot_be_looked_at_is_no_obstacle(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / "x" / "none", Path("a\0b")):
        assert KnownFile(path).obstacle() is None
