"""Odd values in place of parsed ones: what a JSON file may hold that its writer never wrote."""

import copy
import math
import random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 2**31, -(2**31) - 1, 2**63, 10**30, 10**400, -(10**400),
    0.5, -0.0, 1e300, -1e300, math.nan, math.inf, -math.inf,
    "", "x", "1", "nan", "true", "a\0b", "a\ud800b", "../../x", "/", "\u202e", "<img src='x'>", "x" * 5000,
    "x" * 2_000_000,
    "{a,b}" * 40, [], {}, [[]], [None], [1, 2], [1.0, 2.0, 3.0], ["x", "y"], {"a": 1}, {"": None},
)  # fmt: skip
MANY = 3000
DEPTH = 200


def mutated(values: Any, dice: random.Random) -> Any:
    """A copy with one to three parts changed; the same for the same dice."""
    changed = [copy.deepcopy(values)]
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        _change(changed, dice)
    return changed[0]


def _change(root: list[Any], dice: random.Random) -> None:
    """Walk to some part below `root` and change it."""
    inside, key = root, 0
    while isinstance(inside[key], dict | list) and inside[key] and dice.random() < 0.85:
        inside, key = inside[key], dice.choice(_keys(inside[key]))
    dice.choice((_replace, _replace, _replace, _remove, _repeat, _extend, _nest, _elsewhere, _vary))(
        inside, key, root, dice
    )


def _keys(inside: Any) -> list[Any]:
    return list(inside) if isinstance(inside, dict) else list(range(len(inside)))


def _replace(inside: Any, key: Any, root: list[Any], dice: random.Random) -> None:
    del root
    inside[key] = copy.deepcopy(dice.choice(ODD))


def _remove(inside: Any, key: Any, root: list[Any], dice: random.Random) -> None:
    del dice
    if inside is not root:
        del inside[key]


def _repeat(inside: Any, key: Any, root: list[Any], dice: random.Random) -> None:
    del root
    part = inside[key]
    if isinstance(part, list) and part:
        inside[key] = part * dice.choice((2, MANY // len(part) + 1))
    elif isinstance(part, str):
        inside[key] = part * (dice.choice((2, 1000)) if len(part) < 10_000 else 2)
    elif isinstance(part, dict):
        inside[key] = {
            **part,
            **{f"{name}{place}": value for place in range(3) for name, value in part.items()},
        }
    else:
        inside[key] = [part] * MANY


def _extend(inside: Any, key: Any, root: list[Any], dice: random.Random) -> None:
    part = inside[key]
    if isinstance(part, dict):
        part[dice.choice(("unknown", "", "version", "\ud800", "x" * 5000))] = dice.choice(ODD)
    elif isinstance(part, list):
        part.insert(dice.randrange(len(part) + 1), copy.deepcopy(dice.choice(ODD)))
    else:
        _replace(inside, key, root, dice)


def _nest(inside: Any, key: Any, root: list[Any], dice: random.Random) -> None:
    del root
    for _ in range(dice.choice((1, DEPTH))):
        inside[key] = [inside[key]]


def _elsewhere(inside: Any, key: Any, root: list[Any], dice: random.Random) -> None:
    """Put a copy of another part of the same file here."""
    found = root[0]
    while isinstance(found, dict | list) and found and dice.random() < 0.8:
        found = found[dice.choice(_keys(found))]
    inside[key] = copy.deepcopy(found)


def _vary(inside: Any, key: Any, root: list[Any], dice: random.Random) -> None:
    """A value of the same type, or of one that is easily taken for it."""
    part = inside[key]
    if isinstance(part, bool):
        inside[key] = int(part)
    elif isinstance(part, int | float) and abs(part) < 2**64:
        inside[key] = dice.choice((part + 1, -part, part * 1000, float(part), str(part), part + 0.5))
    elif isinstance(part, str):
        inside[key] = dice.choice(
            (part[:-1], part + "\ud800", part[::-1], [part], part.encode("utf-8", "replace").hex())
        )
    else:
        _replace(inside, key, root, dice)
