"""A LoRA in a model: latents of diffusers with merged weights, and nothing left afterwards."""

import contextlib
import copy
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from diffusers.loaders import StableDiffusionLoraLoaderMixin, StableDiffusionXLLoraLoaderMixin
from safetensors.torch import save_file
from torch import nn

from inference.backbones.additions import _Hook
from inference.backbones.base import Backbone
from inference.backbones.latent import LatentBackbone
from inference.errors import EditorError
from inference.guidance import guided
from inference.loras.adding import Adding, fingerprint
from inference.loras.files import read_lora
from inference.loras.library import LoraLibrary
from inference.loras.places import targets_of
from inference.models import Catalogue, MemoryMode
from inference.operations import LoraUse
from inference.progress import Progress
from inference.sampling import sample
from inference.weights.loading import load_backbone
from tests.helpers import lora_files
from tests.helpers.lora_files import Layers

TOLERANCE = 1e-3  # of latents around 1; both sides count in float32
QUIET = 0.2  # networks that know nothing of noise let latents grow
PROMPT = "a photo of an old man and a woman"
MODELS = ("tiny-sd1", "tiny-sdxl", "tiny-sd3", "tiny-sd35")
ATTENTION = r"(^unet|^transformer).*(attn\d?)\.(to_[qkv]|to_out\.0)$"
Save = Callable[[Any, Layers, Path], None]
# diffusers' schedulers make NumPy arrays of tensors in a way that NumPy warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

FORMS: dict[str, Save] = {
    "kohya": lambda pipeline, layers, path: lora_files.save_kohya(layers, path),
    "kohya, original names": lora_files.save_kohya_original,
    "peft": lambda pipeline, layers, path: lora_files.save_peft(layers, path),
}


@pytest.fixture
def quiet_libraries() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def pipeline_of(folder: Path) -> Any:
    left_out = {"text_encoder_3": None, "tokenizer_3": None} if folder.name == "tiny-sd35" else {}
    pipeline = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32, **left_out)
    pipeline.set_progress_bar_config(disable=True)
    if not hasattr(pipeline, "transformer"):
        pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    return pipeline


def ours(backbone: Backbone, steps: int = 2, scale: float = 3.0) -> torch.Tensor:
    prompt, negative = backbone.encode_prompt(PROMPT), backbone.negative_prompt("")
    width, height = backbone.defaults.width, backbone.defaults.height
    return sample(
        guided(backbone, [prompt], negative, scale),
        QUIET * backbone.initial_noise(3, width, height),
        backbone.levels(steps, width, height),
    )


def theirs(pipeline: Any, backbone: Backbone, steps: int = 2, scale: float = 3.0) -> torch.Tensor:
    width, height = backbone.defaults.width, backbone.defaults.height
    noise = QUIET * backbone.initial_noise(3, width, height)
    return pipeline(
        PROMPT,
        negative_prompt=None,
        latents=noise,
        num_inference_steps=steps,
        guidance_scale=scale,
        width=width,
        height=height,
        output_type="latent",
    ).images


def use_of(path: Path, folder: Path, strength: float = 0.7) -> tuple[Adding, LoraUse]:
    library = LoraLibrary(folder)
    entry, _ = library.add(path)
    return Adding(library), entry.at(strength)


def hooks_of(backbone: LatentBackbone) -> list[object]:
    """Additions that are left in the model; transformers keeps hooks of its own."""
    every = [one for network in backbone.parts.networks for one in network.modules()]
    return [hook for one in every for hook in one._forward_hooks.values() if isinstance(hook, _Hook)]


