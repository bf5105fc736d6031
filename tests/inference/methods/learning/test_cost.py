"""What a learning run will cost, against what runs do cost and what the authors' loop does."""

from typing import Any

import pytest

from inference.content import DefinitionFile
from inference.methods.learning.cost import PUBLISHED_MICRO_STEP, evaluations_of
from inference.operations import LearnDelta

PUBLISHED: dict[str, Any] = {"points": 1, "noisy_share": 1.0, "warm_start": False}


def cost(**values: Any) -> int:
    return evaluations_of(LearnDelta(definition=DefinitionFile("0" * 64), **{"method": "learned", **values}))


def test_the_published_loop_costs_what_it_does() -> None:
    each = cost(steps=1000, accumulation=10, **PUBLISHED) / 10_000
    assert each == pytest.approx(PUBLISHED_MICRO_STEP, abs=1.0)


def test_ours_costs_a_fifth_at_most() -> None:
    assert cost() <= 0.2 * PUBLISHED_MICRO_STEP * 500 * 8
    assert cost(preset="cosine-1000x5") == pytest.approx(cost(steps=1000, accumulation=5))


def test_what_it_grows_with() -> None:
    assert cost(batch=3) == 3 * cost()
    assert cost(scales=6) == cost() + 2 * 2 * 4000
    assert cost(guidance_scale=1.0) < cost()
    assert cost(points=10) > cost(points=20)


def test_pictures_cost_a_pass_there_and_one_back_each() -> None:
    assert cost(method="picture", steps=30, accumulation=4) == 30 * 4 * 2
    assert cost(method="pair", steps=30, accumulation=4) == 30 * 4 * 2 * 2
    assert cost(method="naive") == 0
