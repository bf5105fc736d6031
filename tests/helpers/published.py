"""Random networks in the proportions of published checkpoints, narrow.

What a single file's shapes tell is all there is to know of them: attention heads have 64 channels,
normalisations 32 groups, CLIP its own vocabulary.
"""

from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    PNDMScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.weights.tokenizers import shipped_clip
from tests.helpers.tiny_models import SD1_SCHEDULER, SD3_SCHEDULER, SDXL_SCHEDULER

VOCABULARY = 49408
NAMES = ("sd1", "sd2", "sdxl", "sd3", "sd35")


def published(name: str, *, v_prediction: bool = False) -> Any:
    """A pipeline of diffusers with random weights."""
    torch.manual_seed(5)
    pipeline = {"sd1": _sd1, "sd2": _sd2, "sdxl": _sdxl, "sd3": _sd3, "sd35": _sd35}[name]()
    if v_prediction:
        config = dict(pipeline.scheduler.config) | {"prediction_type": "v_prediction"}
        pipeline.scheduler = type(pipeline.scheduler).from_config(config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _sd1() -> Any:
    return StableDiffusionPipeline(
        unet=_unet((32, 32, 64, 64), (True, True, True, False), 64, attention_head_dim=8),
        vae=_vae(4, scaling_factor=0.18215),
        text_encoder=CLIPTextModel(_clip(64, "quick_gelu")),
        tokenizer=shipped_clip(pads_with_end=True),
        scheduler=PNDMScheduler.from_config(SD1_SCHEDULER),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sd2() -> Any:
    widths = (64, 64, 128, 128)
    heads = tuple(width // 64 for width in widths)
    scheduler = DDIMScheduler.from_config({**SD1_SCHEDULER, "prediction_type": "v_prediction"})
    return StableDiffusionPipeline(
        unet=_unet(
            widths, (True, True, True, False), 128, attention_head_dim=heads, use_linear_projection=True
        ),
        vae=_vae(4, scaling_factor=0.18215),
        text_encoder=CLIPTextModel(_clip(128, "gelu")),
        tokenizer=shipped_clip(pads_with_end=False),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl() -> Any:
    widths = (64, 64, 128)
    return StableDiffusionXLPipeline(
        unet=_unet(
            widths,
            (False, True, True),
            64 + 128,
            attention_head_dim=tuple(width // 64 for width in widths),
            use_linear_projection=True,
            transformer_layers_per_block=(1, 2, 3),
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=128 + 6 * 256,
        ),
        vae=_vae(4, scaling_factor=0.13025, force_upcast=True),
        text_encoder=CLIPTextModel(_clip(64, "quick_gelu")),
        text_encoder_2=CLIPTextModelWithProjection(_clip(128, "gelu")),
        tokenizer=shipped_clip(pads_with_end=True),
        tokenizer_2=shipped_clip(pads_with_end=False),
        scheduler=EulerDiscreteScheduler.from_config(SDXL_SCHEDULER),
        add_watermarker=False,
    )


def _sd3() -> Any:
    return _flow(dual=())


def _sd35() -> Any:
    return _flow(dual=(0,))


def _flow(dual: tuple[int, ...]) -> Any:
    first = CLIPTextModelWithProjection(_clip(64, "quick_gelu"))
    first.text_projection.weight.data = torch.eye(64)  # files leave it out: it is none
    return StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=128,
            patch_size=2,
            in_channels=16,
            num_layers=2,
            attention_head_dim=64,
            num_attention_heads=2,
            joint_attention_dim=256,
            caption_projection_dim=128,
            pooled_projection_dim=64 + 128,
            pos_embed_max_size=96,
            dual_attention_layers=dual,
            qk_norm="rms_norm" if dual else None,
        ),
        vae=_vae(
            16, scaling_factor=1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False
        ),
        text_encoder=first,
        text_encoder_2=CLIPTextModelWithProjection(_clip(128, "gelu")),
        text_encoder_3=None,
        tokenizer=shipped_clip(pads_with_end=True),
        tokenizer_2=shipped_clip(pads_with_end=False),
        tokenizer_3=None,
        scheduler=FlowMatchEulerDiscreteScheduler.from_config(SD3_SCHEDULER),
    )


def _unet(widths: tuple[int, ...], attends: tuple[bool, ...], context: int, **config: Any) -> Any:
    down = tuple("CrossAttnDownBlock2D" if one else "DownBlock2D" for one in attends)
    up = tuple("CrossAttnUpBlock2D" if one else "UpBlock2D" for one in reversed(attends))
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=widths,
        down_block_types=down,
        up_block_types=up,
        layers_per_block=2,
        cross_attention_dim=context,
        **config,
    )


def _vae(channels: int, **config: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=channels,
        **config,
    )


def _clip(width: int, activation: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=width // 64,
        max_position_embeddings=77,
        projection_dim=width,
        hidden_act=activation,
        bos_token_id=VOCABULARY - 2,
        eos_token_id=VOCABULARY - 1,
        pad_token_id=VOCABULARY - 1,
    )
