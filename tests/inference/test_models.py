"""The catalogue, and what is said of models that are damaged or of another kind."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from inference.errors import EditorError
from inference.models import Catalogue, ModelEntry, model_hash
from inference.operations import Family
from inference.weights.checkpoints import file_family, folder_family
from tests.helpers.tiny_models import NAMES

FAMILIES = dict(zip(NAMES, (Family.SD1, Family.SDXL, Family.SD3, Family.SD3), strict=True))


@pytest.fixture
def catalogue(tmp_path: Path, tiny_folders: dict[str, Path]) -> Catalogue:
    return Catalogue(tmp_path / "settings", built_in=tiny_folders["tiny-sd1"].parent)


@pytest.fixture
def copy(tmp_path: Path, tiny_folders: dict[str, Path]) -> Path:
    """A model that may be broken."""
    return Path(shutil.copytree(tiny_folders["tiny-sdxl"], tmp_path / "mine"))


def header_only(path: Path, *keys: str, shape: tuple[int, ...] = (1,)) -> Path:
    save_file({key: np.zeros(shape, np.float16) for key in keys}, path)
    return path


def test_built_in_models_are_listed_with_what_their_cards_say(
    catalogue: Catalogue, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    assert {entry.name: entry.family for entry in catalogue.entries()} == FAMILIES
    assert not any(entry.sandbox for entry in catalogue.entries())
    shelf = tmp_path / "shelf"
    shutil.copytree(tiny_folders["tiny-sd1"], shelf / "mini")
    (shelf / "detector").mkdir()
    card = {"sandbox": True, "default_steps": 12, "default_guidance_scale": 3.5, "sample_prompt": "a man"}
    (shelf / "mini" / "attune.json").write_text(json.dumps(card))
    (entry,) = Catalogue(tmp_path, built_in=shelf).entries()
    assert (entry.sandbox, entry.default_steps, entry.default_guidance_scale) == (True, 12, 3.5)
    assert entry.sample_prompt == "a man"
    assert entry.size_bytes == sum(file.stat().st_size for file in shelf.glob("mini/*/*.safetensors"))


def test_models_are_found_by_name_path_and_hub_id(
    catalogue: Catalogue,
    copy: Path,
    tiny_folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert catalogue.find("tiny-sd3").path == tiny_folders["tiny-sd3"]
    assert catalogue.locate(str(copy)).family is Family.SDXL
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    with pytest.raises(EditorError, match="“someone/tiny” is not on this machine") as raised:
        catalogue.locate("someone/tiny")
    assert "attune models add someone/tiny" in raised.value.hint
    in_cache(cache, "someone/tiny", copy)
    entry = catalogue.locate("someone/tiny")
    assert (entry.name, entry.hub_id, entry.family) == ("someone/tiny", "someone/tiny", Family.SDXL)
    assert catalogue.check("someone/tiny")["complete"]
    with pytest.raises(EditorError, match=r"no model “nothing”.*tiny-sd1, tiny-sd3, tiny-sd35, tiny-sdxl"):
        catalogue.locate("nothing")


def in_cache(cache: Path, hub_id: str, folder: Path) -> None:
    """Put a folder where huggingface_hub keeps a downloaded repository."""
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(folder, repository / "snapshots" / ("0" * 40))


def test_added_models_are_remembered_and_removed(catalogue: Catalogue, copy: Path, tmp_path: Path) -> None:
    added = catalogue.add(copy)
    assert added.name == "mine"
    assert catalogue.add(str(copy)) == added
    again = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    assert [entry.name for entry in again.entries()] == ["mine"]
    assert again.find("mine").family is Family.SDXL
    twin = Path(shutil.copytree(copy, tmp_path / "other" / "mine"))
    assert again.add(twin).name == "mine-2"
    again.remove("mine")
    assert [entry.name for entry in again.entries()] == ["mine-2"]
    assert copy.is_dir()
    with pytest.raises(EditorError, match=r"no added model “mine”.*mine-2"):
        again.remove("mine")
    with pytest.raises(EditorError, match="built in"):
        catalogue.remove("tiny-sd1")


def test_a_model_that_went_away_stays_listed_and_says_so(catalogue: Catalogue, copy: Path) -> None:
    catalogue.add(copy)
    shutil.rmtree(copy)
    assert catalogue.find("mine").family is Family.SDXL
    report = catalogue.check("mine")
    assert not report["complete"]
    assert "not there any more" in report["problems"][0]


@pytest.mark.parametrize("content", ["{", "[]", '{"models": 5}', "[" * 100_000, "\xff"])
def test_a_damaged_list_is_told_and_kept_aside(
    content: str, catalogue: Catalogue, copy: Path, tmp_path: Path
) -> None:
    file = tmp_path / "settings" / "models.json"
    file.parent.mkdir()
    file.write_text(content, encoding="latin-1")
    assert {entry.name for entry in catalogue.entries()} == FAMILIES.keys()
    assert catalogue.problem is not None
    assert "models.json” is damaged" in catalogue.problem.message
    assert "models.json.damaged" in catalogue.problem.hint
    catalogue.add(copy)
    assert catalogue.problem is None
    assert catalogue.find("mine").path == copy
    assert file.with_name("models.json.damaged").read_text(encoding="latin-1") == content


ODD = (
    5,
    None,
    {"name": 3, "family": "sd1", "path": "/x"},
    {"name": "a", "family": "sd9", "path": "/x"},
    {"name": "b", "family": "sd1"},
    {"name": "c", "family": "sd1", "path": None},
)


def test_one_broken_model_stops_nothing(catalogue: Catalogue, copy: Path, tmp_path: Path) -> None:
    catalogue.add(copy)
    file = tmp_path / "settings" / "models.json"
    good = json.loads(file.read_text())["models"]
    file.write_text(json.dumps({"models": [*ODD, *good]}))
    assert "mine" in {entry.name for entry in catalogue.entries()}
    assert catalogue.problem is not None
    assert f"{len(ODD)} models" in catalogue.problem.message
    catalogue.remove("a")
    catalogue.remove("mine")
    left = json.loads(file.read_text())["models"]
    assert left == [item for item in ODD if not (isinstance(item, dict) and item.get("name") == "a")]


@pytest.mark.parametrize("broken", ["link", "card", "cardlist", "index", "nul"])
def test_a_broken_model_stays_listed_and_can_be_removed(
    broken: str, catalogue: Catalogue, copy: Path, tmp_path: Path
) -> None:
    catalogue.add(copy)
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    if broken == "link":
        weights.unlink()
        weights.symlink_to(tmp_path / "absent")
    elif broken == "nul":
        file = tmp_path / "settings" / "models.json"
        file.write_text(file.read_text().replace(str(copy), "a\\u0000b"))
    else:
        name = "model_index.json" if broken == "index" else "attune.json"
        text = {"card": '{"default_steps": "many"}', "cardlist": '{"default_steps": [1e400]}'}
        (copy / name).write_text(text.get(broken, "[" * 100_000))
    assert "mine" in {entry.name for entry in catalogue.entries()}
    assert catalogue.find("tiny-sd1").family is Family.SD1
    report = catalogue.check("mine")
    assert not report["complete"]
    assert len(report["problems"]) >= 1
    catalogue.remove("mine")
    assert catalogue.entries() == catalogue.entries()
    assert "mine" not in {entry.name for entry in catalogue.entries()}


@pytest.mark.parametrize("name", NAMES)
def test_complete_models_are_reported_complete(name: str, catalogue: Catalogue) -> None:
    report = catalogue.check(name)
    assert report["complete"]
    assert report["problems"] == []
    assert report["family"] == FAMILIES[name].value
    assert len(report["hash"]) == 32
    assert ("text_encoder_3" in report["parts"]) == (name == "tiny-sd3")
    json.dumps(report)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.safetensors is missing"),
        ("text_encoder_2/model.safetensors", "text_encoder_2/model.safetensors is missing"),
        ("vae/config.json", "vae/config.json is missing"),
        ("tokenizer/tokenizer.json", "tokenizer/tokenizer.json is missing"),
        ("scheduler/scheduler_config.json", "scheduler_config.json is missing"),
    ],
)
def test_a_missing_file_is_named(file: str, said: str, catalogue: Catalogue, copy: Path) -> None:
    (copy / file).unlink()
    (problem,) = catalogue.check(str(copy))["problems"]
    assert said in problem
    with pytest.raises(EditorError, match="missing"):
        catalogue.add(copy)


@pytest.mark.parametrize("kept", [4, 100, -1])
def test_a_truncated_file_is_named(kept: int, catalogue: Catalogue, copy: Path) -> None:
    file = copy / "unet" / "diffusion_pytorch_model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:kept])
    (problem,) = catalogue.check(str(copy))["problems"]
    assert file.name in problem
    assert "cut off" in problem or "not a safetensors file" in problem


def test_other_damage_is_named(catalogue: Catalogue, copy: Path) -> None:
    file = copy / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes() + b"123")
    assert "3 bytes too many" in catalogue.check(str(copy))["problems"][0]
    file.write_bytes(b"\x10" + bytes(7) + b"this is no json!")
    assert "not a safetensors file" in catalogue.check(str(copy))["problems"][0]
    (copy / "vae" / "config.json").write_text("{")
    assert len(catalogue.check(str(copy))["problems"]) == 2


def test_pickles_are_never_opened(catalogue: Catalogue, copy: Path, tmp_path: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert "diffusion_pytorch_model.bin, which can run code" in catalogue.check(str(copy))["problems"][0]
    for suffix in (".ckpt", ".pt"):
        (tmp_path / f"model{suffix}").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
        with pytest.raises(EditorError, match=r"can run code.*\.safetensors"):
            catalogue.locate(str(tmp_path / f"model{suffix}"))


def test_half_precision_variants_and_shards_are_complete(catalogue: Catalogue, copy: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(copy / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    text = copy / "text_encoder_2" / "model.safetensors"
    text.rename(copy / "text_encoder_2" / "model-00001-of-00001.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00001.safetensors"}}
    (copy / "text_encoder_2" / "model.safetensors.index.json").write_text(json.dumps(index))
    assert catalogue.check(str(copy))["problems"] == []
    (copy / "text_encoder_2" / "model-00001-of-00001.safetensors").unlink()
    assert "model-00001-of-00001.safetensors is missing" in catalogue.check(str(copy))["problems"][0]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["double_blocks.0.img_attn.norm.key_norm.scale"], "a Flux model"),
        (["lora_unet_down_blocks_0.lora_down.weight"], "a LoRA"),
        (["unet.down_blocks.0.attn1.to_q.lora_A.weight"], "a LoRA"),
        (["control_model.time_embed.0.weight"], "a ControlNet"),
        (["tokenwise_delta.oai_clip_vit_l"], "an attribute delta"),
        (["conditioner.embedders.0.model.ln_final.weight"], "a refiner"),
        (["something.else"], "of an unknown kind"),
    ],
)
def test_files_of_other_kinds_are_named(keys: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(EditorError, match=f"“some.safetensors” is {said}"):
        file_family(header_only(tmp_path / "some.safetensors", *keys))


def test_files_are_told_apart_by_their_tensors(tmp_path: Path) -> None:
    unet = "model.diffusion_model.input_blocks.0.0.weight"
    second = "conditioner.embedders.1.model.ln_final.weight"
    joint = "model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight"
    shape = (8, 4, 3, 3)
    assert file_family(header_only(tmp_path / "a.safetensors", unet, shape=shape)) is Family.SD1
    assert file_family(header_only(tmp_path / "b.safetensors", unet, second, shape=shape)) is Family.SDXL
    assert file_family(header_only(tmp_path / "c.safetensors", joint)) is Family.SD3
    assert file_family(header_only(tmp_path / "d.safetensors", unet, shape=(8, 9, 3, 3))) is Family.SD1
    with pytest.raises(EditorError, match="8 channels: it is made for editing"):
        file_family(header_only(tmp_path / "e.safetensors", unet, shape=(8, 8, 3, 3)))


def test_folders_of_other_kinds_are_named(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(EditorError, match=r"no model_index\.json"):
        folder_family(tmp_path)
    index = copy / "model_index.json"
    values = json.loads(index.read_text())
    index.write_text(json.dumps(values | {"text_encoder": [None, None]}))
    with pytest.raises(EditorError, match="refiner"):
        folder_family(copy)
    index.write_text(json.dumps(values | {"_class_name": "FluxPipeline"}))
    with pytest.raises(EditorError, match="is a FluxPipeline, which is not supported"):
        folder_family(copy)


def test_the_hash_follows_the_weights_and_nothing_else(copy: Path) -> None:
    entry = ModelEntry(name="mine", family=Family.SDXL, path=copy)
    first = model_hash(entry)
    (copy / "README.md").write_text("changed")
    assert model_hash(ModelEntry(name="other", family=Family.SDXL, path=copy)) == first
    file = copy / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert model_hash(entry) != first


def test_large_files_are_hashed_by_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.models._HASH_WHOLE_BYTES", 1000)
    monkeypatch.setattr("inference.models._HASH_PIECE_BYTES", 10)
    path = header_only(tmp_path / "large.safetensors", "weight", shape=(64, 64))
    entry = ModelEntry(name="large", family=Family.SD1, path=path)
    first = model_hash(entry)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert model_hash(entry) != first


def test_a_single_file_that_lacks_a_part_says_which(catalogue: Catalogue, tmp_path: Path) -> None:
    unet = "model.diffusion_model.input_blocks.0.0.weight"
    path = header_only(tmp_path / "alone.safetensors", unet, shape=(8, 4, 3, 3))
    (problem,) = catalogue.check(str(path))["problems"]
    assert "it has no" in problem
    joint = "model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight"
    (problem,) = catalogue.check(str(header_only(tmp_path / "three.safetensors", joint)))["problems"]
    assert "it has no denoiser" in problem


def test_offline_nothing_is_downloaded(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(EditorError, match="“someone/tiny” is not on this machine, and downloading is"):
        catalogue.add("someone/tiny")
    in_cache(tmp_path / "hub", "someone/tiny", copy)
    assert catalogue.add("someone/tiny").hub_id == "someone/tiny"
    assert catalogue.locate("someone/tiny").name == "someone/tiny"


@pytest.mark.parametrize("name", ["someone/tiny", "someone"])
def test_a_link_to_what_is_gone_is_no_hub_id(
    name: str, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "gone")
    monkeypatch.chdir(tmp_path)
    for call in (catalogue.add, catalogue.locate):
        with pytest.raises(EditorError, match=f"is a link to “{tmp_path / 'gone'}”, which is not there"):
            call("someone/tiny")
