"""Noise whose coarse part is another one's."""

import torch

from inference.methods.prompt_to_prompt.coarse_noise import with_coarse_of


def noise(seed: int, size: int = 32) -> torch.Tensor:
    return torch.randn(1, 4, size, size, generator=torch.Generator().manual_seed(seed))


def test_a_colour_that_inversion_left_is_gone_and_what_is_fine_stays() -> None:
    left = torch.tensor([3.0, -2.0, 1.0, 0.0])[None, :, None, None]  # of a picture, in every latent
    own, fresh = noise(1), noise(2)
    found = with_coarse_of(own + left, fresh, torch.ones(1, 1, 32, 32), torch.ones(1))
    assert float(found.mean(dim=(2, 3)).abs().max()) < 0.1
    fine, before = (one - torch.nn.functional.avg_pool2d(one, 3, 1, 1) for one in (found, own))
    both = torch.stack([fine.flatten(), before.flatten()])
    assert float(torch.corrcoef(both)[0, 1]) > 0.98
    assert abs(float(found.std()) - 1) < 0.1


def test_outside_of_the_place_and_with_no_share_it_is_the_same() -> None:
    own, fresh = noise(1), noise(2)
    place = torch.zeros(1, 1, 32, 32)
    place[..., 16:] = 1
    none, some, whole = with_coarse_of(own.repeat(3, 1, 1, 1), fresh, place, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(none, own[0])
    for one in (some, whole):
        torch.testing.assert_close(one[..., :16], own[0, ..., :16])
    moved = [float((one - own[0])[..., 16:].square().mean()) for one in (some, whole)]
    assert 0 < moved[0] < moved[1]
