"""The command line with a stand-in for the runner; the real one is in the end-to-end tests."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editor.__main__ import main
from editor.cli import operations as cli_commands
from editor.cli import parser as cli
from editor.cli.operations import parsed_edit
from editor.cli.output import ProgressPrinter, ScanPrinter
from editor.colour.conversion import built_in_profile, same_colours
from editor.formats import ExportOptions, format_for_reading
from editor.formats.files import export_picture, open_file
from editor.formats.preparing import scaled
from editor.layers.layer import Layer
from editor.layers.state import DocumentState, SourceMetadata
from editor.pixels.raster import Raster, frozen
from inference.errors import EditorError
from inference.operations import OPERATIONS, Edit, SubjectEdit
from inference.progress import Progress, Step
from inference.request import Request, Result
from inference.sizes import enlarged

PROMPT = "a photo of a man and another man"


class FakeRunner:
    """Paints grey, resolves the steps, and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.error: BaseException | None = None
        self.draw: Callable[[Any], Any] | None = None  # from the only picture that it is given
        self.maps: dict[str, Any] = {}

    def run(self, request: Request, inputs: dict[str, Any], progress: Progress) -> Result:
        if self.error is not None:
            raise self.error
        self.requests.append(request)
        with progress.phase("sample"):
            progress.step(1, 2)
            progress.step(2, 2)
        progress.measured.denoiser_evaluations = 60
        resolved = replace(request, parameters=replace(request.parameters, steps=30), model_hash="abc")
        image = np.full((8, 8, 3), 90, np.uint8)
        if self.draw is not None:
            image = self.draw(next(iter(inputs.values())))
        return Result(request=resolved, images=(image,), maps=self.maps, measured=progress.measured)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> FakeRunner:
    made = FakeRunner()
    monkeypatch.setattr(cli_commands, "runner_of", lambda arguments: made)
    return made


