"""Edits by words: what only this operation promises, and what it refuses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from inference.content import Mask, Picture, content_hash
from inference.definitions import shipped_folder
from inference.deltas import DeltaLibrary
from inference.errors import EditorError, Parked
from inference.inputs import Inputs
from inference.methods.generate import prepare
from inference.methods.insert import LOOPS, notes_of_change, without
from inference.methods.inversion.editing import Editing, carried_out
from inference.methods.inversion.parking import Sofar
from inference.methods.inversion.ways import WAYS, first_step, inverted
from inference.methods.prompt_to_prompt.alignment import Wording, alignments
from inference.methods.prompt_to_prompt.attention import Edited
from inference.methods.prompt_to_prompt.blending import Blend
from inference.methods.prompt_to_prompt.contrast import NOISES
from inference.methods.prompt_to_prompt.control import Control, Shares, unlike
from inference.methods.prompt_to_prompt.places import soft
from inference.models import Catalogue, ModelEntry
from inference.operations import (
    BY_WORDS,
    CONTRAST,
    DRAWING_INVERSIONS,
    INSERT_LOOPS,
    Insert,
    InsertSweep,
    InsertWord,
)
from inference.progress import Progress
from inference.request import Pixels, Request, Result
from inference.runner import Runner

STEPS = 5
SOURCE, TARGET = "a photo of a man and a woman", "a photo of a cat and a woman"
RECOLOURED = {"source_prompt": "a photo of a red ball", "prompt": "a photo of a green ball"}
FAMILIES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3")


def picture(height: int = 64, width: int = 64) -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def make_runner(tiny_folders: Mapping[str, Path], tiny_backbones: Mapping[str, Any]) -> Runner:
    def load(entry: ModelEntry, **options: object) -> Any:
        return tiny_backbones[entry.name]

    models = next(iter(tiny_folders.values())).parent
    library = DeltaLibrary((), shipped_folder() / "definitions")
    return Runner(Catalogue(models / "settings", built_in=models), library, device="cpu", load=load)


@pytest.fixture
def runner(tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]) -> Runner:
    return make_runner(tiny_folders, tiny_backbones)


def run(
    runner: Runner,
    *,
    model: str = "tiny-sd1",
    pixels: Pixels | None = None,
    mask: Pixels | None = None,
    progress: Progress | None = None,
    resume: bytes | None = None,
    **more: Any,
) -> Result:
    pixels = picture() if pixels is None else pixels
    contents: dict[str, Any] = {content_hash(pixels): pixels}
    if mask is not None:
        contents[content_hash(mask)] = mask
        more["mask"] = Mask(content_hash(mask))
    kind = InsertSweep if "positions" in more else Insert
    values = {"source_prompt": SOURCE, "prompt": TARGET, "steps": STEPS, "guidance_scale": 4.0, **more}
    request = Request(
        operation="insert-sweep" if kind is InsertSweep else "insert",
        parameters=kind(image=Picture(content_hash(pixels)), **values),
        model=model,
    )
    return runner.run(request, contents, progress or Progress(), resume)


def half(height: int = 64, width: int = 64) -> Pixels:
    mask = np.zeros((height, width), np.uint8)
    mask[:, width // 2 :] = 255
    return mask


@pytest.mark.parametrize("model", FAMILIES)
class TestEveryFamily:
    def test_evaluations(self, runner: Runner, model: str) -> None:
        """Direct Inversion with prompt-to-prompt: three a step, and two for each further edit."""
        steps: dict[str, Any] = {"loop": "direct", "model": model}
        inversion, looks = STEPS, 6
        first = run(runner, **steps).measured.denoiser_evaluations
        assert first <= inversion + looks + 3 * STEPS
        further: tuple[dict[str, Any], ...] = (
            {"prompt": "a photo of a dog and a woman"},
            {"strength": 1.0, "threshold": 0.6},
        )
        for again in further:
            assert run(runner, **steps, **again).measured.denoiser_evaluations == 2 * STEPS

    def test_a_sweep_gives_the_pictures_of_its_strengths(self, runner: Runner, model: str) -> None:
        plain: dict[str, Any] = {"model": model, "details": False}
        swept = run(runner, positions=(0.0, 0.5, 1.0), **plain).images
        np.testing.assert_array_equal(swept[0], picture())
        for value, image in zip((0.5, 1.0), swept[1:], strict=True):
            single = run(runner, strength=value, **plain).images[0]
            np.testing.assert_allclose(image.astype(int), single, atol=2)

    def test_outside_of_the_place_it_is_the_picture(self, runner: Runner, model: str) -> None:
        for kind in ("add", "remove"):
            found = run(runner, model=model, kind=kind, mask=half(), seed=1).images[0]
            np.testing.assert_array_equal(found[:, :32], picture()[:, :32])
            other = run(runner, model=model, kind=kind, mask=half(), seed=2).images[0]
            assert not np.array_equal(found, other), "the seed decides what comes"


class TestFoundByContrast:
    VALUES: ClassVar = {"kind": "change", "found_by": CONTRAST, "coarse_anew": True}

    @pytest.mark.parametrize("model", FAMILIES)
    def test_outside_of_it_nothing_changes(self, runner: Runner, model: str) -> None:
        pixels = picture(128, 128)
        found = run(runner, model=model, pixels=pixels, threshold=0.97, **self.VALUES)
        inside = soft(np.asarray(found.maps["mask/change"]), (128, 128))
        moved = np.abs(found.images[0].astype(float) - pixels).mean(-1)
        assert 0 < (inside == 0).mean() < 1
        assert moved[inside == 0].mean() < 0.2 * moved[inside == 1].mean()

    def test_it_is_asked_once_for_each_change(self, runner: Runner) -> None:
        def evaluations(**more: Any) -> int:
            return run(runner, **self.VALUES, **more).measured.denoiser_evaluations

        evaluations()
        assert evaluations(threshold=0.5, seed=4, strength=1.0) == 2 * STEPS
        assert evaluations(prompt="a photo of a dog and a woman") == 2 * STEPS + NOISES
        assert evaluations(prompt="a photo of a dog and a cat") == 2 * STEPS + 2 * NOISES

    @pytest.mark.parametrize("model", FAMILIES)
    def test_a_further_change_costs_two_evaluations_a_step_with_finding_it(
        self, runner: Runner, model: str
    ) -> None:
        whole: dict[str, Any] = {"model": model, "kind": "change", "steps": 50, "guidance_scale": None}
        run(runner, **whole)
        further = run(runner, prompt="a photo of a dog and a woman", **whole)
        assert further.measured.denoiser_evaluations <= 100

    def test_the_seed_decides_what_is_coarse(self, runner: Runner) -> None:
        one, other = (run(runner, seed=seed, **self.VALUES).images[0] for seed in (1, 2))
        assert not np.array_equal(one, other)
        values = {**self.VALUES, "coarse_anew": False}
        one, other = (run(runner, seed=seed, **values).images[0] for seed in (1, 2))
        np.testing.assert_array_equal(one, other)


class TestRemoved:
    def test_surroundings_fill_the_place_and_nothing_of_what_was_there(self) -> None:
        plain = np.full((64, 64, 3), (30, 90, 200), np.uint8)
        spotted = plain.copy()
        spotted[20:40, 24:44] = 255
        place = torch.zeros(1, 1, 8, 8)
        place[..., 2:6, 3:6] = 1
        np.testing.assert_array_equal(without(spotted, place), plain)

    def test_it_is_drawn_in_the_steps_that_are_left(self, runner: Runner) -> None:
        values: dict[str, Any] = {"kind": "remove", "mask": half(), "local": False, "attention": False}
        values["prompt"] = "a photo of a woman"
        whole = run(runner, **values, anew=False).measured.denoiser_evaluations
        again = run(runner, **values, anew=False, seed=1).measured.denoiser_evaluations
        assert again == 2 * STEPS < whole
        assert run(runner, **values).measured.denoiser_evaluations == 2 * (STEPS - 2)


def test_a_correction_takes_less_guidance_unless_more_is_asked(runner: Runner) -> None:
    whole = runner.backbone("tiny-sd1", Progress()).defaults.guidance_scale
    found = {
        name: run(runner, **{"guidance_scale": None, **values}).request.parameters.guidance_scale
        for name, values in {
            "change": {"kind": "change"},
            "said": {"kind": "change", "guidance_scale": 9.0},
            "way": {"kind": "change", "loop": "h-edit"},
            "replace": {"kind": "replace"},
            "remove": {"kind": "remove", "prompt": "a photo of a woman"},
        }.items()
    }
    assert found == {"change": whole / 2, "said": 9.0, "way": whole, "replace": whole, "remove": whole / 2}


@pytest.mark.parametrize("loop", INSERT_LOOPS)
def test_every_loop_edits_and_keeps_a_picture_of_its_own_words(loop: str, tiny_backbones: dict) -> None:
    """The same words give the source's reconstruction bit for bit, other words do not."""
    backbone = tiny_backbones["tiny-sd3"]
    parameters = Insert(
        image=Picture("0" * 64),
        source_prompt=SOURCE,
        prompt=SOURCE,
        steps=STEPS,
        guidance_scale=4.0,
        width=64,
        height=64,
    )
    progress = Progress()
    backbone.measured = progress.measured
    run_ = prepare(backbone, parameters, Inputs(), progress)
    latents = torch.randn((1, *backbone.latent_shape(64, 64)), generator=torch.Generator().manual_seed(1))
    way, first = LOOPS[loop].way, first_step(run_, LOOPS[loop].way, 0.0)
    source = inverted(run_, way, "picture", latents, Sofar(run_), first=first)

    def edited(text: str, blend: Blend | None = None) -> torch.Tensor:
        prompt = unlike(backbone.encode_prompt(text))
        aligned = alignments(source.prompt, prompt, backbone.text_parts, Wording(weights={}))
        if blend is not None:
            blend.targets = {prompt: blend.targets[next(iter(blend.targets))]}
        control = Control(
            run_,
            source,
            {prompt: Edited(alignments=aligned)},
            strengths={prompt: 1.0},
            shares=Shares(cross=0.6, self=0.6),
            blend=blend,
            anchor=None if LOOPS[loop].drifts else lambda index: source.at(index),
            kept_as=(loop,),
            first=first,
            sofar=Sofar(run_),
            name="test",
        )
        editing = Editing(run=run_, inverted=source, prompts=[prompt], predict=control.predict)
        step = control.step((LOOPS[loop].step or WAYS[way].step)(editing))
        return carried_out(editing, step, first)

    assert torch.equal(edited(SOURCE), source.reconstruction)
    changed = edited(TARGET)
    assert not torch.equal(changed, source.reconstruction)
    words = [source.prompt.tokens(13, 16)["clip_l"][0]]
    some = backbone.encode_prompt(TARGET)
    place = torch.zeros(1, 1, 8, 8)
    place[..., 3:] = 1
    blend = Blend(size=(8, 8), first=first, source=words, targets={some: words}, place=place)
    confined = edited(TARGET, blend)
    mask = blend.mask(next(iter(blend.targets)), run_.steps)
    assert mask is not None
    assert 0 < int(mask.sum()) < mask.numel()
    outside = ~mask.expand_as(confined)
    assert torch.equal(confined[outside], source.reconstruction[outside])


