import pytest

from editor.generating.requests import canonical
from editor.layers.recipes import with_edits, with_parameters
from editor.pixels.arithmetic import to_rgba
from editor.pixels.raster import Raster
from editor.sliders.keyframes import PictureCache, Pose, SliderKey, context_of, positions, rounded, shown
from editor.sliders.requests import between, pose_of, poses, sweep, with_prompt
from inference.content import ConceptFile
from inference.operations import SAMPLERS, LoraUse, SamplingParameters, SubjectEdit
from tests.editor import samples
from tests.editor.samples import MAN, PROMPT, WOMAN, recipe


def flat(level: int) -> Raster:
    return Raster.of(to_rgba(samples.flat(level)))


AGE = SliderKey(13, 16, "age")
SMILE = SliderKey(23, 28, "smile")
REST = pose_of(recipe(MAN))


def pose(delay: float = 0.2, **values: float) -> Pose:
    keys = {"age": AGE, "smile": SMILE}
    return REST.moved({keys[name]: value for name, value in values.items()}, delay)


def edit(key: SliderKey, value: float) -> SubjectEdit:
    return SubjectEdit(start=key.start, end=key.end, attribute=key.attribute, value=value)


class TestPose:
    def test_zero_is_no_edit_and_order_does_not_matter(self) -> None:
        one = pose_of(with_edits(recipe(MAN), (edit(SMILE, 1.0), edit(AGE, 0.0))))
        other = pose_of(with_edits(recipe(MAN), (edit(SMILE, 1.0),)))
        assert one == other == pose(smile=1.0)

    def test_delay_decides_nothing_at_rest(self) -> None:
        assert pose_of(with_edits(recipe(MAN), (), delay=0.7)) == REST
        assert pose(age=1.0) != pose(0.7, age=1.0)

    def test_anything_else_makes_another_picture(self) -> None:
        for changes in ({"seed": 8}, {"steps": 20}, {"prompt": "a cat"}, {"guidance_scale": 2.0}):
            assert pose_of(with_parameters(recipe(MAN), **changes)) != REST

    @pytest.mark.parametrize(
        "name", [item.name for item in SamplingParameters.declared() if item.name != "seed"]
    )
    def test_a_context_is_all_that_decides_a_picture_beside_seed_and_sliders(self, name: str) -> None:
        other = {"prompt": "a cat", "negative_prompt": "ugly", "steps": 20, "guidance_scale": 2.0}
        other |= {"width": 64, "height": 64, "sampler": SAMPLERS[-1], "concepts": (ConceptFile("a" * 64),)}
        other |= {"weighted": True}
        other["loras"] = (LoraUse(name="a", hash="a" * 64, strength=0.5),)
        made = with_parameters(recipe(MAN), **{name: other[name]})
        assert context_of(made.request) != context_of(recipe(MAN).request)
        assert context_of(recipe(MAN, seed=8).request) == context_of(recipe(MAN).request)
        moved = with_edits(recipe(MAN), (edit(AGE, 1.0),), delay=0.7)
        assert context_of(moved.request) == context_of(recipe(MAN).request)

    @pytest.mark.parametrize(("value", "kept"), [(0.644, 0.64), (-0.001, 0.0), (1 / 3, 0.33)])
    def test_values_are_kept_to_a_hundredth(self, value: float, kept: float) -> None:
        assert str(rounded(value)) == str(kept)


class TestCache:
    def test_drops_what_was_not_used_for_longest(self) -> None:
        cache = PictureCache(limit_bytes=2 * flat(0).nbytes)
        cache.put(pose(age=1.0), flat(1))
        cache.put(pose(age=2.0), flat(2))
        cache.get(pose(age=1.0))
        cache.put(pose(age=0.5), flat(3))
        assert pose(age=1.0) in cache
        assert pose(age=2.0) not in cache
        assert cache.used_bytes == 2 * flat(0).nbytes

    def test_the_same_pose_counts_once_and_one_picture_always_fits(self) -> None:
        cache = PictureCache(limit_bytes=1, limit_entries=5)
        cache.put(REST, flat(1))
        cache.put(REST, flat(2))
        assert (len(cache), cache.used_bytes) == (1, flat(0).nbytes)


