"""The composition root: parse the arguments, then the window or the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from editor.cli import parser as cli
from editor.cli.output import complain, say
from editor.system.errors import DONE, WRONG_ARGUMENTS, EditorError

if TYPE_CHECKING:
    from editor.application import Application


def run() -> None:
    """The entry point `attune`."""
    # Threads that spin while they wait make a step many times slower as soon as the cores are busy elsewhere.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _serve_if_child_of_bundle()
    sys.exit(main())


def _serve_if_child_of_bundle() -> None:
    """In an installed bundle this program is the only Python there is: its child starts here as well."""
    if Path(sys.executable).stem.lower().startswith(("python", "pypy")):
        return
    from multiprocessing import spawn

    sys.frozen = True  # pyright: ignore[reportAttributeAccessIssue] - what multiprocessing looks for
    spawn.freeze_support()


def main(argv: Sequence[str] | None = None) -> int:
    """Run Attune with these arguments (default: the process's) and give its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if cli.is_command(arguments):
        return cli.main(arguments)
    given = _window_parser().parse_args(arguments)
    try:
        if given.version:
            return _print_version()
        if given.install_desktop_entry or given.remove_desktop_entry:
            return _desktop_entry(install=given.install_desktop_entry)
        return _open_window(given.files)
    except EditorError as error:
        complain(str(error))
        return WRONG_ARGUMENTS


def _window_parser() -> argparse.ArgumentParser:
    parser = cli.make_parser(
        prog="attune",
        description="Opens the window. Commands: " + ", ".join(cli.COMMANDS) + "; see attune COMMAND --help.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="pictures and projects to open")
    parser.add_argument("--install-desktop-entry", action="store_true", help="put Attune into the start menu")
    parser.add_argument("--remove-desktop-entry", action="store_true", help="take it out again")
    parser.add_argument("--version", action="store_true", help="print the version")
    return parser


def _print_version() -> int:
    from editor.formats.provenance import version

    say(f"attune {version()}")
    return DONE


def _desktop_entry(*, install: bool) -> int:
    from editor.system import desktop

    for line in desktop.install() if install else desktop.remove():
        say(line)
    return DONE


def _open_window(files: list[Path]) -> int:
    from editor.system import display

    problem = display.problem()
    if problem:
        complain(str(problem))
        return WRONG_ARGUMENTS
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from editor.system.signals import SignalWatch
    from widgets.window.window_keeper import WindowKeeper

    qt = QApplication(sys.argv[:1])
    qt.setApplicationName("attune")
    qt.setApplicationDisplayName("Attune")
    qt.setDesktopFileName("org.attune.Attune")
    application = make_application()
    _install_hook(application)
    keeper = WindowKeeper(application)
    keeper.window.show()
    watch = SignalWatch(lambda number: qt.exit(128 + number), application)
    # after the first paint: opening files and loading the model take what the window does not need
    QTimer.singleShot(0, application, lambda: application.start(files))
    try:
        return qt.exec()
    finally:
        application.shutdown()
        watch.close()


def make_application() -> Application:
    """The application with the user's settings, models and deltas."""
    from functools import partial

    from editor.application import Application
    from editor.system.folders import config_folder, deltas_folder
    from editor.system.settings import Settings
    from inference.deltas import DeltaLibrary
    from inference.models import Catalogue
    from inference.runner import make_runner
    from inference.service import InferenceService

    settings = Settings()
    folders = (config_folder(), deltas_folder())
    device, dtype = settings.get("device"), settings.get("dtype")
    service = InferenceService(partial(make_runner, *folders, device=device, dtype=dtype))
    return Application(settings, service, Catalogue(folders[0]), DeltaLibrary.standard(folders[1]))


def _install_hook(application: Application) -> None:
    from editor.system.errors import install_exception_hook
    from editor.words.said import said

    install_exception_hook(lambda text, hint: application.message.emit(said(text), said(hint), "error"))


if __name__ == "__main__":
    run()
