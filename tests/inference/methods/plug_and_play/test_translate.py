"""The operation "translate": evaluations, what is kept, anchoring, ways, masks, refusals."""

from typing import Any

import numpy as np
import pytest
import torch

from inference.content import Mask, Picture, content_hash
from inference.errors import Cancelled, EditorError
from inference.inputs import Inputs
from inference.methods.generate import prepare, start
from inference.methods.inversion.looking import LEAST_FIT, fit_of
from inference.methods.inversion.paths import step_noise
from inference.methods.plug_and_play.source import Source, sourced
from inference.methods.plug_and_play.translate import (
    Plan,
    notes_of_picture,
    notes_of_unused,
    renoised,
    translate,
)
from inference.methods.redraw import encoded
from inference.operations import TRANSLATIONS, Translate
from inference.progress import Progress
from inference.request import Output
from inference.schedule import Level

STEPS, SIZE = 6, 64
PROMPT = "a photo of an old cat"
PICTURE = np.random.default_rng(5).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
NAME = content_hash(PICTURE)


def parameters(**values: Any) -> Translate:
    usual: dict[str, Any] = {"prompt": PROMPT, "steps": STEPS, "guidance_scale": 4.0, "seed": 3}
    given: dict[str, Any] = {"image": Picture(NAME), "width": SIZE, "height": SIZE, **usual, **values}
    return Translate(**given)


def run(backbone: Any, inputs: Inputs | None = None, **values: Any) -> tuple[Output, int]:
    given = inputs or fresh()
    progress = Progress()
    backbone.measured = progress.measured
    output = translate(backbone, parameters(**values), given, progress)
    return output, progress.measured.denoiser_evaluations


def fresh(**more: Any) -> Inputs:
    return Inputs(contents={NAME: PICTURE, **more})


@pytest.fixture(params=["tiny-sd1", "tiny-sdxl", "tiny-sd3"])
def backbone(request: pytest.FixtureRequest, tiny_backbones: dict[str, Any]) -> Any:
    return tiny_backbones[request.param]


def test_a_first_text_inverts_and_a_further_one_costs_half(backbone: Any) -> None:
    """Inversion, then the picture beside both halves of the guidance; then the halves alone."""
    inputs = fresh()
    first, evaluations = run(backbone, inputs)
    assert evaluations == STEPS + 3 * STEPS
    again, further = run(backbone, inputs, prompt="a photo of the dog")
    assert further == 2 * STEPS
    alone, _ = run(backbone, prompt="a photo of the dog")
    np.testing.assert_allclose(again.images[0].astype(int), alone.images[0].astype(int), atol=1)
    assert not np.array_equal(first.images[0], again.images[0])


def test_another_strength_asks_for_what_is_missing_alone(backbone: Any) -> None:
    inputs = fresh()
    run(backbone, inputs, structure=0.4)
    _, weaker = run(backbone, inputs, structure=0.2)
    assert weaker == 2 * STEPS
    _, stronger = run(backbone, inputs, structure=0.8)
    plans = [Plan.of(backbone, one, STEPS) for one in (parameters(structure=0.4), parameters())]
    missing = [index for index in range(STEPS) if not plans[1].at(index).names <= plans[0].at(index).names]
    assert missing
    assert stronger == 2 * STEPS + len(missing)


def test_one_copy_costs_one_evaluation(backbone: Any) -> None:
    inputs = fresh()
    _, evaluations = run(backbone, inputs, way="one-copy")
    assert evaluations == 2 * STEPS + 1
    _, further = run(backbone, inputs, way="one-copy", prompt="a photo of the dog")
    assert further == 2 * STEPS
    _, restarted = run(backbone, fresh(), way="one-copy", restart=True)
    assert restarted == 2 * STEPS + 1 + 2  # from step 4 back to 2, and there again in one step


