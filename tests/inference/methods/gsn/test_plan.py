"""Recipes as values: the rows of the paper's table, overrides, and what is refused."""

from typing import Any

import pytest

from inference.errors import EditorError
from inference.methods.gsn.plan import Plan, only_step, plan
from inference.methods.gsn.procedures import METHODS, PROCEDURES, LatentRefinement, MeanLearning, NoiseSearch
from inference.operations import Refine


def planned(method: str, steps: int = 50, **more: Any) -> Any:
    return plan(Refine(prompt="a cat", method=method, **more), steps)


# method: (steps with a refinement, most updates of each, first and last guided step), of 50
TABLE = {
    "plain": ([], [], None),
    "syngen": ([], [], (0, 24)),
    "attend-and-excite": ([0, 10, 20], [20, 20, 20], (0, 24)),
    "divide-and-bind": ([0, 10, 20], [50, 50, 50], (0, 24)),
    "initno": ([0], [250], None),
    "initno+": ([0, 10, 20], [250, 20, 20], (0, 24)),
    "ours": ([8], [50], None),
    "ours+": ([2], [50], (3, 24)),
    "saga": ([10], [50], None),
    "saga+": ([6], [50], (7, 24)),
}
# the most gradient updates of a picture, as the paper counts them where it does
UPDATES = {"syngen": 25, "attend-and-excite": 85, "divide-and-bind": 175, "initno+": 315, "ours": 50}


def updates(refinement: Any) -> int:
    return refinement.updates * (refinement.rounds if isinstance(refinement, NoiseSearch) else 1)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_its_row_of_the_table(method: str) -> None:
    steps, most, guided = TABLE[method]
    found = planned(method)
    assert sorted(found.refinements) == steps
    assert [updates(found.refinements[step]) for step in steps] == most
    assert (found.guided[0], found.guided[-1]) == guided if guided else not found.guided
    if method in UPDATES:
        assert sum(most) + len(found.guided) == UPDATES[method]
    assert found.first == min([*steps, *(guided or ())[:1]], default=50)
    assert PROCEDURES[method].is_plain is (method == "plain")


def test_thresholds_and_step_sizes_of_attend_and_excite() -> None:
    found = planned("attend-and-excite")
    assert [found.refinements[step].threshold for step in (0, 10, 20)] == [0.05, 0.5, 0.8]
    assert found.refinements[0].learning_rate == 20
    assert not found.refinements[0].adam
    assert found.step_size(0) == 20
    assert found.step_size(49) == pytest.approx(20 * 0.5**0.5)
    assert planned("syngen").step_size(20) == 20


def test_thresholds_of_divide_and_bind_are_variations() -> None:
    found = planned("divide-and-bind")
    assert [found.refinements[step].threshold for step in (0, 10, 20)] == [0.05, 0.2, 0.3]


class TestSaga:
    """Values of arXiv:2508.13866 for noise prediction (50 steps) and flow matching (28 steps)."""

    def test_noise_prediction(self) -> None:
        assert learnt(planned("saga")) == (10, 0.4, 10, 50)
        assert learnt(planned("saga+")) == (6, 0.1, 10, 50)

    @pytest.mark.parametrize("method", ["saga", "saga+"])
    def test_flow_matching(self, method: str) -> None:
        found = plan(Refine(method=method), 28, flow=True)
        assert learnt(found) == (5, 0.7, 4, 50)
        assert found.refinements[5].learning_rate == 20
        assert list(found.guided) == ([] if method == "saga" else list(range(6, 14)))

    @pytest.mark.parametrize("method", [name for name in METHODS if "saga" not in name])
    def test_other_methods_are_the_same(self, method: str) -> None:
        assert plan(Refine(method=method), 28, flow=True) == plan(Refine(method=method), 28)


def learnt(found: Plan) -> tuple[int, float, int, int]:
    """Step, momentum, noises and updates of a plan's only refinement."""
    ((step, how),) = found.refinements.items()
    assert isinstance(how, MeanLearning)
    return step, how.momentum, how.noises, how.updates