class TestOperations:
    def test_generate_writes_a_picture_that_opens_again(self, runner: FakeRunner, tmp_path: Path) -> None:
        out = tmp_path / "out.png"
        assert main(["generate", "--prompt", "a cat", "--seed", "5", "-o", str(out)]) == 0
        layer = format_for_reading(out).codec.read(out).state.layers[0]
        assert layer.recipe is not None
        assert (layer.recipe.prompt, layer.recipe.seed) == ("a cat", 5)

    def test_attribute_reads_subjects_attributes_and_values(self, runner: FakeRunner, tmp_path: Path) -> None:
        out = tmp_path / "out.webp"
        status = main(
            ["attribute", "--prompt", PROMPT, "--set", "man:age=1.5", "--set", "man#2:smile=-1",
             "--delay", "0.3", "-o", str(out)]
        )  # fmt: skip
        assert status == 0
        (request,) = runner.requests
        assert request.operation == "attribute"
        assert request.parameters.to_json()["edits"] == [
            {"start": 13, "end": 16, "attribute": "age", "value": 1.5, "delta": None},
            {"start": 29, "end": 32, "attribute": "smile", "value": -1.0, "delta": None},
        ]
        assert request.parameters.to_json()["delay"] == 0.3
        recipe = format_for_reading(out).codec.read(out).state.layers[0].recipe
        assert recipe is not None
        assert [subject.text for subject in recipe.subjects] == ["man", "man"]

    def test_json_is_one_object_with_everything(
        self, runner: FakeRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out.png"
        main(["generate", "--prompt", "a cat", "-o", str(out), "--json"])
        captured = capsys.readouterr()
        values = json.loads(captured.out)
        assert captured.err == ""
        assert set(values["parameters"]) == {
            item.name for item in OPERATIONS["generate"].parameters.declared()
        }
        assert values["parameters"]["steps"] == 30
        assert values["outputs"] == [str(out)]
        seconds = values["seconds"]
        assert set(seconds) == {"sample", "other", "total"}
        assert seconds["sample"] + seconds["other"] == pytest.approx(
            max(seconds["total"], seconds["sample"]), abs=2e-4
        )
        assert (values["denoiser_evaluations"], values["backward_evaluations"]) == (60, 0)
        assert values["peak_memory_bytes"] >= 0
        assert (values["model"], values["model_hash"]) == ("mini-sdxl", "abc")

    def test_progress_goes_to_standard_error(
        self, runner: FakeRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(["generate", "--prompt", "a cat", "-o", str(tmp_path / "out.png")])
        captured = capsys.readouterr()
        assert "Sampling: 1 of 2" in captured.err
        assert "out.png" in captured.out

    @pytest.mark.parametrize("operation", [item for item in OPERATIONS.values() if item.interactive])
    def test_every_parameter_is_a_flag(self, operation: Any, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as stopped:
            main([operation.name, "--help"])
        text = capsys.readouterr().out
        assert stopped.value.code == 0
        for declared in operation.parameters.declared():
            is_flag = not declared.declaration.hidden or declared.name == "subjects"
            assert (cli.flag(declared) in text) is is_flag

    def test_a_file_that_is_left_out_is_nobodys(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["insert", "--help"])
        about = " ".join(capsys.readouterr().out.split())
        assert "--mask MASK Area --source-prompt TEXT" in about
        assert "Steps (1 to 999), default: the model's own" in about

    def test_an_interruption_is_130_and_leaves_nothing(self, runner: FakeRunner, tmp_path: Path) -> None:
        runner.error = KeyboardInterrupt()
        assert main(["generate", "--prompt", "a cat", "-o", str(tmp_path / "out.png")]) == 130
        assert list(tmp_path.iterdir()) == []


class TestBadInput:
    def test_sentences_that_make_no_change_are_told_before_a_model_is_loaded(
        self, runner: FakeRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        photo = tmp_path / "photo.png"
        Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save(photo)
        asked = ["insert", "--image", str(photo), "-o", str(tmp_path / "out.png"), "--prompt", "a man"]
        assert main([*asked, "--source-prompt", "a man"]) == 2
        assert "say the same" in capsys.readouterr().err
        assert not runner.requests

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--prompt", " "], "prompt is empty"),
            (["--prompt", "a cat", "--steps", "0"], "Steps is 0: allowed is 1 to 999"),
            (["--prompt", "a cat", "--steps", "many"], "invalid int value"),
            (["--prompt", "a cat", "--sampler", "magic"], "choose from"),
            (["--prompt", "a cat", "--wings", "2"], "unrecognized arguments: --wings"),
            ([], "required: --prompt"),
        ],
    )
    def test_is_one_sentence_and_status_2(
        self,
        runner: FakeRunner,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        message: str,
    ) -> None:
        assert status_of(["generate", *arguments, "-o", str(tmp_path / "out.png")]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert len(captured.err.splitlines()) == 1
        assert captured.out == ""
        assert runner.requests == []

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("dog:age=1", "“dog” is not in the prompt. The prompt's words are: a, photo"),
            ("man#3:age=1", "“man” number 3"),
            ("man:age=old", "“man:age=old” cannot be read"),
            ("man=1", "cannot be read"),
            (":age=1", "cannot be read"),
            ("man:=1", "cannot be read"),
        ],
    )
    def test_edits_name_what_was_given_and_what_there_is(self, given: str, message: str) -> None:
        with pytest.raises(EditorError) as raised:
            parsed_edit(given, PROMPT)
        assert message in str(raised.value)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (["attribute", "--set", "man:age=1", "--set", "man#1:Age=2"], "“Age” of “man” is set twice"),
            (["refine", "--subjects", "man", "man#2", "man#1"], "The subject “man” is named twice"),
        ],
    )
    def test_what_is_said_twice_is_refused(
        self,
        runner: FakeRunner,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        given: list[str],
        message: str,
    ) -> None:
        assert main([*given, "--prompt", PROMPT, "-o", str(tmp_path / "out.png")]) == 2
        assert message in capsys.readouterr().err
        assert not runner.requests

    @pytest.mark.parametrize("command", ["redraw", "enlarge"])
    def test_what_comes_of_a_file_keeps_its_depth_colours_and_metadata(
        self, runner: FakeRunner, tmp_path: Path, command: str
    ) -> None:
        times = 2 if command == "enlarge" else 1
        samples = np.random.default_rng(0).integers(0, 65536, (12, 16, 4), np.uint16)
        samples[..., 3] = 65535
        profile = built_in_profile("display-p3")
        state = DocumentState.of_layer(Layer(name="photo", raster=Raster.of(samples)))
        state = replace(state, icc_profile=profile, dpi=(150.0, 150.0))
        exif = Image.Exif()
        exif[0x010F] = "Camera"
        source = SourceMetadata(exif=exif.tobytes()[6:])
        export_picture(state, source, tmp_path / "in.png", ExportOptions())

        def drawn(pixels: Any) -> Any:
            found = enlarged(pixels, times).copy()
            found[4:6, 4:6, 0] ^= 8
            return found

        runner.draw = drawn
        given = [command, "--image", str(tmp_path / "in.png"), "--prompt", PROMPT]
        assert main([*given, "-o", str(tmp_path / "out.png")]) == 0
        opened = open_file(tmp_path / "out.png")
        assert opened.state.depth == 16
        assert same_colours(opened.state.icc_profile, profile)
        assert opened.state.dpi == pytest.approx((150.0 * times, 150.0 * times), rel=1e-3)
        assert b"Camera" in opened.source.exif
        (layer,) = opened.state.rasters()
        assert layer.recipe is not None
        assert layer.recipe.request.operation == command
        expected = scaled(frozen(samples), 16 * times, 12 * times, "lanczos")
        changed = (layer.raster.array() != expected).any(-1)
        assert changed[4:6, 4:6].all()
        assert changed.sum() == 4

    def test_outside_of_its_subject_an_edited_file_stays_to_the_last_bit(
        self, runner: FakeRunner, tmp_path: Path
    ) -> None:
        samples = np.random.default_rng(0).integers(0, 65536, (64, 96, 4), np.uint16)
        samples[..., 3] = 65535
        state = DocumentState.of_layer(Layer(name="photo", raster=Raster.of(samples)))
        export_picture(state, SourceMetadata(), tmp_path / "in.tif", ExportOptions(format="tiff"))
        runner.draw = lambda pixels: 255 - pixels
        runner.maps = {"mask/0-3": np.pad(np.ones((4, 1), np.float32), ((2, 2), (1, 10)))}
        given = ["edit", "--image", str(tmp_path / "in.tif"), "--prompt", "man", "--set", "man:age=1"]
        assert main([*given, "-o", str(tmp_path / "out.tif")]) == 0
        (layer,) = open_file(tmp_path / "out.tif").state.rasters()
        changed = (layer.raster.array() != samples).any(-1)
        assert changed[16:48, 8:16].all()
        assert not changed[:, 48:].any()

    @pytest.mark.parametrize("name", ["out.xyz", "nowhere/out.png", "."])
    def test_a_useless_output_is_refused_before_the_work(
        self, runner: FakeRunner, tmp_path: Path, name: str
    ) -> None:
        assert main(["generate", "--prompt", "a cat", "-o", str(tmp_path / name)]) == 2
        assert runner.requests == []

    def test_values_that_a_picture_does_not_take_are_refused(
        self, runner: FakeRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Image.new("RGB", (16, 16)).save(tmp_path / "in.png")
        arguments = [
            "attribute",
            "--image",
            str(tmp_path / "in.png"),
            "--prompt",
            PROMPT,
            "--set",
            "man:age=1",
        ]
        assert main([*arguments, "--width", "64", "-o", str(tmp_path / "out.png")]) == 2
        assert "--width says nothing together with --image" in capsys.readouterr().err
        assert not runner.requests

    @pytest.mark.parametrize("command", ["attribute", "edit"])
    def test_a_picture_given_is_edited(self, runner: FakeRunner, tmp_path: Path, command: str) -> None:
        Image.new("RGB", (24, 16)).save(tmp_path / "in.png")
        arguments = [command, "--image", str(tmp_path / "in.png"), "--prompt", PROMPT, "--set", "man:age=1"]
        assert main([*arguments, "--no-only-subject", "-o", str(tmp_path / "out.png")]) == 0
        (request,) = runner.requests
        assert request.operation == "edit"
        parameters = request.parameters
        assert isinstance(parameters, Edit)
        assert [edit.value for edit in parameters.edits] == [1.0]
        assert not parameters.only_subject

    @pytest.mark.parametrize(
        ("command", "name"), [("edit", "in.png"), ("attribute", "link.png"), ("redraw", "in.png")]
    )
    def test_a_result_never_replaces_what_it_is_made_from(
        self, runner: FakeRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
    ) -> None:
        Image.new("RGB", (16, 16)).save(tmp_path / "in.png")
        (tmp_path / "link.png").symlink_to(tmp_path / "in.png")
        before = (tmp_path / "in.png").read_bytes()
        edits = [] if command == "redraw" else ["--set", "man:age=1"]
        given = [command, "--image", str(tmp_path / "in.png"), "--prompt", PROMPT, *edits]
        assert main([*given, "-o", str(tmp_path / name)]) == 2
        assert "is what the result is made from" in capsys.readouterr().err
        assert not runner.requests
        assert (tmp_path / "in.png").read_bytes() == before

    def test_what_the_runner_refuses_is_status_2(
        self, runner: FakeRunner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        runner.error = EditorError("There is no model “x”.", "There are: mini-sdxl.")
        assert main(["generate", "--prompt", "a cat", "-o", str(tmp_path / "out.png")]) == 2
        assert capsys.readouterr().err == "attune: There is no model “x”. There are: mini-sdxl.\n"

    def test_a_full_disk_is_status_1(
        self, runner: FakeRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        assert main(["generate", "--prompt", "a cat", "-o", str(tmp_path / "out.png")]) == 1
        assert list(tmp_path.iterdir()) == []


def status_of(arguments: list[str]) -> int:
    """The exit status, whether returned or raised by argparse."""
    try:
        return main(arguments)
    except SystemExit as stopped:
        return int(stopped.code or 0)


@pytest.mark.parametrize(
    ("given", "edit"),
    [
        ("man:age=1.5", SubjectEdit(start=13, end=16, attribute="age", value=1.5)),
        ("another man:hair-length=-2", SubjectEdit(start=21, end=32, attribute="hair-length", value=-2.0)),
        ("Man#2:age=+0.5", SubjectEdit(start=29, end=32, attribute="age", value=0.5)),
    ],
)
def test_edits(given: str, edit: SubjectEdit) -> None:
    assert parsed_edit(given, PROMPT) == edit


class TestProgressPrinter:
    def steps(self, stream: io.StringIO, *, quiet: bool = False) -> str:
        printer = ProgressPrinter(stream, quiet=quiet)
        for done in (1, 2, 3):
            printer(Step(phase="sample", done=done, total=3))
        printer(Step(phase="decode", done=1, total=1))
        printer.close()
        return stream.getvalue()

    def test_a_line_per_phase_in_a_log(self) -> None:
        assert self.steps(io.StringIO()) == "Sampling: 1 of 3\nDecoding: 1 of 1\n"

    def test_nothing_when_quiet(self) -> None:
        assert self.steps(io.StringIO(), quiet=True) == ""

    def test_a_bar_on_a_terminal_also_when_quiet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
        text = self.steps(stream, quiet=True)
        assert "3/3" in text
        assert text.endswith("\r\x1b[K")


class TestLibraries:
    def test_models_and_deltas_are_listed(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["models", "list", "--json"]) == 0
        models = json.loads(capsys.readouterr().out)["models"]
        assert all({"name", "family", "path", "sandbox", "size_bytes"} <= set(item) for item in models)
        assert main(["deltas", "list"]) == 0
        assert "person-age" in capsys.readouterr().out

    def test_what_is_unknown_is_said(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        for arguments in (
            ["models", "check", "nothing"],
            ["models", "remove", "nothing"],
            ["models", "add", str(tmp_path)],
            ["deltas", "export", "nothing"],
            ["deltas", "import", str(tmp_path / "none.pt")],
            ["deltas", "list", "--model", "nothing"],
        ):
            assert main(arguments) == 2, arguments
            assert len(capsys.readouterr().err.splitlines()) == 1

    def test_evaluate_hands_over_what_was_asked(
        self,
        runner: FakeRunner,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        asked: dict[str, Any] = {}

        def evaluate(**given: Any) -> dict[str, Any]:
            asked.update(given)
            return {"summary": {"spearman": 1.0}}

        monkeypatch.setattr("inference.evaluation.attribute.evaluate_attribute", evaluate)
        out = tmp_path / "figures.json"
        assert main(["evaluate", "attribute", "--json", str(out), "--pairs", "3", "--attributes", "age"]) == 0
        assert (asked["model"], asked["pairs"], asked["json_path"]) == ("mini-sdxl", 3, out)
        assert json.loads(capsys.readouterr().out) == {"spearman": 1.0}

    def test_an_unknown_suite_names_those_there_are(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["evaluate", "speed", "--json", str(tmp_path / "figures.json")]) == 2
        assert (
            "There are: attribute, concept, insert, leakage, picture, refine, translate, two."
            in capsys.readouterr().err
        )


class TestMain:
    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        assert capsys.readouterr().out.startswith("attune ")

    def test_without_a_display(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("sys.platform", "linux")
        assert main([]) == 2
        captured = capsys.readouterr()
        assert "attune generate --prompt" in captured.err
        assert len(captured.err.splitlines()) == 1

    def test_a_command_s_name_is_a_command_and_a_file_is_a_file(self) -> None:
        assert cli.is_command(["generate", "--help"])
        assert not cli.is_command(["./generate"])
        assert not cli.is_command([])
        assert not cli.is_command(["picture.png"])


class TestImports:
    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    def test_the_command_line_works_where_qt_cannot_be_loaded(self, tmp_path: Path) -> None:
        found = self.run(
            "import sys; sys.modules['PySide6'] = None\n"
            "from editor.__main__ import main\n"
            "import editor.cli.operations, editor.cli.library\n"
            "import inference.evaluation.attribute, editor.formats.openraster\n"
            "sys.exit(main(['models', 'list']))"
        )
        assert found.returncode == 0, found.stderr

    def test_parsing_loads_nothing_large(self) -> None:
        found = self.run(
            "import sys\nfrom editor.cli import parser\nfound = ['numpy'] if 'numpy' in sys.modules else []\n"
            "parser.build_parser()\n"
            "large = ('torch', 'diffusers', 'PIL', 'PySide6')\n"
            "print(found + [name for name in large if name in sys.modules])"
        )
        assert found.stdout.strip() == "[]", found.stderr


def test_a_namespace_without_edits_is_a_plain_generation() -> None:
    given = SimpleNamespace(operation="generate", prompt="a cat", seed=3)
    parameters, contents = cli_commands.parameters_of(given)
    assert (parameters.to_json()["seed"], contents) == (3, {})  # pyright: ignore[reportArgumentType]


def test_an_icon_is_in_every_size() -> None:
    from importlib import resources

    from editor.system.desktop import ICON_SIZES

    for size in ICON_SIZES:
        content = (resources.files("resources") / "icons" / f"attune-{size}.png").read_bytes()
        assert Image.open(io.BytesIO(content)).size == (size, size)


class TestRefine:
    def test_subjects_are_phrases_of_the_prompt(self, runner: FakeRunner, tmp_path: Path) -> None:
        out = tmp_path / "out.png"
        prompt = "a photo of a Cat and a red car and a cat"
        command = ["refine", "--prompt", prompt, "--subjects", "cat", "car", "CAT#2", "--method", "ours"]
        assert main([*command, "--step", "3", "-o", str(out)]) == 0
        parameters = runner.requests[0].parameters.to_json()
        assert (parameters["method"], parameters["step"]) == ("ours", 3)
        assert parameters["subjects"] == [
            {"start": 13, "end": 16, "modifiers": []},
            {"start": 27, "end": 30, "modifiers": [[23, 26]]},
            {"start": 37, "end": 40, "modifiers": []},
        ]
        recipe = format_for_reading(out).codec.read(out).state.layers[0].recipe
        assert recipe is not None
        assert [subject.text for subject in recipe.subjects] == ["Cat", "car", "cat"]

    @pytest.mark.parametrize(
        ("subjects", "message"),
        [
            ([], "There is no subject. Name some with --subjects; this prompt seems to have: man, man"),
            (["--subjects", "dog"], "“dog” is not in the prompt"),
            (["--subjects", "man#3"], "number 3 is not in the prompt"),
        ],
    )
    def test_subjects_that_are_not_there(
        self,
        subjects: list[str],
        message: str,
        runner: FakeRunner,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert main(["refine", "--prompt", PROMPT, *subjects, "-o", str(tmp_path / "out.png")]) == 2
        assert message in capsys.readouterr().err
        assert runner.requests == []

    def test_an_unknown_judge_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        command = ["evaluate", "refine", "--json", str(tmp_path / "out.json"), "--pairs", "1"]
        assert main([*command, "--detector", str(tmp_path / "none")]) == 2
        assert "cannot be used as a detection model" in capsys.readouterr().err


def test_looking_through_folders_is_told_once_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = [0.0]
    monkeypatch.setattr("editor.cli.output.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    printer = ScanPrinter(tmp_path, stream=stream)
    printer(tmp_path, 0, 0)
    assert stream.getvalue() == ""
    now[0] = 1.5
    printer(tmp_path / ("x" * 100), 1200, 3)
    printer(tmp_path, 1201, 3)
    printer.close()
    (line,) = stream.getvalue().splitlines()
    assert f"looking through {tmp_path}: 1200 folders, 3 models" in line


def test_subjects_that_are_not_listed_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deltas", "list", "--model", "mini-sd1"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert any("man woman person boy …" in row for row in rows)
    assert any("tree bush plant trees  " in row for row in rows), "these are all"
