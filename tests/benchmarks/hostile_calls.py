"""Some 470 calls of the command line with hostile arguments, files, places and moments.

    python -m tests.benchmarks.hostile_calls            # this tree
    python -m tests.benchmarks.hostile_calls --program /path/of/another/tree
    python -m tests.benchmarks.hostile_calls --only json --verbose

A call is wrong when it ends with a traceback, by a signal, not at all, with an escape sequence in its output,
or, with --json, without one JSON object on standard output. Exit status 1 if any is.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers import hostile_files
from tests.helpers.corpus import corpus

LIMIT_S = 240.0
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
PNG = ["-o", "out.png"]
ODD_NAME = "\x1b[2J\udcff\u202e"


@dataclass(frozen=True)
class Call:
    """One call; `stdout`: "pipe", "full" (/dev/full), "closed", "gone" (a pipe that nobody reads)."""

    group: str
    arguments: list[str]
    stdout: str = "pipe"
    stderr: str = "pipe"
    stdin: str = "null"
    interrupt_s: float | None = None
    deleted_folder: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        told = [
            f"{name}={getattr(self, name)}" for name in ("stdout", "stderr") if getattr(self, name) != "pipe"
        ]
        told += [f"after {self.interrupt_s} s"] * (self.interrupt_s is not None)
        told += ["in a deleted folder"] * self.deleted_folder + [
            f"{k}={v}" for k, v in self.environment.items()
        ]
        shown = " ".join(ascii(argument)[1:-1][:70] for argument in self.arguments)
        return f"{self.group}: {shown} {' '.join(told)}".strip()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        calls = [call for call in all_calls(Path(folder)) if chosen.only in call.name]
        for number, call in enumerate(calls):
            home = Path(folder) / "homes" / str(number)
            found = faults(call, chosen.program, home)
            wrong.update(found)
            if found or chosen.verbose:
                print(f"{', '.join(found) or 'right'}: {call.name}", flush=True)
            shutil.rmtree(home, ignore_errors=True)
    print(
        f"{len(calls)} calls; "
        + (", ".join(f"{count} {name}" for name, count in wrong.items()) or "all right")
    )
    return 1 if set(wrong) - {"traceback of Python's start"} else 0


def faults(call: Call, program: Path, home: Path) -> list[str]:
    """What is wrong with how this call ended."""
    status, out, err = run(call, program, home)
    found = []
    if b"Traceback (most recent call last)" in out + err or b"Exception ignored" in err:
        # Python's own start can be interrupted as well, before there is anything of ours
        ours = call.interrupt_s is None or str(program).encode() in err
        found.append("traceback" if ours else "traceback of Python's start")
    if status is None:
        found.append("hangs")
    elif status < 0 and not (call.interrupt_s is not None and status == -signal.SIGINT):
        found.append("signal")
    if _CONTROL.search(out + err):
        found.append("escape")
    wants_json = "--json" in call.arguments and call.arguments[0] != "evaluate" and call.stdout == "pipe"
    if wants_json and status is not None and call.interrupt_s is None:
        try:
            if not isinstance(json.loads(out), dict):
                raise ValueError
        except ValueError:
            found.append("no JSON")
    return found


def run(call: Call, program: Path, home: Path) -> tuple[int | None, bytes, bytes]:
    """Exit status (None: ended by force after LIMIT_S), standard output and standard error."""
    work = home / "work"
    work.mkdir(parents=True)
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    hostile_files.settle(home, call.group)
    environment = {
        **os.environ,
        **folders,
        "HOME": str(home),
        "PYTHONPATH": str(program),
        "HF_HUB_OFFLINE": "1",
    }
    environment |= {"QT_QPA_PLATFORM": "minimal:none", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {k: v for k, v in {**environment, **call.environment}.items() if k not in call.unset}
    environment.pop("DISPLAY", None)
    environment.pop("WAYLAND_DISPLAY", None)
    if "QT_QPA_PLATFORM" not in call.environment:
        del environment["QT_QPA_PLATFORM"]
    command = [sys.executable, "-m", "editor", *call.arguments]
    if call.deleted_folder:
        command = ["sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", *command]
    streams, close = _streams(call)
    process = subprocess.Popen(command, cwd=work, env=environment, **streams, preexec_fn=close)
    if call.interrupt_s is not None:
        time.sleep(call.interrupt_s)
        process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=LIMIT_S)
        return process.returncode, out or b"", err or b""
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        return None, out or b"", err or b""


def _streams(call: Call) -> tuple[dict[str, object], object]:
    closed = [
        number
        for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr"))
        if getattr(call, name) == "closed"
    ]
    given: dict[str, object] = {"stdin": subprocess.DEVNULL}
    for name in ("stdout", "stderr"):
        kind = getattr(call, name)
        given[name] = subprocess.PIPE
        if kind == "full":
            given[name] = os.open("/dev/full", os.O_WRONLY)
        elif kind == "gone":
            reader, writer = os.pipe()
            os.close(reader)
            given[name] = writer
    return given, (lambda: [os.close(number) for number in closed]) if closed else None


def all_calls(folder: Path) -> Iterator[Call]:
    """Every call; what they read is made in `folder`."""
    yield from _of_files(hostile_files.make(folder / "files"))
    yield from _of_words()
    yield from _of_numbers()
    yield from _of_places(folder)
    yield from _of_convert(folder)
    yield from _of_streams()
    yield from _of_surroundings()


def _of_files(made: hostile_files.Made) -> Iterator[Call]:
    for path in made.checkpoints:
        yield Call("checkpoint", ["models", "check", str(path)])
        yield Call("checkpoint json", ["models", "add", str(path), "--json"])
    for path in made.models:
        yield Call("model folder", ["models", "check", str(path)])
    for path in made.models[::3]:
        yield Call("model folder json", ["models", "check", "--json", str(path)])
    for path in made.deltas:
        yield Call("delta", ["deltas", "import", str(path)])
    for path in made.definitions:
        yield Call("definition", ["learn-delta", "--definition", str(path), "-o", "d.safetensors"])
    for name in hostile_files.LISTS:
        yield Call(f"list {name}", ["models", "list"])
        yield Call(f"list {name} json", ["models", "remove", "nothing", "--json"])
    yield Call("user's deltas", ["deltas", "list"])
    yield Call("user's deltas json", ["deltas", "list", "--json"])


def _of_words() -> Iterator[Call]:
    for words in (
        ["frobnicate"],
        ["frobnicate", "--json"],
        ["-"],
        ["--"],
        [""],
        ["--frobnicate"],
        ["-x"],
        ["models"],
        ["models", "frobnicate"],
        ["models", "frobnicate", "--json"],
        ["deltas"],
        ["deltas", "export", "nothing"],
        ["deltas", "export", "nothing", "--json"],
        ["deltas", "export", ""],
        ["deltas", "import", "absent.pt"],
        ["deltas", "import", "."],
        ["deltas", "import", "/dev/null"],
        ["generate"],
        ["generate", "--json"],
        ["refine", "--prompt", "a cat", *PNG],
        ["refine", "--prompt", "a cat", "--subjects", "dog", *PNG],
        ["evaluate", "frobnicate", "--json", "r.json"],
        ["evaluate"],
        ["models", "check"],
        ["models", "remove", ""],
        ["choose-step", "--record", "/nowhere/r.json"],
        ["absent.png"],
        ["/proc/self/mem"],
        ["a\x1b]0;title\x07b"],
        ["models", "check", "a\x1b[2Jb"],
        ["generate", "--prompt", "x", "-o", "a\x1b[2Jb"],
        ["\udcff.png"],
        ["models", "check", "\udcff"],
        ["models", "add", "x" * 5000],
        ["models", "add", "x/" * 3000],
    ):
        yield Call("words", words)
    for model in (
        "-",
        "",
        ".",
        "/",
        "~",
        "~nobody/x",
        "../../..",
        "x" * 5000,
        "a\x1b[31mb",
        "someone/absent",
        "\udcff",
    ):
        yield Call("model", ["deltas", "list", "--model", model])
        yield Call("model json", ["models", "check", "--json", "--", model])
    yield Call("model", ["generate", "--prompt", "a man", "--model", "-", *PNG])
    yield Call("model json", ["generate", "--prompt", "a man", "--model", "-", "--json", *PNG])


def _of_numbers() -> Iterator[Call]:
    generate = ["generate", "--prompt", "a man", *PNG]
    for numbers in (
        ["--steps", "1000"],
        ["--steps", "0"],
        ["--steps", "-1"],
        ["--steps", "1e3"],
        ["--steps", "nan"],
        ["--steps", "9" * 5000],
        ["--seed", "-1"],
        ["--seed", str(2**40)],
        ["--width", "7"],
        ["--width", "9999"],
        ["--height", "0"],
        ["--guidance-scale", "nan"],
        ["--guidance-scale", "inf"],
        ["--guidance-scale", "1e300"],
        ["--sampler", "frobnicate"],
        ["--device", "frobnicate"],
        ["--dtype", "int4"],
    ):
        yield Call("numbers", [*generate, *numbers])
        if numbers[0] != "--steps" or numbers[1] != "1000":
            yield Call("numbers json", [*generate, *numbers, "--json"])
    for edit in (
        "man:age=nan",
        "man:age=inf",
        "man:age=-inf",
        "man:age=1e300",
        "man:age=",
        "man:age",
        "man",
        "",
        ":age=1",
        "man:=1",
        "man#0:age=1",
        "man#99999999999999999999:age=1",
        "🌊:age=1",
        "\udcff:age=1",
        "m\x1b[2Jn:age=1",
        "man:age=1=2",
        "man:a:b=1",
    ):
        yield Call("edits", ["attribute", "--prompt", "a man", "--set", edit, *PNG])
    for prompt in ("", "   ", "\udcff"):
        yield Call("prompts", ["generate", "--prompt", prompt, *PNG])


def _of_places(folder: Path) -> Iterator[Call]:
    pipe, to_full = folder / "pipe.png", folder / "full.png"
    os.mkfifo(pipe)
    to_full.symlink_to("/dev/full")
    # a program that replaces devices would do so to this machine's if it were root
    devices = [] if os.geteuid() == 0 else ["/dev/full", str(to_full)]
    for place in (
        *devices,
        "/proc/x.png",
        "/",
        ".",
        "",
        "-",
        "absent/out.png",
        "x" * 300 + ".png",
        "out",
        "out.xyz",
        "out.png/",
        str(pipe),
        "\udcff.xyz",
    ):
        yield Call("places", ["generate", "--prompt", "a man", "--steps", "2", "-o", place])
    for place in ("/proc/x.safetensors", "/", *devices, "x" * 300 + ".safetensors"):
        yield Call("places", ["deltas", "export", "mini-sd1/person-age", "-o", place])
        yield Call("places json", ["deltas", "export", "mini-sd1/person-age", "--json", "-o", place])


def _of_convert(folder: Path) -> Iterator[Call]:
    whole = folder / "whole.jpg"
    files = corpus()
    whole.write_bytes(files["jpeg"][0])
    for name, found in files.items():
        for index, data in enumerate(found[:2]):
            cut, odd = folder / f"cut-{name}-{index}", folder / f"{ODD_NAME}-{name}-{index}"
            cut.write_bytes(data[: len(data) // 2])
            odd.write_bytes(data)
            yield Call("convert", ["convert", str(cut), *PNG])
            yield Call("convert json", ["convert", str(odd), "--json", *PNG])
    for given in (
        ["absent.png", *PNG],
        [str(folder), *PNG],
        ["/dev/null", *PNG],
        [*PNG],
        [str(whole)],
        [str(whole), "-o", str(whole)],
        [str(whole), str(whole), "-o", "."],
        [str(whole), "-o", "x" * 300 + ".png"],
        [str(whole), "-o", "absent/out.png"],
        [str(whole), "-o", "/proc/x.png"],
        [str(whole), "-o", "out.ora", "--depth", "8"],
        [str(whole), "--quality", "nan", *PNG],
        [str(whole), "--quality", "1e300", *PNG],
        [str(whole), "--width", "300000", "--height", "300000", *PNG],
        [str(whole), "--percent", "nan", *PNG],
        [str(whole), "--percent", "inf", *PNG],
        [str(whole), "--format", "../x", *PNG],
        [str(whole), "--format", "\x1b[2J", *PNG],
    ):
        yield Call("convert", ["convert", *given])
        yield Call("convert json", ["convert", "--json", *given])
    yield Call("convert", ["convert", str(whole), "--json", *PNG], stdout="full")
    yield Call("convert", ["convert", str(whole), *PNG], stderr="closed")
    yield Call("convert", ["convert", str(whole), *PNG], deleted_folder=True)


def _of_streams() -> Iterator[Call]:
    short = (
        ["--version"],
        ["--help"],
        ["models", "list"],
        ["models", "list", "--json"],
        ["deltas", "list"],
        ["models", "check", "nothing"],
    )
    for arguments in short:
        for stream in ("full", "closed", "gone"):
            yield Call("streams", arguments, stdout=stream)
        yield Call("streams", arguments, stderr="closed")
    yield Call("streams", ["models", "check", "nothing"], stderr="full")
    yield Call("streams", ["models", "check", "nothing"], stderr="gone")
    yield Call("streams", ["models", "list"], stdin="closed")
    for arguments in (["models", "list"], ["deltas", "list"], ["generate", "--prompt", "a man", *PNG]):
        for moment in (0.01, 0.03, 0.06, 0.1, 0.15, 0.2):
            yield Call("interrupted", arguments, interrupt_s=moment)
    yield Call("interrupted", ["generate", "--prompt", "a man", "--steps", "500", *PNG], interrupt_s=4.0)


def _of_surroundings() -> Iterator[Call]:
    for arguments in (
        ["--version"],
        ["models", "list"],
        ["deltas", "list", "--json"],
        ["deltas", "export", "mini-sd1/person-age"],
        ["models", "add", "x"],
        ["x.png"],
    ):
        yield Call("deleted folder", arguments, deleted_folder=True)
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HF_HOME"):
        for arguments in (["models", "list"], ["deltas", "list", "--json"]):
            yield Call("surroundings", arguments, environment={variable: "/dev/null/x"})
    for encoding in ("cp1252", "ascii"):
        for arguments in (
            ["models", "list"],
            ["models", "list", "--json"],
            ["models", "check", "日本"],
            ["--help"],
        ):
            yield Call("surroundings foreign", arguments, environment={"PYTHONIOENCODING": encoding})
    yield Call("surroundings", ["models", "list"], unset=("HOME", "XDG_CONFIG_HOME"))
    yield Call("surroundings", ["models", "list"], environment={"LC_ALL": "C", "PYTHONUTF8": "0"})
    yield Call("surroundings", ["--help"], environment={"COLUMNS": "0"})
    source = str(Path(__file__).parents[2] / "resources" / "models" / "mini-sd1")
    for home in ("/dev/null/x", "/proc"):
        yield Call("unwritable", ["models", "add", source, "--json"], environment={"XDG_CONFIG_HOME": home})
        delta = str(Path(__file__).parents[2] / "deltas" / "mini-sd1" / "person-age.safetensors")
        yield Call("unwritable", ["deltas", "import", delta, "--json"], environment={"XDG_DATA_HOME": home})


if __name__ == "__main__":
    sys.exit(main())
