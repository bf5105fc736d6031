"""Files of concepts: every form that this and other programs write, and what is refused and how."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from inference.concepts.concept import Concept
from inference.concepts.files import concept_file, concept_from_bytes, read_concept
from inference.errors import EditorError

WORD = "<my-cat>"
JPEG = b"\xff\xd8\xff\xe0 a small picture"


def rows(count: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.02, (count, width)).astype(np.float32)


def concept(**changes: Any) -> Concept:
    values: dict[str, Any] = {
        "word": WORD,
        "vectors": {"clip_l": rows(2, 768), "clip_g": rows(2, 1280, 1)},
        "kind": "cat",
        "template": "object",
        "model": "sdxl-base",
        "model_hash": "0" * 32,
        "family": "sdxl",
        "licence": "CC0",
        "picture": JPEG,
    }
    return Concept(**values | changes)


def same(one: Concept, other: Concept) -> bool:
    names = ("word", "kind", "template", "model", "model_hash", "family", "licence", "picture")
    return all(getattr(one, name) == getattr(other, name) for name in names) and (
        list(one.vectors) == list(other.vectors)
        and all(np.array_equal(one.vectors[key], other.vectors[key]) for key in one.vectors)
    )


def save(path: Path, tensors: dict[str, Any], metadata: dict[str, str] | None = None) -> Path:
    save_file({key: torch.as_tensor(value) for key, value in tensors.items()}, path, metadata)
    return path


class TestOurs:
    @pytest.mark.parametrize(
        "vectors",
        [
            {"clip_l": rows(1, 768)},
            {"clip_l": rows(8, 128)},  # of a built-in model
            {"clip_h": rows(3, 1024)},
            {"clip_l": rows(2, 768), "clip_g": rows(2, 1280)},
            {"clip_l": rows(1, 768), "clip_g": rows(1, 1280), "t5": rows(1, 4096)},
        ],
    )
    def test_says_everything_again(self, vectors: dict[str, NDArray[np.float32]]) -> None:
        given = concept(vectors=vectors)
        content = concept_file(given)
        assert same(concept_from_bytes(content), given)
        assert concept_file(concept_from_bytes(content)) == content

    def test_one_encoder_is_what_diffusers_loads(self) -> None:
        tensors = safetensors.numpy.load(concept_file(concept(vectors={"clip_l": rows(2, 768)})))
        assert list(tensors) == [WORD]
        assert tensors[WORD].shape == (2, 768)

    def test_two_encoders_are_what_other_programs_load(self) -> None:
        tensors = safetensors.numpy.load(concept_file(concept()))
        assert {key: value.shape for key, value in tensors.items()} == {
            "clip_l": (2, 768),
            "clip_g": (2, 1280),
        }


class TestOthers:
    def test_the_word_as_the_key(self, tmp_path: Path) -> None:
        path = save(tmp_path / "learned_embeds.safetensors", {"<cat-toy>": rows(3, 768)})
        found = read_concept(path)
        assert (found.word, found.count, found.widths, found.family) == (
            "<cat-toy>",
            3,
            {"clip_l": 768},
            "sd1",
        )

    def test_one_vector_without_a_second_dimension(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.safetensors", {"toy": rows(1, 768)[0]})
        assert (read_concept(path).word, read_concept(path).count) == ("<toy>", 1)

    @pytest.mark.parametrize(("width", "encoder"), [(768, "clip_l"), (1024, "clip_h")])
    def test_emb_params_are_called_as_their_file(self, tmp_path: Path, width: int, encoder: str) -> None:
        path = save(tmp_path / "My Toy.safetensors", {"emb_params": rows(4, width)})
        assert (read_concept(path).word, read_concept(path).widths) == ("<My-Toy>", {encoder: width})

    @pytest.mark.parametrize("key", ["*", "…", "emb_params"])
    def test_a_key_without_letters_is_called_as_its_file(self, key: str, tmp_path: Path) -> None:
        path = save(tmp_path / "my-toy.safetensors", {key: rows(1, 768)})
        assert read_concept(path).word == "<my-toy>"

    def test_a_key_that_sounds_like_a_lora(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.safetensors", {"flora_style": rows(1, 768)})
        assert read_concept(path).word == "<flora_style>"

    def test_clip_l_and_clip_g(self, tmp_path: Path) -> None:
        path = save(tmp_path / "me.safetensors", {"clip_g": rows(2, 1280), "clip_l": rows(2, 768)})
        found = read_concept(path)
        assert (found.word, found.widths) == ("<me>", {"clip_l": 768, "clip_g": 1280})
        assert found.family == ""  # SDXL and SD3 have these encoders

    @pytest.mark.parametrize("which", [0, 1])
    def test_two_files(self, tmp_path: Path, which: int) -> None:
        names = ("learned_embeds.safetensors", "learned_embeds_2.safetensors")
        large, small = rows(2, 1280), rows(2, 768)
        save(tmp_path / names[0], {"<toy>": small})
        save(tmp_path / names[1], {"<toy>": large})
        found = read_concept(tmp_path / names[which])
        assert list(found.vectors) == ["clip_l", "clip_g"]
        assert np.array_equal(found.vectors["clip_g"], large)
        assert (found.word, found.family) == ("<toy>", "sdxl")

    def test_two_files_of_different_words_are_two_concepts(self, tmp_path: Path) -> None:
        save(tmp_path / "a.safetensors", {"<toy>": rows(1, 768)})
        save(tmp_path / "a_2.safetensors", {"<cup>": rows(1, 1280)})
        assert list(read_concept(tmp_path / "a.safetensors").vectors) == ["clip_l"]

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_other_kinds_of_numbers(self, tmp_path: Path, dtype: torch.dtype) -> None:
        values = torch.tensor(rows(1, 768)).to(dtype)
        path = save(tmp_path / "a.safetensors", {"<a>": values})
        assert np.array_equal(read_concept(path).vectors["clip_l"], values.float().numpy())

    def test_long_stories_in_the_header_do_no_harm(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.safetensors", {"<a>": rows(1, 768)}, {"ss_tag_frequency": "x" * 5000})
        assert read_concept(path).word == "<a>"


class TestRefused:
    @pytest.mark.parametrize(
        ("tensors", "said"),
        [
            ({"<a>": rows(1, 512)}, "512"),
            ({"clip_l": rows(1, 1280), "clip_g": rows(1, 1280)}, "768"),
            ({"clip_l": rows(2, 768), "clip_g": rows(1, 1280)}, "different numbers"),
            ({"<a>": rows(76, 768)}, "75"),
            ({"<a>": rows(1, 768) * np.nan}, "not finite"),
            ({"<a>": rows(1, 768) + np.inf}, "not finite"),
            ({"<a>": rows(1, 768) + 1e6}, "beyond all measure"),
            ({"<a>": rows(2, 768) * 0}, "all zero"),
            ({"<a>": np.zeros((1, 1, 768), np.float32)}, "shape"),
            ({"<a>": np.zeros((), np.float32)}, "shape 1."),
            ({"<a>": np.zeros((0, 768), np.float32)}, "shape"),
            ({"<a>": np.zeros((1, 768), np.int64)}, "no vectors"),
            ({"<a>": rows(1, 768), "<b>": rows(1, 768)}, "keys"),
            ({"tokenwise_delta.oai_clip_vit_l": rows(1, 768)[0]}, "an attribute"),
            ({"lora_te_text_model.alpha": rows(1, 1)}, "LoRA"),
            ({"unet.down.lora_A.weight": rows(4, 768)}, "LoRA"),
            ({"model.diffusion_model.out.weight": rows(4, 4)}, "whole model"),
            ({"image_proj.weight": rows(4, 768)}, "IP-Adapter"),
            ({"weight": rows(77, 768)}, "part of a network"),
            ({"embeddings.position_ids": rows(1, 768)}, "part of a network"),
            ({"qwen3": rows(4, 768)}, "language model"),
        ],
    )
    def test_what_is_none(self, tmp_path: Path, tensors: dict[str, Any], said: str) -> None:
        path = save(tmp_path / "file.safetensors", tensors)
        with pytest.raises(EditorError) as caught:
            read_concept(path)
        assert said in str(caught.value)
        assert caught.value.hint

    @pytest.mark.parametrize("content", [b"", b"no file", b"\x80\x02}q\x00.", bytes(300)])
    def test_what_is_damaged(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "a.safetensors"
        path.write_bytes(content)
        with pytest.raises(EditorError, match="damaged or of another kind"):
            read_concept(path)

    @pytest.mark.parametrize("length", [7, 40, 500, 6000])
    def test_what_is_cut_off(self, tmp_path: Path, length: int) -> None:
        path = tmp_path / "a.safetensors"
        path.write_bytes(concept_file(concept())[:length])
        with pytest.raises(EditorError):
            read_concept(path)

    def test_pickles_unread(self, tmp_path: Path) -> None:
        with pytest.raises(EditorError, match="can run code"):
            read_concept(tmp_path / "embedding.pt")

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(EditorError, match="no file"):
            read_concept(tmp_path / "a.safetensors")

    def test_a_picture_that_is_none_is_left_out(self) -> None:
        content = concept_file(concept())
        coded = base64.b64encode(JPEG)
        assert coded in content
        wrong = content.replace(coded, b"A" * len(coded))
        assert concept_from_bytes(wrong).picture == b""


@pytest.mark.parametrize("shape", [[0, 2**62], [2**40, 0, 2**40], [0, 2**64 - 1], [0, 10**40]])
def test_sizes_that_no_array_can_have(shape: list[int]) -> None:
    header = json.dumps({WORD: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}).encode()
    with pytest.raises(EditorError, match="no concept"):
        concept_from_bytes(struct.pack("<Q", len(header)) + header)