def test_a_restart_stays_within_a_twentieth_of_the_reference(tiny_backbones: dict[str, Any]) -> None:
    """Of its 2148 evaluations: 107 for a first text, three larger steps among them."""
    backbone, levels = tiny_backbones["tiny-sd1"], []
    predict = backbone.predict

    def watching(latents: torch.Tensor, level: Level, prompts: Any) -> Any:
        levels.append(level)
        return predict(latents, level, prompts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbone, "predict", watching)
        _, evaluations = run(backbone, way="one-copy", restart=True, steps=50)
    assert evaluations == 107 <= 0.05 * 2148
    steps = run_of(backbone, parameters(steps=50), fresh()).levels
    taken = [*range(22), 10, 14, 18, *range(22, 50)]
    assert [level.timestep for level in levels[1:]] == [steps[index].timestep for index in taken]
    _, late = run(backbone, way="one-copy", restart=True, appearance=0.5, steps=50)
    assert late == 2 * 25 + 1  # it starts after the stretch


def test_without_inversion_the_picture_is_noised_anew_at_each_told_step(backbone: Any) -> None:
    told = round(max(backbone.structure.feature_share, backbone.structure.attention_share) * STEPS)
    _, evaluations = run(backbone, way="no-inversion")
    assert evaluations == 2 * STEPS + told


@pytest.mark.parametrize("way", ["one-copy", "no-inversion", "redraw"])
def test_without_a_path_it_starts_from_the_noised_picture(way: str, tiny_backbones: dict[str, Any]) -> None:
    """Not from noise alone: what is told at no step is told by the start, at the same cost."""
    backbone = tiny_backbones["tiny-sd1"]
    begun: list[torch.Tensor] = []
    predict = backbone.predict

    def watching(latents: torch.Tensor, level: Level, prompts: Any) -> Any:
        if abs(level.sigma - made.levels[0].sigma) < 1e-6:
            begun.append(latents[-1:])
        return predict(latents, level, prompts)

    made = run_of(backbone, parameters(), fresh())
    noise = start(made).state.latents / backbone.schedule.noise_scale("ddim")
    level = made.levels[0]
    wanted = level.alpha * encoded(made, NAME, PICTURE) + level.sigma * noise
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbone, "predict", watching)
        run(backbone, way=way)
    assert torch.allclose(begun[0], wanted, atol=1e-5)
    assert not torch.allclose(begun[0], noise, atol=1e-3)


def test_the_expected_size_of_what_is_kept(backbone: Any) -> None:
    for way in ("plug-and-play", "no-inversion", "one-copy"):
        output, _ = run(backbone, way=way)
        assert output.scores["feature_bytes"] == output.scores["expected_feature_bytes"] > 0


def test_more_than_may_be_kept_is_computed_again_and_told(tiny_backbones: dict[str, Any]) -> None:
    backbone, inputs = tiny_backbones["tiny-sd1"], fresh()
    output, evaluations = run(backbone, inputs, kept_mib=0)
    assert evaluations == 4 * STEPS
    (note,) = output.notes
    assert "compute them again" in str(note)
    assert inputs.features.used_bytes == 0
    again, further = run(backbone, inputs, kept_mib=0)
    assert further == 4 * STEPS  # nothing of the picture was kept, not even the inversion
    np.testing.assert_array_equal(again.images[0], output.images[0])
    kept, _ = run(backbone, fresh())
    np.testing.assert_array_equal(kept.images[0], output.images[0])
    assert not kept.notes


@pytest.mark.parametrize("value", [0, 128])
def test_a_picture_of_one_colour_is_told(value: int, tiny_backbones: dict[str, Any]) -> None:
    plain = np.full((SIZE, SIZE, 3), value, np.uint8)
    plain[::2, :, 1] += 3  # what JPEG leaves of it
    inputs = fresh(**{content_hash(plain): plain})
    output, _ = run(tiny_backbones["tiny-sd1"], inputs, image=Picture(content_hash(plain)))
    (note,) = output.notes
    assert "one colour" in str(note)


