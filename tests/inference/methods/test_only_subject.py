"""Edits that keep to their subject: masks, merging, regions, and directions without the others' tokens."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from inference.backbones.base import Backbone
from inference.deltas import Delta, DeltaInfo
from inference.inputs import Inputs
from inference.methods.attribute_control import attribute, sweep
from inference.methods.generate import generate
from inference.methods.only_subject import (
    Regional,
    mask_maps,
    merged,
    of_others,
    orthogonal,
    subject_masks,
    together,
)
from inference.operations import (
    BOTH_WAYS,
    BY_LATENTS,
    BY_TEXT,
    Attribute,
    AttributeSweep,
    Generate,
    Refine,
    RefineSubject,
    SubjectEdit,
)
from inference.progress import Progress
from inference.request import Request
from tests.helpers.stub_backbone import DEFAULTS, StubBackbone

PROMPT = "a photo of a man and a woman"
MAN, WOMAN = (13, 16), (23, 28)
SIZE = (16, 16)
Heat = dict[tuple[int, int], NDArray[np.float32]]


def edit(span: tuple[int, int] = MAN, value: float = 1.0) -> SubjectEdit:
    return SubjectEdit(start=span[0], end=span[1], attribute="age", value=value)


def blob(column: int, grid: int = 16) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:grid, :grid]
    scale = grid / 16
    distance = (rows - 8 * scale) ** 2 + (columns - column * scale) ** 2
    return np.exp(-distance / (18 * scale**2)).astype(np.float32)


def two_people(grid: int = 16) -> Heat:
    return {MAN: blob(4, grid), WOMAN: blob(11, grid)}


class TestMasks:
    @pytest.mark.parametrize("grid", [8, 16])
    def test_a_mask_holds_its_subject_and_not_the_other(self, grid: int) -> None:
        prompt = StubBackbone().encode_prompt(PROMPT)
        masks = subject_masks(two_people(grid), prompt, [edit(MAN), edit(WOMAN)], SIZE)
        man, woman = masks[MAN][0, 0], masks[WOMAN][0, 0]
        assert man.shape == SIZE
        for own, other, column in ((man, woman, 4), (woman, man, 11)):
            assert own[8, column] > 0.95
            assert other[8, column] < 0.05
            assert own[0].max() < 0.2  # far from both
        assert float((man * woman).max()) < 0.3

    def test_the_other_subject_needs_no_edit_to_be_kept_out(self) -> None:
        """Where he is seen, but she more clearly, it is hers."""
        wide = {MAN: np.maximum(blob(4), 0.6 * blob(11)), WOMAN: blob(11)}
        mask = subject_masks(wide, StubBackbone().encode_prompt(PROMPT), [edit(MAN)], SIZE)[MAN][0, 0]
        assert mask[8, 4] > 0.95
        assert mask[8, 11] < 0.05

    def test_only_edits_that_move_something_count(self) -> None:
        prompt = StubBackbone().encode_prompt(PROMPT)
        assert subject_masks(two_people(), prompt, [edit(value=0.0), edit(WOMAN)], SIZE).keys() == {WOMAN}

    def test_a_subject_that_was_not_seen_is_not_confined(self) -> None:
        masks = subject_masks({}, StubBackbone().encode_prompt(PROMPT), [edit()], SIZE)
        assert bool((masks[MAN] == 1).all())

    def test_where_others_are_surely_and_more_clearly(self) -> None:
        wide = {MAN: np.maximum(blob(4), 0.5 * blob(11)), WOMAN: blob(11)}
        others = of_others(wide, [MAN], [WOMAN], SIZE)
        assert others is not None
        assert (others.shape, others.dtype) == ((1, 1, *SIZE), torch.bool)
        assert bool(others[0, 0, 8, 11])
        assert not bool(others[0, 0, 8, :6].any())
        assert not bool(others[0, 0, 0].any())  # nobody is there
        assert of_others({WOMAN: blob(11)}, [MAN], [WOMAN], SIZE) is None
        assert of_others(wide, [MAN], [], SIZE) is None

    def test_maps_for_who_blends(self) -> None:
        masks = subject_masks(two_people(), StubBackbone().encode_prompt(PROMPT), [edit()], SIZE)
        (name,) = maps = mask_maps(masks)
        assert name == "mask/13-16"
        assert (maps[name].dtype, maps[name].shape) == (np.float32, SIZE)
        assert torch.equal(together(masks), masks[MAN])


def test_merging_takes_the_unedited_latents_outside() -> None:
    unedited, edited = torch.zeros(1, 4, *SIZE), torch.ones(2, 4, *SIZE)
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., :8] = 1
    found = merged(unedited, edited, mask)
    assert bool((found[..., :8] == 1).all())
    assert bool((found[..., 8:] == 0).all())


@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def test_regions_are_the_predictions_of_their_prompts(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone: Backbone = tiny_backbones[name]
    whole, plain, his, hers = (
        backbone.encode_prompt(text) for text in ("a man", "a photo", "a cat", "a dog")
    )
    left = torch.zeros(1, 1, 8, 8)
    left[..., :4] = 1
    regional = Regional(backbone=backbone, regions={whole: [(his, left), (hers, 1 - left)]})
    latents = torch.randn(2, *backbone.latent_shape(64, 64), generator=torch.Generator().manual_seed(1))
    level = backbone.levels(4, 64, 64)[1]
    with torch.no_grad():
        found = regional.predict(latents, level, [plain, whole])
        of_plain, of_him, of_her = (
            backbone.predict(latents[row : row + 1], level, [prompt])
            for row, prompt in ((0, plain), (1, his), (1, hers))
        )
    for value, *parts in zip(found, of_plain, of_him, of_her, strict=True):
        torch.testing.assert_close(value[:1], parts[0], rtol=1e-4, atol=1e-4)
        scale = 0.005 * float(parts[1].abs().max() + parts[2].abs().max())
        torch.testing.assert_close(value[1:, :, :, :4], parts[1][..., :4], rtol=0, atol=scale)
        torch.testing.assert_close(value[1:, :, :, 4:], parts[2][..., 4:], rtol=0, atol=scale)


def test_an_orthogonal_direction_has_nothing_of_the_others_tokens() -> None:
    prompt = StubBackbone().encode_prompt(PROMPT)
    vectors = {"clip_l": np.arange(6, dtype=np.float32), "clip_g": np.ones(8, np.float32)}
    delta = Delta(info=DeltaInfo(key="age", attribute="age", label="Age"), vectors=vectors)
    turned = orthogonal(delta, prompt, MAN)
    for encoder, tokens in prompt.tokens(*WOMAN).items():
        rows = prompt.embeddings[encoder][0, list(tokens)].numpy()
        np.testing.assert_allclose(rows @ turned.vectors[encoder], 0, atol=1e-4)
        removed = vectors[encoder] - turned.vectors[encoder]
        assert np.linalg.matrix_rank(np.vstack([rows, removed]), tol=1e-3) == len(rows)


class TestGenerated:
    """On a network in which every place follows the prompt: an edit would change the whole picture."""

    @pytest.fixture
    def backbone(self, monkeypatch: pytest.MonkeyPatch) -> StubBackbone:
        """It sees the man on the left and the woman on the right."""
        from inference.methods import generate as module

        grid = {MAN: blob(1, 4), WOMAN: blob(14, 4)}
        nothing = np.zeros((4, 4), np.float32)
        monkeypatch.setattr(module, "_heat", lambda store, span: grid.get(span, nothing))
        return StubBackbone()

    def parameters(self, kind: type[Any], *edits: SubjectEdit, **more: Any) -> Any:
        values: dict[str, Any] = {"guidance_scale": 3.0, "steps": 10, "width": 16, "height": 16}
        if edits:
            values["edits"] = edits
        return kind(prompt=PROMPT, seed=1, sampler=more.pop("sampler", "ddim"), **values, **more)

    def pictures(self, backbone: StubBackbone, parameters: Any) -> list[NDArray[np.uint8]]:
        vectors = {"clip_l": np.full(6, 3.0, np.float32), "clip_g": np.full(8, 3.0, np.float32)}
        delta = Delta(info=DeltaInfo(key="age", attribute="age", label="Age"), vectors=vectors)
        inputs = _OneDelta(delta=delta)
        method = {Generate: generate, Attribute: attribute, AttributeSweep: sweep}[type(parameters)]
        return list(method(backbone, parameters, inputs, Progress()).images)

    @pytest.mark.parametrize("sampler", ["ddim", "dpm++2m", "ddpm"])
    @pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' DPM tables
    def test_outside_of_the_subject_nothing_changes(self, backbone: StubBackbone, sampler: str) -> None:
        (plain,) = self.pictures(backbone, self.parameters(Generate, sampler=sampler))
        (kept,) = self.pictures(backbone, self.parameters(Attribute, edit(), sampler=sampler))
        free = self.parameters(Attribute, edit(), only_subject=False, sampler=sampler)
        (moved,) = self.pictures(backbone, free)
        np.testing.assert_array_equal(kept[:, 12:], plain[:, 12:])
        assert not np.array_equal(moved[:, 12:], plain[:, 12:])
        assert not np.array_equal(kept[:, :8], plain[:, :8])

    def test_a_sweep_gives_the_same(self, backbone: StubBackbone) -> None:
        edits = (edit(), edit(WOMAN, 0.5))
        swept = self.pictures(
            backbone, self.parameters(AttributeSweep, *edits, positions=(-1.0, 0.0, 2.0), index=0)
        )
        for value, image in zip((-1.0, 0.0, 2.0), swept, strict=True):
            alone = self.parameters(Attribute, edit(value=value), edits[1])
            np.testing.assert_allclose(image.astype(int), self.pictures(backbone, alone)[0], atol=1)

    def test_two_subjects_each_have_their_own_edit(self, backbone: StubBackbone) -> None:
        both = self.pictures(backbone, self.parameters(Attribute, edit(), edit(WOMAN, -2.0)))[0].astype(int)
        for one, columns in ((edit(), slice(0, 4)), (edit(WOMAN, -2.0), slice(12, 16))):
            alone = self.pictures(backbone, self.parameters(Attribute, one))[0]
            np.testing.assert_allclose(both[:, columns], alone[:, columns], atol=6)


class _OneDelta(Inputs):
    """Gives one delta for every edit."""

    def __init__(self, delta: Delta) -> None:
        super().__init__()
        object.__setattr__(self, "_delta", delta)

    def deltas_of(self, edits: Any) -> tuple[Delta, ...]:
        return tuple(self._delta for _ in edits)  # type: ignore[attr-defined]


class TestSwitch:
    def test_new_edits_keep_to_their_subject_and_old_recipes_do_what_they_did(self) -> None:
        assert Attribute(prompt=PROMPT).only_subject
        values = Attribute(prompt=PROMPT).to_json()
        assert Attribute.from_json(values).only_subject
        del values["only_subject"]
        assert not Attribute.from_json(values).only_subject
        old = {"operation": "attribute", "parameters": values, "model": "mini-sd1"}
        parameters = Request.from_json(old).parameters
        assert isinstance(parameters, Attribute)
        assert not parameters.only_subject
        assert Attribute.from_json(parameters.to_json()) == parameters

    def test_off_is_the_plain_run(self) -> None:
        backbone = StubBackbone()
        parameters = TestGenerated().parameters(Attribute, edit(), only_subject=False)
        pictures = TestGenerated().pictures(backbone, parameters)
        assert backbone.measured.denoiser_evaluations == 2 * DEFAULTS.steps
        again = TestGenerated().pictures(StubBackbone(), replace(parameters, only_subject=False))
        np.testing.assert_array_equal(pictures[0], again[0])


class TestRefined:
    def pictures(self, backbone: Backbone, **more: Any) -> Any:
        from inference.methods.gsn.refine import refine

        vectors = {"clip_l": np.full(16, 0.2, np.float32)}
        delta = Delta(info=DeltaInfo(key="age", attribute="age", label="Age"), vectors=vectors)
        values: dict[str, Any] = {"edits": (edit(),), "seed": 1, "steps": 4, **more}
        subjects = tuple(RefineSubject(start=start, end=end) for start, end in (MAN, WOMAN))
        parameters = Refine(
            prompt=PROMPT,
            subjects=subjects,
            method="ours",
            updates=1,
            step=1,
            guidance_scale=3.0,
            width=64,
            height=64,
            sampler="ddim",
            **values,
        )
        return refine(backbone, parameters, _OneDelta(delta=delta), Progress())

    def test_each_of_several_pictures_is_what_it_is_alone(self, tiny_backbones: dict[str, Any]) -> None:
        backbone = tiny_backbones["tiny-sd1"]
        both = self.pictures(backbone, pictures=2).images
        for image, seed in zip(both, (1, 2), strict=True):
            (alone,) = self.pictures(backbone, seed=seed).images
            assert np.abs(image.astype(int) - alone).mean() < 0.5

    def test_two_subjects_may_be_kept_apart_by_latents_alone(self, tiny_backbones: dict[str, Any]) -> None:
        """Then each is asked for with a prompt of its own, and none with both."""
        edits = (edit(), edit(span=WOMAN))
        kept = self.pictures(tiny_backbones["tiny-sd1"], edits=edits, kept_by=BY_LATENTS)
        assert "attention/13-16" in kept.maps

    def test_the_switch_decides_how_much_changes(self, tiny_backbones: dict[str, Any]) -> None:
        backbone = tiny_backbones["tiny-sd1"]
        (plain,) = self.pictures(backbone, edits=(edit(value=0.0),)).images
        kept = self.pictures(backbone)
        free = self.pictures(backbone, only_subject=False)
        changes = [np.abs(one.images[0].astype(int) - plain).mean() for one in (kept, free)]
        assert 0 < changes[0] < changes[1]
        assert "attention/13-16" in kept.maps


@pytest.mark.parametrize("kept_by", [BY_LATENTS, BY_TEXT, BOTH_WAYS])
@pytest.mark.parametrize("name", ["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def test_two_subjects_at_once_on_every_family(
    name: str, kept_by: str, tiny_backbones: dict[str, Any]
) -> None:
    read = tiny_backbones[name].encode_prompt(PROMPT).embeddings
    vectors = {encoder: np.full(value.shape[-1], 0.2, np.float32) for encoder, value in read.items()}
    delta = Delta(info=DeltaInfo(key="age", attribute="age", label="Age"), vectors=vectors)
    parameters = AttributeSweep(
        prompt=PROMPT,
        edits=(edit(value=0.0), edit(span=WOMAN)),
        positions=(-1.0, 0.0, 1.0),
        kept_by=kept_by,
        seed=1,
        steps=4,
        guidance_scale=3.0,
        width=64,
        height=64,
        sampler="ddim",
    )
    found = sweep(tiny_backbones[name], parameters, _OneDelta(delta=delta), Progress())
    assert len(found.images) == 3
    assert {"attention/13-16", "mask/13-16", "mask/23-28"} <= set(found.maps)