class TestShown:
    @pytest.fixture
    def cache(self) -> PictureCache:
        made = PictureCache()
        made.put(REST, flat(100))
        made.put(pose(age=1.0), flat(120))
        made.put(pose(age=2.0), flat(200))
        made.put(pose(age=1.0, smile=1.0), flat(7))
        return made

    @pytest.mark.parametrize(
        ("value", "level", "exact"),
        [(0.0, 100, True), (1.0, 120, True), (0.25, 105, False), (1.5, 160, False), (-0.5, 100, False)],
    )
    def test_between_the_nearest(self, cache: PictureCache, value: float, level: int, exact: bool) -> None:
        found = shown(cache, pose(age=value), (AGE,))
        assert found is not None
        assert (int(found.pixels[0, 0, 0]), found.exact) == (level, exact)

    def test_pictures_that_differ_elsewhere_are_not_mixed_in(self, cache: PictureCache) -> None:
        found = shown(cache, pose(age=0.5, smile=1.0), (AGE,))
        assert found is not None
        assert found.pixels[0, 0, 0] == 7
        assert shown(cache, pose(smile=0.5, age=0.5), (SMILE,)) is None

    def test_another_delay_is_another_row(self, cache: PictureCache) -> None:
        found = shown(cache, pose(0.5, age=0.5), (AGE,))
        assert found is not None
        assert found.pixels[0, 0, 0] == 100  # the resting picture has no delay


class TestRequests:
    def test_a_sweep_holds_the_others_still(self) -> None:
        made = sweep(with_edits(recipe(MAN, WOMAN), (edit(SMILE, 0.5), edit(AGE, 0.0))), AGE, (-1.0, 1.0))
        assert made.operation == "attribute-sweep"
        assert poses(made) == (pose(age=-1.0, smile=0.5), pose(age=1.0, smile=0.5))

    def test_canonical_requests_leave_zeros_out(self) -> None:
        request = canonical(with_edits(recipe(MAN), (edit(SMILE, 0.5), edit(AGE, 0.0))).request)
        assert poses(request) == (pose(smile=0.5),)
        assert request.parameters.edits == (edit(SMILE, 0.5),)

    def test_positions_and_midpoints(self) -> None:
        assert positions(-2, 2, 9) == (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)
        assert between(positions(-2, 2, 9), 0.6) == (0.75, 0.25)

    @pytest.mark.parametrize(
        ("ends", "expected"), [((-0.02, 0.02), (-0.02, -0.01, 0, 0.01, 0.02)), ((0.001, 0.002), (0,))]
    )
    def test_no_position_twice_on_a_short_track(
        self, ends: tuple[float, float], expected: tuple[float, ...]
    ) -> None:
        """Of a track with one twice the project could not be opened again."""
        assert positions(*ends, 9) == expected


class TestWithPrompt:
    def test_subjects_move_with_their_words_and_their_sliders(self) -> None:
        old = with_edits(recipe(MAN, WOMAN), (edit(AGE, 1.0), edit(SMILE, 0.5)))
        new = with_prompt(old, "on the beach: a woman, a man", 3)
        assert [(item.text, new.prompt[item.start : item.end]) for item in new.subjects] == [
            ("woman", "woman"),
            ("man", "man"),
        ]
        assert {new.prompt[item.start : item.end]: item.value for item in new.edits} == {
            "man": 1.0,
            "woman": 0.5,
        }
        assert new.seed == 3

    def test_those_no_longer_named_go(self) -> None:
        new = with_prompt(with_edits(recipe(MAN, WOMAN), (edit(AGE, 1.0),)), "a woman", 3)
        assert [item.text for item in new.subjects] == ["woman"]
        assert new.edits == ()
        assert PROMPT not in new.prompt
