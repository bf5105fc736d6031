"""A whole run against one written anew, the network's own parts put together slowly; real models' layers.

As the authors' code does it: one batch [picture, ∅, P], in which residuals, queries and keys of the first
sample are copied over those of the others. Nothing of the taps, of the sampler or of the schedule's steps is
used.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import SD3Transformer2DModel, UNet2DConditionModel
from torch import Tensor

from inference.attention import AttentionKind
from inference.backbones.layers import transformer_features, transformer_layers, unet_features, unet_layers
from inference.backbones.structures import structure_of
from inference.content import Picture, content_hash
from inference.inputs import Inputs
from inference.methods.generate import prepare
from inference.methods.inversion.paths import step_noise
from inference.methods.plug_and_play import translate as module
from inference.methods.plug_and_play.injection import Places, places_of
from inference.methods.plug_and_play.source import source_prompt, sourced
from inference.methods.redraw import begun_from, encoded
from inference.operations import Family, Translate
from inference.progress import Progress

STEPS, WIDTH, HEIGHT, GUIDANCE = 10, 64, 96, 4.0
PICTURE = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
NAME = content_hash(PICTURE)
RESIDUAL = "up_blocks.1.resnets.1"
ATTENTION = [
    *(f"up_blocks.1.attentions.{index}.transformer_blocks.0.attn1" for index in (1, 2)),
    *(f"up_blocks.{b}.attentions.{i}.transformer_blocks.0.attn1" for b in (2, 3) for i in range(3)),
]


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize(
    ("way", "into"), [("plug-and-play", (1, 2)), ("no-inversion", (2,)), ("one-copy", (2,))]
)
def test_a_run_equals_one_written_anew(
    way: str,
    into: tuple[int, ...],
    is_known: bool,
    tiny_backbones: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backbone, inputs = tiny_backbones["tiny-sd1"], Inputs(contents={NAME: PICTURE})
    found: list[Tensor] = []

    def caught(_: Any, latents: Tensor) -> Any:
        found.append(latents)
        return (PICTURE,)

    monkeypatch.setattr(module, "decoded", caught)
    if is_known:
        module.translate(backbone, parameters(way=way, prompt="a photo of the dog"), inputs, Progress())
    module.translate(backbone, parameters(way=way), inputs, Progress())
    expected = slowly(backbone, parameters(way=way), into)
    plain = slowly(backbone, parameters(way=way), ())
    assert (found[-1] - expected).abs().max() < 1e-5 * expected.abs().max()
    assert (plain - expected).abs().max() > 1e-2


def parameters(**values: Any) -> Translate:
    usual: dict[str, Any] = {"prompt": "a photo of an old cat", "guidance_scale": GUIDANCE, "seed": 3}
    given: dict[str, Any] = {"width": WIDTH, "height": HEIGHT, "steps": STEPS, **usual, **values}
    return Translate(image=Picture(NAME), **given)


@torch.no_grad()
def slowly(backbone: Any, values: Translate, into: tuple[int, ...]) -> Tensor:
    """The latents at the end; the samples `into` of [picture, ∅, P] take from the first."""
    run = prepare(backbone, values, Inputs(contents={NAME: PICTURE}), Progress())
    picture = encoded(run, NAME, PICTURE)
    source = sourced(run, values, NAME, picture)
    words = [source_prompt(run, values), run.negative, run.prompt]
    text = torch.cat([prompt.embeddings["clip_l"] for prompt in words])
    unet, levels = backbone.parts.denoiser, run.levels
    on_path = values.way == "plug-and-play"
    latents = source.latents(0) if on_path else begun_from(run, picture, 0)[0].state.latents
    copied: dict[str, Tensor] = {}
    for index in range(STEPS):
        here, there = levels[index], levels[index + 1]
        features, attention = (into if index < last else () for last in (8, 5))
        beside, own = here, latents
        if values.way == "one-copy":
            beside = backbone.schedule.level_at(400)
            own = beside.alpha * picture + beside.sigma * step_noise(values.seed, STEPS, picture)
            with put_together(unet, (), (), copied):  # in a pass of its own: it has a timestep of its own
                asked(unet, own, beside.timestep, text[:1])
            with put_together(unet, features, attention, copied, first=None):
                eps = asked(unet, latents.repeat(3, 1, 1, 1), here.timestep, text)
        else:
            own = source.latents(index)
            with put_together(unet, features, attention, copied):
                eps = asked(unet, torch.cat([own, latents, latents]), here.timestep, text)
        guided = eps[1:2] + GUIDANCE * (eps[2:] - eps[1:2])
        latents = stepped(latents, guided, here, there)
        if on_path:  # what the picture's own step misses its path by
            latents = latents + source.latents(index + 1) - stepped(own, eps[:1], here, there)
    return latents


def stepped(latents: Tensor, eps: Tensor, here: Any, there: Any) -> Tensor:
    return there.alpha * (latents - here.sigma * eps) / here.alpha + there.sigma * eps


def asked(unet: Any, latents: Tensor, timestep: float, text: Tensor) -> Tensor:
    return unet(latents, timestep, encoder_hidden_states=text).sample


@contextmanager
def put_together(
    unet: Any,
    features: tuple[int, ...],
    attention: tuple[int, ...],
    copied: dict[str, Tensor],
    first: int | None = 0,
) -> Generator[None]:
    """The residual block and the attention layers as the paper's figure has them, step by step.

    What the sample `first` has is put into `copied`, and from there into others.
    """

    def copy(name: str, value: Tensor, rows: tuple[int, ...]) -> Tensor:
        if first is not None:
            copied[name] = value[first].clone()
        for row in rows:
            value[row] = copied[name]
        return value

    def residual(block: Any) -> Any:
        def forward(x: Tensor, temb: Tensor, *_: Any, **__: Any) -> Tensor:
            silu = torch.nn.functional.silu
            h = block.conv1(silu(block.norm1(x))) + block.time_emb_proj(silu(temb))[:, :, None, None]
            h = copy("f", block.conv2(silu(block.norm2(h))), features)
            return block.conv_shortcut(x) + h

        return forward

    def attended(name: str, layer: Any) -> Any:
        def forward(x: Tensor, *_: Any, **__: Any) -> Tensor:
            count, tokens, width = x.shape
            query = copy(f"{name} q", layer.to_q(x), attention)
            key = copy(f"{name} k", layer.to_k(x), attention)
            value = layer.to_v(x)
            size, out = width // layer.heads, torch.empty(count, tokens, width)
            for row in range(count):
                for head in range(layer.heads):
                    part = slice(head * size, (head + 1) * size)
                    scores = query[row, :, part] @ key[row, :, part].T / size**0.5
                    weights = torch.exp(scores - scores.amax(1, keepdim=True))
                    out[row, :, part] = weights / weights.sum(1, keepdim=True) @ value[row, :, part]
            return layer.to_out[0](out)

        return forward

    block = unet.get_submodule(RESIDUAL)
    changed = [(block, residual(block))]
    changed += [(unet.get_submodule(name), attended(name, unet.get_submodule(name))) for name in ATTENTION]
    for part, forward in changed:
        part.forward = forward
    try:
        yield
    finally:
        for part, _ in changed:
            del part.forward


# layers and sizes of real models, without weights


class Real:
    """What `places_of` needs of a backbone."""

    name = "real"

    def __init__(self, network: Any, family: Family, blocks: int = 0) -> None:
        is_unet = family is not Family.SD3
        self.layers = (unet_layers if is_unet else transformer_layers)(network)
        self.features = (unet_features if is_unet else transformer_features)(network)
        self.structure = structure_of(family, blocks)


def test_the_layers_on_sdxl() -> None:
    """Ctrl-X: the first decoder block's three transformers of ten blocks, and its first residual block."""
    network: Any = UNet2DConditionModel
    with torch.device("meta"):
        unet = network(
            sample_size=128,
            block_out_channels=(320, 640, 1280),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20),
            cross_attention_dim=2048,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        )
    backbone: Any = Real(unet, Family.SDXL)
    places = places_of(backbone)
    assert [layer.name for layer in places.layers] == [
        f"up_blocks.0.attentions.{index}.transformer_blocks.{block}.attn1"
        for index in range(3)
        for block in range(10)
    ]
    assert [place.name for place in places.features] == ["up_blocks.0.resnets.0"]
    assert places.size_bytes(128, 128, 2) == 2 * (1280 * 32**2 + 30 * 2 * 1280 * 32**2)


