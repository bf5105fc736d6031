"""Tables of the suite "translate": every point, and what the issue's goals ask of them.

* *points*: means with 95 % bootstrap intervals, over all pairs and over each set.
* *against the default*: for every other point the paired differences, and whether it lies better in both.
* *mask refinement*: its structure distance beside that of the unmasked ways at the same fidelity.
* *reference setting*: the default's structure distance beside that of an inversion of 999 steps.
* *evaluations*: of a first and of a further text, as shares of what the reference spends.
* *identity*: what a picture that is told by its own words loses beside its autoencoder alone, in dB.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.translate_sets import SETS
from inference.messages import Message
from inference.metrics.attribute_control import spread
from inference.metrics.intervals import bootstrap_interval
from inference.values import fields, number, refused, whole

REFERENCE_EVALUATIONS = 2148
"""Plug-and-Play as its authors run it: 999 steps to invert, 999 to reconstruct, 3 samples at each of 50."""

DEFAULT_POINT = "plug-and-play"
REFERENCE_POINT = "999 steps"
MASK_POINT = "mask refinement"
GOALS: Mapping[str, tuple[float, float]] = {
    DEFAULT_POINT: (0.1, 0.05),
    "one copy": (0.05, 0.05),
    "one copy, restart": (0.05, 0.05),
}
"""Shares of the reference's evaluations that a first and a further text may cost."""
IDENTITY_GOAL_DB = 0.5

_MEASURES = ("fidelity", "changed", "structure")
_DRAWS = 1000
_PAIR = re.compile(r"0|[1-9]\d{0,5}", re.ASCII)

Rows: TypeAlias = "Mapping[str, Mapping[str, Any]]"


def check_measured(values: Mapping[str, Any]) -> None:
    """Refuse measurements of a file that the tables could not be made of.

    Raises:
        EditorError: one is missing, of another type or out of its range; the message names it.
    """
    for point, rows in values["points"].items():
        for pair, row in _by_pair(rows, f"points.{point}"):
            name = f"points.{point}.{pair}"
            given = fields(row, name)
            one_of = SETS[int(pair) % len(SETS)]
            if given.get("set") != one_of:
                raise refused(f"{name}.set", given.get("set"), Message("expected {kind}", kind=one_of))
            for item in ("fidelity", "changed"):
                number(given.get(item), f"{name}.{item}", 0, 1)
            number(given.get("structure"), f"{name}.structure", 0)
            whole(given.get("evaluations"), f"{name}.evaluations", 0)
    for point, counts in values["further"].items():
        for pair, count in _by_pair(counts, f"further.{point}"):
            whole(count, f"further.{point}.{pair}", 0)
    for pair, row in _by_pair(values["identity"], "identity"):
        for item in ("translated_db", "autoencoder_db"):
            number(fields(row, f"identity.{pair}").get(item), f"identity.{pair}.{item}")


def _by_pair(value: object, name: str) -> list[tuple[str, Any]]:
    rows = fields(value, name)
    for pair in rows:
        if _PAIR.fullmatch(pair) is None:
            raise refused(name, pair, Message("expected {kind}", kind=Message("the number of a pair")))
    return list(rows.items())


def summarise(values: Mapping[str, Any], rivals: Sequence[str], unmasked: Sequence[str]) -> dict[str, Any]:
    """All tables of what was measured so far.

    Args:
        rivals: the points that must not lie better than the default in both.
        unmasked: points of one way at several strengths, which the mask refinement is held against.
    """
    points: Mapping[str, Rows] = values["points"]
    against = {
        name: against_default(points[DEFAULT_POINT], rows)
        for name, rows in points.items()
        if name != DEFAULT_POINT and set(rows) & set(points.get(DEFAULT_POINT, {}))
    }
    return {
        "points": {name: _table(list(rows.values())) for name, rows in points.items()},
        "against_default": against,
        "better_in_both": [name for name in rivals if name in against and against[name]["better_in_both"]],
        "mask_refinement": at_equal_fidelity(
            points.get(MASK_POINT, {}), [points.get(one, {}) for one in unmasked]
        ),
        "reference_setting": _beside_reference(points),
        "evaluations": _evaluations(points, values.get("further", {})),
        "identity": _identity(list(values.get("identity", {}).values())),
    }


