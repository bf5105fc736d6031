"""What is said of photos before they are learnt from: it helps, and never refuses."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.content import Picture, content_hash
from inference.deltas import DeltaLibrary
from inference.methods.concepts.learn_concept import suggested_crop
from inference.metrics import judge
from inference.models import Catalogue, ModelEntry
from inference.operations import JudgePhotos
from inference.progress import Progress
from inference.request import Request, Result
from inference.runner import Runner

Photo = NDArray[np.uint8]


@pytest.fixture
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    return Runner(catalogue, DeltaLibrary(()), device="cpu", load=load)


def photo(seed: int, side: int = 96) -> Photo:
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return coarse.repeat(side // 4, 0).repeat(side // 4, 1)


def told(runner: Runner, photos: list[Photo], **values: Any) -> tuple[list[str], Result]:
    contents: dict[str, Any] = {content_hash(one): one for one in photos}
    values = {"initialise_from": "cat", "template": "style", **values}
    parameters = JudgePhotos(images=tuple(Picture(content_hash(one)) for one in photos), **values)
    request = Request(operation="judge-photos", parameters=parameters, model="tiny-sd1")
    result = runner.run(request, contents, Progress())
    return [str(note) for note in result.notes], result


def test_a_good_set_needs_no_words(runner: Runner) -> None:
    notes, result = told(runner, [photo(1), photo(2), photo(3)])
    assert notes == []
    assert json.loads(result.artifacts["report"])["crops"] == [[0.5, 0.5, 1.0]] * 3


@pytest.mark.parametrize("template", ["style", "object"])
def test_it_suggests_what_learning_takes_by_itself(template: str, runner: Runner) -> None:
    cut_out = np.dstack([photo(1), np.zeros((96, 96), np.uint8)])
    cut_out[30:60, 60:90, 3] = 255
    _, result = told(runner, [cut_out, photo(2)], template=template, initialise_from="man")
    backbone = runner.backbone("tiny-sd1", Progress())
    taken = [suggested_crop(backbone, one, "man", template) for one in (cut_out, photo(2))]
    assert json.loads(result.artifacts["report"])["crops"] == [list(one) for one in taken]


@pytest.mark.parametrize(
    ("count", "said"), [(1, "Of one photo"), (2, "Of 2 photos"), (14, "14 photos are many")]
)
def test_number(count: int, said: str, runner: Runner) -> None:
    notes, _ = told(runner, [photo(number) for number in range(count)])
    assert any(said in note for note in notes)


def test_near_duplicates_and_mirror_images(runner: Runner) -> None:
    first = photo(1)
    brighter = np.clip(first.astype(int) + 9, 0, 255).astype(np.uint8)
    mirrored = np.ascontiguousarray(first[:, ::-1])
    notes, _ = told(runner, [first, photo(2), brighter, mirrored])
    assert [note[:15] for note in notes] == ["Photos 1, 3, 4 "]


def test_one_photo_many_times_is_told_once(runner: Runner) -> None:
    """A sentence for each two of them hid all others."""
    notes, _ = told(runner, [photo(1)] * 5 + [photo(2)] * 3)
    assert [note.partition(" are ")[0] for note in notes] == ["Photos 1, 2, 3, 4, 5", "Photos 6, 7, 8"]


def test_small_ones(runner: Runner) -> None:
    notes, _ = told(runner, [photo(1), photo(2), photo(3, side=24)])
    assert len(notes) == 1
    assert "Photo 3" in notes[0]
    assert "24 × 24" in notes[0]


class TestSubjects:
    @pytest.fixture(autouse=True)
    def detector(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Finds as many cats as the first sample of a picture says."""

        def detect(images: Any) -> list[list[Any]]:
            one = SimpleNamespace(kind="cat", score=0.9, box=(0, 0, 1, 1), colours={}, attributes={})
            return [[one] * int(image[0, 0, 0]) for image in images]

        made = judge.Judge(detect, frozenset({"cat", "dog"}))
        monkeypatch.setattr(judge, "for_photos", lambda model: made)

    def counted(self, *counts: int) -> list[Photo]:
        found = [photo(number) for number in range(len(counts))]
        for one, count in zip(found, counts, strict=True):
            one[0, 0, 0] = count
        return found

    def test_each_shows_one(self, runner: Runner) -> None:
        assert told(runner, self.counted(1, 1, 1), template="object", detector="any")[0] == []

    def test_several_and_none(self, runner: Runner) -> None:
        notes, _ = told(runner, self.counted(2, 1, 0), template="object", detector="any")
        assert ["no cat in photo 3" in notes[0], "Photo 1 shows more than one cat" in notes[1]] == [
            True,
            True,
        ]

    def test_nothing_in_common(self, runner: Runner) -> None:
        notes, _ = told(runner, self.counted(0, 0, 0), template="object", detector="any")
        assert len(notes) == 1
        assert "In none of the photos" in notes[0]

    def test_a_kind_that_it_does_not_know_is_looked_for_by_the_model(self, runner: Runner) -> None:
        _, result = told(
            runner, self.counted(0, 0, 0), template="object", detector="any", initialise_from="man"
        )
        fits = json.loads(result.artifacts["report"])["fits"]
        assert all(isinstance(fit, float) for fit in fits)
