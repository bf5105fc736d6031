"""The composition root: parse the arguments, then the window or the command line.

No `from __future__` here: it comes first, and the module of that name may be a file beside a picture.
"""

from inference.process.isolation import isolate, leave_working_directory

isolate()  # before anything else is imported: Python files beside a picture must not run

import os
import sys
from contextlib import suppress
from signal import SIG_DFL, SIGINT, signal

from inference.messages import listed

if __name__ == "__main__":
    signal(SIGINT, SIG_DFL)  # as in `run`, and earlier

TYPE_CHECKING = False  # without `typing`, whose import takes longer than all that is above
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from editor.application import Application


def run() -> None:
    """The entry point `attune`."""
    # until the boundary stands an interruption ends the process as the system does: nothing is lost yet
    signal(SIGINT, SIG_DFL)
    # Threads that spin while they wait make a step many times slower as soon as the cores are busy elsewhere.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _serve_if_child_of_bundle()
    from editor.cli.boundary import be_tolerant, close_gaps

    close_gaps()
    be_tolerant()
    status = main()
    _leave_at_once_if_busy(status)
    sys.exit(status)


def _leave_at_once_if_busy(status: int) -> None:
    """A thread that reads a file for ever must not be there while the interpreter takes itself apart."""
    workers = sys.modules.get("editor.system.workers")
    if workers is not None and workers.anything_runs():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def _serve_if_child_of_bundle() -> None:
    """In an installed bundle this program is the only Python there is: its child starts here as well."""
    if os.path.basename(sys.executable).lower().startswith(("python", "pypy")):  # noqa: PTH119
        return
    from multiprocessing import spawn

    sys.frozen = True  # pyright: ignore[reportAttributeAccessIssue] - what multiprocessing looks for
    spawn.freeze_support()


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run Attune with these arguments (default: the process's) and give its exit status."""
    from editor.cli.boundary import guarded

    arguments = list(sys.argv[1:] if argv is None else argv)
    # `evaluate` takes a file with its --json
    as_json = "--json" in arguments and arguments[0] != "evaluate"
    return guarded(lambda: _run(arguments), as_json=as_json)


def _run(arguments: list[str]) -> int:
    from editor.cli import parser as cli

    if cli.is_command(arguments):
        return cli.main(arguments)
    given = _window_parser().parse_args(arguments)
    if given.version:
        return _print_version()
    if given.install_desktop_entry or given.remove_desktop_entry:
        return _desktop_entry(install=given.install_desktop_entry)
    _check_files(given.files)
    return _open_window(given.files, alone=given.new_window)


def _check_files(files: "list[Path]") -> None:
    """Refuse what is neither a command nor a file; with others that are there the window tells of it.

    Raises:
        EditorError: none of them is there.
    """
    from editor.cli import parser as cli
    from editor.system.errors import EditorError

    if not files or any(os.path.lexists(file) for file in files):
        return
    name = str(files[0])
    if files[0].suffix or os.sep in name:
        raise EditorError("There is no file “{name}”.", "Is it spelt right?", name=name)
    raise EditorError(
        "“{name}” is neither a command nor a file.",
        "Commands are: {commands}.",
        name=name,
        commands=listed(cli.COMMANDS),
    )


def _window_parser() -> "argparse.ArgumentParser":
    from pathlib import Path

    from editor.cli import parser as cli

    parser = cli.make_parser(
        prog="attune",
        description="Opens the window. Commands: " + ", ".join(cli.COMMANDS) + "; see attune COMMAND --help.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="pictures and projects to open")
    parser.add_argument("--new-window", action="store_true", help="beside an Attune that runs already")
    parser.add_argument("--install-desktop-entry", action="store_true", help="put Attune into the start menu")
    parser.add_argument("--remove-desktop-entry", action="store_true", help="take it out again")
    parser.add_argument("--version", action="store_true", help="print the version")
    return parser


def _print_version() -> int:
    from editor.cli.output import say
    from editor.system.errors import DONE
    from inference.process.version import version

    say(f"attune {version()}")
    return DONE


def _desktop_entry(*, install: bool) -> int:
    from editor.cli.output import say
    from editor.system import desktop
    from editor.system.errors import DONE

    for line in desktop.install() if install else desktop.remove():
        say(line)
    return DONE


def _open_window(files: "list[Path]", *, alone: bool) -> int:
    """Show the window; without `alone`, one that is there already gets the files instead."""
    from editor.system import display
    from editor.system.errors import EditorError

    problem = display.problem()
    if problem:
        raise EditorError("{detail}", detail=problem)
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from editor.system import one_instance
    from editor.system.errors import DONE
    from editor.system.signals import SignalWatch
    from widgets.window.window_keeper import WindowKeeper

    files = _away_from_working_directory(files)
    qt = QApplication(sys.argv[:1])
    qt.setApplicationName("attune")
    qt.setApplicationDisplayName("Attune")
    qt.setDesktopFileName("org.attune.Attune")
    where = "" if alone else one_instance.address()
    if one_instance.hand_over(files, where):
        return DONE
    application = make_application()
    server = one_instance.InstanceServer(where, application)
    _install_hook(application)
    keeper = WindowKeeper(application)
    keeper.window.show()
    server.wished.connect(keeper.open_from_outside)
    watch = SignalWatch(lambda number: qt.exit(128 + number), application)
    # after the first paint: opening files and loading the model take what the window does not need
    QTimer.singleShot(0, application, lambda: application.start(files))
    try:
        return qt.exec()
    finally:
        server.close()
        application.shutdown()
        watch.close()


def _away_from_working_directory(files: "list[Path]") -> "list[Path]":
    """Go home, so that nothing is looked for beside the pictures; the files as absolute paths.

    Raises:
        EditorError: a relative path is given, and the working directory is gone.
    """
    from pathlib import Path

    from editor.system.errors import EditorError

    try:
        absolute = [path.absolute() for path in files]
    except OSError as error:
        raise EditorError("The working directory is not there any more.", "Go to another folder.") from error
    try:
        os.chdir(Path.home())
    except (OSError, RuntimeError):
        leave_working_directory()
    return absolute


def make_application() -> "Application":
    """The application with the user's settings, models and deltas."""
    from functools import partial

    from editor.application import Application
    from editor.system.folders import cache_folder, config_folder, deltas_folder
    from editor.system.settings import Settings
    from inference.deltas import DeltaLibrary
    from inference.models import Catalogue
    from inference.runner import make_runner
    from inference.service import InferenceService

    settings = Settings()
    folders = (config_folder().absolute(), deltas_folder().absolute())
    device, dtype = settings.get("device"), settings.get("dtype")
    # requests come out of files as well: they may run only what the user has listed
    runner = partial(
        make_runner,
        *folders,
        device=device,
        dtype=dtype,
        only_listed=True,
        memory_mode=settings.get("memory_mode"),
        storage=settings.get("storage"),
        remember_modes=settings.get("remember_modes"),
        cache=(cache_folder().absolute(), settings.get("cache_mib") * 2**20),
    )
    service = InferenceService(runner)
    catalogue = Catalogue(folders[0], check_apart=True)
    return Application(settings, service, catalogue, DeltaLibrary.standard(folders[1]))


def _install_hook(application: "Application") -> None:
    from editor.system.errors import install_exception_hook
    from editor.words.said import said

    install_exception_hook(lambda text, hint: application.message.emit(said(text), said(hint), "error"))


if __name__ == "__main__":
    run()
