"""Where two prompts differ in a picture."""

from types import SimpleNamespace
from typing import Any

import torch

from inference.methods.prompt_to_prompt.contrast import NOISED_AT, NOISES, contrast, noised_prediction
from inference.schedule import Prediction

STEPS = 10


def run_of(differs: dict[str, torch.Tensor], asked: list[Any]) -> Any:
    """A run whose network says more of a prompt where `differs` [h, w] says so."""

    def predict(latents: torch.Tensor, level: Any, prompts: Any) -> Prediction:
        asked.append((latents, level, tuple(prompts)))
        more = torch.stack([differs.get(prompt, torch.zeros(latents.shape[-2:])) for prompt in prompts])
        return Prediction(latents, latents + more[:, None])

    levels = [SimpleNamespace(alpha=0.6, sigma=0.8, index=index) for index in range(STEPS + 1)]
    progress = SimpleNamespace(check=lambda: None)
    return SimpleNamespace(
        steps=STEPS, levels=levels, backbone=SimpleNamespace(predict=predict), progress=progress
    )


def contrast_of(differs: dict[str, torch.Tensor], asked: list[Any]) -> torch.Tensor:
    run: Any = run_of(differs, asked)
    source: Any = "source"
    targets: Any = list(differs)
    latents = torch.ones(1, 4, 9, 12)
    return contrast(run, noised_prediction(run, source, latents), targets, latents)


def test_it_is_where_the_predictions_differ_on_the_same_noises() -> None:
    differs = torch.zeros(9, 12)
    differs[3, 3], differs[6, 9] = 2.0, -1.0
    asked: list[Any] = []
    found = contrast_of({"target": differs}, asked)
    expected = torch.zeros(9, 12)
    expected[2:5, 2:5] = 1
    expected[5:8, 8:11] = 0.5  # whichever way it differs
    torch.testing.assert_close(found, expected)
    (latents, level, prompts), (same, _, others) = asked
    assert (prompts, others) == (("source",) * NOISES, ("target",) * NOISES)
    assert torch.equal(latents, same)
    assert not torch.equal(latents[0], latents[1])
    assert level.index == int(NOISED_AT * STEPS)


def test_a_small_change_counts_beside_a_large_one() -> None:
    large, small = torch.zeros(9, 12), torch.zeros(9, 12)
    large[6, 9], small[3, 3] = 10.0, 0.1
    found = contrast_of({"large": large, "small": small}, [])
    assert found[3, 3] == found[6, 9] == 1
    assert found[0, 0] == 0


def test_prompts_that_say_the_same_differ_nowhere() -> None:
    assert float(contrast_of({"target": torch.zeros(9, 12)}, []).abs().max()) == 0
