"""Opens files in a process of its own, with limits on time and memory, and tells how each went.

    python -m tests.helpers.opening_worker MEMORY_BYTES

reads paths from standard input, one a line, and answers each with one line of JSON.
"""

import json
import os
import queue
import resource
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from editor.formats import Opened

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "shutil.move")


@dataclass(frozen=True)
class Outcome:
    """`kind` is "document", "error" (one for people), "defect", "crash", "hang" or "write"."""

    kind: str
    details: str = ""
    peak_bytes: int = 0


class Worker:
    """One process; a new one is started after it died or was stopped."""

    def __init__(self, memory_bytes: int, seconds: float) -> None:
        self._memory_bytes = memory_bytes
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def open(self, path: Path) -> Outcome:
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            line = self._answer(process.pid)
        except queue.Empty:
            self.close()
            return Outcome("hang", f"longer than {self._seconds} s")
        except BrokenPipeError:
            line = ""
        if not line:
            code = process.wait()
            self.close()
            return Outcome("crash", f"exit status {code}")
        return Outcome(**json.loads(line))

    def _answer(self, pid: int) -> str:
        """The next line; the limit counts the process's own time, the wall's only after ten times as long."""
        start = _processor_seconds(pid)
        for _ in range(10):
            try:
                return self._lines.get(timeout=self._seconds)
            except queue.Empty:
                if _processor_seconds(pid) - start >= self._seconds:
                    break
        raise queue.Empty

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            command = [sys.executable, "-m", "tests.helpers.opening_worker", str(self._memory_bytes)]
            environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
            self._lines = queue.Queue()
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                env=environment,
            )  # fmt: skip
            threading.Thread(target=_forward, args=(self._process, self._lines), daemon=True).start()
            self._lines.get(timeout=120)  # it is ready
        return self._process


def _forward(process: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            lines.put(line)
    except ValueError:  # closed meanwhile
        return
    lines.put("")


def _processor_seconds(pid: int) -> float:
    """What a process has computed so far; infinite where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("inf")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def opened(path: Path) -> Outcome:
    """What opening does, in this process, and getting ready what an export would say."""
    from editor.document.state_json import source_from_json, source_to_json
    from editor.formats.files import open_file
    from editor.rendering.compositing import composite
    from inference.errors import EditorError

    try:
        found = open_file(path)
        state = found.state
        assert state.width * state.height > 0, "a document without pixels"
        assert state.find(state.active) is not None, "no layer is active"
        if state.width * state.height <= 10**6:
            composite(state.layers, state.area)
            _say_all(found)
        assert source_from_json(source_to_json(found.source)) == found.source, "a project would lose some"
    except EditorError as error:
        return Outcome("error" if len(error.message) > 10 else "defect", error.message)
    except Exception:  # noqa: BLE001 - all that is not foreseen is a defect
        return Outcome("defect", traceback.format_exc())
    return Outcome("document")


def _say_all(found: "Opened") -> None:
    """Everything beside the pixels, for every format, with and without the place."""
    from editor.document.export_options import ExportOptions
    from editor.formats.carried import words_of
    from editor.formats.information import facts_of
    from editor.formats.losses import what_would_be_lost
    from editor.formats.metadata import exif, xmp
    from editor.formats.picture import Picture

    facts_of(found.state, found.source)
    picture = Picture(state=found.state, source=found.source)
    for kind in ("png", "jpeg", "webp", "tiff", "avif"):
        for location in (True, False):
            options = ExportOptions(location=location)
            words = words_of(picture, options, kind)
            what_would_be_lost(found.source, kind, options)
            if words.exif is not None:
                assert len(exif.fitted(words.exif, exif.LARGEST_JPEG_BYTES, [])) <= exif.LARGEST_JPEG_BYTES
            xmp.in_parts(words.xmp, words.own_xmp, 1000)


def main() -> None:

    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    written: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in CHANGES or (event == "open" and int(arguments[2] or 0) & WRITING):
            written.append(f"{event} {arguments[:2]}")

    sys.addaudithook(hook)
    print("ready", flush=True)
    for line in sys.stdin:
        written.clear()
        outcome = opened(Path(line.rstrip("\n")))
        if written:
            outcome = Outcome("write", "; ".join(written))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"kind": outcome.kind, "details": outcome.details, "peak_bytes": peak}), flush=True)


if __name__ == "__main__":
    main()