def test_a_source_prompt_that_does_not_fit_is_told(tiny_backbones: dict[str, Any]) -> None:
    values = parameters(source_prompt="a house at night")
    (note,) = notes_of_picture(values, PICTURE, LEAST_FIT - 0.01)
    assert "a house at night" in str(note)
    for fit in (LEAST_FIT, 0.3, float("nan")):
        assert not notes_of_picture(values, PICTURE, fit)
    assert not notes_of_picture(parameters(way="redraw"), PICTURE, -1.0)
    backbone, inputs = tiny_backbones["tiny-sd1"], fresh()
    one, _ = run(backbone, inputs, source_prompt="a photo of a man")
    again, further = run(backbone, inputs, source_prompt="a photo of a man", prompt="a photo of the dog")
    assert further == 2 * STEPS  # nothing is looked at a second time
    assert one.scores["fit"] == again.scores["fit"]
    assert "fit" not in run(backbone, inputs)[0].scores


def test_the_fit_is_what_a_prompt_explains_of_the_noise(tiny_backbones: dict[str, Any]) -> None:
    """Against the formula, written out."""
    backbone, inputs = tiny_backbones["tiny-sd1"], fresh()
    made = run_of(backbone, parameters(steps=10), inputs)
    latents = encoded(made, NAME, PICTURE)
    errors: list[float] = []
    for prompt in (made.prompt, backbone.negative_prompt("")):
        squares: list[float] = []
        for index in (3, 5):
            level, noise = made.levels[index], step_noise(0, index, latents)
            eps = backbone.predict(level.alpha * latents + level.sigma * noise, level, [prompt]).eps
            squares.append(float(((eps - noise) ** 2).mean()))
        errors.append(sum(squares))
    found = fit_of(made, made.prompt, made.parameters.prompt, NAME, latents)
    assert found == pytest.approx(1 - errors[0] / errors[1], abs=1e-6)


def test_a_size_that_the_model_does_not_take_is_told(tiny_backbones: dict[str, Any]) -> None:
    with pytest.raises(EditorError, match="needs a multiple"):
        run(tiny_backbones["tiny-sd1"], width=SIZE - 3)


def test_the_source_is_read_back_from_its_path(backbone: Any) -> None:
    """Its last latents are the picture's own, and a step with its offset leads to the path's next point."""
    values, inputs = parameters(), fresh()
    source = source_of(backbone, values, inputs)
    assert torch.equal(source.latents(STEPS), source.picture)
    translate(backbone, values, inputs, Progress())
    known = source_of(backbone, values, inputs)
    assert known.offsets is not None
    assert set(known.offsets) == set(range(STEPS))


def test_a_picture_told_by_its_own_words_comes_back(backbone: Any) -> None:
    """Prompt and source prompt are the same: the path again, to rounding, and nothing is guided."""
    inputs = fresh()
    output, evaluations = run(backbone, inputs, source_prompt=f" {PROMPT}")
    assert evaluations == 3 * STEPS + 4  # the inversion, the picture and its copy; and how well the words fit
    plain = backbone.decode(encoded(run_of(backbone, parameters(), inputs), NAME, PICTURE))[0]
    assert np.abs(output.images[0].astype(int) - plain.astype(int)).max() <= 2
    other, _ = run(backbone, inputs, source_prompt=PROMPT, away=1.0, prompt="a photo of the dog")
    assert np.abs(other.images[0].astype(int) - plain.astype(int)).max() > 2


def test_the_inversion_may_be_finer(tiny_backbones: dict[str, Any]) -> None:
    for backbone in (tiny_backbones["tiny-sd1"], tiny_backbones["tiny-sd3"]):
        output, evaluations = run(backbone, inversion_steps=30)
        # levels may coincide or not, and none is noisier than the run's first
        assert STEPS < evaluations - 3 * STEPS <= 30 + STEPS
        coarse, _ = run(backbone)
        assert not np.array_equal(output.images[0], coarse.images[0])