def test_a_weight_changes_the_picture_without_another_word(runner: Runner) -> None:
    plain = run(runner, details=False).images[0]
    heavy = run(runner, details=False, words=(InsertWord(start=13, end=16, weight=3.0),)).images[0]
    assert not np.array_equal(plain, heavy)


def test_after_a_short_edit_a_long_one_is_what_it_is_alone(
    tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any]
) -> None:
    """What was kept of the source for words of one piece does not serve words of two."""
    longer = TARGET + ", very" * 90
    used = make_runner(tiny_folders, tiny_backbones)
    run(used)
    after = run(used, prompt=longer).images[0]
    alone = run(make_runner(tiny_folders, tiny_backbones), prompt=longer).images[0]
    np.testing.assert_array_equal(after, alone)


def test_what_one_edit_read_of_the_source_stays_beside_what_another_reads(runner: Runner) -> None:
    """Each layer of the source is asked once, in whatever order edits ask for them."""
    of_picture: dict[str, Any] = {"loop": "direct", "local": False, "cross_share": 0.2, "self_share": 0.8}
    of_words: dict[str, Any] = {**of_picture, "local": True, "found_by": BY_WORDS, "self_share": 0.2}
    run(runner, **of_picture)
    run(runner, **of_words)
    for again in (of_picture, of_words):
        assert run(runner, **again, seed=4).measured.denoiser_evaluations == 2 * STEPS


