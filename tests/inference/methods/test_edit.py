"""Attributes on a picture: what only this operation promises, and what it refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.content import Mask, Picture, content_hash
from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.disk_cache import DiskCache
from inference.errors import EditorError, Parked
from inference.methods import edit as ways_of_edit
from inference.methods.edit import with_details
from inference.methods.only_subject import Masks
from inference.models import Catalogue, ModelEntry
from inference.operations import EXAMPLE_PROMPT, INVERSIONS, Edit, EditSweep, SubjectEdit
from inference.progress import Progress
from inference.request import Pixels, Request, Result
from inference.runner import Runner

STEPS = 5
MAN, WOMAN = (13, 16), (23, 28)
FAMILIES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3")


def picture(height: int = 64, width: int = 64, channels: int = 3) -> Pixels:
    made = np.random.default_rng(3).integers(0, 256, (height, width, channels), np.uint8)
    if channels == 4:
        made[..., 3] = 255
    return made


def older(value: float = 1.5, span: tuple[int, int] = MAN, attribute: str = "age") -> SubjectEdit:
    return SubjectEdit(start=span[0], end=span[1], attribute=attribute, value=value)


def make_runner(
    folders: Mapping[str, Path], backbones: Mapping[str, Any], kept: Path | None = None
) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return backbones[entry.name]

    models = next(iter(folders.values())).parent
    catalogue = Catalogue(models / "settings", built_in=models)
    library = DeltaLibrary((), shipped_folder() / "definitions")
    return Runner(catalogue, library, device="cpu", load=load, kept=None if kept is None else DiskCache(kept))


@pytest.fixture
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any], tmp_path: Path) -> Runner:
    return make_runner(tiny_folders, tiny_backbones, tmp_path / "kept")


@pytest.fixture
def another_runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    """One that has nothing in memory or on disk."""
    return make_runner(tiny_folders, tiny_backbones)


def run(
    runner: Runner,
    *edits: SubjectEdit,
    model: str = "tiny-sd1",
    pixels: Pixels | None = None,
    progress: Progress | None = None,
    resume: bytes | None = None,
    mask: Pixels | None = None,
    **more: Any,
) -> Result:
    pixels = picture() if pixels is None else pixels
    contents: dict[str, Any] = {content_hash(pixels): pixels}
    if mask is not None:
        contents[content_hash(mask)] = mask
        more["mask"] = Mask(content_hash(mask))
    kind = EditSweep if "positions" in more else Edit
    values: dict[str, Any] = {"prompt": EXAMPLE_PROMPT, "steps": STEPS, "seed": 5, **more}
    parameters = kind(image=Picture(content_hash(pixels)), edits=edits, **values)
    operation = "edit-sweep" if kind is EditSweep else "edit"
    request = Request(operation=operation, parameters=parameters, model=model)
    return runner.run(request, contents, progress or Progress(), resume)


@pytest.mark.parametrize("model", FAMILIES)
class TestEveryFamily:
    def test_a_second_edit_inverts_nothing(self, runner: Runner, model: str) -> None:
        after_delay, looks = STEPS - 1, 6  # compared at 1 and 2 of 5 steps, looked at from 2 on
        first = run(runner, older(1.0), model=model).measured.denoiser_evaluations
        assert first == after_delay + looks + 2 * after_delay
        for again in (older(2.0), older(1.0, WOMAN)):
            assert run(runner, again, model=model).measured.denoiser_evaluations == 2 * after_delay
        earlier = run(runner, older(2.0), model=model, delay=0.0)
        assert earlier.measured.denoiser_evaluations == 1 + 2 * STEPS  # one step more that can be edited
        runner.forget()  # what is on the disk stays
        assert run(runner, older(0.5), model=model).measured.denoiser_evaluations == 2 * after_delay

    def test_far_from_its_subject_it_is_the_picture(
        self, runner: Runner, model: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A decoder shifts all colours a little with those that change."""

        def at_the_left(
            heat: object, prompt: object, edits: Sequence[SubjectEdit], size: tuple[int, int]
        ) -> Masks:
            mask = torch.zeros(1, 1, *size)
            mask[..., : size[1] // 8] = 1
            return {(edit.start, edit.end): mask for edit in edits}

        monkeypatch.setattr("inference.methods.attribute_control.subject_masks", at_the_left)
        pixels = picture(128, 128)
        found = run(runner, older(2.0), model=model, pixels=pixels).images[0]
        np.testing.assert_array_equal(found[:, 80:], pixels[:, 80:])
        assert not np.array_equal(found[:, :16], pixels[:, :16])
        by_text = run(runner, older(2.0), model=model, pixels=pixels, kept_by="text").images[0]
        assert not np.array_equal(by_text[:, 80:], pixels[:, 80:]), "its latents are edited everywhere"

    def test_direct_inversion_costs_its_path(self, runner: Runner, model: str) -> None:
        after_delay, looks = STEPS - 1, 6
        first = run(runner, older(1.0), model=model, inversion="direct").measured.denoiser_evaluations
        assert first == STEPS + after_delay + looks + 2 * after_delay

    def test_a_sweep_gives_the_pictures_of_its_positions(self, runner: Runner, model: str) -> None:
        plain: dict[str, Any] = {"model": model, "details": False}
        swept = run(runner, older(), positions=(-1.0, 0.0, 2.0), **plain).images
        np.testing.assert_array_equal(swept[1], picture())
        for value, image in zip((-1.0, 2.0), (swept[0], swept[2]), strict=True):
            single = run(runner, older(value), **plain).images[0]
            np.testing.assert_allclose(image.astype(int), single, atol=1)

    def test_the_subjects_mask_comes_with_it(self, runner: Runner, model: str) -> None:
        maps = run(runner, older(), older(1.0, WOMAN), model=model).maps
        assert {"mask/13-16", "mask/23-28", "attention/13-16", "attention/23-28"} <= set(maps)
        for span in ("13-16", "23-28"):
            assert maps[f"mask/{span}"].dtype == np.float32
            assert 0 <= maps[f"mask/{span}"].min() <= maps[f"mask/{span}"].max() <= 1


class TestStanding:
    """Edits that begin where the picture stands on its slider."""

    @pytest.mark.parametrize("model", FAMILIES)
    def test_it_is_found_once_and_kept(self, runner: Runner, model: str) -> None:
        after_delay = STEPS - 1
        run(runner, older(1.0), model=model)
        plain = run(runner, older(1.5), model=model).measured.denoiser_evaluations
        first = run(runner, older(1.0), model=model, standing=True).measured.denoiser_evaluations
        again = run(runner, older(2.0), model=model, standing=True).measured.denoiser_evaluations
        assert plain == 2 * after_delay
        assert again <= 3 * after_delay  # the plain words run along where they change on their way
        assert first >= again + 10 + after_delay  # five places at two levels, and what the steps miss
        runner.forget()  # what is on the disk stays
        assert run(runner, older(0.5), model=model, standing=True).measured.denoiser_evaluations == again

    @pytest.mark.parametrize("model", FAMILIES)
    def test_a_sweep_gives_the_pictures_of_its_positions(self, runner: Runner, model: str) -> None:
        more: dict[str, Any] = {"model": model, "details": False, "standing": True}
        swept = run(runner, older(), positions=(-1.0, 0.0), **more).images
        np.testing.assert_array_equal(swept[1], picture())
        single = run(runner, older(-1.0), **more).images[0]
        np.testing.assert_allclose(swept[0].astype(int), single, atol=1)

    @pytest.mark.parametrize("kept", [{"kept_by": "latents"}, {"kept_by": "text"}, {"only_subject": False}])
    def test_a_small_edit_is_a_small_step(self, runner: Runner, kept: dict[str, Any]) -> None:
        barely = run(runner, older(0.001), model="tiny-sd3", standing=True, **kept).images[0]
        np.testing.assert_allclose(barely.astype(int), picture(), atol=2)

    def test_beside_another_slider_that_rests_it_is_the_same_picture(self, runner: Runner) -> None:
        alone = run(runner, older(), standing=True).images[0]
        beside = run(runner, older(), older(0.0, WOMAN), standing=True).images[0]
        swept = run(runner, older(), older(1.0, WOMAN), standing=True, index=1, positions=(0.0, 1.0)).images
        np.testing.assert_array_equal(alone, beside)
        np.testing.assert_allclose(swept[0].astype(int), alone, atol=1)
        assert not np.array_equal(swept[1], alone)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ({}, {"only_subject": False}),
            ({"only_subject": False}, {}),
            ({"kept_by": "latents"}, {"kept_by": "text"}),
        ],
    )
    def test_what_is_kept_for_one_pass_serves_no_other(
        self, runner: Runner, another_runner: Runner, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        more: dict[str, Any] = {"model": "tiny-sd3", "standing": True}
        run(runner, older(), **more, **before)
        used = run(runner, older(), **more, **after).images[0]
        np.testing.assert_array_equal(used, run(another_runner, older(), **more, **after).images[0])

    def test_a_slider_that_stands_nowhere_is_part_of_the_pass(
        self, runner: Runner, another_runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stands = ways_of_edit._Work._stands  # pyright: ignore[reportPrivateUsage]
        monkeypatch.setattr(
            ways_of_edit._Work,  # pyright: ignore[reportPrivateUsage]
            "_stands",
            lambda work, edits: {n: at for n, at in stands(work, edits).items() if n == 0},
        )
        more: dict[str, Any] = {"model": "tiny-sd3", "standing": True}
        both = (older(), older(1.0, WOMAN))
        run(runner, older(), **more)
        used = run(runner, *both, **more).images[0]
        np.testing.assert_array_equal(used, run(another_runner, *both, **more).images[0])

    def test_a_position_that_leads_to_the_prompts_own_words_is_an_edit(
        self, runner: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ways_of_edit, "stand", lambda *_: -1.0)  # of -2 to 2: two thirds of the way up
        monkeypatch.setattr(ways_of_edit, "reached", lambda *_: 0.0)
        found = run(runner, older(1.0), model="tiny-sd3", standing=True)
        assert any(name.startswith("mask/") for name in found.maps)
        assert not np.array_equal(found.images[0], picture())

    def test_in_a_sweep_each_group_of_sliders_has_its_own_pass(
        self, runner: Runner, another_runner: Runner
    ) -> None:
        more: dict[str, Any] = {"model": "tiny-sd3", "standing": True, "details": False}
        swept = run(runner, older(), older(1.0, WOMAN), positions=(1.5, 0.0), **more).images
        alone = run(another_runner, older(0.0), older(1.0, WOMAN), **more).images[0]
        np.testing.assert_array_equal(swept[1], alone)

    def test_it_is_that_of_the_words_weights(self, runner: Runner, another_runner: Runner) -> None:
        span, more = (14, 17), {"standing": True, "weighted": True, "model": "tiny-sd3"}
        light, heavy = (f"a photo of a (man:{weight}) and a woman" for weight in (0.2, 2.0))
        run(runner, older(1.0, span), prompt=light, **more)
        used = run(runner, older(1.0, span), prompt=heavy, **more)
        alone = run(another_runner, older(1.0, span), prompt=heavy, **more)
        np.testing.assert_array_equal(used.images[0], alone.images[0])
        # ten to find where it stands: that of other weights is no answer
        assert used.measured.denoiser_evaluations == alone.measured.denoiser_evaluations


@pytest.mark.parametrize("way", INVERSIONS)
def test_every_way_edits(runner: Runner, way: str) -> None:
    result = run(runner, older(), model="tiny-sd3", inversion=way)
    assert result.images[0].shape == (64, 64, 3)
    assert not np.array_equal(result.images[0], picture())


def test_a_small_edit_is_a_small_step_from_the_picture(runner: Runner) -> None:
    """No jump at 0: what the autoencoder loses is put back."""
    barely = run(runner, older(0.001)).images[0]
    np.testing.assert_allclose(barely.astype(int), picture(), atol=2)
    lossy = run(runner, older(0.001), details=False).images[0]
    assert np.abs(lossy.astype(int) - picture()).max() > 20


def test_details_stay_where_nothing_changes_and_go_where_it_does() -> None:
    source, unedited = picture(), picture() // 2
    edited = unedited.copy()
    edited[:, 32:] = 255 - edited[:, 32:]
    found = with_details(source, edited, unedited)
    np.testing.assert_array_equal(found[:, :24], source[:, :24])
    np.testing.assert_array_equal(with_details(source, unedited, unedited), source)
    moved = np.abs(edited.astype(int) - unedited).max(-1) > 24
    np.testing.assert_array_equal(found[moved], edited[moved])


def test_outside_the_mask_it_is_the_picture(runner: Runner) -> None:
    mask = np.zeros((48, 80), np.uint8)
    mask[10:30, 20:50] = 255
    pixels = picture(48, 80, 4)
    found = run(runner, older(2.0), pixels=pixels, mask=mask).images[0]
    np.testing.assert_array_equal(found[mask == 0], pixels[mask == 0])
    assert not np.array_equal(found, pixels)


def test_without_a_moving_edit_nothing_is_computed(runner: Runner) -> None:
    result = run(runner, older(0.0))
    np.testing.assert_array_equal(result.images[0], picture())
    assert result.measured.denoiser_evaluations == 0


@pytest.mark.parametrize("way", ["noised", "direct", "null-text", "flow-align"])
def test_parked_anywhere_it_ends_in_the_same_bytes(
    tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any], way: str
) -> None:
    def fresh() -> Runner:  # which has nothing in memory or on disk
        models = next(iter(tiny_folders.values())).parent
        library = DeltaLibrary((), shipped_folder() / "definitions")
        catalogue = Catalogue(models / "settings", built_in=models)
        return Runner(catalogue, library, load=lambda entry, **_: tiny_backbones[entry.name])

    common: dict[str, Any] = {"model": "tiny-sd3", "inversion": way, "positions": (1.0, 2.0)}
    whole = run(fresh(), older(), **common)
    state: bytes | None = None
    found = None
    for _ in range(20):
        asked = iter((False, False, True))
        progress = Progress(park_requested=lambda asked=asked: next(asked))
        try:
            found = run(fresh(), older(), progress=progress, resume=state, **common)
        except Parked as parked:
            state = parked.state
        else:
            break
    assert state is not None
    assert found is not None
    for image, wanted in zip(found.images, whole.images, strict=True):
        np.testing.assert_array_equal(image, wanted)


class TestBadInput:
    @pytest.mark.parametrize("prompt", ["", "  \n"])
    def test_no_prompt(self, runner: Runner, prompt: str) -> None:
        with pytest.raises(EditorError, match="prompt is empty"):
            run(runner, older(), prompt=prompt)

    def test_a_subject_outside_of_the_prompt(self, runner: Runner) -> None:
        with pytest.raises(EditorError, match="not in the prompt"):
            run(runner, older(1.0, (40, 50)))

    def test_characters_that_are_no_word(self, runner: Runner) -> None:
        with pytest.raises(EditorError):
            run(runner, older(1.0, (1, 2)))

    @pytest.mark.parametrize("size", [(4, 64), (64, 7), (1, 1)])
    def test_a_picture_smaller_than_the_models_unit(self, runner: Runner, size: tuple[int, int]) -> None:
        with pytest.raises(EditorError, match="too small"):
            run(runner, older(), pixels=picture(*size))

    def test_nothing_to_see(self, runner: Runner) -> None:
        pixels = picture(channels=4)
        pixels[..., 3] = 0
        with pytest.raises(EditorError, match="fully transparent"):
            run(runner, older(), pixels=pixels)

    def test_a_way_of_another_kind_of_model(self, runner: Runner) -> None:
        with pytest.raises(EditorError, match="flow-edit"):
            run(runner, older(), inversion="flow-edit")


@pytest.mark.parametrize("inversion", INVERSIONS)
def test_it_knows_whether_another_seed_gives_another_picture(inversion: str, runner: Runner) -> None:
    model = "tiny-sd3" if "flow" in inversion else "tiny-sd1"
    first, second = (run(runner, older(), model=model, inversion=inversion, seed=seed) for seed in (1, 2))
    assert np.array_equal(first.images[0], second.images[0]) != first.request.parameters.is_drawn


def test_a_prompt_that_does_not_fit_is_said(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.methods.inversion import ways

    seen = ways.looked_at
    for fit, count in ((-0.4, 1), (0.2, 0)):
        monkeypatch.setattr(ways, "looked_at", lambda run, found, fit=fit: replace(seen(run, found), fit=fit))
        result = run(runner, older(1 + fit), prompt=EXAMPLE_PROMPT + " " * (count + 1))
        assert len([note for note in result.notes if "does not seem to fit" in str(note)]) == count
        assert result.scores["fit"] == fit


@pytest.mark.parametrize("size", [(16, 16), (32, 48), (200, 150)])
def test_the_model_sees_the_picture_at_the_size_that_it_knows(runner: Runner, size: tuple[int, int]) -> None:
    """Larger or smaller, it would take the things in it for others."""
    result = run(runner, older(), pixels=picture(*size))
    parameters = result.request.parameters
    assert isinstance(parameters, Edit)
    assert parameters.width is not None
    assert parameters.height is not None
    assert parameters.width * parameters.height == pytest.approx(64 * 64, rel=0.15)
    assert result.images[0].shape == (*size, 3)


def test_a_sweep_declares_what_an_edit_does() -> None:
    swept = {item.name: item for item in EditSweep.declared()}
    for item in Edit.declared():
        assert swept[item.name] == item