@pytest.mark.parametrize("way", TRANSLATIONS)
def test_it_knows_whether_another_seed_gives_another_picture(
    way: str, tiny_backbones: dict[str, Any]
) -> None:
    first, second = (run(tiny_backbones["tiny-sd1"], way=way, seed=seed)[0] for seed in (1, 2))
    assert np.array_equal(first.images[0], second.images[0]) != parameters(way=way).is_drawn


def test_redraw_is_a_way_of_its_own(tiny_backbones: dict[str, Any]) -> None:
    _, evaluations = run(tiny_backbones["tiny-sd1"], way="redraw", appearance=0.6)
    assert evaluations == 2 * round(0.6 * STEPS)


def test_appearance_starts_later(backbone: Any) -> None:
    inputs = fresh()
    assert run(backbone, inputs, appearance=0.0)[0].images[0] is PICTURE
    plain = backbone.decode(encoded(run_of(backbone, parameters(), inputs), NAME, PICTURE))[0].astype(int)
    evaluations, distances = [], []
    for appearance in (0.1, 1.0):
        output, count = run(backbone, inputs, appearance=appearance)
        evaluations.append(count)
        distances.append(np.abs(output.images[0] - plain).mean())
    assert evaluations[0] == STEPS + 3  # the inversion, and the last step alone
    assert distances[0] < distances[1]


def test_a_subject_confines_what_is_injected(backbone: Any) -> None:
    inputs = fresh()
    values = {"source_prompt": "a photo of a man", "subject": "cat", "source_subject": "man"}
    confined, evaluations = run(backbone, inputs, **values)
    assert evaluations == 4 * STEPS + 4  # the source prompt is compared with none at two levels
    again, further = run(backbone, inputs, **values, structure=0.6)
    assert further == 2 * STEPS  # its masks were kept as well
    without, _ = run(backbone, inputs, source_prompt="a photo of a man")
    assert not np.array_equal(confined.images[0], without.images[0])
    assert not np.array_equal(confined.images[0], again.images[0])
    once, _ = run(backbone, inputs, **values, way="one-copy")
    assert once.images[0].shape == PICTURE.shape


@pytest.mark.parametrize("way", ["plug-and-play", "no-inversion", "one-copy"])
def test_a_subject_is_confined_alike_whatever_is_known_of_the_picture(way: str, backbone: Any) -> None:
    """The request alone decides: the masks of a first text are those of every further one."""
    inputs = fresh()
    values: dict[str, Any] = {"source_prompt": "a photo of a man", "subject": "cat", "source_subject": "man"}
    for more in ({}, {"away": 1.0}):
        first, _ = run(backbone, inputs, way=way, **values, **more)
        again, _ = run(backbone, inputs, way=way, **values, **more)
        np.testing.assert_allclose(again.images[0].astype(int), first.images[0].astype(int), atol=1)
        inputs.features.clear()
    # a source that was looked at without a subject has no masks for one
    run(backbone, inputs, way=way, **{**values, "subject": ""})
    later, _ = run(backbone, inputs, way=way, **values)
    inputs.features.clear()
    first, _ = run(backbone, inputs, way=way, **values)
    np.testing.assert_allclose(later.images[0].astype(int), first.images[0].astype(int), atol=1)


def test_masks_of_the_source_are_those_of_its_own_sample(tiny_backbones: dict[str, Any]) -> None:
    """Not also of the sample that takes the negative prompt's place with the same words."""
    backbone, asked = tiny_backbones["tiny-sd1"], []
    predict = backbone.predict

    def watching(latents: torch.Tensor, level: Level, prompts: Any) -> Any:
        asked.append(prompts)
        return predict(latents, level, prompts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backbone, "predict", watching)
        run(backbone, source_prompt="a photo of a man", subject="cat", source_subject="man", away=0.5)
    rows = [prompts for prompts in asked if len(prompts) == 4]
    assert rows
    for source, _, away, _ in rows:
        assert source is not away
        assert source.text == away.text == "a photo of a man"


