"""Linear pictures of latents: RGB in 0 … 1 = latents · weight + bias."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from inference.operations import Family

# Fitted factors for the published autoencoders, as many programs use them; RGB in -1 … 1.
_SD1 = (
    (0.3512, 0.2297, 0.3227),
    (0.3250, 0.4974, 0.2350),
    (-0.2829, 0.1762, 0.2721),
    (-0.2120, -0.2616, -0.7177),
)
_SDXL = (
    (0.3651, 0.4232, 0.4341),
    (-0.2533, -0.0042, 0.1068),
    (0.1076, 0.1111, -0.0362),
    (-0.3165, -0.2492, -0.2188),
)
_SD3 = (
    (-0.0645, 0.0177, 0.1052),
    (0.0028, 0.0312, 0.0650),
    (0.1848, 0.0762, 0.0360),
    (0.0944, 0.0360, 0.0889),
    (0.0897, 0.0506, -0.0364),
    (-0.0020, 0.1203, 0.0284),
    (0.0855, 0.0118, 0.0283),
    (-0.0539, 0.0658, 0.1047),
    (-0.0057, 0.0116, 0.0700),
    (-0.0412, 0.0281, -0.0039),
    (0.1106, 0.1171, 0.1220),
    (-0.0248, 0.0682, -0.0481),
    (0.0815, 0.0846, 0.1207),
    (-0.0120, -0.0055, -0.0867),
    (-0.0749, -0.0634, -0.0456),
    (-0.1418, -0.1457, -0.1259),
)
_PUBLISHED = {
    Family.SD1: (_SD1, (0.0, 0.0, 0.0)),
    Family.SDXL: (_SDXL, (0.1084, -0.0175, -0.0011)),
    Family.SD3: (_SD3, (0.0, 0.0, 0.0)),
}


def preview_factors(attune: Mapping[str, Any], family: Family) -> tuple[Tensor, Tensor]:
    """Weight [C, 3] and bias [3]: the model's own if its `attune.json` has them, or its family's."""
    own = attune.get("latent_rgb")
    if own is not None:
        return torch.tensor(own["weight"]), torch.tensor(own["bias"])
    weight, bias = _PUBLISHED[family]
    return torch.tensor(weight) / 2, torch.tensor(bias) / 2 + 0.5