def weights_of(backbone: LatentBackbone) -> list[torch.Tensor]:
    return [one.clone() for network in backbone.parts.networks for one in network.state_dict().values()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("model", MODELS)
def test_latents_of_every_form_are_those_of_merged_weights(
    model: str,
    form: str,
    tiny_folders: dict[str, Path],
    tiny_backbones: dict[str, LatentBackbone],
    tmp_path: Path,
    quiet_libraries: None,
) -> None:
    pipeline, backbone = pipeline_of(tiny_folders[model]), tiny_backbones[model]
    layers = lora_files.random_layers(pipeline, size=0.15)
    if "original" in form and model in MODELS[2:]:
        layers = lora_files.with_shared_halves(layers)
    FORMS[form](pipeline, layers, tmp_path / "lora.safetensors")
    adding, use = use_of(tmp_path / "lora.safetensors", tmp_path)
    lora_files.merge(pipeline, layers, use.strength)
    plain, weights, name = ours(backbone), weights_of(backbone), backbone.model_hash

    with adding.added([use], backbone, Progress()) as notes:
        found, inside = ours(backbone), backbone.model_hash
    wanted = theirs(pipeline, backbone)

    assert notes == ()
    assert torch.isfinite(wanted).all()
    assert (plain - wanted).abs().max() > 0.05, "the LoRA has to change something"
    assert (found - wanted).abs().max() < TOLERANCE
    assert inside == fingerprint(name, [use]) != backbone.model_hash == name
    assert all(torch.equal(old, new) for old, new in zip(weights, weights_of(backbone), strict=True))
    assert torch.equal(ours(backbone), plain)
    assert not hooks_of(backbone)


def test_the_first_form_of_diffusers_is_read(
    tiny_folders: dict[str, Path],
    tiny_backbones: dict[str, LatentBackbone],
    tmp_path: Path,
    quiet_libraries: None,
) -> None:
    pipeline, backbone = pipeline_of(tiny_folders["tiny-sd1"]), tiny_backbones["tiny-sd1"]
    layers = lora_files.random_layers(pipeline, rank=3, alpha=3.0, wanted=ATTENTION)
    lora_files.save_processors(layers, tmp_path / "lora.safetensors")
    adding, use = use_of(tmp_path / "lora.safetensors", tmp_path, -1.2)
    lora_files.merge(pipeline, layers, use.strength)
    with adding.added([use], backbone, Progress()) as notes:
        found = ours(backbone)
    assert notes == ()
    assert len(layers) == 128
    assert (found - theirs(pipeline, backbone)).abs().max() < TOLERANCE


@pytest.mark.parametrize("model", ["tiny-sd1", "tiny-sdxl"])
def test_layers_are_those_that_diffusers_itself_finds(
    model: str, tiny_folders: dict[str, Path], tmp_path: Path, quiet_libraries: None
) -> None:
    """Its converters are the published reading of kohya's names; merging by hand needs no PEFT."""
    pipeline = pipeline_of(tiny_folders[model])
    layers = lora_files.random_layers(pipeline, wanted=r"attn|ff\.|proj_(in|out)$|resnets|samplers")
    save = lora_files.save_kohya_original if model == "tiny-sdxl" else FORMS["kohya"]
    save(pipeline, layers, tmp_path / "lora.safetensors")
    mixin = StableDiffusionXLLoraLoaderMixin if model == "tiny-sdxl" else StableDiffusionLoraLoaderMixin
    state, alphas = mixin.lora_state_dict(tmp_path / "lora.safetensors", unet_config=pipeline.unet.config)
    read: dict[tuple[str, str], torch.Tensor] = {}
    for key, tensor in state.items():
        stem, half = re.fullmatch(r"(.+?)(?:[._]lora(?:_linear_layer)?)\.(down|up)\.weight", key).groups()
        if half == "down":
            up = state[key.replace(".down.", ".up.")]
            part, _, name = stem.partition(".")
            name = re.sub(r"\.processor(?=\.)", "", name)
            name = name.replace("to_out", "to_out.0") if part == "unet" and name.endswith("to_out") else name
            for old, new in (
                ("to_q", "q_proj"),
                ("to_k", "k_proj"),
                ("to_v", "v_proj"),
                ("to_out", "out_proj"),
            ):
                name = name.replace(old, new) if part.startswith("text") else name
            read[part, name.removeprefix("text_model.")] = up.flatten(1) @ tensor.flatten(1)
    library = LoraLibrary(tmp_path)
    lora = library.add(tmp_path / "lora.safetensors")[1]
    networks = {"denoiser": "unet", "te1": "text_encoder", "te2": "text_encoder_2"}
    targets = {part: targets_of(getattr(pipeline, name, nn.Module())) for part, name in networks.items()}
    found = {
        (networks[place.part], target.module.removeprefix("text_model."))
        for place in lora.layers
        for target in targets[place.part][place.name]
    }
    assert found == {(part, name.removeprefix("text_model.")) for part, name in layers}
    assert set(read) == found
    assert set(alphas.values()) == {1.5}


def held(adding: Adding, backbone: LatentBackbone) -> tuple[int, int]:
    """Bytes that the LoRAs' numbers take in memory, and bytes of these numbers."""
    factors = [one for read in adding._read.values() for one in read.factors.values()]
    kept = [half for one in factors for half in (one.down, one.up)]
    used = [half for hook in hooks_of(backbone) for half in (hook._addition.down, hook._addition.up)]
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in (*kept, *used)}
    return sum(storages.values()), sum(one.numel() * one.element_size() for one in kept)


