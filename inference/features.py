"""Features of a denoiser as taps see them: [N, C, rows, columns] in every family; free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import Tensor

    from inference.attention import Forward


@dataclass(frozen=True)
class Feature:
    """One place of a denoiser whose features may be read and replaced.

    Args:
        name: its module's name: "up_blocks.1.resnets.1.conv2" is that resnet's residual, after the second
            convolution and before the shortcut is added; "up_blocks.1.resnets.1" is its output,
            "up_blocks.1.attentions.1" that of the transformer after it, "transformer_blocks.5" the image's
            half of a joint block's output.
        stride: latent pixels per feature along one side.
        output: which of the module's outputs it is, where there are several.
        channels: how many numbers it has at each place; 0 where nobody said.
    """

    name: str
    stride: int
    output: int = 0
    channels: int = 0

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns for latents of this size."""
        return -(-height // self.stride), -(-width // self.stride)


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Where a family's denoiser holds the layout of what it draws, and for how long it needs to be told.

    Args:
        features: patterns of `Feature` names.
        attention: patterns of attention layers' names; their queries and keys between image tokens count.
        feature_share, attention_share: the shares of the steps, from the first, at which features and
            attention are those of another picture in the usual setting.
        features_hold_noise: whether the features carry the latents' own noise through, as the stream of a
            transformer does: then those of a copy with other noise do harm.
    """

    features: tuple[str, ...]
    attention: tuple[str, ...]
    feature_share: float
    attention_share: float
    features_hold_noise: bool = False


@dataclass(frozen=True, kw_only=True)
class FeatureCall:
    """Features that a place has just put out.

    Args:
        place: where.
        forward: in which pass.
        features: [N, C, rows, columns]; image tokens of a transformer are laid out as the picture is.
    """

    place: Feature
    forward: Forward
    features: Tensor


def seen_features(place: Feature, output: Any, forward: Forward) -> Tensor:
    """The features [N, C, rows, columns] in what the place's module has put out."""
    value = _picked(place, output)
    if value.ndim == 4:
        return value
    return value.transpose(1, 2).reshape(*value.shape[::2], *place.grid(forward.height, forward.width))


def with_features(place: Feature, output: Any, features: Tensor) -> Any:
    """What the module has put out, with other features [N, C, rows, columns].

    Raises:
        ValueError: they are not of the shape that they replace.
    """
    value = _picked(place, output)
    changed = features if value.ndim == 4 else features.flatten(2).transpose(1, 2)
    if changed.shape != value.shape:
        raise ValueError(f"{tuple(changed.shape)} cannot stand for {tuple(value.shape)} at {place.name}")
    if _is_alone(output):
        return changed
    parts = list(cast("tuple[Any, ...]", output))
    parts[place.output] = changed
    return tuple(parts)


def _picked(place: Feature, output: Any) -> Tensor:
    value: Tensor = output if _is_alone(output) else output[place.output]
    return value


def _is_alone(output: Any) -> bool:
    from torch import Tensor  # whoever has features has it

    return isinstance(output, Tensor)