@pytest.mark.parametrize(
    ("blocks", "heads", "dual", "told"), [(24, 24, 0, 8), (24, 24, 13, 8), (38, 38, 0, 13)]
)
def test_the_layers_on_sd3(blocks: int, heads: int, dual: int, told: int) -> None:
    """SD3 medium, SD3.5 medium with its second attention of the image alone, and SD3.5 large."""
    with torch.device("meta"):
        transformer = SD3Transformer2DModel(
            sample_size=128,
            patch_size=2,
            in_channels=16,
            num_layers=blocks,
            attention_head_dim=64,
            num_attention_heads=heads,
            joint_attention_dim=4096,
            caption_projection_dim=64 * heads,
            pooled_projection_dim=2048,
            dual_attention_layers=tuple(range(dual)),
        )
    backbone: Any = Real(transformer, Family.SD3, blocks)
    places = places_of(backbone)
    assert [layer.name for layer in places.layers] == [
        f"transformer_blocks.{index}.attn" for index in range(blocks)
    ]
    assert {layer.kind for layer in places.layers} == {AttentionKind.JOINT}
    assert [place.name for place in places.features] == [f"transformer_blocks.{told}"]
    layers = Places(layers=places.layers)
    assert layers.size_bytes(128, 128, 2) == 2 * (2 * blocks * 64 * heads * 64**2)