def test_steps_are_shares_of_the_run() -> None:
    assert planned("ours", 28).first == 4
    assert planned("ours", 1).first == 0
    assert planned("saga+", 4).first == 1
    assert list(planned("syngen", 10).guided) == [0, 1, 2, 3, 4]


def test_any_row_can_be_built_from_its_parts() -> None:
    built = planned(
        "plain", refinement_loss="neglect+overlap", step=8, guidance_loss="syngen", guidance_start=9
    )
    assert isinstance(built.refinements[8], LatentRefinement)
    assert built.refinements[8].loss == "neglect+overlap"
    assert list(built.guided) == list(range(9, 25))
    assert not planned("ours+", guidance_loss="none").guided
    assert not planned("ours+", refinement_loss="none").refinements
    assert planned("ours", updates=0).first == 50
    other = planned("ours", updates=3, learning_rate=0.5, threshold=0.9, refinement_loss="syngen")
    (refinement,) = other.refinements.values()
    assert (refinement.updates, refinement.learning_rate) == (3, 0.5)
    assert (refinement.threshold, refinement.loss) == (0.9, "syngen")
    assert planned("syngen", guidance_step_size=3.0).step_size(1) == 3
    shared = planned("saga", shared_distribution=True).refinements[10]
    assert isinstance(shared, MeanLearning)
    assert shared.shared


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "ours", "step": 50}, "Step 50 is beyond the schedule, which has 50 steps"),
        ({"method": "plain", "step": 60}, "Step 60 is beyond"),
        ({"method": "ours+", "guidance_end": 51}, "leaves the schedule"),
        ({"method": "attend-and-excite", "step": 3}, "refines at steps of its own"),
        ({"method": "initno", "step": 3}, "refines at steps of its own"),
        ({"method": "saga", "step": 0}, "first step is all noise"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(EditorError, match=message):
        planned(**values)


def test_only_movable_refinements_have_a_step() -> None:
    movable = {method: only_step(method, 50) for method in METHODS if only_step(method, 50) is not None}
    assert movable == {"ours": 8, "ours+": 2, "saga": 10, "saga+": 6}


class TestStepSizes:
    """Published step sizes hold for 64 × 64 latents and above; smaller ones take smaller steps."""

    @pytest.mark.parametrize(
        ("size", "share"), [((128, 128), 1), ((64, 64), 1), ((64, 16), 0.25), ((16, 16), 1 / 16)]
    )
    def test_they_follow_the_number_of_latents(self, size: tuple[int, int], share: float) -> None:
        guided = plan(Refine(method="attend-and-excite"), 50, size)
        assert guided.step_size(0) == pytest.approx(20 * share)
        assert guided.refinements[0].learning_rate == pytest.approx(20 * share)
        learnt = plan(Refine(method="saga"), 50, size).refinements[10]
        assert learnt.learning_rate == pytest.approx(20 * share)

    @pytest.mark.parametrize("method", ["ours", "initno"])
    def test_adam_keeps_its_rate(self, method: str) -> None:
        (refinement,) = plan(Refine(method=method), 50, (16, 16)).refinements.values()
        assert refinement.learning_rate == 1e-2

    def test_what_a_request_names_is_taken_as_it_is(self) -> None:
        asked = Refine(method="ours+", learning_rate=0.5, guidance_step_size=3.0)
        made = plan(asked, 50, (16, 16))
        assert made.refinements[2].learning_rate == 0.5
        assert made.step_size(3) == 3.0

    def test_added_parts_are_scaled_too(self) -> None:
        added = plan(Refine(method="plain", refinement_loss="neglect", guidance_loss="neglect"), 50, (16, 16))
        assert next(iter(added.refinements.values())).learning_rate == 1e-2
        assert added.step_size(0) == pytest.approx(20 / 16)
