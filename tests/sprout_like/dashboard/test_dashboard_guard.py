"""What the dashboard refuses, over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.sprout_like.dashboard.ledgers import now_request, write
from tests.sprout_like.dashboard.served import Served, serving

SECRET = b"root:"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests: none of them changes it."""
    ledger = tmp_path_factory.mktemp("guard") / "ledger.sqlite"
    write(ledger, [now_request(1)])
    with serving(ledger) as served:
        yield served


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "127.0.0.1@evil.example",
        "evil.example#127.0.0.1",
        "",
        "[::1].evil.example",
        "127.0.0.1:port",
    ],
)
def test_a_name_that_is_not_its_own_is_refused(served, host: str) -> None:
    answer = served.raw("GET", "/api/traffic", {"Host": host})
    assert answer.status_code in (400, 421)
    assert "requests_n" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8765", "LOCALHOST:8765"])
def test_every_name_of_the_loopback_is_its_own(served, host: str) -> None:
    assert served.raw("GET", "/api/page", {"Host": host}).status_code == 200


def test_two_names_at_once_are_refused(served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096).split()[1] in (b"400", b"421")


def test_no_name_at_all_is_refused(served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(b"GET /api/page HTTP/1.0\r\n\r\n")
        assert connection.recv(4096).split()[1] in (b"400", b"421")


def test_a_name_that_was_given_is_its_own(serve, ledger) -> None:
    served = serve(ledger, names=("Board.Example", "other.example:8443", "fd00::7"))
    assert served.raw("GET", "/api/page", {"Host": "board.example"}).status_code == 200
    assert served.raw("GET", "/api/page", {"Host": "other.example"}).status_code == 200
    assert served.raw("GET", "/api/page", {"Host": "[FD00::7]:8443"}).status_code == 200
    assert served.raw("GET", "/api/page", {"Host": "third.example"}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://localhost:1", "http://localhost", "http://[::1", ""]
)
def test_pages_of_others_are_refused(served, origin: str) -> None:
    assert served.raw("GET", "/api/now", {"Origin": origin}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_says_another_site_asked_for_is_refused(served, site: str) -> None:
    assert served.raw("GET", "/api/now", {"Sec-Fetch-Site": site}).status_code == 403
    assert served.raw("GET", served.script, {"Sec-Fetch-Site": site}).status_code == 403


def test_the_page_itself_may_ask_and_be_linked_to(served) -> None:
    own = {"Origin": served.base, "Sec-Fetch-Site": "same-origin"}
    assert served.raw("GET", "/api/now", own).status_code == 200
    assert served.raw("GET", "/", {"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
        "/vendor/..%5c..%5c..%5cetc%5cpasswd",
        "/%252e%252e/%252e%252e/etc/passwd",
        "/vendor/uplot/../../../app.py",
        "//etc/passwd",
        "/./etc/passwd",
        "/index.html%00.js",
        "/app.py",
        "/vendor/uplot/LICENSE",
        "/vendor/",
        "/\\..\\..\\etc\\passwd",
    ],
)
def test_nothing_but_the_files_of_the_page_is_served(served, path: str) -> None:
    answer = served.raw("GET", path)
    assert answer.status_code == 404
    assert SECRET not in answer.content
    assert b"Starlette" not in answer.content


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
@pytest.mark.parametrize("path", ["/", "/api/traffic"])
def test_nothing_but_reading_is_answered(served, method: str, path: str) -> None:
    answer = served.raw(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_head_tells_what_get_would_send(served) -> None:
    answer = served.raw("HEAD", served.script)
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) > 1000
    assert answer.content == b""


@pytest.mark.parametrize("headers", [{"Content-Length": "1073741824"}, {"Transfer-Encoding": "chunked"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_body_is_taken(served, method: str, headers: dict[str, str]) -> None:
    answer = served.raw(method, "/api/traffic", headers)
    assert answer.status_code == 413
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"X-Long": "a" * 20_000}),
        ("/" + "a" * 20_000, {}),
        ("/?token=" + "a" * 20_000, {}),
        ("/", {"Cookie": "a" * 20_000}),
    ],
)
def test_long_headers_and_addresses_are_refused(served, path: str, headers: dict[str, str]) -> None:
    assert served.raw("GET", path, headers).status_code == 431


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 no HTTP\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET /api/now HTTP/1.1\r\nHost: localhost\r\nOrigin: http://[::1\r\n\r\n",
    ],
)
def test_what_others_send_says_nothing_on_the_users_terminal(served, sent: bytes, caplog) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(sent)
        assert connection.recv(4096).startswith(b"HTTP/1.1 ")
    assert not caplog.records


def test_endless_headers_end_the_connection(served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        received = b""
        try:
            for _ in range(200):
                connection.sendall(b"X: " + b"a" * 10_000)
            received = connection.recv(4096)
        except OSError:
            received = received or b"HTTP/1.1 400"
        assert received.split()[1] in (b"400", b"431")
    assert served.get("/api/page").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/api/now", 200), ("/api/traffic?span=ever", 400), ("/nothing", 404), ("SCRIPT", 200)],
)
def test_every_answer_tells_the_browser_to_trust_nothing_else(served, path: str, status: int) -> None:
    answer = served.get(path.replace("SCRIPT", served.script))
    assert answer.status_code == status
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "server" not in answer.headers


def test_an_unknown_span_is_named_without_being_repeated(served) -> None:
    answer = served.get("/api/traffic", params={"span": "<script>"})
    assert answer.status_code == 400
    assert "hour, day, week, month" in answer.json()["error"]
    assert "script" not in answer.text


def test_an_address_that_is_no_text_is_refused_quietly(served) -> None:
    answer = served.raw("GET", "/api/traffic?span=hour&span=%ff%fe")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