def test_without_prompt_to_prompt_nothing_is_read(runner: Runner) -> None:
    found = run(runner, loop="direct", attention=False, local=False).measured.denoiser_evaluations
    assert found == STEPS + 6 + 2 * STEPS


@pytest.mark.parametrize("loop", ["direct", "ddim", "null-text"])
def test_parked_anywhere_it_ends_in_the_same_bytes(
    tiny_folders: dict[str, Path], tiny_backbones: dict[str, Any], loop: str
) -> None:
    whole = run(make_runner(tiny_folders, tiny_backbones), loop=loop).images[0]
    resume: bytes | None = None
    for _ in range(60):
        progress = Progress()
        asked = [0]

        def wants(asked: list[int] = asked) -> bool:
            asked[0] += 1
            return asked[0] > 2

        progress = Progress(park_requested=wants)
        try:
            found = run(
                make_runner(tiny_folders, tiny_backbones), loop=loop, progress=progress, resume=resume
            )
        except Parked as parked:
            resume = parked.state
            continue
        np.testing.assert_array_equal(found.images[0], whole)
        return
    pytest.fail("it never came to its end")


class TestRefused:
    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"prompt": " "}, "empty"),
            ({"source_prompt": ""}, "empty"),
            ({"prompt": "two dogs"}, "no word in common"),
            ({"prompt": SOURCE}, "say the same"),
            ({"words": (InsertWord(start=90, end=95),)}, "not in the prompt"),
            ({"source_words": (InsertWord(start=5, end=5),)}, "not in the prompt"),
            ({"loop": "flow-align"}, "flow matching"),
            ({"mask": np.zeros((64, 64), np.uint8)}, "outside of the picture"),
        ],
    )
    def test_with_a_sentence(self, runner: Runner, values: dict[str, Any], said: str) -> None:
        with pytest.raises(EditorError, match=said):
            run(runner, **values)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("strength", 99.0), ("kind", "eat"), ("loop", "x"), ("cross_share", 2), ("strength", float("nan"))],
    )
    def test_values_out_of_range(self, name: str, value: object) -> None:
        values = {"image": "0" * 64, "source_prompt": SOURCE, "prompt": TARGET, name: value}
        with pytest.raises(EditorError):
            Insert.from_json(values)

    def test_a_weight_out_of_range(self) -> None:
        values = Insert(image=Picture("0" * 64), source_prompt=SOURCE, prompt=TARGET).to_json()
        with pytest.raises(EditorError):
            Insert.from_json({**values, "words": [{"start": 0, "end": 1, "weight": -1, "changes": None}]})


