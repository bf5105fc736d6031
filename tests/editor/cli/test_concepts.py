"""`attune concepts …`, `attune learn-concept`, and concepts in other commands."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editor.__main__ import main
from editor.cli import operations
from editor.recovery.checkpoints import Checkpoints
from editor.system.folders import checkpoints_folder, concepts_folder
from inference.concepts.concept import Concept
from inference.concepts.files import concept_file, concept_from_bytes, read_concept
from inference.concepts.library import ConceptLibrary
from inference.errors import Parked
from inference.messages import Message
from inference.operations import Generate, JudgePhotos, LearnConcept
from inference.progress import Progress
from inference.request import Request, Result


def concept(word: str = "<toy>") -> Concept:
    return Concept(word=word, vectors={"clip_l": np.full((2, 768), 0.01, np.float32)}, kind="cat")


class Runner:
    """Remembers what it is asked; learns a fixed concept."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.contents: Mapping[str, Any] = {}
        self.judged: list[Request] = []
        self.parks = False

    def run(
        self, request: Request, contents: Mapping[str, Any], progress: Progress, resume: bytes | None = None
    ) -> Result:
        if request.operation == "judge-photos":
            self.judged.append(request)
            return Result(
                request=request,
                images=(),
                maps={},
                measured=progress.measured,
                notes=(Message("Two are alike."),),
            )
        self.requests.append(request)
        self.contents = contents
        values = request.parameters
        if self.parks:
            raise Parked(b"state")
        artifacts = {}
        if isinstance(values, LearnConcept):
            artifacts = {"concept": concept_file(concept(values.token))}
        picture = np.zeros((8, 8, 3), np.uint8)
        images = () if artifacts else (picture,)
        return Result(
            request=request, images=images, maps={}, measured=progress.measured, artifacts=artifacts
        )


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    made = Runner()
    monkeypatch.setattr(operations, "runner_of", lambda arguments: made)
    monkeypatch.setattr("editor.cli.artifacts.runner_of", lambda arguments: made)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "toy.safetensors"
    path.write_bytes(concept_file(concept()))
    return path


