"""One way to the hub: mirror, proxy and token as the environment says, redirects looked at, errors said.

    with Connection.standard().open("/api/models/owner/name") as answer: ...

HF_ENDPOINT names a mirror, HTTPS_PROXY, HTTP_PROXY and NO_PROXY a proxy, HF_TOKEN a token (else the file that
`hf auth login` writes). Free of torch; nothing is opened before `open`.
"""

import contextlib
import errno
import http.client
import os
import re
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from inference.errors import EditorError, UnreachableError
from inference.files import read_at_most
from inference.messages import Message
from inference.reasons import reason_of

PUBLIC_ENDPOINT = "https://huggingface.co"
_TIMEOUT_S = 10.0
_AGENT = "attune"
_LARGEST_TOKEN = 2**16
_SHOWN = 120  # characters of what a server says
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
_SECRETS = ("authorization", "cookie")


class BrokenOffError(Exception):
    """The line was lost, or the server is busy: asking again may help.

    Args:
        error: what to say if it does not.
        wait_s: how long the server asks to wait, 0 if it says nothing.
    """

    def __init__(self, error: EditorError, wait_s: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Keeps the token on its own server, and never leaves an encrypted line for an open one."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        before, after = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if after.scheme not in ("http", "https") or (before.scheme == "https" and after.scheme == "http"):
            raise EditorError(
                "The server sends the download to {address}, which is not encrypted.",
                "Nothing was fetched from there. If you use a mirror (HF_ENDPOINT), check its address.",
                address=f"{after.scheme}://{after.netloc}"[:_SHOWN],
            )
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and (before.scheme, before.netloc) != (after.scheme, after.netloc):
            for name in list(made.headers):
                if name.lower() in _SECRETS:
                    made.remove_header(name)
        return made


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where the hub is and who asks.

    Args:
        endpoint: its address, without a slash at the end.
        token: "" for nobody in particular.
        timeout_s: how long to wait for a server that says nothing.
    """

    endpoint: str = PUBLIC_ENDPOINT
    token: str = ""
    timeout_s: float = _TIMEOUT_S

    @classmethod
    def standard(cls, token: str = "") -> "Connection":
        """As the environment says; `token` comes first.

        Raises:
            EditorError: HF_ENDPOINT is no address, or `token` no token.
        """
        endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or PUBLIC_ENDPOINT
        if not _is_address(endpoint):
            raise EditorError(
                "HF_ENDPOINT is “{given}”, which is no address.",
                "Give one such as {example}, or unset it.",
                given=endpoint[:_SHOWN],
                example=PUBLIC_ENDPOINT,
            )
        token = token.strip()
        if not (token.isascii() and token.isprintable()):
            raise EditorError("The token has signs that no token has.", "Copy it again.")
        return cls(endpoint=endpoint, token=token or stored_token())

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.endpoint).netloc.rpartition("@")[2]

    def open(self, path: str, headers: Mapping[str, str] | None = None, *, model: str = "") -> Any:
        """The server's answer to a GET of `path`, to be read and closed.

        Args:
            model: what is asked for, in messages.

        Raises:
            BrokenOffError: asking again may help.
            EditorError: it will not.
        """
        request = urllib.request.Request(
            self.endpoint + path, headers={"User-Agent": _AGENT, **(headers or {})}
        )
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        opener = urllib.request.build_opener(
            _CarefulRedirects(),
            urllib.request.HTTPSHandler(
                context=_trusted(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
            ),
        )
        try:
            return opener.open(request, timeout=self.timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error, model) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self.lost(error, model) from error

    def lost(self, error: BaseException, model: str) -> Exception:
        """What to raise about a line that failed: a sentence, or that asking again may help."""
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        tunnel = _TUNNEL.match(str(reason))  # what a proxy answers before a line is encrypted
        if tunnel is not None and tunnel[1] == "407":
            return _unknown_to_proxy(model)
        proxy = self._proxy()
        if proxy is not None and (tunnel is not None or _is_out_of_reach(reason) or not _is_address(proxy)):
            why = Message("it answered {code}", code=tunnel[1]) if tunnel is not None else _reason(reason)
            return UnreachableError(
                "“{model}” could not be downloaded: the proxy {proxy} cannot be used ({reason}).",
                "Check the addresses in HTTPS_PROXY and HTTP_PROXY, or unset them where no proxy is needed.",
                model=model,
                proxy=proxy.rpartition("@")[2].rpartition("/")[2][:_SHOWN],  # without a password
                reason=why,
            )
        if isinstance(reason, socket.gaierror):
            return UnreachableError(
                "“{model}” could not be downloaded: {host} was not found.",
                "Connect to the internet. Behind a proxy set HTTPS_PROXY; for a mirror set HF_ENDPOINT.",
                model=model,
                host=self.host,
            )
        if isinstance(reason, ssl.SSLCertVerificationError):
            return UnreachableError(
                "“{model}” could not be downloaded: the certificate of {host} is not trusted ({reason}).",
                "Check the computer's date. If your network inspects connections, add its certificate: "
                "SSL_CERT_FILE names the file.",
                model=model,
                host=self.host,
                reason=reason.verify_message[:_SHOWN],
            )
        if _is_out_of_reach(reason):
            return UnreachableError(
                "“{model}” could not be downloaded: {host} cannot be reached ({reason}).",
                "Connect to the internet. Behind a proxy set HTTPS_PROXY; for a mirror set HF_ENDPOINT.",
                model=model,
                host=self.host,
                reason=_reason(reason),
            )
        return BrokenOffError(
            UnreachableError(
                "The download of “{model}” broke off: {reason}.",
                "What has arrived is kept: start it again to go on from there.",
                model=model,
                reason=_reason(reason),
            )
        )

    def _proxy(self) -> str | None:
        """The proxy that is asked for the hub, as the environment has it; None without one."""
        parts = urllib.parse.urlsplit(self.endpoint)
        given = urllib.request.getproxies().get(parts.scheme, "")
        if not given or urllib.request.proxy_bypass(parts.netloc):
            return None
        return given if "://" in given else f"http://{given}"

    def _refused(self, error: urllib.error.HTTPError, model: str) -> Exception:
        page = f"{self.endpoint}/{model}"
        said = str(error.headers.get("X-Error-Code") or "") if error.headers else ""
        if said == "GatedRepo" or error.code == 403 or (error.code == 401 and said != "RepoNotFound"):
            if not self.token:
                return EditorError(
                    "“{model}” is only for people who have signed in and accepted its licence.",
                    "Open {page}, sign in and accept it. Then make a token (Settings, Access Tokens) and "
                    "give it here, or as HF_TOKEN.",
                    model=model,
                    page=page,
                )
            return EditorError(
                "“{model}” is not open to you with this token.",
                "Open {page} and accept the licence, or wait until its owner has let you in; see that the "
                "token is not expired and may read gated models.",
                model=model,
                page=page,
            )
        if error.code in (401, 404, 410):
            return EditorError(
                "{host} has no “{model}”.",
                "Check the spelling of owner/name. If it is private, give a token (HF_TOKEN).",
                host=self.host,
                model=model,
            )
        if error.code == 407:
            return _unknown_to_proxy(model)
        refusal = UnreachableError(
            "“{model}” could not be downloaded: {host} answered {code}.",
            "Wait a few minutes and start it again: what has arrived is kept.",
            model=model,
            host=self.host,
            code=error.code,
        )
        if error.code in (408, 425, 429) or error.code >= 500:
            return BrokenOffError(refusal, _seconds(error.headers.get("Retry-After")))
        return refusal


def _unknown_to_proxy(model: str) -> EditorError:
    return EditorError(
        "“{model}” could not be downloaded: the proxy asks who you are.",
        "Write name and password into HTTPS_PROXY: http://name:password@host:port.",
        model=model,
    )


def _is_out_of_reach(reason: object) -> bool:
    if isinstance(reason, ConnectionRefusedError | socket.gaierror):
        return True
    return isinstance(reason, OSError) and reason.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)


def _is_address(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        port, name = parts.port, parts.hostname or ""
        name.encode("idna")
    except ValueError:  # UnicodeError is one
        return False
    plain = text.isascii() and text.isprintable() and " " not in text
    return plain and parts.scheme in ("http", "https") and bool(name) and port != 0


def stored_token() -> str:
    """The user's token: HF_TOKEN, else the file that `hf auth login` writes, else ""."""
    given = os.environ.get("HF_TOKEN", "").strip()
    if given:
        return given if given.isascii() and given.isprintable() else ""
    from huggingface_hub import constants

    with contextlib.suppress(OSError, ValueError, EditorError):
        found = read_at_most(Path(constants.HF_TOKEN_PATH), _LARGEST_TOKEN).decode("ascii").strip()
        return found if found.isprintable() else ""
    return ""


@lru_cache(maxsize=4)
def _trusted(file: str, folder: str) -> ssl.SSLContext:
    """The system's certificates, or those that the two variables name, and Mozilla's where there are none.

    Read once: there are hundreds, and each request would read them again.
    """
    del folder  # Python looks at it itself
    context = ssl.create_default_context()
    if not context.get_ca_certs() and not file:
        with contextlib.suppress(ImportError, OSError):
            import certifi

            context.load_verify_locations(certifi.where())
    return context


def _reason(reason: object) -> Message:
    if isinstance(reason, TimeoutError):
        return Message("there was no answer in time")
    if isinstance(reason, http.client.IncompleteRead | http.client.RemoteDisconnected):
        return Message("the connection was closed")
    if isinstance(reason, BaseException):
        return reason_of(reason)
    return Message("{detail}", detail=str(reason)[:_SHOWN])


def _seconds(text: str | None) -> float:
    return min(float(text), 60.0) if text and text.isascii() and text.isdecimal() else 0.0