def test_new_words_may_take_the_attention_of_those_in_whose_place_they_stand(runner: Runner) -> None:
    one = run(runner, alignment="replace", cross_share=1.0).images[0]
    other = run(runner, alignment="refine", cross_share=1.0).images[0]
    assert not np.array_equal(one, other)


def test_other_surroundings_keep_the_subjects_and_another_style_does_not(runner: Runner) -> None:
    source = "a photo of a man on grass"
    style = {"kind": "style", "source_prompt": source}
    outside = run(runner, **style, prompt="a photo of a man in the snow")
    assert "mask/change" in outside.maps
    assert outside.maps["mask/change"].min() == 0, "the man stays"
    for prompt in ("a painting of a man on grass", "a photo of a cat in the snow"):
        assert "mask/change" not in run(runner, **style, prompt=prompt).maps
    local = run(runner, **style, prompt="a photo of a man in the snow", local=True)
    assert "mask/change" in local.maps, "by its words"


def test_weights_of_a_setting_keep_the_subjects_too(runner: Runner) -> None:
    values: dict[str, Any] = {"kind": "style", "source_prompt": "a photo of a man on the sunny beach"}
    prompt = "a photo of a man on the (rainy:1.2) beach"
    weighed = run(runner, **values, prompt=prompt, weighted=True)
    assert weighed.maps["mask/change"].min() == 0, "the man stays"