@pytest.mark.parametrize(
    ("idle", "used"),
    [
        ({"away": 0.5}, {"source_prompt": "a man"}),
        ({"source_subject": "man"}, {"source_prompt": "a man", "subject": "cat"}),
        ({"restart": True}, {"way": "one-copy"}),
    ],
)
def test_what_does_nothing_is_told(idle: dict[str, Any], used: dict[str, Any]) -> None:
    assert len(notes_of_unused(parameters(**idle))) == 1
    assert not notes_of_unused(parameters(**idle, **used))


def test_a_subject_that_is_not_there_is_told(tiny_backbones: dict[str, Any]) -> None:
    """Before anything is inverted."""
    wrong: dict[str, Any]
    backbone, progress = tiny_backbones["tiny-sd1"], Progress()
    backbone.measured = progress.measured
    for wrong in (
        {"subject": "house"},
        {"subject": "cat", "source_prompt": "a man", "source_subject": "dog"},
    ):
        with pytest.raises(EditorError, match="not in the prompt"):
            translate(backbone, parameters(**wrong), fresh(), progress)
    assert progress.measured.denoiser_evaluations == 0


def test_a_subject_inside_of_another_word_of_the_source_is_another(tiny_backbones: dict[str, Any]) -> None:
    """The man that the text asks for is not in "a woman": then the target's own mask serves for both."""
    backbone = tiny_backbones["tiny-sd1"]
    values: dict[str, Any] = {"prompt": "a photo of a man", "subject": "man", "steps": 4}
    found, _ = run(backbone, source_prompt="a woman", **values)
    assert found.images[0].shape == PICTURE.shape


def test_what_is_kept_is_known_after_a_cancelled_run(tiny_backbones: dict[str, Any]) -> None:
    backbone, inputs = tiny_backbones["tiny-sd1"], fresh()
    first, _ = run(backbone, inputs, structure=0.2)

    class Stopped(Progress):
        def step(self, done: int, total: int, preview: Any = None) -> None:
            super().step(done, total, preview)
            if done == 5:
                raise Cancelled

    progress = Stopped()
    backbone.measured = progress.measured
    with pytest.raises(Cancelled):
        translate(backbone, parameters(structure=1.0), inputs, progress)
    (source,) = inputs.features.values()
    assert inputs.features.used_bytes == source.size_bytes
    again, evaluations = run(backbone, inputs, structure=0.2)
    assert evaluations == 2 * STEPS
    np.testing.assert_allclose(again.images[0].astype(int), first.images[0].astype(int), atol=1)


@pytest.mark.parametrize("share", [0.35, 0.6, 0.99])
def test_as_much_is_kept_as_may_be(share: float, tiny_backbones: dict[str, Any]) -> None:
    """Latents count as well, what fits stays, and the steps that find no place are computed again."""
    backbone, whole = tiny_backbones["tiny-sd1"], fresh()
    everything, _ = run(backbone, whole)
    limit = int(share * whole.features.used_bytes)
    inputs = fresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Translate, "kept_bytes", property(lambda _: limit))
        output, evaluations = run(backbone, inputs)
        again, further = run(backbone, inputs)
        widened, _ = run(backbone, inputs, structure=1.0)
    assert evaluations == 4 * STEPS
    assert 0 < inputs.features.used_bytes <= limit
    (note,) = output.notes
    missing = int(note.values["steps"])
    assert 0 < missing < STEPS
    assert further == 2 * STEPS + missing
    for one in (output, again):
        np.testing.assert_allclose(one.images[0].astype(int), everything.images[0].astype(int), atol=1)
    assert widened.notes


