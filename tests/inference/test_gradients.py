"""Gradients to prompts and learnt words: equal to finite differences, and to nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from inference.attention import AttentionKind, Tap, Where
from inference.backbones.base import Backbone
from inference.errors import EditorError
from inference.learnt_words import LearntWord
from inference.loading import load_backbone
from inference.models import Catalogue, MemoryMode
from inference.prompt import Prompt
from tests.helpers.tiny_models import NAMES

SIZE = 32


@pytest.fixture(scope="module")
def exact_backbones(tiny_folders: dict[str, Path]) -> dict[str, Any]:
    """The tiny models in float64, which no user can choose."""
    catalogue = Catalogue(Path("unused"), built_in=next(iter(tiny_folders.values())).parent)
    found: dict[str, Any] = {}
    for name in tiny_folders:
        entry = catalogue.find(name)
        loaded: Any = load_backbone(entry, device="cpu")
        for network in loaded.parts.networks:
            network.double()
        found[name] = type(loaded)(
            entry, loaded.parts, model_hash="", device=torch.device("cpu"), dtype=torch.float64
        )
    return found


def loss_of(backbone: Backbone, prompts: list[Prompt]) -> Tensor:
    """A number that all of x̂₀ enters, each place by another weight."""
    latents = backbone.initial_noise(3, SIZE, SIZE).double().repeat(len(prompts), 1, 1, 1)
    x0 = backbone.predict(latents, backbone.schedule.level_at(500), prompts).x0
    weights = torch.randn(x0.shape, generator=torch.Generator().manual_seed(4), dtype=x0.dtype)
    return (x0 * weights).sum()


def accuracy(name: str, encoder: str = "") -> tuple[float, float]:
    """Step and relative error: T5, and SD3.5's normalised queries, count in float32 in any case."""
    return (2e-2, 1e-4) if encoder == "t5" or name == "tiny-sd35" else (1e-3, 1e-7)


def check_gradient(loss: Callable[[Tensor], Tensor], at: Tensor, step: float, tolerance: float) -> None:
    """The gradient along three directions against central differences of fourth order."""
    point = at.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(point), point)
    scale = float(gradient.norm())
    assert scale > 0
    for seed in range(3):
        direction = torch.randn(at.shape, generator=torch.Generator().manual_seed(seed), dtype=at.dtype)
        if seed == 2:
            direction = gradient  # where it is steepest
        direction = direction / direction.norm()
        with torch.no_grad():
            near, far = (
                loss(at + reach * direction) - loss(at - reach * direction) for reach in (step, 2 * step)
            )
            difference = (8 * near - far) / (12 * step)
        assert abs(float(difference) - float((gradient * direction).sum())) < tolerance * scale


def assert_weights_untouched(backbone: Any) -> None:
    for network in backbone.parts.networks:
        for weight in network.parameters():
            assert not weight.requires_grad
            assert weight.grad is None


@pytest.mark.parametrize("name", NAMES)
def test_gradients_to_embeddings_equal_finite_differences(name: str, exact_backbones: dict[str, Any]) -> None:
    backbone = exact_backbones[name]
    prompt, other = backbone.encode_prompt("a photo of a man"), backbone.encode_prompt("a cat")
    for encoder, embedding in prompt.embeddings.items():

        def loss(value: Tensor, encoder: str = encoder) -> Tensor:
            return loss_of(backbone, [prompt.with_embeddings({encoder: value}), other])

        check_gradient(loss, embedding, *accuracy(name))
    if prompt.pooled is not None:
        check_gradient(
            lambda value: loss_of(backbone, [prompt.with_embeddings({}, value), other]),
            prompt.pooled,
            *accuracy(name),
        )
    assert_weights_untouched(backbone)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_to_a_shift_equal_finite_differences(name: str, exact_backbones: dict[str, Any]) -> None:
    """As a delta is learnt: one vector on all tokens of a subject."""
    backbone = exact_backbones[name]
    prompt = backbone.encode_prompt("a photo of an old man")
    tokens = prompt.tokens(14, 21)["clip_l"]
    width = backbone.token_widths["clip_l"]

    def loss(vector: Tensor) -> Tensor:
        return loss_of(backbone, [prompt.shifted({"clip_l": dict.fromkeys(tokens, vector)})])

    start = torch.zeros(width, dtype=torch.float64)
    check_gradient(loss, start, *accuracy(name))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_to_learnt_words_equal_finite_differences(
    name: str, exact_backbones: dict[str, Any]
) -> None:
    """Through the text encoder and the denoiser, to every vector of a word that the prompt has twice."""
    backbone = exact_backbones[name]
    generator = torch.Generator().manual_seed(6)
    vectors = {
        encoder: torch.randn(2, width, generator=generator, dtype=torch.float64)
        for encoder, width in backbone.token_widths.items()
    }
    for encoder, rows in vectors.items():

        def loss(value: Tensor, encoder: str = encoder) -> Tensor:
            word = LearntWord(word="<toy>", vectors={**vectors, encoder: value})
            return loss_of(backbone, [backbone.encode_prompt("a <toy> and a <toy>", [word])])

        step, tolerance = accuracy(name, encoder)
        check_gradient(loss, rows, step, tolerance)
    assert_weights_untouched(backbone)