def test_several_are_in_memory_once_and_the_same_in_any_company(
    tiny_folders: dict[str, Path], tiny_backbones: dict[str, LatentBackbone], tmp_path: Path
) -> None:
    pipeline, backbone = pipeline_of(tiny_folders["tiny-sd1"]), tiny_backbones["tiny-sd1"]
    library = LoraLibrary(tmp_path / "settings")
    uses: list[LoraUse] = []
    for number in range(3):
        path = tmp_path / f"{number}.safetensors"
        lora_files.save_kohya(lora_files.random_layers(pipeline, seed=number, size=0.15), path)
        uses.append(library.add(path)[0].at(0.5 + 0.1 * number))

    def run(adding: Adding, some: list[LoraUse]) -> torch.Tensor:
        with adding.added(some, backbone, Progress()):
            taken, numbers = held(adding, backbone)
            assert taken == numbers
            return ours(backbone)

    adding = Adding(library)
    for some in (uses, uses, uses[:2], uses[1:], uses[:1], uses):
        assert torch.equal(run(adding, some), run(Adding(library), some))


@pytest.mark.parametrize("mode", [MemoryMode.GROUP, MemoryMode.SEQUENTIAL, MemoryMode.MODEL])
def test_memory_modes_give_the_same(
    mode: MemoryMode,
    tiny_folders: dict[str, Path],
    tiny_backbones: dict[str, LatentBackbone],
    tmp_path: Path,
) -> None:
    full = tiny_backbones["tiny-sd1"]
    catalogue = Catalogue(Path("unused"), built_in=tiny_folders["tiny-sd1"].parent)
    other = load_backbone(catalogue.find("tiny-sd1"), device="cpu", memory_mode=mode)
    lora_files.save_kohya(lora_files.random_layers(_networks(full), size=0.15), tmp_path / "lora.safetensors")
    adding, use = use_of(tmp_path / "lora.safetensors", tmp_path)
    pictures: list[torch.Tensor] = []
    for backbone in (full, other):
        with adding.added([use], backbone, Progress()):
            pictures.append(ours(backbone))
    assert torch.equal(*pictures)
    assert torch.equal(ours(full), ours(other))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_adds_and_leaves_every_bit(
    dtype: str, tiny_folders: dict[str, Path], tiny_backbones: dict[str, LatentBackbone], tmp_path: Path
) -> None:
    catalogue = Catalogue(Path("unused"), built_in=tiny_folders["tiny-sd1"].parent)
    backbone = load_backbone(catalogue.find("tiny-sd1"), device="cpu", dtype=dtype)
    assert isinstance(backbone, LatentBackbone)
    lora_files.save_kohya(
        lora_files.random_layers(_networks(backbone), size=0.1), tmp_path / "lora.safetensors"
    )
    adding, use = use_of(tmp_path / "lora.safetensors", tmp_path)
    before, plain = weights_of(backbone), ours(backbone)
    with adding.added([use], backbone, Progress()):
        found = ours(backbone)
    with adding.added([use], tiny_backbones["tiny-sd1"], Progress()):
        exact = ours(tiny_backbones["tiny-sd1"])
    assert (found - exact).abs().mean() < 0.2 * (plain - exact).abs().mean()
    assert all(torch.equal(old, new) for old, new in zip(before, weights_of(backbone), strict=True))
    assert torch.equal(ours(backbone), plain)


