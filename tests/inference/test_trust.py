"""Files name models, classes and code; what runs is decided here and by the user's own list."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inference.errors import EditorError
from inference.metrics.clip import ClipSimilarity
from inference.metrics.detection import PhotoDetector
from inference.models import Catalogue, ModelEntry, model_hash
from inference.operations import Generate
from inference.progress import Progress
from inference.request import Request
from inference.runner import make_runner
from inference.weights.loading import load_backbone
from tests.helpers.original_layout import save_as_one_file

ROOT = Path(__file__).parents[2]
CODE = "open({told!r}, 'a').write('ran')\nclass Anything:\n    pass\n"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A file that exists once planted code has run."""
    return tmp_path / "told"


@pytest.fixture
def model(tmp_path: Path, tiny_folders: dict[str, Path]) -> Path:
    return Path(shutil.copytree(tiny_folders["tiny-sd1"], tmp_path / "strange"))


def located(path: Path) -> ModelEntry:
    return Catalogue(path.parent / "settings", built_in=path.parent / "none").locate(str(path))


def request(model: str, weights_hash: str = "") -> Request:
    parameters = Generate(prompt="a man", steps=1, seed=0, width=64, height=64)
    return Request(operation="generate", parameters=parameters, model=model, model_hash=weights_hash)


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_a_name_is_found_in_the_list_only(tmp_path: Path, model: Path) -> None:
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    for named in (str(model), f"./{model.name}", model.name, "", "../strange", "someone/tiny"):
        with pytest.raises(EditorError, match="There is no model") as raised:
            catalogue.find(named)
        assert "attune models add" in raised.value.hint
    catalogue.add(model)
    assert catalogue.find("strange").path == model


def test_a_hub_id_in_the_cache_is_not_in_the_list(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "hub" / "models--someone--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(model, repository / "snapshots" / ("0" * 40))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    assert catalogue.locate("someone/tiny").hub_id == "someone/tiny"
    with pytest.raises(EditorError, match="someone/tiny"):
        catalogue.find("someone/tiny")


def test_a_model_of_another_name_is_found_by_its_weights(tmp_path: Path, model: Path) -> None:
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    weights = model_hash(catalogue.add(model))
    assert catalogue.find("as its author calls it", weights).name == "strange"
    assert catalogue.find("/somewhere/else", weights).name == "strange"
    with pytest.raises(EditorError, match=r"“unknown” \(weights 0000"):
        catalogue.find("unknown", "0" * 32)
    broken = Path(shutil.copytree(model, tmp_path / "broken"))
    catalogue.add(broken)
    shutil.rmtree(broken / "unet")
    with pytest.raises(EditorError, match="“unknown”"):
        catalogue.find("unknown", "0" * 32)


def test_requests_from_files_run_only_what_is_listed(tmp_path: Path, model: Path) -> None:
    folders = tmp_path / "settings", tmp_path / "deltas"
    listed = make_runner(*folders, device="cpu", only_listed=True)
    for named in (str(model), "someone/tiny"):
        with pytest.raises(EditorError, match="no model"):
            listed.run(request(named), {}, Progress())
        with pytest.raises(EditorError, match="no model"):
            listed.preload(named, Progress())
    typed = make_runner(*folders, device="cpu")
    weights = typed.run(request(str(model)), {}, Progress()).request.model_hash
    Catalogue(folders[0]).add(model)
    assert listed.run(request("/its/path", weights), {}, Progress()).request.model == "strange"


def test_classes_are_not_imported_as_model_index_says(
    tmp_path: Path, model: Path, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_as_one_file(model, tmp_path / "one.safetensors")
    beside = Path(shutil.copytree(model, tmp_path / "one", ignore=shutil.ignore_patterns("*.safetensors")))
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "planted_module.py").write_text(CODE.format(told=str(told)))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    parts = json.loads((beside / "model_index.json").read_text())
    named = {name: ["planted_module", "Anything"] for name in parts if not name.startswith("_")}
    for folder in (beside, model):
        change(folder / "model_index.json", **named, extra=["planted_module", "Anything"])
    for path in (tmp_path / "one.safetensors", model):
        load_backbone(located(path), device="cpu")
    assert "planted_module" not in sys.modules
    assert not told.exists()


def test_code_that_a_folder_offers_is_neither_run_nor_asked_for(
    model: Path, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> str:
        raise AssertionError("the terminal was asked")

    monkeypatch.setattr("builtins.input", asked)
    code = {name: f"planted.{name}" for name in ("AutoConfig", "AutoModel")}
    for part in ("tokenizer", "text_encoder", "unet", "vae"):
        (model / part / "planted.py").write_text(CODE.format(told=str(told)))
    tokenizer = {"AutoTokenizer": ["planted.Anything", "planted.Anything"]}
    change(model / "tokenizer" / "tokenizer_config.json", auto_map=tokenizer, tokenizer_class="Anything")
    for part in ("text_encoder", "unet", "vae"):
        change(model / part / "config.json", auto_map=code, trust_remote_code=True, architectures=["Planted"])
    change(model / "unet" / "config.json", _class_name="Planted")
    load_backbone(located(model), device="cpu")
    assert not told.exists()


def test_judges_run_no_code_of_theirs(tmp_path: Path, told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("the terminal was asked"))
    (tmp_path / "planted.py").write_text(CODE.format(told=str(told)))
    code = {"AutoModelForObjectDetection": "planted.Anything", "AutoConfig": "planted.Anything"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "planted", "auto_map": code}))
    with pytest.raises(EditorError, match="of the kind “planted”"):
        PhotoDetector.load(str(tmp_path))
    with pytest.raises(EditorError, match="CLIP"):
        ClipSimilarity.load(str(tmp_path))
    assert not told.exists()


OFFLINE = """
import socket, sys
def blocked(*arguments, **named):
    print("CONTACTED", arguments[:2], flush=True)
    raise OSError("no network")
socket.getaddrinfo = socket.create_connection = socket.socket.connect = socket.socket.connect_ex = blocked
from inference.errors import EditorError
from inference.metrics.clip import ClipSimilarity
from inference.metrics.detection import PhotoDetector
for judge in (PhotoDetector, ClipSimilarity):
    for model in sys.argv[1:]:
        try:
            judge.load(model)
            print("loaded", model)
        except EditorError as error:
            print("refused", model)
"""


def test_offline_is_offline(tmp_path: Path) -> None:
    """By hub id, in the cache and not, complete and not, with nothing in the environment that forbids it."""
    from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], out_features=["stage4"]
    )
    small = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "num_queries": 4}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = DetrConfig(use_timm_backbone=False, backbone_config=backbone, backbone=None, **small, **heads)
    for name in ("whole", "bare"):
        repository = tmp_path / "hub" / f"models--someone--{name}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("0" * 40)
        snapshot = repository / "snapshots" / ("0" * 40)
        DetrForObjectDetection(config).save_pretrained(snapshot)
        if name == "bare":
            (snapshot / "model.safetensors").unlink()
    forbidding = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")
    kept = {name: value for name, value in os.environ.items() if name not in forbidding}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, "someone/whole", "someone/bare", "someone/absent"],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT), "HF_HUB_CACHE": str(tmp_path / "hub")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "CONTACTED" not in done.stdout, done.stdout + done.stderr
    assert done.stdout.split("\n")[:3] == [
        "loaded someone/whole",
        "refused someone/bare",
        "refused someone/absent",
    ]
