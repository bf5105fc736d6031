"""Structure distance against a slow computation, of the detector and of a vision transformer."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.errors import EditorError
from inference.metrics.structure import DinoKeys, self_similarity, structure_distance
from inference.miniworld.judging import structure_features
from inference.miniworld.render import draw_pixels
from inference.miniworld.scene import sample_scene


def slowly(first: Any, second: Any) -> float:
    """The mean squared difference of all cosines, one by one."""

    def cosine(a: Any, b: Any) -> float:
        product = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
        norms = math.sqrt(sum(float(x) ** 2 for x in a)) * math.sqrt(sum(float(y) ** 2 for y in b))
        return product / norms

    count = len(first)
    pairs = [(i, j) for i in range(count) for j in range(count)]
    return sum((cosine(first[i], first[j]) - cosine(second[i], second[j])) ** 2 for i, j in pairs) / count**2


def test_it_equals_a_slow_computation() -> None:
    generator = np.random.default_rng(2)
    features = {value: generator.normal(size=(12, 5)).astype(np.float32) for value in (0, 1)}
    pictures = [np.full((4, 4, 3), value, np.uint8) for value in (0, 1)]
    found = structure_distance(pictures[0], pictures[1], lambda picture: features[int(picture[0, 0, 0])])
    assert abs(found - slowly(features[0], features[1])) < 1e-6
    assert structure_distance(pictures[0], pictures[0], lambda _: features[0]) == 0
    assert np.allclose(np.diag(self_similarity(features[0])), 1, atol=1e-6)


def test_the_detector_s_features_are_those_of_its_layers_at_an_eighth() -> None:
    """Against the detector's modules run one by one."""
    from inference.miniworld.judging import _detector

    picture = draw_pixels(sample_scene(1))
    values = torch.tensor(picture.astype(np.float32) / 255 * 2 - 1).permute(2, 0, 1)[None]
    with torch.no_grad():
        for layer in list(_detector().network.trunk)[:6]:
            values = layer(values)
    found = structure_features()(picture)
    assert found.shape == (16 * 16, values.shape[1])
    assert np.allclose(found[16 * 3 + 5], values[0, :, 3, 5].numpy(), atol=1e-5)


def test_another_look_is_nearer_than_another_scene() -> None:
    """The same things in another style or place, against other things in the same."""
    features, looks, scenes = structure_features(), [], []
    for seed in range(6):
        own = draw_pixels(sample_scene(seed, kinds=("man", "house"), style="photo", background="grass"))
        drawn = draw_pixels(sample_scene(seed, kinds=("man", "house"), style="painting", background="grass"))
        other = draw_pixels(
            sample_scene(seed + 50, kinds=("ball", "tree"), style="photo", background="grass")
        )
        looks.append(structure_distance(own, drawn, features))
        scenes.append(structure_distance(own, other, features))
    assert np.mean(looks) < 0.5 * np.mean(scenes)


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny vision transformer as transformers saves it."""
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("dino")
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=224,
        patch_size=56,
    )
    ViTModel(config).save_pretrained(folder)
    return folder


def test_keys_of_the_last_layer_without_the_picture_s_own_token(dino: Path) -> None:
    from transformers import ViTModel

    picture = np.random.default_rng(1).integers(0, 256, (224, 224, 3), np.uint8)
    found = DinoKeys.load(str(dino))(picture)
    network: Any = ViTModel.from_pretrained(dino).eval()
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    values = torch.tensor(((picture / 255 - mean) / deviation).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        states = network(pixel_values=values, output_hidden_states=True).hidden_states[-2]
        names = dict(network.named_modules())
        last = max(name for name in names if name.endswith((".key", ".k_proj")))
        before = names[max(name for name in names if name.endswith(("layernorm_before", "norm1")))]
        expected = names[last](before(states))[0, 1:]
    assert found.shape == (16, 16)
    assert np.allclose(found, expected.numpy(), atol=1e-5)


def test_what_is_no_transformer_is_told(tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="DINO"):
        DinoKeys.load(str(tmp_path / "none"))