def test_several_add_up_and_strength_nought_is_without(
    tiny_backbones: dict[str, LatentBackbone], tmp_path: Path
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    library = LoraLibrary(tmp_path)
    uses: list[LoraUse] = []
    both: Layers = {}
    for seed, strength in ((1, 0.5), (2, -0.8)):
        layers = lora_files.random_layers(_networks(backbone), seed=seed, wanted="unet.*attn1", size=0.15)
        path = tmp_path / f"{seed}.safetensors"
        lora_files.save_peft(layers, path)
        uses.append(library.add(path)[0].at(strength))
        for key, pair in layers.items():
            pair = lora_files.Pair(pair.down, pair.up * strength, pair.alpha)
            first = both.get(key)
            both[key] = (
                pair
                if first is None
                else lora_files.Pair(
                    torch.cat([first.down, pair.down]), torch.cat([first.up, pair.up], 1), 2 * pair.alpha
                )
            )
    lora_files.save_peft(both, tmp_path / "both.safetensors")
    summed = library.add(tmp_path / "both.safetensors")[0].at(1.0)
    adding, plain = Adding(library), ours(backbone)
    with adding.added(uses, backbone, Progress()):
        apart = ours(backbone)
    with adding.added([summed], backbone, Progress()):
        together = ours(backbone)
    with adding.added([LoraUse(name="1", hash=uses[0].hash, strength=0.0)], backbone, Progress()):
        without, name = ours(backbone), backbone.model_hash
    assert (apart - plain).abs().max() > 0.05
    assert (apart - together).abs().max() < 1e-4
    assert torch.equal(without, plain)
    assert name == backbone.model_hash
    assert fingerprint(name, uses) == fingerprint(name, uses[::-1])
    assert fingerprint(name, uses) != fingerprint(name, [uses[0], summed])


def test_three_factors_of_a_convolution_are_one_kernel(
    tiny_backbones: dict[str, LatentBackbone], tmp_path: Path
) -> None:
    backbone, stem = tiny_backbones["tiny-sd1"], "lora_unet_down_blocks_0_resnets_0_conv1"
    weight = backbone.parts.denoiser.down_blocks[0].resnets[0].conv1.weight
    down, middle, up = (
        torch.randn(2, weight.shape[1], 1, 1),
        torch.randn(2, 2, 3, 3),
        torch.randn(len(weight), 2, 1, 1),
    )
    save_file(
        {
            f"{stem}.lora_down.weight": down, f"{stem}.lora_mid.weight": middle,
            f"{stem}.lora_up.weight": up, f"{stem}.alpha": torch.tensor(1.0),
        },
        tmp_path / "lora.safetensors",
    )  # fmt: skip
    adding, use = use_of(tmp_path / "lora.safetensors", tmp_path, 1.0)
    given = torch.randn(1, weight.shape[1], 8, 8)
    layer = backbone.parts.denoiser.down_blocks[0].resnets[0].conv1
    plain = layer(given)
    wanted = nn.functional.conv2d(
        nn.functional.conv2d(nn.functional.conv2d(given, down), middle, padding=1), up
    )
    with adding.added([use], backbone, Progress()):
        found = layer(given)
    assert torch.allclose(found - plain, wanted / 2, atol=1e-4)


def test_gradients_reach_the_latents_and_no_weight(
    tiny_backbones: dict[str, LatentBackbone], tmp_path: Path
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    lora_files.save_kohya(
        lora_files.random_layers(_networks(backbone), size=0.15), tmp_path / "lora.safetensors"
    )
    adding, use = use_of(tmp_path / "lora.safetensors", tmp_path)
    latents = backbone.initial_noise(0, 64, 64).requires_grad_()
    level, gradients = backbone.levels(4, 64, 64)[1], []
    with adding.added([use], backbone, Progress()):
        prompt = backbone.encode_prompt(PROMPT)
        for checkpointed in (False, True):
            with backbone.checkpointed() if checkpointed else contextlib.nullcontext():
                backbone.predict(latents, level, [prompt]).x0.pow(2).sum().backward()
            gradients.append(latents.grad.clone())
            latents.grad = None
    assert gradients[0].abs().max() > 0
    assert torch.allclose(*gradients, rtol=1e-4)
    assert all(weight.grad is None for network in backbone.parts.networks for weight in network.parameters())


def test_what_does_not_fit_is_named_and_what_is_not_there_is_said(
    tiny_backbones: dict[str, LatentBackbone], tmp_path: Path
) -> None:
    backbone = tiny_backbones["tiny-sd1"]
    layers = lora_files.random_layers(_networks(backbone), wanted="unet.mid_block.*attn1")
    more = dict(layers)
    more["unet", "mid_block.attentions.7.proj_in"] = copy.deepcopy(next(iter(layers.values())))
    lora_files.save_kohya(more, tmp_path / "more.safetensors")
    adding, use = use_of(tmp_path / "more.safetensors", tmp_path)
    with adding.added([use], backbone, Progress()) as notes:
        assert "1 of its 5 layers are not in tiny-sd1" in str(notes[0])
        assert "mid_block_attentions_7_proj_in" in str(notes[0])
    wide = {key: lora_files.Pair(torch.randn(2, 99), pair.up, 1.0) for key, pair in layers.items()}
    lora_files.save_kohya(wide, tmp_path / "wide.safetensors")
    adding, use = use_of(tmp_path / "wide.safetensors", tmp_path)
    with (
        pytest.raises(EditorError, match="takes 99 and gives 16, and the layer takes 16"),
        adding.added([use], backbone, Progress()),
    ):
        pass
    nowhere = {
        ("unet", f"mid_block.attentions.{n}.proj_in"): pair for n, pair in enumerate(layers.values(), 3)
    }
    lora_files.save_kohya(nowhere, tmp_path / "nowhere.safetensors")
    adding, use = use_of(tmp_path / "nowhere.safetensors", tmp_path)
    with pytest.raises(EditorError, match="none of its 4 layers"), adding.added([use], backbone, Progress()):
        pass
    assert not hooks_of(backbone)


def test_a_changed_file_is_not_used_under_the_old_name(
    tiny_backbones: dict[str, LatentBackbone], tmp_path: Path
) -> None:
    backbone, path = tiny_backbones["tiny-sd1"], tmp_path / "lora.safetensors"
    lora_files.save_kohya(lora_files.random_layers(_networks(backbone), wanted="mid_block"), path)
    adding, use = use_of(path, tmp_path)
    lora_files.save_kohya(lora_files.random_layers(_networks(backbone), wanted="mid_block", seed=1), path)
    with (
        pytest.raises(EditorError, match="another one than when it was added"),
        adding.added([use], backbone, Progress()),
    ):
        pass


@pytest.mark.parametrize("other", ["same shapes", "other shapes", "not a LoRA"])
def test_a_file_that_changes_while_it_is_read_is_not_used(
    other: str, tiny_backbones: dict[str, LatentBackbone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, path = tiny_backbones["tiny-sd1"], tmp_path / "lora.safetensors"
    networks = _networks(backbone)
    lora_files.save_kohya(lora_files.random_layers(networks, wanted="mid_block"), path)
    adding, use = use_of(path, tmp_path)

    def swapped(*arguments: Any) -> Any:
        found = read_lora(*arguments)
        if other == "not a LoRA":
            path.write_bytes(b"something else")
        else:
            wanted = "mid_block" if other == "same shapes" else "down_blocks"
            lora_files.save_kohya(lora_files.random_layers(networks, wanted=wanted, seed=1), path)
        return found

    monkeypatch.setattr("inference.loras.adding.read_lora", swapped)
    with (
        pytest.raises(EditorError, match="another one than when it was added"),
        adding.added([use], backbone, Progress()),
    ):
        pass
    assert not hooks_of(backbone)


class _Networks:
    """A loaded backbone's networks by the names of a pipeline's."""

    def __init__(self, backbone: LatentBackbone) -> None:
        self.unet = backbone.parts.denoiser
        self.text_encoder = backbone.parts.text_encoders["clip_l"]


def _networks(backbone: LatentBackbone) -> Any:
    return _Networks(backbone)
