"""The sizes of published models as their own configurations give them, for networks of random weights."""

from typing import Any

from inference.operations import Family
from inference.weights.configuration import Configuration
from tests.helpers.tiny_models import SD1_SCHEDULER, SD3_SCHEDULER, SDXL_SCHEDULER


def _clip(width: int, inner: int, layers: int, activation: str) -> dict[str, Any]:
    return {
        "vocab_size": 49408, "hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers,
        "num_attention_heads": width // 64, "max_position_embeddings": 77, "projection_dim": width,
        "hidden_act": activation, "bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407,
    }  # fmt: skip


def _vae(channels: int, factor: float, **more: Any) -> dict[str, Any]:
    return {
        "block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "latent_channels": channels,
        "down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4,
        "scaling_factor": factor, **more,
    }  # fmt: skip


_CLIP_L, _CLIP_G = _clip(768, 3072, 12, "quick_gelu"), _clip(1280, 5120, 32, "gelu")
_SD3_VAE = _vae(16, 1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False)
_CROSS = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
REAL = {
    "sd1.5": (
        Family.SD1,
        Configuration(
            name="sd1.5",
            parts={
                "unet": {
                    "sample_size": 64, "block_out_channels": [320, 640, 1280, 1280], "layers_per_block": 2,
                    "down_block_types": [_CROSS[0]] * 3 + ["DownBlock2D"],
                    "up_block_types": ["UpBlock2D"] + [_CROSS[1]] * 3,
                    "attention_head_dim": 8, "cross_attention_dim": 768,
                },
                "vae": _vae(4, 0.18215),
                "text_encoder": _CLIP_L,
            },
            scheduler=SD1_SCHEDULER,
        ),
    ),
    "sdxl": (
        Family.SDXL,
        Configuration(
            name="sdxl",
            parts={
                "unet": {
                    "sample_size": 128, "block_out_channels": [320, 640, 1280], "layers_per_block": 2,
                    "down_block_types": ["DownBlock2D", _CROSS[0], _CROSS[0]],
                    "up_block_types": [_CROSS[1], _CROSS[1], "UpBlock2D"],
                    "transformer_layers_per_block": [1, 2, 10], "attention_head_dim": [5, 10, 20],
                    "cross_attention_dim": 2048, "use_linear_projection": True,
                    "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
                    "projection_class_embeddings_input_dim": 2816,
                },
                "vae": _vae(4, 0.13025, force_upcast=True),
                "text_encoder": _CLIP_L,
                "text_encoder_2": _CLIP_G,
            },
            scheduler=SDXL_SCHEDULER,
        ),
    ),
    "sd3.5-medium": (
        Family.SD3,
        Configuration(
            name="sd3.5-medium",
            parts={
                "transformer": {
                    "sample_size": 128, "patch_size": 2, "in_channels": 16, "out_channels": 16,
                    "num_layers": 24, "attention_head_dim": 64, "num_attention_heads": 24,
                    "joint_attention_dim": 4096, "caption_projection_dim": 1536,
                    "pooled_projection_dim": 2048, "pos_embed_max_size": 384,
                    "dual_attention_layers": list(range(13)), "qk_norm": "rms_norm",
                },
                "vae": _SD3_VAE,
                "text_encoder": _CLIP_L,
                "text_encoder_2": _CLIP_G,
            },
            scheduler=SD3_SCHEDULER,
        ),
    ),
}  # fmt: skip
