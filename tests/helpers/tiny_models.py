"""Random networks of the real block layouts, narrow enough for tests: SD1, SDXL, SD3 and SD3.5.

The block types, layers per block and places of attention are those of the published models, and so are the
scheduler configurations; only widths are small. The U-Nets' weights are random, so pictures mean nothing.
"""

import json
import string
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    PNDMScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

NAMES = ("tiny-sd1", "tiny-sdxl", "tiny-sd3", "tiny-sd35")
CLIP_L, CLIP_G, T5 = 16, 24, 48
PICTURE = 64  # pixels; latents are 8 × 8
WORDS = ("a", "photo", "of", "man", "and", "woman", "old", "the", "cat", "dog", "young")
START, END = "<|startoftext|>", "<|endoftext|>"

# As the published repositories have it: SD1.4 writes no timestep spacing, so each scheduler uses its own.
SD1_SCHEDULER = {
    "_class_name": "PNDMScheduler",
    "_diffusers_version": "0.6.0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
    "clip_sample": False,
}
SDXL_SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler",
    "_diffusers_version": "0.19.0.dev0",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "interpolation_type": "linear",
    "num_train_timesteps": 1000,
    "prediction_type": "epsilon",
    "sample_max_value": 1.0,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "trained_betas": None,
    "use_karras_sigmas": False,
}
SD3_SCHEDULER = {
    "_class_name": "FlowMatchEulerDiscreteScheduler",
    "_diffusers_version": "0.29.0.dev0",
    "num_train_timesteps": 1000,
    "shift": 3.0,
}


def save_tiny_models(folder: Path) -> dict[str, Path]:
    """Write all tiny models as diffusers folders in float16; gives their folders by name."""
    torch.manual_seed(0)
    for name, pipeline, scheduler in (
        ("tiny-sd1", sd1_pipeline(), SD1_SCHEDULER),
        ("tiny-sdxl", sdxl_pipeline(), SDXL_SCHEDULER),
        ("tiny-sd3", sd3_pipeline(with_t5=True), SD3_SCHEDULER),
        ("tiny-sd35", sd3_pipeline(with_t5=False, dual_attention=True), SD3_SCHEDULER),
    ):
        pipeline.to(torch.float16).save_pretrained(folder / name)
        (folder / name / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    return {name: folder / name for name in NAMES}


def sd1_pipeline(clip_l: int = CLIP_L) -> Any:
    """Three blocks with cross attention and one without, two layers each."""
    return StableDiffusionPipeline(
        vae=tiny_vae(4, scaling_factor=0.18215),
        text_encoder=CLIPTextModel(_clip_config(clip_l)),
        tokenizer=clip_tokenizer(END),
        unet=UNet2DConditionModel(
            sample_size=PICTURE // 8,
            block_out_channels=(8, 8, 16, 16),
            down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
            up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
            layers_per_block=2,
            attention_head_dim=2,
            cross_attention_dim=clip_l,
            norm_num_groups=4,
        ),
        scheduler=PNDMScheduler.from_config(SD1_SCHEDULER),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl_pipeline(clip_l: int = CLIP_L, clip_g: int = CLIP_G) -> Any:
    """One block without attention and two with transformers of several layers; pooled text and time ids."""
    return StableDiffusionXLPipeline(
        vae=tiny_vae(4, scaling_factor=0.13025, force_upcast=True),
        text_encoder=CLIPTextModel(_clip_config(clip_l)),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config(clip_g)),
        tokenizer=clip_tokenizer(END),
        tokenizer_2=clip_tokenizer("!"),
        unet=UNet2DConditionModel(
            sample_size=PICTURE // 8,
            block_out_channels=(8, 16, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=2,
            transformer_layers_per_block=(1, 1, 2),
            attention_head_dim=(2, 2, 4),
            cross_attention_dim=clip_l + clip_g,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=clip_g + 6 * 8,
            norm_num_groups=4,
        ),
        scheduler=EulerDiscreteScheduler.from_config(SDXL_SCHEDULER),
        add_watermarker=False,
    )


def sd3_pipeline(*, with_t5: bool, dual_attention: bool = False) -> Any:
    """Joint blocks; as SD3.5 has it, a second attention and normalised queries and keys."""
    return StableDiffusion3Pipeline(
        vae=tiny_vae(16, scaling_factor=1.5305, shift_factor=0.0609),
        text_encoder=CLIPTextModelWithProjection(_clip_config(CLIP_L)),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config(CLIP_G)),
        text_encoder_3=_t5() if with_t5 else None,
        tokenizer=clip_tokenizer(END),
        tokenizer_2=clip_tokenizer("!"),
        tokenizer_3=t5_tokenizer() if with_t5 else None,
        transformer=SD3Transformer2DModel(
            sample_size=PICTURE // 8,
            patch_size=2,
            in_channels=16,
            num_layers=3,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=T5,
            caption_projection_dim=16,
            pooled_projection_dim=CLIP_L + CLIP_G,
            pos_embed_max_size=12,
            dual_attention_layers=(0, 1) if dual_attention else (),
            qk_norm="rms_norm" if dual_attention else None,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler.from_config(SD3_SCHEDULER),
    )


def tiny_vae(channels: int, **config: Any) -> AutoencoderKL:
    """Four blocks, so that latents are an eighth of the picture."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=PICTURE,
        **config,
    )


def clip_tokenizer(pad: str) -> CLIPTokenizer:
    """A byte-level BPE that knows `WORDS` as single tokens and spells everything else."""
    merges = _merges()
    bytes_ = _byte_alphabet()
    tokens = [*bytes_, *(char + "</w>" for char in bytes_), *("".join(pair) for pair in merges), START, END]
    return CLIPTokenizer(
        vocab={token: index for index, token in enumerate(dict.fromkeys(tokens))},
        merges=merges,
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=pad,
        model_max_length=77,
    )


def t5_tokenizer() -> T5Tokenizer:
    """Unigrams: `WORDS` whole, everything else letter by letter."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((f"▁{word}", -1.0) for word in WORDS)]
    pieces += [("▁", -8.0), *((char, -12.0) for char in string.printable[:94])]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def _merges() -> list[tuple[str, str]]:
    merges: dict[tuple[str, str], None] = {}
    for word in WORDS:
        if len(word) == 1:
            continue
        left = word[0]
        for index, char in enumerate(word[1:], 1):
            right = char + "</w>" if index == len(word) - 1 else char
            merges.setdefault((left, right))
            left += right
    return list(merges)


def _byte_alphabet() -> list[str]:
    """The printable stand-ins that byte-level BPE has for the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


def _clip_config(width: int) -> CLIPTextConfig:
    size = len(clip_tokenizer(END))
    return CLIPTextConfig(
        vocab_size=size,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=width,
        bos_token_id=size - 2,
        eos_token_id=size - 1,
        pad_token_id=size - 1,
    )


def _t5() -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(
            vocab_size=len(t5_tokenizer()),
            d_model=T5,
            d_kv=8,
            num_heads=2,
            d_ff=32,
            num_layers=2,
            feed_forward_proj="gated-gelu",
            dropout_rate=0.0,
            pad_token_id=0,
            eos_token_id=1,
        )
    )
