"""A slice of `tests.benchmarks.fuzzing --values`, and what is meant by a right answer to single values."""

from collections import Counter

import pytest

from tests.helpers.declared_types import faults
from tests.helpers.value_boundaries import boundaries, trials


@pytest.mark.parametrize("seed", [21, 22])
def test_mutated_values_become_declared_ones_or_errors_for_people(seed: int) -> None:
    counts: Counter[str] = Counter()
    for trial in trials(240, seed):
        assert trial.kind != "defect", f"{trial.boundary}: {trial.details}"
        counts[trial.kind] += 1
    assert min(counts["value"], counts["error"]) > 40  # both happen


def test_every_boundary_reads_what_was_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, boundary in boundaries().items():
        for values in boundary.samples:
            assert boundary.read(values, tmp_path_factory.mktemp("sound")) == [], name


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (True, int),
        (1, float),
        (float("nan"), float),
        (2**63, int),
        ("\ud800", str),
        ([1], tuple[int, ...]),
        ((1, "a"), tuple[int, ...]),
        ((1,), tuple[int, int]),
        ({"a": 1}, dict[str, str]),
        (None, int),
        ("a", int | None),
    ],
)
def test_the_judge_sees_what_is_not_declared(value: object, hint: object) -> None:
    assert faults(value, hint)
    assert not faults((1, "a", None, 0.5), tuple[int, str, int | None, float])
