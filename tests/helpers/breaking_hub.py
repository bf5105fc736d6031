"""A hub on 127.0.0.1 that breaks, throttles, redirects and lies, as it is told to."""

import hashlib
import json
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Fault:
    """What happens to one request of a file.

    `kind`: "" (none), "cut" (after `at` bytes of it), "corrupt" (one byte is another), "status" (`code`),
    "redirect" (to `to`), "no-range" (the whole is sent, whatever was asked), "wrong-range" (other bytes than
    it says), "slow" (in pieces with pauses), "page" (a web page), "long" (more than there is), "silent".
    """

    kind: str = ""
    at: int = 0
    code: int = 503
    to: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass
class Hub:
    """The server's repositories and what goes wrong; requests are recorded."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])
    faults: list[Fault] = field(default_factory=list[Fault])  # of the next requests of files, one each
    always: Fault | None = None  # of every request of a file that has no other
    api: Fault | None = None
    lies: dict[str, str] = field(default_factory=dict[str, str])  # hashes that are told instead
    seen: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    address: str = ""
    port: int = 0

    def __post_init__(self) -> None:
        self.stop = threading.Event()

    def asked(self, ending: str) -> int:
        """How many requests there were of a path with this ending."""
        return sum(path.endswith(ending) for path, _, _ in self.seen)


@contextmanager
def breaking_hub() -> Generator[Hub]:
    """A running hub; it ends with the block."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.seen.append((path, self.headers.get("Range", ""), self.headers.get("Authorization", "")))
            try:
                if path.startswith("/api/models/"):
                    self._tell(path.split("/")[3:5])
                else:
                    self._send(path)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _tell(self, names: list[str]) -> None:
            if hub.api is not None and not self._misbehave(hub.api, b"{}"):
                return
            files = hub.files.get("/".join(names))
            if files is None:
                self._plain(404, b"", {"X-Error-Code": "RepoNotFound"})
                return
            siblings = [_sibling(name, content, hub.lies) for name, content in files.items()]
            self._plain(200, json.dumps({"sha": COMMIT, "siblings": siblings}).encode(), {})

        def _send(self, path: str) -> None:
            _, owner, name, _, _, *rest = path.split("/")
            content = hub.files.get(f"{owner}/{name}", {}).get("/".join(rest))
            if content is None:
                self._plain(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            is_file = not path.endswith("model_index.json")
            fault = Fault()
            if is_file:
                fault = hub.faults.pop(0) if hub.faults else hub.always or fault
            if self._misbehave(fault, content):
                self._ranged(content, fault)

        def _misbehave(self, fault: Fault, content: bytes) -> bool:
            """Answer otherwise; or True if the answer is to be sent after all."""
            if fault.kind == "status":
                self._plain(fault.code, b"", fault.headers)
            elif fault.kind == "redirect":
                self._plain(302, b"", {"Location": fault.to + self.path})
            elif fault.kind == "page":
                self._plain(200, b"<html>Sign in to the network</html>", {})
            elif fault.kind == "silent":
                hub.stop.wait(20)
                self.close_connection = True
            else:
                return True
            return False

        def _ranged(self, content: bytes, fault: Fault) -> None:
            start = 0
            asked = self.headers.get("Range", "")
            if asked and fault.kind != "no-range":
                start = int(asked.removeprefix("bytes=").rstrip("-"))
            body = content[start:]
            if fault.kind == "corrupt" and body:
                place = min(fault.at, len(body) - 1)
                body = body[:place] + bytes([body[place] ^ 255]) + body[place + 1 :]
            if fault.kind == "long":
                body += b"more" * 1000
            told = start + (1 if fault.kind == "wrong-range" else 0)
            headers = {"Content-Range": f"bytes {told}-{len(content) - 1}/{len(content)}"} if start else {}
            self.send_response(206 if start else 200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if fault.kind == "cut":
                self.wfile.write(body[: fault.at])
                self.close_connection = True
                return
            if fault.kind == "slow":
                for place in range(0, len(body), max(fault.at, 1)):
                    self.wfile.write(body[place : place + max(fault.at, 1)])
                    self.wfile.flush()
                    time.sleep(0.01)
                return
            self.wfile.write(body)

        def _plain(self, code: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.port = int(server.server_address[1])
    hub.address = f"http://127.0.0.1:{hub.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.stop.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def _sibling(name: str, content: bytes, lies: Mapping[str, str]) -> dict[str, Any]:
    if name.endswith(".safetensors"):
        digest = lies.get(name, hashlib.sha256(content).hexdigest())
        return {"rfilename": name, "size": len(content), "lfs": {"sha256": digest, "size": len(content)}}
    digest = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return {"rfilename": name, "size": len(content), "blobId": lies.get(name, digest)}