@pytest.mark.parametrize("name", NAMES)
def test_only_the_words_that_are_learnt_have_gradients(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    toy, fixed = (
        LearntWord(word=word, vectors=backbone.token_vectors("man cat")) for word in ("<toy>", "<fixed>")
    )
    for rows in toy.vectors.values():
        rows.requires_grad_()
    prompt = backbone.encode_prompt("a <toy> and a <fixed>", [toy, fixed])
    loss_of(backbone, [prompt]).backward()
    for rows in toy.vectors.values():
        assert rows.grad is not None
        assert rows.grad.isfinite().all()
        assert rows.grad.abs().amax(1).min() > 0
    assert not any(rows.requires_grad for rows in fixed.vectors.values())
    assert_weights_untouched(backbone)


def test_vectors_keep_their_own_dtype(tiny_folders: dict[str, Path]) -> None:
    """The encoder counts in bfloat16; what is learnt does not."""
    catalogue = Catalogue(Path("unused"), built_in=next(iter(tiny_folders.values())).parent)
    backbone: Any = load_backbone(catalogue.find("tiny-sd1"), device="cpu", dtype="bfloat16")
    rows = torch.randn(2, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    prompt = backbone.encode_prompt("a <toy>", [LearntWord(word="<toy>", vectors={"clip_l": rows})])
    assert prompt.embeddings["clip_l"].dtype == torch.bfloat16
    prompt.embeddings["clip_l"].float().sum().backward()
    assert rows.grad is not None
    assert rows.grad.dtype == torch.float32


def test_words_are_not_learnt_where_the_encoders_come_and_go(tiny_folders: dict[str, Path]) -> None:
    catalogue = Catalogue(Path("unused"), built_in=next(iter(tiny_folders.values())).parent)
    backbone = load_backbone(catalogue.find("tiny-sd1"), device="cpu", memory_mode=MemoryMode.MODEL)
    toy = LearntWord(word="<toy>", vectors={"clip_l": torch.zeros(1, 16, requires_grad=True)})
    with pytest.raises(EditorError, match="the memory mode is model"):
        backbone.encode_prompt("a <toy>", [toy])
    with torch.no_grad():
        assert backbone.encode_prompt("a <toy>", [toy])
    assert backbone.encode_prompt("a man", [toy])


def kept_bytes(make: Callable[[], Tensor]) -> tuple[Tensor, int]:
    """What `make` gives, and the bytes of distinct tensors that it leaves for the backward pass."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        return make(), sum(kept.values())


@pytest.mark.parametrize("name", NAMES)
def test_checkpointed_predictions_have_the_same_gradients_and_keep_less(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    backbone = tiny_backbones[name]
    prompt = backbone.encode_prompt("a photo of a man")

    def gradients(value: Tensor, loss: Tensor) -> Tensor:
        return torch.autograd.grad(loss, value)[0]

    plain = prompt.embeddings["clip_l"].clone().requires_grad_()
    loss, usual = kept_bytes(lambda: loss_of(backbone, [prompt.with_embeddings({"clip_l": plain})]))
    expected = gradients(plain, loss)
    value = plain.detach().clone().requires_grad_()
    with backbone.checkpointed():
        loss_again, fewer = kept_bytes(lambda: loss_of(backbone, [prompt.with_embeddings({"clip_l": value})]))
    found = gradients(value, loss_again)  # after the context is closed
    assert torch.equal(loss_again, loss)
    assert torch.equal(found, expected)
    assert fewer < 0.6 * usual
    assert not backbone.parts.denoiser.is_gradient_checkpointing


@pytest.mark.parametrize("name", NAMES)
def test_checkpointing_ends_with_its_context(name: str, tiny_backbones: dict[str, Any]) -> None:
    backbone = tiny_backbones[name]
    with pytest.raises(KeyboardInterrupt), backbone.checkpointed(), backbone.checkpointed():
        raise KeyboardInterrupt
    assert not backbone.parts.denoiser.is_gradient_checkpointing
    with backbone.checkpointed():
        with backbone.checkpointed():
            pass
        assert backbone.parts.denoiser.is_gradient_checkpointing


@pytest.mark.parametrize("name", NAMES)
def test_a_tap_and_a_checkpointed_pass_with_gradients_exclude_each_other(
    name: str, tiny_backbones: dict[str, Any]
) -> None:
    """The pass would be computed again without the tap, or would ask it twice; either would be silent."""
    backbone = tiny_backbones[name]
    prompts = [backbone.encode_prompt("a man")]
    where = Where(kinds=tuple(AttentionKind))
    with backbone.checkpointed(), backbone.tapped(Tap(), where):
        with pytest.raises(ValueError, match="asked again"):
            loss_of(backbone, prompts)
        with torch.no_grad():
            loss_of(backbone, prompts)
    with backbone.checkpointed():
        loss_of(backbone, prompts)
