"""The way to the network: one time limit for all of a question, the user's proxy and certificates, no raw errors."""

from __future__ import annotations

import itertools
import ssl
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from grid import SourceDown, SourceError, SourceSpecError
from grid.http.api import HttpApi
from grid.http.credentials import QueryKey
from grid.http.network import NetworkTransport
from grid.http.retrying import Retrying
from grid.testing import Answer, Asked, Loopback
from grid.testing.loopback import Delivery

SECRET = "key-9c41"


class _Echo(Loopback):
    """Answers `{}`."""

    def truth(self, asked: Asked) -> Answer:
        return Answer("{}")

    def encrypt(self, authority: trustme.CA) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = self.url.replace("http://", "https://")


@pytest.fixture
def server() -> Iterator[_Echo]:
    with _Echo() as running:
        yield running


@pytest.fixture
def make() -> Iterator[Callable[..., HttpApi]]:
    made: list[HttpApi] = []

    def make(base_url: str, timeout_s: float = 10) -> HttpApi:
        key = QueryKey("api_key", SECRET)
        once = Retrying(attempts=1)
        made.append(HttpApi(base_url=base_url, name="src", timeout_s=timeout_s, retrying=once, credentials=key))
        return made[-1]

    yield make
    for api in made:
        api.close()


def test_the_limit_is_on_the_whole_question_whatever_the_server_sends_meanwhile(server: _Echo) -> None:
    looks = itertools.count()
    transport = NetworkTransport(httpx.URL(server.url), monotonic_s=lambda: float(next(looks)))
    server.answer = Answer(delivery="drip-header")
    limit = {"connect": 20.5, "read": 20.5, "write": 20.5, "pool": 20.5}
    with pytest.raises(httpx.ReadTimeout):
        transport.handle_request(httpx.Request("GET", server.url, extensions={"timeout": limit}))
    assert next(looks) == 22
    transport.close()


def test_a_connection_is_kept_for_the_next_question(server: _Echo, make: Callable[..., HttpApi]) -> None:
    api = make(server.url)
    for _ in range(5):
        api.get("/x")
    assert server.connections == 1


def test_a_proxy_of_the_environment_is_asked(
    server: _Echo, make: Callable[..., HttpApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("http://", "http://user:pass@"))
    assert make("http://api.invalid").get_json("/x", {"zone": "DE"}) == {}
    assert server.asked[0].headers["host"] == "api.invalid"
    assert server.asked[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert server.asked[0].query == {"zone": "DE", "api_key": SECRET}


def test_a_proxy_is_asked_for_a_tunnel_to_https(
    server: _Echo, make: Callable[..., HttpApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", server.url.removeprefix("http://"))
    with pytest.raises(SourceDown, match=r"^src: no answer from api.invalid \(501 "):
        make("https://api.invalid").get("/x")
    assert server.connections == 1


def test_a_host_named_in_no_proxy_is_asked_directly(
    server: _Echo, make: Callable[..., HttpApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.invalid")
    monkeypatch.setenv("no_proxy", "example.org, 127.0.0.1")
    assert make(server.url).get_json("/x") == {}


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://", "http://a..b:1", "ftp://x"])
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    make: Callable[..., HttpApi], monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", proxy.replace("//", "//user:hidden-1@"))
    with pytest.raises(SourceError, match=r"^src: the proxy in HTTP_PROXY or ALL_PROXY cannot be used") as caught:
        make("http://api.invalid").get("/x")
    assert "hidden-1" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("delivery", ["whole", "drip-header"])
def test_over_tls_the_answer_comes_and_the_limit_holds(
    server: _Echo, make: Callable[..., HttpApi], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, delivery: Delivery
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    server.encrypt(authority)
    api = make(server.url, 10 if delivery == "whole" else 0.1)
    server.answer = Answer("{}", delivery=delivery)
    if delivery == "whole":
        assert api.get_json("/x") == api.get_json("/x") == {}
        assert server.connections == 1
    else:
        with pytest.raises(SourceDown, match="no whole answer"):
            api.get("/x")


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_told(
    make: Callable[..., HttpApi], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "certificates.pem"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(SourceError, match=r"^src: the certificates cannot be read .*check SSL_CERT_FILE"):
        make("https://127.0.0.1:1").get("/x")


@pytest.mark.parametrize(
    "url", ["http://a..b", f"http://{'a' * 64}.org", "http://xn--a", "http://", "", "http://a\x00b", "ftp://x", "x"]
)
def test_a_base_url_that_no_host_can_have_is_told_at_once(make: Callable[..., HttpApi], url: str) -> None:
    with pytest.raises(SourceSpecError, match=r"^src: the base URL"):
        make(url)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf"), 1e12])
def test_a_time_limit_that_nobody_can_keep_is_told_at_once(make: Callable[..., HttpApi], timeout_s: float) -> None:
    with pytest.raises(SourceSpecError, match=r"^src: timeout_s is "):
        make("http://127.0.0.1:1", timeout_s)


@pytest.mark.parametrize("delivery", ["reset", "silent", "drip", "truncated", None])
def test_not_even_the_local_variables_of_a_traceback_hold_the_key(
    server: _Echo, make: Callable[..., HttpApi], delivery: Delivery | None
) -> None:
    if delivery is not None:
        server.answer = Answer(delivery=delivery)
    api = make(server.url if delivery else "http://127.0.0.1:1", 0.05)
    with pytest.raises(SourceDown) as caught:
        api.get("/x")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert "self = " in text
    assert SECRET not in text


def test_what_is_no_http_is_told_without_the_key(server: _Echo, make: Callable[..., HttpApi]) -> None:
    server.answer = Answer(headers={f"you sent {SECRET}": "x"})
    with pytest.raises(SourceDown, match=r"^src: no answer from 127.0.0.1 \(") as caught:
        make(server.url).get("/x")
    assert SECRET not in str(caught.value)