def against_default(own: Rows, other: Rows) -> dict[str, Any]:
    """Mean paired differences from the default's rows, with intervals, over the pairs that both have.

    "better_in_both": more faithful and nearer in structure on average; "surely" if no interval holds 0.
    """
    shared = [key for key in own if key in other]
    found: dict[str, Any] = {"pairs": len(shared)}
    for item in ("fidelity", "structure"):
        differences = [other[key][item] - own[key][item] for key in shared]
        found[item] = float(np.mean(differences))
        found[f"{item}_interval"] = bootstrap_interval(differences)
    found["better_in_both"] = found["fidelity"] > 0 and found["structure"] < 0
    found["worse_in_both"] = found["fidelity"] < 0 and found["structure"] > 0
    found["surely"] = found["fidelity_interval"][0] > 0 and found["structure_interval"][1] < 0
    return found


def at_equal_fidelity(rows: Rows, curve: Sequence[Rows]) -> dict[str, Any] | None:
    """The structure distance of `rows` minus that of a curve at the same mean fidelity; None without both.

    The curve is that of the mean points of `curve` over the same pairs, straight between them; beyond its
    ends it has the distance of the nearest end. "lower" if the whole 95 % interval is below 0.
    """
    keys = [key for key in rows if all(key in one for one in curve)]
    if not keys or len(curve) < 2:
        return None
    fidelity, structure = (
        np.array([[one[key][item] for key in keys] for one in (rows, *curve)])
        for item in ("fidelity", "structure")
    )

    def difference(chosen: NDArray[np.int64]) -> float:
        across, up = fidelity[:, chosen].mean(1), structure[:, chosen].mean(1)
        order = np.argsort(across[1:], kind="stable")
        return float(up[0] - np.interp(across[0], across[1:][order], up[1:][order]))

    interval = _interval_of(difference, len(keys))
    return {
        "pairs": len(keys),
        "fidelity": float(fidelity[0].mean()),
        "structure": float(structure[0].mean()),
        "difference": difference(np.arange(len(keys))),
        "interval": interval,
        "lower": interval[1] < 0,
    }


def _interval_of(statistic: Callable[[NDArray[np.int64]], float], count: int) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of what is computed of some of `count` pairs."""
    generator = np.random.default_rng(0)
    drawn = [statistic(generator.integers(0, count, count)) for _ in range(_DRAWS)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def _table(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "pairs": len(rows),
        **_spreads(rows),
        **{f"{item}_interval": _mean_interval(rows, item) for item in ("fidelity", "structure") if rows},
        "evaluations": spread([row["evaluations"] for row in rows]),
        "sets": {
            one: {
                "pairs": len(of_set),
                **_spreads(of_set),
                **{f"{item}_interval": _mean_interval(of_set, item) for item in ("fidelity", "structure")},
            }
            for one in SETS
            if (of_set := [row for row in rows if row["set"] == one])
        },
    }


def _spreads(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {item: spread([row[item] for row in rows]) for item in _MEASURES}


def _mean_interval(rows: Sequence[Mapping[str, Any]], item: str) -> tuple[float, float]:
    return bootstrap_interval([row[item] for row in rows])


def _beside_reference(points: Mapping[str, Rows]) -> dict[str, Any] | None:
    """How much farther in structure the default is than the reference's setting, where that was measured."""
    own, reference = points.get(DEFAULT_POINT, {}), points.get(REFERENCE_POINT, {})
    if not set(own) & set(reference):
        return None
    found = against_default(reference, own)
    return {
        "pairs": found["pairs"],
        "difference": found["structure"],
        "interval": found["structure_interval"],
        "no_worse": found["structure"] <= 0,
        "surely_worse": found["structure_interval"][0] > 0,
    }


def _evaluations(points: Mapping[str, Rows], further: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Most evaluations of a first and of a further text, as shares of the reference's."""
    found: dict[str, Any] = {}
    for name, (first_goal, further_goal) in GOALS.items():
        counts = {
            "first": (first_goal, [row["evaluations"] for row in points.get(name, {}).values()]),
            "further": (further_goal, list(further.get(name, {}).values())),
        }
        found[name] = {
            which: {
                "share": max(spent) / REFERENCE_EVALUATIONS,
                "goal": goal,
                "reached": max(spent) <= goal * REFERENCE_EVALUATIONS,
            }
            for which, (goal, spent) in counts.items()
            if spent
        }
    return {name: table for name, table in found.items() if table}


def _identity(rows: Sequence[Mapping[str, float]]) -> dict[str, Any] | None:
    if not rows:
        return None
    lost = [row["autoencoder_db"] - row["translated_db"] for row in rows]
    return {
        "pairs": len(rows),
        "lost_db": spread(lost),
        "lost_db_interval": bootstrap_interval(lost),
        "goal_db": IDENTITY_GOAL_DB,
        "reached": float(np.mean(lost)) <= IDENTITY_GOAL_DB,
    }