def test_a_further_strength_does_not_lose_what_was_kept(tiny_backbones: dict[str, Any]) -> None:
    """What a step showed is replaced by more of it, or stays."""
    backbone, inputs = tiny_backbones["tiny-sd1"], fresh()
    run(backbone, inputs, structure=0.4)
    limit = inputs.features.used_bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Translate, "kept_bytes", property(lambda _: limit))
        stronger, _ = run(backbone, inputs, structure=0.8)
        assert stronger.notes
        _, weaker = run(backbone, inputs, structure=0.4)
    assert weaker == 2 * STEPS


def test_outside_of_a_mask_the_latents_are_the_picture_s(tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[:, : SIZE // 2] = 255
    inputs = fresh(**{content_hash(mask): mask})
    output, _ = run(backbone, inputs, mask=Mask(content_hash(mask)))
    whole, _ = run(backbone, inputs)
    plain = backbone.decode(encoded(run_of(backbone, parameters(), inputs), NAME, PICTURE))[0].astype(int)
    right = np.s_[:, -8:]  # beyond the decoder's reach from the mask
    inside, outside = (np.abs(one.images[0].astype(int) - plain)[right].mean() for one in (whole, output))
    assert outside < inside


def test_going_back_into_the_noise_keeps_the_variance() -> None:
    here, there = Level(300, 0.8, 0.6), Level(700, 0.28, 0.96)
    generator = torch.Generator().manual_seed(1)
    noise, fresh_noise = (torch.randn((1, 4, 64, 64), generator=generator) for _ in range(2))
    found = renoised(here.alpha * 0 + here.sigma * noise, here, there, fresh_noise)
    assert abs(float(found.std()) - there.sigma) < 0.02


def run_of(backbone: Any, values: Translate, inputs: Inputs) -> Any:
    return prepare(backbone, values, inputs, Progress())


def source_of(backbone: Any, values: Translate, inputs: Inputs) -> Source:
    made = run_of(backbone, values, inputs)
    return sourced(made, values, NAME, encoded(made, NAME, PICTURE))


def test_the_plan_at_512_px_of_sd1(tiny_backbones: dict[str, Any]) -> None:
    """Shares of the steps, as the reference has them: 40 of 50 with features, 25 with attention."""
    backbone = tiny_backbones["tiny-sd1"]
    values = parameters(steps=50)
    plan = Plan.of(backbone, values, 50)
    assert (plan.features, plan.attention) == (40, 25)
    assert plan.at(24).layers
    assert not plan.at(25).layers
    assert plan.at(39).features
    assert not plan.at(40)


@pytest.mark.parametrize("way", ["plug-and-play", "one-copy"])
def test_after_a_short_text_a_long_one_is_what_it_is_alone(way: str, tiny_backbones: dict[str, Any]) -> None:
    """What was seen beside words of one piece does not serve words of two: the source is read with more."""
    backbone, inputs = tiny_backbones["tiny-sd1"], fresh()
    longer = PROMPT + ", very" * 90
    run(backbone, inputs, way=way)
    after, _ = run(backbone, inputs, way=way, prompt=longer)
    alone, _ = run(backbone, way=way, prompt=longer)
    np.testing.assert_array_equal(after.images[0], alone.images[0])


def test_how_well_a_source_prompt_fits_is_that_of_its_own_weights(tiny_backbones: dict[str, Any]) -> None:
    backbone, inputs = tiny_backbones["tiny-sd1"], fresh()
    light, heavy = ({"source_prompt": f"a (dog:{weight})", "weighted": True} for weight in (0.2, 3.0))
    one, _ = run(backbone, inputs, **light)
    other, _ = run(backbone, inputs, **heavy)
    assert other.scores["fit"] == run(backbone, **heavy)[0].scores["fit"] != one.scores["fit"]
    _, evaluations = run(backbone, inputs, prompt="a photo of the dog", **heavy)
    assert evaluations == 2 * STEPS  # the source's fit is asked once, whatever it becomes