def test_words_that_t5_does_not_read_are_told_of_what_the_picture_is_to_show(runner: Runner) -> None:
    prompt = ", ".join([TARGET, *["a red ball"] * 70])
    found = run(runner, model="tiny-sd3", prompt=prompt, steps=2)
    assert "beyond what the T5" in str(found.notes)


def test_an_edit_that_is_hardly_seen_is_told() -> None:
    """By what differs where something may change; what lies elsewhere counts for nothing."""
    picture = np.full((16, 24, 3), 100, np.uint8)
    mask = np.zeros((2, 3), np.float32)
    mask[1, 2] = 1
    seen, beside = picture.copy(), picture.copy()
    seen[8:, 16:] = 130
    beside[:8, :16] = 130
    assert not notes_of_change(picture, seen, mask, drawn=True)
    assert not notes_of_change(picture, seen, None, drawn=True)
    for edited, where in ((picture, None), (picture, mask), (beside, mask)):
        for drawn in (True, False):
            (note,) = notes_of_change(picture, edited, where, drawn=drawn)
            assert "Next to nothing" in str(note)
            assert ("another seed" in str(note)) == drawn


@pytest.mark.parametrize(
    ("more", "is_drawn"),
    [
        *(({"loop": loop}, loop in DRAWING_INVERSIONS) for loop in INSERT_LOOPS if "flow" not in loop),
        ({"loop": "flow-align", "model": "tiny-sd3"}, True),
        ({"loop": "flow-edit", "model": "tiny-sd3"}, True),
        ({"kind": "remove"}, True),
        ({"kind": "add", "mask": half()}, True),
        ({"kind": "add"}, False),
        ({"kind": "replace", "anew": True}, False),
        ({"kind": "replace", "mask": half(), "anew": True}, True),
        ({"kind": "style"}, False),
        ({"kind": "change", "prompt": "a photo of a tall man and a woman"}, False),
        ({"kind": "change", **RECOLOURED}, True),
    ],
)
def test_it_knows_whether_another_seed_gives_another_picture(
    more: dict[str, Any], is_drawn: bool, runner: Runner
) -> None:
    """Else variations would take their time for the same picture again."""
    first, second = (run(runner, seed=seed, **more) for seed in (1, 2))
    assert first.request.parameters.is_drawn == is_drawn
    assert np.array_equal(first.images[0], second.images[0]) != is_drawn


def test_of_a_weak_edit_nobody_expects_to_see_much(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.methods.insert._HARDLY_SEEN", 1000.0)
    told = {value: "Next to nothing" in str(run(runner, strength=value).notes) for value in (0.5, 1.0)}
    assert told == {0.5: False, 1.0: True}
    assert "Next to nothing" in str(run(runner, positions=(0.5, 1.0)).notes)
