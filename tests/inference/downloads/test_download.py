"""Downloads against a server on this machine that breaks, throttles, redirects and lies."""

import http.server
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from inference.downloads.connection import Connection
from inference.downloads.download import Download, download, give_up
from inference.errors import Cancelled, EditorError
from inference.models import Catalogue
from inference.process.hub import cached_folder, is_hub_id
from inference.progress import Progress
from tests.helpers.breaking_hub import COMMIT, Fault, Hub, breaking_hub

ID = "someone/tiny"
LARGE = "unet/diffusion_pytorch_model.safetensors"


def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an earlier test of this process, or whoever runs the tests, has set."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")


@pytest.fixture
def hub(tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Generator[Hub]:
    """A hub with a whole model and much that it does not need."""
    online(monkeypatch)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    folder = tiny_folders["tiny-sd1"]
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    with breaking_hub() as running:
        running.files[ID] = {
            **files,
            "safety_checker/model.safetensors": b"x" * 1000,
            "unet/diffusion_pytorch_model.non_ema.safetensors": b"x" * 1000,
            "unet/diffusion_pytorch_model.bin": b"x" * 1000,
            "v1-5-pruned.safetensors": b"x" * 1000,
            "README.md": b"# tiny",
        }
        yield running


def fetch(hub: Hub, cache: Path, progress: Progress | None = None, **options: object) -> Path:
    connection = Connection(endpoint=hub.address, timeout_s=2.0)
    return download(ID, progress, connection=connection, cache=cache, **options)  # type: ignore[arg-type]


def is_right(hub: Hub, folder: Path) -> bool:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return LARGE in there and all((folder / name).read_bytes() == hub.files[ID][name] for name in there)


def test_a_model_arrives_whole_and_nothing_else_does(hub: Hub, tmp_path: Path) -> None:
    told: list[Download] = []
    folder = fetch(hub, tmp_path, tell=told.append)
    assert is_right(hub, folder)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert not there & {"safety_checker/model.safetensors", "v1-5-pruned.safetensors", "README.md"}
    assert not any(name.endswith((".bin", ".non_ema.safetensors")) for name in there)
    assert cached_folder_in(tmp_path) == folder
    assert (
        told[-1].done_bytes == told[-1].total_bytes == sum((folder / name).stat().st_size for name in there)
    )
    before = len(hub.seen)
    assert fetch(hub, tmp_path) == folder
    assert [path for path, _, _ in hub.seen[before:]] == [
        f"/api/models/{ID}/revision/main",
        f"/{ID}/resolve/{COMMIT}/model_index.json",
    ]


def cached_folder_in(cache: Path) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(ID, "model_index.json", cache_dir=cache)
    return Path(found).parent if isinstance(found, str) else None


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("cut", at=1000), Fault("cut", at=5000), Fault("cut", at=0)],
        [Fault("corrupt", at=3000)],
        [Fault("cut", at=2000), Fault("corrupt", at=10)],
        [Fault("cut", at=2000), Fault("no-range")],
        [Fault("cut", at=2000), Fault("wrong-range")],
        [Fault("long")],
        [Fault("page")],
        [Fault("status", code=503), Fault("status", code=429, headers={"Retry-After": "1"})],
        [Fault("status", code=500)],
    ],
)
def test_what_breaks_on_the_way_arrives_all_the_same(
    faults: list[Fault], hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.downloads.transfer._FIRST_WAIT_S", 0.0)
    for name in list(hub.files[ID]):  # the large file comes first
        if name not in ("model_index.json", LARGE):
            hub.files[ID][name] = hub.files[ID].pop(name)
    hub.faults = list(faults)
    assert is_right(hub, fetch(hub, tmp_path))
    assert not list(tmp_path.rglob("*.incomplete"))


def test_a_stopped_download_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.always = Fault("slow", at=4096)
    progress = Progress()
    stopped_at: list[int] = []

    def tell(state: Download) -> None:
        if state.file == LARGE and state.done_bytes > 30_000:
            stopped_at.append(state.done_bytes)
            progress.cancel()

    started = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(hub, tmp_path, progress, tell=tell)
    assert time.monotonic() - started < 5
    assert stopped_at
    assert cached_folder_in(tmp_path) is None  # half a model is none
    (part,) = tmp_path.rglob("*.incomplete")
    kept = part.stat().st_size
    hub.always, before = None, len(hub.seen)
    assert is_right(hub, fetch(hub, tmp_path))
    ranges = {path.partition(f"{COMMIT}/")[2]: asked for path, asked, _ in hub.seen[before:]}
    assert ranges[LARGE] == f"bytes={kept}-"


def test_giving_up_deletes_what_arrived(hub: Hub, tmp_path: Path) -> None:
    hub.always = Fault("cut", at=0)
    with pytest.raises(EditorError, match=r"broke off: the connection was closed\. What has arrived is kept"):
        fetch(hub, tmp_path)
    assert list(tmp_path.rglob("*.incomplete"))
    give_up(ID, tmp_path)
    assert not list(tmp_path.rglob("*.incomplete"))


def test_what_is_always_damaged_is_never_kept(hub: Hub, tmp_path: Path) -> None:
    hub.lies[LARGE] = "0" * 64
    with pytest.raises(EditorError, match=f"arrived damaged: {LARGE} is not what 127"):
        fetch(hub, tmp_path)
    assert cached_folder_in(tmp_path) is None
    assert not list(tmp_path.rglob("*.incomplete"))


def status(code: int, said: str = "") -> Callable[[Hub], None]:
    def change(hub: Hub) -> None:
        hub.api = Fault("status", code=code, headers={"X-Error-Code": said} if said else {})

    return change


def without(hub: Hub, *names: str, index: bytes | None = None) -> None:
    for name in names:
        hub.files[ID].pop(name)
    if index is not None:
        hub.files[ID]["model_index.json"] = index


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (status(401, "GatedRepo"), r"only for people who have signed in .* make a token"),
        (status(401), r"only for people who have signed in"),
        (status(401, "RepoNotFound"), r"has no “someone/tiny”\. Check the spelling"),
        (status(404, "RepoNotFound"), r"has no “someone/tiny”\. Check the spelling"),
        (status(407), r"the proxy asks who you are"),
        (status(418), r"answered 418"),
        (lambda hub: setattr(hub, "api", Fault("page")), r"something that is no answer\. Perhaps a page"),
        (
            lambda hub: without(hub, index=b'{"_class_name": "FluxPipeline"}'),
            r"“someone/tiny” is a FluxPipeline, which is not supported",
        ),
        (
            lambda hub: without(hub, index=b'{"_class_name": "QwenImagePipeline"}'),
            r"is a QwenImagePipeline, which is not supported",
        ),
        (
            lambda hub: without(
                hub,
                index=b'{"_class_name": "StableDiffusionXLPipeline", '
                b'"scheduler": ["diffusers", "EDMDPMSolverMultistepScheduler"]}',
            ),
            r"was trained in another way \(EDM\)",
        ),
        (lambda hub: without(hub, "model_index.json"), r"no diffusers folder.* v1-5-pruned\.safetensors"),
        (
            lambda hub: hub.files.update({ID: {"pytorch_lora_weights.safetensors": b"x"}}),
            r"is a LoRA, an addition to a model",
        ),
        (lambda hub: without(hub, LARGE), r"has its unet in no \.safetensors file"),
    ],
)
def test_what_cannot_be_had_or_used_is_said_before_anything_is_fetched(
    change: Callable[[Hub], object], said: str, hub: Hub, tmp_path: Path
) -> None:
    change(hub)
    started = time.monotonic()
    with pytest.raises(EditorError, match=said):
        fetch(hub, tmp_path)
    assert time.monotonic() - started < 3
    assert not list(tmp_path.rglob("*.incomplete"))
    assert hub.asked(".safetensors") == 0


