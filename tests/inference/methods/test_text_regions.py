"""Words that are read only where they belong, on networks of the three families' layouts."""

from typing import Any

import pytest
import torch
from torch import Tensor

from inference.backbones.base import Backbone
from inference.methods.text_regions import PLACES, TextRegions, reads_text
from inference.progress import Measurements
from inference.prompts.prompt import Prompt
from tests.helpers.stub_backbone import StubBackbone

NAMES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3")
UNETS = NAMES[:2]
PROMPT = "a photo of a man and a woman"
MAN, WOMAN = (13, 16), (23, 28)


def moved(prompt: Prompt, *spans: tuple[int, int], by: float = 8.0) -> Prompt:
    shifts: dict[str, dict[int, Tensor]] = {}
    for span in spans:
        for encoder, tokens in prompt.tokens(*span).items():
            width = prompt.embeddings[encoder].shape[-1]
            vector = torch.randn(width, generator=torch.Generator().manual_seed(span[0])) * by
            shifts.setdefault(encoder, {}).update(dict.fromkeys(tokens, vector))
    return prompt.shifted(shifts)


class Case:
    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone
        self.plain = backbone.encode_prompt(PROMPT)
        self.level = backbone.levels(4, 64, 64)[1]
        shape = backbone.latent_shape(64, 64)
        self.latents = torch.randn(1, *shape, generator=torch.Generator().manual_seed(1))
        self.nowhere, self.everywhere = torch.zeros(1, 1, *shape[1:]), torch.ones(1, 1, *shape[1:])
        self.left = self.nowhere.clone()
        self.left[..., : shape[2] // 2] = 1

    def regions(self, prompt: Prompt, regions: Any, bound: Any = None) -> TextRegions:
        return TextRegions(
            backbone=self.backbone, plain=self.plain, edited=[(prompt, regions)], bound=bound or {}
        )

    @torch.no_grad()
    def eps(self, predict: Any, *prompts: Prompt) -> Tensor:
        return predict(self.latents.repeat(len(prompts), 1, 1, 1), self.level, prompts).eps


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest, tiny_backbones: dict[str, Any]) -> Case:
    return Case(tiny_backbones[request.param])


def test_nowhere_it_is_the_plain_prompt_and_everywhere_the_shifted_one(case: Case) -> None:
    prompt = moved(case.plain, MAN)
    plain, shifted = (case.eps(case.backbone.predict, one) for one in (case.plain, prompt))
    far = (plain - shifted).abs().mean()
    assert far > 1e-5
    nothing = case.eps(case.regions(prompt, {MAN: case.nowhere}).predict, prompt)
    assert (nothing - plain).abs().mean() < 0.01 * far
    whole = case.eps(case.regions(prompt, {MAN: case.everywhere}).predict, prompt)
    # where text changes on its way through the network the other words follow the shifted one a little
    assert (whole - shifted).abs().mean() < (0.5 if case.backbone.name == "tiny-sd3" else 0.01) * far


def test_with_a_plain_sample_beside_it_nothing_is_added(case: Case) -> None:
    prompt = moved(case.plain, MAN)
    alone = case.eps(case.regions(prompt, {MAN: case.left}).predict, prompt)
    case.backbone.measured = measured = Measurements()
    beside = case.eps(case.regions(prompt, {MAN: case.left}).predict, case.plain, prompt)
    assert measured.denoiser_evaluations == 2
    torch.testing.assert_close(beside[1:], alone, atol=1e-5, rtol=1e-3)


def test_the_plain_text_is_computed_once_where_it_stays_the_same(case: Case) -> None:
    regions = case.regions(prompt := moved(case.plain, MAN), {MAN: case.left})
    costs: list[int] = []
    for _ in range(3):
        case.backbone.measured = measured = Measurements()
        case.eps(regions.predict, prompt)
        costs.append(measured.denoiser_evaluations)
    assert costs == ([2, 2, 2] if case.backbone.name == "tiny-sd3" else [2, 1, 1])


@pytest.mark.parametrize("name", UNETS)
def test_each_subject_reads_its_own_shift_in_one_pass(name: str, tiny_backbones: dict[str, Any]) -> None:
    """Everywhere his: the same as if she had not been shifted at all."""
    case = Case(tiny_backbones[name])
    both, his = moved(case.plain, MAN, WOMAN), moved(case.plain, MAN)
    found = case.eps(case.regions(both, {MAN: case.everywhere, WOMAN: case.nowhere}).predict, both)
    torch.testing.assert_close(found, case.eps(case.backbone.predict, his), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", UNETS)
def test_bound_to_one_subject_the_others_words_say_nothing(name: str, tiny_backbones: dict[str, Any]) -> None:
    case = Case(tiny_backbones[name])
    bound = {MAN: case.everywhere, WOMAN: case.nowhere}
    hers = moved(case.plain, WOMAN, by=8.0)
    free = case.eps(case.backbone.predict, hers) - case.eps(case.backbone.predict, case.plain)
    pair = [
        case.eps(TextRegions(backbone=case.backbone, plain=one, edited=[], bound=bound).predict, one)
        for one in (case.plain, hers)
    ]
    assert (pair[1] - pair[0]).abs().mean() < 0.02 * free.abs().mean()


def test_one_subject_alone_is_bound_to_nothing(case: Case) -> None:
    regions = TextRegions(backbone=case.backbone, plain=case.plain, edited=[], bound={MAN: case.left})
    torch.testing.assert_close(
        case.eps(regions.predict, case.plain),
        case.eps(case.backbone.predict, case.plain),
        atol=1e-5,
        rtol=1e-4,
    )


def test_which_networks_read_text(case: Case) -> None:
    assert reads_text(case.backbone)
    assert not reads_text(StubBackbone())
    assert any(PLACES.matches(layer) for layer in case.backbone.layers)
