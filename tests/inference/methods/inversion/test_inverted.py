"""An inversion as arrays: there and back, and what files may hold instead."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from inference.methods.inversion.inverted import Arrays, Inverted
from inference.prompts.prompt import Prompt

STEPS, SHAPE = 2, (1, 4, 8, 8)
HEAT = "heat/2-5"


@pytest.fixture
def prompt(tiny_backbones: dict[str, Any]) -> Prompt:
    return tiny_backbones["tiny-sd1"].encode_prompt("a man")


def read(arrays: Arrays, prompt: Prompt) -> Inverted:
    found = Inverted.from_arrays(arrays, "null-text", prompt, prompt)
    found.check(STEPS, STEPS + 1, SHAPE)
    return found


@pytest.fixture
def whole(prompt: Prompt) -> Inverted:
    return Inverted(
        way="null-text",
        prompt=prompt,
        path=torch.zeros(STEPS + 1, *SHAPE[1:]),
        offsets=torch.full((STEPS, *SHAPE[1:]), float("nan")),
        negatives=(prompt,) * STEPS,
        heat={(2, 5): np.ones((4, 4), np.float32)},
        fit=0.5,
    )


def test_there_and_back(whole: Inverted, prompt: Prompt) -> None:
    again = read(whole.to_arrays(), prompt)
    assert (again.fit, list(again.heat), len(again.negatives)) == (0.5, [(2, 5)], STEPS)
    assert torch.equal(again.path, whole.path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda arrays: arrays | {"fit": np.zeros(0)},
        lambda arrays: arrays | {"fit": np.zeros((1, 2))},
        lambda arrays: arrays | {"path": arrays["path"].astype(np.float64)},
        lambda arrays: arrays | {"path": arrays["path"].astype(np.int32)},
        lambda arrays: arrays | {"path": arrays["path"][1:]},
        lambda arrays: arrays | {"offsets": arrays["offsets"].astype(np.float16)},
        lambda arrays: arrays | {HEAT: arrays[HEAT].astype(np.uint8)},
        lambda arrays: arrays | {HEAT: arrays[HEAT][0]},
        lambda arrays: {name: value for name, value in arrays.items() if name != "path"},
        lambda arrays: arrays | {"negative/other": np.zeros((STEPS, 3, 3), np.float32)},
    ],
)
def test_what_is_none_is_computed_again(
    whole: Inverted, prompt: Prompt, damage: Callable[[Arrays], Arrays]
) -> None:
    """What is kept on the disk is left aside where these two are raised; others would end the edit."""
    with pytest.raises((KeyError, ValueError)):
        read(damage(whole.to_arrays()), prompt)