def test_a_full_disk_is_said_before_it_starts(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: real._replace(free=2**28))
    with pytest.raises(EditorError, match=r"needs 0\.0 GB more on the disk of .*, where 0\.3 GB are free"):
        fetch(hub, tmp_path)
    assert hub.asked(".safetensors") == 0


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://nowhere.invalid"])
def test_without_a_network_it_is_said_at_once(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(monkeypatch)
    monkeypatch.setenv("NO_PROXY", "*")

    def unknown(*_: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    if endpoint.endswith("invalid"):
        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    started = time.monotonic()
    with pytest.raises(EditorError, match=r"could not be downloaded: .*Connect to the internet"):
        download(ID, connection=Connection(endpoint=endpoint), cache=tmp_path)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        (
            "http://me:secret@127.0.0.1:1",
            r"proxy 127\.0\.0\.1:1 cannot be used \(the connection was refused",
        ),
        ("http://nobody.invalid:80", r"the proxy nobody\.invalid:80 cannot be used"),
        ("proxy:port:x", r"the proxy proxy:port:x cannot be used"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named_and_its_password_is_not(
    scheme: str, proxy: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(monkeypatch)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy)
    monkeypatch.setenv(f"{scheme}_proxy", proxy)
    real = socket.getaddrinfo

    def look_up(host: object, *rest: Any, **options: Any) -> Any:
        if "nobody" in str(host):
            raise socket.gaierror(-2, "Name or service not known")
        return real(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(EditorError, match=said) as told:
        download(ID, connection=Connection(endpoint=f"{scheme}://hub.invalid"), cache=tmp_path)
    assert "secret" not in str(told.value)
    assert "HTTPS_PROXY" in str(told.value)


@pytest.mark.parametrize(
    ("code", "said"), [(407, "the proxy asks who you are"), (502, "cannot be used (it answered 502)")]
)
def test_what_a_proxy_answers_before_the_encrypted_line_is_said(
    code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(code, "No")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    online(monkeypatch)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}")
        with pytest.raises(EditorError, match=re.escape(said)):
            download(ID, connection=Connection(endpoint="https://hub.invalid"), cache=tmp_path)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_who_is_offline_by_choice_is_told_by_which_variable(
    variable: str, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online(monkeypatch)
    monkeypatch.setenv(variable, "1")
    with pytest.raises(EditorError, match=rf"switched off \({variable}\).*start Attune again"):
        fetch(hub, tmp_path)
    assert not hub.seen


def test_a_token_stays_on_its_own_server(hub: Hub, tmp_path: Path) -> None:
    with breaking_hub() as elsewhere:
        elsewhere.files = hub.files
        hub.always = Fault("redirect", to=elsewhere.address)
        connection = Connection(endpoint=hub.address, token="secret", timeout_s=2.0)
        assert is_right(hub, download(ID, connection=connection, cache=tmp_path))
        assert {token for _, _, token in hub.seen} == {"Bearer secret"}
        assert elsewhere.asked(LARGE) == 1
        assert {token for _, _, token in elsewhere.seen} == {""}


def test_a_circle_of_redirects_ends(hub: Hub, tmp_path: Path) -> None:
    hub.always = Fault("redirect", to=hub.address)
    with pytest.raises(EditorError, match="answered 302"):
        fetch(hub, tmp_path)


def test_a_redirect_to_another_scheme_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.always = Fault("redirect", to="file://")
    with pytest.raises(EditorError, match=r"which is not encrypted|answered 302"):
        fetch(hub, tmp_path)


def test_a_server_that_says_nothing_is_left(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.api = Fault("silent")
    connection = Connection(endpoint=hub.address, timeout_s=0.2)
    with pytest.raises(EditorError, match=r"broke off: there was no answer in time"):
        download(ID, connection=connection, cache=tmp_path)


@pytest.mark.parametrize(
    "name", ["../../evil.json", "/etc/evil.json", "unet/../../evil.json", "unet\\evil.json", "unet/a:b.json"]
)
def test_names_never_lead_out_of_the_folder(name: str, hub: Hub, tmp_path: Path) -> None:
    hub.files[ID][name] = b"{}"
    hub.files[ID][f"scheduler/{name}"] = b"{}"
    fetch(hub, tmp_path / "cache")
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name or "a:b" in path.name]


def test_the_catalogue_adds_what_was_downloaded(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.address}/")
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    catalogue = Catalogue(tmp_path / "settings", built_in=tmp_path / "none")
    entry = catalogue.add(ID)
    assert entry.hub_id == ID
    assert catalogue.check(ID)["problems"] == []
    assert {token for _, _, token in hub.seen} == {"Bearer secret"}
    assert cached_folder(ID, "model_index.json") == entry.path
    monkeypatch.setenv("HF_ENDPOINT", "nonsense")
    with pytest.raises(EditorError, match="HF_ENDPOINT is “nonsense”, which is no address"):
        catalogue.add("someone/other")


def test_what_is_there_needs_no_network(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    folder = download(ID, connection=Connection(endpoint=hub.address, timeout_s=2.0))
    assert download(ID, connection=Connection(endpoint="http://127.0.0.1:1")) == folder


def test_stopping_is_quick_while_the_server_is_slow(hub: Hub, tmp_path: Path) -> None:
    hub.always = Fault("slow", at=64)
    progress = Progress()
    threading.Timer(0.3, progress.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(hub, tmp_path, progress)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "address",
    [
        "http://[x",
        "http://a b",
        "http://x:abc",
        "http://x:99999999",
        "http://猫",
        "http://x/猫",
        "http://" + "a" * 70,
    ],
)
def test_addresses_that_are_none(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(EditorError, match="no address"):
        Connection.standard()


def test_a_mirrors_password_is_not_said() -> None:
    assert Connection(endpoint="https://me:secret@mirror.example").host == "mirror.example"


@pytest.mark.parametrize("token", ["a\nb", "猫", "a\0b"])
def test_tokens_that_are_none_are_not_said(token: str) -> None:
    with pytest.raises(EditorError, match="no token") as caught:
        Connection.standard(token)
    assert token not in str(caught.value)


@pytest.mark.parametrize("text", ["../x", "a/..", "a/b..c", "猫/b", "a/" + "b" * 97, ".a/b", "a/b/c"])
def test_ids_that_the_hub_has_not(text: str) -> None:
    assert not is_hub_id(text)
    assert is_hub_id("stable-diffusion-v1-5/stable_diffusion.v1")


class Answering(http.server.BaseHTTPRequestHandler):
    """Says `said` to every question."""

    said = b""

    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def do_GET(self) -> None:
        self.wfile.write(self.said)


def _listing(files: object) -> bytes:
    body = json.dumps({"sha": "0" * 40, "siblings": files}).encode()
    return b"HTTP/1.0 200 OK\r\n\r\n" + body


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000,
        b"\x00\xff\r\n\r\n",
        _listing([5, None, "x"]),
        _listing([{"rfilename": "model_index.json", "size": 5, "lfs": 5}]),
        _listing([{"rfilename": "model_index.json", "size": 5, "lfs": [1]}]),
        _listing([{"rfilename": 5, "size": "x", "blobId": []}]),
        _listing({}),
    ],
)
def test_a_server_that_says_anything_is_refused_with_a_sentence(said: bytes, tmp_path: Path) -> None:
    handler = type("Handler", (Answering,), {"said": said})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = Connection(endpoint=f"http://127.0.0.1:{server.server_port}", timeout_s=2.0)
        try:
            with pytest.raises(EditorError):
                download(ID, connection=connection, cache=tmp_path)
        finally:
            server.shutdown()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
