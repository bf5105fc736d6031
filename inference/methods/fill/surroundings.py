"""What surrounds a hole, carried on into it: smooth, and without a seam at its edge."""

import torch
from torch import Tensor
from torch.nn import functional


def carried_on(values: Tensor, known: Tensor) -> Tensor:
    """Values [1, C, H, W] with every place filled that is not `known` [1, 1, H, W] (0 … 1).

    Push-pull (Gortler et al., The Lumigraph, 1996, section 3.4): means of what is known, at ever coarser
    sizes, fill what is unknown at the finer ones. Known values stay bit for bit. With nothing known all is 0.
    """
    known = known.clamp(0, 1)
    if max(values.shape[-2:]) == 1 or bool((known >= 1).all()):
        return torch.where(known > 0, values, torch.zeros_like(values))
    weight = functional.avg_pool2d(known, 2, ceil_mode=True, count_include_pad=False)
    mean = functional.avg_pool2d(values * known, 2, ceil_mode=True, count_include_pad=False)
    coarse = carried_on(mean / weight.clamp(min=1e-6), (4 * weight).clamp(max=1))
    filled = functional.interpolate(coarse, size=values.shape[-2:], mode="bilinear", align_corners=False)
    return torch.where(known >= 1, values, torch.lerp(filled, values, known))
