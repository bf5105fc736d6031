"""What SD1 and SDXL share: a U-Net with self and cross attention at several strides."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from inference.attention import AttentionKind, Layer, Where
from inference.backbones.kept import unet_kept
from inference.backbones.latent import LatentBackbone
from inference.backbones.layers import unet_features, unet_layers
from inference.features import Feature
from inference.prompts.prompt import Prompt
from inference.schedule import Level

# Text attention is clearest at a 32nd of the picture's size (stride 4 in latents that are an 8th of it) …
_STANDARD_STRIDE = 4
# … as long as such maps have this many rows and columns.
_LEAST_ROWS = 8


class UNetBackbone(LatentBackbone):
    """A `UNet2DConditionModel`."""

    @abstractmethod
    def _context(self, prompts: Sequence[Prompt]) -> Tensor:
        """What cross attention reads: [N, T, D]."""

    def _conditions(self, latents: Tensor, prompts: Sequence[Prompt]) -> dict[str, Tensor]:
        """What is added to the timestep's embedding."""
        del latents, prompts
        return {}

    def _raw(self, latents: Tensor, level: Level, prompts: Sequence[Prompt]) -> Tensor:
        return self.parts.denoiser(
            latents,
            self._timesteps(level, len(latents)),
            encoder_hidden_states=self._context(prompts),
            added_cond_kwargs=self._conditions(latents, prompts),
            return_dict=False,
        )[0]

    def layer_numbers(self, height: int, width: int) -> int | None:
        return int(self.parts.denoiser.config["block_out_channels"][0]) * height * width

    def kept_numbers(self, height: int, width: int) -> int:
        return unet_kept(self.parts.denoiser, self._layers, self._features, height, width)

    def _find_layers(self) -> tuple[Layer, ...]:
        return unet_layers(self.parts.denoiser)

    def _find_features(self) -> tuple[Feature, ...]:
        return unet_features(self.parts.denoiser)

    def _standard_text_layers(self) -> Where:
        strides = {layer.stride for layer in self._layers if layer.kind is AttentionKind.CROSS}

        def standard(height: int, width: int) -> set[int]:
            least = -(-min(height, width) // _STANDARD_STRIDE)
            if _STANDARD_STRIDE in strides and least >= _LEAST_ROWS:
                return {_STANDARD_STRIDE}
            return {min(strides)}

        return Where(kinds={AttentionKind.CROSS}, strides=standard)