def test_import_list_export_remove(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["concepts", "import", str(file), "--token", "<my-toy>"]) == 0
    assert "<my-toy>" in capsys.readouterr().out
    assert main(["concepts", "list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["concepts"]
    assert (found["token"], found["vectors"], found["family"]) == ("<my-toy>", 2, "sd1")
    out = tmp_path / "out.safetensors"
    assert main(["concepts", "export", "<MY-toy>", "-o", str(out)]) == 0
    assert read_concept(out).word == "<my-toy>"
    assert main(["concepts", "remove", "<my-toy>"]) == 0
    assert main(["concepts", "remove", "<my-toy>"]) == 2


def test_a_damaged_file_keeps_no_other_out(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, last = tmp_path / "damaged.safetensors", tmp_path / "last.safetensors"
    damaged.write_bytes(b"no concept")
    last.write_bytes(concept_file(concept().called("<last>")))
    files = [str(path) for path in (file, damaged, last)]
    assert main(["concepts", "import", *files]) == 2
    told = capsys.readouterr()
    assert "<toy>" in told.out
    assert "<last>" in told.out
    assert "damaged" in told.err
    assert ConceptLibrary(concepts_folder()).words() == ("<last>", "<toy>")
    assert main(["concepts", "import", "--json", *files]) == 2
    found = json.loads(capsys.readouterr().out)
    assert [one["token"] for one in found["concepts"]] == ["<toy>", "<last>"]
    assert ["damaged" in sentence for sentence in found["refused"]] == [True]


def test_a_word_is_known_without_its_brackets(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell reads `<toy>` as a redirection."""
    assert main(["concepts", "import", str(file)]) == 0
    assert main(["concepts", "export", "toy", "-o", str(tmp_path / "out.safetensors")]) == 0
    assert main(["concepts", "remove", "other"]) == 2
    assert main(["concepts", "remove", "toy"]) == 0
    assert ConceptLibrary(concepts_folder()).words() == ()


def test_an_export_that_names_no_file_replaces_none(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["concepts", "import", str(file)]) == 0
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for call in (["concepts", "export", "toy"], ["deltas", "export", "mini-sd1/person-age"]):
        assert main(call) == 0
        (made,) = folder.iterdir()
        made.write_text("mine")
        capsys.readouterr()
        assert main(call) == 2
        assert f"There is a file “{made.name}” already." in capsys.readouterr().err
        assert made.read_text() == "mine"
        (folder / "none.safetensors").write_text("mine")
        assert main([*call[:2], "none"]) == 2
        assert "There is a file" not in capsys.readouterr().err, "there is nothing to export"
        (folder / "none.safetensors").unlink()
        assert main([*call, "-o", made.name]) == 0
        assert made.read_bytes() != b"mine"
        made.unlink()


def test_a_word_is_found_in_the_library(runner: Runner, file: Path, tmp_path: Path) -> None:
    ConceptLibrary(concepts_folder()).import_concept(file)
    assert main(["generate", "--prompt", "a photo of <toy>", "-o", str(tmp_path / "out.png")]) == 0
    parameters = runner.requests[0].parameters
    assert isinstance(parameters, Generate)
    (name,) = parameters.concepts
    kept = ConceptLibrary(concepts_folder()).find("<toy>")
    assert runner.contents[name.hash] == concept_file(kept)


def test_a_file_is_given(runner: Runner, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "Cup.safetensors"
    other.write_bytes(concept_file(concept("<cup>")))
    asked = ["generate", "--prompt", "a photo of <cup> and <toy>", "-o", str(tmp_path / "out.png")]
    assert main([*asked, "--concept", str(file), "--concept", str(other)]) == 0
    parameters = runner.requests[0].parameters
    assert isinstance(parameters, Generate)
    words = [concept_from_bytes(runner.contents[one.hash]).word for one in parameters.concepts]
    assert words == ["<cup>", "<toy>"]


def test_one_that_is_named_and_stands_in_no_prompt_is_told(
    runner: Runner, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture of a plain toy came, and nothing said why."""
    asked = ["generate", "-o", str(tmp_path / "a.png"), "--concept", str(file), "--prompt"]
    assert main([*asked, "a photo of a toy"]) == 0
    assert "“<toy>” stands in no prompt" in capsys.readouterr().err
    assert main([*asked, "a photo of a <Toy>"]) == 0
    assert "stands in no prompt" not in capsys.readouterr().err


class TestLearning:
    @pytest.fixture
    def photos(self, tmp_path: Path) -> list[str]:
        paths = [tmp_path / f"{number}.png" for number in range(3)]
        for number, path in enumerate(paths):
            Image.fromarray(np.full((20, 30, 3), number * 40, np.uint8)).save(path)
        return [str(path) for path in paths]

    def test_into_a_file(
        self, runner: Runner, photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out.safetensors"
        asked = ["learn-concept", "--images", *photos, "--token", "<it>", "--initialise-from", "cat"]
        assert main([*asked, "-o", str(out), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["token"], told["widths"], told["outputs"]) == ("<it>", {"clip_l": 768}, [str(out)])
        parameters = runner.requests[0].parameters
        assert isinstance(parameters, LearnConcept)
        assert [runner.contents[one.hash].shape for one in parameters.images] == [(20, 30, 3)] * 3

    def test_what_would_help_is_said_before(
        self, runner: Runner, photos: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out.safetensors"
        asked = ["learn-concept", "--images", *photos, "--token", "<it>", "--initialise-from", "cat"]
        assert main([*asked, "-o", str(out)]) == 0
        assert "Two are alike." in capsys.readouterr().err
        (judged,), (learnt,) = runner.judged, runner.requests
        assert isinstance(judged.parameters, JudgePhotos)
        assert isinstance(learnt.parameters, LearnConcept)
        assert judged.parameters.images == learnt.parameters.images

    def test_into_the_library(self, runner: Runner, photos: list[str]) -> None:
        asked = ["learn-concept", "--images", *photos, "--token", "<it>", "--initialise-from", "cat"]
        assert main(asked) == 0
        assert ConceptLibrary(concepts_folder()).words() == ("<it>",)
        assert main(asked) == 2, "the name is taken"
        assert len(runner.requests) == 1

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"--token": "cat"}, "angle brackets"),
            ({"--token": "<a b>"}, "name of a concept"),
            ({"--images": "missing.png"}, "missing.png"),
        ],
    )
    def test_what_is_wrong_is_said_before_all_work(
        self,
        changed: dict[str, str],
        said: str,
        runner: Runner,
        photos: list[str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        values = {"--images": photos[0], "--token": "<it>", "--initialise-from": "cat", **changed}
        assert main(["learn-concept", *(part for pair in values.items() for part in pair)]) == 2
        assert said in capsys.readouterr().err
        assert runner.requests == []

    def test_a_file_that_is_no_picture(
        self, runner: Runner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(b"words")
        asked = ["learn-concept", "--images", str(path), "--token", "<it>", "--initialise-from", "cat"]
        assert main(asked) == 2
        assert "a.png" in capsys.readouterr().err


def test_a_stopped_one_is_called_by_its_word(runner: Runner, tmp_path: Path) -> None:
    runner.parks = True
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(photo)
    for word in ("<one>", "<other>"):
        call = ["learn-concept", "--images", str(photo), "--token", word, "--initialise-from", "cat"]
        assert main(call) == 130
    labels = {left.label for left in Checkpoints(checkpoints_folder()).left()[0]}
    assert labels == {"Learn a concept: <one>", "Learn a concept: <other>"}
