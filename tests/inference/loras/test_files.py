"""LoRA files: what is read of them, whose they are, and what is refused by its name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save, save_file

from inference.errors import EditorError
from inference.loras.files import file_hash, read_lora
from inference.loras.keys import Place, parsed
from inference.operations import Family

Tensors = dict[str, NDArray[Any]]
_SD1 = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
_SDXL = "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k"


def pair(stem: str, taken: int = 8, given: int = 6, rank: int = 2, alpha: float | None = 1.0) -> Tensors:
    found: Tensors = {
        f"{stem}.lora_down.weight": np.ones((rank, taken), np.float16),
        f"{stem}.lora_up.weight": np.ones((given, rank), np.float16),
    }
    return found if alpha is None else found | {f"{stem}.alpha": np.array(alpha, np.float32)}


def write(path: Path, tensors: Tensors, metadata: Mapping[str, str] | None = None) -> Path:
    save_file(tensors, path, metadata=dict(metadata or {}))
    return path


@pytest.mark.parametrize(
    ("key", "part", "name", "role"),
    [
        (f"{_SD1}.lora_down.weight", "denoiser", _SD1[10:], "down"),
        (f"{_SD1}.alpha", "denoiser", _SD1[10:], "alpha"),
        ("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", "te1",
         "text_model_encoder_layers_0_mlp_fc1", "up"),
        ("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", "te1",
         "text_model_encoder_layers_0_mlp_fc1", "up"),
        ("lora_te2_text_projection.lora_up.weight", "te2", "text_projection", "up"),
        ("lora_te3_encoder_block_0_layer_0_SelfAttention_q.lora_down.weight", "te3",
         "encoder_block_0_layer_0_SelfAttention_q", "down"),
        ("unet.mid_block.attentions.0.proj_in.lora_A.weight", "denoiser",
         "mid_block_attentions_0_proj_in", "down"),
        ("unet.mid_block.attentions.0.proj_in.lora_B.default.weight", "denoiser",
         "mid_block_attentions_0_proj_in", "up"),
        ("base_model.model.unet.mid_block.attentions.0.proj_in.lora_B.weight", "denoiser",
         "mid_block_attentions_0_proj_in", "up"),
        ("mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.down.weight", "denoiser",
         "mid_block_attentions_0_transformer_blocks_0_attn1_to_out", "down"),
        ("unet.mid_block.attentions.0.proj_in.lora.up.weight", "denoiser",
         "mid_block_attentions_0_proj_in", "up"),
        ("text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer.up.weight", "te1",
         "text_model_encoder_layers_0_mlp_fc1", "up"),
        ("text_encoder_2.text_model.encoder.layers.0.self_attn.to_q_lora.down.weight", "te2",
         "text_model_encoder_layers_0_self_attn_q_proj", "down"),
        ("transformer.transformer_blocks.3.attn.add_k_proj.lora_A.weight", "denoiser",
         "transformer_blocks_3_attn_add_k_proj", "down"),
        ("lora_transformer_transformer_blocks_3_attn_to_q.alpha", "denoiser",
         "transformer_blocks_3_attn_to_q",
         "alpha"),
        ("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_up.weight", "denoiser",
         "joint_blocks_0_x_block_attn_qkv",
         "up"),
        ("diffusion_model.joint_blocks.0.context_block.mlp.fc1.lora_A.weight", "denoiser",
         "joint_blocks_0_context_block_mlp_fc1", "down"),
        (f"{_SD1}.lora_mid.weight", "denoiser", _SD1[10:], "mid"),
    ],
)  # fmt: skip
def test_names_of_all_programs_mean_a_layer_and_a_role(key: str, part: str, name: str, role: str) -> None:
    assert parsed(key) == (Place(part, name), role)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "key", ["", "alpha", ".alpha", "lora_unet_.alpha", "x.lora_down.weight", "unet.weight"]
)
def test_other_names_mean_nothing(key: str) -> None:
    assert parsed(key) is None


@pytest.mark.parametrize(
    ("tensors", "family"),
    [
        (pair(_SD1, 768), Family.SD1),
        (pair(_SD1, 1024), Family.SD1),
        (pair(_SD1, 96), Family.SD1),
        (pair("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", 2048), Family.SDXL),
        (pair(_SDXL, 224), Family.SDXL),
        (pair("lora_unet_joint_blocks_0_x_block_attn_qkv"), Family.SD3),
        (pair("transformer.transformer_blocks.0.attn.to_q"), Family.SD3),
        (pair("lora_te_text_model_encoder_layers_0_mlp_fc1"), None),
        (pair("lora_unet_mid_block_attentions_0_proj_in"), None),
    ],
)
def test_the_family_is_told_by_widths_and_places(
    tensors: Tensors, family: Family | None, tmp_path: Path
) -> None:
    assert read_lora(write(tmp_path / "a.safetensors", tensors)).family is family


def test_what_is_said_of_the_base_model_counts_last(tmp_path: Path) -> None:
    tensors = pair("lora_unet_mid_block_attentions_0_proj_in")
    for said, family in (("sdxl_base_v1-0", Family.SDXL), ("sd_v1", Family.SD1), ("sd_v2", None)):
        path = write(tmp_path / "a.safetensors", tensors, {"ss_base_model_version": said})
        assert read_lora(path).family is family
    path = write(tmp_path / "a.safetensors", tensors, {"modelspec.architecture": "flux-1-dev/lora"})
    with pytest.raises(EditorError, match="a LoRA for flux"):
        read_lora(path)


def test_layers_ranks_alphas_and_the_hash(tmp_path: Path) -> None:
    tensors = pair(_SD1, rank=4, alpha=2.0) | pair("lora_unet_mid_block_attentions_0_proj_in", alpha=None)
    path = write(tmp_path / "a.safetensors", tensors | {"bundle_emb.x": np.ones(3, np.float32)})
    lora = read_lora(path)
    assert [(layer.rank, layer.alpha) for layer in lora.layers.values()] == [(4, 2.0), (2, None)]
    assert lora.ranks == (2, 4)
    assert lora.unknown == ("bundle_emb.x",)
    assert lora.parts() == {"denoiser": 2}
    assert (lora.hash, lora.size_bytes) == (file_hash(path), path.stat().st_size)


def test_alphas_in_the_header_hold_for_all_or_for_single_layers(tmp_path: Path) -> None:
    stems = ("unet.mid_block.attentions.0.proj_in", "unet.mid_block.attentions.0.proj_out")
    tensors: Tensors = {}
    for stem in stems:
        tensors[f"{stem}.lora_A.weight"] = np.ones((4, 8), np.float32)
        tensors[f"{stem}.lora_B.weight"] = np.ones((6, 4), np.float32)
    said: dict[str, Any] = {
        "unet.lora_alpha": 8,
        "unet.alpha_pattern": {"mid_block.attentions.0.proj_out": 2},
    }

    def alphas(**more: Any) -> list[float | None]:
        metadata = {"lora_adapter_metadata": json.dumps(said | more)}
        lora = read_lora(write(tmp_path / "a.safetensors", tensors, metadata))
        return [layer.alpha for layer in lora.layers.values()]

    assert alphas() == [8, 2]
    assert alphas(**{"unet.use_rslora": True}) == [16, 4]
    assert alphas(**{"unet.lora_alpha": None}) == [None, None]
    for bad in ("eight", float("nan"), 1e300, 10**400, True, [8]):
        with pytest.raises(EditorError, match=r"its α for .*proj_in is no number that can be used"):
            alphas(**{"unet.lora_alpha": bad})


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({f"{_SD1}.hada_w1_a": np.ones((2, 2), np.float32)}, "a LoHa"),
        ({f"{_SD1}.lokr_w1": np.ones((2, 2), np.float32)}, "a LoKr"),
        (pair(_SD1) | {f"{_SD1}.dora_scale": np.ones((6, 1), np.float32)}, "a DoRA"),
        (pair("transformer.single_transformer_blocks.0.attn.to_q"), "FLUX"),
        (pair("lora_unet_double_blocks_0_img_attn_qkv"), "FLUX"),
        (pair("transformer.transformer_blocks.0.attn.to_q", 3072), "FLUX or Qwen"),
        (pair("transformer.transformer_blocks.0.img_mlp.net.2"), "Qwen-Image"),
        (pair("diffusion_model.blocks.0.cross_attn.k"), "Wan"),
        ({"emb_params": np.ones((1, 768), np.float32)}, "a textual inversion"),
        ({"model.diffusion_model.input_blocks.0.0.weight": np.ones((1, 1), np.float32)}, "a whole model"),
        ({"anything": np.ones(1, np.float32)}, "no layers of these models; its first tensor is “anything”"),
        ({f"{_SD1}.alpha": np.ones((), np.float32)}, "no layers of these models"),
        ({f"{_SD1}.lora_down.weight": np.ones((2, 8), np.float32)}, "lacks one half (up)"),
        (pair(_SD1, rank=0), "do not go together (0 × 8 and 6 × 0)"),
        (pair(_SD1, given=0), "do not go together"),
        (pair(_SD1, rank=5000), "its rank is 5000"),
        (pair(_SD1, alpha=float("nan")), "not finite"),
        (pair(_SD1, alpha=1e9), "no number that can be used"),
        (pair(_SD1, alpha=None) | {f"{_SD1}.alpha": np.ones(2, np.float32)}, "not one number"),
        (pair(_SD1) | {f"{_SD1}.lora_up.weight": np.ones((6, 3), np.float32)}, "do not go together"),
        (pair(_SD1) | {f"{_SD1}.lora_up.weight": np.ones((6, 2), np.int8)}, "no numbers with fractions"),
        (pair(_SD1) | {f"{_SD1}.lora_up.weight": np.full((6, 2), np.inf, np.float32)}, "not finite"),
        (pair(_SD1) | {f"{_SD1}.lora_down.weight": np.ones((2, 8, 9, 9), np.float32)}, "do not go together"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_the_reason(
    tensors: Tensors, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(EditorError) as caught:
        read_lora(write(tmp_path / "a.safetensors", tensors))
    assert reason in str(caught.value)
    assert "Choose a LoRA" in str(caught.value.hint)


def test_pickles_and_missing_files_are_refused_unread(tmp_path: Path) -> None:
    pickled = tmp_path / "a.pt"
    pickled.write_bytes(b"PK\x03\x04")
    with pytest.raises(EditorError, match="can run code"):
        read_lora(pickled)
    renamed = tmp_path / "b.safetensors"
    renamed.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(EditorError, match="can run code"):
        read_lora(renamed)
    with pytest.raises(EditorError, match="no file"):
        read_lora(tmp_path / "c.safetensors")
    with pytest.raises(EditorError):
        read_lora(tmp_path)


@settings(max_examples=200)
@given(place=st.integers(0, 700), value=st.integers(0, 255), cut=st.integers(0, 40))
def test_damaged_files_are_read_or_refused(
    place: int, value: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(save(pair(_SD1) | pair("lora_te_text_model_encoder_layers_0_mlp_fc1")))
    content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    path.write_bytes(bytes(content[: len(content) - cut]))
    try:
        lora = read_lora(path)
    except EditorError:
        return
    assert lora.layers
    assert all(layer.rank > 0 for layer in lora.layers.values())


def test_words_are_the_phrase_or_the_usual_tags(tmp_path: Path) -> None:
    tags = json.dumps(
        {"10_sks": {"sks": 20, "1girl ": 15, "hat": 3, "1girl": 2}, "5_more": {"sks": 4, "x": "no"}}
    )
    both = {"ss_tag_frequency": tags, "modelspec.trigger_phrase": "in the style of sks,\nsoft  light, "}
    for metadata, words in (
        (both, ("in the style of sks", "soft light")),
        ({"ss_tag_frequency": tags}, ("sks", "1girl")),
        ({"ss_tag_frequency": "{"}, ()),
        ({"ss_tag_frequency": "[" * 100_000}, ()),
        ({"ss_tag_frequency": '{"a": {"b": -1, "c": true, "d": 1e400}}'}, ("c",)),
        ({}, ()),
    ):
        assert read_lora(write(tmp_path / "a.safetensors", pair(_SD1), metadata)).words == words
