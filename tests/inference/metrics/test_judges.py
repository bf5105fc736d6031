"""Similarities, intervals, and the judges that a user's own models make; tiny random ones here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.errors import EditorError
from inference.metrics.clip import ClipSimilarity
from inference.metrics.detection import PhotoDetector
from inference.metrics.intervals import bootstrap_interval
from inference.metrics.similarity import of_detections, of_subjects
from tests.helpers.tiny_models import END, clip_tokenizer


@dataclass(frozen=True)
class Found:
    kind: str
    score: float
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    attributes: dict[str, float] = field(default_factory=dict)
    colours: dict[str, Any] = field(default_factory=dict)


def picture(seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (40, 60, 3)).astype(np.uint8)


def test_similarities_of_detections() -> None:
    whole = of_detections([Found("cat", 1.0), Found("dog", 1.0)], ["cat", "dog"])
    assert whole.full_prompt == whole.text_text == pytest.approx(1)
    assert whole.least_subject == pytest.approx(0.5**0.5)
    half = of_detections([Found("cat", 0.8), Found("cat", 0.6)], ["cat", "dog"])
    assert half.full_prompt == pytest.approx(0.5**0.5)
    assert half.least_subject == 0
    twice = of_detections([Found("cat", 0.8)], ["cat", "cat"])
    assert twice.full_prompt == pytest.approx(1)
    seen = [Found("cat", 1.0), Found("dog", 1.0)]
    assert of_subjects(seen, ["cat", "dog"], [True, True]) == whole
    assert of_subjects([], ["cat"], [False]) == of_detections([], ["cat"])
    none = of_detections([], ["cat"])
    assert (none.full_prompt, none.least_subject, none.text_text) == (0, 0, 0)


def test_the_bootstrap_interval_holds_the_mean_and_repeats() -> None:
    values = np.random.default_rng(0).normal(5, 1, 400).tolist()
    low, high = bootstrap_interval(values)
    assert low < sum(values) / 400 < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.2)
    assert bootstrap_interval(values) == (low, high)
    assert bootstrap_interval([2.0]) == (2, 2)
    with pytest.raises(ValueError, match="nothing"):
        bootstrap_interval([])


class Fixed(torch.nn.Module):
    """A detection model that always finds the same."""

    def __init__(self, logits: list[list[float]], boxes: list[list[float]]) -> None:
        super().__init__()
        self.config = type("Config", (), {"id2label": {0: "cat", 1: "car"}})()
        self.logits, self.pred_boxes = torch.tensor([logits]), torch.tensor([boxes])
        self.seen: list[torch.Size] = []

    def forward(self, pixel_values: torch.Tensor) -> Any:
        self.seen.append(pixel_values.shape)
        return self


BOXES = [[0.25, 0.5, 0.5, 1.0], [0.26, 0.5, 0.5, 1.0], [0.75, 0.5, 0.5, 1.0]]


def test_detections_with_a_class_for_nothing() -> None:
    network = Fixed([[5, 0, 0], [4, 0, 0], [0, 6, 0]], BOXES)
    image = picture()
    image[:, 30:] = (200, 10, 20)
    ((car, cat),) = PhotoDetector(network)([image])
    assert (car.kind, cat.kind) == ("car", "cat")  # the second box is the same cat
    assert car.box == pytest.approx((0.5, 0, 1, 1))
    assert car.colours["colour"] == pytest.approx((200 / 255, 10 / 255, 20 / 255))
    assert network.seen == [(1, 3, 800, 1200)]


def test_detections_without_a_class_for_nothing_and_those_that_are_unsure() -> None:
    assert PhotoDetector(Fixed([[-4, -4], [-5, 0.1], [3, -4]], BOXES))([picture()])[0][0].kind == "cat"
    assert PhotoDetector(Fixed([[-4, -4], [-5, 0.1], [0, -4]], BOXES))([picture()]) == [[]]


def test_a_detection_model_is_read_from_its_folder(tmp_path: Path) -> None:
    from transformers import YolosConfig, YolosForObjectDetection

    torch.manual_seed(0)
    config = YolosConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        image_size=[32, 32],
        num_detection_tokens=3,
        use_mid_position_embeddings=False,
        id2label={0: "cat", 1: "car"},
        label2id={"cat": 0, "car": 1},
    )
    YolosForObjectDetection(config).save_pretrained(tmp_path)
    detector = PhotoDetector.load(str(tmp_path))
    assert detector.labels == {"cat", "car"}
    assert len(detector([picture()])) == 1


def test_clip_judges_pictures_and_texts(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPModel

    tokenizer = clip_tokenizer(END)
    size = len(tokenizer)
    text = {
        "vocab_size": size,
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "eos_token_id": size - 1,
    }
    vision = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=6)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    clip = ClipSimilarity.load(str(tmp_path))
    found = clip.similarity(picture(), "a cat", ["a cat", "a dog"], "a cat")
    assert found.text_text == pytest.approx(1, abs=1e-5)
    assert -1 <= found.least_subject <= found.full_prompt <= 1
    other = clip.similarity(picture(), "a cat", ["a dog"], "a photo of a dog")
    assert other.full_prompt == pytest.approx(found.full_prompt)
    assert found.least_subject == pytest.approx(min(other.least_subject, found.full_prompt))


@pytest.mark.parametrize("judge", [PhotoDetector, ClipSimilarity])
def test_a_model_that_is_not_there_is_told(judge: Any, tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="cannot be used"):
        judge.load(str(tmp_path / "none"))
