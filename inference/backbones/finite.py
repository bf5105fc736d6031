"""Why a picture came out as no numbers: said instead of a black picture."""

import torch
from torch import Tensor

from inference.backbones.components import Components
from inference.errors import EditorError


def ensure_finite(values: Tensor, model: str, parts: Components) -> None:
    """Do nothing if all of `values` (latents or a picture, of any shape) are finite.

    Raises:
        EditorError: they are not; it names the cause as far as the networks tell it.
    """
    if not bool(torch.isfinite(values).all()):
        raise _cause(model, parts)


def _cause(model: str, parts: Components) -> EditorError:
    networks = {"denoiser": parts.denoiser, "autoencoder (VAE)": parts.vae, **parts.text_encoders}
    for part, network in networks.items():
        for name, weights in network.named_parameters():
            if not weights.is_meta and not bool(torch.isfinite(weights).all()):
                return EditorError(
                    "“{model}” gave no picture: weights of its {part} ({name}) are no numbers.",
                    "The model is damaged: copy or download it again.",
                    model=model,
                    part=part,
                    name=name,
                )
    weights_of_all = (weights for network in networks.values() for weights in network.parameters())
    if any(weights.dtype is torch.float16 for weights in weights_of_all):
        return EditorError(
            "“{model}” gave no picture: its numbers grew beyond what float16 holds.",
            "Choose bfloat16 or float32 as dtype (--dtype, or in Settings).",
            model=model,
        )
    return EditorError(
        "“{model}” gave no picture: its numbers grew beyond what can be held.",
        "Choose a smaller guidance scale, or smaller values of attributes and LoRAs.",
        model=model,
    )
